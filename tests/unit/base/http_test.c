/* SPDX-License-Identifier: Apache-2.0 */
/* Does the server take what HTTP allows, refuse what is ambiguous, and answer as the RFCs say? */
#include "tests/unit/base/host.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http_inner.h"

/* One request on a connection of its own; gives the answer. */
static struct answer ask(const struct host *h, const char *request, bool has_body)
{
    int fd = client_open(h);
    struct answer a;

    client_put(fd, request);
    a = client_take(fd, has_body);
    close(fd);
    return a;
}

static void assert_body(const struct host *h, const char *request, const char *expected)
{
    struct answer a = ask(h, request, true);

    cr_assert_eq(a.status, 200, "%s: %u", request, a.status);
    cr_assert_str_eq(a.body, expected);
    answer_free(&a);
}

/* ---- requests that are answered ---- */

Test(http, answers_get_with_date_type_and_length)
{
    struct host *h = host_start(NULL, NULL);
    struct answer a = ask(h, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", true);
    char date[64];
    int64_t t;

    cr_assert_eq(a.status, 200);
    cr_assert_str_eq(a.body, "GET /x");
    cr_assert(client_has_field(&a, "Content-Type: text/plain"));
    cr_assert(client_has_field(&a, "Content-Length: 6"));
    cr_assert_eq(sscanf(strstr(a.head, "\r\nDate: "), "\r\nDate: %63[^\r]", date), 1);
    cr_assert(clock_parse_http(date, &t));
    cr_assert(llabs(t - clock_now_s()) <= 5);
    answer_free(&a);
    host_stop(h);
}

Test(http, takes_a_body_with_length_and_with_chunks)
{
    struct host *h = host_start(NULL, NULL);

    assert_body(h, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "hello");
    assert_body(h,
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                "2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\nX-Trailer: dropped\r\n\r\n",
                "hello");
    assert_body(h, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "");
    assert_body(h, "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", "");
    host_stop(h);
}

Test(http, takes_a_request_one_octet_at_a_time)
{
    static const char request[] = "\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\nhello\r\n0\r\n\r\n";
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    for (int round = 0; round < 2; round++) {
        for (const char *p = request; *p != '\0'; p++)
            client_put_octets(fd, p, 1);
        a = client_take(fd, true);
        cr_assert_eq(a.status, 200);
        cr_assert_str_eq(a.body, "hello");
        answer_free(&a);
    }
    close(fd);
    host_stop(h);
}

Test(http, keeps_the_path_as_it_came)
{
    struct host *h = host_start(NULL, NULL);

    assert_body(h, "GET //a/%2F/../b?c=d HTTP/1.1\r\nHost: a\r\n\r\n", "GET //a/%2F/../b");
    assert_body(h, "GET http://a.example:80/b//c?d HTTP/1.1\r\nHost: other\r\n\r\n", "GET /b//c");
    assert_body(h, "GET http://a.example?d HTTP/1.1\r\nHost: other\r\n\r\n", "GET /");
    assert_body(h, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS *");
    assert_body(h, "PUT /x HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "PUT /x");
    host_stop(h);
}

Test(http, head_is_get_without_the_body)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    client_put(fd, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nHEAD /file HTTP/1.1\r\nHost: a\r\n\r\n"
                   "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    a = client_take(fd, false);
    cr_assert_eq(a.status, 200);
    cr_assert(client_has_field(&a, "Content-Length: 6"));
    a = client_take(fd, false);
    cr_assert(client_has_field(&a, "Content-Length: 3145745"));
    a = client_take(fd, true); /* follows at once: there was no body */
    cr_assert_str_eq(a.body, "GET /y");
    answer_free(&a);
    close(fd);
    host_stop(h);
}

Test(http, every_status_has_its_phrase)
{
    static const unsigned http_only[] = {201, 204, 206, 304, 412, 416, 501, 505};

    for (enum err e = OK; e < ERR_COUNT; e++)
        cr_assert_str_not_empty(http_reason(err_status(e)), "%u", err_status(e));
    for (size_t i = 0; i < sizeof http_only / sizeof *http_only; i++)
        cr_assert_str_not_empty(http_reason(http_only[i]), "%u", http_only[i]);
    cr_assert_str_eq(http_reason(429), "Too Many Requests");
    cr_assert_str_empty(http_reason(418));
}

Test(http, leaves_body_and_length_out_of_204_and_304)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    client_put(fd, "GET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n");
    a = client_take(fd, true);
    cr_assert_eq(a.status, 204);
    cr_assert_null(strcasestr(a.head, "Content-Length"));
    a = client_take(fd, true);
    cr_assert_eq(a.status, 304);
    cr_assert_null(strcasestr(a.head, "Content-Length"));
    close(fd);
    host_stop(h);
}

Test(http, sends_100_continue_only_when_it_is_waited_for)
{
    static const char expecting[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    client_put(fd, expecting);
    a = client_take(fd, true);
    cr_assert_eq(a.status, 100);
    client_put(fd, "hello");
    a = client_take(fd, true);
    cr_assert_str_eq(a.body, "hello");
    answer_free(&a);

    client_put(fd,
               "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    a = client_take(fd, true);
    cr_assert_eq(a.status, 200, "the body is there already");
    answer_free(&a);
    close(fd);
    cr_assert_eq(
        client_refused(
            h, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n",
            sizeof "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n" -
                1),
        413);
    host_stop(h);
}

Test(http, keeps_alive_as_the_version_says)
{
    static const struct {
        const char *request, *field;
        bool closes;
    } cases[] = {
        {"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", NULL, false},
        {"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "Connection: close", true},
        {"GET /x HTTP/1.0\r\n\r\n", "Connection: close", true},
        {"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive", false},
    };
    struct host *h = host_start(NULL, NULL);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = client_open(h);
        struct answer a;

        client_put(fd, cases[i].request);
        a = client_take(fd, true);
        cr_assert_eq(a.status, 200);
        cr_assert(cases[i].field == NULL || client_has_field(&a, cases[i].field));
        answer_free(&a);
        if (cases[i].closes) {
            cr_assert(client_is_closed(fd));
        } else {
            client_put(fd, cases[i].request);
            a = client_take(fd, true);
            cr_assert_eq(a.status, 200);
            answer_free(&a);
        }
        close(fd);
    }
    host_stop(h);
}

Test(http, an_upgrade_is_ignored)
{
    struct host *h = host_start(NULL, NULL);

    assert_body(h, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET /x");
    assert_body(h,
                "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: "
                "2\r\n\r\nhi",
                "hi");
    host_stop(h);
}

/* ---- accessors ---- */

Test(http_header, is_found_without_case_trimmed_and_joined)
{
    struct host *h = host_start(NULL, NULL);
    struct answer a;

    assert_body(h, "GET /header HTTP/1.1\r\nHost: a\r\nX-TEST: \t one two \t \r\n\r\n", "one two");
    assert_body(h, "GET /header HTTP/1.1\r\nHost: a\r\nx-test: 1\r\nOther: x\r\nX-Test:\r\nX-Test: 3\r\n\r\n",
                "1, , 3");
    assert_body(h, "GET /header HTTP/1.1\r\nHost: a\r\nx-test:\r\n\r\n", "");
    a = ask(h, "GET /header HTTP/1.1\r\nHost: a\r\nX-Tes: 1\r\nX-Test2: 1\r\n\r\n", true);
    cr_assert_eq(a.status, 404);
    answer_free(&a);
    host_stop(h);
}

Test(http_query, is_decoded_once_and_strictly)
{
    static const struct {
        const char *query, *expected; /* error, value, first unknown name */
    } cases[] = {
        {"?name=a%20b+c&days=1", "ok a b c -"},
        {"?%6eame=x", "ok x -"},
        {"?name=%2541", "ok %41 -"},
        {"?name", "ok  -"},
        {"?days=1&&", "not-found - -"},
        {"", "not-found - -"},
        {"?name=1&name=1", "malformed - -"},
        {"?name=%zz", "malformed - -"},
        {"?name=%2", "malformed - -"},
        {"?name=a%00b", "malformed - -"},
        {"?name=0123456789abcdef", "malformed - -"}, /* one too long for the handler's 16 */
        {"?name=0123456789abcde", "ok 0123456789abcde -"},
        {"?name=1&x%41=2", "ok 1 x%41"},
    };
    struct host *h = host_start(NULL, NULL);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];

        snprintf(request, sizeof request, "GET /query%s HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].query);
        assert_body(h, request, cases[i].expected);
    }
    host_stop(h);
}

Test(http_unescape, refuses_bad_escapes_nul_and_what_does_not_fit)
{
    char out[4];

    cr_assert(http_unescape(span_str("%41+"), out, sizeof out));
    cr_assert_str_eq(out, "A+");
    cr_assert(http_unescape(span_str("%61bc"), out, sizeof out));
    cr_assert(!http_unescape(span_str("abcd"), out, sizeof out));
    cr_assert(!http_unescape(span_str("%"), out, sizeof out));
    cr_assert(!http_unescape(span_str("%4"), out, sizeof out));
    cr_assert(!http_unescape(span_str("%4g"), out, sizeof out));
    cr_assert(!http_unescape(span_str("%00"), out, sizeof out));
    cr_assert(!http_unescape(span_str(""), out, 0));
}

/* ---- requests that are refused ---- */

#define HEAD "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define CASE(status, text)                                                                                   \
    {                                                                                                        \
        status, text, sizeof text - 1                                                                        \
    }

static const struct refused {
    unsigned status;
    const char *text;
    size_t len;
} refused[] = {
    /* two readings of where the body ends */
    CASE(400, HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: 5, 5\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: +5\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: -5\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: 0x5\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: \r\n\r\nhello"),
    CASE(413, HEAD "Content-Length: 99999999999999999999999\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length : 5\r\n\r\nhello"),
    CASE(400, HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE(400, HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    CASE(400, HEAD "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    CASE(400, HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
    CASE(501, HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    CASE(501, HEAD "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
    CASE(501, HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    CASE(400, HEAD "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"),
    CASE(400, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "5\nhello\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "5\rhello\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "5\r\nhello\n0\r\n\r\n"),
    CASE(400, CHUNKED "5;a\nhello\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "-5\r\nhello\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    CASE(400, CHUNKED "5\r\nhello\r\n0\r\n\n"),
    CASE(400, CHUNKED "5\r\nhello\r\n0\r\nA: b\n\r\n"),
    /* lines */
    CASE(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    CASE(400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n"),
    /* host */
    CASE(400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    CASE(400, "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    CASE(400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    /* request line */
    CASE(400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "GET / HTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    CASE(501, "FROB / HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    CASE(501, "DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n"),
    CASE(505, "GET /\r\n"),
    CASE(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    CASE(505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    CASE(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    /* limits */
    CASE(413, HEAD "Content-Length: 1001\r\n\r\n"),
    CASE(413, HEAD "Content-Length: 18446744073709551615\r\n\r\n"),
    CASE(413, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
    CASE(
        413, CHUNKED
        "3e9\r\n"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0"),
};

Test(http_refused, in_one_piece_and_octet_by_octet)
{
    struct host *h = host_start(NULL, NULL);

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct refused *r = &refused[i];
        unsigned status = client_refused(h, r->text, r->len);
        struct answer a;
        int fd;

        cr_assert_eq(status, r->status, "%u for %s", status, r->text);
        fd = client_open(h);
        for (size_t n = 0; n < r->len; n++)
            client_put_octets(fd, r->text + n, 1);
        a = client_take(fd, true);
        cr_assert_eq(a.status, r->status, "%u octet by octet for %s", a.status, r->text);
        answer_free(&a);
        close(fd);
    }
    cr_assert_eq(atomic_load(&h->handled), 0, "none of them reached a handler");
    host_stop(h);
}

Test(http_refused, is_told_by_the_error_handler)
{
    struct host *h = host_start(NULL, NULL);
    struct answer a = ask(h, "GET / HTTP/1.1\r\n\r\n", true);

    cr_assert_eq(a.status, 400);
    cr_assert(client_has_field(&a, "Content-Type: application/problem+json"));
    cr_assert_str_eq(a.body, "{\"status\":400,\"detail\":\"There is no Host field.\"}");
    answer_free(&a);
    host_stop(h);
}

Test(http_refused, header_block_beyond_its_limit)
{
    struct host *h = host_start(NULL, NULL);
    char big[40000], request[20000];
    size_t most = 16384 - strlen("GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n");

    memset(big, 'x', sizeof big);
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: a\r\nX: %.*s\r\n\r\n", (int)most, big);
    assert_body(h, request, "GET /");
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: a\r\nX: %.*s\r\n\r\n", (int)most + 1, big);
    cr_assert_eq(client_refused(h, request, strlen(request)), 431);
    memcpy(big, "GET /", 5);
    cr_assert_eq(client_refused(h, big, sizeof big), 431);
    memset(big, '\n', sizeof big);
    for (size_t i = 0; i < sizeof big; i += 2)
        big[i] = '\r';
    cr_assert_eq(client_refused(h, big, sizeof big), 431, "empty lines count");
    host_stop(h);
}

Test(http_refused, chunks_that_are_all_framing)
{
    static const char head[] = CHUNKED "1;";
    struct host *h = host_start(NULL, NULL);
    char *request = malloc(100000);

    memset(request, 'e', 100000);
    memcpy(request, head, sizeof head - 1);
    cr_assert_eq(client_refused(h, request, 100000), 400);
    free(request);
    host_stop(h);
}

Test(http_refused, a_body_too_large_but_readable_while_the_client_still_sends)
{
    static char body[300000];
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    client_put(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
    client_put_octets(fd, body, sizeof body); /* all of it, before the answer is read */
    a = client_take(fd, true);
    cr_assert_eq(a.status, 413);
    answer_free(&a);
    cr_assert(client_is_closed(fd));
    close(fd);
    host_stop(h);
}
