/* SPDX-License-Identifier: Apache-2.0 */
/* Is the installed catalogue sound, and is a site's refused with the line and what is permitted? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

static const char head[] = "<profiles xmlns=\"urn:chancery:profiles:1\">\n";

static enum err load(const char *body, struct catalogue *c, char *report, size_t cap)
{
    char content[8192];
    struct buf b;
    struct fault f = {0};
    enum err e;

    snprintf(content, sizeof content, "%s%s\n</profiles>", head, body);
    buf_init(&b, 65536);
    e = catalogue_load("profiles.xml", span_str(content), c, &b, &f);
    cr_assert_eq(f.code, e);
    cr_assert(span_to_str(buf_span(&b), report, cap));
    if (e != OK)
        cr_assert(strncmp(report, f.detail, strcspn(report, "\n")) == 0, "%s", f.detail);
    buf_free(&b);
    return e;
}

#define PROFILE(attrs, key, eku, days)                                                                       \
    "<profile id=\"site/a\" title=\"A\"" attrs ">\n" key "\n" eku "\n" days "\n</profile>"
#define RSA "<rsa sizes=\"2048\"><key-usage required=\"digitalSignature\"/></rsa>"
#define EKU "<extended-key-usage required=\"serverAuth\"/>"
#define DAYS "<days default=\"1\" max=\"2\"/>"

Test(catalogue, the_installed_one_has_what_is_promised)
{
    static const char *const ids[] = {"ucm/CallManager",
                                      "ucm/CallManager-ECDSA",
                                      "ucm/tomcat",
                                      "ucm/tomcat-ECDSA",
                                      "ucm/ipsec",
                                      "ucce/host",
                                      "ucce/host-ECDSA",
                                      "general/server",
                                      "chancery/administrator",
                                      "chancery/listener",
                                      "chancery/ocsp",
                                      "chancery/issuer"};

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        cr_assert_eq(installed(ids[i])->is_internal, strncmp(ids[i], "chancery/", 9) == 0, "%s", ids[i]);
    cr_assert_null(profile_find(installed_all(), ""));
    for (size_t i = 0; i < installed_all()->count; i++) {
        const struct profile *p = &installed_all()->profiles[i];

        bool is_capf = strcmp(p->id, "ucm/CAPF") == 0;

        cr_expect(!p->wildcards && p->title[0] != '\0', "%s", p->id);
        cr_expect_eq(p->needs_approval, is_capf, "%s", p->id);
        cr_expect_eq(p->is_ca, is_capf || strcmp(p->id, "chancery/issuer") == 0, "%s", p->id);
        cr_expect(p->limit_count == 0 && !p->drop_ou, "%s: what a site decides is the site's", p->id);
        cr_expect(p->days_default > 0 && p->days_default <= p->days_max, "%s", p->id);
        cr_expect_eq(p->eku_required == 0, p->is_ca && p->is_internal, "%s: never without extendedKeyUsage",
                     p->id);
        if (!p->is_internal)
            cr_expect_eq(p->is_cisco, strncmp(p->id, "general/", 8) != 0, "%s", p->id);
    }
}

Test(catalogue, a_sites_profile_is_read_as_it_is_written)
{
    struct catalogue c;
    char report[4096];
    const struct profile *p;

    cr_assert_eq(load("<profile id=\"site/web\" title=\"Caf&#233; &amp; web\" multi-server=\"true\" "
                      "ip-names=\"true\" domain-names=\"true\" wildcards=\"true\" always-table=\"true\">"
                      "<rsa sizes=\" 2048\n4096 \" advised=\"2048\"><key-usage required=\"digitalSignature\" "
                      "tolerated=\"keyEncipherment keyAgreement\""
                      " default=\"digitalSignature keyEncipherment\"/></rsa>"
                      "<ec sizes=\"384\"><key-usage required=\"digitalSignature\"/></ec>"
                      "<extended-key-usage required=\"serverAuth\" tolerated=\"clientAuth ipsecIKE\"/>"
                      "<days default=\"90\" max=\"397\"/></profile>",
                      &c, report, sizeof report),
                 OK, "%s", report);
    p = profile_find(&c, "site/web");
    cr_assert_not_null(p);
    cr_assert_eq(p, &c.profiles[0]);
    cr_assert_str_eq(p->title, "Caf\xc3\xa9 & web");
    cr_assert(p->multi_server && p->ip_sans && p->domain_sans && p->wildcards);
    cr_assert(!p->is_cisco && !p->is_internal && p->naming == NAMING_FREE && !p->is_ca);
    cr_assert(p->always_table && !profile_find(&c, "chancery/viewer")->always_table);
    cr_assert_eq(p->key_count, 3);
    cr_assert_eq(p->rsa_advised, 2048);
    cr_assert_eq(profile_find(&c, "chancery/listener")->rsa_advised, 0);
    cr_assert(p->keys[0].type == KEY_RSA && p->keys[0].bits == 2048);
    cr_assert(p->keys[1].type == KEY_RSA && p->keys[1].bits == 4096);
    cr_assert(p->keys[2].type == KEY_EC && p->keys[2].bits == 384);
    cr_assert_eq(profile_ku(p, KEY_RSA)->required, KU_DIGITAL_SIGNATURE);
    cr_assert_eq(profile_ku(p, KEY_RSA)->tolerated, KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT);
    cr_assert_eq(profile_ku(p, KEY_RSA)->preset, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    cr_assert_eq(profile_ku(p, KEY_EC)->preset, KU_DIGITAL_SIGNATURE);
    cr_assert_null(profile_ku(p, KEY_OTHER));
    cr_assert_eq(p->eku_required, 1u << EKU_SERVER_AUTH);
    cr_assert_eq(p->eku_tolerated, 1u << EKU_CLIENT_AUTH | 1u << EKU_IPSEC_IKE);
    cr_assert(p->days_default == 90 && p->days_max == 397);
    cr_assert_not_null(profile_find(&c, "chancery/ocsp"), "our own are always there");
    cr_assert_null(profile_find(&c, "ucm/tomcat"), "a site's catalogue replaces the installed one");
    catalogue_free(&c);
    cr_assert_eq(c.count, 0);
}

Test(catalogue, a_sites_own_decisions_are_read)
{
    struct catalogue c;
    char report[4096];
    const struct profile *p;

    cr_assert_eq(load("<profile id=\"site/ca\" title=\"CA\" ca=\"true\"><rsa sizes=\"3072\"><key-usage "
                      "required=\"keyCertSign cRLSign digitalSignature\"/></rsa>" EKU DAYS "</profile>"
                      "<profile id=\"site/b\" title=\"B\" naming=\"host\" approval=\"true\" ou=\"drop\" "
                      "san=\"required\" hashes=\"SHA-384 SHA-512\">" RSA EKU DAYS
                      "<names><suffix value=\".example.com\"/><name value=\"www.example.org\"/></names>"
                      "</profile>"
                      "<profile id=\"site/trusted-ca\" title=\"CA\" ca=\"true\" approval=\"false\"><rsa "
                      "sizes=\"3072\"><key-usage required=\"keyCertSign\"/></rsa>" DAYS "</profile>",
                      &c, report, sizeof report),
                 OK, "%s", report);
    p = profile_find(&c, "site/ca");
    cr_assert(p->is_ca && p->needs_approval, "who may issue is decided by a person");
    p = profile_find(&c, "site/trusted-ca");
    cr_assert(p->is_ca && !p->needs_approval, "unless the site says otherwise");
    p = profile_find(&c, "site/b");
    cr_assert(p->needs_approval && p->drop_ou && p->naming == NAMING_HOST && p->san_rule == SAN_REQUIRED);
    cr_assert_eq(p->hashes, 1u << HASH_SHA384 | 1u << HASH_SHA512);
    cr_assert_eq(p->limit_count, 2);
    cr_assert(p->limits[0].is_suffix && !p->limits[1].is_suffix);
    cr_assert_str_eq(p->limits[0].value, ".example.com");
    cr_assert_str_eq(p->limits[1].value, "www.example.org");
    catalogue_free(&c);
}

Test(catalogue, mistakes_are_refused_with_line_and_permitted_set)
{
    static const struct {
        const char *body, *line, *says;
    } cases[] = {
        {PROFILE(" colour=\"red\"", RSA, EKU, DAYS),
         "profiles.xml:2: ", "attribute \"colour\" is not known; permitted: id, title"},
        {PROFILE(" cisco=\"yes\"", RSA, EKU, DAYS), "profiles.xml:2: ", "permitted: true, false"},
        {PROFILE(" naming=\"ucm\"", RSA, EKU, DAYS), "profiles.xml:2: ", "permitted: free, vos"},
        {PROFILE("", RSA, EKU, DAYS) "\n" PROFILE("", RSA, EKU, DAYS),
         "profiles.xml:7: ", "\"site/a\": two profiles have this id"},
        {PROFILE("", "<rsa sizes=\"1024\"><key-usage required=\"digitalSignature\"/></rsa>", EKU, DAYS),
         "profiles.xml:3: ", "permitted: one or more of 2048, 3072, 4096"},
        {PROFILE("",
                 "<rsa sizes=\"3072 4096\" advised=\"2048\"><key-usage required=\"digitalSignature\"/></rsa>",
                 EKU, DAYS),
         "profiles.xml:3: ", "advised is none of the sizes"},
        {PROFILE("", "<rsa sizes=\"2048\" advised=\"2047\"><key-usage required=\"digitalSignature\"/></rsa>",
                 EKU, DAYS),
         "profiles.xml:3: ", "permitted: 2048, 3072, 4096"},
        {PROFILE("", "<rsa sizes=\"2048\"><key-usage required=\"digitalSignatur\"/></rsa>", EKU, DAYS),
         "profiles.xml:3: ",
         "<key-usage required=\"digitalSignatur\"> is not permitted; permitted: digitalSignature, "
         "nonRepudiation"},
        {PROFILE("", RSA, "<extended-key-usage required=\"serverauth\"/>", DAYS),
         "profiles.xml:4: ", "permitted: serverAuth, clientAuth"},
        {PROFILE("", RSA, "<extended-key-usage required=\"anyExtendedKeyUsage\"/>", DAYS),
         "profiles.xml:4: ", "permitted: serverAuth"},
        {PROFILE("", RSA, EKU, "<days default=\"0\" max=\"2\"/>"),
         "profiles.xml:5: ", "permitted: a whole number of days from 1"},
        {PROFILE("", RSA, EKU, "<days default=\"3\" max=\"2\"/>"),
         "profiles.xml:5: ", "default is more than max"},
        {PROFILE("", RSA, EKU, ""), "profiles.xml:2: ", "expected: days"},
        {PROFILE("", RSA, "", DAYS), "profiles.xml:2: ", "<extended-key-usage> is missing"},
        {PROFILE("", "", EKU, DAYS), "profiles.xml:2: ", "permitted: <rsa>, <ec> or both"},
        {"<profile id=\"chancery/mine\" title=\"M\">\n" RSA EKU DAYS "</profile>",
         "profiles.xml:2: ", "the service's own"},
        {"<profile id=\"chancery/ocsp\" title=\"M\">\n" RSA EKU DAYS "</profile>",
         "profiles.xml:2: ", "the service's own"},
        {"<profile id=\"tomcat\" title=\"M\">\n" RSA EKU DAYS "</profile>",
         "profiles.xml:2: ", "permitted: GROUP/NAME"},
        {PROFILE(" ca=\"true\"", RSA, EKU, DAYS), "profiles.xml:3: ", "requires keyCertSign"},
        {PROFILE(" approval=\"maybe\"", RSA, EKU, DAYS), "profiles.xml:2: ", "permitted: true, false"},
        {PROFILE(" ou=\"lose\"", RSA, EKU, DAYS), "profiles.xml:2: ", "permitted: keep, drop"},
        {PROFILE(" san=\"always\"", RSA, EKU, DAYS),
         "profiles.xml:2: ", "permitted: from-cn, as-asked, required"},
        {PROFILE(" hashes=\"SHA-256 MD5\"", RSA, EKU, DAYS),
         "profiles.xml:2: ", "permitted: one or more of SHA-1, SHA-224"},
        {PROFILE("", RSA, EKU, DAYS "\n<names/>"), "profiles.xml:6: ", "expected: suffix, name"},
        {PROFILE("", RSA, EKU, DAYS "\n<names><suffix value=\"example.com\"/></names>"),
         "profiles.xml:6: ", "permitted: a dot and a domain"},
        {PROFILE("", RSA, EKU, DAYS "\n<names><name value=\"\"/></names>"),
         "profiles.xml:6: ", "permitted: one name in full"},
        {PROFILE(
             "",
             "<rsa sizes=\"2048\"><key-usage required=\"digitalSignature\" tolerated=\"keyCertSign\"/></rsa>",
             EKU, DAYS),
         "profiles.xml:3: ", "for issuers"},
        {PROFILE("", RSA, "<extended-key-usage required=\"clientAuth\" tolerated=\"OCSPSigning\"/>", DAYS),
         "profiles.xml:4: ", "OCSPSigning would let its holder answer for this service"},
        {PROFILE("",
                 "<ec sizes=\"256\"><key-usage required=\"digitalSignature\" "
                 "tolerated=\"keyEncipherment\"/></ec>",
                 EKU, DAYS),
         "profiles.xml:3: ", "RFC 8813"},
        {PROFILE("",
                 "<rsa sizes=\"2048\"><key-usage required=\"digitalSignature\" "
                 "default=\"keyEncipherment\"/></rsa>",
                 EKU, DAYS),
         "profiles.xml:3: ", "default lacks a usage that is required"},
        {PROFILE(" cisco=\"true\" wildcards=\"true\"", RSA, EKU, DAYS),
         "profiles.xml:2: ", "refuse wildcards"},
        {"<template/>", "profiles.xml:2: ", "<template> is not permitted here; expected: profile"},
        {"", "profiles.xml:1: ", "<profiles> is not complete; expected: profile"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct catalogue c;
        char report[8192];

        cr_expect_eq(load(cases[i].body, &c, report, sizeof report), ERR_CONFIG, "%s", cases[i].body);
        cr_expect(strncmp(report, cases[i].line, strlen(cases[i].line)) == 0, "%zu: %s", i, report);
        cr_expect_not_null(strstr(report, cases[i].says), "%zu: %s", i, report);
        cr_expect(c.count == 0 && c.profiles == NULL);
    }
}

Test(catalogue, every_mistake_is_reported)
{
    struct catalogue c;
    char report[8192];

    cr_assert_eq(load("<profile id=\"chancery/x\" title=\"M\">\n" RSA EKU
                      "<days default=\"3\" max=\"2\"/></profile>\n"
                      "<profile id=\"site/y\" title=\"M\" ca=\"true\">\n" RSA EKU DAYS "</profile>",
                      &c, report, sizeof report),
                 ERR_CONFIG);
    cr_assert_not_null(strstr(report, "profiles.xml:3: <days>"), "%s", report);
    cr_assert_not_null(strstr(report, "profiles.xml:2: <profile>"), "%s", report);
    cr_assert_not_null(strstr(report, "profiles.xml:5: <key-usage>"), "%s", report);
}

Test(catalogue, the_installed_one_can_be_a_sites_own)
{
    struct catalogue c;
    struct fault f = {0};

    cr_assert_eq(catalogue_load("profiles.xml", catalogue_installed(), &c, NULL, &f), OK, "%s", f.detail);
    cr_assert_eq(c.count, installed_all()->count);
    catalogue_free(&c);
}
