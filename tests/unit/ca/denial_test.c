/* SPDX-License-Identifier: Apache-2.0 */
/* Is what role or scope forbids a row of the audit that says what really stood against it? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/ca/people.h"

TestSuite(denial, .init = people_open, .fini = stage_close, .timeout = 60);

struct found {
    unsigned count;
    struct audit_row last;
    char actor[PRINCIPAL_MAX], detail[1024];
};

static bool note_refusal(const struct audit_row *r, void *arg)
{
    struct found *f = arg;

    if (r->kind != AUDIT_REFUSE)
        return true;
    f->count++;
    f->last = *r;
    cr_assert(span_to_str(r->actor, f->actor, sizeof f->actor));
    cr_assert(span_to_str(r->detail, f->detail, sizeof f->detail));
    return true;
}

/* Of refusals there are as many as `count`, and the last is this one. */
static struct found expect_row(unsigned count, const char *actor, const char *detail)
{
    struct view *v = stage_look();
    struct found f = {0};

    cr_assert_eq(audit_each(v, 0, note_refusal, &f), OK);
    view_close(v);
    cr_assert_eq(f.count, count, "%u: %s", f.count, f.detail);
    if (count > 0) {
        cr_assert_str_eq(f.actor, actor);
        cr_assert_str_eq(f.detail, detail);
    }
    return f;
}

static void expect_row_about(const char *act, unsigned count, const char *actor, const uint8_t *id,
                             const char *why)
{
    char hex[2 * REQUEST_ID_LEN + 1], detail[512];

    hex_encode(span_of(id, REQUEST_ID_LEN), hex);
    snprintf(detail, sizeof detail, "%s %s: %s", act, hex, why);
    cr_assert_not(expect_row(count, actor, detail).last.has_serial);
}

static void expect_decision_row(unsigned count, const char *actor, const uint8_t *id, const char *why)
{
    expect_row_about("deny request", count, actor, id, why);
}

static void expect_approval_row(unsigned count, const char *actor, const uint8_t *id, const char *why)
{
    expect_row_about("approval of request", count, actor, id, why);
}

Test(denial, who_denies_what_is_anothers_or_outside_his_scope)
{
    struct outcome asked;

    stage_start();
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(deny(COLLEAGUE, asked.id, "not mine").err, ERR_FORBIDDEN);
    expect_decision_row(1, COLLEAGUE, asked.id, "A requester may take back his own requests alone.");
    cr_assert_eq(deny(OUTSIDE, asked.id, "no").err, ERR_NOT_FOUND);
    expect_decision_row(2, OUTSIDE, asked.id, "It is outside the scope of this login.");
    cr_assert_eq(deny(OTHER, (const uint8_t[REQUEST_ID_LEN]){1}, "no").err, ERR_NOT_FOUND);
    expect_decision_row(2, OUTSIDE, asked.id, "It is outside the scope of this login.");
    cr_assert_eq(approve(OUTSIDE, asked.id).err, ERR_NOT_FOUND);
    expect_approval_row(3, OUTSIDE, asked.id, "It is outside the scope of this login.");
    cr_assert_eq(deny(INSIDE, asked.id, "no").err, OK);
    cr_assert_eq(deny(INSIDE, asked.id, "no").err, ERR_CONFLICT);
    expect_approval_row(3, OUTSIDE, asked.id, "It is outside the scope of this login.");
}

static enum err move(enum ask_kind kind, const char *who, const uint8_t *serial)
{
    static struct reply r;
    struct buf b;

    if (kind == ASK_REVOKE) {
        send_revocation(3, who, serial, REASON_CERTIFICATE_HOLD, NO_TIME);
    } else {
        asked_begin(&b, kind, 3, who);
        buf_put(&b, serial, SERIAL_LEN);
        asked_send(&b);
    }
    receive(&r);
    return r.err;
}

Test(denial, who_revokes_what_is_outside_his_scope)
{
    static const uint8_t nothing[SERIAL_LEN] = {1};
    struct outcome issued;
    struct found f;

    stage_start();
    send_question(1, &(struct question){.profile = "general/client"});
    issued = receive_outcome();
    cr_assert_eq(issued.err, OK, "%s", issued.detail);
    cr_assert_eq(move(ASK_REVOKE, OUTSIDE, nothing), ERR_NOT_FOUND);
    expect_row(0, NULL, NULL);
    cr_assert_eq(move(ASK_REVOKE, OUTSIDE, issued.serial), ERR_NOT_FOUND);
    f = expect_row(1, OUTSIDE, "revoke: It is outside the scope of this login.");
    cr_assert(f.last.has_serial);
    cr_assert_arr_eq(f.last.serial, issued.serial, SERIAL_LEN);
    cr_assert_eq(move(ASK_UNHOLD, OUTSIDE, issued.serial), ERR_NOT_FOUND);
    cr_assert(expect_row(2, OUTSIDE, "unhold: It is outside the scope of this login.").last.has_serial);
    cr_assert_eq(move(ASK_REVOKE, INSIDE, issued.serial), OK);
    expect_row(2, OUTSIDE, "unhold: It is outside the scope of this login.");
}

static enum err try(const char *who, const char *profile, uint8_t flags)
{
    static struct reply r;

    send_question(1, &(struct question){.principal = who, .profile = profile, .flags = flags});
    receive(&r);
    return r.err;
}

Test(denial, who_has_preflighted_what_he_may_not_ask_for)
{
    stage_start();
    cr_assert_eq(try(INSIDE, "general/client", ASK_DRY_RUN), OK);
    cr_assert_eq(try(INSIDE, "general/nothing", ASK_DRY_RUN), ERR_NOT_FOUND);
    expect_row(0, NULL, NULL);
    cr_assert_eq(try(OUTSIDE, "general/client", ASK_DRY_RUN), ERR_FORBIDDEN);
    expect_row(1, OUTSIDE,
               "preflight: This login is limited: its scope does not cover every name of this request.");
    cr_assert_eq(try(OUTSIDE, "general/client", ASK_DRY_RUN | ASK_REFUSES), ERR_FORBIDDEN);
    expect_row(1, OUTSIDE,
               "preflight: This login is limited: its scope does not cover every name of this request.");
    cr_assert_eq(try(COLLEAGUE, "chancery/administrator", ASK_DRY_RUN), ERR_FORBIDDEN);
    expect_row(2, COLLEAGUE,
               "preflight: This profile is the service's own: logins are made by an administrator whom no "
               "scope limits, the others by the service itself.");
    cr_assert_eq(try(COLLEAGUE, "chancery/administrator", 0), ERR_FORBIDDEN);
    expect_row(3, COLLEAGUE,
               "profile chancery/administrator: This profile is the service's own: logins are made by an "
               "administrator whom no scope limits, the others by the service itself.");
}

/* What is kept of the disk is for what is under way: whoever may not preflight cannot use it up. */
Test(denial, without_room_no_refusal_is_recorded)
{
    static const struct ca full = {.no_room = "The disk is nearly full."};
    struct ask preflight = {.kind = ASK_ISSUE, .dry_run = true, .is_denied = true, .err = ERR_FORBIDDEN},
               issuing = {.kind = ASK_ISSUE}, probe = {.kind = ASK_PROBE};

    cr_assert_not(disk_bars(&full, &preflight), "it is answered as it was");
    cr_assert(preflight.is_barred);
    cr_assert(disk_bars(&full, &issuing));
    cr_assert_eq(issuing.err, ERR_UNAVAILABLE);
    cr_assert(issuing.is_barred);
    cr_assert_not(disk_bars(&full, &probe));
    cr_assert_not(probe.is_barred);
}
