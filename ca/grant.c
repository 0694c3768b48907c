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
    buf_put_u8(b, (uint8_t)g->eku_count);
    for (size_t i = 0; i < g->eku_count; i++)
        buf_put_u8(b, (uint8_t)g->eku[i]);
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
    out->eku_count = rd_u8(r);
    if (out->eku_count > EKU_LIST_MAX)
        return false;
    for (size_t i = 0; i < out->eku_count; i++) {
        uint8_t e = rd_u8(r);

        if (e >= EKU_COUNT)
            return false;
        out->eku[i] = (enum eku)e;
    }
    return !r->failed;
}
