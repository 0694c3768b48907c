/* SPDX-License-Identifier: Apache-2.0 */
/* profile: one request held against one profile. The key, the request as such and the validity are judged
 * here; usages in mirror.c, names in names.c. */
#include <inttypes.h>
#include <stdio.h>

#include "base/der.h"
#include "ca/policy.h"

/* ---- the key ---- */

const struct profile_usage *profile_ku(const struct profile *p, enum key_type t)
{
    for (size_t i = 0; i < p->key_count; i++)
        if (p->keys[i].type == t)
            return t == KEY_RSA ? &p->ku_rsa : &p->ku_ec;
    return NULL;
}

static bool takes_bits(const struct check *c)
{
    for (size_t i = 0; i < c->profile->key_count; i++)
        if (c->profile->keys[i].type == c->key.type && c->profile->keys[i].bits == c->key.bits)
            return true;
    return false;
}

/* "2048, 3072, 4096 bits" or "P-256, P-384": the sizes the profile takes for this kind, and the outermost
 * two. */
static void permitted_sizes(const struct check *c, char *out, size_t cap, unsigned *least, unsigned *most)
{
    size_t at = 0;

    *least = 0;
    *most = 0;
    out[0] = '\0';
    for (size_t i = 0; i < c->profile->key_count && at < cap; i++) {
        const struct profile_key *k = &c->profile->keys[i];

        if (k->type != c->key.type)
            continue;
        at += (size_t)snprintf(out + at, cap - at, "%s%s%u", at > 0 ? ", " : "",
                               k->type == KEY_EC ? "P-" : "", k->bits);
        *least = *least == 0 || k->bits < *least ? k->bits : *least;
        *most = k->bits > *most ? k->bits : *most;
    }
    if (c->key.type == KEY_RSA && at < cap)
        snprintf(out + at, cap - at, " bits");
}

/* RFC 5480 2.2 leaves it to a reader whether it takes a compressed point, and Java does not. */
static void point_check(struct check *c)
{
    if (c->key.type == KEY_EC && c->key.key_bits.data[0] != 0x04)
        finding_add(c->findings, "key.point.compressed", "key", "a compressed point",
                    "an uncompressed point");
}

/* What the product makes, and somebody it talks to does not take. */
static void advice_check(struct check *c)
{
    char got[32], want[32];

    if (c->key.type != KEY_RSA || c->profile->rsa_advised == 0 || c->key.bits <= c->profile->rsa_advised)
        return;
    snprintf(got, sizeof got, "%u bits", c->key.bits);
    snprintf(want, sizeof want, "%u bits", c->profile->rsa_advised);
    finding_add(c->findings, "key.advised", "key", got, want);
}

static void permitted_check(struct check *c)
{
    point_check(c);
    advice_check(c);
}

static void size_check(struct check *c)
{
    char got[32], want[128];
    unsigned least, most;

    if (takes_bits(c))
        return permitted_check(c);
    permitted_sizes(c, want, sizeof want, &least, &most);
    if (c->key.type == KEY_EC) {
        snprintf(got, sizeof got, c->key.bits > 0 ? "P-%u" : "an unknown curve", c->key.bits);
        return finding_add(c->findings, "key.curve", "key", got, want);
    }
    snprintf(got, sizeof got, "%u bits", c->key.bits);
    finding_add(c->findings,
                c->key.bits < least  ? "key.too-small"
                : c->key.bits > most ? "key.too-large"
                                     : "key.size",
                "key", got, want);
}

static void exponent_check(struct check *c)
{
    char got[32];

    if (c->key.type != KEY_RSA || key_exponent_is_sound(&c->key))
        return;
    if ((c->key.exponent & 1) == 0)
        snprintf(got, sizeof got, "even");
    else if (c->key.exponent == UINT64_MAX)
        snprintf(got, sizeof got, "of more than 64 bits");
    else
        snprintf(got, sizeof got, "%" PRIu64, c->key.exponent);
    finding_add(c->findings, "key.exponent", "key", got, "an odd exponent from 3 to 2147483647");
}

