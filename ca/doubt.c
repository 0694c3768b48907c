/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doubt: is the clock ahead of where it should be? What is forgotten by a wrong clock is gone when it is
 * right again; what is forgotten later than it could be harms nobody. So a clock that went ahead forgets
 * nothing until it is right, or has gone on for so long that somebody would have seen the alarm. Where it
 * should be is written down now and then, so that a start knows as well.
 */
#include "base/board.h"
#include "base/clock.h"
#include "ca/inner.h"

#define STEP_MOST_S DAY_S /* while the service runs: the shortest time that anything is kept */
#define STOP_MOST_S                                                                                          \
    (7 * DAY_S) /* over a stop: a machine is off over holidays, and a pending request lives no shorter */
#define WAIT_S (7 * DAY_S) /* of running: a working week */
#define MARK_EVERY_S 3600

static void tell(struct ca *ca, int64_t by_s)
{
    const struct doubt *d = &ca->doubt;

    if (d->is_ahead)
        alarm_raise(ca->role->board, ALARM_WARNING, "clock.ahead", "clock",
                    "the clock is %lld days ahead of what was expected: nothing is forgotten and no request "
                    "expires until it is right, or this goes on for another %lld hours",
                    (long long)((by_s + DAY_S / 2) / DAY_S), (long long)((WAIT_S - d->waited_s) / 3600));
    else
        alarm_clear(ca->role->board, "clock.ahead", "clock");
}

/* A step back is waited out as well: else a clock that was once ahead would be the measure for good. */
static void settle(struct doubt *d, int64_t wall_s, int64_t monotonic_s)
{
    if (d->is_doubted)
        d->waited_s += monotonic_s - d->looked_s;
    d->looked_s = monotonic_s;
    d->is_ahead = jump_observe(&d->jump, wall_s, monotonic_s);
    if (d->waited_s >= WAIT_S) {
        jump_accept(&d->jump, wall_s, monotonic_s);
        d->is_ahead = false;
    }
    d->is_doubted = d->jump.offset_s != wall_s - monotonic_s;
    if (d->is_doubted)
        return;
    d->waited_s = 0;
    d->jump.most_s = STEP_MOST_S;
}

void doubt_glance(struct ca *ca, int64_t now_s, int64_t monotonic_s)
{
    ca->doubt.is_ahead_now = jump_is_forward(&ca->doubt.jump, now_s, monotonic_s);
}

static void look(struct ca *ca, int64_t now_s, int64_t monotonic_s)
{
    settle(&ca->doubt, now_s, monotonic_s);
    doubt_glance(ca, now_s, monotonic_s);
    tell(ca, now_s - monotonic_s - ca->doubt.jump.offset_s);
}

/* The first life of a store has nothing to go by. */
void doubt_begin(struct ca *ca, int64_t now_s, int64_t monotonic_s)
{
    struct doubt *d = &ca->doubt;
    struct clock_mark m;
    struct view *v;

    *d = (struct doubt){.jump = {.most_s = STEP_MOST_S}, .looked_s = monotonic_s, .mark_s = monotonic_s};
    v = ca_view(ca);
    if (clock_mark_find(v, &m) == OK) {
        jump_accept(&d->jump, m.at_s, monotonic_s);
        d->jump.most_s = STOP_MOST_S;
        d->waited_s = m.waited_s;
    }
    view_close(v);
    look(ca, now_s, monotonic_s);
}

bool doubt_look(struct ca *ca, struct txn *t, int64_t now_s, int64_t monotonic_s)
{
    struct doubt *d = &ca->doubt;
    bool was_ahead = d->is_ahead;

    look(ca, now_s, monotonic_s);
    if (monotonic_s >= d->mark_s || d->is_ahead != was_ahead) {
        clock_mark_set(t,
                       &(struct clock_mark){.at_s = monotonic_s + d->jump.offset_s, .waited_s = d->waited_s});
        d->mark_s = monotonic_s + MARK_EVERY_S;
    }
    return d->is_ahead;
}
