/* SPDX-License-Identifier: Apache-2.0 */
/* Is no subject let through by the last look before signing that the signer refuses then? */
#include "ca/policy.h"
#include "signer/inner.h"
#include "tests/unit/api/request.h"

#include <criterion/criterion.h>
#include <string.h>

static void put_attribute(struct buf *b, struct span type, uint8_t tag, struct span value)
{
    size_t pair = der_open(b, DER_SEQUENCE);

    der_put_oid(b, type);
    der_put(b, tag, value);
    der_close(b, pair);
}

/* The rule that refuses it, in static memory; NULL: none. */
static const char *refused_by(struct span subject)
{
    static char rule[64];
    struct findings findings = {0};
    bool refuses;

    lint_subject(subject, &findings);
    refuses = findings_refuse(&findings);
    if (refuses)
        snprintf(rule, sizeof rule, "%s", findings.items[0].rule);
    findings_free(&findings);
    return refuses ? rule : NULL;
}

struct attribute_made {
    struct span type;
    uint8_t tag;
    struct span value;
};

/* A subject of one RDN, with these in the order given. */
static void make_subject(struct buf *out, const struct attribute_made *a, size_t n)
{
    size_t name, set;

    request_init(out);
    name = der_open(out, DER_SEQUENCE);
    set = der_open(out, DER_SET);
    for (size_t i = 0; i < n; i++)
        put_attribute(out, a[i].type, a[i].tag, a[i].value);
    der_close(out, set);
    der_close(out, name);
}

static const char *verdict_on(struct span type, uint8_t tag, struct span value)
{
    struct buf subject;
    const char *rule;

    make_subject(&subject, &(struct attribute_made){type, tag, value}, 1);
    rule = refused_by(buf_span(&subject));
    cr_expect(rule != NULL || is_name(buf_span(&subject)), "tag %02x, %zu octets: the signer would refuse it",
              tag, value.len);
    buf_free(&subject);
    return rule;
}

#define STREET RAW("\x55\x04\x09") /* lint has no row for it */
#define CN RAW("\x55\x04\x03")

static const struct {
    size_t len;
    const char *octets;
} values[] = {{0, ""},         {1, "A"},    {2, "\0A"},          {2, "\xd8\0"},       {4, "\0\0\0A"},
              {2, "\xc3\xa4"}, {1, "\xe9"}, {4, "\xd8\0\xdc\0"}, {3, "\xed\xa0\x80"}, {5, "1.2.3"},
              {2, "\x30\x00"}, {3, "a@b"},  {3, "1 2"},          {2, "a\x80"},        {3, "a_b"}};

Test(name_agree, whatever_lint_takes_the_signer_takes)
{
    for (unsigned tag = 1; tag < 0x1f; tag++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            struct span value = span_of(values[i].octets, values[i].len);

            (void)verdict_on(STREET, (uint8_t)tag, value);
            (void)verdict_on(CN, (uint8_t)tag, value);
        }
}

Test(name_agree, the_strings_in_use_are_taken_and_others_named)
{
    static const uint8_t good[] = {DER_UTF8_STRING, DER_NUMERIC_STRING, DER_PRINTABLE_STRING, DER_T61_STRING,
                                   DER_IA5_STRING};
    static const uint8_t bad[] = {DER_VISIBLE_STRING, 0x1b, DER_UNIVERSAL_STRING, 0x15, 0x19};

    for (size_t i = 0; i < sizeof good; i++) {
        cr_expect_null(verdict_on(STREET, good[i], RAW("1")), "%02x", good[i]);
        cr_expect_str_eq(verdict_on(STREET, good[i], RAW("")), "lint.name-length", "%02x", good[i]);
    }
    cr_expect_null(verdict_on(STREET, DER_BMP_STRING, RAW("\0A")));
    cr_expect_str_eq(verdict_on(STREET, DER_BMP_STRING, RAW("\xd8\0")), "lint.string-type");
    cr_expect_str_eq(verdict_on(STREET, DER_PRINTABLE_STRING, RAW("a_b")), "lint.string-type");
    cr_expect_str_eq(verdict_on(STREET, DER_IA5_STRING, RAW("\xe9")), "lint.string-type");
    cr_expect_str_eq(verdict_on(STREET, DER_NUMERIC_STRING, RAW("A")), "lint.string-type");
    for (size_t i = 0; i < sizeof bad; i++)
        cr_expect_str_eq(verdict_on(STREET, bad[i], RAW("\0\0\0A")), "lint.string-type", "%02x", bad[i]);
}

static const char *verdict_on_two(struct span first, struct span second)
{
    const struct attribute_made both[] = {{first, DER_UTF8_STRING, RAW("a")},
                                          {second, DER_UTF8_STRING, RAW("a")}};
    struct buf subject;
    const char *rule;

    make_subject(&subject, both, 2);
    rule = refused_by(buf_span(&subject));
    cr_expect_eq(rule == NULL, is_name(buf_span(&subject)));
    buf_free(&subject);
    return rule;
}

Test(name_agree, attributes_of_an_rdn_are_sorted)
{
    cr_expect_null(verdict_on_two(CN, STREET));
    cr_expect_str_eq(verdict_on_two(STREET, CN), "lint.subject");
}
