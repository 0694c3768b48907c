/* SPDX-License-Identifier: Apache-2.0 */
/* read: small strict readers of what certificates, CRLs and OCSP answers have in common. RFC 5280 4.1, 4.2.
 */
#include <assert.h>

#include "base/clock.h"
#include "signer/inner.h"

bool is_serial(struct span s)
{
    if (s.len == 0 || s.len > 20 || (s.data[0] & 0x80) != 0)
        return false;
    if (s.data[0] != 0)
        return true;
    return s.len > 1 && (s.data[1] & 0x80) != 0;
}

/* Readers refuse the whole certificate for a broken string, and some for a SET OF that is not sorted. */
static bool is_rdn(struct span content)
{
    struct der pair, type, value;
    struct span previous = {0};

    do {
        if (!der_expect(&content, DER_SEQUENCE, &pair))
            return false;
        if (previous.len > 0 && !der_ascends(previous, pair.whole))
            return false;
        previous = pair.whole;
        if (!der_expect(&pair.body, DER_OID, &type) || !der_next(&pair.body, &value) || pair.body.len != 0 ||
            !der_is_text(&value))
            return false;
    } while (content.len > 0);
    return true;
}

bool is_name(struct span element)
{
    struct der name, rdn;

    if (!der_expect(&element, DER_SEQUENCE, &name) || element.len != 0)
        return false;
    while (name.body.len > 0)
        if (!der_expect(&name.body, DER_SET, &rdn) || !is_rdn(rdn.body))
            return false;
    return true;
}

bool time_read(struct span *in, int64_t *out_s)
{
    struct der d;

    if (!der_next(in, &d) || !der_time(&d, out_s))
        return false;
    return (d.tag == DER_UTC_TIME) == (*out_s < CLOCK_UTCTIME_END);
}

bool generalized_time_read(struct span *in, int64_t *out_s)
{
    struct der d;

    return der_expect(in, DER_GENERALIZED_TIME, &d) && der_time(&d, out_s);
}

struct extension {
    struct span oid, value;
    bool is_critical;
};

/* The value must be one element: an OCTET STRING that holds no DER is read by every parser in its own way. */
static bool extension_next(struct span *list, struct extension *out)
{
    struct der ext, oid, value, inside;
    struct span content;

    if (!der_expect(list, DER_SEQUENCE, &ext) || !der_expect(&ext.body, DER_OID, &oid) || oid.body.len == 0)
        return false;
    if (!der_critical(&ext.body, &out->is_critical) || !der_expect(&ext.body, DER_OCTET_STRING, &value) ||
        ext.body.len != 0)
        return false;
    content = value.body;
    if (!der_next(&content, &inside) || content.len != 0)
        return false;
    out->oid = oid.body;
    out->value = value.body;
    return true;
}

static const struct extension_rule *rule_of(struct span oid, const struct extension_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(rules[i].oid, oid))
            return &rules[i];
    return NULL;
}

static enum err extension_take(const struct extension *e, const struct extension_rule *rule, const char *what,
                               void *out, struct fault *f)
{
    bool may_stand = rule != NULL && (!e->is_critical || rule->may_be_critical);
    char oid[41];

    if (may_stand && rule->read(e->value, e->is_critical, out))
        return OK;
    hex_encode(span_of(e->oid.data, e->oid.len < 20 ? e->oid.len : 20), oid);
    if (rule == NULL)
        return fault_set(f, ERR_POLICY, "%s.extension: %s is not permitted here", what, oid);
    if (!may_stand)
        return fault_set(f, ERR_POLICY, "%s.extension: %s must not be critical", what, oid);
    return fault_set(f, ERR_MALFORMED, "%s.extension: %s is not of its form", what, oid);
}

enum err extensions_read(struct span content, const struct extension_rule *rules, size_t n, const char *what,
                         void *out, struct fault *f)
{
    const struct extension_rule *rule;
    uint32_t seen = 0; /* a bit for each rule */
    struct extension e;
    enum err err;

    assert(n <= 32);
    do {
        if (!extension_next(&content, &e))
            return fault_set(f, ERR_MALFORMED, "%s.extension: not an Extension in DER", what);
        rule = rule_of(e.oid, rules, n);
        if (rule != NULL && (seen >> (rule - rules) & 1) != 0)
            return fault_set(f, ERR_MALFORMED, "%s.extension: one is there twice", what);
        err = extension_take(&e, rule, what, out, f);
        if (err != OK)
            return err;
        seen |= UINT32_C(1) << (rule - rules);
    } while (content.len > 0);
    return OK;
}

bool aki_read(struct span value, struct span *keyid)
{
    struct der seq, id;

    if (!der_expect(&value, DER_SEQUENCE, &seq) || value.len != 0)
        return false;
    if (!der_expect(&seq.body, DER_CONTEXT(0), &id) || id.body.len == 0 || seq.body.len != 0)
        return false;
    *keyid = id.body;
    return true;
}
