/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: the publisher's process. One loop over desk, port and clock; one publication at a time. Requests that
 * arrive while one runs wait and are answered together by the next.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jump.h"
#include "base/log.h"
#include "base/port.h"
#include "crl/inner.h"

#define NAP_MAX_S 60      /* the clock may be set while we sleep: look again */
#define END_GRACE_MS 2000 /* between the ends of two wires of one ending process there are microseconds */
/* A wrong clock makes lists that are over before they are out, or not yet valid, and both are worse than the
 * list in force. A machine that slept over holidays wakes to a clock that is days ahead, and is right. */
#define JUMP_MAX_S (7 * DAY_S)
#define MAINTAIN_S 600 /* between calls of store_maintain */
#define LATE_S                                                                                               \
    (3 * CRL_RETRY_S) /* a run that has not succeeded by then is told of: two tries have failed              \
                       */

struct publisher {
    const struct crl_role *role;
    struct store *store;
    struct desk desk;
    struct crl_port port;
    bool is_starting; /* the first round: what it publishes is for the start */
    int64_t maintained_s;
    struct {
        int64_t not_before_s; /* no try before: after a failure, or while not in the store */
        enum crl_run broken;  /* files are not what was published: what makes them anew */
        bool is_told;         /* that it is not in the store */
        struct gauges gauges;
    } issuers[ISSUERS_MAX]; /* as in the configuration */
    struct jump jump;
};

static int64_t now(const struct publisher *p)
{
    return p->role->clock != NULL ? p->role->clock() : clock_now_s();
}

/* ---- one issuer ---- */

static const char *const causes[] = {
    [CAUSE_START] = "start",
    [CAUSE_SCHEDULE] = "schedule",
    [CAUSE_REQUEST] = CAUSE_REQUEST_TEXT,
    [CAUSE_REVOCATION] = "revocation",
    [CAUSE_CONFIGURATION] = "configuration",
};

static const char *cause_name(uint8_t cause)
{
    return cause < sizeof causes / sizeof *causes ? causes[cause] : causes[CAUSE_REQUEST];
}

static void answer_covered(struct publisher *p, const char *id, enum err result, uint64_t crl_number,
                           const char *reason)
{
    struct crl_request q;

    while (!p->desk.is_over && queue_take(&p->desk.queue, id, &p->desk.covered, &q))
        if (desk_done(&p->desk, q.number, result, crl_number, reason) != OK)
            p->desk.is_over = true;
}

/* Those that came after the run's begin, when nothing had changed since: its list is what they ask for. */
static void answer_shown(struct publisher *p, const char *id, uint64_t crl_number)
{
    struct crl_request q;

    while (!p->desk.is_over && queue_take_shown(&p->desk.queue, id, p->desk.shown, &q))
        if (desk_done(&p->desk, q.number, OK, crl_number, "") != OK)
            p->desk.is_over = true;
}

/* The text of a fault goes to the log; the asker learns the kind of failure. */
static void tell_result(struct publisher *p, size_t i, const struct crl_job *job, const struct crl_state *s,
                        enum err e, const struct fault *f)
{
    const char *id = job->issuer->id;

    if (e == OK) {
        log_info("published", "%s %snumber %lu, %lu entries, %lu octets, cause %s", id,
                 job->run == RUN_DELTA ? "delta " : "", s->number, s->count, s->size, job->cause);
        alarm_clear(p->role->board, "crl.failed", id);
        return;
    }
    log_error("publish", "%s", f->detail);
    alarm_raise(p->role->board, ALARM_WARNING, "crl.failed", id, "%s", f->detail);
    p->issuers[i].broken = force_damage(p->store, job->issuer, p->role->public_dir);
}

/* A publication by hand says that the clock is right. */
static void accept_clock(struct publisher *p, const char *cause, int64_t now_s)
{
    if (strcmp(cause, cause_name(CAUSE_REQUEST)) == 0)
        jump_accept(&p->jump, now_s, clock_monotonic_ms() / 1000);
}

