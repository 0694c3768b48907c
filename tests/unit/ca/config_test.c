/* SPDX-License-Identifier: Apache-2.0 */
/* Is chancery.xml read as it is written, and a wrong one refused with the line and what is permitted? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ca/ca.h"

#define HEAD "<chancery xmlns=\"urn:chancery:configuration:1\">\n"
#define SERVICE "<service name=\"Example UC\" host=\"ca.example.com\" node=\"7\"/>\n"
#define HTTP "<http listen=\"127.0.0.1:8080\" public-url=\"http://ca.example.com:8080\"/>\n"
#define HTTPS                                                                                                \
    "<https listen=\"[::1]:8443\" validity=\"60d\"><name value=\"ca.example.com\"/><name "                   \
    "value=\"127.0.0.1\"/><name value=\"::1\"/></https>\n"
#define STORE "<store/>\n"
#define OCSP "<ocsp validity=\"12h\" signer-validity=\"10d\"/>\n"
#define CRL "<crl/>\n"
#define ROOT                                                                                                 \
    "<issuer id=\"rsa-root-g1\" key=\"file:keys/a.key\" ocsp-key=\"file:keys/a-ocsp.key\"><crl "             \
    "every=\"168h\" overlap=\"72h\"/></issuer>\n"
#define ISSUER(id, more)                                                                                     \
    "<issuer id=\"" id "\" " more " key=\"file:keys/" id ".key\" ocsp-key=\"file:keys/" id                   \
    "-ocsp.key\"><crl every=\"24h\" overlap=\"72h\"/></issuer>\n"
#define WITH(attributes, inner)                                                                              \
    "<issuer id=\"a\" key=\"file:a\" ocsp-key=\"file:b\" " attributes                                        \
    "><crl every=\"1h\" overlap=\"1h\"/>" inner "</issuer>\n"
#define ISSUER_WITH(inner) WITH("", inner)
#define TAIL "</chancery>\n"
#define UPTO(x) HEAD SERVICE HTTP HTTPS STORE OCSP CRL x TAIL

static enum err read_all(const char *content, struct ca_config *out, char *report, size_t cap)
{
    struct xml *x = NULL;
    struct buf b;
    struct fault f = {0};
    enum err e;

    buf_init(&b, 65536);
    e = xml_parse("chancery.xml", span_str(content), ca_config_schema(), &x, &b, &f);
    if (e == OK)
        e = ca_config_read(xml_root(x), out, &f);
    cr_assert_eq(f.code, e);
    cr_assert(span_to_str(b.len > 0 ? buf_span(&b) : span_str(f.detail), report, cap));
    buf_free(&b);
    xml_free(x);
    return e;
}

Test(config, a_good_file_is_read)
{
    struct ca_config c;
    char report[4096];

    cr_assert_eq(read_all(UPTO(ISSUER("rsa-g1", "parent=\"rsa-root-g1\" issues=\"rsa\"") ROOT ISSUER(
                              "ec-root-g1", "") ISSUER("ec-g1", "parent=\"ec-root-g1\" issues=\"ec\"")),
                          &c, report, sizeof report),
                 OK, "%s", report);
    cr_assert_eq(c.node, 7);
    cr_assert_str_eq(c.host, "ca.example.com");
    cr_assert_str_eq(c.public_url, "http://ca.example.com:8080");
    cr_assert_eq(c.listener_s, 60 * 86400);
    cr_assert_eq(c.responder_s, 10 * 86400);
    cr_assert_eq(c.trusted_s, 1825 * 86400);
    cr_assert_not(c.issuers[0].is_trusted);
    cr_assert_eq(c.listener_name_count, 3);
    cr_assert_str_eq(c.listener_names[2], "::1");
    cr_assert_eq(c.count, 4);
    cr_assert_str_eq(c.issuers[0].id, "rsa-g1");
    cr_assert_str_eq(c.issuers[0].parent, "rsa-root-g1");
    cr_assert_eq(c.issuers[0].issues, KEY_RSA);
    cr_assert_eq(c.issuers[1].issues, KEY_NONE);
    cr_assert_str_empty(c.issuers[1].parent);
    cr_assert_eq(c.issuers[3].issues, KEY_EC);
}

Test(config, certificates_are_pruned_when_it_says_so)
{
    struct ca_config c;
    char report[4096];

    cr_assert_eq(read_all(UPTO(ROOT), &c, report, sizeof report), OK, "%s", report);
    cr_expect_eq(c.prune_after_s, 0, "never unless it says so");
    cr_assert_eq(read_all(HEAD SERVICE HTTP HTTPS
                          "<store prune-after=\"30d\"/>\n<ocsp archive-cutoff=\"30d\"/>\n" CRL ROOT TAIL,
                          &c, report, sizeof report),
                 OK, "%s", report);
    cr_expect_eq(c.prune_after_s, 30 * 86400);
}

Test(config, defaults_are_those_of_the_schema)
{
    struct ca_config c;
    char report[4096];

    cr_assert_eq(
        read_all(HEAD "<service name=\"x\" host=\"127.0.0.1\"/>" HTTP
                      "<https listen=\"[::]:1\"><name value=\"a\"/></https><store/><ocsp/><crl/>" ROOT TAIL,
                 &c, report, sizeof report),
        OK, "%s", report);
    cr_assert_eq(c.node, 1);
    cr_assert_eq(c.listener_s, 90 * 86400);
    cr_assert_eq(c.responder_s, 14 * 86400);
}

Test(config, mistakes_are_refused_with_line_and_permitted_set)
{
    static const struct {
        const char *content, *says;
    } cases[] = {
        {HEAD
         "<service name=\"x\" host=\"ca.example.com\" colour=\"red\"/>\n" HTTP HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:2: <service>: attribute \"colour\" is not known; permitted: name, host, node"},
        {HEAD "<service name=\"x\"/>\n" HTTP HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:2: <service>: attribute \"host\" is missing; permitted: a host name"},
        {HEAD "<service name=\"x\" host=\"ca_1\"/>\n" HTTP HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:2: <service host=\"ca_1\"> is not permitted; permitted: a host name"},
        {HEAD "<service name=\"x\" host=\"ca\" node=\"128\"/>\n" HTTP HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:2: <service node=\"128\"> is not permitted; permitted: a whole number from 1 to 127"},
        {HEAD SERVICE "<htpp listen=\"[::]:1\"/>\n" HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:3: <htpp> is not permitted here; expected: confine, http; permitted in <chancery>, in "
         "this "
         "order: service, confine, http, "
         "https, login, store, ocsp, crl, audit, issuer (at most 16)"},
        {HEAD SERVICE "<http listen=\"127.0.0.1\" public-url=\"http://a\"/>\n" HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:3: <http listen=\"127.0.0.1\"> is not permitted; permitted: ADDRESS:PORT"},
        {HEAD SERVICE
         "<http listen=\"localhost:80\" public-url=\"http://a\"/>\n" HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:3: <http listen=\"localhost:80\"> is not permitted; permitted: ADDRESS:PORT, the "
         "address in "
         "numbers"},
        {HEAD SERVICE
         "<http listen=\"127.0.0.1:65536\" public-url=\"http://a\"/>\n" HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:3: <http listen=\"127.0.0.1:65536\"> is not permitted"},
        {HEAD SERVICE
         "<http listen=\"127.0.0.1:80\" public-url=\"http://a/\"/>\n" HTTPS STORE OCSP CRL ROOT TAIL,
         "chancery.xml:3: <http public-url=\"http://a/\"> is not permitted; permitted: http://HOST"},
        {HEAD SERVICE HTTP
         "<https listen=\"[::]:1\" validity=\"90\"><name value=\"a\"/></https>\n" STORE OCSP CRL ROOT TAIL,
         "chancery.xml:4: <https validity=\"90\"> is not permitted; permitted: a whole number and one of s, "
         "m, h, d"},
        {HEAD SERVICE HTTP
         "<https listen=\"[::]:1\" validity=\"900d\"><name value=\"a\"/></https>\n" STORE OCSP CRL ROOT TAIL,
         "chancery.xml:4: <https validity=\"900d\"> is not permitted; permitted: 86400s to 825d"},
        {HEAD SERVICE HTTP
         "<https listen=\"[::]:1\"><name value=\":::\"/></https>\n" STORE OCSP CRL ROOT TAIL,
         "chancery.xml:4: <name value=\":::\"> is not permitted; permitted: an IPv6 address"},
        {HEAD SERVICE HTTP HTTPS "<store map-size-mib=\"1\"/>\n" OCSP CRL ROOT TAIL,
         "chancery.xml:5: <store map-size-mib=\"1\"> is not permitted; permitted: a whole number from 16"},
        {HEAD SERVICE HTTP HTTPS "<store prune-after=\"6d\"/>\n" OCSP CRL ROOT TAIL,
         "chancery.xml:5: <store prune-after=\"6d\"> is not permitted; permitted: 604800s to 36500d"},
        {HEAD SERVICE HTTP HTTPS
         "<store prune-after=\"30d\"/>\n<ocsp archive-cutoff=\"31d\"/>\n" CRL ROOT TAIL,
         "chancery.xml:5: <store prune-after=\"30d\"> is not permitted; permitted: no less than <ocsp "
         "archive-cutoff=\"31d\">"},
        {HEAD SERVICE HTTP HTTPS STORE "<ocsp validity=\"8d\" signer-validity=\"14d\"/>\n" CRL ROOT TAIL,
         "chancery.xml:6: <ocsp validity=\"8d\"> is not permitted; permitted: at most half of "
         "signer-validity"},
        {HEAD SERVICE HTTP HTTPS STORE OCSP "<crl on-revocation=\"sometimes\"/>\n" ROOT TAIL,
         "chancery.xml:7: <crl on-revocation=\"sometimes\"> is not permitted; permitted: true, false"},
        {UPTO(""), "chancery.xml:1: <chancery> is not complete; expected: audit, issuer"},
        {UPTO(ROOT ISSUER("rsa-g1", "parent=\"rsa-root\" issues=\"rsa\"")),
         "chancery.xml:9: <issuer>: \"rsa-root\": no issuer has this id, so it can be no parent; permitted: "
         "rsa-root-g1, rsa-g1"},
        {UPTO(ROOT ISSUER("rsa-root-g1", "")),
         "chancery.xml:9: <issuer>: \"rsa-root-g1\": two issuers have this id"},
        {UPTO(ROOT ISSUER("rsa-g1", "issues=\"dsa\"")),
         "chancery.xml:9: <issuer issues=\"dsa\"> is not permitted; permitted: rsa, ec"},
        {UPTO(ROOT ISSUER("rsa-g1", "issues=\"rsa\"") ISSUER("rsa-g2", "issues=\"rsa\"")),
         "chancery.xml:10: <issuer>: \"rsa\": two issuers issue for this kind of key"},
        {UPTO(ROOT ISSUER("a", "")),
         "chancery.xml:9: <issuer>: \"file:keys/a.key\": two issuers have this key"},
        {UPTO(ISSUER("RSA", "")),
         "chancery.xml:8: <issuer id=\"RSA\"> is not permitted; permitted: lower-case letters"},
        {UPTO("<issuer id=\"a\" key=\"keys/a\" ocsp-key=\"file:b\"><crl every=\"1h\" "
              "overlap=\"1h\"/></issuer>"),
         "chancery.xml:8: <issuer key=\"keys/a\"> is not permitted; permitted: file:PATH"},
        {UPTO("<issuer id=\"a\" key=\"file:a\" ocsp-key=\"file:b\"/>"),
         "chancery.xml:8: <issuer> is not complete; expected: crl"},
        {UPTO(ISSUER("a", "parent=\"a\"")),
         "chancery.xml:8: <issuer parent=\"a\"> is not permitted: it leads back to a"},
        {HEAD SERVICE HTTP HTTPS STORE "<ocsp trusted-validity=\"30d\"/>\n" CRL ROOT TAIL,
         "chancery.xml:6: <ocsp trusted-validity=\"30d\"> is not permitted; permitted: 7776000s to 7305d"},
        {UPTO(ISSUER("a", "ocsp-model=\"direct\"")),
         "chancery.xml:8: <issuer ocsp-model=\"direct\"> is not permitted; permitted: delegated, trusted"},
        {UPTO(ISSUER("ocsp", "")), "chancery.xml:8: <issuer id=\"ocsp\"> is not permitted"},
        {UPTO(ISSUER_WITH("<responder host=\"dmz1\"/><responder host=\"dmz1\"/>")),
         "chancery.xml:8: <responder host=\"dmz1\"> stands there twice"},
        {UPTO(ISSUER_WITH("<responder host=\"a b\"/>")),
         "chancery.xml:8: <responder host=\"a b\"> is not permitted; permitted: lower-case letters"},
        {UPTO(ISSUER("a", "parent=\"b\"") ISSUER("b", "parent=\"a\"")),
         "chancery.xml:8: <issuer parent=\"b\"> is not permitted"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ca_config c;
        char report[4096];

        cr_expect_eq(read_all(cases[i].content, &c, report, sizeof report), ERR_CONFIG, "%s", cases[i].says);
        cr_expect(strncmp(report, cases[i].says, strlen(cases[i].says)) == 0, "%zu: %s", i, report);
    }
}

Test(config, trusted_responders_and_other_hosts_are_read)
{
    struct ca_config c;
    char report[4096];

    cr_assert_eq(
        read_all(HEAD SERVICE HTTP HTTPS STORE "<ocsp trusted-validity=\"90d\"/>\n" CRL WITH(
                     "ocsp-model=\"trusted\"", "<responder host=\"dmz1\"/><responder host=\"dmz2\"/>") TAIL,
                 &c, report, sizeof report),
        OK, "%s", report);
    cr_assert_eq(c.trusted_s, 90 * 86400);
    cr_assert(c.issuers[0].is_trusted);
    cr_assert_eq(c.issuers[0].host_count, 2);
    cr_assert_str_eq(c.issuers[0].hosts[1], "dmz2");
}

Test(config, issuers_are_limited)
{
    struct ca_config c;
    char content[16384] = HEAD SERVICE HTTP HTTPS STORE OCSP CRL, one[300], report[4096];

    for (unsigned i = 0; i < ISSUERS_MAX; i++) {
        snprintf(one, sizeof one,
                 "<issuer id=\"i%u\" key=\"file:%u\" ocsp-key=\"file:o%u\"><crl every=\"1h\" "
                 "overlap=\"1h\"/></issuer>\n",
                 i, i, i);
        strcat(content, one);
    }
    strcat(content, TAIL);
    cr_assert_eq(read_all(content, &c, report, sizeof report), OK, "%s", report);
    cr_assert_eq(c.count, ISSUERS_MAX);
    strcpy(strstr(content, TAIL), ROOT TAIL);
    cr_assert_eq(read_all(content, &c, report, sizeof report), ERR_CONFIG);
    cr_assert_not_null(strstr(report, "chancery.xml:24: <issuer> is not permitted here"), "%s", report);
    cr_assert_not_null(strstr(report, "issuer (at most 16)"), "%s", report);
}

Test(config, a_host_too_long_for_a_common_name_is_not_the_listener_s)
{
    static struct ca_config c;

    memset(c.host, 'a', CN_MAX);
    cr_expect_str_eq(listener_cn(&c), c.host);
    c.host[CN_MAX] = 'a';
    cr_expect_str_eq(listener_cn(&c), "chancery");
}
