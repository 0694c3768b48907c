/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: timers, turns, watches, signals and streams over libuv. Each of our structs begins with its libuv
 * handle, so that one close callback frees any of them; libuv calls it from the loop, or from loop_free().
 */
#include "base/loop.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/stream.h"

#define READ_PIECE                                                                                           \
    (64u *                                                                                                   \
     1024) /* octets of one read(2): also the most that a paused connection can have received too much */
#define BACKLOG 1024 /* connections that wait for accept(2); the kernel cuts it to net.core.somaxconn */

struct loop {
    uv_loop_t uv;
    char piece[READ_PIECE]; /* every read lands here and is consumed before the next */
    bool is_ending;
};

struct timer {
    uv_timer_t uv;
    int64_t repeat_ms;
    loop_fn *fn;
    void *arg;
};

struct turn {
    uv_idle_t uv;
    loop_fn *fn;
    void *arg;
};

struct watch {
    uv_poll_t uv;
    loop_fn *fn;
    void *arg;
};

struct signal_watch {
    uv_signal_t uv;
    loop_fn *fn;
    void *arg;
};

union socket_handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct stream {
    union socket_handle uv;
    uv_shutdown_t shutdown;
    const struct stream_events *events;
    void *arg;
};

struct listener {
    union socket_handle uv;
    listener_fn *fn;
    void *arg;
};

struct write_job {
    uv_write_t uv;
    char data[];
};

static void must(int rc, const char *what)
{
    if (rc != 0)
        die("%s: %s", what, uv_strerror(rc));
}

static void handle_free(uv_handle_t *h)
{
    free(h);
}

static void handle_close(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, handle_free);
}

struct loop *loop_new(void)
{
    struct loop *l = xmalloc(sizeof *l);

    signal(SIGPIPE, SIG_IGN); /* a client that is gone is an error of the write, not of the process */
    must(uv_loop_init(&l->uv), "event loop");
    l->uv.data = l;
    l->is_ending = false;
    return l;
}

void loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    l->is_ending = true;
    uv_walk(&l->uv, handle_close, NULL);
    while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
        ;
    must(uv_loop_close(&l->uv), "event loop");
    free(l);
}

/* ---- work ---- */

struct work {
    uv_work_t uv;
    loop_fn *work, *done;
    void *arg;
};

static void work_run(uv_work_t *uv)
{
    struct work *w = uv->data;

    w->work(w->arg);
}

static void work_done(uv_work_t *uv, int status)
{
    struct work *w = uv->data;
    const struct loop *l = uv->loop->data;

    (void)status; /* nothing here cancels */
    if (!l->is_ending)
        w->done(w->arg);
    free(w);
}

void loop_work(struct loop *l, loop_fn *work, loop_fn *done, void *arg)
{
    struct work *w = xcalloc(1, sizeof *w);

    *w = (struct work){.work = work, .done = done, .arg = arg};
    w->uv.data = w;
    must(uv_queue_work(&l->uv, &w->uv, work_run, work_done), "work");
}

static void nothing(void *arg)
{
    (void)arg;
}

void loop_threads(struct loop *l, unsigned count)
{
    char text[16];

    assert(count >= 1 && count <= 64);
    snprintf(text, sizeof text, "%u", count);
    setenv("UV_THREADPOOL_SIZE", text, 1); /* libuv's one way to be told */
    loop_work(l, nothing, nothing, NULL);  /* the first work starts them */
}

void loop_threads_end(void)
{
    uv_library_shutdown();
}

/* ---- timers ---- */

static void timer_fired(uv_timer_t *uv)
{
    struct timer *t = uv->data;

    t->fn(t->arg);
}

struct timer *timer_start(struct loop *l, int64_t after_ms, int64_t repeat_ms, loop_fn *fn, void *arg)
{
    struct timer *t = xcalloc(1, sizeof *t);

