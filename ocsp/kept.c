/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept: answers that are signed once and given again while the store says the same. They are signed anew in
 * the last part of their life: when somebody asks, or by the clock when somebody has asked since they were
 * signed. So they are when another signer takes over: until then what the one before has signed is given, if
 * that one was not withdrawn. What several ask for at once is signed once.
 */
#include <string.h>

#include "ocsp/inner.h"

#define REFRESH_SHARE 8 /* an answer is signed anew in the last eighth of its life: 3 h of a day */
#define SWEEP_TICKS 4   /* in which every kept answer is looked at: OCSP_END_SHARE of a minute */
#define REFRESH_ROOM (OCSP_UNDER_WAY_MAX / 2) /* jobs that clients may always have */
#define TURN_SHIFT 40                         /* a store commits fewer than 2^40 times */

/* What an answer is about and what it will say. */
struct subject {
    const struct served *by;
    struct span certid;
    uint64_t hash;
    struct verdict verdict;
    uint64_t seen;
};

/* Which state of which store: a verdict read in it need not be read in it again. */
static uint64_t state_of(const struct ocsp *o, const struct view *v)
{
    return o->turn << TURN_SHIFT | view_number(v);
}

/* A job whose answer will be kept. NULL: too many under way. */
static struct job *job_for(struct ocsp *o, const struct subject *s, int64_t now_s, enum need need)
{
    struct job *job = job_take(&o->jobs, need, true);
    struct single single;

    if (job == NULL)
        return NULL;
    job->by = s->by;
    job->hash = s->hash;
    job->seen = s->seen;
    job->verdict = s->verdict;
    job->certid_len = s->certid.len;
    memcpy(job->certid, s->certid.data, s->certid.len);
    single_fill(o, s->by->delegate, &s->verdict, s->certid, now_s, &single);
    if (job_write(o, job, s->by, &single, 1, (struct span){0}, now_s) == OK)
        return job;
    job_give_back(&o->jobs, job);
    return NULL;
}

/* The serial is the last element of a CertID, and SERIAL_LEN octets of content have a header of two. */
static struct span serial_of(const struct cached *e)
{
    struct span id = cached_certid(e);

    return span_of(id.data + id.len - SERIAL_LEN, SERIAL_LEN);
}

/* Does the store say today what the answer says? An unknown is read by its request's CertID alone. */
static bool is_true(struct ocsp *o, struct cached *e, struct view *v, struct span serial)
{
    struct verdict now;

    if (e->seen == state_of(o, v))
        return true;
    if (verdict_read(v, &o->config, e->by, serial, &now) != OK || !verdict_same(&now, &e->verdict))
        return false;
    e->seen = state_of(o, v);
    return true;
}

/* By the signer in force, or the one that it replaced. */
static bool has_our_signature(const struct cached *e, int64_t now_s)
{
    const struct delegate *d = e->delegate;

    return d == e->by->delegate || (d == e->by->previous && d->not_before_s <= now_s);
}

static bool is_fresh(const struct cached *e, int64_t now_s)
{
    return e->made_s <= now_s && now_s < e->end_s && has_our_signature(e, now_s);
}

/* It ages, or another signs now. */
static bool is_due(const struct cached *e, int64_t now_s)
{
    return e->by->delegate != NULL && (now_s >= e->refresh_s || e->delegate != e->by->delegate);
}

static void refresh(struct ocsp *o, const struct cached *e, int64_t now_s)
{
    const struct subject s = {
        .by = e->by, .certid = cached_certid(e), .hash = e->hash, .verdict = e->verdict, .seen = e->seen};
    struct job *job;

    if (o->jobs.idle_count < REFRESH_ROOM || !may_sign(o, e->by, now_s) ||
        job_find(&o->jobs, e->hash, s.certid, &e->verdict, e->by->delegate) != NULL)
        return;
    job = job_for(o, &s, now_s, NEED_AGED);
    if (job == NULL)
        return;
    figure_add(o->counts.signatures[NEED_AGED], 1);
    job_queue(&o->jobs, job);
}

