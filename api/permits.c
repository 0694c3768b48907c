/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits: the permit list as a process with a listener holds it: read from the store twice a second, so that
 * a change is in force within one. A listener without a line takes everybody; with lines, whoever one of them
 * names. Until it was read for the first time nobody is let in. The control socket is not asked about: from
 * there the list can always be put right.
 */
#include <stdlib.h>
#include <string.h>

#include "api/inner.h"
#include "base/clock.h"
#include "base/log.h"

#define TELL_MS 60000 /* one line a minute about those that were turned away, whoever hammers at the door */

struct line {
    enum access_role role;
    struct address_range range;
};

struct permits {
    struct store *store;
    enum permit_listener listener;
    struct board *board;
    bool is_read; /* once at least */
    struct timer *timer;
    struct line *lines;
    size_t count, cap;
    uint64_t turned_away; /* since the last line */
    char last[64];        /* whom */
    int64_t told_ms;
};

/* A damaged one too: then the whole is not taken. */
static bool take_line(const struct permit *p, void *arg)
{
    struct permits *s = arg;

    if (p->listener != s->listener)
        return true;
    if (s->count == s->cap)
        s->lines = xgrow(s->lines, &s->cap, sizeof *s->lines);
    s->lines[s->count++] = (struct line){p->role, p->range};
    return true;
}

static void tell_unread(const struct permits *s)
{
    const char *name = permit_listener_name(s->listener);

    if (s->is_read)
        alarm_clear(s->board, PERMITS_ALARM, name);
    else
        alarm_raise(s->board, ALARM_CRITICAL, PERMITS_ALARM, name,
                    "the permit list cannot be read: nobody may connect");
}

/* A store that cannot be read leaves the list as it was: opening the door would be the wrong way to fail. */
static void read_lines(struct permits *s)
{
    struct permits fresh = {.listener = s->listener};
    struct view *v = NULL;
    enum err e = view_open(s->store, &v);

    if (e == OK)
        e = permit_each(v, take_line, &fresh);
    view_close(v);
    s->is_read = s->is_read || e == OK;
    tell_unread(s);
    if (e != OK) {
        free(fresh.lines);
        return;
    }
    free(s->lines);
    s->lines = fresh.lines;
    s->count = fresh.count;
    s->cap = fresh.cap;
}

static void tell(struct permits *s)
{
    int64_t now_ms = clock_monotonic_ms();

    if (s->turned_away == 0 || (s->told_ms != 0 && now_ms - s->told_ms < TELL_MS))
        return;
    log_warn("turned-away",
             "%llu connections to %s from addresses that the permit list does not name, the last from %s",
             (unsigned long long)s->turned_away, permit_listener_name(s->listener), s->last);
    s->turned_away = 0;
    s->told_ms = now_ms;
}

static void on_tick(void *arg)
{
    read_lines(arg);
    tell(arg);
}

struct permits *permits_new(struct loop *l, struct store *store, enum permit_listener listener,
                            struct board *b)
{
    struct permits *s = xcalloc(1, sizeof *s);

    s->store = store;
    s->listener = listener;
    s->board = b;
    read_lines(s);
    s->timer = timer_start(l, PERMITS_POLL_MS, PERMITS_POLL_MS, on_tick, s);
    return s;
}

void permits_free(struct permits *s)
{
    if (s == NULL)
        return;
    timer_stop(s->timer);
    free(s->lines);
    free(s);
}

bool permits_has(const struct permits *s, enum access_role role, const struct http_peer *peer)
{
    bool is_open = true;

    if (peer->is_unix)
        return true;
    if (!s->is_read)
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (s->lines[i].role != role)
            continue;
        is_open = false;
        if (peer->address[0] != '\0' && address_range_has(&s->lines[i].range, &peer->ip))
            return true;
    }
    return is_open;
}

bool permits_admit(struct permits *s, const struct http_peer *peer)
{
    if (permits_has(s, ACCESS_NOBODY, peer))
        return true;
    s->turned_away++;
    memcpy(s->last, peer->address, sizeof s->last);
    tell(s);
    return false;
}
