/* SPDX-License-Identifier: Apache-2.0 */
/* Is an answer believed exactly when it is signed by whom the issuer authorised, about this certificate,
 * current and ours? */
#include "cli/ocsp_query.h"

#include <criterion/criterion.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <string.h>

#include "tests/unit/ocsp/pki.h"

static struct pki_cert ca, other_ca, responder, leaf;
static struct ocsp_question *question;
static struct fault fault;

/* What the answer is made of; a test changes what it is about. */
struct making {
    const struct pki_cert *signer, *issuer, *about;
    int status, reason;
    int64_t this_s, next_s; /* next_s 0: none */
    const char *nonce;      /* "echo", "other", "none" */
    bool lacks_certificate;
    const char *revoked, *from, *to, *produced; /* the text of a time, NULL: as above */
};

static struct ocsp_query asking(void)
{
    return (struct ocsp_query){
        .certificate = span_of(leaf.der, leaf.der_len),
        .issuer = span_of(ca.der, ca.der_len),
        .url = "http://ca.example.com/ocsp",
        .now_s = PKI_NOW,
    };
}

static void setup(void)
{
    struct ocsp_query q;

    ca = pki_certificate("Example CA G1", NULL, PKI_CA, "EC", 1, PKI_NOW + 100 * PKI_DAY);
    other_ca = pki_certificate("Example CA G2", NULL, PKI_CA, "EC", 2, PKI_NOW + 100 * PKI_DAY);
    responder = pki_certificate("OCSP", &ca, PKI_RESPONDER, "EC", 3, PKI_NOW + 10 * PKI_DAY);
    leaf = pki_certificate("a.example.com", &ca, PKI_LEAF, "EC", 4, PKI_NOW + 10 * PKI_DAY);
    q = asking();
    cr_assert_eq(ocsp_question_new(&q, &question, &fault), OK, "%s", fault.detail);
}

static void teardown(void)
{
    ocsp_question_free(question);
    pki_free(&ca);
    pki_free(&other_ca);
    pki_free(&responder);
    pki_free(&leaf);
}

TestSuite(ocsp_query, .init = setup, .fini = teardown);

static ASN1_GENERALIZEDTIME *time_of(int64_t t_s)
{
    return ASN1_GENERALIZEDTIME_set(NULL, t_s);
}

static void spell(ASN1_GENERALIZEDTIME *t, const char *text)
{
    if (text != NULL)
        cr_assert_eq(ASN1_STRING_set(t, text, -1), 1);
}

/* In what stands already: OpenSSL puts no time there that it cannot read. */
static void respell(const struct making *m, OCSP_BASICRESP *basic)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
    int reason;

    cr_assert_geq(OCSP_single_get0_status(OCSP_resp_get0(basic, 0), &reason, &revoked, &from, &to), 0);
    spell(revoked, m->revoked);
    spell(from, m->from);
    spell(to, m->to);
}

static void add_nonce(OCSP_BASICRESP *basic, const char *how)
{
    struct span der = ocsp_question_der(question);
    const uint8_t *p = der.data;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);

    if (strcmp(how, "echo") == 0)
        OCSP_copy_nonce(basic, request);
    if (strcmp(how, "other") == 0)
        OCSP_basic_add1_nonce(basic, (uint8_t *)"another nonce", 13);
    OCSP_REQUEST_free(request);
}

/* Twice where producedAt is another than now, which OpenSSL's signing writes. */
static void sign(const struct making *m, OCSP_BASICRESP *basic)
{
    unsigned long flags = m->lacks_certificate ? OCSP_NOCERTS : 0;
    ASN1_GENERALIZEDTIME *produced;

    cr_assert_eq(OCSP_basic_sign(basic, m->signer->x509, m->signer->key, EVP_sha256(), NULL, flags), 1);
    if (m->produced == NULL)
        return;
    produced = (ASN1_GENERALIZEDTIME *)(uintptr_t)OCSP_resp_get0_produced_at(basic);
    spell(produced, m->produced);
    cr_assert_eq(OCSP_basic_sign(basic, m->signer->x509, m->signer->key, EVP_sha256(), NULL,
                                 flags | OCSP_NOCERTS | OCSP_NOTIME),
                 1);
}

static enum err judge(const struct making *m, struct ocsp_query_result *out)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), m->about->x509, m->issuer->x509);
    ASN1_GENERALIZEDTIME *revoked = time_of(PKI_NOW - 1000), *from = time_of(m->this_s),
                         *to = time_of(m->next_s);
    OCSP_RESPONSE *response;
    uint8_t *der = NULL;
    enum err e;
    int len;

    OCSP_basic_add1_status(basic, id, m->status, m->reason,
                           m->status == V_OCSP_CERTSTATUS_REVOKED ? revoked : NULL, from,
                           m->next_s != 0 ? to : NULL);
    respell(m, basic);
    add_nonce(basic, m->nonce);
    sign(m, basic);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    len = i2d_OCSP_RESPONSE(response, &der);
    fault = (struct fault){0};
    e = ocsp_question_judge(question, span_of(der, (size_t)len), out, &fault);
    cr_assert(e == OK || fault.detail[0] != '\0');
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_GENERALIZEDTIME_free(revoked);
    ASN1_GENERALIZEDTIME_free(from);
    ASN1_GENERALIZEDTIME_free(to);
    return e;
}

