/* SPDX-License-Identifier: Apache-2.0 */
/* call: one request from its arrival to its answer: route, login, handler; then the answer, the log line and
 * the counts. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"

/* A page of 1,000 certificates is some 500 KiB; one of certificates that each name what fills a request of
 * CSR_MAX octets is about as much as this. Beyond it the answer is 413 and says to ask for fewer. */
#define JSON_MAX (64u * 1024 * 1024)
#define FIELDS_MAX 9
#define PARAMS_MAX 12u /* of one query: more than any list has filters */

static void log_call(const struct call *c, unsigned status, int64_t ms)
{
    log_info("request", "method=%s path=%.512s status=%u principal=%s ms=%lld id=%s", http_method(c->request),
             http_path(c->request), status, c->login.who.name, (long long)ms, c->request_id);
}

/* Log line, counts and the fields of every answer. */
static void prepare(const struct call *c, unsigned status, const char *type, const struct http_field *more,
                    struct http_field fields[static FIELDS_MAX + 1])
{
    const struct http_field first[] = {
        {"Content-Type", type},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"X-Request-Id", c->request_id},
    };
    int64_t ms = clock_monotonic_ms() - c->started_ms;

    memset(fields, 0, (FIELDS_MAX + 1) * sizeof *fields);
    memcpy(fields, first, sizeof first);
    for (size_t n = sizeof first / sizeof *first; more != NULL && more->name != NULL && n < FIELDS_MAX; n++)
        fields[n] = *more++;
    log_call(c, status, ms);
    c->api->stats.answers[status / 100 % 6]++;
    c->api->stats.ms += (uint64_t)ms;
}

void call_reply(struct call *c, unsigned status, const char *type, struct span body,
                const struct http_field *more)
{
    struct http_field fields[FIELDS_MAX + 1];

    prepare(c, status, type, more, fields);
    http_reply(c->request, status, fields, body);
    free(c);
}

void call_reply_file(struct call *c, const char *type, int fd, uint64_t len)
{
    struct http_field fields[FIELDS_MAX + 1];

    prepare(c, 200, type, NULL, fields);
    http_reply_file(c->request, 200, fields, fd, 0, len);
    free(c);
}

void call_json(struct call *c, unsigned status, struct js *v, const struct http_field *more)
{
    struct buf body;

    buf_init(&body, JSON_MAX);
    js_write(v, &body);
    buf_put_u8(&body, '\n');
    js_free(v);
    if (buf_end(&body) == OK)
        call_reply(c, status, "application/json", buf_span(&body), more);
    else
        call_problem(c, ERR_TOO_LARGE, NULL, "The answer would be too large; ask for fewer.");
    buf_free(&body);
}

/* What goes with a status besides the document. RFC 9110 15.5.2, 15.6.4 */
static const struct http_field *problem_fields(enum err e)
{
    static const struct http_field login[] = {{"WWW-Authenticate", "Bearer realm=\"chancery\""},
                                              {NULL, NULL}};
    static const struct http_field later[] = {{"Retry-After", "5"}, {NULL, NULL}};

    return e == ERR_UNAUTHENTICATED ? login : e == ERR_UNAVAILABLE ? later : NULL;
}

static void problem_reply(struct call *c, enum err e, const struct findings *fs, const char *detail,
                          const struct http_field *more)
{
    struct buf body;

    if (err_status(e) >= 500 || e == ERR_UNAUTHENTICATED || e == ERR_FORBIDDEN)
        log_warn("refused", "id=%s code=%s %s", c->request_id, err_name(e), detail);
    else
        log_info("refused", "id=%s code=%s %s", c->request_id, err_name(e), detail);
    for (size_t i = 0; fs != NULL && i < fs->count; i++)
        log_info("finding", "id=%s rule=%s severity=%s", c->request_id, fs->items[i].rule,
                 severity_name(fs->items[i].severity));
    buf_init(&body, JSON_MAX);
    problem_write(&body, e, detail, c->request_id, fs);
    call_reply(c, err_status(e), PROBLEM_TYPE, buf_span(&body), more);
    buf_free(&body);
}