static void key_check(struct check *c)
{
    const struct profile *p = c->profile;
    bool takes_rsa = profile_ku(p, KEY_RSA) != NULL, takes_ec = profile_ku(p, KEY_EC) != NULL;
    char got[32];

    if (!key_kind_of(c->facts->spki, &c->key))
        c->key = (struct key_kind){.type = KEY_NONE};
    if (c->key.type != KEY_RSA && c->key.type != KEY_EC)
        return finding_add(c->findings, "key.unsupported", "key",
                           c->key.type == KEY_NONE ? "a key that cannot be read" : "another kind of key",
                           "RSA or EC");
    exponent_check(c);
    weak_key_check(c);
    if (c->profile->is_ca && !c->profile->is_internal && c->key.type == KEY_RSA && c->key.bits >= 4096)
        finding_add(c->findings, "key.ca-size", "key", "4096 bits", "2048 or 3072 bits");
    if (profile_ku(p, c->key.type) != NULL)
        return size_check(c);
    snprintf(got, sizeof got, "%s %u", c->key.type == KEY_RSA ? "RSA" : "EC", c->key.bits);
    finding_add(c->findings, "purpose.key-type", "key", got,
                takes_rsa && takes_ec ? "RSA or EC"
                : takes_rsa           ? "RSA"
                                      : "EC");
}

/* ---- the request's own signature ---- */

/* What the product pairs with a curve (docs/products.md, 3); NULL: any SHA-2. */
static const char *hashes_for(const struct key_kind *k)
{
    if (k->type != KEY_EC)
        return NULL;
    return k->bits == 384 ? "SHA-384 or SHA-512" : k->bits == 521 ? "SHA-512" : NULL;
}

static bool is_paired(const struct key_kind *k, enum hash_alg h)
{
    return k->type != KEY_EC || k->bits <= 256 || h == HASH_SHA512 || (k->bits == 384 && h == HASH_SHA384);
}

static void hashes_text(uint8_t set, char *out, size_t cap)
{
    size_t at = 0;

    out[0] = '\0';
    for (enum hash_alg h = HASH_SHA1; h <= HASH_SHA512 && at < cap; h++)
        if ((set & 1u << h) != 0)
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at > 0 ? ", " : "", hash_name(h));
}

static void hash_check(struct check *c)
{
    enum hash_alg h = c->facts->signature_hash;
    char want[64];

    if (c->facts->csr.len == 0) /* our own keys come without a CSR */
        return;
    if (h == HASH_NONE || h == HASH_MD5)
        return finding_add(c->findings, "csr.hash", "signature", h == HASH_MD5 ? "MD5" : "an unknown hash",
                           "SHA-256");
    if (c->profile->hashes != 0 && (c->profile->hashes & 1u << h) == 0) {
        hashes_text(c->profile->hashes, want, sizeof want);
        return finding_add(c->findings, "csr.hash.not-permitted", "signature", hash_name(h), want);
    }
    if (h == HASH_SHA1)
        return finding_add(c->findings, "csr.hash.weak", "signature", hash_name(h), "SHA-256");
    if (c->profile->is_cisco && !is_paired(&c->key, h))
        finding_add(c->findings, "csr.hash.pairing", "signature", hash_name(h), hashes_for(&c->key));
}

/* ---- the rest ---- */

static void extras_check(struct check *c)
{
    const struct facts *f = c->facts;
    struct listing other;

    if (f->asks_ca && !c->profile->is_ca)
        finding_add(c->findings, "ca.requested", "basicConstraints", "CA:TRUE", "CA:FALSE or none");
    if (f->sends_challenge)
        finding_add(c->findings, "challenge.ignored", "attributes", "challengePassword", "");
    listing_init(&other);
    if (f->other_extensions.len > 0)
        listing_add(&other, f->other_extensions);
    listing_find(&other, c->findings, "extension.ignored", "extensions", "");
}

static void days_check(struct check *c, unsigned asked)
{
    char got[32], want[32];

    c->grant->days = asked > 0 ? asked : c->profile->days_default;
    if (asked <= c->profile->days_max)
        return;
    snprintf(got, sizeof got, "%u days", asked);
    snprintf(want, sizeof want, "at most %u", c->profile->days_max);
    finding_add(c->findings, "days.too-long", "days", got, want);
}

void profile_check(const struct profile *p, const struct facts *f, unsigned days_asked, struct grant *grant,
                   struct findings *out)
{
    struct check c = {.profile = p, .facts = f, .grant = grant, .findings = out};

    *grant = (struct grant){.is_ca = p->is_ca};
    key_check(&c);
    hash_check(&c);
    mirror_check(&c);
    names_check(&c);
    extras_check(&c);
    days_check(&c, days_asked);
}
