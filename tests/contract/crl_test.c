/* SPDX-License-Identifier: Apache-2.0 */
/* Does the store know what a delta must say: every move since the base, once, and nothing that the base
 * shows? */
#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"

struct changes {
    struct revoked items[4096];
    size_t count;
};

static bool keep(const struct revoked *r, void *arg)
{
    struct changes *c = arg;

    c->items[c->count++] = *r;
    return true;
}

static void changes_read(struct place *p, struct changes *out)
{
    struct view *v = look(p);

    out->count = 0;
    cr_assert_eq(crl_change_each(v, 1, keep, out), OK);
    view_close(v);
    for (size_t i = 1; i < out->count; i++)
        cr_assert_lt(memcmp(out->items[i - 1].serial, out->items[i].serial, SERIAL_LEN), 0, "in order, once");
}

static const struct revoked *find(const struct changes *c, unsigned n)
{
    uint8_t serial[SERIAL_LEN];

    serial_of(n, serial);
    for (size_t i = 0; i < c->count; i++)
        if (memcmp(c->items[i].serial, serial, SERIAL_LEN) == 0)
            return &c->items[i];
    return NULL;
}

static void revoke(struct place *p, unsigned n, enum reason reason, int64_t at_s)
{
    struct txn *t = begin(p);
    uint8_t serial[SERIAL_LEN];

    serial_of(n, serial);
    cert_revoke(t, serial, reason, at_s, NO_TIME);
    commit(t);
}

static void unhold(struct place *p, unsigned n)
{
    struct txn *t = begin(p);
    uint8_t serial[SERIAL_LEN];

    serial_of(n, serial);
    cert_unhold(t, serial);
    commit(t);
}

static struct crl_track track(struct place *p)
{
    struct crl_track k;
    struct view *v = look(p);

    cr_assert_eq(crl_track_find(v, 1, &k), OK);
    view_close(v);
    return k;
}

static enum err publish(struct place *p, struct crl_part part)
{
    struct txn *t = begin(p);

    if (part.state.number == 0)
        crl_state_reserve(t, 1, &part.state.number);
    crl_part_publish(t, 1, &part);
    return txn_commit(t);
}

static void base_now(struct place *p)
{
    cr_assert_eq(publish(p, (struct crl_part){.shard = 1, .changes = track(p).changes, .shown_s = NOW}), OK);
}

Test(crl_change, every_move_since_the_base_is_there_once)
{
    struct place p = place_create();
    struct changes c;

    add_range(&p, 0, 40);
    for (unsigned n = 0; n < 10; n += 2)
        revoke(&p, n, n < 7 ? REASON_CERTIFICATE_HOLD : REASON_SUPERSEDED, NOW);
    changes_read(&p, &c);
    base_now(&p);
    cr_assert(c.count > 0);
    changes_read(&p, &c);
    cr_assert_eq(c.count, 0, "the base shows them all");
    revoke(&p, 20, REASON_KEY_COMPROMISE, NOW + 1); /* new */
    unhold(&p, 0);                                  /* was on the base */
    revoke(&p, 2, REASON_SUPERSEDED, NOW + 2);      /* held becomes revoked */
    revoke(&p, 22, REASON_CERTIFICATE_HOLD, NOW + 3);
    unhold(&p, 22); /* never on a base, but perhaps on a delta */
    unhold(&p, 4);
    revoke(&p, 4, REASON_CERTIFICATE_HOLD, NOW + 4); /* and on hold again */
    changes_read(&p, &c);
    for (size_t i = 0; i < c.count; i++)
        cr_assert_neq(c.items[i].not_after_s, 0);
    cr_expect_eq(find(&c, 20)->reason, REASON_KEY_COMPROMISE);
    cr_expect_eq(find(&c, 0)->reason, REASON_REMOVE_FROM_CRL);
    cr_expect_eq(find(&c, 0)->revoked_at_s, NOW, "when the hold began");
    cr_expect_eq(find(&c, 2)->reason, REASON_SUPERSEDED);
    cr_expect_eq(find(&c, 2)->revoked_at_s, NOW + 2);
    cr_expect_eq(find(&c, 22)->reason, REASON_REMOVE_FROM_CRL);
    cr_expect_eq(find(&c, 4)->reason, REASON_CERTIFICATE_HOLD);
    cr_expect_null(find(&c, 6), "did not move");
    place_remove(&p);
}

