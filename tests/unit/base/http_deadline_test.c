/* SPDX-License-Identifier: Apache-2.0 */
/* Is every client that drips, is silent or does not read cut off in time, and nobody else? */
#include "tests/unit/base/host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHORT_MS 200

/* A server of which one deadline alone is SHORT_MS: its place in struct http_limits. */
static struct host *host_hasty(size_t deadline)
{
    struct http_limits limits = HOST_LIMITS;

    *(int64_t *)((char *)&limits + deadline) = SHORT_MS;
    return host_start(NULL, &limits);
}

#define HASTY(deadline) host_hasty(offsetof(struct http_limits, deadline))

/* Dripping on ends in 408, and not before its time, which began after `start`. */
static void assert_too_late(int fd, int64_t start, const char *rest)
{
    struct answer a;
    int64_t took;

    cr_assert(client_drip(fd, rest) < CLIENT_PATIENCE_MS);
    took = now_ms() - start;
    cr_assert(took >= SHORT_MS - 50, "%d ms", (int)took);
    a = client_take(fd, true);
    cr_assert_eq(a.status, 408);
    answer_free(&a);
    close(fd);
}

/* A request that never gets further than `begin` however steadily `rest` drips. */
static void assert_cut_off(struct host *h, const char *begin, const char *rest)
{
    int64_t start = now_ms();
    int fd = client_open(h);

    client_put(fd, begin);
    assert_too_late(fd, start, rest);
}

Test(http_deadline, cuts_off_a_header_that_drips)
{
    struct host *h = HASTY(header_ms);

    assert_cut_off(h, "GET / HTTP/1.1\r\nHost: a\r\n", "X: x\r\n");
    assert_cut_off(h, "", "\r\n");
    host_stop(h);
}

Test(http_deadline, cuts_off_a_body_that_drips)
{
    struct host *h = HASTY(body_ms);

    assert_cut_off(h, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", "x");
    assert_cut_off(h, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n");
    host_stop(h);
}

Test(http_deadline, cuts_off_the_second_request_as_well)
{
    struct host *h = HASTY(header_ms);
    int fd = client_open(h);
    int64_t start;

    client_put(fd, GET("/1"));
    client_expect(fd, "GET /1");
    start = now_ms();
    client_put(fd, "GET /2 HTTP/1.1\r\n");
    assert_too_late(fd, start, "X: x\r\n");
    host_stop(h);
}

Test(http_deadline, ends_a_silent_connection_without_a_word)
{
    struct host *h = HASTY(header_ms);
    int64_t start = now_ms();
    int silent = client_open(h);

    cr_assert(client_is_closed(silent));
    cr_assert(now_ms() - start >= SHORT_MS - 50);
    close(silent);
    host_stop(h);
}

Test(http_deadline, ends_an_idle_connection_without_a_word)
{
    struct host *h = HASTY(idle_ms);
    int idle = client_open(h);
    int64_t start = now_ms();

    client_put(idle, GET("/1"));
    client_expect(idle, "GET /1");
    cr_assert(client_is_closed(idle));
    cr_assert(now_ms() - start >= SHORT_MS - 50);
    close(idle);
    host_stop(h);
}

Test(http_deadline, does_not_count_while_the_handler_works)
{
    struct host *h = HASTY(header_ms);
    int fd = client_open(h);

    client_put(fd, GET("/hold")); /* 300 ms */
    client_expect(fd, "held");
    client_put(fd, GET("/1"));
    client_expect(fd, "GET /1");
    close(fd);
    host_stop(h);
}

/* Until the server has no connection but the one that asks for the number. */
static void wait_until_alone(struct host *h)
{
    int64_t start = now_ms();
    int fd = client_open(h);
    struct answer a;
    bool is_alone;

    do {
        poll(NULL, 0, 10);
        client_put(fd, GET("/count"));
        a = client_take(fd, true);
        cr_assert_eq(a.status, 200);
        is_alone = strcmp(a.body, "1") == 0;
        answer_free(&a);
    } while (!is_alone && now_ms() - start < CLIENT_PATIENCE_MS);
    cr_assert(is_alone);
    close(fd);
}

Test(http_deadline, ends_a_client_that_does_not_take_its_answer)
{
    struct host *h = HASTY(write_ms);
    int fd = client_open(h), small = 4096;
    struct answer a;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 100; i++)
        client_put(fd, GET("/file"));
    wait_until_alone(h);
    do {
        a = client_take(fd, true);
        answer_free(&a);
    } while (a.status == 200);
    cr_assert_eq(a.status, 0);
    cr_assert(atomic_load(&h->handled) < 100);
    close(fd);
    host_stop(h);
}

Test(http_deadline, a_refused_client_that_sends_on_is_read_no_further_and_closed)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h), small = 32768;
    static char text[65536];
    struct answer a;
    size_t sent = 0;
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    client_put(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    a = client_take(fd, true);
    cr_assert_eq(a.status, 413);
    answer_free(&a);
    while ((n = send(fd, text, sizeof text, MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    cr_assert(errno == EPIPE || errno == ECONNRESET);
    cr_assert(sent < 16 * 1024 * 1024, "%zu: a MiB and what the kernel holds", sent);
    close(fd);
    host_stop(h);
}
