/* SPDX-License-Identifier: Apache-2.0 */
/* Is what ended long ago forgotten, in slices, and nothing that a list, a delta or a person still needs? */
#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"

/* sample(n) ended 40 - n days before NOW; those below ENDED more than ten days ago. */
#define ENDED 30u
#define BEFORE (NOW - 10 * DAY)

static void revoke(struct place *p, unsigned n, enum reason reason, int64_t at_s)
{
    struct txn *t = begin(p);
    uint8_t serial[SERIAL_LEN];

    serial_of(n, serial);
    cert_revoke(t, serial, reason, at_s, NO_TIME);
    commit(t);
}

static void publish(struct place *p, uint16_t issuer_no, uint16_t shard, int64_t shown_s)
{
    struct txn *t = begin(p);
    struct crl_track k;
    struct crl_part part = {.shard = shard, .shown_s = shown_s};

    cr_assert_eq(crl_track_find(txn_view(t), issuer_no, &k), OK);
    part.changes = k.changes;
    crl_state_reserve(t, issuer_no, &part.state.number);
    crl_part_publish(t, issuer_no, &part);
    commit(t);
}

static unsigned prune(struct place *p, struct cert_prune *c, unsigned most)
{
    struct txn *t = begin(p);

    (void)cert_prune(t, c, most);
    commit(t);
    return c->count;
}

static unsigned prune_all(struct place *p)
{
    struct cert_prune c = {.before_s = BEFORE};

    return prune(p, &c, CERT_PRUNE_MAX);
}

static bool is_there(struct place *p, unsigned n)
{
    struct view *v = look(p);
    uint8_t serial[SERIAL_LEN];
    struct status s;
    struct cert c;
    enum err err;

    serial_of(n, serial);
    err = cert_find(v, serial, &c);
    cr_assert_eq(status_find(v, serial, &s), err);
    cr_assert(err == OK || err == ERR_NOT_FOUND);
    view_close(v);
    return err == OK;
}

static bool count_one(const struct cert *c, void *arg)
{
    (void)c;
    ++*(unsigned *)arg;
    return true;
}

static unsigned listed(struct place *p, struct cert_query q)
{
    struct view *v = look(p);
    char next[CURSOR_MAX];
    unsigned count = 0;

    q.limit = LIST_LIMIT_MAX;
    q.now_s = NOW;
    if (q.expires_before_s == 0)
        q.expires_before_s = NO_TIME;
    cr_assert_eq(cert_list(v, &q, count_one, &count, next), OK);
    view_close(v);
    return count;
}

Test(cert_prune, what_ended_before_is_gone_from_every_list)
{
    struct place p = place_create();
    struct cert_prune c = {.before_s = BEFORE};
    struct store_counts n;
    struct view *v;

    add_range(&p, 0, 60);
    cr_assert_eq(prune(&p, &c, CERT_PRUNE_MAX), ENDED);
    cr_expect_eq(c.up_to_s, BEFORE - DAY, "the latest end among them");
    cr_expect_not(c.is_under_way);
    for (unsigned i = 0; i < 60; i++)
        cr_expect_eq(is_there(&p, i), i >= ENDED, "%u", i);
    cr_expect_eq(listed(&p, (struct cert_query){0}), 60 - ENDED);
    cr_expect_eq(listed(&p, (struct cert_query){.cn = "node*"}), 60 - ENDED);
    cr_expect_eq(listed(&p, (struct cert_query){.san = "example.com"}), 60 - ENDED);
    cr_expect_eq(listed(&p, (struct cert_query){.profile = "ucm/tomcat"}), (60 - ENDED) / 3);
    cr_expect_eq(listed(&p, (struct cert_query){.requester = "admin-1"}), (60 - ENDED) / 5);
    cr_expect_eq(listed(&p, (struct cert_query){.issuer_no = 1}), (60 - ENDED) / 2);
    cr_expect_eq(listed(&p, (struct cert_query){.status = FILTER_EXPIRED}), 40 - ENDED);
    v = look(&p);
    cr_assert_eq(store_count(v, &n), OK);
    cr_expect_eq(n.certificates, 60 - ENDED);
    view_close(v);
    cr_expect_eq(prune_all(&p), 0, "again");
    place_remove(&p);
}

Test(cert_prune, goes_on_where_a_slice_ended_and_after_a_restart)
{
    struct place p = place_create();
    struct cert_prune c = {.before_s = BEFORE};

    add_range(&p, 0, 60);
    revoke(&p, 0, REASON_CERTIFICATE_HOLD, NOW); /* stays, and is in no slice's way */
    cr_expect_eq(prune(&p, &c, 7), 6);
    cr_expect(c.is_under_way);
    cr_expect_eq(prune(&p, &c, 7), 7);
    place_reopen(&p, STORE_WRITE);
    c = (struct cert_prune){.before_s = BEFORE};
    cr_expect_eq(prune(&p, &c, 7), 6, "the one on hold is looked at again");
    cr_expect_eq(prune(&p, &c, CERT_PRUNE_MAX), ENDED - 20);
    cr_expect_not(c.is_under_way);
    cr_expect(is_there(&p, 0));
    place_remove(&p);
}

