/* SPDX-License-Identifier: Apache-2.0 */
/* parts: one walk over the fixed order of a tbsCertificate. */
#include "base/parts.h"

static bool read_validity(struct span body, struct parts *out)
{
    struct der from, to;

    return der_next(&body, &from) && der_next(&body, &to) && body.len == 0 &&
           der_time(&from, &out->not_before_s) && der_time(&to, &out->not_after_s);
}

static bool read_extension(struct span *list, struct span *oid, struct extension *out)
{
    struct der ext, id, flag, value;

    if (!der_expect(list, DER_SEQUENCE, &ext) || !der_expect(&ext.body, DER_OID, &id))
        return false;
    out->is_critical =
        der_optional(&ext.body, DER_BOOLEAN, &flag) && flag.body.len == 1 && flag.body.data[0] == 0xff;
    if (!der_expect(&ext.body, DER_OCTET_STRING, &value) || ext.body.len != 0)
        return false;
    *oid = id.body;
    out->value = value.body;
    return true;
}

bool parts_extension(const struct parts *p, struct span oid, struct extension *out)
{
    struct span rest = p->extensions, id;

    while (rest.len > 0 && read_extension(&rest, &id, out))
        if (span_eq(id, oid))
            return true;
    return false;
}

bool parts_path_len(const struct parts *p, int64_t *path_len)
{
    struct extension ext;
    struct der seq, ca, len;
    uint64_t v;

    *path_len = -1;
    if (!parts_extension(p, span_str("\x55\x1d\x13"), &ext) || !der_expect(&ext.value, DER_SEQUENCE, &seq))
        return false;
    if (!der_expect(&seq.body, DER_BOOLEAN, &ca) || ca.body.len != 1 || ca.body.data[0] != 0xff)
        return false;
    if (seq.body.len == 0)
        return true;
    if (!der_expect(&seq.body, DER_INTEGER, &len) || !der_uint(len.body, &v) || v > INT32_MAX)
        return false;
    *path_len = (int64_t)v;
    return seq.body.len == 0;
}

static struct span read_ski(const struct parts *p)
{
    struct extension ext;
    struct der ski;

    if (!parts_extension(p, span_str("\x55\x1d\x0e"), &ext) ||
        !der_expect(&ext.value, DER_OCTET_STRING, &ski))
        return (struct span){0};
    return ski.body;
}

bool parts_of(struct span certificate, struct parts *out)
{
    struct der cert, tbs, d, list;
    uint64_t version;

    *out = (struct parts){0};
    if (!der_expect(&certificate, DER_SEQUENCE, &cert) || certificate.len != 0 ||
        !der_expect(&cert.body, DER_SEQUENCE, &tbs))
        return false;
    out->tbs = tbs.whole;
    if (!der_expect(&tbs.body, DER_CONTEXT_CONSTRUCTED(0), &d) || !der_expect(&d.body, DER_INTEGER, &list) ||
        !der_uint(list.body, &version) || version != 2)
        return false;
    if (!der_expect(&tbs.body, DER_INTEGER, &d))
        return false;
    out->serial = d.body;
    if (!der_expect(&tbs.body, DER_SEQUENCE, &d) || !der_expect(&tbs.body, DER_SEQUENCE, &d))
        return false;
    out->issuer = d.whole;
    if (!der_expect(&tbs.body, DER_SEQUENCE, &d) || !read_validity(d.body, out))
        return false;
    if (!der_expect(&tbs.body, DER_SEQUENCE, &d))
        return false;
    out->subject = d.whole;
    if (!der_expect(&tbs.body, DER_SEQUENCE, &d))
        return false;
    out->spki = d.whole;
    if (der_optional(&tbs.body, DER_CONTEXT_CONSTRUCTED(3), &d)) {
        if (!der_expect(&d.body, DER_SEQUENCE, &list))
            return false;
        out->extensions = list.body;
    }
    out->ski = read_ski(out);
    return tbs.body.len == 0;
}
