/* SPDX-License-Identifier: Apache-2.0 */
/* Do deltas and shards say what they are to say, octet for octet as OpenSSL writes it? A model of what was
 * revoked, held and let go gives the entries, the signer is the real one. */
#include <criterion/criterion.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "shop.h"

#define HOUR INT64_C(3600)
#define URL "http://ca.example.com"
#define OLD_URL "http://old.example.com"
#define FIRST (SHOP_NOW - 20 * DAY) /* of the complete lists */

static struct shop s;
static struct crl_issuer issuer;

/* What the store was told. */
struct told {
    struct revoked r;
    bool is_off;   /* was held and let go */
    bool is_moved; /* since the base */
};
static struct told told[4096];
static size_t told_count;
static uint64_t base;        /* number of the complete list in force, 0: none */
static int64_t base_s;       /* its thisUpdate */
static int64_t base_shown_s; /* what ended before is not on it */

static void setup(void)
{
    shop_open(&s, "ec-256", "ca");
    issuer = (struct crl_issuer){
        .id = "ca", .every_s = DAY, .overlap_s = DAY, .at_s = -1, .delta_s = 6 * HOUR, .shards = 1};
    base_shown_s = NO_TIME;
}

static void teardown(void)
{
    shop_close(&s);
}

TestSuite(crl_delta, .init = setup, .fini = teardown, .timeout = 120);

/* ---- what happens to certificates ---- */

static size_t revoke(const struct revoked *r)
{
    size_t at = told_count++;

    cr_assert_lt(at, sizeof told / sizeof *told);
    shop_revoke_one(&s, r);
    told[at] = (struct told){.r = *r, .is_moved = true};
    return at;
}

static void unhold(size_t i)
{
    struct txn *t;

    cr_assert_eq(txn_begin(s.store, &t), OK);
    cert_unhold(t, told[i].r.serial);
    cr_assert_eq(txn_commit(t), OK);
    told[i].is_off = told[i].is_moved = true;
}

static void revoke_held(size_t i, enum reason reason, int64_t now_s)
{
    struct txn *t;

    cr_assert_eq(txn_begin(s.store, &t), OK);
    cert_revoke(t, told[i].r.serial, reason, now_s, NO_TIME);
    cr_assert_eq(txn_commit(t), OK);
    told[i].r.reason = reason;
    told[i].r.revoked_at_s = now_s;
    told[i].r.invalidity_s = NO_TIME;
    told[i].is_moved = true;
}

/* ---- what lists are to say ---- */

/* What ended before has left the complete list of this run: a period before the list in force. */
static int64_t leaves_s(void)
{
    return base == 0 ? NO_TIME : base_s - issuer.every_s;
}

/* On a complete list from which is gone what ended before `shown_s`. */
static bool is_on(const struct told *t, int64_t shown_s)
{
    return !t->is_off && (shown_s == NO_TIME || t->r.not_after_s >= shown_s || t->r.revoked_at_s >= shown_s);
}

static int by_serial(const void *a, const void *b)
{
    return memcmp(((const struct revoked *)a)->serial, ((const struct revoked *)b)->serial, SERIAL_LEN);
}

struct wanted {
    struct revoked items[4096];
    size_t count;
};
static struct wanted wanted;

static void want(const struct told *t, bool is_removed)
{
    struct revoked *r = &wanted.items[wanted.count++];

    *r = t->r;
    if (is_removed)
        r->reason = REASON_REMOVE_FROM_CRL;
    if (t->is_off)
        r->invalidity_s = NO_TIME; /* the entry that had one is gone */
}

static void want_sorted(size_t from)
{
    qsort(wanted.items + from, wanted.count - from, sizeof *wanted.items, by_serial);
}

static void want_complete(uint16_t shard, int64_t shown_s)
{
    wanted.count = 0;
    for (size_t i = 0; i < told_count; i++)
        if (is_on(&told[i], shown_s) && shard_has(shard, told[i].r.serial))
            want(&told[i], false);
    want_sorted(0);
}

/* First what moved since the base, then what the complete list of this run, if there is one, leaves out. */
static void want_delta(uint16_t shard, enum crl_run run)
{
    size_t moved;

    wanted.count = 0;
    for (size_t i = 0; i < told_count; i++)
        if (told[i].is_moved && shard_has(shard, told[i].r.serial))
            want(&told[i], told[i].is_off);
    want_sorted(0);
    moved = wanted.count;
    for (size_t i = 0; run == RUN_COMPLETE && i < told_count; i++)
        if (!told[i].is_moved && is_on(&told[i], base_shown_s) && !is_on(&told[i], leaves_s()) &&
            shard_has(shard, told[i].r.serial))
            want(&told[i], true);
    want_sorted(moved);
}

