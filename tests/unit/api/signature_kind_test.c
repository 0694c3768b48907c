/* SPDX-License-Identifier: Apache-2.0 */
/* Are key and hash of a signature read as OpenSSL means them, and is what nobody knows told as that? */
#include "api/preflight.h"
#include "tests/unit/api/request.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

/* The AlgorithmIdentifier that OpenSSL puts into a certificate it signs. */
static struct signature_kind signed_by_openssl(EVP_PKEY *key, const char *digest, bool is_pss)
{
    X509 *x = X509_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    const X509_ALGOR *algorithm = NULL;
    struct signature_kind kind;
    uint8_t *octets = NULL;
    struct span in;
    struct der outer;
    int len;

    cr_assert_eq(EVP_DigestSignInit_ex(ctx, &options, digest, NULL, NULL, key, NULL), 1);
    if (is_pss)
        cr_assert_eq(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    X509_set_pubkey(x, key);
    cr_assert_gt(X509_sign_ctx(x, ctx), 0, "%s", digest);
    X509_get0_signature(NULL, &algorithm, x);
    len = i2d_X509_ALGOR(algorithm, &octets);
    in = span_of(octets, (size_t)len);
    cr_assert(der_expect(&in, DER_SEQUENCE, &outer));
    kind = signature_kind_of(outer.body);
    OPENSSL_free(octets);
    EVP_MD_CTX_free(ctx);
    X509_free(x);
    return kind;
}

Test(signature_kind, is_what_openssl_signs_with)
{
    static const struct {
        const char *digest;
        enum hash_alg hash;
    } rows[] = {{"MD5", HASH_MD5},       {"SHA1", HASH_SHA1},     {"SHA224", HASH_SHA224},
                {"SHA256", HASH_SHA256}, {"SHA384", HASH_SHA384}, {"SHA512", HASH_SHA512}};
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signature_kind plain = signed_by_openssl(rsa, rows[i].digest, false), pss, ecdsa;

        cr_expect(plain.key == KEY_RSA && plain.hash == rows[i].hash, "%s", rows[i].digest);
        if (rows[i].hash == HASH_MD5)
            continue; /* which goes with PKCS#1 alone */
        pss = signed_by_openssl(rsa, rows[i].digest, true);
        cr_expect(pss.key == KEY_RSA && pss.hash == rows[i].hash, "PSS %s", rows[i].digest);
        ecdsa = signed_by_openssl(ec, rows[i].digest, false);
        cr_expect(ecdsa.key == KEY_EC && ecdsa.hash == rows[i].hash, "ECDSA %s", rows[i].digest);
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

Test(signature_kind, what_nobody_knows_is_no_hash)
{
    static const struct {
        struct span algorithm;
        enum key_type key;
    } rows[] = {
        {{(const uint8_t *)"\x06\x03\x2b\x65\x70", 5}, KEY_OTHER}, /* Ed25519 */
        {{(const uint8_t *)"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02\x05\x00", 13}, KEY_RSA}, /* MD2 */
        {{(const uint8_t *)"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03\x05\x00", 13}, KEY_RSA}, /* MD4 */
        {{(const uint8_t *)"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 11}, KEY_RSA}, /* PSS, bare */
        {{(const uint8_t *)"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x02\xa0\x00", 15}, KEY_RSA},
        {{(const uint8_t *)"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x05", 10}, KEY_EC},
        {{(const uint8_t *)"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x01\x01", 10}, KEY_OTHER}, /* the arc alone */
        {{(const uint8_t *)"\x05\x00", 2}, KEY_OTHER},
        {{NULL, 0}, KEY_OTHER},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signature_kind kind = signature_kind_of(rows[i].algorithm);

        cr_expect_eq(kind.hash, HASH_NONE, "%zu", i);
        cr_expect_eq(kind.key, rows[i].key, "%zu", i);
    }
}

/* RFC 4055 3.1: what PSS leaves out is SHA-1. */
Test(signature_kind, pss_without_a_hash_is_sha_1)
{
    struct signature_kind kind =
        signature_kind_of(RAW("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00"));

    cr_assert_eq(kind.hash, HASH_SHA1);
}
