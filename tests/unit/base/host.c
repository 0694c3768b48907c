/* SPDX-License-Identifier: Apache-2.0 */
/* host: the routes of the test server. */
#include "tests/unit/base/host.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

const struct http_limits HOST_LIMITS = {
    .header_max = 16384,
    .connections = 64,
    .header_ms = 6 * CLIENT_PATIENCE_MS,
    .body_ms = 6 * CLIENT_PATIENCE_MS,
    .idle_ms = 6 * CLIENT_PATIENCE_MS,
    .write_ms = 6 * CLIENT_PATIENCE_MS,
};

#define FILE_LEN (3u * 1024 * 1024 + 17)
#define LARGE_LEN (64u * 1024)

static const struct http_field plain[] = {{"Content-Type", "text/plain"}, {NULL, NULL}};

/* ---- routes ---- */

static void route_echo(struct host *h, struct http_request *r)
{
    (void)h;
    http_reply(r, 200, plain, http_body(r));
}

static void route_line(struct host *h, struct http_request *r)
{
    char out[512];

    (void)h;
    snprintf(out, sizeof out, "%s %s", http_method(r), http_path(r));
    http_reply(r, 200, plain, span_str(out));
}

static void route_peer(struct host *h, struct http_request *r)
{
    const struct http_peer *p = http_peer(r);
    char out[256];

    (void)h;
    snprintf(out, sizeof out, "%s %d %d %d", p->address, p->is_loopback, p->is_unix, (int)p->uid);
    http_reply(r, 200, plain, span_str(out));
}

static void route_groups(struct host *h, struct http_request *r)
{
    const struct http_peer *p = http_peer(r);
    char out[64];

    (void)h;
    snprintf(out, sizeof out, "%zu: %u to %u", p->group_count, p->groups[0], p->groups[p->group_count - 1]);
    http_reply(r, 200, plain, span_str(out));
}

static void route_certificate(struct host *h, struct http_request *r)
{
    (void)h;
    http_reply(r, 200, plain, http_peer(r)->certificate);
}

static void route_header(struct host *h, struct http_request *r)
{
    const char *v = http_header(r, "x-test");

    (void)h;
    http_reply(r, v != NULL ? 200 : 404, NULL, span_str(v != NULL ? v : ""));
}

static void route_query(struct host *h, struct http_request *r)
{
    static const char *const known[] = {"name", "days", NULL};
    const char *unknown = http_query_unknown(r, known);
    char value[16], out[128];
    enum err e = http_query(r, "name", value, sizeof value);

    (void)h;
    snprintf(out, sizeof out, "%s %s %s", err_name(e), e == OK ? value : "-",
             unknown != NULL ? unknown : "-");
    http_reply(r, 200, plain, span_str(out));
}

static void route_large(struct host *h, struct http_request *r)
{
    static char out[LARGE_LEN];

    (void)h;
    memset(out, 'x', sizeof out);
    snprintf(out, sizeof out, "%s", http_path(r));
    http_reply(r, 200, plain, span_of(out, sizeof out));
}

static void route_file(struct host *h, struct http_request *r)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    uint32_t word[256];

    (void)h;
    for (uint32_t n = 0; n < FILE_LEN / 1024 + 2; n++) {
        for (uint32_t i = 0; i < 256; i++)
            word[i] = n * 256 + i;
        if (write(fd, word, sizeof word) != sizeof word)
            die("memfd");
    }
    http_reply_file(r, 200, plain, fd, 4, FILE_LEN); /* begins with the word 1 */
}

static void route_short_file(struct host *h, struct http_request *r)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    (void)h;
    if (write(fd, "short", 5) != 5)
        die("memfd");
    http_reply_file(r, 200, plain, fd, 0, 100);
}

static void route_empty(struct host *h, struct http_request *r)
{
    (void)h;
    http_reply(r, http_path(r)[1] == '2' ? 204 : 304, NULL, span_str("ignored"));
}

static void held_reply(void *arg)
{
    struct http_request **slot = arg;
    struct http_request *r = *slot;

    *slot = NULL;
    http_reply(r, 200, plain, span_str("held"));
}

/* Answers from a timer: /later soon, /hold after 300 ms. */
static void route_later(struct host *h, struct http_request *r)
{
    for (size_t i = 0; i < 4; i++) {
        if (h->held[i] != NULL)
            continue;
        h->held[i] = r;
        timer_stop(h->held_timer[i]);
        h->held_timer[i] =
            timer_start(h->loop, strcmp(http_path(r), "/hold") == 0 ? 300 : 5, 0, held_reply, &h->held[i]);
        return;
    }
    http_reply(r, 503, NULL, span_str(""));
}

static void drained(void *arg)
{
    struct host *h = arg;

    h->is_drained = true;
    loop_stop(h->loop);
}

static void route_drain(struct host *h, struct http_request *r)
{
    http_server_drain(h->server, 1000, drained, h);
    route_later(h, r);
}

