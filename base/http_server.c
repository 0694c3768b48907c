/* SPDX-License-Identifier: Apache-2.0 */
/* http_server: accepts, caps and drains connections. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/http_inner.h"
#include "base/limits.h"
#include "base/log.h"

const struct http_limits HTTP_LIMITS_DEFAULT = {
    .header_max = HEADER_MAX,
    .per_address = 256, /* a quarter: a proxy or a NAT with hundreds behind it, and never all */
    .connections =
        1024, /* some 200 KiB each at worst; each takes a descriptor: more need a higher RLIMIT_NOFILE */
    .header_ms = 10000,
    .body_ms = 30000,
    .idle_ms = 60000,
    .write_ms = 30000,
};

#define GROUPS_USUAL 32u /* more than most users have: asked for at once */

/* The groups of the peer when it connected, its own first; the caller frees. */
static gid_t *peer_groups(int fd, gid_t own, size_t *count)
{
    socklen_t len = GROUPS_USUAL * sizeof(gid_t);
    gid_t *all = xmalloc(sizeof own + len);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, all + 1, &len) != 0) {
        free(all); /* `len` is what there is: 65,536 at the most */
        all = xmalloc(sizeof own + len);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, all + 1, &len) != 0)
            len = 0; /* none that the kernel tells */
    }
    all[0] = own;
    *count = 1 + len / sizeof own;
    return all;
}

static void peer_set_unix(struct http_peer *p, int fd)
{
    struct ucred who = {.uid = (uid_t)-1};
    socklen_t len = sizeof who;

    snprintf(p->address, sizeof p->address, "unix");
    p->is_unix = p->is_loopback = true;
    p->uid = (uid_t)-1; /* nobody, should the kernel not say */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return;
    p->uid = who.uid;
    p->groups = peer_groups(fd, who.gid, &p->group_count);
}

static void peer_set_v4(struct http_peer *p, const void *a)
{
    const uint8_t *octets = a;

    inet_ntop(AF_INET, a, p->address, sizeof p->address);
    p->is_loopback = octets[0] == 127;
}

/* Its groups are the caller's to free. */
static void peer_set(struct http_peer *p, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } a = {0};
    socklen_t len = sizeof a;

    *p = (struct http_peer){.uid = (uid_t)-1};
    if (getsockname(fd, &a.any, &len) == 0 && a.any.sa_family == AF_UNIX) {
        peer_set_unix(p, fd);
        return;
    }
    len = sizeof a;
    if (getpeername(fd, &a.any, &len) != 0)
        return; /* gone already */
    if (a.any.sa_family == AF_INET) {
        peer_set_v4(p, &a.v4.sin_addr);
    } else if (IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) {
        peer_set_v4(p, &a.v6.sin6_addr.s6_addr[12]);
    } else {
        inet_ntop(AF_INET6, &a.v6.sin6_addr, p->address, sizeof p->address);
        p->is_loopback = IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr);
    }
    if (!address_parse(p->address, &p->ip))
        p->ip = (struct address){0}; /* cannot be: the text is inet_ntop()'s */
}

/* ---- room for one more ---- */

