/* SPDX-License-Identifier: Apache-2.0 */
/* Does the reader take every request that is DER and within its bounds, nothing else, and always as OpenSSL
 * reads it? */
#include "ocsp/ocsp.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "pki.h"

static struct pki_cert ca, leaf;
static struct ocsp_request out;

static void setup(void)
{
    ca = pki_certificate("Example CA G1", NULL, PKI_CA, "EC", 1, PKI_NOW + 100 * PKI_DAY);
    leaf = pki_certificate("a.example.com", &ca, PKI_LEAF, "EC", 2, PKI_NOW + 50 * PKI_DAY);
}

static void teardown(void)
{
    pki_free(&ca);
    pki_free(&leaf);
}

TestSuite(ocsp_request, .init = setup, .fini = teardown);

static OCSP_REQUEST *asking(const EVP_MD *md, size_t count)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();

    for (size_t i = 0; i < count; i++)
        pki_add(r, pki_certid(md, &ca, span_of(leaf.serial, SERIAL_LEN)));
    return r;
}

static enum ocsp_status read_buf(struct buf *b)
{
    enum ocsp_status s = ocsp_request_read(buf_span(b), &out);

    if (s == OCSP_SUCCESSFUL) {
        const char *difference = agree(buf_span(b), &out);

        cr_assert_null(difference, "%s", difference);
    } else {
        const char *difference = agree_refused(buf_span(b));
        char hex[4 * OCSP_REQUEST_MAX + 1] = "";

        if (difference != NULL)
            hex_encode(buf_span(b), hex);
        cr_assert_null(difference, "%s: %s", difference, hex);
    }
    return s;
}

static enum ocsp_status read_once(OCSP_REQUEST *r)
{
    struct buf b = pki_encode(r);
    enum ocsp_status s = read_buf(&b);

    buf_free(&b);
    return s;
}

Test(ocsp_request, every_usual_hash_is_read_as_openssl_reads_it)
{
    const EVP_MD *mds[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
    enum hash_alg algs[] = {HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512};

    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(read_once(asking(mds[i], 1)), OCSP_SUCCESSFUL);
        cr_assert_eq(out.count, 1);
        cr_assert_eq(out.ids[0].alg, algs[i]);
        cr_assert_not(out.has_nonce);
    }
}

Test(ocsp_request, an_unusual_hash_is_read_as_none)
{
    cr_assert_eq(read_once(asking(EVP_sha224(), 1)), OCSP_SUCCESSFUL);
    cr_assert_eq(out.ids[0].alg, HASH_NONE);
}

Test(ocsp_request, up_to_32_certids_are_read)
{
    cr_assert_eq(read_once(asking(EVP_sha256(), OCSP_CERTIDS_MAX)), OCSP_SUCCESSFUL);
    cr_assert_eq(out.count, OCSP_CERTIDS_MAX);
    cr_assert_eq(read_once(asking(EVP_sha256(), OCSP_CERTIDS_MAX + 1)), OCSP_MALFORMED);
    cr_assert_eq(read_once(asking(EVP_sha1(), OCSP_CERTIDS_MAX + 1)), OCSP_MALFORMED);
    cr_assert_eq(read_once(asking(EVP_sha1(), 0)), OCSP_MALFORMED);
}

Test(ocsp_request, a_nonce_has_1_to_128_octets)
{
    static const size_t good[] = {1, 16, 32, 127, 128}, bad[] = {0, 129, 200};

    for (size_t critical = 0; critical < 2; critical++) {
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
            OCSP_REQUEST *r = asking(EVP_sha1(), 1);

            pki_add_nonce(r, good[i], critical != 0);
            cr_assert_eq(read_once(r), OCSP_SUCCESSFUL, "%zu", good[i]);
            cr_assert(out.has_nonce && out.nonce.len == good[i]);
        }
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            OCSP_REQUEST *r = asking(EVP_sha1(), 1);

            pki_add_nonce(r, bad[i], critical != 0);
            cr_assert_eq(read_once(r), OCSP_MALFORMED, "%zu", bad[i]);
        }
    }
}

Test(ocsp_request, two_nonces_are_malformed)
{
    OCSP_REQUEST *r = asking(EVP_sha1(), 1);

    pki_add_nonce(r, 16, false);
    pki_add_nonce(r, 16, false);
    cr_assert_eq(read_once(r), OCSP_MALFORMED);
}

static X509_EXTENSION *other_extension(bool is_critical)
{
    ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e;

    ASN1_OCTET_STRING_set(s, (const uint8_t *)"\x30\x00", 2);
    e = X509_EXTENSION_create_by_NID(NULL, NID_id_pkix_OCSP_acceptableResponses, is_critical, s);
    ASN1_OCTET_STRING_free(s);
    return e;
}

