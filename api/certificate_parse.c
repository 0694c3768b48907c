/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_parse: a certificate that anybody may have issued, to facts. OpenSSL has to read it and write
 * the same octets again, the strict reader has to find nothing but DER in it; then its parts are taken.
 * RFC 5280 4.1, 4.2.
 */
#include "api/csr.h"
#include "api/preflight.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct certificate {
    struct buf der, subject_text, issuer_text, critical;
    struct certificate_facts facts;
    struct san sans[SAN_COUNT_MAX];
};

/* ---- extensions: each reads the content of its OCTET STRING, which csr_is_der() has held to DER ---- */

/* Bits beyond the last one that is set are read, against X.690 11.2.2: public roots of today have them, and
 * all readers see the same usages. */
static bool read_ku(struct certificate *c, struct span in)
{
    struct der bits;

    c->facts.has_ku = true;
    if (!der_expect(&in, DER_BIT_STRING, &bits) || in.len != 0 || bits.body.len < 2 || bits.body.len > 3)
        return false;
    c->facts.ku = (uint16_t)(bits.body.data[1] << 8 | (bits.body.len == 3 ? bits.body.data[2] : 0));
    return true;
}

static bool read_eku(struct certificate *c, struct span in)
{
    struct der list, oid;

    c->facts.has_eku = true;
    if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0 || list.body.len == 0)
        return false;
    while (list.body.len > 0) {
        if (c->facts.eku_count == EKU_LIST_MAX || !der_expect(&list.body, DER_OID, &oid))
            return false;
        c->facts.eku[c->facts.eku_count++] = eku_of_oid(oid.body);
    }
    return true;
}

static bool read_constraints(struct certificate *c, struct span in)
{
    struct der list, part;
    uint64_t len;

    if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        return false;
    if (der_optional(&list.body, DER_BOOLEAN, &part))
        c->facts.is_ca = part.body.len == 1 && part.body.data[0] != 0;
    if (der_optional(&list.body, DER_INTEGER, &part)) {
        if (!der_uint(part.body, &len) || len > 1000)
            return false;
        c->facts.path_len = (int)len;
    }
    return list.body.len == 0;
}

static struct san san_of(const struct der *d)
{
    switch (d->tag) {
    case DER_CONTEXT(SAN_DNS):
    case DER_CONTEXT(SAN_EMAIL):
    case DER_CONTEXT(SAN_URI):
    case DER_CONTEXT(SAN_IP):
        return (struct san){(enum san_kind)(d->tag & 0x1f), d->body};
    default:
        return (struct san){SAN_OTHER, d->whole};
    }
}

static bool read_sans(struct certificate *c, struct span in)
{
    struct der list, name;

    c->facts.has_san = true;
    if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        return false;
    while (list.body.len > 0) {
        if (c->facts.san_count == SAN_COUNT_MAX || !der_next(&list.body, &name))
            return false;
        c->sans[c->facts.san_count++] = san_of(&name);
    }
    return true;
}

/* AccessDescriptions: the first URI of each method we use ourselves. RFC 5280 4.2.2.1 */
static bool read_access(struct certificate *c, struct span in)
{
    struct der list, one, method, place;

    if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        return false;
    while (list.body.len > 0) {
        if (!der_expect(&list.body, DER_SEQUENCE, &one) || !der_expect(&one.body, DER_OID, &method) ||
            !der_next(&one.body, &place))
            return false;
        if (place.tag != DER_CONTEXT(SAN_URI))
            continue;
        if (span_eq(method.body, span_str("\x2b\x06\x01\x05\x05\x07\x30\x01")) && c->facts.ocsp_url.len == 0)
            c->facts.ocsp_url = place.body;
        if (span_eq(method.body, span_str("\x2b\x06\x01\x05\x05\x07\x30\x02")) &&
            c->facts.issuer_url.len == 0)
            c->facts.issuer_url = place.body;
    }
    return true;
}

/* The first URI of the first distribution point that has one. RFC 5280 4.2.1.13 */
static bool read_crl(struct certificate *c, struct span in)
{
    struct der list, point, name, full, uri;

    if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        return false;
    while (list.body.len > 0 && c->facts.crl_url.len == 0) {
        if (!der_expect(&list.body, DER_SEQUENCE, &point))
            return false;
        if (der_optional(&point.body, DER_CONTEXT_CONSTRUCTED(0), &name) &&
            der_optional(&name.body, DER_CONTEXT_CONSTRUCTED(0), &full) &&
            der_optional(&full.body, DER_CONTEXT(SAN_URI), &uri))
            c->facts.crl_url = uri.body;
    }
    return true;
}

