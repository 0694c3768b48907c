/* SPDX-License-Identifier: Apache-2.0 */
/* Is every change to the audit of a closed store found, octet by octet and row by row, also by someone who
 * knows how rows are chained? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/contract/fixture.h"
#include "tests/unit/store/raw.h"

#define ROWS 6u

static struct place closed_place(void)
{
    struct place p = place_create();
    struct txn *t = begin(&p);

    for (unsigned n = 1; n <= ROWS; n++) {
        struct audit_row a = {.at_s = NOW + n,
                              .kind = n == 4 ? AUDIT_LOGIN_FAILURE : AUDIT_ISSUE,
                              .has_serial = n % 2 == 0,
                              .actor = span_str("admin"),
                              .detail = span_str("profile ucm/tomcat")};

        serial_of(n, a.serial);
        audit_append(t, &a);
    }
    commit(t);
    place_close(&p);
    return p;
}

static size_t row_get(struct place *p, uint64_t seq, uint8_t row[static 512])
{
    struct key key = key_of_number(seq);

    return raw_get(p->dir, "audit", key_span(&key), row, 512);
}

/* data NULL: removes it. */
static void row_set(struct place *p, uint64_t seq, const uint8_t *data, size_t len)
{
    struct key key = key_of_number(seq);

    raw_set(p->dir, "audit", key_span(&key), (struct span){data, len});
}

static enum err verdict(struct place *p, struct chain_check *c, struct fault *f)
{
    struct view *v;
    enum err e;

    place_reopen(p, STORE_READ);
    v = look(p);
    e = audit_check(v, c, f);
    view_close(v);
    place_close(p);
    return e;
}

static void expect_found(struct place *p)
{
    struct chain_check c = {0};
    struct fault f = {0};

    cr_assert_eq(verdict(p, &c, &f), ERR_CONFLICT, "%s", f.detail);
    cr_assert_eq(strncmp(f.detail, "audit row ", 10), 0, "%s", f.detail);
}

static void expect_whole(struct place *p)
{
    struct chain_check c = {0};
    struct fault f = {0};

    cr_assert_eq(verdict(p, &c, &f), OK, "%s", f.detail);
    cr_assert_eq(c.head.seq, ROWS);
}

/* The first, one with a serial, and the last, which has no row behind it. */
Test(tamper, each_octet_of_a_row_is_held)
{
    static const uint64_t seqs[] = {1, 4, ROWS};
    struct place p = closed_place();

    expect_whole(&p);
    for (size_t i = 0; i < 3; i++) {
        uint8_t row[512], bent[512];
        size_t len = row_get(&p, seqs[i], row);

        for (size_t at = 0; at < len; at++) {
            memcpy(bent, row, len);
            bent[at] ^= (uint8_t)(1u << at % 8);
            row_set(&p, seqs[i], bent, len);
            expect_found(&p);
        }
        row_set(&p, seqs[i], row, len - 1);
        expect_found(&p);
        memcpy(bent, row, len);
        bent[len] = 0;
        row_set(&p, seqs[i], bent, len + 1);
        expect_found(&p);
        row_set(&p, seqs[i], row, len);
        expect_whole(&p);
    }
    place_remove(&p);
}

Test(tamper, a_row_that_is_dropped_is_missed_wherever_it_was)
{
    struct place p = closed_place();

    for (uint64_t seq = 1; seq <= ROWS; seq++) {
        uint8_t row[512];
        size_t len = row_get(&p, seq, row);

        row_set(&p, seq, NULL, 0);
        expect_found(&p);
        row_set(&p, seq, row, len);
    }
    expect_whole(&p);
    place_remove(&p);
}

Test(tamper, any_two_rows_that_change_places_are_found)
{
    struct place p = closed_place();

    for (uint64_t a = 1; a < ROWS; a++)
        for (uint64_t b = a + 1; b <= ROWS; b++) {
            uint8_t one[512], two[512];
            size_t one_len = row_get(&p, a, one), two_len = row_get(&p, b, two);

            row_set(&p, a, two, two_len);
            row_set(&p, b, one, one_len);
            expect_found(&p);
            row_set(&p, a, one, one_len);
            row_set(&p, b, two, two_len);
        }
    expect_whole(&p);
    place_remove(&p);
}

Test(tamper, an_end_that_is_cut_off_is_missed)
{
    for (uint64_t left = 0; left < ROWS; left++) {
        struct place p = closed_place();

        for (uint64_t seq = left + 1; seq <= ROWS; seq++)
            row_set(&p, seq, NULL, 0);
        expect_found(&p);
        place_remove(&p);
    }
}

/* Cuts the end off, counters included, as a writer of the file can: the chain by itself is then whole. */
static void cut_end(struct place *p, uint64_t left)
{
    struct counters c;
    uint8_t row[512], last[512];
    size_t len = raw_get(p->dir, "meta", span_str("counters"), row, sizeof row);
    struct buf b;

    cr_assert(row_get_counters(span_of(row, len), &c));
    for (uint64_t seq = left + 1; seq <= c.audit; seq++)
        row_set(p, seq, NULL, 0);
    c.audit = left;
    sha256_of(span_of(last, row_get(p, left, last)), c.audit_hash);
    buf_init(&b, 512);
    row_put_counters(&b, &c);
    raw_set(p->dir, "meta", span_str("counters"), buf_span(&b));
    buf_free(&b);
}

