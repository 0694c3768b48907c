/* SPDX-License-Identifier: Apache-2.0 */
/* schedule: when the next lists are due. Pure. A list that is current is never signed again for nothing. */
#include "crl/inner.h"

static int64_t earlier(int64_t a_s, int64_t b_s)
{
    return a_s < b_s ? a_s : b_s;
}

/* Is it a delta with others before the next complete list? Without such a schedule the deltas that
 * certificates name still are made with the complete lists. */
static bool is_between(const struct crl_issuer *i, enum crl_run run)
{
    return run == RUN_DELTA && i->delta_s > 0;
}

static int64_t period_of(const struct crl_issuer *i, enum crl_run run)
{
    return is_between(i, run) ? i->delta_s : i->every_s;
}

/* The first regular moment after t_s. */
static int64_t next_after(const struct crl_issuer *i, int64_t period_s, int64_t t_s)
{
    int64_t since_s;

    if (i->at_s < 0)
        return t_s + period_s;
    since_s = (t_s - i->at_s) % period_s;
    return t_s - since_s + (since_s < 0 ? 0 : period_s);
}

/* The delay of the run that follows a list: drawn once for it, and the same after a restart, because it is
 * taken from the hash of the list. Nobody knows that before the list is out, and no two lists have the same.
 */
static int64_t delay_after(const struct crl_issuer *i, const struct crl_state *s)
{
    uint32_t drawn = (uint32_t)s->sha256[0] << 24 | (uint32_t)s->sha256[1] << 16 |
                     (uint32_t)s->sha256[2] << 8 | s->sha256[3];

    return drawn % (i->jitter_s + 1);
}

int64_t crl_between_s(const struct crl_issuer *i)
{
    return i->every_s + i->jitter_s;
}

/* How long before its nextUpdate a list is to be followed. A delta that stays good as long as a complete list
 * would keep caches from asking for the next one, where there is one before the next complete list. */
static int64_t overlap_of(const struct crl_issuer *i, enum crl_run run)
{
    return is_between(i, run) ? earlier(i->overlap_s, i->delta_s) : i->overlap_s;
}

static int64_t due_after(const struct crl_issuer *i, enum crl_run run, const struct crl_state *last)
{
    return next_after(i, period_of(i, run), last->this_update_s) + delay_after(i, last);
}

/* A list of a schedule with a shorter period or overlap may end before the run that follows it by this one.
 * Never the earlier for a list of this schedule: its nextUpdate has the longest delay in it. */
static int64_t due_before(const struct crl_issuer *i, enum crl_run run, const struct crl_state *in_force)
{
    return in_force->next_update_s - overlap_of(i, run);
}

/* Certificates name deltas, those of the schedule have come to their end, and nothing but a complete run
 * makes the next one: it is over before that would come. */
static bool is_delta_left(const struct crl_issuer *i, const struct crl_force *s)
{
    return i->delta_s == 0 && s->delta.number > 0 && s->delta.next_update_s < s->whole.next_update_s;
}

static int64_t due_complete(const struct crl_issuer *i, const struct crl_force *s, int64_t now_s)
{
    const struct crl_state *w = &s->whole;

    if (w->number == 0 || s->is_short || w->next_update_s <= now_s || w->this_update_s > now_s + AHEAD_S)
        return now_s;
    if (is_delta_left(i, s))
        return now_s;
    return earlier(due_after(i, RUN_COMPLETE, w), due_before(i, RUN_COMPLETE, w));
}

static int64_t due_delta(const struct crl_issuer *i, const struct crl_force *s, int64_t now_s)
{
    const struct crl_state *w = &s->whole, *d = &s->delta;

    if (i->delta_s == 0 || w->number == 0)
        return INT64_MAX;
    if (d->number == 0 || d->next_update_s <= now_s || d->this_update_s > now_s + AHEAD_S)
        return now_s;
    return earlier(due_after(i, RUN_DELTA, d->number > w->number ? d : w), due_before(i, RUN_DELTA, d));
}

int64_t crl_due(const struct crl_issuer *i, const struct crl_force *s, enum crl_run run, int64_t now_s)
{
    return run == RUN_COMPLETE ? due_complete(i, s, now_s) : due_delta(i, s, now_s);
}

int64_t crl_next_update(const struct crl_issuer *i, enum crl_run run, int64_t this_s)
{
    return next_after(i, period_of(i, run), this_s) + i->jitter_s + overlap_of(i, run);
}

int64_t crl_cached_until(const struct crl_issuer *i, bool is_delta, bool on_revocation,
                         const struct crl_state *s, int64_t now_s)
{
    enum crl_run run = is_delta ? RUN_DELTA : RUN_COMPLETE;
    int64_t until_s = s->next_update_s, run_s;

    if (i != NULL) {
        run_s = earlier(next_after(i, period_of(i, run), s->this_update_s), due_before(i, run, s));
        if (run_s <= now_s)
            run_s = now_s + CRL_CACHED_LATE_S;
        until_s = earlier(until_s, run_s);
    }
    if (on_revocation)
        until_s = earlier(until_s, now_s + CRL_CACHED_MAX_S);
    return until_s > now_s ? until_s : now_s;
}

bool crl_is_sharded(unsigned counts, unsigned shard)
{
    unsigned count = 1;

    while (2 * count <= shard)
        count *= 2;
    return count > 1 && (counts & count) != 0;
}

bool crl_may_try(int64_t not_before_s, int64_t now_s)
{
    return now_s >= not_before_s || not_before_s - now_s > CRL_RETRY_S;
}
