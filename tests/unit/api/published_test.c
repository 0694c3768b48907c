/* SPDX-License-Identifier: Apache-2.0 */
/* Is a conditional request answered "not modified" exactly when the client has what we have? */
#include "api/public.h"

#include <criterion/criterion.h>

#define AT 1769860800 /* Sat, 31 Jan 2026 12:00:00 GMT */

Test(published, an_entity_tag_is_found_in_a_list_and_rules_over_the_date)
{
    static const struct {
        const char *match, *since;
        bool fresh;
    } cases[] = {
        {NULL, NULL, false},
        {"\"a-1\"", NULL, true},
        {"W/\"a-1\"", NULL, true},
        {"\"b-2\", \"a-1\"", NULL, true},
        {"*", NULL, true},
        {"\"a-2\"", NULL, false},
        {"a-1", NULL, false},
        {"\"aa-1\"", NULL, false},
        {"", NULL, false},
        {NULL, "Sat, 31 Jan 2026 12:00:00 GMT", true},
        {NULL, "Sat, 31 Jan 2026 12:00:01 GMT", true},
        {NULL, "Sat, 31 Jan 2026 11:59:59 GMT", false},
        {NULL, "yesterday", false},
        {"\"a-2\"", "Sat, 31 Jan 2026 12:00:00 GMT", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_eq(published_is_fresh(cases[i].match, cases[i].since, "\"a-1\"", AT), cases[i].fresh, "%zu",
                     i);
}
