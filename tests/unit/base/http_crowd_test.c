/* SPDX-License-Identifier: Apache-2.0 */
/* Are connections bounded in number, in all and for each address, and do the right ones make way? */
#include "tests/unit/base/host.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Test(http_crowd, a_connection_beyond_the_cap_takes_the_place_of_an_idle_one)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int a, b, c;

    limits.connections = 2;
    h = host_start(NULL, &limits);
    a = client_open(h);
    b = client_open(h);
    client_put(a, GET("/1"));
    client_expect(a, "GET /1");
    client_put(b, GET("/count"));
    client_expect(b, "2");
    c = client_open(h);
    client_put(c, GET("/count"));
    client_expect(c, "2");
    cr_assert(client_is_closed(a), "the oldest");
    client_put(b, GET("/2"));
    client_expect(b, "GET /2");
    close(a);
    close(b);
    close(c);
    host_stop(h);
}

Test(http_crowd, one_that_drips_its_request_makes_way_too)
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
    client_expect(b, "GET /2");
    cr_assert(client_is_closed(a));
    close(a);
    close(b);
    host_stop(h);
}

Test(http_crowd, a_connection_beyond_the_cap_is_closed_at_once_when_all_are_busy)
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
    client_bound(fd);
    return fd;
}

Test(http_crowd, one_address_has_its_share_and_no_more)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int all[8], other;

    limits.per_address = 4;
    h = host_start(NULL, &limits);
    other = client_open_from(h, "127.0.0.9");
    client_put(other, GET("/1"));
    client_expect(other, "GET /1");
    for (size_t i = 0; i < 8; i++) {
        all[i] = client_open_from(h, "127.0.0.8");
        client_put(all[i], GET("/1"));
        client_expect(all[i], "GET /1");
    }
    for (size_t i = 0; i < 4; i++)
        cr_assert(client_is_closed(all[i]), "%zu", i);
    client_put(all[7], GET("/count"));
    client_expect(all[7], "5");
    client_put(other, GET("/2"));
    client_expect(other, "GET /2");
    for (size_t i = 0; i < 8; i++)
        close(all[i]);
    close(other);
    host_stop(h);
}

Test(http_crowd, whoever_has_most_makes_way_first)
{
    struct http_limits limits = HOST_LIMITS;
    struct host *h;
    int few, most[3], fresh;

    limits.connections = 4;
    h = host_start(NULL, &limits);
    few = client_open_from(h, "127.0.0.9"); /* the oldest of all */
    client_put(few, GET("/1"));
    client_expect(few, "GET /1");
    for (size_t i = 0; i < 3; i++) {
        most[i] = client_open_from(h, "127.0.0.8");
        client_put(most[i], GET("/1"));
        client_expect(most[i], "GET /1");
    }
    fresh = client_open_from(h, "127.0.0.7");
    client_put(fresh, GET("/1"));
    client_expect(fresh, "GET /1");
    cr_assert(client_is_closed(most[0]));
    client_put(few, GET("/2"));
    client_expect(few, "GET /2");
    for (size_t i = 0; i < 3; i++)
        close(most[i]);
    close(few);
    close(fresh);
    host_stop(h);
}

Test(http_crowd, who_is_not_admitted_is_closed_before_an_octet)
{
    struct host *h = host_start(NULL, NULL);
    int fd;

    strcpy(h->turned_away, "127.0.0.8");
    fd = client_open_from(h, "127.0.0.8");
    cr_assert(client_is_closed(fd));
    close(fd);
    fd = client_open_from(h, "127.0.0.9");
    client_put(fd, GET("/1"));
    client_expect(fd, "GET /1");
    close(fd);
    cr_assert_eq(atomic_load(&h->handled), 1);
    host_stop(h);
}
