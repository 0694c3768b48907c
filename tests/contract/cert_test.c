/* SPDX-License-Identifier: Apache-2.0 */
/* Does a certificate keep what it was added with, and does its state move in step everywhere? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "tests/contract/fixture.h"

static struct status status_of(struct view *v, unsigned n)
{
    uint8_t serial[SERIAL_LEN];
    struct status s = {0};

    serial_of(n, serial);
    cr_assert_eq(status_find(v, serial, &s), OK);
    return s;
}

static struct store_counts counts_of(struct place *p)
{
    struct store_counts c;
    struct view *v = look(p);

    cr_assert_eq(store_count(v, &c), OK);
    view_close(v);
    return c;
}

static void revoke(struct place *p, unsigned n, enum reason reason, int64_t at_s)
{
    uint8_t serial[SERIAL_LEN];
    struct txn *t = begin(p);

    serial_of(n, serial);
    cert_revoke(t, serial, reason, at_s, NO_TIME);
    commit(t);
}

Test(cert, comes_back_as_it_was_added)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    uint64_t number = 0;
    struct sample s;
    struct cert c;
    struct view *v;

    sample_make(&s, 7, 1500);
    cert_add(t, &s.cert, &number);
    cr_assert_eq(number, 1);
    commit(t);
    v = look(&p);
    cr_assert_eq(cert_find(v, s.cert.serial, &c), OK);
    cr_assert_arr_eq(c.serial, s.cert.serial, SERIAL_LEN);
    cr_assert_eq(c.number, 1);
    cr_assert_eq(c.status.issuer_no, s.cert.status.issuer_no);
    cr_assert_eq(c.status.state, CERT_VALID);
    cr_assert_eq(c.status.revoked_at_s, NO_TIME);
    cr_assert_eq(c.status.invalidity_s, NO_TIME);
    cr_assert_eq(c.status.not_after_s, s.cert.status.not_after_s);
    cr_assert_eq(c.not_before_s, s.cert.not_before_s);
    cr_assert_eq(c.issued_at_s, s.cert.issued_at_s);
    cr_assert_eq(c.key_type, s.cert.key_type);
    cr_assert_eq(c.key_bits, s.cert.key_bits);
    cr_assert_arr_eq(c.key_hash, s.cert.key_hash, HASH_LEN);
    cr_assert_arr_eq(c.fingerprint, s.cert.fingerprint, HASH_LEN);
    cr_assert_str_eq(c.profile, s.cert.profile);
    cr_assert_str_eq(c.requester, s.cert.requester);
    cr_assert(span_eq(c.cn, s.cert.cn));
    cr_assert(span_eq(c.subject, s.cert.subject));
    cr_assert(span_eq(c.sans, s.cert.sans));
    cr_assert(span_eq(c.der, s.cert.der));
    cr_assert(span_eq(c.csr, s.cert.csr));
    view_close(v);
    place_remove(&p);
}

Test(cert, with_nothing_but_a_serial_comes_back_empty)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    struct cert c, empty = {.serial = {1, 2, 3}};
    uint64_t number;
    struct view *v;

    sha256_of(empty.der, empty.fingerprint);
    cert_add(t, &empty, &number);
    commit(t);
    v = look(&p);
    cr_assert_eq(cert_find(v, empty.serial, &c), OK);
    cr_assert_eq(c.cn.len + c.sans.len + c.der.len + c.csr.len + strlen(c.profile), 0);
    view_close(v);
    place_remove(&p);
}

static bool count(const struct cert *c, void *arg)
{
    cr_assert_eq(c->sans.len, SAN_COUNT_MAX * (DNS_NAME_MAX + 1));
    ++*(unsigned *)arg;
    return true;
}

Test(cert, with_a_thousand_names_is_found_by_the_last)
{
    static char names[SAN_COUNT_MAX * (DNS_NAME_MAX + 1)];
    struct cert_query q = {.expires_before_s = NO_TIME, .now_s = NOW, .limit = 10};
    struct place p = place_create_sized(1 << 20);
    struct txn *t = begin(&p);
    char next[CURSOR_MAX], last[DNS_NAME_MAX + 1];
    struct sample s;
    uint64_t number;
    struct view *v;
    unsigned found = 0;
    size_t len = 0;

    for (unsigned i = 0; i < SAN_COUNT_MAX; i++, len += DNS_NAME_MAX + 1)
        snprintf(names + len, DNS_NAME_MAX + 1, "%03u.%0249u", i, 1u);
    strcpy(last, names + len - DNS_NAME_MAX - 1);
    cr_assert_eq(strlen(last), DNS_NAME_MAX);
    sample_make(&s, 1, 4000);
    s.cert.sans = span_of(names, len);
    cert_add(t, &s.cert, &number);
    commit(t);
    v = look(&p);
    q.san = last;
    cr_assert_eq(cert_list(v, &q, count, &found, next), OK);
    cr_assert_eq(found, 1);
    cr_assert_str_eq(next, "");
    view_close(v);
    place_remove(&p);
}

Test(cert, unknown_serial_is_not_found)
{
    struct place p = place_create();
    uint8_t serial[SERIAL_LEN];
    struct status s;
    struct view *v;
    struct cert c;

    add_range(&p, 0, 3);
    serial_of(3, serial);
    v = look(&p);
    cr_assert_eq(status_find(v, serial, &s), ERR_NOT_FOUND);
    cr_assert_eq(cert_find(v, serial, &c), ERR_NOT_FOUND);
    serial_of(2, serial);
    cr_assert_eq(status_find(v, serial, &s), OK);
    view_close(v);
    place_remove(&p);
}

Test(cert, second_of_one_serial_is_a_conflict_and_takes_its_transaction_along)
{
    struct place p = place_create();
    uint8_t serial[SERIAL_LEN];
    struct status s;
    struct txn *t;
    struct view *v;

    add_range(&p, 0, 2);
    t = begin(&p);
    add(t, 2);
    cr_assert_eq(txn_error(t), OK);
    add(t, 1);
    cr_assert_eq(txn_error(t), ERR_CONFLICT);
    add(t, 3); /* does nothing: the txn has failed */
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    v = look(&p);
    serial_of(2, serial);
    cr_assert_eq(status_find(v, serial, &s), ERR_NOT_FOUND);
    view_close(v);
    cr_assert_eq(counts_of(&p).certificates, 2);
    add_range(&p, 2, 4); /* and the next transaction is none the worse */
    cr_assert_eq(counts_of(&p).certificates, 4);
    place_remove(&p);
}

