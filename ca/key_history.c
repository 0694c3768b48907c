/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_history: what the store knows of a key. A key that was ever revoked for keyCompromise is nobody's to
 * have certified again, under any issuer: the index is by key alone.
 */
#include <string.h>

#include "ca/inner.h"

/* Certificates looked at for another subject: a warning is not worth more, and a key that is renewed for
 * years has a dozen. */
#define SUBJECTS_MAX 16u

struct history {
    const struct facts *facts;
    unsigned seen;
    struct buf other;
};

static bool note_subject(const struct cert *c, void *arg)
{
    struct history *h = arg;

    if (c->subject.len == 0 || span_eq(c->subject, h->facts->subject_text))
        return ++h->seen < SUBJECTS_MAX;
    buf_put_span(&h->other, c->subject);
    buf_put_u8(&h->other, 0);
    return false;
}

enum err key_compromise_check(struct view *v, const struct facts *f, struct findings *out)
{
    uint8_t key[HASH_LEN], serial[SERIAL_LEN];
    char hex[SERIAL_HEX_LEN + 1];
    enum err e;

    sha256_of(f->spki, key);
    e = key_compromised(v, key, serial);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    hex_encode(span_of(serial, SERIAL_LEN), hex);
    finding_add(out, "key.compromised", "key", hex, "a key that nobody else knows");
    return OK;
}

enum err key_history_check(struct view *v, const struct facts *f, struct findings *out)
{
    uint8_t key[HASH_LEN];
    struct history h = {.facts = f};
    enum err e;

    sha256_of(f->spki, key);
    buf_init(&h.other, WIRE_MSG_MAX);
    e = key_compromise_check(v, f, out);
    if (e == OK)
        e = cert_each_by_key(v, key, note_subject, &h);
    if (e == OK && h.other.len > 0)
        finding_add(out, "key.reused", "key", (const char *)h.other.data, "a key of its own");
    buf_free(&h.other);
    return e;
}
