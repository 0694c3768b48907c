/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does every answer say what the store says, signed by whom the issuer authorised? The signer at the far end
 * of the wire is the test itself, signing with OpenSSL; OpenSSL verifies.
 */
#include "ocsp/ocsp.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/der.h"
#include "base/port.h"
#include "pki.h"

enum { GOOD = 100, REVOKED, UNSPECIFIED, HELD, OF_B, NOT_ISSUED }; /* last octets of serials */

static struct pki_cert ca_a, ca_b, foreign, responder_a, responder_b;
static uint16_t no_a, no_b;
static char dir[] = "/tmp/ocsp-test.XXXXXX";
static struct store *store;
static struct ocsp *o;
static struct board *board;
static int near_fd, far_fd;
static int64_t now_s = PKI_NOW;

/* ---- the store ---- */

static void add_cert(struct txn *t, struct span der, const uint8_t *serial, uint16_t issuer_no,
                     int64_t not_after_s)
{
    struct cert c = {
        .status = {.issuer_no = issuer_no, .not_after_s = not_after_s},
        .not_before_s = PKI_NOW - PKI_DAY,
        .issued_at_s = PKI_NOW - PKI_DAY,
        .key_type = KEY_EC,
        .key_bits = 256,
        .profile = "ucm/tomcat",
        .requester = "test",
        .cn = span_str("a.example.com"),
        .subject = span_str("CN=a.example.com"),
        .der = der,
    };
    uint64_t number;

    memcpy(c.serial, serial, SERIAL_LEN);
    memcpy(c.key_hash, serial, SERIAL_LEN);
    memcpy(c.fingerprint, serial, SERIAL_LEN);
    cert_add(t, &c, &number);
}

static const uint8_t *serial_of(uint8_t last)
{
    static uint8_t serial[SERIAL_LEN];

    memset(serial, 0x11, sizeof serial);
    serial[0] = 1;
    serial[SERIAL_LEN - 1] = last;
    return serial;
}

static void add_responder(struct txn *t, uint16_t no, const struct pki_cert *c)
{
    add_cert(t, span_of(c->der, c->der_len), c->serial, no, PKI_NOW + 14 * PKI_DAY);
    issuer_set_responder(t, no, c->serial);
}

static void commit(struct txn *t)
{
    cr_assert_eq(txn_commit(t), OK);
}

static struct txn *begin(void)
{
    struct txn *t;

    cr_assert_eq(txn_begin(store, &t), OK);
    return t;
}

static uint16_t add_issuer(struct txn *t, const char *id, const struct pki_cert *c)
{
    struct issuer i = {.certificate = span_of(c->der, c->der_len)};
    uint16_t no;

    strcpy(i.id, id);
    issuer_add(t, &i, &no);
    return no;
}

static void fill_store(void)
{
    static const uint8_t der[] = {0x30, 0};
    struct span any = span_of(der, sizeof der);
    struct txn *t = begin();

    no_a = add_issuer(t, "a-g1", &ca_a);
    no_b = add_issuer(t, "b-g1", &ca_b);
    add_responder(t, no_a, &responder_a);
    add_responder(t, no_b, &responder_b);
    for (uint8_t last = GOOD; last <= HELD; last++)
        add_cert(t, any, serial_of(last), no_a, PKI_NOW + 50 * PKI_DAY);
    add_cert(t, any, serial_of(OF_B), no_b, PKI_NOW + 50 * PKI_DAY);
    cert_revoke(t, serial_of(REVOKED), REASON_KEY_COMPROMISE, PKI_NOW - 5000, NO_TIME);
    cert_revoke(t, serial_of(UNSPECIFIED), REASON_UNSPECIFIED, PKI_NOW - 4000, NO_TIME);
    cert_revoke(t, serial_of(HELD), REASON_CERTIFICATE_HOLD, PKI_NOW - 3000, NO_TIME);
    commit(t);
}

static void open_responder(void)
{
    const struct ocsp_config config = {.validity_s = PKI_DAY, .age_max_s = 3600};
    struct fault f = {0};

    cr_assert_eq(ocsp_open(store, &config, near_fd, board, &o, &f), OK, "%s", f.detail);
}

