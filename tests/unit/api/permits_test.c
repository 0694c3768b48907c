/* SPDX-License-Identifier: Apache-2.0 */
/* Is the door shut until it is known who may come in? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/api/stage.h"

#define VIEWS_MAX 4096u /* more than any store has places for readers */

static struct stage stage;
static struct loop *loop;
static struct permits *permits;
static struct board *board;
static struct view *views[VIEWS_MAX];
static size_t view_count;

/* No view can be had any more. */
static void exhaust(void)
{
    while (view_count < VIEWS_MAX && view_open(stage.api.store, &views[view_count]) == OK)
        view_count++;
    cr_assert_lt(view_count, VIEWS_MAX);
    cr_assert_gt(view_count, 0);
}

static void setup(void)
{
    stage_make(&stage);
    loop = loop_new();
    board = board_new();
    exhaust();
}

static void give_back(void)
{
    while (view_count > 0)
        view_close(views[--view_count]);
}

static void teardown(void)
{
    give_back();
    permits_free(permits);
    loop_free(loop);
    board_close(board);
    stage_free(&stage);
}

TestSuite(permits, .init = setup, .fini = teardown);

static bool find(const struct alarm_shown *a, void *arg)
{
    *(bool *)arg = a->level == ALARM_CRITICAL && strcmp(a->code, PERMITS_ALARM) == 0;
    return !*(bool *)arg;
}

static bool is_alarmed(void)
{
    bool is_raised = false;

    board_each_alarm(board, find, &is_raised);
    return is_raised;
}

static bool admits(bool is_unix)
{
    struct http_peer peer = {.address = "192.0.2.9", .is_unix = is_unix};

    cr_assert(address_parse(peer.address, &peer.ip));
    return permits_admit(permits, &peer);
}

static void stop_when_read(void *arg)
{
    (void)arg;
    if (!is_alarmed())
        loop_stop(loop);
}

Test(permits, without_a_list_nobody_is_let_in_but_over_a_unix_socket)
{
    struct http_peer somebody = {.address = "192.0.2.9"};

    permits = permits_new(loop, stage.api.store, PERMIT_HTTP, board);
    cr_assert_not(admits(false));
    cr_assert_not(permits_has(permits, ACCESS_OPERATOR, &somebody));
    cr_assert(admits(true));
    cr_assert(is_alarmed());
}

Test(permits, it_is_read_as_soon_as_it_can_be, .timeout = 60)
{
    struct timer *looking;

    permits = permits_new(loop, stage.api.store, PERMIT_HTTP, board);
    give_back();
    looking = timer_start(loop, 10, 10, stop_when_read, NULL);
    loop_run(loop);
    timer_stop(looking);
    cr_assert(admits(false), "it has no line");
}

/* Whoever comes from 192.0.2.9 is not among them. */
static void add_line(void)
{
    struct permit p = {.listener = PERMIT_HTTP, .created_by = "uid:0", .created_at_s = STAGE_NOW_S};
    struct txn *t = NULL;

    cr_assert(address_range_parse("198.51.100.0/24", &p.range));
    cr_assert_eq(txn_begin(stage.api.store, &t), OK);
    permit_add(t, &p);
    cr_assert_eq(txn_commit(t), OK);
}

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

Test(permits, a_list_that_was_read_stays_while_it_cannot_be, .timeout = 60)
{
    struct timer *end;

    give_back();
    add_line();
    permits = permits_new(loop, stage.api.store, PERMIT_HTTP, board);
    cr_assert_not(admits(false), "no line names it");
    exhaust();
    end = timer_start(loop, 3 * PERMITS_POLL_MS, 0, stop, NULL);
    loop_run(loop);
    timer_stop(end);
    cr_assert_not(admits(false), "a list that cannot be read is no empty one");
    cr_assert_not(is_alarmed());
}
