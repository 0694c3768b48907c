/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp_query: one question, one exchange, one verdict. */
#include "cli/ocsp_query.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/openssl.h"

#define NONCE_DEFAULT 32       /* octets, RFC 9654 2.1 */
#define NONCE_MAX 128          /* likewise */
#define CLOCK_SKEW_S 300       /* between us and a responder; as openssl ocsp allows */
#define GET_PATH_MAX 4096u     /* octets: our requests have a hundred or two before base64 */
#define RESPONSE_MAX (1 << 20) /* octets: a good answer has two thousand */

struct ocsp_question {
    X509 *certificate, *issuer;
    OCSP_CERTID *id;
    OCSP_REQUEST *request;
    uint8_t *der;
    size_t der_len;
    char url[256];
    int64_t now_s;
};

const char *ocsp_query_status_name(enum ocsp_query_status s)
{
    static const char *const names[] = {"good", "revoked", "unknown"};

    return names[s];
}

/* ---- certificates ---- */

/* PEM certificates in order, or one DER certificate. NULL for neither. */
static STACK_OF(X509) * read_certificates(struct span in)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(in.data, (int)in.len);
    const uint8_t *p = in.data;
    X509 *x;

    if (list == NULL || bio == NULL)
        die("out of memory");
    while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        sk_X509_push(list, x);
    if (sk_X509_num(list) == 0 && (x = d2i_X509(NULL, &p, (long)in.len)) != NULL)
        sk_X509_push(list, x);
    BIO_free(bio);
    ERR_clear_error();
    if (sk_X509_num(list) > 0)
        return list;
    sk_X509_free(list);
    return NULL;
}

/* The first of the list that issued the certificate, by name, key identifier and signature. */
static X509 *find_issuer(STACK_OF(X509) * list, X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(list); i++) {
        X509 *candidate = sk_X509_value(list, i);

        if (X509_check_issued(candidate, certificate) == X509_V_OK &&
            X509_verify(certificate, X509_get0_pubkey(candidate)) == 1)
            return candidate;
    }
    ERR_clear_error();
    return NULL;
}

static enum err load_certificates(const struct ocsp_query *q, struct ocsp_question *out, struct fault *f)
{
    STACK_OF(X509) *own = read_certificates(q->certificate), *issuers = NULL;
    X509 *issuer = NULL;
    enum err e = OK;

    if (own == NULL)
        return fault_set(f, ERR_MALFORMED, "there is no certificate, neither PEM nor DER");
    if (q->issuer.len > 0)
        issuers = read_certificates(q->issuer);
    if (q->issuer.len > 0 && issuers == NULL)
        e = fault_set(f, ERR_MALFORMED, "the issuer's file holds no certificate, neither PEM nor DER");
    if (e == OK)
        issuer = find_issuer(issuers != NULL ? issuers : own, sk_X509_value(own, 0));
    if (e == OK && issuer == NULL)
        e = fault_set(
            f, issuers != NULL ? ERR_USAGE : ERR_NOT_FOUND,
            issuers != NULL
                ? "none of the issuers' certificates, as given or in the service, issued this certificate"
                : "the issuer's certificate is not with the certificate: name it");
    if (e == OK) {
        out->certificate = sk_X509_value(own, 0);
        X509_up_ref(out->certificate);
        out->issuer = issuer;
        X509_up_ref(out->issuer);
    }
    sk_X509_pop_free(own, X509_free);
    sk_X509_pop_free(issuers, X509_free);
    return e;
}

/* ---- the question ---- */

static enum err choose_url(const struct ocsp_query *q, struct ocsp_question *out, struct fault *f)
{
    STACK_OF(OPENSSL_STRING) *named = X509_get1_ocsp(out->certificate);
    const char *url = q->url != NULL                     ? q->url
                      : sk_OPENSSL_STRING_num(named) > 0 ? sk_OPENSSL_STRING_value(named, 0)
                                                         : NULL;
    enum err e = OK;

