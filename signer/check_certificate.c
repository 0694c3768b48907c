/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_certificate: a tbsCertificate is read strictly, then held against two tables of rules: those of a CA
 * key and those of a new root's key. What is not understood is not signed: every extension is one that the ca
 * writes, in its form. RFC 5280 4.1, 4.2.1.
 */
#include <string.h>

#include "signer/inner.h"

#define KU_KEY_CERT_SIGN 0x0400 /* bit 5 of the named BIT STRING, bit 0 being 0x8000 */
#define KU_CRL_SIGN 0x0200
#define RSA_BITS_MIN 2048 /* 112 bits of strength, NIST SP 800-57 Part 1, table 2; so EC has 256, not 224 */
#define EC_BITS_MIN 256

/* What is asked for. Spans borrow from the tbsCertificate. */
struct asked {
    struct span serial, algorithm, issuer, subject, spki;
    struct key_kind key;
    int64_t not_before_s, not_after_s;
    bool is_ca, ca_is_critical, has_path_len;
    uint64_t path_len;
    uint16_t ku; /* 0: no extension */
    struct span ski, aki;
    unsigned eku_count;
    bool eku_has_ocsp, eku_has_any, has_nocheck;
};

/* ---- extensions ---- */

static bool read_basic_constraints(struct span value, bool is_critical, void *out)
{
    struct asked *a = out;
    struct der seq, d;

    if (!der_expect(&value, DER_SEQUENCE, &seq))
        return false;
    a->ca_is_critical = is_critical;
    if (der_optional(&seq.body, DER_BOOLEAN, &d)) {
        if (d.body.len != 1 || d.body.data[0] != 0xff)
            return false; /* FALSE is the DEFAULT: DER leaves it out */
        a->is_ca = true;
    }
    if (der_optional(&seq.body, DER_INTEGER, &d)) {
        if (!a->is_ca || !der_uint(d.body, &a->path_len))
            return false;
        a->has_path_len = true;
    }
    return seq.body.len == 0;
}

/* A named BIT STRING: some bit set, trailing zeros cut, unused bits zero (X.690 11.2). */
static bool read_key_usage(struct span value, bool is_critical, void *out)
{
    struct asked *a = out;
    struct der bits;
    uint8_t last;

    (void)is_critical;
    if (!der_expect(&value, DER_BIT_STRING, &bits) || bits.body.len < 2 || bits.body.len > 3)
        return false;
    last = bits.body.data[bits.body.len - 1];
    if (last == 0 || bits.body.data[0] != __builtin_ctz(last))
        return false;
    a->ku = (uint16_t)(bits.body.data[1] << 8);
    if (bits.body.len == 3)
        a->ku |= bits.body.data[2];
    return (a->ku & 0x7f) == 0; /* nine bits have a meaning */
}

static bool read_extended_key_usage(struct span value, bool is_critical, void *out)
{
    struct asked *a = out;
    struct der seq, oid;

    (void)is_critical;
    if (!der_expect(&value, DER_SEQUENCE, &seq))
        return false;
    do {
        if (!der_expect(&seq.body, DER_OID, &oid) || oid.body.len == 0)
            return false;
        a->eku_count++;
        a->eku_has_ocsp |= span_eq(oid.body, span_str("\x2b\x06\x01\x05\x05\x07\x03\x09"));
        a->eku_has_any |= span_eq(oid.body, span_of("\x55\x1d\x25\x00", 4));
    } while (seq.body.len > 0);
    return true;
}

static bool read_ski(struct span value, bool is_critical, void *out)
{
    struct asked *a = out;
    struct der id;

    (void)is_critical;
    if (!der_expect(&value, DER_OCTET_STRING, &id) || id.body.len == 0)
        return false;
    a->ski = id.body;
    return true;
}

static bool read_aki(struct span value, bool is_critical, void *out)
{
    (void)is_critical;
    return aki_read(value, &((struct asked *)out)->aki);
}

static bool read_nocheck(struct span value, bool is_critical, void *out)
{
    struct der null;

    (void)is_critical;
    ((struct asked *)out)->has_nocheck = true;
    return der_expect(&value, DER_NULL, &null) && null.body.len == 0;
}

#define OID(text)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }
/* Those that the ca writes: what nobody here understands could mean anything to who reads it. */
static const struct extension_rule extension_rules[] = {
    {OID("\x55\x1d\x13"), read_basic_constraints, true},
    {OID("\x55\x1d\x0f"), read_key_usage, true},
    {OID("\x55\x1d\x25"), read_extended_key_usage, false},
    {OID("\x55\x1d\x11"), general_names_read, false},
    {OID("\x55\x1d\x0e"), read_ski, false},
    {OID("\x55\x1d\x23"), read_aki, false},
    {OID("\x55\x1d\x1f"), crl_point_read, false}, /* cRLDistributionPoints */
    {OID("\x55\x1d\x2e"), crl_point_read, false}, /* freshestCRL */
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), authority_access_read, false},
    {OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), read_nocheck, false},
};

