/* SPDX-License-Identifier: Apache-2.0 */
/* Is each login held to what it may cost, and to no other's? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "api/api.h"

static struct config config;
static struct api api = {.config = &config};

static void setup(void)
{
    config.limits.requests = (struct rate){.count = 3, .span_ms = 60000};
    config.limits.requests_per_address = (struct rate){.count = 5, .span_ms = 60000};
    api.limits = limits_new(&api);
}

static void teardown(void)
{
    limits_free(api.limits);
}

TestSuite(limits, .init = setup, .fini = teardown);

/* How many of ten requests go on. */
static unsigned taken(const char *name, enum access_role role, const char *address, bool is_unix)
{
    struct principal who = {.identity = "uid:0", .role = role}; /* who has made every token here */
    struct http_peer peer = {.is_unix = is_unix};
    unsigned n = 0;

    cr_assert(address_parse(address, &peer.ip));
    snprintf(who.name, sizeof who.name, "%s", name);
    for (int i = 0; i < 10; i++)
        n += limits_request(api.limits, &peer, &who) == 0;
    return n;
}

Test(limits, tokens_of_one_maker_each_have_their_own)
{
    cr_assert_eq(taken("token:aaaaaaaaaaaaaaaa", ACCESS_REQUESTER, "192.0.2.1", false), 3);
    cr_assert_eq(taken("token:bbbbbbbbbbbbbbbb", ACCESS_REQUESTER, "192.0.2.2", false), 3);
    cr_assert_eq(taken("token:aaaaaaaaaaaaaaaa", ACCESS_REQUESTER, "192.0.2.3", false), 0, "from anywhere");
}

Test(limits, many_logins_of_one_address_share)
{
    cr_assert_eq(taken("token:aaaaaaaaaaaaaaaa", ACCESS_REQUESTER, "192.0.2.1", false), 3);
    cr_assert_eq(taken("token:bbbbbbbbbbbbbbbb", ACCESS_REQUESTER, "192.0.2.1", false), 2);
    cr_assert_eq(taken("token:cccccccccccccccc", ACCESS_REQUESTER, "192.0.2.1", false), 0);
}

Test(limits, administrators_and_local_users_have_none)
{
    cr_assert_eq(taken("token:aaaaaaaaaaaaaaaa", ACCESS_ADMINISTRATOR, "192.0.2.1", false), 10);
    cr_assert_eq(taken("uid:1000", ACCESS_REQUESTER, "192.0.2.1", true), 10);
}
