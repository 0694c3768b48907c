/* SPDX-License-Identifier: Apache-2.0 */
/* Is a clock that jumps seen, and one that is set right believed? */
#include <criterion/criterion.h>

#include "base/jump.h"

#define DAY INT64_C(86400)
#define YEAR (365 * DAY)
#define NOW INT64_C(1780000000)

Test(jump, a_year_ahead_is_not_believed_until_it_is_taken_back)
{
    struct jump j = {.most_s = 7 * DAY};

    cr_expect(!jump_observe(&j, NOW, 1000), "the first look is believed");
    cr_expect(!jump_observe(&j, NOW + 60, 1060));
    cr_expect(jump_observe(&j, NOW + YEAR, 1120));
    cr_expect(jump_observe(&j, NOW + YEAR + 3600, 1120 + 3600), "however long it lasts");
    cr_expect(!jump_observe(&j, NOW + 4000, 5000), "set back");
    cr_expect(jump_observe(&j, NOW + YEAR, 5060), "and again");
    jump_accept(&j, NOW + YEAR, 5060);
    cr_expect(!jump_observe(&j, NOW + YEAR + 60, 5120), "somebody said that it is right");
}

Test(jump, small_steps_and_sleep_are_believed)
{
    struct jump j = {.most_s = 7 * DAY};

    cr_expect(!jump_observe(&j, NOW, 1000));
    cr_expect(!jump_observe(&j, NOW + 3 * DAY, 1001), "a machine that slept");
    cr_expect(!jump_observe(&j, NOW + 6 * DAY, 1002));
    cr_expect(!jump_observe(&j, NOW - DAY, 1003));
}

Test(jump, back_and_forth_again_is_no_jump_ahead)
{
    struct jump j = {.most_s = 7 * DAY};

    cr_expect(!jump_observe(&j, NOW, 1000));
    cr_expect(!jump_observe(&j, NOW - YEAR, 1060));
    cr_expect(!jump_observe(&j, NOW + 120, 1120));
}

Test(jump, a_glance_says_the_same_and_believes_nothing)
{
    struct jump j = {.most_s = 7 * DAY};

    cr_expect(!jump_is_forward(&j, NOW + YEAR, 1000), "there is nothing to go by");
    jump_accept(&j, NOW, 1000);
    cr_expect(!jump_is_forward(&j, NOW + 6 * DAY, 1001));
    cr_expect(!jump_is_forward(&j, NOW - YEAR, 1002));
    cr_expect(jump_is_forward(&j, NOW + 8 * DAY, 1003), "the six days were not taken");
    cr_expect(!jump_is_forward(&j, NOW + 8 * DAY, 1000 + 8 * DAY), "time that has passed");
    cr_expect_eq(j.offset_s, NOW - 1000);
}
