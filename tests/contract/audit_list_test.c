/* SPDX-License-Identifier: Apache-2.0 */
/* Does a page of the audit hold exactly the rows that were asked for, in order, whichever filter serves it?
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/fixture.h"

#define ROWS 500u

static const char *const actors[] = {"cert:01", "cert:0", "uid:0", "token:ci"};

/* The clock is set back by an hour in the middle. */
static int64_t time_of(unsigned n)
{
    return NOW + (int64_t)n * 10 - (n >= 300 ? 3600 : 0);
}

static struct audit_row row_of(unsigned n)
{
    struct audit_row a = {.at_s = time_of(n),
                          .kind = (enum audit_kind)(AUDIT_ISSUE + n % 3),
                          .has_serial = n % 2 == 0,
                          .actor = span_str(actors[n % 7 % 4]),
                          .detail = span_str("detail")};

    serial_of(n % 10, a.serial);
    return a;
}

static void fill_from(struct place *p, unsigned from, unsigned to)
{
    struct txn *t = begin(p);

    for (unsigned n = from; n <= to; n++) {
        struct audit_row a = row_of(n);

        audit_append(t, &a);
    }
    commit(t);
}

static void fill(struct place *p)
{
    fill_from(p, 1, ROWS);
}

struct found {
    unsigned seqs[2 * ROWS], count;
};

static bool note(const struct audit_row *a, void *arg)
{
    struct found *f = arg;

    cr_assert_lt(f->count, 2 * ROWS);
    f->seqs[f->count++] = (unsigned)a->seq;
    return true;
}

static bool fits(const struct audit_query *q, unsigned n)
{
    struct audit_row a = row_of(n);

    return (q->kind == 0 || q->kind == a.kind) &&
           (q->actor == NULL || span_eq(a.actor, span_str(q->actor))) &&
           (q->serial == NULL || (a.has_serial && memcmp(a.serial, q->serial, SERIAL_LEN) == 0)) &&
           (q->since_s == NO_TIME || a.at_s >= q->since_s) && (q->until_s == NO_TIME || a.at_s < q->until_s);
}

/* Oldest first by (time, number), or by number alone when nothing is filtered. */
static bool is_before(const struct audit_query *q, unsigned a, unsigned b)
{
    bool is_plain = q->serial == NULL && q->actor == NULL && q->kind == 0 && q->since_s == NO_TIME &&
                    q->until_s == NO_TIME;

    if (!is_plain && time_of(a) != time_of(b))
        return time_of(a) < time_of(b);
    return a < b;
}

static void expect(struct view *v, struct audit_query q, unsigned rows)
{
    struct found f = {.count = 0};
    char next[CURSOR_MAX] = "", after[CURSOR_MAX];
    unsigned wanted = 0;

    do {
        strcpy(after, next);
        q.after = after[0] != '\0' ? after : NULL;
        cr_assert_eq(audit_list(v, &q, note, &f, next), OK);
    } while (next[0] != '\0');
    for (unsigned n = 1; n <= rows; n++)
        wanted += fits(&q, n);
    cr_assert_eq(f.count, wanted);
    for (unsigned i = 0; i < f.count; i++)
        cr_assert(fits(&q, f.seqs[i]));
    for (unsigned i = 1; i < f.count; i++)
        cr_assert(q.is_oldest_first ? is_before(&q, f.seqs[i - 1], f.seqs[i])
                                    : is_before(&q, f.seqs[i], f.seqs[i - 1]));
}

static char told[256];

static void note_fault(const char *what, void *arg)
{
    (void)arg;
    snprintf(told, sizeof told, "%s", what);
}

static void expect_each_filter(struct view *v, unsigned rows)
{
    uint8_t serial[SERIAL_LEN];

    serial_of(4, serial);
    for (unsigned mask = 0; mask < 64; mask++)
        expect(v,
               (struct audit_query){.kind = mask & 1 ? AUDIT_REFUSE : 0,
                                    .actor = mask & 2 ? "cert:0" : NULL,
                                    .serial = mask & 4 ? serial : NULL,
                                    .since_s = mask & 8 ? NOW + 400 : NO_TIME,
                                    .until_s = mask & 16 ? NOW + 1000 : NO_TIME,
                                    .is_oldest_first = (mask & 32) != 0,
                                    .limit = 7},
               rows);
}

Test(audit_list, every_filter_gives_the_rows_that_fit_and_no_others)
{
    struct place p = place_create();
    struct view *v;

    fill(&p);
    v = look(&p);
    expect_each_filter(v, ROWS);
    view_close(v);
    place_remove(&p);
}

