/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint_name: subjects and subjectAltNames by RFC 5280 4.1.2.4, 4.1.2.6, 4.2.1.6 and the upper bounds of A.1.
 * Lengths are in characters. A subject is looked at before anything else is decided too, so that a preflight
 * finds it together with the rest.
 */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "ca/lint.h"

#define OID(text)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }

enum form { FORM_DIRECTORY, FORM_PRINTABLE, FORM_IA5 };

static const struct {
    struct span oid;
    const char *name;
    unsigned most; /* characters */
    enum form form;
} attributes[] = {
    {OID("\x55\x04\x03"), "commonName", 64, FORM_DIRECTORY},
    {OID("\x55\x04\x04"), "surname", 32768, FORM_DIRECTORY},
    {OID("\x55\x04\x05"), "serialNumber", 64, FORM_PRINTABLE},
    {OID("\x55\x04\x06"), "countryName", 2, FORM_PRINTABLE},
    {OID("\x55\x04\x07"), "localityName", 128, FORM_DIRECTORY},
    {OID("\x55\x04\x08"), "stateOrProvinceName", 128, FORM_DIRECTORY},
    {OID("\x55\x04\x0a"), "organizationName", 64, FORM_DIRECTORY},
    {OID("\x55\x04\x0b"), "organizationalUnitName", 64, FORM_DIRECTORY},
    {OID("\x55\x04\x0c"), "title", 64, FORM_DIRECTORY},
    {OID("\x55\x04\x2a"), "givenName", 32768, FORM_DIRECTORY},
    {OID("\x55\x04\x2e"), "dnQualifier", 64, FORM_PRINTABLE},
    {OID("\x55\x04\x41"), "pseudonym", 128, FORM_DIRECTORY},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), "emailAddress", 255, FORM_IA5},
    {OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "domainComponent", 63, FORM_IA5},
};

static const char *type_name(uint8_t tag)
{
    static const struct {
        uint8_t tag;
        const char *name;
    } names[] = {
        {DER_UTF8_STRING, "UTF8String"},       {DER_PRINTABLE_STRING, "PrintableString"},
        {DER_IA5_STRING, "IA5String"},         {DER_T61_STRING, "TeletexString"},
        {DER_BMP_STRING, "BMPString"},         {DER_UNIVERSAL_STRING, "UniversalString"},
        {DER_NUMERIC_STRING, "NumericString"}, {DER_VISIBLE_STRING, "VisibleString"},
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].tag == tag)
            return names[i].name;
    return "another type";
}

static bool form_permits(enum form form, uint8_t tag)
{
    if (form == FORM_IA5)
        return tag == DER_IA5_STRING;
    return tag == DER_PRINTABLE_STRING || (form == FORM_DIRECTORY && tag == DER_UTF8_STRING);
}

static const char *form_text(enum form form)
{
    return form == FORM_IA5         ? "IA5String"
           : form == FORM_PRINTABLE ? "PrintableString"
                                    : "PrintableString or UTF8String";
}

static unsigned characters_of(const struct attribute *a)
{
    unsigned count = 0;

    for (size_t i = 0; i < a->value.len; i++)
        count += a->tag != DER_UTF8_STRING || (a->value.data[i] & 0xc0) != 0x80;
    return count;
}

static void lint_length(const struct attribute *a, const char *name, unsigned most, struct findings *out)
{
    unsigned count = characters_of(a);
    char got[96], want[96];

    if (count > 0 && count <= most)
        return;
    snprintf(got, sizeof got, "a %s of %u characters", name, count);
    snprintf(want, sizeof want, "1 to %u", most);
    finding_add(out, "lint.name-length", "subject", got, want);
}

/* The signer signs no name with a value that is not a text, of whatever attribute. */
static bool is_text(const struct attribute *a)
{
    return der_is_text(&(struct der){.tag = a->tag, .body = a->value});
}

static void lint_any(const struct attribute *a, struct findings *out)
{
    char got[96];

    if (a->value.len == 0)
        return finding_add(out, "lint.name-length", "subject", "an attribute of 0 characters", "1 or more");
    if (is_text(a))
        return;
    snprintf(got, sizeof got, "an attribute as %s, or with octets that are not its characters",
             type_name(a->tag));
    finding_add(out, "lint.string-type", "subject", got, form_text(FORM_DIRECTORY));
}

static void lint_attribute(const struct attribute *a, void *arg)
{
    struct findings *out = arg;
    char got[96];

    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (!span_eq(a->type, attributes[i].oid))
            continue;
        if (!form_permits(attributes[i].form, a->tag)) {
            snprintf(got, sizeof got, "a %s as %s", attributes[i].name, type_name(a->tag));
            return finding_add(out, "lint.string-type", "subject", got, form_text(attributes[i].form));
        }
        if (a->value.len > 0 && !is_text(a)) {
            snprintf(got, sizeof got, "a %s with characters that %s lacks", attributes[i].name,
                     type_name(a->tag));
            return finding_add(out, "lint.string-type", "subject", got, form_text(attributes[i].form));
        }
        if (attributes[i].most == 2 && a->value.len != 2)
            return finding_add(out, "lint.name-length", "subject", "a countryName that is no code", "2");
        return lint_length(a, attributes[i].name, attributes[i].most, out);
    }
    lint_any(a, out);
}

/* Of a subject that subject_each() has walked. X.690 11.6 */
static bool is_sorted(struct span subject)
{
    struct der name, rdn, pair;
    struct span previous;

    if (!der_expect(&subject, DER_SEQUENCE, &name))
        return false;
    while (der_next(&name.body, &rdn)) {
        previous = (struct span){0};
        for (; der_next(&rdn.body, &pair); previous = pair.whole)
            if (previous.len > 0 && !der_ascends(previous, pair.whole))
                return false;
    }
    return true;
}

void lint_subject(struct span subject, struct findings *out)
{
    if (subject.len <= 2)
        return finding_add(out, "lint.subject", "subject", "empty", "a name");
    if (!subject_each(subject, lint_attribute, out))
        finding_add(out, "lint.subject", "subject", "no Name", "a name");
    else if (!is_sorted(subject))
        finding_add(out, "lint.subject", "subject", "not in DER order within an RDN", "a name");
}

/* ---- subjectAltName ---- */

/* The preferred syntax, one underscore more lenient than RFC 1034 3.5: san.underscore has warned of it. */
static const char *dns_fault(struct span name)
{
    enum host_kind kind = host_kind_of(name);

    return kind == HOST_BAD || kind == HOST_STAR ? "a dNSName that is no host name" : NULL;
}

bool lint_san(struct lint *l, struct span value)
{
    struct der seq, name;
    const char *fault;

    if (!der_expect(&value, DER_SEQUENCE, &seq) || value.len != 0)
        return false;
    if (seq.body.len == 0)
        finding_add(l->findings, "lint.san", "san", "no name", "one or more");
    while (seq.body.len > 0) {
        if (!der_next(&seq.body, &name))
            return false;
        fault = name.tag == DER_CONTEXT(SAN_DNS)            ? dns_fault(name.body)
                : name.tag != DER_CONTEXT(SAN_IP)           ? "a kind of name that no profile permits"
                : name.body.len != 4 && name.body.len != 16 ? "an iPAddress of neither 4 nor 16 octets"
                                                            : NULL;
        if (fault != NULL)
            finding_add(l->findings, "lint.san", "san", fault, "host names and addresses");
    }
    return true;
}