    if (url == NULL)
        e = fault_set(f, ERR_USAGE, "the certificate names no OCSP address: name one");
    else if (strlen(url) >= sizeof out->url || strncmp(url, "http", 4) != 0 || strstr(url, "://") == NULL)
        e = fault_set(f, ERR_USAGE, "no address that can be asked: %.200s", url);
    else
        strcpy(out->url, url);
    X509_email_free(named);
    return e;
}

static const EVP_MD *certid_digest(enum hash_alg a)
{
    return a == HASH_SHA256   ? EVP_sha256()
           : a == HASH_SHA384 ? EVP_sha384()
           : a == HASH_SHA512 ? EVP_sha512()
                              : EVP_sha1();
}

static void build_request(const struct ocsp_query *q, struct ocsp_question *out)
{
    size_t nonce_len = q->nonce_len > 0 && q->nonce_len <= NONCE_MAX ? q->nonce_len : NONCE_DEFAULT;
    int len;

    out->id = OCSP_cert_to_id(certid_digest(q->certid), out->certificate, out->issuer);
    out->request = OCSP_REQUEST_new();
    if (out->id == NULL || out->request == NULL ||
        OCSP_request_add0_id(out->request, OCSP_CERTID_dup(out->id)) == NULL)
        die("out of memory");
    if (!q->without_nonce && !q->is_get && OCSP_request_add1_nonce(out->request, NULL, (int)nonce_len) != 1)
        die("no randomness");
    len = i2d_OCSP_REQUEST(out->request, &out->der);
    if (len <= 0)
        die("out of memory");
    out->der_len = (size_t)len;
}

enum err ocsp_question_new(const struct ocsp_query *q, struct ocsp_question **out, struct fault *f)
{
    struct ocsp_question *n = xcalloc(1, sizeof *n);
    enum err e;

    *out = NULL;
    n->now_s = q->now_s;
    e = load_certificates(q, n, f);
    if (e == OK)
        e = choose_url(q, n, f);
    if (e != OK) {
        ocsp_question_free(n);
        return e;
    }
    build_request(q, n);
    *out = n;
    return OK;
}

void ocsp_question_free(struct ocsp_question *q)
{
    if (q == NULL)
        return;
    OPENSSL_free(q->der);
    OCSP_REQUEST_free(q->request);
    OCSP_CERTID_free(q->id);
    X509_free(q->certificate);
    X509_free(q->issuer);
    free(q);
}

struct span ocsp_question_der(const struct ocsp_question *q)
{
    return span_of(q->der, q->der_len);
}

/* ---- the verdict ---- */

/* Trusts the issuer alone, be it a root or not, at the question's time. */
static enum err verify_signature(const struct ocsp_question *q, OCSP_BASICRESP *basic, struct fault *f)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *candidates = sk_X509_new_null();
    X509_VERIFY_PARAM *param;
    enum err e = OK;

    if (store == NULL || candidates == NULL || X509_STORE_add_cert(store, q->issuer) != 1)
        die("out of memory");
    sk_X509_push(candidates, q->issuer); /* when the issuer signs itself, it need not be in the answer */
    param = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(param, q->now_s);
    ERR_clear_error();
    if (OCSP_basic_verify(basic, candidates, store, 0) != 1)
        e = fault_set(f, ERR_POLICY, "the answer's signature does not verify: %s", openssl_reason());
    ERR_clear_error();
    sk_X509_free(candidates);
    X509_STORE_free(store);
    return e;
}

/* RFC 9654: an answer without a nonce may be one made before; an answer with another nonce is not ours. */
static enum err verify_nonce(const struct ocsp_question *q, OCSP_BASICRESP *basic,
                             struct ocsp_query_result *out, struct fault *f)
{
    int seen = OCSP_check_nonce(q->request, basic);

    out->is_nonce_echoed = seen == 1;
    if (seen == 0)
        return fault_set(f, ERR_POLICY, "the answer carries another nonce than the question");
    return OK;
}

/* 0 for one that is not there. */
static enum err read_time(const ASN1_GENERALIZEDTIME *t, const char *name, int64_t *out_s, struct fault *f)
{
    struct tm tm;

