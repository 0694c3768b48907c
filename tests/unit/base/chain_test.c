/* SPDX-License-Identifier: Apache-2.0 */
/* Is a run of rows taken for one chain only when it is one? Whole stores are bent in
 * tests/unit/store/tamper_test.c. */
#include "base/chain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define ROWS 5u

struct rows {
    struct buf octets[ROWS + 1]; /* from 1 */
    struct audit_row last;
};

static void rows_make(struct rows *r)
{
    memset(r, 0, sizeof *r);
    for (unsigned n = 1; n <= ROWS; n++) {
        struct audit_row a = {.seq = n,
                              .at_s = 1800000000 + n,
                              .kind = AUDIT_ISSUE,
                              .actor = span_str("a"),
                              .detail = span_str("d")};

        memcpy(a.previous, r->last.hash, HASH_LEN);
        buf_init(&r->octets[n], 1024);
        chain_row_put(&r->octets[n], &a);
        cr_assert(chain_row_get(buf_span(&r->octets[n]), &r->last));
    }
}

static void rows_free(struct rows *r)
{
    for (unsigned n = 1; n <= ROWS; n++)
        buf_free(&r->octets[n]);
}

/* Adds these rows in this order, up to a 0. */
static enum err run(const struct rows *r, struct chain_check *c, const unsigned *order, struct fault *f)
{
    enum err e = OK;

    for (; *order != 0 && e == OK; order++)
        e = chain_add(c, buf_span(&r->octets[*order]), f);
    return e == OK ? chain_end(c, f) : e;
}

Test(chain, a_row_of_a_time_that_no_text_can_say_is_damaged)
{
    static const int64_t times[] = {CLOCK_MIN - 1, CLOCK_MAX + 1, INT64_MIN, INT64_MAX, CLOCK_MIN, CLOCK_MAX};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct chain_check c = {0};
        struct fault f = {0};
        struct buf row;
        bool has_text = i >= 4;

        buf_init(&row, 1024);
        chain_row_put(&row, &(struct audit_row){.seq = 1, .at_s = times[i], .kind = AUDIT_ISSUE});
        cr_expect_eq(chain_add(&c, buf_span(&row), &f), has_text ? OK : ERR_CONFLICT, "%zu", i);
        cr_expect_str_eq(f.detail, has_text ? "" : "audit row 1: damaged");
        buf_free(&row);
    }
}

static const unsigned in_order[] = {1, 2, 3, 4, 5, 0};

Test(chain, rows_in_order_are_one)
{
    struct chain_check c = {0};
    struct rows r;

    rows_make(&r);
    cr_assert_eq(run(&r, &c, in_order, NULL), OK);
    cr_assert_eq(c.first, 1);
    cr_assert_eq(c.head.seq, ROWS);
    cr_assert_arr_eq(c.head.hash, r.last.hash, HASH_LEN);
    rows_free(&r);
}

Test(chain, a_row_left_out_moved_or_there_twice_is_named)
{
    static const struct {
        unsigned order[ROWS + 2];
        const char *said;
    } cases[] = {
        {{2, 3, 4, 5, 0}, "audit row 1: missing"},    {{1, 2, 4, 5, 0}, "audit row 3: missing"},
        {{1, 3, 2, 4, 5, 0}, "audit row 2: missing"}, {{1, 2, 2, 3, 0}, "audit row 3: out of order"},
        {{5, 4, 3, 2, 1, 0}, "audit row 1: missing"}, {{1, 2, 3, 4, 1, 0}, "audit row 5: out of order"},
    };
    struct rows r;

    rows_make(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chain_check c = {0};
        struct fault f = {0};

        cr_assert_eq(run(&r, &c, cases[i].order, &f), ERR_CONFLICT);
        cr_assert_eq(strncmp(f.detail, cases[i].said, strlen(cases[i].said)), 0, "%s", f.detail);
    }
    rows_free(&r);
}

Test(chain, an_export_may_begin_late_where_that_is_said)
{
    static const unsigned late[] = {3, 4, 5, 0};
    struct chain_check c = {.may_begin_late = true};
    struct rows r;

    rows_make(&r);
    cr_assert_eq(run(&r, &c, late, NULL), OK);
    cr_assert_eq(c.first, 3);
    rows_free(&r);
}

Test(chain, a_remembered_row_must_come_as_it_was)
{
    static const unsigned late[] = {3, 4, 5, 0}, short_one[] = {1, 2, 3, 0};
    struct chain_mark mark = {.seq = 4};
    struct chain_check good = {0}, cut = {0}, before = {.may_begin_late = true, .mark = {.seq = 2}},
                       bent = {0};
    struct audit_row four;
    struct fault f = {0};
    struct rows r;

    rows_make(&r);
    cr_assert(chain_row_get(buf_span(&r.octets[4]), &four));
    memcpy(mark.hash, four.hash, HASH_LEN);
    good.mark = cut.mark = bent.mark = mark;
    bent.mark.hash[0] ^= 1;
    cr_assert_eq(run(&r, &good, in_order, &f), OK);
    cr_assert_eq(run(&r, &cut, short_one, &f), ERR_CONFLICT);
    f = (struct fault){0};
    cr_assert_eq(run(&r, &bent, in_order, &f), ERR_CONFLICT);
    cr_assert_not_null(strstr(f.detail, "audit row 4: changed"));
    f = (struct fault){0};
    cr_assert_eq(run(&r, &before, late, &f), ERR_CONFLICT, "nothing is known of a row before the first");
    rows_free(&r);
}

Test(chain, a_mark_is_text_and_back)
{
    static const char *const bad[] = {"", "1", ":", "0:00", "1:zz", "-1:00", "1:00", " 1:", "x1:00"};
    struct chain_mark m = {.seq = UINT64_C(1) << 40, .hash = {0xab, 0xcd}}, got;
    char text[CHAIN_MARK_MAX], longer[CHAIN_MARK_MAX + 1];

    chain_mark_write(&m, text);
    cr_assert(chain_mark_read(text, &got));
    cr_assert_eq(got.seq, m.seq);
    cr_assert_arr_eq(got.hash, m.hash, HASH_LEN);
    snprintf(longer, sizeof longer, "%s0", text);
    cr_assert_not(chain_mark_read(longer, &got));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(chain_mark_read(bad[i], &got), "%s", bad[i]);
}

Test(chain, what_is_no_seal_is_not_taken_for_one)
{
    struct audit_row a = {.seq = 1, .kind = AUDIT_SEAL, .detail = span_str("key=00 signature=00")};
    struct chain_check c = {0};
    struct fault f = {0};
    struct buf b;

    buf_init(&b, 1024);
    chain_row_put(&b, &a);
    cr_assert_eq(chain_add(&c, buf_span(&b), &f), ERR_CONFLICT);
    cr_assert_str_eq(f.detail, "audit row 1: not a seal");
    buf_free(&b);
}

Test(chain, kinds_are_found_by_their_names)
{
    for (enum audit_kind k = AUDIT_START; k < AUDIT_END; k++) {
        cr_assert_str_neq(audit_kind_name(k), "unknown");
        cr_assert_eq(audit_kind_find(audit_kind_name(k)), k);
    }
    cr_assert_eq(audit_kind_find("unknown"), AUDIT_END);
    cr_assert_eq(audit_kind_find(""), AUDIT_END);
}
