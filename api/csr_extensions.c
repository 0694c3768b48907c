/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr_extensions: what the attributes of a request ask for. Each value is decoded by OpenSSL's own type and
 * encoded again: one that comes back different, or leaves octets over, is csr.extension.malformed. Two
 * answers to one question are never merged.
 */
#include "api/csr.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/idn.h"

static const uint8_t oid_extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t oid_ms_extensions[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0e};
static const uint8_t oid_challenge[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07};

static void malformed(struct findings *fs, const char *field, const char *got)
{
    finding_add(fs, "csr.extension.malformed", field, got, NULL);
}

/* Decodes all of `der`, and only if it is DER and encoding gives the same octets. NULL otherwise. */
static void *unpack(const ASN1_ITEM *it, struct span der)
{
    const uint8_t *p = der.data;
    void *v = csr_is_der(der) ? ASN1_item_d2i(NULL, &p, (long)der.len, it) : NULL;
    uint8_t *again = NULL;
    int len = v == NULL ? -1 : ASN1_item_i2d(v, &again, it);
    bool same = len >= 0 && span_eq(der, span_of(again, (size_t)len));

    OPENSSL_free(again);
    if (same)
        return v;
    ASN1_item_free(v, it);
    ERR_clear_error();
    return NULL;
}

static struct span value_of(X509_EXTENSION *x)
{
    const ASN1_OCTET_STRING *s = X509_EXTENSION_get_data(x);

    return span_of(s->data, (size_t)s->length);
}

/* ---- subjectAltName ---- */

static enum san_kind kind_of(int type)
{
    switch (type) {
    case GEN_DNS:
        return SAN_DNS;
    case GEN_EMAIL:
        return SAN_EMAIL;
    case GEN_URI:
        return SAN_URI;
    case GEN_IPADD:
        return SAN_IP;
    default:
        return SAN_OTHER;
    }
}

/* Who writes a name in its own script is told how it is written here. */
static void suggest_a_labels(struct span s, struct findings *fs)
{
    char text[IDN_MAX], got[4 * IDN_MAX];

    if (idn_to_ascii(s, text) && span_to_str(s, got, sizeof got))
        finding_add(fs, "name.idn", "san", got, text);
}

/* IA5String: seven bits, and no NUL that would end the name early for a reader written in C. */
static bool check_text(struct span s, struct findings *fs)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == 0) {
            finding_add(fs, "name.nul", "san", NULL, NULL);
            return false;
        }
        if (s.data[i] >= 0x80) {
            malformed(fs, "san", "octets beyond ASCII in a name");
            suggest_a_labels(s, fs);
            return false;
        }
    }
    return true;
}

/* `whole`: the same name as it is encoded. */
static void read_san(struct csr *c, const GENERAL_NAME *g, struct span whole, struct findings *fs)
{
    struct san s = {.kind = kind_of(g->type)};
    const ASN1_STRING *text = g->d.ia5;

    if (s.kind == SAN_OTHER) {
        s.value = whole;
    } else {
        s.value = span_of(text->data, (size_t)text->length);
        if (s.kind == SAN_IP && s.value.len != 4 && s.value.len != 16)
            return malformed(fs, "san", "an IP address of neither 4 nor 16 octets");
        if (s.kind != SAN_IP && !check_text(s.value, fs))
            return;
    }
    c->sans[c->facts.san_count++] = s;
}

static void read_sans(struct csr *c, X509_EXTENSION *x, struct findings *fs)
{
    struct der list, name;
    struct span in;
    char got[32];
    int n;

    c->facts.has_san = true;
    c->names = unpack(ASN1_ITEM_rptr(GENERAL_NAMES), value_of(x));
    n = c->names == NULL ? 0 : sk_GENERAL_NAME_num(c->names);
    if (n == 0)
        return malformed(fs, "san", c->names == NULL ? NULL : "no name at all");
    if (n > (int)SAN_COUNT_MAX) {
        snprintf(got, sizeof got, "%d names", n);
        return finding_add(fs, "san.count", "san", got, NULL);
    }
    buf_put_span(&c->names_der, value_of(x));
    in = buf_span(&c->names_der);
    if (!der_expect(&in, DER_SEQUENCE, &list))
        return malformed(fs, "san", NULL);
    for (int i = 0; i < n && der_next(&list.body, &name); i++)
        read_san(c, sk_GENERAL_NAME_value(c->names, i), name.whole, fs);
}

/* ---- the others ---- */

static void read_ku(struct csr *c, X509_EXTENSION *x, struct findings *fs)
{
    ASN1_BIT_STRING *bits = unpack(ASN1_ITEM_rptr(ASN1_BIT_STRING), value_of(x));

    c->facts.has_ku = true;
    /* RFC 5280 4.2.1.3 names nine bits */
    if (bits == NULL || bits->length > 2 || (bits->length == 2 && (bits->data[1] & 0x7f) != 0))
        malformed(fs, "ku", NULL);
    else if (bits->length > 0)
        c->facts.ku = (uint16_t)(bits->data[0] << 8 | (bits->length == 2 ? bits->data[1] : 0));
    ASN1_BIT_STRING_free(bits);
}

static void put_separated(struct buf *b, const char *text)
{
    if (b->len > 0)
        buf_put_str(b, ", ");
    buf_put_str(b, text);
}

