/* SPDX-License-Identifier: Apache-2.0 */
/* What does the running role do when the clock jumps, and what does it tell of that and of lists that are
 * late? The test is the ca. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "office.h"

#define YEAR (365 * DAY)

TestSuite(crl_clock, .init = office_open, .fini = office_close, .timeout = 120);

static ino_t file_there(void)
{
    struct stat st;

    cr_assert_eq(stat(office.shop.crl_path, &st), 0);
    return st.st_ino;
}

/* A list a day old, and one of the day before: the regular state. */
static void published_daily(void)
{
    role_start();
    serve_publication();
    clock_jump(SHOP_NOW + DAY);
    ask_publish(1, "nobody", CAUSE_REQUEST); /* wakes it */
    expect_heard(DESK_DONE);
    cr_assert_eq(serve_publication().state.number, 2);
    expect_idle();
}

Test(crl_clock, a_year_ahead_publishes_nothing_and_set_back_it_goes_on)
{
    ino_t before;

    published_daily();
    before = file_there();
    clock_jump(SHOP_NOW + DAY + YEAR);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REVOCATION), ERR_UNAVAILABLE);
    cr_expect_eq(file_there(), before);
    cr_expect_eq(shop_state(&office.shop).number, 2);
    clock_jump(SHOP_NOW + 2 * DAY);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 3);
    role_stop();
}

Test(crl_clock, a_year_back_publishes_nothing_and_set_right_it_goes_on)
{
    ino_t before;

    published_daily();
    before = file_there();
    clock_jump(SHOP_NOW + DAY - YEAR);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REVOCATION), ERR_UNAVAILABLE);
    cr_expect_eq(file_there(), before);
    role_stop();
    role_start(); /* not at a start either */
    expect_idle();
    cr_expect_eq(file_there(), before);
    clock_jump(SHOP_NOW + 2 * DAY);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 3);
    role_stop();
}

/* Behind the last two lists by less than a period. */
Test(crl_clock, some_hours_back_publish_nothing)
{
    published_daily();
    clock_jump(SHOP_NOW - 6 * 3600);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REVOCATION), ERR_UNAVAILABLE);
    cr_expect_eq(shop_state(&office.shop).number, 2);
    role_stop();
}

Test(crl_clock, who_publishes_by_hand_says_that_it_is_right)
{
    published_daily();
    clock_jump(SHOP_NOW + DAY + YEAR);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REQUEST), OK);
    cr_expect_eq(shop_state(&office.shop).number, 3);
    cr_expect_eq(shop_state(&office.shop).this_update_s, SHOP_NOW + DAY + YEAR);
    clock_jump(SHOP_NOW + 2 * DAY + YEAR);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 4, "and the schedule goes on from there");
    role_stop();
}

/* The machine started with a clock a year ahead, made a list, and was set right. */
Test(crl_clock, a_list_made_ahead_of_time_is_made_anew)
{
    published_daily();
    role_stop();
    shop_clock_set(SHOP_NOW + DAY + YEAR);
    role_start();
    cr_expect_eq(serve_publication().state.number, 3, "a start cannot tell it from a long stop");
    expect_idle();
    clock_jump(SHOP_NOW + DAY + 60);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 4, "higher, whatever the clock says");
    cr_expect_eq(shop_state(&office.shop).this_update_s, SHOP_NOW + DAY + 60);
    role_stop();
}

/* ---- alarms ---- */

struct look {
    const char *code;
    struct alarm_shown found; /* level 0: it does not stand */
    size_t count;             /* of all that stand */
};

static bool look_at(const struct alarm_shown *a, void *arg)
{
    struct look *l = arg;

    l->count++;
    if (strcmp(a->code, l->code) == 0 && strcmp(a->subject, "ca") == 0)
        l->found = *a;
    return true;
}

/* After the role has looked at its lists once more, at this time. */
static struct look look_for(const char *code)
{
    struct look l = {.code = code};

    expect_idle();
    role_settle();
    board_each_alarm(office.board, look_at, &l);
    return l;
}

