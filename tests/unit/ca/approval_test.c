/* SPDX-License-Identifier: Apache-2.0 */
/* Does a request wait until a person decides, and is it then issued once, or never? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/inner.h"
#include "tests/unit/ca/people.h"

TestSuite(approval, .init = people_open, .fini = stage_close, .timeout = 60);

Test(approval, what_needs_one_waits_and_is_issued_when_approved)
{
    struct outcome asked, approved;
    struct request r;
    struct cert c;
    struct view *v;
    unsigned kinds[32];
    uint64_t before;

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    before = stage_certificates();
    cr_assert_eq(asked.err, ERR_PENDING);
    r = stored(asked.id);
    cr_assert_eq(r.state, REQUEST_PENDING);
    cr_assert_str_eq(r.asker, ASKER);
    cr_assert_eq(r.expires_at_s - r.asked_at_s, WEEK_S);
    approved = approve(OTHER, asked.id);
    cr_assert_eq(approved.err, OK, "%s", approved.detail);
    cr_assert_eq(stage_certificates(), before + 1);
    r = stored(asked.id);
    cr_assert_eq(r.state, REQUEST_APPROVED);
    cr_assert_str_eq(r.decided_by, OTHER);
    cr_assert_arr_eq(r.serial, approved.serial, SERIAL_LEN);
    v = stage_look();
    cr_assert_eq(cert_find(v, approved.serial, &c), OK);
    cr_assert_str_eq(c.requester, ASKER, "who asked, not who approved");
    cr_assert_str_eq(c.profile, PROFILE);
    cr_assert(span_eq(c.csr, span_str("csr")));
    view_close(v);
    audit_kinds(kinds);
    cr_assert(kinds[AUDIT_REQUEST] == 1 && kinds[AUDIT_APPROVE] == 1 && kinds[AUDIT_ISSUE] == 1);
    cr_assert_eq(approve(OTHER, asked.id).err, ERR_CONFLICT, "once");
    cr_assert_eq(deny(OTHER, asked.id, "late").err, ERR_CONFLICT);
    cr_assert_eq(stage_certificates(), before + 1);
}

Test(approval, the_asker_cannot_approve_but_may_take_it_back)
{
    struct outcome asked, r;

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    r = approve(ASKER, asked.id);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(r.detail, "somebody else"));
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    cr_assert_eq(deny(ASKER, asked.id, "a mistake").err, OK);
    cr_assert_eq(stored(asked.id).state, REQUEST_DENIED);
}

Test(approval, two_certificates_of_one_person_are_two_eyes)
{
    struct outcome asked;

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(approve(TWIN, asked.id).err, ERR_FORBIDDEN);
    cr_assert_eq(approve(OTHER, asked.id).err, OK);
}

Test(approval, a_requester_decides_nothing_but_may_take_back)
{
    struct outcome asked, own;

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    own = issue(COLLEAGUE, "csr", 0, 0);
    cr_assert_eq(approve(COLLEAGUE, asked.id).err, ERR_FORBIDDEN);
    cr_assert_eq(deny(COLLEAGUE, asked.id, "not mine").err, ERR_FORBIDDEN);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    cr_assert_eq(deny(COLLEAGUE, own.id, "a mistake").err, OK);
    cr_assert_eq(stored(own.id).state, REQUEST_DENIED);
}

static void put_token(struct txn *t, uint8_t first)
{
    token_add(t, &(struct token){.hash = {first},
                                 .role = ACCESS_REQUESTER,
                                 .created_by = ASKER,
                                 .expires_at_s = clock_now_s() + WEEK_S});
}

Test(approval, tokens_of_one_maker_are_two_eyes_and_take_back_nothing_of_each_other)
{
    static const char one[] = "token:1000000000000000", two[] = "token:2000000000000000";
    struct txn *t = stage_begin();
    struct outcome asked, own;

    put_token(t, 0x10);
    put_token(t, 0x20);
    stage_commit();
    stage_start();
    asked = issue(one, "csr", 0, 0);
    own = issue(ASKER, "other csr", 0, 0);
    cr_assert_eq(asked.err, ERR_PENDING, "%s", asked.detail);
    cr_assert_eq(approve(ASKER, asked.id).err, ERR_FORBIDDEN, "its maker");
    cr_assert_eq(deny(two, asked.id, "not mine").err, ERR_FORBIDDEN);
    cr_assert_eq(deny(two, own.id, "not mine").err, ERR_FORBIDDEN);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    cr_assert_eq(deny(one, asked.id, "a mistake").err, OK);
    cr_assert_eq(stored(asked.id).state, REQUEST_DENIED);
}

static void put_token_by(struct txn *t, uint8_t first, const char *maker)
{
    struct token k = {.hash = {first}, .role = ACCESS_ADMINISTRATOR, .expires_at_s = clock_now_s() + WEEK_S};

    strcpy(k.created_by, maker);
    token_add(t, &k);
}

/* Its row has gone, or is damaged: it may have been anybody's. */
Test(approval, a_token_whose_maker_is_not_known_is_nobodys_second_pair_of_eyes)
{
    static const char orphan[] = "token:1000000000000000", child[] = "token:2000000000000000";
    struct txn *t = stage_begin();
    struct outcome by_orphan, by_asker, r;

    put_token_by(t, 0x10, "token:7700000000000000");
    put_token_by(t, 0x20, OTHER);
    stage_commit();
    stage_start();
    by_orphan = issue(orphan, "csr", 0, 0);
    by_asker = issue(ASKER, "other csr", 0, 0);
    r = approve(OTHER, by_orphan.id);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(r.detail, "not known any more"), "%s", r.detail);
    cr_assert_eq(approve(orphan, by_asker.id).err, ERR_FORBIDDEN);
    cr_assert_eq(stored(by_asker.id).state, REQUEST_PENDING);
    cr_assert_eq(approve(child, by_asker.id).err, OK, "another person's");
    cr_assert_eq(approve("uid:0", by_orphan.id).err, OK, "who could write the store");
}

