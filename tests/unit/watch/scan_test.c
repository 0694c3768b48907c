/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a CRL says of itself read from any pieces, and is everything that is no whole CRL refused? */
#include "watch/scan.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "tests/unit/watch/press.h"

static enum err scan(struct span octets, size_t piece, struct scan_facts *out, struct fault *f)
{
    struct scan *s = scan_begin();

    for (size_t at = 0; at < octets.len; at += piece)
        if (!scan_add(s, span_of(octets.data + at, octets.len - at < piece ? octets.len - at : piece)))
            break;
    return scan_end(s, out, f);
}

static bool is_ours(const struct press *p, const struct scan_facts *facts)
{
    struct watch_config c = press_config(p);
    struct trust *t;
    bool is_good;

    cr_assert_eq(trust_load(&c, &t, NULL), OK);
    is_good = trust_find(t, facts) == 0 && trust_verify(t, 0, facts);
    trust_free(t);
    return is_good;
}

static void assert_read(const char *kind, size_t entries)
{
    static const size_t pieces[] = {1, 7, 4096, 1u << 20};
    const struct sheet sheet = {
        .number = 42, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 86400, .entries = entries};
    struct press p;
    struct span der, pem;

    press_open(&p, kind, "Test CA");
    der = press_crl(&p, &sheet);
    pem = press_pem(der);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct scan_facts a, b;
        struct fault f = {0};

        cr_assert_eq(scan(der, pieces[i], &a, &f), OK, "%s, %zu entries: %s", kind, entries, f.detail);
        cr_assert_eq(scan(pem, pieces[i], &b, &f), OK, "%s, %zu entries: %s", kind, entries, f.detail);
        cr_assert_eq(a.number, 42);
        cr_assert_eq(a.size, der.len);
        cr_assert_eq(b.size, pem.len);
        cr_assert_eq(a.this_update_s, PRESS_NOW);
        cr_assert_eq(a.next_update_s, PRESS_NOW + 86400);
        cr_assert(!a.is_delta);
        cr_assert(is_ours(&p, &a));
        cr_assert(is_ours(&p, &b));
    }
    free((void *)der.data);
    free((void *)pem.data);
    press_close(&p);
}

Test(watch_scan, every_kind_of_key_and_any_length_is_read_in_any_pieces)
{
    assert_read("P-256", 0);
    assert_read("P-384", 3);
    assert_read("RSA", 2);
    assert_read("P-256", 5000); /* beyond what is kept of the head */
}

Test(watch_scan, a_delta_says_so)
{
    const struct sheet sheet = {.number = 9,
                                .this_update_s = PRESS_NOW,
                                .next_update_s = PRESS_NOW + 60,
                                .entries = 1,
                                .is_delta = true};
    struct scan_facts facts;
    struct press p;
    struct span der;

    press_open(&p, "P-256", "Test CA");
    der = press_crl(&p, &sheet);
    cr_assert_eq(scan(der, 100, &facts, NULL), OK);
    cr_assert(facts.is_delta);
    free((void *)der.data);
    press_close(&p);
}

static void assert_refused(struct span octets, const char *why)
{
    struct scan_facts facts;
    struct fault f = {0};

    cr_assert_eq(scan(octets, 1000, &facts, &f), ERR_MALFORMED, "%s", why);
    cr_assert_str_eq(f.detail, why);
}

Test(watch_scan, what_is_cut_short_or_followed_is_refused_wherever_it_is_cut)
{
    const struct sheet sheet = {
        .number = 1, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 60, .entries = 2000};
    struct scan_facts facts;
    struct press p;
    struct span der, pem;
    uint8_t *more;

    press_open(&p, "P-256", "Test CA");
    der = press_crl(&p, &sheet);
    pem = press_pem(der);
    for (size_t len = 0; len < der.len; len += len < 400 || len > der.len - 400 ? 1 : 211)
        cr_assert_eq(scan(span_of(der.data, len), 4096, &facts, NULL), ERR_MALFORMED, "DER cut at %zu", len);
    for (size_t len = 0; len < pem.len - 1; len += len < 400 || len > pem.len - 400 ? 1 : 211)
        cr_assert_eq(scan(span_of(pem.data, len), 4096, &facts, NULL), ERR_MALFORMED, "PEM cut at %zu", len);
    assert_refused(span_of(der.data, der.len - 1), "it is cut short");
    more = malloc(der.len + 1);
    memcpy(more, der.data, der.len);
    more[der.len] = 0;
    assert_refused(span_of(more, der.len + 1), "something follows it");
    free(more);
    free((void *)der.data);
    free((void *)pem.data);
    press_close(&p);
}

Test(watch_scan, what_is_no_crl_of_ours_is_refused_with_its_reason)
{
    struct press p;
    struct span der;

    assert_refused(span_of(NULL, 0), "it is empty");
    assert_refused(span_str("<html>not found</html>"), "it is no CRL");
    assert_refused(span_str("-----BEGIN CERTIFICATE-----\n"), "it is no PEM of a CRL");
    assert_refused(span_str("-----BEGIN X509 CRL-----\n!!!!\n"), "its base64 is broken");
    press_open(&p, "P-256", "Test CA");
    der = press_crl(&p,
                    &(struct sheet){.number = 0, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 9});
    assert_refused(der, "it has no extensions");
    free((void *)der.data);
    der = press_crl(&p, &(struct sheet){.number = 3, .this_update_s = PRESS_NOW});
    assert_refused(der, "it has no nextUpdate");
    free((void *)der.data);
    press_close(&p);
}

