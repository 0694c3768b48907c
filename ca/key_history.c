/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_history: what the store knows of a key. A key that was ever revoked for keyCompromise is nobody's to
 * have certified again, under any issuer: the index is by key alone. Was this very request signed before? The
 * product keeps one pending request for each node and purpose, so the second answer to one often finds
 * nothing to belong to.
 */
#include "base/clock.h"
#include "ca/inner.h"

/* Certificates looked at, the latest first: a warning is not worth more, and a key that is renewed for years
 * has a dozen. Each costs the only writer some microseconds before every issue. */
#define SAME_KEY_MAX 16u

struct history {
    const struct facts *facts;
    unsigned seen;
    struct buf other; /* the latest other subject; empty: none */
    int64_t csr_at_s; /* when this very request was signed last; NO_TIME: never */
};

static bool look(const struct cert *c, void *arg)
{
    struct history *h = arg;

    if (h->other.len == 0 && c->subject.len > 0 && !span_eq(c->subject, h->facts->subject_text)) {
        buf_put_span(&h->other, c->subject);
        buf_put_u8(&h->other, 0);
    }
    if (h->csr_at_s == NO_TIME && h->facts->csr.len > 0 && span_eq(c->csr, h->facts->csr))
        h->csr_at_s = c->issued_at_s; /* our own keys come without a CSR */
    return ++h->seen < SAME_KEY_MAX;
}

static void tell(const struct history *h, struct findings *out)
{
    char when[CLOCK_TEXT_MAX];

    if (h->csr_at_s != NO_TIME) {
        clock_rfc3339(h->csr_at_s, when);
        finding_add(out, "csr.stale", "csr", when, "a request that was not signed before");
    }
    if (h->other.len > 0)
        finding_add(out, "key.reused", "key", (const char *)h->other.data, "a key of its own");
}

static enum err compromise_check(struct view *v, const uint8_t key[static HASH_LEN], struct findings *out)
{
    uint8_t serial[SERIAL_LEN];
    char hex[SERIAL_HEX_LEN + 1];
    enum err e = key_compromised(v, key, serial);

    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    hex_encode(span_of(serial, SERIAL_LEN), hex);
    finding_add(out, "key.compromised", "key", hex, "a key that nobody else knows");
    return OK;
}

enum err key_compromise_check(struct view *v, const struct facts *f, struct findings *out)
{
    uint8_t key[HASH_LEN];

    sha256_of(f->spki, key);
    return compromise_check(v, key, out);
}

enum err key_history_check(struct view *v, const struct facts *f, struct findings *out)
{
    struct history h = {.facts = f, .csr_at_s = NO_TIME};
    uint8_t key[HASH_LEN];
    enum err e;

    sha256_of(f->spki, key);
    buf_init(&h.other, WIRE_MSG_MAX);
    e = compromise_check(v, key, out);
    if (e == OK)
        e = cert_each_by_key(v, key, look, &h);
    if (e == OK)
        tell(&h, out);
    buf_free(&h.other);
    return e;
}
