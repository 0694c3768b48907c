/* SPDX-License-Identifier: Apache-2.0 */
/* What does the audit get to know of what role or scope forbid? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/api/ear.h"

static void setup(void)
{
    ear_open();
    ear.api.denied = denied_new(&ear.api);
}

static void teardown(void)
{
    tally_free(ear.api.denied);
    ear_close();
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
    struct rd r = ear_next(ASK_REFUSED);
    struct span said;

    cr_assert(span_eq(rd_blob(&r), span_str(who)));
    cr_assert(span_eq(rd_blob(&r), span_str("")));
    said = rd_blob(&r);
    cr_assert(span_eq(said, span_str(text)), "%.*s", (int)said.len, (const char *)said.data);
    cr_assert(rd_done(&r));
}

Test(denied, a_row_names_login_route_reason_and_how_often)
{
    const struct route *tokens = route("GET", "/api/v1/tokens");

    denied_note(ear.api.denied, "token:01", tokens, "The role viewer does not include this.");
    expect("token:01", "GET /api/v1/tokens: The role viewer does not include this. 1 times");
    denied_note(ear.api.denied, "token:01", tokens, "Another reason.");
    denied_note(ear.api.denied, "token:01", tokens, "Another reason.");
    ear_expect_silence();
    tally_minute(ear.api.denied);
    expect("token:01", "GET /api/v1/tokens: The role viewer does not include this. 2 times");
    ear_expect_silence();
}

Test(denied, another_method_of_a_path_is_another_row)
{
    denied_note(ear.api.denied, "token:01", route("GET", "/api/v1/tokens"), "No.");
    expect("token:01", "GET /api/v1/tokens: No. 1 times");
    denied_note(ear.api.denied, "token:01", route("POST", "/api/v1/tokens"), "No.");
    expect("token:01", "POST /api/v1/tokens: No. 1 times");
}

Test(denied, of_a_long_reason_the_beginning_is_said)
{
    char why[FAULT_DETAIL_MAX], text[REQUEST_REASON_MAX];

    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    denied_note(ear.api.denied, "token:01", route("GET", "/api/v1/tokens"), why);
    snprintf(text, sizeof text, "GET /api/v1/tokens: %.256s 1 times", why);
    expect("token:01", text);
}

Test(denied, many_logins_are_one_row)
{
    const struct route *tokens = route("GET", "/api/v1/tokens");
    char who[16];

    for (unsigned i = 0; i < TALLY_MAX + 3; i++) {
        snprintf(who, sizeof who, "token:%02x", i);
        denied_note(ear.api.denied, who, tokens, "No.");
        if (i < TALLY_MAX)
            expect(who, "GET /api/v1/tokens: No. 1 times");
    }
    ear_expect_silence();
    tally_minute(ear.api.denied);
    expect("-", "several routes: by several logins. 3 times");
    ear_expect_silence();
}
