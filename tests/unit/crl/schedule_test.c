/* SPDX-License-Identifier: Apache-2.0 */
/* When is the next list due? */
#include <criterion/criterion.h>

#include "crl/inner.h"

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

Test(crl_schedule, a_failure_is_tried_again_after_a_pause_or_when_the_clock_went_back)
{
    int64_t failed_s = 1000 * HOUR, not_before_s = failed_s + CRL_RETRY_S;

    cr_expect(crl_may_try(0, failed_s), "nothing failed");
    cr_expect(!crl_may_try(not_before_s, failed_s));
    cr_expect(!crl_may_try(not_before_s, not_before_s - 1));
    cr_expect(crl_may_try(not_before_s, not_before_s));
    cr_expect(crl_may_try(not_before_s, failed_s - HOUR), "the clock went back");
}