static void expect_nothing_new(uint64_t number)
{
    struct heard h;

    role_settle();
    cr_expect(!hear(&h, 0), "it asked for %d", h.kind);
    cr_expect_eq(shop_state(&office.shop).number, number);
    cr_expect_eq(shop_state(&office.shop).reserved, number);
}

/* The role wakes at that time and tries, and gets no number. */
static void fail_at(int64_t now_s)
{
    struct heard h;

    clock_jump(now_s);
    ask_publish(1, "nobody", CAUSE_REQUEST); /* wakes it */
    expect_heard(DESK_DONE);
    h = expect_heard(DESK_RESERVE);
    say(DESK_RESERVED, h.number, ERR_IO, &(uint64_t){0});
    role_settle();
}

static uint64_t publish_at(int64_t now_s)
{
    clock_jump(now_s);
    ask_publish(1, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    return serve_publication().state.number;
}

Test(crl_clock, an_overdue_list_raises_late_until_it_is_published)
{
    struct look l;

    role_start();
    serve_publication();
    cr_expect_eq(look_for("crl.late").count, 0);
    fail_at(SHOP_NOW + DAY);
    cr_expect_eq(look_for("crl.late").found.level, 0, "it is due since now");
    cr_expect_eq(look_for("crl.failed").found.level, ALARM_WARNING);
    fail_at(SHOP_NOW + DAY + 61);
    cr_expect_eq(look_for("crl.late").found.level, 0, "for a minute");
    fail_at(SHOP_NOW + DAY + 181);
    cr_expect_eq(look_for("crl.late").found.level, ALARM_WARNING, "for three");
    fail_at(SHOP_NOW + 2 * DAY + 1);
    l = look_for("crl.late");
    cr_expect_eq(l.found.level, ALARM_CRITICAL, "the list in force is over");
    cr_expect_str_eq(l.found.detail, "there is no CRL in force");
    cr_expect_eq(publish_at(SHOP_NOW + 2 * DAY + 62), 2);
    l = look_for("crl.late");
    cr_expect_eq(l.found.level, 0);
    cr_expect_eq(l.count, 0, "what failed has succeeded too");
    role_stop();
}

Test(crl_clock, a_year_ahead_raises_the_alarm_of_the_clock_until_it_is_back)
{
    struct look l;

    published_daily();
    cr_expect_eq(look_for("crl.clock").count, 0);
    clock_jump(SHOP_NOW + DAY + YEAR);
    l = look_for("crl.clock");
    cr_expect_eq(l.found.level, ALARM_CRITICAL);
    cr_expect_not_null(strstr(l.found.detail, "went ahead"), "%s", l.found.detail);
    expect_nothing_new(2);
    clock_jump(SHOP_NOW + DAY + YEAR + DAY);
    cr_expect_eq(look_for("crl.clock").found.level, ALARM_CRITICAL, "it does not get used to it");
    expect_nothing_new(2);
    clock_jump(SHOP_NOW + DAY + 120);
    cr_expect_eq(look_for("crl.clock").count, 0, "back, and nothing is due");
    expect_nothing_new(2);
    cr_expect_eq(publish_at(SHOP_NOW + 2 * DAY), 3, "no number is lost or repeated");
    cr_expect_eq(look_for("crl.clock").count, 0);
    role_stop();
}

Test(crl_clock, lists_from_the_future_raise_the_alarm_of_the_clock_until_it_is_back)
{
    struct look l;

    published_daily();
    clock_jump(SHOP_NOW + DAY - YEAR);
    l = look_for("crl.clock");
    cr_expect_eq(l.found.level, ALARM_CRITICAL);
    cr_expect_not_null(strstr(l.found.detail, "is behind"), "%s", l.found.detail);
    expect_nothing_new(2);
    clock_jump(SHOP_NOW + DAY + 120);
    cr_expect_eq(look_for("crl.clock").count, 0);
    expect_nothing_new(2);
    cr_expect_eq(publish_at(SHOP_NOW + 2 * DAY), 3);
    role_stop();
}

Test(crl_clock, some_days_ahead_raise_nothing)
{
    published_daily();
    cr_expect_eq(publish_at(SHOP_NOW + 6 * DAY), 3, "a machine that slept publishes at once");
    cr_expect_eq(look_for("crl.clock").count, 0);
    role_stop();
}