static void setup(void)
{
    int fds[2];
    struct fault f = {0};

    ca_a = pki_certificate("Example CA A", NULL, PKI_CA, "EC", 1, PKI_NOW + 900 * PKI_DAY);
    ca_b = pki_certificate("Example CA B", NULL, PKI_CA, "RSA", 2, PKI_NOW + 900 * PKI_DAY);
    foreign = pki_certificate("Somebody else", NULL, PKI_CA, "EC", 3, PKI_NOW + 900 * PKI_DAY);
    responder_a = pki_certificate("OCSP A", &ca_a, PKI_RESPONDER, "EC", 4, PKI_NOW + 14 * PKI_DAY);
    responder_b = pki_certificate("OCSP B", &ca_b, PKI_RESPONDER, "RSA", 5, PKI_NOW + 14 * PKI_DAY);
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(store_open(dir, STORE_CREATE, 16 << 20, &store, &f), OK, "%s", f.detail);
    fill_store();
    cr_assert_eq(wire_pair(fds), OK);
    near_fd = fds[0];
    far_fd = fds[1];
    board = board_new();
    open_responder();
}

static void teardown(void)
{
    char command[64];

    ocsp_close(o);
    board_close(board);
    store_close(store);
    close(near_fd);
    if (far_fd >= 0)
        close(far_fd);
    pki_free(&ca_a);
    pki_free(&ca_b);
    pki_free(&foreign);
    pki_free(&responder_a);
    pki_free(&responder_b);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(ocsp_responder, .init = setup, .fini = teardown);

/* ---- the far end ---- */

struct job {
    uint64_t number;
    char key_id[ISSUER_ID_MAX];
    struct buf data;
};

static bool take_job(struct job *job)
{
    static uint8_t frame[WIRE_MSG_MAX];
    struct span in, id, data;
    struct rd r;

    if (wire_try_receive(far_fd, frame, sizeof frame, &in) != OK)
        return false;
    r = rd_of(in);
    cr_assert_eq(rd_u8(&r), PORT_OCSP);
    job->number = rd_u64(&r);
    id = rd_blob(&r);
    cr_assert(span_to_str(id, job->key_id, sizeof job->key_id));
    data = rd_take(&r, r.rest.len);
    buf_init(&job->data, WIRE_MSG_MAX);
    buf_put_span(&job->data, data);
    return true;
}

static void answer_job(const struct job *job, enum err e, struct span signature, const char *reason)
{
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    buf_put_u8(&b, PORT_OCSP);
    buf_put_u64(&b, job->number);
    buf_put_u8(&b, (uint8_t)e);
    buf_put_blob(&b, signature);
    buf_put_blob(&b, span_str(reason));
    cr_assert_eq(wire_try_send(far_fd, buf_span(&b)), OK);
    buf_free(&b);
}

static void sign_job(struct job *job)
{
    EVP_PKEY *key = strcmp(job->key_id, "a-g1") == 0 ? responder_a.key : responder_b.key;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[SIGNATURE_MAX];
    size_t len = sizeof signature;

    cr_assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
    cr_assert(EVP_DigestSign(ctx, signature, &len, job->data.data, job->data.len) == 1);
    EVP_MD_CTX_free(ctx);
    answer_job(job, OK, span_of(signature, len), "");
    buf_free(&job->data);
}

/* Signs what waits, at most `most`, and hands the signatures over. */
static size_t pump(size_t most)
{
    struct job job;
    size_t n = 0;

    while (n < most && take_job(&job)) {
        sign_job(&job);
        n++;
    }
    cr_assert_eq(ocsp_pump(o), OK);
    return n;
}

/* ---- asking ---- */

struct got {
    unsigned calls;
    struct ocsp_answer answer;
    struct buf der;
    OCSP_BASICRESP *basic;
};

static void on_done(const struct ocsp_answer *a, void *arg)
{
    struct got *g = arg;

    g->calls++;
    g->answer = *a;
    buf_init(&g->der, 1 << 20);
    buf_put_span(&g->der, a->der);
    g->answer.der = buf_span(&g->der);
}

static void forget(struct got *g)
{
    OCSP_BASICRESP_free(g->basic);
    buf_free(&g->der);
    *g = (struct got){0};
}

static void respond(struct span request, struct got *g)
{
    ocsp_respond(o, &(struct ocsp_asked){.request = request, .now_s = now_s}, on_done, g);
}

static struct got ask_der(struct span der)
{
    struct got g = {0};
    uint8_t *copy = malloc(der.len + 1); /* gone before the answer: nothing may borrow it */

    memcpy(copy, der.data, der.len);
    respond(span_of(copy, der.len), &g);
    free(copy);
    if (g.calls == 0)
        pump(1);
    cr_assert_eq(g.calls, 1);
    return g;
}

static OCSP_CERTID *id_of(const struct pki_cert *issuer, uint8_t last)
{
    return pki_certid(EVP_sha1(), issuer, span_of(serial_of(last), SERIAL_LEN));
}

static OCSP_REQUEST *about(OCSP_CERTID *id)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();

    pki_add(r, id);
    return r;
}

