/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xml_tag.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Every tag as its kind and name: "(a =b )a". */
static const char *tags_of(const char *text)
{
    static const char marks[] = {[XML_OPEN] = '(', [XML_CLOSE] = ')', [XML_EMPTY] = '='};
    static char out[256];
    struct xml_tag t;
    size_t at = 0, len = 0;

    out[0] = '\0';
    while (xml_tag_next(span_str(text), &at, &t)) {
        cr_assert_eq(t.whole.data[0], '<');
        cr_assert_eq(t.whole.data[t.whole.len - 1], '>');
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%c%.*s", len > 0 ? " " : "", marks[t.kind],
                                (int)t.name.len, (const char *)t.name.data);
    }
    return out;
}

Test(xml_tag_next, gives_tags_and_passes_over_the_rest)
{
    cr_expect_str_eq(tags_of("<?xml version=\"1.0\"?><!-- <no> --><a x='>'>t<b/>\n<p:c\ny=\"/>\" /></a>"),
                     "(a =b =c )a");
    cr_expect_str_eq(tags_of("<a><![CDATA[<b>]]><c></c ></a>"), "(a (c )c )a");
    cr_expect_str_eq(tags_of("<a><!-- - -> --></a>"), "(a )a");
}

Test(xml_tag_next, what_does_not_end_is_no_tag)
{
    cr_expect_str_eq(tags_of(""), "");
    cr_expect_str_eq(tags_of("text"), "");
    cr_expect_str_eq(tags_of("<"), "");
    cr_expect_str_eq(tags_of("<>"), "");
    cr_expect_str_eq(tags_of("<a"), "");
    cr_expect_str_eq(tags_of("<a x='>"), "");
    cr_expect_str_eq(tags_of("<a><!-- <b>"), "(a");
    cr_expect_str_eq(tags_of("<!-"), "");
}

static const char *attr_of(const char *text, const char *name, bool wants_whole)
{
    static char out[128];
    struct xml_tag_attr a;
    struct xml_tag t;
    size_t at = 0;

    cr_assert(xml_tag_next(span_str(text), &at, &t));
    if (!xml_tag_attr(&t, name, &a))
        return NULL;
    snprintf(out, sizeof out, "%.*s", (int)(wants_whole ? a.whole.len : a.value.len),
             (const char *)(wants_whole ? a.whole.data : a.value.data));
    return out;
}

Test(xml_tag_attr, is_found_as_it_is_written)
{
    const char *tag = "<n:issuer id=\"rsa-g1\"\n   issues = 'rsa'\tkey=\"a='b' issues=x\"/>";

    cr_expect_str_eq(attr_of(tag, "id", false), "rsa-g1");
    cr_expect_str_eq(attr_of(tag, "issues", false), "rsa");
    cr_expect_str_eq(attr_of(tag, "issues", true), "\n   issues = 'rsa'");
    cr_expect_str_eq(attr_of(tag, "key", false), "a='b' issues=x");
    cr_expect_null(attr_of(tag, "i", false));
    cr_expect_null(attr_of(tag, "issuer", false));
    cr_expect_null(attr_of("<a/>", "a", false));
    cr_expect_null(attr_of("<a p:id='x'>", "id", false));
    cr_expect_str_eq(attr_of("<a id=''>", "id", false), "");
    cr_expect_null(attr_of("</a>", "a", false));
}
