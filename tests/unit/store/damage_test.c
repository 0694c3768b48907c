/* SPDX-License-Identifier: Apache-2.0 */
/* Is a row that someone bent seen as what it is, and never taken for a certificate? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/fixture.h"
#include "tests/unit/store/raw.h"

static const struct span garbage = {(const uint8_t *)"\x01garbage", 8};

static bool ignore(const struct cert *c, void *arg)
{
    (void)c;
    ++*(unsigned *)arg;
    return true;
}

static bool ignore_revoked(const struct revoked *r, void *arg)
{
    (void)r, (void)arg;
    return true;
}

static bool ignore_audit(const struct audit_row *a, void *arg)
{
    (void)a, (void)arg;
    return true;
}

/* Ten certificates, number 3 of them on hold; closed. */
static struct place closed_place(void)
{
    struct place p = place_create();
    uint8_t serial[SERIAL_LEN];
    struct txn *t;

    add_range(&p, 0, 10);
    t = begin(&p);
    serial_of(2, serial);
    cert_revoke(t, serial, REASON_CERTIFICATE_HOLD, NOW, NO_TIME);
    for (unsigned i = 0; i < 5; i++)
        audit_append(t,
                     &(struct audit_row){.at_s = NOW + i, .kind = AUDIT_ISSUE, .actor = span_str("admin")});
    commit(t);
    place_close(&p);
    return p;
}

static struct span serial_key(unsigned n)
{
    static uint8_t serial[SERIAL_LEN];

    serial_of(n, serial);
    return span_of(serial, SERIAL_LEN);
}

/* Page after page to the end: how many rows, and how many that cannot be read. */
struct listed {
    unsigned rows, damaged, pages;
};

static struct listed list_by(struct view *v, unsigned limit)
{
    struct cert_query q = {.expires_before_s = NO_TIME, .now_s = NOW, .limit = limit};
    char cursors[2][CURSOR_MAX] = {""};
    struct listed l = {0};
    enum err e;

    do {
        char *next = cursors[l.pages++ % 2];
        unsigned before = l.rows;

        e = cert_list(v, &q, ignore, &l.rows, next);
        cr_assert(e == OK || (e == ERR_INTERNAL && l.rows == before), "an error comes alone");
        l.damaged += e == ERR_INTERNAL;
        q.after = next;
    } while (q.after[0] != '\0' && l.pages < 100);
    return l;
}

Test(damage, status_row_is_an_internal_error_for_it_alone)
{
    struct place p = closed_place();
    struct status s;
    struct cert c;
    struct view *v;
    struct txn *t;
    struct listed l;

    raw_set(p.dir, "status", serial_key(4), garbage);
    place_reopen(&p, STORE_WRITE);
    v = look(&p);
    cr_assert_eq(status_find(v, serial_key(4).data, &s), ERR_INTERNAL);
    cr_assert_eq(cert_find(v, serial_key(4).data, &c), ERR_INTERNAL);
    cr_assert_eq(status_find(v, serial_key(5).data, &s), OK);
    for (unsigned limit = 1; limit < 12; limit++) {
        l = list_by(v, limit);
        cr_assert_eq(l.rows, 9, "limit %u: %u", limit, l.rows);
        cr_assert_eq(l.damaged, 1);
    }
    view_close(v);
    t = begin(&p);
    cert_revoke(t, serial_key(4).data, REASON_UNSPECIFIED, NOW, NO_TIME);
    cr_assert_eq(txn_commit(t), ERR_INTERNAL);
    t = begin(&p);
    cert_revoke(t, serial_key(5).data, REASON_UNSPECIFIED, NOW, NO_TIME);
    commit(t);
    place_remove(&p);
}

