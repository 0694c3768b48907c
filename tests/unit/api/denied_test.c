/* SPDX-License-Identifier: Apache-2.0 */
/* What does the audit get to know of what role or scope forbid? */
#include "api/api.h"
#include "base/wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct api api;
static int fds[2];

static void setup(void)
{
    cr_assert_eq(wire_pair(fds), OK);
    api.loop = loop_new(); /* never runs */
    api.asker = asker_new(api.loop, fds[0], 30000);
    api.denied = denied_new(&api);
}

static void teardown(void)
{
    tally_free(api.denied);
    asker_free(api.asker);
    loop_free(api.loop);
    close(fds[0]);
    close(fds[1]);
}

TestSuite(denied, .init = setup, .fini = teardown);

static const struct route *route(const char *method, const char *path)
{
    const struct route *out;
    char arg[ROUTE_ARG_MAX], allow[64];

    cr_assert_eq(route_find(method, path, &out, arg, allow), OK);
    return out;
}

/* The next question to the ca: who, and what is said of it. */
static void expect(const char *who, const char *text)
{
    static uint8_t buffer[WIRE_MSG_MAX];
    struct span m;
    struct rd r;

    cr_assert_eq(wire_try_receive(fds[1], buffer, sizeof buffer, &m), OK);
    r = rd_of(m);
    cr_assert_eq(rd_u8(&r), ASK_REFUSED);
    (void)rd_u64(&r);
    cr_assert(span_eq(rd_blob(&r), span_str(who)));
    cr_assert(span_eq(rd_blob(&r), span_str("")));
    cr_assert(span_eq(rd_blob(&r), span_str(text)), "%.*s", (int)m.len, (const char *)m.data);
    cr_assert(rd_done(&r));
}

static void expect_silence(void)
{
    static uint8_t buffer[WIRE_MSG_MAX];
    struct span m;

    cr_assert_eq(wire_try_receive(fds[1], buffer, sizeof buffer, &m), ERR_UNAVAILABLE);
}

Test(denied, a_row_names_login_route_reason_and_how_often)
{
    const struct route *tokens = route("GET", "/api/v1/tokens");

    denied_note(api.denied, "token:01", tokens, "The role viewer does not include this.");
    expect("token:01", "GET /api/v1/tokens: The role viewer does not include this. 1 times");
    denied_note(api.denied, "token:01", tokens, "Another reason.");
    denied_note(api.denied, "token:01", tokens, "Another reason.");
    expect_silence();
    tally_minute(api.denied);
    expect("token:01", "GET /api/v1/tokens: The role viewer does not include this. 2 times");
    expect_silence();
}

Test(denied, another_method_of_a_path_is_another_row)
{
    denied_note(api.denied, "token:01", route("GET", "/api/v1/tokens"), "No.");
    expect("token:01", "GET /api/v1/tokens: No. 1 times");
    denied_note(api.denied, "token:01", route("POST", "/api/v1/tokens"), "No.");
    expect("token:01", "POST /api/v1/tokens: No. 1 times");
}

Test(denied, of_a_long_reason_the_beginning_is_said)
{
    char why[FAULT_DETAIL_MAX], text[REQUEST_REASON_MAX];

    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    denied_note(api.denied, "token:01", route("GET", "/api/v1/tokens"), why);
    snprintf(text, sizeof text, "GET /api/v1/tokens: %.256s 1 times", why);
    expect("token:01", text);
}

Test(denied, many_logins_are_one_row)
{
    const struct route *tokens = route("GET", "/api/v1/tokens");
    char who[16];

    for (unsigned i = 0; i < TALLY_MAX + 3; i++) {
        snprintf(who, sizeof who, "token:%02x", i);
        denied_note(api.denied, who, tokens, "No.");
        if (i < TALLY_MAX)
            expect(who, "GET /api/v1/tokens: No. 1 times");
    }
    expect_silence();
    tally_minute(api.denied);
    expect("-", "several routes: by several logins. 3 times");
    expect_silence();
}
