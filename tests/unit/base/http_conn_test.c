/* SPDX-License-Identifier: Apache-2.0 */
/* Are answers delivered whole and in order, in bounded memory, and at the end too? */
#include "tests/unit/base/host.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- order and delivery ---- */

Test(http_conn, pipelined_requests_are_answered_in_order)
{
    struct host *h = host_start(NULL, NULL);
    int fd = client_open(h);

    client_put(fd, GET("/1") GET("/later")
                       GET("/2") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET("/later")
                           GET("/3"));
    client_expect(fd, "GET /1");
    client_expect(fd, "held");
    client_expect(fd, "GET /2");
    client_expect(fd, "hi");
    client_expect(fd, "held");
    client_expect(fd, "GET /3");
    close(fd);
    host_stop(h);
}

Test(http_conn, a_row_of_requests_lets_others_in_between)
{
    struct host *h = host_start(NULL, NULL);
    int greedy = client_open(h), modest = client_open(h);
    struct answer a;

    client_put(modest, GET("/1"));
    client_expect(modest, "GET /1");
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
    client_expect(greedy, "GET /gate");
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
        client_expect(fd, "GET /1");
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
    client_expect(fd, "held");
    client_expect(fd, "GET /1");
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
    client_expect(fd, "held");
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
    client_expect(fd, "GET /1");
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
    client_expect(fd, "held");
    close(fd);
    host_stop(h);
}

/* ---- the end ---- */

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
    client_expect(idle, "GET /1");
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
