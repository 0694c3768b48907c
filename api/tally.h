/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally: what is told at once when it happens first and once a minute while it goes on, so that somebody who
 * is refused without end costs the audit a row a minute and the memory nothing more. For the loop's thread
 * alone.
 */
#ifndef API_TALLY_H
#define API_TALLY_H

#include "base/err.h"
#include "base/limits.h"
#include "base/loop.h"

#define TALLY_MAX 256u /* told apart at once; the rest is one row, "several" */

struct tallied {
    char who[PRINCIPAL_MAX];    /* "": several, for whom there was no row */
    const void *what;           /* as noted; of several the latest */
    char why[FAULT_DETAIL_MAX]; /* as noted first; of several the latest */
    uint32_t count;             /* since it was told before */
};
/* Tells it. Must not note anything itself. */
typedef void tally_tell(const struct tallied *row, void *arg);

struct tally;
struct tally *tally_new(struct loop *l, tally_tell *fn, void *arg);
void tally_free(struct tally *t); /* before the loop; NULL is fine */
/* Counts, and tells at once what is new. Rows are told apart by `who`, from 1 to PRINCIPAL_MAX - 1 octets,
 * and by the address `what`, which is never read. */
void tally_note(struct tally *t, const char *who, const void *what, const char *why);
/* What happens each minute, and is to be called at the end: what was counted is told, what was not is
 * forgotten. */
void tally_minute(struct tally *t);

#endif
