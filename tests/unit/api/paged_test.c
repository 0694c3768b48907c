/* SPDX-License-Identifier: Apache-2.0 */
/* Is the length of a page a whole number within its bounds, whatever was asked for? */
#include "api/api.h"

#include <criterion/criterion.h>

Test(paged, limit_is_a_whole_number_from_one_to_the_most)
{
    static const struct {
        const char *text;
        bool is_good;
        unsigned want;
    } rows[] = {
        {"", true, 100},
        {"1", true, 1},
        {"007", true, 7},
        {"1000", true, 1000},
        {"0", false, 0},
        {"1001", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1x", false, 0},
        {"x", false, 0},
        {"4294967297", false, 0}, /* one, were it cut to 32 bits */
        {"18446744073709551617", false, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned n;

        cr_assert_eq(paged_limit(rows[i].text, 100, 1000, &n), rows[i].is_good, "\"%s\"", rows[i].text);
        if (rows[i].is_good)
            cr_assert_eq(n, rows[i].want, "\"%s\" is %u", rows[i].text, n);
    }
}
