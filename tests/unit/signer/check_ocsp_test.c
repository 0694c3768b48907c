/* SPDX-License-Identifier: Apache-2.0 */
/* Is a ResponseData of OpenSSL's making signed by the key it names, and by no other, and no other structure?
 */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "base/der.h"
#include "signer/inner.h"
#include "verdict.h"

static struct forge f;
static struct signer_key *key;
static struct fault fault;

static void setup(void)
{
    forge_open(&f, "ec-256", -1);
    key = forge_key(&f, (struct signer_spec){.id = "ca", .uri = f.uri, .is_ocsp = true});
}

static void teardown(void)
{
    signer_key_free(key);
    forge_close(&f);
}

TestSuite(check_ocsp, .init = setup, .fini = teardown);

static void expect(enum err got, enum err want, const char *start)
{
    verdict_expect(got, want, &fault, start);
}

Test(check_ocsp, a_good_answer_is_signed)
{
    struct span data = forge_response_data(&f, forge_basic(&f));

    cr_assert_eq(forge_judge(&f, key, PORT_OCSP, data, &fault), OK, "%s", fault.detail);
    forge_span_free(data);
}

Test(check_ocsp, every_kind_is_refused_by_a_key_for_another)
{
    struct span data = forge_response_data(&f, forge_basic(&f)), leaf = forge_tbs(&f, forge_leaf(&f));
    struct span crl = forge_crl_tbs(&f, forge_crl(&f, 1));

    expect(forge_judge(&f, f.ca, PORT_OCSP, data, &fault), ERR_POLICY, "ocsp: this key");
    expect(forge_judge(&f, key, PORT_CERTIFICATE, leaf, &fault), ERR_POLICY, "certificate: an OCSP key");
    expect(forge_judge(&f, key, PORT_CRL_BEGIN, crl, &fault), ERR_POLICY, "crl: this key");
    cr_assert_neq(forge_judge(&f, key, PORT_OCSP, leaf, &fault), OK);
    cr_assert_neq(forge_judge(&f, key, PORT_OCSP, crl, &fault), OK);
    cr_assert_eq(forge_judge(&f, key, PORT_CRL_DATA, data, &fault), ERR_POLICY);
    forge_span_free(data);
    forge_span_free(leaf);
    forge_span_free(crl);
}

Test(check_ocsp, another_responder_is_refused)
{
    struct span data = forge_response_data(&f, forge_basic(&f));
    struct forge g;

    forge_open(&g, "ec-256", -1);
    expect(forge_judge(&f, key, PORT_OCSP, data, &fault), OK, "");
    forge_span_free(data);
    data = forge_response_data(&g, forge_basic(&g));
    expect(forge_judge(&f, key, PORT_OCSP, data, &fault), ERR_POLICY, "ocsp.responderID: not this key");
    forge_span_free(data);
    forge_close(&g);
}

Test(check_ocsp, a_responder_by_name_is_refused)
{
    OCSP_BASICRESP *basic = forge_basic(&f);
    uint8_t *der = NULL;
    int len;

    OCSP_basic_sign(basic, f.certificate, f.key, EVP_sha256(), NULL, OCSP_NOCERTS);
    len = i2d_OCSP_RESPDATA((OCSP_RESPDATA *)OCSP_resp_get0_respdata(basic), &der);
    expect(forge_judge(&f, key, PORT_OCSP, span_of(der, (size_t)len), &fault), ERR_MALFORMED,
           "ocsp.responderID: not byKey");
    OPENSSL_free(der);
    OCSP_BASICRESP_free(basic);
}

Test(check_ocsp, an_answer_of_another_day_is_refused)
{
    struct span data = forge_response_data(&f, forge_basic(&f));
    uint8_t signature[SIGNATURE_MAX];
    int64_t now = (int64_t)time(NULL);
    size_t len;

    cr_assert_eq(signer_sign(key, PORT_OCSP, data, now + FORGE_DAY - 60, signature, &len, &fault), OK);
    expect(signer_sign(key, PORT_OCSP, data, now + FORGE_DAY + 60, signature, &len, &fault), ERR_POLICY,
           "ocsp.producedAt:");
    fault = (struct fault){0};
    expect(signer_sign(key, PORT_OCSP, data, now - FORGE_DAY - 60, signature, &len, &fault), ERR_POLICY,
           "ocsp.producedAt:");
    forge_span_free(data);
}

Test(check_ocsp, no_answers_are_refused)
{
    struct span data = forge_response_data(&f, OCSP_BASICRESP_new());

    expect(forge_judge(&f, key, PORT_OCSP, data, &fault), ERR_MALFORMED, "ocsp.responses: none");
    forge_span_free(data);
}

/* A good answer about one serial, with these times after the clock's; none: without nextUpdate. */
#define NONE INT64_MAX

