/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp: answers "what is the status of this serial" (RFC 6960, nonce RFC 9654, caching RFC 9919) from the
 * store, signed by a delegated key per issuer that lives behind a signing port. It knows neither the CA nor HTTP: octets in, octets
 * out, asynchronously, because a signature is made by another process.
 *
 * It never says good for what was not issued: unknown for an issuer it serves; `unauthorized`, unsigned, when it serves none of the
 * issuers asked about. Every answer is read from the state committed when it is signed.
 */
#ifndef OCSP_OCSP_H
#define OCSP_OCSP_H

#include "base/xml.h"
#include "store/store.h"

/* RFC 6960 4.2.1 */
enum ocsp_status {
    OCSP_SUCCESSFUL = 0,
    OCSP_MALFORMED = 1,
    OCSP_INTERNAL_ERROR = 2,
    OCSP_TRY_LATER = 3,
    OCSP_UNAUTHORIZED = 6,
};

#define OCSP_CERTIDS_MAX 32 /* a request of 4 KiB holds no more with SHA-256; each costs a lookup */
#define OCSP_NONCE_MAX 128  /* RFC 9654 2.1 */

struct ocsp_config {
    int64_t validity_s;      /* nextUpdate - thisUpdate, cut to the signer certificate's end */
};
/* Reads <ocsp validity=/>. */
enum err ocsp_config_read(const struct xml_node *root, struct ocsp_config *out, struct fault *f);

/* A request, read. Spans borrow from the request octets. */
struct ocsp_certid {
    enum hash_alg alg;         /* SHA-1, SHA-256, SHA-384, SHA-512; HASH_NONE for others: unknown issuer */
    struct span whole;         /* the CertID DER, copied into the answer byte for byte */
    struct span name_hash, key_hash;
    struct span serial;        /* INTEGER content octets */
};
struct ocsp_request {
    struct ocsp_certid ids[OCSP_CERTIDS_MAX];
    size_t count;
    bool has_nonce;
    struct span nonce;         /* octets inside the OCTET STRING, 1..128 */
};
/* OCSP_SUCCESSFUL, or OCSP_MALFORMED (also: no CertID, too many, a nonce of 0 or over 128 octets, version other than v1, a critical
 * extension that is not known). Signed requests are read, the signature ignored. */
enum ocsp_status ocsp_request_read(struct span der, struct ocsp_request *out);

struct ocsp; /* the responder: issuers, signer certificates, answers under way */

struct ocsp_answer {
    struct span der;      /* OCSPResponse, borrowed for the callback */
    enum ocsp_status status;
    bool has_nonce;       /* then not to be cached */
    size_t count;         /* CertIDs answered: more than one is not to be cached by GET */
    int64_t this_update_s, next_update_s; /* the earliest nextUpdate of the answers */
    uint8_t etag[20];     /* SHA-1 of der */
};
typedef void ocsp_done(const struct ocsp_answer *a, void *arg);

/* `port_fd` is a signing port of kind PORT_OCSP. Loads issuers and responder certificates from the store, and again when the store
 * names a newer responder certificate (looked at no more often than once a second). */
enum err ocsp_open(struct store *s, const struct ocsp_config *c, int port_fd, struct ocsp **out, struct fault *f);
void ocsp_close(struct ocsp *o);
/* Answers `done` exactly once, perhaps before returning (errors) or after ocsp_pump saw the signature. `arg` must live until then.
 * Too many under way: OCSP_TRY_LATER. */
void ocsp_respond(struct ocsp *o, struct span request, int64_t now_s, ocsp_done *done, void *arg);
/* The port is readable: takes every signature that waits. ERR_END: the signer is gone. */
enum err ocsp_pump(struct ocsp *o);

#endif
