/* SPDX-License-Identifier: Apache-2.0 */
/* base64: see base64.h. */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* One to three octets as four characters. */
static void put_group(struct buf *b, const uint8_t *data, size_t n)
{
    uint32_t bits = (uint32_t)data[0] << 16;

    if (n > 1)
        bits |= (uint32_t)data[1] << 8;
    if (n > 2)
        bits |= data[2];
    buf_put_u8(b, (uint8_t)alphabet[bits >> 18 & 63]);
    buf_put_u8(b, (uint8_t)alphabet[bits >> 12 & 63]);
    buf_put_u8(b, n > 1 ? (uint8_t)alphabet[bits >> 6 & 63] : '=');
    buf_put_u8(b, n > 2 ? (uint8_t)alphabet[bits & 63] : '=');
}

void base64_put(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.len; i += 3)
        put_group(b, s.data + i, s.len - i < 3 ? s.len - i : 3);
}
