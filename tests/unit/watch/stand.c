/* SPDX-License-Identifier: Apache-2.0 */
/* stand: reads a request whole, answers, closes. The client waits for the answer before the test goes on, so
 * what the test sets needs no lock. */
#include "tests/unit/watch/stand.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

#define HEAD_MAX 8192u
#define BODY_MAX (64u << 20)

struct stand {
    const char *dir;
    char url[64];
    int fd;
    pthread_t thread;
    struct {
        const char *name;
        unsigned status;
    } odd[STAND_ODD_MAX];
    size_t odd_count;
    void (*before)(const char *name, void *arg);
    void *arg;
};

struct request {
    char head[HEAD_MAX];
    char method[8], path[256], destination[256];
    size_t len; /* of the body */
    struct buf body;
};

static const char *last_part(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* The head with as much of the body as came with it. */
static bool head_read(int fd, struct request *r)
{
    size_t len = 0;
    ssize_t n;
    char *end = NULL;

    while (end == NULL && len < HEAD_MAX - 1 && (n = recv(fd, r->head + len, HEAD_MAX - 1 - len, 0)) > 0) {
        len += (size_t)n;
        r->head[len] = '\0';
        end = strstr(r->head, "\r\n\r\n");
    }
    if (end == NULL || sscanf(r->head, "%7s %255s", r->method, r->path) != 2)
        return false;
    buf_put(&r->body, end + 4, len - (size_t)(end + 4 - r->head));
    end[2] = '\0';
    for (char *line = strstr(r->head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        (void)sscanf(line, "\r\nContent-Length: %zu", &r->len);
        (void)sscanf(line, "\r\nDestination: %255s", r->destination);
    }
    return true;
}

static bool body_read(int fd, struct request *r)
{
    static uint8_t piece[64 * 1024];
    ssize_t n;

    while (r->body.len < r->len && (n = recv(fd, piece, sizeof piece, 0)) > 0)
        buf_put(&r->body, piece, (size_t)n);
    return r->body.len == r->len && buf_end(&r->body) == OK;
}

static void send_all(int fd, const void *octets, size_t len)
{
    const char *at = octets;
    ssize_t n;

    for (; len > 0 && (n = send(fd, at, len, MSG_NOSIGNAL)) > 0; at += n)
        len -= (size_t)n;
}

static void answer(int fd, unsigned status, struct span body)
{
    char head[128];

    snprintf(head, sizeof head, "HTTP/1.1 %u So\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
             body.len);
    send_all(fd, head, strlen(head));
    send_all(fd, body.data, body.len);
}

static void get(struct stand *s, int fd, const char *name)
{
    char path[PATH_LEN_MAX];
    struct buf octets;

    if (s->before != NULL)
        s->before(name, s->arg);
    buf_init(&octets, BODY_MAX);
    if (path_join(path, s->dir, name, NULL) == OK && file_read(path, &octets, NULL) == OK)
        answer(fd, 200, buf_span(&octets));
    else
        answer(fd, 404, span_str("no"));
    buf_free(&octets);
}

static void put(struct stand *s, int fd, const struct request *r)
{
    char path[PATH_LEN_MAX];
    bool is_put = path_join(path, s->dir, last_part(r->path), NULL) == OK &&
                  file_replace(path, buf_span(&r->body), 0644, NULL) == OK;

    answer(fd, is_put ? 201 : 500, span_str(""));
}

static void move(struct stand *s, int fd, const struct request *r)
{
    char from[PATH_LEN_MAX], to[PATH_LEN_MAX];
    bool is_moved = path_join(from, s->dir, last_part(r->path), NULL) == OK &&
                    path_join(to, s->dir, last_part(r->destination), NULL) == OK && rename(from, to) == 0;

    answer(fd, is_moved ? 201 : 500, span_str(""));
}

/* -1: as usual. */
static int odd_status(const struct stand *s, const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < s->odd_count; i++) {
        size_t tail = strlen(s->odd[i].name);

        if (len >= tail && strcmp(path + len - tail, s->odd[i].name) == 0)
            return (int)s->odd[i].status;
    }
    return -1;
}

static void serve(struct stand *s, int fd)
{
    static struct request r;
    int status;

    r = (struct request){0};
    buf_init(&r.body, BODY_MAX);
    if (head_read(fd, &r) && body_read(fd, &r)) {
        status = odd_status(s, r.path);
        if (status > 0)
            answer(fd, (unsigned)status, span_str("odd"));
        else if (status < 0 && strcmp(r.method, "GET") == 0)
            get(s, fd, last_part(r.path));
        else if (status < 0 && strcmp(r.method, "PUT") == 0)
            put(s, fd, &r);
        else if (status < 0)
            move(s, fd, &r);
    }
    buf_free(&r.body);
    close(fd);
}

static void *run(void *arg)
{
    struct stand *s = arg;
    int fd;

    while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        serve(s, fd);
    return NULL;
}

struct stand *stand_open(const char *dir)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct stand *s = calloc(1, sizeof *s);

    cr_assert_not_null(s);
    s->dir = dir;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(s->fd, 8), 0);
    cr_assert_eq(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    cr_assert_eq(pthread_create(&s->thread, NULL, run, s), 0);
    return s;
}

void stand_close(struct stand *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    free(s);
}

const char *stand_url(const struct stand *s)
{
    return s->url;
}

void stand_odd(struct stand *s, const char *name, unsigned status)
{
    cr_assert_lt(s->odd_count, STAND_ODD_MAX);
    s->odd[s->odd_count].name = name;
    s->odd[s->odd_count++].status = status;
}

void stand_well(struct stand *s)
{
    s->odd_count = 0;
}

void stand_before(struct stand *s, void (*fn)(const char *name, void *arg), void *arg)
{
    s->before = fn;
    s->arg = arg;
}
