/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsp_http: OCSP over HTTP (RFC 6960 appendix A, caching of RFC 9919 and RFC 5019 6.2). Whatever OCSP itself
 * has a word for is HTTP 200 with that word in the body, also a GET path that holds no base64.
 *
 * If-Modified-Since is not looked at: a revocation within the second of thisUpdate makes another answer with
 * the same Last-Modified. The entity tag tells them apart.
 */
#include "api/public.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"

/* From us the next answer after a revocation says revoked. A cache on the way may hold an older one for this
 * long: short enough to not matter beside clients' own caching until nextUpdate. */
#define OCSP_MAX_AGE_S 60 /* written out in cache_control as well */

#define BASE64_MAX ((OCSP_REQUEST_MAX + 2) / 3 * 4)
#define SLASHES_MAX 8 /* of a merged path: 44 ways to put back one or two; a request has two by chance */

struct asked {
    struct http_request *r;
    struct public *owner;
    bool is_get;
    int64_t now_s, at_us;
    struct asked *next;
};

/* ---- figures ---- */

static const unsigned bounds_us[] = {50,    100,   250,    500,    1000,    2500,   5000,
                                     10000, 25000, 100000, 500000, 1000000, 5000000};

#define BOUNDS (sizeof bounds_us / sizeof *bounds_us)

struct ocsp_figures {
    struct figure *get, *post, *unmodified;
    struct figure *buckets[BOUNDS + 1], *sum;
};

void ocsp_http_open(struct public *p, struct board *board)
{
    const char *help = "OCSP: requests, by HTTP method.", *time = "ocsp_microseconds";
    struct ocsp_figures *f = xcalloc(1, sizeof *f);
    char le[32];

    f->get = board_figure(board, FIGURE_COUNTER, "ocsp_requests_total", "method=\"GET\"", help);
    f->post = board_figure(board, FIGURE_COUNTER, "ocsp_requests_total", "method=\"POST\"", help);
    f->unmodified = board_figure(board, FIGURE_COUNTER, "ocsp_unmodified_total", "",
                                 "OCSP: conditional requests answered 304.");
    help = "OCSP: requests by time from arrival to answer.";
    for (size_t i = 0; i < BOUNDS; i++) {
        snprintf(le, sizeof le, "le=\"%u\"", bounds_us[i]);
        f->buckets[i] = board_figure(board, FIGURE_HISTOGRAM, time, le, help);
    }
    f->buckets[BOUNDS] = board_figure(board, FIGURE_HISTOGRAM, time, "le=\"+Inf\"", help);
    f->sum = board_figure(board, FIGURE_HISTOGRAM, time, "", help);
    p->ocsp_figures = f;
    buf_init(&p->der, OCSP_REQUEST_MAX);
}

void ocsp_http_close(struct public *p)
{
    struct asked *next;

    for (struct asked *q = p->idle_asked; q != NULL; q = next) {
        next = q->next;
        free(q);
    }
    p->idle_asked = NULL;
    free(p->ocsp_figures);
    p->ocsp_figures = NULL;
    buf_free(&p->der);
}

static void count_time(struct ocsp_figures *f, int64_t us)
{
    size_t i = 0;

    while (i < BOUNDS && us > bounds_us[i])
        i++;
    figure_add(f->buckets[i], 1);
    figure_add(f->sum, us > 0 ? (uint64_t)us : 0);
}

/* ---- answers ---- */

static bool is_cacheable(const struct ocsp_answer *a)
{
    return a->status == OCSP_SUCCESSFUL && a->digest != NULL && !a->has_unknown;
}

/* For as long as a cache on the way may keep it, and never beyond nextUpdate. */
static const char *cache_control(int64_t left_s, char *room, size_t cap)
{
    if (left_s >= OCSP_MAX_AGE_S)
        return "max-age=60, public, no-transform, must-revalidate";
    snprintf(room, cap, "max-age=%u, public, no-transform, must-revalidate",
             left_s > 0 ? (unsigned)left_s : 0);
    return room;
}

