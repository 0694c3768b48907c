/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_ask: which role may ask what, in one table, and the acts on tokens and the permit list. The api
 * holds its routes against a table of its own; this one stands also when that process is no longer ours.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define TOKEN_LIFE_MAX_S (TOKEN_DAYS_MAX * DAY_S)
#define DETAIL_MAX 1024u

/* ---- the table ---- */

#define REQUESTER ACCESS_BIT(ACCESS_REQUESTER)
#define OPERATOR ACCESS_BIT(ACCESS_OPERATOR)
#define ADMINISTRATOR ACCESS_BIT(ACCESS_ADMINISTRATOR)

/* A kind that is missing here, or has neither roles nor is_service, is refused. */
static const struct act {
    const char *name;
    unsigned roles;
    bool is_service; /* the api asks for itself: nobody's role matters */
    bool is_whole;   /* a scope that limits anything rules it out */
} acts[] = {
    [ASK_ISSUE] = {.name = "issue", .roles = REQUESTER | ADMINISTRATOR},
    [ASK_REVOKE] = {.name = "revoke", .roles = OPERATOR | ADMINISTRATOR},
    [ASK_UNHOLD] = {.name = "unhold", .roles = OPERATOR | ADMINISTRATOR},
    [ASK_PUBLISH] = {.name = "publish", .roles = OPERATOR | ADMINISTRATOR},
    [ASK_PROBE] = {.name = "probe", .is_service = true},
    [ASK_APPROVE] = {.name = "approve", .roles = OPERATOR | ADMINISTRATOR},
    [ASK_DENY] = {.name = "deny", .roles = REQUESTER | OPERATOR | ADMINISTRATOR}, /* a requester his own */
    [ASK_LISTENER] = {.name = "listener", .is_service = true},
    [ASK_TOKEN_CREATE] = {.name = "token create", .roles = ADMINISTRATOR, .is_whole = true},
    [ASK_TOKEN_DELETE] = {.name = "token delete", .roles = ADMINISTRATOR, .is_whole = true},
    [ASK_TOKEN_USED] = {.name = "token used", .is_service = true},
    [ASK_PERMIT_ADD] = {.name = "permit add", .roles = ADMINISTRATOR, .is_whole = true},
    [ASK_PERMIT_REMOVE] = {.name = "permit remove", .roles = ADMINISTRATOR, .is_whole = true},
    [ASK_LOGIN_FAILURE] = {.name = "login failure", .is_service = true},
    [ASK_TAKEN] = {.name = "configuration", .is_service = true},
    [ASK_REFUSED] = {.name = "refusal", .is_service = true},
};

static const struct act *act_of(const struct ask *a)
{
    if (a->kind >= sizeof acts / sizeof *acts || acts[a->kind].name == NULL)
        return NULL;
    return &acts[a->kind];
}

/* What would be signed harms nobody: whoever works with requests may see it. */
static unsigned roles_of(const struct act *act, const struct ask *a)
{
    return a->kind == ASK_ISSUE && a->dry_run ? act->roles | OPERATOR : act->roles;
}

static const char *act_name(const struct ask *a)
{
    const struct act *act = act_of(a);

    if (act == NULL)
        return "unknown act";
    return a->dry_run && !a->is_refused ? "preflight" : act->name;
}

static const char hidden[] = "It is outside the scope of this login.";

const char *denial_text(const struct ask *a)
{
    return a->is_denied && a->err == ERR_NOT_FOUND ? hidden : a->detail;
}

static void mark_denied(struct ask *a, enum err err, const char *told)
{
    a->is_denied = true;
    ask_refuse(a, err, told);
    log_warn("denied", "act=%s principal=%s %s", act_name(a), a->who.name, denial_text(a));
}

void access_deny(struct ask *a, const char *detail)
{
    mark_denied(a, ERR_FORBIDDEN, detail);
}

void access_hide(struct ask *a, const char *detail)
{
    mark_denied(a, ERR_NOT_FOUND, detail);
}