static struct making sound(void)
{
    return (struct making){
        .signer = &responder,
        .issuer = &ca,
        .about = &leaf,
        .status = V_OCSP_CERTSTATUS_GOOD,
        .reason = OCSP_REVOKED_STATUS_NOSTATUS,
        .this_s = PKI_NOW - 10,
        .next_s = PKI_NOW + 10,
        .nonce = "echo",
    };
}

Test(ocsp_query, a_sound_answer_is_read)
{
    struct making m = sound();
    struct ocsp_query_result r;

    cr_assert_eq(judge(&m, &r), OK, "%s", fault.detail);
    cr_assert_eq(r.status, OCSP_QUERY_GOOD);
    cr_assert(r.is_nonce_echoed && !r.has_reason);
    cr_assert_eq(r.this_update_s, PKI_NOW - 10);
    cr_assert_eq(r.next_update_s, PKI_NOW + 10);
    cr_assert_str_eq(r.responder, "O = Example, CN = OCSP");
    m.status = V_OCSP_CERTSTATUS_REVOKED;
    cr_assert_eq(judge(&m, &r), OK);
    cr_assert(r.status == OCSP_QUERY_REVOKED && !r.has_reason && r.revoked_at_s == PKI_NOW - 1000);
    m.reason = OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
    cr_assert_eq(judge(&m, &r), OK);
    cr_assert(r.has_reason && r.reason == REASON_CERTIFICATE_HOLD);
    m.status = V_OCSP_CERTSTATUS_UNKNOWN;
    m.reason = OCSP_REVOKED_STATUS_NOSTATUS;
    cr_assert_eq(judge(&m, &r), OK);
    cr_assert_eq(r.status, OCSP_QUERY_UNKNOWN);
}

Test(ocsp_query, the_issuer_itself_may_sign_with_or_without_its_certificate)
{
    struct making m = sound();
    struct ocsp_query_result r;

    m.signer = &ca;
    cr_assert_eq(judge(&m, &r), OK, "%s", fault.detail);
    m.lacks_certificate = true;
    cr_assert_eq(judge(&m, &r), OK, "%s", fault.detail);
}

Test(ocsp_query, another_signer_is_not_believed)
{
    struct pki_cert stranger =
        pki_certificate("OCSP", &other_ca, PKI_RESPONDER, "EC", 5, PKI_NOW + 10 * PKI_DAY);
    struct pki_cert expired = pki_certificate("OCSP", &ca, PKI_RESPONDER, "EC", 6, PKI_NOW - 1);
    const struct pki_cert *signers[] = {&other_ca, &stranger, &leaf, &expired};
    struct ocsp_query_result r;

    for (size_t i = 0; i < 4; i++) {
        struct making m = sound();

        m.signer = signers[i];
        cr_assert_eq(judge(&m, &r), ERR_POLICY, "%zu", i);
    }
    pki_free(&stranger);
    pki_free(&expired);
}

Test(ocsp_query, an_answer_about_another_certificate_is_not_believed)
{
    struct making m = sound();
    struct ocsp_query_result r;

    m.about = &responder;
    cr_assert_eq(judge(&m, &r), ERR_POLICY);
}

Test(ocsp_query, another_nonce_is_refused_and_none_is_told)
{
    struct making m = sound();
    struct ocsp_query_result r;

    m.nonce = "other";
    cr_assert_eq(judge(&m, &r), ERR_POLICY);
    m.nonce = "none";
    cr_assert_eq(judge(&m, &r), OK);
    cr_assert_not(r.is_nonce_echoed);
}

Test(ocsp_query, an_answer_that_is_old_or_from_the_future_is_not_believed)
{
    struct making m = sound();
    struct ocsp_query_result r;

    m.this_s = PKI_NOW - 2000;
    m.next_s = PKI_NOW - 1000;
    cr_assert_eq(judge(&m, &r), ERR_POLICY);
    m.this_s = PKI_NOW + 1000;
    m.next_s = PKI_NOW + 2000;
    cr_assert_eq(judge(&m, &r), ERR_POLICY);
    m.this_s = PKI_NOW + 100; /* a clock that is a little ahead */
    cr_assert_eq(judge(&m, &r), OK);
}

