/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responder: from a request to an answer: one that is kept, or in two steps with a signature between them.
 * The first step reads the store and writes ResponseData, the second puts the signature around it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/port.h"
#include "ocsp/inner.h"

#define COMPLAIN_EVERY_S 60
#define UNKNOWN_SHARE 16 /* of the kept octets one part is for unknowns, which strangers can fill */

/* ---- errors ---- */

void answer_error(struct ocsp *o, enum ocsp_status status, ocsp_done *done, void *arg)
{
    struct ocsp_answer a = {.status = status, .der = response_error(status)};

    figure_add(o->counts.errors[status], 1);
    done(&a, arg);
}

/* True at most once a minute: what goes wrong for one request goes wrong for thousands. */
static bool may_complain(struct ocsp *o, int64_t now_s)
{
    if (now_s >= o->complained_s && now_s - o->complained_s < COMPLAIN_EVERY_S)
        return false;
    o->complained_s = now_s;
    return true;
}

/* ---- which issuer answers ---- */

static enum ocsp_status find_issuer(const struct ocsp *o, const struct ocsp_request *r, int64_t now_s,
                                    const struct served **by, const struct served **out)
{
    *out = NULL;
    for (size_t i = 0; i < r->count; i++) {
        if (r->ids[i].alg == HASH_NONE)
            return OCSP_UNAUTHORIZED; /* nobody can tell whose it is; its parameters may be anything */
        by[i] = served_find(&o->served, &r->ids[i], now_s);
        if (by[i] != NULL && *out != NULL && by[i] != *out)
            return OCSP_UNAUTHORIZED; /* one answer, one signer: see ocsp.h */
        if (by[i] != NULL)
            *out = by[i];
    }
    return *out != NULL ? OCSP_SUCCESSFUL : OCSP_UNAUTHORIZED;
}

/* A store that names other responder certificates is followed within a second; a mistake in it leaves the old
 * ones, but for those whose state is withdrawn or cannot be read: they sign no more. */
static void look_again(struct ocsp *o, struct view *v, int64_t now_s)
{
    struct fault f = {0};

    if (now_s == o->looked_s)
        return;
    o->looked_s = now_s;
    if (served_load(v, &o->served, &f) != OK && may_complain(o, now_s))
        log_error("ocsp-issuers", "%s", f.detail);
}

/* A copy that nobody has refreshed for too long says nothing: what it calls good may be revoked. */
static bool is_recent(struct ocsp *o, int64_t now_s)
{
    if (o->as_of_s == NO_TIME || now_s - o->as_of_s <= o->config.age_max_s)
        return true;
    if (may_complain(o, now_s))
        log_error("ocsp-old", "the copy of the store is %lld s old; clients are told to try later",
                  (long long)(now_s - o->as_of_s));
    return false;
}

bool may_sign(struct ocsp *o, const struct served *s, int64_t now_s)
{
    const struct delegate *d = s->delegate;

    if (d != NULL && d->not_before_s <= now_s && now_s < d->not_after_s)
        return true;
    if (!served_is_over(s, now_s) && may_complain(o, now_s))
        log_error("ocsp-signer",
                  "issuer %s: its OCSP signer's certificate is %s; clients are told to try later", s->id,
                  d == NULL ? "missing, revoked, on hold or unreadable" : "not valid now");
    return false;
}

/* ---- writing what is to be signed ---- */

bool is_issued(enum single_state s)
{
    return s == SINGLE_GOOD || s == SINGLE_REVOKED;
}

/* When what the store says was known to be true. */
static int64_t data_time(const struct ocsp *o, int64_t now_s)
{
    return o->as_of_s == NO_TIME || o->as_of_s > now_s ? now_s : o->as_of_s;
}

void single_fill(const struct ocsp *o, const struct delegate *d, const struct verdict *v, struct span certid,
                 int64_t now_s, struct single *out)
{
    *out = (struct single){.certid = certid,
                           .state = v->state,
                           .reason = v->reason,
                           .revoked_at_s = v->revoked_at_s,
                           .next_update_s = verdict_next_update(v, &o->config, d, data_time(o, now_s), now_s),
                           .archive_cutoff_s = NO_TIME};
    if (o->config.archive_cutoff_s > 0 && is_issued(v->state))
        out->archive_cutoff_s = now_s - o->config.archive_cutoff_s;
}

