/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: one list, step by step: drafts, entries of a view (pair.c), the list to the signing port and back as
 * a signature, both files in place. Which entries: RFC 5280 3.3 for a complete list, 5.2.4 for a delta; of a
 * shard those of its serials.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/der.h"
#include "base/log.h"
#include "base/port.h"
#include "crl/inner.h"

/* False: nobody wants it any more. */
static bool tick(const struct crl_list *l)
{
    return l->job->tick == NULL || l->job->tick(l->job->arg);
}

/* ---- what is listed ---- */

/* RFC 5280 3.3: an entry stays until a list of the schedule has shown it after its certificate's end. */
static bool is_current(const struct revoked *e, int64_t shown_s)
{
    return shown_s == NO_TIME || e->not_after_s >= shown_s || e->revoked_at_s >= shown_s;
}

#define TICK_EVERY 65536 /* entries: some milliseconds */

static bool add(struct crl_list *l, const struct revoked *e)
{
    if (l->pair.count % TICK_EVERY == TICK_EVERY - 1)
        (void)tick(l);
    return pair_add(&l->pair, e);
}

static bool add_complete(const struct revoked *e, void *arg)
{
    struct crl_list *l = arg;

    if (!is_current(e, l->from->shown_s) || !shard_has(l->part.shard, e->serial))
        return true;
    return add(l, e);
}

/* Whatever has ended since: a revocation that was never on a complete list must not leave before it was. */
static bool add_change(const struct revoked *e, void *arg)
{
    struct crl_list *l = arg;

    return !shard_has(l->part.shard, e->serial) || add(l, e);
}

/* On the base, and left out of the complete list of this run: base and delta together are to say what that
 * list says. RFC 5280 5.2.4 */
static bool add_ended(const struct revoked *e, void *arg)
{
    struct crl_list *l = arg;
    struct revoked gone = *e;

    if (is_current(e, l->from->shown_s) || !is_current(e, l->from->track.base_shown_s))
        return true;
    if (!shard_has(l->part.shard, e->serial) ||
        crl_change_find(l->from->view, l->from->issuer.no, e->serial) != ERR_NOT_FOUND)
        return true;
    gone.reason = REASON_REMOVE_FROM_CRL;
    return add(l, &gone);
}

static enum err add_entries(struct crl_list *l)
{
    struct view *v = l->from->view;
    uint16_t no = l->from->issuer.no;
    enum err e;

    if (!l->part.is_delta)
        return revoked_each(v, no, add_complete, l);
    e = crl_change_each(v, no, add_change, l);
    if (e == OK && l->job->run == RUN_COMPLETE)
        e = revoked_each(v, no, add_ended, l);
    return e;
}

/* ---- what stands around it ---- */

static void put_more(const struct crl_list *l, struct buf *b)
{
    const struct crl_from *from = l->from;
    char name[CRL_NAME_MAX];

    if (l->part.is_delta)
        crl_put_base(b, from->whole.number);
    crl_part_name(l->job->issuer->id, l->part.shard, false, name);
    if (l->part.shard != SHARD_ALL)
        crl_put_point(b, from->track.urls, l->job->public_url, name);
    crl_part_name(l->job->issuer->id, l->part.shard, true, name);
    if (!l->part.is_delta && l->job->issuer->delta_s > 0)
        crl_put_freshest(b, l->job->public_url, name);
}

/* Octets of signatureAlgorithm and signature at most. */
static size_t trailer_max(const struct crl_from *from)
{
    return sig_alg_der(from->alg).len + der_header_len(from->signature_max + 1) + from->signature_max + 1;
}

#define MORE_MAX (16u * 1024) /* octets: three extensions with the longest addresses */

enum err list_gather(struct crl_list *l)
{
    const struct crl_from *from = l->from;
    struct crl_content c = {.issuer_name = from->parts.subject,
                            .algorithm = sig_alg_der(from->alg),
                            .ski = from->parts.ski,
                            .number = l->part.state.number,
                            .this_update_s = l->part.state.this_update_s,
                            .next_update_s = l->part.state.next_update_s};
    struct buf more;
    enum err e;

    buf_init(&more, MORE_MAX);
    put_more(l, &more);
    c.more = buf_span(&more);
    pair_begin(&l->pair, &c);
    e = buf_end(&more);
    if (e == OK)
        e = add_entries(l);
    buf_free(&more);
    if (e != OK)
        return fault_set(l->fault, e, "%s: the store cannot be read", l->job->issuer->id);
    return pair_close(&l->pair, trailer_max(from));
}

