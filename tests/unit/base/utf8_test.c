/* SPDX-License-Identifier: Apache-2.0 */
/* Are exactly the sequences of RFC 3629 taken? */
#include "base/utf8.h"

#include <criterion/criterion.h>

Test(utf8, each_length_gives_its_code_point)
{
    static const struct {
        const char *text;
        size_t len;
        uint32_t code;
    } rows[] = {{"A", 1, 'A'},
                {"\x7f", 1, 0x7f},
                {"\xc2\x80", 2, 0x80},
                {"\xdf\xbf", 2, 0x7ff},
                {"\xe0\xa0\x80", 3, 0x800},
                {"\xef\xbf\xbf", 3, 0xffff},
                {"\xf0\x90\x80\x80", 4, 0x10000},
                {"\xf4\x8f\xbf\xbfz", 4, 0x10ffff}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t code = 0;

        cr_assert_eq(utf8_next(span_str(rows[i].text), &code), rows[i].len, "row %zu", i);
        cr_assert_eq(code, rows[i].code, "row %zu", i);
    }
}

Test(utf8, anything_else_is_no_sequence)
{
    static const char *const bad[] = {"",
                                      "\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xc3(",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xe2(\xa1",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x9f\x94",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xfe",
                                      "\xff"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(utf8_next(span_str(bad[i]), NULL), 0, "row %zu", i);
}

Test(utf8, a_cut_leaves_whole_characters)
{
    struct span s = span_str("a\xc3\xa9\xf0\x9f\x94\x91");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 3, 7, 7};

    for (size_t most = 0; most < sizeof want / sizeof *want; most++)
        cr_assert_eq(utf8_cut(s, most), want[most], "at most %zu", most);
    cr_assert_eq(utf8_cut((struct span){0}, 5), 0);
}

Test(utf8, what_is_put_is_read_again)
{
    static const uint32_t codes[] = {0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        uint32_t code = 1;
        struct buf b;

        buf_init(&b, 8);
        cr_assert(utf8_put(&b, codes[i]));
        cr_assert_eq(utf8_next(buf_span(&b), &code), b.len, "U+%04X", codes[i]);
        cr_assert_eq(code, codes[i]);
        buf_free(&b);
    }
}

Test(utf8, what_is_no_character_is_not_put)
{
    static const uint32_t codes[] = {0xd800, 0xdfff, 0x110000, UINT32_MAX};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct buf b;

        buf_init(&b, 8);
        cr_assert(!utf8_put(&b, codes[i]));
        cr_assert_eq(b.len, 0);
        buf_free(&b);
    }
}