/* What the same person is called now: nothing says that he asked under the name before. */
Test(approval, who_asked_by_a_login_that_was_renamed_since_is_not_known)
{
    struct outcome asked, r;

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    stage_stop();
    strcpy(stage.role->config.access.principals[0].name, "renamed");
    stage_restart();
    r = approve("login:renamed", asked.id);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
    cr_assert_str_eq(r.detail,
                     "Who asked is not known any more: deny it, and have it asked by another login.");
    cr_assert_eq(approve(OTHER, asked.id).err, ERR_FORBIDDEN);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    cr_assert_eq(deny(OTHER, asked.id, "asked by nobody").err, OK);
}

/* A certificate of ours; gives its number. */
static uint64_t put_certificate(struct txn *t, uint8_t serial, const char *subject)
{
    struct cert c = {.serial = {serial},
                     .status = {.issuer_no = 1, .not_after_s = clock_now_s() + WEEK_S},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .key_hash = {serial},
                     .profile = "chancery/administrator",
                     .requester = "tester",
                     .subject = span_str(subject),
                     .der = span_str("a certificate")};
    uint64_t number;

    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
    return number;
}

Test(approval, who_asked_by_a_certificate_whose_row_is_damaged_is_not_known)
{
    static const char first[] = "cert:21000000000000000000000000000000000000",
                      second[] = "cert:22000000000000000000000000000000000000";
    struct txn *t = stage_begin();
    struct outcome asked, r;
    struct key key = key_of_number(put_certificate(t, 0x21, "CN=jana"));

    (void)put_certificate(t, 0x22, "CN=jana");
    stage_commit();
    stage_start();
    asked = issue(first, "csr", 0, 0);
    cr_assert_eq(asked.err, ERR_PENDING, "%s", asked.detail);
    r = approve(second, asked.id);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(r.detail, "somebody else"), "%s", r.detail);
    stage_stop();
    table_set(stage_begin(), TABLE_CERT, key_span(&key), span_str("bent"));
    stage_commit();
    stage_restart();
    r = approve(second, asked.id);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(r.detail, "not known any more"), "%s", r.detail);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
}

Test(approval, who_asked_by_the_certificate_before_takes_back_by_the_next)
{
    struct outcome asked;

    stage.role->config.access.principals[1].role = ACCESS_REQUESTER; /* the twin */
    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(deny(TWIN, asked.id, "a mistake").err, OK);
}

Test(approval, what_a_scope_does_not_cover_is_not_there)
{
    struct outcome asked, again;
    unsigned kinds[32];

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(deny(OUTSIDE, asked.id, "not mine").err, ERR_NOT_FOUND);
    cr_assert_eq(approve(OUTSIDE, asked.id).err, ERR_NOT_FOUND);
    cr_assert_eq(deny(ELSEWHERE, asked.id, "not mine").err, ERR_NOT_FOUND);
    cr_assert_eq(approve(ELSEWHERE, asked.id).err, ERR_NOT_FOUND);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    audit_kinds(kinds);
    cr_assert_eq(kinds[AUDIT_DENY], 0);
    cr_assert_eq(deny(INSIDE, asked.id, "no").err, OK);
    cr_assert_eq(deny(OUTSIDE, asked.id, "no").err, ERR_NOT_FOUND, "nor what became of it");
    again = issue(ASKER, "again", 0, 0);
    cr_assert_eq(approve(INSIDE, again.id).err, OK);
}

