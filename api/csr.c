/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr: hostile bytes to facts. The outer structure is read by the strict DER reader, which accepts nothing
 * that a re-encoding would change; tests and the fuzzer hold that against OpenSSL's own parser and encoder.
 * RFC 2986 4.
 */
#include "api/csr.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define DER_DEPTH_MAX 32 /* levels of nesting: a real request has about ten */

/* X.690 8.19.2: sub-identifiers are minimal and the last octet ends one. */
static bool is_oid(struct span s)
{
    bool starts = true;

    if (s.len == 0 || (s.data[s.len - 1] & 0x80) != 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (starts && s.data[i] == 0x80)
            return false;
        starts = (s.data[i] & 0x80) == 0;
    }
    return true;
}

static bool is_bits(struct span s)
{
    if (s.len == 0 || s.data[0] > 7 || (s.len == 1 && s.data[0] != 0))
        return false;
    return s.len == 1 || (s.data[s.len - 1] & ((1u << s.data[0]) - 1)) == 0;
}

static bool is_integer(struct span s)
{
    if (s.len < 2)
        return s.len == 1;
    return !(s.data[0] == 0 && s.data[1] < 0x80) && !(s.data[0] == 0xff && s.data[1] >= 0x80);
}

/* X.690 10.2, 11.1 and what the types themselves say. Strings are looked at where they mean something, but
 * for the width of their characters, which OpenSSL looks at everywhere. */
static bool is_primitive(const struct der *d)
{
    switch (d->tag) {
    case DER_BOOLEAN:
        return d->body.len == 1 && (d->body.data[0] == 0 || d->body.data[0] == 0xff);
    case DER_INTEGER:
    case DER_ENUMERATED:
        return is_integer(d->body);
    case DER_BIT_STRING:
        return is_bits(d->body);
    case DER_NULL:
        return d->body.len == 0;
    case DER_OID:
        return is_oid(d->body);
    case DER_BMP_STRING:
        return d->body.len % 2 == 0;
    case DER_UNIVERSAL_STRING:
        return d->body.len % 4 == 0;
    default:
        return d->tag != 0 && d->tag != 0x10 && d->tag != 0x11; /* SEQUENCE and SET are constructed */
    }
}

static bool are_der(struct span in, bool is_set, unsigned depth);

static bool is_element(const struct der *d, unsigned depth)
{
    bool is_universal = (d->tag & 0xc0) == 0;

    if ((d->tag & 0x20) == 0)
        return !is_universal ? true : is_primitive(d);
    if (is_universal && d->tag != DER_SEQUENCE && d->tag != DER_SET)
        return false;
    return are_der(d->body, d->tag == DER_SET, depth + 1);
}

static bool are_der(struct span in, bool is_set, unsigned depth)
{
    struct span previous = {0};
    struct der d;

    if (depth > DER_DEPTH_MAX)
        return false;
    while (in.len > 0) {
        if (!der_next(&in, &d) || !is_element(&d, depth))
            return false;
        if (is_set && previous.len > 0 && !der_ascends(previous, d.whole))
            return false;
        previous = d.whole;
    }
    return true;
}

bool csr_is_der(struct span der)
{
    return are_der(der, false, 0);
}

/* CertificationRequest ::= SEQUENCE { info, signatureAlgorithm, signature } */
static bool split_request(struct csr *c, struct span *info)
{
    struct span in = buf_span(&c->der);
    struct der whole, part;

    if (!der_expect(&in, DER_SEQUENCE, &whole) || in.len != 0 || !csr_is_der(whole.whole))
        return false;
    in = whole.body;
    if (!der_expect(&in, DER_SEQUENCE, &part))
        return false;
    c->info = part.whole;
    *info = part.body;
    if (!der_expect(&in, DER_SEQUENCE, &part))
        return false;
    c->algorithm = part.whole;
    if (!der_expect(&in, DER_BIT_STRING, &part) || in.len != 0 || part.body.len < 2 || part.body.data[0] != 0)
        return false;
    c->signature = part.body;
    return true;
}

/* CertificationRequestInfo ::= SEQUENCE { version, subject, subjectPKInfo, attributes [0] }; some leave empty
 * attributes out. */
static bool split_info(struct csr *c, struct span in, struct span *version, struct span *attributes)
{
    struct der part;

    *attributes = span_of(NULL, 0);
    if (!der_expect(&in, DER_INTEGER, &part))
        return false;
    *version = part.body;
    if (!der_expect(&in, DER_SEQUENCE, &part))
        return false;
    c->facts.subject = part.whole;
    if (!der_expect(&in, DER_SEQUENCE, &part))
        return false;
    c->facts.spki = part.whole;
    if (der_optional(&in, DER_CONTEXT_CONSTRUCTED(0), &part))
        *attributes = part.body;
    return in.len == 0;
}

