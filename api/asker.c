/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker: the asking side of the ca's wire. It never blocks: what finds no room on the wire waits in a bounded
 * queue, which is moved on with every answer (a full wire means that the ca has questions, so answers will
 * come).
 */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"

#define TICK_MS 1000

struct waiting {
    uint64_t number; /* 0: free; else a multiple of ASKER_WAITING_MAX plus the slot */
    int64_t deadline_ms;
    asker_done *done;
    void *arg;
};

struct queued {
    struct queued *next;
    size_t len;
    uint8_t message[];
};

struct asker {
    int fd;
    int64_t timeout_ms;
    struct watch *watch;
    struct timer *tick;
    uint64_t turn;
    struct waiting slots[ASKER_WAITING_MAX];
    size_t free_slots[ASKER_WAITING_MAX], free_count;
    struct queued *first, *last;
    size_t queued_len;
    uint8_t buffer[WIRE_MSG_MAX];
};

/* Frees the slot before the caller hears of it: the caller may ask again at once. */
static void settle(struct asker *a, size_t slot, struct answer *answer)
{
    struct waiting w = a->slots[slot];

    a->slots[slot].number = 0;
    a->free_slots[a->free_count++] = slot;
    w.done(answer, w.arg);
}

static void flush(struct asker *a)
{
    while (a->first != NULL) {
        struct queued *q = a->first;
        enum err e = wire_try_send(a->fd, span_of(q->message, q->len));

        if (e == ERR_UNAVAILABLE)
            return;
        if (e != OK)
            die("the ca is gone");
        a->first = q->next;
        if (a->first == NULL)
            a->last = NULL;
        a->queued_len -= q->len;
        free(q);
    }
}

static void receive_one(struct asker *a, struct span message)
{
    struct rd r = rd_of(message);
    struct answer answer = {0};
    struct span text;
    uint64_t number;
    uint8_t code;
    size_t slot;

    (void)rd_u8(&r);
    number = rd_u64(&r);
    code = rd_u8(&r);
    text = rd_blob(&r);
    if (r.failed || code >= ERR_COUNT)
        die("broken frame from the ca, %zu octets", message.len);
    slot = number % ASKER_WAITING_MAX;
    if (number == 0 || a->slots[slot].number != number) {
        log_warn("late-answer", "number=%llu: nobody waits any more", (unsigned long long)number);
        return;
    }
    answer.err = (enum err)code;
    text.len = text.len < sizeof answer.detail ? text.len : sizeof answer.detail - 1;
    if (!span_to_str(text, answer.detail, sizeof answer.detail))
        answer.detail[0] = '\0';
    answer.rest = r;
    settle(a, slot, &answer);
}

static void on_readable(void *arg)
{
    struct asker *a = arg;
    struct span message;
    enum err e;

    while ((e = wire_try_receive(a->fd, a->buffer, sizeof a->buffer, &message)) == OK) {
        receive_one(a, message);
        flush(a);
    }
    if (e != ERR_UNAVAILABLE)
        die("the ca is gone");
}

static void on_tick(void *arg)
{
    struct asker *a = arg;
    int64_t now_ms = clock_monotonic_ms();
    struct answer late = {.err = ERR_UNAVAILABLE, .is_late = true};

    flush(a);
    for (size_t i = 0; i < ASKER_WAITING_MAX; i++)
        if (a->slots[i].number != 0 && a->slots[i].deadline_ms <= now_ms)
            settle(a, i, &late);
}

struct asker *asker_new(struct loop *l, int fd, int64_t timeout_ms)
{
    struct asker *a = xcalloc(1, sizeof *a);

    a->fd = fd;
    a->timeout_ms = timeout_ms;
    for (size_t i = ASKER_WAITING_MAX; i > 0; i--)
        a->free_slots[a->free_count++] = i - 1;
    a->watch = watch_start(l, fd, on_readable, a);
    a->tick = timer_start(l, TICK_MS < timeout_ms ? TICK_MS : timeout_ms, TICK_MS, on_tick, a);
    return a;
}

void asker_free(struct asker *a)
{
    if (a == NULL)
        return;
    watch_stop(a->watch);
    timer_stop(a->tick);
    while (a->first != NULL) {
        struct queued *next = a->first->next;

        free(a->first);
        a->first = next;
    }
    free(a);
}

static enum err queue(struct asker *a, struct span message)
{
    struct queued *q;

    if (a->queued_len + message.len > ASKER_QUEUE_MAX)
        return ERR_UNAVAILABLE;
    q = xmalloc(sizeof *q + message.len);
    q->next = NULL;
    q->len = message.len;
    memcpy(q->message, message.data, message.len);
    if (a->last != NULL)
        a->last->next = q;
    else
        a->first = q;
    a->last = q;
    a->queued_len += message.len;
    return OK;
}

/* In order: nothing overtakes what waits. */
static enum err send_or_queue(struct asker *a, struct span message)
{
    enum err e = ERR_UNAVAILABLE;

    flush(a);
    if (a->first == NULL)
        e = wire_try_send(a->fd, message);
    if (e == ERR_UNAVAILABLE)
        e = queue(a, message);
    if (e == ERR_END)
        die("the ca is gone");
    return e;
}

enum err asker_send(struct asker *a, enum ask_kind kind, struct span body, asker_done *done, void *arg)
{
    struct buf message;
    uint64_t number;
    size_t slot;
    enum err e;

    if (a->free_count == 0)
        return ERR_UNAVAILABLE;
    slot = a->free_slots[a->free_count - 1];
    number = ++a->turn * ASKER_WAITING_MAX + slot;
    buf_init(&message, WIRE_MSG_MAX);
    buf_put_u8(&message, (uint8_t)kind);
    buf_put_u64(&message, number);
    buf_put_span(&message, body);
    e = buf_end(&message);
    if (e == OK)
        e = send_or_queue(a, buf_span(&message));
    buf_free(&message);
    if (e != OK)
        return e;
    a->free_count--;
    a->slots[slot] = (struct waiting){number, clock_monotonic_ms() + a->timeout_ms, done, arg};
    return OK;
}

static void on_heard(struct answer *a, void *arg)
{
    (void)a, (void)arg;
}

void asker_tell(struct asker *a, enum ask_kind kind, struct span body)
{
    (void)!asker_send(a, kind, body, on_heard, NULL);
}

size_t asker_waiting(const struct asker *a)
{
    return ASKER_WAITING_MAX - a->free_count;
}

void answer_findings(struct answer *a, struct findings *out)
{
    if (!a->is_late && !findings_read(&a->rest, out))
        die("broken findings from the ca");
}