Test(crl_change, what_moves_while_a_base_is_made_stays_a_change)
{
    struct place p = place_create();
    struct changes c;
    uint64_t seen;

    add_range(&p, 0, 40);
    revoke(&p, 0, REASON_SUPERSEDED, NOW);
    seen = track(&p).changes; /* the view that the list is made from */
    revoke(&p, 2, REASON_SUPERSEDED, NOW - 1000000);
    cr_assert_eq(publish(&p, (struct crl_part){.shard = 1, .changes = seen, .shown_s = NOW}), OK);
    changes_read(&p, &c);
    cr_expect_null(find(&c, 0));
    cr_expect_not_null(find(&c, 2), "whatever the clock said");
    cr_expect_eq(track(&p).base_shown_s, NOW);
    place_remove(&p);
}

Test(crl_change, one_is_found_alone)
{
    struct place p = place_create();
    uint8_t serial[SERIAL_LEN];
    struct view *v;

    add_range(&p, 0, 40);
    serial_of(4, serial);
    revoke(&p, 4, REASON_SUPERSEDED, NOW);
    v = look(&p);
    cr_expect_eq(crl_change_find(v, 1, serial), OK);
    view_close(v);
    base_now(&p);
    v = look(&p);
    cr_expect_eq(crl_change_find(v, 1, serial), ERR_NOT_FOUND, "the base shows it");
    view_close(v);
    place_remove(&p);
}

/* In slices, each in a transaction of its own; what came after the base is left. */
Test(crl_change, what_a_base_shows_is_pruned_and_nothing_else)
{
    struct place p = place_create();
    uint8_t at[SERIAL_LEN] = {0};
    struct changes before, after;
    unsigned slices = 0;
    bool goes_on = true;

    add_range(&p, 0, 300);
    for (unsigned n = 0; n < 200; n++)
        revoke(&p, n, REASON_SUPERSEDED, NOW);
    base_now(&p);
    for (unsigned n = 150; n < 250; n++)
        revoke(&p, n, REASON_PRIVILEGE_WITHDRAWN, NOW);
    changes_read(&p, &before);
    while (goes_on) {
        struct txn *t = begin(&p);

        goes_on = crl_change_prune(t, 1, at, 37);
        commit(t);
        cr_assert_lt(slices++, 100);
    }
    cr_expect_gt(slices, 3);
    changes_read(&p, &after);
    cr_assert_eq(after.count, before.count);
    cr_assert_eq(memcmp(after.items, before.items, before.count * sizeof *before.items), 0);
    cr_expect_eq(at[0], 0, "and begins anew");
    place_remove(&p);
}

Test(crl_part, each_has_its_state_and_a_number_that_rises)
{
    struct place p = place_create();
    struct crl_part delta = {.shard = 1, .is_delta = true, .state = {.count = 3, .size = 400}};
    struct crl_part shard = {.shard = 19, .state = {.count = 4, .size = 500}};
    struct crl_state s;
    struct view *v;

    cr_assert_eq(publish(&p, delta), OK);
    cr_assert_eq(publish(&p, shard), OK);
    delta.state.number = 1;
    cr_expect_eq(publish(&p, delta), ERR_CONFLICT, "it is out already");
    delta.state.number = 3;
    cr_expect_eq(publish(&p, delta), ERR_CONFLICT, "not reserved");
    shard.state.number = 2;
    shard.shard = 20;
    cr_expect_eq(publish(&p, shard), OK, "lists of one run share a number");
    v = look(&p);
    cr_assert_eq(crl_part_find(v, 1, 1, true, &s), OK);
    cr_expect(s.number == 1 && s.count == 3 && s.size == 400);
    cr_assert_eq(crl_part_find(v, 1, 19, false, &s), OK);
    cr_expect(s.number == 2 && s.count == 4);
    cr_assert_eq(crl_part_find(v, 1, 19, true, &s), OK);
    cr_expect_eq(s.number, 0, "none yet");
    cr_assert_eq(crl_part_find(v, 2, 19, false, &s), OK);
    cr_expect_eq(s.number, 0, "another issuer's");
    cr_assert_eq(crl_part_find(v, 1, 1, false, &s), OK);
    cr_expect_eq(s.number, 0, "no complete one");
    view_close(v);
    place_remove(&p);
}

