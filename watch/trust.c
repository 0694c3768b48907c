/* SPDX-License-Identifier: Apache-2.0 */
/* trust: names and keys of our issuers, by OpenSSL. */
#include "watch/trust.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct trust {
    size_t count;
    struct {
        uint8_t name[HASH_LEN]; /* SHA-256 of the Name */
        EVP_PKEY *key;
    } issuers[ISSUERS_MAX];
};

static bool name_hash(X509 *x, uint8_t out[static HASH_LEN])
{
    uint8_t *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(x), &der);

    if (len <= 0)
        return false;
    sha256_of(span_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return true;
}

static enum err issuer_load(struct trust *t, const char *path, struct fault *f)
{
    struct buf pem;
    BIO *bio = NULL;
    X509 *x = NULL;
    enum err e;

    buf_init(&pem, PEM_MAX);
    e = file_read(path, &pem, f);
    if (e == OK)
        bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio != NULL)
        x = PEM_read_bio_X509(bio, NULL, NULL, (void *)""); /* no question on a terminal */
    if (e == OK && (x == NULL || !name_hash(x, t->issuers[t->count].name) ||
                    (t->issuers[t->count].key = X509_get_pubkey(x)) == NULL))
        e = fault_set(f, ERR_CONFIG, "%s: no certificate that can be used", path);
    t->count += e == OK;
    X509_free(x);
    BIO_free(bio);
    buf_free(&pem);
    return e;
}

enum err trust_load(const struct watch_config *c, struct trust **out, struct fault *f)
{
    struct trust *t = xcalloc(1, sizeof *t);
    enum err e = OK;

    for (size_t i = 0; e == OK && i < c->issuer_count; i++)
        e = issuer_load(t, c->issuers[i].certificate, f);
    if (e != OK) {
        trust_free(t);
        t = NULL;
    }
    *out = t;
    return e;
}

void trust_free(struct trust *t)
{
    for (size_t i = 0; t != NULL && i < t->count; i++)
        EVP_PKEY_free(t->issuers[i].key);
    free(t);
}

int trust_find(const struct trust *t, const struct scan_facts *facts)
{
    for (size_t i = 0; i < t->count; i++)
        if (memcmp(t->issuers[i].name, facts->issuer, HASH_LEN) == 0)
            return (int)i;
    return -1;
}

/* The algorithm must be that of the key: RSA with ECDSA's name proves nothing. */
static bool is_for(EVP_PKEY *key, enum sig_alg alg)
{
    return EVP_PKEY_get_base_id(key) == (alg == SIG_RSA_SHA256 ? EVP_PKEY_RSA : EVP_PKEY_EC);
}

static const EVP_MD *digest_of(enum sig_alg alg)
{
    switch (sig_alg_hash(alg)) {
    case HASH_SHA384:
        return EVP_sha384();
    case HASH_SHA512:
        return EVP_sha512();
    default:
        return EVP_sha256();
    }
}

bool trust_verify(const struct trust *t, int issuer, const struct scan_facts *facts)
{
    EVP_PKEY *key = issuer >= 0 ? t->issuers[issuer].key : NULL;
    EVP_PKEY_CTX *ctx;
    bool is_good;

    if (key == NULL || !is_for(key, facts->alg))
        return false;
    ctx = EVP_PKEY_CTX_new(key, NULL);
    if (ctx == NULL)
        die("out of memory");
    is_good = EVP_PKEY_verify_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_signature_md(ctx, digest_of(facts->alg)) == 1 &&
              EVP_PKEY_verify(ctx, facts->signature, facts->signature_len, facts->digest,
                              hash_len(sig_alg_hash(facts->alg))) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}