/* ---- signing ---- */

/* Answers to what an earlier publication gave up are nobody's. */
static enum err port_clear(struct crl_port *port)
{
    struct port_answer stale;
    enum err e;

    while ((e = port_take(port->fd, &stale)) == OK)
        port->is_mute = false;
    return e == ERR_UNAVAILABLE ? OK : e;
}

/* Until the port takes a message, or has one. Whoever asked for the list is told in time, and others have
 * their lists. */
static enum err port_wait(const struct crl_list *l, short events)
{
    struct crl_port *port = l->job->port;
    struct pollfd fd = {.fd = port->fd, .events = events};
    unsigned most_s = port->is_mute ? 1 : CRL_SIGNER_WAIT_S;
    int n = poll(&fd, 1, 0);

    if (n > 0 && (fd.revents & POLLOUT) != 0)
        return OK; /* room on the wire says nothing of the signer */
    for (unsigned s = 0; n <= 0; s++) {
        if (n < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
        if (s > 0 && !tick(l))
            return ERR_END;
        if (s == most_s) {
            port->is_mute = true;
            return fault_set(l->fault, ERR_UNAVAILABLE, "%s: the signer does not answer", l->job->issuer->id);
        }
        n = poll(&fd, 1, 1000);
    }
    port->is_mute = false;
    return OK;
}

static_assert(PAIR_PIECE <= PORT_PIECE_MAX,
              "a piece is one message, of which the port was asked whether it takes it");

static bool sink_port(struct span piece, void *arg)
{
    struct crl_list *l = arg;

    l->err = port_wait(l, POLLOUT);
    if (l->err == OK)
        l->err = port_crl_data(l->job->port->fd, l->question, piece);
    if (l->err == OK && !tick(l))
        l->err = ERR_END;
    return l->err == OK;
}

static enum err stream(struct crl_list *l)
{
    enum err e = port_clear(l->job->port);

    l->question = ++l->job->port->questions;
    if (e == OK)
        e = port_wait(l, POLLOUT);
    if (e == OK)
        e = port_crl_begin(l->job->port->fd, l->question, l->job->issuer->id, l->pair.tbs_len);
    if (e == OK)
        e = pair_stream(&l->pair, sink_port, l);
    return l->err != OK ? l->err : e;
}

/* An earlier publication's answer may come as late as now: a signer that hung goes on where it was. */
static enum err answer_wait(const struct crl_list *l, struct port_answer *a)
{
    enum err e;

    do {
        e = port_wait(l, POLLIN);
        if (e == OK)
            e = port_crl_end(l->job->port->fd, a);
    } while (e == OK && a->number != l->question);
    return e;
}

static enum err signature_wait(struct crl_list *l, struct port_answer *a)
{
    enum err e = answer_wait(l, a);

    if (e != OK)
        return e;
    if (a->err != OK)
        return fault_set(l->fault, ERR_INTERNAL, "%s: the signer refused: %s", l->job->issuer->id, a->reason);
    if (a->signature_len == 0 || a->signature_len > l->from->signature_max)
        return fault_set(l->fault, ERR_INTERNAL, "%s: the signer gave no signature of its key",
                         l->job->issuer->id);
    return OK;
}

static enum err finish(struct crl_list *l, const struct port_answer *a)
{
    struct crl_state *s = &l->part.state;
    struct buf trailer;
    enum err e;

    buf_init(&trailer, SIGNATURE_MAX + 64);
    buf_put_span(&trailer, sig_alg_der(l->from->alg));
    der_put_bits(&trailer, span_of(a->signature, a->signature_len));
    e = pair_finish(&l->pair, buf_span(&trailer), &s->size, s->sha256);
    buf_free(&trailer);
    s->count = l->pair.count;
    return e;
}

enum err list_sign(struct crl_list *l)
{
    struct port_answer a;
    enum err e = stream(l);

    if (e == OK)
        e = signature_wait(l, &a);
    if (e == OK)
        e = finish(l, &a);
    return e == OK ? pair_put_in_force(&l->pair) : e;
}

/* ---- its files ---- */

enum err list_open(struct crl_list *l)
{
    char name[CRL_NAME_MAX];
    enum err e;

    crl_part_name(l->job->issuer->id, l->part.shard, l->part.is_delta, name);
    e = crl_paths_of(l->job->public_dir, name, &l->paths, l->fault);
    return e == OK ? pair_open(&l->pair, &l->paths, l->job->kept, l->fault) : e;
}

void list_free(struct crl_list *l)
{
    pair_free(&l->pair);
}