Test(cert_prune, numbers_go_on_when_the_newest_is_gone)
{
    struct place p = place_create();
    struct txn *t;
    struct sample s;
    uint64_t number;

    add_range(&p, 0, 5);
    cr_assert_eq(prune_all(&p), 5);
    t = begin(&p);
    sample_make(&s, 100, 300);
    cert_add(t, &s.cert, &number);
    commit(t);
    cr_expect_eq(number, 6);
    place_remove(&p);
}

Test(cert_prune, a_revoked_one_stays_until_a_list_has_left_it_out)
{
    struct place p = place_create();

    add_range(&p, 0, 10);
    for (unsigned n = 0; n < 10; n++)
        revoke(&p, n, REASON_SUPERSEDED, NOW - 60 * DAY);
    cr_expect_eq(prune_all(&p), 0, "there is no list yet");
    publish(&p, 1, SHARD_ALL, NO_TIME);
    cr_expect_eq(prune_all(&p), 0, "the first list shows them all");
    publish(&p, 1, SHARD_ALL, NOW - 38 * DAY);
    cr_expect_eq(prune_all(&p), 1, "of issuer 1 only number 0 ended before that");
    cr_expect_not(is_there(&p, 0));
    cr_expect(is_there(&p, 2), "it ended when the list before was made");
    publish(&p, 1, SHARD_ALL, NOW);
    cr_expect_eq(prune_all(&p), 4);
    for (unsigned n = 0; n < 10; n++)
        cr_expect_eq(is_there(&p, n), n % 2 == 1, "%u", n);
    place_remove(&p);
}

Test(cert_prune, one_revoked_after_its_end_is_shown_first)
{
    struct place p = place_create();

    add_range(&p, 0, 1);
    publish(&p, 1, SHARD_ALL, NOW - 2 * DAY);
    revoke(&p, 0, REASON_SUPERSEDED, NOW - 30 * DAY); /* whatever its time says, no list has shown it */
    cr_expect_eq(prune_all(&p), 0, "the next delta names it");
    revoke(&p, 0, REASON_KEY_COMPROMISE, NOW);
    publish(&p, 1, SHARD_ALL, NOW - DAY);
    cr_expect_eq(prune_all(&p), 0, "the list in force shows it");
    publish(&p, 1, SHARD_ALL, NOW + DAY);
    cr_expect_eq(prune_all(&p), 1);
    place_remove(&p);
}

Test(cert_prune, one_taken_from_hold_stays_until_the_base_is_new)
{
    struct place p = place_create();
    struct txn *t;
    uint8_t serial[SERIAL_LEN];

    add_range(&p, 0, 1);
    revoke(&p, 0, REASON_CERTIFICATE_HOLD, NOW - 60 * DAY);
    publish(&p, 1, SHARD_ALL, NOW);
    cr_expect_eq(prune_all(&p), 0, "on hold");
    t = begin(&p);
    serial_of(0, serial);
    cert_unhold(t, serial);
    commit(t);
    cr_expect_eq(prune_all(&p), 0, "a delta has to say so");
    publish(&p, 1, SHARD_ALL, NOW);
    cr_expect_eq(prune_all(&p), 1);
    place_remove(&p);
}

Test(cert_prune, a_shard_that_lags_keeps_its_own)
{
    struct place p = place_create();
    struct txn *t;
    uint8_t serial[SERIAL_LEN];

    add_range(&p, 0, 1);
    t = begin(&p);
    crl_shards_use(t, 1, 4, "http://ca.example.com");
    commit(t);
    revoke(&p, 0, REASON_SUPERSEDED, NOW - 60 * DAY);
    serial_of(0, serial);
    publish(&p, 1, shard_of(serial, 4), NOW);
    publish(&p, 1, SHARD_ALL, NOW);
    cr_expect_eq(prune_all(&p), 0, "the shard's list is of an earlier run");
    publish(&p, 1, shard_of(serial, 4), NOW);
    cr_expect_eq(prune_all(&p), 1);
    place_remove(&p);
}

static bool keeps_tomcat(const struct cert *c)
{
    return strcmp(c->profile, "ucm/tomcat") == 0;
}

Test(cert_prune, what_the_caller_keeps_stays)
{
    struct place p = place_create();
    struct cert_prune c = {.before_s = BEFORE, .keeps = keeps_tomcat};

    add_range(&p, 0, ENDED);
    cr_expect_eq(prune(&p, &c, CERT_PRUNE_MAX), ENDED - ENDED / 3);
    cr_expect_eq(listed(&p, (struct cert_query){.profile = "ucm/tomcat"}), ENDED / 3);
    place_remove(&p);
}

Test(cert_prune, a_compromised_key_is_remembered)
{
    struct place p = place_create();
    uint8_t first[SERIAL_LEN], serial[SERIAL_LEN];
    struct sample s;
    struct view *v;

    add_range(&p, 0, 1);
    revoke(&p, 0, REASON_KEY_COMPROMISE, NOW - 60 * DAY);
    publish(&p, 1, SHARD_ALL, NOW);
    cr_assert_eq(prune_all(&p), 1);
    sample_make(&s, 0, 300);
    serial_of(0, serial);
    v = look(&p);
    cr_expect_eq(key_compromised(v, s.cert.key_hash, first), OK);
    cr_expect_eq(memcmp(first, serial, SERIAL_LEN), 0);
    view_close(v);
    place_remove(&p);
}