/* Rows are indexed a batch at a time: wherever the last batch ends, nobody can tell. */
Test(audit_list, the_newest_rows_are_found_whether_they_are_indexed_or_not)
{
    static const unsigned counts[] = {1, 31, 32, 33, 63, 64, 65, 320, 351};
    struct place p = place_create();
    struct store_checked checked;
    unsigned last = 0;
    struct view *v;

    for (size_t i = 0; i < sizeof counts / sizeof *counts; last = counts[i++]) {
        fill_from(&p, last + 1, counts[i]);
        v = look(&p);
        expect_each_filter(v, counts[i]);
        cr_assert_eq(store_check(v, note_fault, NULL, &checked), OK);
        cr_assert_eq(checked.faults, 0, "%s", told);
        view_close(v);
    }
    place_remove(&p);
}

/* What a transaction itself appended is there as well. */
Test(audit_list, a_transaction_sees_its_own_rows)
{
    struct place p = place_create();
    struct audit_row a = row_of(41);
    struct txn *t;

    fill_from(&p, 1, 40);
    t = begin(&p);
    audit_append(t, &a);
    expect_each_filter(txn_view(t), 41);
    txn_abort(t);
    place_remove(&p);
}

Test(audit_list, a_list_goes_on_where_it_was_when_rows_are_indexed_meanwhile)
{
    struct place p = place_create();
    struct audit_query q = {.kind = AUDIT_REFUSE, .since_s = NO_TIME, .until_s = NO_TIME, .limit = 2};
    struct found f = {.count = 0};
    char next[CURSOR_MAX] = "", after[CURSOR_MAX];
    unsigned wanted = 0;
    struct view *v;

    q.is_oldest_first = true;
    fill_from(&p, 1, 60);
    for (unsigned rows = 60; rows < 80; rows++) { /* the row of 64 ends a batch, between two pages */
        v = look(&p);
        strcpy(after, next);
        q.after = after[0] != '\0' ? after : NULL;
        cr_assert_eq(audit_list(v, &q, note, &f, next), OK);
        view_close(v);
        if (next[0] == '\0')
            break;
        fill_from(&p, rows + 1, rows + 1);
        wanted = rows + 1;
    }
    for (unsigned i = 0, n = 0; i < f.count; i++) {
        for (n++; n <= wanted && !fits(&q, n); n++)
            ;
        cr_assert_eq(f.seqs[i], n);
    }
    cr_assert_eq(next[0], '\0');
    cr_assert_gt(f.seqs[f.count - 1], 64);
    place_remove(&p);
}

Test(audit_list, rows_added_between_pages_change_no_later_page)
{
    struct place p = place_create();
    struct audit_query q = {.since_s = NO_TIME, .until_s = NO_TIME, .limit = 10};
    struct found f = {.count = 0};
    char next[CURSOR_MAX], again[CURSOR_MAX];
    struct view *v;

    fill(&p);
    v = look(&p);
    cr_assert_eq(audit_list(v, &q, note, &f, next), OK);
    view_close(v);
    fill(&p);
    v = look(&p);
    q.after = next;
    cr_assert_eq(audit_list(v, &q, note, &f, again), OK);
    cr_assert_eq(f.count, 20);
    for (unsigned i = 0; i < 20; i++)
        cr_assert_eq(f.seqs[i], ROWS - i);
    view_close(v);
    place_remove(&p);
}

