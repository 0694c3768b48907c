/* SPDX-License-Identifier: Apache-2.0 */
/* press: see the header. */
#include "tests/unit/watch/press.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void press_open(struct press *p, const char *kind, const char *name)
{
    char path[PATH_LEN_MAX];
    X509_NAME *n;
    FILE *file;

    strcpy(p->dir, "/tmp/chancery-watch-XXXXXX");
    cr_assert_not_null(mkdtemp(p->dir));
    p->key = strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(kind);
    p->certificate = X509_new();
    X509_set_version(p->certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p->certificate), 7);
    n = X509_get_subject_name(p->certificate);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
    X509_set_issuer_name(p->certificate, n);
    ASN1_TIME_set(X509_getm_notBefore(p->certificate), PRESS_NOW - 86400);
    ASN1_TIME_set(X509_getm_notAfter(p->certificate), PRESS_NOW + 86400);
    X509_set_pubkey(p->certificate, p->key);
    cr_assert(X509_sign(p->certificate, p->key, EVP_sha256()) > 0);
    snprintf(path, sizeof path, "%s/ca.pem", p->dir);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    PEM_write_X509(file, p->certificate);
    fclose(file);
}

void press_close(struct press *p)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", p->dir);
    cr_assert_eq(system(command), 0);
    X509_free(p->certificate);
    EVP_PKEY_free(p->key);
}

struct watch_config press_config(const struct press *p)
{
    struct watch_config c = {.issuer_count = 1, .retry_s = 1, .retry_max_s = 60, .check_s = 3600};

    strcpy(c.issuers[0].id, "ca");
    snprintf(c.issuers[0].certificate, sizeof c.issuers[0].certificate, "%s/ca.pem", p->dir);
    c.issuers[0].overlap_s = 4 * 3600;
    return c;
}

static void add_integer(X509_CRL *crl, int nid, uint64_t v, int is_critical)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();

    ASN1_INTEGER_set_uint64(n, v);
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, nid, n, is_critical, 0), 1);
    ASN1_INTEGER_free(n);
}

static void add_entries(X509_CRL *crl, size_t count)
{
    ASN1_TIME *at = ASN1_TIME_set(NULL, PRESS_NOW - 100);

    for (size_t i = 0; i < count; i++) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();

        ASN1_INTEGER_set_uint64(serial, 1000000 + i);
        X509_REVOKED_set_serialNumber(r, serial);
        X509_REVOKED_set_revocationDate(r, at);
        X509_CRL_add0_revoked(crl, r);
        ASN1_INTEGER_free(serial);
    }
    ASN1_TIME_free(at);
}

struct span press_crl(const struct press *p, const struct sheet *s)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_set(NULL, s->this_update_s);
    const EVP_MD *md = EVP_PKEY_get_bits(p->key) == 384 ? EVP_sha384() : EVP_sha256();
    uint8_t *der = NULL;
    int len;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(p->certificate));
    X509_CRL_set1_lastUpdate(crl, t);
    if (s->next_update_s != 0) {
        ASN1_TIME_set(t, s->next_update_s);
        X509_CRL_set1_nextUpdate(crl, t);
    }
    ASN1_TIME_free(t);
    add_entries(crl, s->entries);
    if (s->number != 0)
        add_integer(crl, NID_crl_number, s->number, 0);
    if (s->is_delta)
        add_integer(crl, NID_delta_crl, 1, 1);
    cr_assert(X509_CRL_sign(crl, p->key, md) > 0);
    len = i2d_X509_CRL(crl, &der);
    cr_assert(len > 0);
    X509_CRL_free(crl);
    return span_of(der, (size_t)len);
}

struct span press_pem(struct span der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;
    uint8_t *copy;

    cr_assert(PEM_write_bio(bio, "X509 CRL", "", der.data, (long)der.len) > 0);
    len = BIO_get_mem_data(bio, &text);
    copy = malloc((size_t)len);
    memcpy(copy, text, (size_t)len);
    BIO_free(bio);
    return span_of(copy, (size_t)len);
}