Test(tamper, an_end_cut_off_with_the_counters_shows_against_a_remembered_row)
{
    struct place p = closed_place();
    struct chain_check before = {0}, blind = {0}, aware = {0};
    struct fault f = {0};

    cr_assert_eq(verdict(&p, &before, &f), OK);
    cut_end(&p, 4);
    cr_assert_eq(verdict(&p, &blind, &f), OK, "the file alone cannot show it");
    aware.mark = before.head;
    cr_assert_eq(verdict(&p, &aware, &f), ERR_CONFLICT);
    cr_assert_not_null(strstr(f.detail, "audit row 5: missing"), "%s", f.detail);
    place_remove(&p);
}

/* Makes the whole chain anew from a changed row on, counters included. */
static void rewrite(struct place *p, uint64_t from)
{
    uint8_t row[512], hash[HASH_LEN], old[512];
    struct audit_row a;
    struct counters c;
    struct buf b;

    buf_init(&b, 1024);
    for (uint64_t seq = from; seq <= ROWS; seq++) {
        cr_assert(chain_row_get(span_of(row, row_get(p, seq, row)), &a));
        if (seq == from)
            a.actor = span_str("nobody");
        else
            memcpy(a.previous, hash, HASH_LEN);
        buf_reset(&b);
        chain_row_put(&b, &a);
        sha256_of(buf_span(&b), hash);
        row_set(p, seq, b.data, b.len);
    }
    cr_assert(row_get_counters(span_of(old, raw_get(p->dir, "meta", span_str("counters"), old, 512)), &c));
    memcpy(c.audit_hash, hash, HASH_LEN);
    buf_reset(&b);
    row_put_counters(&b, &c);
    raw_set(p->dir, "meta", span_str("counters"), buf_span(&b));
    buf_free(&b);
}

Test(tamper, a_chain_made_anew_shows_against_a_remembered_row)
{
    struct place p = closed_place();
    struct chain_check before = {0}, aware = {0};
    struct fault f = {0};

    cr_assert_eq(verdict(&p, &before, &f), OK);
    rewrite(&p, 3);
    expect_whole(&p); /* by itself it is one */
    aware.mark = before.head;
    cr_assert_eq(verdict(&p, &aware, &f), ERR_CONFLICT);
    cr_assert_not_null(strstr(f.detail, "audit row 6: changed"), "%s", f.detail);
    place_remove(&p);
}

/* ---- the index ---- */

static bool count_row(const struct audit_row *a, void *arg)
{
    (void)a;
    ++*(unsigned *)arg;
    return true;
}

static unsigned listed(struct place *p, enum audit_kind kind)
{
    struct audit_query q = {.kind = kind, .since_s = NO_TIME, .until_s = NO_TIME, .limit = 100};
    char next[CURSOR_MAX];
    unsigned count = 0;
    struct view *v = look(p);

    cr_assert_eq(audit_list(v, &q, count_row, &count, next), OK);
    view_close(v);
    return count;
}

/* Enough of them that the index holds the first. */
static struct place place_of_batches(unsigned rows)
{
    struct place p = closed_place();
    struct txn *t;

    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    for (unsigned n = ROWS; n < rows; n++)
        audit_append(
            t, &(struct audit_row){.at_s = NOW + n + 1, .kind = AUDIT_ISSUE, .actor = span_str("admin")});
    commit(t);
    place_close(&p);
    return p;
}

Test(audit_index, the_writer_makes_it_for_a_store_that_has_none)
{
    struct place p = place_of_batches(2 * AUDIT_BATCH + 7);

    raw_drop(p.dir, "audit_index");
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(listed(&p, AUDIT_ISSUE), 2 * AUDIT_BATCH + 6);
    cr_assert_eq(listed(&p, AUDIT_LOGIN_FAILURE), 1);
    place_remove(&p);
}

/* As an earlier version left it: with the newest rows in the index. */
Test(audit_index, a_row_that_was_indexed_early_is_listed_once)
{
    struct place p = place_of_batches(AUDIT_BATCH + 3);
    struct key key = key_of_kind(AUDIT_ISSUE);

    key_put_time(&key, NOW + AUDIT_BATCH + 2);
    key_put_u64(&key, AUDIT_BATCH + 2);
    raw_set(p.dir, "audit_index", key_span(&key), span_of((const uint8_t *)"", 0));
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(listed(&p, AUDIT_ISSUE), AUDIT_BATCH + 2);
    place_remove(&p);
}

Test(audit_index, a_damaged_row_keeps_nobody_from_the_others)
{
    struct place p = place_of_batches(AUDIT_BATCH + 9);

    row_set(&p, 3, (const uint8_t *)"junk", 4);
    row_set(&p, AUDIT_BATCH + 3, (const uint8_t *)"junk", 4); /* which an index would not have yet */
    raw_drop(p.dir, "audit_index");
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(listed(&p, AUDIT_ISSUE), AUDIT_BATCH + 9 - 3);
    place_remove(&p);
}