Test(ocsp_request, other_extensions_are_ignored_unless_critical)
{
    for (int critical = 0; critical < 2; critical++) {
        X509_EXTENSION *e = other_extension(critical != 0);
        OCSP_REQUEST *r = asking(EVP_sha1(), 1), *s = asking(EVP_sha1(), 1);
        enum ocsp_status want = critical ? OCSP_MALFORMED : OCSP_SUCCESSFUL;

        pki_add_nonce(r, 16, false);
        OCSP_REQUEST_add_ext(r, e, -1);
        cr_assert_eq(read_once(r), want);
        cr_assert(out.has_nonce);
        OCSP_ONEREQ_add_ext(OCSP_request_onereq_get0(s, 0), e, -1);
        cr_assert_eq(read_once(s), want);
        X509_EXTENSION_free(e);
    }
}

Test(ocsp_request, a_requestor_name_and_a_signature_are_read_and_ignored)
{
    OCSP_REQUEST *r = asking(EVP_sha256(), 2);

    pki_add_nonce(r, 32, false);
    OCSP_request_set1_name(r, X509_get_subject_name(leaf.x509));
    cr_assert(OCSP_request_sign(r, leaf.x509, leaf.key, EVP_sha256(), NULL, 0) == 1);
    cr_assert_eq(read_once(r), OCSP_SUCCESSFUL);
    cr_assert_eq(out.count, 2);
    cr_assert(out.has_nonce && out.nonce.len == 32);
}

/* OpenSSL decodes them with the request, and sets the curve up: what anybody may send must not cost that. */
Test(ocsp_request, a_signer_on_a_curve_spelt_out_is_malformed)
{
    OCSP_REQUEST *r = asking(EVP_sha256(), 1);

    cr_assert_eq(EVP_PKEY_set_utf8_string_param(leaf.key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
    cr_assert(X509_set_pubkey(leaf.x509, leaf.key) == 1 && X509_sign(leaf.x509, ca.key, EVP_sha256()) > 0);
    cr_assert(OCSP_request_sign(r, leaf.x509, leaf.key, EVP_sha256(), NULL, 0) == 1);
    cr_assert_eq(read_once(r), OCSP_MALFORMED);
}

/* Octets after the TBSRequest's header, both headers' lengths put right. */
static struct buf with_version(struct buf *b, uint8_t version)
{
    const uint8_t explicit[] = {0xa0, 3, 2, 1, version};
    struct span in = buf_span(b);
    struct der request, tbs;
    struct buf again;
    size_t m1, m2;

    cr_assert(der_expect(&in, DER_SEQUENCE, &request) && der_expect(&request.body, DER_SEQUENCE, &tbs));
    buf_init(&again, 4096);
    m1 = der_open(&again, DER_SEQUENCE);
    m2 = der_open(&again, DER_SEQUENCE);
    buf_put(&again, explicit, sizeof explicit);
    buf_put_span(&again, tbs.body);
    der_close(&again, m2);
    der_close(&again, m1);
    return again;
}

Test(ocsp_request, a_spelt_out_v1_is_understood_and_v2_is_not)
{
    struct buf plain = pki_encode(asking(EVP_sha1(), 1)), v1 = with_version(&plain, 0),
               v2 = with_version(&plain, 1);

    cr_assert_eq(read_buf(&v1), OCSP_SUCCESSFUL);
    cr_assert_eq(out.count, 1);
    cr_assert_eq(read_buf(&v2), OCSP_MALFORMED);
    buf_free(&plain);
    buf_free(&v1);
    buf_free(&v2);
}

Test(ocsp_request, serials_are_given_as_they_are)
{
    static const uint8_t octets[21] = {0x7f, 1, 2, 3};
    struct buf b;

    for (size_t len = 1; len <= sizeof octets; len++) {
        OCSP_REQUEST *r = OCSP_REQUEST_new();

        pki_add(r, pki_certid(EVP_sha1(), &ca, span_of(octets, len)));
        b = pki_encode(r);
        cr_assert_eq(read_buf(&b), OCSP_SUCCESSFUL);
        cr_assert(span_eq(out.ids[0].serial, span_of(octets, len)));
        buf_free(&b);
    }
}

Test(ocsp_request, more_than_the_limit_is_malformed)
{
    struct buf b;

    buf_init(&b, 2 * OCSP_REQUEST_MAX);
    der_put_header(&b, DER_SEQUENCE, OCSP_REQUEST_MAX);
    memset(buf_grow(&b, OCSP_REQUEST_MAX), 0x30, OCSP_REQUEST_MAX);
    cr_assert_eq(read_buf(&b), OCSP_MALFORMED);
    buf_free(&b);
    cr_assert_eq(ocsp_request_read((struct span){0}, &out), OCSP_MALFORMED);
}

/* Requests of every shape, for truncation and mutation. */
static struct buf shape(int which)
{
    OCSP_REQUEST *r = asking(which % 2 == 0 ? EVP_sha1() : EVP_sha256(), which == 3 ? 3 : 1);

    if (which > 0)
        pki_add_nonce(r, 16, which == 2);
    if (which == 4) {
        X509_EXTENSION *e = other_extension(false);

        OCSP_ONEREQ_add_ext(OCSP_request_onereq_get0(r, 0), e, -1);
        OCSP_REQUEST_add_ext(r, e, -1);
        X509_EXTENSION_free(e);
    }
    if (which == 5)
        OCSP_request_sign(r, leaf.x509, leaf.key, EVP_sha256(), NULL, 0);
    return pki_encode(r);
}
#define SHAPES 6

Test(ocsp_request, every_truncation_and_any_trailing_octet_is_malformed)
{
    for (int which = 0; which < SHAPES; which++) {
        struct buf b = shape(which);

        cr_assert_eq(read_buf(&b), OCSP_SUCCESSFUL, "shape %d", which);
        for (size_t len = 0; len < b.len; len++) {
            uint8_t *exact = malloc(len + 1); /* so that the sanitizer sees a read beyond */

            memcpy(exact + 1, b.data, len);
            cr_assert_eq(ocsp_request_read(span_of(exact + 1, len), &out), OCSP_MALFORMED, "shape %d, %zu",
                         which, len);
            free(exact);
        }
        buf_put_u8(&b, 0);
        cr_assert_eq(read_buf(&b), OCSP_MALFORMED);
        buf_free(&b);
    }
}

/* ---- both readers, on requests that are a little wrong ---- */

#define MUTATIONS 100000

static uint64_t dice; /* fixed: a failure can be repeated */

static size_t throw_to(size_t most)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice >> 33) % most;
}

