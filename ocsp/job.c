/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job: answers on their way through the signer, in a fixed table. A job's number at the port is its index
 * under a count, so an answer that nobody awaits is recognised. Two lines wait for the port: what will be
 * kept, and what one request alone needs. They take turns, a message each, and no more than a window is at
 * the signer, so that a flood in one line leaves the other half of the signer and delays it by a window at
 * most.
 */
#include <assert.h>
#include <string.h>

#include "base/port.h"
#include "ocsp/inner.h"

#define INDEX_BITS 16 /* of a job number; the rest counts jobs */

static_assert(OCSP_UNDER_WAY_MAX <= 1u << INDEX_BITS);

static void line_init(struct job_line *l)
{
    l->first = NULL;
    l->end = &l->first;
}

void jobs_open(struct jobs *j, int port_fd)
{
    j->port_fd = port_fd;
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        buf_init(&j->items[i].data, RESPONSE_MAX);
        j->idle[i] = (uint16_t)(OCSP_UNDER_WAY_MAX - 1 - i);
        j->waiters[i].next = j->idle_waiters;
        j->idle_waiters = &j->waiters[i];
    }
    j->idle_count = OCSP_UNDER_WAY_MAX;
    for (size_t i = 0; i < 2; i++)
        line_init(&j->unsent[i]);
}

void jobs_close(struct jobs *j)
{
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        assert(!j->items[i].is_awaited);
        buf_free(&j->items[i].data);
    }
}

struct job *job_take(struct jobs *j, enum need need, bool is_kept)
{
    struct job *job;
    uint16_t index;

    if (j->idle_count == 0 || (!is_kept && j->live_count == OCSP_LIVE_MAX))
        return NULL;
    index = j->idle[--j->idle_count];
    job = &j->items[index];
    job->is_awaited = true;
    job->is_kept = is_kept;
    job->need = need;
    job->ticks = job->overtaken_ticks = 0;
    job->sent = 0;
    job->is_hanging = false;
    job->number = ++j->count << INDEX_BITS | index;
    job->waiters = NULL;
    job->waiters_end = &job->waiters;
    j->live_count += !is_kept;
    buf_reset(&job->data);
    return job;
}

static void forget_kept(struct jobs *j, struct job *job)
{
    for (struct job **at = &j->kept[job->hash % JOB_BUCKETS]; *at != NULL; at = &(*at)->next_kept) {
        if (*at == job) {
            *at = job->next_kept;
            return;
        }
    }
}

void job_give_back(struct jobs *j, struct job *job)
{
    assert(job->waiters == NULL);
    if (job->is_kept)
        forget_kept(j, job);
    j->live_count -= !job->is_kept;
    j->hanging_count -= job->is_hanging;
    delegate_drop(job->delegate);
    job->delegate = NULL;
    job->is_awaited = false;
    j->idle[j->idle_count++] = (uint16_t)(job - j->items);
}

struct job *job_of_number(struct jobs *j, uint64_t number)
{
    size_t index = number & ((1u << INDEX_BITS) - 1);

    if (index >= OCSP_UNDER_WAY_MAX || !j->items[index].is_awaited || j->items[index].number != number)
        return NULL;
    return &j->items[index];
}

struct job *job_find(struct jobs *j, uint64_t hash, struct span certid, const struct verdict *v,
                     const struct delegate *d)
{
    for (struct job *job = j->kept[hash % JOB_BUCKETS]; job != NULL; job = job->next_kept)
        if (job->hash == hash && span_eq(span_of(job->certid, job->certid_len), certid) &&
            job->delegate == d && verdict_same(&job->verdict, v))
            return job;
    return NULL;
}

/* ---- who waits ---- */

bool job_wait(struct jobs *j, struct job *job, ocsp_done *done, void *arg)
{
    struct waiter *w = j->idle_waiters;

    if (w == NULL)
        return false;
    j->idle_waiters = w->next;
    *w = (struct waiter){.done = done, .arg = arg};
    *job->waiters_end = w;
    job->waiters_end = &w->next;
    return true;
}

bool job_next_waiter(struct jobs *j, struct job *job, struct waiter *out)
{
    struct waiter *w = job->waiters;

    if (w == NULL)
        return false;
    *out = *w;
    job->waiters = w->next;
    if (job->waiters == NULL)
        job->waiters_end = &job->waiters;
    w->next = j->idle_waiters;
    j->idle_waiters = w;
    return true;
}

/* ---- the port ---- */

/* One loop asks no faster than two processes sign with P-256, so the half of what waits now in one message
 * leaves neither idle. */
