/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: a ca and what is around it: a store with one issuer, "ec-g1", a signer that signs anything, and the
 * wires of api and crl, whose other ends the test holds. It runs, in a thread of its own, from stage_start()
 * on; what is to be there before is arranged in `stage` and in the store.
 */
#ifndef TESTS_UNIT_CA_STAGE_H
#define TESTS_UNIT_CA_STAGE_H

#include <pthread.h>

#include "tests/unit/ca/played.h"

struct stage {
    char dir[64];
    struct ca_role *role;
    struct buf spki;              /* of every key here */
    struct buf subject;           /* the issuer's */
    struct buf requester;         /* the subject of what is asked for */
    int api[2], port[2], desk[2]; /* the test has api[0], desk[0] and, in the signer's thread, port[1] */
    struct played_signer signer;
    bool is_running;
    pthread_t ca_thread, signer_thread;
    enum err result; /* of the ca, when it has stopped */
    struct buf issuer_certificate;
    struct store *reader, *writer;
    struct txn *t;
};
extern struct stage stage;

void stage_open(void);
void stage_close(void); /* stops it first */

void stage_start(void);
/* The api's end is closed, and the ca ends in order. */
void stage_stop(void);
/* As a new life of the service: what was said to the crl and not heard is lost. */
void stage_restart(void);

/* For what is stored before the start. */
struct txn *stage_begin(void);
void stage_commit(void);
/* A certificate on the key that all requests here have, for another subject; stored before the start. */
void stage_remember(const uint8_t serial[static SERIAL_LEN]);

/* What is stored: a view of now, which the caller closes. */
struct view *stage_look(void);
enum err stage_status(const uint8_t serial[static SERIAL_LEN], struct status *out);
uint64_t stage_certificates(void); /* how many */

#endif
