/* SPDX-License-Identifier: Apache-2.0 */
/* clock_mark: a row of meta, absent until the first is set. */
#include "base/clock.h"
#include "store/inner.h"

#define MARK_VERSION 1

static const char mark_key[] = "clock";

enum err clock_mark_find(struct view *v, struct clock_mark *out)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_META, span_str(mark_key), &row);
    struct rd r = rd_of(row);

    *out = (struct clock_mark){0};
    if (err != OK)
        return err;
    if (rd_u8(&r) != MARK_VERSION)
        return table_damaged(TABLE_META, span_str(mark_key));
    out->at_s = rd_i64(&r);
    out->waited_s = rd_i64(&r);
    return rd_done(&r) && clock_is_time(out->at_s) && out->waited_s >= 0
               ? OK
               : table_damaged(TABLE_META, span_str(mark_key));
}

void clock_mark_set(struct txn *t, const struct clock_mark *m)
{
    struct buf *row = txn_row(t);

    buf_put_u8(row, MARK_VERSION);
    buf_put_i64(row, m->at_s);
    buf_put_i64(row, m->waited_s);
    table_set(t, TABLE_META, span_str(mark_key), buf_span(row));
}
