/* SPDX-License-Identifier: Apache-2.0 */
/* Are connections bounded in time, memory and number, and are answers delivered whole and in order? */
#include "tests/unit/base/host.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void assert_next(int fd, const char *expected)
{
    struct answer a = client_take(fd, true);

    cr_assert_eq(a.status, 200);
    cr_assert_str_eq(a.body, expected);
    answer_free(&a);
}

/* ---- order and delivery ---- */

Test(http_conn, pipelined_requests_are_answered_in_order)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);

    client_put(fd, GET("/1") GET("/later")
                       GET("/2") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET("/later")
                           GET("/3"));
    assert_next(fd, "GET /1");
    assert_next(fd, "held");
    assert_next(fd, "GET /2");
    assert_next(fd, "hi");
    assert_next(fd, "held");
    assert_next(fd, "GET /3");
    close(fd);
    host_stop(h);
}

Test(http_conn, a_row_of_requests_lets_others_in_between)
{
    struct host *h = host_start(NULL, NULL);
    int greedy = client_open(h), modest = client_open(h);
    struct answer a;

    client_put(modest, GET("/1"));
    assert_next(modest, "GET /1");
    client_put(greedy, GET("/gate"));
    while (atomic_load(&h->handled) < 2)
        poll(NULL, 0, 1);
    for (int i = 0; i < 500; i++) /* 18 KiB: the kernel holds them while the gate holds the loop */
        client_put(greedy, GET("/ordinal"));
    client_put(modest, GET("/ordinal"));
    sem_post(&h->gate);
    a = client_take(modest, true);
    cr_assert_eq(a.status, 200);
    cr_assert_leq(atoi(a.body), 10, "handled as number %s of 503", a.body);
    answer_free(&a);
    assert_next(greedy, "GET /gate");
    for (int i = 0; i < 500; i++) {
        a = client_take(greedy, true);
        cr_assert_eq(a.status, 200);
        answer_free(&a);
    }
    close(greedy);
    close(modest);
    host_stop(h);
}

Test(http_conn, a_row_of_requests_is_answered_after_its_client_has_closed_its_side)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);

    for (int i = 0; i < 100; i++)
        client_put(fd, GET("/1"));
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100; i++)
        assert_next(fd, "GET /1");
    cr_assert(client_is_closed(fd));
    close(fd);
    host_stop(h);
}

Test(http_conn, answers_a_client_that_has_closed_its_side)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);

    client_put(fd, GET("/later") GET("/1"));
    shutdown(fd, SHUT_WR);
    assert_next(fd, "held");
    assert_next(fd, "GET /1");
    cr_assert(client_is_closed(fd));
    close(fd);
    host_stop(h);
}

Test(http_conn, a_request_outlives_its_client)
{
    struct linger reset = {.l_onoff = 1};
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);

    client_put(fd, GET("/later"));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd); /* by RST */
    fd = client_open(h);
    client_put(fd, GET("/hold")); /* answered after the other has been */
    assert_next(fd, "held");
    cr_assert_eq(atomic_load(&h->handled), 2);
    close(fd);
    host_stop(h);
}

Test(http_conn, an_unanswered_request_survives_the_server)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);

    client_put(fd, GET("/hold"));
    while (atomic_load(&h->handled) == 0)
        poll(NULL, 0, 1);
    host_stop(h); /* replies to nobody, after the server was freed */
    cr_assert(client_is_closed(fd));
    close(fd);
}

Test(http_conn, a_large_file_arrives_whole)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;
    uint32_t word;

    client_put(fd, GET("/file") GET("/1"));
    a = client_take(fd, true);
    cr_assert_eq(a.body_len, 3u * 1024 * 1024 + 17);
    for (size_t i = 0; i < a.body_len / 4; i++) {
        memcpy(&word, a.body + 4 * i, 4);
        cr_assert_eq(word, i + 1);
    }
    answer_free(&a);
    assert_next(fd, "GET /1");
    close(fd);
    host_stop(h);
}

Test(http_conn, a_file_shorter_than_announced_ends_the_connection)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    client_put(fd, GET("/short-file") GET("/1"));
    a = client_take(fd, true);
    cr_assert_eq(a.status, 0, "neither padded nor followed by the next answer");
    answer_free(&a);
    close(fd);
    host_stop(h);
}

/* ---- memory ---- */

