/* SPDX-License-Identifier: Apache-2.0 */
/* der: lengths are written as one octet and widened on close, which is rare for small values. */
#include "base/der.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

static size_t length_octets(size_t len)
{
    size_t n = 0;

    if (len < 0x80)
        return 1;
    for (; len > 0; len >>= 8)
        n++;
    return n + 1;
}

static void write_length(uint8_t *at, size_t len, size_t octets)
{
    if (octets == 1) {
        at[0] = (uint8_t)len;
        return;
    }
    at[0] = (uint8_t)(0x80 | (octets - 1));
    for (size_t i = octets - 1; i > 0; i--, len >>= 8)
        at[i] = (uint8_t)len;
}

size_t der_header_len(size_t body_len)
{
    return 1 + length_octets(body_len);
}

void der_put_header(struct buf *b, uint8_t tag, size_t body_len)
{
    size_t octets = length_octets(body_len);
    uint8_t *at = buf_grow(b, 1 + octets);

    if (at == NULL)
        return;
    at[0] = tag;
    write_length(at + 1, body_len, octets);
}

size_t der_open(struct buf *b, uint8_t tag)
{
    buf_put_u8(b, tag);
    buf_put_u8(b, 0);
    return b->len;
}

void der_close(struct buf *b, size_t mark)
{
    size_t body, octets;

    if (b->err != OK)
        return;
    assert(mark >= 2 && mark <= b->len);
    body = b->len - mark;
    octets = length_octets(body);
    if (octets > 1 && buf_grow(b, octets - 1) == NULL)
        return;
    memmove(b->data + mark + octets - 1, b->data + mark, body);
    write_length(b->data + mark - 1, body, octets);
}

struct der_extension der_open_extension(struct buf *b, struct span oid, bool is_critical)
{
    struct der_extension e = {.whole = der_open(b, DER_SEQUENCE)};

    der_put_oid(b, oid);
    if (is_critical)
        der_put_bool(b, true);
    e.value = der_open(b, DER_OCTET_STRING);
    return e;
}

void der_close_extension(struct buf *b, struct der_extension e)
{
    der_close(b, e.value);
    der_close(b, e.whole);
}

void der_put(struct buf *b, uint8_t tag, struct span body)
{
    der_put_header(b, tag, body.len);
    buf_put_span(b, body);
}

void der_put_oid(struct buf *b, struct span body)
{
    der_put(b, DER_OID, body);
}

void der_put_bool(struct buf *b, bool v)
{
    uint8_t octet = v ? 0xff : 0;

    der_put(b, DER_BOOLEAN, span_of(&octet, 1));
}

void der_put_unsigned(struct buf *b, struct span m)
{
    static const uint8_t zero;
    bool pad;

    while (m.len > 1 && m.data[0] == 0) {
        m.data++;
        m.len--;
    }
    if (m.len == 0)
        m = span_of(&zero, 1);
    pad = (m.data[0] & 0x80) != 0;
    der_put_header(b, DER_INTEGER, m.len + pad);
    if (pad)
        buf_put_u8(b, 0);
    buf_put_span(b, m);
}

void der_put_uint(struct buf *b, uint64_t v)
{
    uint8_t octets[8];

    for (size_t i = sizeof octets; i-- > 0; v >>= 8)
        octets[i] = (uint8_t)v;
    der_put_unsigned(b, span_of(octets, sizeof octets));
}

void der_put_null(struct buf *b)
{
    der_put(b, DER_NULL, (struct span){0});
}

void der_put_bits(struct buf *b, struct span bits)
{
    der_put_header(b, DER_BIT_STRING, bits.len + 1);
    buf_put_u8(b, 0);
    buf_put_span(b, bits);
}

void der_put_named_bits(struct buf *b, uint16_t flags)
{
    uint8_t body[3] = {0, (uint8_t)(flags >> 8), (uint8_t)flags};
    size_t len = body[2] != 0 ? 3 : body[1] != 0 ? 2 : 1;

    if (len > 1)
        body[0] = (uint8_t)__builtin_ctz(body[len - 1]);
    der_put(b, DER_BIT_STRING, span_of(body, len));
}

void der_put_time(struct buf *b, int64_t t_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_utctime(t_s, text);
    if (text[0] != '\0')
        der_put(b, DER_UTC_TIME, span_str(text));
    else
        der_put_generalized_time(b, t_s);
}

void der_put_generalized_time(struct buf *b, int64_t t_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_generalized(t_s, text);
    der_put(b, DER_GENERALIZED_TIME, span_str(text));
}

