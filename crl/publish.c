/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish: one run: a number, one view, and every list that is due made from it. The lists of a run share
 * their number and say the same (RFC 5280 5.2.3). Shards and deltas come first; the complete list is last,
 * because its record is what moves the base of the next deltas: a run that is cut off leaves the old base, to
 * which every list that is out already fits.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crl/inner.h"

struct planned {
    uint16_t shard;
    bool is_delta;
};

/* What one run holds. */
struct run {
    const struct crl_job *job;
    struct fault *fault;
    struct crl_from from;
    uint64_t number; /* 0: not reserved yet */
    int64_t now_s;   /* when its view was opened */
    size_t count;
    struct planned planned[2 * SHARD_END];
};

/* ---- which lists ---- */

static void plan_add(struct run *r, uint16_t shard, bool is_delta)
{
    r->planned[r->count++] = (struct planned){shard, is_delta};
}

/* A delta needs a complete list that it goes with. One that was published once is named by certificates, and
 * is published for good. */
static enum err plan_delta(struct run *r, struct view *v, uint16_t no, uint16_t shard)
{
    struct crl_state whole, delta;
    enum err e = crl_part_find(v, no, shard, false, &whole);

    if (e == OK)
        e = crl_part_find(v, no, shard, true, &delta);
    if (e == OK && whole.number > 0 && (r->job->issuer->delta_s > 0 || delta.number > 0))
        plan_add(r, shard, true);
    return e;
}

static enum err plan_deltas(struct run *r, struct view *v, uint16_t no, unsigned counts)
{
    enum err e = OK;

    for (unsigned shard = 2; e == OK && shard < SHARD_END; shard++)
        if (crl_is_sharded(counts, shard))
            e = plan_delta(r, v, no, (uint16_t)shard);
    return e == OK ? plan_delta(r, v, no, SHARD_ALL) : e;
}

static enum err plan_in(struct run *r, struct view *v)
{
    const struct crl_issuer *i = r->job->issuer;
    struct issuer row;
    struct crl_track track = {0};
    struct crl_state whole = {0};
    unsigned counts;
    enum err e = issuer_find(v, i->id, &row);

    if (e == OK)
        e = crl_track_find(v, row.no, &track);
    if (e == OK)
        e = crl_state_find(v, row.no, &whole);
    counts = track.shards | i->shards;
    for (unsigned shard = 2; r->job->run == RUN_COMPLETE && shard < SHARD_END; shard++)
        if (crl_is_sharded(counts, shard))
            plan_add(r, (uint16_t)shard, false);
    if (e == OK && whole.number > 0)
        e = plan_deltas(r, v, row.no, counts);
    if (r->job->run == RUN_COMPLETE)
        plan_add(r, SHARD_ALL, false);
    return e;
}

static enum err plan(struct run *r)
{
    struct view *v = NULL;
    enum err e = view_open(r->job->store, &v);

    if (e == OK) {
        e = plan_in(r, v);
        view_close(v);
    }
    if (e != OK)
        return fault_set(r->fault, e, "%s: the store cannot be read", r->job->issuer->id);
    assert(r->count > 0);
    return OK;
}

/* ---- what they are made from ---- */

/* The DER lengths of ECDSA signatures vary by some octets: the longest. RSA's are exact. */
static size_t longest_signature(const struct key_kind *k)
{
    size_t octets = (k->bits + 7) / 8;

    return k->type == KEY_RSA ? octets : 2 * (octets + 3) + (octets > 60 ? 3 : 2);
}

/* RFC 5280 3.3 wants an entry on one regularly scheduled list after the end of its certificate. Lists are
 * made between those too, so what has ended since one before the list in force stays. A list from the future
 * was made by a wrong clock: what has not ended by now stays. What the list in force has left out does not
 * come back because the period was made longer. */
static int64_t shown_after(const struct crl_issuer *i, const struct crl_from *from, int64_t now_s)
{
    int64_t shown_s = from->whole.this_update_s < now_s ? from->whole.this_update_s : now_s;

    if (from->whole.number == 0)
        return NO_TIME;
    shown_s -= crl_between_s(i);
    return from->track.base_shown_s > shown_s && from->track.base_shown_s <= now_s ? from->track.base_shown_s
                                                                                   : shown_s;
}