static void assert_unreadable(const struct making *m, const char *name)
{
    struct ocsp_query_result r;

    cr_assert_eq(judge(m, &r), ERR_POLICY, "%s", name);
    cr_expect_not_null(strstr(fault.detail, name), "%s: %s", name, fault.detail);
}

/* RFC 6960 4.2.2.1: newer information is available at any time, so what is believed was said just now: its
 * thisUpdate shows it, or our nonce in it. */
Test(ocsp_query, an_answer_that_names_no_end_is_believed_while_it_is_fresh)
{
    static const struct {
        int64_t age_s;
        const char *nonce;
        enum err want;
    } rows[] = {
        {10, "none", OK},
        {300, "none", OK},
        {301, "none", ERR_POLICY},
        {700 * PKI_DAY, "none", ERR_POLICY},
        {700 * PKI_DAY, "echo", OK},
        {301, "other", ERR_POLICY},
    };
    struct ocsp_query_result r;
    struct making m = sound();

    m.next_s = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        m.this_s = PKI_NOW - rows[i].age_s;
        m.nonce = rows[i].nonce;
        cr_expect_eq(judge(&m, &r), rows[i].want, "%zu: %s", i, fault.detail);
    }
    m.nonce = "none";
    cr_assert_eq(judge(&m, &r), ERR_POLICY);
    cr_assert_str_eq(fault.detail, "the answer names no end, and is 301 s old");
}

Test(ocsp_query, an_answer_with_a_time_that_cannot_be_read_is_not_believed)
{
    static const char odd[] = "20301332220000Z"; /* the 32nd day of the thirteenth month */
    struct ocsp_query_result r;
    struct making m = sound();

    m.from = odd;
    assert_unreadable(&m, "thisUpdate");
    m = sound();
    m.to = odd;
    assert_unreadable(&m, "nextUpdate");
    m = sound();
    m.produced = odd;
    assert_unreadable(&m, "producedAt");
    m = sound();
    m.status = V_OCSP_CERTSTATUS_REVOKED;
    m.revoked = odd;
    assert_unreadable(&m, "revocationTime");
    m = sound();
    m.produced = m.from = "20300317170000Z";
    m.to = "20300318170000Z";
    cr_assert_eq(judge(&m, &r), OK, "%s", fault.detail);
    cr_assert_eq(r.produced_at_s, 1899997200);
    cr_assert_eq(r.this_update_s, 1899997200);
}

Test(ocsp_query, an_error_of_the_responder_is_named)
{
    static const uint8_t later[] = {0x30, 3, 10, 1, 3};
    struct ocsp_query_result r;

    cr_assert_eq(ocsp_question_judge(question, span_of(later, sizeof later), &r, &fault), ERR_UNAVAILABLE);
    cr_assert_not_null(strstr(fault.detail, "trylater"));
    fault = (struct fault){0};
    cr_assert_eq(ocsp_question_judge(question, span_of(later, 4), &r, &fault), ERR_POLICY);
    fault = (struct fault){0};
    cr_assert_eq(ocsp_question_judge(question, (struct span){0}, &r, &fault), ERR_POLICY);
}

static enum err make(struct ocsp_query q)
{
    struct ocsp_question *other = NULL;
    enum err e;

    fault = (struct fault){0};
    e = ocsp_question_new(&q, &other, &fault);
    cr_assert_eq(e == OK, other != NULL);
    ocsp_question_free(other);
    return e;
}

Test(ocsp_query, the_issuer_is_found_in_a_chain_or_must_be_named)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct ocsp_query q = asking();
    char *pem;

    q.issuer = (struct span){0};
    cr_assert_eq(make(q), ERR_NOT_FOUND);
    q.issuer = span_of(other_ca.der, other_ca.der_len);
    cr_assert_eq(make(q), ERR_USAGE);
    PEM_write_bio_X509(bio, leaf.x509);
    PEM_write_bio_X509(bio, other_ca.x509);
    PEM_write_bio_X509(bio, ca.x509);
    q.issuer = (struct span){0};
    q.certificate.len = (size_t)BIO_get_mem_data(bio, &pem);
    q.certificate.data = (uint8_t *)pem;
    cr_assert_eq(make(q), OK);
    q.url = NULL; /* its issuer is there: a service has nothing to add */
    cr_assert_eq(make(q), ERR_USAGE);
    BIO_free(bio);
}

Test(ocsp_query, what_cannot_be_asked_is_told)
{
    struct ocsp_query q = asking();

    q.url = NULL; /* and the certificate names none */
    cr_assert_eq(make(q), ERR_USAGE);
    q.url = "ca.example.com";
    cr_assert_eq(make(q), ERR_USAGE);
    q = asking();
    q.certificate = span_str("no certificate");
    cr_assert_eq(make(q), ERR_MALFORMED);
    q = asking();
    q.issuer = span_str("no certificate");
    cr_assert_eq(make(q), ERR_MALFORMED);
}
