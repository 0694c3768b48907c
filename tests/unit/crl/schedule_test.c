/* SPDX-License-Identifier: Apache-2.0 */
/* When is the next list due? */
#include <criterion/criterion.h>

#include "crl/inner.h"

#define HOUR 3600
#define DAY INT64_C(86400)

static const struct crl_issuer plain = {
    .id = "ca", .every_s = 24 * HOUR, .overlap_s = 72 * HOUR, .at_s = -1, .shards = 1};

/* A list of 1000 h that is good until 1096 h, under that schedule. */
static int64_t cached(const struct crl_issuer *i, bool is_delta, bool on_revocation, int64_t now_s)
{
    struct crl_state s = {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR};

    return crl_cached_until(i, is_delta, on_revocation, &s, now_s) - now_s;
}

Test(crl_schedule, a_cache_asks_again_when_the_next_list_may_be_out)
{
    struct crl_issuer timed = plain, deltas = plain;

    timed.at_s = 18 * HOUR; /* 1002 h, as 1000 h is 16:00 */
    deltas.delta_s = 4 * HOUR;
    cr_expect_eq(cached(&plain, false, false, 1000 * HOUR), 24 * HOUR,
                 "not the overlap, which is for failures");
    cr_expect_eq(cached(&plain, false, false, 1023 * HOUR), 1 * HOUR);
    cr_expect_eq(cached(&timed, false, false, 1001 * HOUR), 1 * HOUR);
    cr_expect_eq(cached(&deltas, false, false, 1001 * HOUR), 23 * HOUR);
    cr_expect_eq(cached(&deltas, true, false, 1001 * HOUR), 3 * HOUR);
    cr_expect_eq(cached(&plain, true, false, 1001 * HOUR), 23 * HOUR, "a delta that certificates name still");
}

Test(crl_schedule, a_cache_asks_again_when_a_list_of_another_schedule_is_followed)
{
    struct crl_issuer weekly = plain, early = plain, deltas = plain;

    weekly.every_s = 7 * DAY;
    cr_expect_eq(cached(&weekly, false, false, 1001 * HOUR), 23 * HOUR, "made under a shorter schedule");
    cr_expect_eq(cached(&weekly, false, false, 1025 * HOUR), CRL_CACHED_LATE_S);
    early.overlap_s = 90 * HOUR;
    cr_expect_eq(cached(&early, false, false, 1001 * HOUR), 5 * HOUR, "made under a shorter overlap");
    deltas.delta_s = 48 * HOUR;
    deltas.overlap_s = 60 * HOUR;
    cr_expect_eq(cached(&deltas, true, false, 1001 * HOUR), 47 * HOUR,
                 "a delta, whose overlap is its period");
    deltas.delta_s = 60 * HOUR;
    cr_expect_eq(cached(&deltas, true, false, 1001 * HOUR), 35 * HOUR, "a delta of a shorter period");
}

Test(crl_schedule, a_cache_asks_often_where_a_revocation_is_published_at_once)
{
    cr_expect_eq(cached(&plain, false, true, 1000 * HOUR), CRL_CACHED_MAX_S);
    cr_expect_eq(cached(&plain, false, true, 1024 * HOUR - 10), 10);
    cr_expect_eq(cached(&plain, true, true, 1000 * HOUR), CRL_CACHED_MAX_S, "deltas are made with it");
    cr_expect_eq(cached(&plain, true, true, 1024 * HOUR - 10), 10);
    cr_expect_eq(cached(NULL, false, true, 1000 * HOUR), CRL_CACHED_MAX_S);
}

Test(crl_schedule, a_cache_is_left_a_minute_when_a_run_is_late_and_nothing_beyond_the_end)
{
    cr_expect_eq(cached(&plain, false, false, 1024 * HOUR), CRL_CACHED_LATE_S);
    cr_expect_eq(cached(&plain, false, false, 1096 * HOUR - 10), 10);
    cr_expect_eq(cached(&plain, false, false, 1096 * HOUR), 0);
    cr_expect_eq(cached(&plain, false, false, 2000 * HOUR), 0);
    cr_expect_eq(cached(NULL, false, false, 1000 * HOUR), 96 * HOUR);
}

