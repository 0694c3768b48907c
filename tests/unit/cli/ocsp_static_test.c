/* SPDX-License-Identifier: Apache-2.0 */
/* Is a static set kept under the very octets that clients ask, and is only a whole answer of ours taken for
 * one? */
#include "cli/ocsp_static.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/ocsp/pki.h"

static struct pki_cert ca, responder, leaf;
static struct static_issuer issuer;
static struct static_place place;

static void setup(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    long len;

    ca = pki_certificate("Example CA G1", NULL, PKI_CA, "EC", 1, PKI_NOW + 100 * PKI_DAY);
    responder = pki_certificate("OCSP", &ca, PKI_RESPONDER, "EC", 3, PKI_NOW + 10 * PKI_DAY);
    leaf = pki_certificate("a.example.com", &ca, PKI_LEAF, "EC", 4, PKI_NOW + 10 * PKI_DAY);
    PEM_write_bio_X509(bio, ca.x509);
    len = BIO_get_mem_data(bio, &pem);
    cr_assert(static_issuer_read(span_of(pem, (size_t)len), &issuer));
    BIO_free(bio);
    cr_assert(static_place_of(&issuer, leaf.serial, "/ocsp", &place));
}

static void teardown(void)
{
    pki_free(&ca);
    pki_free(&responder);
    pki_free(&leaf);
}

TestSuite(ocsp_static, .init = setup, .fini = teardown);

/* As the responder writes one, by OpenSSL. */
static struct buf answer(int status, int64_t next_s)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf.x509, ca.x509);
    ASN1_GENERALIZEDTIME *from = ASN1_GENERALIZEDTIME_set(NULL, PKI_NOW),
                         *to = ASN1_GENERALIZEDTIME_set(NULL, next_s),
                         *revoked = ASN1_GENERALIZEDTIME_set(NULL, PKI_NOW - 500);
    OCSP_RESPONSE *r;
    uint8_t *der = NULL;
    struct buf b;
    int len;

    OCSP_basic_add1_status(basic, id, status, 4, revoked, from, to);
    cr_assert_eq(OCSP_basic_sign(basic, responder.x509, responder.key, EVP_sha256(), NULL, OCSP_RESPID_KEY),
                 1);
    r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = i2d_OCSP_RESPONSE(r, &der);
    buf_init(&b, 65536);
    buf_put(&b, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(r);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_GENERALIZEDTIME_free(from);
    ASN1_GENERALIZEDTIME_free(to);
    ASN1_GENERALIZEDTIME_free(revoked);
    return b;
}

Test(ocsp_static, the_path_is_openssls_request)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();
    struct buf der;
    char base64[STATIC_NAME_MAX], file[STATIC_NAME_MAX + 8];

    pki_add(r, OCSP_cert_to_id(EVP_sha1(), leaf.x509, ca.x509));
    der = pki_encode(r);
    EVP_EncodeBlock((uint8_t *)base64, der.data, (int)der.len);
    snprintf(file, sizeof file, "ocsp/%s", base64);
    cr_assert_str_eq(place.file, file);
    cr_assert_eq(strncmp(place.path, "/ocsp/", 6), 0);
    cr_assert_null(strpbrk(place.path + 6, "/+="), "every one of them is escaped");
    buf_free(&der);
}

Test(ocsp_static, an_answer_is_read)
{
    struct static_answer a;
    int64_t before_s = clock_now_s();
    struct buf good = answer(V_OCSP_CERTSTATUS_GOOD, PKI_NOW + PKI_DAY),
               revoked = answer(V_OCSP_CERTSTATUS_REVOKED, PKI_NOW + 60);

    cr_assert(static_answer_read(buf_span(&good), &place, &a, NULL));
    cr_assert(a.state == STATIC_GOOD && a.this_update_s == PKI_NOW && a.next_update_s == PKI_NOW + PKI_DAY);
    cr_assert(a.produced_at_s >= before_s && a.produced_at_s <= clock_now_s(), "OpenSSL asks the clock");
    cr_assert(static_answer_read(buf_span(&revoked), &place, &a, NULL));
    cr_assert(a.state == STATIC_REVOKED && a.revoked_at_s == PKI_NOW - 500 &&
              a.next_update_s == PKI_NOW + 60);
    buf_free(&good);
    buf_free(&revoked);
}

Test(ocsp_static, an_answer_about_another_certificate_is_none)
{
    struct buf good = answer(V_OCSP_CERTSTATUS_GOOD, PKI_NOW + PKI_DAY);
    struct static_place other;
    struct static_answer a;

    cr_assert(static_place_of(&issuer, responder.serial, "/ocsp", &other));
    cr_assert_not(static_answer_read(buf_span(&good), &other, &a, NULL));
    buf_free(&good);
}

