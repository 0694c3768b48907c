/* SPDX-License-Identifier: Apache-2.0 */
/* Does a request wait until a person decides, and is it then issued once, or never? The test plays the
 * api. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "tests/unit/ca/asked.h"

#define PROFILE "general/server"
#define ASKER "login:asker"
#define TWIN "login:twin" /* the asker's other certificate */
#define OTHER "login:other"
#define COLLEAGUE "login:colleague" /* a requester */
#define INSIDE "login:inside"       /* operators, whom a scope limits */
#define OUTSIDE "login:outside"
#define ELSEWHERE "login:elsewhere" /* of another issuer */
#define WEEK_S (7 * 86400)

static void need_approval(void)
{
    for (size_t i = 0; i < stage.role->catalogue.count; i++)
        if (strcmp(stage.role->catalogue.profiles[i].id, PROFILE) == 0)
            stage.role->catalogue.profiles[i].needs_approval = true;
    cr_assert(profile_find(&stage.role->catalogue, PROFILE)->needs_approval);
}

static void let_in(const char *name, const char *subject_text, enum access_role login_role)
{
    struct access_config *c = &stage.role->config.access;
    struct access_principal *p = &c->principals[c->principal_count++];

    strcpy(p->name, strchr(name, ':') + 1);
    strcpy(p->authority, "corp");
    strcpy(p->subject, subject_text);
    p->role = login_role;
}

/* Of the last that was let in. */
static struct scope *scope(void)
{
    struct access_config *c = &stage.role->config.access;

    return &c->principals[c->principal_count - 1].scope;
}

static void let_all_in(void)
{
    let_in(ASKER, "CN=jana", ACCESS_ADMINISTRATOR);
    let_in(TWIN, "CN=jana", ACCESS_ADMINISTRATOR);
    let_in(OTHER, "CN=petr", ACCESS_ADMINISTRATOR);
    let_in(COLLEAGUE, "CN=eva", ACCESS_REQUESTER);
    let_in(INSIDE, "CN=inside", ACCESS_OPERATOR);
    cr_assert(scope_add(&scope()->names, "example.com"));
    let_in(OUTSIDE, "CN=outside", ACCESS_OPERATOR);
    cr_assert(scope_add(&scope()->names, "other.example"));
    let_in(ELSEWHERE, "CN=elsewhere", ACCESS_OPERATOR);
    cr_assert(scope_add(&scope()->issuers, "rsa-g1"));
}

static void setup(void)
{
    stage_open();
    need_approval();
    let_all_in();
}

TestSuite(approval, .init = setup, .fini = stage_close, .timeout = 60);

/* ---- asking ---- */

static void send_decision(enum ask_kind kind, const char *who, const uint8_t *id, const char *reason)
{
    struct buf b;

    asked_begin(&b, kind, 2, who);
    buf_put(&b, id, REQUEST_ID_LEN);
    if (kind == ASK_DENY)
        buf_put_blob(&b, span_str(reason));
    asked_send(&b);
}

static void send_issue(const char *asker, const char *csr, uint8_t key, uint8_t body)
{
    send_question(1, &(struct question){.principal = asker, .csr = csr, .key = key, .body = body});
}

static struct outcome issue(const char *asker, const char *csr, uint8_t key, uint8_t body)
{
    send_issue(asker, csr, key, body);
    return receive_outcome();
}

static struct outcome approve(const char *who, const uint8_t *id)
{
    send_decision(ASK_APPROVE, who, id, NULL);
    return receive_outcome();
}

static struct outcome deny(const char *who, const uint8_t *id, const char *reason)
{
    send_decision(ASK_DENY, who, id, reason);
    return receive_outcome();
}

/* Spans in it are gone. */
static struct request stored(const uint8_t *id)
{
    struct view *v = stage_look();
    struct request r;

    cr_assert_eq(request_find(v, id, &r), OK);
    view_close(v);
    return r;
}

static bool count_kind(const struct audit_row *r, void *arg)
{
    ((unsigned *)arg)[r->kind]++;
    return true;
}

static void audit_kinds(unsigned kinds[static 32])
{
    struct view *v = stage_look();

    memset(kinds, 0, 32 * sizeof *kinds);
    cr_assert_eq(audit_each(v, 0, count_kind, kinds), OK);
    cr_assert_eq(audit_verify(v, NULL), OK);
    view_close(v);
}

static bool same_id(const struct outcome *a, const struct outcome *b)
{
    return memcmp(a->id, b->id, REQUEST_ID_LEN) == 0;
}

/* ---- claims ---- */

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

/* ---- what was there before ---- */

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

Test(approval, what_has_expired_cannot_be_decided)
{
    before_start(add_rows);
    stage_start();
    cr_assert_eq(approve(OTHER, old_id).err, ERR_CONFLICT);
    cr_assert_eq(deny(OTHER, old_id, "no").err, ERR_CONFLICT);
    cr_assert_eq(stored(old_id).state, REQUEST_PENDING, "until the upkeep comes");
}

Test(approval, the_rules_are_those_of_now)
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

Test(approval, facts_that_cannot_be_read_are_refused_and_can_be_denied)
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

Test(approval, upkeep_marks_what_nobody_decided)
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
    approval_add(t, &a, clock_now_s() - WEEK_S - 1);
    memcpy(overdue_id, a.request_id, REQUEST_ID_LEN);
    buf_free(&b);
}

Test(approval, the_same_again_is_not_one_that_nobody_can_approve)
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
    approval_add(t, &a, clock_now_s());
}

Test(approval, what_is_cut_for_the_audit_or_an_answer_stays_text)
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

Test(approval, a_key_compromised_in_the_same_turn_leaves_it_waiting)
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

Test(approval, one_asker_has_no_more_than_a_thousand)
{
    struct outcome r;

    before_start(add_thousand);
    stage_start();
    r = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_not_null(strstr(r.detail, "1000"));
    cr_assert_eq(issue(OTHER, "csr", 0, 0).err, ERR_PENDING);
}

Test(approval, upkeep_goes_by_slices)
{
    before_start(add_thousand);
    before_start(expire_thousand);
    stage_start();
    cr_assert_eq(issue(ASKER, "csr", 0, 0).err, ERR_PENDING);
}
