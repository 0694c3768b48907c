/* SPDX-License-Identifier: Apache-2.0 */
/* Does a request get of a file what its preconditions and its range say, and no range what is none? */
#include "api/conditional.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define AT 1769860800 /* Sat, 31 Jan 2026 12:00:00 GMT */
#define DATE "Sat, 31 Jan 2026 12:00:00 GMT"
#define LATER "Sat, 31 Jan 2026 12:00:01 GMT"
#define BEFORE "Sat, 31 Jan 2026 11:59:59 GMT"

static const struct validators file = {.etag = "\"a-1\"", .modified_s = AT, .size = 1000};

static enum outcome judge(const struct conditions *c, struct range *range)
{
    return conditions_judge(c, &file, AT + 60, range);
}

Test(conditional, preconditions_are_judged_in_their_order)
{
    static const struct {
        struct conditions c;
        enum outcome want;
    } rows[] = {
        {{0}, OUTCOME_WHOLE},
        {{.if_match = "\"a-1\""}, OUTCOME_WHOLE},
        {{.if_match = "\"x\", \"a-1\""}, OUTCOME_WHOLE},
        {{.if_match = "*"}, OUTCOME_WHOLE},
        {{.if_match = "\"b\""}, OUTCOME_FAILED},
        {{.if_match = "W/\"a-1\""}, OUTCOME_FAILED}, /* strong comparison */
        {{.if_match = ""}, OUTCOME_FAILED},
        {{.if_unmodified_since = DATE}, OUTCOME_WHOLE},
        {{.if_unmodified_since = BEFORE}, OUTCOME_FAILED},
        {{.if_unmodified_since = "yesterday"}, OUTCOME_WHOLE},
        {{.if_match = "\"a-1\"", .if_unmodified_since = BEFORE}, OUTCOME_WHOLE},
        {{.if_none_match = "\"a-1\""}, OUTCOME_NOT_MODIFIED},
        {{.if_none_match = "W/\"a-1\""}, OUTCOME_NOT_MODIFIED}, /* weak comparison */
        {{.if_none_match = "\"b\", W/\"c\",\"a-1\""}, OUTCOME_NOT_MODIFIED},
        {{.if_none_match = "*"}, OUTCOME_NOT_MODIFIED},
        {{.if_none_match = "\"a-1"}, OUTCOME_WHOLE},
        {{.if_none_match = "a-1"}, OUTCOME_WHOLE},
        {{.if_none_match = "\"xa-1\""}, OUTCOME_WHOLE},
        {{.if_none_match = "\"a-1\"x"}, OUTCOME_NOT_MODIFIED},
        {{.if_none_match = "\"b\"", .if_modified_since = DATE}, OUTCOME_WHOLE},
        {{.if_modified_since = DATE}, OUTCOME_NOT_MODIFIED},
        {{.if_modified_since = LATER}, OUTCOME_NOT_MODIFIED},
        {{.if_modified_since = BEFORE}, OUTCOME_WHOLE},
        {{.if_modified_since = "1769860800"}, OUTCOME_WHOLE},
        {{.if_match = "\"b\"", .if_none_match = "\"a-1\""}, OUTCOME_FAILED},
        {{.if_none_match = "\"a-1\"", .range = "bytes=0-1"}, OUTCOME_NOT_MODIFIED},
        {{.if_match = "\"a-1\"", .range = "bytes=0-1"}, OUTCOME_PART},
    };
    struct range range;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(judge(&rows[i].c, &range), rows[i].want, "%zu", i);
}

