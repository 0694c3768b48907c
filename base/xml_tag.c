/* SPDX-License-Identifier: Apache-2.0 */
/* xml_tag: see the header. */
#include "base/xml_tag.h"

#include <string.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Octets from `at` up to and with the first `end`; 0: it never comes. */
static size_t span_until(struct span text, size_t at, const char *end)
{
    size_t len = strlen(end);
    const uint8_t *p = memmem(text.data + at, text.len - at, end, len);

    return p != NULL ? (size_t)(p - (text.data + at)) + len : 0;
}

/* What stands there and is no tag: its octets, 0: it is a tag. SIZE_MAX: it never ends. */
static size_t other_len(struct span text, size_t at)
{
    static const struct {
        const char *begin, *end;
    } others[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t len = strlen(others[i].begin), whole;

        if (text.len - at < len || memcmp(text.data + at, others[i].begin, len) != 0)
            continue;
        whole = span_until(text, at + len, others[i].end);
        return whole > 0 ? len + whole : SIZE_MAX;
    }
    return 0;
}

/* Octets of a tag: > within quotes does not end it. 0: nothing does. */
static size_t tag_len(struct span text, size_t at)
{
    uint8_t quote = 0;

    for (size_t i = at; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (quote == 0 && c == '>')
            return i - at + 1;
        if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = 0;
    }
    return 0;
}

static void read_tag(struct span whole, struct xml_tag *out)
{
    size_t from = whole.len > 1 && whole.data[1] == '/' ? 2 : 1, to = from;

    *out = (struct xml_tag){.kind = from == 2                          ? XML_CLOSE
                                    : whole.data[whole.len - 2] == '/' ? XML_EMPTY
                                                                       : XML_OPEN,
                            .whole = whole};
    for (; to < whole.len - 1 && !is_blank(whole.data[to]) && whole.data[to] != '/'; to++)
        if (whole.data[to] == ':')
            from = to + 1;
    out->name = span_of(whole.data + from, to - from);
}

bool xml_tag_next(struct span text, size_t *at, struct xml_tag *out)
{
    for (size_t i = *at; i < text.len;) {
        size_t other = text.data[i] == '<' ? other_len(text, i) : 1;

        if (other == SIZE_MAX)
            return false;
        i += other;
        if (other > 0)
            continue;
        other = tag_len(text, i);
        if (other < 3)
            return false;
        read_tag(span_of(text.data + i, other), out);
        *at = i + other;
        return true;
    }
    return false;
}

static size_t skip_blanks(struct span s, size_t i)
{
    while (i < s.len && is_blank(s.data[i]))
        i++;
    return i;
}

/* Reads one from `*at` on, blanks first. False: none is left. */
static bool next_attr(struct span s, size_t *at, struct span *name, struct xml_tag_attr *out)
{
    size_t from = skip_blanks(s, *at), i = from, end;

    while (i < s.len && !is_blank(s.data[i]) && s.data[i] != '=' && s.data[i] != '>' && s.data[i] != '/')
        i++;
    *name = span_of(s.data + from, i - from);
    i = skip_blanks(s, i);
    if (name->len == 0 || i >= s.len || s.data[i] != '=')
        return false;
    i = skip_blanks(s, i + 1);
    for (end = i + 1; end < s.len && s.data[end] != s.data[i];)
        end++;
    if (end >= s.len)
        return false;
    *out = (struct xml_tag_attr){.whole = span_of(s.data + *at, end + 1 - *at),
                                 .value = span_of(s.data + i + 1, end - i - 1)};
    *at = end + 1;
    return true;
}

bool xml_tag_attr(const struct xml_tag *t, const char *name, struct xml_tag_attr *out)
{
    size_t at = (size_t)(t->name.data + t->name.len - t->whole.data);
    struct span found;

    while (t->kind != XML_CLOSE && next_attr(t->whole, &at, &found, out))
        if (span_eq(found, span_str(name)))
            return true;
    return false;
}
