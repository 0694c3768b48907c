/* SPDX-License-Identifier: Apache-2.0 */
/* Is a report of checks as bad as the worst of them, whatever their order? */
#include "api/checks.h"

#include <criterion/criterion.h>
#include <string.h>

static void write_ended(struct checks *k, char *out, size_t cap)
{
    struct js *o = checks_end(k);
    struct buf b;

    buf_init(&b, cap - 1);
    js_write(o, &b);
    cr_assert_eq(buf_end(&b), OK);
    memcpy(out, b.data, b.len);
    out[b.len] = '\0';
    buf_free(&b);
    js_free(o);
}

Test(checks, the_worst_level_is_kept)
{
    static const struct {
        enum level levels[3];
        const char *want;
    } rows[] = {
        {{LEVEL_OK, LEVEL_OK, LEVEL_OK}, "{\"status\":\"ok\","},
        {{LEVEL_OK, LEVEL_WARNING, LEVEL_OK}, "{\"status\":\"warning\","},
        {{LEVEL_CRITICAL, LEVEL_WARNING, LEVEL_OK}, "{\"status\":\"critical\","},
        {{LEVEL_WARNING, LEVEL_OK, LEVEL_CRITICAL}, "{\"status\":\"critical\","},
    };
    char text[1024];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct checks k;

        checks_begin(&k);
        for (size_t n = 0; n < 3; n++)
            checks_add(&k, "c", "", rows[i].levels[n], "d");
        write_ended(&k, text, sizeof text);
        cr_assert_eq(strncmp(text, rows[i].want, strlen(rows[i].want)), 0, "%s", text);
    }
}

Test(checks, a_check_is_named_by_kind_and_id)
{
    struct checks k;
    char text[1024];

    checks_begin(&k);
    checks_add(&k, "store", "", LEVEL_OK, "%d certificates", 7);
    checks_add(&k, "crl", "rsa-g1", LEVEL_WARNING, "late");
    write_ended(&k, text, sizeof text);
    cr_assert_str_eq(text, "{\"status\":\"warning\",\"checks\":["
                           "{\"name\":\"store\",\"status\":\"ok\",\"detail\":\"7 certificates\"},"
                           "{\"name\":\"crl:rsa-g1\",\"status\":\"warning\",\"detail\":\"late\"}]}");
}

Test(checks, a_report_without_checks_is_well)
{
    struct checks k;
    char text[64];

    checks_begin(&k);
    write_ended(&k, text, sizeof text);
    cr_assert_str_eq(text, "{\"status\":\"ok\",\"checks\":[]}");
}

Test(checks, an_alarm_says_since_when_it_stands)
{
    const struct alarm_shown a = {.code = "disk.full",
                                  .subject = "store",
                                  .detail = "none is free",
                                  .level = ALARM_CRITICAL,
                                  .since_s = 1767225600};
    struct checks k;
    char text[256];

    checks_begin(&k);
    checks_add_alarm(&k, &a);
    write_ended(&k, text, sizeof text);
    cr_assert_str_eq(
        text, "{\"status\":\"critical\",\"checks\":[{\"name\":\"disk.full:store\",\"status\":\"critical\","
              "\"detail\":\"none is free (since 2026-01-01T00:00:00Z)\"}]}");
}

Test(checks, an_end_is_told_with_its_time)
{
    static const struct {
        enum ending_state state;
        const char *want;
    } rows[] = {
        {ENDING_FAR, "\"status\":\"ok\",\"detail\":\"until 2026-05-28T20:26:40Z\""},
        {ENDING_SOON, "\"status\":\"warning\",\"detail\":\"ends 2026-05-28T20:26:40Z\""},
        {ENDING_OVER, "\"status\":\"critical\",\"detail\":\"ended 2026-05-28T20:26:40Z\""},
    };
    char text[1024];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct checks k;

        checks_begin(&k);
        checks_add_end(&k, "ocsp", "x", 1780000000, rows[i].state);
        write_ended(&k, text, sizeof text);
        cr_assert_not_null(strstr(text, rows[i].want), "%s", text);
    }
}