/* ---- OpenSSL's extensions ---- */

static GENERAL_NAMES *names_of(const char *const *urls, size_t count, const char *name)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    for (size_t i = 0; i < count; i++) {
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        char uri[256];

        snprintf(uri, sizeof uri, "%s/crl/%s.crl", urls[i], name);
        ASN1_STRING_set(text, uri, -1);
        GENERAL_NAME_set0_value(g, GEN_URI, text);
        sk_GENERAL_NAME_push(names, g);
    }
    return names;
}

static DIST_POINT_NAME *point_name(const char *const *urls, size_t count, const char *name)
{
    DIST_POINT_NAME *n = DIST_POINT_NAME_new();

    n->type = 0;
    n->name.fullname = names_of(urls, count, name);
    return n;
}

static void add_indicator(X509_CRL *crl)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();

    ASN1_INTEGER_set_uint64(n, base);
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
    ASN1_INTEGER_free(n);
}

static void add_point(X509_CRL *crl, const char *name)
{
    static const char *const urls[] = {OLD_URL, URL};
    ISSUING_DIST_POINT *p = ISSUING_DIST_POINT_new();

    p->distpoint = point_name(urls, 2, name);
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, p, 1, 0), 1);
    ISSUING_DIST_POINT_free(p);
}

static void add_freshest(X509_CRL *crl, const char *name)
{
    static const char *const urls[] = {URL};
    CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *p = DIST_POINT_new();

    p->distpoint = point_name(urls, 1, name);
    sk_DIST_POINT_push(points, p);
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, NID_freshest_crl, points, 0, 0), 1);
    CRL_DIST_POINTS_free(points);
}

/* ---- the comparison ---- */

static X509_CRL *theirs_of(uint16_t shard, bool is_delta, const struct crl_state *state)
{
    struct shop as = s;
    char name[CRL_NAME_MAX], delta[CRL_NAME_MAX];
    X509_CRL *crl;

    as.revoked = wanted.items;
    as.count = wanted.count;
    crl_part_name("ca", shard, false, name);
    crl_part_name("ca", shard, true, delta);
    crl = shop_crl(&as, state->number, state->this_update_s, state->next_update_s, NULL);
    if (is_delta)
        add_indicator(crl);
    if (shard != SHARD_ALL)
        add_point(crl, name);
    if (!is_delta && issuer.delta_s > 0)
        add_freshest(crl, delta);
    return crl;
}

static struct crl_state state_of(uint16_t shard, bool is_delta)
{
    struct crl_state state;
    struct view *v;

    cr_assert_eq(view_open(s.store, &v), OK);
    cr_assert_eq(crl_part_find(v, s.no, shard, is_delta, &state), OK);
    view_close(v);
    return state;
}

/* The tbsCertList as it stands in the file, and the signature over it. */
static void check_file(uint16_t shard, bool is_delta, struct span tbs)
{
    char name[CRL_NAME_MAX], path[256];
    struct span der, in;
    const unsigned char *at;
    struct der whole;
    X509_CRL *ours;

    crl_part_name("ca", shard, is_delta, name);
    snprintf(path, sizeof path, "%s/crl/%s.crl", s.public_dir, name);
    in = der = shop_read(path);
    cr_assert(der_expect(&in, DER_SEQUENCE, &whole));
    cr_assert_gt(whole.body.len, tbs.len, "%s", name);
    cr_assert(span_eq(span_of(whole.body.data, tbs.len), tbs), "%s, %zu entries", name, wanted.count);
    at = der.data;
    ours = d2i_X509_CRL(NULL, &at, (long)der.len);
    cr_assert_not_null(ours);
    cr_assert_eq(X509_CRL_verify(ours, s.key), 1, "%s", name);
    X509_CRL_free(ours);
    free((void *)der.data);
}

static void compare(uint16_t shard, bool is_delta, uint64_t number, int64_t now_s)
{
    struct crl_state state = state_of(shard, is_delta);
    X509_CRL *theirs = theirs_of(shard, is_delta, &state);
    uint8_t *tbs = NULL;
    int len = i2d_re_X509_CRL_tbs(theirs, &tbs);

    cr_assert_eq(state.number, number);
    cr_assert_eq(state.count, wanted.count, "%lu instead of %zu", state.count, wanted.count);
    cr_assert_eq(state.this_update_s, now_s);
    cr_assert_eq(state.next_update_s, now_s + (is_delta && issuer.delta_s > 0 ? 12 * HOUR : 2 * DAY));
    check_file(shard, is_delta, span_of(tbs, (size_t)len));
    OPENSSL_free(tbs);
    X509_CRL_free(theirs);
}

