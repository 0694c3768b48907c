/* SPDX-License-Identifier: Apache-2.0 */
/* Is an answer octet for octet what OpenSSL writes for the same content? */
#include "ocsp/inner.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "base/der.h"
#include "base/parts.h"
#include "pki.h"

#define COUNT 7

static struct pki_cert ca, responder;
static int64_t now_s;

static void setup(void)
{
    ca = pki_certificate("Example CA G1", NULL, PKI_CA, "RSA", 1, PKI_NOW + 100 * PKI_DAY);
    responder = pki_certificate("OCSP", &ca, PKI_RESPONDER, "RSA", 2, PKI_NOW + 14 * PKI_DAY);
}

static void teardown(void)
{
    pki_free(&ca);
    pki_free(&responder);
}

TestSuite(ocsp_response, .init = setup, .fini = teardown);

/* One of each kind. The certid is encoded by OpenSSL into `ids`. */
static void singles(struct single out[COUNT], struct buf ids[COUNT])
{
    static const struct single kinds[COUNT] = {
        {.state = SINGLE_GOOD},
        {.state = SINGLE_REVOKED, .reason = REASON_KEY_COMPROMISE},
        {.state = SINGLE_REVOKED, .reason = REASON_UNSPECIFIED},
        {.state = SINGLE_REVOKED, .reason = REASON_CERTIFICATE_HOLD},
        {.state = SINGLE_UNKNOWN},
        {.state = SINGLE_GOOD, .archive_cutoff_s = 1000000000},
        {.state = SINGLE_NOT_ISSUED}, /* the last: then the answer has extended-revoke */
    };

    for (size_t i = 0; i < COUNT; i++) {
        uint8_t serial[SERIAL_LEN] = {1, 2, (uint8_t)(0x80 | i)}, *der = NULL;
        OCSP_CERTID *id = pki_certid(i % 2 ? EVP_sha1() : EVP_sha256(), &ca, span_of(serial, sizeof serial));
        int len = i2d_OCSP_CERTID(id, &der);

        buf_init(&ids[i], 1024);
        buf_put(&ids[i], der, (size_t)len);
        OPENSSL_free(der);
        OCSP_CERTID_free(id);
        out[i] = kinds[i];
        out[i].certid = buf_span(&ids[i]);
        out[i].revoked_at_s = now_s - 1000 * (int64_t)i;
        out[i].next_update_s = now_s + 60 * (int64_t)i;
        if (out[i].archive_cutoff_s == 0)
            out[i].archive_cutoff_s = NO_TIME;
    }
}

static void add_cutoff(OCSP_SINGLERESP *single, int64_t cutoff_s)
{
    ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, cutoff_s);

    if (cutoff_s != NO_TIME)
        cr_assert_eq(OCSP_SINGLERESP_add1_ext_i2d(single, NID_id_pkix_OCSP_archiveCutoff, t, 0, 0), 1);
    ASN1_GENERALIZEDTIME_free(t);
}

/* RFC 6960 2.2: what was not issued is revoked since 1970, on hold. */
static struct single as_told(const struct single *s)
{
    struct single told = *s;

    if (s->state == SINGLE_NOT_ISSUED) {
        told.state = SINGLE_REVOKED;
        told.reason = REASON_CERTIFICATE_HOLD;
        told.revoked_at_s = 0;
    }
    return told;
}

static void add_status(OCSP_BASICRESP *basic, const struct single *as)
{
    static const int statuses[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                                   V_OCSP_CERTSTATUS_UNKNOWN};
    const struct single told = as_told(as), *s = &told;
    OCSP_SINGLERESP *single;
    const uint8_t *p = s->certid.data;
    OCSP_CERTID *id = d2i_OCSP_CERTID(NULL, &p, (long)s->certid.len);
    ASN1_TIME *revoked = ASN1_TIME_set(NULL, s->revoked_at_s), *from = ASN1_TIME_set(NULL, now_s),
              *to = ASN1_TIME_set(NULL, s->next_update_s);
    int reason = s->reason == REASON_UNSPECIFIED ? OCSP_REVOKED_STATUS_NOSTATUS : (int)s->reason;

    ASN1_TIME_to_generalizedtime(revoked, (ASN1_GENERALIZEDTIME **)&revoked);
    ASN1_TIME_to_generalizedtime(from, (ASN1_GENERALIZEDTIME **)&from);
    ASN1_TIME_to_generalizedtime(to, (ASN1_GENERALIZEDTIME **)&to);
    single = OCSP_basic_add1_status(basic, id, statuses[s->state], reason,
                                    s->state == SINGLE_REVOKED ? revoked : NULL, from, to);
    cr_assert_not_null(single);
    add_cutoff(single, s->archive_cutoff_s);
    ASN1_TIME_free(revoked);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    OCSP_CERTID_free(id);
}

