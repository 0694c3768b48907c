/* SPDX-License-Identifier: Apache-2.0 */
/* Is an end that comes an alarm in time, once, and over when it was put off? */
#include "base/ending.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1780000000)

static bool keep(const struct alarm_shown *a, void *arg)
{
    snprintf(arg, 400, "%d %s %s: %.200s", (int)a->level, a->code, a->subject, a->detail);
    return false;
}

/* The alarm that stands after a look; "" when none does. */
static const char *after(struct board *b, int64_t left_s, int64_t warn_s, int64_t life_s)
{
    static char text[400];

    ending_check(b, "issuer ca", NOW + left_s, NOW, warn_s, life_s);
    text[0] = '\0';
    board_each_alarm(b, keep, text);
    return text;
}

Test(ending, it_warns_before_the_end_is_critical_at_it_and_ends_with_a_renewal)
{
    struct board *b = board_new();

    cr_assert_str_eq(after(b, 1000, 1000, 0), "");
    cr_assert_str_eq(after(b, 999, 1000, 0), "1 certificate.ending issuer ca: ends 2026-05-28T20:43:19Z");
    cr_assert_str_eq(after(b, 1, 1000, 0), "1 certificate.ending issuer ca: ends 2026-05-28T20:26:41Z");
    cr_assert_str_eq(after(b, 0, 1000, 0), "2 certificate.ending issuer ca: ended 2026-05-28T20:26:40Z");
    cr_assert_str_eq(after(b, 5000, 1000, 0), "");
    board_close(b);
}

Test(ending, one_revoked_is_critical_until_another_is_in_its_place)
{
    char text[400] = "";
    struct board *b = board_new();

    cr_assert(strncmp(after(b, 1, 1000, 0), "1 certificate.ending", 20) == 0);
    ending_revoked(b, "issuer ca");
    board_each_alarm(b, keep, text);
    cr_assert_str_eq(text, "2 certificate.ending issuer ca: revoked or on hold");
    cr_assert_str_eq(after(b, 5000, 1000, 0), "");
    board_close(b);
}

Test(ending, a_short_life_warns_in_its_last_quarter)
{
    struct board *b = board_new();

    cr_assert_str_eq(after(b, 250, 86400, 1000), "");
    cr_assert(strncmp(after(b, 249, 86400, 1000), "1 certificate.ending", 20) == 0);
    cr_assert(strncmp(after(b, 86399, 86400, 100 * 86400), "1 certificate.ending", 20) == 0);
    board_close(b);
}

Test(ending, whoever_asks_hears_the_same)
{
    static const struct {
        int64_t left_s, warn_s, life_s;
        enum ending_state want;
    } rows[] = {
        {86400, 86400, 0, ENDING_FAR},
        {86399, 86400, 0, ENDING_SOON},
        {43200, 86400, 43200, ENDING_FAR}, /* fresh, of twelve hours */
        {10800, 86400, 43200, ENDING_FAR},
        {10799, 86400, 43200, ENDING_SOON},
        {86399, 86400, 345600, ENDING_SOON},
        {1, 86400, 43200, ENDING_SOON},
        {0, 86400, 43200, ENDING_OVER},
        {-1, 0, 0, ENDING_OVER},
        {1, 0, 0, ENDING_FAR},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_eq(ending_judge(NOW + rows[i].left_s, NOW, rows[i].warn_s, rows[i].life_s), rows[i].want,
                     "row %zu", i);
}

Test(ending, one_that_matters_no_more_is_taken_down)
{
    struct board *b = board_new();
    char text[400] = "";

    cr_assert_str_neq(after(b, 0, 1000, 0), "");
    ending_clear(b, "issuer ca");
    board_each_alarm(b, keep, text);
    cr_assert_str_eq(text, "");
    board_close(b);
}
