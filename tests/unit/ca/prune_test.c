/* SPDX-License-Identifier: Apache-2.0 */
/* Is a certificate forgotten when the policy says so, with a row in the audit, and none without a policy? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "tests/unit/ca/idle.h"

#define NOW 1800000000
#define DAY INT64_C(86400)

/* One of each profile that ended so many days ago. */
static void add(struct txn *t, unsigned days_ago)
{
    static const char *const profiles[] = {"ucm/tomcat", "chancery/operator", "chancery/ocsp"};
    uint64_t number;

    for (uint8_t i = 0; i < 3; i++) {
        struct cert c = {.serial = {1, (uint8_t)days_ago, i},
                         .status = {.issuer_no = 1, .not_after_s = NOW - days_ago * DAY},
                         .key_type = KEY_EC,
                         .key_bits = 256,
                         .requester = "a",
                         .der = span_str("certificate")};

        strcpy(c.profile, profiles[i]);
        sha256_of(c.der, c.fingerprint);
        cert_add(t, &c, &number);
    }
}

static void setup(void)
{
    struct txn *t;

    idle_open();
    t = idle_begin();
    for (unsigned days_ago = 0; days_ago < 60; days_ago++)
        add(t, days_ago);
    idle_commit(t);
}

TestSuite(prune, .init = setup, .fini = idle_close);

static struct store_counts turn(void)
{
    struct store_counts n;
    struct txn *t = NULL;
    struct view *v = NULL;

    t = idle_begin();
    prune_turn(&idle.ca, t, NOW);
    idle_commit(t);
    v = idle_look();
    cr_assert_eq(store_count(v, &n), OK);
    view_close(v);
    return n;
}

static bool keep_detail(const struct audit_row *r, void *arg)
{
    cr_assert_eq(r->kind, AUDIT_PRUNE);
    return span_to_str(r->detail, arg, 128);
}

Test(prune, nothing_is_forgotten_without_a_policy)
{
    struct store_counts n = turn();

    cr_expect_eq(n.certificates, 180);
    cr_expect_eq(n.audit, 0);
}

Test(prune, what_ended_before_is_forgotten_but_the_service_s_own)
{
    struct store_counts n;
    struct view *v = NULL;
    char detail[128] = "";

    idle.role.config.prune_after_s = 30 * DAY;
    n = turn();
    cr_expect_eq(n.certificates, 180 - 29, "31 to 59 days ago, of one profile");
    cr_expect_eq(n.audit, 1);
    v = idle_look();
    cr_assert_eq(audit_each(v, 1, keep_detail, detail), OK);
    view_close(v);
    cr_expect_str_eq(detail, "29 certificates, the latest ended 2026-12-15T08:00:00Z");
    n = turn();
    cr_expect_eq(n.certificates, 180 - 29);
    cr_expect_eq(n.audit, 1, "no row about nothing");
}

/* More than one transaction takes: an issuer that is asked a day long would have ever more. */
Test(prune, answers_are_forgotten_as_fast_as_they_come)
{
    struct idempotent i;
    uint8_t key[HASH_LEN] = {0};
    struct view *v;
    struct txn *t = idle_begin();

    for (unsigned n = 0; n < 1500; n++) {
        memcpy(key, &n, sizeof n);
        idempotent_add(t, key, &(struct idempotent){.at_s = NOW});
    }
    memset(key, 0xff, sizeof key);
    idempotent_add(t, key, &(struct idempotent){.at_s = NOW + 2 * DAY});
    idle_commit(t);
    doubt_begin(&idle.ca, NOW + 2 * DAY, clock_monotonic_ms() / 1000);
    upkeep_run(&idle.ca, false, NOW + 2 * DAY);
    v = idle_look();
    cr_assert_eq(idempotent_find(v, key, &i), OK);
    for (unsigned n = 0; n < 1500; n++) {
        memset(key, 0, sizeof key);
        memcpy(key, &n, sizeof n);
        cr_assert_eq(idempotent_find(v, key, &i), ERR_NOT_FOUND, "%u", n);
    }
    view_close(v);
}
