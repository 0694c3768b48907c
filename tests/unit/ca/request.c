/* SPDX-License-Identifier: Apache-2.0 */
/* request: real keys by OpenSSL, cached, because RSA keys take a while to make. */
#include "request.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool has_small_factor(const BIGNUM *n)
{
    for (BN_ULONG p = 3; p < 9000; p += 2)
        if (BN_mod_word(n, p) == 0)
            return true;
    return false;
}

/* Any number that is not weak does for a modulus: nothing signs with it. */
static EVP_PKEY *rsa_of(int bits, const char *exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_new(), *e = NULL;
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params;

    do
        BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    while (has_small_factor(n));
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    BN_dec2bn(&e, exponent);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_fromdata_init(ctx);
    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *compressed(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                   OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED);
    return key;
}

static EVP_PKEY *generate(const char *kind)
{
    char curve[16];

    if (strncmp(kind, "rsa-e", 5) == 0)
        return rsa_of(2048, kind + 5);
    if (strncmp(kind, "rsa-", 4) == 0)
        return rsa_of(atoi(kind + 4), "65537");
    if (strcmp(kind, "ed25519") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (strcmp(kind, "ec-compressed") == 0)
        return compressed();
    snprintf(curve, sizeof curve, "P-%s", kind + 3);
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", strcmp(kind, "ec-koblitz") == 0 ? "secp256k1" : curve);
}

struct span request_key(const char *kind)
{
    static struct {
        char kind[32];
        struct span spki;
    } cache[32];
    uint8_t *der = NULL;
    EVP_PKEY *key;
    size_t i = 0;
    int len;

    for (; cache[i].kind[0] != '\0'; i++)
        if (strcmp(cache[i].kind, kind) == 0)
            return cache[i].spki;
    key = generate(kind);
    cr_assert_not_null(key, "%s", kind);
    len = i2d_PUBKEY(key, &der);
    cr_assert_gt(len, 0);
    EVP_PKEY_free(key);
    snprintf(cache[i].kind, sizeof cache[i].kind, "%s", kind);
    cache[i].spki = span_of(der, (size_t)len);
    return cache[i].spki;
}

struct facts request_plain(const char *key_kind)
{
    static const uint8_t subject[] = {0x30, 0x1b, 0x31, 0x19, 0x30, 0x17, 0x06, 0x03, 0x55, 0x04,
                                      0x03, 0x0c, 0x10, 'c',  'u',  'c',  'm',  '.',  'e',  'x',
                                      'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};

    return (struct facts){
        .csr = span_str("a CSR"),
        .subject = span_of(subject, sizeof subject),
        .spki = request_key(key_kind),
        .cn = span_str("cucm.example.com"),
        .subject_text = span_str("CN=cucm.example.com"),
        .signature_hash = HASH_SHA256,
    };
}

void request_names(struct facts *f, struct san *sans, ...)
{
    va_list ap;
    const char *name;

    f->has_san = true;
    f->sans = sans;
    va_start(ap, sans);
    while ((name = va_arg(ap, const char *)) != NULL)
        sans[f->san_count++] = (struct san){.kind = SAN_DNS, .value = span_str(name)};
    va_end(ap);
}

const struct finding *finding_of(const struct findings *fs, const char *rule)
{
    for (size_t i = 0; i < fs->count; i++)
        if (strcmp(fs->items[i].rule, rule) == 0)
            return &fs->items[i];
    return NULL;
}

const struct catalogue *installed_all(void)
{
    static struct catalogue c;
    struct fault f = {0};

    if (c.count == 0)
        cr_assert_eq(catalogue_load("profiles.xml", (struct span){0}, &c, NULL, &f), OK, "%s", f.detail);
    return &c;
}

const struct profile *installed(const char *id)
{
    const struct profile *p = profile_find(installed_all(), id);

    cr_assert_not_null(p, "%s", id);
    return p;
}