static void read_eku_one(struct csr *c, const ASN1_OBJECT *o)
{
    enum eku e = eku_of_oid(span_of(OBJ_get0_data(o), OBJ_length(o)));
    char dotted[128];

    c->facts.eku[c->facts.eku_count++] = e;
    if (e != EKU_OTHER)
        return;
    OBJ_obj2txt(dotted, sizeof dotted, o, 1);
    put_separated(&c->eku_other, dotted);
}

static void read_eku(struct csr *c, X509_EXTENSION *x, struct findings *fs)
{
    EXTENDED_KEY_USAGE *list = unpack(ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), value_of(x));
    int n = list == NULL ? 0 : sk_ASN1_OBJECT_num(list);

    c->facts.has_eku = true;
    if (n == 0)
        malformed(fs, "eku", list == NULL ? NULL : "no usage at all");
    else if (n > (int)EKU_LIST_MAX)
        malformed(fs, "eku", "more usages than there are");
    else
        for (int i = 0; i < n; i++)
            read_eku_one(c, sk_ASN1_OBJECT_value(list, i));
    c->facts.eku_other = buf_span(&c->eku_other);
    EXTENDED_KEY_USAGE_free(list);
}

static void read_constraints(struct csr *c, X509_EXTENSION *x, struct findings *fs)
{
    BASIC_CONSTRAINTS *b = unpack(ASN1_ITEM_rptr(BASIC_CONSTRAINTS), value_of(x));

    if (b == NULL)
        malformed(fs, "basicConstraints", NULL);
    else
        c->facts.asks_ca = b->ca != 0;
    BASIC_CONSTRAINTS_free(b);
}

static void read_other(struct csr *c, X509_EXTENSION *x, struct findings *fs)
{
    char name[128];

    (void)fs;
    OBJ_obj2txt(name, sizeof name, X509_EXTENSION_get_object(x), 0);
    put_separated(&c->other_extensions, name);
    c->facts.other_extensions = buf_span(&c->other_extensions);
}

static const struct {
    int nid;
    void (*read)(struct csr *c, X509_EXTENSION *x, struct findings *fs);
} readers[] = {
    {NID_subject_alt_name, read_sans},         {NID_key_usage, read_ku}, {NID_ext_key_usage, read_eku},
    {NID_basic_constraints, read_constraints}, {NID_undef, read_other},
};

static void read_extension(struct csr *c, X509_EXTENSION *x, struct findings *fs)
{
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(x));
    size_t i = 0;

    while (readers[i].nid != NID_undef && readers[i].nid != nid)
        i++;
    readers[i].read(c, x, fs);
}

/* The list is as long as 64 KiB allow, some thousands: sorting it would save what nobody pays. */
static bool appears_before(const X509_EXTENSIONS *list, int at)
{
    const ASN1_OBJECT *o = X509_EXTENSION_get_object(sk_X509_EXTENSION_value(list, at));

    for (int i = 0; i < at; i++)
        if (OBJ_cmp(o, X509_EXTENSION_get_object(sk_X509_EXTENSION_value(list, i))) == 0)
            return true;
    return false;
}

#define EXTENSIONS_MAX 64 /* in one request: real ones have at most ten */

static void read_extensions(struct csr *c, struct span der, struct findings *fs)
{
    X509_EXTENSIONS *list = unpack(ASN1_ITEM_rptr(X509_EXTENSIONS), der);
    int n = list == NULL ? 0 : sk_X509_EXTENSION_num(list);
    char name[128];

    if (list == NULL || n > EXTENSIONS_MAX) {
        malformed(fs, "extensionRequest", list == NULL ? NULL : "more extensions than there are");
        n = 0;
    }
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *x = sk_X509_EXTENSION_value(list, i);

        if (appears_before(list, i)) {
            OBJ_obj2txt(name, sizeof name, X509_EXTENSION_get_object(x), 0);
            finding_add(fs, "csr.extension.duplicate", name, NULL, NULL);
            continue;
        }
        read_extension(c, x, fs);
    }
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

/* ---- attributes ---- */

static bool is_extension_request(struct span oid)
{
    return span_eq(oid, span_of(oid_extension_request, sizeof oid_extension_request)) ||
           span_eq(oid, span_of(oid_ms_extensions, sizeof oid_ms_extensions));
}

/* A SET of exactly one value, RFC 2985 5.4.2. */
static void read_request_attribute(struct csr *c, struct span values, struct findings *fs)
{
    struct der value;

    if (!der_next(&values, &value) || values.len != 0)
        malformed(fs, "extensionRequest", "not exactly one value");
    else
        read_extensions(c, value.whole, fs);
}

enum err csr_read_attributes(struct csr *c, struct span in, struct findings *fs, struct fault *f)
{
    struct der attribute, oid, values;
    bool seen = false;

    while (in.len > 0) {
        if (!der_expect(&in, DER_SEQUENCE, &attribute) || !der_expect(&attribute.body, DER_OID, &oid) ||
            !der_expect(&attribute.body, DER_SET, &values) || attribute.body.len != 0 || values.body.len == 0)
            return fault_set(f, ERR_MALFORMED, "An attribute of the CSR is broken.");
        if (span_eq(oid.body, span_of(oid_challenge, sizeof oid_challenge)))
            c->facts.sends_challenge = true;
        if (!is_extension_request(oid.body))
            continue;
        if (seen)
            finding_add(fs, "csr.extension.duplicate", "extensionRequest", NULL, NULL);
        else
            read_request_attribute(c, values.body, fs);
        seen = true;
    }
    return OK;
}
