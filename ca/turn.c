/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turn: the loop of the only writer. One turn gathers what waits, decides, signs one batch, records in one
 * transaction and answers after the commit is durable. While a commit waits for the disk the next batch
 * grows, so group size follows load: no timer, no tunable, no mutex.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define TURN_ASKS_MAX                                                                                        \
    256u /* questions of one turn: 256 certificates of 2 KiB are half a megabyte of transaction */
#define TURN_NOTES_MAX 32u /* the crl asks one thing at a time for each of at most 16 issuers */
#define UPKEEP_MS 60000 /* reader check, responder renewal, pruning: nothing there is finer than a minute */
#define IDEMPOTENCY_S 86400 /* how long an Idempotency-Key is remembered: a day of retries */
#define TOKEN_KEPT_S                                                                                         \
    (90 * 86400)         /* an ended token: whose it was must be known for as long as its requests may wait */
#define PRUNE_MOST 1000u /* rows of one upkeep, so that it never holds up a turn for long */

struct turn {
    struct ask *asks[TURN_ASKS_MAX];
    size_t ask_count;
    struct desk_note notes[TURN_NOTES_MAX];
    size_t note_count;
    struct port_job jobs[TURN_ASKS_MAX];
    size_t job_count;
    int64_t now_s;
};

/* ---- gather ---- */

static bool gather_asks(struct ca *ca, struct turn *t)
{
    while (t->ask_count < TURN_ASKS_MAX) {
        uint8_t frame[WIRE_MSG_MAX], *copy;
        struct span s;
        enum err e = wire_try_receive(ca->role->api_fd, frame, sizeof frame, &s);

        if (e == ERR_UNAVAILABLE)
            return true;
        if (e == ERR_END)
            return false;
        if (e != OK)
            die("broken frame from the api");
        copy = xmalloc(s.len);
        memcpy(copy, s.data, s.len);
        t->asks[t->ask_count++] = ask_read(copy, s.len);
    }
    return true;
}

static void gather_notes(struct ca *ca, struct turn *t)
{
    while (t->note_count < TURN_NOTES_MAX) {
        uint8_t frame[1024];
        struct span s;
        enum err e = wire_try_receive(ca->role->desk_fd, frame, sizeof frame, &s);

        if (e == ERR_UNAVAILABLE)
            return;
        if (e == ERR_END)
            die("the crl role is gone");
        if (e != OK || !publish_read(s, &t->notes[t->note_count]))
            die("broken frame from the crl role");
        t->note_count++;
    }
}

/* ---- decide ---- */

static bool is_issue(const struct ask *a)
{
    return a->kind == ASK_ISSUE || a->kind == ASK_APPROVE || a->kind == ASK_LISTENER;
}

/* Two asks of one turn under the same Idempotency-Key: the later one is answered with what the first one
 * gets: a certificate, or a place among those that wait. A refused one has no answer to repeat: the later is
 * decided by itself. */
static struct ask *twin_of(const struct turn *t, size_t n)
{
    const struct ask *a = t->asks[n];

    if (a->kind != ASK_ISSUE || !a->is_idempotent || a->dry_run)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (t->asks[i]->kind == ASK_ISSUE && t->asks[i]->is_idempotent && !t->asks[i]->dry_run &&
            t->asks[i]->twin == NULL && (t->asks[i]->err == OK || t->asks[i]->err == ERR_PENDING) &&
            memcmp(t->asks[i]->idempotency, a->idempotency, HASH_LEN) == 0)
            return t->asks[i];
    return NULL;
}

static void decide(struct ca *ca, struct turn *t)
{
    struct view *v = NULL;

    if (view_open(ca->store, &v) != OK)
        die("the store cannot be read");
    for (size_t i = 0; i < t->ask_count; i++) {
        struct ask *a = t->asks[i];

        access_check(ca, v, a, t->now_s);
        if (a->err != OK)
            continue;
        a->twin = twin_of(t, i);
        if (a->kind == ASK_APPROVE)
            approval_decide(ca, v, a, t->now_s);
        else if (is_issue(a) && a->twin == NULL)
            decide_issue(ca, v, a, t->now_s);
        else if (a->kind == ASK_PUBLISH && issuing_by_id(ca, a->issuer_id) == NULL)
            a->err = ERR_NOT_FOUND;
        else if (a->kind == ASK_PUBLISH)
            (void)access_covers(a, scope_has_issuer(&a->who.scope, a->issuer_id), "this issuer");
    }
    view_close(v);
}