/* Values that the framing alone does not bound. */
static bool is_sound(const struct ask *a, int64_t now_s)
{
    bool is_role = a->token.role > ACCESS_NOBODY && a->token.role < ACCESS_ROLES;

    if (a->kind == ASK_TOKEN_CREATE)
        return is_role && a->token.expires_at_s > now_s && a->token.expires_at_s <= now_s + TOKEN_LIFE_MAX_S;
    if (a->kind != ASK_PERMIT_ADD && a->kind != ASK_PERMIT_REMOVE)
        return true;
    return a->permit.role < ACCESS_ROLES && a->permit.range.bits <= 128 &&
           (a->permit.listener == PERMIT_HTTPS ||
            (a->permit.listener == PERMIT_HTTP && a->permit.role == ACCESS_NOBODY));
}

void access_check(const struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    const struct act *act = act_of(a);
    struct fault f = {0};
    char text[128];
    enum err e;

    if (act == NULL)
        return access_deny(a, "There is no such act.");
    if (act->is_service)
        return;
    e = principal_find(v, &ca->role->config.access, ask_actor(a), now_s, &a->who, &f);
    if (e == ERR_UNAVAILABLE) {
        a->err = e;
        return;
    }
    if (e != OK)
        return access_deny(a, f.detail);
    if ((roles_of(act, a) & ACCESS_BIT(a->who.role)) == 0) {
        snprintf(text, sizeof text, "The role %s does not include this: %s.", access_role_name(a->who.role),
                 act_name(a));
        return access_deny(a, text);
    }
    if (act->is_whole && !scope_is_any(&a->who.scope))
        return access_deny(a, "A login that is limited to some certificates may not do this.");
    if (!is_sound(a, now_s))
        return access_deny(a, "A value is out of its range.");
    if (a->kind == ASK_TOKEN_CREATE && !principal_may_make_token(v, a->principal))
        access_deny(a, "This token is the last of 64 that made each other: make the next with another login "
                       "than a token.");
}

bool access_covers(struct ask *a, bool covered, const char *what)
{
    char text[128];

    if (covered)
        return true;
    snprintf(text, sizeof text, "This login is limited: its scope does not cover %s.", what);
    access_deny(a, text);
    return false;
}

/* ---- frames ---- */

static bool read_token(struct rd *r, struct ask *a)
{
    uint8_t role;

    rd_copy(r, a->token.hash, HASH_LEN);
    role = rd_u8(r);
    a->token.role = (enum access_role)role;
    a->token.expires_at_s = rd_i64(r);
    return scope_read(r, &a->token.scope);
}

static bool read_permit(struct rd *r, struct ask *a)
{
    uint8_t listener = rd_u8(r), role = rd_u8(r);

    a->permit.listener = (enum permit_listener)listener;
    a->permit.role = (enum access_role)role;
    rd_copy(r, a->permit.range.base.octets, sizeof a->permit.range.base.octets);
    a->permit.range.bits = rd_u8(r);
    return true;
}

static bool read_failure(struct rd *r, struct ask *a)
{
    bool fits =
        ask_read_text(r, a->address, sizeof a->address) && ask_read_text(r, a->failure, sizeof a->failure);

    a->count = rd_u32(r);
    return fits;
}

bool access_reads(struct rd *r, struct ask *a)
{
    if (a->kind == ASK_LOGIN_FAILURE)
        return read_failure(r, a);
    if (a->kind != ASK_TOKEN_USED && !ask_read_text(r, a->principal, sizeof a->principal))
        return false;
    if (a->kind == ASK_TOKEN_CREATE)
        return read_token(r, a);
    if (a->kind == ASK_PERMIT_ADD || a->kind == ASK_PERMIT_REMOVE)
        return read_permit(r, a);
    rd_copy(r, a->token.hash, TOKEN_ID_LEN);
    return true;
}

/* ---- records ---- */

static void audit(struct txn *t, enum audit_kind kind, const char *actor, const char *detail, int64_t now_s)
{
    audit_append(t, &(struct audit_row){
                        .at_s = now_s, .kind = kind, .actor = span_str(actor), .detail = span_str(detail)});
}