Test(http_conn, a_client_that_pipelines_and_never_reads_is_held_up)
{
    struct host *h = host_start(NULL, NULL);
    int small = 32768;
    int fd = client_open(h);
    char text[128], path[32];
    unsigned before;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "GET /large/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
        client_put(fd, text);
    }
    do {
        before = atomic_load(&h->handled);
        poll(NULL, 0, 100);
    } while (atomic_load(&h->handled) != before);
    cr_assert(before < 300, "%u answers of 64 KiB, beyond what the kernel's buffers hold", before);
    for (int i = 0; i < 1000; i++) {
        struct answer a = client_take(fd, true);

        snprintf(path, sizeof path, "/large/%d", i);
        cr_assert_eq(a.status, 200);
        cr_assert_str_eq(a.body, path);
        cr_assert_eq(a.body_len, 65536);
        answer_free(&a);
    }
    close(fd);
    host_stop(h);
}

Test(http_conn, nothing_more_is_read_while_a_request_is_answered)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    struct fault f = {0};
    size_t sent = 0;
    int small = 32768, listen_fd, fd;
    char text[4096];

    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &listen_fd, &f), OK);
    setsockopt(listen_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    h = host_start_at(listen_fd, NULL, &limits);
    fd = client_open(h);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    client_put(fd, GET("/hold"));
    while (atomic_load(&h->handled) == 0)
        poll(NULL, 0, 1);
    memset(text, 'x', sizeof text);
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        ssize_t n;

        if (poll(&p, 1, 50) == 0)
            break;
        n = send(fd, text, sizeof text, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        cr_assert(sent < 1024 * 1024, "the server reads on and on");
    }
    cr_assert_eq(atomic_load(&h->handled), 1);
    assert_next(fd, "held");
    close(fd);
    host_stop(h);
}

/* ---- time ---- */

static const struct http_limits hasty = {
    .header_max = 16384,
    .connections = 64,
    .header_ms = 200,
    .body_ms = 200,
    .idle_ms = 200,
    .write_ms = 200,
};

/* One octet every 20 ms until the server has had enough; gives the time that took. */
static int64_t drip(int fd, const char *text)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t start = now_ms();

    for (size_t i = 0; now_ms() - start < 5000; i++) {
        if (poll(&p, 1, 20) != 0)
            break;
        client_put_octets(fd, &text[i % strlen(text)], 1);
    }
    return now_ms() - start;
}

/* A request that never gets further than `start` however steadily `rest` drips. */
static void assert_cut_off(struct host *h, const char *start, const char *rest)
{
    int fd = client_open(h);
    struct answer a;
    int64_t took;

    client_put(fd, start);
    took = drip(fd, rest);
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
    assert_next(fd, "GET /1");
    client_put(fd, "GET /2 HTTP/1.1\r\n");
    took = drip(fd, "X: x\r\n");
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
    assert_next(idle, "GET /1");
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
    assert_next(fd, "held");
    client_put(fd, GET("/1"));
    assert_next(fd, "GET /1");
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

/* ---- number, and the end ---- */

Test(http_conn, a_connection_beyond_the_cap_takes_the_place_of_an_idle_one)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int a, b, c;

    limits.connections = 2;
    h = host_start(NULL, &limits);
    a = client_open(h);
    b = client_open(h);
    client_put(a, GET("/1"));
    assert_next(a, "GET /1");
    client_put(b, GET("/count"));
    assert_next(b, "2");
    c = client_open(h);
    client_put(c, GET("/count"));
    assert_next(c, "2");
    cr_assert(client_is_closed(a), "the oldest");
    client_put(b, GET("/2"));
    assert_next(b, "GET /2");
    close(a);
    close(b);
    close(c);
    host_stop(h);
}

Test(http_conn, one_that_drips_its_request_makes_way_too)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int a, b;

    limits.connections = 1;
    h = host_start(NULL, &limits);
    a = client_open(h);
    client_put(a, "GET /1 HTTP/1.1\r\nHost: a\r\nX: ");
    b = client_open(h);
    client_put(b, GET("/2"));
    assert_next(b, "GET /2");
    cr_assert(client_is_closed(a));
    close(a);
    close(b);
    host_stop(h);
}

Test(http_conn, a_connection_beyond_the_cap_is_closed_at_once_when_all_are_busy)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int a, b;

    limits.connections = 1;
    h = host_start(NULL, &limits);
    a = client_open(h);
    client_put(a, GET("/hold"));
    while (atomic_load(&h->handled) < 1)
        poll(NULL, 0, 1);
    b = client_open(h);
    cr_assert(client_is_closed(b));
    close(a);
    close(b);
    host_stop(h);
}