Test(approval, who_is_on_the_machine_may_approve_anything)
{
    struct outcome asked;

    stage_start();
    asked = issue("uid:0", "csr", 0, 0);
    cr_assert_eq(approve("uid:0", asked.id).err, OK);
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(approve("uid:0", asked.id).err, OK);
}

Test(approval, the_same_again_is_the_same_request)
{
    struct outcome first, again, other;

    stage_start();
    first = issue(ASKER, "csr", 0, 0);
    again = issue(ASKER, "csr", 0, 0);
    cr_assert(again.err == ERR_PENDING && same_id(&first, &again));
    again = issue(ASKER, "csr", 5, 1);
    cr_assert(again.err == ERR_PENDING && same_id(&first, &again), "under a key too");
    other = issue(OTHER, "csr", 0, 0);
    cr_assert(other.err == ERR_PENDING && !same_id(&first, &other), "of another asker");
    other = issue(ASKER, "another csr", 0, 0);
    cr_assert(other.err == ERR_PENDING && !same_id(&first, &other));
    cr_assert_eq(deny(OTHER, first.id, "no").err, OK);
    again = issue(ASKER, "csr", 0, 0);
    cr_assert(again.err == ERR_PENDING && !same_id(&first, &again), "once decided it is asked anew");
}

Test(approval, an_idempotency_key_leads_from_waiting_to_the_certificate)
{
    struct outcome first, again, approved;

    stage_start();
    first = issue(ASKER, "csr", 9, 1);
    again = issue(ASKER, "csr", 9, 1);
    cr_assert(again.err == ERR_PENDING && same_id(&first, &again));
    cr_assert_eq(issue(ASKER, "csr", 9, 2).err, ERR_POLICY, "another body");
    cr_assert_eq(issue(ASKER, "csr", 10, 3).err, ERR_PENDING);
    approved = approve(OTHER, first.id);
    cr_assert_eq(approved.err, OK);
    again = issue(ASKER, "csr", 9, 1);
    cr_assert(again.err == OK && again.repeated);
    cr_assert_arr_eq(again.serial, approved.serial, SERIAL_LEN);
    again = issue(ASKER, "csr", 10, 3);
    cr_assert(again.err == OK && again.repeated, "every key under which it was asked");
    cr_assert_eq(issue(ASKER, "csr", 9, 2).err, ERR_POLICY);
}

Test(approval, an_idempotency_key_leads_to_the_denial)
{
    struct outcome first, again;

    stage_start();
    first = issue(ASKER, "csr", 9, 1);
    cr_assert_eq(deny(OTHER, first.id, "not ours").err, OK);
    again = issue(ASKER, "csr", 9, 1);
    cr_assert_eq(again.err, ERR_POLICY);
    cr_assert_not_null(strstr(again.detail, "not ours"));
}

Test(approval, one_turn_decides_once)
{
    enum err errs[4];
    struct outcome first;
    uint64_t before;
    int fine = 0;

    send_issue(ASKER, "csr", 0, 0);
    send_issue(ASKER, "csr", 0, 0);
    send_issue(ASKER, "csr", 7, 1);
    send_issue(ASKER, "csr", 7, 1);
    stage_start();
    first = receive_outcome();
    for (int i = 0; i < 3; i++) {
        struct outcome r = receive_outcome();

        cr_assert(r.err == ERR_PENDING && same_id(&r, &first));
    }
    before = stage_certificates();
    for (int i = 0; i < 3; i++)
        send_decision(ASK_APPROVE, OTHER, first.id, NULL);
    send_decision(ASK_DENY, OTHER, first.id, "no");
    for (int i = 0; i < 4; i++) {
        errs[i] = receive_outcome().err;
        fine += errs[i] == OK;
        cr_assert(errs[i] == OK || errs[i] == ERR_CONFLICT);
    }
    cr_assert_eq(fine, 1, "whichever is recorded first: a denial need not wait for a signature");
    cr_assert_eq(stage_certificates(), before + (stored(first.id).state == REQUEST_APPROVED));
    cr_assert_neq(stored(first.id).state, REQUEST_PENDING);
}

Test(approval, what_is_not_there_is_not_found)
{
    uint8_t id[REQUEST_ID_LEN] = {1};

    stage_start();
    cr_assert_eq(approve(OTHER, id).err, ERR_NOT_FOUND);
    cr_assert_eq(deny(OTHER, id, "no").err, ERR_NOT_FOUND);
}