static bool read_any(struct certificate *c, struct span in)
{
    (void)c;
    (void)in;
    return true;
}

static const struct {
    const char *oid;
    bool may_be_critical;
    bool (*read)(struct certificate *c, struct span in);
} readers[] = {
    {"\x55\x1d\x0f", true, read_ku},
    {"\x55\x1d\x13", true, read_constraints},
    {"\x55\x1d\x25", false, read_eku},
    {"\x55\x1d\x11", false, read_sans},
    {"\x55\x1d\x1f", false, read_crl},
    {"\x2b\x06\x01\x05\x05\x07\x01\x01", false, read_access},
    {"", false, read_any},
};

static void note_critical(struct certificate *c, struct span oid)
{
    const uint8_t *p = oid.data;
    ASN1_OBJECT *o = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len);
    char name[128] = "an extension without a name";

    if (o != NULL)
        OBJ_obj2txt(name, sizeof name, o, 0);
    buf_printf(&c->critical, "%s%s", c->critical.len > 0 ? ", " : "", name);
    ASN1_OBJECT_free(o);
}

static bool read_extension(struct certificate *c, struct span in, uint32_t *seen)
{
    struct der oid, critical, value;
    bool is_critical = false;
    size_t i = 0;

    if (!der_expect(&in, DER_OID, &oid))
        return false;
    if (der_optional(&in, DER_BOOLEAN, &critical))
        is_critical = critical.body.len == 1 && critical.body.data[0] != 0;
    if (!der_expect(&in, DER_OCTET_STRING, &value) || in.len != 0)
        return false;
    while (readers[i].oid[0] != '\0' && !span_eq(oid.body, span_str(readers[i].oid)))
        i++;
    if (readers[i].oid[0] != '\0' && ((*seen & 1u << i) != 0 || !csr_is_der(value.body)))
        return false;
    *seen |= 1u << i;
    if (is_critical && !readers[i].may_be_critical)
        note_critical(c, oid.whole);
    return readers[i].read(c, value.body);
}

static bool read_extensions(struct certificate *c, struct span in)
{
    uint32_t seen = 0;
    struct der list, one;

    if (!der_expect(&in, DER_SEQUENCE, &list) || in.len != 0)
        return false;
    while (list.body.len > 0)
        if (!der_expect(&list.body, DER_SEQUENCE, &one) || !read_extension(c, one.body, &seen))
            return false;
    c->facts.critical_others = buf_span(&c->critical);
    return true;
}

/* ---- the fixed part ---- */

/* The last commonName, as relying parties read it. */
static struct span cn_of(struct span name)
{
    struct span cn = {0};
    struct der whole, rdn, pair, type, value;

    if (!der_next(&name, &whole))
        return cn;
    while (der_next(&whole.body, &rdn))
        while (der_next(&rdn.body, &pair))
            if (der_expect(&pair.body, DER_OID, &type) && der_next(&pair.body, &value) &&
                span_eq(type.body, span_str("\x55\x04\x03")))
                cn = value.body;
    return cn;
}

static bool read_times(struct certificate *c, struct span in)
{
    struct der from, until;

    if (!der_next(&in, &from) || !der_next(&in, &until) || in.len != 0)
        return false;
    c->facts.not_before = from.whole;
    c->facts.not_after = until.whole;
    if (!der_time(&from, &c->facts.not_before_s))
        c->facts.not_before_s = NO_TIME;
    if (!der_time(&until, &c->facts.not_after_s))
        c->facts.not_after_s = NO_TIME;
    return true;
}