/* A client of another loopback address than the others. */
static int client_open_from(struct host *h, const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(inet_pton(AF_INET, address, &from.sin_addr), 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)atoi(strrchr(h->where, ':') + 1));
    cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

Test(http_conn, one_address_has_its_share_and_no_more)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int all[8], other;

    limits.per_address = 4;
    h = host_start(NULL, &limits);
    other = client_open_from(h, "127.0.0.9");
    client_put(other, GET("/1"));
    assert_next(other, "GET /1");
    for (size_t i = 0; i < 8; i++) {
        all[i] = client_open_from(h, "127.0.0.8");
        client_put(all[i], GET("/1"));
        assert_next(all[i], "GET /1");
    }
    for (size_t i = 0; i < 4; i++)
        cr_assert(client_is_closed(all[i]), "%zu", i);
    client_put(all[7], GET("/count"));
    assert_next(all[7], "5");
    client_put(other, GET("/2"));
    assert_next(other, "GET /2");
    for (size_t i = 0; i < 8; i++)
        close(all[i]);
    close(other);
    host_stop(h);
}

Test(http_conn, whoever_has_most_makes_way_first)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int few, most[3], fresh;

    limits.connections = 4;
    h = host_start(NULL, &limits);
    few = client_open_from(h, "127.0.0.9"); /* the oldest of all */
    client_put(few, GET("/1"));
    assert_next(few, "GET /1");
    for (size_t i = 0; i < 3; i++) {
        most[i] = client_open_from(h, "127.0.0.8");
        client_put(most[i], GET("/1"));
        assert_next(most[i], "GET /1");
    }
    fresh = client_open_from(h, "127.0.0.7");
    client_put(fresh, GET("/1"));
    assert_next(fresh, "GET /1");
    cr_assert(client_is_closed(most[0]));
    client_put(few, GET("/2"));
    assert_next(few, "GET /2");
    for (size_t i = 0; i < 3; i++)
        close(most[i]);
    close(few);
    close(fresh);
    host_stop(h);
}

Test(http_conn, who_is_not_admitted_is_closed_before_an_octet)
{
    struct host *h = host_start(NULL, NULL);
    int fd;

    strcpy(h->turned_away, "127.0.0.8");
    fd = client_open_from(h, "127.0.0.8");
    cr_assert(client_is_closed(fd));
    close(fd);
    fd = client_open_from(h, "127.0.0.9");
    client_put(fd, GET("/1"));
    assert_next(fd, "GET /1");
    close(fd);
    cr_assert_eq(atomic_load(&h->handled), 1);
    host_stop(h);
}

Test(http_conn, an_error_of_the_protocol_has_the_fields_of_the_callback)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);
    struct answer a;

    client_put(fd, "GET / HTTP/1.1\r\n\r\n");
    a = client_take(fd, true);
    cr_assert_eq(a.status, 400);
    cr_assert(client_has_field(&a, "X-Made: made up"));
    cr_assert(client_has_field(&a, "Content-Type: application/problem+json"));
    answer_free(&a);
    close(fd);
    host_stop(h);
}

Test(http_drain, answers_what_runs_and_closes_the_rest)
{
    struct host *h = host_start(NULL, NULL);
    int idle = client_open(h), busy = client_open(h), last = client_open(h);
    struct answer a;

    client_put(idle, GET("/1"));
    assert_next(idle, "GET /1");
    client_put(busy, GET("/hold") GET("/never"));
    while (atomic_load(&h->handled) < 2)
        poll(NULL, 0, 1);
    client_put(last, GET("/drain"));
    a = client_take(last, true);
    cr_assert_eq(a.status, 200);
    cr_assert(client_has_field(&a, "Connection: close"));
    answer_free(&a);
    cr_assert(client_is_closed(idle));
    a = client_take(busy, true);
    cr_assert_str_eq(a.body, "held");
    cr_assert(client_has_field(&a, "Connection: close"));
    answer_free(&a);
    cr_assert(client_is_closed(busy));
    close(idle);
    close(busy);
    close(last);
    host_wait(h);
    cr_assert(h->is_drained);
    cr_assert_eq(http_server_connections(h->server), 0);
    host_stop(h);
}
