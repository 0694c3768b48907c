/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: rows chained by hash. Each holds the hash of the one before; the counters hold the number and the
 * hash of the last, so that neither a row in the middle nor the end can be changed or cut off unseen.
 */
#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "store/inner.h"

#define DETAIL_MAX 4096u /* octets: a refusal with every finding named */

void audit_append(struct txn *t, const struct audit_row *given)
{
    struct counters *counters = txn_counters(t);
    struct audit_row a = *given;
    struct key key;
    struct buf *row;

    if (txn_error(t) != OK)
        return;
    a.seq = counters->audit + 1;
    a.actor = span_of(a.actor.data, utf8_cut(a.actor, PRINCIPAL_MAX));
    a.detail = span_of(a.detail.data, utf8_cut(a.detail, DETAIL_MAX));
    memcpy(a.previous, counters->audit_hash, HASH_LEN);
    key = key_of_number(a.seq);
    row = txn_row(t);
    chain_row_put(row, &a);
    table_append(t, TABLE_AUDIT, key_span(&key), buf_span(row));
    if (txn_error(t) != OK)
        return;
    counters->audit = a.seq;
    sha256_of(buf_span(row), counters->audit_hash);
    audit_index_add(t, a.seq);
}

/* The row says the number it lies under. */
bool audit_read(struct entry e, struct audit_row *out)
{
    uint64_t seq;

    return e.key.len == NUMBER_LEN && number_of_key(e.key, &seq) && chain_row_get(e.row, out) &&
           out->seq == seq;
}

enum err audit_each(struct view *v, uint64_t from_seq, bool (*fn)(const struct audit_row *r, void *arg),
                    void *arg)
{
    struct key from = key_of_number(from_seq);
    struct audit_row a;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_AUDIT, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&from), &e); err == OK; err = scan_next(&scan, &e)) {
        if (!audit_read(e, &a)) {
            err = table_damaged(TABLE_AUDIT, e.key);
            break;
        }
        if (!fn(&a, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

enum err audit_head(struct view *v, struct chain_mark *out)
{
    struct counters c;
    enum err err = counters_find(v, &c);

    out->seq = c.audit;
    memcpy(out->hash, c.audit_hash, HASH_LEN);
    return err;
}

enum err audit_octets(struct view *v, uint64_t seq, struct span *out)
{
    struct key key = key_of_number(seq);

    return table_find(v, TABLE_AUDIT, key_span(&key), out);
}

/* ---- the check ---- */

/* The store counts its rows and keeps the hash of the last: its end cannot be cut off by removing rows alone.
 */
static enum err end_check(const struct chain_check *c, const struct chain_mark *counted, struct fault *f)
{
    uint64_t seq = c->head.seq;

    if (seq < counted->seq)
        return fault_set(f, ERR_CONFLICT, "audit row %llu: missing", (unsigned long long)seq + 1);
    if (seq > counted->seq)
        return fault_set(f, ERR_CONFLICT, "audit row %llu: not counted",
                         (unsigned long long)counted->seq + 1);
    if (memcmp(c->head.hash, counted->hash, HASH_LEN) != 0)
        return fault_set(f, ERR_CONFLICT, "audit row %llu: changed", (unsigned long long)seq);
    return OK;
}

/* A row that lies under another number is not what its key claims. */
static enum err entry_check(struct chain_check *c, struct entry e, struct fault *f)
{
    uint64_t seq = c->head.seq + 1, key = 0;

    if (e.key.len != NUMBER_LEN || !number_of_key(e.key, &key) || key < seq)
        return fault_set(f, ERR_CONFLICT, "audit row %llu: damaged", (unsigned long long)seq);
    if (key > seq)
        return fault_set(f, ERR_CONFLICT, "audit row %llu: missing", (unsigned long long)seq);
    return chain_add(c, e.row, f);
}

enum err audit_check(struct view *v, struct chain_check *c, struct fault *f)
{
    struct chain_mark counted;
    struct entry e;
    struct scan scan;
    enum err err = audit_head(v, &counted), bad = OK;

    if (err == OK)
        err = scan_open(v, TABLE_AUDIT, &scan);
    if (err != OK)
        return fault_set(f, err, "the audit rows cannot be read");
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK && bad == OK; err = scan_next(&scan, &e))
        bad = entry_check(c, e, f);
    scan_close(&scan);
    if (bad != OK)
        return bad;
    if (err != ERR_END)
        return fault_set(f, err, "the audit rows cannot be read");
    bad = end_check(c, &counted, f);
    return bad == OK ? chain_end(c, f) : bad;
}

enum err audit_verify(struct view *v, struct fault *f)
{
    struct chain_check c = {0};

    return audit_check(v, &c, f);
}
