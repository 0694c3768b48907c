/* SPDX-License-Identifier: Apache-2.0 */
/*
 * public: the process "ocsp": what relying parties use over plain HTTP, without login. It reads the store and
 * the files under public/, and has one wire, to the OCSP keys.
 */
#include "api/public.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"

#define TICK_MS 1000
#define MAINTAIN_MS (60 * 1000)
#define DRAIN_MS                                                                                             \
    (5 * 1000) /* for answers under way when the service ends: an OCSP answer takes milliseconds */

/* ---- errors ---- */

void public_refuse(struct http_request *r, enum err e, const char *detail, const char *allow)
{
    char id[33];
    struct http_field fields[6] = {
        {"Content-Type", PROBLEM_TYPE},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Request-Id", id},
    };
    struct buf body;

    if (allow != NULL)
        fields[4] = (struct http_field){"Allow", allow};
    else if (e == ERR_UNAVAILABLE)
        fields[4] = (struct http_field){"Retry-After", "5"};
    request_id_new(id);
    buf_init(&body, 4096);
    problem_write(&body, e, detail, id, NULL);
    http_reply(r, err_status(e), fields, buf_span(&body));
    buf_free(&body);
}

/* The HTTP server's own errors look like ours. */
static void on_error(unsigned status, const char *detail, struct http_error *e, void *arg)
{
    (void)arg;
    problem_fill(e, status, detail);
}

/* ---- routes ---- */

static const struct public_route {
    const char *method, *path;
    bool is_prefix;
    void (*serve)(struct public *p, struct http_request *r,
                  const char *rest); /* `rest`: the path behind a prefix */
    const char *allow;
} routes[] = {
    {"POST", "/ocsp", false, ocsp_http_post, "POST"},
    {"POST", "/ocsp/", false, ocsp_http_post, "GET, HEAD, POST"}, /* clients append a slash to the address */
    {"GET", "/ocsp/", true, ocsp_http_get, "GET, HEAD"},
    {"GET", "/crl/", true, published_get, "GET, HEAD"},
    {"GET", "/ca/", true, published_get, "GET, HEAD"},
    {"GET", "/", false, page_get, "GET, HEAD"},
};

static bool is_on_route(const struct public_route *route, const char *path)
{
    if (route->is_prefix)
        return strncmp(path, route->path, strlen(route->path)) == 0;
    return strcmp(path, route->path) == 0;
}

static void on_request(struct http_request *r, void *arg)
{
    const char *path = http_path(r), *method = http_method(r), *allow = NULL;

    if (host_serves(arg, r))
        return;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct public_route *route = &routes[i];

        if (!is_on_route(route, path))
            continue;
        if (strcmp(method, route->method) == 0) {
            route->serve(arg, r, path + strlen(route->path));
            return;
        }
        if (allow == NULL)
            allow = route->allow;
    }
    public_refuse(r, allow != NULL ? ERR_METHOD : ERR_NOT_FOUND, NULL, allow);
}

static bool on_connect(const struct http_peer *peer, void *arg)
{
    struct public *p = arg;

    return p->permits == NULL || permits_admit(p->permits, peer);
}

/* Every path may have a small body, so that a POST elsewhere is told 404 or 405 rather than 413. */
static size_t on_body(const struct http_request *r, void *arg)
{
    (void)r, (void)arg;
    return OCSP_REQUEST_MAX;
}

/* ---- the process ---- */

static void stop(void *arg)
{
    struct public *p = arg;

    loop_stop(p->loop);
}

static void on_end(void *arg)
{
    struct public *p = arg;

    if (p->is_draining)
        return;
    p->is_draining = true;
    http_server_drain(p->server, DRAIN_MS, stop, p);
}

/* What may change while it runs. Addresses, issuers, the cache's size and connections stay as they were; with
 * other issuers, everything, as in ca and api. */
static void take_config(struct public *p, const struct config *fresh)
{
    struct config *c = p->role->config;

    if (!ca_config_same_issuers(&c->ca, &fresh->ca)) {
        log_warn("reload", "the issuers differ: nothing is taken before a restart");
        return;
    }
    strcpy(c->name, fresh->name);
    strcpy(c->public_url, fresh->public_url);
    c->ca = fresh->ca;
    c->ocsp = fresh->ocsp;
    host_settings(p);
    made_forget(&p->page);
    made_forget(&p->signers);
}

