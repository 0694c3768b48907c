/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp: answers "what is the status of this serial" (RFC 6960, nonce RFC 9654, caching RFC 9919) from the
 * store, signed by a delegated key per issuer that lives behind a signing port. It knows neither the CA nor
 * HTTP: octets in, octets out, asynchronously, because a signature is made by another process.
 *
 * It never says good for what was not issued: unknown for an issuer it serves (or, when configured, revoked
 * in the sense of RFC 6960 2.2); `unauthorized`, unsigned, when it serves none of the issuers asked about.
 *
 * Answers to requests for one CertID without nonce are kept and given again until shortly before nextUpdate.
 * Before each use the state they were signed for is held against the store's last commit, so the answer after
 * an acknowledged revocation says revoked whatever is kept. Everything else is signed for its request.
 *
 * A delegate whose own certificate is revoked or on hold signs nothing more from a second later on, and what
 * it signed is not given again: OCSP_TRY_LATER until there is another. What was asked for is then signed anew
 * before it is asked for again. So it is after a renewal, and what the delegate before has signed is given
 * until then.
 *
 * Who asks for what must be signed is charged: each source address by `live_rate`, unknown serials all
 * together by `unknown_rate`; beyond it the answer is OCSP_TRY_LATER, which is true and needs no signature.
 *
 * One answer, one signer. RFC 6960 4.2.2.2 wants a delegated signer to be authorised by the issuer of each
 * certificate it answers for, and an answer carries one signature. So a request whose CertIDs name two of our
 * issuers is answered `unauthorized`: either signer would be wrong for the other half, and `unknown` would be
 * a lie. CertIDs of foreign issuers beside those of one of ours are answered unknown (RFC 6960 2.2), though
 * OpenSSL's verifier takes no delegate's answer that names two issuers; but with a hash of another kind than
 * ours beside them the request is `unauthorized`, as it is alone. A serial that we cannot
 * have issued (not SERIAL_LEN octets, negative) is unknown like any other we did not issue.
 */
#ifndef OCSP_OCSP_H
#define OCSP_OCSP_H

#include "base/board.h"
#include "base/rate.h"
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

#define OCSP_CERTIDS_MAX 32 /* each costs a lookup; OCSP_REQUEST_MAX holds a few more with SHA-256 */
#define OCSP_NONCE_MAX 128  /* RFC 9654 2.1 */
#define OCSP_UNDER_WAY_MAX                                                                                   \
    1024 /* signatures awaited at once, the HTTP server's connections: two seconds of RSA 3072 on one core.  \
            A client that would wait longer is told to try later */
#define OCSP_WAIT_TICKS 10u                        /* seconds: clients give up at 5 to 15 */
#define OCSP_LIVE_MAX (OCSP_UNDER_WAY_MAX * 3 / 4) /* of them for one request alone: the rest is for many */
#define OCSP_RECENT_MAX                                                                                      \
    4096 /* CertIDs: a tenth of a second of P-256, three seconds of RSA 2048 on one core */
#define OCSP_RECENT_OCTETS (OCSP_RECENT_MAX * 256u)
#define OCSP_UNKNOWN_S 300 /* nextUpdate of an unknown: the serial may be issued the next minute */

/* Ids of those that are answered for; none: every issuer in the store. */
struct ocsp_issuers {
    char ids[ISSUERS_MAX][ISSUER_ID_MAX];
    size_t count;
};

struct ocsp_config {
    struct ocsp_issuers issuers; /* as they were when the responder was opened */
    int64_t validity_s;          /* nextUpdate - thisUpdate, cut to the ends of certificate and signer */
    int64_t age_max_s;           /* of a copy of the store: beyond it clients are told to try later */
    int64_t
        archive_cutoff_s; /* producedAt less this is told as archive cutoff (RFC 6960 4.4.4); 0: not told */
    bool is_extended_revoke;  /* a serial not issued is revoked since 1970, on hold (RFC 6960 2.2, 4.4.8) */
    size_t cache_octets;      /* of kept answers; 0: none are kept */
    struct rate live_rate;    /* signatures for one source address */
    struct rate unknown_rate; /* signatures for unknown serials, all askers together */
};
/* Reads <ocsp validity= archive-cutoff= not-issued= cache-mib= live-rate= unknown-rate=/> and <issuer id=>.
 */
enum err ocsp_config_read(const struct xml_node *root, struct ocsp_config *out, struct fault *f);

