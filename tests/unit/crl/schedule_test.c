/* SPDX-License-Identifier: Apache-2.0 */
/* When is the next list due? */
#include <criterion/criterion.h>

#include "crl/crl.h"

#define HOUR 3600

Test(crl_schedule, the_table)
{
    static const struct crl_issuer issuer = {.id = "ca", .every_s = 24 * HOUR, .overlap_s = 72 * HOUR};
    static const struct {
        const char *what;
        struct crl_state state;
        int64_t now_s, due_s;
    } rows[] = {
        {"none yet", {0}, 1000 * HOUR, 1000 * HOUR},
        {"reserved, never published", {.reserved = 5}, 1000 * HOUR, 1000 * HOUR},
        {"fresh",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1000 * HOUR,
         1024 * HOUR},
        {"a second before",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1024 * HOUR - 1,
         1024 * HOUR},
        {"late, still current",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1050 * HOUR,
         1024 * HOUR},
        {"expired",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1096 * HOUR,
         1096 * HOUR},
        {"made under a longer schedule",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1240 * HOUR},
         1030 * HOUR,
         1024 * HOUR},
        {"the clock was set right by a little",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         1000 * HOUR - 300,
         1024 * HOUR},
        {"the clock went back: the list is not valid yet",
         {.number = 1, .this_update_s = 1000 * HOUR, .next_update_s = 1096 * HOUR},
         900 * HOUR,
         900 * HOUR},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(crl_due(&issuer, &rows[i].state, rows[i].now_s), rows[i].due_s, "%s", rows[i].what);
}
