/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request that waited from before decided by what holds now, or by nobody any more, and are there never
 * too many? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "tests/unit/ca/people.h"

TestSuite(pending, .init = people_open, .fini = stage_close, .timeout = 60);

static void before_start(void (*fn)(struct txn *t))
{
    fn(stage_begin());
    stage_commit();
}

static const uint8_t old_id[REQUEST_ID_LEN] = {1}, long_id[REQUEST_ID_LEN] = {2},
                     foreign_id[REQUEST_ID_LEN] = {3};
static uint8_t overdue_id[REQUEST_ID_LEN];

static void add_row(struct txn *t, const uint8_t *id, uint32_t days, int64_t expires_at_s, struct span facts)
{
    struct request r = {.profile = PROFILE,
                        .asker = ASKER,
                        .days = days,
                        .facts = facts,
                        .asked_at_s = clock_now_s() - WEEK_S,
                        .expires_at_s = expires_at_s};

    memcpy(r.id, id, REQUEST_ID_LEN);
    memcpy(r.same, id, REQUEST_ID_LEN);
    request_add(t, &r);
}

static void add_rows(struct txn *t)
{
    struct facts f = facts_asked(&(struct question){.csr = "csr"});
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &f);
    add_row(t, old_id, 0, clock_now_s() - 1, buf_span(&b));
    add_row(t, long_id, 36500, clock_now_s() + 1000, buf_span(&b));
    add_row(t, foreign_id, 0, clock_now_s() + 1000, span_str("facts of another version"));
    buf_free(&b);
}

Test(pending, what_has_expired_cannot_be_decided)
{
    before_start(add_rows);
    stage_start();
    cr_assert_eq(approve(OTHER, old_id).err, ERR_CONFLICT);
    cr_assert_eq(deny(OTHER, old_id, "no").err, ERR_CONFLICT);
    cr_assert_eq(stored(old_id).state, REQUEST_PENDING, "until the upkeep comes");
}

Test(pending, the_rules_are_those_of_now)
{
    struct outcome r;
    unsigned kinds[32];

    before_start(add_rows);
    stage_start();
    r = approve(OTHER, long_id);
    cr_assert_eq(r.err, ERR_POLICY, "36500 days");
    cr_assert_gt(r.findings, 0);
    cr_assert_eq(stored(long_id).state, REQUEST_PENDING);
    audit_kinds(kinds);
    cr_assert_eq(kinds[AUDIT_REFUSE], 1);
    cr_assert_eq(kinds[AUDIT_APPROVE], 0);
}

Test(pending, facts_that_cannot_be_read_are_refused_and_can_be_denied)
{
    before_start(add_rows);
    stage_start();
    cr_assert_eq(approve(OTHER, foreign_id).err, ERR_CONFLICT);
    cr_assert_eq(deny(INSIDE, foreign_id, "whose is it?").err, ERR_NOT_FOUND);
    cr_assert_eq(deny(OTHER, foreign_id, "ask again").err, OK);
}

static void expire(struct txn *t)
{
    struct request r;

    approval_expire(t, clock_now_s());
    cr_assert_eq(request_find(txn_view(t), old_id, &r), OK);
    cr_assert_eq(r.state, REQUEST_EXPIRED);
    cr_assert_str_eq(r.decided_by, "service");
    cr_assert_eq(request_find(txn_view(t), long_id, &r), OK);
    cr_assert_eq(r.state, REQUEST_PENDING);
}

Test(pending, upkeep_marks_what_nobody_decided)
{
    unsigned kinds[32];

    before_start(add_rows);
    before_start(expire);
    audit_kinds(kinds);
    cr_assert_eq(kinds[AUDIT_EXPIRE], 1);
    stage_start();
    cr_assert_eq(approve(OTHER, old_id).err, ERR_CONFLICT);
}

/* Asked more than a week ago, and no upkeep came since. */
static void ask_long_ago(struct txn *t)
{
    struct facts f = facts_asked(&(struct question){.csr = "csr"});
    struct ask a = {.kind = ASK_ISSUE, .principal = ASKER, .profile_id = PROFILE, .facts = f};
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &f);
    a.facts_sent = buf_span(&b);
    approval_add(&(struct ca){0}, t, &a, clock_now_s() - WEEK_S - 1);
    memcpy(overdue_id, a.request_id, REQUEST_ID_LEN);
    buf_free(&b);
}