static void on_reload(void *arg)
{
    struct public *p = arg;
    struct config *fresh = xcalloc(1, sizeof *fresh);
    struct fault f = {0};

    if (config_reload(p->config, fresh, &f) == OK) {
        take_config(p, fresh);
        config_free(fresh);
        log_info("reload", "done");
    } else {
        log_error("reload", "kept the old configuration: %s", f.detail);
    }
    free(fresh);
}

static void on_port(void *arg)
{
    struct public *p = arg;
    enum err e = ocsp_pump(p->ocsp);

    turn_ask(p->send);
    if (e == OK)
        return;
    log_error("ocsp-port", "the signer of OCSP answers is gone");
    p->err = e;
    loop_stop(p->loop);
}

static void on_send(void *arg)
{
    struct public *p = arg;

    ocsp_send(p->ocsp);
}

static void on_maintain(void *arg)
{
    struct public *p = arg;

    store_maintain(p->store);
    recent_save(p);
}

static void on_tick(void *arg)
{
    struct public *p = arg;

    ocsp_tick(p->ocsp, clock_now_s());
    turn_ask(p->send);
}

static enum err serve(struct public *p, int http_fd)
{
    const struct http_handlers handlers = {
        .admit = on_connect, .body_max = on_body, .request = on_request, .error = on_error, .arg = p};
    struct http_limits limits = HTTP_LIMITS_DEFAULT;
    struct watch *port;
    struct timer *maintain, *tick;

    p->loop = loop_new();
    if (p->host == NULL) /* its store comes and goes, and the list is about the service's own host */
        p->permits = permits_new(p->loop, p->store, PERMIT_HTTP, p->role->board);
    limits.connections = p->config->http_connections;
    limits.per_address = p->config->http_per_address;
    p->server = http_serve(p->loop, http_fd, NULL, &limits, &handlers);
    port = watch_start(p->loop, p->port_fd, on_port, p);
    p->send = turn_new(p->loop, on_send, p);
    maintain = timer_start(p->loop, MAINTAIN_MS, MAINTAIN_MS, on_maintain, p);
    tick = timer_start(p->loop, TICK_MS, TICK_MS, on_tick, p);
    loop_on_signal(p->loop, SIGTERM, on_end, p);
    loop_on_signal(p->loop, SIGHUP, on_reload, p);
    if (p->host != NULL)
        host_start(p, &handlers);
    recent_load(p);
    turn_ask(p->send);
    loop_run(p->loop);
    recent_save(p);
    watch_stop(port);
    turn_free(p->send);
    timer_stop(maintain);
    timer_stop(tick);
    permits_free(p->permits);
    ocsp_close(p->ocsp); /* before the servers: it answers what is still under way */
    p->ocsp = NULL;
    http_server_free(p->server);
    if (p->host != NULL)
        host_stop(p);
    loop_free(p->loop);
    return p->err;
}

enum err public_run(const struct public_role *role)
{
    struct public p = {.role = role, .config = role->config, .port_fd = role->port_fd};
    struct fault f = {0};
    enum err e = role->config->is_ocsp_host
                     ? host_open(&p, &f)
                     : store_open(role->config->store_dir, STORE_READ, 0, &p.store, &f);

    if (e == OK)
        e = ocsp_open(p.store, &role->config->ocsp, role->port_fd, role->board, &p.ocsp, &f);
    ocsp_http_open(&p, role->board);
    p.data_age = board_figure(role->board, FIGURE_GAUGE, "ocsp_data_age_seconds", "",
                              "Age of the data that OCSP answers from; 0: the store itself.");
    if (e == OK)
        e = serve(&p, role->http_fd);
    else
        log_error("start", "%s", f.detail);
    ocsp_http_close(&p);
    made_forget(&p.page);
    made_forget(&p.signers);
    if (p.store == NULL && p.host != NULL)
        e = ERR_IO; /* nothing that people must mend: a snapshot may come, and the next start finds it */
    store_close(p.store);
    host_free(&p);
    return e;
}