static void put_list(struct buf *b, const char *what, const struct scope_list *l)
{
    const char *item;

    if (l->len > 0)
        buf_printf(b, ", %s", what);
    for (size_t at = 0; (item = scope_next(l, &at)) != NULL;)
        buf_printf(b, " %s", item);
}

static bool count_token(const struct token *k, void *arg)
{
    (void)k;
    return ++*(unsigned *)arg < TOKENS_MAX;
}

static void audit_token(struct txn *t, const struct ask *a, const char *did, int64_t now_s)
{
    char id[2 * TOKEN_ID_LEN + 1], end[CLOCK_TEXT_MAX];
    struct buf text;

    hex_encode(span_of(a->token.hash, TOKEN_ID_LEN), id);
    buf_init(&text, 4 * DETAIL_MAX);
    buf_printf(&text, "token %s %s", id, did);
    if (a->kind == ASK_TOKEN_CREATE) {
        clock_rfc3339(a->token.expires_at_s, end);
        buf_printf(&text, ", role %s, until %s", access_role_name(a->token.role), end);
        put_list(&text, "profiles", &a->token.scope.profiles);
        put_list(&text, "names", &a->token.scope.names);
        put_list(&text, "issuers", &a->token.scope.issuers);
    }
    audit_append(t, &(struct audit_row){.at_s = now_s,
                                        .kind = AUDIT_TOKEN,
                                        .actor = span_str(a->principal),
                                        .detail = buf_span(&text)});
    buf_free(&text);
}

static void create_token(struct txn *t, struct ask *a, int64_t now_s)
{
    struct token other;
    unsigned n = 0;

    if (token_each(txn_view(t), count_token, &n) != OK)
        return ask_refuse(a, ERR_INTERNAL, "The tokens cannot be read.");
    if (n >= TOKENS_MAX)
        return ask_refuse(a, ERR_CONFLICT,
                          "There are 4096 tokens: delete some; ended ones go after 90 days.");
    if (token_find_id(txn_view(t), a->token.hash, &other) != ERR_NOT_FOUND)
        return ask_refuse(a, ERR_CONFLICT, "There is a token of this id: try again.");
    strcpy(a->token.created_by, a->principal);
    a->token.created_at_s = now_s;
    token_add(t, &a->token);
    audit_token(t, a, "created", now_s);
}
_Static_assert(TOKENS_MAX == 4096, "as the text says");

static void delete_token(struct txn *t, struct ask *a, int64_t now_s)
{
    struct token k;
    enum err e = token_find_id(txn_view(t), a->token.hash, &k);

    if (e == ERR_NOT_FOUND)
        return ask_refuse(a, e, "There is no such token.");
    if (e != OK)
        return ask_refuse(a, ERR_INTERNAL, "This token cannot be read.");
    if (k.deleted_at_s != NO_TIME)
        return; /* idempotent in effect */
    token_delete(t, a->token.hash, now_s);
    audit_token(t, a, "deleted", now_s);
}

static void use_token(struct txn *t, const struct ask *a, int64_t now_s)
{
    struct token k;

    if (token_find_id(txn_view(t), a->token.hash, &k) == OK)
        token_use(t, a->token.hash, now_s);
}

static bool count_permit(const struct permit *p, void *arg)
{
    (void)p;
    return ++*(unsigned *)arg < PERMITS_MAX;
}

/* What may not be added, or an error of the store. A damaged line keeps the whole list from being read: it
 * goes first. */
static void check_addition(struct txn *t, struct ask *a, enum err found, bool is_damaged)
{
    unsigned n = 0;

    if (found == OK && is_damaged)
        return ask_refuse(a, ERR_INTERNAL, "This line is there and damaged: remove it, then add it again.");
    if (found == OK)
        return ask_refuse(a, ERR_CONFLICT, PERMIT_THERE_TEXT);
    if (permit_each(txn_view(t), count_permit, &n) != OK)
        return ask_refuse(
            a, ERR_INTERNAL,
            "The permit list cannot be read: the log names the damaged row. `permit list` shows "
            "it without who added it: remove it first.");
    if (n >= PERMITS_MAX)
        ask_refuse(a, ERR_CONFLICT, PERMITS_FULL_TEXT);
}