/* ---- the structure ---- */

static bool read_version(struct span *in)
{
    struct der outer, version;
    uint64_t v;

    return der_expect(in, DER_CONTEXT_CONSTRUCTED(0), &outer) &&
           der_expect(&outer.body, DER_INTEGER, &version) && outer.body.len == 0 &&
           der_uint(version.body, &v) && v == 2;
}

static bool read_validity(struct span *in, struct asked *a)
{
    struct der seq;

    return der_expect(in, DER_SEQUENCE, &seq) && time_read(&seq.body, &a->not_before_s) &&
           time_read(&seq.body, &a->not_after_s) && seq.body.len == 0;
}

static bool take(struct span *in, uint8_t tag, struct span *whole)
{
    struct der d;

    if (!der_expect(in, tag, &d))
        return false;
    *whole = d.whole;
    return true;
}

static enum err read_asked(struct span tbs, struct asked *a, struct fault *f)
{
    struct der seq, serial, wrap, list;

    if (!der_expect(&tbs, DER_SEQUENCE, &seq) || tbs.len != 0)
        return fault_set(f, ERR_MALFORMED, "certificate: not one SEQUENCE in DER");
    if (!read_version(&seq.body))
        return fault_set(f, ERR_MALFORMED, "certificate.version: not v3");
    if (!der_expect(&seq.body, DER_INTEGER, &serial) || !is_serial(serial.body))
        return fault_set(f, ERR_MALFORMED, "certificate.serial: not a positive INTEGER of 1 to 20 octets");
    a->serial = serial.body;
    if (!take(&seq.body, DER_SEQUENCE, &a->algorithm))
        return fault_set(f, ERR_MALFORMED, "certificate.signature: not an AlgorithmIdentifier");
    if (!take(&seq.body, DER_SEQUENCE, &a->issuer) || !is_name(a->issuer))
        return fault_set(f, ERR_MALFORMED, "certificate.issuer: not a Name");
    if (!read_validity(&seq.body, a))
        return fault_set(f, ERR_MALFORMED,
                         "certificate.validity: not two times in the form of RFC 5280 4.1.2.5");
    if (!take(&seq.body, DER_SEQUENCE, &a->subject) || !is_name(a->subject))
        return fault_set(f, ERR_MALFORMED, "certificate.subject: not a Name");
    if (!take(&seq.body, DER_SEQUENCE, &a->spki) || !key_kind_of(a->spki, &a->key))
        return fault_set(f, ERR_MALFORMED, "certificate.key: not a SubjectPublicKeyInfo");
    if (!der_expect(&seq.body, DER_CONTEXT_CONSTRUCTED(3), &wrap) || seq.body.len != 0)
        return fault_set(f, ERR_MALFORMED, "certificate.extensions: missing, or something else is there");
    if (!der_expect(&wrap.body, DER_SEQUENCE, &list) || wrap.body.len != 0)
        return fault_set(f, ERR_MALFORMED, "certificate.extensions: not Extensions");
    return extensions_read(list.body, extension_rules, sizeof extension_rules / sizeof *extension_rules,
                           "certificate", a, f);
}

/* ---- the rules: each says what must hold ---- */

typedef bool rule_fn(const struct purpose *p, const struct asked *a);

static bool algorithm_is_own(const struct purpose *p, const struct asked *a)
{
    return span_eq(a->algorithm, sig_alg_der(p->alg));
}

static bool issuer_is_own(const struct purpose *p, const struct asked *a)
{
    return span_eq(a->issuer, p->name);
}

static bool subject_is_not_own(const struct purpose *p, const struct asked *a)
{
    return !span_eq(a->subject, p->name);
}

/* A kind that some profile may have: which of them is the ca's to decide. */
static bool key_is_usable(const struct purpose *p, const struct asked *a)
{
    (void)p;
    if (a->key.type == KEY_RSA)
        return a->key.bits >= RSA_BITS_MIN && key_exponent_is_sound(&a->key);
    return a->key.type == KEY_EC && a->key.bits >= EC_BITS_MIN;
}

static bool validity_is_ordered(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return a->not_before_s <= a->not_after_s;
}

static bool starts_within(const struct purpose *p, const struct asked *a)
{
    return a->not_before_s >= p->not_before_s;
}

static bool ends_within(const struct purpose *p, const struct asked *a)
{
    return a->not_after_s <= p->not_after_s;
}

static bool aki_is_own(const struct purpose *p, const struct asked *a)
{
    return span_eq(a->aki, p->ski);
}

static bool ca_is_allowed(const struct purpose *p, const struct asked *a)
{
    return !a->is_ca || p->may_subordinate;
}

static bool path_is_shorter(const struct purpose *p, const struct asked *a)
{
    if (!a->is_ca)
        return true;
    return a->has_path_len && (p->path_len < 0 || a->path_len < (uint64_t)p->path_len);
}

