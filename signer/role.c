/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: the signer's processes. The first one serves every port; the others share the certificate or OCSP
 * port with it (one message is one record: whoever takes it has all of it). Any end of a port or a worker
 * ends them all.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "signer/inner.h"

#define WORKERS_MAX 256 /* beyond any machine's cores that one certificate authority keeps busy */
#define TURN_MAX 64     /* messages taken from one port before the others are looked at: a port's window */

enum place { PLACE_CERTIFICATE, PLACE_OCSP, PLACE_CRL, PLACE_COUNT };

/* What one process serves with. */
struct server {
    const struct signer_role *role;
    int fds[PLACE_COUNT];    /* -1: not served by this process */
    struct session *session; /* the CRL on its way, NULL: none */
    int64_t told_s;          /* when a refusal was last logged */
    struct buf out;
    uint8_t in[WIRE_MSG_MAX];
};

struct message {
    enum port_kind kind;
    uint64_t number;
    struct span key_id, body;
};

/* ---- answering ---- */

static void answer_write(struct buf *b, const struct port_answer *a)
{
    buf_put_u64(b, a->number);
    buf_put_u8(b, (uint8_t)a->err);
    buf_put_blob(b, span_of(a->signature, a->signature_len));
    buf_put_blob(b, span_str(a->reason));
}

static enum err answer_send(struct server *s, int fd, enum port_kind kind, const struct port_answer *a)
{
    buf_reset(&s->out);
    buf_put_u8(&s->out, (uint8_t)kind);
    answer_write(&s->out, a);
    assert(buf_end(&s->out) == OK);
    return wire_send(fd, buf_span(&s->out));
}

/* Several questions are refused as a whole, with one answer, whose kind must not say that it is several. */
#define NO_KIND ((enum port_kind)0)

static enum err answer_refuse(struct server *s, int fd, const struct message *m, enum err why,
                              const char *reason)
{
    struct port_answer a = {.number = m->number, .err = why};

    snprintf(a.reason, sizeof a.reason, "%s", reason);
    return answer_send(s, fd, m->kind == PORT_SEVERAL ? NO_KIND : m->kind, &a);
}

static int64_t role_now_s(const struct signer_role *r)
{
    return r->clock != NULL ? r->clock() : clock_now_s();
}

/* A refusal means that a peer is broken or captured: worth a line, but no more than one a second, so that it
 * cannot fill the log. */
static void refusal_tell(struct server *s, struct span key_id, const char *reason)
{
    int64_t now_s = role_now_s(s->role);

    if (now_s == s->told_s)
        return;
    s->told_s = now_s;
    log_warn("refused", "key %.*s: %s", (int)key_id.len, (const char *)key_id.data, reason);
}

/* ---- the messages of one port ---- */

/* CA keys and OCSP keys may have the same ids: the port tells them apart. */
static const struct signer_key *key_find(const struct signer_role *r, struct span id, enum place place)
{
    for (size_t i = 0; i < r->key_count; i++) {
        const struct purpose *p = key_purpose(r->keys[i]);

        if (p->is_ocsp == (place == PLACE_OCSP) && span_eq(span_str(p->id), id))
            return r->keys[i];
    }
    return NULL;
}

static void sign(struct server *s, enum place place, const struct message *m, struct port_answer *a)
{
    const struct signer_key *k = key_find(s->role, m->key_id, place);
    struct fault f = {0};

    a->number = m->number;
    a->signature_len = 0;
    if (k == NULL)
        a->err = fault_set(&f, ERR_NOT_FOUND, "port.key: no such key");
    else
        a->err = signer_sign(k, m->kind, m->body, role_now_s(s->role), a->signature, &a->signature_len, &f);
    a->reason[0] = '\0';
    if (a->err == OK)
        return;
    snprintf(a->reason, sizeof a->reason, "%.*s", (int)sizeof a->reason - 1, f.detail);
    if (k != NULL)
        refusal_tell(s, m->key_id, f.detail);
}

static enum err serve_signature(struct server *s, enum place place, const struct message *m)
{
    struct port_answer a;

    sign(s, place, m, &a);
    return answer_send(s, s->fds[place], m->kind, &a);
}

static enum err session_close(struct server *s, int fd)
{
    struct port_answer a;

    session_answer(s->session, &a);
    session_free(s->session);
    s->session = NULL;
    if (a.err != OK)
        refusal_tell(s, span_str("of a CRL"), a.reason);
    return answer_send(s, fd, PORT_CRL_BEGIN, &a);
}