static void verify_with(struct got *g, OCSP_REQUEST *request, const struct pki_cert *ca, unsigned long flags)
{
    const uint8_t *p = g->answer.der.data;
    OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)g->answer.der.len);
    X509_STORE *trust = X509_STORE_new();

    cr_assert(r != NULL && p == g->answer.der.data + g->answer.der.len);
    cr_assert_eq(OCSP_response_status(r), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    g->basic = OCSP_response_get1_basic(r);
    X509_STORE_add_cert(trust, ca->x509);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(trust), now_s);
    cr_assert_eq(OCSP_basic_verify(g->basic, NULL, trust, flags), 1, "%s",
                 ERR_reason_error_string(ERR_peek_last_error()));
    cr_assert_gt(OCSP_check_nonce(request, g->basic), 0);
    X509_STORE_free(trust);
    OCSP_RESPONSE_free(r);
}

static void verify(struct got *g, OCSP_REQUEST *request, const struct pki_cert *ca)
{
    verify_with(g, request, ca, 0);
}

static OCSP_REQUEST *copy_of(OCSP_REQUEST *r)
{
    return ASN1_item_dup(ASN1_ITEM_rptr(OCSP_REQUEST), r);
}

/* Asks by a request that OpenSSL made (taken) and lets OpenSSL verify the answer. */
static struct got ask_by(OCSP_REQUEST *request, const struct pki_cert *ca)
{
    struct buf der = pki_encode(copy_of(request));
    struct got g = ask_der(buf_span(&der));

    buf_free(&der);
    if (ca != NULL)
        verify(&g, request, ca);
    OCSP_REQUEST_free(request);
    return g;
}

static int64_t seconds_of(const ASN1_GENERALIZEDTIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

struct said {
    int status, reason;
    int64_t revoked_s, this_s, next_s;
};

static struct said said_of(const struct got *g, int i)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
    struct said s = {.reason = -1};

    s.status = OCSP_single_get0_status(OCSP_resp_get0(g->basic, i), &s.reason, &revoked, &from, &to);
    s.revoked_s = seconds_of(revoked);
    s.this_s = seconds_of(from);
    s.next_s = seconds_of(to);
    return s;
}

static struct said ask_serial(uint8_t last)
{
    struct got g = ask_by(about(id_of(&ca_a, last)), &ca_a);
    struct said s = said_of(&g, 0);

    cr_assert_eq(OCSP_resp_count(g.basic), 1);
    cr_assert_eq(g.answer.count, 1);
    forget(&g);
    return s;
}

static enum ocsp_status ask_status(OCSP_REQUEST *r)
{
    struct got g = ask_by(r, NULL);
    enum ocsp_status s = g.answer.status;

    cr_assert(s == OCSP_SUCCESSFUL ||
              span_eq(g.answer.der, span_of((uint8_t[]){0x30, 3, 10, 1, (uint8_t)s}, 5)));
    forget(&g);
    return s;
}

/* ---- claims ---- */

Test(ocsp_responder, an_issued_serial_is_good)
{
    struct said s = ask_serial(GOOD);

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_GOOD);
    cr_assert_eq(s.this_s, PKI_NOW);
    cr_assert_eq(s.next_s, PKI_NOW + PKI_DAY);
}

Test(ocsp_responder, a_revoked_serial_is_revoked_with_its_reason_and_time)
{
    struct said s = ask_serial(REVOKED);

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
    cr_assert_eq(s.revoked_s, PKI_NOW - 5000);
}

Test(ocsp_responder, an_unspecified_reason_is_left_out)
{
    struct said s = ask_serial(UNSPECIFIED);

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, -1);
}

Test(ocsp_responder, a_held_serial_is_revoked_as_on_hold_and_good_after)
{
    struct said s = ask_serial(HELD);
    struct txn *t;

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    cr_assert_eq(s.revoked_s, PKI_NOW - 3000);
    t = begin();
    cert_unhold(t, serial_of(HELD));
    commit(t);
    cr_assert_eq(ask_serial(HELD).status, V_OCSP_CERTSTATUS_GOOD);
}

