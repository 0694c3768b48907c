/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approval: certificates that a person decides on. A request that passes every rule waits, durably; approving
 * it holds it against the rules again, as they are then, and issues in the same way as any other. Its facts
 * are kept as the api sent them, so that nothing here parses a CSR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/utf8.h"
#include "ca/inner.h"

#define WAIT_S (7 * DAY_S) /* a week: everybody who decides is back from a weekend and a few days off */
#define WAITING_MAX                                                                                          \
    1000u /* of one asker: beyond what people read, and at 160 KiB each no way to fill the disk */
#define ANSWERED_S                                                                                           \
    (90 * DAY_S) /* how long a decided request answers its Idempotency-Keys: whoever waited may come late */
#define DETAIL_MAX                                                                                           \
    (REQUEST_REASON_MAX + PRINCIPAL_MAX + PROFILE_ID_MAX + 64) /* octets of an audit row's text */
#define WAITING_COUNTED                                                                                      \
    10000u                   /* a figure beyond says no more, and counting takes a millisecond a thousand    \
                              */
#define WAITING_LONG_S DAY_S /* of a week: somebody should have seen it on a working day */
#define EXPIRE_MOST 256u     /* of one upkeep, so that it never holds up a turn for long */

static void audit(struct txn *t, enum audit_kind kind, const uint8_t id[static REQUEST_ID_LEN],
                  const char *actor, const char *detail, int64_t now_s)
{
    char hex[2 * REQUEST_ID_LEN + 1], text[DETAIL_MAX + 64];
    struct audit_row row = {.at_s = now_s, .kind = kind, .actor = span_str(actor)};

    hex_encode(span_of(id, REQUEST_ID_LEN), hex);
    snprintf(text, sizeof text, "request %s, %s", hex, detail);
    row.detail = span_str(text);
    audit_append(t, &row);
    log_info("request", "%s by %s: %s", audit_kind_name(kind), actor, text);
}

static const char *state_text(const struct request *r)
{
    return r->state == REQUEST_APPROVED ? "It is approved already."
           : r->state == REQUEST_DENIED ? "It is denied already."
                                        : "It has expired: nobody decided in time.";
}

/* Nobody decided in time, by a clock that is to be believed. */
static bool is_past_end(const struct ca *ca, const struct request *r, int64_t now_s)
{
    return r->expires_at_s <= now_s && !ca->doubt.is_ahead_now;
}

/* So long ago, by such a clock, that its keys are free: who asks anew under one takes it from the old request
 * for good. */
static bool is_forgotten(const struct ca *ca, const struct request *r, int64_t now_s)
{
    return r->state != REQUEST_PENDING && r->decided_at_s < now_s - ANSWERED_S && !ca->doubt.is_ahead_now;
}

/* ---- asking ---- */

/* A long reason is cut: all of it is in the request. */
static void answer_denied(struct ask *a, const struct request *r)
{
    int len = (int)utf8_cut(r->reason, 160);

    if (r->state != REQUEST_DENIED)
        return ask_refuse(a, ERR_POLICY, "The request has expired: nobody decided in time.");
    a->err = ERR_POLICY;
    snprintf(a->detail, sizeof a->detail, "The request was denied: %.*s", len, (const char *)r->reason.data);
}

static void answer_issued(struct ca *ca, struct view *v, struct ask *a, const struct request *r)
{
    struct cert c;
    enum err err = cert_find(v, r->serial, &c);

    if (err == ERR_NOT_FOUND)
        return ask_refuse(a, ERR_CONFLICT, "The certificate of this request ended long ago and is not kept.");
    if (err != OK || issuing_by_no(ca, c.status.issuer_no) == NULL)
        return ask_refuse(a, ERR_INTERNAL, "The certificate of this request cannot be read.");
    memcpy(a->serial, c.serial, SERIAL_LEN);
    buf_put_span(&a->certificate, c.der);
    a->issuer = issuing_by_no(ca, c.status.issuer_no);
    a->repeated = true;
}

bool approval_repeat(struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    uint8_t body[HASH_LEN];
    struct request r;
    enum err e = request_find_key(v, a->idempotency, body, &r);

    if (e == ERR_NOT_FOUND || (e == OK && is_forgotten(ca, &r, now_s)))
        return false;
    if (e != OK)
        ask_refuse(a, ERR_INTERNAL, "The request of this Idempotency-Key cannot be read.");
    else if (memcmp(body, a->body_hash, HASH_LEN) != 0)
        ask_refuse(a, ERR_POLICY, "This Idempotency-Key was used with another request.");
    else if (r.state == REQUEST_APPROVED)
        answer_issued(ca, v, a, &r);
    else if (r.state != REQUEST_PENDING || is_past_end(ca, &r, now_s))
        answer_denied(a, &r);
    else
        approval_wait(a, r.id);
    return true;
}

void approval_wait(struct ask *a, const uint8_t *id)
{
    a->err = ERR_PENDING;
    a->is_waiting = id != NULL;
    if (id != NULL)
        memcpy(a->request_id, id, REQUEST_ID_LEN);
}

