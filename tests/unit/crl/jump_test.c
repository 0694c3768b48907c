/* SPDX-License-Identifier: Apache-2.0 */
/* Is a clock that jumps seen, and one that is set right believed? */
#include <criterion/criterion.h>

#include "crl/inner.h"

#define DAY INT64_C(86400)
#define YEAR (365 * DAY)
#define NOW INT64_C(1780000000)

Test(crl_jump, a_year_ahead_is_not_believed_until_it_is_taken_back)
{
    struct jump j = {0};

    cr_expect(!jump_is_forward(&j, NOW, 1000), "the first look is believed");
    cr_expect(!jump_is_forward(&j, NOW + 60, 1060));
    cr_expect(jump_is_forward(&j, NOW + YEAR, 1120));
    cr_expect(jump_is_forward(&j, NOW + YEAR + 3600, 1120 + 3600), "however long it lasts");
    cr_expect(!jump_is_forward(&j, NOW + 4000, 5000), "set back");
    cr_expect(jump_is_forward(&j, NOW + YEAR, 5060), "and again");
    jump_accept(&j, NOW + YEAR, 5060);
    cr_expect(!jump_is_forward(&j, NOW + YEAR + 60, 5120), "somebody said that it is right");
}

Test(crl_jump, small_steps_and_sleep_are_believed)
{
    struct jump j = {0};

    cr_expect(!jump_is_forward(&j, NOW, 1000));
    cr_expect(!jump_is_forward(&j, NOW + 3 * DAY, 1001), "a machine that slept");
    cr_expect(!jump_is_forward(&j, NOW + 6 * DAY, 1002));
    cr_expect(!jump_is_forward(&j, NOW - DAY, 1003));
}

Test(crl_jump, back_and_forth_again_is_no_jump_ahead)
{
    struct jump j = {0};

    cr_expect(!jump_is_forward(&j, NOW, 1000));
    cr_expect(!jump_is_forward(&j, NOW - YEAR, 1060));
    cr_expect(!jump_is_forward(&j, NOW + 120, 1120));
}

Test(crl_jump, a_list_from_the_future_tells_which_clock_was_wrong)
{
    struct crl_force s = {
        .whole = {.number = 3, .this_update_s = NOW}, .before_s = NOW - DAY, .issuer_from_s = NOW - 3 * YEAR};

    cr_expect(!jump_is_behind(&s, NOW));
    cr_expect(!jump_is_behind(&s, NOW - AHEAD_S), "a clock being set right");
    cr_expect(jump_is_behind(&s, NOW - YEAR), "both lists begin in the future: this clock is wrong");
    s.before_s = NOW - YEAR - DAY;
    cr_expect(!jump_is_behind(&s, NOW - YEAR), "one alone: that list was made by a wrong clock");
    s.before_s = NO_TIME;
    cr_expect(!jump_is_behind(&s, NOW - YEAR), "the first list, of an old issuer");
    s.issuer_from_s = NOW - DAY;
    cr_expect(jump_is_behind(&s, NOW - YEAR), "the issuer is younger than this clock says");
    s.whole.number = 0;
    cr_expect(!jump_is_behind(&s, NOW - YEAR), "nothing to harm");
}
