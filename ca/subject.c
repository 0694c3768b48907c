/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subject: a Name as policy sees it: attribute by attribute, and without its organizational units. The
 * products compare subjects octet for octet, so what stays is never encoded again. RFC 5280 4.1.2.4.
 */
#include <string.h>

#include "base/der.h"
#include "ca/policy.h"

static bool read_attribute(struct span *in, struct attribute *out)
{
    struct der seq, type, value;

    if (!der_expect(in, DER_SEQUENCE, &seq) || !der_expect(&seq.body, DER_OID, &type) ||
        !der_next(&seq.body, &value) || seq.body.len != 0)
        return false;
    *out = (struct attribute){.type = type.body, .tag = value.tag, .value = value.body, .whole = seq.whole};
    return true;
}

bool subject_each(struct span subject, void (*fn)(const struct attribute *a, void *arg), void *arg)
{
    struct attribute a;
    struct der name, set;

    if (!der_expect(&subject, DER_SEQUENCE, &name) || subject.len != 0)
        return false;
    while (name.body.len > 0) {
        if (!der_expect(&name.body, DER_SET, &set) || set.body.len == 0)
            return false;
        while (set.body.len > 0) {
            if (!read_attribute(&set.body, &a))
                return false;
            fn(&a, arg);
        }
    }
    return true;
}

/* The units among the attributes of one RDN, and all of them. */
static void count_units(struct span set, size_t *units, size_t *all)
{
    struct attribute a;

    *units = 0;
    *all = 0;
    while (set.len > 0 && read_attribute(&set, &a)) {
        *units += attribute_is_ou(&a);
        (*all)++;
    }
}

static void put_rdn_without_units(struct buf *out, const struct der *rdn)
{
    size_t units, all, mark;
    struct span set = rdn->body;
    struct attribute a;

    count_units(set, &units, &all);
    if (units == 0)
        return buf_put_span(out, rdn->whole);
    if (units == all)
        return;
    mark = der_open(out, DER_SET); /* what is left of a sorted SET is sorted */
    while (set.len > 0 && read_attribute(&set, &a))
        if (!attribute_is_ou(&a))
            buf_put_span(out, a.whole);
    der_close(out, mark);
}

void subject_without_ou(struct span subject, struct buf *out)
{
    struct span in = subject;
    struct der name, rdn;
    size_t mark;

    if (!der_expect(&in, DER_SEQUENCE, &name)) {
        buf_put_span(out, subject);
        return;
    }
    mark = der_open(out, DER_SEQUENCE);
    while (name.body.len > 0 && der_expect(&name.body, DER_SET, &rdn))
        put_rdn_without_units(out, &rdn);
    der_close(out, mark);
}

/* Octets before the next separator, ", " between RDNs and " + " within one; both are escaped inside values.
 */
static size_t component_len(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == ',' || (text.data[i] == '+' && i > 0 && text.data[i - 1] == ' '))
            return text.data[i] == ',' ? i : i - 1;
    }
    return text.len;
}

static size_t separator_len(struct span text)
{
    return text.len == 0 ? 0 : text.data[0] == ',' ? 2 : 3;
}

void subject_text_without_ou(struct span text, struct buf *out)
{
    const char *separator = "";

    while (text.len > 0) {
        size_t len = component_len(text), gap;
        struct span rest = span_of(text.data + len, text.len - len);

        if (len < 3 || memcmp(text.data, "OU=", 3) != 0) {
            buf_put_str(out, separator);
            buf_put(out, text.data, len);
            separator = "";
        }
        gap = separator_len(rest);
        gap = gap < rest.len ? gap : rest.len;
        if (out->len > 0)
            separator = gap == 3 && separator[0] != ',' ? " + " : ", ";
        text = span_of(rest.data + gap, rest.len - gap);
    }
}