/* What is known of an answer before it is signed. */
static void answer_fill(struct job *job, const struct single *singles, size_t count, int64_t this_update_s)
{
    struct ocsp_answer *a = &job->answer;

    *a = (struct ocsp_answer){
        .count = count, .this_update_s = this_update_s, .next_update_s = job->delegate->not_after_s};
    for (size_t i = 0; i < count; i++) {
        job->states[i] = singles[i].state;
        a->has_unknown |= !is_issued(singles[i].state);
        if (singles[i].next_update_s < a->next_update_s)
            a->next_update_s = singles[i].next_update_s;
    }
}

enum err job_write(const struct ocsp *o, struct job *job, const struct served *issuer,
                   const struct single *singles, size_t count, struct span nonce, int64_t now_s)
{
    job->delegate = delegate_hold(issuer->delegate);
    job->made_s = now_s;
    memcpy(job->key_id, issuer->id, sizeof job->key_id);
    answer_fill(job, singles, count, data_time(o, now_s));
    job->answer.has_nonce = nonce.len > 0;
    response_data_write(&job->data, &(struct response){.key_hash = job->delegate->key_hash,
                                                       .produced_at_s = now_s,
                                                       .this_update_s = job->answer.this_update_s,
                                                       .singles = singles,
                                                       .count = count,
                                                       .has_nonce = nonce.len > 0,
                                                       .nonce = nonce});
    return buf_end(&job->data);
}

/* ---- answers for one request alone ---- */

bool is_within_budget(struct ocsp *o, const struct ocsp_asked *q, bool has_unknown)
{
    const struct ocsp_config *c = &o->config;
    int64_t now_ms = q->now_s * 1000;
    unsigned wait_s;

    if (q->from.len > 0 && !rate_take(o->addresses, &c->live_rate, q->from, now_ms, &wait_s)) {
        figure_add(o->counts.address_refused, 1);
        return false;
    }
    if (has_unknown && !rate_take(o->unknowns, &c->unknown_rate, span_str("all"), now_ms, &wait_s)) {
        figure_add(o->counts.unknown_refused, 1);
        return false;
    }
    return true;
}

enum ocsp_status job_begin(struct ocsp *o, struct job *job, const struct ask *q)
{
    if (!job_wait(&o->jobs, job, q->done, q->arg)) {
        job_give_back(&o->jobs, job);
        figure_add(o->counts.overrun, 1);
        return OCSP_TRY_LATER;
    }
    figure_add(o->counts.signatures[job->need], 1);
    job_queue(&o->jobs, job);
    return OCSP_SUCCESSFUL;
}

/* What is said of each CertID; false when the store cannot be read. */
static bool read_singles(struct ocsp *o, const struct ask *q, const struct served *const *by,
                         const struct served *issuer, struct single *out)
{
    const struct ocsp_request *r = q->request;
    struct verdict verdict;

    for (size_t i = 0; i < r->count; i++) {
        if (verdict_read(q->view, &o->config, by[i], r->ids[i].serial, &verdict) != OK)
            return false;
        single_fill(o, issuer->delegate, &verdict, r->ids[i].whole, q->asked->now_s, &out[i]);
    }
    return true;
}

static bool has_unknown(const struct single *singles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_issued(singles[i].state))
            return true;
    return false;
}

static enum ocsp_status live_answer(struct ocsp *o, struct ask *q)
{
    const struct ocsp_request *r = q->request;
    const struct served *by[OCSP_CERTIDS_MAX], *issuer;
    struct single singles[OCSP_CERTIDS_MAX];
    int64_t now_s = q->asked->now_s;
    struct job *job;
    enum ocsp_status status = find_issuer(o, r, now_s, by, &issuer);

    if (status != OCSP_SUCCESSFUL)
        return status;
    if (!may_sign(o, issuer, now_s))
        return OCSP_TRY_LATER;
    if (!read_singles(o, q, by, issuer, singles))
        return OCSP_INTERNAL_ERROR;
    if (!is_within_budget(o, q->asked, has_unknown(singles, r->count)))
        return OCSP_TRY_LATER;
    job = job_take(&o->jobs, r->has_nonce ? NEED_NONCE : NEED_SEVERAL, false);
    if (job == NULL) {
        figure_add(o->counts.overrun, 1);
        return OCSP_TRY_LATER;
    }
    if (job_write(o, job, issuer, singles, r->count, r->nonce, now_s) == OK)
        return job_begin(o, job, q);
    job_give_back(&o->jobs, job);
    return OCSP_INTERNAL_ERROR;
}

