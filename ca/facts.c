/* SPDX-License-Identifier: Apache-2.0 */
/* facts: what the api read in a CSR, to and from a frame. The reader checks every count and every
 * enumeration: the api may be captured, and what it sends is held to be well formed from here on. */
#include "ca/ca.h"

/* Bits of the flags octet. */
enum {
    FACT_SAN = 1,
    FACT_KU = 2,
    FACT_EKU = 4,
    FACT_CA = 8,
    FACT_CHALLENGE = 16,
    FACT_ALL = 31,
};

static uint8_t flags_of(const struct facts *f)
{
    return (uint8_t)((f->has_san ? FACT_SAN : 0) | (f->has_ku ? FACT_KU : 0) | (f->has_eku ? FACT_EKU : 0) |
                     (f->asks_ca ? FACT_CA : 0) | (f->sends_challenge ? FACT_CHALLENGE : 0));
}

void facts_write(struct buf *b, const struct facts *f)
{
    buf_put_blob(b, f->csr);
    buf_put_blob(b, f->subject);
    buf_put_blob(b, f->spki);
    buf_put_blob(b, f->cn);
    buf_put_blob(b, f->subject_text);
    buf_put_u8(b, (uint8_t)f->signature_hash);
    buf_put_u8(b, flags_of(f));
    buf_put_u16(b, f->ku);
    eku_list_write(b, f->eku, f->eku_count);
    buf_put_blob(b, f->eku_other);
    buf_put_blob(b, f->other_extensions);
    buf_put_u16(b, (uint16_t)f->san_count);
    for (size_t i = 0; i < f->san_count; i++) {
        buf_put_u8(b, (uint8_t)f->sans[i].kind);
        buf_put_blob(b, f->sans[i].value);
    }
}

static bool read_flags(struct rd *r, struct facts *out)
{
    uint8_t flags = rd_u8(r);

    out->has_san = (flags & FACT_SAN) != 0;
    out->has_ku = (flags & FACT_KU) != 0;
    out->has_eku = (flags & FACT_EKU) != 0;
    out->asks_ca = (flags & FACT_CA) != 0;
    out->sends_challenge = (flags & FACT_CHALLENGE) != 0;
    return (flags & ~FACT_ALL) == 0;
}

static bool is_san_kind(uint8_t kind)
{
    return kind == SAN_DNS || kind == SAN_IP || kind == SAN_EMAIL || kind == SAN_URI || kind == SAN_OTHER;
}

static bool read_sans(struct rd *r, struct facts *out, struct san *sans)
{
    out->sans = sans;
    out->san_count = rd_u16(r);
    if (out->san_count > SAN_COUNT_MAX)
        return false;
    for (size_t i = 0; i < out->san_count; i++) {
        uint8_t kind = rd_u8(r);

        if (r->failed || !is_san_kind(kind))
            return false;
        sans[i] = (struct san){.kind = (enum san_kind)kind, .value = rd_blob(r)};
    }
    return true;
}

bool facts_read(struct rd *r, struct facts *out, struct san sans[static SAN_COUNT_MAX])
{
    uint8_t hash;

    *out = (struct facts){0};
    out->csr = rd_blob(r);
    out->subject = rd_blob(r);
    out->spki = rd_blob(r);
    out->cn = rd_blob(r);
    out->subject_text = rd_blob(r);
    hash = rd_u8(r);
    if (hash > HASH_SHA512 || !read_flags(r, out))
        return false;
    out->signature_hash = (enum hash_alg)hash;
    out->ku = rd_u16(r);
    if (!eku_list_read(r, out->eku, &out->eku_count))
        return false;
    out->eku_other = rd_blob(r);
    out->other_extensions = rd_blob(r);
    return read_sans(r, out, sans) && !r->failed;
}