    t->repeat_ms = repeat_ms;
    t->fn = fn;
    t->arg = arg;
    must(uv_timer_init(&l->uv, &t->uv), "timer");
    t->uv.data = t;
    timer_arm(t, after_ms);
    return t;
}

void timer_arm(struct timer *t, int64_t after_ms)
{
    if (after_ms < 0)
        must(uv_timer_stop(&t->uv), "timer");
    else
        must(uv_timer_start(&t->uv, timer_fired, (uint64_t)after_ms, (uint64_t)t->repeat_ms), "timer");
}

void timer_stop(struct timer *t)
{
    if (t != NULL)
        handle_close((uv_handle_t *)&t->uv, NULL);
}

/* ---- turns ---- */

static void turn_came(uv_idle_t *uv)
{
    struct turn *t = uv->data;

    uv_idle_stop(uv);
    t->fn(t->arg);
}

struct turn *turn_new(struct loop *l, loop_fn *fn, void *arg)
{
    struct turn *t = xcalloc(1, sizeof *t);

    t->fn = fn;
    t->arg = arg;
    must(uv_idle_init(&l->uv, &t->uv), "turn");
    t->uv.data = t;
    return t;
}

void turn_ask(struct turn *t)
{
    must(uv_idle_start(&t->uv, turn_came), "turn");
}

void turn_free(struct turn *t)
{
    if (t != NULL)
        handle_close((uv_handle_t *)&t->uv, NULL);
}

/* ---- watches and signals ---- */

static void watch_fired(uv_poll_t *uv, int status, int events)
{
    struct watch *w = uv->data;

    (void)status; /* an error is for the owner's next read to find */
    (void)events;
    w->fn(w->arg);
}

struct watch *watch_start(struct loop *l, int fd, loop_fn *fn, void *arg)
{
    struct watch *w = xcalloc(1, sizeof *w);
    int flags = fcntl(fd, F_GETFL);

    w->fn = fn;
    w->arg = arg;
    must(uv_poll_init(&l->uv, &w->uv, fd), "watch");
    /* libuv makes it non-blocking, but the wires between roles are written to by blocking sends. */
    if (flags >= 0 && (flags & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, flags) < 0)
        die("watch: cannot restore the descriptor's flags");
    w->uv.data = w;
    must(uv_poll_start(&w->uv, UV_READABLE, watch_fired), "watch");
    return w;
}

void watch_stop(struct watch *w)
{
    if (w != NULL)
        handle_close((uv_handle_t *)&w->uv, NULL);
}

static void signal_fired(uv_signal_t *uv, int signo)
{
    struct signal_watch *s = uv->data;

    (void)signo;
    s->fn(s->arg);
}

void loop_on_signal(struct loop *l, int signo, loop_fn *fn, void *arg)
{
    struct signal_watch *s = xcalloc(1, sizeof *s);

    s->fn = fn;
    s->arg = arg;
    must(uv_signal_init(&l->uv, &s->uv), "signal");
    s->uv.data = s;
    must(uv_signal_start(&s->uv, signal_fired, signo), "signal");
}

/* ---- listeners ---- */

static void socket_init(struct loop *l, union socket_handle *h, bool is_unix)
{
    if (is_unix)
        must(uv_pipe_init(&l->uv, &h->pipe, 0), "socket");
    else
        must(uv_tcp_init(&l->uv, &h->tcp), "socket");
}

static void listener_fired(uv_stream_t *uv, int status)
{
    struct listener *k = uv->data;
    struct stream *s;

    if (status != 0)
        return; /* the client was gone before we took it, or descriptors ran out and libuv shed it */
    s = xcalloc(1, sizeof *s);
    socket_init(uv->loop->data, &s->uv, uv->type == UV_NAMED_PIPE);
    s->uv.any.data = s;
    if (uv_accept(uv, &s->uv.stream) != 0) {
        stream_close(s);
        return;
    }
    if (uv->type == UV_TCP)
        uv_tcp_nodelay(&s->uv.tcp,
                       1); /* an answer of two segments must not wait 40 ms for the client's ACK */
    k->fn(k->arg, s);
}