Test(pending, the_same_again_is_not_one_that_nobody_can_approve)
{
    struct outcome again;
    unsigned kinds[32];

    before_start(ask_long_ago);
    stage_start();
    again = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(again.err, ERR_PENDING);
    cr_assert_neq(memcmp(again.id, overdue_id, REQUEST_ID_LEN), 0);
    cr_assert_eq(stored(overdue_id).state, REQUEST_EXPIRED);
    audit_kinds(kinds);
    cr_assert(kinds[AUDIT_EXPIRE] == 1 && kinds[AUDIT_REQUEST] == 2);
    cr_assert_eq(approve(OTHER, again.id).err, OK);
}

/* ---- texts that are cut ---- */

static bool is_text(struct span s)
{
    for (size_t n; s.len > 0; s = span_of(s.data + n, s.len - n))
        if ((n = utf8_next(s, NULL)) == 0)
            return false;
    return true;
}

static bool note_text(const struct audit_row *r, void *arg)
{
    *(bool *)arg = *(bool *)arg && is_text(r->detail);
    return true;
}

/* The 128th octet is within a character. */
static void ask_long_subject(struct txn *t)
{
    static char subject_text[200];
    struct facts f = facts_asked(&(struct question){.csr = "csr"});
    struct ask a = {.kind = ASK_ISSUE, .principal = ASKER, .profile_id = PROFILE};

    memset(subject_text, 'a', 127);
    strcat(subject_text, "\xc3\xa9\xc3\xa9");
    f.subject_text = span_str(subject_text);
    a.facts = f;
    approval_add(&(struct ca){0}, t, &a, clock_now_s());
}

Test(pending, what_is_cut_for_the_audit_or_an_answer_stays_text)
{
    char reason[200] = "";
    struct outcome first, again;
    bool is_fine = true;
    struct view *v;

    before_start(ask_long_subject);
    stage_start();
    memset(reason, 'a', 159);
    strcat(reason, "\xc3\xa9\xc3\xa9");
    first = issue(ASKER, "csr 2", 9, 1);
    cr_assert_eq(deny(OTHER, first.id, reason).err, OK);
    again = issue(ASKER, "csr 2", 9, 1);
    cr_assert_eq(again.err, ERR_POLICY);
    cr_assert(is_text(span_str(again.detail)), "%s", again.detail);
    v = stage_look();
    cr_assert_eq(audit_each(v, 0, note_text, &is_fine), OK);
    view_close(v);
    cr_assert(is_fine);
}

static void add_waiting(struct txn *t)
{
    struct facts f = facts_asked(&(struct question){.csr = "csr"});
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &f);
    add_row(t, old_id, 0, clock_now_s() + 1000, buf_span(&b));
    buf_free(&b);
}

Test(pending, a_key_compromised_in_the_same_turn_leaves_it_waiting)
{
    static const uint8_t serial[SERIAL_LEN] = {1, 9};
    static struct reply revoked;

    stage_remember(serial);
    before_start(add_waiting);
    send_revocation(3, OTHER, serial, REASON_KEY_COMPROMISE, NO_TIME);
    send_decision(ASK_APPROVE, OTHER, old_id, NULL);
    stage_start();
    receive(&revoked);
    cr_assert_eq(revoked.err, OK);
    cr_assert_eq(receive_outcome().err, ERR_POLICY);
    cr_assert_eq(stored(old_id).state, REQUEST_PENDING);
}

static void add_thousand(struct txn *t)
{
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t id[REQUEST_ID_LEN] = {9, (uint8_t)(i >> 8), (uint8_t)i};

        add_row(t, id, 0, clock_now_s() + 1000 + i, span_str("facts"));
    }
}

static void expire_thousand(struct txn *t)
{
    unsigned waiting;

    approval_expire(t, clock_now_s() + 5000);
    cr_assert_eq(request_count(txn_view(t), ASKER, 2000, &waiting), OK);
    cr_assert(waiting > 0 && waiting < 1000, "a slice at a time: %u", waiting);
    for (int i = 0; i < 9; i++)
        approval_expire(t, clock_now_s() + 5000);
    cr_assert_eq(request_count(txn_view(t), ASKER, 2000, &waiting), OK);
    cr_assert_eq(waiting, 0);
}

Test(pending, one_asker_has_no_more_than_a_thousand)
{
    struct outcome r;

    before_start(add_thousand);
    stage_start();
    r = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_not_null(strstr(r.detail, "1000"));
    cr_assert_eq(issue(OTHER, "csr", 0, 0).err, ERR_PENDING);
}

Test(pending, upkeep_goes_by_slices)
{
    before_start(add_thousand);
    before_start(expire_thousand);
    stage_start();
    cr_assert_eq(issue(ASKER, "csr", 0, 0).err, ERR_PENDING);
}
