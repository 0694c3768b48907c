/* SPDX-License-Identifier: Apache-2.0 */
/* What does the audit say of what others did: a configuration taken, a request refused before it came here?
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/ca/idle.h"

#define NOW 1800000000
#define TWO "0202020202020202020202020202020202020202020202020202020202020202"
#define THREE "0303030303030303030303030303030303030303030303030303030303030303"

static char rows[4096];
static int64_t now_s; /* the clock */

static void open_today(void)
{
    now_s = NOW;
    idle_open();
}

TestSuite(taken, .init = open_today, .fini = idle_close);

static void record(const struct ask *a)
{
    struct txn *t;

    cr_assert(taken_writes(a));
    t = idle_begin();
    taken_record(t, a, now_s);
    idle_commit(t);
}

static bool note_row(const struct audit_row *r, void *arg)
{
    (void)arg;
    snprintf(rows + strlen(rows), sizeof rows - strlen(rows), "%s %.*s: %.*s\n", audit_kind_name(r->kind),
             (int)r->actor.len, (const char *)r->actor.data, (int)r->detail.len,
             (const char *)r->detail.data);
    return true;
}

static void expect(const char *want)
{
    struct view *v;

    rows[0] = '\0';
    v = idle_look();
    cr_assert_eq(audit_each(v, 0, note_row, NULL), OK);
    view_close(v);
    cr_assert_str_eq(rows, want);
}

static void take(const char *role, uint8_t settings, uint8_t catalogue, bool is_reload)
{
    struct config_digests d;
    struct txn *t;

    memset(d.settings, settings, HASH_LEN);
    memset(d.catalogue, catalogue, HASH_LEN);
    t = idle_begin();
    taken_config(t, role, &d, is_reload, now_s);
    idle_commit(t);
}

Test(taken, a_refused_request_is_recorded_with_its_profile)
{
    record(&(struct ask){.kind = ASK_REFUSED,
                         .principal = "token:01",
                         .profile_id = "ucm/tomcat",
                         .reason_text = "csr.signature key.curve"});
    expect("refuse token:01: profile ucm/tomcat: csr.signature key.curve\n");
}

Test(taken, a_refused_act_of_no_profile_is_recorded_as_it_is_told)
{
    record(
        &(struct ask){.kind = ASK_REFUSED,
                      .principal = "token:01",
                      .reason_text = "GET /api/v1/tokens: The role viewer does not include this. 1 times"});
    expect("refuse token:01: GET /api/v1/tokens: The role viewer does not include this. 1 times\n");
}

Test(taken, the_longest_refusal_is_recorded_whole)
{
    struct ask a = {.kind = ASK_REFUSED, .principal = "token:01"};
    char want[2048] = "refuse token:01: profile ";

    memset(a.profile_id, 'p', sizeof a.profile_id - 1);
    memset(a.reason_text, 'r', sizeof a.reason_text - 1);
    record(&a);
    snprintf(want + strlen(want), sizeof want - strlen(want), "%s: %s", a.profile_id, a.reason_text);
    strcat(want, "\n");
    expect(want);
}

Test(taken, a_configuration_is_named_by_its_digests_and_by_when)
{
    take("ca", 2, 3, false);
    take("ca", 3, 3, true);
    expect("config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", at start\n"
           "config service: ca took chancery.xml " THREE ", profiles.xml " THREE ", on SIGHUP\n");
}

Test(taken, what_a_role_has_already_is_no_news)
{
    take("ca", 2, 3, false);
    take("ca", 2, 3, true);
    expect("config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", at start\n");
    take("ca", 2, 2, true);
    take("ca", 2, 3, true); /* back again, which is */
    expect("config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", at start\n"
           "config service: ca took chancery.xml " TWO ", profiles.xml " TWO ", on SIGHUP\n"
           "config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", on SIGHUP\n");
}

Test(taken, another_role_takes_it_for_itself)
{
    struct ask a = {.kind = ASK_TAKEN, .is_reload = true};

    memset(a.digests.settings, 2, HASH_LEN);
    memset(a.digests.catalogue, 3, HASH_LEN);
    take("ca", 2, 3, false);
    record(&a);
    record(&a);
    expect("config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", at start\n"
           "config service: api took chancery.xml " TWO ", profiles.xml " THREE ", on SIGHUP\n");
}

/* What the latest row by time says is not what the role has. */
Test(taken, a_clock_that_was_ahead_hides_nothing)
{
    now_s = NOW + 40 * 86400;
    take("ca", 2, 3, false);
    now_s = NOW;
    take("ca", 3, 3, true);
    take("ca", 2, 3, true);
    take("ca", 2, 3, true);
    expect("config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", at start\n"
           "config service: ca took chancery.xml " THREE ", profiles.xml " THREE ", on SIGHUP\n"
           "config service: ca took chancery.xml " TWO ", profiles.xml " THREE ", on SIGHUP\n");
}
