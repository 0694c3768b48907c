/* SPDX-License-Identifier: Apache-2.0 */
/* turn: what one turn of the ca's loop holds: private to turn.c and twin.c. */
#ifndef CA_TURN_H
#define CA_TURN_H

#include "ca/inner.h"

#define TURN_NOTES_MAX 32u /* the crl asks one thing at a time for each of at most 16 issuers */

struct turn {
    struct ask *fresh[FLIGHTS_MAX]; /* gathered in this turn */
    size_t fresh_count;
    struct ask *
        ready[FLIGHTS_MAX]; /* decided and, where something was signed, signed: to be recorded and answered */
    size_t ready_count;
    size_t landed;                  /* of them, those that came from the signer */
    int64_t landed_at_ms;           /* the first of those, by the monotonic clock */
    struct ask *twins[FLIGHTS_MAX]; /* answered with another */
    size_t twin_count;
    struct desk_note notes[TURN_NOTES_MAX];
    size_t note_count;
    bool is_renewal_due; /* an OCSP signer's certificate was withdrawn */
    int64_t now_s;
};

/* Answers it, unless its answer has to wait for a list; takes it. */
void turn_answer(struct ca *ca, struct ask *a);

/* ---- twin.c ---- */

/* Two asks under the same Idempotency-Key, the first of them not recorded yet: the later one is answered with
 * what the first one gets: a certificate, or a place among those that wait. A refused one has no answer to
 * repeat: the later is decided by itself. NULL: it has no twin. */
struct ask *twin_of(const struct ca *ca, const struct turn *t, const struct ask *a);
/* A twin of what a signing process keeps is refused: others like it would come until there is no room. */
void twins_refuse_late(struct turn *t, int64_t now_ms);
/* Those whose first is recorded now; the others go on waiting. */
void twins_answer(struct ca *ca, struct turn *t);

#endif
