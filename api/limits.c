/* SPDX-License-Identifier: Apache-2.0 */
/* limits: how often. Requests that cost the ca and the signer something, by who asks and by where from;
 * failed logins, by where from. */
#include <stdlib.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rate.h"

#define WHO_MAX 4096u /* logins and addresses remembered at once, some 56 octets each */

struct limits {
    struct api *api;
    struct rate_table *principals, *addresses, *failed;
};

static struct span place(const struct http_peer *peer, struct address *room)
{
    *room = address_network(&peer->ip);
    return span_of(room->octets, sizeof room->octets);
}

unsigned limits_failed(struct limits *l, const struct http_peer *peer)
{
    struct address room;
    unsigned wait_s = 0;

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
    if (!rate_take(l->principals, &c->requests, span_str(who->name), now_ms, &wait_s))
        return wait_s;
    (void)!rate_take(l->addresses, &c->requests_per_address, place(peer, &room), now_ms, &wait_s);
    return wait_s;
}

struct limits *limits_new(struct api *a)
{
    struct limits *l = xcalloc(1, sizeof *l);

    l->api = a;
    l->principals = rate_table_new(WHO_MAX);
    l->addresses = rate_table_new(WHO_MAX);
    l->failed = rate_table_new(WHO_MAX);
    return l;
}

void limits_free(struct limits *l)
{
    if (l == NULL)
        return;
    rate_table_free(l->principals);
    rate_table_free(l->addresses);
    rate_table_free(l->failed);
    free(l);
}
