/* SPDX-License-Identifier: Apache-2.0 */
/* Is the audit a chain without gaps, and does an Idempotency-Key find what was answered under it? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/contract/fixture.h"

struct rows {
    uint64_t seqs[64];
    uint8_t hashes[64][HASH_LEN], previous[64][HASH_LEN];
    char detail[8192];
    size_t detail_len, actor_len, count, stop_at;
    enum audit_kind kind;
    bool has_serial;
};

static bool note(const struct audit_row *a, void *arg)
{
    struct rows *r = arg;

    r->seqs[r->count] = a->seq;
    memcpy(r->hashes[r->count], a->hash, HASH_LEN);
    memcpy(r->previous[r->count], a->previous, HASH_LEN);
    memcpy(r->detail, a->detail.data, a->detail.len);
    r->detail_len = a->detail.len;
    r->actor_len = a->actor.len;
    r->kind = a->kind;
    r->has_serial = a->has_serial;
    return ++r->count != r->stop_at;
}

static void append(struct txn *t, struct span actor, struct span detail)
{
    struct audit_row a = {
        .seq = 99, .at_s = NOW, .kind = AUDIT_REVOKE, .has_serial = true, .actor = actor, .detail = detail};

    audit_append(t, &a);
}

Test(audit, rows_are_numbered_without_gaps_and_chained)
{
    struct place p = place_create();
    struct rows r = {.stop_at = 64};
    uint8_t none[HASH_LEN] = {0};
    struct store_counts counts;
    struct view *v;

    for (unsigned i = 0; i < 10; i++) {
        struct txn *t = begin(&p);

        append(t, span_str("admin"), span_str("first"));
        append(t, span_str("admin"), span_str("second"));
        if (i % 3 == 2)
            txn_abort(t); /* takes its numbers back */
        else
            commit(t);
    }
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(audit_each(v, 0, note, &r), OK);
    cr_assert_eq(r.count, 14);
    cr_assert_arr_eq(r.previous[0], none, HASH_LEN);
    for (size_t i = 0; i < r.count; i++) {
        cr_assert_eq(r.seqs[i], i + 1);
        if (i > 0)
            cr_assert_arr_eq(r.previous[i], r.hashes[i - 1], HASH_LEN);
    }
    cr_assert_eq(r.kind, AUDIT_REVOKE);
    cr_assert(r.has_serial);
    cr_assert_eq(audit_verify(v, NULL), OK);
    cr_assert_eq(store_count(v, &counts), OK);
    cr_assert_eq(counts.audit, 14);
    view_close(v);
    place_remove(&p);
}

Test(audit, each_starts_where_asked_and_stops_when_told)
{
    struct place p = place_create();
    struct rows r = {.stop_at = 3};
    struct txn *t = begin(&p);
    struct view *v;

    for (unsigned i = 0; i < 10; i++)
        append(t, span_str("a"), span_str("b"));
    commit(t);
    v = look(&p);
    cr_assert_eq(audit_each(v, 5, note, &r), OK);
    cr_assert_eq(r.count, 3);
    cr_assert_eq(r.seqs[0], 5);
    cr_assert_eq(audit_each(v, 11, note, &r), OK);
    cr_assert_eq(r.count, 3);
    view_close(v);
    place_remove(&p);
}

Test(audit, long_texts_are_cut_between_characters)
{
    struct place p = place_create();
    struct rows r = {.stop_at = 64};
    struct txn *t = begin(&p);
    char text[6000];
    struct view *v;

    for (size_t i = 0; i < sizeof text; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    append(t, span_of(text, sizeof text), span_of(text, sizeof text));
    append(t, span_of(text, PRINCIPAL_MAX), span_of(text, 4096));
    commit(t);
    v = look(&p);
    r.stop_at = 1;
    cr_assert_eq(audit_each(v, 1, note, &r), OK);
    cr_assert_eq(r.detail_len, 4095);
    cr_assert_eq(r.actor_len, 126);
    cr_assert_eq(audit_each(v, 2, note, &r), OK);
    cr_assert_eq(r.detail_len, 4096); /* what fits is not touched */
    cr_assert_eq(audit_verify(v, NULL), OK);
    view_close(v);
    place_remove(&p);
}

Test(audit, empty_store_verifies)
{
    struct place p = place_create();
    struct view *v = look(&p);

    cr_assert_eq(audit_verify(v, NULL), OK);
    view_close(v);
    place_remove(&p);
}

Test(audit, kinds_have_names)
{
    cr_assert_str_eq(audit_kind_name(AUDIT_ISSUE), "issue");
    cr_assert_str_eq(audit_kind_name(AUDIT_CONFIG), "config");
    cr_assert_str_eq(audit_kind_name((enum audit_kind)0), "unknown");
    cr_assert_str_eq(audit_kind_name((enum audit_kind)250), "unknown");
}

static void key_of(unsigned n, uint8_t out[static HASH_LEN])
{
    sha256_of(span_of(&n, sizeof n), out);
}

static struct idempotent answer(unsigned n)
{
    struct idempotent i = {.at_s = NOW + n, .body = {(uint8_t)n}};

    serial_of(n, i.serial);
    return i;
}

static bool is_known(struct view *v, unsigned n)
{
    uint8_t key[HASH_LEN];
    struct idempotent i;
    enum err err;

    key_of(n, key);
    err = idempotent_find(v, key, &i);
    cr_assert(err == OK || err == ERR_NOT_FOUND);
    return err == OK;
}

Test(idempotent, answer_is_found_under_its_key)
{
    struct place p = place_create();
    struct idempotent i = answer(4), found;
    struct txn *t = begin(&p);
    uint8_t key[HASH_LEN];
    struct view *v;

    key_of(4, key);
    idempotent_add(t, key, &i);
    commit(t);
    v = look(&p);
    cr_assert_eq(idempotent_find(v, key, &found), OK);
    cr_assert_arr_eq(found.body, i.body, HASH_LEN);
    cr_assert_arr_eq(found.serial, i.serial, SERIAL_LEN);
    cr_assert_eq(found.at_s, i.at_s);
    cr_assert_not(is_known(v, 5));
    view_close(v);
    t = begin(&p);
    i.at_s++;
    idempotent_add(t, key, &i); /* a key answers once */
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    place_remove(&p);
}

Test(idempotent, old_answers_are_pruned_oldest_first_and_no_more_than_asked)
{
    struct place p = place_create();
    uint8_t key[HASH_LEN];
    struct txn *t = begin(&p);
    struct view *v;

    for (unsigned n = 20; n-- > 0;) {
        struct idempotent i = answer(n);

        key_of(n, key);
        idempotent_add(t, key, &i);
    }
    commit(t);
    t = begin(&p);
    cr_assert(idempotent_prune(t, NOW + 10, 4), "there are more");
    commit(t);
    v = look(&p);
    for (unsigned n = 0; n < 20; n++)
        cr_assert_eq(is_known(v, n), n >= 4);
    view_close(v);
    t = begin(&p);
    cr_assert_not(idempotent_prune(t, NOW + 10, 100));
    cr_assert_not(idempotent_prune(t, NOW, 100));
    commit(t);
    v = look(&p);
    for (unsigned n = 0; n < 20; n++)
        cr_assert_eq(is_known(v, n), n >= 10);
    view_close(v);
    place_remove(&p);
}
