/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch: HTTP exchanges as a client, one or many at a time, over libcurl, for the command line;
 * base/transfer.h moves files of any length. TCP with or without TLS, or HTTP over a Unix socket. No
 * redirects, no proxies, no cookies. Blocks up to the timeout. A server is always verified; with `cacert`
 * against that file alone. A token is never sent over plain TCP. Thread rule: any thread; a pool belongs to
 * one.
 */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include "base/buf.h"

/* Octets of an answer's body: a CRL of a million revoked serials is some 40 MiB. */
#define FETCH_BODY_MAX (128u << 20)

struct fetch_target {
    const char *unix_socket;         /* path, or NULL for TCP */
    const char *base_url;            /* "https://ca.example.com:8443"; for a Unix socket "http://localhost" */
    const char *cacert, *cert, *key; /* PEM files, NULL when not given */
    const char *token;               /* bearer, NULL when not given */
    long timeout_s;                  /* of the whole exchange, 0: 60 */
};

struct fetch_request {
    const char *method, *path;         /* path with query, escaped already */
    const char *accept, *content_type; /* NULL: none */
    const char *idempotency_key;
    struct span body;
};

struct fetch_answer {
    unsigned status;
    bool is_closed; /* with ERR_UNAVAILABLE: by the server, without an answer */
    bool is_absent; /* with ERR_UNAVAILABLE: nobody listens at the Unix socket */
    char content_type[128];
    /* "" when absent or longer */
    char location[256], cache_control[128], etag[128], last_modified[64], expires[64], retry_after[64];
    /* microseconds from the beginning: connected (0 on a connection that was kept), first octet, all */
    int64_t connected_us, first_octet_us, total_us;
    struct buf body; /* fetch_answer_free() */
};

/* Any HTTP status is OK here. ERR_UNAVAILABLE with the reason when no answer came (refused, TLS, timeout);
 * ERR_FORBIDDEN for a Unix socket that its mode keeps from us; ERR_TOO_LARGE for a body beyond
 * FETCH_BODY_MAX; ERR_KEY for a cacert, cert or key that cannot be used; ERR_USAGE for an address or a value
 * that cannot be sent. */
enum err fetch(const struct fetch_target *t, const struct fetch_request *r, struct fetch_answer *out,
               struct fault *f);
void fetch_answer_free(struct fetch_answer *a); /* after a failed fetch() too */

/* ---- many exchanges, over connections that are kept ---- */

#define FETCH_LANES_MAX 64u /* exchanges under way: far fewer than a server takes of one client */

struct fetch_pool;
/* Called once for each exchange that was begun: `e` and `f` as fetch() gives them. The answer is the pool's,
 * until the call returns. */
typedef void fetch_done(enum err e, const struct fault *f, const struct fetch_answer *a, void *arg);

/* Borrows `t`. Nothing is sent yet. */
struct fetch_pool *fetch_pool_new(const struct fetch_target *t, unsigned lanes);
/* Begins an exchange, after waiting for a free lane (`done` of others is called meanwhile). Copies the
 * request. Errors are those of a request that cannot be sent; `done` is then not called. */
enum err fetch_pool_begin(struct fetch_pool *p, const struct fetch_request *r, fetch_done *done, void *arg,
                          struct fault *f);
/* Waits until every exchange is done. */
void fetch_pool_finish(struct fetch_pool *p);
void fetch_pool_free(struct fetch_pool *p); /* drops what is under way, without a call; NULL: nothing */

/* Appends a percent-encoded query parameter ("?" or "&" as needed); nothing when the value is NULL. */
void fetch_query(struct buf *path, const char *name, const char *value);
/* Appends percent-encoded text to a path: all of it is one segment. */
void fetch_segment(struct buf *path, const char *text);
/* Appends percent-encoded text to a path; a '/' in it stays one. */
void fetch_path(struct buf *path, const char *text);

#endif