bool kept_make(struct ocsp *o, struct view *v, const struct ocsp_certid *id, int64_t now_s)
{
    struct subject s = {.by = served_find(&o->served, id, now_s),
                        .certid = id->whole,
                        .hash = cache_hash(&o->issued, id->whole),
                        .seen = state_of(o, v)};
    struct job *job;

    if (o->jobs.idle_count < REFRESH_ROOM)
        return false;
    if (o->issued.max == 0 || s.by == NULL || id->whole.len > CERTID_MAX || !may_sign(o, s.by, now_s) ||
        verdict_read(v, &o->config, s.by, id->serial, &s.verdict) != OK || !is_issued(s.verdict.state) ||
        cache_find(&o->issued, s.hash, s.certid) != NULL)
        return true;
    job = job_for(o, &s, now_s, NEED_WARM);
    if (job == NULL)
        return false;
    figure_add(o->counts.signatures[NEED_WARM], 1);
    job_queue(&o->jobs, job);
    return true;
}

/* In one of the caches. What is not true any more is forgotten: it would hide what the other has. */
static struct cached *find_in(struct ocsp *o, struct cache *c, const struct ask *q, uint64_t hash)
{
    const struct ocsp_certid *id = &q->request->ids[0];
    struct cached *e = cache_find(c, hash, id->whole);

    if (e == NULL || !is_fresh(e, q->asked->now_s))
        return NULL;
    if (is_true(o, e, q->view, id->serial))
        return e;
    cache_remove(c, e);
    return NULL;
}

static struct cached *find_kept(struct ocsp *o, const struct ask *q, uint64_t hash)
{
    struct cached *e = find_in(o, &o->issued, q, hash);

    if (e == NULL)
        e = find_in(o, &o->unknown, q, hash);
    if (e == NULL)
        return NULL;
    e->is_spared = true;
    e->asked_s = q->asked->now_s;
    return e;
}

static enum ocsp_status join(struct ocsp *o, struct job *job, const struct ask *q)
{
    if (!job_wait(&o->jobs, job, q->done, q->arg)) {
        figure_add(o->counts.overrun, 1);
        return OCSP_TRY_LATER;
    }
    figure_add(o->counts.joined, 1);
    return OCSP_SUCCESSFUL;
}

/* Not one that is late, whose answer may be over when it comes, nor one of another store or other settings.
 */
static bool may_join(const struct ocsp *o, const struct job *job)
{
    return job != NULL && job->ticks < OCSP_WAIT_TICKS && job->seen >> TURN_SHIFT == o->turn;
}

static enum ocsp_status ask_signer(struct ocsp *o, const struct subject *s, const struct ask *q)
{
    bool is_ours = is_issued(s->verdict.state);
    struct job *job = job_find(&o->jobs, s->hash, s->certid, &s->verdict, s->by->delegate);

    if (may_join(o, job))
        return join(o, job, q);
    if (!is_within_budget(o, q->asked, !is_ours))
        return OCSP_TRY_LATER;
    job = job_for(o, s, q->asked->now_s, is_ours ? NEED_MISS : NEED_UNKNOWN);
    if (job != NULL)
        return job_begin(o, job, q);
    figure_add(o->counts.overrun, 1);
    return OCSP_TRY_LATER;
}

enum ocsp_status kept_answer(struct ocsp *o, struct ask *q)
{
    const struct ocsp_certid *id = &q->request->ids[0];
    struct subject s = {.certid = id->whole, .hash = cache_hash(&o->issued, id->whole)};