static struct span answer_of(int64_t this_s, int64_t next_s)
{
    int64_t now_s = (int64_t)time(NULL);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, now_s + this_s);
    ASN1_TIME *to = next_s != NONE ? ASN1_TIME_set(NULL, now_s + next_s) : NULL;
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    OCSP_CERTID *id;

    ASN1_INTEGER_set(serial, 9);
    id = OCSP_cert_id_new(EVP_sha256(), X509_get_subject_name(f.certificate),
                          X509_get0_pubkey_bitstr(f.certificate), serial);
    OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, to);
    OCSP_CERTID_free(id);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return forge_response_data(&f, basic);
}

Test(check_ocsp, an_answer_speaks_for_no_more_than_a_month_from_now)
{
    static const struct {
        int64_t this_s, next_s;
        enum err want;
        const char *start;
    } cases[] = {
        {0, 0, OK, ""},
        {0, 30 * FORGE_DAY, OK, ""},
        {0, 30 * FORGE_DAY + 1, ERR_POLICY, "ocsp.nextUpdate: more"},
        {0, -1, ERR_POLICY, "ocsp.nextUpdate: before"},
        {0, NONE, ERR_MALFORMED, "ocsp.nextUpdate: missing"},
        {FORGE_DAY - 60, FORGE_DAY, OK, ""},
        {FORGE_DAY + 60, 2 * FORGE_DAY, ERR_POLICY, "ocsp.thisUpdate: more"},
        {1500 * FORGE_DAY, 1501 * FORGE_DAY, ERR_POLICY, "ocsp.thisUpdate: more"},
        {-15 * FORGE_DAY, FORGE_DAY, OK, ""}, /* from an old copy of the store */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span data = answer_of(cases[i].this_s, cases[i].next_s);

        expect(forge_judge(&f, key, PORT_OCSP, data, &fault), cases[i].want, cases[i].start);
        forge_span_free(data);
    }
}

Test(check_ocsp, a_critical_extension_is_refused)
{
    OCSP_BASICRESP *basic = forge_basic(&f);
    ASN1_OCTET_STRING *nonce = ASN1_OCTET_STRING_new();
    struct span data;

    ASN1_OCTET_STRING_set(nonce, (const unsigned char *)"x", 1);
    OCSP_BASICRESP_add1_ext_i2d(basic, NID_id_pkix_OCSP_archiveCutoff, nonce, 1, 0);
    data = forge_response_data(&f, basic);
    expect(forge_judge(&f, key, PORT_OCSP, data, &fault), ERR_POLICY, "ocsp.extension:");
    forge_span_free(data);
    ASN1_OCTET_STRING_free(nonce);
}

/* The good answer's octets with `from` replaced by `to`, of the same length, where it stands first. */
static enum err judge_with(const char *from, const char *to, size_t len)
{
    struct span data = forge_response_data(&f, forge_basic(&f));
    uint8_t *at = memmem(data.data, data.len, from, len);
    enum err e;

    cr_assert_not_null(at);
    memcpy(at, to, len);
    fault = (struct fault){0};
    e = forge_judge(&f, key, PORT_OCSP, data, &fault);
    forge_span_free(data);
    return e;
}

#define SHA1_OID "\x2b\x0e\x03\x02\x1a"

/* A relying party that reads ASN.1 by the book takes none of these. */
Test(check_ocsp, a_certid_that_is_not_of_its_form_is_refused)
{
    static const struct {
        const char *to;
        enum err want;
    } hashes[] = {
        {SHA1_OID "\x05\x00", OK},
        {SHA1_OID "\x01\x00", ERR_MALFORMED}, /* a BOOLEAN of nothing */
        {SHA1_OID "\x25\x00", ERR_MALFORMED}, /* a constructed NULL */
        {SHA1_OID "\x30\x00", ERR_MALFORMED}, /* parameters that no hash has */
    };

    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        cr_expect_eq(judge_with(SHA1_OID "\x05\x00", hashes[i].to, 7), hashes[i].want, "%zu: %s", i,
                     fault.detail);
    cr_expect_eq(judge_with("\x02\x01\x05", "\x02\x00\x05", 3), ERR_MALFORMED, "a serial of no octets");
}

Test(check_ocsp, a_certid_whose_hash_has_no_parameters_is_signed)
{
    uint8_t der[58] = "\x30\x38\x30\x07\x06\x05" SHA1_OID "\x04\x14";
    OCSP_BASICRESP *basic = forge_basic(&f);
    const uint8_t *at = der;
    ASN1_TIME *now = ASN1_TIME_set(NULL, time(NULL));
    struct span data;
    OCSP_CERTID *id;

    memcpy(der + 33, "\x04\x14", 2);
    memcpy(der + 55, "\x02\x01\x09", 3);
    id = d2i_OCSP_CERTID(NULL, &at, sizeof der);
    cr_assert_not_null(id);
    OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, now, now);
    data = forge_response_data(&f, basic);
    cr_assert_not_null(memmem(data.data, data.len, der, sizeof der));
    cr_assert_eq(forge_judge(&f, key, PORT_OCSP, data, &fault), OK, "%s", fault.detail);
    forge_span_free(data);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(now);
}

