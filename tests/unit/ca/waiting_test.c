/* SPDX-License-Identifier: Apache-2.0 */
/* Does somebody learn that requests wait, how many and for how long, and that they no longer do? */
#include <criterion/criterion.h>

#include "tests/unit/ca/idle.h"

#define NOW 1800000000
#define HOUR_S 3600

TestSuite(waiting, .init = idle_open, .fini = idle_close);

static void ask_one(uint8_t n, int64_t at_s)
{
    struct request r = {.id = {n}, .same = {n}, .asked_at_s = at_s, .expires_at_s = at_s + 7 * 24 * HOUR_S};
    struct txn *t = idle_begin();

    request_add(t, &r);
    idle_commit(t);
}

static void deny_one(uint8_t n)
{
    uint8_t id[REQUEST_ID_LEN] = {n};
    struct txn *t = idle_begin();

    request_decide(t, id, &(struct decision){.state = REQUEST_DENIED, .by = "x", .at_s = NOW});
    idle_commit(t);
}

static int64_t figure(const char *family)
{
    return figure_value(board_figure(idle.role.board, FIGURE_GAUGE, family, "", ""));
}

static const char *alarm_text(void)
{
    return idle_alarm("request.waiting");
}

Test(waiting, figures_say_how_many_and_how_long)
{
    approval_post(&idle.ca, NOW);
    cr_assert_eq(figure("requests_waiting"), 0);
    cr_assert_eq(figure("requests_oldest_seconds"), 0);
    ask_one(1, NOW);
    ask_one(2, NOW + 10);
    approval_post(&idle.ca, NOW + 60);
    cr_assert_eq(figure("requests_waiting"), 2);
    cr_assert_eq(figure("requests_oldest_seconds"), 60);
    deny_one(1);
    approval_post(&idle.ca, NOW + 60);
    cr_assert_eq(figure("requests_waiting"), 1);
    cr_assert_eq(figure("requests_oldest_seconds"), 50);
    approval_post(&idle.ca, NOW);
    cr_assert_eq(figure("requests_oldest_seconds"), 0, "a clock that was set back");
}

Test(waiting, a_day_is_an_alarm_until_it_is_decided)
{
    ask_one(1, NOW);
    approval_post(&idle.ca, NOW + 24 * HOUR_S);
    cr_assert_str_empty(alarm_text());
    approval_post(&idle.ca, NOW + 25 * HOUR_S);
    cr_assert_str_eq(alarm_text(), "1 wait for an approval, the oldest for 25 hours");
    deny_one(1);
    approval_post(&idle.ca, NOW + 25 * HOUR_S);
    cr_assert_str_empty(alarm_text());
}
