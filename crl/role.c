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
#include "base/log.h"
#include "base/port.h"
#include "crl/inner.h"

#define NAP_MAX_S 60      /* the clock may be set while we sleep: look again */
#define END_GRACE_MS 2000 /* between the ends of two wires of one ending process there are microseconds */
#define MAINTAIN_S 600    /* between calls of store_maintain */

struct publisher {
    const struct crl_role *role;
    struct store *store;
    struct desk desk;
    bool is_starting; /* the first round: what it publishes is for the start */
    int64_t maintained_s;
    struct {
        int64_t not_before_s; /* no try before: after a failure, or while not in the store */
        bool is_broken;       /* files are not what was published */
        bool is_told;         /* that it is not in the store */
    } issuers[ISSUERS_MAX];   /* as in the configuration */
};

/* ---- one issuer ---- */

static const char *const causes[] = {
    [CAUSE_START] = "start",
    [CAUSE_SCHEDULE] = "schedule",
    [CAUSE_REQUEST] = "request",
    [CAUSE_REVOCATION] = "revocation",
};

static const char *cause_name(uint8_t cause)
{
    return cause < sizeof causes / sizeof *causes ? causes[cause] : causes[CAUSE_REQUEST];
}

/* The published state. ERR_NOT_FOUND: the issuer is not in the store. */
static enum err state_read(struct publisher *p, const char *id, struct crl_state *out)
{
    struct view *v = NULL;
    struct issuer issuer;
    enum err e = view_open(p->store, &v);

    if (e != OK)
        return e;
    e = issuer_find(v, id, &issuer);
    if (e == OK)
        e = crl_state_find(v, issuer.no, out);
    view_close(v);
    return e;
}

/* True too when there is nothing published that files could fall short of. */
static bool files_are_whole(struct publisher *p, const char *id)
{
    struct crl_state state;
    struct crl_paths paths;

    if (state_read(p, id, &state) != OK || state.number == 0)
        return true;
    return crl_paths_of(p->role->public_dir, id, &paths, NULL) == OK && crl_files_match(&paths, &state);
}

static void answer_covered(struct publisher *p, const char *id, enum err result, uint64_t crl_number,
                           const char *reason)
{
    struct crl_request q;

    while (!p->desk.is_over && queue_take(&p->desk.queue, id, &p->desk.covered, &q))
        if (desk_done(&p->desk, q.number, result, crl_number, reason) != OK)
            p->desk.is_over = true;
}

/* The text of a fault goes to the log; the asker learns the kind of failure. */
static enum err publish(struct publisher *p, size_t i, const char *cause, int64_t now_s)
{
    const struct crl_issuer *issuer = &p->role->config.issuers[i];
    struct crl_job job = {.store = p->store,
                          .issuer = issuer,
                          .public_dir = p->role->public_dir,
                          .port_fd = p->role->port_fd,
                          .now_s = now_s,
                          .cause = cause,
                          .reserve = desk_reserve,
                          .record = desk_record,
                          .tick = desk_drain,
                          .arg = &p->desk};
    struct crl_state state;
    struct fault f = {0};
    enum err e;

    p->desk.covered = p->desk.queue.len;
    e = crl_publish(&job, &state, &f);
    if (e == ERR_END)
        return ERR_END;
    if (e == OK)
        log_info("published", "%s number %lu, %lu entries, %lu octets, cause %s", issuer->id, state.number,
                 state.count, state.size, cause);
    else
        log_error("publish", "%s", f.detail);
    p->issuers[i].is_broken = e != OK && !files_are_whole(p, issuer->id);
    p->issuers[i].not_before_s = e == OK ? 0 : now_s + CRL_RETRY_S;
    answer_covered(p, issuer->id, e, e == OK ? state.number : 0, e == OK ? "" : err_text(e));
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

/* Publishes when somebody asks or the time has come; gives when to look again. ERR_END: the role ends. */
static enum err serve_issuer(struct publisher *p, size_t i, int64_t now_s, int64_t *wake_s)
{
    const struct crl_issuer *issuer = &p->role->config.issuers[i];
    const struct crl_request *q = queue_find(&p->desk.queue, issuer->id);
    bool is_ripe = crl_may_try(p->issuers[i].not_before_s, now_s);
    struct crl_state state;
    int64_t due_s;
    enum err e;