static bool read_tbs(struct certificate *c, struct span in)
{
    struct certificate_facts *f = &c->facts;
    struct signature_kind kind;
    struct der tbs, part;

    if (!der_expect(&in, DER_SEQUENCE, &tbs) || in.len != 0)
        return false;
    in = tbs.body;
    (void)der_optional(&in, DER_CONTEXT_CONSTRUCTED(0), &part);
    if (!der_expect(&in, DER_INTEGER, &part) || !der_expect(&in, DER_SEQUENCE, &part))
        return false;
    kind = signature_kind_of(part.body);
    f->signed_by = kind.key;
    f->signature_hash = kind.hash;
    if (!der_expect(&in, DER_SEQUENCE, &part))
        return false;
    f->issuer = part.whole;
    if (!der_expect(&in, DER_SEQUENCE, &part) || !read_times(c, part.body) ||
        !der_expect(&in, DER_SEQUENCE, &part))
        return false;
    f->subject = part.whole;
    f->cn = cn_of(part.whole);
    if (!der_expect(&in, DER_SEQUENCE, &part))
        return false;
    f->spki = part.whole;
    (void)der_optional(&in, DER_CONTEXT(1), &part);
    (void)der_optional(&in, DER_CONTEXT(2), &part);
    return !der_optional(&in, DER_CONTEXT_CONSTRUCTED(3), &part) || read_extensions(c, part.body);
}

static struct certificate *certificate_new(struct span der)
{
    struct certificate *c = xcalloc(1, sizeof *c);

    buf_init(&c->der, WIRE_MSG_MAX);
    buf_init(&c->subject_text, 8 * CSR_MAX); /* as for a CSR: escapes make up to eight characters */
    buf_init(&c->issuer_text, 8 * CSR_MAX);
    buf_init(&c->critical, 8 * CSR_MAX);
    buf_put_span(&c->der, der);
    c->facts.path_len = -1;
    c->facts.sans = c->sans;
    return c;
}

static enum err certificate_end(struct certificate *c, struct span tbs, struct certificate **out,
                                struct fault *f)
{
    struct certificate_facts *facts = &c->facts;

    if (!read_tbs(c, tbs)) {
        certificate_free(c);
        return fault_set(f, ERR_MALFORMED, "The certificate has a part that cannot be read.");
    }
    name_text(facts->subject, &c->subject_text);
    name_text(facts->issuer, &c->issuer_text);
    facts->subject_text = buf_span(&c->subject_text);
    facts->issuer_text = buf_span(&c->issuer_text);
    facts->der = buf_span(&c->der);
    *out = c;
    return OK;
}

/* OpenSSL reads all of it and writes the same again. */
static bool is_certificate(struct span der)
{
    const uint8_t *p = der.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    uint8_t *again = NULL;
    int len = x == NULL ? -1 : i2d_X509(x, &again);
    bool same = len >= 0 && span_eq(der, span_of(again, (size_t)len));

    OPENSSL_free(again);
    X509_free(x);
    ERR_clear_error();
    return same;
}

enum err certificate_parse(struct span der, struct certificate **out, struct fault *f)
{
    enum err e;

    *out = NULL;
    if (!csr_is_der(der))
        return fault_set(f, ERR_MALFORMED, "This is no certificate in DER, or octets follow it.");
    if (has_explicit_curve(der)) /* OpenSSL would set it up */
        return fault_set(f, ERR_MALFORMED, "This is no certificate.");
    e = certificate_parse_ours(der, out, f);
    if (e != OK || is_certificate(der))
        return e;
    certificate_free(*out);
    *out = NULL;
    return fault_set(f, ERR_MALFORMED, "This is no certificate.");
}

enum err certificate_parse_ours(struct span der, struct certificate **out, struct fault *f)
{
    struct certificate *c = certificate_new(der);
    struct span in = buf_span(&c->der);
    struct der whole, tbs;

    *out = NULL;
    if (!der_expect(&in, DER_SEQUENCE, &whole) || !der_expect(&whole.body, DER_SEQUENCE, &tbs)) {
        certificate_free(c);
        return fault_set(f, ERR_MALFORMED, "This is no certificate.");
    }
    return certificate_end(c, tbs.whole, out, f);
}

enum err tbs_parse(struct span tbs, struct certificate **out, struct fault *f)
{
    struct certificate *c = certificate_new(tbs);

    *out = NULL;
    return certificate_end(c, buf_span(&c->der), out, f);
}

const struct certificate_facts *certificate_facts_of(const struct certificate *c)
{
    return &c->facts;
}

void certificate_free(struct certificate *c)
{
    if (c == NULL)
        return;
    buf_free(&c->der);
    buf_free(&c->subject_text);
    buf_free(&c->issuer_text);
    buf_free(&c->critical);
    free(c);
}
