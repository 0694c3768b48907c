/* SPDX-License-Identifier: Apache-2.0 */
/* Are the issuers of chancery.xml and those of the store held against each other, and is one that issues no
 * more known as such, so that its end is no alarm? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/board.h"
#include "base/ending.h"
#include "base/hash.h"
#include "tests/unit/ca/idle.h"
#include "tests/unit/ca/played.h"

#define NOW INT64_C(1800000000)

static struct ca_config config;

static void configure(const char *id, const char *parent, enum key_type issues)
{
    struct ca_issuer *i = &config.issuers[config.count++];

    strcpy(i->id, id);
    strcpy(i->parent, parent);
    i->issues = issues;
}

static void store(const char *id)
{
    struct issuer row = {.certificate = span_str("certificate")};
    struct txn *t = idle_begin();
    uint16_t no;

    strcpy(row.id, id);
    issuer_add(t, &row, &no);
    idle_commit(t);
}

/* It has published, and an OCSP signer. */
static void use(uint16_t no)
{
    struct crl_state s = {.this_update_s = NOW, .next_update_s = NOW + 1};
    struct txn *t = idle_begin();

    crl_state_reserve(t, no, &s.number);
    crl_state_publish(t, no, &s);
    issuer_set_responder(t, no, (const uint8_t[SERIAL_LEN]){1});
    idle_commit(t);
}

static void issue(uint16_t no, const char *profile, int64_t end_s, uint8_t serial)
{
    struct cert c = {.serial = {1, serial},
                     .status = {.issuer_no = no, .not_after_s = end_s},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .requester = "a",
                     .der = span_str("leaf")};
    struct txn *t = idle_begin();
    uint64_t number;

    strcpy(c.profile, profile);
    cert_add(t, &c, &number);
    idle_commit(t);
}

/* The issuer's own certificate, as a root has one. */
static void issue_itself(uint16_t no, int64_t end_s)
{
    struct cert c = {.serial = {1, 9},
                     .status = {.issuer_no = no, .not_after_s = end_s},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .profile = "chancery/issuer",
                     .requester = "a",
                     .der = span_str("certificate")};
    struct txn *t = idle_begin();
    uint64_t number;

    cert_add(t, &c, &number);
    idle_commit(t);
}

static void revoke(uint8_t serial, enum reason reason)
{
    struct txn *t = idle_begin();

    cert_revoke(t, (const uint8_t[SERIAL_LEN]){1, serial}, reason, NOW - 1, NO_TIME);
    idle_commit(t);
}

static void setup(void)
{
    config = (struct ca_config){0};
    idle_open();
}

TestSuite(roster, .init = setup, .fini = idle_close);

static void keep(const char *text, void *arg)
{
    strcat(strcat(arg, text), "\n");
}

static const char *refused(void)
{
    static char told[1024];
    struct view *v = idle_look();

    told[0] = '\0';
    cr_assert_eq(roster_refused(v, &config, keep, told), OK);
    view_close(v);
    return told;
}

static const char *dropped(void)
{
    static char told[1024];
    struct view *v = idle_look();

    told[0] = '\0';
    cr_assert_eq(roster_dropped(v, &config, NOW, keep, told), OK);
    view_close(v);
    return told;
}

/* "ec-g1", with a key on P-256. */
static void store_with_key(void)
{
    struct buf subject, spki, certificate;
    struct txn *t = idle_begin();

    buf_init(&subject, 4096);
    name_write(&subject, "Example UC", "Issuer");
    played_key(&spki);
    played_issuer(t, buf_span(&subject), buf_span(&spki), NOW - 1, NOW + 1, &certificate);
    idle_commit(t);
    buf_free(&subject);
    buf_free(&spki);
    buf_free(&certificate);
}

Test(roster, one_that_is_to_issue_for_another_kind_of_keys_is_told)
{
    store_with_key();
    store("a-g1");
    store("b-g1");
    configure("a-g1", "", KEY_RSA);
    configure("b-g1", "", KEY_RSA);
    configure("ec-g1", "", KEY_NONE);
    cr_assert_str_eq(refused(), "", "one issues nothing, nothing is known of the others' keys");
    config.issuers[2].issues = KEY_EC;
    cr_assert_str_eq(refused(), "");
    config.issuers[2].issues = KEY_RSA;
    cr_assert_str_eq(refused(), "issuer ec-g1 has an EC key and issues=\"rsa\"\n");
}