Test(cert, numbers_follow_the_order_of_issue_across_reopening)
{
    struct place p = place_create();

    for (uint64_t i = 1; i <= 5; i++) {
        struct txn *t = begin(&p);
        uint64_t number;
        struct sample s;

        sample_make(&s, (unsigned)i, 100);
        cert_add(t, &s.cert, &number);
        cr_assert_eq(number, i);
        commit(t);
        place_reopen(&p, STORE_WRITE);
    }
    place_remove(&p);
}

Test(cert, state_moves_from_valid_to_held_to_valid_to_held_to_revoked)
{
    struct place p = place_create();
    uint8_t serial[SERIAL_LEN];
    struct status s;
    struct view *v;
    struct txn *t;

    add_range(&p, 0, 3);
    serial_of(1, serial);
    revoke(&p, 1, REASON_CERTIFICATE_HOLD, NOW);
    v = look(&p);
    s = status_of(v, 1);
    cr_assert_eq(s.state, CERT_HELD);
    cr_assert_eq(s.reason, REASON_CERTIFICATE_HOLD);
    cr_assert_eq(s.revoked_at_s, NOW);
    view_close(v);
    cr_assert_eq(counts_of(&p).held, 1);
    t = begin(&p);
    cert_unhold(t, serial);
    commit(t);
    v = look(&p);
    s = status_of(v, 1);
    cr_assert_eq(s.state, CERT_VALID);
    cr_assert_eq(s.revoked_at_s, NO_TIME);
    view_close(v);
    cr_assert_eq(counts_of(&p).held, 0);
    revoke(&p, 1, REASON_CERTIFICATE_HOLD, NOW + 1);
    revoke(&p, 1, REASON_SUPERSEDED, NOW + 2);
    v = look(&p);
    s = status_of(v, 1);
    cr_assert_eq(s.state, CERT_REVOKED);
    cr_assert_eq(s.reason, REASON_SUPERSEDED);
    cr_assert_eq(s.revoked_at_s, NOW + 2);
    cr_assert_eq(status_of(v, 0).state, CERT_VALID);
    view_close(v);
    cr_assert_eq(counts_of(&p).held, 0);
    cr_assert_eq(counts_of(&p).revoked, 1);
    cr_assert_eq(counts_of(&p).certificates, 3);
    place_remove(&p);
}

