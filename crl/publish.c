/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish: one publication. The tbsCertList goes to the draft and to the signing port in one pass, so what is
 * signed is what is written; the draft leaves room for the outer header, whose length depends on the
 * signature's. The PEM draft is made from the finished DER draft. Nothing is renamed before both are whole
 * and on the disk.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/der.h"
#include "base/log.h"
#include "base/parts.h"
#include "base/port.h"
#include "crl/inner.h"

#define COPY_LEN (64u * 1024)

/* What one publication holds while it runs. */
struct run {
    const struct crl_job *job;
    struct fault *fault;
    struct crl_state state;
    struct crl_paths paths;
    struct file_draft der, pem;
    /* copied out of the view, which is closed before the signature is waited for */
    struct buf algorithm;
    size_t signature_guess; /* octets */
    struct crl_size size;
    uint64_t room; /* octets left free for the outer header */
    enum err err;  /* of the sink */
};

/* ---- one pass: draft and port ---- */

static bool sink_both(struct span piece, void *arg)
{
    struct run *r = arg;

    r->err = file_draft_write(&r->der, piece, r->fault);
    if (r->err == OK)
        r->err = port_crl_data(r->job->port_fd, r->state.number, piece);
    if (r->err == OK && r->job->tick != NULL)
        r->job->tick(r->job->arg);
    return r->err == OK;
}

/* The DER lengths of ECDSA signatures vary by some octets: the longest. RSA's are exact. */
static size_t longest_signature(const struct key_kind *k)
{
    size_t octets = (k->bits + 7) / 8;

    return k->type == KEY_RSA ? octets : 2 * (octets + 3) + (octets > 60 ? 3 : 2);
}

static uint64_t body_len(const struct run *r, size_t signature_len)
{
    return r->size.tbs_len + r->algorithm.len + der_header_len(signature_len + 1) + signature_len + 1;
}

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

static enum err stream(struct run *r, struct view *v, const struct issuer *i, const struct crl_content *c)
{
    enum err e = crl_measure(v, i->no, c, &r->size);

    if (e != OK)
        return fault_set(r->fault, e, "%s: the store cannot be read", i->id);
    r->room = der_header_len(body_len(r, r->signature_guess));
    if (lseek(r->der.fd, (off_t)r->room, SEEK_SET) < 0)
        return fault_set(r->fault, ERR_IO, "%s: %s", r->der.temp, strerror(errno));
    e = port_clear(r->job->port_fd);
    if (e == OK)
        e = port_crl_begin(r->job->port_fd, r->state.number, i->id, r->size.tbs_len);
    if (e == OK)
        e = crl_stream(v, i->no, c, &r->size, sink_both, r);
    if (r->err != OK)
        return r->err;
    return e == OK || e == ERR_END ? e : fault_set(r->fault, e, "%s: the store cannot be read", i->id);
}

static enum err content_of(struct run *r, struct view *v, const struct issuer *i, struct crl_content *out)
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
    buf_put_span(&r->algorithm, sig_alg_der(sig_alg_for(&kind)));
    r->signature_guess = longest_signature(&kind);
    *out = (struct crl_content){.issuer_name = parts.subject,
                                .algorithm = buf_span(&r->algorithm),
                                .ski = parts.ski,
                                .number = r->state.number,
                                .this_update_s = r->state.this_update_s,
                                .next_update_s = r->state.next_update_s,
                                .previous_s = previous.number > 0 ? previous.this_update_s : NO_TIME};
    return OK;
}

static enum err stream_view(struct run *r)
{
    struct crl_content content;
    struct issuer issuer;
    struct view *v = NULL;
    enum err e = view_open(r->job->store, &v);

    if (e != OK)
        return fault_set(r->fault, e, "the store cannot be read");
    e = issuer_find(v, r->job->issuer->id, &issuer);
    if (e != OK)
        e = fault_set(r->fault, e, "%s: is not in the store", r->job->issuer->id);
    if (e == OK)
        e = content_of(r, v, &issuer, &content);
    if (e == OK)
        e = stream(r, v, &issuer, &content);
    view_close(v);
    return e;
}

static enum err signature_wait(struct run *r, struct port_answer *a)
{
    enum err e = port_crl_end(r->job->port_fd, a);

    if (e != OK)
        return e;
    if (a->err != OK)
        return fault_set(r->fault, ERR_INTERNAL, "%s: the signer refused: %s", r->job->issuer->id, a->reason);
    if (a->signature_len == 0 || a->signature_len > r->signature_guess)
        return fault_set(r->fault, ERR_INTERNAL, "%s: the signer gave no signature of its key",
                         r->job->issuer->id);
    return OK;
}

/* ---- the file around the list ---- */