/* A whole row but for its time, which no text can say. */
Test(damage, a_time_beyond_all_texts_is_an_internal_error_for_its_row_alone)
{
    struct place p = closed_place();
    struct key entry = key_of_revoked(1, serial_key(2).data), third = key_of_number(3);
    uint8_t status[64], cert[4096], revoked[64];
    size_t status_len = raw_get(p.dir, "status", serial_key(2), status, sizeof status);
    size_t cert_len = raw_get(p.dir, "cert", key_span(&third), cert, sizeof cert);
    size_t revoked_len = raw_get(p.dir, "revoked", key_span(&entry), revoked, sizeof revoked);
    struct status s;
    struct cert c;
    struct view *v;

    status[6] ^= 0x40; /* when it was put on hold */
    cert[31] ^= 0x40;  /* notBefore */
    revoked[3] ^= 0x40;
    raw_set(p.dir, "status", serial_key(4), span_of(status, status_len));
    raw_set(p.dir, "cert", key_span(&third), span_of(cert, cert_len));
    raw_set(p.dir, "revoked", key_span(&entry), span_of(revoked, revoked_len));
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_expect_eq(status_find(v, serial_key(4).data, &s), ERR_INTERNAL);
    cr_expect_eq(status_find(v, serial_key(2).data, &s), OK);
    cr_expect_eq(cert_find(v, serial_key(2).data, &c), ERR_INTERNAL);
    cr_expect_eq(cert_find(v, serial_key(3).data, &c), OK);
    cr_expect_eq(revoked_each(v, 1, ignore_revoked, NULL), ERR_INTERNAL);
    view_close(v);
    place_remove(&p);
}

/* What moved from valid must be revoked now: a removeFromCRL for it would have no date. */
Test(damage, a_change_whose_entry_is_gone_is_an_internal_error)
{
    struct place p = closed_place();
    struct key entry = key_of_revoked(1, serial_key(2).data);
    struct view *v;

    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_expect_eq(crl_change_each(v, 1, ignore_revoked, NULL), OK);
    view_close(v);
    place_close(&p);
    raw_set(p.dir, "revoked", key_span(&entry), (struct span){0});
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_expect_eq(crl_change_each(v, 1, ignore_revoked, NULL), ERR_INTERNAL);
    view_close(v);
    place_remove(&p);
}

Test(damage, cert_row_bent_swapped_or_gone_is_an_internal_error)
{
    struct place p = closed_place();
    struct key third = key_of_number(3), fourth = key_of_number(4), fifth = key_of_number(5);
    uint8_t row[4096];
    size_t len = raw_get(p.dir, "cert", key_span(&third), row, sizeof row);
    struct cert c;
    struct listed l;
    struct view *v;

    raw_set(p.dir, "cert", key_span(&third), garbage);
    raw_set(p.dir, "cert", key_span(&fourth), span_of(row, len)); /* a whole row, of another certificate */
    raw_set(p.dir, "cert", key_span(&fifth), (struct span){0});
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(cert_find(v, serial_key(2).data, &c), ERR_INTERNAL);
    cr_assert_eq(cert_find(v, serial_key(3).data, &c), ERR_INTERNAL);
    cr_assert_eq(cert_find(v, serial_key(4).data, &c), ERR_INTERNAL);
    cr_assert_eq(cert_find(v, serial_key(5).data, &c), OK);
    l = list_by(v, 100);
    cr_assert_eq(l.rows, 7, "the fifth is nowhere: that is for a check to say");
    cr_assert_eq(l.damaged, 2);
    view_close(v);
    place_remove(&p);
}

/* The only way from one end of a list to the other is through it: also where the key itself is none. */
Test(damage, an_index_row_of_odd_shape_ends_no_list)
{
    struct cert_query q = {.profile = "ucm/tomcat", .expires_before_s = NO_TIME, .now_s = NOW, .limit = 100};
    struct place p = closed_place();
    struct key key = key_of_index(INDEX_PROFILE);
    char first[CURSOR_MAX], second[CURSOR_MAX];
    unsigned count = 0, before;
    struct view *v = NULL;

    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(cert_list(v, &q, ignore, &count, first), OK);
    before = count;
    view_close(v);
    place_close(&p);
    key_put_text(&key, q.profile);
    key_put_u64(&key, 1234567);
    key_put_u64(&key, 1234567);
    raw_set(p.dir, "index", key_span(&key), span_of("", 0));
    place_reopen(&p, STORE_READ);
    v = look(&p);
    count = 0;
    cr_assert_eq(cert_list(v, &q, ignore, &count, first), ERR_INTERNAL);
    cr_assert_eq(count, 0);
    q.after = first;
    cr_assert_eq(cert_list(v, &q, ignore, &count, second), OK);
    cr_assert_eq(count, before);
    cr_assert_str_empty(second);
    view_close(v);
    place_remove(&p);
}