/* ---- sign ---- */

static void sign(struct ca *ca, struct turn *t)
{
    for (size_t i = 0; i < t->ask_count; i++) {
        struct ask *a = t->asks[i];

        if (!is_issue(a) || a->err != OK || a->dry_run || a->repeated || a->tbs.len == 0)
            continue;
        a->job = &t->jobs[t->job_count++];
        *a->job = (struct port_job){.key_id = a->issuer->config->id, .tbs = buf_span(&a->tbs)};
    }
    if (t->job_count > 0 && port_batch(ca->role->port_fd, PORT_CERTIFICATE, t->jobs, t->job_count) != OK)
        die("the signer is gone");
    for (size_t i = 0; i < t->ask_count; i++) {
        struct ask *a = t->asks[i];

        if (a->job == NULL)
            continue;
        if (a->job->answer.err != OK) {
            log_error("signer-refused", "profile %s: %s", a->profile_id, a->job->answer.reason);
            a->err = ERR_INTERNAL;
            snprintf(a->detail, sizeof a->detail, "The signer refused what it was asked to sign.");
            continue;
        }
        certificate_write(&a->certificate, buf_span(&a->tbs), a->issuer->alg,
                          span_of(a->job->answer.signature, a->job->answer.signature_len));
    }
}

/* Signs a probe with every CA key: what /readyz promises. All probes of a turn share one. */
static void probe(struct ca *ca, struct turn *t)
{
    struct port_job jobs[ISSUERS_MAX];
    bool failed = false, asked = false;

    for (size_t i = 0; i < t->ask_count; i++)
        asked = asked || t->asks[i]->kind == ASK_PROBE;
    if (!asked)
        return;
    for (size_t i = 0; i < ca->issuer_count; i++)
        jobs[i] = (struct port_job){.key_id = ca->issuers[i].config->id};
    if (port_batch(ca->role->port_fd, PORT_PROBE, jobs, ca->issuer_count) != OK)
        die("the signer is gone");
    for (size_t i = 0; i < ca->issuer_count; i++)
        failed = failed || jobs[i].answer.err != OK;
    for (size_t i = 0; failed && i < t->ask_count; i++)
        if (t->asks[i]->kind == ASK_PROBE)
            t->asks[i]->err = ERR_UNAVAILABLE;
}

/* ---- record ---- */

static bool is_refusal(const struct ask *a)
{
    return is_issue(a) && !a->dry_run && a->err != OK && a->err != ERR_PENDING;
}

static bool is_written(const struct ask *a)
{
    return a->job != NULL || a->kind == ASK_REVOKE || a->kind == ASK_UNHOLD || a->kind == ASK_DENY ||
           (a->err == ERR_PENDING && !a->is_waiting) || is_refusal(a) || access_writes(a);
}

static bool writes(const struct turn *t)
{
    for (size_t i = 0; i < t->ask_count; i++)
        if (is_written(t->asks[i]))
            return true;
    for (size_t i = 0; i < t->note_count; i++)
        if (t->notes[i].kind != DESK_DONE)
            return true;
    return false;
}

static void record_state(struct txn *txn, struct ask *a, int64_t now_s)
{
    if (a->err != OK)
        return;                          /* refused for who asks */
    decide_revocation(txn_view(txn), a); /* in the transaction: sees what earlier asks of this turn did */
    if (a->err == OK && a->changed)
        record_revocation(txn, a, now_s);
}

