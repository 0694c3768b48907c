/* SPDX-License-Identifier: Apache-2.0 */
/* grant: what policy would issue, as a dry run's answer carries it over the wire. */
#include "ca/ca.h"

void grant_write(struct buf *b, const struct grant *g)
{
    buf_put_u16(b, g->ku);
    buf_put_u8(b, g->is_ca);
    buf_put_u8(b, g->san_from_cn);
    buf_put_u8(b, g->drops_ou);
    buf_put_i64(b, g->days);
    eku_list_write(b, g->eku, g->eku_count);
}

bool grant_read(struct rd *r, struct grant *out)
{
    *out = (struct grant){
        .ku = rd_u16(r),
    };
    out->is_ca = rd_u8(r) != 0;
    out->san_from_cn = rd_u8(r) != 0;
    out->drops_ou = rd_u8(r) != 0;
    out->days = rd_i64(r);
    return eku_list_read(r, out->eku, &out->eku_count) && !r->failed;
}
