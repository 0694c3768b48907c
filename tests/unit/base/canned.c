/* SPDX-License-Identifier: Apache-2.0 */
/* canned: see canned.h. Reads a request up to its Content-Length, which is all that our client sends. */
#include "tests/unit/base/canned.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_MAX (256 * 1024)
#define ANSWERS_MAX 8

struct canned {
    const char *const *answers;
    size_t n;
    char home[64], socket[96];
    int fd;
    pthread_t thread;
    bool joined;
    char *requests[ANSWERS_MAX];
};

static size_t length_wanted(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *field;

    if (end == NULL)
        return REQUEST_MAX;
    field = strcasestr(request, "\r\ncontent-length:");
    return (size_t)(end + 4 - request) + (field != NULL && field < end ? strtoul(field + 17, NULL, 10) : 0);
}

static char *receive(int fd)
{
    char *request = calloc(1, REQUEST_MAX + 1);
    size_t len = 0;
    ssize_t n;

    while (len < length_wanted(request) && (n = read(fd, request + len, REQUEST_MAX - len)) > 0)
        len += (size_t)n;
    return request;
}

static void *serve(void *arg)
{
    struct canned *c = arg;

    for (size_t i = 0; i < c->n; i++) {
        int fd = accept(c->fd, NULL, NULL);
        size_t len = strlen(c->answers[i]);

        if (fd < 0)
            break;
        c->requests[i] = receive(fd);
        for (ssize_t sent = 0; len > 0 && (sent = send(fd, c->answers[i] + strlen(c->answers[i]) - len, len,
                                                       MSG_NOSIGNAL)) > 0;)
            len -= (size_t)sent;
        close(fd);
    }
    return NULL;
}

struct canned *canned_start(const char *const *answers, size_t n)
{
    struct canned *c = calloc(1, sizeof *c);
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    cr_assert(n <= ANSWERS_MAX);
    *c = (struct canned){.answers = answers, .n = n};
    strcpy(c->home, "/tmp/canned.XXXXXX");
    cr_assert_not_null(mkdtemp(c->home));
    snprintf(c->socket, sizeof c->socket, "%s/control.sock", c->home);
    strcpy(at.sun_path, c->socket);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(c->fd >= 0 && bind(c->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(c->fd, 4) == 0);
    cr_assert_eq(pthread_create(&c->thread, NULL, serve, c), 0);
    return c;
}

const char *canned_home(const struct canned *c)
{
    return c->home;
}

const char *canned_socket(const struct canned *c)
{
    return c->socket;
}

const char *canned_request(const struct canned *c, size_t i)
{
    return i < c->n && c->requests[i] != NULL ? c->requests[i] : "";
}

void canned_join(struct canned *c)
{
    if (!c->joined)
        pthread_join(c->thread, NULL);
    c->joined = true;
}

void canned_stop(struct canned *c)
{
    shutdown(c->fd, SHUT_RDWR); /* accept() gives up */
    canned_join(c);
    close(c->fd);
    unlink(c->socket);
    rmdir(c->home);
    for (size_t i = 0; i < c->n; i++)
        free(c->requests[i]);
    free(c);
}

char *canned_answer(unsigned status, const char *type, const char *body)
{
    char *text = NULL;

    cr_assert(
        asprintf(
            &text,
            "HTTP/1.1 %u Canned\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
            status, type, strlen(body), body) > 0);
    return text;
}
