/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_conn: one connection: octets of its channel to the intake; one request at a time; its answer out; a
 * deadline for whatever is awaited. conn_run() is the one place where a connection moves on,
 * conn_settle() the one where it decides what to wait for.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http_inner.h"
#include "base/log.h"

#define FRESH_MS 1000 /* in which a client that means it sends its request */

enum phase {
    READING,   /* a request arrives or is awaited */
    ASKED,     /* the handler has it */
    SENDING,   /* its answer is under way */
    LINGERING, /* our side is closed, the client may still be sending */
};

/* A deadline each. */
enum waiting { NOTHING, FOR_FIRST, FOR_HEADER, FOR_BODY, FOR_NEXT, FOR_WRITE, FOR_CLOSE };

struct conn {
    struct http_server *server;
    struct conn *prev, *next, *next_ready;
    struct channel channel;
    struct timer *timer;
    struct http_peer peer;
    struct intake *intake;
    struct http_request *request; /* ASKED */
    struct reply reply;           /* SENDING */
    struct buf in;                /* plain octets, from `in_at` on not yet taken */
    size_t in_at;
    int64_t since_ms; /* connected, or answered last */
    size_t lingered;
    enum phase phase;
    enum waiting waiting;
    bool is_first;   /* nothing has been answered yet */
    bool has_ended;  /* the client sends no more */
    bool is_running; /* conn_run is on the stack */
    bool is_ready;   /* in the server's list */
    bool is_closed;
};

static const struct stream_events events;

/* ---- life ---- */

static void timed_out(void *arg);
static void conn_run(struct conn *c);

void conn_open(struct http_server *s, struct stream *stream, const struct http_peer *peer,
               struct tls_server *tls)
{
    struct conn *c = xcalloc(1, sizeof *c);

    c->server = s;
    channel_init(&c->channel, stream, tls);
    c->peer = *peer;
    c->intake = intake_new(&s->limits, &s->handlers, &c->peer);
    c->reply.fd = -1;
    c->is_first = true;
    c->waiting = FOR_FIRST;
    c->since_ms = clock_monotonic_ms();
    c->timer = timer_start(s->loop, s->limits.header_ms, 0, timed_out, c);
    buf_init(&c->in, s->limits.header_max + INPUT_MAX + 2 * HTTP_PIECE); /* see conn_may_read */
    c->next = s->first;
    if (s->first != NULL)
        s->first->prev = c;
    s->first = c;
    s->count++;
    stream_open(stream, &events, c);
    stream_resume(stream);
}

static void conn_free_closed(struct conn *c)
{
    if (!c->is_closed || c->is_running || c->is_ready)
        return;
    free((void *)c->peer.groups);
    free(c);
}

void conn_close(struct conn *c)
{
    struct http_server *s = c->server;

    if (c->is_closed)
        return;
    c->is_closed = true;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (--s->count == 0 && s->is_draining)
        turn_ask(s->tick);
    if (c->request != NULL)
        c->request->conn = NULL; /* the handler still has it, and will reply to nobody */
    channel_close(&c->channel);
    timer_stop(c->timer);
    intake_free(c->intake);
    reply_free(&c->reply);
    buf_free(&c->in);
    conn_free_closed(c);
}

struct conn *conn_next(const struct conn *c)
{
    return c->next;
}

static bool has_input(const struct conn *c)
{
    return c->in_at < c->in.len;
}

/* No octet of a request is here. */
static bool is_idle(const struct conn *c)
{
    return c->phase == READING && intake_stage(c->intake) == INTAKE_EMPTY && !has_input(c);
}

void conn_drain(struct conn *c)
{
    if (is_idle(c))
        conn_close(c);
}

const struct http_peer *conn_peer(const struct conn *c)
{
    return &c->peer;
}

enum conn_worth conn_worth(const struct conn *c)
{
    if (c->is_running)
        return CONN_BUSY;
    if (c->phase == LINGERING)
        return CONN_SPARE;
    if (c->phase == READING)
        return clock_monotonic_ms() - c->since_ms < FRESH_MS ? CONN_FRESH : CONN_SPARE;
    return c->phase == SENDING && channel_unsent(&c->channel) > 0 ? CONN_STUCK : CONN_BUSY;
}

bool conn_is_draining(const struct conn *c)
{
    return c->server->is_draining;
}