static bool ca_is_complete(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return !a->is_ca || (a->ca_is_critical && (a->ku & KU_KEY_CERT_SIGN) != 0 && a->ski.len > 0);
}

static bool ca_has_a_name(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return !a->is_ca || a->subject.len > 2;
}

static bool signing_usage_needs_ca(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return a->is_ca || (a->ku & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0;
}

static bool is_responder(const struct asked *a)
{
    return !a->is_ca && a->eku_has_ocsp && a->eku_count == 1 && a->has_nocheck;
}

static bool responder_is_whole(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return is_responder(a) || (!a->eku_has_ocsp && !a->has_nocheck);
}

static bool usage_is_named(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return !a->eku_has_any;
}

static bool leaf_is_allowed(const struct purpose *p, const struct asked *a)
{
    return p->may_leaf || a->is_ca || is_responder(a);
}

static bool key_is_not_own(const struct purpose *p, const struct asked *a)
{
    return !span_eq(a->spki, p->spki);
}

static bool is_self_issued(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return span_eq(a->issuer, a->subject);
}

static bool key_is_own(const struct purpose *p, const struct asked *a)
{
    return span_eq(a->spki, p->spki);
}

static bool is_a_ca(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return a->is_ca;
}

static bool aki_is_its_ski(const struct purpose *p, const struct asked *a)
{
    (void)p;
    return a->aki.len == 0 || span_eq(a->aki, a->ski);
}

struct rule {
    rule_fn *holds;
    const char *reason;
};

static const struct rule ca_rules[] = {
    {algorithm_is_own, "certificate.signature: not the algorithm of this key"},
    {issuer_is_own, "certificate.issuer: not the subject of this key's certificate"},
    {subject_is_not_own, "certificate.subject: the issuer's own name"},
    {key_is_not_own, "certificate.key: the issuer's own key"},
    {key_is_usable,
     "certificate.key: not RSA of 2048 bits or more with an exponent in use, P-256, P-384 or P-521"},
    {validity_is_ordered, "certificate.validity: ends before it starts"},
    {starts_within, "certificate.notBefore: before the issuer's own"},
    {ends_within, "certificate.notAfter: after the issuer's own"},
    {aki_is_own, "certificate.aki: not the issuer's SKI"},
    {ca_is_allowed, "certificate.ca: this key signs no subordinate"},
    {path_is_shorter, "certificate.pathLen: missing, or not below the issuer's own"},
    {ca_is_complete, "certificate.ca: needs critical basicConstraints, keyCertSign and an SKI"},
    {ca_has_a_name, "certificate.subject: a CA without a name"},
    {signing_usage_needs_ca, "certificate.keyUsage: keyCertSign or cRLSign without CA:TRUE"},
    {usage_is_named, "certificate.eku: anyExtendedKeyUsage"},
    {responder_is_whole, "certificate.eku: OCSPSigning and nocheck go together and alone"},
    {leaf_is_allowed, "certificate.leaf: this key signs no leaf but OCSP responders"},
};

static const struct rule root_rules[] = {
    {algorithm_is_own, "certificate.signature: not the algorithm of this key"},
    {is_self_issued, "certificate.issuer: a new root is its own issuer"},
    {key_is_own, "certificate.key: a new root certifies its own key"},
    {validity_is_ordered, "certificate.validity: ends before it starts"},
    {is_a_ca, "certificate.ca: a new root is a CA"},
    {ca_is_complete, "certificate.ca: needs critical basicConstraints, keyCertSign and an SKI"},
    {ca_has_a_name, "certificate.subject: a CA without a name"},
    {aki_is_its_ski, "certificate.aki: not its own SKI"},
    {usage_is_named, "certificate.eku: anyExtendedKeyUsage"},
    {responder_is_whole, "certificate.eku: OCSPSigning and nocheck go together and alone"},
};

static enum err hold(const struct rule *rules, size_t n, const struct purpose *p, const struct asked *a,
                     struct fault *f)
{
    for (size_t i = 0; i < n; i++)
        if (!rules[i].holds(p, a))
            return fault_set(f, ERR_POLICY, "%s", rules[i].reason);
    return OK;
}

enum err check_certificate(const struct purpose *p, struct span tbs, struct fault *f)
{
    struct asked a = {0};
    enum err e;

    if (p->is_ocsp)
        return fault_set(f, ERR_POLICY, "certificate: an OCSP key signs none");
    if (p->is_audit)
        return fault_set(f, ERR_POLICY, "certificate: the audit's key signs none");
    e = read_asked(tbs, &a, f);
    if (e != OK)
        return e;
    if (p->is_new_root)
        return hold(root_rules, sizeof root_rules / sizeof *root_rules, p, &a, f);
    return hold(ca_rules, sizeof ca_rules / sizeof *ca_rules, p, &a, f);
}