static void audit_permit(struct txn *t, const struct ask *a, const char *did, int64_t now_s)
{
    char range[ADDRESS_TEXT_MAX], text[256];

    address_range_text(&a->permit.range, range);
    snprintf(text, sizeof text, "%s %s, listener %s, role %s", did, range,
             permit_listener_name(a->permit.listener),
             a->permit.role == ACCESS_NOBODY ? "any" : access_role_name(a->permit.role));
    audit(t, AUDIT_PERMIT, a->principal, text, now_s);
}

static void add_permit(struct txn *t, struct ask *a, enum err found, bool is_damaged, int64_t now_s)
{
    check_addition(t, a, found, is_damaged);
    if (a->err != OK)
        return;
    strcpy(a->permit.created_by, a->principal);
    a->permit.created_at_s = now_s;
    permit_add(t, &a->permit);
    audit_permit(t, a, "added", now_s);
}

static void change_permit(struct txn *t, struct ask *a, int64_t now_s)
{
    struct permit there = {.is_damaged = false};
    enum err found = permit_find(txn_view(t), &a->permit, &there);

    if (found != OK && found != ERR_NOT_FOUND)
        return ask_refuse(a, ERR_INTERNAL, "The permit list cannot be read.");
    if (a->kind == ASK_PERMIT_ADD)
        return add_permit(t, a, found, there.is_damaged, now_s);
    if (found != OK)
        return ask_refuse(a, ERR_NOT_FOUND, PERMIT_MISSING_TEXT);
    permit_remove(t, &a->permit);
    audit_permit(t, a, there.is_damaged ? "removed, damaged as it was," : "removed", now_s);
}

static void record_failure(struct txn *t, const struct ask *a, int64_t now_s)
{
    char text[256];

    snprintf(text, sizeof text, "from %s: %s, %u times", a->address, a->failure, a->count);
    audit(t, AUDIT_LOGIN_FAILURE, "-", text, now_s);
}

/* The serial number of a certificate that is there, or which request it was. */
static void record_denial(struct txn *t, const struct ask *a, int64_t now_s)
{
    char text[DETAIL_MAX], id[2 * REQUEST_ID_LEN + 1];
    struct audit_row row = {.at_s = now_s,
                            .kind = AUDIT_REFUSE,
                            .has_serial = ask_moves(a) && a->err == ERR_NOT_FOUND,
                            .actor = span_str(a->who.name[0] != '\0' ? a->who.name : "-")};

    hex_encode(span_of(a->request_id, REQUEST_ID_LEN), id);
    if (a->kind == ASK_DENY)
        snprintf(text, sizeof text, "%s request %s: %s", act_name(a), id, denial_text(a));
    else
        snprintf(text, sizeof text, "%s: %s", act_name(a), denial_text(a));
    row.detail = span_str(text);
    memcpy(row.serial, a->serial, SERIAL_LEN);
    audit_append(t, &row);
}

/* Has record_denial() to say it? What was to be issued has a row of its own, record_refusal(). */
static bool is_denial(const struct ask *a)
{
    return a->is_denied && (!ask_issues(a) || (a->dry_run && !a->is_refused));
}

bool access_writes(const struct ask *a)
{
    return is_denial(a) || (a->kind >= ASK_TOKEN_CREATE && a->kind <= ASK_LOGIN_FAILURE);
}

void access_record(struct txn *t, struct ask *a, int64_t now_s)
{
    if (is_denial(a))
        return record_denial(t, a, now_s);
    if (a->err != OK)
        return;
    if (a->kind == ASK_TOKEN_CREATE)
        create_token(t, a, now_s);
    else if (a->kind == ASK_TOKEN_DELETE)
        delete_token(t, a, now_s);
    else if (a->kind == ASK_TOKEN_USED)
        use_token(t, a, now_s);
    else if (a->kind == ASK_PERMIT_ADD || a->kind == ASK_PERMIT_REMOVE)
        change_permit(t, a, now_s);
    else if (a->kind == ASK_LOGIN_FAILURE)
        record_failure(t, a, now_s);
}