    q->hit = find_kept(o, q, s.hash);
    if (q->hit != NULL)
        return OCSP_SUCCESSFUL;
    s.by = served_find(&o->served, id, q->asked->now_s);
    if (s.by == NULL)
        return OCSP_UNAUTHORIZED;
    if (!may_sign(o, s.by, q->asked->now_s))
        return OCSP_TRY_LATER;
    if (verdict_read(q->view, &o->config, s.by, id->serial, &s.verdict) != OK)
        return OCSP_INTERNAL_ERROR;
    s.seen = state_of(o, q->view);
    return ask_signer(o, &s, q);
}

/* Of what is kept: does it say the same as a job that is late, and was it said after that was asked? Of the
 * others the last is kept, as the clock may have been set back. */
static bool is_newer(const struct cached *e, const struct job *job)
{
    return e != NULL && job->ticks >= OCSP_WAIT_TICKS && e->made_s > job->made_s &&
           e->delegate == job->delegate && verdict_same(&e->verdict, &job->verdict);
}

void kept_put(struct ocsp *o, const struct job *job, struct ocsp_answer *a, uint8_t digest[static HASH_LEN])
{
    struct cache *c = is_issued(job->verdict.state) ? &o->issued : &o->unknown;
    struct span certid = span_of(job->certid, job->certid_len);
    int64_t life_s = a->next_update_s - job->made_s; /* what a copy of the store says began before that */
    struct cached like = {.hash = job->hash,
                          .by = job->by,
                          .delegate = job->delegate,
                          .verdict = job->verdict,
                          .seen = job->seen,
                          .made_s = job->made_s,
                          .this_update_s = a->this_update_s,
                          .next_update_s = a->next_update_s,
                          .refresh_s = a->next_update_s - life_s / REFRESH_SHARE,
                          .end_s = a->next_update_s - life_s / OCSP_END_SHARE,
                          .asked_s = job->need == NEED_AGED ? NO_TIME : job->made_s};

    sha256_of(a->der, digest);
    a->digest = digest;
    if (job->seen >> TURN_SHIFT != o->turn)
        return; /* of another store, or by other settings */
    if (is_newer(cache_find(c, job->hash, certid), job))
        return;
    memcpy(like.digest, digest, sizeof like.digest);
    cache_put(c, &like, certid, a->der);
}

bool kept_is_for(const struct ocsp *o, const struct ocsp_request *r)
{
    return o->issued.max > 0 && r->count == 1 && !r->has_nonce && r->ids[0].whole.len <= CERTID_MAX;
}

void kept_give(struct ocsp *o, const struct ask *q)
{
    struct cached *e = q->hit;
    struct ocsp_answer a = {.der = cached_der(e),
                            .status = OCSP_SUCCESSFUL,
                            .digest = e->digest,
                            .has_unknown = !is_issued(e->verdict.state),
                            .count = 1,
                            .this_update_s = e->this_update_s,
                            .next_update_s = e->next_update_s};

    figure_add(o->counts.hits, 1);
    figure_add(o->counts.certids[e->verdict.state], 1);
    q->done(&a, q->arg);
    if (is_due(e, q->asked->now_s) && is_issued(e->verdict.state))
        refresh(o, e, q->asked->now_s);
}

/* ---- the clock ---- */

static void sweep_bucket(struct ocsp *o, struct view *v, struct cached *e, int64_t now_s)
{
    struct cached *next;

    for (; e != NULL; e = next) {
        next = e->next;
        if (now_s >= e->next_update_s || (e->asked_s == NO_TIME && !has_our_signature(e, now_s)))
            cache_remove(&o->issued, e);
        else if (is_due(e, now_s) && e->asked_s != NO_TIME && is_true(o, e, v, serial_of(e)))
            refresh(o, e, now_s);
    }
}

void kept_sweep(struct ocsp *o, struct view *v, int64_t now_s)
{
    size_t count = o->issued.bucket_count / SWEEP_TICKS + 1;

    for (size_t i = 0; i < count; i++) {
        o->sweep_at = (o->sweep_at + 1) % o->issued.bucket_count;
        sweep_bucket(o, v, o->issued.buckets[o->sweep_at], now_s);
    }
}
