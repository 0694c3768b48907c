/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port: the asking side of a signer. A port is a wire (base/wire.h) to a signer
 * process; what may be asked through it was fixed when the signer started:
 * certificates through the ca's port, CRLs through the crl's, OCSP through ocsp's.
 *
 * Request : u8 kind, u64 number, blob key id, then the to-be-signed octets.
 * Answer  : u8 kind, u64 number, u8 err, blob signature, blob reason text for the log.
 * A CRL is streamed, because it may be larger than any message: BEGIN (with u64
 * total length of the tbsCertList), DATA pieces in order, and one answer after the last octet.
 *
 * PORT_SEAL: the octets of base/seal.h, under SEAL_KEY_ID.
 * PORT_PROBE signs nothing that anyone could use: PORT_PROBE_PREFIX and the at most PORT_PROBE_MAX octets
 * that were sent, random, so that an answer cannot be an old one, or none.
 *
 * Several questions of one kind in one message, which one signing process takes and answers in one:
 * u8 PORT_SEVERAL, u64 count, u8 kind, then of each u64 number, blob key id, blob to-be-signed octets.
 * Answer  : u8 PORT_SEVERAL, u64 count, then of each u64 number, u8 err, blob signature, blob reason, in the
 * order of the questions. Not for CRLs. A message that is not so is refused as a whole, with its count as the
 * number.
 *
 * Key ids: for CA keys the issuer id ("rsa-g1"); for OCSP keys the id of the issuer answered for.
 * A lost signer is ERR_END: the role exits. Thread rule: one port, one thread.
 */
#ifndef BASE_PORT_H
#define BASE_PORT_H

#include "base/wire.h"

enum port_kind {
    PORT_CERTIFICATE = 1,
    PORT_CRL_BEGIN,
    PORT_CRL_DATA,
    PORT_OCSP,
    PORT_PROBE,
    PORT_SEAL,
    PORT_SEVERAL
};

#define PORT_WINDOW                                                                                          \
    64 /* questions that one asker has under way: their answers fit a socket's queue, so neither side can    \
          block the other */
#define PORT_SEVERAL_MAX                                                                                     \
    8 /* questions in one message: sending one and waking its reader costs a fourth of a P-256 signature, so \
         an eighth of that is little; and the first answer waits for no more than seven signatures */
#define PORT_PROBE_PREFIX                                                                                    \
    "\0chancery probe\0"            /* with its last NUL too: no DER that X.509 knows begins with 00 */
#define PORT_PROBE_MAX 32           /* octets behind the prefix */
#define PORT_PIECE_MAX (64u * 1024) /* octets of a streamed CRL in one message */

struct port_answer {
    uint64_t number;
    enum err err; /* OK; ERR_POLICY: the key is not for this; ERR_MALFORMED; ERR_NOT_FOUND: no such key */
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
    char reason[128]; /* for the log when refused */
};

/* One message each way: for event loops. port_ask never blocks (ERR_UNAVAILABLE when full);
 * port_take never blocks (ERR_UNAVAILABLE when nothing waits). */
enum err port_ask(int fd, enum port_kind kind, uint64_t number, const char *key_id, struct span tbs);
enum err port_take(int fd, struct port_answer *out);

/* As port_ask, several at once: as many of the first of `n` as go into one message, told in `sent`.
 * ERR_TOO_LARGE: the first alone is more than a message. */
struct port_question {
    uint64_t number;
    const char *key_id;
    struct span tbs; /* borrowed until the call returns */
};
enum err port_ask_several(int fd, enum port_kind kind, const struct port_question *questions, size_t n,
                          size_t *sent);
/* As port_take, all answers of one message. */
struct port_answers {
    size_t count; /* at least 1 */
    struct port_answer items[PORT_SEVERAL_MAX];
};
enum err port_take_several(int fd, struct port_answers *out);

/* Streaming a tbsCertList. begin, then pieces that add up to total_len, then end waits for the answer. */
enum err port_crl_begin(int fd, uint64_t number, const char *key_id, uint64_t total_len);
enum err port_crl_data(int fd, uint64_t number, struct span piece); /* any length: it is cut up here */
enum err port_crl_end(int fd, struct port_answer *out);

#endif