Test(ocsp_responder, the_answer_after_a_revocation_says_revoked)
{
    struct txn *t;

    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_GOOD);
    t = begin();
    cert_revoke(t, serial_of(GOOD), REASON_SUPERSEDED, PKI_NOW, NO_TIME);
    commit(t);
    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_REVOKED);
}

Test(ocsp_responder, a_serial_that_was_not_issued_is_unknown_for_a_short_time)
{
    struct said s = ask_serial(NOT_ISSUED);
    struct got g;

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_UNKNOWN);
    cr_assert_eq(s.next_s, PKI_NOW + OCSP_UNKNOWN_S);
    g = ask_by(about(id_of(&ca_a, NOT_ISSUED)), &ca_a);
    cr_assert(g.answer.has_unknown);
    forget(&g);
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_not(g.answer.has_unknown);
    forget(&g);
}

Test(ocsp_responder, a_serial_of_another_issuer_of_ours_is_unknown)
{
    struct got g = ask_by(about(id_of(&ca_b, OF_B)), &ca_b);

    cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_GOOD);
    forget(&g);
    cr_assert_eq(ask_serial(OF_B).status, V_OCSP_CERTSTATUS_UNKNOWN);
}

Test(ocsp_responder, serials_of_any_other_length_are_unknown)
{
    static uint8_t octets[40];

    memset(octets, 0x11, sizeof octets);
    for (size_t len = 1; len <= sizeof octets; len++) {
        struct got g;

        if (len == SERIAL_LEN)
            continue;
        g = ask_by(about(pki_certid(EVP_sha1(), &ca_a, span_of(octets, len))), &ca_a);
        cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_UNKNOWN, "%zu", len);
        forget(&g);
    }
}

Test(ocsp_responder, every_hash_finds_the_issuer)
{
    const EVP_MD *mds[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};

    for (size_t i = 0; i < 4; i++) {
        OCSP_CERTID *id = pki_certid(mds[i], &ca_a, span_of(serial_of(GOOD), SERIAL_LEN)),
                    *asked = OCSP_CERTID_dup(id);
        struct got g = ask_by(about(id), &ca_a);
        int at = OCSP_resp_find(g.basic, asked, -1); /* the CertID is the one asked with */

        cr_assert_eq(at, 0);
        cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_GOOD);
        OCSP_CERTID_free(asked);
        forget(&g);
    }
    cr_assert_eq(ask_status(about(pki_certid(EVP_sha224(), &ca_a, span_of(serial_of(GOOD), SERIAL_LEN)))),
                 OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, a_foreign_issuer_alone_is_unauthorized)
{
    cr_assert_eq(ask_status(about(id_of(&foreign, GOOD))), OCSP_UNAUTHORIZED);
}

/* The key of one issuer under the name of another is neither. */
Test(ocsp_responder, name_and_key_must_be_of_one_issuer)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    OCSP_CERTID *id;

    ASN1_INTEGER_set(n, 7);
    id =
        OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(ca_a.x509), X509_get0_pubkey_bitstr(ca_b.x509), n);
    cr_assert_eq(ask_status(about(id)), OCSP_UNAUTHORIZED);
    ASN1_INTEGER_free(n);
}

/* RFC 6960 2.2. OpenSSL checks the chain here, but takes no delegate's word on two issuers. */
Test(ocsp_responder, a_foreign_issuer_beside_ours_is_unknown)
{
    OCSP_REQUEST *r = about(id_of(&foreign, GOOD));
    struct got g;

    pki_add(r, id_of(&ca_a, GOOD));
    pki_add(r, id_of(&ca_a, REVOKED));
    g = ask_by(copy_of(r), NULL);
    verify_with(&g, r, &ca_a, OCSP_NOCHECKS);
    OCSP_REQUEST_free(r);
    cr_assert_eq(OCSP_resp_count(g.basic), 3);
    cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_UNKNOWN);
    cr_assert_eq(said_of(&g, 1).status, V_OCSP_CERTSTATUS_GOOD);
    cr_assert_eq(said_of(&g, 2).status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(g.answer.count, 3);
    cr_assert_eq(g.answer.next_update_s, PKI_NOW + OCSP_UNKNOWN_S);
    forget(&g);
}

