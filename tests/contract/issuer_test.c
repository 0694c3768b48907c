/* SPDX-License-Identifier: Apache-2.0 */
/* Are issuers found by number and name, and do the numbers of their CRLs only rise? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/fixture.h"

static uint16_t add_issuer(struct txn *t, const char *id, const char *parent)
{
    struct issuer i = {.no = 99, .certificate = span_str(id), .responder = {1}};
    uint16_t no;

    snprintf(i.id, sizeof i.id, "%s", id);
    snprintf(i.parent, sizeof i.parent, "%s", parent);
    issuer_add(t, &i, &no);
    return no;
}

Test(issuer, is_found_by_id_and_by_number)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    uint8_t none[SERIAL_LEN] = {0};
    struct issuer i;
    struct view *v;

    cr_assert_eq(add_issuer(t, "rsa-root-g1", ""), 1);
    cr_assert_eq(add_issuer(t, "rsa-g1", "rsa-root-g1"), 2);
    commit(t);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(issuer_find(v, "rsa-g1", &i), OK);
    cr_assert_eq(i.no, 2);
    cr_assert_str_eq(i.parent, "rsa-root-g1");
    cr_assert(span_eq(i.certificate, span_str("rsa-g1")));
    cr_assert_arr_eq(i.responder, none, SERIAL_LEN);
    cr_assert_eq(issuer_find_no(v, 1, &i), OK);
    cr_assert_str_eq(i.id, "rsa-root-g1");
    cr_assert_eq(issuer_find(v, "rsa", &i), ERR_NOT_FOUND);
    cr_assert_eq(issuer_find_no(v, 3, &i), ERR_NOT_FOUND);
    view_close(v);
    place_remove(&p);
}

/* Its complete list would be the file, and the URL in certificates, of another's shard or delta. */
Test(issuer, an_id_that_names_a_list_of_another_is_a_conflict)
{
    static const struct {
        const char *first, *second;
        enum err err;
    } rows[] = {
        {"a", "a-delta", ERR_CONFLICT},
        {"a-delta", "a", ERR_CONFLICT},
        {"a", "a-2", ERR_CONFLICT},
        {"a", "a-511-delta", ERR_CONFLICT},
        {"a-19", "a", ERR_CONFLICT},
        {"a-19", "a-19-delta", ERR_CONFLICT},
        {"a", "a-1", OK},
        {"a", "a-512", OK},
        {"a", "a-2026", OK},
        {"a", "a-019", OK},
        {"a", "a-deltas", OK},
        {"a", "a-delta-19", OK},
        {"a", "a19", OK},
        {"a", "adelta", OK},
        {"a", "a-g1", OK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct place p = place_create();
        struct txn *t = begin(&p);

        add_issuer(t, rows[i].first, "");
        add_issuer(t, rows[i].second, "");
        cr_expect_eq(txn_commit(t), rows[i].err, "%s, %s", rows[i].first, rows[i].second);
        place_remove(&p);
    }
}

Test(issuer, second_of_one_id_is_a_conflict)
{
    struct place p = place_create();
    struct txn *t = begin(&p);

    add_issuer(t, "rsa-g1", "");
    cr_assert_eq(txn_error(t), OK);
    add_issuer(t, "rsa-g1", "");
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    t = begin(&p);
    cr_assert_eq(add_issuer(t, "rsa-g1", ""), 1);
    commit(t);
    place_remove(&p);
}

static bool join(const struct issuer *i, void *arg)
{
    strcat(arg, i->id);
    return strcmp(i->id, "c") != 0;
}

Test(issuer, each_comes_in_order_of_number_until_told_to_stop)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    char text[16] = "";
    struct view *v;

    for (const char *id = "eacdb"; *id != '\0'; id++)
        add_issuer(t, (const char[]){*id, '\0'}, "");
    commit(t);
    v = look(&p);
    cr_assert_eq(issuer_each(v, join, text), OK);
    cr_assert_str_eq(text, "eac");
    view_close(v);
    place_remove(&p);
}

Test(issuer, responder_is_set_and_the_rest_stays)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    uint8_t serial[SERIAL_LEN];
    struct issuer i;

    serial_of(5, serial);
    add_issuer(t, "rsa-g1", "rsa-root-g1");
    issuer_set_responder(t, 1, serial);
    cr_assert_eq(issuer_find(txn_view(t), "rsa-g1", &i), OK);
    cr_assert_arr_eq(i.responder, serial, SERIAL_LEN);
    cr_assert(span_eq(i.certificate, span_str("rsa-g1")));
    cr_assert_str_eq(i.parent, "rsa-root-g1");
    issuer_set_responder(t, 2, serial);
    cr_assert_eq(txn_commit(t), ERR_NOT_FOUND);
    place_remove(&p);
}

static uint64_t reserve(struct place *p, uint16_t issuer_no)
{
    struct txn *t = begin(p);
    uint64_t number;

    crl_state_reserve(t, issuer_no, &number);
    commit(t);
    return number;
}

static enum err publish(struct place *p, uint16_t issuer_no, uint64_t number)
{
    struct crl_state s = {.reserved = 77,
                          .number = number,
                          .this_update_s = NOW,
                          .next_update_s = NOW + DAY,
                          .size = 1000,
                          .count = 12,
                          .sha256 = {0xab}};
    struct txn *t = begin(p);

    crl_state_publish(t, issuer_no, &s);
    return txn_commit(t);
}

Test(crl_state, is_all_zero_before_the_first)
{
    struct place p = place_create();
    struct crl_state s, none = {0};
    struct view *v = look(&p);

    cr_assert_eq(crl_state_find(v, 1, &s), OK);
    cr_assert_eq(memcmp(&s, &none, sizeof s), 0);
    view_close(v);
    place_remove(&p);
}

Test(crl_state, a_number_is_handed_out_once_across_reopening_and_each_issuer_has_its_own)
{
    struct place p = place_create();

    for (uint64_t i = 1; i <= 5; i++) {
        cr_assert_eq(reserve(&p, 1), i);
        place_reopen(&p, STORE_WRITE);
    }
    cr_assert_eq(reserve(&p, 2), 1);
    place_remove(&p);
}

Test(crl_state, only_a_reserved_number_above_the_last_is_published)
{
    struct place p = place_create();
    struct crl_state s;
    struct view *v;

    cr_assert_eq(publish(&p, 1, 1), ERR_CONFLICT); /* nothing is reserved */
    for (unsigned i = 0; i < 4; i++)
        (void)reserve(&p, 1);
    cr_assert_eq(publish(&p, 1, 2), OK);
    cr_assert_eq(publish(&p, 1, 2), ERR_CONFLICT);
    cr_assert_eq(publish(&p, 1, 1), ERR_CONFLICT);
    cr_assert_eq(publish(&p, 1, 5), ERR_CONFLICT);
    cr_assert_eq(publish(&p, 1, 4), OK);
    v = look(&p);
    cr_assert_eq(crl_state_find(v, 1, &s), OK);
    cr_assert_eq(s.number, 4);
    cr_assert_eq(s.reserved, 4); /* the caller's word on that is not taken */
    cr_assert_eq(s.next_update_s, NOW + DAY);
    cr_assert_eq(s.size, 1000);
    cr_assert_eq(s.count, 12);
    cr_assert_eq(s.sha256[0], 0xab);
    view_close(v);
    cr_assert_eq(reserve(&p, 1), 5);
    place_remove(&p);
}