/* The first octet of the cRLNumber, in a list that has one. */
static uint8_t *number_in(struct span der)
{
    static const uint8_t head[] = {0x55, 0x1d, 0x14, DER_OCTET_STRING};
    uint8_t *at = memmem(der.data, der.len, head, sizeof head);

    cr_assert_not_null(at);
    cr_assert_eq(at[sizeof head + 1], DER_INTEGER);
    return at + sizeof head + 3;
}

Test(watch_scan, critical_is_one_octet_that_says_so)
{
    static const uint8_t head[] = {0x55, 0x1d, 0x1b, DER_BOOLEAN, 1, 0xff, DER_OCTET_STRING, 3};
    static const struct {
        uint8_t octets[8]; /* from the BOOLEAN to the end of the value, which is as long in every row */
        enum err verdict;
    } t[] = {{{1, 1, 0xff, 4, 3, 2, 1, 5}, OK},
             {{4, 6, 2, 1, 5, 0, 0, 0}, OK},
             {{1, 1, 0x00, 4, 3, 2, 1, 5}, ERR_MALFORMED}, /* DEFAULT FALSE, X.690 11.5 */
             {{1, 1, 0x01, 4, 3, 2, 1, 5}, ERR_MALFORMED}, /* X.690 11.1 */
             {{1, 1, 0xfe, 4, 3, 2, 1, 5}, ERR_MALFORMED},
             {{1, 0, 4, 4, 2, 2, 0, 5}, ERR_MALFORMED}, /* X.690 8.2.1 */
             {{1, 2, 0xff, 0xff, 4, 2, 5, 0}, ERR_MALFORMED}};
    struct press p;

    press_open(&p, "P-256", "Test CA");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const struct sheet sheet = {
            .number = 6, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 60, .is_delta = true};
        struct span der = press_crl(&p, &sheet);
        uint8_t *at = memmem(der.data, der.len, head, sizeof head);
        struct scan_facts facts;

        cr_assert_not_null(at);
        memcpy(at + 3, t[i].octets, sizeof t[i].octets);
        cr_expect_eq(scan(der, 64, &facts, NULL), t[i].verdict, "row %zu", i);
        cr_expect(t[i].verdict != OK || facts.is_delta, "row %zu", i);
        free((void *)der.data);
    }
    press_close(&p);
}

Test(watch_scan, a_number_is_not_negative_and_has_no_octet_too_many)
{
    static const struct {
        uint64_t number;
        uint8_t octets[2], len;
        enum err verdict;
    } t[] = {{0x80, {0x00, 0x80}, 2, OK},
             {0x80, {0x00, 0x7f}, 2, ERR_MALFORMED}, /* X.690 8.3.2 */
             {0x80, {0xff, 0x80}, 2, ERR_MALFORMED},
             {0x7f, {0x7f}, 1, OK},
             {0x7f, {0x00}, 1, OK},
             {0x7f, {0x80}, 1, ERR_MALFORMED}}; /* RFC 5280 5.2.3: never below zero */
    struct press p;

    press_open(&p, "P-256", "Test CA");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const struct sheet sheet = {
            .number = t[i].number, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 60};
        struct span der = press_crl(&p, &sheet);
        struct scan_facts facts;

        memcpy(number_in(der), t[i].octets, t[i].len);
        cr_expect_eq(scan(der, 64, &facts, NULL), t[i].verdict, "row %zu", i);
        free((void *)der.data);
    }
    press_close(&p);
}

Test(watch_scan, one_changed_octet_breaks_the_reading_or_the_signature)
{
    const struct sheet sheet = {
        .number = 1, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 60, .entries = 3};
    struct scan_facts facts;
    struct press p;
    struct span der;
    uint8_t *copy;

    press_open(&p, "P-256", "Test CA");
    der = press_crl(&p, &sheet);
    copy = malloc(der.len);
    for (size_t i = 0; i < der.len; i++) {
        memcpy(copy, der.data, der.len);
        copy[i] ^= 1;
        cr_assert(scan(span_of(copy, der.len), 64, &facts, NULL) != OK || !is_ours(&p, &facts), "octet %zu",
                  i);
    }
    free(copy);
    free((void *)der.data);
    press_close(&p);
}

Test(watch_trust, a_list_of_a_stranger_with_our_name_is_not_ours)
{
    const struct sheet sheet = {.number = 1, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 60};
    struct scan_facts facts;
    struct press ours, stranger, other;
    struct span der;

    press_open(&ours, "P-256", "Test CA");
    press_open(&stranger, "P-256", "Test CA");
    press_open(&other, "RSA", "Other CA");
    der = press_crl(&stranger, &sheet);
    cr_assert_eq(scan(der, 64, &facts, NULL), OK);
    cr_assert(is_ours(&stranger, &facts));
    cr_assert(!is_ours(&ours, &facts));
    cr_assert(!is_ours(&other, &facts));
    free((void *)der.data);
    press_close(&ours);
    press_close(&stranger);
    press_close(&other);
}