/* The tag is the whole SHA-256 of the response in hexadecimal, as RFC 9919 recommends: the one that `ocsp
 * export` writes for the same answer. */
static void reply_cacheable(struct public *p, const struct asked *q, const struct ocsp_answer *a)
{
    char etag[2 * HASH_LEN + 3] = "\"", modified[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX], control[80];
    const struct http_field fields[] = {
        {"Content-Type", "application/ocsp-response"},
        {"Cache-Control", cache_control(a->next_update_s - q->now_s, control, sizeof control)},
        {"ETag", etag},
        {"Last-Modified", modified},
        {"Expires", expires},
        {NULL, NULL},
    };

    hex_encode(span_of(a->digest, HASH_LEN), etag + 1);
    strcat(etag, "\"");
    clock_http(a->this_update_s, modified);
    clock_http(a->next_update_s, expires);
    if (q->is_get && published_is_fresh(http_header(q->r, "If-None-Match"), NULL, etag, a->this_update_s)) {
        figure_add(p->ocsp_figures->unmodified, 1);
        http_reply(q->r, 304, fields + 1, (struct span){0});
    } else {
        http_reply(q->r, 200, fields, a->der);
    }
}

static void on_answer(const struct ocsp_answer *a, void *arg)
{
    static const struct http_field once[] = {
        {"Content-Type", "application/ocsp-response"},
        {"Cache-Control", "no-store"},
        {NULL, NULL},
    };
    struct asked *q = arg;
    struct public *p = q->owner;

    count_time(p->ocsp_figures, clock_monotonic_us() - q->at_us);
    if (is_cacheable(a))
        reply_cacheable(p, q, a);
    else
        http_reply(q->r, 200, once, a->der);
    q->next = p->idle_asked;
    p->idle_asked = q;
}

/* ---- questions ---- */

/* Whom the budgets count: an address, of IPv6 its network. Another kind of socket is nobody. */
static struct span who_asks(const struct http_request *r, struct address *room)
{
    if (!address_parse(http_peer(r)->address, room))
        return (struct span){0};
    *room = address_network(room);
    return span_of(room->octets, sizeof room->octets);
}

static void ask(struct public *p, struct http_request *r, struct span der, bool is_get)
{
    struct asked *q = p->idle_asked;
    struct address from;

    if (q != NULL)
        p->idle_asked = q->next;
    else
        q = xmalloc(sizeof *q); /* as many as were ever under way at once */
    *q = (struct asked){
        .owner = p, .r = r, .is_get = is_get, .now_s = clock_now_s(), .at_us = clock_monotonic_us()};
    figure_add(is_get ? p->ocsp_figures->get : p->ocsp_figures->post, 1);
    ocsp_respond(p->ocsp, &(struct ocsp_asked){.request = der, .from = who_asks(r, &from), .now_s = q->now_s},
                 on_answer, q);
    turn_ask(p->send);
}

/* Parameters after the type are let pass: some clients send a charset. */
static bool is_ocsp_request(const char *type)
{
    static const char want[] = "application/ocsp-request";
    size_t len = sizeof want - 1;

    if (type == NULL || strncasecmp(type, want, len) != 0)
        return false;
    return type[len] == '\0' || strchr("; \t", type[len]) != NULL;
}

void ocsp_http_post(struct public *p, struct http_request *r, const char *rest)
{
    (void)rest;
    if (!is_ocsp_request(http_header(r, "Content-Type")))
        public_refuse(r, ERR_MEDIA_TYPE, "an OCSP request is application/ocsp-request", NULL);
    else
        ask(p, r, http_body(r), false);
}

/* ---- GET ---- */

/* The characters of a path, unescaped; cap octets. ERR_MALFORMED: a bad escape. */
static enum err path_text(const char *rest, char *text, size_t cap)
{
    while (*rest ==
           '/') /* an address that ends in a slash, and another: base64 of a SEQUENCE begins with M */
        rest++;
    if (strlen(rest) >= cap)
        return ERR_TOO_LARGE;
    return http_unescape(span_str(rest), text, cap) ? OK : ERR_MALFORMED;
}

