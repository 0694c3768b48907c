/* SPDX-License-Identifier: Apache-2.0 */
/* inner: what the files of the ocsp room share: the octets of an answer, and the issuers answered for. */
#ifndef OCSP_INNER_H
#define OCSP_INNER_H

#include "base/alg.h"
#include "ocsp/ocsp.h"

/* ---- response.c: the octets of an answer, pure ---- */

#define RESPONSE_MAX (64u * 1024) /* octets: 32 answers and one certificate take a quarter of it */

enum single_state { SINGLE_GOOD, SINGLE_REVOKED, SINGLE_UNKNOWN };

/* One SingleResponse. */
struct single {
    struct span certid; /* CertID element, copied byte for byte */
    enum single_state state;
    enum reason reason; /* when revoked */
    int64_t revoked_at_s;
    int64_t next_update_s;
};

struct response {
    const uint8_t *key_hash; /* SKI_LEN octets: responderID byKey */
    int64_t produced_at_s;
    int64_t this_update_s; /* of each answer: when what it says was known to be true */
    const struct single *singles;
    size_t count;
    bool has_nonce;
    struct span nonce;
};

/* ResponseData, RFC 6960 4.2.1. */
void response_data_write(struct buf *b, const struct response *r);
/* The whole OCSPResponse around a signed ResponseData. */
void response_write(struct buf *b, struct span data, enum sig_alg alg, struct span signature,
                    struct span certificate);
/* An OCSPResponse without responseBytes, RFC 6960 2.3. Static octets. */
struct span response_error(enum ocsp_status s);

/* ---- served.c: the issuers answered for ---- */

/* A delegated signer, RFC 6960 4.2.2.2. Counted: answers under way hold the one they were written for. */
struct delegate {
    unsigned holders;
    uint8_t serial[SERIAL_LEN];
    uint8_t *certificate;
    size_t certificate_len;
    uint8_t key_hash[SKI_LEN]; /* SHA-1 of the key bits */
    enum sig_alg alg;
    int64_t not_before_s, not_after_s;
};
struct delegate *delegate_hold(struct delegate *d);
void delegate_drop(struct delegate *d); /* NULL is fine */

struct served {
    char id[ISSUER_ID_MAX];
    uint16_t no;
    struct {
        uint8_t name[HASH_LEN_MAX], key[HASH_LEN_MAX];
    } hashes[HASH_SHA512 +
             1]; /* of the issuer's subject and key bits, by algorithm; filled for those CertIDs may use */
    struct delegate *delegate; /* NULL: none yet */
};

struct served_list {
    struct served items[ISSUERS_MAX];
    size_t count;
};
/* Adds issuers that are new and replaces delegates that changed. ERR_INTERNAL: a certificate of ours that
 * cannot be read. */
enum err served_load(struct view *v, struct served_list *l, struct fault *f);
void served_free(struct served_list *l);
/* The issuer that a CertID names; NULL: not ours. */
const struct served *served_find(const struct served_list *l, const struct ocsp_certid *id);

#endif
