/* SPDX-License-Identifier: Apache-2.0 */
/*
 * courier: serves one target from a thread of its own: carries there what is new on the shelf, then reads
 * back what the public gets, and again every `check`. After a failure it waits, twice as long after each,
 * between retry and retry-max, a quarter more or less by chance; the ledger has it survive a restart. Only
 * what failed waits: a list that is published meanwhile goes at once, unless the target does not answer at
 * all.
 *
 * Alarms, each about the target's id: target.failing (a list cannot be carried there, or must not: something
 * newer is there), readback.stale (clients get an older list, or one that is over), readback.foreign (they
 * get something that is not ours, not whole, or that we have not published), readback.failed (they get
 * nothing), watch.state (what was delivered cannot be written down).
 */
#ifndef WATCH_COURIER_H
#define WATCH_COURIER_H

#include "watch/carry.h"
#include "watch/ledger.h"

struct courier_figures {
    struct figure *uploads, *octets, *failures, *pending, *delivered, *checks, *bad, *checked;
};

enum verdict { VERDICT_GOOD, VERDICT_FAILED, VERDICT_STALE, VERDICT_FOREIGN, VERDICTS };

/* What clients were last seen to get of a file; good before the first time. */
struct sight {
    enum verdict verdict;
    bool is_critical;
    char text[200];
};

/* What is known of an item's place there. The sight stays with the name while the list is replaced, until the
 * place is looked at again. */
struct docket {
    struct sight sight;
    struct fault
        held; /* why the target did not take this very list: it waits for the pause. OK: it does not */
    uint64_t longest; /* octets, of the lists of that name before this one */
};

struct courier {
    const struct target *target;
    const struct watch_config *config;
    struct shelf *shelf;
    struct bell *bell;
    struct carry carry;
    struct ledger ledger;
    struct courier_figures figures;
    int64_t deliver_at_ms, check_at_ms; /* not before; monotonic */
    unsigned check_failures;            /* rounds in a row */
    bool is_down;             /* the target did not answer: nothing is tried before the pause ends */
    size_t first;             /* item of the next round: behind the one that ended the last */
    struct shelf_item *items; /* a copy of the shelf at `turn` */
    struct docket *dockets;   /* one for each of them */
    size_t count;
    uint64_t turn;
};

/* All borrowed. Reads the ledger. */
void courier_open(struct courier *c, const struct watch_config *config, size_t target, const char *state_dir,
                  struct shelf *shelf, const struct trust *trust, struct bell *bell);
void courier_close(struct courier *c);
/* Takes the alarms about a target down: the configuration does not know it any more. */
void courier_forget(struct bell *b, const char *target);
/* What is due now: a round of deliveries, a round of readings back. Gives how long there is nothing to do. */
int64_t courier_turn(struct courier *c);
/* Until the shelf is closed. */
void courier_run(struct courier *c);

/* How long to wait after so many failures. */
int64_t courier_pause_ms(const struct watch_config *config, unsigned failures);

/* How long the list may be that stands there, as far as is known: octets. */
uint64_t courier_longest(const struct courier *c, size_t item);

/* Files that the target does not have yet. */
size_t courier_pending(const struct courier *c);
/* Ends the pause that the ledger had: somebody has seen to the target. Before courier_run(). */
void courier_hurry(struct courier *c);

/* ---- delivery.c ---- */

/* True when the ledger does not say that the target has this very file. */
[[nodiscard]] bool delivery_is_due(const struct courier *c, const struct shelf_item *i);
/* The pause is over: what failed may be tried again. */
void delivery_release(struct courier *c);
/* Raises target.failing as the ledger has it, or clears it. */
void delivery_tell(const struct courier *c);
/* Carries what is due and not held. True when something was carried. */
bool delivery_round(struct courier *c);

/* ---- readback.c ---- */

/* Reads every file back that is published. Raises and clears; false: not all is as it must be. What cannot be
 * had this time keeps the alarm that it had. */
bool readback_round(struct courier *c);

#endif
