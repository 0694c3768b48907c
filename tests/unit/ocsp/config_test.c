/* SPDX-License-Identifier: Apache-2.0 */
/* Is the configuration's element read, and what is beyond its bounds refused? */
#include "ocsp/ocsp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char schema[] =
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='chancery'>"
    "<xs:complexType><xs:sequence><xs:element name='ocsp' minOccurs='0'><xs:complexType>"
    "<xs:attribute name='validity' type='xs:string'/><xs:attribute name='archive-cutoff' type='xs:string'/>"
    "<xs:attribute name='not-issued' type='xs:string'/><xs:attribute name='cache-mib' type='xs:integer'/>"
    "<xs:attribute name='live-rate' type='xs:string'/><xs:attribute name='unknown-rate' type='xs:string'/>"
    "</xs:complexType></xs:element>"
    "<xs:element name='issuer' minOccurs='0' maxOccurs='99'><xs:complexType><xs:attribute name='id' "
    "type='xs:string'/></xs:complexType></xs:element>"
    "</xs:sequence></xs:complexType></xs:element></xs:schema>";

static enum err read_of(const char *content, struct ocsp_config *out, struct fault *f)
{
    struct xml *x = NULL;
    enum err e = xml_parse("test.xml", span_str(content), span_str(schema), &x, NULL, f);

    cr_assert_eq(e, OK, "%s", f->detail);
    *f = (struct fault){0};
    e = ocsp_config_read(xml_root(x), out, f);
    xml_free(x);
    return e;
}

static enum err config_of(const char *content, struct ocsp_config *out)
{
    struct fault f = {0};
    enum err e = read_of(content, out, &f);

    cr_assert(e == OK || (strncmp(f.detail, "test.xml:1: <ocsp ", 18) == 0 &&
                          strstr(f.detail, "\"> is not permitted; permitted: ") != NULL),
              "%s", f.detail);
    return e;
}

Test(ocsp_config, a_day_is_the_default)
{
    struct ocsp_config c;

    cr_assert_eq(config_of("<chancery/>", &c), OK);
    cr_assert_eq(c.validity_s, 86400);
    cr_assert_eq(config_of("<chancery><ocsp/></chancery>", &c), OK);
    cr_assert_eq(c.validity_s, 86400);
}

Test(ocsp_config, a_span_within_bounds_is_taken)
{
    static const struct {
        const char *text;
        int64_t want_s; /* 0: refused */
    } cases[] = {{"60s", 60}, {"24h", 86400}, {"30d", 30 * 86400}, {"59s", 0}, {"31d", 0},
                 {"soon", 0}, {"", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ocsp_config c;
        char content[128];

        snprintf(content, sizeof content, "<chancery><ocsp validity='%s'/></chancery>", cases[i].text);
        cr_assert_eq(config_of(content, &c), cases[i].want_s > 0 ? OK : ERR_CONFIG, "%s", cases[i].text);
        cr_assert(cases[i].want_s == 0 || c.validity_s == cases[i].want_s);
    }
}

Test(ocsp_config, what_is_refused_is_told_with_its_line_and_what_is_permitted)
{
    static const char *const cases[][2] = {
        {"validity='30s'", "test.xml:2: <ocsp validity=\"30s\"> is not permitted; permitted: 60s to 30d"},
        {"archive-cutoff='x'",
         "test.xml:2: <ocsp archive-cutoff=\"x\"> is not permitted; permitted: a span such as 3650d"},
        {"not-issued='good'",
         "test.xml:2: <ocsp not-issued=\"good\"> is not permitted; permitted: unknown, revoked"},
        {"cache-mib='20000'",
         "test.xml:2: <ocsp cache-mib=\"20000\"> is not permitted; permitted: 0 to 16384"},
        {"live-rate='9'",
         "test.xml:2: <ocsp live-rate=\"9\"> is not permitted; permitted: a rate such as 100/s, or none"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ocsp_config c;
        struct fault f = {0};
        char content[128];

        snprintf(content, sizeof content, "<chancery>\n<ocsp %s/></chancery>", cases[i][0]);
        cr_assert_eq(read_of(content, &c, &f), ERR_CONFIG);
        cr_expect_str_eq(f.detail, cases[i][1]);
    }
}

Test(ocsp_config, issuers_are_those_that_are_named)
{
    struct ocsp_config c;

    cr_assert_eq(config_of("<chancery/>", &c), OK);
    cr_assert_eq(c.issuers.count, 0);
    cr_assert_eq(config_of("<chancery><issuer id='a-g1'/><issuer id='a-g2'/></chancery>", &c), OK);
    cr_assert_eq(c.issuers.count, 2);
    cr_assert_str_eq(c.issuers.ids[1], "a-g2");
}

Test(ocsp_config, the_rest_has_defaults)
{
    struct ocsp_config c;

    cr_assert_eq(config_of("<chancery/>", &c), OK);
    cr_assert(c.archive_cutoff_s == 0 && !c.is_extended_revoke && c.cache_octets == 64 << 20);
    cr_assert(c.live_rate.count == 2000 && c.live_rate.span_ms == 1000);
    cr_assert(c.unknown_rate.count == 6000 && c.unknown_rate.span_ms == 60000);
}

Test(ocsp_config, the_rest_is_read_and_held_to_its_bounds)
{
    static const struct {
        const char *attribute;
        enum err want;
    } cases[] = {
        {"archive-cutoff='3650d'", OK},    {"archive-cutoff='ever'", ERR_CONFIG},
        {"not-issued='revoked'", OK},      {"not-issued='unknown'", OK},
        {"not-issued='good'", ERR_CONFIG}, {"cache-mib='0'", OK},
        {"cache-mib='16384'", OK},         {"cache-mib='16385'", ERR_CONFIG},
        {"live-rate='none'", OK},          {"live-rate='10/s'", OK},
        {"live-rate='10'", ERR_CONFIG},    {"unknown-rate='0/s'", ERR_CONFIG},
        {"unknown-rate='1/h'", OK},
    };
    struct ocsp_config c;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char content[128];

        snprintf(content, sizeof content, "<chancery><ocsp %s/></chancery>", cases[i].attribute);
        cr_assert_eq(config_of(content, &c), cases[i].want, "%s", cases[i].attribute);
    }
    cr_assert_eq(config_of("<chancery><ocsp archive-cutoff='2d' not-issued='revoked' cache-mib='3' "
                           "live-rate='none' unknown-rate='7/h'/></chancery>",
                           &c),
                 OK);
    cr_assert(c.archive_cutoff_s == 2 * 86400 && c.is_extended_revoke && c.cache_octets == 3 << 20);
    cr_assert(c.live_rate.count == 0 && c.unknown_rate.count == 7 && c.unknown_rate.span_ms == 3600000);
}
