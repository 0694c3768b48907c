/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: what the process "ocsp" does besides on an OCSP host, where it is all of the service that faces
 * anyone: it follows the snapshot of the store that others put in place, never back in time, and says on
 * /livez, /readyz and /metrics, to this machine alone, how old it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/api.h"
#include "api/checks.h"
#include "api/figures.h"
#include "api/public.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parts.h"

#define AHEAD_MAX_S 300 /* clocks of two machines that are kept */
#define OLD "ocsp.data-old"
#define REFUSED "ocsp.snapshot-refused"
#define BEHIND "ocsp.snapshot-behind"

struct host {
    struct http_server *control;
    struct timer *timer;
    struct stat seen; /* the file looked at last, used or refused for good */
    int64_t as_of_s;  /* of the snapshot that is open */
    int64_t latest_s; /* of the latest that was ever in use; NO_TIME: none is known */
    struct figure *as_of, *taken;
};

/* ---- the snapshot ---- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum err read_time(struct store *s, int64_t *as_of_s, struct fault *f)
{
    struct view *v = NULL;
    enum err e = view_open(s, &v);

    if (e == OK)
        e = snapshot_time(v, as_of_s);
    view_close(v);
    return e == OK ? OK
                   : fault_set(f, e, "the store here is no snapshot: `chancery store snapshot` writes one");
}

/* After a restart what is there may be older than what was in use. What was revoked may be good in it. */
static bool is_behind(const struct host *h)
{
    return h != NULL && h->as_of_s < h->latest_s;
}

void host_settings(struct public *p)
{
    struct ocsp_config c = p->config->ocsp;

    if (is_behind(p->host))
        c.age_max_s = INT64_MIN; /* no age is low enough: clients are told to try later */
    ocsp_settings(p->ocsp, &c, clock_now_s());
}

/* Gives a store that is whole, a snapshot, and not of the future. */
static enum err open_copy(const struct public *p, struct store **out, int64_t *as_of_s, struct fault *f)
{
    enum err e = store_open(p->config->store_dir, STORE_COPY, 0, out, f);
    char text[CLOCK_TEXT_MAX];

    if (e == OK)
        e = read_time(*out, as_of_s, f);
    if (e == OK && *as_of_s > clock_now_s() + AHEAD_MAX_S) {
        clock_rfc3339(*as_of_s, text);
        e = fault_set(f, ERR_CONFLICT, "the snapshot is of %s, which is not yet: one of the clocks is wrong",
                      text);
    }
    if (e != OK) {
        store_close(*out);
        *out = NULL;
    }
    return e;
}

static bool look_at_file(const struct public *p, struct stat *st)
{
    char path[PATH_LEN_MAX];

    return path_join(path, p->config->store_dir, "data.mdb", NULL) == OK && stat(path, st) == 0;
}

static void say_age(struct public *p)
{
    const struct ocsp_config *c = &p->config->ocsp;
    int64_t age_s = clock_now_s() - p->host->as_of_s;

    figure_set(p->data_age, age_s);
    figure_set(p->host->as_of, p->host->as_of_s);
    if (age_s > c->age_max_s)
        alarm_raise(p->role->board, ALARM_CRITICAL, OLD, "",
                    "no snapshot for more than %lld s: clients are told to try later",
                    (long long)c->age_max_s);
    else if (age_s > c->age_max_s / 2)
        alarm_raise(p->role->board, ALARM_WARNING, OLD, "", "no snapshot for more than %lld s of %lld",
                    (long long)c->age_max_s / 2, (long long)c->age_max_s);
    else
        alarm_clear(p->role->board, OLD, "");
}

static void take_copy(struct public *p, struct store *s, int64_t as_of_s)
{
    struct store *old = p->store;
    char text[CLOCK_TEXT_MAX];

    p->store = s;
    p->host->as_of_s = as_of_s;
    if (as_of_s > p->host->latest_s) {
        as_of_save(p->role->as_of_fd, as_of_s); /* before the first answer from it */
        p->host->latest_s = as_of_s;
    }
    made_forget(&p->page); /* the new store counts its commits anew */
    made_forget(&p->signers);
    ocsp_follow(p->ocsp, s, as_of_s);
    host_settings(p);
    if (old != s)
        store_close(old);
    alarm_clear(p->role->board, REFUSED, "");
    alarm_clear(p->role->board, BEHIND, "");
    figure_add(p->host->taken, 1);
    clock_rfc3339(as_of_s, text);
    log_info("snapshot", "of %s", text);
}

