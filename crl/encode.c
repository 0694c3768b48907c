/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: a tbsCertList from one view of the store, measured first and then streamed in pieces, so that
 * memory does not depend on the count. RFC 5280 5.1, 5.2, 5.3: v2, no critical extension, no reason when it
 * is unspecified.
 */
#include <assert.h>

#include "base/der.h"
#include "crl/inner.h"

#define PIECE_LEN (32u * 1024) /* octets handed on at once: half of what a port takes in one message */
#define HEAD_MAX (64u * 1024)  /* octets before and after the entries: names, times, extensions */

/* ---- pieces ---- */

static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};
static const uint8_t oid_number[] = {0x55, 0x1d, 0x14};
#define OID(octets) span_of(octets, sizeof(octets))

struct marks {
    size_t extension, value;
};

static struct marks extension_open(struct buf *b, struct span oid)
{
    struct marks m;

    m.extension = der_open(b, DER_SEQUENCE);
    der_put_oid(b, oid);
    m.value = der_open(b, DER_OCTET_STRING);
    return m;
}

static void extension_close(struct buf *b, struct marks m)
{
    der_close(b, m.value);
    der_close(b, m.extension);
}

/* Everything between the outer header and the entries. */
static void put_head(struct buf *b, const struct crl_content *c)
{
    der_put_uint(b, 1); /* v2 */
    buf_put_span(b, c->algorithm);
    buf_put_span(b, c->issuer_name);
    der_put_time(b, c->this_update_s);
    der_put_time(b, c->next_update_s);
}

static void put_tail(struct buf *b, const struct crl_content *c)
{
    size_t wrap = der_open(b, DER_CONTEXT_CONSTRUCTED(0)), list = der_open(b, DER_SEQUENCE), aki;
    struct marks m = extension_open(b, OID(oid_aki));

    aki = der_open(b, DER_SEQUENCE);
    der_put(b, DER_CONTEXT(0), c->ski);
    der_close(b, aki);
    extension_close(b, m);
    m = extension_open(b, OID(oid_number));
    der_put_uint(b, c->number);
    extension_close(b, m);
    der_close(b, list);
    der_close(b, wrap);
}

/* RFC 5280 3.3: an entry stays until one list issued after its certificate's end has shown it. A list from
 * the future was made by a wrong clock: what has not ended by now stays. */
static bool is_listed(const struct crl_content *c, const struct revoked *r)
{
    int64_t shown_s = c->previous_s < c->this_update_s ? c->previous_s : c->this_update_s;

    return shown_s == NO_TIME || r->not_after_s >= shown_s || r->revoked_at_s >= shown_s;
}

/* ---- measuring ---- */

struct measuring {
    const struct crl_content *content;
    struct crl_size *size;
};

static bool measure_entry(const struct revoked *r, void *arg)
{
    struct measuring *m = arg;

    if (!is_listed(m->content, r))
        return true;
    m->size->entries_len += entry_len(r);
    m->size->count++;
    return true;
}

/* revokedCertificates is absent when there is none, RFC 5280 5.1.2.6. */
static uint64_t list_len(const struct crl_size *s)
{
    return s->count > 0 ? der_header_len(s->entries_len) + s->entries_len : 0;
}

static enum err measure_body(const struct crl_content *c, const struct crl_size *s, uint64_t *out)
{
    struct buf b;
    enum err e;

    buf_init(&b, HEAD_MAX);
    put_head(&b, c);
    put_tail(&b, c);
    *out = b.len + list_len(s);
    e = buf_end(&b);
    buf_free(&b);
    return e;
}

enum err crl_measure(struct view *v, uint16_t issuer_no, const struct crl_content *c, struct crl_size *out)
{
    struct measuring m = {.content = c, .size = out};
    uint64_t body = 0;
    enum err e;

    *out = (struct crl_size){0};
    e = revoked_each(v, issuer_no, measure_entry, &m);
    if (e == OK)
        e = measure_body(c, out, &body);
    out->tbs_len = der_header_len(body) + body;
    return e;
}

/* ---- streaming ---- */

struct streaming {
    const struct crl_content *content;
    crl_sink *sink;
    void *arg;
    struct buf piece;
    uint64_t given; /* octets handed on */
    bool is_stopped;
};

static void flush(struct streaming *s)
{
    s->given += s->piece.len;
    if (!s->is_stopped && s->piece.len > 0)
        s->is_stopped = !s->sink(buf_span(&s->piece), s->arg);
    buf_reset(&s->piece);
}

static bool stream_entry(const struct revoked *r, void *arg)
{
    struct streaming *s = arg;
    uint8_t entry[ENTRY_MAX];

    if (!is_listed(s->content, r))
        return true;
    buf_put(&s->piece, entry, entry_write(r, entry));
    if (s->piece.len >= PIECE_LEN)
        flush(s);
    return !s->is_stopped;
}

static void stream_head(struct streaming *s, const struct crl_size *size)
{
    uint64_t body = 0;

    (void)measure_body(s->content, size, &body);
    der_put_header(&s->piece, DER_SEQUENCE, body);
    put_head(&s->piece, s->content);
    if (size->count > 0)
        der_put_header(&s->piece, DER_SEQUENCE, size->entries_len);
}

enum err crl_stream(struct view *v, uint16_t issuer_no, const struct crl_content *c,
                    const struct crl_size *size, crl_sink *sink, void *arg)
{
    struct streaming s = {.content = c, .sink = sink, .arg = arg};
    enum err e;

    buf_init(&s.piece, PIECE_LEN + ENTRY_MAX + HEAD_MAX);
    stream_head(&s, size);
    e = revoked_each(v, issuer_no, stream_entry, &s);
    put_tail(&s.piece, c);
    if (e == OK && buf_end(&s.piece) == OK)
        flush(&s);
    assert(buf_end(&s.piece) == OK);
    buf_free(&s.piece);
    if (e != OK)
        return e;
    if (s.is_stopped)
        return ERR_END;
    assert(s.given == size->tbs_len);
    return OK;
}