Test(ocsp_responder, two_issuers_of_ours_in_one_request_are_unauthorized)
{
    OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));

    pki_add(r, id_of(&ca_b, OF_B));
    cr_assert_eq(ask_status(r), OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, many_certids_are_answered_in_order)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();
    struct got g;

    for (int i = 0; i < OCSP_CERTIDS_MAX; i++)
        pki_add(r, id_of(&ca_a, i % 2 ? REVOKED : GOOD));
    pki_add_nonce(r, OCSP_NONCE_MAX, false);
    g = ask_by(r, &ca_a);
    cr_assert_eq(OCSP_resp_count(g.basic), OCSP_CERTIDS_MAX);
    for (int i = 0; i < OCSP_CERTIDS_MAX; i++)
        cr_assert_eq(said_of(&g, i).status, i % 2 ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD);
    forget(&g);
}

Test(ocsp_responder, a_nonce_of_1_to_128_octets_is_echoed)
{
    static const size_t good[] = {1, 32, 128}, bad[] = {0, 129};

    for (size_t i = 0; i < 3; i++) {
        OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));
        struct got g;

        pki_add_nonce(r, good[i], false);
        g = ask_by(r, &ca_a); /* OCSP_check_nonce compares */
        cr_assert(g.answer.has_nonce);
        cr_assert_eq(OCSP_BASICRESP_get_ext_count(g.basic), 1);
        forget(&g);
    }
    for (size_t i = 0; i < 2; i++) {
        OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));

        pki_add_nonce(r, bad[i], false);
        cr_assert_eq(ask_status(r), OCSP_MALFORMED);
    }
}

Test(ocsp_responder, without_a_nonce_there_is_no_extension)
{
    struct got g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);

    cr_assert_not(g.answer.has_nonce);
    cr_assert_eq(OCSP_BASICRESP_get_ext_count(g.basic), 0);
    forget(&g);
}

Test(ocsp_responder, the_responder_is_named_by_its_key)
{
    struct got g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    const ASN1_OCTET_STRING *id = NULL;
    const X509_NAME *name = NULL;
    uint8_t hash[20];
    X509 *signer;

    cr_assert_eq(OCSP_resp_get0_id(g.basic, &id, &name), 1);
    cr_assert(id != NULL && name == NULL);
    X509_pubkey_digest(responder_a.x509, EVP_sha1(), hash, NULL);
    cr_assert(span_eq(span_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)),
                      span_of(hash, sizeof hash)));
    cr_assert_eq(OCSP_resp_get0_signer(g.basic, &signer, NULL), 1);
    cr_assert_eq(X509_cmp(signer, responder_a.x509), 0);
    cr_assert_eq(seconds_of(OCSP_resp_get0_produced_at(g.basic)), PKI_NOW);
    forget(&g);
}

Test(ocsp_responder, next_update_ends_with_the_signer)
{
    now_s = PKI_NOW + 14 * PKI_DAY - 100;
    cr_assert_eq(ask_serial(GOOD).next_s, PKI_NOW + 14 * PKI_DAY);
    now_s = PKI_NOW + 14 * PKI_DAY;
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    now_s = PKI_NOW - 31 * PKI_DAY; /* before it began */
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
}

Test(ocsp_responder, a_copy_of_the_store_speaks_of_its_time_and_not_for_long)
{
    struct said s;

    ocsp_follow(o, store, PKI_NOW - 3600);
    s = ask_serial(GOOD);
    cr_assert_eq(s.this_s, PKI_NOW - 3600);
    cr_assert_eq(s.next_s, PKI_NOW - 3600 + PKI_DAY);
    cr_assert_eq(ask_serial(NOT_ISSUED).next_s, PKI_NOW + OCSP_UNKNOWN_S);
    ocsp_follow(o, store, PKI_NOW - 3601);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    ocsp_follow(o, store, PKI_NOW + 60); /* made where the clock is ahead */
    cr_assert_eq(ask_serial(GOOD).this_s, PKI_NOW);
}

Test(ocsp_responder, without_a_signer_certificate_clients_try_later_until_there_is_one)
{
    struct pki_cert ca_c = pki_certificate("Example CA C", NULL, PKI_CA, "EC", 9, PKI_NOW + 900 * PKI_DAY);
    struct txn *t = begin();
    struct got g;
    uint16_t no = add_issuer(t, "a-g1", &foreign); /* a duplicate id: refused, nothing changes */

    (void)no;
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    t = begin();
    add_issuer(t, "c-g1", &ca_c);
    commit(t);
    now_s++;
    cr_assert_eq(ask_status(about(id_of(&ca_c, GOOD))), OCSP_TRY_LATER);
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a); /* the others answer as ever */
    forget(&g);
    pki_free(&ca_c);
}

