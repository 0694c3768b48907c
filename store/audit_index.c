/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_index: finding audit rows by who, what, which certificate and when, and one page of them. An index
 * row only proposes: who reads one holds the row itself against the query. The chain does not cover the
 * index, which can be made again from the rows at any time.
 */
#include <string.h>

#include "base/log.h"
#include "store/inner.h"

#define VISIT_MAX 10000u /* rows for one page, whatever the filters, as in list.c */
#define BUILD_ROWS 4096u /* of one transaction: some 2 MiB of pages */
#define TAIL_LEN 16u     /* time and number */

/* ---- keys ---- */

static struct key key_of_tag(enum audit_index tag)
{
    struct key k = {.len = 0};

    key_put_u8(&k, (uint8_t)tag);
    return k;
}

static struct key key_of_actor(struct span actor)
{
    struct key k = key_of_tag(AUDIT_BY_ACTOR);

    key_put(&k, actor.data, actor.len < PRINCIPAL_MAX ? actor.len : PRINCIPAL_MAX);
    key_put_u8(&k, '\0');
    return k;
}

static struct key key_of_kind(enum audit_kind kind)
{
    struct key k = key_of_tag(AUDIT_BY_KIND);

    key_put_u8(&k, (uint8_t)kind);
    return k;
}

static struct key key_of_serial(const uint8_t serial[static SERIAL_LEN])
{
    struct key k = key_of_tag(AUDIT_BY_SERIAL);

    key_put(&k, serial, SERIAL_LEN);
    return k;
}

static void tell(struct key k, const struct audit_row *a, index_fn *fn, void *arg)
{
    key_put_time(&k, a->at_s);
    key_put_u64(&k, a->seq);
    fn(&k, (struct span){0}, arg);
}

void audit_index_each(const struct audit_row *a, index_fn *fn, void *arg)
{
    tell(key_of_actor(a->actor), a, fn, arg);
    tell(key_of_kind(a->kind), a, fn, arg);
    tell(key_of_tag(AUDIT_BY_TIME), a, fn, arg);
    if (a->has_serial)
        tell(key_of_serial(a->serial), a, fn, arg);
}

static void set(const struct key *k, struct span row, void *arg)
{
    table_set(arg, TABLE_AUDIT_INDEX, key_span(k), row);
}

void audit_index_add(struct txn *t, const struct audit_row *a)
{
    audit_index_each(a, set, t);
}

/* ---- a store that has none ---- */

static enum err row_find(struct view *v, uint64_t seq, struct audit_row *out)
{
    struct key key = key_of_number(seq);
    struct entry e = {.key = key_span(&key)};
    enum err err = table_find(v, TABLE_AUDIT, e.key, &e.row);

    if (err == OK && !audit_read(e, out))
        err = table_damaged(TABLE_AUDIT, e.key);
    return err == ERR_NOT_FOUND ? table_damaged(TABLE_AUDIT, e.key) : err;
}

static bool is_indexed(struct view *v, const struct audit_row *a)
{
    struct key k = key_of_tag(AUDIT_BY_TIME);
    struct span row;

    key_put_time(&k, a->at_s);
    key_put_u64(&k, a->seq);
    return table_find(v, TABLE_AUDIT_INDEX, key_span(&k), &row) == OK;
}

/* The number of the newest row that has no index; 0: all have one. They are indexed from the newest to the
 * oldest, so that the first row has its index when all have. */
static enum err build_due(struct store *s, uint64_t *seq)
{
    struct chain_mark head;
    struct audit_row first;
    struct view *v = NULL;
    enum err err = view_open(s, &v);

    *seq = 0;
    if (err != OK)
        return err;
    /* Damage is for others to say: nothing here may keep the service from starting. */
    if (audit_head(v, &head) == OK && head.seq > 0 && row_find(v, 1, &first) == OK && !is_indexed(v, &first))
        *seq = head.seq;
    view_close(v);
    return OK;
}

