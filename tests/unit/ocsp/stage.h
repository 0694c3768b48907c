/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: a store, a responder and the signer at the far end of its wire, which is the test itself, signing
 * with OpenSSL; OpenSSL verifies. For the tests of the responder and of what it keeps.
 */
#ifndef TESTS_OCSP_STAGE_H
#define TESTS_OCSP_STAGE_H

#include <criterion/criterion.h>

#include "base/port.h"
#include "ocsp/ocsp.h"
#include "pki.h"

enum { GOOD = 100, REVOKED, UNSPECIFIED, HELD, OF_B, NOT_ISSUED }; /* last octets of serials */

extern struct pki_cert ca_a, ca_b, foreign, responder_a, responder_b;
extern uint16_t no_a; /* of ca_a in the store */
extern struct store *store;
extern struct ocsp_config config;
extern struct ocsp *o;
extern struct board *board;
extern int far_fd; /* the signer's end */
extern int64_t now_s;

/* ---- the store ---- */

void add_cert(struct txn *t, struct span der, const uint8_t *serial, uint16_t issuer_no, int64_t not_after_s);
const uint8_t *serial_of(uint8_t last);
void add_responder(struct txn *t, uint16_t no, const struct pki_cert *c);
uint16_t add_issuer(struct txn *t, const char *id, const struct pki_cert *c);
struct txn *begin(void);
void commit(struct txn *t);
void stage_open(void);
void stage_close(void);

/* ---- the far end ---- */

struct job {
    uint64_t number;
    char key_id[ISSUER_ID_MAX];
    struct buf data;
};

/* The message that jobs are taken from; the next is received when it is empty. */
struct frame {
    uint8_t octets[WIRE_MSG_MAX];
    struct rd rest;
    size_t count;    /* jobs yet to be taken */
    size_t messages; /* received in all */
    bool is_several;
};
extern struct frame frame;

bool take_job(struct job *job); /* false: none waits. Its data is the caller's */
void answer_job(const struct job *job, enum err e, struct span signature, const char *reason);
void sign_job(struct job *job); /* and frees its data */

/* Signs what waits, at most `most`, and hands the signatures over. */
size_t pump(size_t most);

/* ---- asking ---- */

/* An answer, which forget() frees. */
struct got {
    unsigned calls; /* of on_done() */
    struct ocsp_answer answer;
    struct buf der;
    OCSP_BASICRESP *basic; /* once verified */
};
void on_done(const struct ocsp_answer *a, void *arg);
void forget(struct got *g);
void respond(struct span request, struct got *g);
struct got ask_der(struct span der); /* and lets one job be signed when it takes one */
OCSP_CERTID *id_of(const struct pki_cert *issuer, uint8_t last);
OCSP_REQUEST *about(OCSP_CERTID *id);
void verify_with(struct got *g, OCSP_REQUEST *request, const struct pki_cert *ca, unsigned long flags);
void verify(struct got *g, OCSP_REQUEST *request, const struct pki_cert *ca);
OCSP_REQUEST *copy_of(OCSP_REQUEST *r);

/* Asks by a request that OpenSSL made (taken) and lets OpenSSL verify the answer. */
struct got ask_by(OCSP_REQUEST *request, const struct pki_cert *ca);
int64_t seconds_of(const ASN1_GENERALIZEDTIME *t);

/* What an answer says of one serial. */
struct said {
    int status, reason; /* -1: none */
    int64_t revoked_s, this_s, next_s;
};
struct said said_of(const struct got *g, int i);
struct said ask_serial(uint8_t last);
enum ocsp_status ask_status(OCSP_REQUEST *r);

/* ---- a responder that keeps ---- */

#define CACHE (1 << 20)

void reopen(struct ocsp_config c);
void keeping(void);
size_t jobs_waiting(void); /* how many there were: they are signed */

/* Asks; gives whether a signature was made for it. */
bool ask_signs(OCSP_REQUEST *request, struct got *g);
bool signs(uint8_t last);
int64_t figure_of(const char *family, const char *labels);

#endif
