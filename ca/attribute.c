/* SPDX-License-Identifier: Apache-2.0 */
/* attribute: one AttributeTypeAndValue of a Name: which it is, and what it says. RFC 5280 4.1.2.4, X.520. */
#include "base/der.h"
#include "base/utf8.h"
#include "ca/policy.h"

static const uint8_t oid_cn[] = {0x55, 0x04, 0x03}, oid_ou[] = {0x55, 0x04, 0x0b},
                     oid_email[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01};

bool attribute_is_cn(const struct attribute *a)
{
    return span_eq(a->type, span_of(oid_cn, sizeof oid_cn));
}

bool attribute_is_ou(const struct attribute *a)
{
    return span_eq(a->type, span_of(oid_ou, sizeof oid_ou));
}

bool attribute_is_email(const struct attribute *a)
{
    return span_eq(a->type, span_of(oid_email, sizeof oid_email));
}

/* Octets of a character; 0: UTF-8. What should be ASCII, and T61String, is read as Latin-1: all others do. */
static bool width_of(uint8_t tag, size_t *out)
{
    static const struct {
        uint8_t tag, width;
    } forms[] = {
        {DER_UTF8_STRING, 0}, {DER_NUMERIC_STRING, 1}, {DER_PRINTABLE_STRING, 1}, {DER_IA5_STRING, 1},
        {DER_T61_STRING, 1},  {DER_BMP_STRING, 2},     {DER_VISIBLE_STRING, 1},   {DER_UNIVERSAL_STRING, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].tag == tag) {
            *out = forms[i].width;
            return true;
        }
    return false;
}

bool attribute_text(const struct attribute *a, struct buf *out)
{
    size_t width;

    if (!width_of(a->tag, &width) || (width > 0 && a->value.len % width != 0))
        return false;
    if (width == 0)
        buf_put_span(out, a->value);
    for (size_t at = 0; width > 0 && at < a->value.len; at += width) {
        uint32_t code = 0;

        for (size_t i = 0; i < width; i++)
            code = code << 8 | a->value.data[at + i];
        if (!utf8_put(out, code))
            return false;
    }
    return buf_end(out) == OK;
}