static void check_lists(uint16_t shard, enum crl_run run, uint64_t number, int64_t now_s)
{
    if (run == RUN_COMPLETE) {
        want_complete(shard, leaves_s());
        compare(shard, false, number, now_s);
    }
    if (base != 0) {
        want_delta(shard, run);
        compare(shard, true, number, now_s);
    }
}

/* One run, and every list of it judged; `wanted` is the delta of all serials after it. */
static void publish(enum crl_run run, int64_t now_s)
{
    struct crl_job job = {.store = s.store,
                          .issuer = &issuer,
                          .public_dir = s.public_dir,
                          .port = &s.port,
                          .clock = shop_clock,
                          .run = run,
                          .public_url = URL,
                          .cause = "request",
                          .reserve = shop_reserve,
                          .record = shop_record,
                          .arg = &s};
    struct crl_state state;
    struct fault f = {0};

    shop_clock_set(now_s);
    cr_assert_eq(crl_publish(&job, &state, &f), OK, "%s", f.detail);
    for (unsigned shard = issuer.shards; issuer.shards > 1 && shard < 2 * issuer.shards; shard++)
        check_lists((uint16_t)shard, run, state.number, now_s);
    check_lists(SHARD_ALL, run, state.number, now_s);
    if (run != RUN_COMPLETE)
        return;
    base_shown_s = leaves_s();
    base = state.number;
    base_s = now_s;
    for (size_t i = 0; i < told_count; i++)
        told[i].is_moved = false;
}

/* ---- claims ---- */

static struct revoked cert(uint8_t last, enum reason reason, int64_t revoked_at_s, int64_t not_after_s)
{
    return (struct revoked){.serial = {[0] = 1, [SERIAL_LEN - 1] = last},
                            .reason = reason,
                            .revoked_at_s = revoked_at_s,
                            .invalidity_s = NO_TIME,
                            .not_after_s = not_after_s};
}

static size_t tell(uint8_t last, enum reason reason, int64_t revoked_at_s, int64_t not_after_s)
{
    struct revoked r = cert(last, reason, revoked_at_s, not_after_s);

    return revoke(&r);
}

/* The reason under which the last delta names it; -1: it does not. */
static int in_delta(uint8_t last)
{
    for (size_t i = 0; i < wanted.count; i++)
        if (wanted.items[i].serial[SERIAL_LEN - 1] == last)
            return (int)wanted.items[i].reason;
    return -1;
}

enum { ENDED = 1, OLD, HELD, NEW };

Test(crl_delta, what_left_since_the_base_is_removed_and_what_is_revoked_has_its_reason)
{
    size_t held;

    tell(ENDED, REASON_SUPERSEDED, FIRST - DAY, FIRST + 2 * HOUR);
    tell(OLD, REASON_CESSATION_OF_OPERATION, FIRST - DAY, SHOP_NOW);
    held = tell(HELD, REASON_CERTIFICATE_HOLD, FIRST - DAY, SHOP_NOW);
    publish(RUN_COMPLETE, FIRST);
    publish(RUN_COMPLETE, FIRST + DAY);
    cr_expect_eq(wanted.count, 0, "the list after its end still shows it, and nothing moved");
    unhold(held);
    tell(NEW, REASON_KEY_COMPROMISE, FIRST + DAY + HOUR, SHOP_NOW);
    publish(RUN_DELTA, FIRST + DAY + 6 * HOUR);
    cr_expect_eq(in_delta(HELD), REASON_REMOVE_FROM_CRL);
    cr_expect_eq(in_delta(NEW), REASON_KEY_COMPROMISE);
    cr_expect_eq(in_delta(ENDED), -1, "no complete list has left it out yet");
    cr_expect_eq(in_delta(OLD), -1, "it moved before the base");
    publish(RUN_COMPLETE, FIRST + 2 * DAY);
    cr_expect_eq(in_delta(ENDED), -1, "the list before was less than a period after its end");
    cr_expect_eq(in_delta(HELD), REASON_REMOVE_FROM_CRL);
    cr_expect_eq(in_delta(NEW), REASON_KEY_COMPROMISE);
    cr_expect_eq(in_delta(OLD), -1);
    publish(RUN_COMPLETE, FIRST + 3 * DAY);
    cr_expect_eq(in_delta(ENDED), REASON_REMOVE_FROM_CRL);
    publish(RUN_DELTA, FIRST + 3 * DAY + 6 * HOUR);
    cr_expect_eq(wanted.count, 0, "all of it is in the base now");
}