/* Moves the list from `from` down to `to` (below it), front first. */
static bool move_down(int fd, uint64_t from, uint64_t to, uint64_t len)
{
    uint8_t *copy = xmalloc(COPY_LEN);
    bool is_done = true;

    while (is_done && len > 0) {
        size_t want = len < COPY_LEN ? (size_t)len : COPY_LEN;
        ssize_t n = pread(fd, copy, want, (off_t)from);

        is_done = n > 0 && pwrite(fd, copy, (size_t)n, (off_t)to) == n;
        if (is_done) {
            from += (uint64_t)n;
            to += (uint64_t)n;
            len -= (uint64_t)n;
        }
    }
    free(copy);
    return is_done;
}

/* The list was written `room` octets into the draft; a header that turned out shorter needs it one octet
 * further down. */
static bool put_header(struct run *r, uint64_t body)
{
    struct buf b;
    bool is_done = true;

    buf_init(&b, 16);
    der_put_header(&b, DER_SEQUENCE, body);
    assert(b.len <= r->room);
    if (b.len < r->room)
        is_done = move_down(r->der.fd, r->room, b.len, r->size.tbs_len);
    is_done = is_done && pwrite(r->der.fd, b.data, b.len, 0) == (ssize_t)b.len &&
              ftruncate(r->der.fd, (off_t)(b.len + r->size.tbs_len)) == 0 &&
              lseek(r->der.fd, 0, SEEK_END) >= 0;
    buf_free(&b);
    return is_done;
}

static enum err put_trailer(struct run *r, struct span signature)
{
    struct buf b;
    enum err e;

    buf_init(&b, SIGNATURE_MAX + 64);
    buf_put_span(&b, buf_span(&r->algorithm));
    der_put_bits(&b, signature);
    e = file_draft_write(&r->der, buf_span(&b), r->fault);
    buf_free(&b);
    return e;
}

static bool sink_pem(struct span piece, void *arg)
{
    struct run *r = arg;

    return file_draft_write(&r->pem, piece, r->fault) == OK;
}

static enum err finish_files(struct run *r, const struct port_answer *a)
{
    struct span signature = span_of(a->signature, a->signature_len);
    enum err e;

    if (!put_header(r, body_len(r, signature.len)))
        return fault_set(r->fault, ERR_IO, "%s: %s", r->der.temp, strerror(errno));
    e = put_trailer(r, signature);
    if (e == OK)
        e = crl_armour(r->der.fd, sink_pem, r, r->state.sha256, &r->state.size);
    if (e != OK)
        return fault_set(r->fault, ERR_IO, "%s: cannot be finished", r->der.temp);
    r->state.count = r->size.count;
    return OK;
}

/* Both are on the disk before the first takes its place: a full disk leaves the old pair. */
static enum err put_in_force(struct run *r)
{
    enum err e;

    if (fsync(r->der.fd) != 0 || fsync(r->pem.fd) != 0)
        return fault_set(r->fault, ERR_IO, "%s: fsync: %s", r->paths.der, strerror(errno));
    e = file_draft_commit(&r->der, r->fault);
    return e == OK ? file_draft_commit(&r->pem, r->fault) : e;
}

/* ---- the publication ---- */

static enum err produce(struct run *r)
{
    struct port_answer a;
    enum err e = file_draft_open(&r->der, r->paths.der, 0644, r->fault);

    if (e == OK)
        e = file_draft_open(&r->pem, r->paths.pem, 0644, r->fault);
    if (e == OK)
        e = r->job->reserve(r->job->arg, r->job->issuer->id, &r->state.number);
    if (e == OK)
        e = stream_view(r);
    if (e == OK)
        e = signature_wait(r, &a);
    if (e == OK)
        e = finish_files(r, &a);
    return e == OK ? put_in_force(r) : e;
}

enum err crl_publish(const struct crl_job *job, struct crl_state *out, struct fault *f)
{
    struct fault own = {0};
    struct run r = {.job = job, .fault = f != NULL ? f : &own, .der.fd = -1, .pem.fd = -1};
    enum err e;

    r.state.this_update_s = job->now_s;
    r.state.next_update_s = job->now_s + job->issuer->every_s + job->issuer->overlap_s;
    buf_init(&r.algorithm, 64);
    e = crl_paths_of(job->public_dir, job->issuer->id, &r.paths, r.fault);
    if (e == OK)
        e = produce(&r);
    file_draft_abort(&r.der);
    file_draft_abort(&r.pem);
    buf_free(&r.algorithm);
    if (e == OK)
        e = job->record(job->arg, job->issuer->id, &r.state, job->cause);
    *out = r.state;
    if (e != OK)
        (void)fault_set(r.fault, e, "%s: %s", job->issuer->id,
                        e == ERR_END ? "a role is gone" : "was not recorded");
    return e;
}
