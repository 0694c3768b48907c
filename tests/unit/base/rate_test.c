/* SPDX-License-Identifier: Apache-2.0 */
/* Does a bucket let through what it holds, refill, and survive strangers by the thousand? */
#include "base/rate.h"

#include <criterion/criterion.h>
#include <stdio.h>

static unsigned take_all(struct rate_table *t, const struct rate *r, const char *who, int64_t now_ms)
{
    unsigned n = 0, wait_s;

    while (n < 10000 && rate_take(t, r, span_str(who), now_ms, &wait_s))
        n++;
    return n;
}

Test(rate, so_many_at_once_then_evenly)
{
    struct rate r = {.count = 60, .span_ms = 60000};
    struct rate_table *t = rate_table_new(8);
    unsigned wait_s;

    cr_assert_eq(take_all(t, &r, "a", 1000), 60);
    cr_assert(!rate_take(t, &r, span_str("a"), 1000, &wait_s));
    cr_assert_geq(wait_s, 1);
    cr_assert_leq(wait_s, 2);
    cr_assert_eq(take_all(t, &r, "a", 1999), 0);
    cr_assert_eq(take_all(t, &r, "a", 2000), 1);
    cr_assert_eq(take_all(t, &r, "a", 12000), 10);
    cr_assert_eq(take_all(t, &r, "b", 12000), 60);
    cr_assert_eq(take_all(t, &r, "a", INT64_C(1) << 40), 60);
    rate_table_free(t);
}

Test(rate, slow_rates_wait_long)
{
    struct rate r = {.count = 1, .span_ms = 3600000};
    struct rate_table *t = rate_table_new(8);
    unsigned wait_s;

    cr_assert(rate_take(t, &r, span_str("a"), 0, &wait_s));
    cr_assert(!rate_take(t, &r, span_str("a"), 600000, &wait_s));
    cr_assert_geq(wait_s, 3000);
    cr_assert_leq(wait_s, 3001);
    rate_table_free(t);
}

Test(rate, a_clock_that_goes_back_gives_nothing)
{
    struct rate r = {.count = 2, .span_ms = 1000};
    struct rate_table *t = rate_table_new(8);

    cr_assert_eq(take_all(t, &r, "a", 10000), 2);
    cr_assert_eq(take_all(t, &r, "a", 0), 0);
    rate_table_free(t);
}

Test(rate, strangers_do_not_free_whoever_is_held_back)
{
    struct rate r = {.count = 10, .span_ms = 60000};
    struct rate_table *t = rate_table_new(64);
    char who[32];
    unsigned wait_s;

    cr_assert_eq(take_all(t, &r, "greedy", 0), 10);
    for (int i = 0; i < 10000; i++) {
        snprintf(who, sizeof who, "stranger %d", i);
        cr_assert(rate_take(t, &r, span_str(who), 0, &wait_s));
    }
    cr_assert_eq(take_all(t, &r, "greedy", 0), 0);
    rate_table_free(t);
}

Test(rate, none_is_no_limit)
{
    struct rate r;
    struct rate_table *t = rate_table_new(8);

    cr_assert(rate_parse("none", &r));
    cr_assert_eq(take_all(t, &r, "a", 0), 10000);
    rate_table_free(t);
}

Test(rate, text)
{
    static const char *const bad[] = {"",          "0/s",  "1",    "1/d",   "/s",  "-1/s",
                                      "1000001/s", "1/s ", " 1/s", "1.5/s", "01/s"};
    struct rate r;

    cr_assert(rate_parse("600/m", &r));
    cr_assert(r.count == 600 && r.span_ms == 60000);
    cr_assert(rate_parse("1000000/h", &r));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(!rate_parse(bad[i], &r), "%s", bad[i]);
}
