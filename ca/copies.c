/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copies: each audit row, once it is durable, as a datagram for the log service of this machine, RFC 5424.
 * The number and the hash are in it, so that the log's host holds what shows a later change or an end that
 * was cut off. A log service that is away loses nothing: rows wait in the store until it is back, also over a
 * start, because how far copies have come is written down: once a minute, so that a crash repeats some.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define ALARM "audit.copies"
#define MOST 512u     /* rows of one call, so that it never holds up a turn for long */
#define RETRY_MS 1000 /* between looks for a log service that is away */

/* As for every other service, security messages; what was turned away is worth a warning. */
static int priority_of(enum audit_kind kind)
{
    bool is_bad = kind == AUDIT_REFUSE || kind == AUDIT_LOGIN_FAILURE;

    return LOG_AUTHPRIV | (is_bad ? LOG_WARNING : LOG_NOTICE);
}

/* One line, whatever is within. */
static void put_line(struct buf *b, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_put_u8(b, text.data[i] < 0x20 || text.data[i] == 0x7f ? ' ' : text.data[i]);
}

/* <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG; the log service knows its host. */
static void row_write(struct buf *b, const struct audit_row *a)
{
    char time[CLOCK_TEXT_MAX], hash[2 * HASH_LEN + 1], serial[SERIAL_HEX_LEN + 1] = "-";

    clock_rfc3339(a->at_s, time);
    hex_encode(span_of(a->hash, HASH_LEN), hash);
    if (a->has_serial)
        hex_encode(span_of(a->serial, SERIAL_LEN), serial);
    buf_printf(
        b, "<%d>1 %s - chancery %ld audit - seq=%llu hash=%s kind=%s serial=%s actor=", priority_of(a->kind),
        time, (long)getpid(), (unsigned long long)a->seq, hash, audit_kind_name(a->kind), serial);
    put_line(b, a->actor);
    buf_put_str(b, " detail=");
    put_line(b, a->detail);
}

static bool socket_open(struct copies *c)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (c->fd >= 0)
        return true;
    strcpy(to.sun_path, c->path);
    c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd >= 0 && connect(c->fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return true;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    return false;
}

static bool send_row(const struct audit_row *a, void *arg)
{
    struct copies *c = arg;
    struct buf b;
    ssize_t n;

    buf_init(&b, 16 * 1024);
    row_write(&b, a);
    do {
        n = send(c->fd, b.data, b.len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    buf_free(&b);
    c->error = n < 0 ? errno : 0;
    if (n >= 0)
        c->seq = a->seq;
    return n >= 0 && ++c->sent < MOST;
}

static void copy(struct ca *ca, struct view *v)
{
    struct copies *c = &ca->copies;

    c->sent = 0;
    c->error = 0;
    if (!socket_open(c))
        c->error = errno;
    else if (audit_each(v, c->seq + 1, send_row, c) != OK)
        c->error = EIO;
    if (c->error == 0)
        return alarm_clear(ca->role->board, ALARM, c->path);
    c->retry_ms = clock_monotonic_ms() + RETRY_MS;
    if (c->error == EAGAIN || c->error == ENOBUFS) /* it is slow; nothing is lost */
        return;
    alarm_raise(ca->role->board, ALARM_WARNING, ALARM, c->path, "rows from %llu on wait: %s",
                (unsigned long long)c->seq + 1, strerror(c->error));
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

/* Another socket, or none, since the last look. What is new from now on goes there. */
static void follow_config(struct ca *ca, const struct chain_mark *head)
{
    struct copies *c = &ca->copies;

    if (strcmp(c->path, ca->role->config.syslog) == 0)
        return;
    if (c->path[0] != '\0')
        alarm_clear(ca->role->board, ALARM, c->path);
    else
        c->seq = head->seq;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->retry_ms = 0;
    strcpy(c->path, ca->role->config.syslog);
}

/* What was written down. A mark that cannot be is none: too many copies are better than too few. */
static uint64_t find_mark(struct view *v)
{
    struct chain_mark head;
    uint64_t seq = 0;

    if (audit_head(v, &head) != OK)
        die("the store cannot be read");
    if (copied_find(v, &seq) != OK || seq > head.seq)
        log_warn("audit", "how far copies have come cannot be read: some are sent again");
    return seq > head.seq ? 0 : seq;
}

/* None were made so far: from the newest seal on; without one, from this start on. */
static uint64_t find_first(struct ca *ca, struct view *v)
{
    struct audit_row start = {0};
    enum err e;

    if (ca->sealing.seq > 0)
        return ca->sealing.seq;
    e = audit_newest(v, AUDIT_START, UINT64_MAX, &start);
    if (e != OK && e != ERR_NOT_FOUND)
        die("the store cannot be read");
    return e == OK ? start.seq - 1 : 0;
}

void copies_begin(struct ca *ca)
{
    struct copies *c = &ca->copies;
    struct view *v;

    *c = (struct copies){.fd = -1};
    strcpy(c->path, ca->role->config.syslog);
    v = ca_view(ca);
    c->marked = find_mark(v);
    c->seq = c->marked > 0 ? c->marked : find_first(ca, v);
    view_close(v);
}

/* While none are made there is no mark: who switches them on wants what is new, not what was missed. */
static uint64_t wanted_mark(const struct copies *c)
{
    return c->path[0] != '\0' ? c->seq : 0;
}

void copies_mark(struct ca *ca, struct txn *t)
{
    struct copies *c = &ca->copies;

    if (c->marked == wanted_mark(c))
        return;
    c->marked = wanted_mark(c);
    copied_set(t, c->marked);
}

void copies_turn(struct ca *ca)
{
    struct chain_mark head;
    struct view *v;

    if (ca->copies.path[0] == '\0' && ca->role->config.syslog[0] == '\0')
        return;
    v = ca_view(ca);
    if (audit_head(v, &head) != OK)
        die("the store cannot be read");
    follow_config(ca, &head);
    if (ca->copies.path[0] != '\0' && ca->copies.seq < head.seq &&
        clock_monotonic_ms() >= ca->copies.retry_ms)
        copy(ca, v);
    view_close(v);
}

void copies_end(struct ca *ca)
{
    struct copies *c = &ca->copies;
    struct txn *t;

    c->retry_ms = 0; /* there is no later in this life */
    copies_turn(ca);
    if (c->fd >= 0)
        close(c->fd);
    if (c->marked == wanted_mark(c) || ca->no_room != NULL)
        return;
    t = ca_txn(ca);
    copies_mark(ca, t);
    if (txn_commit(t) != OK)
        die("the commit of how far copies have come failed");
}
