/* SPDX-License-Identifier: Apache-2.0 */
/* Does the writer give DER, judged by OpenSSL, and does the reader take nothing else? */
#include "base/der.h"

#include <criterion/criterion.h>
#include <openssl/asn1.h>
#include <stdlib.h>
#include <string.h>

static struct buf b;

static void setup(void)
{
    buf_init(&b, 1 << 20);
}

static void teardown(void)
{
    buf_free(&b);
}

TestSuite(der, .init = setup, .fini = teardown);

Test(der, integers_equal_openssl)
{
    static const uint64_t values[] = {0, 1, 127, 128, 255, 256, 32767, 32768, 0x7fffffffffffffff, UINT64_MAX};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ASN1_INTEGER *a = ASN1_INTEGER_new();
        uint8_t *der = NULL;
        int len;

        ASN1_INTEGER_set_uint64(a, values[i]);
        len = i2d_ASN1_INTEGER(a, &der);
        buf_reset(&b);
        der_put_uint(&b, values[i]);
        cr_assert(span_eq(buf_span(&b), span_of(der, (size_t)len)), "%lu", values[i]);
        OPENSSL_free(der);
        ASN1_INTEGER_free(a);
    }
}

Test(der, named_bits_equal_openssl)
{
    for (unsigned flags = 0; flags < 512; flags++) {
        ASN1_BIT_STRING *a = ASN1_BIT_STRING_new();
        uint8_t *der = NULL;
        int len;

        for (int bit = 0; bit < 9; bit++)
            if (flags & (1u << bit))
                ASN1_BIT_STRING_set_bit(a, bit, 1);
        len = i2d_ASN1_BIT_STRING(a, &der);
        uint16_t ours = 0;
        for (unsigned bit = 0; bit < 9; bit++)
            if (flags & (1u << bit))
                ours |= (uint16_t)(0x8000u >> bit);
        buf_reset(&b);
        der_put_named_bits(&b, ours);
        cr_assert(span_eq(buf_span(&b), span_of(der, (size_t)len)), "%x", flags);
        OPENSSL_free(der);
        ASN1_BIT_STRING_free(a);
    }
}

Test(der, nested_lengths_are_minimal_and_read_back)
{
    static uint8_t body[70000];

    for (size_t len = 0; len < sizeof body; len = len < 300 ? len + 1 : len * 2 + 1) {
        struct der outer, inner;
        struct span in;
        size_t m1, m2;

        buf_reset(&b);
        m1 = der_open(&b, DER_SEQUENCE);
        m2 = der_open(&b, DER_CONTEXT_CONSTRUCTED(0));
        der_put(&b, DER_OCTET_STRING, span_of(body, len));
        der_close(&b, m2);
        der_close(&b, m1);
        in = buf_span(&b);
        cr_assert(der_expect(&in, DER_SEQUENCE, &outer) && in.len == 0);
        cr_assert(der_expect(&outer.body, 0xa0, &inner));
        cr_assert(der_expect(&inner.body, DER_OCTET_STRING, &outer));
        cr_assert_eq(outer.body.len, len);
        cr_assert_eq(der_header_len(len) + len, outer.whole.len);
    }
}

Test(der, times_change_form_in_2050)
{
    der_put_time(&b, 2524607999);
    der_put_time(&b, 2524608000);
    cr_assert_eq(memcmp(b.data,
                        "\x17\x0d"
                        "491231235959Z"
                        "\x18\x0f"
                        "20500101000000Z",
                        b.len),
                 0);
}

Test(der, the_reader_refuses_what_is_not_der)
{
    static const struct {
        const char *octets;
        size_t len;
    } bad[] = {
        {"\x30", 1},             /* no length */
        {"\x30\x01", 2},         /* body missing */
        {"\x30\x80\x00\x00", 4}, /* indefinite */
        {"\x30\x81\x05"
         "aaaaa",
         8}, /* not minimal */
        {"\x30\x82\x00\x80"
         "a",
         5},                 /* not minimal, two octets */
        {"\x1f\x01\x00", 3}, /* high tag number */
        {"\x30\x85\x00\x00\x00\x00\x00", 7},
    };
    struct der d;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct span in = span_of(bad[i].octets, bad[i].len);

        cr_assert(!der_next(&in, &d), "%zu", i);
        cr_assert_eq(in.len, bad[i].len, "untouched");
    }
}

Test(der, uint_refuses_negative_padded_and_large)
{
    uint64_t v;

    cr_assert(der_uint(span_of("\x00\x80", 2), &v) && v == 128);
    cr_assert(!der_uint(span_of("\x80", 1), &v));
    cr_assert(!der_uint(span_of("\x00\x01", 2), &v));
    cr_assert(!der_uint(span_of("", 0), &v));
    cr_assert(!der_uint(span_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9), &v));
}