    *wake_s = p->issuers[i].not_before_s;
    if (q == NULL && !is_ripe)
        return OK;
    e = state_read(p, issuer->id, &state);
    if (e == ERR_NOT_FOUND) {
        tell_absent(p, i, now_s);
        return OK;
    }
    if (e != OK)
        die("the store cannot be read");
    due_s = p->issuers[i].is_broken ? now_s : crl_due(issuer, &state, now_s);
    *wake_s = due_s > now_s ? due_s : now_s;
    if (q != NULL)
        return publish(p, i, cause_name(q->cause), now_s);
    if (due_s > now_s)
        return OK;
    return publish(p, i, cause_name(p->is_starting ? CAUSE_START : CAUSE_SCHEDULE), now_s);
}

/* ---- the loop ---- */

static void find_broken(struct publisher *p)
{
    for (size_t i = 0; i < p->role->config.count; i++)
        p->issuers[i].is_broken = !files_are_whole(p, p->role->config.issuers[i].id);
}

static enum err serve_all(struct publisher *p, int64_t now_s, int64_t *wake_s)
{
    enum err e = OK;

    *wake_s = now_s + NAP_MAX_S;
    for (size_t i = 0; e == OK && !p->desk.is_over && i < p->role->config.count; i++) {
        int64_t issuer_wake_s = 0;

        e = serve_issuer(p, i, now_s, &issuer_wake_s);
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
    struct pollfd fds[] = {{.fd = p->role->desk_fd, .events = POLLIN},
                           {.fd = p->role->port_fd, .events = POLLIN}};
    struct port_answer stale;

    if (wait_s < 0)
        wait_s = 0;
    if (poll(fds, 2, (int)wait_s * 1000) < 0)
        return errno == EINTR ? OK : ERR_END;
    if (fds[1].revents != 0 && port_take(p->role->port_fd, &stale) == ERR_END)
        return ERR_END;
    return OK;
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
    int64_t now_s = clock_now_s(), wake_s = now_s;
    enum err e;

    desk_drain(&p->desk);
    if (p->desk.is_over)
        return OK;
    e = serve_all(p, now_s, &wake_s);
    if (e != OK)
        return e;
    maintain(p, now_s);
    return wait_for(p, wake_s - clock_now_s());
}

/* At an orderly end the ca leaves first: then desk and port close both, in whatever order we hear of it. A
 * port that closes alone is a lost signer. */
static enum err port_ended(struct publisher *p)
{
    struct pollfd wire = {.fd = p->role->desk_fd, .events = POLLIN};

    if (poll(&wire, 1, END_GRACE_MS) > 0)
        desk_drain(&p->desk);
    return p->desk.is_over ? OK : ERR_END;
}

static enum err turn(struct publisher *p)
{
    enum err e = OK;

    find_broken(p);
    while (e == OK && !p->desk.is_over)
        e = turn_once(p);
    return e == OK ? OK : port_ended(p);
}

enum err crl_run(const struct crl_role *r)
{
    struct publisher p = {.role = r,
                          .desk = {.fd = r->desk_fd, .config = &r->config},
                          .is_starting = true,
                          .maintained_s = clock_now_s()};
    struct fault f = {0};
    enum err e = store_open(r->store_dir, STORE_READ, 0, &p.store, &f);

    if (e != OK) {
        log_error("store", "%s", f.detail);
        return e;
    }
    crl_drafts_remove(r->public_dir);
    e = turn(&p);
    if (e != OK)
        log_error("signer", "the signing port closed");
    queue_free(&p.desk.queue);
    store_close(p.store);
    return e;
}