/* What the operating system refuses, a disk or a descriptor, passes: who asked may ask again. */
static enum err answer_of(enum err e)
{
    return e == ERR_IO ? ERR_UNAVAILABLE : e;
}

static enum err publish(struct publisher *p, size_t i, enum crl_run run, const char *cause, int64_t now_s)
{
    const struct crl_issuer *issuer = &p->role->config.issuers[i];
    struct crl_job job = {.store = p->store,
                          .kept = DISK_RESERVE,
                          .issuer = issuer,
                          .public_dir = p->role->public_dir,
                          .public_url = p->desk.public_url,
                          .run = run,
                          .port = &p->port,
                          .clock = p->role->clock,
                          .cause = cause,
                          .reserve = desk_reserve,
                          .record = desk_record,
                          .tick = desk_drain,
                          .arg = &p->desk};
    int64_t begin_ms = clock_monotonic_ms();
    struct crl_state state;
    struct fault f = {0};
    enum err e;

    p->desk.covered = p->desk.queue.len;
    accept_clock(p, cause, now_s);
    e = crl_publish(&job, &state, &f);
    if (e == ERR_END)
        return ERR_END;
    p->issuers[i].broken = RUN_NONE;
    tell_result(p, i, &job, &state, e, &f);
    if (e == OK)
        gauges_published(&p->issuers[i].gauges, run, clock_monotonic_ms() - begin_ms);
    p->issuers[i].not_before_s = e == OK ? 0 : now_s + CRL_RETRY_S;
    if (run == RUN_COMPLETE) /* whoever asks wants one: a delta is no answer */
        answer_covered(p, issuer->id, answer_of(e), e == OK ? state.number : 0,
                       e == OK ? "" : err_text(answer_of(e)));
    if (run == RUN_COMPLETE && e == OK)
        answer_shown(p, issuer->id, state.number);
    return OK;
}

static void tell_absent(struct publisher *p, size_t i, int64_t now_s)
{
    const char *id = p->role->config.issuers[i].id;

    if (!p->issuers[i].is_told)
        log_warn("issuer", "%s is configured and not in the store: it has no CRL", id);
    p->issuers[i].is_told = true;
    p->issuers[i].not_before_s = now_s + CRL_RETRY_S;
    p->desk.covered = p->desk.queue.len;
    answer_covered(p, id, ERR_NOT_FOUND, 0, "the issuer is not in the store");
}

/* The others' lists go on; a row is mended by a restore alone. */
static void tell_damaged(struct publisher *p, size_t i)
{
    const char *id = p->role->config.issuers[i].id;

    alarm_raise(p->role->board, ALARM_CRITICAL, "crl.damaged", id,
                "what is stored of its lists cannot be read: none of them is published");
    p->desk.covered = p->desk.queue.len;
    answer_covered(p, id, ERR_INTERNAL, 0, "what is stored of the issuer's lists cannot be read");
}

/* While the clock is not believed, what is in force stays; only people are obeyed. Raises the alarm, or
 * clears it. True: it is not believed. */
static bool clock_check(struct publisher *p, size_t i, const struct crl_force *s, int64_t now_s)
{
    const char *id = p->role->config.issuers[i].id;

    if (force_is_ahead(s, now_s)) /* first: a clock that is behind is nothing to measure a jump from */
        alarm_raise(p->role->board, ALARM_CRITICAL, "crl.clock", id,
                    "the clock is behind the CRLs in force: nothing is published until it is set right, or "
                    "somebody publishes");
    else if (jump_observe(&p->jump, now_s, clock_monotonic_ms() / 1000))
        alarm_raise(p->role->board, ALARM_CRITICAL, "crl.clock", id,
                    "the clock went ahead by more than a week: nothing is published until it is set back, or "
                    "somebody publishes");
    else {
        alarm_clear(p->role->board, "crl.clock", id);
        return false;
    }
    return true;
}

