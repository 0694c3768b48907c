/* SPDX-License-Identifier: Apache-2.0 */
/* general_name: subjectAltName, the points where lists are, and the access to an authority: strict readers of
 * what we write there. A relying party that cannot read one of them refuses the certificate. */
#include <string.h>

#include "base/limits.h"
#include "signer/inner.h"

/* As URIs are written in an IA5String: no blanks, nothing unprintable. */
static bool is_uri(struct span in)
{
    for (size_t i = 0; i < in.len; i++)
        if (in.data[i] <= ' ' || in.data[i] > '~')
            return false;
    return in.len > 0;
}

static bool is_dns_name(struct span in)
{
    static const char permitted[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*";

    for (size_t i = 0; i < in.len; i++)
        if (memchr(permitted, in.data[i], sizeof permitted - 1) == NULL)
            return false;
    return in.len > 0 && in.len <= DNS_NAME_MAX;
}

static bool is_general_name(const struct der *d)
{
    switch (d->tag) {
    case DER_CONTEXT(2):
        return is_dns_name(d->body);
    case DER_CONTEXT(7):
        return d->body.len == 4 || d->body.len == 16;
    default:
        return false;
    }
}

bool general_names_read(struct span value, bool is_critical, void *out)
{
    struct der names, name;

    (void)is_critical, (void)out;
    if (!der_expect(&value, DER_SEQUENCE, &names))
        return false;
    do {
        if (!der_next(&names.body, &name) || !is_general_name(&name))
            return false;
    } while (names.body.len > 0);
    return true;
}

bool crl_point_name_read(struct span in, unsigned most)
{
    struct der name, full, uri;

    if (!der_expect(&in, DER_CONTEXT_CONSTRUCTED(0), &name) || in.len != 0)
        return false;
    if (!der_expect(&name.body, DER_CONTEXT_CONSTRUCTED(0), &full) || name.body.len != 0)
        return false;
    for (unsigned i = 0; i < most; i++) {
        if (!der_expect(&full.body, DER_CONTEXT(6), &uri) || !is_uri(uri.body))
            return false;
        if (full.body.len == 0)
            return true;
    }
    return false;
}

bool crl_point_read(struct span value, bool is_critical, void *out)
{
    struct der list, point;

    (void)is_critical, (void)out;
    return der_expect(&value, DER_SEQUENCE, &list) && der_expect(&list.body, DER_SEQUENCE, &point) &&
           list.body.len == 0 && crl_point_name_read(point.body, 1);
}

static bool is_access(struct span in)
{
    static const uint8_t arc[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30}; /* id-ad, RFC 5280 4.2.2 */
    struct der method, uri;
    uint8_t last;

    if (!der_expect(&in, DER_OID, &method) || method.body.len != sizeof arc + 1 ||
        memcmp(method.body.data, arc, sizeof arc) != 0)
        return false;
    last = method.body.data[sizeof arc]; /* 1: ocsp, 2: caIssuers */
    return (last == 1 || last == 2) && der_expect(&in, DER_CONTEXT(6), &uri) && is_uri(uri.body) &&
           in.len == 0;
}

bool authority_access_read(struct span value, bool is_critical, void *out)
{
    struct der list, access;

    (void)is_critical, (void)out;
    if (!der_expect(&value, DER_SEQUENCE, &list))
        return false;
    do {
        if (!der_expect(&list.body, DER_SEQUENCE, &access) || !is_access(access.body))
            return false;
    } while (list.body.len > 0);
    return true;
}
