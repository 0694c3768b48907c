/* SPDX-License-Identifier: Apache-2.0 */
/* Is what another site's page sends told from what one's own page, and a program, sends? */
#include <criterion/criterion.h>

#include "api/api.h"

#define HOST "ca.example.com:8443"

Test(origin, programs_say_nothing)
{
    cr_assert(origin_is_own(NULL, NULL, HOST));
    cr_assert(origin_is_own(NULL, NULL, NULL));
}

Test(origin, ones_own_pages_are_taken)
{
    cr_assert(origin_is_own("same-origin", "https://" HOST, HOST));
    cr_assert(origin_is_own(NULL, "HTTPS://CA.example.com:8443", HOST));
    cr_assert(origin_is_own("none", NULL, HOST), "typed into the address bar");
}

Test(origin, others_are_not)
{
    static const struct {
        const char *site, *origin;
    } rows[] = {
        {"cross-site", "https://evil.example"},
        {"cross-site", NULL},
        {"cross-site", "https://" HOST},
        {"same-site", "https://www.example.com"},
        {"same-site", NULL},
        {"", NULL},
        {"same-origin, cross-site", NULL},
        {"same-origin", "https://evil.example"},
        {NULL, "https://evil.example"},
        {NULL, "null"},
        {NULL, ""},
        {NULL, "https://ca.example.com"},
        {NULL, "https://ca.example.com:84430"},
        {NULL, "http://" HOST},
        {NULL, "https://" HOST ", https://evil.example"},
        {NULL, "https://" HOST ".evil.example"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_not(origin_is_own(rows[i].site, rows[i].origin, HOST), "%zu: %s, %s", i, rows[i].site,
                      rows[i].origin);
    cr_assert_not(origin_is_own(NULL, "https://" HOST, NULL));
}
