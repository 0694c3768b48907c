/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_index: finding audit rows by who, what, which certificate and when. An index row only proposes: who
 * reads one holds the row itself against the query. The chain does not cover the index, which can be made
 * again from the rows at any time.
 *
 * Each row has four index rows, and they lie far apart: in a large store a commit would write a dozen pages
 * for them. So rows are indexed AUDIT_BATCH at a time, by the transaction that appends the last one of a
 * batch; what is newer is read from the rows themselves (audit_list.c).
 */
#include <string.h>

#include "base/log.h"
#include "store/inner.h"

#define BUILD_ROWS 4096u /* of one transaction: some 2 MiB of pages */

/* ---- keys ---- */

struct key key_of_audit(enum audit_index tag)
{
    struct key k = {.len = 0};

    key_put_u8(&k, (uint8_t)tag);
    return k;
}

struct key key_of_actor(struct span actor)
{
    struct key k = key_of_audit(AUDIT_BY_ACTOR);

    key_put(&k, actor.data, actor.len < PRINCIPAL_MAX ? actor.len : PRINCIPAL_MAX);
    key_put_u8(&k, '\0');
    return k;
}

struct key key_of_kind(enum audit_kind kind)
{
    struct key k = key_of_audit(AUDIT_BY_KIND);

    key_put_u8(&k, (uint8_t)kind);
    return k;
}

struct key key_of_serial(const uint8_t serial[static SERIAL_LEN])
{
    struct key k = key_of_audit(AUDIT_BY_SERIAL);

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
    tell(key_of_audit(AUDIT_BY_TIME), a, fn, arg);
    if (a->has_serial)
        tell(key_of_serial(a->serial), a, fn, arg);
}

static void set(const struct key *k, struct span row, void *arg)
{
    table_set(arg, TABLE_AUDIT_INDEX, key_span(k), row);
}

/* ---- rows ---- */

enum err audit_find(struct view *v, uint64_t seq, struct audit_row *out)
{
    struct key key = key_of_number(seq);
    struct entry e = {.key = key_span(&key)};
    enum err err = table_find(v, TABLE_AUDIT, e.key, &e.row);

    if (err == OK && !audit_read(e, out))
        err = table_damaged(TABLE_AUDIT, e.key);
    return err == ERR_NOT_FOUND ? table_damaged(TABLE_AUDIT, e.key) : err;
}

uint64_t audit_indexed(uint64_t count)
{
    return count - count % AUDIT_BATCH;
}

/* Damage is for others to say: it keeps nobody from acting. */
static void add(struct txn *t, uint64_t seq)
{
    struct audit_row a;

    if (txn_error(t) == OK && audit_find(txn_view(t), seq, &a) == OK)
        audit_index_each(&a, set, t);
}

void audit_index_add(struct txn *t, uint64_t count)
{
    if (audit_indexed(count) != count)
        return;
    for (uint64_t seq = count - AUDIT_BATCH + 1; seq <= count; seq++)
        add(t, seq);
}

/* ---- a store that has none ---- */

static bool is_indexed(struct view *v, const struct audit_row *a)
{
    struct key k = key_of_audit(AUDIT_BY_TIME);
    struct span row;

    key_put_time(&k, a->at_s);
    key_put_u64(&k, a->seq);
    return table_find(v, TABLE_AUDIT_INDEX, key_span(&k), &row) == OK;
}

/* The number of the newest row that should have an index and has none; 0: there is none. They are indexed
 * from the newest to the oldest, so that the first row has its index when all have. */
static enum err build_due(struct store *s, uint64_t *seq)
{
    struct chain_mark head;
    struct audit_row first;
    uint64_t due;
    struct view *v = NULL;
    enum err err = view_open(s, &v);

    *seq = 0;
    if (err != OK)
        return err;
    due = audit_head(v, &head) == OK ? audit_indexed(head.seq) : 0;
    if (due > 0 && audit_find(v, 1, &first) == OK && !is_indexed(v, &first))
        *seq = due;
    view_close(v);
    return OK;
}

static enum err build_slice(struct store *s, uint64_t *seq)
{
    struct txn *t = NULL;
    enum err err = txn_begin(s, &t);

    if (err != OK)
        return err;
    for (unsigned i = 0; *seq > 0 && i < BUILD_ROWS; i++, --*seq)
        add(t, *seq);
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
