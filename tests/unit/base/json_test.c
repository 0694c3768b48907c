/* SPDX-License-Identifier: Apache-2.0 */
/* Is JSON read strictly and written safely, whatever the names in it hold? */
#include "base/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static enum err parse(const char *text, struct js **out)
{
    return js_parse(span_str(text), out, NULL);
}

static char *text_of(const struct js *v)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    js_write(v, &b);
    cr_assert_eq(buf_end(&b), OK);
    return (char *)buf_take(&b, NULL);
}

static void expect_text(struct js *v, const char *want)
{
    char *got = text_of(v);

    cr_assert_str_eq(got, want);
    free(got);
    js_free(v);
}

Test(json, members_keep_their_order)
{
    struct js *o = js_object(), *a = js_array();

    js_set_str(o, "zeta", "z");
    js_set_int(o, "alpha", -9007199254740993);
    js_set_bool(o, "mid", true);
    js_set_null(o, "none");
    js_set_str(o, "absent", NULL);
    js_set_time(o, "at", 1769860800);
    js_set_hex(o, "serial", span_of("\x01\xab", 2));
    js_push_str(a, "x");
    js_push(a, js_object());
    js_set(o, "list", a);
    expect_text(o, "{\"zeta\":\"z\",\"alpha\":-9007199254740993,\"mid\":true,\"none\":null,\"absent\":null,"
                   "\"at\":\"2026-01-31T12:00:00Z\",\"serial\":\"01ab\",\"list\":[\"x\",{}]}");
}

Test(json, what_was_set_is_read_back)
{
    struct js *v = NULL;
    int64_t n = 0;
    bool b = false;

    cr_assert_eq(parse("{\"s\":\"t\",\"n\":9223372036854775807,\"b\":true,\"z\":null,\"a\":[1,\"two\"]}", &v),
                 OK);
    cr_assert_str_eq(js_str(js_get(v, "s")), "t");
    cr_assert(js_int(js_get(v, "n"), &n) && n == INT64_MAX);
    cr_assert(js_bool(js_get(v, "b"), &b) && b);
    cr_assert(js_is_null(js_get(v, "z")));
    cr_assert_eq(js_len(js_get(v, "a")), 2);
    cr_assert_str_eq(js_str(js_at(js_get(v, "a"), 1)), "two");
    cr_assert_eq(js_len(v), 5);
    cr_assert_str_eq(js_name_at(v, 1), "n");
    cr_assert_eq(js_value_at(v, 0), js_get(v, "s"));
    js_free(v);
}

Test(json, absent_or_other_kinds_are_not_invented)
{
    struct js *v = NULL;
    int64_t n;
    bool b;

    cr_assert_eq(parse("{\"f\":1.5,\"s\":\"1\"}", &v), OK);
    cr_assert_null(js_get(v, "none"));
    cr_assert_null(js_get(js_get(v, "none"), "deeper"));
    cr_assert(!js_int(js_get(v, "f"), &n) && !js_int(js_get(v, "s"), &n) && !js_int(NULL, &n));
    cr_assert(!js_bool(js_get(v, "s"), &b) && !js_bool(NULL, &b));
    cr_assert_null(js_str(js_get(v, "f")));
    cr_assert(!js_is_null(NULL) && !js_is_object(NULL) && !js_is_array(v));
    cr_assert_eq(js_len(NULL), 0);
    cr_assert_null(js_at(v, 0));
    cr_assert_null(js_name_at(v, 2));
    cr_assert_null(js_value_at(v, 2));
    js_free(v);
}

Test(json, duplicates_and_malformed_text_are_refused)
{
    static const char *const bad[] = {"{\"a\":1,\"a\":2}",
                                      "{\"o\":{\"a\":1,\"\\u0061\":1}}",
                                      "",
                                      " ",
                                      "{",
                                      "{}x",
                                      "{} {}",
                                      "[1,]",
                                      "{'a':1}",
                                      "nul",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"a\\u0000b\"",
                                      "\"\\ud800\"",
                                      "\"\x01\"",
                                      "99999999999999999999",
                                      "1e999",
                                      "NaN",
                                      "\xef\xbb\xbf{}"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct js *v = (struct js *)1;
        struct fault f = {0};

        cr_assert_eq(js_parse(span_str(bad[i]), &v, &f), ERR_MALFORMED, "%s", bad[i]);
        cr_assert_null(v);
        cr_assert_eq(f.code, ERR_MALFORMED);
        cr_assert(f.detail[0] != '\0');
    }
}

Test(json, a_nul_octet_after_the_value_is_refused)
{
    struct js *v = NULL;

    cr_assert_eq(js_parse(span_of("{}\0", 3), &v, NULL), ERR_MALFORMED);
    cr_assert_eq(js_parse(span_of("{}\n", 3), &v, NULL), OK);
    js_free(v);
}