/* Each arc in its fewest octets, and the last one whole. X.690 8.19.2 */
static bool is_oid(const uint8_t *p, size_t len)
{
    bool begins = true;

    for (size_t i = 0; i < len; i++) {
        if (begins && p[i] == 0x80)
            return false;
        begins = p[i] < 0x80;
    }
    return len > 0 && begins;
}

bool der_next(struct span *in, struct der *out)
{
    const uint8_t *p = in->data;
    size_t len, octets = 0;

    if (in->len < 2 || (p[0] & 0x1f) == 0x1f)
        return false;
    len = p[1];
    if (len >= 0x80) {
        octets = len & 0x7f;
        if (octets == 0 || octets > 4 || in->len < 2 + octets)
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | p[2 + i];
        if (length_octets(len) != 1 + octets)
            return false;
    }
    if (len > in->len - 2 - octets || (p[0] == DER_OID && !is_oid(p + 2 + octets, len)))
        return false;
    out->tag = p[0];
    out->body = span_of(p + 2 + octets, len);
    out->whole = span_of(p, 2 + octets + len);
    in->data += out->whole.len;
    in->len -= out->whole.len;
    return true;
}

bool der_expect(struct span *in, uint8_t tag, struct der *out)
{
    return in->len > 0 && in->data[0] == tag && der_next(in, out);
}

bool der_optional(struct span *in, uint8_t tag, struct der *out)
{
    return der_expect(in, tag, out);
}

bool der_critical(struct span *in, bool *is_critical)
{
    struct der flag;

    *is_critical = der_optional(in, DER_BOOLEAN, &flag);
    return !*is_critical || (flag.body.len == 1 && flag.body.data[0] == 0xff);
}

/* The shorter one is padded with zeros. */
bool der_ascends(struct span a, struct span b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return order < 0 || (order == 0 && a.len <= b.len);
}

static bool is_utf8(struct span rest)
{
    while (rest.len > 0) {
        size_t n = utf8_next(rest, NULL);

        if (n == 0)
            return false;
        rest = span_of(rest.data + n, rest.len - n);
    }
    return true;
}

static bool is_ucs2(struct span s)
{
    if (s.len % 2 != 0)
        return false;
    for (size_t i = 0; i < s.len; i += 2)
        if ((s.data[i] & 0xf8) == 0xd8 || (s.data[i] | s.data[i + 1]) == 0) /* d800 to dfff, 0 */
            return false;
    return true;
}

static bool has_nul(struct span s)
{
    return memchr(s.data, '\0', s.len) != NULL;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* X.680 41.2 */
static bool is_numeric(uint8_t c)
{
    return is_digit(c) || c == ' ';
}

/* X.680 41.4 */
static bool is_printable(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
}

static bool is_ia5(uint8_t c)
{
    return c != 0 && c < 0x80;
}

static bool all_are(bool (*is_one)(uint8_t c), struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_one(s.data[i]))
            return false;
    return true;
}

bool der_is_text(const struct der *value)
{
    if (value->body.len == 0)
        return false;
    switch (value->tag) {
    case DER_UTF8_STRING:
        return is_utf8(value->body) && !has_nul(value->body);
    case DER_BMP_STRING: /* in the names of old CAs */
        return is_ucs2(value->body);
    case DER_NUMERIC_STRING:
        return all_are(is_numeric, value->body);
    case DER_PRINTABLE_STRING:
        return all_are(is_printable, value->body);
    case DER_IA5_STRING:
        return all_are(is_ia5, value->body);
    case DER_T61_STRING: /* its octets mean what its writer thought they do */
        return !has_nul(value->body);
    default:
        return false;
    }
}

bool der_is_minimal(struct span body)
{
    if (body.len < 2)
        return body.len == 1;
    return !(body.data[0] == 0x00 && body.data[1] < 0x80) && !(body.data[0] == 0xff && body.data[1] >= 0x80);
}

bool der_uint(struct span body, uint64_t *out)
{
    uint64_t v = 0;

    if (!der_is_minimal(body) || body.len > 8 || (body.data[0] & 0x80) != 0)
        return false;
    for (size_t i = 0; i < body.len; i++)
        v = v << 8 | body.data[i];
    *out = v;
    return true;
}

bool der_time(const struct der *d, int64_t *out_s)
{
    if (d->tag == DER_UTC_TIME)
        return clock_parse_utctime(d->body.data, d->body.len, out_s);
    return d->tag == DER_GENERALIZED_TIME && clock_parse_generalized(d->body.data, d->body.len, out_s);
}