/* A request, read. Spans borrow from the request octets. */
struct ocsp_certid {
    enum hash_alg
        alg; /* SHA-1, SHA-256, SHA-384, SHA-512; HASH_NONE for others: nobody can tell whose it is */
    struct span whole; /* the CertID DER, copied into the answer byte for byte */
    struct span name_hash, key_hash;
    struct span serial; /* INTEGER content octets */
};
struct ocsp_request {
    struct ocsp_certid ids[OCSP_CERTIDS_MAX];
    size_t count;
    bool has_nonce;
    struct span nonce; /* octets inside the OCTET STRING, 1..128 */
};
/* OCSP_SUCCESSFUL, or OCSP_MALFORMED (also: no CertID, too many, a nonce of 0 or over 128 octets or given
 * twice, version other than v1, a critical extension that is not the nonce, anything but DER, a signer's key
 * on a curve spelt out by its parameters, more than OCSP_REQUEST_MAX octets). Signed requests are read, the
 * signature ignored: RFC 6960 4.1.2 leaves it to us, and the answer is public. Pure. */
enum ocsp_status ocsp_request_read(struct span der, struct ocsp_request *out);

struct ocsp; /* the responder: issuers, signer certificates, answers under way */

struct ocsp_answer {
    struct span der; /* OCSPResponse, borrowed for the callback */
    enum ocsp_status status;
    const uint8_t *digest;                /* SHA-256 of `der`; NULL unless it may be given to others */
    bool has_nonce;                       /* then not to be cached */
    bool has_unknown;                     /* likewise: a serial that is unknown now may be issued soon */
    size_t count;                         /* CertIDs answered: more than one is not to be cached by GET */
    int64_t this_update_s, next_update_s; /* the earliest nextUpdate of the answers */
};
typedef void ocsp_done(const struct ocsp_answer *a, void *arg);

/* An issuer that is not configured, and one whose certificate has ended, is not answered for: what it signed
 * means nothing any more, and nobody may sign for it.
 *
 * `port_fd` is a signing port of kind PORT_OCSP; `board` (may be NULL) takes the figures. Loads issuers and
 * responder certificates from the store, and again when the store names another responder certificate (looked
 * at no more often than once a second). An issuer whose responder certificate is missing or not valid now is
 * answered OCSP_TRY_LATER, with a line in the log at most once a minute. ERR_IO; ERR_INTERNAL: a certificate
 * in the store cannot be read. */
enum err ocsp_open(struct store *s, const struct ocsp_config *c, int port_fd, struct board *board,
                   struct ocsp **out, struct fault *f);
void ocsp_close(struct ocsp *o);
/* From now on answers are read from `s`, borrowed, a copy that shows what was true at as_of_s: thisUpdate
 * says so (RFC 6960 4.2.2.1), and beyond age_max_s of it no answer is signed or given again. No view of the
 * old store is held after. NO_TIME: the store itself, which is always of now, as after ocsp_open. */
void ocsp_follow(struct ocsp *o, struct store *s, int64_t as_of_s);
/* From the next request on by these settings; the octets of the cache stay as they were opened. When they
 * change what an answer says, kept ones are forgotten, and those asked for lately signed anew. */
void ocsp_settings(struct ocsp *o, const struct ocsp_config *c, int64_t now_s);
struct ocsp_asked {
    struct span request;
    struct span from; /* octets that name who asks, for the budgets: an address; empty: nobody is charged */
    int64_t now_s;
};
/* Calls `done` exactly once: before returning (kept answers and errors), or when ocsp_pump saw the signature,
 * or in ocsp_close (OCSP_TRY_LATER). `arg` must live until then; `asked` and what it borrows are not needed
 * after the call. Never blocks on the port. Too many under way: OCSP_TRY_LATER. */
void ocsp_respond(struct ocsp *o, const struct ocsp_asked *asked, ocsp_done *done, void *arg);
/* Is every CertID of this request one of a certificate that was issued here? For a reader that has to guess
 * what was asked: a guess that is wrong must not be answered. */
bool ocsp_is_about_issued(struct ocsp *o, struct span request, int64_t now_s);
/* The CertIDs of kept answers that were asked for lately, at most OCSP_RECENT_MAX, in a form for ocsp_warm
 * alone. */
void ocsp_recent(const struct ocsp *o, struct buf *out);
/* Has them signed before they are asked for, as the signer has room: what ocsp_recent gave before a restart,
 * copied. Octets that are none, and CertIDs of what is not issued any more, are left out. */
void ocsp_warm(struct ocsp *o, struct span recent, int64_t now_s);
/* Call once a second: answers OCSP_TRY_LATER to whoever has waited for the signer for OCSP_WAIT_TICKS calls,
 * and asks it for nothing that only they waited for; raises the alarm "ocsp.signer" when it has answered
 * nothing for as long, until it answers; signs anew what was asked for recently and ages soon, forgets what
 * has aged. */
void ocsp_tick(struct ocsp *o, int64_t now_s);
/* The port is readable: takes every signature that waits. ERR_END: the signer is gone. */
enum err ocsp_pump(struct ocsp *o);
/* Sends to the signer what the calls above want signed and the port has room for. Call it before waiting for
 * anything: what has come in between goes in few messages. Never blocks. */
void ocsp_send(struct ocsp *o);

#endif