    *out_s = 0;
    if (t == NULL)
        return OK;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return fault_set(f, ERR_POLICY, "the answer's %s is no time", name);
    *out_s = (int64_t)timegm(&tm);
    return OK;
}

/* One without an end says that there is always a newer one (RFC 6960 4.2.2.1): without our nonce in it, it is
 * believed while it can be that one, else whoever kept it could show it for ever. */
static enum err read_times(const struct ocsp_question *q, OCSP_BASICRESP *basic,
                           const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *to,
                           struct ocsp_query_result *out, struct fault *f)
{
    enum err e = read_time(from, "thisUpdate", &out->this_update_s, f);

    if (e == OK)
        e = read_time(to, "nextUpdate", &out->next_update_s, f);
    if (e == OK)
        e = read_time(OCSP_resp_get0_produced_at(basic), "producedAt", &out->produced_at_s, f);
    if (e == OK && out->this_update_s > q->now_s + CLOCK_SKEW_S)
        e = fault_set(f, ERR_POLICY, "the answer is not valid yet");
    if (e == OK && to != NULL && out->next_update_s < q->now_s - CLOCK_SKEW_S)
        e = fault_set(f, ERR_POLICY, "the answer has expired");
    if (e == OK && to == NULL && !out->is_nonce_echoed && out->this_update_s < q->now_s - CLOCK_SKEW_S)
        e = fault_set(f, ERR_POLICY, "the answer names no end, and is %lld s old",
                      (long long)(q->now_s - out->this_update_s));
    return e;
}

static enum err read_status(const struct ocsp_question *q, OCSP_BASICRESP *basic,
                            struct ocsp_query_result *out, struct fault *f)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
    int status, reason;
    enum err e;

    if (OCSP_resp_find_status(basic, q->id, &status, &reason, &revoked, &from, &to) != 1)
        return fault_set(f, ERR_POLICY, "the answer is about another certificate");
    out->status = status == V_OCSP_CERTSTATUS_GOOD      ? OCSP_QUERY_GOOD
                  : status == V_OCSP_CERTSTATUS_REVOKED ? OCSP_QUERY_REVOKED
                                                        : OCSP_QUERY_UNKNOWN;
    out->has_reason = out->status == OCSP_QUERY_REVOKED && reason >= 0;
    out->reason = out->has_reason ? (enum reason)reason : REASON_UNSPECIFIED;
    e = read_time(revoked, "revocationTime", &out->revoked_at_s, f);
    return e == OK ? read_times(q, basic, from, to, out, f) : e;
}

static void name_signer(const struct ocsp_question *q, OCSP_BASICRESP *basic, struct ocsp_query_result *out)
{
    STACK_OF(X509) *more = sk_X509_new_null();
    X509 *signer = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    int len = 0;

    if (more == NULL || bio == NULL)
        die("out of memory");
    sk_X509_push(more, q->issuer);
    if (OCSP_resp_get0_signer(basic, &signer, more) == 1 &&
        X509_NAME_print_ex(bio, X509_get_subject_name(signer), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >=
            0)
        len = BIO_read(bio, out->responder, sizeof out->responder - 1);
    out->responder[len > 0 ? len : 0] = '\0';
    BIO_free(bio);
    sk_X509_free(more);
}

static enum err judge_basic(const struct ocsp_question *q, OCSP_BASICRESP *basic,
                            struct ocsp_query_result *out, struct fault *f)
{
    enum err e = verify_signature(q, basic, f);

    if (e == OK)
        e = verify_nonce(q, basic, out, f);
    if (e == OK)
        e = read_status(q, basic, out, f);
    if (e == OK)
        name_signer(q, basic, out);
    return e;
}

enum err ocsp_question_judge(const struct ocsp_question *q, struct span response,
                             struct ocsp_query_result *out, struct fault *f)
{
    const uint8_t *p = response.data;
    OCSP_RESPONSE *r = response.len <= RESPONSE_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)response.len) : NULL;
    OCSP_BASICRESP *basic = NULL;
    enum err e = OK;
    int status;

    *out = (struct ocsp_query_result){0};
    memcpy(out->url, q->url, sizeof out->url);
    if (r == NULL || p != response.data + response.len)
        e = fault_set(f, ERR_POLICY, "the answer is no OCSP response");
    status = r != NULL ? OCSP_response_status(r) : 0;
    if (e == OK && status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        e = fault_set(f, ERR_UNAVAILABLE, "the responder answers %s", OCSP_response_status_str(status));
    if (e == OK && (basic = OCSP_response_get1_basic(r)) == NULL)
        e = fault_set(f, ERR_POLICY, "the answer is no basic OCSP response");
    if (e == OK)
        e = judge_basic(q, basic, out, f);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(r);
    ERR_clear_error();
    return e;
}

