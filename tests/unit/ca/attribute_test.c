/* SPDX-License-Identifier: Apache-2.0 */
/* Does an attribute say in UTF-8 what OpenSSL reads in it? */
#include <criterion/criterion.h>
#include <openssl/asn1.h>
#include <openssl/crypto.h>

#include "base/der.h"
#include "ca/policy.h"

#define TEXT(t) .value = {(const uint8_t *)(t), sizeof(t) - 1}

static const struct attribute texts[] = {
    {.tag = DER_UTF8_STRING, TEXT("K\xc3\xb6ln \xf0\x9f\x98\x80")},
    {.tag = DER_NUMERIC_STRING, TEXT("12 34")},
    {.tag = DER_PRINTABLE_STRING, TEXT("a.example.com")},
    {.tag = DER_IA5_STRING, TEXT("*@example.com")},
    {.tag = DER_VISIBLE_STRING, TEXT("a")},
    {.tag = DER_T61_STRING, TEXT("K\xf6ln\x80\xff")},
    {.tag = DER_BMP_STRING, TEXT("\0K\0\xf6\0l\x20\xac")},
    {.tag = DER_UNIVERSAL_STRING, TEXT("\0\0\0K\0\0\0\xf6\0\1\xf6\0\0\0\x20\xac")},
    {.tag = DER_UTF8_STRING, TEXT("")},
};

Test(attribute, the_text_is_what_openssl_reads)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ASN1_STRING *s = ASN1_STRING_type_new(texts[i].tag);
        uint8_t *want = NULL;
        struct buf got;
        int len;

        ASN1_STRING_set(s, texts[i].value.data, (int)texts[i].value.len);
        len = ASN1_STRING_to_UTF8(&want, s);
        cr_assert_geq(len, 0, "%zu", i);
        buf_init(&got, 64);
        cr_expect(attribute_text(&texts[i], &got), "%zu", i);
        cr_expect(span_eq(buf_span(&got), span_of(want, (size_t)len)), "%zu", i);
        buf_free(&got);
        OPENSSL_free(want);
        ASN1_STRING_free(s);
    }
}

Test(attribute, what_is_no_text_has_none)
{
    static const struct attribute rows[] = {
        {.tag = DER_BMP_STRING, TEXT("\0K\0")},                   /* half a character */
        {.tag = DER_BMP_STRING, TEXT("\xd8\x3d\xde\x00")},        /* surrogates: BMPString is no UTF-16 */
        {.tag = DER_UNIVERSAL_STRING, TEXT("\0\x11\0\0")},        /* beyond U+10FFFF */
        {.tag = DER_OCTET_STRING, TEXT("a.example.com")},         /* no string */
        {.tag = DER_SEQUENCE, TEXT("\x0c\1a")},                   /* one inside another value */
        {.tag = DER_UTF8_STRING, TEXT("longer than the buffer")}, /* 16 */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf got;

        buf_init(&got, 16);
        cr_expect(!attribute_text(&rows[i], &got), "%zu", i);
        buf_free(&got);
    }
}
