/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_query: asks any OCSP responder about one certificate and believes the answer only when it is verified:
 * signed by the issuer or by a delegate that the issuer authorised (RFC 6960 4.2.2.2), about this
 * certificate, current (one that names no end: fresh, or with our nonce), and with our nonce when it carries
 * one. By OpenSSL throughout, so that it judges our own responder with other code than ours. Blocks on the
 * network.
 */
#ifndef CLI_OCSP_QUERY_H
#define CLI_OCSP_QUERY_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/reason.h"

enum ocsp_query_status { OCSP_QUERY_GOOD, OCSP_QUERY_REVOKED, OCSP_QUERY_UNKNOWN };
const char *ocsp_query_status_name(enum ocsp_query_status s); /* "good", "revoked", "unknown" */

struct ocsp_query {
    struct span certificate; /* PEM (the first certificate; the others may be its issuer) or DER */
    struct span issuer;      /* PEM or DER; empty: the one among `certificate` that issued it */
    const char *url;         /* NULL: the first OCSP address in the certificate (AIA) */
    enum hash_alg certid;    /* HASH_NONE: SHA-1, which every responder knows */
    size_t nonce_len;        /* octets, at most 128; 0: 32 as RFC 9654 wants. */
    bool without_nonce;      /* for responders that refuse one */
    bool is_get;             /* asks by GET, without a nonce: what a cache may answer */
    int64_t now_s;
    long timeout_s; /* 0: the default of base/fetch.h */
};

struct ocsp_query_result {
    enum ocsp_query_status status;
    bool has_reason;
    enum reason reason;   /* with has_reason */
    int64_t revoked_at_s; /* when revoked, else 0 */
    int64_t produced_at_s, this_update_s;
    int64_t next_update_s; /* 0: the responder names none */
    char responder[256];   /* who signed: subject of its certificate, for people */
    char url[256];         /* what was asked */
    bool is_nonce_echoed;
    /* what a client sees of the exchange besides */
    bool is_get;
    size_t size; /* octets of the answer */
    int64_t connected_us, first_octet_us, total_us;
    char cache_control[128], etag[128], last_modified[64], expires[64]; /* "": not sent */
};

/* ERR_MALFORMED: input that is no certificate; ERR_NOT_FOUND: its issuer is neither given nor
 * beside it; ERR_USAGE: one given that did not issue it, no address; ERR_UNAVAILABLE: no answer,
 * or an HTTP status or an OCSP error instead of one (named in the fault); ERR_POLICY: an answer that does not
 * verify. `out` is filled when OK. */
enum err ocsp_query(const struct ocsp_query *q, struct ocsp_query_result *out, struct fault *f);

/* The two halves without the network, for tests and other transports. */
struct ocsp_question;
enum err ocsp_question_new(const struct ocsp_query *q, struct ocsp_question **out, struct fault *f);
void ocsp_question_free(struct ocsp_question *q);
struct span ocsp_question_der(const struct ocsp_question *q); /* the OCSPRequest, borrowed */
/* Verifies an OCSPResponse and reads it. */
enum err ocsp_question_judge(const struct ocsp_question *q, struct span response,
                             struct ocsp_query_result *out, struct fault *f);

#endif
