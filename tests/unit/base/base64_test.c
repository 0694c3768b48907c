/* SPDX-License-Identifier: Apache-2.0 */
/* Is the text that of RFC 4648? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/base64.h"

Test(base64, the_vectors_of_the_rfc)
{
    static const struct {
        const char *octets, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xef\xff", "++//"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;

        buf_init(&b, 64);
        base64_put(&b, span_str(rows[i].octets));
        cr_assert(span_eq(buf_span(&b), span_str(rows[i].text)), "%s", rows[i].text);
        buf_free(&b);
    }
}

Test(base64, a_full_buffer_fails_for_good)
{
    struct buf b;

    buf_init(&b, 3);
    base64_put(&b, span_str("f"));
    cr_assert_neq(buf_end(&b), OK);
    buf_free(&b);
}

Test(base64, what_was_written_is_read_back)
{
    uint8_t octets[64], out[96];

    for (size_t len = 0; len <= sizeof octets; len++) {
        struct buf b;
        size_t n;

        for (size_t i = 0; i < len; i++)
            octets[i] = (uint8_t)(i * 37 + len * 11);
        buf_init(&b, 128);
        base64_put(&b, span_of(octets, len));
        cr_assert(base64_read(buf_span(&b), out, &n));
        cr_assert(span_eq(span_of(out, n), span_of(octets, len)));
        buf_free(&b);
    }
}

Test(base64, nothing_else_is_read)
{
    static const char *const texts[] = {
        "Zg",   "Zg=",  "Z===",  "====",  "Zh==",   "Zm9=", "Zg==Zg==", "Zm9v\n",
        "Zm-v", "Zm_v", "Zm 9v", " Zm9v", "Zg==\n", "Z=g=", "=Zg="};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint8_t out[16];
        size_t n;

        cr_assert_not(base64_read(span_str(texts[i]), out, &n), "%s", texts[i]);
    }
}

Test(base64, only_the_alphabet_has_values)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int count = 0;

    for (int i = 0; i < 64; i++)
        cr_assert_eq(base64_value((uint8_t)alphabet[i]), i);
    for (int c = 0; c < 256; c++)
        count += base64_value((uint8_t)c) >= 0;
    cr_assert_eq(count, 64, "not '=', not NUL, nothing beyond ASCII");
}
