/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: the one bounded byte buffer, the borrowed span and the sticky reader of
 * our own records and frames. Integers are big-endian.
 *
 * A buf is sticky: after the first failure every put does nothing, and buf_end()
 * returns that first error. Out of memory exits (see base/log.h, die()).
 * Thread rule: one buf, one thread.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Borrowed octets. {NULL, 0} is empty. */
struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
    return (struct span){data, len};
}
struct span span_str(const char *s); /* without the final NUL */
bool span_eq(struct span a, struct span b);
/* Copies to a NUL-terminated string; false when it does not fit `cap` or holds a NUL. */
[[nodiscard]] bool span_to_str(struct span s, char *out, size_t cap);

struct buf {
    uint8_t *data;
    size_t len, cap, max;
    enum err err;
};

void buf_init(struct buf *b, size_t max); /* max in octets: a put beyond it fails with ERR_TOO_LARGE */
void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* keeps the memory, forgets content and error */
enum err buf_end(const struct buf *b);
struct span buf_span(const struct buf *b);
/* Gives the octets, caller frees with free(); the buf is empty after. A NUL follows the last octet, not
 * counted in `len`. */
uint8_t *buf_take(struct buf *b, size_t *len);

/* Takes memory for `len` octets more at once; nothing beyond the buf's limit. */
void buf_reserve(struct buf *b, size_t len);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_put_span(struct buf *b, struct span s);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);
/* A u32 length, then the octets: read back with rd_blob(). */
void buf_put_blob(struct buf *b, struct span s);
void buf_put_str(struct buf *b, const char *s); /* the characters alone, no NUL */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for `len` octets at the end, counted as written; NULL once sticky. The caller fills them before the
 * next put. */
uint8_t *buf_grow(struct buf *b, size_t len);

/* A sticky cursor over a span: past the end it gives zeros and remembers. */
struct rd {
    struct span rest;
    bool failed;
};

struct rd rd_of(struct span s);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
int64_t rd_i64(struct rd *r);
struct span rd_take(struct rd *r, size_t len); /* borrowed from the span */
struct span rd_blob(struct rd *r);
void rd_copy(struct rd *r, void *out, size_t len); /* zeros when short */
/* True when nothing failed and nothing is left. */
[[nodiscard]] bool rd_done(const struct rd *r);

/* Lower-case hex. `out` holds 2 * s.len + 1. */
void hex_encode(struct span s, char *out);
/* Exactly `len` octets from 2 * len hex digits, either case; false otherwise. */
[[nodiscard]] bool hex_decode(const char *hex, uint8_t *out, size_t len);

#endif