/* A BEGIN in the middle of a list: its asker gave up on the old one. */
static enum err serve_begin(struct server *s, enum place place, const struct message *m)
{
    struct rd r = rd_of(m->body);
    uint64_t total = rd_u64(&r);

    if (!rd_done(&r))
        return answer_refuse(s, s->fds[place], m, ERR_MALFORMED, "port.begin: not a length");
    session_free(s->session);
    s->session = session_new(key_find(s->role, m->key_id, place), m->number, total, role_now_s(s->role));
    return session_is_whole(s->session) ? session_close(s, s->fds[place]) : OK;
}

static enum err serve_data(struct server *s, enum place place, const struct message *m)
{
    if (s->session == NULL)
        return answer_refuse(s, s->fds[place], m, ERR_MALFORMED, "port.data: nothing was begun");
    return session_add(s->session, m->body) ? session_close(s, s->fds[place]) : OK;
}

typedef enum err serve_fn(struct server *s, enum place place, const struct message *m);
static const struct {
    enum place place;
    enum port_kind kind;
    serve_fn *serve;
} permitted[] = {
    {PLACE_CERTIFICATE, PORT_CERTIFICATE, serve_signature},
    {PLACE_CERTIFICATE, PORT_PROBE, serve_signature},
    {PLACE_CERTIFICATE, PORT_SEAL, serve_signature},
    {PLACE_OCSP, PORT_OCSP, serve_signature},
    {PLACE_OCSP, PORT_PROBE, serve_signature},
    {PLACE_CRL, PORT_CRL_BEGIN, serve_begin},
    {PLACE_CRL, PORT_CRL_DATA, serve_data},
    {PLACE_CRL, PORT_PROBE, serve_signature},
};

static serve_fn *serve_of(enum place place, enum port_kind kind)
{
    for (size_t i = 0; i < sizeof permitted / sizeof *permitted; i++)
        if (permitted[i].place == place && permitted[i].kind == kind)
            return permitted[i].serve;
    return NULL;
}

/* ---- several questions in a message ---- */

struct several {
    size_t count;
    struct message items[PORT_SEVERAL_MAX];
};

/* All of it is read before any of it is signed. */
static bool several_read(const struct message *m, struct several *out)
{
    struct rd r = rd_of(m->body);
    enum port_kind kind = rd_u8(&r);

    if (m->number == 0 || m->number > PORT_SEVERAL_MAX)
        return false;
    out->count = (size_t)m->number;
    for (size_t i = 0; i < out->count; i++) {
        out->items[i].kind = kind;
        out->items[i].number = rd_u64(&r);
        out->items[i].key_id = rd_blob(&r);
        out->items[i].body = rd_blob(&r);
    }
    return rd_done(&r);
}

/* Each question is held against the port and the key as if it had come alone. */
static enum err serve_several(struct server *s, enum place place, const struct message *m)
{
    struct port_answer a;
    struct several q;

    if (!several_read(m, &q))
        return answer_refuse(s, s->fds[place], m, ERR_MALFORMED, "port.several: not so many questions");
    if (serve_of(place, q.items[0].kind) != serve_signature)
        return answer_refuse(s, s->fds[place], m, ERR_POLICY, "port.kind: not through this port");
    buf_reset(&s->out);
    buf_put_u8(&s->out, PORT_SEVERAL);
    buf_put_u64(&s->out, q.count);
    for (size_t i = 0; i < q.count; i++) {
        sign(s, place, &q.items[i], &a);
        answer_write(&s->out, &a);
    }
    assert(buf_end(&s->out) == OK);
    return wire_send(s->fds[place], buf_span(&s->out));
}

/* ---- messages ---- */

static enum err serve_message(struct server *s, enum place place, struct span octets)
{
    struct rd r = rd_of(octets);
    struct message m;
    serve_fn *serve;

    m.kind = rd_u8(&r);
    m.number = rd_u64(&r);
    m.body = r.rest;
    if (!r.failed && m.kind == PORT_SEVERAL)
        return serve_several(s, place, &m);
    m.key_id = rd_blob(&r);
    if (r.failed)
        return answer_refuse(s, s->fds[place], &m, ERR_MALFORMED, "port: a message that is too short");
    m.body = r.rest;
    serve = serve_of(place, m.kind);
    if (serve != NULL)
        return serve(s, place, &m);
    return answer_refuse(s, s->fds[place], &m, ERR_POLICY, "port.kind: not through this port");
}