Test(audit_list, what_is_no_query_or_cursor_of_it_is_refused)
{
    struct place p = place_create();
    struct audit_query q = {.since_s = NO_TIME, .until_s = NO_TIME, .limit = 10}, other;
    struct found f = {.count = 0};
    char next[CURSOR_MAX], ignored[CURSOR_MAX], actor[PRINCIPAL_MAX + 2];
    struct view *v;

    fill(&p);
    v = look(&p);
    cr_assert_eq(audit_list(v, &q, note, &f, next), OK);
    other = (struct audit_query){
        .kind = AUDIT_ISSUE, .since_s = NO_TIME, .until_s = NO_TIME, .limit = 10, .after = next};
    cr_assert_eq(audit_list(v, &other, note, &f, ignored), ERR_MALFORMED);
    for (unsigned i = 0; i < 5;
         i++) { /* each of another filter, served from the same index or the same rows */
        uint8_t serial[SERIAL_LEN] = {1};

        other = (struct audit_query){.since_s = i == 0 ? NOW : NO_TIME,
                                     .until_s = i == 1 ? NOW + DAY : NO_TIME,
                                     .actor = i == 2 ? "cert:01" : NULL,
                                     .serial = i == 3 ? serial : NULL,
                                     .is_oldest_first = i == 4,
                                     .limit = 10,
                                     .after = next};
        cr_assert_eq(audit_list(v, &other, note, &f, ignored), ERR_MALFORMED, "%u", i);
    }
    q.kind = AUDIT_ISSUE;
    cr_assert_eq(audit_list(v, &q, note, &f, next), OK);
    other = q;
    other.after = next;
    cr_assert_eq(audit_list(v, &other, note, &f, ignored), OK);
    other.actor =
        "cert:01"; /* the index is that of the actor's, or of the kind's: the cursor is of neither */
    cr_assert_eq(audit_list(v, &other, note, &f, ignored), ERR_MALFORMED);
    other = q;
    other.since_s = NOW; /* the index is the same */
    other.after = next;
    cr_assert_eq(audit_list(v, &other, note, &f, ignored), ERR_MALFORMED);
    q.kind = 0;
    q.after = "zz";
    cr_assert_eq(audit_list(v, &q, note, &f, ignored), ERR_MALFORMED);
    q = (struct audit_query){.since_s = NO_TIME, .until_s = NO_TIME, .limit = 0};
    cr_assert_eq(audit_list(v, &q, note, &f, ignored), ERR_MALFORMED);
    q.limit = LIST_LIMIT_MAX + 1;
    cr_assert_eq(audit_list(v, &q, note, &f, ignored), ERR_MALFORMED);
    memset(actor, 'a', sizeof actor - 1);
    actor[sizeof actor - 1] = '\0';
    q.limit = 1;
    q.actor = actor;
    cr_assert_eq(audit_list(v, &q, note, &f, ignored), ERR_MALFORMED);
    view_close(v);
    place_remove(&p);
}

Test(audit_list, an_empty_store_has_an_empty_page)
{
    struct place p = place_create();
    struct audit_query q = {.since_s = NO_TIME, .until_s = NO_TIME, .limit = 10};
    struct found f = {.count = 0};
    struct chain_mark head;
    char next[CURSOR_MAX];
    struct view *v = look(&p);

    cr_assert_eq(audit_list(v, &q, note, &f, next), OK);
    cr_assert_eq(f.count, 0);
    cr_assert_str_empty(next);
    cr_assert_eq(audit_head(v, &head), OK);
    cr_assert_eq(head.seq, 0);
    view_close(v);
    place_remove(&p);
}

static void append(struct txn *t, enum audit_kind kind, int64_t at_s)
{
    audit_append(t, &(struct audit_row){.at_s = at_s, .kind = kind, .actor = span_str("service")});
}

/* The number of the newest of that kind below another; 0: none. */
static uint64_t newest(struct view *v, enum audit_kind kind, uint64_t before)
{
    struct audit_row row;
    enum err e = audit_newest(v, kind, before, &row);

    cr_assert(e == OK || e == ERR_NOT_FOUND);
    cr_assert(e != OK || row.kind == kind);
    return e == OK ? row.seq : 0;
}

Test(audit_list, the_newest_of_a_kind_is_the_last_whatever_the_clock_said)
{
    struct place p = place_create();
    struct view *v = look(&p);
    struct txn *t;

    cr_assert_eq(newest(v, AUDIT_SEAL, UINT64_MAX), 0);
    view_close(v);
    t = begin(&p);
    append(t, AUDIT_SEAL, NOW);
    append(t, AUDIT_SEAL, NOW + 40 * DAY); /* the clock is ahead */
    append(t, AUDIT_SEAL, NOW + 20 * DAY);
    append(t, AUDIT_SEAL, NOW + 1);
    append(t, AUDIT_START, NOW + 2);
    commit(t);
    for (unsigned rows = 0; rows < 200; rows += 50) { /* not in the index yet, and then in it */
        v = look(&p);
        cr_assert_eq(newest(v, AUDIT_SEAL, UINT64_MAX), 4);
        cr_assert_eq(newest(v, AUDIT_SEAL, 4), 3);
        cr_assert_eq(newest(v, AUDIT_SEAL, 3), 2);
        cr_assert_eq(newest(v, AUDIT_SEAL, 2), 1);
        cr_assert_eq(newest(v, AUDIT_SEAL, 1), 0);
        cr_assert_eq(newest(v, AUDIT_SEAL, 0), 0);
        cr_assert_eq(newest(v, AUDIT_START, UINT64_MAX), 5);
        cr_assert_eq(newest(v, AUDIT_REVOKE, UINT64_MAX), 0);
        view_close(v);
        t = begin(&p);
        for (unsigned i = 0; i < 50; i++)
            append(t, AUDIT_ISSUE, NOW + 3);
        commit(t);
    }
    place_remove(&p);
}
