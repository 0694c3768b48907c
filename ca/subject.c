/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subject: a Name as policy sees it: attribute by attribute, without its organizational units, and held
 * against another. The products compare subjects octet for octet, so what stays is never encoded again.
 * RFC 5280 4.1.2.4, 7.1.
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

/* ---- two names ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void fold(struct buf *b)
{
    size_t len = 0;

    for (size_t i = 0; i < b->len; i++) {
        uint8_t c = b->data[i];

        if (is_blank(c) && (len == 0 || b->data[len - 1] == ' '))
            continue;
        b->data[len++] = is_blank(c) ? ' ' : c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
    }
    b->len = len > 0 && b->data[len - 1] == ' ' ? len - 1 : len;
}

/* As OpenSSL has it: a NumericString is compared octet for octet. */
static bool put_text(const struct attribute *a, struct buf *out)
{
    return a->tag != DER_NUMERIC_STRING && attribute_text(a, out);
}

static bool attributes_match(const struct attribute *a, const struct attribute *b)
{
    struct buf x, y;
    bool same;

    if (!span_eq(a->type, b->type))
        return false;
    buf_init(&x, 2 * a->value.len + 1);
    buf_init(&y, 2 * b->value.len + 1);
    if (put_text(a, &x) && put_text(b, &y)) {
        fold(&x);
        fold(&y);
        same = span_eq(buf_span(&x), buf_span(&y));
    } else {
        same = a->tag == b->tag && span_eq(a->value, b->value);
    }
    buf_free(&x);
    buf_free(&y);
    return same;
}

static bool has_match(struct span set, const struct attribute *a)
{
    struct attribute b;

    while (set.len > 0 && read_attribute(&set, &b))
        if (attributes_match(a, &b))
            return true;
    return false;
}

/* In any order: what a SET is sorted by may differ. */
static bool rdns_match(struct span a, struct span b)
{
    struct attribute one;
    size_t units, in_a, in_b;

    count_units(a, &units, &in_a);
    count_units(b, &units, &in_b);
    if (in_a != in_b)
        return false;
    while (a.len > 0)
        if (!read_attribute(&a, &one) || !has_match(b, &one))
            return false;
    return true;
}

bool subject_matches(struct span a, struct span b)
{
    struct der x, y, rdn_a, rdn_b;

    if (!der_expect(&a, DER_SEQUENCE, &x) || !der_expect(&b, DER_SEQUENCE, &y))
        return false;
    while (x.body.len > 0 && y.body.len > 0)
        if (!der_expect(&x.body, DER_SET, &rdn_a) || !der_expect(&y.body, DER_SET, &rdn_b) ||
            !rdns_match(rdn_a.body, rdn_b.body))
            return false;
    return x.body.len == y.body.len;
}

/* ---- the text that shows one ---- */

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