/* Takes what waits on one port. ERR_END: it closed. */
static enum err serve_port(struct server *s, enum place place)
{
    for (int i = 0; i < TURN_MAX; i++) {
        struct span octets;
        enum err e = wire_try_receive(s->fds[place], s->in, sizeof s->in, &octets);

        if (e == ERR_UNAVAILABLE)
            return OK; /* another worker was faster, or all is done */
        if (e == OK)
            e = serve_message(s, place, octets);
        if (e != OK && e != ERR_MALFORMED)
            return e;
    }
    return OK;
}

/* ---- the processes ---- */

static size_t poll_ports(const struct server *s, struct pollfd *polls, enum place *places)
{
    size_t n = 0;

    for (enum place p = 0; p < PLACE_COUNT; p++) {
        if (s->fds[p] < 0)
            continue;
        polls[n] = (struct pollfd){.fd = s->fds[p], .events = POLLIN};
        places[n++] = p;
    }
    return n;
}

/* A worker that saw its port close before we did ended well. */
static enum err worker_verdict(int pidfd)
{
    siginfo_t info = {0};

    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT) != 0)
        return ERR_END;
    return info.si_code == CLD_EXITED && info.si_status == 0 ? OK : ERR_END;
}

/* Serves until a port closes (OK) or one of `ends` becomes readable: a worker ended (ERR_END). */
static enum err serve(struct server *s, const int *ends, size_t end_count)
{
    struct pollfd polls[PLACE_COUNT + WORKERS_MAX];
    enum place places[PLACE_COUNT];
    size_t n = poll_ports(s, polls, places);

    for (size_t i = 0; i < end_count; i++)
        polls[n + i] = (struct pollfd){.fd = ends[i], .events = POLLIN};
    for (;;) {
        if (poll(polls, (nfds_t)(n + end_count), -1) < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
        for (size_t i = 0; i < n; i++)
            if (polls[i].revents != 0 && serve_port(s, places[i]) != OK)
                return OK;
        for (size_t i = 0; i < end_count; i++)
            if (polls[n + i].revents != 0)
                return worker_verdict(ends[i]);
    }
}

static struct server *server_new(const struct signer_role *r, bool has_crl)
{
    struct server *s = xmalloc(sizeof *s);

    *s = (struct server){.role = r};
    s->fds[PLACE_CERTIFICATE] = r->certificate_fd;
    s->fds[PLACE_OCSP] = r->ocsp_fd;
    s->fds[PLACE_CRL] = has_crl ? r->crl_fd : -1;
    buf_init(&s->out, WIRE_MSG_MAX);
    return s;
}

static void server_free(struct server *s)
{
    session_free(s->session);
    buf_free(&s->out);
    free(s);
}

static enum err seal(const struct signer_role *r)
{
    return r->seal != NULL ? r->seal(r->seal_arg) : OK;
}

/* A worker serves the shared ports alone and ends with the first process, however that one ends. */
static void worker_main(const struct signer_role *r, pid_t first)
{
    struct server *s;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != first)
        _exit(1);
    if (r->crl_fd >= 0)
        close(r->crl_fd);
    s = server_new(r, false);
    if (seal(r) != OK)
        _exit(1);
    _exit(serve(s, NULL, 0) == OK ? 0 : 1);
}

static bool worker_start(const struct signer_role *r, pid_t *pid, int *end)
{
    pid_t first = getpid();

    *pid = fork();
    if (*pid == 0)
        worker_main(r, first);
    if (*pid < 0)
        return false;
    *end = pidfd_open(*pid, 0);
    return *end >= 0;
}

static void workers_end(const pid_t *pids, const int *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
        if (ends[i] >= 0)
            close(ends[i]);
    }
}

enum err signer_run(const struct signer_role *r)
{
    pid_t pids[WORKERS_MAX] = {0};
    int ends[WORKERS_MAX] = {0};
    size_t wanted = r->certificate_fd >= 0 || r->ocsp_fd >= 0 ? r->workers : 1, n = 0;
    struct server *s;
    enum err e = OK;

    assert(r->workers >= 1 && r->workers <= WORKERS_MAX);
    while (e == OK && n + 1 < wanted) {
        ends[n] = -1;
        if (!worker_start(r, &pids[n], &ends[n])) {
            log_error("worker", "cannot start: %s", strerror(errno));
            e = ERR_END;
        }
        n += pids[n] > 0;
    }
    s = server_new(r, true);
    if (e == OK)
        e = seal(r);
    if (e == OK)
        e = serve(s, ends, n);
    if (e != OK)
        log_error("worker", "a signing process ended");
    workers_end(pids, ends, n);
    server_free(s);
    return e;
}