Test(check_ocsp, a_serial_number_in_more_octets_than_it_takes_is_refused)
{
    static const uint8_t numbers[][2] = {{0x00, 0x7f}, {0xff, 0x80}, {0x00, 0x80}, {0xff, 0x7f}};

    for (size_t i = 0; i < 4; i++) {
        OCSP_BASICRESP *basic = forge_basic(&f);
        struct span data;
        uint8_t *at;

        ASN1_INTEGER *serial = NULL;
        OCSP_id_get0_info(NULL, NULL, NULL, &serial,
                          (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(OCSP_resp_get0(basic, 0)));
        ASN1_INTEGER_set(serial, 0x4242);
        data = forge_response_data(&f, basic);
        at = memmem(data.data, data.len, "\x02\x02\x42\x42", 4);
        cr_assert_not_null(at);
        memcpy(at + 2, numbers[i], 2);
        cr_expect_eq(forge_judge(&f, key, PORT_OCSP, data, &fault), i < 2 ? ERR_MALFORMED : OK, "%zu", i);
        forge_span_free(data);
    }
}

static void add_extension(OCSP_BASICRESP *basic, bool is_single, const char *oid_text, const char *value,
                          int len)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(oid_text, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e;

    ASN1_OCTET_STRING_set(octets, (const unsigned char *)value, len);
    e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
    cr_assert(is_single ? OCSP_SINGLERESP_add_ext(OCSP_resp_get0(basic, 0), e, -1)
                        : OCSP_BASICRESP_add_ext(basic, e, -1));
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(oid);
}

Test(check_ocsp, the_extensions_of_ours_are_signed_in_their_place_and_form_and_no_others)
{
    static const char nonce[132] = "\x04\x81\x81", cutoff[] = "\x18\x0f"
                                                              "20200101000000Z";
    static const struct {
        bool is_single;
        const char *oid, *value;
        int len;
        enum err want;
    } cases[] = {
        {false, "1.3.6.1.5.5.7.48.1.2", "\x04\x01x", 3, OK},
        {false, "1.3.6.1.5.5.7.48.1.2", "\x04\x00", 2, ERR_MALFORMED},
        {false, "1.3.6.1.5.5.7.48.1.2", nonce, 132, ERR_MALFORMED}, /* 129 octets */
        {true, "1.3.6.1.5.5.7.48.1.2", "\x04\x01x", 3, ERR_POLICY},
        {false, "1.3.6.1.5.5.7.48.1.9", "\x05\x00", 2, OK},
        {false, "1.3.6.1.5.5.7.48.1.9", "\x04\x00", 2, ERR_MALFORMED},
        {true, "1.3.6.1.5.5.7.48.1.9", "\x05\x00", 2, ERR_POLICY},
        {true, "1.3.6.1.5.5.7.48.1.6", cutoff, 17, OK},
        {true, "1.3.6.1.5.5.7.48.1.6",
         "\x18\x04"
         "2020",
         6, ERR_MALFORMED},
        {false, "1.3.6.1.5.5.7.48.1.6", cutoff, 17, ERR_POLICY},
        {false, "1.3.6.1.5.5.7.48.1.3", "\x05\x00", 2, ERR_POLICY}, /* a CRL reference */
        {true, "2.5.29.21", "\x0a\x01\x01", 3, ERR_POLICY},         /* a CRL entry's extension */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OCSP_BASICRESP *basic = forge_basic(&f);
        struct span data;

        fault = (struct fault){0};
        if (!cases[i].is_single) /* the forge's nonce makes way */
            X509_EXTENSION_free(OCSP_BASICRESP_delete_ext(basic, 0));
        add_extension(basic, cases[i].is_single, cases[i].oid, cases[i].value, cases[i].len);
        data = forge_response_data(&f, basic);
        cr_expect_eq(forge_judge(&f, key, PORT_OCSP, data, &fault), cases[i].want, "%zu: %s", i,
                     fault.detail);
        forge_span_free(data);
    }
}

Test(check_ocsp, the_reason_is_one_that_a_revocation_may_have)
{
    for (uint8_t code = 0; code < 16; code++) {
        bool is_one = (code >= 1 && code <= 6) || code == 9 || code == 10;
        const char to[] = {'\xa0', 3, '\x0a', 1, (char)code};

        expect(judge_with("\xa0\x03\x0a\x01\x01", to, sizeof to), is_one ? OK : ERR_MALFORMED,
               is_one ? "" : "ocsp.certStatus:");
    }
}

Test(check_ocsp, a_cut_or_padded_answer_is_malformed)
{
    struct span data = forge_response_data(&f, forge_basic(&f));

    verdict_of_cuts(&f, key, PORT_OCSP, data);
    forge_span_free(data);
}

static void names_the_key(struct span data, struct span signature)
{
    (void)signature;
    cr_assert_not_null(memmem(data.data, data.len, key_purpose(key)->key_hash, SKI_LEN));
}

Test(check_ocsp, mutants_that_are_signed_name_this_key)
{
    struct span data = forge_response_data(&f, forge_basic(&f));
    unsigned is_signed = verdict_of_mutants(key, PORT_OCSP, data, &(struct dice){7}, names_the_key);

    cr_assert(is_signed > 10 && is_signed < 900, "%u", is_signed);
    forge_span_free(data);
}
