/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint: the last look at a tbsCertificate before it is signed, whoever asked for it and whatever a profile
 * says. It reads the octets again, so a fault of the writer is found as well. Names are in lint_name.c. One
 * exception: what Cisco's tables ask for against RFC 8813 (encipherment with EC keys) passes on their
 * profiles, where usage.rfc8813 notes it. RFC 5280 4.1 and 4.2, RFC 5480, RFC 8813.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "ca/lint.h"

#define TEXT_MAX 400       /* octets: all names of keyUsage */
#define EXTENSIONS_MAX 32u /* we write nine */
#define OID(text)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }

/* ---- extensions ---- */

static bool lint_constraints(struct lint *l, struct span value)
{
    struct der seq, d;

    if (!der_expect(&value, DER_SEQUENCE, &seq) || value.len != 0)
        return false;
    l->is_ca = der_optional(&seq.body, DER_BOOLEAN, &d) && d.body.len == 1 && d.body.data[0] == 0xff;
    l->has_path_len = der_optional(&seq.body, DER_INTEGER, &d);
    return seq.body.len == 0;
}

static bool lint_ku(struct lint *l, struct span value)
{
    struct der bits;

    l->has_ku = true;
    if (!der_expect(&value, DER_BIT_STRING, &bits) || value.len != 0 || bits.body.len < 1 ||
        bits.body.len > 3)
        return false;
    if (bits.body.len > 1)
        l->ku = (uint16_t)(bits.body.data[1] << 8 | (bits.body.len > 2 ? bits.body.data[2] : 0));
    return true;
}

static bool lint_eku(struct lint *l, struct span value)
{
    struct der seq, oid;

    if (!der_expect(&value, DER_SEQUENCE, &seq) || value.len != 0 || seq.body.len == 0)
        return false;
    while (seq.body.len > 0) {
        if (!der_expect(&seq.body, DER_OID, &oid))
            return false;
        l->eku |= 1u << eku_of_oid(oid.body);
    }
    return true;
}

static bool lint_key_id(struct lint *l, struct span value)
{
    struct der id;

    l->has_ski = der_expect(&value, DER_OCTET_STRING, &id) && id.body.len > 0 && value.len == 0;
    return l->has_ski;
}

static bool lint_issuer_key_id(struct lint *l, struct span value)
{
    struct der seq, id;

    l->has_aki = der_expect(&value, DER_SEQUENCE, &seq) && value.len == 0 &&
                 der_optional(&seq.body, DER_CONTEXT(0), &id) && id.body.len > 0;
    return l->has_aki;
}

static bool lint_nothing(struct lint *l, struct span value)
{
    (void)l;
    return value.len > 0;
}

/* How RFC 5280 4.2.1 wants each marked. */
enum marked { ALWAYS_CRITICAL, CRITICAL_FOR_CA, NEVER_CRITICAL };

static const struct {
    struct span oid;
    const char *name;
    enum marked marked;
    bool (*read)(struct lint *l, struct span value);
} known[] = {
    {OID("\x55\x1d\x13"), "basicConstraints", CRITICAL_FOR_CA, lint_constraints},
    {OID("\x55\x1d\x0f"), "keyUsage", ALWAYS_CRITICAL, lint_ku},
    {OID("\x55\x1d\x25"), "extendedKeyUsage", NEVER_CRITICAL, lint_eku}, /* critical breaks the products */
    {OID("\x55\x1d\x11"), "subjectAltName", NEVER_CRITICAL, lint_san},
    {OID("\x55\x1d\x0e"), "subjectKeyIdentifier", NEVER_CRITICAL, lint_key_id},
    {OID("\x55\x1d\x23"), "authorityKeyIdentifier", NEVER_CRITICAL, lint_issuer_key_id},
    {OID("\x55\x1d\x1f"), "cRLDistributionPoints", NEVER_CRITICAL, lint_nothing},
    {OID("\x55\x1d\x2e"), "freshestCRL", NEVER_CRITICAL, lint_nothing}, /* RFC 5280 4.2.1.15 */
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), "authorityInfoAccess", NEVER_CRITICAL, lint_nothing},
    {OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), "ocsp-nocheck", NEVER_CRITICAL, lint_nothing},
};
#define KNOWN_COUNT (sizeof known / sizeof *known)

