/* SPDX-License-Identifier: Apache-2.0 */
/* Is OCSP answered over HTTP as docs/interface.md, 4 says? The command line's own engine, which is OpenSSL's,
 * is the judge. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

#include "cli/ocsp_query.h"
#include "tests/unit/api/site.h"

TestSuite(public_ocsp, .init = site_open, .fini = site_close, .timeout = 60);

static struct span pem_of(X509 *x, BIO *bio)
{
    char *data;
    long len;

    cr_assert_eq(PEM_write_bio_X509(bio, x), 1);
    len = BIO_get_mem_data(bio, &data);
    return span_of(data, (size_t)len);
}

static enum err query(struct ocsp_query q, struct ocsp_query_result *out)
{
    struct fault f = {0};
    enum err e;

    q.certificate = q.certificate.len > 0 ? q.certificate : span_of(site.leaf.der, site.leaf.der_len);
    q.issuer = span_of(site.ca.der, site.ca.der_len);
    q.url = site.url;
    q.now_s = time(NULL);
    e = ocsp_query(&q, out, &f);
    cr_assert(e == OK || f.detail[0] != '\0');
    return e;
}

Test(public_ocsp, ocsp_is_answered_with_a_verified_status_and_our_nonce)
{
    struct ocsp_query_result r;
    static const size_t nonces[] = {1, 32, 128};

    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(query((struct ocsp_query){.nonce_len = nonces[i]}, &r), OK);
        cr_assert_eq(r.status, OCSP_QUERY_GOOD);
        cr_assert(r.is_nonce_echoed);
        cr_assert_eq(r.next_update_s - r.this_update_s, PKI_DAY);
        cr_assert_not_null(strstr(r.responder, "OCSP"));
    }
    cr_assert_eq(query((struct ocsp_query){.without_nonce = true, .certid = HASH_SHA256}, &r), OK);
    cr_assert_not(r.is_nonce_echoed);
}

Test(public_ocsp, the_answer_after_a_revocation_says_revoked)
{
    struct ocsp_query_result r;
    struct fault f = {0};
    struct store *store;
    struct txn *t;

    cr_assert_eq(query((struct ocsp_query){0}, &r), OK);
    cr_assert_eq(store_open(site.config->store_dir, STORE_WRITE, 0, &store, &f), OK, "%s", f.detail);
    cr_assert_eq(txn_begin(store, &t), OK);
    cert_revoke(t, site.leaf.serial, REASON_SUPERSEDED, 1700000000, NO_TIME);
    cr_assert_eq(txn_commit(t), OK);
    cr_assert_eq(query((struct ocsp_query){0}, &r), OK);
    cr_assert_eq(r.status, OCSP_QUERY_REVOKED);
    cr_assert(r.has_reason && r.reason == REASON_SUPERSEDED);
    cr_assert_eq(r.revoked_at_s, 1700000000);
    store_close(store);
}

Test(public_ocsp, a_serial_that_was_not_issued_is_unknown)
{
    struct pki_cert other =
        pki_certificate("b.example.com", &site.ca, PKI_LEAF, "EC", 99, time(NULL) + PKI_DAY);
    struct ocsp_query_result r;
    BIO *bio = BIO_new(BIO_s_mem());

    cr_assert_eq(query((struct ocsp_query){.certificate = pem_of(other.x509, bio)}, &r), OK);
    cr_assert_eq(r.status, OCSP_QUERY_UNKNOWN);
    BIO_free(bio);
    pki_free(&other);
}

static struct buf ocsp_get_path(size_t nonce_len, const struct pki_cert *issuer)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();
    struct buf der, path;
    uint8_t text[1024];

    pki_add(r, pki_certid(EVP_sha1(), issuer, span_of(site.leaf.serial, SERIAL_LEN)));
    if (nonce_len > 0)
        pki_add_nonce(r, nonce_len, false);
    der = pki_encode(r);
    EVP_EncodeBlock(text, der.data, (int)der.len);
    buf_init(&path, 4096);
    buf_put_str(&path, "/ocsp/");
    for (const uint8_t *p = text; *p != 0; p++)
        buf_printf(&path, strchr("+/=", *p) != NULL ? "%%%02X" : "%c", *p);
    buf_put_u8(&path, 0);
    buf_free(&der);
    return path;
}

Test(public_ocsp, a_get_without_a_nonce_may_be_cached_for_a_minute)
{
    struct buf path = ocsp_get_path(0, &site.ca),
               a = send_request("GET", (char *)path.data, "", (struct span){0});

    cr_assert(has(&a, "200"));
    cr_assert(has(&a, "Content-Type: application/ocsp-response\r\n"));
    cr_assert(has(&a, "Cache-Control: max-age=60, public, no-transform, must-revalidate\r\n"));
    cr_assert(has(&a, "\r\nETag: \""));
    cr_assert(has(&a, "\r\nExpires: "));
    cr_assert(has(&a, "\r\nLast-Modified: "));
    buf_free(&a);
    answers("GET", (char *)path.data, "If-None-Match: *\r\n", "304", "ETag: \"", "");
    answers("HEAD", (char *)path.data, "", "200", "application/ocsp-response", "");
    buf_free(&path);
}

Test(public_ocsp, a_nonce_or_an_error_is_not_to_be_stored)
{
    struct buf with = ocsp_get_path(16, &site.ca), foreign = ocsp_get_path(0, &site.leaf);

    answers("GET", (char *)with.data, "", "200", "Cache-Control: no-store", NULL);
    answers("GET", (char *)foreign.data, "", "200", "Cache-Control: no-store", "0\x03\x0a\x01\x06");
    answers("GET", "/ocsp/nonsense!", "", "200", "Content-Type: application/ocsp-response",
            "0\x03\x0a\x01\x01");
    buf_free(&with);
    buf_free(&foreign);
}

Test(public_ocsp, a_post_needs_its_type_and_its_limit)
{
    static uint8_t large[OCSP_REQUEST_MAX + 1];
    struct buf a = send_request("POST", "/ocsp", "Content-Type: text/plain\r\n", span_str("x"));

    cr_assert(has(&a, " 415 ") && has(&a, "application/problem+json"));
    buf_free(&a);
    a = send_request("POST", "/ocsp", "Content-Type: application/ocsp-request\r\n",
                     span_of(large, sizeof large));
    cr_assert(has(&a, " 413 "));
    buf_free(&a);
    a = send_request("POST", "/ocsp/", "Content-Type: application/OCSP-request; charset=x\r\n",
                     span_str("x"));
    cr_assert(has(&a, " 200 ") && has(&a, "application/ocsp-response"));
    buf_free(&a);
}