Test(ocsp_responder, a_renewed_signer_certificate_is_used_within_a_second)
{
    struct pki_cert renewed =
        pki_certificate("OCSP A", &ca_a, PKI_RESPONDER, "EC", 77, PKI_NOW + 28 * PKI_DAY);
    struct got under_way = {0}, g;
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct txn *t;
    X509 *signer;

    respond(buf_span(&der), &under_way);
    t = begin();
    add_responder(t, no_a, &renewed);
    commit(t);
    now_s++;
    pump(1); /* the one under way was written for the old certificate, and carries it */
    cr_assert_eq(under_way.calls, 1);
    EVP_PKEY *old = responder_a.key;

    responder_a.key = renewed.key;
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_eq(OCSP_resp_get0_signer(g.basic, &signer, NULL), 1);
    cr_assert_eq(X509_cmp(signer, renewed.x509), 0);
    responder_a.key = old;
    forget(&g);
    now_s--;
    OCSP_REQUEST *request = about(id_of(&ca_a, GOOD));

    verify(&under_way, request, &ca_a);
    OCSP_REQUEST_free(request);
    forget(&under_way);
    buf_free(&der);
    pki_free(&renewed);
}

Test(ocsp_responder, what_cannot_be_read_is_malformed)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));

    for (size_t len = 0; len < der.len; len++) {
        struct got g = ask_der(span_of(der.data, len));

        cr_assert_eq(g.answer.status, OCSP_MALFORMED);
        forget(&g);
    }
    buf_free(&der);
}

Test(ocsp_responder, hundreds_wait_and_no_more)
{
    static struct got got[OCSP_LIVE_MAX + 1];
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    size_t done = 0;

    for (size_t i = 0; i <= OCSP_LIVE_MAX; i++) /* more than the wire's queue holds */
        respond(buf_span(&der), &got[i]);
    cr_assert_eq(got[OCSP_LIVE_MAX].calls, 1);
    cr_assert_eq(got[OCSP_LIVE_MAX].answer.status, OCSP_TRY_LATER);
    while (done < OCSP_LIVE_MAX) {
        size_t n = pump(7);

        cr_assert_gt(n, 0);
        done += n;
    }
    for (size_t i = 0; i < OCSP_LIVE_MAX; i++) {
        cr_assert_eq(got[i].calls, 1);
        cr_assert_eq(got[i].answer.status, OCSP_SUCCESSFUL);
        forget(&got[i]);
    }
    forget(&got[OCSP_LIVE_MAX]);
    buf_free(&der);
    struct got g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);

    forget(&g);
}

Test(ocsp_responder, answers_may_come_in_any_order)
{
    struct buf one = pki_encode(about(id_of(&ca_a, GOOD))), two = pki_encode(about(id_of(&ca_b, OF_B)));
    struct got a = {0}, b = {0};
    struct job first, second;
    OCSP_REQUEST *request;

    respond(buf_span(&one), &a);
    respond(buf_span(&two), &b);
    cr_assert(take_job(&first) && take_job(&second));
    sign_job(&second);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert(a.calls == 0 && b.calls == 1);
    sign_job(&first);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert(a.calls == 1 && b.calls == 1);
    request = about(id_of(&ca_a, GOOD));
    verify(&a, request, &ca_a);
    verify(&b, request, &ca_b);
    OCSP_REQUEST_free(request);
    forget(&a);
    forget(&b);
    buf_free(&one);
    buf_free(&two);
}

Test(ocsp_responder, a_refusal_of_the_signer_is_an_internal_error)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got g = {0};
    struct job job;

    respond(buf_span(&der), &g);
    cr_assert(take_job(&job));
    answer_job(&job, ERR_POLICY, (struct span){0}, "not for this");
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(g.answer.status, OCSP_INTERNAL_ERROR);
    forget(&g);
    buf_free(&job.data);
    buf_free(&der);
}

Test(ocsp_responder, a_lost_signer_is_told_and_closing_answers_everyone)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got g = {0};

    respond(buf_span(&der), &g);
    close(far_fd);
    far_fd = -1;
    cr_assert_eq(ocsp_pump(o), ERR_END);
    cr_assert_eq(g.calls, 0);
    ocsp_close(o);
    o = NULL;
    cr_assert_eq(g.calls, 1);
    cr_assert_eq(g.answer.status, OCSP_TRY_LATER);
    forget(&g);
    buf_free(&der);
}