/* ---- the exchange ---- */

/* Splits "http://host:port/path" where its path begins: base/fetch.h wants the two apart. */
static const char *path_of(const char *url, char *base, size_t cap)
{
    const char *path = strchr(strstr(url, "://") + 3, '/');
    size_t len = path != NULL ? (size_t)(path - url) : strlen(url);

    snprintf(base, cap, "%.*s", (int)len, url);
    return path != NULL ? path : "/";
}

/* RFC 6960 A.1: the address, a slash, the request as base64, escaped as one segment. */
static void put_get_path(struct buf *out, const char *path, struct span der)
{
    struct buf base64;

    buf_init(&base64, GET_PATH_MAX);
    base64_put(&base64, der);
    buf_put_u8(&base64, 0);
    buf_put_str(out, path);
    if (path[strlen(path) - 1] != '/')
        buf_put_u8(out, '/');
    fetch_segment(out, (const char *)base64.data);
    buf_free(&base64);
}

static enum err exchange(const struct ocsp_question *question, const struct ocsp_query *q,
                         struct fetch_answer *answer, struct fault *f)
{
    char base[256];
    const char *path = path_of(question->url, base, sizeof base);
    const struct fetch_target target = {.base_url = base, .timeout_s = q->timeout_s};
    struct fetch_request request = {.method = "GET", .accept = "application/ocsp-response"};
    struct buf whole;
    enum err e;

    buf_init(&whole, GET_PATH_MAX);
    if (q->is_get) {
        put_get_path(&whole, path, ocsp_question_der(question));
    } else {
        buf_put_str(&whole, path);
        request.method = "POST";
        request.content_type = "application/ocsp-request";
        request.body = ocsp_question_der(question);
    }
    buf_put_u8(&whole, 0);
    request.path = (const char *)whole.data;
    e = fetch(&target, &request, answer, f);
    buf_free(&whole);

    if (e == OK && answer->status != 200)
        e = fault_set(f, ERR_UNAVAILABLE, "%s answers with HTTP status %u", question->url, answer->status);
    return e;
}

static void note_exchange(const struct fetch_answer *a, struct ocsp_query_result *out)
{
    out->size = a->body.len;
    out->connected_us = a->connected_us;
    out->first_octet_us = a->first_octet_us;
    out->total_us = a->total_us;
    memcpy(out->cache_control, a->cache_control, sizeof out->cache_control);
    memcpy(out->etag, a->etag, sizeof out->etag);
    memcpy(out->last_modified, a->last_modified, sizeof out->last_modified);
    memcpy(out->expires, a->expires, sizeof out->expires);
}

enum err ocsp_query(const struct ocsp_query *q, struct ocsp_query_result *out, struct fault *f)
{
    struct fetch_answer answer = {0};
    struct ocsp_question *question;
    enum err e = ocsp_question_new(q, &question, f);

    *out = (struct ocsp_query_result){0};
    if (e != OK)
        return e;
    e = exchange(question, q, &answer, f);
    if (e == OK)
        e = ocsp_question_judge(question, buf_span(&answer.body), out, f);
    out->is_get = q->is_get;
    note_exchange(&answer, out);
    fetch_answer_free(&answer);
    ocsp_question_free(question);
    return e;
}
