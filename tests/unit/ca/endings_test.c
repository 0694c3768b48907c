/* SPDX-License-Identifier: Apache-2.0 */
/* Is it told in time that a certificate the ca looks after ends, and about which one? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/ca/idle.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define YEAR (365 * DAY)

#define ENDING "certificate.ending"

static struct ca_issuer *config;
static uint16_t no;

static void setup(void)
{
    struct issuer row = {.id = "a-g1", .certificate = span_str("certificate")};
    struct txn *t;

    idle_open();
    t = idle_begin();
    issuer_add(t, &row, &no);
    idle_commit(t);
    idle.role.config = (struct ca_config){.count = 1, .responder_s = 14 * DAY, .trusted_s = 5 * YEAR};
    cr_assert_eq(catalogue_load("the installed one", (struct span){0}, &idle.role.catalogue, NULL, NULL), OK);
    config = &idle.role.config.issuers[0];
    *config = (struct ca_issuer){.id = "a-g1", .issues = KEY_EC};
    idle.ca.issuer_count = 1;
    idle.ca.issuers[0] = (struct issuing){.config = config, .no = no, .not_after_s = NOW + 10 * YEAR};
}

static void teardown(void)
{
    idle.ca.issuer_count = 0;
    catalogue_free(&idle.role.catalogue);
    idle_close();
}

TestSuite(endings, .init = setup, .fini = teardown);

static struct cert of_profile(const char *profile, uint8_t serial, int64_t end_s)
{
    struct cert c = {.serial = {1, serial},
                     .status = {.issuer_no = no, .not_after_s = end_s},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .requester = "a",
                     .der = span_str("certificate")};

    snprintf(c.profile, sizeof c.profile, "%s", profile);
    return c;
}

/* A host's OCSP signer. */
static void certify(const char *host, uint8_t serial, int64_t end_s)
{
    struct cert c = of_profile("chancery/ocsp", serial, end_s);
    struct txn *t = idle_begin();
    uint64_t number;

    strcpy(config->hosts[config->host_count++], host);
    cert_add(t, &c, &number);
    responder_set(t, no, host, c.serial);
    idle_commit(t);
}

static void issue_to(enum key_type type, const char *profile, uint8_t serial)
{
    struct cert c = of_profile(profile, serial, NOW + DAY);
    struct txn *t = idle_begin();
    uint64_t number;

    c.key_type = type;
    cert_add(t, &c, &number);
    idle_commit(t);
}

struct seen {
    char text[512];
};

static bool note(const struct alarm_shown *a, void *arg)
{
    struct seen *s = arg;

    snprintf(s->text + strlen(s->text), sizeof s->text - strlen(s->text), "%u %s %s;", a->level, a->code,
             a->subject);
    return true;
}

/* "LEVEL CODE SUBJECT;" of each alarm. */
static const char *alarms(void)
{
    static struct seen seen;

    seen.text[0] = '\0';
    endings_check(&idle.ca, NOW);
    board_each_alarm(idle.role.board, note, &seen);
    return seen.text;
}

Test(endings, the_signer_of_another_host_is_told_of_by_that_host)
{
    certify("dmz1", 1, NOW + DAY / 2);
    certify("dmz2", 2, NOW + 2 * DAY);
    cr_expect_str_eq(alarms(), "1 " ENDING " ocsp a-g1 dmz1;");
}

Test(endings, a_trusted_responder_on_another_host_is_told_of_before_it_is_replaced)
{
    config->is_trusted = true;
    certify("dmz1", 1, NOW + 89 * DAY);
    certify("dmz2", 2, NOW + 91 * DAY);
    cr_expect_str_eq(alarms(), "1 " ENDING " ocsp a-g1 dmz1;");
}

Test(endings, of_a_retired_issuer_it_may_end_with_that)
{
    config->issues = KEY_NONE;
    idle.ca.issuers[0].not_after_s = NOW + 10;
    certify("dmz1", 1, NOW + 10);
    cr_expect_str_eq(alarms(), "");
    certify("dmz2", 2, NOW + 9);
    cr_expect_str_eq(alarms(), "1 " ENDING " ocsp a-g1 dmz2;");
}

static void issue(const char *profile, uint8_t serial)
{
    issue_to(KEY_EC, profile, serial);
}

