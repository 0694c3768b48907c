/* SPDX-License-Identifier: Apache-2.0 */
/* Is a conditional request answered "not modified" exactly when the client has what we have, and does a path
 * name the files that may be there and no others? */
#include "api/public.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

Test(published, a_path_names_files_that_may_exist_and_no_others)
{
    static const struct {
        const char *path, *name; /* NULL: none */
        unsigned shard;
        bool is_delta;
    } rows[] = {
        {"/crl/rsa-g1.crl", "crl/rsa-g1.crl", 1, false},
        {"/crl/rsa-g1.pem", "crl/rsa-g1.pem", 1, false},
        {"/crl/rsa-g1-delta.crl", "crl/rsa-g1-delta.crl", 1, true},
        {"/crl/rsa-g1-19.crl", "crl/rsa-g1-19.crl", 19, false},
        {"/crl/rsa-g1-19-delta.pem", "crl/rsa-g1-19-delta.pem", 19, true},
        {"/crl/rsa-g1-511.crl", "crl/rsa-g1-511.crl", 511, false},
        {"/crl/rsa-g12.crl", "crl/rsa-g12.crl", 1, false},
        {"/crl/a23456789012345678901234567890b-511-delta.pem",
         "crl/a23456789012345678901234567890b-511-delta.pem", 511, true},
        {"/crl/a23456789012345678901234567890b-511-delta.p", NULL, 0, false},
        {"/crl/rsa%2Dg1.crl", "crl/rsa-g1.crl", 1, false},
        {"/ca/rsa-g1.cer", "ca/rsa-g1.cer", 1, false},
        {"/ca/rsa-g1.p7c", "ca/rsa-g1.p7c", 1, false},
        {"/crl/rsa-g1-512.crl", NULL, 0, false},
        {"/crl/rsa-g1-1.crl", NULL, 0, false},
        {"/crl/rsa-g1-0.crl", NULL, 0, false},
        {"/crl/rsa-g1-019.crl", NULL, 0, false},
        {"/crl/rsa-g1-+19.crl", NULL, 0, false},
        {"/crl/rsa-g1-99999999999999999999.crl", NULL, 0, false},
        {"/crl/rsa-g1-19-.crl", NULL, 0, false},
        {"/crl/rsa-g1-delta-19.crl", NULL, 0, false},
        {"/crl/rsa-g1-deltas.crl", NULL, 0, false},
        {"/crl/rsa-g1.previous.crl", NULL, 0, false},
        {"/crl/rsa-g1.crl.x9QzAb", NULL, 0, false},
        {"/crl/rsa-g1.crl.~x9QzAb", NULL, 0, false},
        {"/crl/rsa-g3.crl", NULL, 0, false},
        {"/crl/rsa-g1.cer", NULL, 0, false},
        {"/crl/.crl", NULL, 0, false},
        {"/crl/crl", NULL, 0, false},
        {"/ca/rsa-g1-19.cer", NULL, 0, false},
        {"/ca/rsa-g1-delta.pem", NULL, 0, false},
        {"/ca/rsa-g1.crl", NULL, 0, false},
        {"/crl/../crl/rsa-g1.crl", NULL, 0, false},
        {"/crl/rsa-g1%00.crl", NULL, 0, false},
        {"crl/rsa-g1.crl", NULL, 0, false},
    };
    struct config *c = calloc(1, sizeof *c);

    strcpy(c->issuers[0].id, "rsa-g1");
    strcpy(c->issuers[1].id, "rsa-g12");
    strcpy(c->issuers[2].id, "a23456789012345678901234567890b");
    c->issuer_count = 3;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct published p;
        bool is_found = published_find(c, rows[i].path, &p);

        cr_expect_eq(is_found, rows[i].name != NULL, "%s", rows[i].path);
        if (!is_found || rows[i].name == NULL)
            continue;
        cr_expect_str_eq(p.name, rows[i].name);
        cr_expect_eq(p.shard, rows[i].shard, "%s", rows[i].path);
        cr_expect_eq(p.is_delta, rows[i].is_delta, "%s", rows[i].path);
    }
    free(c);
}