Test(crl_delta, a_hold_that_became_a_revocation_has_the_new_reason)
{
    size_t held = tell(HELD, REASON_CERTIFICATE_HOLD, FIRST - DAY, SHOP_NOW);

    publish(RUN_COMPLETE, FIRST);
    revoke_held(held, REASON_CA_COMPROMISE, FIRST + HOUR);
    publish(RUN_DELTA, FIRST + 6 * HOUR);
    cr_expect_eq(in_delta(HELD), REASON_CA_COMPROMISE);
}

/* It ended before any complete list showed it: RFC 5280 3.3 wants it on one. */
Test(crl_delta, what_was_revoked_and_ended_since_the_base_is_not_removed)
{
    publish(RUN_COMPLETE, FIRST);
    tell(ENDED, REASON_SUPERSEDED, FIRST + HOUR, FIRST + 2 * HOUR);
    publish(RUN_DELTA, FIRST + 6 * HOUR);
    cr_expect_eq(in_delta(ENDED), REASON_SUPERSEDED);
    publish(RUN_COMPLETE, FIRST + DAY);
    cr_expect_eq(in_delta(ENDED), REASON_SUPERSEDED);
    publish(RUN_COMPLETE, FIRST + 2 * DAY);
    cr_expect_eq(in_delta(ENDED), -1, "of what the lists say nothing changes");
    publish(RUN_COMPLETE, FIRST + 3 * DAY);
    cr_expect_eq(in_delta(ENDED), REASON_REMOVE_FROM_CRL, "a list of the schedule has shown it");
    publish(RUN_COMPLETE, FIRST + 4 * DAY);
    cr_expect_eq(in_delta(ENDED), -1);
}

/* Certificates that named them do so for their life; complete lists name them no more. */
Test(crl_delta, deltas_that_were_switched_off_go_with_complete_lists)
{
    publish(RUN_COMPLETE, FIRST);
    publish(RUN_DELTA, FIRST + 6 * HOUR);
    issuer.delta_s = 0;
    tell(NEW, REASON_KEY_COMPROMISE, FIRST + 7 * HOUR, SHOP_NOW);
    publish(RUN_COMPLETE, FIRST + DAY);
    cr_expect_eq(in_delta(NEW), REASON_KEY_COMPROMISE);
    publish(RUN_COMPLETE, FIRST + 2 * DAY);
    cr_expect_eq(wanted.count, 0, "all of it is in the base now");
}

/* ---- random sets ---- */

static uint32_t dice(uint32_t sides)
{
    static uint32_t state = 2463534242u;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % sides;
}

static void revoke_any(int64_t now_s)
{
    static const enum reason reasons[] = {0, 1, 2, 3, 4, 5, 6, 6, 6, 9, 10};
    struct revoked r = {.reason = reasons[dice(11)],
                        .revoked_at_s = now_s - dice(HOUR),
                        .invalidity_s = dice(2) ? NO_TIME : now_s - dice(30 * DAY),
                        .not_after_s = now_s + dice(dice(2) ? 3 * DAY : 900 * DAY)};

    for (size_t o = 0; o < SERIAL_LEN; o++)
        r.serial[o] = (uint8_t)dice(256);
    r.serial[0] = (uint8_t)(1 + r.serial[0] % 127);
    (void)revoke(&r);
}

static void move_some(int64_t now_s)
{
    for (size_t i = 0; i < told_count; i++) {
        if (told[i].is_off || told[i].r.reason != REASON_CERTIFICATE_HOLD || dice(4) != 0)
            continue;
        if (dice(2))
            unhold(i);
        else
            revoke_held(i, REASON_KEY_COMPROMISE, now_s);
    }
    for (size_t count = dice(60); count > 0; count--)
        revoke_any(now_s);
}

/* Certificates named them under either address. */
static void use_shards(unsigned shards)
{
    struct txn *t;

    issuer.shards = shards;
    cr_assert_eq(txn_begin(s.store, &t), OK);
    crl_shards_use(t, s.no, shards, OLD_URL);
    crl_shards_use(t, s.no, shards, URL);
    cr_assert_eq(txn_commit(t), OK);
}

static void run_days(int64_t days)
{
    for (int64_t now_s = FIRST; now_s < FIRST + days * DAY; now_s += 6 * HOUR) {
        move_some(now_s);
        publish((now_s - FIRST) % DAY == 0 ? RUN_COMPLETE : RUN_DELTA, now_s);
    }
}

Test(crl_delta, lists_of_random_sets_equal_openssl)
{
    run_days(8);
}

Test(crl_delta, shards_of_random_sets_equal_openssl)
{
    use_shards(4);
    run_days(5);
}