static void record_ask(struct ca *ca, struct txn *txn, struct ask *a, int64_t now_s)
{
    if (a->err == ERR_PENDING)
        approval_add(txn, a, now_s);
    if (a->kind == ASK_DENY && a->err == OK)
        approval_deny(ca, txn, a, now_s);
    if (a->job != NULL && a->err == OK)
        decide_key(txn_view(txn), a); /* in the transaction: sees the revocations of this turn */
    if (a->kind == ASK_APPROVE && a->err == OK)
        approval_record(txn, a, now_s);
    if (a->job != NULL && a->err == OK)
        record_issue(txn, a, now_s);
    else if (is_refusal(a))
        record_refusal(txn, a, now_s);
    if (a->kind == ASK_REVOKE || a->kind == ASK_UNHOLD)
        record_state(txn, a, now_s);
    access_record(txn, a, now_s);
}

static void record(struct ca *ca, struct turn *t)
{
    struct txn *txn = NULL;

    if (!writes(t))
        return;
    if (txn_begin(ca->store, &txn) != OK)
        die("the store refuses a transaction");
    for (size_t i = 0; i < t->ask_count; i++)
        record_ask(ca, txn, t->asks[i], t->now_s);
    for (size_t i = 0; i < t->note_count; i++)
        if (t->notes[i].kind != DESK_DONE)
            publish_record(ca, txn, &t->notes[i], t->now_s);
    if (txn_commit(txn) != OK)
        die("a commit failed: nothing of this turn is acknowledged");
}

/* ---- answer ---- */

static void copy_twin(struct ask *a, const struct ask *first)
{
    a->err = first->err;
    if (memcmp(a->body_hash, first->body_hash, HASH_LEN) != 0) {
        a->err = ERR_POLICY;
        snprintf(a->detail, sizeof a->detail, "This Idempotency-Key was used with another request.");
        return;
    }
    strcpy(a->detail, first->detail);
    a->issuer = first->issuer;
    memcpy(a->request_id, first->request_id, REQUEST_ID_LEN);
    memcpy(a->serial, first->serial, SERIAL_LEN);
    buf_put_span(&a->certificate, buf_span(&first->certificate));
    a->repeated = a->err == OK;
}

static void answer_ask(struct ca *ca, struct ask *a)
{
    struct buf b;

    if (a->kind == ASK_PUBLISH && a->err == OK)
        return publish_ask(ca, a);
    buf_init(&b, WIRE_MSG_MAX);
    ask_answer(&b, a);
    if (buf_end(&b) != OK || wire_send(ca->role->api_fd, buf_span(&b)) != OK)
        die("the api is gone");
    buf_free(&b);
    ask_free(a);
}

static void nudge(struct ca *ca, const struct ask *a)
{
    struct view *v = NULL;
    struct status s;

    if (!ca->role->publish_on_revocation || (a->kind != ASK_REVOKE && a->kind != ASK_UNHOLD) || !a->changed)
        return;
    if (view_open(ca->store, &v) != OK)
        die("the store cannot be read");
    if (status_find(v, a->serial, &s) == OK)
        publish_nudge(ca, s.issuer_no);
    view_close(v);
}

static void answer(struct ca *ca, struct turn *t)
{
    for (size_t i = 0; i < t->ask_count; i++)
        if (t->asks[i]->twin != NULL)
            copy_twin(t->asks[i], t->asks[i]->twin);
    for (size_t i = 0; i < t->ask_count; i++)
        nudge(ca, t->asks[i]); /* before a number is given out: that list will show them */
    for (size_t i = 0; i < t->note_count; i++)
        publish_settle(ca, &t->notes[i]);
    for (size_t i = 0; i < t->ask_count; i++)
        answer_ask(ca, t->asks[i]);
}

/* ---- the loop ---- */

static void upkeep(struct ca *ca, int64_t now_s)
{
    struct txn *t = NULL;

    store_maintain(ca->store);
    responder_renew(ca, now_s);
    if (txn_begin(ca->store, &t) != OK)
        die("the store refuses a transaction");
    idempotent_prune(t, now_s - IDEMPOTENCY_S, PRUNE_MOST);
    approval_expire(t, now_s);
    token_prune(t, now_s - TOKEN_KEPT_S, PRUNE_MOST);
    if (txn_commit(t) != OK)
        die("the commit of the upkeep failed");
    sealing_turn(ca, now_s);
    publish_nudge_due(ca);
}