/* An octet changed, one put in, one taken out, or a length that no longer fits. */
static void mutate(struct buf *b)
{
    size_t at = throw_to(b->len);

    switch (throw_to(5)) {
    case 0:
        b->data[at] = (uint8_t)throw_to(256);
        break;
    case 1:
        b->data[at] ^= (uint8_t)(1u << throw_to(8));
        break;
    case 2:
        buf_put_u8(b, 0);
        memmove(b->data + at + 1, b->data + at, b->len - 1 - at);
        b->data[at] = (uint8_t)throw_to(256);
        break;
    case 3:
        memmove(b->data + at, b->data + at + 1, b->len - 1 - at);
        b->len -= b->len > 1;
        break;
    default:
        b->data[at] = (uint8_t)(b->data[at] + 1);
    }
}

Test(ocsp_request, both_readers_agree_on_a_hundred_thousand_mutated_requests, .timeout = 120)
{
    size_t accepted = 0, refused = 0;
    struct buf b;

    dice = 0x243f6a8885a308d3;
    buf_init(&b, 2 * OCSP_REQUEST_MAX);
    for (size_t i = 0; i < MUTATIONS; i++) {
        struct buf fresh = shape((int)(i % SHAPES));
        enum ocsp_status s;

        buf_reset(&b);
        buf_put_span(&b, buf_span(&fresh));
        for (size_t k = 0; k <= i % 3; k++)
            mutate(&b);
        s = read_buf(&b); /* asserts agreement, of both kinds */
        accepted += s == OCSP_SUCCESSFUL;
        refused += s != OCSP_SUCCESSFUL;
        buf_free(&fresh);
    }
    buf_free(&b);
    cr_assert(accepted > 10000 && refused > 10000, "%zu, %zu", accepted,
              refused); /* neither claim is empty */
}

/* Found by the fuzzer: parameters of a hash with a tag of three octets. */
Test(ocsp_request, a_tag_of_several_octets_is_refused)
{
    static const uint8_t der[] = {0x30, 0x46, 0x30, 0x44, 0x30, 0x42, 0x30, 0x40, 0x30, 0x3e, 0x30, 0x09,
                                  0x06, 0x03, 0xff, 0xff, 0x05, 0xff, 0xf5, 0x48, 0x00, 0x04, 0x14, 0x11,
                                  0x04, 0x8c, 0xd2, 0x0c, 0xb3, 0x59, 0x23, 0x07, 0xd0, 0x19, 0xfd, 0x08,
                                  0x89, 0x56, 0x2b, 0x62, 0xd3, 0x64, 0x92, 0x04, 0x14, 0xc1, 0x46, 0x3f,
                                  0xf4, 0xbe, 0x20, 0x6a, 0x6f, 0x18, 0xef, 0x57, 0x90, 0x67, 0x7d, 0x0f,
                                  0x8d, 0xc2, 0x40, 0xb9, 0x67, 0x02, 0x05, 0x41, 0x42, 0x42, 0x42, 0x42};
    struct ocsp_request r;

    cr_assert_eq(ocsp_request_read(span_of(der, sizeof der), &r), OCSP_MALFORMED);
    cr_assert_null(agree_refused(span_of(der, sizeof der)));
}