/* ---- the loop's next round ---- */

static void conn_put_off(struct conn *c)
{
    struct http_server *s = c->server;

    if (c->is_ready)
        return;
    c->is_ready = true;
    c->next_ready = s->ready;
    s->ready = c;
    turn_ask(s->tick);
}

void conn_run_ready(struct http_server *s)
{
    struct conn *list = s->ready, *next;

    s->ready = NULL;
    for (struct conn *c = list; c != NULL; c = next) {
        next = c->next_ready;
        c->is_ready = false;
        if (c->is_closed)
            conn_free_closed(c);
        else
            conn_run(c);
    }
}

/* ---- output ---- */

/* Closes our side and lets the client read what it was sent: a close(2) with unread input would reset the
 * connection. */
static void conn_linger(struct conn *c)
{
    if (c->has_ended) {
        conn_close(c);
        return;
    }
    channel_end(&c->channel);
    buf_free(&c->in);
    c->in_at = 0;
    c->phase = LINGERING;
}

static void reply_done(struct conn *c)
{
    bool closes = c->reply.closes;

    reply_free(&c->reply);
    c->is_first = false;
    c->since_ms = clock_monotonic_ms();
    c->waiting = NOTHING;
    c->phase = READING;
    if (closes)
        conn_linger(c);
}

/* False when the connection cannot go on. */
static bool send_piece(struct conn *c)
{
    struct span piece;

    if (channel_put_file(&c->channel, &c->reply))
        return true;
    piece = reply_next(&c->reply);
    return piece.len > 0 && channel_put(&c->channel, piece);
}

/* One piece a round, and one answer a round: neither a large answer to a fast client nor a row of requests
 * that arrived together holds up the others. */
static bool send_step(struct conn *c)
{
    if (channel_unsent(&c->channel) > 0)
        return false;
    if (reply_is_over(&c->reply)) {
        reply_done(c);
        if (c->phase == READING && has_input(c))
            conn_put_off(c);
        return !c->is_ready;
    }
    if (!send_piece(c)) {
        conn_close(c);
        return false;
    }
    if (reply_is_over(&c->reply))
        return true;
    if (channel_unsent(&c->channel) == 0)
        conn_put_off(c);
    return false;
}

struct reply *conn_reply(struct conn *c, struct http_request *r)
{
    assert(c->phase == ASKED && c->request == r);
    c->request = NULL;
    c->phase = SENDING;
    return &c->reply;
}

void conn_answer(struct conn *c)
{
    if (!c->is_running) /* from outside: a handler that answers many must not be called for the next in
                           between */
        conn_put_off(c);
}

/* ---- input ---- */

static void conn_refuse(struct conn *c, unsigned status, const char *detail)
{
    reply_refuse(&c->reply, &c->server->handlers, status, detail, intake_is_head(c->intake));
    c->phase = SENDING;
}

static void conn_ask(struct conn *c)
{
    struct http_handlers *h = &c->server->handlers;

    c->request = intake_request(c->intake);
    c->request->conn = c;
    c->phase = ASKED;
    h->request(c->request, h->arg);
}

static bool read_step(struct conn *c)
{
    const char *detail = NULL;
    enum intake_step step;
    size_t used;

    if (!has_input(c))
        return false;
    step = intake_take(c->intake, span_of(c->in.data + c->in_at, c->in.len - c->in_at), &used);
    c->in_at += used;
    if (step == INTAKE_WHOLE)
        conn_ask(c);
    else if (step == INTAKE_REFUSED) {
        unsigned status = intake_refusal(c->intake, &detail);

        conn_refuse(c, status, detail);
    } else if (step == INTAKE_CONTINUE && !has_input(c))
        return channel_put(&c->channel, span_str("HTTP/1.1 100 Continue\r\n\r\n"));
    return true;
}

static bool conn_step(struct conn *c)
{
    if (c->phase == READING)
        return read_step(c);
    return c->phase == SENDING && send_step(c);
}

/* ---- what to wait for ---- */

