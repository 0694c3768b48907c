/* SPDX-License-Identifier: Apache-2.0 */
/* When is what was made of the store given again? */
#include "api/made.h"

#include <criterion/criterion.h>

Test(made, nothing_is_given_before_it_was_made)
{
    const struct made m = {.number = 7};

    cr_assert_not(made_is_current(&m, 7, 0));
}

Test(made, a_store_that_stands_still_has_it_made_once)
{
    const struct made m = {.is_there = true, .number = 7, .made_ms = 1000};

    cr_assert(made_is_current(&m, 7, 1000));
    cr_assert(made_is_current(&m, 7, INT64_MAX));
}

Test(made, a_store_that_moves_has_it_made_once_a_second)
{
    const struct made m = {.is_there = true, .number = 7, .made_ms = 1000};

    cr_assert(made_is_current(&m, 8, 1000 + MADE_KEPT_MS - 1));
    cr_assert_not(made_is_current(&m, 8, 1000 + MADE_KEPT_MS));
    cr_assert_not(made_is_current(&m, 6, 1000 + MADE_KEPT_MS), "another number, whichever");
}

Test(made, what_is_forgotten_is_made_anew)
{
    struct made m = {.is_there = true, .number = 7};

    buf_init(&m.body, 16);
    buf_put_str(&m.body, "kept");
    made_forget(&m);
    cr_assert_not(made_is_current(&m, 7, 0));
    made_forget(&m);
}
