/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish: one publication, step by step: number, entries of one view into the draft (pair.c), the list to
 * the signing port and back as a signature, both files in place, recorded.
 */
#include <string.h>

#include "base/der.h"
#include "base/parts.h"
#include "base/port.h"
#include "crl/inner.h"

/* What one publication holds while it runs. */
struct run {
    const struct crl_job *job;
    struct fault *fault;
    struct crl_state state;
    struct crl_paths paths;
    struct crl_pair pair;
    enum sig_alg alg;
    size_t signature_max; /* octets */
    int64_t shown_s;      /* what has ended before then was on a list; NO_TIME: nothing was */
    enum err err;         /* of the port */
};

static void tick(const struct run *r)
{
    if (r->job->tick != NULL)
        r->job->tick(r->job->arg);
}

/* ---- what is listed ---- */

/* RFC 5280 3.3: an entry stays until one list issued after its certificate's end has shown it. */
static bool is_listed(const struct run *r, const struct revoked *e)
{
    return r->shown_s == NO_TIME || e->not_after_s >= r->shown_s || e->revoked_at_s >= r->shown_s;
}

#define TICK_EVERY 65536 /* entries: some milliseconds */

static bool add_row(const struct revoked *e, void *arg)
{
    struct run *r = arg;

    if (!is_listed(r, e))
        return true;
    if (r->pair.count % TICK_EVERY == TICK_EVERY - 1)
        tick(r);
    return pair_add(&r->pair, e);
}

/* The DER lengths of ECDSA signatures vary by some octets: the longest. RSA's are exact. */
static size_t longest_signature(const struct key_kind *k)
{
    size_t octets = (k->bits + 7) / 8;

    return k->type == KEY_RSA ? octets : 2 * (octets + 3) + (octets > 60 ? 3 : 2);
}

/* Octets of signatureAlgorithm and signature at most. */
static size_t trailer_max(const struct run *r)
{
    return sig_alg_der(r->alg).len + der_header_len(r->signature_max + 1) + r->signature_max + 1;
}

static enum err gather(struct run *r, struct view *v, const struct issuer *i, const struct parts *parts)
{
    struct crl_content c = {.issuer_name = parts->subject,
                            .algorithm = sig_alg_der(r->alg),
                            .ski = parts->ski,
                            .number = r->state.number,
                            .this_update_s = r->state.this_update_s,
                            .next_update_s = r->state.next_update_s};
    enum err e;

    pair_begin(&r->pair, &c);
    e = revoked_each(v, i->no, add_row, r);
    if (e != OK)
        return fault_set(r->fault, e, "%s: the store cannot be read", i->id);
    return pair_close(&r->pair, trailer_max(r));
}

/* A list from the future was made by a wrong clock: what has not ended by now stays. */
static void set_shown(struct run *r, const struct crl_state *previous)
{
    int64_t this_s = r->state.this_update_s, last_s = previous->this_update_s;

    r->shown_s = previous->number == 0 ? NO_TIME : last_s < this_s ? last_s : this_s;
}

static enum err gather_issuer(struct run *r, struct view *v, const struct issuer *i)
{
    struct crl_state previous;
    struct parts parts;
    struct key_kind kind;
    enum err e = crl_state_find(v, i->no, &previous);

    if (e != OK)
        return fault_set(r->fault, e, "%s: the store cannot be read", i->id);
    if (!parts_of(i->certificate, &parts) || !key_kind_of(parts.spki, &kind) || parts.ski.len == 0 ||
        sig_alg_for(&kind) == SIG_NONE)
        return fault_set(r->fault, ERR_INTERNAL, "%s: its certificate cannot sign CRLs", i->id);
    r->alg = sig_alg_for(&kind);
    r->signature_max = longest_signature(&kind);
    set_shown(r, &previous);
    return gather(r, v, i, &parts);
}