static enum waiting conn_waits(const struct conn *c)
{
    if (c->phase == ASKED)
        return NOTHING;
    if (c->phase == SENDING)
        return FOR_WRITE;
    if (c->phase == LINGERING)
        return FOR_CLOSE;
    if (intake_stage(c->intake) == INTAKE_BODY)
        return FOR_BODY;
    if (c->is_first)
        return FOR_FIRST; /* the header block's deadline counts from the connection */
    return intake_stage(c->intake) == INTAKE_EMPTY ? FOR_NEXT : FOR_HEADER;
}

static void conn_set_deadline(struct conn *c)
{
    const struct http_limits *m = &c->server->limits;
    const int64_t after_ms[] = {-1,         m->header_ms, m->header_ms, m->body_ms,
                                m->idle_ms, m->write_ms,  LINGER_MS};
    enum waiting w = conn_waits(c);

    if (w == c->waiting)
        return; /* absolute: what arrives meanwhile moves nothing */
    c->waiting = w;
    (void)channel_taken(&c->channel);
    timer_arm(c->timer, after_ms[w]);
}

/* While a request is being answered, or waits for its turn, nothing more is read than what has been read
 * already, so that a client which pipelines and does not take its answers is held up by TCP. But an answer
 * that waits for the end of a message of TLS goes only when that has been read. INPUT_MAX may be here before
 * a read, which adds up to 64 KiB and what TLS had of a record: less than two pieces. */
static bool conn_may_read(const struct conn *c)
{
    if (c->has_ended || channel_unsent(&c->channel) > UNSENT_MAX)
        return false;
    if (c->phase == LINGERING)
        return c->lingered < LINGER_MAX;
    if (channel_is_held(&c->channel))
        return c->in.len - c->in_at <= INPUT_MAX;
    return (c->phase == READING && !c->is_ready) || !has_input(c);
}

static void input_compact(struct conn *c)
{
    if (c->in_at == 0)
        return;
    if (has_input(c))
        memmove(c->in.data, c->in.data + c->in_at, c->in.len - c->in_at);
    c->in.len -= c->in_at;
    c->in_at = 0;
    if (c->in.len == 0 && c->in.cap > INPUT_KEEP)
        buf_free(&c->in);
}

static void conn_settle(struct conn *c)
{
    bool waits = c->phase == READING && !c->is_ready;
    bool is_over = c->has_ended && (waits || c->phase == LINGERING);

    if (is_over || (c->server->is_draining && is_idle(c))) {
        conn_close(c);
        return;
    }
    input_compact(c);
    conn_set_deadline(c);
    if (conn_may_read(c))
        stream_resume(c->channel.stream);
    else
        stream_pause(c->channel.stream);
}

static void conn_run(struct conn *c)
{
    c->is_running = true;
    while (!c->is_closed && conn_step(c))
        ;
    if (!c->is_closed)
        conn_settle(c);
    c->is_running = false;
    conn_free_closed(c);
}

/* ---- events ---- */

/* False when the connection cannot go on. */
static bool input_take(struct conn *c, struct span octets)
{
    enum err e = channel_take(&c->channel, octets, &c->in);

    c->peer.certificate = buf_span(&c->channel.certificate);
    if (e == ERR_END)
        c->has_ended = true;
    return e != ERR_MALFORMED;
}

static void on_input(void *arg, struct span octets)
{
    struct conn *c = arg;

    if (c->phase == LINGERING) {
        c->lingered += octets.len;
    } else if (!input_take(c, octets)) {
        if (c->phase != READING) {
            conn_close(c);
            return;
        }
        conn_linger(c); /* for the alert to arrive */
    }
    assert(buf_end(&c->in) == OK);
    conn_run(c);
}

static void on_end(void *arg, bool is_failed)
{
    struct conn *c = arg;

    c->has_ended = true;
    if (is_failed)
        conn_close(c);
    else
        conn_run(c);
}

static void on_drained(void *arg)
{
    conn_run(arg);
}

static const struct stream_events events = {.input = on_input, .end = on_end, .drained = on_drained};

static void timed_out(void *arg)
{
    struct conn *c = arg;
    bool has_begun = intake_stage(c->intake) != INTAKE_EMPTY;

    if (c->phase == READING && has_begun) {
        conn_refuse(c, 408, "The request took too long to arrive.");
        conn_run(c);
    } else if (c->phase == SENDING && channel_taken(&c->channel) >= PROGRESS_MIN) {
        timer_arm(c->timer, c->server->limits.write_ms);
    } else {
        conn_close(c);
    }
}
