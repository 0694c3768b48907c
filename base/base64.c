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

int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group; `n` characters of it are not padding. False also when bits that padding leaves over are set. */
static bool take_group(const uint8_t *in, size_t n, uint8_t *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int v = i < n ? base64_value(in[i]) : 0;

        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
    }
    for (size_t i = 0; i + 1 < n; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return n == 4 || (bits & (n == 3 ? 0xffu : 0xffffu)) == 0;
}

bool base64_read(struct span text, uint8_t *out, size_t *len)
{
    size_t padding = 0;

    *len = 0;
    if (text.len % 4 != 0)
        return false;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n = i + 4 == text.len ? 4 - padding : 4;

        if (!take_group(text.data + i, n, out + *len))
            return false;
        *len += n - 1;
    }
    return true;
}