/* Such a key is cut in a cursor, and a list that goes up would come upon it again. */
Test(damage, an_index_key_beyond_ours_ends_no_list_that_goes_up)
{
    struct cert_query q = {.expires_before_s = NOW + 365 * INT64_C(86400000), .now_s = 0, .limit = 100};
    struct place p = closed_place();
    struct key key = key_of_index(INDEX_NOT_AFTER);
    char cursors[2][CURSOR_MAX];
    uint8_t octets[511] = {0};
    unsigned count = 0, damaged = 0, pages = 0;
    struct view *v;

    key_put_time(&key, 1);
    memcpy(octets, key.data, key.len);
    octets[sizeof octets - 1] = 99; /* a certificate that is none */
    raw_set(p.dir, "index", span_of(octets, sizeof octets), span_of("", 0));
    raw_set(p.dir, "index", span_of(octets, KEY_MAX), span_of("", 0));
    place_reopen(&p, STORE_READ);
    v = look(&p);
    do {
        char *next = cursors[pages % 2];

        damaged += cert_list(v, &q, ignore, &count, next) == ERR_INTERNAL;
        q.after = next;
    } while (q.after[0] != '\0' && ++pages < 10);
    cr_assert_str_empty(q.after);
    cr_assert_eq(count, 10);
    cr_assert_gt(damaged, 0);
    view_close(v);
    place_remove(&p);
}

Test(damage, status_row_that_points_at_another_certificate_is_an_internal_error)
{
    struct place p = closed_place();
    uint8_t row[256];
    size_t len = raw_get(p.dir, "status", serial_key(5), row, sizeof row);
    struct cert c;
    struct view *v;

    raw_set(p.dir, "status", serial_key(6), span_of(row, len));
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(cert_find(v, serial_key(6).data, &c), ERR_INTERNAL);
    view_close(v);
    place_remove(&p);
}

Test(damage, index_and_revoked_rows_of_odd_shape_are_internal_errors)
{
    struct place p = closed_place();
    struct sample s;
    struct key key = key_of_index(INDEX_KEY), entry = key_of_issuer(1);
    struct view *v;
    unsigned count = 0;

    sample_make(&s, 4, 1);
    key_put(&key, s.cert.key_hash, HASH_LEN);
    key_put_u64(&key, 1234567);
    raw_set(p.dir, "index", key_span(&key), span_of("", 0));
    key_put_u8(&entry, 1);
    raw_set(p.dir, "revoked", key_span(&entry), garbage);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(cert_each_by_key(v, s.cert.key_hash, ignore, &count), ERR_INTERNAL);
    cr_assert_eq(revoked_each(v, 1, ignore_revoked, NULL), ERR_INTERNAL);
    view_close(v);
    place_remove(&p);
}

Test(damage, counters_that_are_bent_stop_the_writer)
{
    struct place p = closed_place();
    struct store_counts counts;
    struct txn *t;
    struct view *v;

    raw_set(p.dir, "meta", span_str("counters"), garbage);
    place_reopen(&p, STORE_WRITE);
    v = look(&p);
    cr_assert_eq(store_count(v, &counts), ERR_INTERNAL);
    cr_assert_eq(audit_verify(v, NULL), ERR_INTERNAL);
    view_close(v);
    cr_assert_eq(txn_begin(p.store, &t), ERR_INTERNAL);
    place_remove(&p);
}

static enum err open_again(struct place *p, struct fault *f)
{
    *f = (struct fault){0};
    return store_open(p->dir, STORE_WRITE, 0, &p->store, f);
}

