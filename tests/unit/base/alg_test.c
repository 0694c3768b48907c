/* SPDX-License-Identifier: Apache-2.0 */
/* Does one table tell key kinds apart and pair them with what OpenSSL writes? */
#include "base/alg.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

static EVP_PKEY *rsa(unsigned bits)
{
    EVP_PKEY *k = EVP_RSA_gen(bits);

    cr_assert_not_null(k);
    return k;
}

static EVP_PKEY *ec(const char *curve)
{
    EVP_PKEY *k = EVP_EC_gen(curve);

    cr_assert_not_null(k);
    return k;
}

static struct span spki_of(EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    cr_assert_gt(len, 0);
    EVP_PKEY_free(key);
    return span_of(der, (size_t)len);
}

static void check(EVP_PKEY *key, enum key_type type, unsigned bits, enum sig_alg alg)
{
    struct span spki = spki_of(key);
    struct key_kind kind;

    cr_assert(key_kind_of(spki, &kind));
    cr_assert_eq(kind.type, type);
    cr_assert_eq(kind.bits, bits);
    cr_assert_eq(sig_alg_for(&kind), alg);
    OPENSSL_free((void *)spki.data);
}

Test(alg, every_kind_is_known_and_paired)
{
    check(rsa(2048), KEY_RSA, 2048, SIG_RSA_SHA256);
    check(rsa(3072), KEY_RSA, 3072, SIG_RSA_SHA256);
    check(ec("P-256"), KEY_EC, 256, SIG_ECDSA_SHA256);
    check(ec("P-384"), KEY_EC, 384, SIG_ECDSA_SHA384);
    check(ec("P-521"), KEY_EC, 521, SIG_ECDSA_SHA512);
}

Test(alg, the_exponent_of_an_rsa_key_is_read)
{
    struct span spki = spki_of(rsa(2048));
    struct key_kind kind;

    cr_assert(key_kind_of(spki, &kind));
    cr_assert_eq(kind.exponent, 65537);
    cr_assert(key_exponent_is_sound(&kind));
    OPENSSL_free((void *)spki.data);
}

Test(alg, an_exponent_is_sound_when_it_is_odd_and_read_by_everyone)
{
    static const uint64_t bad[] = {
        0, 1, 2, 4, 65536, INT32_MAX + UINT64_C(1), INT32_MAX + UINT64_C(2), UINT64_MAX};
    static const uint64_t good[] = {3, 17, 65537, INT32_MAX};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!key_exponent_is_sound(&(struct key_kind){.exponent = bad[i]}), "%zu", i);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(key_exponent_is_sound(&(struct key_kind){.exponent = good[i]}), "%zu", i);
}

Test(alg, weak_foreign_and_other_keys_never_sign)
{
    check(rsa(1024), KEY_RSA, 1024, SIG_NONE);
    check(ec("P-224"), KEY_EC, 224, SIG_NONE);
    check(ec("secp256k1"), KEY_EC, 0, SIG_NONE);
    check(ec("brainpoolP256r1"), KEY_EC, 0, SIG_NONE);
    check(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), KEY_OTHER, 0, SIG_NONE);
}

Test(alg, key_bits_are_what_openssl_digests)
{
    EVP_PKEY *key = ec("P-256");
    X509_PUBKEY *pub = NULL;
    const unsigned char *bits;
    struct key_kind kind;
    struct span spki;
    int len;

    X509_PUBKEY_set(&pub, key);
    X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, pub);
    spki = spki_of(key);
    cr_assert(key_kind_of(spki, &kind));
    cr_assert(span_eq(kind.key_bits, span_of(bits, (size_t)len)));
    X509_PUBKEY_free(pub);
    OPENSSL_free((void *)spki.data);
}

Test(alg, algorithm_identifiers_equal_openssl)
{
    static const struct {
        enum sig_alg alg;
        int nid, param;
    } rows[] = {
        {SIG_RSA_SHA256, NID_sha256WithRSAEncryption, V_ASN1_NULL},
        {SIG_ECDSA_SHA256, NID_ecdsa_with_SHA256, V_ASN1_UNDEF},
        {SIG_ECDSA_SHA384, NID_ecdsa_with_SHA384, V_ASN1_UNDEF},
        {SIG_ECDSA_SHA512, NID_ecdsa_with_SHA512, V_ASN1_UNDEF},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        X509_ALGOR *a = X509_ALGOR_new();
        uint8_t *der = NULL;
        int len;

        X509_ALGOR_set0(a, OBJ_nid2obj(rows[i].nid), rows[i].param, NULL);
        len = i2d_X509_ALGOR(a, &der);
        cr_assert(span_eq(sig_alg_der(rows[i].alg), span_of(der, (size_t)len)), "%zu", i);
        OPENSSL_free(der);
        X509_ALGOR_free(a);
    }
}

/* The spans are read from copies of exact size, so that a sanitizer sees any octet too far. */
Test(alg, a_cut_or_padded_spki_is_refused)
{
    struct span spki = spki_of(ec("P-256"));
    struct key_kind kind;
    uint8_t *copy;

    for (size_t len = 0; len < spki.len; len++) {
        copy = malloc(len > 0 ? len : 1);
        memcpy(copy, spki.data, len);
        cr_assert(!key_kind_of(span_of(copy, len), &kind), "%zu", len);
        free(copy);
    }
    copy = calloc(1, spki.len + 1);
    memcpy(copy, spki.data, spki.len);
    cr_assert(!key_kind_of(span_of(copy, spki.len + 1), &kind));
    free(copy);
    OPENSSL_free((void *)spki.data);
}

Test(alg, shapes_that_are_not_a_key_are_refused)
{
    struct span spki = spki_of(ec("P-256"));
    uint8_t *octets = (uint8_t *)spki.data;
    size_t point = spki.len - 65;
    struct key_kind kind;

    octets[point] = 0x05;
    cr_assert(!key_kind_of(spki, &kind), "not a point");
    octets[point] = 0x04;
    octets[point - 1] = 0x01;
    cr_assert(!key_kind_of(spki, &kind), "unused bits");
    octets[point - 1] = 0x00;
    cr_assert(key_kind_of(spki, &kind), "and whole again");
    OPENSSL_free(octets);
}

static bool is_spelt_out(EVP_PKEY *key, bool is_explicit)
{
    struct span spki;
    bool is;

    if (is_explicit)
        cr_assert_eq(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
    spki = spki_of(key);
    is = has_explicit_curve(spki);
    cr_assert(!has_explicit_curve(span_of(spki.data, spki.len < 30 ? spki.len : 18)), "half an OID is none");
    OPENSSL_free((void *)spki.data);
    return is;
}

Test(alg, a_curve_spelt_out_is_seen_by_its_field)
{
    cr_assert(is_spelt_out(ec("P-256"), true), "over a prime field");
    cr_assert(is_spelt_out(ec("sect283k1"), true), "over a binary field");
    cr_assert(!is_spelt_out(ec("P-256"), false));
    cr_assert(!is_spelt_out(ec("sect283k1"), false));
    cr_assert(!is_spelt_out(rsa(2048), false));
    cr_assert(!has_explicit_curve(span_of(NULL, 0)));
}

Test(alg, names_are_those_users_type)
{
    cr_assert_str_eq(key_type_name(KEY_RSA), "rsa");
    cr_assert_str_eq(key_type_name(KEY_EC), "ec");
    cr_assert_str_eq(key_type_name(KEY_OTHER), "other");
}
