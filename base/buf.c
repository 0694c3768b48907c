/* SPDX-License-Identifier: Apache-2.0 */
/* buf: bounded growth by doubling, and the sticky reader. */
#include "base/buf.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct span span_str(const char *s)
{
    return span_of(s, strlen(s));
}

bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool span_to_str(struct span s, char *out, size_t cap)
{
    if (s.len >= cap || (s.len > 0 && memchr(s.data, 0, s.len) != NULL))
        return false;
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return true;
}

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->err = OK;
}

enum err buf_end(const struct buf *b)
{
    return b->err;
}

struct span buf_span(const struct buf *b)
{
    return span_of(b->data, b->len);
}

static bool reserve(struct buf *b, size_t len)
{
    size_t cap = b->cap > 0 ? b->cap : 256;

    if (b->err != OK)
        return false;
    if (len > b->max - b->len) {
        b->err = ERR_TOO_LARGE;
        return false;
    }
    while (cap < b->len + len + 1) /* one more, for the NUL of buf_take and buf_printf */
        cap *= 2;
    if (cap != b->cap) {
        b->data = realloc(b->data, cap);
        if (b->data == NULL)
            die("out of memory");
        b->cap = cap;
    }
    return true;
}

void buf_reserve(struct buf *b, size_t len)
{
    if (len <= b->max - b->len)
        (void)reserve(b, len);
}

uint8_t *buf_grow(struct buf *b, size_t len)
{
    uint8_t *at;

    if (!reserve(b, len))
        return NULL;
    at = b->data + b->len;
    b->len += len;
    return at;
}

uint8_t *buf_take(struct buf *b, size_t *len)
{
    uint8_t *data;

    if (!reserve(b, 0))
        return NULL;
    data = b->data;
    data[b->len] = 0;
    if (len != NULL)
        *len = b->len;
    *b = (struct buf){.max = b->max};
    return data;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
    uint8_t *at = buf_grow(b, len);

    if (at != NULL && len > 0)
        memcpy(at, data, len);
}

void buf_put_span(struct buf *b, struct span s)
{
    buf_put(b, s.data, s.len);
}

static void put_uint(struct buf *b, uint64_t v, size_t len)
{
    uint8_t *at = buf_grow(b, len);

    if (at == NULL)
        return;
    for (size_t i = len; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
}

void buf_put_u8(struct buf *b, uint8_t v)
{
    put_uint(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
    put_uint(b, v, 2);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
    put_uint(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    put_uint(b, v, 8);
}

void buf_put_i64(struct buf *b, int64_t v)
{
    put_uint(b, (uint64_t)v, 8);
}

void buf_put_blob(struct buf *b, struct span s)
{
    assert(s.len <= UINT32_MAX);
    buf_put_u32(b, (uint32_t)s.len);
    buf_put_span(b, s);
}

void buf_put_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(len >= 0);
    if (!reserve(b, (size_t)len))
        return;
    va_start(ap, fmt);
    vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)len;
}

struct rd rd_of(struct span s)
{
    return (struct rd){.rest = s};
}

struct span rd_take(struct rd *r, size_t len)
{
    struct span s = {0};

    if (r->failed || len > r->rest.len) {
        r->failed = true;
        return s;
    }
    s = span_of(r->rest.data, len);
    r->rest.data += len;
    r->rest.len -= len;
    return s;
}

static uint64_t take_uint(struct rd *r, size_t len)
{
    struct span s = rd_take(r, len);
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++)
        v = v << 8 | s.data[i];
    return v;
}

uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)take_uint(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
    return (uint16_t)take_uint(r, 2);
}

uint32_t rd_u32(struct rd *r)
{
    return (uint32_t)take_uint(r, 4);
}

uint64_t rd_u64(struct rd *r)
{
    return take_uint(r, 8);
}

int64_t rd_i64(struct rd *r)
{
    return (int64_t)take_uint(r, 8);
}

struct span rd_blob(struct rd *r)
{
    return rd_take(r, rd_u32(r));
}

void rd_copy(struct rd *r, void *out, size_t len)
{
    struct span s = rd_take(r, len);

    memset(out, 0, len);
    if (s.len > 0)
        memcpy(out, s.data, s.len);
}

bool rd_done(const struct rd *r)
{
    return !r->failed && r->rest.len == 0;
}

void hex_encode(struct span s, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < s.len; i++) {
        *out++ = digits[s.data[i] >> 4];
        *out++ = digits[s.data[i] & 15];
    }
    *out = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(const char *hex, uint8_t *out, size_t len)
{
    if (strlen(hex) != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int hi = nibble(hex[2 * i]), lo = nibble(hex[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}
