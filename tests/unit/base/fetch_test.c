/* SPDX-License-Identifier: Apache-2.0 */
/* Does one exchange carry what was asked, report what came back, and refuse what cannot be trusted? */
#include "base/fetch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/base/canned.h"

static enum err fetch_one(const char *answer, const struct fetch_request *r, struct fetch_answer *a,
                          char **request)
{
    struct canned *c = canned_start(&answer, 1);
    struct fetch_target t = {
        .unix_socket = canned_socket(c), .base_url = "http://localhost/", .timeout_s = 20};
    struct fault f = {0};
    enum err e = fetch(&t, r, a, &f);

    canned_join(c);
    *request = strdup(canned_request(c, 0));
    canned_stop(c);
    return e;
}

static bool has_line(const char *request, const char *line)
{
    char want[256];

    snprintf(want, sizeof want, "\r\n%s\r\n", line);
    return strstr(request, want) != NULL;
}

Test(fetch, a_get_asks_for_the_path_as_it_is_and_no_more)
{
    struct fetch_request r = {.method = "GET", .path = "/a/../b?x=1", .accept = "application/json"};
    struct fetch_answer a;
    char *request;

    cr_assert_eq(
        fetch_one("HTTP/1.1 404 No\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}",
                  &r, &a, &request),
        OK);
    cr_assert_eq(a.status, 404);
    cr_assert_str_eq(a.content_type, "application/problem+json");
    cr_assert_str_eq(a.location, "");
    cr_assert(span_eq(buf_span(&a.body), span_str("{}")));
    cr_assert(strstr(request, "GET /a/../b?x=1 HTTP/1.1\r\n") == request, "%s", request);
    cr_assert(has_line(request, "Accept: application/json"));
    cr_assert_null(strstr(request, "Content-Type"));
    cr_assert_null(strstr(request, "Cookie"));
    free(request);
    fetch_answer_free(&a);
}

Test(fetch, a_post_carries_body_type_and_key)
{
    struct fetch_request r = {.method = "POST",
                              .path = "/c",
                              .content_type = "application/pkcs10",
                              .idempotency_key = "k1",
                              .body = span_str("\x30\x01")};
    struct fetch_answer a;
    char *request;

    cr_assert_eq(
        fetch_one("HTTP/1.1 201 Created\r\nLocation: /c/01\r\nContent-Length: 0\r\n\r\n", &r, &a, &request),
        OK);
    cr_assert_eq(a.status, 201);
    cr_assert_str_eq(a.location, "/c/01");
    cr_assert(has_line(request, "Content-Type: application/pkcs10"));
    cr_assert(has_line(request, "Idempotency-Key: k1"));
    cr_assert(has_line(request, "Content-Length: 2"));
    cr_assert_null(strstr(request, "Expect"));
    cr_assert_str_eq(strstr(request, "\r\n\r\n") + 4, "\x30\x01");
    free(request);
    fetch_answer_free(&a);
}

