/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: questions to the signer that are waited for: probes, seals, OCSP signers' certificates. A signing
 * process that is there and does nothing keeps one of them; it must not keep the ca from everything else, so
 * the wait has an end. Answers are told from those to flights by their numbers, and what was given up is
 * counted until it comes.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define BATCH_BIT ((uint64_t)1 << 63) /* numbers that no flight has */

struct batch {
    enum port_kind kind;
    struct batch_job *jobs;
    size_t count, sent, answered;
    uint64_t first; /* the first one's number */
};

bool batch_answered(struct ca *ca, const struct port_answer *answer)
{
    struct batches *all = &ca->batches;
    uint64_t n = answer->number & ~BATCH_BIT;
    struct batch *b = all->now;

    if (n == answer->number)
        return false;
    if (b != NULL && n >= b->first && n < b->first + b->sent && b->jobs[n - b->first].answer.number == 0) {
        b->jobs[n - b->first].answer = *answer;
        b->answered++;
    } else if (all->late > 0) {
        all->late--;
    } else {
        die("the signer answers what was not asked");
    }
    return true;
}

/* As many as there is room for. */
static enum err send_some(struct ca *ca, struct batch *b)
{
    while (b->sent < b->count) {
        const struct batch_job *job = &b->jobs[b->sent];
        enum err e =
            port_ask(ca->role->port_fd, b->kind, BATCH_BIT | (b->first + b->sent), job->key_id, job->tbs);

        if (e != OK)
            return e == ERR_UNAVAILABLE ? OK : e;
        b->sent++;
    }
    return OK;
}

static size_t came_back(const struct ca *ca)
{
    return ca->batches.now->answered + ca->flights.back_count;
}

/* OK: each has its answer. */
static enum err await(struct ca *ca, struct batch *b, int wait_ms)
{
    struct pollfd port = {.fd = ca->role->port_fd};
    int64_t end_ms = clock_monotonic_ms() + wait_ms;

    for (;;) {
        size_t before = came_back(ca);
        enum err e = send_some(ca, b);
        int64_t left_ms;

        if (e == OK)
            e = flights_receive(ca);
        if (e != OK || b->answered == b->count)
            return e;
        if (came_back(ca) > before)
            end_ms = clock_monotonic_ms() + wait_ms;
        left_ms = end_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return ERR_UNAVAILABLE;
        port.events = b->sent < b->count ? POLLIN | POLLOUT : POLLIN;
        if (poll(&port, 1, (int)left_ms) < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
    }
}

enum err batch_ask(struct ca *ca, enum port_kind kind, struct batch_job *jobs, size_t n, int wait_ms)
{
    struct batch b = {.kind = kind, .jobs = jobs, .count = n, .first = ca->batches.numbers + 1};
    enum err e;

    assert(n <= PORT_WINDOW && ca->batches.now == NULL);
    ca->batches.numbers += n;
    for (size_t i = 0; i < n; i++)
        jobs[i].answer.number = 0;
    ca->batches.now = &b;
    e = await(ca, &b, wait_ms);
    ca->batches.now = NULL;
    ca->batches.late += b.sent - b.answered;
    return e;
}