/* OpenSSL's answer; false when its clock ticked between ours and its own. */
static bool openssl_answer(const struct single *s, size_t n, struct span nonce, struct buf *out)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_RESPONSE *whole;
    ASN1_TIME *now = ASN1_TIME_set(NULL, now_s);
    uint8_t *der = NULL;
    bool same;
    int len;

    for (size_t i = 0; i < n; i++)
        add_status(basic, &s[i]);
    if (nonce.len > 0)
        OCSP_basic_add1_nonce(basic, (uint8_t *)nonce.data, (int)nonce.len);
    if (n == COUNT) { /* RFC 6960 4.4.8: OpenSSL 3.0 has no name for it */
        ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.48.1.9", 1);
        ASN1_OCTET_STRING *null = ASN1_OCTET_STRING_new();
        X509_EXTENSION *e;

        ASN1_OCTET_STRING_set(null, (const uint8_t *)"\5\0", 2);
        e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, null);
        OCSP_BASICRESP_add_ext(basic, e, -1);
        X509_EXTENSION_free(e);
        ASN1_OCTET_STRING_free(null);
        ASN1_OBJECT_free(oid);
    }
    cr_assert(OCSP_basic_sign(basic, responder.x509, responder.key, EVP_sha256(), NULL, OCSP_RESPID_KEY) ==
              1);
    same = ASN1_TIME_compare(OCSP_resp_get0_produced_at(basic), now) == 0;
    whole = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = i2d_OCSP_RESPONSE(whole, &der);
    buf_reset(out);
    buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(whole);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(now);
    return same;
}

static void our_answer(const struct single *s, size_t n, struct span nonce, struct buf *out)
{
    uint8_t key_hash[SKI_LEN], signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct key_kind kind;
    struct parts parts;
    struct buf data;

    cr_assert(parts_of(span_of(responder.der, responder.der_len), &parts) && key_kind_of(parts.spki, &kind));
    sha1_of(kind.key_bits, key_hash);
    buf_init(&data, RESPONSE_MAX);
    response_data_write(&data, &(struct response){.key_hash = key_hash,
                                                  .produced_at_s = now_s,
                                                  .this_update_s = now_s,
                                                  .singles = s,
                                                  .count = n,
                                                  .has_nonce = nonce.len > 0,
                                                  .nonce = nonce});
    cr_assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, responder.key) == 1);
    cr_assert(EVP_DigestSign(ctx, signature, &len, data.data, data.len) == 1);
    buf_reset(out);
    response_write(out, buf_span(&data), SIG_RSA_SHA256, span_of(signature, len),
                   span_of(responder.der, responder.der_len));
    cr_assert_eq(buf_end(out), OK);
    EVP_MD_CTX_free(ctx);
    buf_free(&data);
}

static void compare(size_t n, struct span nonce)
{
    struct single s[COUNT];
    struct buf ids[COUNT], ours, theirs;

    bool is_same_second;

    buf_init(&ours, RESPONSE_MAX);
    buf_init(&theirs, RESPONSE_MAX);

    do { /* OpenSSL asks the clock for producedAt */
        now_s = time(NULL);
        singles(s, ids);
        our_answer(s, n, nonce, &ours);
        is_same_second = openssl_answer(s, n, nonce, &theirs);
        for (size_t i = 0; i < COUNT; i++)
            buf_free(&ids[i]);
    } while (!is_same_second);
    cr_assert(span_eq(buf_span(&ours), buf_span(&theirs)));
    buf_free(&ours);
    buf_free(&theirs);
}

/* RSA signatures (PKCS #1 v1.5) are deterministic: the whole answer can be compared. */
Test(ocsp_response, every_status_is_encoded_as_openssl_does)
{
    compare(1, (struct span){0});
    compare(COUNT - 1, (struct span){0});
}

Test(ocsp_response, what_was_not_issued_is_told_with_the_extension_that_explains_it)
{
    static const uint8_t nonce[] = {1, 2, 3};

    compare(COUNT, (struct span){0});
    compare(COUNT, span_of(nonce, sizeof nonce));
}

Test(ocsp_response, nonces_are_encoded_as_openssl_does)
{
    static const uint8_t nonce[OCSP_NONCE_MAX] = {1, 2, 3};

    compare(1, span_of(nonce, 1));
    compare(2, span_of(nonce, 32));
    compare(1, span_of(nonce, 127));
    compare(1, span_of(nonce, sizeof nonce));
}

Test(ocsp_response, errors_are_a_status_alone)
{
    static const enum ocsp_status statuses[] = {OCSP_MALFORMED, OCSP_INTERNAL_ERROR, OCSP_TRY_LATER,
                                                OCSP_UNAUTHORIZED};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        OCSP_RESPONSE *r = OCSP_response_create((int)statuses[i], NULL);
        uint8_t *der = NULL;
        int len = i2d_OCSP_RESPONSE(r, &der);

        cr_assert(span_eq(response_error(statuses[i]), span_of(der, (size_t)len)));
        OPENSSL_free(der);
        OCSP_RESPONSE_free(r);
    }
}