/* ---- the signature has come ---- */

static enum err assemble(struct ocsp *o, struct job *job, const struct port_answer *p)
{
    const struct delegate *d = job->delegate;

    buf_reset(&o->out);
    if (p->err != OK) {
        if (may_complain(o, job->made_s))
            log_error("ocsp-refused", "the signer refused for issuer %s: %s", job->key_id, p->reason);
        return p->err;
    }
    response_write(&o->out, buf_span(&job->data), d->alg, span_of(p->signature, p->signature_len),
                   span_of(d->certificate, d->certificate_len));
    return buf_end(&o->out);
}

static void finish(struct ocsp *o, struct job *job, const struct port_answer *p)
{
    struct ocsp_answer a = job->answer;
    bool is_signed = assemble(o, job, p) == OK;
    uint8_t digest[HASH_LEN];
    struct waiter w;

    a.der = buf_span(&o->out);
    if (is_signed && job->is_kept)
        kept_put(o, job, &a, digest);
    while (job_next_waiter(&o->jobs, job, &w)) {
        if (!is_signed) {
            answer_error(o, OCSP_INTERNAL_ERROR, w.done, w.arg);
            continue;
        }
        for (size_t i = 0; i < a.count; i++)
            figure_add(o->counts.certids[job->states[i]], 1);
        w.done(&a, w.arg);
    }
    job_give_back(&o->jobs, job);
}

/* The signer has room again for what is to be ready before it is asked for. */
static void warm_on(struct ocsp *o, int64_t now_s)
{
    struct view *v;

    if (view_open(o->store, &v) != OK)
        return;
    warm_step(o, v, now_s);
    view_close(v);
}

static void answered(struct ocsp *o, const struct port_answer *p)
{
    struct job *job = job_of_number(&o->jobs, p->number);

    if (job == NULL)
        die("the signer answered a job that was not asked");
    jobs_answered(&o->jobs, job);
    finish(o, job, p);
    late_heard(o);
}

enum err ocsp_pump(struct ocsp *o)
{
    struct port_answers p;
    enum err e;

    while ((e = port_take_several(o->jobs.port_fd, &p)) == OK)
        for (size_t i = 0; i < p.count; i++)
            answered(o, &p.items[i]);
    if (e != ERR_UNAVAILABLE)
        return e;
    if (o->warm.len > 0)
        warm_on(o, o->warm_s);
    return OK;
}

void ocsp_send(struct ocsp *o)
{
    if (jobs_send(&o->jobs) != OK && may_complain(o, clock_now_s()))
        log_error("ocsp-port", "the signer does not take requests"); /* ocsp_pump tells that it is gone */
}

/* ---- the door ---- */

void ocsp_respond(struct ocsp *o, const struct ocsp_asked *asked, ocsp_done *done, void *arg)
{
    struct ocsp_request r;
    struct ask q = {.asked = asked, .request = &r, .done = done, .arg = arg};
    enum ocsp_status status = ocsp_request_read(asked->request, &r);

    if (status == OCSP_SUCCESSFUL && view_open(o->store, &q.view) != OK)
        status = OCSP_INTERNAL_ERROR;
    if (status == OCSP_SUCCESSFUL) {
        look_again(o, q.view, asked->now_s);
        if (!is_recent(o, asked->now_s))
            status = OCSP_TRY_LATER;
        else
            status = kept_is_for(o, &r) ? kept_answer(o, &q) : live_answer(o, &q);
    }
    view_close(q.view);
    if (status == OCSP_INTERNAL_ERROR && may_complain(o, asked->now_s))
        log_error("ocsp-store", "the store cannot be read");
    if (status != OCSP_SUCCESSFUL)
        answer_error(o, status, done, arg);
    else if (q.hit != NULL)
        kept_give(o, &q);
}

