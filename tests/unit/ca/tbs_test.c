/* SPDX-License-Identifier: Apache-2.0 */
/* Is what we write, octet for octet, what OpenSSL would encode for the same content? */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/clock.h"
#include "ca/ca.h"

static EVP_PKEY *key;
static X509 *theirs;
static struct buf spki, name, ours;

static void setup(void)
{
    uint8_t *der = NULL;
    int len;

    key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    cr_assert_not_null(key);
    len = i2d_PUBKEY(key, &der);
    buf_init(&spki, 4096);
    buf_put(&spki, der, (size_t)len);
    OPENSSL_free(der);
    buf_init(&name, 4096);
    buf_init(&ours, 65536);
    name_write(&name, "Example UC", "Example UC EC Issuing CA G1");
    theirs = X509_new();
}

static void teardown(void)
{
    X509_free(theirs);
    EVP_PKEY_free(key);
    buf_free(&spki);
    buf_free(&name);
    buf_free(&ours);
}

TestSuite(tbs, .init = setup, .fini = teardown);
TestSuite(certificate, .init = setup, .fini = teardown);

/* OpenSSL's certificate with the same serial, names, times and key, before its extensions. */
static void fill_theirs(const struct tbs *t)
{
    const uint8_t *p = name.data;
    X509_NAME *n = d2i_X509_NAME(NULL, &p, (long)name.len);
    BIGNUM *serial = BN_bin2bn(t->serial, SERIAL_LEN, NULL);

    X509_set_version(theirs, 2);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(theirs));
    X509_set_issuer_name(theirs, n);
    X509_set_subject_name(theirs, n);
    ASN1_TIME_set(X509_getm_notBefore(theirs), t->not_before_s);
    ASN1_TIME_set(X509_getm_notAfter(theirs), t->not_after_s);
    X509_set_pubkey(theirs, key);
    BN_free(serial);
    X509_NAME_free(n);
}

static void add_theirs(const char *name_, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, theirs, theirs, NULL, NULL, 0);
    ext = X509V3_EXT_conf(NULL, &ctx, name_, value);
    cr_assert_not_null(ext, "%s = %s", name_, value);
    X509_add_ext(theirs, ext, -1);
    X509_EXTENSION_free(ext);
}

static void assert_same(const struct tbs *t)
{
    uint8_t *der = NULL;
    int len;

    X509_sign(theirs, key, EVP_sha384()); /* fills the inner algorithm */
    len = i2d_re_X509_tbs(theirs, &der);
    cr_assert_gt(len, 0);
    buf_reset(&ours);
    tbs_write(&ours, t);
    cr_assert_eq(buf_end(&ours), OK);
    cr_assert(span_eq(buf_span(&ours), span_of(der, (size_t)len)));
    OPENSSL_free(der);
}

static struct tbs base_tbs(void)
{
    static uint8_t ski[SKI_LEN];
    struct tbs t = {
        .serial = {1, 2, 3, 0xff},
        .alg = SIG_ECDSA_SHA384,
        .issuer = buf_span(&name),
        .subject = buf_span(&name),
        .spki = buf_span(&spki),
        .not_before_s = 1769860800,
        .not_after_s = 2524608000, /* 2050: the one in UTCTime, the other not */
    };

    cr_assert(ski_of(t.spki, ski));
    t.aki = span_of(ski, sizeof ski);
    return t;
}