static int64_t due(const struct crl_issuer *i, struct crl_state whole, int64_t now_s)
{
    struct crl_force s = {.whole = whole, .before_s = NO_TIME};

    return crl_due(i, &s, RUN_COMPLETE, now_s);
}

Test(crl_schedule, the_table)
{
    static const struct {
        const char *what;
        struct crl_state state;
        int64_t now_s, due_s;
    } rows[] = {
        {"none yet", {0}, 1000 * HOUR, 1000 * HOUR},
        {"reserved, never published", {.reserved = 5}, 1000 * HOUR, 1000 * HOUR},
        {"fresh",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1000 * HOUR,
         1024 * HOUR},
        {"a second before",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1024 * HOUR - 1,
         1024 * HOUR},
        {"late, still current",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1050 * HOUR,
         1024 * HOUR},
        {"expired",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1096 * HOUR,
         1096 * HOUR},
        {"made under a longer schedule",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1240 * HOUR},
         1030 * HOUR,
         1024 * HOUR},
        {"made under a shorter schedule",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1084 * HOUR},
         1000 * HOUR,
         1012 * HOUR},
        {"made under a shorter overlap",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1048 * HOUR},
         1000 * HOUR,
         976 * HOUR},
        {"the clock was set right by a little",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1000 * HOUR - 300,
         1024 * HOUR},
        {"the clock had been ahead: the list is not valid yet",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         900 * HOUR,
         900 * HOUR},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(due(&plain, rows[i].state, rows[i].now_s), rows[i].due_s, "%s", rows[i].what);
}

/* The first regular moment after a list of that time. */
static int64_t next(const char *at, int64_t every_s, int64_t this_s)
{
    struct crl_issuer i = plain;

    i.every_s = every_s;
    i.at_s = (at[0] - '0') * 36000 + (at[1] - '0') * 3600 + (at[3] - '0') * 600 + (at[4] - '0') * 60;
    return due(&i, (struct crl_state){.number = 1, .this_update_s = this_s, .next_update_s = INT64_MAX},
               this_s);
}

#define MIDNIGHT INT64_C(1779926400) /* 2026-05-28T00:00:00Z, a Thursday */

Test(crl_schedule, a_time_of_day_is_kept)
{
    cr_expect_eq(next("02:30", DAY, MIDNIGHT), MIDNIGHT + 2 * HOUR + 1800);
    cr_expect_eq(next("02:30", DAY, MIDNIGHT + 2 * HOUR + 1800), MIDNIGHT + DAY + 2 * HOUR + 1800);
    cr_expect_eq(next("02:30", DAY, MIDNIGHT + 2 * HOUR + 1799), MIDNIGHT + 2 * HOUR + 1800);
    cr_expect_eq(next("23:59", DAY, MIDNIGHT + DAY - 1), MIDNIGHT + DAY + 24 * HOUR - 60);
    cr_expect_eq(next("02:30", 6 * HOUR, MIDNIGHT + 3 * HOUR), MIDNIGHT + 8 * HOUR + 1800);
    cr_expect_eq(next("14:30", 6 * HOUR, MIDNIGHT), MIDNIGHT + 2 * HOUR + 1800, "any of the day's runs");
    cr_expect_eq(next("00:00", 7 * DAY, MIDNIGHT + 1), MIDNIGHT + 7 * DAY,
                 "a week from 1970-01-01 on: Thursdays");
    cr_expect_eq(next("00:00", 7 * DAY, MIDNIGHT - 1), MIDNIGHT);
    cr_expect_eq(next("02:30", 2 * DAY, -DAY), 2 * HOUR + 1800, "before 1970 too");
}

Test(crl_schedule, missed_runs_are_caught_up_once)
{
    struct crl_issuer i = plain;
    struct crl_state s = {.number = 1, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 30 * DAY};

    i.at_s = 0;
    cr_expect_leq(due(&i, s, MIDNIGHT + 5 * DAY + HOUR), MIDNIGHT + 5 * DAY + HOUR, "now");
    s.this_update_s = MIDNIGHT + 5 * DAY + HOUR;
    cr_expect_eq(due(&i, s, s.this_update_s), MIDNIGHT + 6 * DAY, "and then as ever");
}

