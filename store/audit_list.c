/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_list: one page of audit rows. A plan is a range of keys, of the rows or of their index, and a
 * direction; the newest rows, which are not in the index yet, are put between those that are.
 */
#include <string.h>

#include "store/inner.h"

#define VISIT_MAX 10000u /* rows for one page, whatever the filters, as in list.c */

/* ---- the plan of a page ---- */

struct audit_plan {
    enum table table;
    struct key low, high; /* low <= key < high */
    size_t prefix_len;    /* octets before time and number */
    bool is_backward;
};

static struct key prefix_of(const struct audit_query *q)
{
    if (q->serial != NULL)
        return key_of_serial(q->serial);
    if (q->actor != NULL)
        return key_of_actor(span_str(q->actor));
    return q->kind != 0 ? key_of_kind(q->kind) : key_of_audit(AUDIT_BY_TIME);
}

/* Times here are of this era: the greatest of them is above every row's. */
static struct audit_plan plan_index(const struct audit_query *q)
{
    struct audit_plan p = {
        .table = TABLE_AUDIT_INDEX, .low = prefix_of(q), .is_backward = !q->is_oldest_first};

    p.prefix_len = p.low.len;
    p.high = p.low;
    key_put_time(&p.low, q->since_s != NO_TIME ? q->since_s : INT64_MIN);
    key_put_time(&p.high, q->until_s != NO_TIME ? q->until_s : INT64_MAX);
    return p;
}

static struct audit_plan plan_numbers(const struct audit_query *q)
{
    return (struct audit_plan){.table = TABLE_AUDIT,
                               .low = key_of_number(0),
                               .high = key_of_number(UINT64_MAX),
                               .is_backward = !q->is_oldest_first};
}

static struct audit_plan plan_of(const struct audit_query *q)
{
    bool is_plain = q->serial == NULL && q->actor == NULL && q->kind == 0 && q->since_s == NO_TIME &&
                    q->until_s == NO_TIME;

    return is_plain ? plan_numbers(q) : plan_index(q);
}

/* After the last row visited; the key of a damaged one may be of any length. */
static bool plan_resume(struct audit_plan *p, const struct audit_query *q)
{
    struct key at;

    if (!audit_cursor_parse(q, &at) || at.len < p->prefix_len ||
        memcmp(at.data, p->low.data, p->prefix_len) != 0)
        return false;
    if (p->is_backward) {
        if (key_compare(key_span(&at), key_span(&p->high)) < 0)
            p->high = at;
        return true;
    }
    key_pass(&at);
    if (key_compare(key_span(&at), key_span(&p->low)) > 0)
        p->low = at;
    return true;
}

static bool plan_holds(const struct audit_plan *p, struct span key)
{
    return p->is_backward ? key_compare(key, key_span(&p->low)) >= 0
                          : key_compare(key, key_span(&p->high)) < 0;
}

/* ---- rows that have no index yet ---- */

static bool fits(const struct audit_query *q, const struct audit_row *a)
{
    if (q->serial != NULL && (!a->has_serial || memcmp(a->serial, q->serial, SERIAL_LEN) != 0))
        return false;
    if (q->actor != NULL && !span_eq(a->actor, span_str(q->actor)))
        return false;
    if (q->kind != 0 && a->kind != q->kind)
        return false;
    return (q->since_s == NO_TIME || a->at_s >= q->since_s) &&
           (q->until_s == NO_TIME || a->at_s < q->until_s);
}

/* The keys under which an index would have those that lie in the plan's range, in order. */
struct tail {
    struct key keys[AUDIT_BATCH];
    size_t count;
};

struct gather {
    const struct audit_plan *plan;
    struct tail *tail;
};

static void gather(const struct key *k, struct span row, void *arg)
{
    const struct gather *g = arg;
    const struct audit_plan *p = g->plan;
    struct tail *t = g->tail;
    size_t at;

    (void)row;
    if (key_compare(key_span(k), key_span(&p->low)) < 0 || key_compare(key_span(k), key_span(&p->high)) >= 0)
        return;
    for (at = t->count++; at > 0 && key_compare(key_span(k), key_span(&t->keys[at - 1])) < 0; at--)
        t->keys[at] = t->keys[at - 1];
    t->keys[at] = *k;
}

/* Those above `indexed` that the query wants. A damaged row keeps nobody from the others, as in an index. */
static enum err tail_read(struct view *v, const struct audit_query *q, const struct audit_plan *p,
                          uint64_t indexed, struct tail *out)
{
    struct gather g = {p, out};
    struct key from = key_of_number(indexed + 1);
    struct audit_row a;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_AUDIT, &scan);

    if (err != OK)
        return err;
    err = scan_from(&scan, key_span(&from), &e);
    for (unsigned i = 0; err == OK && i < AUDIT_BATCH; i++, err = scan_next(&scan, &e))
        if (!audit_read(e, &a))
            (void)table_damaged(TABLE_AUDIT, e.key);
        else if (fits(q, &a))
            audit_index_each(&a, gather, &g);
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

