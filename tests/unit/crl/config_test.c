/* SPDX-License-Identifier: Apache-2.0 */
/* Is the publisher's part of the configuration read, and what the schema let through refused when it makes no
 * sense? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "crl/crl.h"

/* Lets anything through: what is tested here is the reader behind a schema. */
static const char schema[] = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
                             "<xs:element name='chancery'/></xs:schema>";

static enum err read_config(const char *inside, struct crl_config *out, struct fault *f)
{
    char text[8192];
    struct xml *x;
    enum err e;

    snprintf(text, sizeof text, "<chancery>%s</chancery>", inside);
    cr_assert_eq(xml_parse("test.xml", span_str(text), span_str(schema), &x, NULL, f), OK, "%s", f->detail);
    e = crl_config_read(xml_root(x), out, f);
    xml_free(x);
    return e;
}

Test(crl_config, issuers_and_spans_are_read)
{
    struct crl_config c;
    struct fault f = {0};

    cr_assert_eq(read_config("<crl on-revocation='true'/>"
                             "<issuer id='rsa-root-g1'><crl every='168h' overlap='3d'/></issuer>"
                             "<issuer id='rsa-g1'><crl every='24h' overlap='72h'/></issuer>",
                             &c, &f),
                 OK, "%s", f.detail);
    cr_assert(c.on_revocation);
    cr_assert_eq(c.count, 2);
    cr_assert_str_eq(c.issuers[0].id, "rsa-root-g1");
    cr_assert_eq(c.issuers[0].every_s, 168 * 3600);
    cr_assert_eq(c.issuers[0].overlap_s, 3 * 86400);
    cr_assert_str_eq(c.issuers[1].id, "rsa-g1");
}

Test(crl_config, schedule_deltas_and_shards_are_read)
{
    struct crl_config c;
    struct fault f = {0};

    cr_assert_eq(read_config("<issuer id='ca'><crl every='7d' overlap='3d' at='02:30' jitter='10m' "
                             "delta-every='4h' shards='16'/></issuer>"
                             "<issuer id='ca-g5'><crl every='5h' overlap='1h'/></issuer>",
                             &c, &f),
                 OK, "%s", f.detail);
    cr_expect_eq(c.issuers[0].at_s, 2 * 3600 + 30 * 60);
    cr_expect_eq(c.issuers[0].jitter_s, 600);
    cr_expect_eq(c.issuers[0].delta_s, 4 * 3600);
    cr_expect_eq(c.issuers[0].shards, 16);
    cr_expect(c.issuers[1].at_s == -1 && c.issuers[1].jitter_s == 0 && c.issuers[1].delta_s == 0);
    cr_expect_eq(c.issuers[1].shards, 1);
}

Test(crl_config, revocation_publishes_nothing_unless_asked_for)
{
    struct crl_config c;
    struct fault f = {0};

    cr_assert_eq(read_config("<crl on-revocation='false'/>", &c, &f), OK);
    cr_assert(!c.on_revocation);
    cr_assert_eq(read_config("", &c, &f), OK);
    cr_assert(!c.on_revocation);
    cr_assert_eq(c.count, 0);
}

