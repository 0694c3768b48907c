/* SPDX-License-Identifier: Apache-2.0 */
/* pulse: does the ca sign with every key? One question for all who want to know, and its answer for a second.
 */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

#define KEPT_MS 1000 /* who watches asks every few seconds: what he is told is as good as new */

struct waiter {
    pulse_done *done;
    void *arg;
};

struct pulse {
    struct asker *asker;
    int64_t (*now_ms)(void);
    const char *fault; /* what was heard last; NULL: all is well */
    int64_t heard_ms;
    bool has_heard, is_asking;
    struct waiter *waiters;
    size_t count, cap;
};

struct pulse *pulse_new(struct asker *a, int64_t (*now_ms)(void))
{
    struct pulse *p = xcalloc(1, sizeof *p);

    p->asker = a;
    p->now_ms = now_ms;
    return p;
}

void pulse_free(struct pulse *p)
{
    if (p == NULL)
        return;
    free(p->waiters);
    free(p);
}

static void await(struct pulse *p, pulse_done *done, void *arg)
{
    if (p->count == p->cap)
        p->waiters = xgrow(p->waiters, &p->cap, sizeof *p->waiters);
    p->waiters[p->count++] = (struct waiter){done, arg};
}

static void on_answer(struct answer *a, void *arg)
{
    struct pulse *p = arg;
    struct waiter *all = p->waiters;
    size_t n = p->count;

    p->fault = a->err == OK ? NULL : a->is_late ? "does not answer" : "cannot sign or read the store";
    p->heard_ms = p->now_ms();
    p->has_heard = true;
    p->is_asking = false;
    p->waiters = NULL; /* whoever is told may ask again */
    p->count = p->cap = 0;
    for (size_t i = 0; i < n; i++)
        all[i].done(p->fault, all[i].arg);
    free(all);
}

void pulse_ask(struct pulse *p, pulse_done *done, void *arg)
{
    if (!p->is_asking && p->has_heard && p->now_ms() - p->heard_ms < KEPT_MS)
        return done(p->fault, arg);
    if (!p->is_asking && asker_send(p->asker, ASK_PROBE, span_of(NULL, 0), on_answer, p) != OK)
        return done("too many requests wait for it", arg);
    p->is_asking = true;
    await(p, done, arg);
}