/* Some clients leave the padding out. `text` has room for it. */
static enum err text_decode(const char *text, size_t len, struct buf *der)
{
    char whole[BASE64_MAX + 4];
    uint8_t out[BASE64_MAX];
    size_t n;

    if (len > BASE64_MAX)
        return ERR_TOO_LARGE;
    memcpy(whole, text, len);
    while (len % 4 != 0)
        whole[len++] = '=';
    if (len > 0 && base64_read(span_of(whole, len), out, &n))
        buf_put(der, out, n);
    return buf_end(der);
}

enum err ocsp_http_decode(const char *rest, struct buf *der)
{
    char text[3 * BASE64_MAX + 4]; /* every character escaped, and padding */
    enum err e = path_text(rest, text, sizeof text);

    if (e == OK)
        return text_decode(text, strlen(text), der);
    return e == ERR_MALFORMED ? OK : e;
}

struct merged {
    char text[BASE64_MAX + 1];
    size_t len;
    size_t slashes[SLASHES_MAX]; /* where they are */
    size_t count;
    struct buf *der;
    bool (*is_right)(void *arg, struct span der);
    void *arg;
};

static bool try_text(struct merged *m, const char *text, size_t len)
{
    buf_reset(m->der);
    return text_decode(text, len, m->der) == OK && m->der->len > 0 && m->is_right(m->arg, buf_span(m->der));
}

/* With a slash more at `a` and, unless they are the same place, at `b`. */
static bool try_two(struct merged *m, size_t a, size_t b, bool is_one)
{
    char text[BASE64_MAX + 3];
    size_t n = 0;

    for (size_t i = 0; i < m->len; i++) {
        text[n++] = m->text[i];
        if (i == a)
            text[n++] = '/';
        if (i == b && !is_one)
            text[n++] = '/';
    }
    return try_text(m, text, n);
}

static bool try_all(struct merged *m)
{
    for (size_t a = 0; a < m->count; a++)
        if (try_two(m, m->slashes[a], 0, true))
            return true;
    for (size_t a = 0; a < m->count; a++)
        for (size_t b = a; b < m->count; b++)
            if (try_two(m, m->slashes[a], m->slashes[b], false))
                return true;
    return false;
}

bool ocsp_http_unmerge(const char *rest, bool (*is_right)(void *arg, struct span der), void *arg,
                       struct buf *der)
{
    struct merged m = {.der = der, .is_right = is_right, .arg = arg};
    bool is_found = path_text(rest, m.text, sizeof m.text) == OK;

    m.len = is_found ? strlen(m.text) : 0;
    for (size_t i = 0; i < m.len; i++) {
        if (m.text[i] == '/' && m.count == SLASHES_MAX)
            is_found = false;
        else if (m.text[i] == '/')
            m.slashes[m.count++] = i;
    }
    is_found = is_found && try_all(&m);
    if (!is_found)
        buf_reset(der);
    return is_found;
}

static bool is_about_issued(void *arg, struct span der)
{
    struct public *p = arg;

    return ocsp_is_about_issued(p->ocsp, der, clock_now_s());
}

/* Only then can slashes have been merged: most requests are not read twice. */
static bool has_slash(const char *path)
{
    return strchr(path, '/') != NULL || strstr(path, "%2F") != NULL || strstr(path, "%2f") != NULL;
}

void ocsp_http_get(struct public *p, struct http_request *r, const char *rest)
{
    struct ocsp_request unread;

    buf_reset(&p->der);
    if (ocsp_http_decode(rest, &p->der) != OK) {
        public_refuse(r, ERR_TOO_LARGE, "an OCSP request has at most 4096 octets", NULL);
        return;
    }
    if (has_slash(rest) && ocsp_request_read(buf_span(&p->der), &unread) != OCSP_SUCCESSFUL)
        (void)ocsp_http_unmerge(rest, is_about_issued, p, &p->der);
    ask(p, r, buf_span(&p->der), true);
}
_Static_assert(OCSP_REQUEST_MAX == 4096, "as the text says");