/* Page after page to the end: how many rows; each damaged one is told once. */
static unsigned listed_around(struct view *v, struct audit_query q, unsigned *damaged)
{
    char cursors[2][CURSOR_MAX] = {""};
    unsigned rows = 0, pages = 0;

    *damaged = 0;
    do {
        unsigned before = rows;
        enum err e = audit_list(v, &q, count_row, &rows, cursors[pages % 2]);

        cr_assert(e == OK || (e == ERR_INTERNAL && rows == before), "an error comes alone");
        *damaged += e == ERR_INTERNAL;
        q.after = cursors[pages % 2];
    } while (q.after[0] != '\0' && ++pages < 1000);
    cr_assert_str_empty(q.after);
    return rows;
}

Test(audit_index, a_damaged_row_ends_no_list)
{
    struct place p = place_of_batches(AUDIT_BATCH + 9);
    struct audit_query q = {.since_s = NO_TIME, .until_s = NO_TIME};
    struct view *v;
    unsigned damaged;

    row_set(&p, 3, (const uint8_t *)"junk", 4);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    for (int i = 0; i < 4; i++) {
        q.is_oldest_first = i % 2 == 1;
        q.kind = i < 2 ? 0 : AUDIT_ISSUE;
        for (q.limit = 1; q.limit <= LIST_LIMIT_MAX; q.limit = q.limit * 3 + 40) {
            cr_assert_eq(listed_around(v, q, &damaged), AUDIT_BATCH + 8 - (q.kind != 0));
            cr_assert_eq(damaged, 1);
        }
    }
    view_close(v);
    place_remove(&p);
}

/* None leads back to itself, in either direction; all of them lead to a row that is damaged. */
Test(audit_index, a_key_of_odd_length_ends_no_list)
{
    static const size_t lengths[] = {20, 100, KEY_MAX - 1, KEY_MAX, KEY_MAX + 1, 511};
    struct audit_query q = {.kind = AUDIT_ISSUE, .since_s = NO_TIME, .until_s = NO_TIME};
    struct place p = place_of_batches(AUDIT_BATCH + 9);
    struct key key = key_of_kind(AUDIT_ISSUE);
    struct view *v;
    unsigned damaged;

    row_set(&p, 3, (const uint8_t *)"junk", 4);
    key_put_time(&key, NOW + 3);
    for (uint8_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t octets[511] = {0};

        memcpy(octets, key.data, key.len);
        octets[key.len] = i;
        octets[lengths[i] - 1] = 3;
        raw_set(p.dir, "audit_index", span_of(octets, lengths[i]), span_of("", 0));
    }
    place_reopen(&p, STORE_READ);
    v = look(&p);
    for (int i = 0; i < 2; i++, q.is_oldest_first = true)
        for (q.limit = 1; q.limit <= LIST_LIMIT_MAX; q.limit = q.limit * 3 + 40) {
            cr_assert_eq(listed_around(v, q, &damaged), AUDIT_BATCH + 7);
            cr_assert_eq(damaged, 1 + sizeof lengths / sizeof *lengths);
        }
    view_close(v);
    place_remove(&p);
}

/* Makes LMDB lose the table: the number of its first page, the last field of its MDB_db, is beyond the file.
 */
static void root_lose(const struct place *p, const char *table)
{
    const uint64_t nowhere = UINT64_MAX / 2;
    size_t len, name_len = strlen(table), lost = 0;
    char path[128];
    uint8_t *all;
    FILE *f;

    snprintf(path, sizeof path, "%s/data.mdb", p->dir);
    f = fopen(path, "r+");
    cr_assert(f != NULL && fseek(f, 0, SEEK_END) == 0);
    len = (size_t)ftell(f);
    all = xmalloc(len);
    rewind(f);
    cr_assert_eq(fread(all, 1, len, f), len);
    for (size_t i = 0; i + name_len + 48 <= len; i++)
        if (memcmp(all + i, table, name_len) == 0 && fseek(f, (long)(i + name_len + 40), SEEK_SET) == 0)
            lost += fwrite(&nowhere, sizeof nowhere, 1, f);
    cr_assert_gt(lost, 0);
    free(all);
    cr_assert_eq(fclose(f), 0);
}

Test(audit_index, a_list_fails_when_it_cannot_be_read_though_the_newest_rows_can)
{
    struct audit_query q = {.kind = AUDIT_ISSUE, .since_s = NO_TIME, .until_s = NO_TIME, .limit = 100};
    struct place p = place_of_batches(AUDIT_BATCH + 3);
    char next[CURSOR_MAX];
    unsigned count = 0;

    root_lose(&p, "audit_index");
    place_reopen(&p, STORE_READ);
    for (int i = 0; i < 2; i++, q.is_oldest_first = true) {
        struct view *v = look(&p); /* LMDB reads no more in one that has met such a page */

        cr_assert_eq(audit_list(v, &q, count_row, &count, next), ERR_IO);
        view_close(v);
    }
    cr_assert_eq(count, 0);
    place_remove(&p);
}