static bool is_same(const struct address *a, const struct address *b)
{
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

static struct address client_of(const struct conn *c)
{
    return address_network(&conn_peer(c)->ip);
}

/* The better one to close: what costs less, then what is older. The newest stands first in the list. */
static struct conn *better(struct conn *have, struct conn *c)
{
    enum conn_worth worth = conn_worth(c);

    return worth == CONN_BUSY || (have != NULL && worth < conn_worth(have)) ? have : c;
}

/* How many connections a client has, and which of them can be spared. */
static size_t count_client(const struct http_server *s, const struct address *client, struct conn **spare)
{
    size_t n = 0;

    *spare = NULL;
    for (struct conn *c = s->first; c != NULL; c = conn_next(c)) {
        struct address other = client_of(c);

        if (!is_same(&other, client))
            continue;
        n++;
        *spare = better(*spare, c);
    }
    return n;
}

#define CROWDS 4096u /* counters for some 1,024 clients; two that meet in one are counted together */

static size_t crowd_of(const struct http_server *s, const struct conn *c)
{
    struct address client = client_of(c);
    uint64_t h = s->crowd_secret;

    for (size_t i = 0; i < sizeof client.octets; i++)
        h = (h ^ client.octets[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return (h ^ h >> 32) % CROWDS;
}

/* Of whoever has most, among those of whom one can be spared; NULL: none can. */
static struct conn *find_spare(const struct http_server *s)
{
    uint16_t counts[CROWDS] = {0};
    struct conn *spare = NULL;
    uint16_t most = 0;

    for (struct conn *c = s->first; c != NULL; c = conn_next(c))
        counts[crowd_of(s, c)]++;
    for (struct conn *c = s->first; c != NULL; c = conn_next(c)) {
        uint16_t n = counts[crowd_of(s, c)];

        if (n < most || better(NULL, c) == NULL)
            continue;
        spare = n > most ? c : better(spare, c);
        most = n;
    }
    return spare;
}

/* False when there is no place for a client of that address. */
static bool make_room(struct http_server *s, const struct http_peer *peer)
{
    struct address client = address_network(&peer->ip);
    struct conn *spare = NULL;
    size_t of_client = s->limits.per_address > 0 && !peer->is_unix ? count_client(s, &client, &spare) : 0;

    if (of_client > 0 && of_client >= s->limits.per_address) {
        if (spare == NULL)
            return false;
        conn_close(spare);
    }
    if (s->count < s->limits.connections)
        return true;
    spare = find_spare(s);
    if (spare != NULL)
        conn_close(spare);
    return spare != NULL;
}

static void accepted(void *arg, struct stream *stream)
{
    struct http_server *s = arg;
    struct http_peer peer;

    peer_set(&peer, stream_fd(stream));
    if ((s->handlers.admit != NULL && !s->handlers.admit(&peer, s->handlers.arg)) || !make_room(s, &peer)) {
        stream_close(stream);
        free((void *)peer.groups);
        return;
    }
    conn_open(s, stream, &peer, s->tls);
}

static void ticked(void *arg)
{
    struct http_server *s = arg;
    loop_fn *done = s->done;

    conn_run_ready(s);
    if (!s->is_draining || s->count > 0 || s->ready != NULL)
        return;
    s->done = NULL;
    timer_arm(s->grace, -1);
    if (done != NULL)
        done(s->done_arg); /* may free the server */
}

struct http_server *http_serve(struct loop *l, int listen_fd, struct tls_server *tls,
                               const struct http_limits *limits, const struct http_handlers *h)
{
    struct http_server *s = xcalloc(1, sizeof *s);

    s->loop = l;
    s->tls = tls;
    s->limits = limits != NULL ? *limits : HTTP_LIMITS_DEFAULT;
    s->handlers = *h;
    random_octets((uint8_t *)&s->crowd_secret, sizeof s->crowd_secret);
    s->tick = turn_new(l, ticked, s);
    s->listener = listener_start(l, listen_fd, accepted, s);
    return s;
}

void http_server_set_tls(struct http_server *s, struct tls_server *tls)
{
    tls_server_free(s->tls);
    s->tls = tls;
}

static void close_all(void *arg)
{
    struct http_server *s = arg;

    while (s->first != NULL)
        conn_close(s->first);
}

void http_server_drain(struct http_server *s, int64_t grace_ms, loop_fn *done, void *arg)
{
    struct conn *next;

    if (s->is_draining)
        return;
    s->is_draining = true;
    s->done = done;
    s->done_arg = arg;
    listener_stop(s->listener);
    s->listener = NULL;
    s->grace = timer_start(s->loop, grace_ms, 0, close_all, s);
    for (struct conn *c = s->first; c != NULL; c = next) {
        next = conn_next(c);
        conn_drain(c);
    }
    turn_ask(s->tick);
}

void http_server_free(struct http_server *s)
{
    if (s == NULL)
        return;
    close_all(s);
    conn_run_ready(s); /* frees those that waited for the loop's next round */
    listener_stop(s->listener);
    turn_free(s->tick);
    timer_stop(s->grace);
    tls_server_free(s->tls);
    free(s);
}

size_t http_server_connections(const struct http_server *s)
{
    return s->count;
}