Test(fetch, methods_without_a_body_send_none)
{
    static const struct {
        const char *method, *line;
        bool has_length;
    } rows[] = {{"POST", "POST /p HTTP/1.1\r\n", true}, {"DELETE", "DELETE /p HTTP/1.1\r\n", false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch_request r = {.method = rows[i].method, .path = "/p"};
        struct fetch_answer a;
        char *request;

        cr_assert_eq(fetch_one("HTTP/1.1 204 Done\r\n\r\n", &r, &a, &request), OK);
        cr_assert_eq(a.status, 204);
        cr_assert(strstr(request, rows[i].line) == request);
        cr_assert_eq(has_line(request, "Content-Length: 0"), rows[i].has_length);
        cr_assert_null(strstr(request, "Content-Type"));
        free(request);
        fetch_answer_free(&a);
    }
}

Test(fetch, redirects_are_reported_not_followed)
{
    struct fetch_request r = {.method = "GET", .path = "/"};
    struct fetch_answer a;
    char *request;

    cr_assert_eq(fetch_one("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                           &r, &a, &request),
                 OK);
    cr_assert_eq(a.status, 302);
    cr_assert_str_eq(a.location, "http://127.0.0.1:1/");
    free(request);
    fetch_answer_free(&a);
}

Test(fetch, half_an_answer_is_none)
{
    static const char *const halves[] = {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                                         "no http at all\r\n\r\n"};

    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        struct fetch_request r = {.method = "GET", .path = "/"};
        struct fetch_answer a;
        char *request;

        cr_assert_eq(fetch_one(halves[i], &r, &a, &request), ERR_UNAVAILABLE, "%s", halves[i]);
        cr_assert_eq(a.is_closed, halves[i][0] == '\0', "%s", halves[i]);
        free(request);
        fetch_answer_free(&a);
    }
}

/* Nobody has answered, and nobody has closed. */
static enum err fetch_from(const struct fetch_target *t, struct fault *f)
{
    struct fetch_request r = {.method = "GET", .path = "/"};
    struct fetch_answer a;
    enum err e = fetch(t, &r, &a, f);

    cr_assert_not(a.is_closed);
    fetch_answer_free(&a);
    return e;
}

Test(fetch, nobody_there_is_unavailable_and_named)
{
    struct fetch_target t = {
        .unix_socket = "/nonexistent/control.sock", .base_url = "http://localhost", .timeout_s = 5};
    struct fault f = {0};

    cr_assert_eq(fetch_from(&t, &f), ERR_UNAVAILABLE);
    cr_assert_str_eq(f.detail, "/nonexistent/control.sock: No such file or directory");
}

/* Root may open any socket: the question is asked as nobody. */
Test(fetch, a_socket_that_its_mode_keeps_from_us_is_forbidden)
{
    char path[] = "/tmp/fetch.XXXXXX";
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct fetch_target t = {.unix_socket = a.sun_path, .base_url = "http://localhost", .timeout_s = 5};
    struct fault f = {0};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uid_t self = geteuid();
    enum err e;

    cr_assert_not_null(mkdtemp(path));
    snprintf(a.sun_path, sizeof a.sun_path, "%s/s", path);
    cr_assert(bind(s, (const struct sockaddr *)&a, sizeof a) == 0 && listen(s, 1) == 0);
    cr_assert_eq(chmod(path, 0), 0);
    cr_assert_eq(seteuid(self == 0 ? 65534 : self), 0);
    e = fetch_from(&t, &f);
    cr_assert_eq(seteuid(self), 0);
    cr_assert(chmod(path, 0700) == 0 && unlink(a.sun_path) == 0 && rmdir(path) == 0 && close(s) == 0);
    cr_assert_eq(e, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(f.detail, "/s: Permission denied"));
}

Test(fetch, other_protocols_are_refused)
{
    struct fetch_target t = {.base_url = "file:///etc/passwd#", .timeout_s = 5};

    cr_assert_eq(fetch_from(&t, NULL), ERR_USAGE);
}

Test(fetch, a_token_never_travels_in_the_clear)
{
    struct fetch_target t = {.base_url = "http://127.0.0.1:1", .token = "secret", .timeout_s = 5};
    struct fault f = {0};

    cr_assert_eq(fetch_from(&t, &f), ERR_USAGE);
    cr_assert_null(strstr(f.detail, "secret"));
    t.base_url = "https://127.0.0.1:1";
    cr_assert_eq(fetch_from(&t, NULL), ERR_UNAVAILABLE);
}

Test(fetch, a_value_with_a_line_break_is_refused)
{
    struct fetch_target t = {.base_url = "https://127.0.0.1:1", .token = "a\r\nX: y", .timeout_s = 5};

    cr_assert_eq(fetch_from(&t, NULL), ERR_USAGE);
}

Test(fetch, a_server_that_never_answers_is_given_up)
{
    struct canned *c = canned_start(NULL, 0);
    struct fetch_target t = {.unix_socket = canned_socket(c), .base_url = "http://localhost", .timeout_s = 1};
    struct fault f = {0};

    cr_assert_eq(fetch_from(&t, &f), ERR_UNAVAILABLE);
    cr_assert_not_null(strstr(f.detail, "timed out"));
    canned_stop(c);
}

Test(fetch, an_answer_without_end_is_cut)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    size_t len = sizeof head - 1 + FETCH_BODY_MAX + 1;
    char *answer = malloc(len + 1);
    struct canned *c;
    struct fetch_target t = {.base_url = "http://localhost", .timeout_s = 60};

    memset(answer, 'x', len);
    memcpy(answer, head, sizeof head - 1);
    answer[len] = '\0';
    c = canned_start((const char *const[]){answer}, 1);
    t.unix_socket = canned_socket(c);
    cr_assert_eq(fetch_from(&t, NULL), ERR_TOO_LARGE);
    canned_stop(c);
    free(answer);
}