Test(damage, another_schema_or_an_unfinished_store_is_not_opened)
{
    struct place p = closed_place();
    struct fault f;

    raw_set(p.dir, "meta", span_str("schema"), span_of("\0\0\0\4", 4));
    cr_assert_eq(open_again(&p, &f), ERR_CONFLICT);
    cr_assert_not_null(strstr(f.detail, "schema 4"));
    raw_set(p.dir, "meta", span_str("schema"), span_of("\0\0\0\2", 4));
    cr_assert_eq(open_again(&p, &f), ERR_CONFLICT, "its checksums are none of ours");
    cr_assert_not_null(strstr(f.detail, "schema 2"));
    raw_set(p.dir, "meta", span_str("schema"), garbage);
    cr_assert_eq(open_again(&p, &f), ERR_CONFLICT);
    raw_set(p.dir, "meta", span_str("schema"), (struct span){0});
    cr_assert_eq(open_again(&p, &f), ERR_CONFLICT);
    raw_set(p.dir, "meta", span_str("schema"), span_of("\0\0\0\1", 4));
    cr_assert_eq(open_again(&p, &f), OK);
    place_close(&p);
    raw_drop(p.dir, "audit");
    cr_assert_eq(open_again(&p, &f), ERR_CONFLICT);
    place_remove(&p);
}

/* What a store of the first version looks like to this one. */
Test(damage, a_table_that_came_later_is_added_by_the_writer_alone)
{
    struct place p = closed_place();
    struct request r = {.id = {1}, .asked_at_s = NOW}, got;
    struct fault f = {0};
    struct view *v;
    struct txn *t;

    raw_drop(p.dir, "request");
    raw_drop(p.dir, "request_index");
    cr_assert_eq(store_open(p.dir, STORE_READ, 0, &p.store, &f), ERR_CONFLICT, "nobody adds it");
    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    request_add(t, &r);
    commit(t);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(request_find(v, r.id, &got), OK);
    view_close(v);
    place_remove(&p);
}

/* A backup of then, as a restore opens it: all of its map is in use. */
Test(damage, a_later_table_is_added_to_a_copy_that_is_larger_than_the_map)
{
    struct place p = closed_place();
    struct fault f = {0};

    raw_drop(p.dir, "request");
    raw_drop(p.dir, "request_index");
    raw_compact(p.dir);
    cr_assert_eq(store_open(p.dir, STORE_WRITE, 1 << 15, &p.store, &f), OK, "%s", f.detail);
    place_remove(&p);
}

static bool count_request(const struct request *r, void *arg)
{
    (void)r;
    ++*(unsigned *)arg;
    return true;
}

/* Page after page to the end, whatever a page holds: nine requests were added. */
static void requests_expect(struct view *v, enum request_state state, unsigned want, unsigned want_damaged)
{
    for (unsigned limit = 1; limit < 12; limit++) {
        struct request_query q = {.state = state, .limit = limit};
        char cursors[2][CURSOR_MAX] = {""};
        unsigned rows = 0, damaged = 0, pages = 0;

        do {
            unsigned before = rows;
            enum err e = request_list(v, &q, count_request, &rows, cursors[pages % 2]);

            cr_assert(e == OK || (e == ERR_INTERNAL && rows == before), "an error comes alone");
            damaged += e == ERR_INTERNAL;
            q.after = cursors[pages % 2];
        } while (q.after[0] != '\0' && ++pages < 100);
        cr_assert_eq(rows, want, "limit %u: %u", limit, rows);
        cr_assert_eq(damaged, want_damaged, "limit %u: %u", limit, damaged);
    }
}

static void ignore_fault(const char *what, void *arg)
{
    (void)what, (void)arg;
}

/* These certificates are none to a check: what counts is what else it finds. */
static uint64_t faults_in(struct place *p)
{
    struct store_checked checked = {0};
    struct view *v;

    place_reopen(p, STORE_COPY);
    v = look(p);
    cr_assert_eq(store_check(v, ignore_fault, NULL, &checked), OK);
    view_close(v);
    return checked.faults;
}