Test(tbs, a_leaf_equals_openssl)
{
    static const enum eku eku[] = {EKU_SERVER_AUTH, EKU_CLIENT_AUTH, EKU_IPSEC_END_SYSTEM};
    static const uint8_t v4[] = {192, 0, 2, 1};
    const struct san sans[] = {{SAN_DNS, span_str("a.example.com")}, {SAN_IP, span_of(v4, 4)}};
    struct tbs t = base_tbs();

    t.ku = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT;
    t.eku = eku;
    t.eku_count = 3;
    t.sans = sans;
    t.san_count = 2;
    t.ocsp_url = "http://ca.example.com/ocsp";
    t.issuer_url = "http://ca.example.com/ca/ec-g1.cer";
    t.crl_url = "http://ca.example.com/crl/ec-g1.crl";
    fill_theirs(&t);
    add_theirs("keyUsage", "critical,digitalSignature,keyEncipherment,dataEncipherment,keyAgreement");
    add_theirs("extendedKeyUsage", "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5");
    add_theirs("subjectAltName", "DNS:a.example.com,IP:192.0.2.1");
    add_theirs("subjectKeyIdentifier", "hash");
    add_theirs("authorityKeyIdentifier", "keyid:always");
    add_theirs("crlDistributionPoints", "URI:http://ca.example.com/crl/ec-g1.crl");
    add_theirs("authorityInfoAccess",
               "OCSP;URI:http://ca.example.com/ocsp,caIssuers;URI:http://ca.example.com/ca/ec-g1.cer");
    assert_same(&t);
}

Test(tbs, a_subordinate_equals_openssl)
{
    struct tbs t = base_tbs();

    t.ku = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    t.is_ca = true;
    t.path_len = 1;
    fill_theirs(&t);
    add_theirs("basicConstraints", "critical,CA:TRUE,pathlen:1");
    add_theirs("keyUsage", "critical,keyCertSign,cRLSign");
    add_theirs("subjectKeyIdentifier", "hash");
    add_theirs("authorityKeyIdentifier", "keyid:always");
    assert_same(&t);
}

Test(tbs, a_root_has_no_path_length)
{
    struct tbs t = base_tbs();

    t.ku = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    t.is_ca = true;
    t.path_len = -1;
    fill_theirs(&t);
    add_theirs("basicConstraints", "critical,CA:TRUE");
    add_theirs("keyUsage", "critical,keyCertSign,cRLSign");
    add_theirs("subjectKeyIdentifier", "hash");
    add_theirs("authorityKeyIdentifier", "keyid:always");
    assert_same(&t);
}

Test(tbs, an_ocsp_signer_equals_openssl)
{
    static const enum eku eku[] = {EKU_OCSP_SIGNING};
    struct tbs t = base_tbs();

    t.ku = KU_DIGITAL_SIGNATURE;
    t.eku = eku;
    t.eku_count = 1;
    t.nocheck = true;
    fill_theirs(&t);
    add_theirs("keyUsage", "critical,digitalSignature");
    add_theirs("extendedKeyUsage", "OCSPSigning");
    add_theirs("subjectKeyIdentifier", "hash");
    add_theirs("authorityKeyIdentifier", "keyid:always");
    add_theirs("noCheck", "ignored");
    assert_same(&t);
}

Test(tbs, a_key_that_is_none_is_an_error_not_a_certificate)
{
    struct tbs t = base_tbs();

    t.spki = span_str("no key");
    tbs_write(&ours, &t);
    cr_assert_neq(buf_end(&ours), OK);
}

Test(certificate, openssl_verifies_what_is_put_together)
{
    struct tbs t = base_tbs();
    uint8_t signature[256];
    size_t signature_len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct buf whole;
    const uint8_t *p;
    X509 *x;

    t.ku = KU_KEY_CERT_SIGN;
    t.is_ca = true;
    t.path_len = -1;
    tbs_write(&ours, &t);
    cr_assert_eq(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key), 1);
    cr_assert_eq(EVP_DigestSign(ctx, signature, &signature_len, ours.data, ours.len), 1);
    buf_init(&whole, 65536);
    certificate_write(&whole, buf_span(&ours), t.alg, span_of(signature, signature_len));
    p = whole.data;
    x = d2i_X509(NULL, &p, (long)whole.len);
    cr_assert_not_null(x);
    cr_assert_eq((size_t)(p - whole.data), whole.len, "nothing trails");
    cr_assert_eq(X509_verify(x, key), 1);
    whole.data[whole.len - 1] ^= 1;
    X509_free(x);
    p = whole.data;
    x = d2i_X509(NULL, &p, (long)whole.len);
    cr_assert(x == NULL || X509_verify(x, key) != 1);
    X509_free(x);
    EVP_MD_CTX_free(ctx);
    buf_free(&whole);
}
