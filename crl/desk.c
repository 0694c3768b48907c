/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk: our end of the wire to the ca (base/desk.h). We ask it for numbers and to record; it asks us to
 * publish, at any time, also between our question and its answer. Framing that is broken ends the process.
 */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/wire.h"
#include "crl/inner.h"

#define DESK_MESSAGE_MAX 1024 /* octets: every desk message is an id, some numbers and a line of text */

static enum err desk_send(struct desk *d, struct buf *b)
{
    enum err e;

    assert(buf_end(b) == OK);
    e = wire_send(d->fd, buf_span(b));
    buf_free(b);
    return e == OK ? OK : ERR_END;
}

static void message_begin(struct buf *b, enum desk_kind kind, uint64_t number)
{
    buf_init(b, DESK_MESSAGE_MAX);
    buf_put_u8(b, (uint8_t)kind);
    buf_put_u64(b, number);
}

enum err desk_done(struct desk *d, uint64_t number, enum err result, uint64_t crl_number, const char *reason)
{
    struct buf b;

    message_begin(&b, DESK_DONE, number);
    buf_put_u8(&b, (uint8_t)result);
    buf_put_u64(&b, crl_number);
    buf_put_blob(&b, span_str(reason));
    return desk_send(d, &b);
}

static enum err take_request(struct desk *d, uint64_t number, struct rd *r)
{
    struct crl_request q = {.number = number};
    struct span id = rd_blob(r);

    q.cause = rd_u8(r);
    q.changes = rd_u64(r);
    if (!rd_done(r) || !span_to_str(id, q.id, sizeof q.id))
        die("a desk message that cannot be read");
    if (crl_issuer_find(d->config, q.id) == NULL)
        return desk_done(d, number, ERR_NOT_FOUND, 0, "no such issuer is configured");
    queue_push(&d->queue, &q);
    return OK;
}

/* Takes one message: a request is queued; an answer to what we asked is handed to `want`, NULL when we asked
 * nothing. */
struct wanted {
    enum desk_kind kind;
    uint64_t number;
    bool is_there;
    struct rd rest; /* borrows from the receive buffer */
};

static enum err desk_take(struct desk *d, struct span message, struct wanted *want)
{
    struct rd r = rd_of(message);
    enum desk_kind kind = rd_u8(&r);
    uint64_t number = rd_u64(&r);

    if (kind == DESK_PUBLISH)
        return take_request(d, number, &r);
    if (want == NULL || r.failed || kind != want->kind || number != want->number)
        die("a desk message of kind %u that nobody asked for", kind);
    want->is_there = true;
    want->rest = r;
    return OK;
}

/* Everything that waits, without waiting. */
bool desk_drain(void *arg)
{
    struct desk *d = arg;
    uint8_t octets[DESK_MESSAGE_MAX];
    struct span message;
    enum err e = OK;

    while (e == OK && !d->is_over) {
        e = wire_try_receive(d->fd, octets, sizeof octets, &message);
        if (e == ERR_UNAVAILABLE)
            return true;
        if (e == OK)
            e = desk_take(d, message, NULL);
    }
    d->is_over = true;
    return false;
}

/* Asks and waits; requests that come meanwhile are queued. The answer's err. */
static enum err desk_ask(struct desk *d, struct buf *question, struct wanted *want,
                         uint8_t octets[static DESK_MESSAGE_MAX])
{
    enum err e = desk_send(d, question);
    uint8_t code;

    while (e == OK && !want->is_there) {
        struct span message;

        e = wire_receive(d->fd, octets, DESK_MESSAGE_MAX, &message);
        if (e == OK)
            e = desk_take(d, message, want);
    }
    if (e != OK) {
        d->is_over = true;
        return ERR_END;
    }
    code = rd_u8(&want->rest);
    if (code >= ERR_COUNT)
        die("a desk message that cannot be read");
    return (enum err)code;
}

/* The view is opened after this: whatever has been asked for by now is in it. */
enum err desk_reserve(void *arg, const char *issuer_id, uint64_t *number)
{
    struct desk *d = arg;
    struct wanted want = {.kind = DESK_RESERVED, .number = ++d->next_number};
    uint8_t octets[DESK_MESSAGE_MAX];
    struct buf b;
    enum err e;

    *number = 0;
    message_begin(&b, DESK_RESERVE, want.number);
    buf_put_blob(&b, span_str(issuer_id));
    e = desk_ask(d, &b, &want, octets);
    if (d->is_over)
        return e;
    *number = rd_u64(&want.rest);
    if (!span_to_str(rd_blob(&want.rest), d->public_url, sizeof d->public_url) || !rd_done(&want.rest))
        die("a desk message that cannot be read");
    d->covered = d->queue.len;
    return e;
}

enum err desk_record(void *arg, const char *issuer_id, const struct crl_part *p, const char *cause)
{
    struct desk *d = arg;
    const struct crl_state *s = &p->state;
    struct wanted want = {.kind = DESK_RECORDED, .number = ++d->next_number};
    uint8_t octets[DESK_MESSAGE_MAX];
    struct buf b;

    message_begin(&b, DESK_RECORD, want.number);
    buf_put_blob(&b, span_str(issuer_id));
    buf_put_u16(&b, p->shard);
    buf_put_u8(&b, p->is_delta);
    buf_put_u64(&b, s->number);
    buf_put_i64(&b, s->this_update_s);
    buf_put_i64(&b, s->next_update_s);
    buf_put_u64(&b, s->size);
    buf_put_u64(&b, s->count);
    buf_put(&b, s->sha256, HASH_LEN);
    buf_put_u64(&b, p->changes);
    buf_put_i64(&b, p->shown_s);
    buf_put_blob(&b, span_str(cause));
    if (p->shard == SHARD_ALL && !p->is_delta)
        d->shown = p->changes;
    return desk_ask(d, &b, &want, octets);
}