Test(ocsp_static, what_is_cut_off_is_none)
{
    struct buf good = answer(V_OCSP_CERTSTATUS_GOOD, PKI_NOW + PKI_DAY);
    struct static_answer a;

    for (size_t len = 0; len < good.len; len++)
        cr_assert_not(static_answer_read(span_of(good.data, len), &place, &a, NULL), "%zu", len);
    buf_free(&good);
}

Test(ocsp_static, errors_are_none_and_try_later_is_told)
{
    struct static_answer a;
    bool later;

    cr_assert_not(static_answer_read(span_of((uint8_t[]){0x30, 3, 10, 1, 3}, 5), &place, &a, &later));
    cr_assert(later);
    cr_assert_not(static_answer_read(span_of((uint8_t[]){0x30, 3, 10, 1, 6}, 5), &place, &a, &later));
    cr_assert_not(later);
    cr_assert_not(static_answer_read(span_str("<html>"), &place, &a, &later));
    cr_assert_not(later);
}

Test(ocsp_static, what_is_no_certificate_is_no_issuer)
{
    struct static_issuer i;

    cr_assert_not(static_issuer_read(span_str(""), &i));
    cr_assert_not(static_issuer_read(span_str("-----BEGIN CERTIFICATE-----\n"), &i));
    cr_assert_not(
        static_issuer_read(span_str("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"), &i));
}

Test(ocsp_static, a_prefix_leads_nowhere_but_below)
{
    static const char *const good[] = {"/ocsp", "/a/b", "/.ocsp", "/..ocsp/x", "/a.b~c_d-1"};
    static const char *const bad[] = {"",     "/",     "ocsp",   "/..",      "/../x",  "/a/../..", "/a/..",
                                      "/./a", "/a//b", "/ocsp/", "/oc%2fsp", "/ocsp?", "/a b",     "/..."};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(static_prefix_is_plain(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(static_prefix_is_plain(bad[i]), "%s", bad[i]);
}

/* One certificate of two hundred has such a name. */
Test(ocsp_static, a_sweep_leaves_a_name_with_two_slashes)
{
    char dir[] = "/tmp/ocsp-static-XXXXXX", command[160];
    uint8_t serial[SERIAL_LEN] = {1};
    struct static_seen seen = {0};
    size_t removed = 0;
    struct buf b;

    memset(serial + 1, 0xff, SERIAL_LEN - 1); /* a run of '/' wherever it begins */
    cr_assert(static_place_of(&issuer, serial, "/ocsp", &place));
    cr_assert_not_null(strstr(place.file, "//"));
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(static_put(dir, &place, span_str("one"), PKI_NOW, NULL), OK);
    static_seen_add(&seen, place.file);
    cr_assert_eq(static_sweep(dir, "ocsp", &seen, &removed, NULL), OK);
    cr_assert_eq(removed, 0);
    buf_init(&b, 64);
    cr_assert_eq(static_get(dir, &place, &b), OK);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
    buf_free(&b);
    static_seen_free(&seen);
}

Test(ocsp_static, a_sweep_leaves_what_was_seen)
{
    char dir[] = "/tmp/ocsp-static-XXXXXX", command[160];
    struct static_place second = place;
    struct static_seen seen = {0};
    struct fault f = {0};
    size_t removed = 0;
    struct buf b;

    cr_assert_not_null(mkdtemp(dir));
    strcpy(second.file, "ocsp/a/b/c");
    cr_assert_eq(static_put(dir, &place, span_str("one"), PKI_NOW, &f), OK, "%s", f.detail);
    cr_assert_eq(static_put(dir, &second, span_str("two"), PKI_NOW, &f), OK, "%s", f.detail);
    static_seen_add(&seen, place.file);
    buf_init(&b, 64);
    cr_assert_eq(static_count_others(dir, "ocsp", &seen, &removed, &f), OK, "%s", f.detail);
    cr_assert_eq(removed, 1);
    cr_assert_eq(static_get(dir, &second, &b), OK, "counting removes nothing");
    cr_assert_eq(static_sweep(dir, "ocsp", &seen, &removed, &f), OK, "%s", f.detail);
    cr_assert_eq(removed, 1);
    cr_assert_eq(static_count_others(dir, "ocsp", &seen, &removed, &f), OK, "%s", f.detail);
    cr_assert_eq(removed, 0);
    cr_assert_eq(static_get(dir, &second, &b), ERR_NOT_FOUND);
    cr_assert_eq(static_get(dir, &place, &b), OK);
    cr_assert(span_eq(buf_span(&b), span_str("one")));
    snprintf(command, sizeof command, "test ! -e %s/ocsp/a && test ! -e %s/.draft && rm -r %s", dir, dir,
             dir);
    cr_assert_eq(system(command), 0);
    buf_free(&b);
    static_seen_free(&seen);
}
