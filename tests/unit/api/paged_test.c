/* SPDX-License-Identifier: Apache-2.0 */
/* Is the length of a page a whole number within its bounds, and does a damaged row cost no other its place?
 */
#include "api/api.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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

/* ---- a list of ten, of which one cannot be read, as the store's lists do it ---- */

#define TEN 10u

struct ten {
    struct paged_rows rows;
    unsigned damaged, shown[TEN], count;
};

static enum err list_ten(void *arg, const char *after, char next[static CURSOR_MAX])
{
    struct ten *t = arg;
    unsigned at = after != NULL ? (unsigned)strtoul(after, NULL, 16) : 0, from = at, given = 0;

    next[0] = '\0';
    for (bool goes_on = true; at < TEN; at++) {
        if (!goes_on || given == t->rows.batch || at == t->damaged) {
            snprintf(next, CURSOR_MAX, "%02x", at > from || at != t->damaged ? at : at + 1);
            return at > from || at != t->damaged ? OK : ERR_INTERNAL;
        }
        given++;
        if (!t->rows.is_probe)
            t->shown[t->count++] = at;
        goes_on = paged_row(&t->rows, true);
    }
    return OK;
}

/* Every page, by a login that a scope limits or does not. Gives the errors on the way. */
static unsigned read_ten(bool is_limited, unsigned limit, unsigned damaged, struct ten *t)
{
    static struct api api;
    static struct call c = {.api = &api};
    char cursors[2][CURSOR_MAX] = {""};
    unsigned errors = 0, pages = 0;
    const char *after = NULL;

    c.login.who.scope = (struct scope){0};
    if (is_limited)
        cr_assert(scope_add(&c.login.who.scope.names, "example.com"));
    t->damaged = damaged;
    t->count = 0;
    do {
        enum err e;

        t->rows = (struct paged_rows){.wanted = limit};
        e = paged_fill(&c, &t->rows, after, list_ten, t, cursors[pages % 2]);
        cr_assert(e == OK || (e == ERR_INTERNAL && t->rows.shown == 0), "an error comes alone");
        errors += e != OK;
        after = cursors[pages++ % 2];
    } while (after[0] != '\0' && pages < 30);
    return errors;
}

Test(paged, a_damaged_row_is_told_and_costs_no_other_its_place)
{
    struct ten t;

    for (unsigned is_limited = 0; is_limited < 2; is_limited++)
        for (unsigned limit = 1; limit <= TEN + 1; limit++)
            for (unsigned damaged = 0; damaged <= TEN; damaged++) { /* TEN: none */
                cr_assert_eq(read_ten(is_limited, limit, damaged, &t), damaged < TEN, "%u %u %u", is_limited,
                             limit, damaged);
                cr_assert_eq(t.count, TEN - (damaged < TEN), "%u %u %u", is_limited, limit, damaged);
                for (unsigned i = 0; i < t.count; i++)
                    cr_assert_eq(t.shown[i], i + (i >= damaged));
            }
}
