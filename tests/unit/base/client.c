/* SPDX-License-Identifier: Apache-2.0 */
/* client: the client half of host.h: knows just enough HTTP to judge an answer. */
#include "tests/unit/base/host.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int open_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int open_tcp(const char *where)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    a.sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1));
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void client_bound(int fd)
{
    struct timeval patience = {.tv_sec = CLIENT_PATIENCE_MS / 1000};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

int client_open(const struct host *h)
{
    int fd = h->where[0] == '/' ? open_unix(h->where) : open_tcp(h->where);

    client_bound(fd);
    return fd;
}

void client_put_octets(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return; /* the server has heard enough */
        cr_assert(n > 0, "send: %s", strerror(errno));
        p += n;
        len -= (size_t)n;
    }
}

void client_put(int fd, const char *text)
{
    client_put_octets(fd, text, strlen(text));
}

static bool take_octets(int fd, char *out, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = recv(fd, out + have, len - have, 0);

        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

struct answer client_take(int fd, bool has_body)
{
    struct answer a = {0};
    size_t n = 0;
    const char *length;

    while (n + 1 < sizeof a.head && strstr(a.head, "\r\n\r\n") == NULL)
        if (!take_octets(fd, &a.head[n++], 1))
            return (struct answer){0};
    cr_assert_eq(strncmp(a.head, "HTTP/1.1 ", 9), 0, "%s", a.head);
    a.status = (unsigned)atoi(a.head + 9);
    length = strcasestr(a.head, "\r\nContent-Length: ");
    if (!has_body || length == NULL)
        return a;
    a.body_len = strtoul(length + 18, NULL, 10);
    a.body = xcalloc(1, a.body_len + 1);
    if (!take_octets(fd, a.body, a.body_len))
        a.status = 0;
    return a;
}

bool client_has_field(const struct answer *a, const char *line)
{
    char wanted[512];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strcasestr(a->head, wanted) != NULL;
}

void answer_free(struct answer *a)
{
    free(a->body);
    a->body = NULL;
}

bool client_is_closed(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

unsigned client_refused(const struct host *h, const char *text, size_t len)
{
    int fd = client_open(h);
    struct answer a;
    unsigned status;

    client_put_octets(fd, text, len);
    a = client_take(fd, true);
    status = a.status;
    cr_assert(a.status < 400 || client_has_field(&a, "Connection: close"), "%s", a.head);
    answer_free(&a);
    cr_assert(client_is_closed(fd));
    close(fd);
    return status;
}

void client_expect(int fd, const char *body)
{
    struct answer a = client_take(fd, true);

    cr_assert_eq(a.status, 200);
    cr_assert_str_eq(a.body, body);
    answer_free(&a);
}

int64_t client_drip(int fd, const char *text)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t start = now_ms();

    for (size_t i = 0; now_ms() - start < CLIENT_PATIENCE_MS; i++) {
        if (poll(&p, 1, 20) != 0)
            break;
        client_put_octets(fd, &text[i % strlen(text)], 1);
    }
    return now_ms() - start;
}