/* How long the most belated run has been due: raised or taken down with it. */
static void tell_late(struct publisher *p, size_t i, const struct crl_force *s, int64_t now_s)
{
    const struct crl_issuer *issuer = &p->role->config.issuers[i];
    int64_t due_s = crl_due(issuer, s, RUN_COMPLETE, now_s), delta_s = crl_due(issuer, s, RUN_DELTA, now_s);
    bool is_over = s->whole.number == 0 || s->whole.next_update_s <= now_s;

    if (delta_s < due_s)
        due_s = delta_s;
    if (p->issuers[i].not_before_s == 0 || (!is_over && now_s - due_s < LATE_S))
        alarm_clear(p->role->board, "crl.late", issuer->id);
    else
        alarm_raise(p->role->board, is_over ? ALARM_CRITICAL : ALARM_WARNING, "crl.late", issuer->id,
                    is_over ? "there is no CRL in force" : "a CRL is not published in time");
}

static enum crl_run run_due(const struct publisher *p, size_t i, const struct crl_force *s, int64_t now_s,
                            int64_t *wake_s)
{
    const struct crl_issuer *issuer = &p->role->config.issuers[i];
    int64_t whole_s = crl_due(issuer, s, RUN_COMPLETE, now_s), delta_s = crl_due(issuer, s, RUN_DELTA, now_s);
    int64_t first_s = whole_s < delta_s ? whole_s : delta_s;

    *wake_s = first_s > now_s ? first_s : now_s;
    if (whole_s <= now_s || p->issuers[i].broken == RUN_COMPLETE)
        return RUN_COMPLETE;
    return delta_s <= now_s ? RUN_DELTA : p->issuers[i].broken;
}

/* What is asked for is a complete run. */
static enum err serve_asked(struct publisher *p, size_t i, const struct crl_request *q, bool is_wrong,
                            int64_t now_s)
{
    if (!is_wrong || q->cause == CAUSE_REQUEST)
        return publish(p, i, RUN_COMPLETE, cause_name(q->cause), now_s);
    p->desk.covered = p->desk.queue.len;
    answer_covered(p, p->role->config.issuers[i].id, ERR_UNAVAILABLE, 0, "the clock is not believed");
    return OK;
}

/* Publishes when somebody asks or the time has come; gives when to look again. ERR_END: the role ends. */
static enum err serve_issuer(struct publisher *p, size_t i, int64_t now_s, int64_t *wake_s)
{
    const struct crl_issuer *issuer = &p->role->config.issuers[i];
    const struct crl_request *q = queue_find(&p->desk.queue, issuer->id);
    bool is_ripe = crl_may_try(p->issuers[i].not_before_s, now_s), is_wrong;
    struct crl_force force;
    enum crl_run run;
    enum err e = force_read(p->store, issuer, &force);

    *wake_s = now_s + NAP_MAX_S;
    if (e == ERR_NOT_FOUND) {
        tell_absent(p, i, now_s);
        return OK;
    }
    if (e == ERR_INTERNAL) {
        tell_damaged(p, i);
        return OK;
    }
    if (e != OK)
        die("the store cannot be read");
    alarm_clear(p->role->board, "crl.damaged", issuer->id);
    gauges_show(&p->issuers[i].gauges, &force, now_s);
    is_wrong = clock_check(p, i, &force, now_s);
    if (!is_wrong)
        tell_late(p, i, &force, now_s);
    if (q != NULL) {
        *wake_s = now_s; /* the schedule goes on from what is now published: look again at once */
        return serve_asked(p, i, q, is_wrong, now_s);
    }
    if (is_wrong)
        return OK;
    run = run_due(p, i, &force, now_s, wake_s);
    if (!is_ripe)
        *wake_s = p->issuers[i].not_before_s;
    if (!is_ripe || run == RUN_NONE)
        return OK;
    return publish(p, i, run, cause_name(p->is_starting ? CAUSE_START : CAUSE_SCHEDULE), now_s);
}

/* ---- the loop ---- */

static void look_around(struct publisher *p)
{
    for (size_t i = 0; i < p->role->config.count; i++) {
        const struct crl_issuer *issuer = &p->role->config.issuers[i];

        gauges_open(&p->issuers[i].gauges, p->role->board, issuer->id);
        p->issuers[i].broken = force_damage(p->store, issuer, p->role->public_dir);
    }
}