static enum err read_structure(struct csr *c, struct span *attributes, struct findings *fs, struct fault *f)
{
    struct span info, version;
    uint64_t v;

    if (!split_request(c, &info) || !split_info(c, info, &version, attributes))
        return fault_set(f, ERR_MALFORMED, "This is not a PKCS#10 request in DER, or octets follow it.");
    if (!are_der(*attributes, true, 0))
        return fault_set(f, ERR_MALFORMED, "The attributes of the CSR are not in DER order.");
    if (!key_kind_of(c->facts.spki, &c->key))
        return fault_set(f, ERR_MALFORMED, "The public key of the CSR cannot be read.");
    if (!der_uint(version, &v) || v != 0)
        finding_add(fs, "csr.version", "version", NULL, "v1 (0)");
    return OK;
}

/* One value of the subject, as UTF-8; false when it is no string or holds what no string may. */
static bool read_value(struct csr *c, const X509_NAME_ENTRY *e, struct findings *fs)
{
    bool is_cn = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)) == NID_commonName;
    uint8_t *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(e));

    if (len < 0)
        return false;
    if (memchr(text, '\0', (size_t)len) != NULL)
        finding_add(fs, "name.nul", "subject", NULL, NULL);
    if (!is_cn) {
        OPENSSL_free(text);
        return true;
    }
    OPENSSL_free(c->cn); /* the last one: a second is refused, name.cn.count */
    c->cn = text;
    c->facts.cn = span_of(text, (size_t)len);
    return true;
}

/* RelativeDistinguishedName ::= SET SIZE (1..MAX): OpenSSL takes an empty one, the signer does not. */
static bool has_empty_rdn(struct span subject)
{
    struct der name, rdn;

    if (!der_expect(&subject, DER_SEQUENCE, &name))
        return true;
    while (name.body.len > 0)
        if (!der_expect(&name.body, DER_SET, &rdn) || rdn.body.len == 0)
            return true;
    return false;
}

static enum err read_subject(struct csr *c, struct findings *fs, struct fault *f)
{
    const uint8_t *p = c->facts.subject.data;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)c->facts.subject.len);
    bool ok =
        name != NULL && p == c->facts.subject.data + c->facts.subject.len && !has_empty_rdn(c->facts.subject);

    for (int i = 0; ok && i < X509_NAME_entry_count(name); i++)
        ok = read_value(c, X509_NAME_get_entry(name, i), fs);
    if (ok)
        name_text_of(name, &c->subject_text);
    X509_NAME_free(name);
    if (!ok)
        return fault_set(f, ERR_MALFORMED, "The subject of the CSR is not a name, or holds a broken string.");
    c->facts.subject_text = buf_span(&c->subject_text);
    return OK;
}

static struct csr *csr_new(void)
{
    struct csr *c = xcalloc(1, sizeof *c);

    buf_init(&c->der, CSR_MAX);
    /* Escapes make up to three or, for wide characters, eight characters of an octet. */
    buf_init(&c->subject_text, 8 * CSR_MAX);
    buf_init(&c->names_der, CSR_MAX);
    buf_init(&c->eku_other, 8 * CSR_MAX);
    buf_init(&c->other_extensions, 8 * CSR_MAX);
    c->facts.sans = c->sans;
    return c;
}

enum err csr_parse(struct span body, struct csr **out, struct findings *fs, struct fault *f)
{
    struct csr *c = csr_new();
    struct span attributes = {0};
    enum err e = csr_find(body, &c->der, f);

    *out = NULL;
    if (e == OK)
        e = read_structure(c, &attributes, fs, f);
    if (e == OK)
        e = read_subject(c, fs, f);
    if (e == OK)
        e = csr_read_attributes(c, attributes, fs, f);
    ERR_clear_error();
    if (e != OK) {
        csr_free(c);
        return e;
    }
    c->facts.csr = buf_span(&c->der);
    csr_prove(c, fs);
    *out = c;
    return findings_refuse(fs) ? fault_set(f, ERR_POLICY, "The CSR breaks a rule.") : OK;
}

const struct facts *csr_facts(const struct csr *c)
{
    return &c->facts;
}

void csr_free(struct csr *c)
{
    if (c == NULL)
        return;
    GENERAL_NAMES_free(c->names);
    OPENSSL_free(c->cn);
    buf_free(&c->der);
    buf_free(&c->subject_text);
    buf_free(&c->names_der);
    buf_free(&c->eku_other);
    buf_free(&c->other_extensions);
    free(c);
}