Test(crl_schedule, the_delay_is_drawn_once_a_list_and_within_its_bound)
{
    struct crl_issuer i = plain;
    struct crl_state s = {.number = 1, .this_update_s = MIDNIGHT};
    int64_t least = INT64_MAX, most = 0;

    i.jitter_s = 600;
    s.next_update_s = crl_next_update(&i, RUN_COMPLETE, MIDNIGHT);
    for (unsigned n = 0; n < 2000; n++) {
        int64_t delay;

        s.sha256[2] = (uint8_t)(n >> 8);
        s.sha256[3] = (uint8_t)n;
        delay = due(&i, s, MIDNIGHT) - MIDNIGHT - DAY;
        cr_assert(delay >= 0 && delay <= 600, "%ld", delay);
        cr_assert_eq(due(&i, s, MIDNIGHT + HOUR) - MIDNIGHT - DAY, delay, "not drawn anew");
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    cr_expect(least == 0 && most == 600, "%ld to %ld", least, most);
}

Test(crl_schedule, the_delay_leaves_the_overlap_whole)
{
    struct crl_issuer i = plain;

    i.jitter_s = 600;
    cr_expect_eq(crl_next_update(&i, RUN_COMPLETE, MIDNIGHT), MIDNIGHT + DAY + 600 + 72 * HOUR);
    i.at_s = 2 * HOUR;
    cr_expect_eq(crl_next_update(&i, RUN_COMPLETE, MIDNIGHT), MIDNIGHT + 2 * HOUR + 600 + 72 * HOUR,
                 "from the next run on, however soon that is");
}

static int64_t delta_due(struct crl_state whole, struct crl_state delta, int64_t now_s)
{
    struct crl_issuer i = plain;
    struct crl_force s = {.whole = whole, .delta = delta, .before_s = NO_TIME};

    i.delta_s = 4 * HOUR;
    return crl_due(&i, &s, RUN_DELTA, now_s);
}

Test(crl_schedule, deltas_come_between_complete_lists)
{
    struct crl_state w = {.number = 5, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 4 * DAY};
    struct crl_state d = {.number = 5, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 8 * HOUR};
    struct crl_force s = {.whole = w, .before_s = NO_TIME};

    cr_expect_eq(crl_due(&plain, &s, RUN_DELTA, MIDNIGHT), INT64_MAX, "not switched on");
    cr_expect_eq(delta_due((struct crl_state){0}, (struct crl_state){0}, MIDNIGHT), INT64_MAX, "no base");
    cr_expect_eq(delta_due(w, (struct crl_state){0}, MIDNIGHT), MIDNIGHT, "the first at once");
    cr_expect_eq(delta_due(w, d, MIDNIGHT), MIDNIGHT + 4 * HOUR);
    d.number = 6;
    d.this_update_s = MIDNIGHT + 4 * HOUR;
    d.next_update_s = MIDNIGHT + 12 * HOUR;
    cr_expect_eq(delta_due(w, d, MIDNIGHT + 4 * HOUR), MIDNIGHT + 8 * HOUR);
    cr_expect_eq(delta_due(w, d, MIDNIGHT + 12 * HOUR), MIDNIGHT + 12 * HOUR, "over");
}

Test(crl_schedule, a_delta_is_over_soon_after_the_next_one)
{
    struct crl_issuer i = plain;

    i.delta_s = 4 * HOUR;
    cr_expect_eq(crl_next_update(&i, RUN_DELTA, MIDNIGHT), MIDNIGHT + 8 * HOUR);
    i.overlap_s = HOUR;
    cr_expect_eq(crl_next_update(&i, RUN_DELTA, MIDNIGHT), MIDNIGHT + 5 * HOUR);
}

Test(crl_schedule, a_delta_of_another_schedule_is_followed_before_it_ends)
{
    struct crl_state w = {.number = 5, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 4 * DAY};
    struct crl_state d = {.number = 5, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 6 * HOUR};

    cr_expect_eq(delta_due(w, d, MIDNIGHT), MIDNIGHT + 2 * HOUR, "of a shorter overlap");
    d.next_update_s = MIDNIGHT + 4 * HOUR;
    cr_expect_eq(delta_due(w, d, MIDNIGHT), MIDNIGHT, "of a shorter period");
    d.next_update_s = MIDNIGHT + 16 * HOUR;
    cr_expect_eq(delta_due(w, d, MIDNIGHT), MIDNIGHT + 4 * HOUR, "of a longer one");
}

/* What counts is the regular moment and its delay; the end of a list of this schedule brings none forward. */
Test(crl_schedule, the_end_of_a_list_moves_nothing_while_the_settings_stay)
{
    static const int64_t at_s[] = {-1, 0, 9000, DAY - 60};
    static const uint8_t drawn[] = {0, 88, 255};
    struct crl_issuer i = plain;
    struct crl_force s = {.before_s = NO_TIME}, endless;

    i.delta_s = 4 * HOUR;
    i.jitter_s = 2 * HOUR;
    for (size_t n = 0; n < 4 * 3 * 48; n++) {
        int64_t now_s = MIDNIGHT + (int64_t)(n / 12) * 1801;

        i.at_s = at_s[n % 4];
        i.overlap_s = n % 2 == 0 ? 72 * HOUR : HOUR;
        s.whole = (struct crl_state){.number = 5, .this_update_s = now_s};
        s.whole.sha256[3] = s.whole.sha256[2] = drawn[n / 4 % 3];
        s.delta = s.whole;
        s.whole.next_update_s = crl_next_update(&i, RUN_COMPLETE, now_s);
        s.delta.next_update_s = crl_next_update(&i, RUN_DELTA, now_s);
        endless = s;
        endless.whole.next_update_s = endless.delta.next_update_s = INT64_MAX;
        cr_assert_eq(crl_due(&i, &s, RUN_COMPLETE, now_s), crl_due(&i, &endless, RUN_COMPLETE, now_s));
        cr_assert_eq(crl_due(&i, &s, RUN_DELTA, now_s), crl_due(&i, &endless, RUN_DELTA, now_s));
        cr_assert_eq(crl_cached_until(&i, false, false, &s.whole, now_s),
                     crl_cached_until(&i, false, false, &endless.whole, now_s));
        cr_assert_eq(crl_cached_until(&i, true, false, &s.delta, now_s),
                     crl_cached_until(&i, true, false, &endless.delta, now_s));
    }
}

/* Deltas were switched off: certificates go on naming them. */
Test(crl_schedule, a_delta_that_none_will_follow_ends_with_the_complete_list)
{
    struct crl_force s = {
        .whole = {.number = 5, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 4 * DAY},
        .delta = {.number = 6, .this_update_s = MIDNIGHT + HOUR, .next_update_s = MIDNIGHT + 9 * HOUR},
        .before_s = NO_TIME};

    cr_expect_eq(crl_due(&plain, &s, RUN_COMPLETE, MIDNIGHT + 2 * HOUR), MIDNIGHT + 2 * HOUR, "now");
    cr_expect_eq(crl_due(&plain, &s, RUN_DELTA, MIDNIGHT + 2 * HOUR), INT64_MAX);
    cr_expect_eq(crl_next_update(&plain, RUN_DELTA, MIDNIGHT),
                 crl_next_update(&plain, RUN_COMPLETE, MIDNIGHT));
    s.delta = s.whole;
    cr_expect_eq(crl_due(&plain, &s, RUN_COMPLETE, MIDNIGHT + 2 * HOUR), MIDNIGHT + DAY, "by schedule");
}

Test(crl_schedule, a_shard_that_is_missing_is_made_at_once)
{
    struct crl_force s = {
        .whole = {.number = 1, .this_update_s = MIDNIGHT, .next_update_s = MIDNIGHT + 4 * DAY},
        .before_s = NO_TIME};

    cr_expect_eq(crl_due(&plain, &s, RUN_COMPLETE, MIDNIGHT + HOUR), MIDNIGHT + DAY);
    s.is_short = true;
    cr_expect_eq(crl_due(&plain, &s, RUN_COMPLETE, MIDNIGHT + HOUR), MIDNIGHT + HOUR);
}

Test(crl_schedule, a_failure_is_tried_again_after_a_pause_or_when_the_clock_went_back)
{
    int64_t failed_s = 1000 * HOUR, not_before_s = failed_s + CRL_RETRY_S;

    cr_expect(crl_may_try(0, failed_s), "nothing failed");
    cr_expect(!crl_may_try(not_before_s, failed_s));
    cr_expect(!crl_may_try(not_before_s, not_before_s - 1));
    cr_expect(crl_may_try(not_before_s, not_before_s));
    cr_expect(crl_may_try(not_before_s, failed_s - HOUR), "the clock went back");
}