Test(conditional, a_range_is_one_that_the_file_has)
{
    static const struct {
        const char *range;
        enum outcome want;
        uint64_t first, len;
    } rows[] = {
        {"bytes=0-0", OUTCOME_PART, 0, 1},
        {"bytes=0-999", OUTCOME_PART, 0, 1000},
        {"bytes=0-", OUTCOME_PART, 0, 1000},
        {"bytes=999-", OUTCOME_PART, 999, 1},
        {"bytes=500-5000", OUTCOME_PART, 500, 500},
        {"bytes= 10-19", OUTCOME_PART, 10, 10},
        {"BYTES=10-19", OUTCOME_PART, 10, 10},
        {"bytes=-1", OUTCOME_PART, 999, 1},
        {"bytes=-1000", OUTCOME_PART, 0, 1000},
        {"bytes=-99999999999999999999999", OUTCOME_PART, 0, 1000},
        {"bytes=5-99999999999999999999999", OUTCOME_PART, 5, 995},
        {"bytes=1000-", OUTCOME_UNSATISFIABLE, 0, 0},
        {"bytes=1000-2000", OUTCOME_UNSATISFIABLE, 0, 0},
        {"bytes=99999999999999999999999-", OUTCOME_UNSATISFIABLE, 0, 0},
        {"bytes=-0", OUTCOME_UNSATISFIABLE, 0, 0},
        /* what is none, or several: the whole file */
        {"bytes=0-1,5-6", OUTCOME_WHOLE, 0, 1000},
        {"bytes=9-8", OUTCOME_WHOLE, 0, 1000},
        {"bytes=-", OUTCOME_WHOLE, 0, 1000},
        {"bytes=", OUTCOME_WHOLE, 0, 1000},
        {"bytes", OUTCOME_WHOLE, 0, 1000},
        {"bytes=a-b", OUTCOME_WHOLE, 0, 1000},
        {"bytes=0x0-0x5", OUTCOME_WHOLE, 0, 1000},
        {"bytes=--5", OUTCOME_WHOLE, 0, 1000},
        {"bytes=+1-5", OUTCOME_WHOLE, 0, 1000},
        {"bytes=1-5x", OUTCOME_WHOLE, 0, 1000},
        {"lines=1-5", OUTCOME_WHOLE, 0, 1000},
        {"", OUTCOME_WHOLE, 0, 1000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conditions c = {.range = rows[i].range};
        struct range range;

        cr_expect_eq(judge(&c, &range), rows[i].want, "%s", rows[i].range);
        if (rows[i].want == OUTCOME_UNSATISFIABLE)
            continue;
        cr_expect_eq(range.first, rows[i].first, "%s", rows[i].range);
        cr_expect_eq(range.len, rows[i].len, "%s", rows[i].range);
    }
}

Test(conditional, nothing_of_an_empty_file_can_be_had)
{
    static const struct validators empty = {.etag = "\"e\"", .modified_s = AT};
    static const char *const ranges[] = {"bytes=0-", "bytes=0-0", "bytes=-1"};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct conditions c = {.range = ranges[i]};
        struct range range;

        cr_expect_eq(conditions_judge(&c, &empty, AT + 60, &range), OUTCOME_UNSATISFIABLE, "%s", ranges[i]);
    }
}

/* RFC 9110 13.1.5: part of the version that the client has, or all of the new one. */
Test(conditional, a_range_is_of_the_version_that_if_range_names)
{
    static const struct {
        const char *if_range;
        int64_t now_s;
        enum outcome want;
    } rows[] = {
        {"\"a-1\"", AT + 60, OUTCOME_PART},
        {"\"b\"", AT + 60, OUTCOME_WHOLE},
        {"W/\"a-1\"", AT + 60, OUTCOME_WHOLE},
        {"\"a-1\", \"b\"", AT + 60, OUTCOME_WHOLE},
        {"*", AT + 60, OUTCOME_WHOLE},
        {DATE, AT + 60, OUTCOME_PART},
        {BEFORE, AT + 60, OUTCOME_WHOLE},
        {LATER, AT + 60, OUTCOME_WHOLE},
        {DATE, AT, OUTCOME_WHOLE}, /* it may change once more within this second */
        {"", AT + 60, OUTCOME_WHOLE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conditions c = {.range = "bytes=0-1", .if_range = rows[i].if_range};
        struct range range;

        cr_expect_eq(conditions_judge(&c, &file, rows[i].now_s, &range), rows[i].want, "%zu", i);
    }
}

Test(conditional, a_list_of_a_million_commas_ends)
{
    char *list = malloc(1000001);
    struct range range;

    memset(list, ',', 1000000);
    list[1000000] = '\0';
    cr_assert_eq(judge(&(struct conditions){.if_none_match = list}, &range), OUTCOME_WHOLE);
    for (size_t i = 0; i + 3 < 1000000; i += 3)
        memcpy(list + i, "\"\",", 3);
    cr_assert_eq(judge(&(struct conditions){.if_none_match = list}, &range), OUTCOME_WHOLE);
    free(list);
}
