/* SPDX-License-Identifier: Apache-2.0 */
/* Do the text forms of time agree with their standards, and is anything else refused? */
#include "base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t noon = 1769860800; /* 2026-01-31T12:00:00Z: date -ud @1769860800 */

Test(clock, forms)
{
    char out[CLOCK_TEXT_MAX];

    clock_rfc3339(noon, out);
    cr_assert_str_eq(out, "2026-01-31T12:00:00Z");
    clock_http(noon, out);
    cr_assert_str_eq(out, "Sat, 31 Jan 2026 12:00:00 GMT");
    clock_utctime(noon, out);
    cr_assert_str_eq(out, "260131120000Z");
    clock_generalized(noon, out);
    cr_assert_str_eq(out, "20260131120000Z");
}

Test(clock, utctime_ends_with_2049)
{
    char out[CLOCK_TEXT_MAX];

    clock_utctime(2524607999, out);
    cr_assert_str_eq(out, "491231235959Z");
    clock_utctime(2524608000, out);
    cr_assert_str_eq(out, "");
}

Test(clock, what_is_written_is_read_back)
{
    char out[CLOCK_TEXT_MAX];
    int64_t back = 0;

    for (int64_t t = 0; t < 4102444800; t += 86399 * 97) {
        clock_rfc3339(t, out);
        cr_assert(clock_parse_rfc3339(out, &back) && back == t);
        clock_http(t, out);
        cr_assert(clock_parse_http(out, &back) && back == t);
        clock_generalized(t, out);
        cr_assert(clock_parse_generalized(out, strlen(out), &back) && back == t);
        clock_utctime(t, out);
        if (out[0] != '\0')
            cr_assert(clock_parse_utctime(out, strlen(out), &back) && back == t);
    }
}

Test(clock, impossible_dates_are_refused)
{
    static const char *const bad[] = {"2026-02-30",
                                      "2026-13-01",
                                      "2026-01-31T24:00:00Z",
                                      "2026-01-31T12:00:00",
                                      "2026-01-31T12:00:00+01:00",
                                      "2026-01-31T12:00:00.Z",
                                      "2026-01-31T12:00:00.5",
                                      "2026-01-31T12:00:00.5ZZ",
                                      "2026-01-31T12:00:00.5+01:00",
                                      "2026-01-31T12:00.5Z",
                                      "2026-01-31T12:00:00,5Z",
                                      "2026-01-31T12:00:00.0000000001Z",
                                      "",
                                      "2026-01-31 12:00:00Z",
                                      "2026-01-31T12:00:00ZZ"};
    int64_t t;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(!clock_parse_rfc3339(bad[i], &t), "%s", bad[i]);
    cr_assert(!clock_parse_http("Sun, 31 Jan 2026 12:00:00 GMT", &t), "wrong day name");
    cr_assert(!clock_parse_generalized("20260131120000.5Z", strlen("20260131120000.5Z"), &t));
    cr_assert(!clock_parse_utctime("2601311200Z", strlen("2601311200Z"), &t));
}

Test(clock, a_fraction_of_a_second_is_dropped)
{
    static const char *const good[] = {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z",
                                       "2026-01-31T12:00:00.9Z", "2026-01-31T12:00:00.123456789Z"};
    int64_t t = 0;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(clock_parse_rfc3339(good[i], &t) && t == 1769860800, "%s", good[i]);
}

Test(clock, spans)
{
    int64_t t;

    cr_assert(clock_parse_span("24h", &t) && t == 86400);
    cr_assert(clock_parse_span("30d", &t) && t == 2592000);
    cr_assert(clock_parse_span("90s", &t) && t == 90);
    cr_assert(!clock_parse_span("0d", &t));
    cr_assert(!clock_parse_span("-1d", &t));
    cr_assert(!clock_parse_span("1", &t));
    cr_assert(!clock_parse_span("1w", &t));
    cr_assert(!clock_parse_span("99999999999999999999d", &t));
    cr_assert(!clock_parse_span("40000d", &t));
}

/* The library's calendar is the judge: every day of the years 0 to 9999, each at another second. */
static void agrees(int64_t t_s)
{
    char ours[CLOCK_TEXT_MAX], theirs[CLOCK_TEXT_MAX];
    time_t t = t_s;
    struct tm tm;
    int64_t back = 0;

    cr_assert_not_null(gmtime_r(&t, &tm));
    snprintf(theirs, sizeof theirs, "%04d%02d%02d%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    clock_generalized(t_s, ours);
    cr_assert_str_eq(ours, theirs);
    cr_assert(clock_parse_generalized(ours, strlen(ours), &back) && back == t_s, "%s", ours);
    clock_http(t_s, ours);
    cr_assert_eq(strftime(theirs, sizeof theirs, "%a", &tm), 3);
    cr_assert_eq(memcmp(ours, theirs, 3), 0, "%s", ours);
}

Test(clock, every_day_agrees_with_the_library)
{
    int64_t day = 0;

    for (int64_t t = CLOCK_MIN; t <= CLOCK_MAX; t += 86400)
        agrees(t + day++ * 7919 % 86400);
    agrees(CLOCK_MAX);
}

Test(clock, days_that_are_none_are_refused)
{
    static const struct {
        const char *text;
        bool is_one;
    } rows[] = {{"20000229000000Z", true},  {"19000229000000Z", false}, {"20230229000000Z", false},
                {"20240229000000Z", true},  {"20240230000000Z", false}, {"20240431000000Z", false},
                {"20240430000000Z", true},  {"20240001000000Z", false}, {"20241301000000Z", false},
                {"20240100000000Z", false}, {"20240132000000Z", false}, {"20240101240000Z", false},
                {"20240101006000Z", false}, {"20240101000060Z", false}, {"20241231235959Z", true},
                {"00000101000000Z", true},  {"00000229000000Z", true}};
    int64_t t;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(clock_parse_generalized(rows[i].text, strlen(rows[i].text), &t), rows[i].is_one, "%s",
                     rows[i].text);
}
