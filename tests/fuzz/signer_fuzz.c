/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured ca, crl or ocsp could send the signer: its checks end with a verdict on any octets, the
 * same one however the octets come, and what they would sign OpenSSL reads to the end and finds nothing wrong
 * with. */
#include <assert.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "signer/inner.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S INT64_C(1780000000) /* 2026-05-28: the seeds' own time */

/* O=Example UC, CN=Test CA G1 */
static const uint8_t name[] = "\x30\x2a\x31\x13\x30\x11\x06\x03\x55\x04\x0a\x0c\x0a"
                              "Example UC"
                              "\x31\x13\x30\x11\x06\x03\x55\x04\x03\x0c\x0a"
                              "Test CA G1";
static const uint8_t ski[SKI_LEN]; /* zeros, as the key's hash of a purpose that is not filled in */
/* P-256 with the curve's base point for a key, FIPS 186-4 D.1.2.3 */
static const uint8_t spki[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
    "\x03\x01\x07\x03\x42\x00\x04"
    "\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2"
    "\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96"
    "\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16"
    "\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";

static const struct purpose ca = {.id = "ca",
                                  .alg = SIG_ECDSA_SHA256,
                                  .may_leaf = true,
                                  .may_subordinate = true,
                                  .spki = {spki, sizeof spki - 1},
                                  .name = {name, sizeof name - 1},
                                  .ski = {ski, sizeof ski},
                                  .not_after_s = CLOCK_MAX,
                                  .path_len = 2};
static const struct purpose root = {
    .id = "root", .alg = SIG_ECDSA_SHA256, .is_new_root = true, .spki = {spki, sizeof spki - 1}};
static const struct purpose ocsp = {.id = "ca", .alg = SIG_ECDSA_SHA256, .is_ocsp = true};

/* One that OpenSSL knows it reads, too; the others are few. */
static void assert_is_extension(X509_EXTENSION *e)
{
    const X509V3_EXT_METHOD *method = X509V3_EXT_get(e);
    void *value = X509V3_EXT_d2i(e);

    assert(method == NULL || value != NULL);
    if (value != NULL && method->it != NULL)
        ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
    else if (value != NULL)
        method->ext_free(value);
}

static void assert_are_extensions(const STACK_OF(X509_EXTENSION) * all)
{
    for (int i = 0; i < sk_X509_EXTENSION_num(all); i++)
        assert_is_extension(sk_X509_EXTENSION_value(all, i));
}

/* SEQUENCE { what is to be signed, algorithm, a signature of no octets } */
static void assemble(struct span tbs, struct buf *out)
{
    size_t whole;

    buf_init(out, tbs.len + 64);
    whole = der_open(out, DER_SEQUENCE);
    buf_put_span(out, tbs);
    buf_put_span(out, sig_alg_der(SIG_ECDSA_SHA256));
    der_put_bits(out, span_of(NULL, 0));
    der_close(out, whole);
    assert(buf_end(out) == OK);
}

/* What is signed with such a signature, which OpenSSL reads to its last octet; the caller frees it. */
static void *read_assembled(struct span tbs, const ASN1_ITEM *form)
{
    struct buf whole;
    const uint8_t *at;
    void *read;

    assemble(tbs, &whole);
    at = whole.data;
    read = ASN1_item_d2i(NULL, &at, (long)whole.len, form);
    assert(read != NULL && at == whole.data + whole.len);
    buf_free(&whole);
    return read;
}

static void assert_is_certificate(struct span tbs)
{
    X509 *x = read_assembled(tbs, ASN1_ITEM_rptr(X509));

    assert((X509_get_extension_flags(x) & EXFLAG_INVALID) == 0);
    assert_are_extensions(X509_get0_extensions(x));
    X509_free(x);
}

static void assert_is_list(struct span tbs)
{
    X509_CRL *crl = read_assembled(tbs, ASN1_ITEM_rptr(X509_CRL));
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);

    assert_are_extensions(X509_CRL_get0_extensions(crl));
    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
        assert_are_extensions(X509_REVOKED_get0_extensions(sk_X509_REVOKED_value(entries, i)));
    X509_CRL_free(crl);
}

static void assert_is_answer(struct span data)
{
    OCSP_BASICRESP *answer = read_assembled(data, ASN1_ITEM_rptr(OCSP_BASICRESP));

    for (int i = 0; i < OCSP_BASICRESP_get_ext_count(answer); i++)
        assert_is_extension(OCSP_BASICRESP_get_ext(answer, i));
    for (int i = 0; i < OCSP_resp_count(answer); i++)
        for (int k = 0; k < OCSP_SINGLERESP_get_ext_count(OCSP_resp_get0(answer, i)); k++)
            assert_is_extension(OCSP_SINGLERESP_get_ext(OCSP_resp_get0(answer, i), k));
    OCSP_BASICRESP_free(answer);
}

static void judge_certificate(const struct purpose *p, struct span tbs)
{
    struct fault f = {0};

    if (check_certificate(p, tbs, &f) == OK)
        assert_is_certificate(tbs);
    else
        assert(f.detail[0] != '\0');
}

/* A list that comes in two pieces, cut at `cut`. */
static enum err verdict_in_pieces(struct span tbs, size_t cut)
{
    struct crl_check *check = crl_check_new(&ca, tbs.len, NOW_S);
    struct fault f = {0};
    enum err e;

    crl_check_add(check, span_of(tbs.data, cut));
    crl_check_add(check, span_of(tbs.data + cut, tbs.len - cut));
    e = crl_check_end(check, &f);
    assert((e == OK) == (f.detail[0] == '\0'));
    return e;
}

static void judge_list(struct span tbs)
{
    enum err e = verdict_in_pieces(tbs, tbs.len);

    assert(verdict_in_pieces(tbs, tbs.len / 2) == e);
    assert(verdict_in_pieces(tbs, tbs.len < 9 ? tbs.len : 9) == e);
    if (e == OK)
        assert_is_list(tbs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span tbs = span_of(data, size);
    struct fault f = {0};

    judge_certificate(&ca, tbs);
    judge_certificate(&root, tbs);
    judge_list(tbs);
    if (check_ocsp(&ocsp, tbs, NOW_S, &f) == OK)
        assert_is_answer(tbs);
    return 0;
}
