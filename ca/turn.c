/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turn: the loop of the only writer. A turn gathers what waits, decides, sends what is to be signed to the
 * signer and takes what has come back; when enough has, it records all of it in one transaction and answers
 * after the commit is durable. The signer works on during the commit, and what it has signed meanwhile is the
 * next group: group size follows load, between bounds of time and number that nobody has to tune, and without
 * a mutex.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/turn.h"

#define GROUP_WAIT_MS 10u /* as two signatures of RSA 4096: one that does not come holds up no other */
#define GROUP_ENOUGH 64u  /* a commit takes some 0.4 ms: shared by 64, a hundredth of what each costs */
#define LATE_LOOK_MS 1000 /* between looks at what is late at the signer */
#define UPKEEP_MS 60000   /* reader check, responder renewal, pruning: nothing there is finer than a minute */

/* ---- gather ---- */

/* How many more questions may be held. */
static size_t room(const struct ca *ca, const struct turn *t)
{
    return FLIGHTS_MAX - ca->flights.count - ca->flights.back_count - t->ready_count - t->twin_count -
           t->fresh_count;
}

static bool gather_asks(struct ca *ca, struct turn *t)
{
    while (room(ca, t) > 0) {
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
        t->fresh[t->fresh_count] = ask_read(copy, s.len);
        if (t->fresh[t->fresh_count++] == NULL)
            die("broken frame from the api, %zu octets", s.len);
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

static void decide_one(struct ca *ca, struct view *v, struct ask *a, int64_t now_s)
{
    if (a->kind == ASK_APPROVE)
        approval_decide(ca, v, a, now_s);
    else if (ask_issues(a))
        decide_issue(ca, v, a, now_s);
    else if (a->kind == ASK_PUBLISH && issuing_by_id(ca, a->issuer_id) == NULL)
        a->err = ERR_NOT_FOUND;
    else if (a->kind == ASK_PUBLISH)
        (void)access_covers(a, scope_has_issuer(&a->who.scope, a->issuer_id), "this issuer");
}

static bool is_to_be_signed(const struct ask *a)
{
    return ask_issues(a) && a->err == OK && !a->dry_run && !a->repeated && a->tbs.len > 0;
}

/* Each fresh ask goes to the signer, or is ready, or waits for its twin. */
static void decide(struct ca *ca, struct turn *t)
{
    struct view *v;

    if (t->fresh_count == 0)
        return;
    v = ca_view(ca);
    for (size_t i = 0; i < t->fresh_count; i++) {
        struct ask *a = t->fresh[i];

        access_check(ca, v, a, t->now_s);
        if (disk_bars(ca, a) || a->err != OK) {
            t->ready[t->ready_count++] = a;
            continue;
        }
        a->twin = twin_of(ca, t, a);
        if (a->twin != NULL) {
            t->twins[t->twin_count++] = a;
            continue;
        }
        decide_one(ca, v, a, t->now_s);
        if (!is_to_be_signed(a) || !flight_start(ca, a))
            t->ready[t->ready_count++] = a;
    }
    t->fresh_count = 0;
    view_close(v);
}

/* ---- sign ---- */

static void take_signed(struct ca *ca, struct turn *t)
{
    struct ask *a;

    while ((a = flight_land(ca)) != NULL) {
        t->ready[t->ready_count++] = a;
        if (t->landed++ == 0)
            t->landed_at_ms = clock_monotonic_ms();
    }
}

/* Signs a probe with every CA key: what /readyz promises. All probes of a group share one. */
static void probe(struct ca *ca, struct turn *t)
{
    bool asked = false;

    for (size_t i = 0; i < t->ready_count; i++)
        asked = asked || t->ready[i]->kind == ASK_PROBE;
    if (!asked || probe_signer(ca, ca->issuer_count))
        return;
    for (size_t i = 0; i < t->ready_count; i++)
        if (t->ready[i]->kind == ASK_PROBE)
            t->ready[i]->err = ERR_UNAVAILABLE;
}

/* ---- answer ---- */

void ask_settle(struct ca *ca, struct ask *a)
{
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    ask_answer(&b, a);
    if (buf_end(&b) != OK)
        die("an answer to the api that no message holds");
    ca->is_left = wire_send(ca->role->api_fd, buf_span(&b)) != OK || ca->is_left;
    buf_free(&b);
    ask_free(a);
}

void turn_answer(struct ca *ca, struct ask *a)
{
    if (a->kind != ASK_PUBLISH || a->err != OK || !publish_ask(ca, a))
        ask_settle(ca, a);
}

/* What follows a change of state. True: an OCSP signer's certificate was withdrawn, which answers nothing
 * from the next second on. */
static bool follow(struct ca *ca, const struct ask *a)
{
    struct view *v;
    struct status s;
    struct cert c;
    bool is_signer;

    if (!ask_moves(a) || !a->changed)
        return false;
    v = ca_view(ca);
    is_signer = a->kind == ASK_REVOKE && cert_find(v, a->serial, &c) == OK &&
                strcmp(c.profile, RESPONDER_PROFILE) == 0;
    if (ca->role->publish_on_revocation && status_find(v, a->serial, &s) == OK)
        publish_nudge(ca, s.issuer_no);
    view_close(v);
    return is_signer;
}

/* What cannot be done now is the upkeep's. */
static void renew_withdrawn(struct ca *ca, struct turn *t)
{
    if (!t->is_renewal_due)
        return;
    t->is_renewal_due = false;
    if (ca->no_room == NULL && probe_signer(ca, 1))
        responder_renew(ca, t->now_s);
}

static void answer(struct ca *ca, struct turn *t)
{
    for (size_t i = 0; i < t->ready_count; i++)
        t->ready[i]->is_recorded = true;
    for (size_t i = 0; i < t->ready_count; i++) /* before a number is given out: that list will show them */
        t->is_renewal_due = follow(ca, t->ready[i]) || t->is_renewal_due;
    for (size_t i = 0; i < t->note_count; i++)
        publish_settle(ca, &t->notes[i]);
    twins_answer(ca, t);
    for (size_t i = 0; i < t->ready_count; i++)
        turn_answer(ca, t->ready[i]);
    t->ready_count = t->note_count = t->landed = 0;
}

/* ---- the loop ---- */

/* Is it time for a commit? At once when anything is ready that never went to the signer: somebody revokes, or
 * is refused. Else when twice as much has come back as is still at the signer, which has work while the
 * commit waits for the disk; or when what a commit costs is shared by many already, or the first has waited.
 */
static bool is_group(const struct ca *ca, const struct turn *t)
{
    if (t->note_count > 0 || t->ready_count > t->landed)
        return true;
    return t->landed > 0 && (t->landed >= 2 * ca->flights.count || t->landed >= GROUP_ENOUGH ||
                             clock_monotonic_ms() >= t->landed_at_ms + GROUP_WAIT_MS);
}

static bool decides_requests(const struct turn *t)
{
    for (size_t i = 0; i < t->ready_count; i++)
        if (t->ready[i]->err == ERR_PENDING || t->ready[i]->kind == ASK_APPROVE ||
            t->ready[i]->kind == ASK_DENY)
            return true;
    return false;
}

static bool turn_run(struct ca *ca, struct turn *t)
{
    int64_t now_ms;

    t->now_s = clock_now_s();
    doubt_glance(ca, t->now_s, clock_monotonic_ms() / 1000);
    gather_notes(ca, t);
    if (ca->is_left || !gather_asks(ca, t))
        return false;
    if (t->fresh_count + t->note_count > 0)
        disk_look(ca);
    for (size_t i = 0; i < t->note_count; i++)
        disk_bars_note(ca, &t->notes[i]);
    take_signed(ca, t); /* first what is here: decide() looks for twins among it */
    decide(ca, t);
    now_ms = clock_monotonic_ms();
    flights_look(ca, now_ms);
    take_signed(ca, t);
    twins_refuse_late(t, now_ms);
    if (!is_group(ca, t))
        return true;
    probe(ca, t);
    group_record(ca, t->ready, t->ready_count, t->notes, t->note_count, t->now_s);
    if (decides_requests(t))
        approval_post(ca, t->now_s);
    answer(ca, t);
    renew_withdrawn(ca, t);
    copies_turn(ca);
    if (sealing_is_due(ca) && probe_signer(ca, 1))
        sealing_turn(ca, t->now_s);
    return !ca->is_left;
}

/* What was not recorded was not acknowledged either. */
static void turn_free(struct turn *t)
{
    for (size_t i = 0; i < t->fresh_count; i++)
        ask_free(t->fresh[i]);
    for (size_t i = 0; i < t->ready_count; i++)
        ask_free(t->ready[i]);
    for (size_t i = 0; i < t->twin_count; i++)
        ask_free(t->twins[i]);
    free(t);
}

static void waits_free(struct publish_waits *w)
{
    for (size_t i = 0; i < w->count; i++)
        ask_free(w->asks[i]);
    w->count = 0;
}

static int block_hangup(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* No more is read while no more can be held, but that the api has gone is seen. What came back, also while
 * the port was awaited for something else, is recorded in GROUP_WAIT_MS at the latest: nothing else may ever
 * come. */
static void await_events(struct ca *ca, const struct turn *t, struct pollfd fds[static 4], int64_t until_ms)
{
    bool has_room = room(ca, t) > 0;
    int64_t wait_ms;

    if (t->landed > 0 && t->landed_at_ms + GROUP_WAIT_MS < until_ms)
        until_ms = t->landed_at_ms + GROUP_WAIT_MS;
    wait_ms = is_group(ca, t) || ca->flights.back_count > 0 ? 0 : until_ms - clock_monotonic_ms();
    if (wait_ms > LATE_LOOK_MS && ca->flights.count > 0)
        wait_ms = LATE_LOOK_MS;
    fds[0].events = has_room ? POLLIN : 0;
    if (poll(fds, 4, wait_ms > 0 ? (int)wait_ms : 0) < 0 && errno != EINTR)
        die("poll: %s", strerror(errno));
    ca->is_left = ca->is_left || (!has_room && (fds[0].revents & POLLHUP) != 0);
}

static void serve(struct ca *ca)
{
    struct pollfd fds[] = {{.fd = ca->role->api_fd, .events = POLLIN},
                           {.fd = ca->role->desk_fd, .events = POLLIN},
                           {.fd = ca->role->port_fd, .events = POLLIN},
                           {.fd = block_hangup(), .events = POLLIN}};
    int64_t next_upkeep_ms = clock_monotonic_ms() + UPKEEP_MS;
    struct turn *t = xcalloc(1, sizeof *t);

    do {
        await_events(ca, t, fds, next_upkeep_ms);
        if (fds[3].revents != 0)
            upkeep_reload(ca, fds[3].fd);
        if (clock_monotonic_ms() >= next_upkeep_ms) {
            upkeep_run(ca, probe_signer(ca, 1), clock_now_s());
            next_upkeep_ms = clock_monotonic_ms() + UPKEEP_MS;
        }
    } while (turn_run(ca, t));
    flights_end(ca);
    turn_free(t);
    close(fds[3].fd);
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
        doubt_begin(&ca, clock_now_s(), clock_monotonic_ms() / 1000);
        upkeep_start(&ca, clock_now_s());
        responder_renew(&ca, clock_now_s());
        endings_check(&ca, clock_now_s());
        issuing_tell_dropped(&ca, clock_now_s());
        sealing_begin(&ca);
        copies_begin(&ca);
        approval_post(&ca, clock_now_s());
        publish_begin(&ca);
        serve(&ca);
        sealing_end(&ca, clock_now_s());
        copies_end(&ca);
    }
    flights_free(&ca);
    waits_free(&ca.waits);
    issuing_free(&ca);
    store_close(ca.store);
    return e;
}
