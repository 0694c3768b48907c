/* SPDX-License-Identifier: Apache-2.0 */
/* Does somebody learn that requests wait, how many and for how long, and that they no longer do? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/inner.h"

#define NOW 1800000000
#define HOUR_S 3600

static char dir[64];
static struct ca_role role;
static struct ca ca = {.role = &role};

static void setup(void)
{
    strcpy(dir, "/tmp/chancery-waiting-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    role = (struct ca_role){.board = board_new()};
    cr_assert_eq(store_open(dir, STORE_CREATE, 0, &ca.store, NULL), OK);
}

static void teardown(void)
{
    char command[128];

    store_close(ca.store);
    board_close(role.board);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(waiting, .init = setup, .fini = teardown);

static void ask_one(uint8_t n, int64_t at_s)
{
    struct request r = {.id = {n}, .same = {n}, .asked_at_s = at_s, .expires_at_s = at_s + 7 * 24 * HOUR_S};
    struct txn *t = NULL;

    cr_assert_eq(txn_begin(ca.store, &t), OK);
    request_add(t, &r);
    cr_assert_eq(txn_commit(t), OK);
}

static void deny_one(uint8_t n)
{
    uint8_t id[REQUEST_ID_LEN] = {n};
    struct txn *t = NULL;

    cr_assert_eq(txn_begin(ca.store, &t), OK);
    request_decide(t, id, &(struct decision){.state = REQUEST_DENIED, .by = "x", .at_s = NOW});
    cr_assert_eq(txn_commit(t), OK);
}

static int64_t figure(const char *family)
{
    return figure_value(board_figure(role.board, FIGURE_GAUGE, family, "", ""));
}

static bool note(const struct alarm_shown *a, void *arg)
{
    cr_assert_str_eq(a->code, "request.waiting");
    strcpy(arg, a->detail);
    return true;
}

/* "": none stands. */
static const char *alarm_text(void)
{
    static char text[ALARM_DETAIL_MAX];

    text[0] = '\0';
    board_each_alarm(role.board, note, text);
    return text;
}

Test(waiting, figures_say_how_many_and_how_long)
{
    approval_post(&ca, NOW);
    cr_assert_eq(figure("requests_waiting"), 0);
    cr_assert_eq(figure("requests_oldest_seconds"), 0);
    ask_one(1, NOW);
    ask_one(2, NOW + 10);
    approval_post(&ca, NOW + 60);
    cr_assert_eq(figure("requests_waiting"), 2);
    cr_assert_eq(figure("requests_oldest_seconds"), 60);
    deny_one(1);
    approval_post(&ca, NOW + 60);
    cr_assert_eq(figure("requests_waiting"), 1);
    cr_assert_eq(figure("requests_oldest_seconds"), 50);
    approval_post(&ca, NOW);
    cr_assert_eq(figure("requests_oldest_seconds"), 0, "a clock that was set back");
}

Test(waiting, a_day_is_an_alarm_until_it_is_decided)
{
    ask_one(1, NOW);
    approval_post(&ca, NOW + 24 * HOUR_S);
    cr_assert_str_empty(alarm_text());
    approval_post(&ca, NOW + 25 * HOUR_S);
    cr_assert_str_eq(alarm_text(), "1 wait for an approval, the oldest for 25 hours");
    deny_one(1);
    approval_post(&ca, NOW + 25 * HOUR_S);
    cr_assert_str_empty(alarm_text());
}
