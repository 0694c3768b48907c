/* SPDX-License-Identifier: Apache-2.0 */
/* Does hostile text reach people as something they can see? */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>

#include "tests/unit/cli/typed.h"

static void expect(void (*put)(struct buf *, struct span), const char *in, const char *want)
{
    struct buf b;

    buf_init(&b, 1 << 12);
    put(&b, span_str(in));
    cr_assert(span_eq(buf_span(&b), span_str(want)), "%.*s, not %s", (int)b.len, (const char *)b.data, want);
    buf_free(&b);
}

Test(text, what_moves_hides_or_reorders_is_written_out)
{
    expect(text_put, "plain ~", "plain ~");
    expect(text_put, "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5", "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5");
    expect(text_put, "a\x1b[31mb\r\n\t\x7f", "a\\u001b[31mb\\u000d\\u000a\\u0009\\u007f");
    expect(text_put,
           "\xc2\x9b"
           "31m",
           "\\u009b31m");
    expect(text_put,
           "a\xe2\x80\xae"
           "b",
           "a\\u202eb");
    expect(text_put, "\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa6", "\\u200b\\ufeff\\u2066");
    expect(text_put, "\xf3\xa0\x80\x81", "\\udb40\\udc01");
    expect(text_put, "a\xff", "a\xef\xbf\xbd");
}

Test(text, line_feeds_are_kept_where_asked)
{
    expect(text_put_lines, "{\n  \"a\r\": 1\n}", "{\n  \"a\\u000d\": 1\n}");
}

Test(text, json_stays_the_same_value)
{
    static const char json[] = "\"a\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x80\x81\"";
    struct js *before = NULL, *after = NULL;
    struct buf b;

    buf_init(&b, 1 << 12);
    text_put_lines(&b, span_str(json));
    cr_assert_eq(js_parse(span_str(json), &before, NULL), OK);
    cr_assert_eq(js_parse(buf_span(&b), &after, NULL), OK);
    cr_assert_str_eq(js_str(before), js_str(after));
    js_free(before);
    js_free(after);
    buf_free(&b);
}

Test(text, width_is_columns_not_octets)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    cr_assert_eq(text_width(span_str("abc")), 3);
    cr_assert_eq(text_width(span_str("gr\xc3\xbc\xc3\x9f")), 4);
    cr_assert_eq(text_width(span_str("\xe6\x97\xa5\xe6\x9c\xac")), 4);
    cr_assert_eq(text_cut(span_str("gr\xc3\xbc\xc3\x9f"), 3).len, 4);
    cr_assert_eq(text_cut(span_str("\xe6\x97\xa5\xe6\x9c\xac"), 3).len, 3);
    cr_assert_eq(text_cut(span_str("abc"), 9).len, 3);
}