static enum err gather_view(struct run *r)
{
    struct issuer issuer;
    struct view *v = NULL;
    enum err e = view_open(r->job->store, &v);

    if (e != OK)
        return fault_set(r->fault, e, "the store cannot be read");
    e = issuer_find(v, r->job->issuer->id, &issuer);
    if (e != OK)
        e = fault_set(r->fault, e, "%s: is not in the store", r->job->issuer->id);
    if (e == OK)
        e = gather_issuer(r, v, &issuer);
    view_close(v);
    return e;
}

/* ---- signing ---- */

/* Answers to what an earlier publication gave up are nobody's. */
static enum err port_clear(int fd)
{
    struct port_answer stale;
    enum err e;

    do
        e = port_take(fd, &stale);
    while (e == OK);
    return e == ERR_UNAVAILABLE ? OK : e;
}

static bool sink_port(struct span piece, void *arg)
{
    struct run *r = arg;

    r->err = port_crl_data(r->job->port_fd, r->state.number, piece);
    tick(r);
    return r->err == OK;
}

static enum err stream(struct run *r)
{
    enum err e = port_clear(r->job->port_fd);

    if (e == OK)
        e = port_crl_begin(r->job->port_fd, r->state.number, r->job->issuer->id, r->pair.tbs_len);
    if (e == OK)
        e = pair_stream(&r->pair, sink_port, r);
    return r->err != OK ? r->err : e;
}

static enum err signature_wait(struct run *r, struct port_answer *a)
{
    enum err e = port_crl_end(r->job->port_fd, a);

    if (e != OK)
        return e;
    if (a->err != OK)
        return fault_set(r->fault, ERR_INTERNAL, "%s: the signer refused: %s", r->job->issuer->id, a->reason);
    if (a->signature_len == 0 || a->signature_len > r->signature_max)
        return fault_set(r->fault, ERR_INTERNAL, "%s: the signer gave no signature of its key",
                         r->job->issuer->id);
    return OK;
}

static enum err finish(struct run *r, const struct port_answer *a)
{
    struct buf trailer;
    enum err e;

    buf_init(&trailer, SIGNATURE_MAX + 64);
    buf_put_span(&trailer, sig_alg_der(r->alg));
    der_put_bits(&trailer, span_of(a->signature, a->signature_len));
    e = pair_finish(&r->pair, buf_span(&trailer), &r->state.size, r->state.sha256);
    buf_free(&trailer);
    r->state.count = r->pair.count;
    return e;
}

/* ---- the publication ---- */

static enum err produce(struct run *r)
{
    struct port_answer a;
    enum err e = pair_open(&r->pair, &r->paths, r->fault);

    if (e == OK)
        e = r->job->reserve(r->job->arg, r->job->issuer->id, &r->state.number);
    if (e == OK)
        e = gather_view(r);
    if (e == OK)
        e = stream(r);
    if (e == OK)
        e = signature_wait(r, &a);
    if (e == OK)
        e = finish(r, &a);
    if (e == OK)
        e = pair_put_in_force(&r->pair);
    pair_free(&r->pair);
    return e;
}

enum err crl_publish(const struct crl_job *job, struct crl_state *out, struct fault *f)
{
    struct fault own = {0};
    struct run r = {.job = job, .fault = f != NULL ? f : &own};
    enum err e;

    r.state.this_update_s = job->now_s;
    r.state.next_update_s = job->now_s + job->issuer->every_s + job->issuer->overlap_s;
    e = crl_paths_of(job->public_dir, job->issuer->id, &r.paths, r.fault);
    if (e == OK)
        e = produce(&r);
    if (e == OK)
        e = job->record(job->arg, job->issuer->id, &r.state, job->cause);
    *out = r.state;
    if (e != OK)
        (void)fault_set(r.fault, e, "%s: %s", job->issuer->id,
                        e == ERR_END ? "a role is gone" : "was not recorded");
    return e;
}