static struct {
    uint8_t tag, len;
    const char *octets;
    bool is_text;
} const strings[] = {
    {DER_UTF8_STRING, 2, "\xc3\xa4", true},
    {DER_UTF8_STRING, 1, "\xe4", false},
    {DER_UTF8_STRING, 3, "\xed\xa0\x80", false},
    {DER_UTF8_STRING, 3, "a\0b", false},
    {DER_UTF8_STRING, 1, "\0", false},
    {DER_UTF8_STRING, 2, "\xc0\x80", false},
    {DER_BMP_STRING, 4, "\0A\xd7\xff", true},
    {DER_BMP_STRING, 4, "A\0\0A", true},
    {DER_BMP_STRING, 4, "\0A\0\0", false},
    {DER_BMP_STRING, 4, "\0A\xe0\0", true},
    {DER_BMP_STRING, 3, "\0A\0", false},
    {DER_BMP_STRING, 2, "\xd8\0", false},
    {DER_BMP_STRING, 4, "\xd8\0\xdc\0", false},
    {DER_BMP_STRING, 4, "\0A\xdf\xff", false},
    {DER_NUMERIC_STRING, 5, "12 09", true},
    {DER_NUMERIC_STRING, 1, "A", false},
    {DER_NUMERIC_STRING, 2, "1\x01", false},
    {DER_PRINTABLE_STRING, 15, "aZ 09'()+,-./:=", true},
    {DER_PRINTABLE_STRING, 1, "?", true},
    {DER_PRINTABLE_STRING, 3, "a_b", false},
    {DER_PRINTABLE_STRING, 1, "*", false},
    {DER_PRINTABLE_STRING, 1, "&", false},
    {DER_PRINTABLE_STRING, 2, "a\0", false},
    {DER_PRINTABLE_STRING, 1, "\xe9", false},
    {DER_T61_STRING, 1, "\xe9", true},
    {DER_T61_STRING, 2, "a\0", false},
    {DER_IA5_STRING, 4, "a@_\x7f", true},
    {DER_IA5_STRING, 2, "a\0", false},
    {DER_IA5_STRING, 2, "a\x80", false},
    {DER_IA5_STRING, 1, "\xff", false},
    {DER_VISIBLE_STRING, 1, "a", false},
    {DER_UNIVERSAL_STRING, 4, "\0\0\0A", false},
    {DER_OCTET_STRING, 1, "a", false},
    {DER_UTF8_STRING, 0, "", false},
    {DER_BMP_STRING, 0, "", false},
};

/* Where OpenSSL has a view, it is the same: it turns a name's strings into UTF-8 to compare them. */
Test(der, a_text_is_a_string_that_openssl_reads)
{
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        struct der value = {.tag = strings[i].tag, .body = span_of(strings[i].octets, strings[i].len)};
        ASN1_STRING *theirs = ASN1_STRING_type_new(strings[i].tag);
        uint8_t *text = NULL;

        ASN1_STRING_set(theirs, strings[i].octets, strings[i].len);
        cr_expect_eq(der_is_text(&value), strings[i].is_text, "%zu", i);
        if (strings[i].is_text)
            cr_expect_geq(ASN1_STRING_to_UTF8(&text, theirs), 0, "%zu", i);
        OPENSSL_free(text);
        ASN1_STRING_free(theirs);
    }
}

Test(der, a_set_of_ascends_as_if_padded_with_zeros)
{
    struct span a = span_of("\x04\x01\x01", 3), b2 = span_of("\x04\x01\x02", 3),
                c = span_of("\x04\x02\x00\x00", 4);

    cr_assert(der_ascends(a, b2) && der_ascends(b2, c) && der_ascends(a, a));
    cr_assert(!der_ascends(b2, a) && !der_ascends(c, b2));
}

Test(der, an_oid_is_whole_and_minimal)
{
    static const struct {
        const char *octets;
        size_t len;
        bool is_good;
    } all[] = {
        {"\x06\x03\x55\x04\x03", 5, true}, {"\x06\x02\x81\x00", 4, true},      {"\x06\x00", 2, false},
        {"\x06\x02\x55\x84", 4, false},    {"\x06\x03\x55\x80\x03", 5, false}, {"\x06\x01\x80", 3, false}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct span in = span_of(all[i].octets, all[i].len);
        struct der out;

        cr_expect_eq(der_next(&in, &out), all[i].is_good, "%zu", i);
    }
}

Test(der, an_extension_is_critical_only_when_it_says_so)
{
    static const uint8_t oid[] = {0x55, 0x1d, 0x13};
    static const uint8_t plain[] = {0x30, 0x09, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x04, 0x02, 0x05, 0x00};
    static const uint8_t critical[] = {0x30, 0x0c, 0x06, 0x03, 0x55, 0x1d, 0x13,
                                       0x01, 0x01, 0xff, 0x04, 0x02, 0x05, 0x00};
    const struct span want[] = {span_of(plain, sizeof plain), span_of(critical, sizeof critical)};

    for (int is_critical = 0; is_critical < 2; is_critical++) {
        struct der_extension e;
        struct buf b;

        buf_init(&b, 256);
        e = der_open_extension(&b, span_of(oid, sizeof oid), is_critical != 0);
        der_put_null(&b);
        der_close_extension(&b, e);
        cr_assert_eq(buf_end(&b), OK);
        cr_assert(span_eq(buf_span(&b), want[is_critical]));
        buf_free(&b);
    }
}

Test(der, critical_is_left_out_or_true)
{
    static const struct {
        const char *octets;
        size_t len;
        bool is_read, is_critical;
    } t[] = {{"\x04\x00", 2, true, false},
             {"\x01\x01\xff\x04\x00", 5, true, true},
             {"\x01\x01\x00\x04\x00", 5, false, false}, /* the default, spelt out */
             {"\x01\x01\x01\x04\x00", 5, false, false},
             {"\x01\x00\x04\x00", 4, false, false},
             {"\x01\x02\xff\xff\x04\x00", 6, false, false}};

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct span in = span_of(t[i].octets, t[i].len);
        bool is_critical;

        cr_assert_eq(der_critical(&in, &is_critical), t[i].is_read, "row %zu", i);
        if (t[i].is_read)
            cr_assert(is_critical == t[i].is_critical && in.len == 2, "row %zu", i);
    }
}
