/* SPDX-License-Identifier: Apache-2.0 */
/* Is what is no DER, cut short or changed no request? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/api/request.h"

Test(csr_der, octets_after_it_are_refused)
{
    struct buf der;

    request_ordinary(&der);
    buf_put_u8(&der, 0);
    expect_malformed(buf_span(&der), "tail");
    buf_free(&der);
}

Test(csr_der, ber_is_refused)
{
    struct buf der, ber;

    request_ordinary(&der);
    cr_assert_eq(der.data[1], 0x82, "a request of more than 255 octets");
    request_init(&ber);
    buf_put(&ber, "\x30\x83\x00", 3); /* a length longer than it must be */
    buf_put(&ber, der.data + 2, der.len - 2);
    expect_malformed(buf_span(&ber), "long length");
    buf_reset(&ber);
    buf_put(&ber, "\x30\x80", 2); /* indefinite */
    buf_put(&ber, der.data + 4, der.len - 4);
    buf_put(&ber, "\0\0", 2);
    expect_malformed(buf_span(&ber), "indefinite length");
    buf_free(&ber);
    buf_free(&der);
}

static void set_out_of_order(struct forge *f)
{
    /* SET { OU=b, O=a }: 55 04 0b before 55 04 0a */
    buf_put_span(&f->subject, RAW("\x31\x14\x30\x08\x06\x03\x55\x04\x0b\x0c\x01"
                                  "b\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
                                  "a"));
}

Test(csr_der, a_set_out_of_order_is_refused)
{
    struct buf der;

    request_made(&der, "P-256", set_out_of_order);
    expect_malformed(buf_span(&der), "unsorted");
    buf_free(&der);
}

static void empty_set(struct forge *f)
{
    buf_put_span(&f->subject, RAW("\x31\x00"));
    forge_rdn(f, 3, DER_UTF8_STRING, RAW("a.example.com"));
}

Test(csr_der, an_empty_set_in_the_subject_is_refused)
{
    struct buf der;

    request_made(&der, "P-256", empty_set);
    expect_malformed(buf_span(&der), "an empty set");
    buf_free(&der);
}

static void broken_string(struct forge *f)
{
    forge_rdn(f, 3, DER_UTF8_STRING, RAW("\xff\xfe"));
}

Test(csr_der, a_broken_string_in_the_subject_is_refused)
{
    struct buf der;

    request_made(&der, "P-256", broken_string);
    expect_malformed(buf_span(&der), "not UTF-8");
    buf_free(&der);
}

static struct span wide_value;

static void wide_challenge(struct forge *f)
{
    size_t attribute = der_open(&f->attributes, DER_SEQUENCE), set;

    der_put_oid(&f->attributes, RAW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"));
    set = der_open(&f->attributes, DER_SET);
    buf_put_span(&f->attributes, wide_value);
    der_close(&f->attributes, set);
    der_close(&f->attributes, attribute);
}

/* OpenSSL reads none of these requests, whatever the attribute is. */
Test(csr_der, a_string_of_wide_characters_has_none_by_halves)
{
    static const struct {
        struct span value;
        bool is_whole;
    } cases[] = {
        {{(const uint8_t *)"\x1e\x02\x01\x41", 4}, true}, {{(const uint8_t *)"\x1e\x01\x41", 3}, false},
        {{(const uint8_t *)"\x1c\x04\0\0\0A", 6}, true},  {{(const uint8_t *)"\x1c\x01\x41", 3}, false},
        {{(const uint8_t *)"\x1c\x02\0A", 4}, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf der;
        struct parsed p;

        wide_value = cases[i].value;
        request_made(&der, "P-256", wide_challenge);
        p = parsed_of(buf_span(&der));
        cr_expect_eq(p.err, cases[i].is_whole ? OK : ERR_MALFORMED, "%zu: %s", i, err_name(p.err));
        parsed_free(&p);
        buf_free(&der);
    }
}

static void expect_cut_refused(struct span der)
{
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *copy = xmalloc(len + 1); /* so that a read past the end is seen */
        struct parsed p;

        memcpy(copy, der.data, len);
        p = parsed_of(span_of(copy, len));
        cr_assert_eq(p.err, ERR_MALFORMED, "cut at %zu: %s", len, err_name(p.err));
        parsed_free(&p);
        free(copy);
    }
}

Test(csr_der, cut_anywhere_it_is_refused)
{
    struct buf der;

    request_ordinary(&der);
    expect_cut_refused(buf_span(&der));
    buf_free(&der);
    request_sample(&der);
    expect_cut_refused(buf_span(&der));
    buf_free(&der);
}

/* Every octet is under the signature or part of it: whatever changes, it is refused. */
static void expect_change_refused(struct buf *der)
{
    uint64_t state = 42;

    for (unsigned i = 0; i < 1000; i++) {
        size_t at;
        uint8_t flip, before;
        struct parsed p;

        state = state * 6364136223846793005u + 1442695040888963407u;
        at = (state >> 33) % der->len;
        flip = (uint8_t)(1 + (state >> 20) % 255);
        before = der->data[at];
        der->data[at] ^= flip;
        p = parsed_of(buf_span(der));
        cr_assert_neq(p.err, OK, "octet %zu changed by %02x", at, flip);
        parsed_free(&p);
        der->data[at] = before;
    }
}

Test(csr_der, changed_anywhere_it_is_refused)
{
    struct buf der;

    request_ordinary(&der);
    expect_change_refused(&der);
    buf_free(&der);
    request_sample(&der);
    expect_change_refused(&der);
    buf_free(&der);
}
