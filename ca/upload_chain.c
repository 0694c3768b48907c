/* SPDX-License-Identifier: Apache-2.0 */
/* upload_chain: the certificates above one that is to be uploaded: whether they are all there, and what the
 * products have against them. */
#include <stdio.h>
#include <string.h>

#include "ca/policy.h"

/* docs/products.md, 3. */
#define CA_BITS_LEAST 2048u
#define CA_BITS_DOUBTFUL 4096u /* in mixed mode */
#define CA_WANT "2048 or 3072 bits"

/* "SHA-1 (CN=Example CA)" */
static void list_ca(struct listing *l, const char *what, const struct ca_certificate *c)
{
    struct buf text;

    buf_init(&text, c->subject_text.len + 128);
    buf_put_str(&text, what);
    buf_put_str(&text, " (");
    buf_put_span(&text, c->subject_text);
    buf_put_str(&text, ")");
    listing_add(l, buf_span(&text));
    buf_free(&text);
}

static void missing(const struct upload *u, struct findings *fs)
{
    if (u->missing.len > 0)
        upload_find(fs, "chain.missing", "chain", u->missing,
                    u->missing_url.len > 0 ? u->missing_url : span_str("it from that certificate authority"));
}

static void key_types(const struct upload *u, struct findings *fs)
{
    struct key_kind leaf = {0}, above = {0};
    bool is_mixed = false;

    if (!key_kind_of(u->leaf->spki, &leaf) || leaf.type != KEY_EC)
        return;
    is_mixed = u->leaf->signed_by == KEY_RSA;
    for (size_t i = 0; i < u->chain_count; i++)
        is_mixed = is_mixed || (key_kind_of(u->chain[i]->spki, &above) && above.type == KEY_RSA);
    if (is_mixed)
        upload_find(fs, "chain.key-type", "chain", u->leaf->issuer_text, span_str("EC keys up to the root"));
}

static bool is_root(const struct ca_certificate *c)
{
    return span_eq(c->subject, c->issuer);
}

static const char *hash_text(enum hash_alg h)
{
    return h == HASH_NONE ? "an unknown hash" : hash_name(h);
}

/* docs/products.md, 3. A root's own signature proves nothing, whatever it is: the store is trusted. */
static void hashes(const struct upload *u, struct findings *fs, bool (*is_met)(enum hash_alg h),
                   const char *rule)
{
    struct listing cas;

    if (is_met(u->leaf->signature_hash))
        finding_add(fs, rule, "certificate.signature", hash_text(u->leaf->signature_hash),
                    "SHA-256 or better");
    listing_init(&cas);
    for (size_t i = 0; i < u->chain_count; i++)
        if (!is_root(u->chain[i]) && is_met(u->chain[i]->signature_hash))
            list_ca(&cas, hash_text(u->chain[i]->signature_hash), u->chain[i]);
    listing_find(&cas, fs, rule, "chain", "SHA-256 or better");
}

static bool is_broken(enum hash_alg h)
{
    return h == HASH_NONE || h == HASH_MD5;
}

static bool is_weak(enum hash_alg h)
{
    return h == HASH_SHA1;
}

/* The mixed mode is Unified CM's. */
static const char *size_rule(const struct upload *u, unsigned bits)
{
    if (bits > RSA_BITS_MOST)
        return "key.too-large";
    if (bits >= CA_BITS_DOUBTFUL && strncmp(u->profile->id, "ucm/", 4) == 0)
        return "key.ca-size";
    return bits < CA_BITS_LEAST ? "key.ca-small" : NULL;
}

static void key_sizes(const struct upload *u, struct findings *fs)
{
    for (size_t i = 0; i < u->chain_count; i++) {
        struct key_kind key = {0};
        struct listing one;
        const char *rule;
        char bits[32];

        if (!key_kind_of(u->chain[i]->spki, &key) || key.type != KEY_RSA)
            continue;
        rule = size_rule(u, key.bits);
        snprintf(bits, sizeof bits, "%u bits", key.bits);
        listing_init(&one);
        if (rule != NULL)
            list_ca(&one, bits, u->chain[i]);
        listing_find(&one, fs, rule, "chain", CA_WANT);
    }
}

/* One finding for each subject that two keys share. */
static void duplicates(const struct upload *u, struct findings *fs)
{
    for (size_t i = 0; i < u->known_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct ca_certificate *a = &u->known[i], *b = &u->known[j];

            if (!span_eq(a->subject, b->subject) || span_eq(a->spki, b->spki))
                continue;
            upload_find(fs, "trust.duplicate-dn", "chain", a->subject_text,
                        span_str("one certificate for each subject"));
            break;
        }
}

void upload_chain(const struct upload *u, struct findings *out)
{
    missing(u, out);
    key_types(u, out);
    key_sizes(u, out);
    hashes(u, out, is_broken, "certificate.hash");
    hashes(u, out, is_weak, "certificate.hash.weak");
    duplicates(u, out);
}