Test(cert, a_state_that_cannot_move_there_is_refused)
{
    struct place p = place_create();
    uint8_t unknown[SERIAL_LEN], valid[SERIAL_LEN], revoked[SERIAL_LEN];
    struct txn *t;

    add_range(&p, 0, 2);
    serial_of(9, unknown);
    serial_of(0, valid);
    serial_of(1, revoked);
    revoke(&p, 1, REASON_KEY_COMPROMISE, NOW);
    t = begin(&p);
    cert_revoke(t, unknown, REASON_UNSPECIFIED, NOW, NO_TIME);
    cr_assert_eq(txn_commit(t), ERR_NOT_FOUND);
    t = begin(&p);
    cert_unhold(t, unknown);
    cr_assert_eq(txn_commit(t), ERR_NOT_FOUND);
    t = begin(&p);
    cert_unhold(t, valid);
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    t = begin(&p);
    cert_unhold(t, revoked); /* what is revoked stays revoked */
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    t = begin(&p);
    cert_revoke(t, revoked, REASON_CERTIFICATE_HOLD, NOW, NO_TIME);
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    cr_assert_eq(counts_of(&p).revoked, 1);
    cr_assert_eq(counts_of(&p).held, 0);
    place_remove(&p);
}

struct entries {
    struct revoked seen[64];
    size_t count, stop_at;
};

static bool collect(const struct revoked *r, void *arg)
{
    struct entries *e = arg;

    e->seen[e->count++] = *r;
    return e->count != e->stop_at;
}

Test(revoked, entries_of_one_issuer_come_in_order_of_serial)
{
    struct place p = place_create();
    struct entries e = {.stop_at = 64};
    uint8_t serial[SERIAL_LEN];
    struct sample s;
    struct txn *t;
    struct view *v;

    add_range(&p, 0, 60);
    t = begin(&p);
    for (unsigned n = 60; n-- > 0;) {
        serial_of(n, serial);
        if (n % 3 != 0)
            cert_revoke(t, serial, n % 6 == 1 ? REASON_CERTIFICATE_HOLD : REASON_SUPERSEDED, NOW + n,
                        NOW - n);
    }
    serial_of(7, serial); /* a hold that ended is no entry */
    cert_unhold(t, serial);
    commit(t);
    v = look(&p);
    cr_assert_eq(revoked_each(v, 2, collect, &e), OK);
    view_close(v);
    cr_assert_eq(e.count, 19); /* odd ones but multiples of three, but the one */
    for (size_t i = 0; i < e.count; i++) {
        unsigned n = (unsigned)(e.seen[i].revoked_at_s - NOW);

        sample_make(&s, n, 1);
        cr_assert_eq(n % 2, 1);
        cr_assert_arr_eq(e.seen[i].serial, s.cert.serial, SERIAL_LEN);
        cr_assert_eq(e.seen[i].reason, n % 6 == 1 ? REASON_CERTIFICATE_HOLD : REASON_SUPERSEDED);
        cr_assert_eq(e.seen[i].invalidity_s, NOW - n);
        cr_assert_eq(e.seen[i].not_after_s, s.cert.status.not_after_s);
        if (i > 0)
            cr_assert_lt(memcmp(e.seen[i - 1].serial, e.seen[i].serial, SERIAL_LEN), 0);
    }
    place_remove(&p);
}

