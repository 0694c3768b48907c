/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: one page of certificates. A plan is a range of keys of one table and a direction; the first fitting
 * rule of the planner, which are in order of how much they narrow, makes it. Every row of the range is then
 * held against the whole query.
 */
#include <string.h>

#include "store/inner.h"

#define VISIT_MAX 10000u /* index rows for one page, whatever the filters: some 30 ms */

struct plan {
    enum table table;
    bool is_backward;
    uint8_t name_use;     /* what a row of INDEX_NAME must be; 0: the range is of another */
    struct key low, high; /* low <= key < high */
};

/* ---- the plan ---- */

/* Everything that starts with `prefix`, newest first. */
static struct plan plan_under(struct key prefix)
{
    struct plan p = {.table = TABLE_INDEX, .is_backward = true, .low = prefix, .high = prefix};

    key_bump(&p.high);
    return p;
}

static struct plan plan_name(struct span name, enum name_use use)
{
    struct key k = key_of_index(INDEX_NAME);
    struct plan p;

    key_put_fold(&k, name);
    key_put_u8(&k, '\0');
    p = plan_under(k);
    p.name_use = (uint8_t)use;
    return p;
}

/* By name, and not newest first: a prefix has many names. */
static struct plan plan_cn_prefix(struct span literal)
{
    struct key k = key_of_index(INDEX_NAME);
    struct plan p;

    key_put_fold(&k, literal);
    p = plan_under(k);
    p.is_backward = false;
    p.name_use = NAME_CN;
    return p;
}

static struct plan plan_cn(const char *pattern)
{
    struct span literal = span_of(pattern, glob_literal_len(pattern));

    return pattern[literal.len] == '\0' ? plan_name(literal, NAME_CN) : plan_cn_prefix(literal);
}

static struct plan plan_text(enum index i, const char *text)
{
    struct key k = key_of_index(i);

    key_put(&k, text, strnlen(text, NAME_KEY_MAX)); /* a longer one is none of ours */
    key_put_u8(&k, '\0');
    return plan_under(k);
}

static struct plan plan_state(enum cert_state state)
{
    struct key k = key_of_index(INDEX_STATE);

    key_put_u8(&k, (uint8_t)state);
    return plan_under(k);
}

static struct plan plan_issuer(uint16_t issuer_no)
{
    struct key k = key_of_index(INDEX_ISSUER);

    key_put_u16(&k, issuer_no);
    return plan_under(k);
}

/* from <= notAfter < before */
static struct plan plan_not_after(int64_t from_s, int64_t before_s)
{
    struct plan p = {.table = TABLE_INDEX};

    p.low = p.high = key_of_index(INDEX_NOT_AFTER);
    key_put_time(&p.low, from_s);
    key_put_time(&p.high, before_s);
    return p;
}

static struct plan plan_expired(int64_t now_s)
{
    struct plan p = plan_not_after(INT64_MIN, now_s);

    p.is_backward = true;
    return p;
}

static struct plan plan_all(void)
{
    struct plan p = {
        .table = TABLE_CERT, .is_backward = true, .low = key_of_number(0), .high = key_of_number(UINT64_MAX)};

    return p;
}

/* Whether a certificate that has expired is out of a query by expiry: one that asks what needs renewing. */
static bool wants_unexpired(const struct cert_query *q)
{
    return q->status == FILTER_ANY || q->status == FILTER_VALID;
}

static struct plan plan_make(const struct cert_query *q)
{
    if (q->expires_before_s != NO_TIME)
        return plan_not_after(wants_unexpired(q) ? q->now_s : INT64_MIN, q->expires_before_s);
    if (q->san != NULL)
        return plan_name(span_str(q->san), NAME_SAN);
    if (q->cn != NULL && glob_literal_len(q->cn) > 0)
        return plan_cn(q->cn);
    if (q->status == FILTER_HELD)
        return plan_state(CERT_HELD);
    if (q->status == FILTER_REVOKED)
        return plan_state(CERT_REVOKED);
    if (q->requester != NULL)
        return plan_text(INDEX_REQUESTER, q->requester);
    if (q->profile != NULL)
        return plan_text(INDEX_PROFILE, q->profile);
    if (q->status == FILTER_EXPIRED)
        return plan_expired(q->now_s);
    if (q->issuer_no != 0)
        return plan_issuer(q->issuer_no);
    return plan_all();
}

/* Narrows the range to what comes after `position`, wherever that is. */
static void plan_resume(struct plan *p, struct key position)
{
    if (p->is_backward) {
        if (key_compare(key_span(&position), key_span(&p->high)) < 0)
            p->high = position;
        return;
    }
    key_pass(&position);
    if (key_compare(key_span(&position), key_span(&p->low)) > 0)
        p->low = position;
}

static bool plan_holds(const struct plan *p, struct span key)
{
    return p->is_backward ? key_compare(key, key_span(&p->low)) >= 0
                          : key_compare(key, key_span(&p->high)) < 0;
}

