/* SPDX-License-Identifier: Apache-2.0 */
/* Is every client that drips, is silent or does not read cut off in time, and nobody else? */
#include "tests/unit/base/host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct http_limits hasty = {
    .header_max = 16384,
    .connections = 64,
    .header_ms = 200,
    .body_ms = 200,
    .idle_ms = 200,
    .write_ms = 200,
};

/* A request that never gets further than `start` however steadily `rest` drips. */
static void assert_cut_off(struct host *h, const char *start, const char *rest)
{
    int fd = client_open(h);
    struct answer a;
    int64_t took;

    client_put(fd, start);
    took = client_drip(fd, rest);
    cr_assert(took >= 150 && took < 2000, "%d ms", (int)took);
    a = client_take(fd, true);
    cr_assert_eq(a.status, 408);
    answer_free(&a);
    close(fd);
}

Test(http_deadline, cuts_off_a_header_that_drips)
{
    struct host *h = host_start(NULL, &hasty);

    assert_cut_off(h, "GET / HTTP/1.1\r\nHost: a\r\n", "X: x\r\n");
    assert_cut_off(h, "", "\r\n");
    host_stop(h);
}

Test(http_deadline, cuts_off_a_body_that_drips)
{
    struct host *h = host_start(NULL, &hasty);

    assert_cut_off(h, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", "x");
    assert_cut_off(h, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n");
    host_stop(h);
}

Test(http_deadline, cuts_off_the_second_request_as_well)
{
    struct host *h = host_start(NULL, &hasty);
    int fd = client_open(h);
    struct answer a;
    int64_t took;

    client_put(fd, GET("/1"));
    client_expect(fd, "GET /1");
    client_put(fd, "GET /2 HTTP/1.1\r\n");
    took = client_drip(fd, "X: x\r\n");
    cr_assert(took >= 150 && took < 2000, "%d ms", (int)took);
    a = client_take(fd, true);
    cr_assert_eq(a.status, 408);
    answer_free(&a);
    close(fd);
    host_stop(h);
}

Test(http_deadline, ends_silent_and_idle_connections_without_a_word)
{
    struct host *h = host_start(NULL, &hasty);
    int silent = client_open(h), idle = client_open(h);

    client_put(idle, GET("/1"));
    client_expect(idle, "GET /1");
    cr_assert(client_is_closed(silent));
    cr_assert(client_is_closed(idle));
    close(silent);
    close(idle);
    host_stop(h);
}

Test(http_deadline, does_not_count_while_the_handler_works)
{
    struct host *h = host_start(NULL, &hasty);
    int fd = client_open(h);

    client_put(fd, GET("/hold")); /* 300 ms */
    client_expect(fd, "held");
    client_put(fd, GET("/1"));
    client_expect(fd, "GET /1");
    close(fd);
    host_stop(h);
}

Test(http_deadline, ends_a_client_that_does_not_take_its_answer)
{
    struct host *h = host_start(NULL, &hasty);
    int fd = client_open(h), small = 4096;
    struct answer a;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 100; i++)
        client_put(fd, GET("/file"));
    poll(NULL, 0, 900);
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
    int64_t start = now_ms();
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
    cr_assert(now_ms() - start < 5000);
    close(fd);
    host_stop(h);
}
