/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: the table of well-formed sequences of RFC 3629 section 4. */
#include "base/utf8.h"

static const struct form {
    uint8_t first_min, first_max, second_min, second_max;
    size_t len;
} forms[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct form *form_of(uint8_t first)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (first >= forms[i].first_min && first <= forms[i].first_max)
            return &forms[i];
    return NULL;
}

size_t utf8_next(struct span s, uint32_t *code)
{
    static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const struct form *form = s.len > 0 ? form_of(s.data[0]) : NULL;
    uint32_t value;

    if (form == NULL || s.len < form->len)
        return 0;
    if (form->len > 1 && (s.data[1] < form->second_min || s.data[1] > form->second_max))
        return 0;
    value = s.data[0] & first_bits[form->len];
    for (size_t i = 1; i < form->len; i++) {
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s.data[i] & 0x3f);
    }
    if (code != NULL)
        *code = value;
    return form->len;
}

size_t utf8_cut(struct span s, size_t most)
{
    size_t len = s.len < most ? s.len : most;

    while (len > 0 && len < s.len && (s.data[len] & 0xc0) == 0x80)
        len--;
    return len;
}

bool utf8_put(struct buf *b, uint32_t code)
{
    static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return false;
    buf_put_u8(b, (uint8_t)(marks[len] | code >> 6 * (len - 1)));
    for (size_t i = len - 1; i > 0; i--)
        buf_put_u8(b, (uint8_t)(0x80 | (code >> 6 * (i - 1) & 0x3f)));
    return true;
}
