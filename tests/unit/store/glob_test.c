/* SPDX-License-Identifier: Apache-2.0 */
/* Does a pattern fit what fnmatch() says it fits, in bounded time? Are keys ordered as their values are? */
#include <criterion/criterion.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/inner.h"
#include "tests/contract/fixture.h"

Test(glob, fits_what_fnmatch_says)
{
    for (unsigned round = 0; round < 200000; round++) {
        char pattern[9] = "", name[9] = "";

        for (size_t i = 0, len = rnd(8); i < len; i++)
            pattern[i] = "abA*?*"[rnd(6)];
        for (size_t i = 0, len = rnd(8); i < len; i++)
            name[i] = "abB"[rnd(3)];
        cr_assert_eq(glob_fits(pattern, span_str(name)), fnmatch(pattern, name, FNM_CASEFOLD) == 0,
                     "%s against %s", pattern, name);
    }
}

Test(glob, question_mark_is_one_character_not_one_octet)
{
    cr_assert(glob_fits("M?ller", span_str("M\xc3\xbcller")));
    cr_assert(glob_fits("?", span_str("\xe2\x82\xac")));
    cr_assert_not(glob_fits("??", span_str("\xe2\x82\xac")));
    cr_assert_not(glob_fits("?", span_str("")));
    cr_assert(glob_fits("?", span_str("\xc3"))); /* not UTF-8: an octet is taken as it is */
}

Test(glob, name_may_hold_anything)
{
    cr_assert(glob_fits("a*b", span_of("a\0*b", 4)));
    cr_assert_not(glob_fits("a", span_of("a\0", 2)));
}

Test(glob, the_worst_pattern_ends_soon)
{
    char pattern[GLOB_MAX + 1], name[256];
    clock_t start = clock();

    for (size_t i = 0; i < GLOB_MAX; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    pattern[GLOB_MAX - 1] = 'b';
    pattern[GLOB_MAX] = '\0';
    memset(name, 'a', sizeof name);
    for (unsigned i = 0; i < 1000; i++)
        cr_assert_not(glob_fits(pattern, span_of(name, sizeof name)));
    memset(pattern + 1, 'a', GLOB_MAX - 2);
    pattern[200] = 'b';
    for (unsigned i = 0; i < 1000; i++)
        cr_assert_not(glob_fits(pattern, span_of(name, sizeof name)));
    cr_assert_lt(clock() - start, 5 * CLOCKS_PER_SEC);
}

Test(key, times_are_ordered_before_1970_too)
{
    static const int64_t times[] = {INT64_MIN, -5, -1, 0, 1, 1800000000, INT64_MAX};

    for (size_t i = 1; i < sizeof times / sizeof *times; i++) {
        struct key a = {.len = 0}, b = {.len = 0};

        key_put_time(&a, times[i - 1]);
        key_put_time(&b, times[i]);
        cr_assert_lt(memcmp(a.data, b.data, a.len), 0);
    }
}

Test(key, names_are_folded_and_cut)
{
    struct key k = {.len = 0};
    char name[NAME_KEY_MAX + 50];

    memset(name, 'Z', sizeof name);
    key_put_fold(&k, span_of(name, sizeof name));
    cr_assert_eq(k.len, NAME_KEY_MAX);
    cr_assert_eq(k.data[0], 'z');
    cr_assert_eq(k.data[NAME_KEY_MAX - 1], 'z');
}

Test(cursor, gives_back_the_position)
{
    struct cert_query q = {.expires_before_s = NO_TIME, .cn = "Node*"},
                      folded = {.expires_before_s = NO_TIME, .cn = "nODE*"};
    struct key at = key_of_number(12), back;
    char text[CURSOR_MAX];

    cursor_write(&q, key_span(&at), text);
    folded.after = text;
    cr_assert(cursor_parse(&folded, &back));
    cr_assert(span_eq(key_span(&back), key_span(&at)));
}

Test(cursor, filters_that_differ_by_where_a_text_stands_differ)
{
    struct cert_query a = {.expires_before_s = NO_TIME, .profile = "x"},
                      b = {.expires_before_s = NO_TIME, .requester = "x"};
    struct key at = key_of_number(12), back;
    char text[CURSOR_MAX];

    cursor_write(&a, key_span(&at), text);
    b.after = text;
    cr_assert_not(cursor_parse(&b, &back));
    b = (struct cert_query){.expires_before_s = NO_TIME, .profile = "", .after = text};
    cr_assert_not(cursor_parse(&b, &back));
}
