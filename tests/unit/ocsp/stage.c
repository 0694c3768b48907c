/* SPDX-License-Identifier: Apache-2.0 */
/* stage: see stage.h. */
#include "stage.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/port.h"

struct pki_cert ca_a, ca_b, foreign, responder_a, responder_b;
uint16_t no_a;
static uint16_t no_b;
static char dir[] = "/tmp/ocsp-test.XXXXXX";
struct store *store;
struct ocsp *o;
struct board *board;
static int near_fd;
int far_fd;
int64_t now_s = PKI_NOW;

/* ---- the store ---- */

void add_cert(struct txn *t, struct span der, const uint8_t *serial, uint16_t issuer_no, int64_t not_after_s)
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
    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
}

const uint8_t *serial_of(uint8_t last)
{
    static uint8_t serial[SERIAL_LEN];

    memset(serial, 0x11, sizeof serial);
    serial[0] = 1;
    serial[SERIAL_LEN - 1] = last;
    return serial;
}

void add_responder(struct txn *t, uint16_t no, const struct pki_cert *c)
{
    add_cert(t, span_of(c->der, c->der_len), c->serial, no, PKI_NOW + 14 * PKI_DAY);
    issuer_set_responder(t, no, c->serial);
}

void commit(struct txn *t)
{
    cr_assert_eq(txn_commit(t), OK);
}

struct txn *begin(void)
{
    struct txn *t;

    cr_assert_eq(txn_begin(store, &t), OK);
    return t;
}

uint16_t add_issuer(struct txn *t, const char *id, const struct pki_cert *c)
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

struct ocsp_config config = {.validity_s = PKI_DAY, .age_max_s = 3600};

static void open_responder(void)
{
    struct fault f = {0};

    cr_assert_eq(ocsp_open(store, &config, near_fd, board, &o, &f), OK, "%s", f.detail);
}

void stage_open(void)
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

void stage_close(void)
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

/* ---- the far end ---- */

struct frame frame;

static bool take_message(void)
{
    struct span in;
    uint8_t kind;

    ocsp_send(o); /* the turn is over */
    if (wire_try_receive(far_fd, frame.octets, sizeof frame.octets, &in) != OK)
        return false;
    frame.messages++;
    frame.rest = rd_of(in);
    kind = rd_u8(&frame.rest);
    frame.is_several = kind == PORT_SEVERAL;
    frame.count = frame.is_several ? (size_t)rd_u64(&frame.rest) : 1;
    cr_assert_leq(frame.count, PORT_SEVERAL_MAX);
    cr_assert_eq(frame.is_several ? rd_u8(&frame.rest) : kind, PORT_OCSP);
    return true;
}

bool take_job(struct job *job)
{
    struct rd *r = &frame.rest;
    struct span id, data;

    if (frame.count == 0 && !take_message())
        return false;
    job->number = rd_u64(r);
    id = rd_blob(r);
    cr_assert(span_to_str(id, job->key_id, sizeof job->key_id));
    data = frame.is_several ? rd_blob(r) : rd_take(r, r->rest.len);
    cr_assert(!r->failed && (--frame.count > 0 || r->rest.len == 0));
    buf_init(&job->data, WIRE_MSG_MAX);
    buf_put_span(&job->data, data);
    return true;
}

void answer_job(const struct job *job, enum err e, struct span signature, const char *reason)
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

void sign_job(struct job *job)
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

size_t pump(size_t most)
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

void on_done(const struct ocsp_answer *a, void *arg)
{
    struct got *g = arg;

    g->calls++;
    g->answer = *a;
    buf_init(&g->der, 1 << 20);
    buf_put_span(&g->der, a->der);
    g->answer.der = buf_span(&g->der);
}

void forget(struct got *g)
{
    OCSP_BASICRESP_free(g->basic);
    buf_free(&g->der);
    *g = (struct got){0};
}

void respond(struct span request, struct got *g)
{
    ocsp_respond(o, &(struct ocsp_asked){.request = request, .now_s = now_s}, on_done, g);
}

struct got ask_der(struct span der)
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

OCSP_CERTID *id_of(const struct pki_cert *issuer, uint8_t last)
{
    return pki_certid(EVP_sha1(), issuer, span_of(serial_of(last), SERIAL_LEN));
}

OCSP_REQUEST *about(OCSP_CERTID *id)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();

    pki_add(r, id);
    return r;
}

void verify_with(struct got *g, OCSP_REQUEST *request, const struct pki_cert *ca, unsigned long flags)
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

void verify(struct got *g, OCSP_REQUEST *request, const struct pki_cert *ca)
{
    verify_with(g, request, ca, 0);
}

OCSP_REQUEST *copy_of(OCSP_REQUEST *r)
{
    return ASN1_item_dup(ASN1_ITEM_rptr(OCSP_REQUEST), r);
}

struct got ask_by(OCSP_REQUEST *request, const struct pki_cert *ca)
{
    struct buf der = pki_encode(copy_of(request));
    struct got g = ask_der(buf_span(&der));

    buf_free(&der);
    if (ca != NULL)
        verify(&g, request, ca);
    OCSP_REQUEST_free(request);
    return g;
}

int64_t seconds_of(const ASN1_GENERALIZEDTIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : -1;
}

struct said said_of(const struct got *g, int i)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
    struct said s = {.reason = -1};

    s.status = OCSP_single_get0_status(OCSP_resp_get0(g->basic, i), &s.reason, &revoked, &from, &to);
    s.revoked_s = seconds_of(revoked);
    s.this_s = seconds_of(from);
    s.next_s = seconds_of(to);
    return s;
}

struct said ask_serial(uint8_t last)
{
    struct got g = ask_by(about(id_of(&ca_a, last)), &ca_a);
    struct said s = said_of(&g, 0);

    cr_assert_eq(OCSP_resp_count(g.basic), 1);
    cr_assert_eq(g.answer.count, 1);
    forget(&g);
    return s;
}

enum ocsp_status ask_status(OCSP_REQUEST *r)
{
    struct got g = ask_by(r, NULL);
    enum ocsp_status s = g.answer.status;

    cr_assert(s == OCSP_SUCCESSFUL ||
              span_eq(g.answer.der, span_of((uint8_t[]){0x30, 3, 10, 1, (uint8_t)s}, 5)));
    forget(&g);
    return s;
}

/* ---- a responder that keeps ---- */

void reopen(struct ocsp_config c)
{
    config = c;
    ocsp_close(o);
    open_responder();
}

void keeping(void)
{
    reopen((struct ocsp_config){.validity_s = PKI_DAY, .age_max_s = 3600, .cache_octets = CACHE});
}

size_t jobs_waiting(void)
{
    struct job job;
    size_t n = 0;

    while (take_job(&job)) {
        sign_job(&job);
        n++;
    }
    return n;
}

bool ask_signs(OCSP_REQUEST *request, struct got *g)
{
    struct buf der = pki_encode(request);
    size_t n;

    *g = (struct got){0};
    respond(buf_span(&der), g);
    n = jobs_waiting();
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(g->calls, 1);
    cr_assert_leq(n, 1);
    buf_free(&der);
    return n == 1;
}

bool signs(uint8_t last)
{
    struct got g;
    bool is = ask_signs(about(id_of(&ca_a, last)), &g);

    cr_assert_eq(g.answer.status, OCSP_SUCCESSFUL);
    forget(&g);
    return is;
}

int64_t figure_of(const char *family, const char *labels)
{
    return figure_value(board_figure(board, FIGURE_COUNTER, family, labels, ""));
}
