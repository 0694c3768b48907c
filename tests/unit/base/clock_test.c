/* SPDX-License-Identifier: Apache-2.0 */
/* Do the text forms of time agree with their standards, and is anything else refused? */
#include "base/clock.h"

#include <criterion/criterion.h>

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
        cr_assert(clock_parse_generalized(out, &back) && back == t);
        clock_utctime(t, out);
        if (out[0] != '\0')
            cr_assert(clock_parse_utctime(out, &back) && back == t);
    }
}

Test(clock, impossible_dates_are_refused)
{
    static const char *const bad[] = {"2026-02-30",
                                      "2026-13-01",
                                      "2026-01-31T24:00:00Z",
                                      "2026-01-31T12:00:00",
                                      "2026-01-31T12:00:00+01:00",
                                      "2026-01-31T12:00:00.5Z",
                                      "",
                                      "2026-01-31 12:00:00Z",
                                      "2026-01-31T12:00:00ZZ"};
    int64_t t;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(!clock_parse_rfc3339(bad[i], &t), "%s", bad[i]);
    cr_assert(!clock_parse_http("Sun, 31 Jan 2026 12:00:00 GMT", &t), "wrong day name");
    cr_assert(!clock_parse_generalized("20260131120000.5Z", &t));
    cr_assert(!clock_parse_utctime("2601311200Z", &t));
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
