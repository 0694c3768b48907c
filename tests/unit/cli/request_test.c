/* SPDX-License-Identifier: Apache-2.0 */
/* Does `request` show what people decide by, and send what they decided? */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/cli/exchange.h"

static const char waiting[] =
    "{\"request\":\"0a1b\",\"status\":\"pending\",\"profile\":\"ucm/CAPF\",\"asker\":\"cert:01\",\"subject\":"
    "\"CN=a\",\"sans\":[],\"asked_at\":\"2026-01-31T12:00:00Z\",\"expires_at\":\"2026-02-07T12:00:00Z\","
    "\"reason\":null,\"serial\":null,\"csr\":\"-----BEGIN\\n\",\"findings\":[{\"rule\":\"r\",\"severity\":"
    "\"warn\","
    "\"message\":\"M\"}]}";

Test(request, list_asks_for_the_status_and_goes_on_to_the_end)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES("{\"items\":[{\"request\":\"02\"}],\"next\":\"c1\"}",
                    "{\"items\":[{\"request\":\"01\"}],\"next\":null}"),
             WORDS("request", "list", "--status", "pending", "--limit", "0", "--output", "jsonl"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/requests?status=pending&limit=1000 HTTP/1.1");
    expect_request(x.server, 1, "GET /api/v1/requests?status=pending&limit=1000&after=c1 HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "{\"request\":\"02\"}\n{\"request\":\"01\"}\n");
    finish(&x);
}

Test(request, show_prints_what_people_decide_by)
{
    struct exchange x = {0};

    exchange(&x, BODIES(waiting), WORDS("request", "show", "0a1b"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/requests/0a1b HTTP/1.1");
    cr_assert_not_null(strstr(x.typed.out, "asker       cert:01\n"), "%s", x.typed.out);
    cr_assert_not_null(strstr(x.typed.out, "warn    r  M\n"), "%s", x.typed.out);
    cr_assert_null(strstr(x.typed.out, "BEGIN"), "the CSR is for programs");
    finish(&x);
}

Test(request, approve_and_deny_post_the_decision)
{
    struct exchange x = {0};

    exchange(&x, BODIES(waiting), WORDS("request", "approve", "0a1b", "--output", "json"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/requests/0a1b/approval HTTP/1.1");
    cr_assert_str_eq(body_of(&x, 0), "");
    finish(&x);
    exchange(&x, BODIES(waiting), WORDS("request", "deny", "0a1b", "--reason", "not \"ours\""));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/requests/0a1b/denial HTTP/1.1");
    cr_assert_str_eq(body_of(&x, 0), "{\"reason\":\"not \\\"ours\\\"\"}");
    finish(&x);
}

Test(request, a_dry_run_decides_nothing)
{
    struct exchange x = {0};

    exchange(&x, BODIES(waiting), WORDS("request", "approve", "0a1b", "--dry-run"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/requests/0a1b HTTP/1.1");
    finish(&x);
}

Test(request, a_dry_run_refuses_what_is_decided)
{
    static const char *const rows[][2] = {{"approved", "It is approved already."},
                                          {"denied", "It is denied already."},
                                          {"expired", "It has expired"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct exchange x = {0};
        char body[64];

        snprintf(body, sizeof body, "{\"status\":\"%s\"}", rows[i][0]);
        if (i % 2 == 0)
            exchange(&x, BODIES(body), WORDS("request", "approve", "0a1b", "--dry-run"));
        else
            exchange(&x, BODIES(body), WORDS("request", "deny", "0a1b", "--reason", "no", "--dry-run"));
        expect_code(&x, 3);
        cr_assert_not_null(strstr(x.typed.err, rows[i][1]), "%s", x.typed.err);
        cr_assert_str_eq(x.typed.out, "");
        finish(&x);
    }
}

Test(request, what_the_service_refuses_has_its_exit_code)
{
    static const struct {
        const char *answer;
        int code;
    } rows[] = {{"403 {\"detail\":\"own\"}", 6},
                {"404 {\"detail\":\"none\"}", 5},
                {"409 {\"detail\":\"done\"}", 3},
                {"422 {\"detail\":\"rules\"}", 3}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct exchange x = {0};

        exchange(&x, BODIES(rows[i].answer), WORDS("request", "approve", "0a1b"));
        expect_code(&x, rows[i].code);
        cr_assert_str_eq(x.typed.out, "");
        finish(&x);
    }
}

Test(request, wrong_use_asks_nobody)
{
    static const char *const wrong[][7] = {{"request", "deny", "0a1b"},
                                           {"request", "show"},
                                           {"request", "list", "--status", "revoked"},
                                           {"request", "list", "--limit", "many"},
                                           {"request", "approve", "0a1b", "--reason", "x"}};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct typed t = {0};

        typed_run(&t, wrong[i]);
        cr_assert_eq(t.code, 1, "%zu: %s", i, t.err);
        typed_free(&t);
    }
}