static enum err from_read(struct run *r)
{
    struct crl_from *from = &r->from;
    struct key_kind kind;
    enum err e = issuer_find(from->view, r->job->issuer->id, &from->issuer);

    if (e != OK)
        return fault_set(r->fault, e, "%s: is not in the store", r->job->issuer->id);
    e = crl_state_find(from->view, from->issuer.no, &from->whole);
    if (e == OK)
        e = crl_track_find(from->view, from->issuer.no, &from->track);
    if (e != OK)
        return fault_set(r->fault, e, "%s: the store cannot be read", r->job->issuer->id);
    if (!parts_of(from->issuer.certificate, &from->parts) || !key_kind_of(from->parts.spki, &kind) ||
        from->parts.ski.len == 0 || sig_alg_for(&kind) == SIG_NONE)
        return fault_set(r->fault, ERR_INTERNAL, "%s: its certificate cannot sign CRLs", r->job->issuer->id);
    from->alg = sig_alg_for(&kind);
    from->signature_max = longest_signature(&kind);
    from->shown_s = shown_after(r->job->issuer, from, r->now_s);
    return OK;
}

/* The number first: whatever was asked for by then is in the view. The time last: nothing in the view is
 * younger than the list says that it is. */
static enum err run_begin(struct run *r)
{
    enum err e = r->job->reserve(r->job->arg, r->job->issuer->id, &r->number);

    if (e != OK)
        return e;
    e = view_open(r->job->store, &r->from.view);
    if (e != OK)
        return fault_set(r->fault, e, "the store cannot be read");
    r->now_s = r->job->clock != NULL ? r->job->clock() : clock_now_s();
    return from_read(r);
}

static void view_leave(struct run *r)
{
    if (r->from.view != NULL)
        view_close(r->from.view);
    r->from.view = NULL;
}

/* ---- the lists ---- */

static void part_begin(const struct run *r, struct crl_part *p)
{
    p->state.number = r->number;
    p->state.this_update_s = r->now_s;
    p->state.next_update_s =
        crl_next_update(r->job->issuer, p->is_delta ? RUN_DELTA : RUN_COMPLETE, r->now_s);
    p->changes = r->from.track.changes;
    p->shown_s = r->from.shown_s;
}

static enum err make(struct run *r, size_t n, struct crl_list *l)
{
    enum err e = list_open(l); /* a full disk costs no number */

    if (e == OK && r->number == 0)
        e = run_begin(r);
    part_begin(r, &l->part);
    if (e == OK)
        e = list_gather(l);
    if (n + 1 == r->count)
        view_leave(r); /* before the signature is waited for */
    return e == OK ? list_sign(l) : e;
}

static enum err publish_one(struct run *r, size_t n, struct crl_state *out)
{
    struct crl_list l = {.job = r->job,
                         .from = &r->from,
                         .fault = r->fault,
                         .part = {.shard = r->planned[n].shard, .is_delta = r->planned[n].is_delta}};
    enum err e = make(r, n, &l);

    list_free(&l);
    if (e == OK)
        e = r->job->record(r->job->arg, r->job->issuer->id, &l.part, r->job->cause);
    *out = l.part.state;
    return e;
}

/* The last list is the one that the run is named after. */
enum err crl_publish(const struct crl_job *job, struct crl_state *out, struct fault *f)
{
    struct fault own = {0};
    struct run *r = xcalloc(1, sizeof *r);
    enum err e;

    *r = (struct run){.job = job, .fault = f != NULL ? f : &own};
    *out = (struct crl_state){0};
    e = plan(r);
    for (size_t n = 0; e == OK && n < r->count; n++)
        e = publish_one(r, n, out);
    view_leave(r);
    if (e != OK)
        (void)fault_set(r->fault, e, "%s: %s", job->issuer->id,
                        e == ERR_END ? "a role is gone" : "was not recorded");
    free(r);
    return e;
}