bool ocsp_is_about_issued(struct ocsp *o, struct span request, int64_t now_s)
{
    struct ocsp_request r;
    struct verdict verdict;
    struct view *v = NULL;
    bool is = ocsp_request_read(request, &r) == OCSP_SUCCESSFUL && view_open(o->store, &v) == OK;

    if (is)
        look_again(o, v, now_s);
    for (size_t i = 0; is && i < r.count; i++)
        is = verdict_read(v, &o->config, served_find(&o->served, &r.ids[i], now_s), r.ids[i].serial,
                          &verdict) == OK &&
             is_issued(verdict.state);
    view_close(v);
    return is;
}

void ocsp_tick(struct ocsp *o, int64_t now_s)
{
    struct view *v;

    late_look(o);
    if (view_open(o->store, &v) != OK)
        return;
    look_again(o, v, now_s);
    kept_sweep(o, v, now_s);
    warm_step(o, v, now_s);
    view_close(v);
    figure_set(o->counts.kept, (int64_t)(o->issued.count + o->unknown.count));
    figure_set(o->counts.kept_octets, (int64_t)(o->issued.octets + o->unknown.octets));
    figure_set(o->counts.under_way, (int64_t)(OCSP_UNDER_WAY_MAX - o->jobs.idle_count));
}

/* ---- open and close ---- */

enum err ocsp_open(struct store *s, const struct ocsp_config *c, int port_fd, struct board *board,
                   struct ocsp **out, struct fault *f)
{
    struct ocsp *o = xcalloc(1, sizeof *o);
    struct view *v;
    enum err e = view_open(s, &v);

    *out = NULL;
    o->store = s;
    o->board = board;
    o->config = *c;
    o->served.only = c->issuers;
    o->as_of_s = o->looked_s = NO_TIME;
    o->complained_s = INT64_MAX; /* a clock never gets there: the first complaint is heard */
    cache_open(&o->unknown, c->cache_octets / UNKNOWN_SHARE);
    cache_open(&o->issued, c->cache_octets - c->cache_octets / UNKNOWN_SHARE);
    o->addresses = rate_table_new(BUDGET_ADDRESSES);
    o->unknowns = rate_table_new(8); /* one is in use */
    counts_open(&o->counts, board);
    jobs_open(&o->jobs, port_fd);
    buf_init(&o->out, RESPONSE_MAX);
    buf_init(&o->warm, OCSP_RECENT_OCTETS);
    if (e == OK) {
        e = served_load(v, &o->served, f);
        view_close(v);
    } else {
        e = fault_set(f, e, "the store cannot be read");
    }
    if (e != OK) {
        ocsp_close(o);
        return e;
    }
    *out = o;
    return OK;
}

void ocsp_follow(struct ocsp *o, struct store *s, int64_t as_of_s)
{
    o->store = s;
    o->as_of_s = as_of_s;
    o->turn++;             /* what was read in another store is to be read again */
    o->looked_s = NO_TIME; /* its signers may be others */
}

/* Would an answer of now be another? */
static bool says_other(const struct ocsp_config *a, const struct ocsp_config *b)
{
    return a->validity_s != b->validity_s || a->archive_cutoff_s != b->archive_cutoff_s ||
           a->is_extended_revoke != b->is_extended_revoke;
}

void ocsp_settings(struct ocsp *o, const struct ocsp_config *c, int64_t now_s)
{
    bool is_other = says_other(&o->config, c);
    struct buf recent;

    o->config = *c;
    if (!is_other)
        return;
    buf_init(&recent, OCSP_RECENT_OCTETS);
    ocsp_recent(o, &recent);
    o->turn++; /* what is under way is given to who asked, and not kept */
    cache_clear(&o->issued);
    cache_clear(&o->unknown);
    ocsp_warm(o, buf_span(&recent), now_s);
    buf_free(&recent);
}

void ocsp_close(struct ocsp *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        struct job *job = &o->jobs.items[i];

        if (!job->is_awaited)
            continue;
        late_answer(o, job);
        job_give_back(&o->jobs, job);
    }
    jobs_close(&o->jobs);
    cache_close(&o->issued);
    cache_close(&o->unknown);
    rate_table_free(o->addresses);
    rate_table_free(o->unknowns);
    served_free(&o->served);
    buf_free(&o->out);
    buf_free(&o->warm);
    free(o);
}