static void refuse_older(struct public *p, struct store *s, int64_t as_of_s)
{
    char text[CLOCK_TEXT_MAX], latest[CLOCK_TEXT_MAX];

    clock_rfc3339(as_of_s, text);
    clock_rfc3339(p->host->latest_s, latest);
    alarm_raise(p->role->board, ALARM_WARNING, REFUSED, "",
                "the snapshot is of %s, older than the last in use, of %s", text, latest);
    store_close(s);
}

/* What else a host does goes on, so that it says what it waits for and takes a later copy when one comes. */
static void withhold(struct public *p)
{
    char text[CLOCK_TEXT_MAX], latest[CLOCK_TEXT_MAX];

    ocsp_follow(p->ocsp, p->store, p->host->as_of_s);
    host_settings(p);
    clock_rfc3339(p->host->as_of_s, text);
    clock_rfc3339(p->host->latest_s, latest);
    alarm_raise(p->role->board, ALARM_CRITICAL, BEHIND, "",
                "the snapshot is of %s, older than the last in use, of %s: clients are told to try later",
                text, latest);
}

/* A snapshot that is older than the last one stays so, and is not looked at again. One that is of the future,
 * or cannot be read, may be taken later: the next look is at the same file. */
static void look(struct public *p, const struct stat *st)
{
    struct store *s = NULL;
    struct fault f = {0};
    int64_t as_of_s;

    if (open_copy(p, &s, &as_of_s, &f) != OK) {
        p->host->seen = (struct stat){0}; /* also where the one in use is put back */
        alarm_raise(p->role->board, ALARM_WARNING, REFUSED, "", "%s", f.detail);
        return;
    }
    p->host->seen = *st;
    if (as_of_s < p->host->latest_s)
        refuse_older(p, s, as_of_s);
    else
        take_copy(p, s, as_of_s);
}

static void on_look(void *arg)
{
    struct public *p = arg;
    struct stat st;

    if (look_at_file(p, &st) && !is_same_file(&st, &p->host->seen))
        look(p, &st);
    say_age(p);
}

/* ---- what it says of itself ---- */

struct report {
    struct public *public;
    struct view *view;
    struct checks checks;
    int64_t now_s;
};

/* After it nobody may sign for the issuer any more, and nobody asks: it may be taken out of the
 * configuration. */
static int64_t end_of(const struct issuer *i)
{
    struct parts p;

    return parts_of(i->certificate, &p) ? p.not_after_s : INT64_MAX;
}

/* As the CA judges it, whose settings are not here: the certificate tells its life, and a life as long as a
 * trusted responder's is judged as one's. A delegate's with such a life is renewed long before that. */
static enum ending_state judge_signer(const struct cert *c, int64_t issuer_end_s, int64_t now_s)
{
    int64_t life_s = c->status.not_after_s - c->not_before_s;

    if (c->status.not_after_s >= issuer_end_s) /* the CA speaks of the issuer's end, unless that may come */
        return ENDING_FAR;
    return ending_judge(c->status.not_after_s, now_s,
                        life_s >= ENDING_TRUSTED_S ? ENDING_TRUSTED_S : ENDING_SIGNER_S, life_s);
}

static void check_signer(struct report *r, const char *id)
{
    struct issuer i;
    struct cert c;

    if (issuer_find(r->view, id, &i) != OK)
        checks_add(&r->checks, "ocsp", id, LEVEL_CRITICAL, "no issuer in the snapshot");
    else if (r->now_s > end_of(&i))
        checks_add(&r->checks, "ocsp", id, LEVEL_OK, "the issuer has ended");
    else if (cert_find(r->view, i.responder, &c) != OK)
        checks_add(&r->checks, "ocsp", id, LEVEL_CRITICAL,
                   "no certificate for this host's signer in the snapshot");
    else if (c.status.state != CERT_VALID)
        checks_add(&r->checks, "ocsp", id, LEVEL_CRITICAL, "the signer's certificate is revoked");
    else
        checks_add_end(&r->checks, "ocsp", id, c.status.not_after_s, judge_signer(&c, end_of(&i), r->now_s));
}

static void check_data(struct report *r)
{
    const struct config *c = r->public->config;
    int64_t age_s = r->now_s - r->public->host->as_of_s;
    char text[CLOCK_TEXT_MAX];
    struct store_counts n = {0};

    if (view_open(r->public->store, &r->view) != OK || store_count(r->view, &n) != OK)
        checks_add(&r->checks, "store", "", LEVEL_CRITICAL, "cannot be read");
    for (size_t i = 0; r->view != NULL && i < c->issuer_count; i++)
        check_signer(r, c->issuers[i].id);
    view_close(r->view);
    clock_rfc3339(r->public->host->as_of_s, text);
    checks_add(&r->checks, "snapshot", "", age_s > c->ocsp.age_max_s ? LEVEL_CRITICAL : LEVEL_OK,
               "of %s, %lld s old, %llu certificates", text, (long long)age_s,
               (unsigned long long)n.certificates);
}