/* All of the later ones: the dry run of a restore, or a host that answers OCSP from a snapshot. */
Test(damage, a_copy_without_what_came_later_is_read_without_it)
{
    struct audit_row a = {.at_s = NOW, .kind = AUDIT_ISSUE, .actor = span_str("admin")};
    struct place p = closed_place();
    struct request r;
    struct store *s = NULL;
    struct fault f = {0};
    uint64_t before;
    struct view *v;
    struct txn *t;

    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    for (unsigned n = 0; n < 100; n++) /* of which some have their index */
        audit_append(t, &a);
    commit(t);
    before = faults_in(&p);
    cr_expect_not(store_is_earlier(p.store));
    place_close(&p);
    for (enum table table = TABLE_REQUEST; table < TABLE_COUNT; table++)
        raw_drop(p.dir, table_name(table));
    cr_expect_eq(faults_in(&p), before);
    cr_expect(store_is_earlier(p.store));
    v = look(&p);
    cr_expect_eq(request_find(v, (const uint8_t[REQUEST_ID_LEN]){1}, &r), ERR_NOT_FOUND);
    requests_expect(v, REQUEST_PENDING, 0, 0);
    view_close(v);
    place_close(&p);
    cr_assert_eq(store_open(p.dir, STORE_READ, 0, &s, &f), ERR_CONFLICT);
    cr_expect_not_null(strstr(f.detail, "of an earlier version"), "%s", f.detail);
    place_reopen(&p, STORE_LOOK);
    v = look(&p);
    requests_expect(v, REQUEST_PENDING, 0, 0);
    view_close(v);
    place_remove(&p);
}

static struct place nine_requests(void)
{
    struct place p = place_create();
    struct txn *t = begin(&p);

    for (uint8_t n = 1; n <= 9; n++)
        request_add(t, &(struct request){.id = {n}, .same = {n}, .asked_at_s = NOW + n});
    commit(t);
    place_close(&p);
    return p;
}

Test(damage, a_request_that_cannot_be_read_ends_no_list)
{
    struct place p = nine_requests();
    struct view *v;

    raw_set(p.dir, "request", span_of((const uint8_t[REQUEST_ID_LEN]){4}, REQUEST_ID_LEN), garbage);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    requests_expect(v, REQUEST_PENDING, 8, 1);
    view_close(v);
    place_remove(&p);
}

/* As short as the prefix of a list, and as long as LMDB has them: no cursor is too long for who hides it. */
Test(damage, a_request_s_key_of_odd_length_ends_no_list)
{
    static const size_t lengths[] = {2, 3, KEY_MAX, KEY_MAX + 1, 511};
    struct place p = nine_requests();
    struct view *v;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t octets[511] = {REQUEST_BY_STATE, REQUEST_PENDING, i > 1 ? 0xf0 : 0, (uint8_t)i};

        raw_set(p.dir, "request_index", span_of(octets, lengths[i]), span_of("", 0));
    }
    place_reopen(&p, STORE_READ);
    v = look(&p);
    requests_expect(v, REQUEST_PENDING, 9, sizeof lengths / sizeof *lengths);
    view_close(v);
    place_remove(&p);
}

Test(damage, a_request_row_is_an_internal_error_for_it_alone)
{
    struct place p = place_create();
    struct request a = {.id = {1}, .same = {1}}, b = {.id = {2}, .same = {2}}, got;
    struct view *v;
    struct txn *t = begin(&p);

    request_add(t, &a);
    request_add(t, &b);
    commit(t);
    place_close(&p);
    raw_set(p.dir, "request", span_of(a.id, REQUEST_ID_LEN), garbage);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(request_find(v, a.id, &got), ERR_INTERNAL);
    cr_assert_eq(request_find_same(v, a.same, &got), ERR_INTERNAL);
    cr_assert_eq(request_find(v, b.id, &got), OK);
    view_close(v);
    place_remove(&p);
}

/* How many lines of the log say this of damaged rows: what table_damaged() writes while `fn` runs. */
static unsigned count_lines(void (*fn)(void), const char *text)
{
    FILE *log = tmpfile();
    int usual = dup(STDERR_FILENO);
    char line[1024];
    unsigned n = 0;

    dup2(fileno(log), STDERR_FILENO);
    fn();
    dup2(usual, STDERR_FILENO);
    close(usual);
    rewind(log);
    while (fgets(line, sizeof line, log) != NULL)
        n += strstr(line, "store-row-damaged") != NULL && strstr(line, text) != NULL;
    fclose(log);
    return n;
}

static void ask_in_two_tables(void)
{
    cr_assert_eq(table_damaged(TABLE_STATUS, serial_key(1)), ERR_INTERNAL);
    cr_assert_eq(table_damaged(TABLE_REVOKED, serial_key(1)), ERR_INTERNAL);
}

