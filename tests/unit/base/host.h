/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: a server for the tests of loop, tls and http: it runs on a thread of its own, the test is its client.
 * Its routes are in host.c. The client, client.c, reads and writes sockets by hand, so that it can be as
 * wrong as it likes.
 */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/http.h"

#define HOST_BODY_MAX 1000u /* octets of a request body */

struct host {
    struct loop *loop;
    struct http_server *server;
    struct watch *stop_watch;
    pthread_t thread;
    int stop[2], listen_fd;
    char where[108];                       /* as long as the path of a socket may be */
    char turned_away[64];                  /* an address that is not admitted */
    _Atomic(struct tls_server *) next_tls; /* /rotate takes it */
    atomic_uint handled;                   /* requests */
    sem_t gate;                            /* /gate holds the loop until it is posted */
    struct http_request *held[4];
    struct timer *held_timer[4];
    bool is_drained, is_over;
};

/* Its deadlines are beyond a client's patience: what a test sees closed was closed for another reason, unless
 * the test has set a deadline of its own. */
extern const struct http_limits HOST_LIMITS;
/* `limits` NULL: HOST_LIMITS. tls NULL: plain; taken. */
struct host *host_start(struct tls_server *tls, const struct http_limits *limits);
struct host *host_start_at(int listen_fd, struct tls_server *tls, const struct http_limits *limits);
void host_wait(struct host *h); /* until it has ended by itself */
void host_stop(struct host *h); /* frees, so that a leak is seen */

/* ---- the client ---- */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

struct answer {
    unsigned status; /* 0: the connection ended instead */
    char head[4096];
    char *body;
    size_t body_len;
};

#define CLIENT_PATIENCE_MS 10000 /* after which a read or a write gives up */

int client_open(const struct host *h);
void client_bound(int fd); /* gives a socket that was opened otherwise that patience */
void client_put(int fd, const char *text);
void client_put_octets(int fd, const void *data, size_t len);
/* One answer, with the body that its Content-Length announces unless `has_body` is false. */
struct answer client_take(int fd, bool has_body);
bool client_has_field(const struct answer *a, const char *line); /* "Name: value" */
void answer_free(struct answer *a);
void client_expect(int fd, const char *body); /* the next answer is 200 with this body */
/* One octet of `text` every 20 ms, again and again, until the server or, after CLIENT_PATIENCE_MS, the client
 * has had enough; gives the ms it took. */
int64_t client_drip(int fd, const char *text);
bool client_is_closed(int fd); /* waits for the end, and for nothing before it */
/* Sends text on a new connection and gives the first answer's status; the connection must be closed by the
 * server after. */
unsigned client_refused(const struct host *h, const char *text, size_t len);
int64_t now_ms(void);

#endif
