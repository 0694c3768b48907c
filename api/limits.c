/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: how often. Requests that cost the ca and the signer something, by who asks and by where from;
 * failed logins, by where from. Failed logins become audit rows, bounded: the first of a kind from an address
 * at once, the following counted, one row a minute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rate.h"

#define WHO_MAX 4096u     /* logins and addresses remembered at once, some 56 octets each */
#define FAILURES_MAX 256u /* addresses and kinds told apart at once; the rest is one */
#define TELL_MS 60000

struct failure {
    char from[ADDRESS_TEXT_MAX]; /* "" free */
    enum login_failure kind;
    uint32_t count; /* since the last row */
};

struct limits {
    struct api *api;
    struct rate_table *principals, *addresses, *failed;
    struct failure failures[FAILURES_MAX];
    struct failure others;
    struct timer *timer;
};

static const char *const kinds[] = {
    [LOGIN_FAILURE_NONE] = "no login given",
    [LOGIN_FAILURE_TOKEN_BROKEN] = "no token or a mistyped one",
    [LOGIN_FAILURE_TOKEN_UNKNOWN] = "unknown token",
    [LOGIN_FAILURE_TOKEN_ENDED] = "expired or deleted token",
    [LOGIN_FAILURE_CERTIFICATE] = "certificate not accepted",
    [LOGIN_FAILURE_ROLE] = "known, without a role",
    [LOGIN_FAILURE_ADDRESS] = "role not permitted from this address",
};

/* ---- rows ---- */

static void tell(struct limits *l, struct failure *f)
{
    struct buf b;

    log_warn("login-failure", "from=%s count=%u %s", f->from, f->count, kinds[f->kind]);
    buf_init(&b, 256);
    buf_put_blob(&b, span_str(f->from));
    buf_put_blob(&b, span_str(kinds[f->kind]));
    buf_put_u32(&b, f->count);
    asker_tell(l->api->asker, ASK_LOGIN_FAILURE, buf_span(&b));
    buf_free(&b);
    f->count = 0;
}

static void on_tick(void *arg)
{
    struct limits *l = arg;

    for (size_t i = 0; i < FAILURES_MAX; i++) {
        struct failure *f = &l->failures[i];

        if (f->count > 0)
            tell(l, f);
        else
            f->from[0] = '\0'; /* quiet for a minute: forgotten */
    }
    if (l->others.count > 0)
        tell(l, &l->others);
}

/* NULL: there is no place for another. */
static struct failure *failure_find(struct limits *l, const char *from, enum login_failure kind)
{
    struct failure *spare = NULL;

    for (size_t i = 0; i < FAILURES_MAX; i++) {
        struct failure *f = &l->failures[i];

        if (f->from[0] == '\0')
            spare = spare != NULL ? spare : f;
        else if (f->kind == kind && strcmp(f->from, from) == 0)
            return f;
    }
    return spare;
}

static void note(struct limits *l, const struct http_peer *peer, enum login_failure kind)
{
    char from[ADDRESS_TEXT_MAX] = "unix";
    struct failure *f;

    if (!peer->is_unix)
        address_range_text(&(struct address_range){address_network(&peer->ip), 128}, from);
    f = failure_find(l, from, kind);
    if (f == NULL) {
        l->others.kind = kind;
        l->others.count++;
        return;
    }
    f->count++;
    if (f->from[0] != '\0')
        return;
    strcpy(f->from, from);
    f->kind = kind;
    tell(l, f);
}

/* ---- rates ---- */

static struct span place(const struct http_peer *peer, struct address *room)
{
    *room = address_network(&peer->ip);
    return span_of(room->octets, sizeof room->octets);
}

unsigned limits_failed(struct limits *l, const struct http_peer *peer, enum login_failure kind)
{
    struct address room;
    unsigned wait_s = 0;

    note(l, peer, kind);
    if (!peer->is_unix)
        (void)!rate_take(l->failed, &l->api->config->limits.failures, place(peer, &room),
                         clock_monotonic_ms(), &wait_s);
    return wait_s;
}

unsigned limits_request(struct limits *l, const struct http_peer *peer, const struct principal *who)
{
    const struct limits_config *c = &l->api->config->limits;
    int64_t now_ms = clock_monotonic_ms();
    struct address room;
    unsigned wait_s;

    if (who->role == ACCESS_ADMINISTRATOR || peer->is_unix)
        return 0;
    if (!rate_take(l->principals, &c->requests, span_str(who->identity), now_ms, &wait_s))
        return wait_s;
    (void)!rate_take(l->addresses, &c->requests_per_address, place(peer, &room), now_ms, &wait_s);
    return wait_s;
}

/* ---- life ---- */

struct limits *limits_new(struct api *a)
{
    struct limits *l = xcalloc(1, sizeof *l);

    l->api = a;
    l->principals = rate_table_new(WHO_MAX);
    l->addresses = rate_table_new(WHO_MAX);
    l->failed = rate_table_new(WHO_MAX);
    strcpy(l->others.from, "other addresses");
    l->timer = timer_start(a->loop, TELL_MS, TELL_MS, on_tick, l);
    return l;
}

void limits_free(struct limits *l)
{
    if (l == NULL)
        return;
    timer_stop(l->timer);
    rate_table_free(l->principals);
    rate_table_free(l->addresses);
    rate_table_free(l->failed);
    free(l);
}