Test(json, the_fault_names_the_line)
{
    struct js *v = NULL;
    struct fault f = {0};

    cr_assert_eq(js_parse(span_str("{\n\"a\": 1,\n\"a\": 2}"), &v, &f), ERR_MALFORMED);
    cr_assert(strstr(f.detail, "line 3") != NULL, "%s", f.detail);
}

Test(json, a_fault_is_told_in_our_words)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "JSON: there is nothing"},
        {"  ", "JSON, line 1, column 2: it ends before a value is whole"},
        {"{\"a\":", "JSON, line 1, column 5: it ends before a value is whole"},
        {"{\"a\\u0000\": 1}", "a text with \\u0000, which is not permitted"},
        {"\"a\\u0000\"", "a text with \\u0000, which is not permitted"},
        {"{} x", "something follows the value"},
        {"\"\xff\"", "octets that are no UTF-8"},
        {"{\"a\":1,\"a\":2}", "a member that is there twice"},
        {"99999999999999999999", "a number that is too large"},
        {"nonsense", "what stands there is no JSON"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct js *v = NULL;
        struct fault f = {0};

        cr_expect_eq(js_parse(span_str(cases[i].text), &v, &f), ERR_MALFORMED);
        cr_expect(strstr(f.detail, cases[i].want) != NULL, "%s: %s", cases[i].text, f.detail);
    }
}

static enum err parse_nested(size_t levels)
{
    char text[2 * 64 + 1];
    struct js *v = NULL;
    enum err e;

    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    text[2 * levels] = '\0';
    e = parse(text, &v);
    js_free(v);
    return e;
}

Test(json, depth_is_bounded)
{
    cr_assert_eq(parse_nested(32), OK);
    cr_assert_eq(parse_nested(33), ERR_MALFORMED);
}

Test(json, a_very_deep_value_is_refused_not_followed)
{
    size_t n = 1 << 20;
    char *text = malloc(n);
    struct js *v = NULL;

    memset(text, '[', n);
    cr_assert_eq(js_parse(span_of(text, n), &v, NULL), ERR_MALFORMED);
    free(text);
}

Test(json, octets_that_are_no_utf8_are_replaced_one_by_one)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain", "\"plain\""},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
        {"\xf0\x9f\x94\x91", "\"\xf0\x9f\x94\x91\""},
        {"a\xff"
         "b",
         "\"a\xef\xbf\xbd"
         "b\""},
        {"\xc3", "\"\xef\xbf\xbd\""},
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\x1b[31m\"\\\n", "\"\\u001B[31m\\\"\\\\\\n\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct js *a = js_array();
        char *got, want[64];

        js_push_str(a, rows[i].in);
        got = text_of(a);
        snprintf(want, sizeof want, "[%s]", rows[i].out);
        cr_assert_str_eq(got, want);
        free(got);
        js_free(a);
    }
}

Test(json, a_nul_in_a_span_does_not_cut_the_string)
{
    struct js *o = js_object();

    js_set_span(o, "n", span_of("a\0b", 3));
    js_set_span(o, "e", span_of(NULL, 0));
    expect_text(o, "{\"n\":\"a\xef\xbf\xbd"
                   "b\",\"e\":\"\"}");
}

Test(json, a_copy_stands_alone)
{
    struct js *o = js_object(), *inner = js_array(), *copy;

    js_push_str(inner, "x");
    js_set(o, "a", inner);
    copy = js_copy(o);
    js_push_str(inner, "y");
    js_free(o);
    expect_text(copy, "{\"a\":[\"x\"]}");
}

Test(json, pretty_is_indented_by_two)
{
    struct js *v = NULL;
    struct buf b;

    cr_assert_eq(parse("{\"a\":[1]}", &v), OK);
    buf_init(&b, 1 << 10);
    js_write_pretty(v, &b);
    cr_assert(span_eq(buf_span(&b), span_str("{\n  \"a\": [\n    1\n  ]\n}")));
    buf_free(&b);
    js_free(v);
}

Test(json, writing_into_a_full_buffer_is_an_error_not_an_end)
{
    struct js *o = js_object();
    struct buf b;

    js_set_str(o, "name", "a long enough text");
    buf_init(&b, 8);
    js_write(o, &b);
    cr_assert_eq(buf_end(&b), ERR_TOO_LARGE);
    buf_free(&b);
    js_free(o);
}

Test(json, a_text_is_a_list_of_its_lines)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "[]"},
        {"one", "[\"one\"]"},
        {"one\n", "[\"one\"]"},
        {"\n", "[\"\"]"},
        {"one\n\ntwo", "[\"one\",\"\",\"two\"]"},
        {"one\ntwo\n", "[\"one\",\"two\"]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct js *a = js_array();
        struct buf b;

        buf_init(&b, 1 << 10);
        js_push_lines(a, span_str(rows[i].text));
        js_write(a, &b);
        cr_assert(span_eq(buf_span(&b), span_str(rows[i].want)), "%zu: %.*s", i, (int)b.len,
                  (const char *)b.data);
        buf_free(&b);
        js_free(a);
    }
}