/* ---- a walk through the plan's range: the table, and between its rows the tail's ---- */

struct walk {
    const struct audit_plan *plan;
    struct scan scan;
    struct entry e; /* of the table, when there_err is OK */
    enum err there_err;
    uint64_t indexed; /* rows above it are the tail's, whatever the table has of them */
    struct tail tail;
    size_t given; /* of the tail */
};

static void table_step(struct walk *w, bool is_first)
{
    const struct audit_plan *p = w->plan;
    uint64_t seq;

    do {
        if (is_first)
            w->there_err = p->is_backward ? scan_before(&w->scan, key_span(&p->high), &w->e)
                                          : scan_from(&w->scan, key_span(&p->low), &w->e);
        else
            w->there_err = p->is_backward ? scan_previous(&w->scan, &w->e) : scan_next(&w->scan, &w->e);
        is_first = false;
        if (w->there_err == OK && !plan_holds(p, w->e.key))
            w->there_err = ERR_END;
    } while (w->there_err == OK && number_of_key(w->e.key, &seq) && seq > w->indexed);
}

static enum err walk_open(struct walk *w, struct view *v, const struct audit_query *q,
                          const struct audit_plan *p)
{
    struct chain_mark head;
    enum err err = OK;

    w->plan = p;
    w->given = w->tail.count = 0;
    w->indexed = UINT64_MAX;
    if (p->table == TABLE_AUDIT_INDEX) {
        err = audit_head(v, &head);
        w->indexed = err == OK ? audit_indexed(head.seq) : 0;
        if (err == OK)
            err = tail_read(v, q, p, w->indexed, &w->tail);
    }
    if (err == OK)
        err = scan_open(v, p->table, &w->scan);
    if (err == OK)
        table_step(w, true);
    return err;
}

static const struct key *tail_at(const struct walk *w)
{
    const struct tail *t = &w->tail;

    if (w->given == t->count)
        return NULL;
    return &t->keys[w->plan->is_backward ? t->count - 1 - w->given : w->given];
}

/* The next key, borrowed from the view or the walk. ERR_END */
static enum err walk_take(struct walk *w, struct span *key)
{
    const struct key *k = tail_at(w);
    bool has_table = w->there_err == OK;

    if (!has_table && w->there_err != ERR_END)
        return w->there_err;
    if (k != NULL && (!has_table || (key_compare(key_span(k), w->e.key) > 0) == w->plan->is_backward)) {
        *key = key_span(k);
        w->given++;
        return OK;
    }
    if (!has_table)
        return ERR_END;
    *key = w->e.key;
    table_step(w, false);
    return OK;
}

/* ---- the page ---- */

/* OK: it fits; ERR_NOT_FOUND: it does not. */
static enum err row_offer(struct view *v, const struct audit_query *q, const struct audit_plan *p,
                          struct span key, struct audit_row *a)
{
    uint64_t seq;
    enum err err = number_of_key(key, &seq) ? OK : table_damaged(p->table, key);

    if (err == OK)
        err = audit_find(v, seq, a);
    return err == OK && !fits(q, a) ? ERR_NOT_FOUND : err;
}

static bool query_is_sane(const struct audit_query *q)
{
    return q->limit >= 1 && q->limit <= LIST_LIMIT_MAX &&
           (q->actor == NULL || strlen(q->actor) <= PRINCIPAL_MAX) && (unsigned)q->kind <= UINT8_MAX;
}

enum err audit_list(struct view *v, const struct audit_query *q,
                    bool (*fn)(const struct audit_row *r, void *arg), void *arg, char next[static CURSOR_MAX])
{
    struct audit_plan p;
    unsigned visited = 0, given = 0;
    struct span key = {0}, last = {0}, before = {0};
    struct audit_row a;
    struct walk w;
    enum err err;

    next[0] = '\0';
    if (!query_is_sane(q))
        return ERR_MALFORMED;
    p = plan_of(q);
    if (q->after != NULL && !plan_resume(&p, q))
        return ERR_MALFORMED;
    err = walk_open(&w, v, q, &p);
    if (err != OK)
        return err;
    while ((err = walk_take(&w, &key)) == OK) {
        if (given == q->limit ||
            visited == VISIT_MAX) { /* there is more in the range, perhaps nothing that fits */
            audit_cursor_write(q, last, next);
            break;
        }
        before = last;
        last = key;
        visited++;
        err = row_offer(v, q, &p, key, &a);
        if (err == ERR_NOT_FOUND)
            continue;
        if (err == ERR_INTERNAL) { /* as cert_list() has it */
            audit_cursor_write(q, given > 0 ? before : key, next);
            err = given > 0 ? OK : err;
            break;
        }
        if (err != OK)
            break;
        given++;
        if (!fn(&a, arg))
            given = q->limit;
    }
    scan_close(&w.scan);
    return err == ERR_END ? OK : err;
}