void call_problem(struct call *c, enum err e, const struct findings *fs, const char *fmt, ...)
{
    char detail[FAULT_DETAIL_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    problem_reply(c, e, fs, detail, problem_fields(e));
}

void call_report(struct call *c, const char *detail, struct span report)
{
    struct buf body;

    log_info("refused", "id=%s code=%s %s", c->request_id, err_name(ERR_POLICY), detail);
    buf_init(&body, JSON_MAX);
    problem_write_report(&body, ERR_POLICY, detail, c->request_id, report);
    call_reply(c, err_status(ERR_POLICY), PROBLEM_TYPE, buf_span(&body), NULL);
    buf_free(&body);
}

void call_damaged(struct call *c, const char *next)
{
    static const char detail[] =
        "A row of this list is damaged: the log of the service names it. The list goes on at \"next\".";
    struct buf body;

    log_warn("refused", "id=%s code=%s %s", c->request_id, err_name(ERR_INTERNAL), detail);
    buf_init(&body, JSON_MAX);
    problem_write_next(&body, detail, c->request_id, next);
    call_reply(c, err_status(ERR_INTERNAL), PROBLEM_TYPE, buf_span(&body), NULL);
    buf_free(&body);
}

void call_unsent(struct call *c, enum err e)
{
    if (e == ERR_TOO_LARGE)
        call_problem(c, e, NULL, "The CSR asks for more than a certificate can hold.");
    else
        call_problem(c, e, NULL, "Too many requests wait for the CA now; nothing was done.");
}

void call_question(const struct call *c, struct buf *message)
{
    buf_init(message, WIRE_MSG_MAX);
    buf_put_blob(message, span_str(c->login.who.name));
}

bool call_ask(struct call *c, enum ask_kind kind, struct buf *message, asker_done *done, void *arg)
{
    enum err e = asker_send(c->api->asker, kind, buf_span(message), done, arg);

    buf_free(message);
    if (e != OK)
        call_unsent(c, e);
    return e == OK;
}

void call_refused(struct call *c, const struct answer *a, const struct findings *fs)
{
    if (a->is_late)
        call_problem(c, ERR_UNAVAILABLE, NULL,
                     "No answer came in time. What was asked may still be done: look before asking again, or "
                     "repeat it with the same "
                     "Idempotency-Key.");
    else
        call_problem(c, a->err, fs, "%s", a->detail);
}

static bool is_known_query(struct call *c, const struct call_param *params)
{
    const char *known[PARAMS_MAX + 1] = {0}, *unknown;

    for (size_t i = 0; params != NULL && params[i].name != NULL; i++) {
        assert(i < PARAMS_MAX);
        known[i] = params[i].name;
    }
    unknown = http_query_unknown(c->request, known);
    if (unknown != NULL)
        call_problem(c, ERR_MALFORMED, NULL, "There is no query parameter \"%.64s\" here.", unknown);
    return unknown == NULL;
}

static bool read_param(struct call *c, const struct call_param *p)
{
    enum err e = http_query(c->request, p->name, p->text, p->cap);

    if (e == ERR_NOT_FOUND)
        p->text[0] = '\0';
    if (e == OK || e == ERR_NOT_FOUND)
        return true;
    call_problem(c, ERR_MALFORMED, NULL,
                 "The query parameter \"%s\" cannot be read: given twice, too long or badly escaped.",
                 p->name);
    return false;
}

bool call_query(struct call *c, const struct call_param *params)
{
    if (!is_known_query(c, params))
        return false;
    for (; params != NULL && params->name != NULL; params++)
        if (!read_param(c, params))
            return false;
    return true;
}

bool call_body(struct call *c, call_reader *read, void *out)
{
    struct js *body = NULL;
    struct fault f = {0};
    const char *wrong;

    if (js_parse(http_body(c->request), &body, &f) != OK) {
        call_problem(c, ERR_MALFORMED, NULL, "%s", f.detail);
        return false;
    }
    wrong = read(body, out);
    js_free(body);
    if (wrong != NULL)
        call_problem(c, ERR_MALFORMED, NULL, "%s", wrong);
    return wrong == NULL;
}

void call_unreadable(struct call *c)
{
    call_problem(c, ERR_UNAVAILABLE, NULL, "The store cannot be read now.");
}

struct view *call_view(struct call *c)
{
    struct view *v = NULL;

    if (view_open(c->api->store, &v) == OK)
        return v;
    call_unreadable(c);
    return NULL;
}

/* Everything under /api needs a login, whether it exists or not. */
static bool is_api(const char *path)
{
    return strncmp(path, "/api", 4) == 0 && (path[4] == '/' || path[4] == '\0');
}

/* 429 with Retry-After. */
static void refuse_rate(struct call *c, unsigned wait_s)
{
    char seconds[16];

    snprintf(seconds, sizeof seconds, "%u", wait_s);
    problem_reply(c, ERR_RATE, NULL, "Too many requests of this kind: wait as long as Retry-After says.",
                  (struct http_field[]){{"Retry-After", seconds}, {NULL, NULL}});
}

/* A use is noted once a day: who looks for tokens nobody needs wants no more, and a write for each would be
 * dear. */
#define USED_S DAY_S

static void note_use(struct call *c)
{
    uint8_t id[TOKEN_ID_LEN];

    if (strncmp(c->login.who.name, "token:", 6) != 0 || !hex_decode(c->login.who.name + 6, id, sizeof id) ||
        (c->login.token_used_s != NO_TIME && c->api->now_s() - c->login.token_used_s < USED_S))
        return;
    asker_tell(c->api->asker, ASK_TOKEN_USED, span_of(id, sizeof id));
}

/* Seconds to wait, 0: none. */
static unsigned note_failure(struct call *c, const struct http_peer *peer)
{
    login_failure_note(c->api->login_failures, peer, c->login.failure);
    return limits_failed(c->api->limits, peer);
}

/* May he who has logged in do this? Sets the seconds that he has to wait first. */
static enum err permit(struct call *c, const struct route *route, unsigned *wait_s, struct fault *f)
{
    const struct principal *who = &c->login.who;
    enum err e;

    note_use(c);
    e = route_permits(route, who, f);
    if (e == OK && route != NULL)
        e = origin_check(c->request, &c->login, f);
    if (e != OK)
        denied_note(c->api->denied, who->name, route, f->detail);
    if (e == OK && route != NULL && route->is_costly)
        *wait_s = limits_request(c->api->limits, http_peer(c->request), who);
    return e;
}

/* False, and answered, for whoever may not go on. */
static bool admit(struct call *c, const struct route *route)
{
    const struct http_peer *peer = http_peer(c->request);
    struct fault f = {0};
    unsigned wait_s;
    enum err e;

    if (!permits_has(c->api->permits, ACCESS_NOBODY, peer)) { /* an older connection, a newer list */
        call_problem(c, ERR_FORBIDDEN, NULL, "The permit list does not name this address.");
        return false;
    }
    if (peer->is_loopback && (route == NULL ? !is_api(http_path(c->request)) : route->is_local))
        return true;
    e = login_check(c->api, peer, http_header(c->request, "Authorization"), &c->login, &f);
    wait_s = e == ERR_UNAUTHENTICATED || e == ERR_FORBIDDEN ? note_failure(c, peer) : 0;
    if (e == OK)
        e = permit(c, route, &wait_s, &f);
    if (e != OK)
        c->api->stats.logins_refused++;
    if (wait_s > 0)
        refuse_rate(c, wait_s);
    else if (e != OK)
        call_problem(c, f.code, NULL, "%s", f.detail);
    return e == OK && wait_s == 0;
}

void call_begin(struct http_request *r, struct api *a)
{
    struct call *c = xcalloc(1, sizeof *c);
    const struct route *route = NULL;
    char allow[64];
    enum err found;

    c->api = a;
    c->request = r;
    c->started_ms = clock_monotonic_ms();
    c->login = (struct login){.who = {.name = "-"}};
    request_id_new(c->request_id);
    found = route_find(http_method(r), http_path(r), &route, c->arg, allow);
    if (!admit(c, route))
        return;
    if (found == ERR_METHOD)
        problem_reply(c, found, NULL, err_text(found), (struct http_field[]){{"Allow", allow}, {NULL, NULL}});
    else if (found != OK)
        call_problem(c, found, NULL, "%s", err_text(found));
    else
        route->handle(c);
}
