/* SPDX-License-Identifier: Apache-2.0 */
/* Is our tbsCertList, octet for octet, the one OpenSSL writes for the same content? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/parts.h"
#include "shop.h"

static struct shop s;

static void setup(void)
{
    shop_open(&s, "ec-256", "ca");
}

static void teardown(void)
{
    shop_close(&s);
}

TestSuite(crl_encode, .init = setup, .fini = teardown, .timeout = 60);

static bool collect(struct span piece, void *arg)
{
    buf_put_span(arg, piece);
    return true;
}

static struct crl_content content(uint64_t number)
{
    struct parts parts;

    cr_assert(parts_of(span_of(s.der, s.der_len), &parts));
    return (struct crl_content){.issuer_name = parts.subject,
                                .algorithm = sig_alg_der(SIG_ECDSA_SHA256),
                                .ski = parts.ski,
                                .number = number,
                                .this_update_s = SHOP_NOW,
                                .next_update_s = SHOP_NOW + 4 * DAY,
                                .previous_s = NO_TIME};
}

static void compare(const struct crl_content *c, bool (*keep)(const struct revoked *r))
{
    X509_CRL *theirs = shop_crl(&s, c->number, c->this_update_s, c->next_update_s, keep);
    struct crl_size size;
    struct view *v;
    struct buf ours;
    uint8_t *der = NULL;
    int len = i2d_re_X509_CRL_tbs(theirs, &der);
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(theirs);

    buf_init(&ours, 1 << 26);
    cr_assert_eq(view_open(s.store, &v), OK);
    cr_assert_eq(crl_measure(v, s.no, c, &size), OK);
    cr_assert_eq(crl_stream(v, s.no, c, &size, collect, &ours), OK);
    view_close(v);
    cr_assert_eq(size.tbs_len, (uint64_t)len);
    cr_assert_eq(size.count, (uint64_t)(entries != NULL ? sk_X509_REVOKED_num(entries) : 0));
    cr_assert(span_eq(buf_span(&ours), span_of(der, (size_t)len)), "%zu entries", s.count);
    buf_free(&ours);
    OPENSSL_free(der);
    X509_CRL_free(theirs);
}

Test(crl_encode, lists_of_any_length_equal_openssl)
{
    static const size_t counts[] = {0, 1, 2, 7, 90, 1000, 5000};
    struct crl_content c = content(1);

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        shop_revoke(&s, counts[i] - s.count);
        compare(&c, NULL);
    }
}

Test(crl_encode, numbers_and_times_of_every_length_equal_openssl)
{
    static const uint64_t numbers[] = {1,     127,        128,        255,       256,
                                       65535, 1ull << 31, 1ull << 40, INT64_MAX, UINT64_MAX};
    struct crl_content c = content(0);

    shop_revoke(&s, 3);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        c.number = numbers[i];
        compare(&c, NULL);
    }
    c.next_update_s = 2524608000; /* 2050 */
    compare(&c, NULL);
}

/* A certificate that has ended is on one more list, then on none. */
static const int64_t previous_s = SHOP_NOW - DAY;

static bool is_kept(const struct revoked *r)
{
    return r->not_after_s >= previous_s || r->revoked_at_s >= previous_s;
}

Test(crl_encode, an_ended_certificate_leaves_after_one_more_list)
{
    struct revoked r = {.serial = {1},
                        .reason = REASON_SUPERSEDED,
                        .revoked_at_s = SHOP_NOW - 10 * DAY,
                        .invalidity_s = NO_TIME};
    static const struct {
        int64_t not_after_s;
        bool is_kept;
    } rows[] = {
        {SHOP_NOW + DAY, true},      /* still valid */
        {SHOP_NOW - 1, true},        /* ended since the last list: this one shows it */
        {SHOP_NOW - DAY, true},      /* valid to the second of the last list */
        {SHOP_NOW - DAY - 1, false}, /* the last list has shown it */
    };
    struct crl_content c = content(9);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r.serial[18] = (uint8_t)(i + 1);
        r.not_after_s = rows[i].not_after_s;
        cr_assert_eq(is_kept(&r), rows[i].is_kept, "%zu", i);
        shop_revoke_one(&s, &r);
    }
    r.serial[18] = 99; /* ended long ago, revoked since the last list */
    r.not_after_s = SHOP_NOW - 5 * DAY;
    r.revoked_at_s = SHOP_NOW - 10;
    shop_revoke_one(&s, &r);
    compare(&c, NULL);
    c.previous_s = previous_s;
    compare(&c, is_kept);
}

/* The list before was made while the clock was ahead: what it took for ended is not. */
static bool is_not_ended(const struct revoked *r)
{
    return r->not_after_s >= SHOP_NOW;
}

Test(crl_encode, a_list_from_the_future_takes_nothing_valid_away)
{
    struct revoked r = {.serial = {1},
                        .reason = REASON_KEY_COMPROMISE,
                        .revoked_at_s = SHOP_NOW - 10 * DAY,
                        .invalidity_s = NO_TIME};
    struct crl_content c = content(9);

    for (uint8_t i = 0; i < 3; i++) {
        r.serial[18] = i;
        r.not_after_s = SHOP_NOW + (i - 1) * DAY;
        shop_revoke_one(&s, &r);
    }
    c.previous_s = SHOP_NOW + 1000 * DAY;
    compare(&c, is_not_ended);
}

static bool stop_at_second(struct span piece, void *arg)
{
    (void)piece;
    return ++*(int *)arg < 2;
}

Test(crl_encode, a_sink_that_stops_is_asked_no_more)
{
    struct crl_content c = content(1);
    struct crl_size size;
    struct view *v;
    int calls = 0;

    shop_revoke(&s, 5000);
    cr_assert_eq(view_open(s.store, &v), OK);
    cr_assert_eq(crl_measure(v, s.no, &c, &size), OK);
    cr_assert_eq(crl_stream(v, s.no, &c, &size, stop_at_second, &calls), ERR_END);
    cr_assert_eq(calls, 2);
    view_close(v);
}
