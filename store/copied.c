/* SPDX-License-Identifier: Apache-2.0 */
/* copied: a row of meta, absent until the first is set: how far copies of the audit have come. */
#include "store/inner.h"

#define MARK_VERSION 1

static const char mark_key[] = "copied";

enum err copied_find(struct view *v, uint64_t *seq)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_META, span_str(mark_key), &row);
    struct rd r = rd_of(row);

    *seq = 0;
    if (err == ERR_NOT_FOUND)
        return OK;
    if (err != OK)
        return err;
    if (rd_u8(&r) == MARK_VERSION)
        *seq = rd_u64(&r);
    if (*seq > 0 && rd_done(&r))
        return OK;
    *seq = 0;
    return table_damaged(TABLE_META, span_str(mark_key));
}

void copied_set(struct txn *t, uint64_t seq)
{
    struct buf *row = txn_row(t);

    if (seq == 0)
        return table_remove(t, TABLE_META, span_str(mark_key));
    buf_put_u8(row, MARK_VERSION);
    buf_put_u64(row, seq);
    table_set(t, TABLE_META, span_str(mark_key), buf_span(row));
}
