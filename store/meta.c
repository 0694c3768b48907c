/* SPDX-License-Identifier: Apache-2.0 */
/* meta: the store's version and its counters, so that a count costs one read whatever is stored. */
#include <string.h>

#include "store/inner.h"

static const char counters_key[] = "counters";

void schema_set(struct txn *t)
{
    struct buf *row = txn_row(t);

    buf_put_u32(row, SCHEMA_VERSION);
    table_set(t, TABLE_META, span_str(SCHEMA_KEY), buf_span(row));
}

static bool is_ours(uint32_t version)
{
    return version == SCHEMA_VERSION || version == SCHEMA_PLAIN;
}

enum err schema_find(struct view *v, uint32_t *version, struct fault *f)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_META, span_str(SCHEMA_KEY), &row);
    struct rd r = rd_of(row);

    *version = rd_u32(&r);
    if (err == ERR_NOT_FOUND)
        return fault_set(f, ERR_CONFLICT, "the store's creation was not finished");
    if (err != OK)
        return fault_set(f, err, "the store's version cannot be read");
    if (!rd_done(&r) || !is_ours(*version))
        return fault_set(f, ERR_CONFLICT, "the store has schema %u, this program needs %u", *version,
                         (unsigned)SCHEMA_VERSION);
    return OK;
}

enum err counters_find(struct view *v, struct counters *out)
{
    const struct counters *pending = view_pending(v);
    struct span row = {0};
    enum err err;

    memset(out, 0, sizeof *out); /* the whole of it: txn_commit compares it as octets */
    if (pending != NULL) {
        *out = *pending;
        return OK;
    }
    err = table_find(v, TABLE_META, span_str(counters_key), &row);
    if (err == ERR_NOT_FOUND)
        return OK; /* a new store */
    if (err == OK && !row_get_counters(row, out))
        return table_damaged(TABLE_META, span_str(counters_key));
    return err;
}

void counters_set(struct txn *t, const struct counters *c)
{
    struct buf *row = txn_row(t);

    row_put_counters(row, c);
    table_set(t, TABLE_META, span_str(counters_key), buf_span(row));
}

enum err store_count(struct view *v, struct store_counts *out)
{
    struct counters c;
    enum err err = counters_find(v, &c);

    *out = (struct store_counts){c.certificates, c.revoked, c.held, c.audit};
    return err;
}