static void lint_marking(struct lint *l, size_t i, bool is_critical)
{
    bool wanted = known[i].marked == ALWAYS_CRITICAL || (known[i].marked == CRITICAL_FOR_CA && l->is_ca);

    if (is_critical != wanted)
        finding_add(l->findings, "lint.criticality", known[i].name, known[i].name,
                    is_critical ? "critical and must not be" : "not critical and must be");
}

static void lint_extension(struct lint *l, struct span oid, bool is_critical, struct span value)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (!span_eq(oid, known[i].oid))
            continue;
        if (!known[i].read(l, value))
            finding_add(l->findings, "lint.structure", known[i].name, known[i].name, NULL);
        return lint_marking(l, i, is_critical);
    }
    finding_add(l->findings, "lint.structure", "extensions", "an extension that is not known here", NULL);
}

static void lint_repetition(struct lint *l, const struct span *seen, size_t count, struct span oid)
{
    char hex[64];

    for (size_t i = 0; i < count; i++)
        if (span_eq(seen[i], oid) && oid.len < sizeof hex / 2) {
            hex_encode(oid, hex);
            finding_add(l->findings, "lint.duplicate", "extensions", hex, NULL);
        }
}

static void lint_extensions(struct lint *l, struct span list)
{
    struct span seen[EXTENSIONS_MAX];
    struct der ext, oid, flag, value;

    for (size_t n = 0; list.len > 0; n++) {
        bool is_critical;

        if (n == EXTENSIONS_MAX || !der_expect(&list, DER_SEQUENCE, &ext) ||
            !der_expect(&ext.body, DER_OID, &oid))
            return finding_add(l->findings, "lint.structure", "extensions", "Extensions", NULL);
        is_critical = der_optional(&ext.body, DER_BOOLEAN, &flag);
        if (!der_expect(&ext.body, DER_OCTET_STRING, &value) || ext.body.len != 0)
            return finding_add(l->findings, "lint.structure", "extensions", "Extensions", NULL);
        lint_repetition(l, seen, n, oid.body);
        seen[n] = oid.body;
        lint_extension(l, oid.body, is_critical, value.body);
    }
}

/* ---- usages ---- */

#define KU_LEAF (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)

/* RSA: RFC 3279 2.3.1, EC: RFC 8813 3. Cisco's tables tolerate keyAgreement for RSA and encipherment for EC.
 */
static uint16_t ku_permitted(const struct lint *l)
{
    uint16_t permitted = KU_LEAF | KU_ISSUING;

    if (l->is_cisco)
        return permitted | KU_KEY_AGREEMENT;
    if (l->key.type == KEY_EC)
        permitted = (uint16_t)((permitted & ~KU_ENCIPHERMENT) | KU_KEY_AGREEMENT | KU_ENCIPHER_ONLY |
                               KU_DECIPHER_ONLY);
    return permitted;
}

static void lint_usage(struct lint *l)
{
    uint16_t permitted = ku_permitted(l), extra = l->ku & (uint16_t)~permitted;
    char got[TEXT_MAX], want[TEXT_MAX];

    if ((l->ku & KU_KEY_AGREEMENT) == 0)
        extra |= l->ku & (KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY);
    if (l->has_ku && l->ku != 0 && extra == 0)
        return;
    ku_text(extra, got, sizeof got);
    ku_text(permitted, want, sizeof want);
    finding_add(l->findings, "lint.key-usage", "keyUsage", l->ku == 0 ? "none" : got, want);
}

/* RFC 5280 4.2.1.12: the bits each usage can be exercised with. */
static const struct {
    enum eku eku;
    uint16_t bits;
} served[] = {
    {EKU_SERVER_AUTH, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT},
    {EKU_CLIENT_AUTH, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT},
    {EKU_CODE_SIGNING, KU_DIGITAL_SIGNATURE},
    {EKU_EMAIL_PROTECTION,
     KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT},
    {EKU_TIME_STAMPING, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION},
    {EKU_OCSP_SIGNING, KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION},
};

static void lint_purposes(struct lint *l)
{
    char want[TEXT_MAX];

    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        if ((l->eku & 1u << served[i].eku) == 0 || (l->ku & served[i].bits) != 0)
            continue;
        ku_text(served[i].bits, want, sizeof want);
        finding_add(l->findings, "lint.ext-key-usage", "extendedKeyUsage", eku_name(served[i].eku), want);
    }
}