static void ask_again_and_again(void)
{
    for (int i = 0; i < 10; i++)
        ask_in_two_tables();
}

Test(damage, the_same_key_in_two_tables_is_told_of_both)
{
    cr_assert_eq(count_lines(ask_in_two_tables, ""), 2);
}

Test(damage, each_line_names_its_table)
{
    cr_assert_eq(count_lines(ask_in_two_tables, "table revoked"), 1);
}

Test(damage, who_asks_again_does_not_fill_the_log)
{
    cr_assert_eq(count_lines(ask_again_and_again, ""), 2);
}

/* Verifies after one bend; the fault must name that row. */
static void expect_broken(struct place *p, const char *row)
{
    struct fault f = {0};
    struct view *v;

    place_reopen(p, STORE_READ);
    v = look(p);
    cr_assert_eq(audit_verify(v, &f), ERR_CONFLICT);
    cr_assert_not_null(strstr(f.detail, row), "%s", f.detail);
    view_close(v);
    place_close(p);
}

Test(audit, a_changed_row_is_named)
{
    for (uint64_t seq = 1; seq <= 5; seq++) {
        struct place p = closed_place();
        struct key key = key_of_number(seq);
        uint8_t row[512];
        size_t len = raw_get(p.dir, "audit", key_span(&key), row, sizeof row);
        char name[] = "audit row 0";

        row[len - 1 - 4] ^= 1; /* the last octet of the actor */
        raw_set(p.dir, "audit", key_span(&key), span_of(row, len));
        name[strlen(name) - 1] = (char)('0' + seq);
        expect_broken(&p, name);
        place_remove(&p);
    }
}

Test(audit, a_removed_row_is_named_wherever_it_was)
{
    static const struct {
        uint64_t seq;
        const char *name;
    } cases[] = {{1, "audit row 1"}, {3, "audit row 3"}, {5, "audit row 5"}};

    for (size_t i = 0; i < 3; i++) {
        struct place p = closed_place();
        struct key key = key_of_number(cases[i].seq);

        raw_set(p.dir, "audit", key_span(&key), (struct span){0});
        expect_broken(&p, cases[i].name);
        place_remove(&p);
    }
}

Test(audit, a_row_copied_to_the_end_or_made_up_is_named)
{
    struct place p = closed_place();
    struct key last = key_of_number(5), more = key_of_number(6);
    struct audit_row a = {.seq = 6, .at_s = NOW, .kind = AUDIT_ISSUE};
    uint8_t row[512];
    size_t len = raw_get(p.dir, "audit", key_span(&last), row, sizeof row);
    struct buf b;
    struct view *v;

    raw_set(p.dir, "audit", key_span(&more), span_of(row, len));
    expect_broken(&p, "audit row 6");
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(audit_each(v, 6, ignore_audit, NULL), ERR_INTERNAL);
    view_close(v);
    place_close(&p);
    buf_init(&b, 1024);
    sha256_of(span_of(row, len), a.previous); /* chained as it should be */
    chain_row_put(&b, &a);
    raw_set(p.dir, "audit", key_span(&more), buf_span(&b));
    expect_broken(&p, "audit row 6");
    buf_free(&b);
    place_remove(&p);
}

/* ---- upkeep ---- */

static unsigned prune_all(struct place *p)
{
    struct cert_prune c = {.before_s = NOW - 10 * DAY};
    struct txn *t = begin(p);

    cr_assert_not(cert_prune(t, &c, CERT_PRUNE_MAX));
    commit(t);
    return c.count;
}