static bool same_hosts(const struct ca_issuer *a, const struct ca_issuer *b)
{
    if (a->host_count != b->host_count)
        return false;
    for (size_t i = 0; i < a->host_count; i++)
        if (strcmp(a->hosts[i], b->hosts[i]) != 0)
            return false;
    return true;
}

/* Issuers, their keys and files are a start's business: a new configuration is taken when it has the same
 * ones. */
static bool same_issuers(const struct ca_config *a, const struct ca_config *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->issuers[i].id, b->issuers[i].id) != 0 || a->issuers[i].issues != b->issuers[i].issues ||
            !same_hosts(&a->issuers[i], &b->issuers[i]))
            return false;
    return true;
}

static void reload(struct ca *ca, int signal_fd)
{
    struct signalfd_siginfo info;
    struct catalogue fresh = {0};
    struct ca_config config;

    if (read(signal_fd, &info, sizeof info) != sizeof info || ca->role->reload == NULL)
        return;
    if (!ca->role->reload(ca->role->reload_arg, &config, &fresh))
        return; /* said by whoever read it; what was in force stays */
    catalogue_free(&ca->role->catalogue);
    ca->role->catalogue = fresh;
    if (same_issuers(&ca->role->config, &config)) {
        ca->role->config = config;
        issuing_set_urls(ca);
    } else {
        log_warn("reload", "the issuers differ: a restart takes them, profiles alone are taken now");
    }
    log_info("reloaded", "%zu profiles", fresh.count);
}

static void audit_start(struct ca *ca, int64_t now_s)
{
    struct audit_row row = {.at_s = now_s,
                            .kind = AUDIT_START,
                            .actor = span_str("service"),
                            .detail = span_str("version " CHANCERY_VERSION)};
    struct txn *t = NULL;

    if (txn_begin(ca->store, &t) != OK)
        die("the store refuses a transaction");
    audit_append(t, &row);
    if (txn_commit(t) != OK)
        die("the first commit failed");
}

static bool turn_run(struct ca *ca)
{
    struct turn *t = xcalloc(1, sizeof *t);
    bool go_on;

    t->now_s = clock_now_s();
    gather_notes(ca, t);
    go_on = gather_asks(ca, t);
    decide(ca, t);
    sign(ca, t);
    probe(ca, t);
    record(ca, t);
    if (go_on)
        answer(ca, t);
    sealing_turn(ca, t->now_s);
    free(t);
    return go_on;
}

static int block_hangup(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void serve(struct ca *ca)
{
    struct pollfd fds[] = {{.fd = ca->role->api_fd, .events = POLLIN},
                           {.fd = ca->role->desk_fd, .events = POLLIN},
                           {.fd = block_hangup(), .events = POLLIN}};
    int64_t next_upkeep_ms = clock_monotonic_ms() + UPKEEP_MS;

    for (;;) {
        int64_t wait_ms = next_upkeep_ms - clock_monotonic_ms();

        if (poll(fds, 3, wait_ms > 0 ? (int)wait_ms : 0) < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
        if (fds[2].revents != 0)
            reload(ca, fds[2].fd);
        if ((fds[0].revents | fds[1].revents) != 0 && !turn_run(ca))
            break;
        if (clock_monotonic_ms() >= next_upkeep_ms) {
            upkeep(ca, clock_now_s());
            next_upkeep_ms = clock_monotonic_ms() + UPKEEP_MS;
        }
    }
    close(fds[2].fd);
}

enum err ca_run(struct ca_role *r)
{
    struct ca ca = {.role = r};
    struct fault f = {0};
    enum err e = store_open(r->store_dir, STORE_WRITE, r->map_size, &ca.store, &f);

    if (e == OK)
        e = issuing_load(&ca, &f);
    if (e != OK)
        log_error("ca-start", "%s", f.detail);
    if (e == OK) {
        audit_start(&ca, clock_now_s());
        responder_renew(&ca, clock_now_s());
        sealing_begin(&ca);
        serve(&ca);
        sealing_end(&ca, clock_now_s());
    }
    issuing_free(&ca);
    store_close(ca.store);
    return e;
}