static enum err plan_start(const struct plan *p, struct scan *s, struct entry *e)
{
    return p->is_backward ? scan_before(s, key_span(&p->high), e) : scan_from(s, key_span(&p->low), e);
}

static enum err plan_step(const struct plan *p, struct scan *s, struct entry *e)
{
    return p->is_backward ? scan_previous(s, e) : scan_next(s, e);
}

/* ---- the filters ---- */

static bool text_eq_fold(struct span a, const char *b)
{
    for (size_t i = 0; i < a.len; i++)
        if (b[i] == '\0' || fold(b[i]) != fold((char)a.data[i]))
            return false;
    return b[a.len] == '\0';
}

static bool sans_hold(struct span rest, const char *name)
{
    struct span san;

    while (sans_take(&rest, &san))
        if (text_eq_fold(san, name))
            return true;
    return false;
}

/* What a certificate is: needs no second row. */
static bool fits(const struct cert_query *q, const struct cert *c)
{
    if (q->issuer_no != 0 && c->status.issuer_no != q->issuer_no)
        return false;
    if (q->key_type != KEY_NONE && c->key_type != q->key_type)
        return false;
    if (q->profile != NULL && strcmp(c->profile, q->profile) != 0)
        return false;
    if (q->requester != NULL && strcmp(c->requester, q->requester) != 0)
        return false;
    if (q->expires_before_s != NO_TIME && c->status.not_after_s >= q->expires_before_s)
        return false;
    if (q->expires_before_s != NO_TIME && wants_unexpired(q) && c->status.not_after_s < q->now_s)
        return false;
    if (q->cn != NULL && !glob_fits(q->cn, c->cn))
        return false;
    return q->san == NULL || sans_hold(c->sans, q->san);
}

static bool state_fits(const struct cert_query *q, const struct status *s)
{
    bool is_expired = s->not_after_s < q->now_s; /* notAfter is the last valid second, RFC 5280 4.1.2.5 */

    switch (q->status) {
    case FILTER_VALID:
        return s->state == CERT_VALID && !is_expired;
    case FILTER_REVOKED:
        return s->state == CERT_REVOKED;
    case FILTER_HELD:
        return s->state == CERT_HELD;
    case FILTER_EXPIRED:
        return is_expired;
    case FILTER_ANY:
        break;
    }
    return true;
}

/* OK: it fits; ERR_NOT_FOUND: it does not. */
static enum err row_offer(struct view *v, const struct cert_query *q, const struct plan *p, struct entry e,
                          struct cert *c)
{
    uint64_t number;
    enum err err = number_of_key(e.key, &number) ? OK : table_damaged(p->table, e.key);

    if (err == OK && p->name_use != 0 && (e.row.len != 1 || (e.row.data[0] & p->name_use) == 0))
        return ERR_NOT_FOUND;
    if (err == OK)
        err = p->table == TABLE_CERT ? cert_open(e, number, c) : cert_load(v, number, c);
    if (err == OK && !fits(q, c))
        return ERR_NOT_FOUND;
    if (err == OK)
        err = cert_load_state(v, c);
    if (err == OK && !state_fits(q, &c->status))
        return ERR_NOT_FOUND;
    return err;
}

/* ---- the page ---- */

/* At a row that cannot be read: what was given is a page, which goes on with that row. As a page's first it
 * is an error, behind which the list goes on. */
static enum err page_ends(const struct cert_query *q, struct span position, bool has_rows,
                          char next[static CURSOR_MAX])
{
    cursor_write(q, position, next);
    return has_rows ? OK : ERR_INTERNAL;
}

enum err cert_list(struct view *v, const struct cert_query *q, bool (*fn)(const struct cert *c, void *arg),
                   void *arg, char next[static CURSOR_MAX])
{
    struct plan p = plan_make(q);
    unsigned visited = 0, given = 0;
    struct key position;
    struct span last = {0}, before = {0};
    struct entry e;
    struct scan scan;
    struct cert c;
    enum err err;

    next[0] = '\0';
    if (q->limit < 1 || q->limit > LIST_LIMIT_MAX || (q->cn != NULL && strlen(q->cn) > GLOB_MAX))
        return ERR_MALFORMED;
    if (q->after != NULL && !cursor_parse(q, &position))
        return ERR_MALFORMED;
    if (q->after != NULL)
        plan_resume(&p, position);
    err = scan_open(v, p.table, &scan);
    if (err != OK)
        return err;
    for (err = plan_start(&p, &scan, &e); err == OK && plan_holds(&p, e.key);
         err = plan_step(&p, &scan, &e)) {
        if (given == q->limit ||
            visited == VISIT_MAX) { /* there is more in the range, perhaps nothing that fits */
            cursor_write(q, last, next);
            break;
        }
        before = last;
        last = e.key;
        visited++;
        err = row_offer(v, q, &p, e, &c);
        if (err == ERR_NOT_FOUND)
            continue;
        if (err == ERR_INTERNAL) {
            err = page_ends(q, given > 0 ? before : e.key, given > 0, next);
            break;
        }
        if (err != OK)
            break;
        given++;
        if (!fn(&c, arg))
            given = q->limit;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}