static void expect_query(const char *start, const char *value, const char *want)
{
    struct buf path;

    buf_init(&path, 1 << 12);
    buf_put_str(&path, start);
    fetch_query(&path, "cn", value);
    cr_assert(span_eq(buf_span(&path), span_str(want)), "%.*s", (int)path.len, path.data);
    buf_free(&path);
}

Test(fetch, query_parameters_are_escaped)
{
    expect_query("/p", "a b&c=d", "/p?cn=a%20b%26c%3Dd");
    expect_query("/p?x=1", "*.example.com", "/p?x=1&cn=%2A.example.com");
    expect_query("/p", "gr\xc3\xbc\xc3\x9f/?#", "/p?cn=gr%C3%BC%C3%9F%2F%3F%23");
    expect_query("/p", "", "/p?cn=");
    expect_query("/p", NULL, "/p");
}

Test(fetch, path_text_keeps_its_slashes_alone)
{
    struct buf path;

    buf_init(&path, 1 << 12);
    buf_put_str(&path, "/p/");
    fetch_path(&path, "ucm/tom cat?x");
    cr_assert(span_eq(buf_span(&path), span_str("/p/ucm/tom%20cat%3Fx")));
    buf_free(&path);
}

/* ---- the pool ---- */

#define POOLED 5

struct pooled {
    unsigned done, ok;
    char bodies[POOLED][16];
};

static void on_pooled(enum err e, const struct fault *f, const struct fetch_answer *a, void *arg)
{
    struct pooled *p = arg;

    (void)f;
    if (e == OK && a->status == 200 &&
        !span_to_str(buf_span(&a->body), p->bodies[p->ok++], sizeof p->bodies[0]))
        p->ok = 0;
    p->done++;
}

Test(fetch_pool, every_exchange_that_was_begun_is_done_once)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    const char *answers[POOLED] = {answer, answer, answer, answer, answer};
    struct canned *c = canned_start(answers, POOLED);
    struct fetch_target t = {
        .unix_socket = canned_socket(c), .base_url = "http://localhost", .timeout_s = 20};
    struct fetch_pool *pool = fetch_pool_new(&t, 2);
    struct pooled p = {0};
    struct fault f = {0};
    char body[24];

    for (int i = 0; i < POOLED; i++) {
        snprintf(body, sizeof body, "body%d", i); /* overwritten while the last is under way: it is a copy */
        struct fetch_request r = {
            .method = "POST", .path = "/c", .body = span_str(body), .idempotency_key = "k"};
        cr_assert_eq(fetch_pool_begin(pool, &r, on_pooled, &p, &f), OK, "%s", f.detail);
    }
    memset(body, 'x', sizeof body);
    fetch_pool_finish(pool);
    canned_join(c);
    cr_assert_eq(p.done, POOLED);
    cr_assert_eq(p.ok, POOLED);
    for (int i = 0; i < POOLED; i++) {
        char want[24];
        bool found = false;

        cr_assert_str_eq(p.bodies[i], "ok");
        snprintf(want, sizeof want, "body%d", i);
        for (size_t k = 0; k < POOLED; k++)
            found = found || strstr(canned_request(c, k), want) != NULL;
        cr_assert(found, "%s", want);
    }
    fetch_pool_free(pool);
    canned_stop(c);
}

Test(fetch_pool, a_service_that_is_not_there_is_told_to_each)
{
    struct fetch_target t = {.unix_socket = "/nonexistent/socket", .base_url = "http://localhost"};
    struct fetch_request r = {.method = "POST", .path = "/c", .body = span_str("x")};
    struct fetch_pool *pool = fetch_pool_new(&t, 2);
    struct pooled p = {0};
    struct fault f = {0};

    for (int i = 0; i < 3; i++)
        cr_assert_eq(fetch_pool_begin(pool, &r, on_pooled, &p, &f), OK);
    fetch_pool_finish(pool);
    cr_assert_eq(p.done, 3);
    cr_assert_eq(p.ok, 0);
    fetch_pool_free(pool);
}

Test(fetch_pool, a_request_that_cannot_be_sent_is_refused_at_once)
{
    struct fetch_target t = {.base_url = "ftp://localhost"};
    struct fetch_request r = {.method = "POST", .path = "/c"};
    struct fetch_pool *pool = fetch_pool_new(&t, 1);
    struct pooled p = {0};
    struct fault f = {0};

    cr_assert_eq(fetch_pool_begin(pool, &r, on_pooled, &p, &f), ERR_USAGE);
    fetch_pool_finish(pool);
    cr_assert_eq(p.done, 0);
    fetch_pool_free(pool);
}