struct listener *listener_start(struct loop *l, int fd, listener_fn *fn, void *arg)
{
    struct listener *k = xcalloc(1, sizeof *k);
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        die("listener: descriptor %d is no socket", fd);
    k->fn = fn;
    k->arg = arg;
    socket_init(l, &k->uv, a.ss_family == AF_UNIX);
    k->uv.any.data = k;
    if (a.ss_family == AF_UNIX)
        must(uv_pipe_open(&k->uv.pipe, fd), "listener");
    else
        must(uv_tcp_open(&k->uv.tcp, fd), "listener");
    must(uv_listen(&k->uv.stream, BACKLOG, listener_fired), "listener");
    return k;
}

void listener_stop(struct listener *k)
{
    if (k != NULL)
        handle_close(&k->uv.any, NULL);
}

/* ---- streams ---- */

void stream_open(struct stream *s, const struct stream_events *e, void *arg)
{
    s->events = e;
    s->arg = arg;
}

static void read_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct loop *l = h->loop->data;

    (void)suggested;
    *out = uv_buf_init(l->piece, sizeof l->piece);
}

static void read_done(uv_stream_t *uv, ssize_t n, const uv_buf_t *b)
{
    struct stream *s = uv->data;

    if (n > 0)
        s->events->input(s->arg, span_of(b->base, (size_t)n));
    else if (n < 0)
        s->events->end(s->arg, n != UV_EOF);
}

void stream_resume(struct stream *s)
{
    uv_read_start(&s->uv.stream, read_buffer, read_done);
}

void stream_pause(struct stream *s)
{
    uv_read_stop(&s->uv.stream);
}

static void write_done(uv_write_t *uv, int status)
{
    struct stream *s = uv->handle->data;

    free(uv);
    if (uv_is_closing(&s->uv.any))
        return;
    if (status != 0)
        s->events->end(s->arg, true);
    else if (stream_unsent(s) == 0)
        s->events->drained(s->arg);
}

void stream_write(struct stream *s, struct span octets)
{
    uv_buf_t now = uv_buf_init((char *)octets.data, (unsigned)octets.len);
    struct write_job *job;
    uv_buf_t later;
    int n;

    if (octets.len == 0)
        return;
    n = uv_try_write(&s->uv.stream, &now, 1);
    if (n == (int)octets.len)
        return;
    if (n < 0)
        n = 0; /* would block, or an error that the write below reports from the loop */
    later.len = octets.len - (size_t)n;
    job = xmalloc(sizeof *job + later.len);
    later.base = job->data;
    memcpy(later.base, octets.data + n, later.len);
    if (uv_write(&job->uv, &s->uv.stream, &later, 1, write_done) != 0)
        free(job); /* the connection is already broken, which reading reports */
}

size_t stream_send_file(struct stream *s, int fd, off_t *at, size_t len)
{
    ssize_t n;

    do
        n = sendfile(stream_fd(s), fd, at, len);
    while (n < 0 && errno == EINTR);
    return n > 0 ? (size_t)n : 0;
}

size_t stream_unsent(const struct stream *s)
{
    return uv_stream_get_write_queue_size(&s->uv.stream);
}

static void shutdown_done(uv_shutdown_t *uv, int status)
{
    (void)uv;
    (void)status;
}

void stream_end(struct stream *s)
{
    uv_shutdown(&s->shutdown, &s->uv.stream,
                shutdown_done); /* fails only on a connection that is broken anyway */
}

void stream_close(struct stream *s)
{
    handle_close(&s->uv.any, NULL);
}

int stream_fd(const struct stream *s)
{
    uv_os_fd_t fd = -1;

    return uv_fileno(&s->uv.any, &fd) == 0 ? fd : -1;
}
