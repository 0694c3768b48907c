/* SPDX-License-Identifier: Apache-2.0 */
/* Is a clock that is behind the lists in force told from lists that were made by a wrong clock? */
#include <criterion/criterion.h>

#include "crl/inner.h"

#define DAY INT64_C(86400)
#define YEAR (365 * DAY)
#define NOW INT64_C(1780000000)

Test(crl_force, a_list_from_the_future_tells_which_clock_was_wrong)
{
    struct crl_force s = {
        .whole = {.number = 3, .this_update_s = NOW}, .before_s = NOW - DAY, .issuer_from_s = NOW - 3 * YEAR};

    cr_expect(!force_is_ahead(&s, NOW));
    cr_expect(!force_is_ahead(&s, NOW - AHEAD_S), "a clock being set right");
    cr_expect(force_is_ahead(&s, NOW - YEAR), "both lists begin in the future: this clock is wrong");
    s.before_s = NOW - YEAR - DAY;
    cr_expect(!force_is_ahead(&s, NOW - YEAR), "one alone: that list was made by a wrong clock");
    s.before_s = NO_TIME;
    cr_expect(!force_is_ahead(&s, NOW - YEAR), "the first list, of an old issuer");
    s.issuer_from_s = NOW - DAY;
    cr_expect(force_is_ahead(&s, NOW - YEAR), "the issuer is younger than this clock says");
    s.whole.number = 0;
    cr_expect(!force_is_ahead(&s, NOW - YEAR), "nothing to harm");
}
