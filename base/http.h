/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: an HTTP/1.1 server (RFC 9112) on loop.h, tls.h and llhttp (its one owner). It accepts, parses, bounds
 * and times requests; routes and meaning are above.
 *
 * What it promises: a connection handles one request at a time, and while a request is being answered it
 * reads nothing more than its buffer holds, so a client that pipelines and never reads cannot grow memory.
 * Each turn of the loop starts one request of a connection and sends one piece, so nobody waits for another's
 * row of requests.
 * Deadlines are absolute: the header block `header_ms` after the connection or the previous answer's first
 * next octet, the body `body_ms` after the header, a write must progress within `write_ms`, an idle
 * keep-alive connection ends after `idle_ms`. Two Content-Length, Content-Length with Transfer-Encoding, bare
 * LF, obs-fold and a missing Host are 400. HEAD is answered as GET without the body. TCP_NODELAY is set.
 * At `connections` in all, or at `per_address` of one client (an address; of IPv6 its /64), a new connection
 * takes the place of the oldest one that has no complete request under way, or else of the oldest whose
 * client does not read its answer; one of the same client, or in the first case of whichever client has most.
 * Where there is none, the new one is closed at once. So neither idle nor slow connections, however many,
 * keep others out. Errors of the protocol itself are answered by the `error` callback's body and fields, so
 * that they look like every other error.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <sys/types.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/loop.h"
#include "base/tls.h"

struct http_server;
struct http_request;

struct http_limits {
    size_t header_max;  /* octets of request line and header block, 431 beyond */
    size_t connections; /* at once */
    size_t per_address; /* at once, of one client; 0: no cap of its own */
    int64_t header_ms, body_ms, idle_ms, write_ms;
};
/* 16 KiB, 1024, 256, 10 s, 30 s, 60 s, 30 s. */
extern const struct http_limits HTTP_LIMITS_DEFAULT;

struct http_peer {
    char address[64]; /* "127.0.0.1", "::1", "unix" */
    bool is_loopback; /* or a Unix socket */
    bool is_unix;
    struct address ip;   /* zeros for a Unix socket */
    uid_t uid;           /* of the peer process, Unix socket only, as the groups */
    const gid_t *groups; /* all of them, its own first; borrowed for the request's life */
    size_t group_count;
    struct span
        certificate; /* DER of the TLS client certificate, empty when none; borrowed for the request's life */
};

struct http_field {
    const char *name, *value;
};

/* What goes with an error that is found here: `fields` beside Content-Length, Date and Connection, ended by a
 * NULL name; `text` is room for a value that is made up. */
struct http_error {
    struct buf body;
    struct http_field fields[5];
    char text[64];
};

struct http_handlers {
    /* Somebody connects: false closes at once, before an octet is read. NULL: everybody. */
    bool (*admit)(const struct http_peer *p, void *arg);
    /* The header block is complete: the largest body this request may have (413 beyond). NULL: 0. */
    size_t (*body_max)(const struct http_request *r, void *arg);
    /* A whole request. Reply now or later, exactly once, on the loop's thread: `r` lives until then even when
     * the client has gone (the reply is then dropped). */
    void (*request)(struct http_request *r, void *arg);
    /* Writes fields and body for an error found here (status 400, 408, 413, 431, 501, 505). NULL: an empty
     * body. */
    void (*error)(unsigned status, const char *detail, struct http_error *e, void *arg);
    void *arg;
};

/* Serves a listening socket (TCP or Unix). Takes listen_fd and `tls`, which may be replaced while running.
 * `tls` NULL: plain; `limits` NULL: the default. */
struct http_server *http_serve(struct loop *l, int listen_fd, struct tls_server *tls,
                               const struct http_limits *limits, const struct http_handlers *h);
void http_server_set_tls(struct http_server *s, struct tls_server *tls); /* takes; new connections use it */
/* Stops accepting, lets running requests end for up to grace_ms, then closes all and calls done (may be
 * NULL). */
void http_server_drain(struct http_server *s, int64_t grace_ms, loop_fn *done, void *arg);
void http_server_free(
    struct http_server *s); /* in or after drain's done, or after loop_run returned; before loop_free */
size_t http_server_connections(const struct http_server *s);

const char *
http_method(const struct http_request *r); /* "GET" (for HEAD too: the body is left out here), "POST", … */
bool http_is_head(const struct http_request *r);
/* The path as received, without query, NOT percent-decoded (routes decide what to decode); "//" is kept. Of
 * an absolute-form target its path; "*" for OPTIONS alone. */
const char *http_path(const struct http_request *r);
/* A query parameter, percent- and plus-decoded, cap octets with the NUL. ERR_NOT_FOUND: absent;
 * ERR_MALFORMED: bad escape, NUL, given twice or longer than cap. */
enum err http_query(const struct http_request *r, const char *name, char *out, size_t cap);
/* The first parameter name not in `known` (NULL-terminated list), or NULL. Borrowed, raw. */
const char *http_query_unknown(const struct http_request *r, const char *const *known);
/* A header field's value, case-insensitive name, NULL when absent; several lines are joined by ", ".
 * Borrowed. */
const char *http_header(const struct http_request *r, const char *name);
struct span http_body(const struct http_request *r); /* borrowed */
const struct http_peer *http_peer(const struct http_request *r);

/* Percent-decodes into out; false for a bad escape, a NUL or when it does not fit. */
[[nodiscard]] bool http_unescape(struct span in, char *out, size_t cap);

/* Content-Length, Date and Connection are ours; fields and body are copied. Fields end at a NULL name (or
 * fields NULL). `r` is gone after. With 204 and 304 the body is left out. */
void http_reply(struct http_request *r, unsigned status, const struct http_field *fields, struct span body);
/* The same with `len` octets of `fd` from `offset` as the body, read in pieces as the client takes them;
 * takes fd. */
void http_reply_file(struct http_request *r, unsigned status, const struct http_field *fields, int fd,
                     off_t offset, uint64_t len);

/* Listening sockets, made by the supervisor before any role starts. `where` is "ADDR:PORT", "[v6]:PORT" (port
 * 0: any) or for Unix a path with a mode. Non-blocking, close-on-exec. ERR_IO with the reason
 * ("127.0.0.1:8080: Address already in use"). */
enum err http_listen_tcp(const char *where, int *fd, struct fault *f);
/* Does it read such an address? Opens nothing. */
bool http_listen_reads(const char *where);
enum err http_listen_unix(const char *path, mode_t mode, int *fd, struct fault *f);
/* The bound address as "ADDR:PORT". */
enum err http_bound(int fd, char *out, size_t cap);

#endif
