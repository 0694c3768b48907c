/* SPDX-License-Identifier: Apache-2.0 */
/* played: what tests of the ca play around it: an issuer in its store, and a signer that signs anything. */
#ifndef TESTS_UNIT_CA_PLAYED_H
#define TESTS_UNIT_CA_PLAYED_H

#include <openssl/types.h>

#include "ca/inner.h"

/* SubjectPublicKeyInfo DER of a new key on P-256; the buf is initialised here. */
void played_key(struct buf *spki);

/* The certificate of `about`, whose AKI is made that of its own key: an issuer's, or one of an issuer with
 * the same key. No signature is checked here. The buf is initialised here. */
void played_certificate(struct tbs about, struct buf *certificate);

/* The issuer "ec-g1", under its own name. The buf, initialised here, holds its certificate. */
void played_issuer(struct txn *t, struct span subject, struct span spki, int64_t not_before_s,
                   int64_t not_after_s, struct buf *certificate);

/* What the audit is checked with when it is sealed by this key; the caller frees it. */
struct seal_keys *played_seal_keys(EVP_PKEY *key);

/* Answers on `fd` until the other end is closed: the body of a thread. */
struct played_signer {
    int fd;
    volatile bool refuses;
    volatile unsigned slow_at; /* the question of this number, from 1, is answered late; 0: none */
    volatile unsigned kept_at; /* this one's answer is kept until the next is given and `releases`; 0: none */
    volatile bool releases;
    volatile bool is_mute;   /* what is asked is taken and never answered */
    volatile unsigned asked; /* questions taken */
    bool is_several; /* as of several processes: the next and all others are answered while one is kept, which
                        comes before the first after `releases` */
    volatile bool gave_up; /* nobody released it for ten seconds */
};
void *played_signer_run(void *arg);

#endif