static void lint_ca(struct lint *l)
{
    if (!l->is_ca && (l->ku & KU_ISSUING) != 0)
        finding_add(l->findings, "lint.ca", "keyUsage", "able to issue by its keyUsage", "CA:TRUE");
    if (!l->is_ca && l->has_path_len)
        finding_add(l->findings, "lint.ca", "basicConstraints", "limited in its path", "CA:TRUE");
    if (l->is_ca && (l->ku & KU_KEY_CERT_SIGN) == 0)
        finding_add(l->findings, "lint.ca", "keyUsage", "a certificate authority's", "keyCertSign");
    if (!l->has_aki)
        finding_add(l->findings, "lint.key-id", "extensions", "authorityKeyIdentifier", NULL);
    if (l->is_ca && !l->has_ski)
        finding_add(l->findings, "lint.key-id", "extensions", "subjectKeyIdentifier", NULL);
}

/* ---- the fields ---- */

static bool lint_version(struct span *in)
{
    struct der outer, version;
    uint64_t v;

    return der_expect(in, DER_CONTEXT_CONSTRUCTED(0), &outer) &&
           der_expect(&outer.body, DER_INTEGER, &version) && der_uint(version.body, &v) && v == 2;
}

static void lint_serial(struct lint *l, struct span serial)
{
    bool is_zero = serial.len == 1 && serial.data[0] == 0;

    if (serial.len == 0 || is_zero || (serial.data[0] & 0x80) != 0)
        finding_add(l->findings, "lint.serial", "serial", is_zero ? "zero" : "negative", "positive");
    else if (serial.len > 20)
        finding_add(l->findings, "lint.serial", "serial", "longer than 20 octets", "at most 20");
}

static bool lint_time(struct lint *l, struct span *in, int64_t *out_s)
{
    struct der d;

    if (!der_next(in, &d) || !der_time(&d, out_s)) {
        finding_add(l->findings, "lint.time", "validity", "no time as DER has it", NULL);
        return false;
    }
    if ((d.tag == DER_UTC_TIME) != (*out_s < CLOCK_UTCTIME_END))
        finding_add(l->findings, "lint.time", "validity",
                    d.tag == DER_UTC_TIME ? "UTCTime from 2050 on" : "GeneralizedTime before 2050", NULL);
    return true;
}

static void lint_validity(struct lint *l, struct span body)
{
    int64_t from_s, to_s;

    if (lint_time(l, &body, &from_s) && lint_time(l, &body, &to_s) && to_s < from_s)
        finding_add(l->findings, "lint.time", "validity", "over before it begins", NULL);
}

static bool lint_fields(struct lint *l, struct span tbs)
{
    struct der seq, d;

    if (!der_expect(&tbs, DER_SEQUENCE, &seq) || tbs.len != 0 || !lint_version(&seq.body) ||
        !der_expect(&seq.body, DER_INTEGER, &d))
        return false;
    lint_serial(l, d.body);
    if (!der_expect(&seq.body, DER_SEQUENCE, &d) || !der_expect(&seq.body, DER_SEQUENCE, &d))
        return false;
    if (d.body.len == 0)
        finding_add(l->findings, "lint.issuer", "issuer", "empty", NULL);
    if (!der_expect(&seq.body, DER_SEQUENCE, &d))
        return false;
    lint_validity(l, d.body);
    if (!der_expect(&seq.body, DER_SEQUENCE, &d))
        return false;
    lint_subject(d.whole, l->findings);
    if (!der_expect(&seq.body, DER_SEQUENCE, &d) || !key_kind_of(d.whole, &l->key) ||
        !der_expect(&seq.body, DER_CONTEXT_CONSTRUCTED(3), &d) || seq.body.len != 0 ||
        !der_expect(&d.body, DER_SEQUENCE, &seq) || d.body.len != 0)
        return false;
    lint_extensions(l, seq.body);
    return true;
}

void lint_check(struct span tbs, bool is_cisco, struct findings *out)
{
    struct lint l = {.is_cisco = is_cisco, .findings = out};

    if (!lint_fields(&l, tbs))
        return finding_add(out, "lint.structure", "certificate", "a field is missing or broken", NULL);
    lint_usage(&l);
    lint_purposes(&l);
    lint_ca(&l);
}
