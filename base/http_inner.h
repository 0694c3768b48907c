/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_inner: what the http files share. http.c turns octets into requests and knows nothing of connections;
 * http_channel.c moves octets, through TLS or not; http_conn.c keeps the order of things and the deadlines;
 * http_reply.c writes answers; http_server.c accepts and drains.
 */
#ifndef BASE_HTTP_INNER_H
#define BASE_HTTP_INNER_H

#include "base/http.h"
#include "base/stream.h"

#define HTTP_PIECE (64u * 1024) /* octets of an answer encrypted and handed to the kernel at a time */

/* Octets that the client has not taken, and octets of requests that wait, beyond which nothing is read from
 * it. */
#define UNSENT_MAX HTTP_PIECE
#define INPUT_MAX (2 * HTTP_PIECE)

#define INPUT_KEEP 4096u   /* octets of input memory that an idle connection keeps */
#define PROGRESS_MIN 4096u /* octets that must leave within write_ms: less is a client that drips */
/* After our side is closed: time for the last answer to be read before a reset can destroy it. */
#define LINGER_MS 2000
#define LINGER_MAX (1024u * 1024) /* octets discarded meanwhile; beyond, they stay in the kernel */

/* ---- requests: http_request.c, filled by http.c ---- */

struct field_at {
    size_t name, value; /* offsets into `text` */
};

struct shelf; /* strings made for the accessors, freed with the request */

struct http_request {
    struct conn *conn; /* NULL once the client is gone */
    struct http_peer peer;
    struct buf certificate; /* what peer.certificate borrows */
    gid_t *groups;          /* and peer.groups */
    const char *method;
    bool is_head, is_http10, keeps_alive;
    struct buf text;          /* NUL-terminated: the target, then names and values */
    const char *path, *query; /* in `text`; query NULL when there is none */
    struct field_at *fields;
    size_t field_count, field_cap;
    struct buf body;
    struct shelf *shelf;
};

struct http_request *request_new(const struct http_peer *peer, size_t header_max);
void request_free(struct http_request *r);
void request_add_field(struct http_request *r, size_t name, size_t value);
size_t request_count_field(const struct http_request *r, const char *name);
/* Cuts the target into path and query. False when it is none that a server takes (RFC 9112 3.2). */
[[nodiscard]] bool request_set_target(struct http_request *r, bool is_options);

/* ---- intake: octets to requests, http.c ---- */

enum intake_stage { INTAKE_EMPTY, INTAKE_HEADER, INTAKE_BODY }; /* of the request that is arriving */
enum intake_step {
    INTAKE_MORE,     /* feed again */
    INTAKE_CONTINUE, /* the same, and the client waits for 100 Continue */
    INTAKE_WHOLE,    /* intake_request() */
    INTAKE_REFUSED,  /* intake_refusal(); the connection is beyond repair */
};

struct intake;
/* `peer` is copied into each request; all three are borrowed. */
struct intake *intake_new(const struct http_limits *limits, const struct http_handlers *handlers,
                          const struct http_peer *peer);
void intake_free(struct intake *i);
/* Takes from `in` up to the end of the header block or of the request. */
enum intake_step intake_take(struct intake *i, struct span in, size_t *used);
enum intake_stage intake_stage(const struct intake *i);
bool intake_is_head(const struct intake *i);           /* of the request that is arriving */
struct http_request *intake_request(struct intake *i); /* gives it, and is ready for the next */
unsigned intake_refusal(const struct intake *i, const char **detail);

/* ---- replies: http_reply.c ---- */

/* The phrase that goes with a status: RFC 9110 15, RFC 6585. "" for one that nobody here sends. */
const char *http_reason(unsigned status);

struct reply {
    struct buf out; /* octets to send, from `at` on */
    size_t at;
    int fd; /* -1, or the file that follows */
    off_t offset;
    uint64_t left;
    bool closes;
};

/* An answer to what never became a request. */
void reply_refuse(struct reply *p, const struct http_handlers *h, unsigned status, const char *detail,
                  bool is_head);
bool reply_is_over(const struct reply *p);
/* The next piece, borrowed until the next call; empty when the file has shrunk or cannot be read. */
struct span reply_next(struct reply *p);
/* Hands the next piece of the file, when nothing is before it, from the page cache to the kernel: a quarter
 * of a copy's processor time. Gives the octets; 0: no file, or the kernel takes none now. reply_next() goes
 * on. */
size_t reply_send_file(struct reply *p, struct stream *s);
void reply_free(struct reply *p);

/* ---- channels: the octets of one connection, http_channel.c ---- */

struct channel {
    struct stream *stream;
    struct tls_conn *tls;    /* NULL: plain */
    struct buf certificate;  /* DER that the client showed; empty: none, or not yet */
    bool is_certified;       /* whether it showed one is known: the handshake has ended */
    uint64_t written, taken; /* octets of the wire: handed to the stream; what channel_taken() saw last */
};
void channel_init(struct channel *k, struct stream *stream, struct tls_server *tls); /* takes the stream */
void channel_close(struct channel *k);
[[nodiscard]] bool channel_put(struct channel *k, struct span plain); /* false: TLS cannot encrypt any more */
/* A piece of the reply's file, from kernel to kernel; false: it cannot go in that way, reply_next() goes on.
 */
[[nodiscard]] bool channel_put_file(struct channel *k, struct reply *p);
void channel_end(struct channel *k); /* our side is closed; the client may still be sending */
size_t channel_unsent(const struct channel *k);
bool channel_is_held(const struct channel *k); /* it waits for input, see tls_conn_write() */
uint64_t channel_taken(struct channel *k); /* octets that have left for the client since it was asked last */
/* Appends what it says. ERR_END: the client sends no more; ERR_MALFORMED: the connection cannot go on. */
enum err channel_take(struct channel *k, struct span wire, struct buf *plain);

/* ---- connections: http_conn.c ---- */

struct conn;
/* Takes the groups of `peer`. */
void conn_open(struct http_server *s, struct stream *stream, const struct http_peer *peer,
               struct tls_server *tls);
void conn_close(struct conn *c); /* at once */
void conn_drain(struct conn *c); /* at once when no request has begun */
struct conn *conn_next(const struct conn *c);
/* Where to write the answer; forgets the request. */
struct reply *conn_reply(struct conn *c, struct http_request *r);
const struct http_peer *conn_peer(const struct conn *c);
/* What closing it would cost its client, the most first. */
enum conn_worth {
    CONN_BUSY,  /* an answer is being made or sent */
    CONN_FRESH, /* nothing yet, but it has hardly had the time to ask */
    CONN_STUCK, /* an answer that it does not take at this moment */
    CONN_SPARE, /* no whole request of its is under way: nothing but time */
};
enum conn_worth conn_worth(const struct conn *c);
void conn_answer(struct conn *c); /* the reply is filled: send it, from the loop when called from outside */
bool conn_is_draining(const struct conn *c);
void conn_run_ready(struct http_server *s); /* what was put off to the loop's next round */

/* ---- the server: http_server.c ---- */

struct http_server {
    struct loop *loop;
    struct listener *listener;
    struct tls_server *tls;
    struct http_limits limits;
    struct http_handlers handlers;
    struct conn *first; /* every open connection */
    size_t count;
    uint64_t crowd_secret; /* so that nobody chooses whom he is counted with */
    struct conn *ready;    /* connections with work that was put off */
    struct turn *tick;     /* the loop's next round */
    struct timer *grace;   /* while draining */
    bool is_draining;
    loop_fn *done;
    void *done_arg;
};

#endif