Test(damage, a_damaged_certificate_stays_and_those_beside_it_are_pruned)
{
    struct place p = closed_place();
    struct key cert = key_of_number(2), gone = key_of_number(4), name = key_of_index(INDEX_ISSUER),
               stray = key_of_index(INDEX_NOT_AFTER);
    uint8_t status[256];
    size_t len = raw_get(p.dir, "status", serial_key(6), status, sizeof status);
    struct status s;
    struct view *v;

    raw_set(p.dir, "cert", key_span(&cert), garbage);          /* of 1 */
    raw_set(p.dir, "cert", key_span(&gone), (struct span){0}); /* of 3 */
    raw_set(p.dir, "status", serial_key(4), garbage);
    raw_set(p.dir, "status", serial_key(5), (struct span){0});
    status[len - 9] ^= 0x40; /* of its end */
    raw_set(p.dir, "status", serial_key(6), span_of(status, len));
    key_put_u16(&name, 2);
    key_put_u64(&name, 8);
    raw_set(p.dir, "index", key_span(&name), (struct span){0}); /* of 7 */
    key_put_u8(&stray, 1);                                      /* before every end, and too short for one */
    raw_set(p.dir, "index", key_span(&stray), span_of("", 0));
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(prune_all(&p), 3, "numbers 0, 8 and 9: 2 is on hold");
    cr_assert_eq(prune_all(&p), 0);
    v = look(&p);
    for (unsigned n = 0; n < 10; n++)
        if (n != 4 && n != 5)
            cr_expect_eq(status_find(v, serial_key(n).data, &s), n % 8 == 0 || n == 9 ? ERR_NOT_FOUND : OK);
    view_close(v);
    place_remove(&p);
}

Test(damage, a_slice_goes_on_behind_what_it_cannot_read)
{
    struct place p = closed_place();
    struct cert_prune c = {.before_s = NOW - 10 * DAY};
    struct key first = key_of_number(1);
    unsigned count = 0, turns = 0;

    raw_set(p.dir, "cert", key_span(&first), garbage);
    place_reopen(&p, STORE_WRITE);
    do {
        struct txn *t = begin(&p);

        (void)cert_prune(t, &c, 1);
        commit(t);
        count += c.count;
    } while (c.is_under_way && ++turns < 20);
    cr_assert_eq(count, 8, "all but that one and the one on hold");
    place_remove(&p);
}

/* An entry of an issuer's changes, an answer without its row, a token. */
Test(damage, other_upkeep_passes_what_it_cannot_read)
{
    struct place p = closed_place();
    struct key change = key_of_revoked(1, serial_key(2).data);
    struct token token = {.hash = {5}, .role = ACCESS_OPERATOR, .expires_at_s = NOW, .deleted_at_s = NO_TIME};
    uint8_t at[SERIAL_LEN] = {0};
    struct txn *t;

    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    for (uint8_t i = 0; i < 3; i++)
        idempotent_add(t, (const uint8_t[HASH_LEN]){i}, &(struct idempotent){.at_s = NOW + i});
    for (token.hash[0] = 5; token.hash[0] < 8; token.hash[0]++)
        token_add(t, &token);
    commit(t);
    place_close(&p);
    raw_set(p.dir, "idempotent", span_of((const uint8_t[HASH_LEN]){0}, HASH_LEN), (struct span){0});
    raw_set(p.dir, "idempotent_time", span_str("\x01"), span_of("", 0));
    raw_set(p.dir, "token", span_of((const uint8_t[HASH_LEN]){5}, HASH_LEN), garbage);
    raw_set(p.dir, "crl_change", key_span(&change), garbage);
    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    (void)idempotent_prune(t, NOW + 2, 10);
    token_prune(t, NOW + 1, 10);
    cr_assert_not(crl_change_prune(t, 1, at, CHANGE_PRUNE_MAX));
    commit(t);
    t = begin(&p);
    cr_expect_eq(idempotent_find(txn_view(t), (const uint8_t[HASH_LEN]){1}, &(struct idempotent){0}),
                 ERR_NOT_FOUND);
    cr_expect_eq(idempotent_find(txn_view(t), (const uint8_t[HASH_LEN]){2}, &(struct idempotent){0}), OK);
    cr_expect_eq(token_find(txn_view(t), (const uint8_t[HASH_LEN]){7}, &token), ERR_NOT_FOUND);
    txn_abort(t);
    place_remove(&p);
}

static struct key key_of_end(int64_t end_s, const uint8_t id[static REQUEST_ID_LEN])
{
    struct key k = {.len = 0};

    key_put_u8(&k, REQUEST_BY_END);
    key_put_time(&k, end_s);
    key_put(&k, id, REQUEST_ID_LEN);
    return k;
}