static enum err build_slice(struct store *s, uint64_t *seq)
{
    struct audit_row a;
    struct txn *t = NULL;
    enum err err = txn_begin(s, &t);

    if (err != OK)
        return err;
    for (unsigned i = 0; *seq > 0 && i < BUILD_ROWS; i++, --*seq)
        if (row_find(txn_view(t), *seq, &a) == OK)
            audit_index_add(t, &a);
    return txn_commit(t);
}

enum err audit_index_build(struct store *s, struct fault *f)
{
    uint64_t seq, count;
    enum err err = build_due(s, &seq);

    count = seq;
    while (err == OK && seq > 0)
        err = build_slice(s, &seq);
    if (err != OK)
        return fault_set(f, err, "the audit cannot be indexed");
    if (count > 0)
        log_info("audit-indexed", "%llu rows of an earlier version", (unsigned long long)count);
    return OK;
}

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
    return q->kind != 0 ? key_of_kind(q->kind) : key_of_tag(AUDIT_BY_TIME);
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

/* A cursor is the key of the last row visited, in hex: it can only be of the list whose keys begin so. The
 * filters that the index does not hold do not belong to it: another page of another filter is no harm. */
static bool plan_resume(struct audit_plan *p, const char *after)
{
    size_t len = p->table == TABLE_AUDIT ? NUMBER_LEN : p->prefix_len + TAIL_LEN;
    struct key at = {.len = len};

    if (strlen(after) != 2 * len || !hex_decode(after, at.data, len) ||
        memcmp(at.data, p->low.data, p->prefix_len) != 0)
        return false;
    if (p->is_backward) {
        if (memcmp(at.data, p->high.data, p->high.len) < 0)
            p->high = at;
        return true;
    }
    key_put_u8(&at, 0); /* the next possible key */
    if (memcmp(at.data, p->low.data, p->low.len) >= 0)
        p->low = at;
    return true;
}

static int compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static bool plan_holds(const struct audit_plan *p, struct span key)
{
    return p->is_backward ? compare(key, key_span(&p->low)) >= 0 : compare(key, key_span(&p->high)) < 0;
}

static enum err plan_start(const struct audit_plan *p, struct scan *s, struct entry *e)
{
    return p->is_backward ? scan_before(s, key_span(&p->high), e) : scan_from(s, key_span(&p->low), e);
}

/* ---- the page ---- */

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

/* OK: it fits; ERR_NOT_FOUND: it does not. */
static enum err row_offer(struct view *v, const struct audit_query *q, const struct audit_plan *p,
                          struct entry e, struct audit_row *a)
{
    uint64_t seq;
    enum err err = number_of_key(e.key, &seq) ? OK : table_damaged(p->table, e.key);

    if (err == OK)
        err = row_find(v, seq, a);
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
    struct span last = {0};
    struct audit_row a;
    struct entry e;
    struct scan scan;
    enum err err;

    next[0] = '\0';
    if (!query_is_sane(q))
        return ERR_MALFORMED;
    p = plan_of(q);
    if (q->after != NULL && !plan_resume(&p, q->after))
        return ERR_MALFORMED;
    err = scan_open(v, p.table, &scan);
    if (err != OK)
        return err;
    for (err = plan_start(&p, &scan, &e); err == OK && plan_holds(&p, e.key);
         err = p.is_backward ? scan_previous(&scan, &e) : scan_next(&scan, &e)) {
        if (given == q->limit ||
            visited == VISIT_MAX) { /* there is more in the range, perhaps nothing that fits */
            hex_encode(last, next);
            break;
        }
        last = e.key;
        visited++;
        err = row_offer(v, q, &p, e, &a);
        if (err == ERR_NOT_FOUND)
            continue;
        if (err != OK)
            break;
        given++;
        if (!fn(&a, arg))
            given = q->limit;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}