Test(roster, what_an_issuer_issues_is_for_its_own_kind_of_keys)
{
    static const struct {
        enum key_type issues, own;
        const char *why;
    } rows[] = {
        {KEY_RSA, KEY_RSA, ""},
        {KEY_EC, KEY_EC, ""},
        {KEY_NONE, KEY_OTHER, ""},
        {KEY_EC, KEY_RSA, "issuer a-g1 has an RSA key and issues=\"ec\""},
        {KEY_RSA, KEY_EC, "issuer a-g1 has an EC key and issues=\"rsa\""},
        {KEY_RSA, KEY_OTHER, "issuer a-g1 has another key and issues=\"rsa\""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ca_issuer c = {.id = "a-g1", .issues = rows[i].issues};
        char why[ROSTER_TEXT_MAX] = "";

        cr_expect_eq(roster_key_suits(&c, rows[i].own, why), rows[i].why[0] == '\0', "row %zu", i);
        cr_expect_str_eq(why, rows[i].why);
    }
}

Test(roster, one_that_is_not_in_the_store_is_told)
{
    store("a-g1");
    configure("a-g1", "", KEY_EC);
    cr_assert_str_eq(refused(), "");
    configure("b-g1", "", KEY_RSA);
    cr_assert_str_eq(refused(), "issuer b-g1 is in chancery.xml but not in the store\n");
}

Test(roster, one_that_was_left_out_is_told_while_a_certificate_of_it_has_not_ended)
{
    store("a-g1");
    use(1);
    cr_assert_str_eq(dropped(), "");
    issue(1, "ucm/tomcat", NOW - 1, 1);
    issue(1, "chancery/ocsp", NOW + 100, 2);
    cr_assert_str_eq(dropped(), "");
    issue(1, "ucm/tomcat", NOW + 100, 3);
    cr_assert_not_null(
        strstr(dropped(), "issuer a-g1 is in the store and not in chancery.xml: certificates"));
    configure("a-g1", "", KEY_EC);
    cr_assert_str_eq(dropped(), "");
}

Test(roster, a_revoked_or_held_one_that_has_not_ended_has_to_be_answered_about_too)
{
    static const enum reason reasons[] = {REASON_KEY_COMPROMISE, REASON_CERTIFICATE_HOLD};

    for (uint8_t i = 0; i < 2; i++) {
        idle_close();
        setup();
        store("a-g1");
        use(1);
        issue(1, "ucm/tomcat", NOW - 1, 3);
        revoke(3, reasons[i]);
        cr_assert_str_eq(dropped(), "", "it has ended");
        issue(1, "ucm/tomcat", NOW, 4);
        revoke(4, reasons[i]);
        cr_assert_not_null(strstr(dropped(), "issuer a-g1 is in the store and not in chancery.xml: cert"));
    }
}

Test(roster, a_roots_own_certificate_does_not_keep_it)
{
    store("root-g1");
    use(1);
    issue_itself(1, NOW + 100);
    cr_assert_str_eq(dropped(), "");
    issue(1, "chancery/issuer", NOW + 100, 3);
    cr_assert_not_null(strstr(dropped(), "issuer root-g1 is in the store and not in chancery.xml: cert"));
}

Test(roster, one_that_was_begun_and_never_used_is_told)
{
    store("a-g1");
    cr_assert_not_null(strstr(dropped(), "issuer a-g1 is in the store and not in chancery.xml: `ca renew`"));
    use(1);
    cr_assert_str_eq(dropped(), "");
}

Test(roster, one_that_issues_nothing_nor_anything_below_it_is_retired)
{
    configure("root-g1", "", KEY_NONE);
    configure("a-g1", "root-g1", KEY_NONE);
    configure("a-g2", "root-g1", KEY_RSA);
    configure("root-g2", "", KEY_NONE);
    cr_expect_not(roster_is_retired(&config, "root-g1"));
    cr_expect(roster_is_retired(&config, "a-g1"));
    cr_expect_not(roster_is_retired(&config, "a-g2"));
    cr_expect(roster_is_retired(&config, "root-g2"));
    cr_expect_not(roster_is_retired(&config, "b-g1"), "it is not configured");
    config.issuers[2].issues = KEY_NONE;
    cr_expect(roster_is_retired(&config, "root-g1"));
}

/* ---- endings ---- */

static bool count(const struct alarm_shown *a, void *arg)
{
    *(unsigned *)arg += strcmp(a->code, "certificate.ending") == 0;
    return true;
}

/* Alarms about an issuer and its OCSP signer that end so. */
static unsigned alarms(enum key_type issues, int64_t end_s, int64_t signer_end_s)
{
    struct ca_role role = {.board = board_new()};
    unsigned n = 0;

    configure("a-g1", "", issues);
    role.config = config;
    store("a-g1");
    use(1);
    issue(1, "chancery/ocsp", signer_end_s, 0);
    idle.ca.role = &role;
    idle.ca.issuer_count = 1;
    idle.ca.issuers[0] = (struct issuing){.config = &role.config.issuers[0], .no = 1, .not_after_s = end_s};
    endings_check(&idle.ca, NOW);
    board_each_alarm(role.board, count, &n);
    idle.ca.issuer_count = 0;
    board_close(role.board);
    return n;
}

Test(roster, the_end_of_one_that_issues_is_an_alarm_and_so_is_its_signers)
{
    cr_assert_eq(alarms(KEY_EC, NOW - 10, NOW - 10), 2);
}

Test(roster, the_end_of_one_that_is_retired_is_none)
{
    cr_assert_eq(alarms(KEY_NONE, NOW - 10, NOW - 10), 0);
}

Test(roster, nor_is_that_of_its_signer_with_it_or_before)
{
    cr_assert_eq(alarms(KEY_NONE, NOW + 10, NOW + 10), 0);
    idle_close();
    setup();
    cr_assert_eq(alarms(KEY_NONE, NOW - 10, NOW - 11), 0, "the service was down");
    idle_close();
    setup();
    cr_assert_eq(alarms(KEY_NONE, NOW, NOW), 0, "the last second");
}

Test(roster, a_signer_may_end_no_sooner_than_its_retired_issuer)
{
    cr_expect(roster_lets_signer_end(NOW + 3600, NOW + 3600, NOW), "on its last day");
    cr_expect_not(roster_lets_signer_end(NOW + 3600, NOW + 3599, NOW));
    cr_expect_not(roster_lets_signer_end(NOW, NOW - 1, NOW), "it is still asked about");
    cr_expect(roster_lets_signer_end(NOW - 1, NOW - 2, NOW), "it has ended");
}

Test(roster, a_signer_of_a_retired_issuer_is_needed_until_that_ends)
{
    cr_assert_eq(alarms(KEY_NONE, NOW + 10, NOW - 1), 1);
}
