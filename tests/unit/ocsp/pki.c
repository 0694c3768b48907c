/* SPDX-License-Identifier: Apache-2.0 */
/* pki: OpenSSL's own builders, so that what our code reads was not written by it. */
#include "pki.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

int64_t pki_not_before_s = PKI_NOW - 30 * PKI_DAY;

static EVP_PKEY *new_key(const char *type)
{
    return strcmp(type, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    cr_assert_not_null(e);
    cr_assert(X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static void set_serial(X509 *x, const uint8_t *serial)
{
    BIGNUM *n = BN_bin2bn(serial, SERIAL_LEN, NULL);

    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
}

struct pki_cert pki_certificate(const char *cn, const struct pki_cert *issuer, enum pki_kind kind,
                                const char *key_type, unsigned number, int64_t not_after_s)
{
    struct pki_cert c = {.key = new_key(key_type), .x509 = X509_new()};
    X509_NAME *name = X509_get_subject_name(c.x509);
    int len;

    memset(c.serial, 0x5a, SERIAL_LEN);
    c.serial[0] = 1;
    c.serial[SERIAL_LEN - 2] = (uint8_t)(number >> 8);
    c.serial[SERIAL_LEN - 1] = (uint8_t)number;
    X509_set_version(c.x509, X509_VERSION_3);
    set_serial(c.x509, c.serial);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"Example", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)cn, -1, -1, 0);
    X509_set_issuer_name(c.x509, issuer != NULL ? X509_get_subject_name(issuer->x509) : name);
    ASN1_TIME_set(X509_getm_notBefore(c.x509), pki_not_before_s);
    ASN1_TIME_set(X509_getm_notAfter(c.x509), not_after_s);
    X509_set_pubkey(c.x509, c.key);
    if (kind == PKI_CA) {
        add_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(c.x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    }
    if (kind == PKI_RESPONDER) {
        add_extension(c.x509, NID_ext_key_usage, "OCSPSigning");
        add_extension(c.x509, NID_id_pkix_OCSP_noCheck, "NULL");
    }
    cr_assert(X509_sign(c.x509, issuer != NULL ? issuer->key : c.key, EVP_sha256()) > 0);
    len = i2d_X509(c.x509, &c.der);
    cr_assert(len > 0);
    c.der_len = (size_t)len;
    return c;
}

void pki_free(struct pki_cert *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->x509);
    OPENSSL_free(c->der);
}

OCSP_CERTID *pki_certid(const EVP_MD *md, const struct pki_cert *issuer, struct span serial)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    BIGNUM *bn = BN_bin2bn(serial.data, (int)serial.len, NULL);
    OCSP_CERTID *id;

    BN_to_ASN1_INTEGER(bn, n);
    id = OCSP_cert_id_new(md, X509_get_subject_name(issuer->x509), X509_get0_pubkey_bitstr(issuer->x509), n);
    cr_assert_not_null(id);
    BN_free(bn);
    ASN1_INTEGER_free(n);
    return id;
}

void pki_add(OCSP_REQUEST *r, OCSP_CERTID *id)
{
    cr_assert_not_null(OCSP_request_add0_id(r, id));
}

void pki_add_nonce(OCSP_REQUEST *r, size_t len, bool is_critical)
{
    ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new(), *outer = ASN1_OCTET_STRING_new();
    uint8_t octets[256], *der = NULL;
    X509_EXTENSION *e = NULL;
    int der_len;

    memset(octets, 0xa5, sizeof octets);
    ASN1_OCTET_STRING_set(inner, octets, (int)len);
    der_len = i2d_ASN1_OCTET_STRING(inner, &der);
    ASN1_OCTET_STRING_set(outer, der, der_len);
    e = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_Nonce, is_critical, outer);
    cr_assert(OCSP_REQUEST_add_ext(r, e, -1) == 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(inner);
    ASN1_OCTET_STRING_free(outer);
    OPENSSL_free(der);
}

struct buf pki_encode(OCSP_REQUEST *r)
{
    uint8_t *der = NULL;
    int len = i2d_OCSP_REQUEST(r, &der);
    struct buf b;

    cr_assert(len > 0);
    buf_init(&b, 1 << 20);
    buf_put(&b, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_REQUEST_free(r);
    return b;
}
