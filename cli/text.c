/* SPDX-License-Identifier: Apache-2.0 */
/* text: a name out of a certificate may hold escape sequences, or characters that hide and reorder what
 * stands beside them. They are written so that a reader sees them; nothing is dropped. */
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"
#include "cli/inner.h"

static bool is_unsafe(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},       /* C0 */
        {0x7f, 0x9f},       /* DEL, C1: 0x9b is another CSI */
        {0x00ad, 0x00ad},   /* soft hyphen */
        {0x061c, 0x061c},   /* Arabic letter mark */
        {0x200b, 0x200f},   /* zero width, direction marks */
        {0x2028, 0x202e},   /* separators, embeddings, overrides */
        {0x2060, 0x206f},   /* invisible operators, isolates */
        {0xfeff, 0xfeff},   /* byte order mark */
        {0xfff9, 0xfffb},   /* interlinear annotation */
        {0xe0000, 0xe0fff}, /* tags, variation selectors supplement */
    };

    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* As JSON spells it, so that JSON stays JSON. */
static void put_escape(struct buf *out, uint32_t code)
{
    if (code > 0xffff) {
        buf_printf(out, "\\u%04x", 0xd7c0 + (code >> 10));
        code = 0xdc00 + (code & 0x3ff);
    }
    buf_printf(out, "\\u%04x", code);
}

static void put_safe(struct buf *out, struct span s, char kept)
{
    while (s.len > 0) {
        uint32_t code = 0;
        size_t n = utf8_next(s, &code);

        if (n == 0)
            buf_put_str(out, "\xef\xbf\xbd"); /* U+FFFD */
        else if (code != (uint32_t)(unsigned char)kept && is_unsafe(code))
            put_escape(out, code);
        else
            buf_put(out, s.data, n);
        n = n > 0 ? n : 1;
        s = span_of(s.data + n, s.len - n);
    }
}

void text_put(struct buf *out, struct span s)
{
    put_safe(out, s, 'a'); /* a letter is safe already: nothing is kept */
}

void text_put_lines(struct buf *out, struct span s)
{
    put_safe(out, s, '\n');
}

static size_t width_of(uint32_t code)
{
    int width = wcwidth((wchar_t)code);

    return width >= 0 ? (size_t)width : 1; /* unknown to the locale: most take one column */
}

struct span text_cut(struct span s, size_t width)
{
    size_t used = 0, len = 0;

    while (len < s.len) {
        uint32_t code = 0xfffd;
        size_t n = utf8_next(span_of(s.data + len, s.len - len), &code);

        if (used + width_of(code) > width)
            break;
        used += width_of(code);
        len += n > 0 ? n : 1;
    }
    return span_of(s.data, len);
}

size_t text_width(struct span s)
{
    size_t used = 0;

    while (s.len > 0) {
        uint32_t code = 0xfffd;
        size_t n = utf8_next(s, &code);

        used += width_of(code);
        n = n > 0 ? n : 1;
        s = span_of(s.data + n, s.len - n);
    }
    return used;
}

const char *text_color(const char *word)
{
    static const struct {
        const char *word, *color;
    } rows[] = {
        {"valid", "\x1b[32m"},    {"good", "\x1b[32m"},    {"ok", "\x1b[32m"},      {"revoked", "\x1b[31m"},
        {"critical", "\x1b[31m"}, {"refuse", "\x1b[31m"},  {"held", "\x1b[33m"},    {"warn", "\x1b[33m"},
        {"warning", "\x1b[33m"},  {"unknown", "\x1b[33m"}, {"expired", "\x1b[2m"},  {"note", "\x1b[36m"},
        {"approved", "\x1b[32m"}, {"denied", "\x1b[31m"},  {"pending", "\x1b[33m"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].word, word) == 0)
            return rows[i].color;
    return "";
}