/* Each at its own time: those before it may have taken minutes. */
static enum err serve_all(struct publisher *p, int64_t now_s, int64_t *wake_s)
{
    enum err e = OK;

    *wake_s = now_s + NAP_MAX_S;
    for (size_t i = 0; e == OK && !p->desk.is_over && i < p->role->config.count; i++) {
        int64_t issuer_wake_s = 0;

        e = serve_issuer(p, i, now(p), &issuer_wake_s);
        if (issuer_wake_s < *wake_s)
            *wake_s = issuer_wake_s;
    }
    p->is_starting = false;
    if (p->desk.queue.len > 0)
        *wake_s = now_s; /* some came while we published */
    return e;
}

/* Until a message, the end of the port, or the time. ERR_END: the signer is gone. */
static enum err wait_for(struct publisher *p, int64_t wait_s)
{
    struct pollfd fds[] = {{.fd = p->role->desk_fd, .events = POLLIN}, {.fd = p->port.fd, .events = POLLIN}};
    struct port_answer stale;
    enum err e = OK;

    if (wait_s < 0)
        wait_s = 0;
    if (wait_s > NAP_MAX_S) /* the clock was set back since the turn began */
        wait_s = NAP_MAX_S;
    if (poll(fds, 2, (int)wait_s * 1000) < 0)
        return errno == EINTR ? OK : ERR_END;
    if (fds[1].revents != 0) {
        e = port_take(p->port.fd, &stale);
        p->port.is_mute = p->port.is_mute && e != OK;
    }
    return e == ERR_END ? e : OK;
}

static void maintain(struct publisher *p, int64_t now_s)
{
    if (llabs(now_s - p->maintained_s) < MAINTAIN_S)
        return;
    p->maintained_s = now_s;
    (void)store_maintain(p->store);
}

static enum err turn_once(struct publisher *p)
{
    int64_t now_s = now(p), wake_s = now_s;
    enum err e;

    if (!desk_drain(&p->desk))
        return OK;
    e = serve_all(p, now_s, &wake_s);
    if (e != OK)
        return e;
    maintain(p, now_s);
    return wait_for(p, wake_s - now(p));
}

/* At an orderly end the ca leaves first: then desk and port close both, in whatever order we hear of it, and
 * what the ca still said comes before its end. A port that closes alone is a lost signer. */
static enum err port_ended(struct publisher *p)
{
    int64_t end_ms = clock_monotonic_ms() + END_GRACE_MS, left_ms = END_GRACE_MS;

    for (; !p->desk.is_over && left_ms > 0; left_ms = end_ms - clock_monotonic_ms()) {
        struct pollfd wire = {.fd = p->role->desk_fd, .events = POLLIN};

        if (poll(&wire, 1, (int)left_ms) > 0)
            (void)desk_drain(&p->desk);
    }
    return p->desk.is_over ? OK : ERR_END;
}

static enum err turn(struct publisher *p)
{
    enum err e = OK;

    look_around(p);
    while (e == OK && !p->desk.is_over)
        e = turn_once(p);
    return e == OK ? OK : port_ended(p);
}

enum err crl_run(const struct crl_role *r)
{
    struct publisher p = {.role = r,
                          .desk = {.fd = r->desk_fd, .config = &r->config},
                          .port = {.fd = r->port_fd},
                          .is_starting = true,
                          .jump = {.most_s = JUMP_MAX_S}};
    struct fault f = {0};
    enum err e = store_open(r->store_dir, STORE_READ, 0, &p.store, &f);

    if (e != OK) {
        log_error("store", "%s", f.detail);
        return e;
    }
    p.maintained_s = now(&p);
    crl_drafts_remove(r->public_dir);
    e = turn(&p);
    if (e != OK)
        log_error("signer", "the signing port closed");
    queue_free(&p.desk.queue);
    store_close(p.store);
    return e;
}
