/* SPDX-License-Identifier: Apache-2.0 */
/* hash: EVP with digests fetched once. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"

static const struct {
    const char *fetch, *name;
    size_t len;
} table[] = {
    [HASH_NONE] = {NULL, "none", 0},           [HASH_MD5] = {"MD5", "MD5", 16},
    [HASH_SHA1] = {"SHA1", "SHA-1", 20},       [HASH_SHA224] = {"SHA224", "SHA-224", 28},
    [HASH_SHA256] = {"SHA256", "SHA-256", 32}, [HASH_SHA384] = {"SHA384", "SHA-384", 48},
    [HASH_SHA512] = {"SHA512", "SHA-512", 64},
};

/* A cache of constants: the one thing here that outlives a call. Threads that fetch at the same time keep
 * what the first of them brought. */
static EVP_MD *_Atomic fetched[sizeof table / sizeof *table];

static const EVP_MD *digest(enum hash_alg alg)
{
    EVP_MD *there = atomic_load_explicit(&fetched[alg], memory_order_acquire), *mine;

    if (there != NULL)
        return there;
    mine = EVP_MD_fetch(NULL, table[alg].fetch, NULL);
    if (mine == NULL)
        die("OpenSSL has no %s", table[alg].name);
    if (atomic_compare_exchange_strong(&fetched[alg], &there, mine))
        return mine;
    EVP_MD_free(mine);
    return there;
}

size_t hash_len(enum hash_alg alg)
{
    return table[alg].len;
}

const char *hash_name(enum hash_alg alg)
{
    return table[alg].name;
}

void hash_of(enum hash_alg alg, struct span in, uint8_t *out)
{
    if (EVP_Digest(in.data, in.len, out, NULL, digest(alg), NULL) != 1)
        die("%s failed", table[alg].name);
}

void sha256_of(struct span in, uint8_t out[static 32])
{
    hash_of(HASH_SHA256, in, out);
}

void sha1_of(struct span in, uint8_t out[static 20])
{
    hash_of(HASH_SHA1, in, out);
}

void hmac_sha256(struct span key, struct span in, uint8_t out[static 32])
{
    static const uint8_t none[1];

    if (HMAC(digest(HASH_SHA256), key.len > 0 ? key.data : none, (int)key.len, in.data, in.len, out, NULL) ==
        NULL)
        die("HMAC failed");
}

struct hash {
    EVP_MD_CTX *ctx;
};

struct hash *hash_begin(enum hash_alg alg)
{
    struct hash *h = xmalloc(sizeof *h);

    h->ctx = EVP_MD_CTX_new();
    if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, digest(alg), NULL) != 1)
        die("%s failed", table[alg].name);
    return h;
}

void hash_add(struct hash *h, struct span in)
{
    if (EVP_DigestUpdate(h->ctx, in.data, in.len) != 1)
        die("digest failed");
}

void hash_end(struct hash *h, uint8_t *out)
{
    if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
        die("digest failed");
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void random_octets(uint8_t *out, size_t len)
{
    if (RAND_bytes(out, (int)len) != 1)
        die("no randomness");
}
