/* SPDX-License-Identifier: Apache-2.0 */
/* What does the audit get to know of who was not let in? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/address.h"
#include "tests/unit/api/ear.h"

static void setup(void)
{
    ear_open();
    ear.api.login_failures = login_failures_new(&ear.api);
}

static void teardown(void)
{
    tally_free(ear.api.login_failures);
    ear_close();
}

TestSuite(login_failure, .init = setup, .fini = teardown);

static void note(const char *address, enum login_failure kind)
{
    struct http_peer peer = {.is_unix = address == NULL};

    cr_assert(address == NULL || address_parse(address, &peer.ip));
    login_failure_note(ear.api.login_failures, &peer, kind);
}

/* The next question to the ca. */
static void expect(const char *from, const char *kind, uint32_t count)
{
    struct rd r = ear_next(ASK_LOGIN_FAILURE);

    cr_assert(span_eq(rd_blob(&r), span_str(from)), "%s", from);
    cr_assert(span_eq(rd_blob(&r), span_str(kind)), "%s", kind);
    cr_assert_eq(rd_u32(&r), count);
    cr_assert(rd_done(&r));
}

Test(login_failure, a_row_names_address_kind_and_how_often)
{
    note("192.0.2.1", LOGIN_FAILURE_TOKEN_UNKNOWN);
    expect("192.0.2.1", "unknown token", 1);
    for (unsigned i = 0; i < 1000; i++)
        note("192.0.2.1", LOGIN_FAILURE_TOKEN_UNKNOWN);
    ear_expect_silence();
    tally_minute(ear.api.login_failures);
    expect("192.0.2.1", "unknown token", 1000);
    ear_expect_silence();
}

Test(login_failure, another_kind_from_an_address_is_another_row)
{
    note("192.0.2.1", LOGIN_FAILURE_TOKEN_ENDED);
    expect("192.0.2.1", "expired or deleted token", 1);
    note("192.0.2.1", LOGIN_FAILURE_CERTIFICATE);
    expect("192.0.2.1", "certificate not accepted", 1);
}

Test(login_failure, of_ipv6_one_client_has_a_64)
{
    note("2001:db8:0:7::1", LOGIN_FAILURE_NONE);
    expect("2001:db8:0:7::", "no login given", 1);
    note("2001:db8:0:7:1:2:3:4", LOGIN_FAILURE_NONE);
    ear_expect_silence();
    note("2001:db8:0:8::1", LOGIN_FAILURE_NONE);
    expect("2001:db8:0:8::", "no login given", 1);
}

Test(login_failure, this_machine_is_named)
{
    note(NULL, LOGIN_FAILURE_ROLE);
    expect("unix", "known, without a role", 1);
}

Test(login_failure, many_addresses_are_one_row_of_the_latest_kind)
{
    char address[16];

    for (unsigned i = 0; i < TALLY_MAX + 2; i++) {
        snprintf(address, sizeof address, "192.0.%u.%u", i / 256, i % 256);
        note(address, LOGIN_FAILURE_NONE);
        if (i < TALLY_MAX)
            expect(address, "no login given", 1);
    }
    note("198.51.100.1", LOGIN_FAILURE_TOKEN_BROKEN);
    ear_expect_silence();
    tally_minute(ear.api.login_failures);
    expect("other addresses", "no token or a mistyped one", 3);
    ear_expect_silence();
}