/* What makes two requests one: who asks, for what, with which octets. */
static void likeness(const struct ask *a, uint8_t out[static HASH_LEN])
{
    struct hash *h = hash_begin(HASH_SHA256);
    struct buf head;

    buf_init(&head, PRINCIPAL_MAX + PROFILE_ID_MAX + 32);
    buf_put_blob(&head, span_str(a->principal));
    buf_put_blob(&head, span_str(a->profile_id));
    buf_put_u32(&head, a->days);
    hash_add(h, buf_span(&head));
    hash_add(h, a->facts.csr);
    hash_end(h, out);
    buf_free(&head);
}

static void add(struct txn *t, struct ask *a, struct request *r, int64_t now_s)
{
    struct buf findings;
    char detail[256];

    buf_init(&findings, WIRE_MSG_MAX);
    findings_write(&findings, &a->findings);
    random_octets(r->id, REQUEST_ID_LEN);
    strcpy(r->profile, a->profile_id);
    strcpy(r->asker, a->principal);
    r->days = a->days;
    r->facts = a->facts_sent; /* not a->facts, of which a profile may have dropped parts */
    r->findings = buf_span(&findings);
    r->asked_at_s = now_s;
    r->expires_at_s = now_s + WAIT_S;
    request_add(t, r);
    snprintf(detail, sizeof detail, "profile %s, %.*s", a->profile_id,
             (int)utf8_cut(a->facts.subject_text, AUDIT_SUBJECT_MAX),
             (const char *)a->facts.subject_text.data);
    audit(t, AUDIT_REQUEST, r->id, a->principal, detail, now_s);
    buf_free(&findings);
}

static void expire(struct txn *t, const struct request *r, int64_t now_s)
{
    char detail[PRINCIPAL_MAX + PROFILE_ID_MAX + 32];

    snprintf(detail, sizeof detail, "profile %s, asked by %s", r->profile, r->asker);
    request_decide(t, r->id, &(struct decision){.state = REQUEST_EXPIRED, .by = "service", .at_s = now_s});
    audit(t, AUDIT_EXPIRE, r->id, "service", detail, now_s);
}

/* The one that waits already. Past its end nobody can approve it any more, though the upkeep has not come. */
static enum err find_waiting(const struct ca *ca, struct txn *t, const uint8_t same[static HASH_LEN],
                             struct request *out, int64_t now_s)
{
    enum err e = request_find_same(txn_view(t), same, out);

    if (e != OK || !is_past_end(ca, out, now_s))
        return e;
    expire(t, out, now_s);
    *out = (struct request){0};
    return ERR_NOT_FOUND;
}

void approval_add(const struct ca *ca, struct txn *t, struct ask *a, int64_t now_s)
{
    struct request r = {0};
    uint8_t same[HASH_LEN];
    unsigned waiting;
    enum err e;

    if (a->is_waiting)
        return;
    likeness(a, same);
    e = find_waiting(ca, t, same, &r, now_s);
    if (e == ERR_NOT_FOUND) {
        memcpy(r.same, same, HASH_LEN);
        if (request_count(txn_view(t), a->principal, WAITING_MAX, &waiting) != OK)
            return ask_refuse(a, ERR_INTERNAL, "The waiting requests cannot be counted.");
        if (waiting >= WAITING_MAX)
            return ask_refuse(a, ERR_CONFLICT,
                              "1000 requests of this login wait for an approval: have some decided first.");
        add(t, a, &r, now_s);
    } else if (e != OK) {
        return ask_refuse(a, ERR_INTERNAL, "The waiting requests cannot be read.");
    }
    if (a->is_idempotent)
        request_add_key(t, r.id, a->idempotency, a->body_hash);
    memcpy(a->request_id, r.id, REQUEST_ID_LEN);
}
_Static_assert(WAITING_MAX == 1000, "as the text says");

/* ---- deciding ---- */

/* False, and refused, when there is nothing left to decide, or nothing that he can see. */
static bool find_open(const struct ca *ca, struct view *v, struct ask *a, struct request *r, int64_t now_s)
{
    enum err e = request_find(v, a->request_id, r);

    if (e == ERR_NOT_FOUND)
        ask_refuse(a, ERR_NOT_FOUND, "There is no such request.");
    else if (e != OK)
        ask_refuse(a, ERR_INTERNAL, "This request cannot be read.");
    else if (!scope_has_request(&a->who.scope, &ca->role->config, r))
        access_hide(a, "There is no such request.");
    else if (r->state != REQUEST_PENDING)
        ask_refuse(a, ERR_CONFLICT, state_text(r));
    else if (is_past_end(ca, r, now_s))
        ask_refuse(a, ERR_CONFLICT, "It has expired: nobody decided in time.");
    else
        return true;
    return false;
}

/* The same person asked, by whatever certificate or token. */
static bool is_askers(const struct ca *ca, struct view *v, const struct ask *a, const struct request *r)
{
    char asker[IDENTITY_MAX];

    principal_identity(v, &ca->role->config.access, r->asker, asker);
    return strcmp(asker, a->who.identity) == 0;
}

static bool is_token(const char *name)
{
    return strncmp(name, "token:", 6) == 0;
}