static bool add_alarm(const struct alarm_shown *a, void *arg)
{
    struct report *r = arg;

    checks_add_alarm(&r->checks, a);
    return true;
}

static void reply(struct http_request *r, unsigned status, const char *type, struct span body)
{
    const struct http_field fields[] = {{"Content-Type", type}, {"Cache-Control", "no-store"}, {NULL, NULL}};

    http_reply(r, status, fields, body);
}

static void reply_report(struct http_request *r, struct report *report)
{
    struct js *o = checks_end(&report->checks);
    struct buf body;

    buf_init(&body, FIGURES_TEXT_MAX);
    js_write(o, &body);
    reply(r, report->checks.worst == LEVEL_CRITICAL ? 503 : 200, "application/json", buf_span(&body));
    buf_free(&body);
    js_free(o);
}

static void livez(struct public *p, struct http_request *r)
{
    struct report report = {.public = p};

    checks_begin(&report.checks);
    checks_add(&report.checks, "process", "", LEVEL_OK, "answers");
    reply_report(r, &report);
}

static void readyz(struct public *p, struct http_request *r)
{
    struct report report = {.public = p, .now_s = clock_now_s()};

    checks_begin(&report.checks);
    check_data(&report);
    for (size_t i = 0; i < p->role->board_count; i++)
        if (p->role->boards[i] != NULL)
            board_each_alarm(p->role->boards[i], add_alarm, &report);
    reply_report(r, &report);
}

static void metrics(struct public *p, struct http_request *r)
{
    struct buf body;

    say_age(p);
    buf_init(&body, FIGURES_TEXT_MAX);
    figures_head(&body, "build_info", "gauge", "The version that runs.");
    buf_printf(&body, "chancery_build_info{version=\"%s\"} 1\n", CHANCERY_VERSION);
    figures_put(&body, p->role->boards, p->role->board_count);
    reply(r, 200, FIGURES_TYPE, buf_span(&body));
    buf_free(&body);
}

bool host_serves(struct public *p, struct http_request *r)
{
    static const struct {
        const char *path;
        void (*serve)(struct public *p, struct http_request *r);
    } paths[] = {{"/livez", livez}, {"/readyz", readyz}, {"/metrics", metrics}};

    if (p->host == NULL || !http_peer(r)->is_loopback || strcmp(http_method(r), "GET") != 0)
        return false;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(http_path(r), paths[i].path) != 0)
            continue;
        paths[i].serve(p, r);
        return true;
    }
    return false;
}

int64_t host_as_of(const struct public *p)
{
    return p->host != NULL ? p->host->as_of_s : NO_TIME;
}

/* ---- start and end ---- */

enum err host_open(struct public *p, struct fault *f)
{
    p->host = xcalloc(1, sizeof *p->host);
    p->host->as_of_s = NO_TIME;
    p->host->latest_s = as_of_load(p->role->as_of_fd);
    (void)look_at_file(p, &p->host->seen); /* before it is opened: what replaces it meanwhile is seen */
    return open_copy(p, &p->store, &p->host->as_of_s, f);
}

void host_start(struct public *p, const struct http_handlers *handlers)
{
    struct board *b = p->role->board;
    struct host *h = p->host;

    h->as_of = board_figure(b, FIGURE_GAUGE, "ocsp_data_time_seconds", "", "When the snapshot was taken.");
    h->taken = board_figure(b, FIGURE_COUNTER, "ocsp_snapshots_total", "", "Snapshots taken into use.");
    if (is_behind(h))
        withhold(p);
    else
        take_copy(p, p->store, h->as_of_s);
    say_age(p);
    h->control = http_serve(p->loop, p->role->control_fd, NULL, NULL, handlers);
    h->timer = timer_start(p->loop, p->config->snapshot_every_s * 1000, p->config->snapshot_every_s * 1000,
                           on_look, p);
}

void host_stop(struct public *p)
{
    timer_stop(p->host->timer);
    http_server_free(p->host->control);
    p->host->timer = NULL;
    p->host->control = NULL;
}

void host_free(struct public *p)
{
    free(p->host);
    p->host = NULL;
}