Test(revoked, a_scan_stops_when_told_and_is_empty_for_an_issuer_without)
{
    struct place p = place_create();
    struct entries e = {.stop_at = 2};
    struct view *v;

    add_range(&p, 0, 10);
    for (unsigned n = 0; n < 10; n += 2)
        revoke(&p, n, REASON_UNSPECIFIED, NOW);
    v = look(&p);
    cr_assert_eq(revoked_each(v, 1, collect, &e), OK);
    cr_assert_eq(e.count, 2);
    cr_assert_eq(revoked_each(v, 2, collect, &e), OK);
    cr_assert_eq(revoked_each(v, UINT16_MAX, collect, &e), OK);
    cr_assert_eq(e.count, 2);
    view_close(v);
    place_remove(&p);
}

struct numbers {
    uint64_t seen[16];
    size_t count;
};

static bool note_number(const struct cert *c, void *arg)
{
    struct numbers *n = arg;

    n->seen[n->count++] = c->number;
    return true;
}

Test(cert, all_on_one_key_are_found_the_latest_first)
{
    struct place p = place_create();
    struct numbers found = {0};
    uint8_t hash[HASH_LEN];
    struct txn *t = begin(&p);
    struct view *v;

    for (unsigned n = 0; n < 10; n++) {
        struct sample s;
        uint64_t number;

        sample_make(&s, n, 100);
        if (n % 4 == 1)
            memset(s.cert.key_hash, 0xff, HASH_LEN);
        cert_add(t, &s.cert, &number);
    }
    commit(t);
    v = look(&p);
    memset(hash, 0xff, sizeof hash);
    cr_assert_eq(cert_each_by_key(v, hash, note_number, &found), OK);
    cr_assert_eq(found.count, 3);
    cr_assert_eq(found.seen[0], 10);
    cr_assert_eq(found.seen[1], 6);
    cr_assert_eq(found.seen[2], 2);
    hash[31] = 0xfe;
    cr_assert_eq(cert_each_by_key(v, hash, note_number, &found), OK);
    cr_assert_eq(found.count, 3);
    view_close(v);
    place_remove(&p);
}

Test(cert, a_key_revoked_for_keyCompromise_is_remembered_for_good)
{
    struct place p = place_create();
    uint8_t serial[SERIAL_LEN], first[SERIAL_LEN];
    struct sample s, other;
    struct view *v;

    add_range(&p, 0, 3);
    sample_make(&s, 1, 64);
    sample_make(&other, 2, 64);
    memcpy(serial, s.cert.serial, SERIAL_LEN);
    revoke(&p, 1, REASON_SUPERSEDED, NOW);
    v = look(&p);
    cr_assert_eq(key_compromised(v, s.cert.key_hash, first), ERR_NOT_FOUND, "another reason");
    view_close(v);
    revoke(&p, 1, REASON_KEY_COMPROMISE, NOW);
    revoke(&p, 1, REASON_CESSATION_OF_OPERATION, NOW + 1);
    place_reopen(&p, STORE_WRITE);
    v = look(&p);
    cr_assert_eq(key_compromised(v, s.cert.key_hash, first), OK);
    cr_assert_arr_eq(first, serial, SERIAL_LEN);
    if (memcmp(other.cert.key_hash, s.cert.key_hash, HASH_LEN) != 0)
        cr_assert_eq(key_compromised(v, other.cert.key_hash, first), ERR_NOT_FOUND, "another key");
    view_close(v);
    place_remove(&p);
}
