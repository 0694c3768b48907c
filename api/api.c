/* SPDX-License-Identifier: Apache-2.0 */
/* api: the role of the HTTPS interface and the control socket: its loop, its timers, its signals. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define MAINTAIN_MS 60000 /* readers of dead processes hold pages back: minutes are soon enough */
#define LOOK_MS 1000 /* between looks at the CAs of client certificates: foreign.c bounds what it costs */
#define SETTLE_MS 5  /* between looks whether the ca has answered everything */
#define SETTLE_MOST_MS                                                                                       \
    2000 /* a signing process that hangs keeps an answer for good; with the grace it is less than            \
            the supervisor waits, so that the ca writes down its end */
#define GRACE_MS 10000 /* for requests under way when the service ends: the supervisor waits longer */

struct run {
    struct api api;
    size_t draining;
    struct timer *settling;
    int64_t settled_ms; /* by the monotonic clock: when no answer is waited for any more */
};

/* Every connection may hold a body at once, so what is larger than a request for a certificate is taken from
 * those alone who may call. */
static size_t body_max_of(const struct route *route, const struct http_request *r, struct api *a)
{
    struct login login;

    if (route->body_max <= CSR_MAX ||
        (login_check(a, http_peer(r), http_header(r, "Authorization"), &login, NULL) == OK &&
         route_permits(route, &login.who, NULL) == OK))
        return route->body_max;
    return CSR_MAX;
}

static size_t body_max(const struct http_request *r, void *arg)
{
    char ignored_arg[ROUTE_ARG_MAX], allow[64];
    const struct route *route;

    if (route_find(http_method(r), http_path(r), &route, ignored_arg, allow) == OK)
        return body_max_of(route, r, arg);
    return JSON_BODY_MAX; /* so that what is not here is answered 404, not 413 */
}

static void on_request(struct http_request *r, void *arg)
{
    call_begin(r, arg);
}

static void on_error(unsigned status, const char *detail, struct http_error *e, void *arg)
{
    struct api *a = arg;

    a->stats.answers[status / 100 % 6]++;
    problem_fill(e, status, detail);
    log_info("refused", "id=%s status=%u %s", e->text, status, detail);
}

static bool on_connect(const struct http_peer *peer, void *arg)
{
    struct api *a = arg;

    return permits_admit(a->permits, peer);
}

struct http_handlers api_handlers(struct api *a)
{
    return (struct http_handlers){
        .admit = on_connect, .body_max = body_max, .request = on_request, .error = on_error, .arg = a};
}

static void on_maintain(void *arg)
{
    (void)store_maintain(((struct run *)arg)->api.store);
}

/* A client that chooses its certificate by the names it is told sends none of a CA that is not among them. */
static void on_look(void *arg)
{
    struct run *run = arg;

    if (foreign_changed(run->api.foreign, config_here(run->api.config)))
        listener_tell_authorities(run->api.listener);
    foreign_judge(run->api.foreign, run->api.now_s());
}

static void on_told(struct answer *a, void *arg)
{
    (void)arg;
    if (a->err != OK)
        log_warn("audit", "the ca has not recorded which configuration is in force");
}

/* For the audit. */
static void tell_taken(struct run *run, bool is_reload)
{
    const struct config_digests *d = &run->api.config->ca.digests;
    struct answer late = {.err = ERR_UNAVAILABLE};
    struct buf message;

    buf_init(&message, 256);
    buf_put(&message, d->settings, HASH_LEN);
    buf_put(&message, d->catalogue, HASH_LEN);
    buf_put_u8(&message, is_reload);
    if (asker_send(run->api.asker, ASK_TAKEN, buf_span(&message), on_told, NULL) != OK)
        on_told(&late, NULL);
    buf_free(&message);
}

/* Addresses and the home stay as they were: sockets are the supervisor's. So do CRL settings, which are a
 * start's, and with other issuers all but the profiles: the ca does the same. */
static void take_config(struct config *now, struct config *fresh)
{
    if (!ca_config_same_issuers(&now->ca, &fresh->ca)) {
        log_warn("reload", "the issuers differ: profiles alone are taken before a restart");
        catalogue_free(&now->catalogue);
        now->catalogue = fresh->catalogue;
        memcpy(now->ca.digests.catalogue, fresh->ca.digests.catalogue, HASH_LEN);
        return;
    }
    fresh->crl = now->crl;
    config_free(now);
    *now = *fresh;
}

