/* SPDX-License-Identifier: Apache-2.0 */
/* Is what happens first told at once, what goes on once a minute, and is there an end to the table? */
#include "api/tally.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct loop *loop; /* never runs: minutes pass when a test says so */
static struct tally *tally;
static struct tallied last;
static unsigned told;
static const char red[] = "red", blue[] = "blue";

static void on_tell(const struct tallied *row, void *arg)
{
    cr_assert_eq(arg, &told);
    last = *row;
    told++;
}

static void setup(void)
{
    loop = loop_new();
    tally = tally_new(loop, on_tell, &told);
    told = 0;
}

static void teardown(void)
{
    tally_free(tally);
    loop_free(loop);
}

TestSuite(tally, .init = setup, .fini = teardown);

static void expect(const char *who, const void *what, const char *why, uint32_t count)
{
    cr_assert_str_eq(last.who, who);
    cr_assert_eq(last.what, what);
    cr_assert_str_eq(last.why, why);
    cr_assert_eq(last.count, count);
}

static void fill(void)
{
    char who[16];

    for (unsigned i = 0; i < TALLY_MAX; i++) {
        snprintf(who, sizeof who, "somebody %u", i);
        tally_note(tally, who, red, "asked");
    }
    cr_assert_eq(told, TALLY_MAX);
}

Test(tally, the_first_is_told_at_once_and_the_following_after_a_minute)
{
    tally_note(tally, "joe", red, "first");
    cr_assert_eq(told, 1);
    expect("joe", red, "first", 1);
    tally_note(tally, "joe", red, "second");
    tally_note(tally, "joe", red, "third");
    cr_assert_eq(told, 1);
    tally_minute(tally);
    cr_assert_eq(told, 2);
    expect("joe", red, "first", 2);
}

Test(tally, another_who_or_what_is_another_row)
{
    tally_note(tally, "joe", red, "a");
    tally_note(tally, "joe", blue, "b");
    expect("joe", blue, "b", 1);
    tally_note(tally, "ann", red, "c");
    expect("ann", red, "c", 1);
    cr_assert_eq(told, 3);
    tally_note(tally, "joe", blue, "d");
    cr_assert_eq(told, 3);
    tally_minute(tally);
    cr_assert_eq(told, 4);
    expect("joe", blue, "b", 1);
}

Test(tally, nothing_may_be_what)
{
    tally_note(tally, "joe", NULL, "a");
    tally_note(tally, "joe", NULL, "a");
    cr_assert_eq(told, 1);
    expect("joe", NULL, "a", 1);
}

Test(tally, after_a_quiet_minute_it_is_new_again)
{
    tally_note(tally, "joe", red, "before");
    tally_minute(tally);
    cr_assert_eq(told, 1, "it was told when it happened");
    tally_note(tally, "joe", red, "after");
    cr_assert_eq(told, 2);
    expect("joe", red, "after", 1);
}

Test(tally, a_minute_in_which_it_went_on_forgets_nothing)
{
    tally_note(tally, "joe", red, "before");
    tally_note(tally, "joe", red, "before");
    tally_minute(tally);
    tally_note(tally, "joe", red, "after");
    cr_assert_eq(told, 2, "counted, to be told in a minute");
}

Test(tally, whom_there_is_no_row_for_is_one_of_several)
{
    fill();
    tally_note(tally, "ann", red, "one");
    tally_note(tally, "joe", blue, "two");
    cr_assert_eq(told, TALLY_MAX, "not at once: there would be no end to it");
    tally_note(tally, "somebody 7", red, "asked");
    tally_minute(tally);
    cr_assert_eq(told, TALLY_MAX + 2);
    expect("", blue, "two", 2);
    tally_minute(tally);
    cr_assert_eq(told, TALLY_MAX + 2);
}

Test(tally, a_row_that_is_forgotten_makes_room)
{
    fill();
    tally_note(tally, "somebody 7", red, "asked");
    tally_minute(tally);
    told = 0;
    tally_note(tally, "joe", red, "new");
    cr_assert_eq(told, 1);
    tally_note(tally, "somebody 7", red, "asked");
    cr_assert_eq(told, 1, "it was kept, and is not found again as new");
}

Test(tally, what_is_too_long_is_cut)
{
    static char why[2 * FAULT_DETAIL_MAX];

    memset(why, 'x', sizeof why - 1);
    tally_note(tally, "joe", red, why);
    cr_assert_eq(strlen(last.why), FAULT_DETAIL_MAX - 1);
}

Test(tally, nobody_is_a_mistake_of_ours, .signal = SIGABRT)
{
    tally_note(tally, "", red, "asked");
}