Test(crl_config, what_makes_no_sense_is_refused_with_its_place)
{
    static const char *const bad[] = {
        "<issuer id='ca'/>",
        "<issuer><crl every='1h' overlap='1h'/></issuer>",
        "<issuer id=''><crl every='1h' overlap='1h'/></issuer>",
        "<issuer id='0123456789012345678901234567890123456789'><crl every='1h' overlap='1h'/></issuer>",
        "<issuer id='ca'><crl overlap='1h'/></issuer>",
        "<issuer id='ca'><crl every='0h' overlap='1h'/></issuer>",
        "<issuer id='ca'><crl every='1h' overlap='soon'/></issuer>",
        "<issuer id='ca'><crl every='390d' overlap='11d'/></issuer>",
        "<issuer id='ca'><crl every='5h' overlap='1h' at='02:30'/></issuer>",
        "<issuer id='ca'><crl every='36h' overlap='1h' at='02:30'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' at='24:00'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' at='2:30'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' at='02:30:00'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' jitter='13h'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' jitter='3h' delta-every='4h'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' delta-every='5h'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' delta-every='24h'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' shards='3'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' shards='512'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' shards='0'/></issuer>",
        "<issuer id='ca'><crl every='24h' overlap='1h' shards='4'/></issuer>"
        "<issuer id='ca-5'><crl every='24h' overlap='1h'/></issuer>",
        "<issuer id='ca-delta'><crl every='24h' overlap='1h'/></issuer>"
        "<issuer id='ca'><crl every='24h' overlap='1h' delta-every='4h'/></issuer>",
        /* neither has any now, but there may have been some: certificates name them for life */
        "<issuer id='ca'><crl every='24h' overlap='1h'/></issuer>"
        "<issuer id='ca-delta'><crl every='24h' overlap='1h'/></issuer>",
        "<issuer id='ca-16-delta'><crl every='24h' overlap='1h'/></issuer>"
        "<issuer id='ca'><crl every='24h' overlap='1h'/></issuer>",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault f = {0};
        struct crl_config c;

        cr_expect_eq(read_config(bad[i], &c, &f), ERR_CONFIG, "%s", bad[i]);
        cr_expect_eq(strncmp(f.detail, "test.xml:1: ", 12), 0, "%s", f.detail);
    }
}

Test(crl_config, what_is_refused_is_told_with_its_line_and_what_is_permitted)
{
    static const char *const cases[][2] = {
        {"every='24h' overlap='soon'", "overlap=\"soon\"> is not permitted; permitted: a span such as 24h"},
        {"overlap='1h'", "every=\"\"> is not permitted; permitted: a span such as 24h"},
        {"every='1d' overlap='1h' at='2:30'",
         "at=\"2:30\"> is not permitted; permitted: a time of day in UTC such as 02:30"},
        {"every='5h' overlap='1h' at='02:30'",
         "every=\"5h\"> is not permitted; permitted: with at: days, or hours that divide a day"},
        {"every='1d' overlap='1h' shards='512'",
         "shards=\"512\"> is not permitted; permitted: a power of two up to 256"},
        {"every='390d' overlap='11d'",
         "every=\"390d\"> is not permitted; permitted: at most 400d, together with jitter and overlap"},
        {"every='24h' overlap='1h' delta-every='5h'",
         "delta-every=\"5h\"> is not permitted; permitted: less than every, which is a multiple of it"},
        {"every='24h' overlap='1h' jitter='13h'",
         "jitter=\"13h\"> is not permitted; permitted: at most half of the time between two runs"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault f = {0};
        struct crl_config c;
        char inside[256], want[256];

        snprintf(inside, sizeof inside, "\n<issuer id='ca'><crl %s/></issuer>", cases[i][0]);
        snprintf(want, sizeof want, "test.xml:2: <crl %s", cases[i][1]);
        cr_expect_eq(read_config(inside, &c, &f), ERR_CONFIG);
        cr_expect_str_eq(f.detail, want);
    }
}

Test(crl_config, ids_that_are_alike_and_name_no_list_of_each_other_are_fine)
{
    struct fault f = {0};
    struct crl_config c;

    cr_assert_eq(
        read_config("<issuer id='ca'><crl every='24h' overlap='1h' delta-every='4h' shards='4'/></issuer>"
                    "<issuer id='ca-1'><crl every='24h' overlap='1h'/></issuer>"
                    "<issuer id='ca-2026'><crl every='24h' overlap='1h'/></issuer>"
                    "<issuer id='ca-delta-2'><crl every='24h' overlap='1h'/></issuer>"
                    "<issuer id='ca2'><crl every='24h' overlap='1h'/></issuer>",
                    &c, &f),
        OK, "%s", f.detail);
}

Test(crl_config, more_issuers_than_the_limit_are_refused)
{
    char text[4096] = "";
    struct fault f = {0};
    struct crl_config c;

    for (unsigned i = 0; i <= ISSUERS_MAX; i++)
        sprintf(text + strlen(text), "<issuer id='i%u'><crl every='1h' overlap='1h'/></issuer>", i);
    cr_assert_eq(read_config(text, &c, &f), ERR_CONFIG);
}