static void on_reload(void *arg)
{
    struct run *run = arg;
    struct config fresh;
    struct fault f = {0};

    if (config_reload(run->api.config, &fresh, &f) != OK) {
        log_error("reload", "kept the old configuration: %s", f.detail);
        return;
    }
    take_config(run->api.config, &fresh);
    foreign_replace(&run->api.foreign, foreign_new(&run->api.config->ca.access, config_here(run->api.config),
                                                   run->api.role->board));
    log_info("reload", "done");
    tell_taken(run, true);
    listener_reload(run->api.listener);
}

/* Questions that no client waits for (a token's use, a failed login) are answered before the wire closes: the
 * ca would take a closed one for a lost peer. */
static void on_settle(void *arg)
{
    struct run *run = arg;

    if (asker_waiting(run->api.asker) == 0 || clock_monotonic_ms() >= run->settled_ms)
        loop_stop(run->api.loop);
}

static void on_drained(void *arg)
{
    struct run *run = arg;

    if (--run->draining > 0)
        return;
    tally_minute(run->api.login_failures); /* what the last minute counted and did not tell */
    tally_minute(run->api.denied);
    run->settled_ms = clock_monotonic_ms() + SETTLE_MOST_MS;
    run->settling = timer_start(run->api.loop, 0, SETTLE_MS, on_settle, run);
}

static void on_stop(void *arg)
{
    struct run *run = arg;

    if (run->draining > 0)
        return;
    log_info("stop", "answering what is under way");
    run->draining = 1 + (run->api.https != NULL);
    if (run->api.https != NULL)
        http_server_drain(run->api.https, GRACE_MS, on_drained, run);
    http_server_drain(run->api.control, GRACE_MS, on_drained, run);
}

/* What answers calls, before anybody can make one. */
static void parts_open(struct api *a)
{
    const struct api_role *r = a->role;

    random_octets(a->veil_key, VEIL_KEY_LEN);
    a->loop = loop_new();
    loop_threads(a->loop, core_count()); /* requests are read and their signatures checked there */
    a->asker = asker_new(a->loop, r->ca_fd, ASKER_TIMEOUT_MS);
    a->pulse = pulse_new(a->asker, clock_monotonic_ms);
    a->permits = permits_new(a->loop, a->store, PERMIT_HTTPS, r->board);
    a->limits = limits_new(a);
    a->login_failures = login_failures_new(a);
    a->denied = denied_new(a);
    a->foreign = foreign_new(&r->config->ca.access, config_here(r->config), r->board);
}

static void parts_close(struct api *a)
{
    listener_free(a->listener);
    limits_free(a->limits);
    tally_free(a->login_failures);
    tally_free(a->denied);
    permits_free(a->permits);
    foreign_free(a->foreign);
    pulse_free(a->pulse);
    asker_free(a->asker);
    http_server_free(a->https);
    http_server_free(a->control);
    loop_free(a->loop);
    loop_threads_end();
    store_close(a->store);
}

enum err api_run(struct api_role *r)
{
    struct run run = {.api = {.role = r, .config = r->config, .now_s = clock_now_s}};
    struct http_handlers handlers = api_handlers(&run.api);
    struct timer *maintain, *looking;
    struct fault f = {0};

    if (store_open(r->config->store_dir, STORE_READ, r->config->map_size, &run.api.store, &f) != OK) {
        log_error("store", "%s", f.detail);
        return f.code;
    }
    parts_open(&run.api);
    maintain = timer_start(run.api.loop, MAINTAIN_MS, MAINTAIN_MS, on_maintain, &run);
    loop_on_signal(run.api.loop, SIGTERM, on_stop, &run);
    loop_on_signal(run.api.loop, SIGHUP, on_reload, &run);
    run.api.control = http_serve(run.api.loop, r->control_fd, NULL, NULL, &handlers);
    run.api.listener = listener_new(&run.api);
    looking = timer_start(run.api.loop, LOOK_MS, LOOK_MS, on_look, &run);
    tell_taken(&run, false);
    loop_run(run.api.loop);
    timer_stop(maintain);
    timer_stop(looking);
    timer_stop(run.settling);
    parts_close(&run.api);
    return OK;
}
