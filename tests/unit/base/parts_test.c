/* SPDX-License-Identifier: Apache-2.0 */
/* Are the parts where OpenSSL says they are, and is a damaged certificate refused? */
#include "base/parts.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *der;
static int der_len;

static void setup(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *x = X509_new();
    X509_NAME *n = X509_NAME_new();
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 77);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)"parts", -1, -1, 0);
    X509_set_subject_name(x, n);
    X509_set_issuer_name(x, n);
    ASN1_TIME_set(X509_getm_notBefore(x), 1769860800);
    ASN1_TIME_set(X509_getm_notAfter(x), 2600000000);
    X509_set_pubkey(x, key);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf(NULL, &ctx, "subjectKeyIdentifier", "00112233");
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    ext = X509V3_EXT_conf(NULL, &ctx, "keyUsage", "critical,digitalSignature");
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    X509_sign(x, key, EVP_sha256());
    der_len = i2d_X509(x, &der);
    X509_NAME_free(n);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void teardown(void)
{
    OPENSSL_free(der);
}

TestSuite(parts, .init = setup, .fini = teardown);

Test(parts, are_found)
{
    struct extension ext;
    struct parts p;

    cr_assert(parts_of(span_of(der, (size_t)der_len), &p));
    cr_assert(span_eq(p.serial, span_of("\x4d", 1)));
    cr_assert(span_eq(p.issuer, p.subject));
    cr_assert_eq(p.not_before_s, 1769860800);
    cr_assert_eq(p.not_after_s, 2600000000, "GeneralizedTime");
    cr_assert(span_eq(p.ski, span_of("\x00\x11\x22\x33", 4)));
    cr_assert(parts_extension(&p, span_str("\x55\x1d\x0f"), &ext));
    cr_assert(ext.is_critical);
    cr_assert(parts_extension(&p, span_str("\x55\x1d\x0e"), &ext));
    cr_assert(!ext.is_critical);
    cr_assert(!parts_extension(&p, span_str("\x55\x1d\x13"), &ext), "absent");
}

/* The path length of a certificate with such basicConstraints; -2: it is no CA's. */
static int64_t path_len(const char *constraints, size_t len)
{
    struct parts p = {0};
    int64_t out = 0;
    struct buf b;
    bool is_ca;

    buf_init(&b, 256);
    struct der_extension e = der_open_extension(&b, span_str("\x55\x1d\x13"), true);
    buf_put(&b, constraints, len);
    der_close_extension(&b, e);
    p.extensions = buf_span(&b);
    is_ca = parts_path_len(&p, &out);
    buf_free(&b);
    return is_ca ? out : -2;
}

Test(parts, path_length_is_a_cas)
{
    int64_t out = 0;
    struct parts p;

    cr_assert(parts_of(span_of(der, (size_t)der_len), &p));
    cr_expect(!parts_path_len(&p, &out), "it has no basicConstraints");
    cr_expect_eq(path_len("\x30\x00", 2), -2);
    cr_expect_eq(path_len("\x30\x03\x01\x01\xff", 5), -1);
    cr_expect_eq(path_len("\x30\x06\x01\x01\xff\x02\x01\x00", 8), 0);
    cr_expect_eq(path_len("\x30\x06\x01\x01\xff\x02\x01\x01", 8), 1);
    cr_expect_eq(path_len("\x30\x06\x01\x01\xff\x02\x01\xff", 8), -2, "it is negative");
    cr_expect_eq(path_len("\x30\x08\x01\x01\xff\x02\x01\x01\x05\x00", 10), -2, "something follows it");
    cr_expect_eq(path_len("\x30\x06\x01\x01\x00\x02\x01\x01", 8), -2);
}

Test(parts, no_truncation_is_a_certificate)
{
    struct parts p;

    for (size_t len = 0; len < (size_t)der_len; len++)
        cr_assert(!parts_of(span_of(der, len), &p), "%zu", len);
}

Test(parts, a_changed_octet_never_reads_outside)
{
    struct extension ext;
    struct parts p;

    for (size_t i = 0; i < (size_t)der_len; i++) {
        for (unsigned v = 1; v < 256; v <<= 1) {
            der[i] ^= (uint8_t)v;
            if (parts_of(span_of(der, (size_t)der_len), &p)) /* the sanitizers judge */
                cr_assert(p.tbs.len <= (size_t)der_len && !parts_extension(&p, span_str("none"), &ext));
            der[i] ^= (uint8_t)v;
        }
    }
}