/* The same login asked, or a certificate that this one has replaced. Tokens that one administrator has made
 * are for programs that have nothing to do with each other. */
static bool is_logins(const struct ca *ca, struct view *v, const struct ask *a, const struct request *r)
{
    return strcmp(r->asker, a->who.name) == 0 ||
           (!is_token(r->asker) && !is_token(a->who.name) && is_askers(ca, v, a, r));
}

/* Four eyes are two people, and both are known: what stands against it, or NULL. Who is on the machine as the
 * service's own user or root could write the store: holding him to it would only look like a rule. */
static const char *objection(const struct ca *ca, struct view *v, const struct ask *a,
                             const struct request *r)
{
    char asker[IDENTITY_MAX];

    if (a->who.is_local_master)
        return NULL;
    principal_identity(v, &ca->role->config.access, r->asker, asker);
    if (strcmp(asker, a->who.identity) == 0)
        return "Who asked for a certificate may not approve it: ask somebody else.";
    if (!identity_is_person(asker))
        return "Who asked is not known any more: deny it, and have it asked by another login.";
    if (!identity_is_person(a->who.identity))
        return "Who made this token is not known any more: approve with another login.";
    return NULL;
}

/* Makes the ask what it was when it was asked. */
static bool load(struct ask *a, const struct request *r)
{
    struct rd rd;

    buf_put_span(&a->kept, r->facts);
    rd = rd_of(buf_span(&a->kept));
    a->sans = xcalloc(SAN_COUNT_MAX, sizeof *a->sans);
    strcpy(a->principal, r->asker);
    strcpy(a->profile_id, r->profile);
    a->days = r->days;
    return facts_read(&rd, &a->facts, a->sans) && rd_done(&rd);
}

void approval_decide(struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    const char *against;
    struct request r;

    if (!find_open(ca, v, a, &r, now_s))
        return;
    against = objection(ca, v, a, &r);
    if (against != NULL)
        return ask_refuse(a, ERR_FORBIDDEN, against);
    if (!load(a, &r))
        return ask_refuse(
            a, ERR_CONFLICT,
            "It was asked of another version of this program: deny it, and have it asked again.");
    decide_issue(ca, v, a, now_s);
}

void approval_record(struct ca *ca, struct txn *t, struct ask *a, int64_t now_s)
{
    char detail[PRINCIPAL_MAX + PROFILE_ID_MAX + 32];
    struct request r;

    if (!find_open(ca, txn_view(t), a, &r, now_s)) /* in the transaction: another of this turn was faster */
        return;
    request_decide(
        t, a->request_id,
        &(struct decision){.state = REQUEST_APPROVED, .by = a->decider, .serial = a->serial, .at_s = now_s});
    snprintf(detail, sizeof detail, "profile %s, asked by %s", a->profile_id, a->principal);
    audit(t, AUDIT_APPROVE, a->request_id, a->decider, detail, now_s);
}

void approval_deny(struct ca *ca, struct txn *t, struct ask *a, int64_t now_s)
{
    char detail[DETAIL_MAX];
    struct request r;

    if (!find_open(ca, txn_view(t), a, &r, now_s))
        return;
    if (a->who.role == ACCESS_REQUESTER && !is_logins(ca, txn_view(t), a, &r))
        return access_deny(a, "A requester may take back his own requests alone.");
    snprintf(detail, sizeof detail, "profile %s, asked by %s: %s", r.profile, r.asker, a->reason_text);
    request_decide(t, a->request_id,
                   &(struct decision){
                       .state = REQUEST_DENIED, .by = a->decider, .reason = a->reason_text, .at_s = now_s});
    audit(t, AUDIT_DENY, a->request_id, a->decider, detail, now_s);
}

void approval_expire(struct txn *t, int64_t now_s)
{
    struct request r;

    for (unsigned i = 0; i < EXPIRE_MOST && txn_error(t) == OK; i++) {
        if (request_find_due(txn_view(t), now_s, &r) != OK)
            return;
        expire(t, &r, now_s);
    }
}

/* ---- so that somebody learns of them ---- */

void approval_post(struct ca *ca, int64_t now_s)
{
    struct board *b = ca->role->board;
    unsigned count = 0;
    int64_t oldest_s = NO_TIME, age_s;
    struct view *v = ca_view(ca);

    if (request_waiting(v, WAITING_COUNTED, &count, &oldest_s) != OK)
        log_warn("request", "the waiting requests cannot be counted");
    view_close(v);
    age_s = oldest_s != NO_TIME && oldest_s < now_s ? now_s - oldest_s : 0;
    figure_set(board_figure(b, FIGURE_GAUGE, "requests_waiting", "", "Requests that wait for an approval."),
               count);
    figure_set(board_figure(b, FIGURE_GAUGE, "requests_oldest_seconds", "",
                            "How long the oldest of them has waited."),
               age_s);
    if (age_s > WAITING_LONG_S)
        alarm_raise(b, ALARM_WARNING, "request.waiting", "requests",
                    "%u wait for an approval, the oldest for %lld hours", count, (long long)age_s / 3600);
    else
        alarm_clear(b, "request.waiting", "requests");
}
