/* SPDX-License-Identifier: Apache-2.0 */
/* asked: what the api says to the ca of a stage, and what it hears. */
#ifndef TESTS_UNIT_CA_ASKED_H
#define TESTS_UNIT_CA_ASKED_H

#include "tests/unit/ca/stage.h"

/* A frame up to what each kind has for itself; `principal` NULL: the kind has none. The buf is initialised
 * here. */
void asked_begin(struct buf *b, enum ask_kind kind, uint64_t number, const char *principal);
/* Sends it and frees the buf. */
void asked_send(struct buf *b);

/* A certificate that is asked for; what is left out is as the comments say. */
struct question {
    bool is_listener;
    const char *principal;     /* "uid:0" */
    const char *profile;       /* "general/server" */
    const char *name;          /* "a.example.com": cn, the one SAN, and the subject in words */
    const char *subject_text;  /* the name */
    const char *csr;           /* "a request" */
    const struct buf *subject; /* of the name, with "Example UC": the stage's requester */
    unsigned days;             /* 0: the profile's own */
    uint8_t flags;             /* ASK_DRY_RUN */
    uint8_t key, body;         /* first octets of the hashes of Idempotency-Key and body; 0: none */
};

extern const struct question plain; /* nothing but what they say */

/* Borrows from the question, the stage, and a SAN and a subject that the next call overwrites. */
struct facts facts_asked(const struct question *q);
void send_question(uint64_t number, const struct question *q);
void send_revocation(uint64_t number, const char *principal, const uint8_t serial[static SERIAL_LEN],
                     uint8_t reason, int64_t invalidity_s);

struct reply {
    uint8_t octets[WIRE_MSG_MAX];
    uint8_t kind;
    uint64_t number;
    enum err err;
    char detail[256];
    struct rd rest; /* in octets */
};
void receive(struct reply *out);

/* An answer about a certificate, read to its end. */
struct outcome {
    enum err err;
    char detail[256];
    size_t findings;
    bool repeated;
    uint8_t serial[SERIAL_LEN]; /* OK */
    uint8_t id[REQUEST_ID_LEN]; /* ERR_PENDING */
};
struct outcome outcome_of(const struct reply *r);
struct outcome receive_outcome(void);
/* The same, of one that is issued. */
struct outcome issued_of(const struct reply *r);
struct outcome issue_one(void); /* asks for one and waits */

/* The answer is a refusal by policy, with a finding of `rule`, NULL: of any that refuses. */
void assert_refused(const struct reply *r, const char *rule);

/* ASK_REVOKE or ASK_UNHOLD, and its answer. */
enum err change(enum ask_kind kind, const uint8_t serial[static SERIAL_LEN], enum reason reason,
                bool *changed);

#endif
