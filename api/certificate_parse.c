/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate_parse: a certificate that anybody may have issued, to facts. OpenSSL has to read it and write
 * the same octets again, the strict reader has to find nothing but DER in it; then its parts are taken.
 * RFC 5280 4.1, 4.2.
 */
#include "api/csr.h"
#include "api/preflight.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define EXTENSIONS_MAX 64 /* a certificate has ten; each is held against all that were before it */
#define OID_TEXT_MAX 128
#define LEVELS_MAX 1000 /* of a pathLenConstraint: beyond it, it is no number of certificates */

struct certificate {
    struct buf der, subject_text, issuer_text, critical;
    char flaw[OID_TEXT_MAX + 64]; /* why it is not taken */
    struct certificate_facts facts;
    struct san sans[SAN_COUNT_MAX];
};

/* What a certificate may not be: false, for the caller to give. */
static bool flawed(struct certificate *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool flawed(struct certificate *c, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(c->flaw, sizeof c->flaw, format, ap);
    va_end(ap);
    return false;
}

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
        if (!der_uint(part.body, &len) || len > LEVELS_MAX)
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

#define METHOD_OCSP "\x2b\x06\x01\x05\x05\x07\x30\x01"    /* id-ad-ocsp */
#define METHOD_ISSUERS "\x2b\x06\x01\x05\x05\x07\x30\x02" /* id-ad-caIssuers */

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
        if (span_eq(method.body, span_str(METHOD_OCSP)) && c->facts.ocsp_url.len == 0)
            c->facts.ocsp_url = place.body;
        if (span_eq(method.body, span_str(METHOD_ISSUERS)) && c->facts.issuer_url.len == 0)
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

/* Nothing is taken from these; who cannot read one refuses the certificate. RFC 5280 4.2.1.1, 4.2.1.2,
 * 4.2.1.4 */
static bool read_octets(struct certificate *c, struct span in)
{
    struct der octets;

    (void)c;
    return der_expect(&in, DER_OCTET_STRING, &octets) && in.len == 0;
}

static bool read_list(struct certificate *c, struct span in)
{
    struct der list;

    (void)c;
    return der_expect(&in, DER_SEQUENCE, &list) && in.len == 0;
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
    {"\x55\x1d\x0f", true, read_ku},                          /* keyUsage */
    {"\x55\x1d\x13", true, read_constraints},                 /* basicConstraints */
    {"\x55\x1d\x25", false, read_eku},                        /* extendedKeyUsage */
    {"\x55\x1d\x11", false, read_sans},                       /* subjectAltName */
    {"\x55\x1d\x1f", false, read_crl},                        /* cRLDistributionPoints */
    {"\x2b\x06\x01\x05\x05\x07\x01\x01", false, read_access}, /* authorityInfoAccess */
    {"\x55\x1d\x0e", false, read_octets},                     /* subjectKeyIdentifier */
    {"\x55\x1d\x23", false, read_list},                       /* authorityKeyIdentifier */
    {"\x55\x1d\x20", false, read_list},                       /* certificatePolicies */
    {"", false, read_any},
};

static const char *oid_name(const struct der *oid, char name[static OID_TEXT_MAX])
{
    const uint8_t *p = oid->whole.data;
    ASN1_OBJECT *o = d2i_ASN1_OBJECT(NULL, &p, (long)oid->whole.len);

    snprintf(name, OID_TEXT_MAX, "an extension without a name");
    if (o != NULL)
        OBJ_obj2txt(name, OID_TEXT_MAX, o, 0);
    ASN1_OBJECT_free(o);
    return name;
}

/* The extensions before this one: none may come again. RFC 5280 4.2 */
struct seen {
    struct span oids[EXTENSIONS_MAX];
    size_t count;
};

static bool note_seen(struct certificate *c, struct seen *s, const struct der *oid)
{
    char name[OID_TEXT_MAX];

    for (size_t i = 0; i < s->count; i++)
        if (span_eq(s->oids[i], oid->body))
            return flawed(c, "a certificate that has the extension %s twice", oid_name(oid, name));
    if (s->count == EXTENSIONS_MAX)
        return flawed(c, "a certificate of more than %d extensions", EXTENSIONS_MAX);
    s->oids[s->count++] = oid->body;
    return true;
}

static bool read_extension(struct certificate *c, struct span in, struct seen *seen)
{
    char name[OID_TEXT_MAX];
    struct der oid, critical, value;
    bool is_critical = false;
    size_t i = 0;

    if (!der_expect(&in, DER_OID, &oid) || !note_seen(c, seen, &oid))
        return false;
    if (der_optional(&in, DER_BOOLEAN, &critical))
        is_critical = critical.body.len == 1 && critical.body.data[0] != 0;
    if (!der_expect(&in, DER_OCTET_STRING, &value) || in.len != 0)
        return false;
    while (readers[i].oid[0] != '\0' && !span_eq(oid.body, span_str(readers[i].oid)))
        i++;
    if ((readers[i].oid[0] != '\0' && !csr_is_der(value.body)) || !readers[i].read(c, value.body))
        return flawed(c, "a certificate whose extension %s has another form", oid_name(&oid, name));
    if (is_critical && !readers[i].may_be_critical)
        buf_printf(&c->critical, "%s%s", c->critical.len > 0 ? ", " : "", oid_name(&oid, name));
    return true;
}

static bool read_extensions(struct certificate *c, struct span in)
{
    struct seen seen = {.count = 0};
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

#define V2 1u /* as they are encoded: version 1 is 0 and left out */
#define V3 2u

static bool read_version(struct span *in, uint64_t *version)
{
    struct der outer, number;

    *version = 0;
    return !der_optional(in, DER_CONTEXT_CONSTRUCTED(0), &outer) ||
           (der_expect(&outer.body, DER_INTEGER, &number) && outer.body.len == 0 &&
            der_uint(number.body, version) && *version <= V3);
}

/* What follows the key, none of which an old version may have. RFC 5280 4.1.2.1 */
static bool read_rest(struct certificate *c, struct span in, uint64_t version)
{
    struct der part;
    bool has_id = der_optional(&in, DER_CONTEXT(1), &part);

    has_id = der_optional(&in, DER_CONTEXT(2), &part) || has_id;
    if (has_id && version < V2)
        return flawed(c, "a certificate of version 1 with a unique identifier");
    if (!der_optional(&in, DER_CONTEXT_CONSTRUCTED(3), &part))
        return true;
    if (version != V3)
        return flawed(c, "a certificate of version %u with extensions", (unsigned)version + 1);
    return read_extensions(c, part.body);
}

/* `outer`: the AlgorithmIdentifier beside the signature, which has to be the one inside (RFC 5280 4.1.1.2);
 * empty: not signed yet. */
static bool read_tbs(struct certificate *c, struct span in, struct span outer)
{
    struct certificate_facts *f = &c->facts;
    struct signature_kind kind;
    struct der tbs, part;
    uint64_t version;

    if (!der_expect(&in, DER_SEQUENCE, &tbs) || in.len != 0)
        return false;
    in = tbs.body;
    if (!read_version(&in, &version) || !der_expect(&in, DER_INTEGER, &part) ||
        !der_expect(&in, DER_SEQUENCE, &part))
        return false;
    if (outer.len > 0 && !span_eq(outer, part.whole))
        return flawed(c, "a certificate whose two signature algorithms differ");
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
    return read_rest(c, in, version);
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

/* What is wrong with it, where there is no more to say. */
#define NO_CERTIFICATE "octets that are no certificate"

static enum err certificate_end(struct certificate *c, struct span tbs, struct span algorithm,
                                struct certificate **out, struct fault *f)
{
    struct certificate_facts *facts = &c->facts;

    if (!read_tbs(c, tbs, algorithm)) {
        (void)fault_set(f, ERR_MALFORMED, "%s", c->flaw[0] != '\0' ? c->flaw : NO_CERTIFICATE);
        certificate_free(c);
        return ERR_MALFORMED;
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
        return fault_set(f, ERR_MALFORMED, NO_CERTIFICATE);
    if (has_explicit_curve(der)) /* OpenSSL would set it up */
        return fault_set(f, ERR_MALFORMED, NO_CERTIFICATE);
    e = certificate_parse_ours(der, out, f);
    if (e != OK || is_certificate(der))
        return e;
    certificate_free(*out);
    *out = NULL;
    return fault_set(f, ERR_MALFORMED, NO_CERTIFICATE);
}

enum err certificate_parse_ours(struct span der, struct certificate **out, struct fault *f)
{
    struct certificate *c = certificate_new(der);
    struct span in = buf_span(&c->der);
    struct der whole, tbs, algorithm;

    *out = NULL;
    if (!der_expect(&in, DER_SEQUENCE, &whole) || !der_expect(&whole.body, DER_SEQUENCE, &tbs) ||
        !der_expect(&whole.body, DER_SEQUENCE, &algorithm)) {
        certificate_free(c);
        return fault_set(f, ERR_MALFORMED, NO_CERTIFICATE);
    }
    return certificate_end(c, tbs.whole, algorithm.whole, out, f);
}

enum err tbs_parse(struct span tbs, struct certificate **out, struct fault *f)
{
    struct certificate *c = certificate_new(tbs);

    *out = NULL;
    return certificate_end(c, buf_span(&c->der), span_of(NULL, 0), out, f);
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