static const char *years_before_its_end(int years)
{
    idle.ca.issuers[0].not_after_s = NOW + years * YEAR;
    return alarms();
}

Test(endings, an_issuer_that_cuts_the_longest_life_of_the_catalogue_is_to_be_renewed)
{
    issue("phone/LSC-EC", 1);
    cr_expect_str_eq(years_before_its_end(6), "", "phone/LSC-EC has 1825 days");
    cr_expect_str_eq(years_before_its_end(4), "1 issuer.short a-g1;");
    cr_expect_str_eq(idle_alarm("issuer.short"),
                     "certificates of phone/LSC-EC (1825 days) are cut to its end, 2031-01-14T08:00:00Z");
    idle.role.catalogue.count = 0;
    cr_expect_str_eq(alarms(), "", "nothing is issued to such a key");
}

Test(endings, what_was_never_issued_is_not_cut)
{
    cr_expect_str_eq(years_before_its_end(4), "", "there are no phones");
    issue("ucm/tomcat-ECDSA", 1);
    cr_expect_str_eq(years_before_its_end(4), "", "825 days");
    cr_expect_str_eq(years_before_its_end(2), "1 issuer.short a-g1;");
    cr_expect_str_eq(idle_alarm("issuer.short"),
                     "certificates of ucm/tomcat-ECDSA (825 days) are cut to its end, 2029-01-14T08:00:00Z");
    issue("phone/LSC-EC", 2);
    cr_expect_str_eq(alarms(), "1 issuer.short a-g1;");
    cr_expect_str_eq(idle_alarm("issuer.short"),
                     "certificates of phone/LSC-EC (1825 days) are cut to its end, 2029-01-14T08:00:00Z");
}

Test(endings, what_was_issued_to_another_kind_of_key_is_not_cut)
{
    issue_to(KEY_RSA, "expressway/server", 1);
    cr_expect_str_eq(years_before_its_end(2), "", "which takes both kinds, 825 days");
    issue("expressway/server", 2);
    cr_expect_str_eq(alarms(), "1 issuer.short a-g1;");
}

Test(endings, one_of_a_fresh_home_is_years_from_that)
{
    idle.ca.issuers[0].not_after_s = NOW + ISSUING_DAYS * DAY;
    cr_expect_str_eq(alarms(), "");
    endings_check(&idle.ca, NOW + ISSUING_DAYS * DAY / 2);
    cr_expect_str_eq(idle_alarm("issuer.short"), "", "in its first half");
}

Test(endings, one_that_issues_no_more_cuts_nothing)
{
    config->issues = KEY_NONE;
    cr_expect_str_eq(years_before_its_end(4), "");
    cr_expect_str_eq(years_before_its_end(0), "");
}

Test(endings, a_root_that_cuts_a_new_issuing_ca_is_to_be_renewed)
{
    config->issues = KEY_NONE;
    idle.role.config.count = 2;
    idle.role.config.issuers[1] = (struct ca_issuer){.id = "b-g1", .parent = "a-g1", .issues = KEY_EC};
    cr_expect_str_eq(years_before_its_end(11), "");
    cr_expect_str_eq(years_before_its_end(9), "1 issuer.short a-g1;");
    cr_expect_str_eq(idle_alarm("issuer.short"),
                     "a new issuing CA (3653 days) is cut to its end, 2036-01-13T08:00:00Z");
    idle.ca.issuer_count = 2;
    idle.role.config.count = 3;
    idle.role.config.issuers[2] = (struct ca_issuer){.id = "a-g2"};
    idle.ca.issuers[1] = (struct issuing){
        .config = &idle.role.config.issuers[2], .no = no, .key = KEY_EC, .not_after_s = NOW + 20 * YEAR};
    cr_expect_str_eq(alarms(), "1 issuer.short a-g1;", "the other root has another kind of key");
    idle.ca.issuers[0].key = KEY_EC;
    cr_expect_str_eq(alarms(), "", "the next one goes below the younger root");
    idle.ca.issuer_count = 1;
    cr_expect_str_eq(alarms(), "1 issuer.short a-g1;");
    idle.role.config.issuers[1].issues = KEY_NONE;
    cr_expect_str_eq(alarms(), "", "nothing is issued under it");
}