static size_t message_share(const struct jobs *j)
{
    size_t half = (j->unsent_count + 1) / 2;

    return half < PORT_SEVERAL_MAX ? half : PORT_SEVERAL_MAX;
}

/* The first of a line that go into one message: at least one, and with RSA, which costs as much as fifty
 * messages, no more, so that each goes to whichever process is free. */
static size_t gather(const struct jobs *j, const struct job_line *l, size_t most, struct port_question *out)
{
    size_t n = 0;

    if (l->first->delegate->alg != SIG_ECDSA_SHA256)
        most = 1;
    for (const struct job *job = l->first; job != NULL && n < most && j->sent_count + n < PORT_WINDOW;
         job = job->next_unsent)
        out[n++] =
            (struct port_question){.number = job->number, .key_id = job->key_id, .tbs = buf_span(&job->data)};
    return n;
}

static void line_drop(struct jobs *j, struct job_line *l, size_t n)
{
    j->sent_count += n;
    j->unsent_count -= n;
    while (n-- > 0) {
        l->first->sent = ++j->sends;
        l->first = l->first->next_unsent;
    }
    if (l->first == NULL)
        l->end = &l->first;
}

/* The line whose turn it is; the other one when that is empty. */
static struct job_line *line_next(struct jobs *j)
{
    if (j->unsent[j->turn].first == NULL)
        j->turn = !j->turn;
    return &j->unsent[j->turn];
}

/* ERR_UNAVAILABLE: the port is full. */
static enum err send_message(struct jobs *j, struct job_line *l, size_t most)
{
    struct port_question questions[PORT_SEVERAL_MAX];
    size_t n = gather(j, l, most, questions), sent;
    enum err e = port_ask_several(j->port_fd, PORT_OCSP, questions, n, &sent);

    if (e == OK)
        line_drop(j, l, sent);
    return e;
}

/* OK also when the port is full: the rest waits for an answer, and what fills a port are jobs, so one comes.
 */
enum err jobs_send(struct jobs *j)
{
    size_t most = message_share(j);
    enum err e = OK;

    while (e == OK && j->unsent_count > 0 && j->sent_count < PORT_WINDOW) {
        e = send_message(j, line_next(j), most);
        if (e == OK)
            j->turn = !j->turn;
    }
    return e == ERR_UNAVAILABLE ? OK : e;
}

void job_queue(struct jobs *j, struct job *job)
{
    struct job_line *l = &j->unsent[job->is_kept];

    if (job->is_kept) {
        job->next_kept = j->kept[job->hash % JOB_BUCKETS];
        j->kept[job->hash % JOB_BUCKETS] = job;
    }
    job->next_unsent = NULL;
    *l->end = job;
    l->end = &job->next_unsent;
    j->unsent_count++;
}

void jobs_answered(struct jobs *j, const struct job *job)
{
    assert(j->sent_count > 0 && job->sent > 0);
    j->sent_count--;
    j->silent_ticks = 0;
    if (j->newest < job->sent)
        j->newest = job->sent;
}

/* What is signed before it is asked for had no waiters to lose. */
static bool is_abandoned(const struct job *job)
{
    return job->waiters == NULL && job->ticks >= OCSP_WAIT_TICKS && job->need != NEED_AGED &&
           job->need != NEED_WARM;
}

static void line_prune(struct jobs *j, struct job_line *l)
{
    struct job **at = &l->first;

    while (*at != NULL) {
        struct job *job = *at;

        if (!is_abandoned(job)) {
            at = &job->next_unsent;
            continue;
        }
        *at = job->next_unsent;
        j->unsent_count--;
        job_give_back(j, job);
    }
    l->end = at;
}

/* How slow a signer may be is not known here; but a signing process that is there answers what it took before
 * the others have gone on for so long. */
static void look_for_hanging(struct jobs *j)
{
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        struct job *job = &j->items[i];

        if (!job->is_awaited || job->is_hanging || job->sent == 0 || job->sent >= j->newest)
            continue;
        job->is_hanging = ++job->overtaken_ticks >= OCSP_WAIT_TICKS;
        j->hanging_count += job->is_hanging;
    }
}

bool jobs_tick(struct jobs *j)
{
    for (size_t i = 0; i < 2; i++)
        line_prune(j, &j->unsent[i]);
    look_for_hanging(j);
    j->silent_ticks = j->sent_count > j->hanging_count ? j->silent_ticks + 1 : 0;
    return j->silent_ticks >= OCSP_WAIT_TICKS;
}