/* The first ends soonest and cannot be read, the second is decided and its entry stayed. */
Test(damage, a_request_that_cannot_be_read_holds_up_no_other)
{
    struct place p = place_create();
    struct request r = {.same = {1}, .id = {1}, .expires_at_s = NOW}, got;
    struct key left = key_of_end(NOW + 1, (const uint8_t[REQUEST_ID_LEN]){2}), same = {.len = 0},
               state = same;
    struct decision no = {.state = REQUEST_DENIED, .by = "admin", .at_s = NOW};
    struct txn *t = begin(&p);

    for (; r.id[0] <= 4; r.id[0]++, r.same[0]++, r.expires_at_s++)
        request_add(t, &r);
    request_decide(t, (const uint8_t[REQUEST_ID_LEN]){2}, &no);
    commit(t);
    place_close(&p);
    key_put_u8(&same, REQUEST_BY_SAME);
    key_put(&same, (const uint8_t[HASH_LEN]){2}, HASH_LEN);
    key_put_u8(&state, REQUEST_BY_STATE);
    key_put_u8(&state, REQUEST_DENIED);
    key_put_time(&state, 0);
    key_put(&state, (const uint8_t[REQUEST_ID_LEN]){3}, REQUEST_ID_LEN);
    raw_set(p.dir, "request", span_of((const uint8_t[REQUEST_ID_LEN]){1}, REQUEST_ID_LEN), garbage);
    raw_set(p.dir, "request_index", key_span(&left), span_of("", 0));
    raw_set(p.dir, "request_index", key_span(&same),
            span_of((const uint8_t[REQUEST_ID_LEN]){2}, REQUEST_ID_LEN));
    raw_set(p.dir, "request_index", key_span(&state), span_of("", 0));
    raw_set(p.dir, "request_index", span_str("e"), span_of("", 0));
    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    cr_assert_eq(request_find_same(txn_view(t), (const uint8_t[HASH_LEN]){2}, &got), ERR_INTERNAL);
    cr_assert_eq(request_find_due(txn_view(t), NOW + 1, &got), ERR_NOT_FOUND);
    cr_assert_eq(request_find_due(txn_view(t), NOW + 2, &got), OK);
    cr_assert_eq(got.id[0], 3);
    request_decide(t, got.id, &no);
    cr_assert_eq(request_find_due(txn_view(t), NOW + 2, &got), ERR_NOT_FOUND);
    cr_assert_eq(request_find_due(txn_view(t), NOW + 3, &got), OK);
    cr_assert_eq(got.id[0], 4);
    commit(t);
    place_remove(&p);
}

Test(damage, a_move_that_would_fail_is_told_before_it_is_tried)
{
    struct place p = closed_place();
    struct key cert = key_of_number(5), entry = key_of_revoked(1, serial_key(2).data),
               track = key_of_issuer(2);
    struct txn *t;

    raw_set(p.dir, "cert", key_span(&cert), garbage);
    raw_set(p.dir, "revoked", key_span(&entry), (struct span){0});
    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    cr_expect_eq(cert_check_move(txn_view(t), serial_key(4).data, REASON_KEY_COMPROMISE), ERR_INTERNAL);
    cr_expect_eq(cert_check_move(txn_view(t), serial_key(4).data, REASON_SUPERSEDED), OK);
    cr_expect_eq(cert_check_move(txn_view(t), serial_key(6).data, REASON_KEY_COMPROMISE), OK);
    cr_expect_eq(cert_check_move(txn_view(t), serial_key(99).data, REASON_SUPERSEDED), ERR_NOT_FOUND);
    cert_revoke(t, serial_key(4).data, REASON_SUPERSEDED, NOW, NO_TIME);
    cert_unhold(t, serial_key(2).data); /* what it takes from the CRL is gone already */
    commit(t);
    place_close(&p);
    key_put_u16(&track, 0);
    key_put_u8(&track, 0);
    raw_set(p.dir, "crl_part", key_span(&track), garbage);
    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    cr_expect_eq(cert_check_move(txn_view(t), serial_key(7).data, REASON_SUPERSEDED), ERR_INTERNAL);
    cr_expect_eq(cert_check_move(txn_view(t), serial_key(6).data, REASON_SUPERSEDED), OK, "of issuer 1");
    txn_abort(t);
    place_remove(&p);
}