static void route_rotate(struct host *h, struct http_request *r)
{
    http_server_set_tls(h->server, atomic_exchange(&h->next_tls, NULL));
    route_line(h, r);
}

static void route_count(struct host *h, struct http_request *r)
{
    char out[32];

    snprintf(out, sizeof out, "%zu", http_server_connections(h->server));
    http_reply(r, 200, plain, span_str(out));
}

static void route_gate(struct host *h, struct http_request *r)
{
    while (sem_wait(&h->gate) != 0)
        ;
    route_line(h, r);
}

/* The how manieth request this is. */
static void route_ordinal(struct host *h, struct http_request *r)
{
    char out[32];

    snprintf(out, sizeof out, "%u", atomic_load(&h->handled));
    http_reply(r, 200, plain, span_str(out));
}

static const struct {
    const char *path;
    void (*handler)(struct host *h, struct http_request *r);
} routes[] = {
    {"/echo", route_echo},       {"/peer", route_peer},
    {"/groups", route_groups},   {"/certificate", route_certificate},
    {"/header", route_header},   {"/query", route_query},
    {"/file", route_file},       {"/short-file", route_short_file},
    {"/204", route_empty},       {"/304", route_empty},
    {"/later", route_later},     {"/hold", route_later},
    {"/drain", route_drain},     {"/rotate", route_rotate},
    {"/count", route_count},     {"/gate", route_gate},
    {"/ordinal", route_ordinal},
};

static size_t body_max(const struct http_request *r, void *arg)
{
    (void)arg;
    return strcmp(http_path(r), "/none") == 0 ? 0 : HOST_BODY_MAX;
}

static void request(struct http_request *r, void *arg)
{
    struct host *h = arg;

    atomic_fetch_add(&h->handled, 1);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(http_path(r), routes[i].path) == 0) {
            routes[i].handler(h, r);
            return;
        }
    }
    if (strncmp(http_path(r), "/large", 6) == 0)
        route_large(h, r);
    else
        route_line(h, r);
}

static void error(unsigned status, const char *detail, struct http_error *e, void *arg)
{
    (void)arg;
    e->fields[0] = (struct http_field){"Content-Type", "application/problem+json"};
    e->fields[1] = (struct http_field){"X-Made", e->text};
    strcpy(e->text, "made up");
    buf_printf(&e->body, "{\"status\":%u,\"detail\":\"%s\"}", status, detail);
}

/* Whoever is listed here is turned away. */
static bool admit(const struct http_peer *p, void *arg)
{
    struct host *h = arg;

    return h->turned_away[0] == '\0' || strcmp(p->address, h->turned_away) != 0;
}

/* ---- life ---- */

static void stop(void *arg)
{
    struct host *h = arg;

    loop_stop(h->loop);
}

static void *run(void *arg)
{
    struct host *h = arg;

    loop_run(h->loop);
    return NULL;
}

struct host *host_start_at(int listen_fd, struct tls_server *tls, const struct http_limits *limits)
{
    struct host *h = xcalloc(1, sizeof *h);
    struct http_handlers handlers = {
        .admit = admit, .body_max = body_max, .request = request, .error = error, .arg = h};

    cr_assert_eq(sem_init(&h->gate, 0, 0), 0);
    h->loop = loop_new();
    h->listen_fd = listen_fd;
    cr_assert_eq(http_bound(listen_fd, h->where, sizeof h->where), OK);
    cr_assert_eq(pipe(h->stop), 0);
    h->stop_watch = watch_start(h->loop, h->stop[0], stop, h);
    h->server = http_serve(h->loop, listen_fd, tls, limits != NULL ? limits : &HOST_LIMITS, &handlers);
    cr_assert_eq(pthread_create(&h->thread, NULL, run, h), 0);
    return h;
}

struct host *host_start(struct tls_server *tls, const struct http_limits *limits)
{
    struct fault f = {0};
    int fd;

    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &fd, &f), OK, "%s", f.detail);
    return host_start_at(fd, tls, limits);
}

void host_wait(struct host *h)
{
    cr_assert_eq(pthread_join(h->thread, NULL), 0);
    h->is_over = true;
}

void host_stop(struct host *h)
{
    cr_assert_eq(write(h->stop[1], "x", 1), 1);
    if (!h->is_over)
        host_wait(h);
    http_server_free(h->server);
    for (size_t i = 0; i < 4; i++) {
        timer_stop(h->held_timer[i]);
        if (h->held[i] != NULL)
            http_reply(h->held[i], 200, NULL, span_str("")); /* to nobody */
    }
    watch_stop(h->stop_watch);
    close(h->stop[0]);
    close(h->stop[1]);
    tls_server_free(atomic_load(&h->next_tls));
    loop_free(h->loop);
    sem_destroy(&h->gate);
    free(h);
}