Test(crl_part, a_base_cannot_show_what_has_not_happened)
{
    struct place p = place_create();

    cr_expect_eq(publish(&p, (struct crl_part){.shard = 1, .changes = 1}), ERR_CONFLICT);
    place_remove(&p);
}

Test(crl_part, shards_and_urls_once_used_are_remembered)
{
    static const char urls[] = "http://a\0http://ab";
    struct place p = place_create();
    struct txn *t = begin(&p);
    struct crl_track k;
    struct view *v;

    crl_shards_use(t, 1, 16, "http://a");
    crl_shards_use(t, 1, 64, "http://ab");
    crl_shards_use(t, 1, 16, "http://ab");
    commit(t);
    place_reopen(&p, STORE_WRITE);
    add_range(&p, 0, 1);
    revoke(&p, 0, REASON_SUPERSEDED, NOW);
    v = look(&p);
    cr_assert_eq(crl_track_find(v, 1, &k), OK);
    cr_expect_eq(k.shards, 16 | 64);
    cr_expect_eq(k.changes, 4);
    cr_expect_eq(k.moved, 3);
    cr_expect(span_eq(k.urls, span_of(urls, sizeof urls)));
    cr_expect(crl_shards_used(&k, 64, "http://a") && crl_shards_used(&k, 16, "http://ab"));
    cr_expect(!crl_shards_used(&k, 32, "http://a") && !crl_shards_used(&k, 16, "http://b"));
    view_close(v);
    place_remove(&p);
}

Test(crl_part, urls_beyond_the_limit_are_refused)
{
    struct place p = place_create();
    char url[] = "http://0";

    for (unsigned n = 0; n <= SHARD_URLS_MAX; n++) {
        struct txn *t = begin(&p);

        url[7] = (char)('0' + n);
        crl_shards_use(t, 1, 16, url);
        cr_expect_eq(txn_commit(t), n < SHARD_URLS_MAX ? OK : ERR_TOO_LARGE, "%u", n);
    }
    place_remove(&p);
}

Test(crl_part, each_list_has_a_name)
{
    char name[CRL_NAME_MAX];

    crl_part_name("rsa-g1", 1, false, name);
    cr_expect_str_eq(name, "rsa-g1");
    crl_part_name("rsa-g1", 19, false, name);
    cr_expect_str_eq(name, "rsa-g1-19");
    crl_part_name("rsa-g1", 1, true, name);
    cr_expect_str_eq(name, "rsa-g1-delta");
    crl_part_name("a23456789012345678901234567890b", 511, true, name);
    cr_expect_str_eq(name, "a23456789012345678901234567890b-511-delta");
}

Test(crl_part, a_name_is_read_as_it_is_written)
{
    char name[CRL_NAME_MAX];
    uint16_t shard;
    bool is_delta;

    for (unsigned n = SHARD_ALL; n < SHARD_END; n++)
        for (int d = 0; d <= 1; d++) {
            crl_part_name("a", (uint16_t)n, d == 1, name);
            cr_assert(crl_part_read(name + 1, &shard, &is_delta), "%s", name);
            cr_assert(shard == n && is_delta == (d == 1), "%s", name);
        }
}

Test(crl_part, a_shard_is_told_from_the_serial_alone)
{
    uint8_t serial[SERIAL_LEN] = {1, 2, 3, 0xb7, 4}; /* 1011 0111 */

    cr_expect_eq(shard_of(serial, 1), 1);
    cr_expect_eq(shard_of(serial, 2), 3);
    cr_expect_eq(shard_of(serial, 16), 16 + 0xb);
    cr_expect_eq(shard_of(serial, 256), 256 + 0xb7);
    for (unsigned shards = 1; shards <= SHARDS_MAX; shards *= 2) {
        unsigned holders = 0;

        for (unsigned shard = shards; shard < 2 * shards; shard++)
            holders += shard_has((uint16_t)shard, serial);
        cr_expect_eq(holders, 1, "of %u", shards);
    }
}
