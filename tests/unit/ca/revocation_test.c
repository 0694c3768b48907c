/* SPDX-License-Identifier: Apache-2.0 */
/* Does a certificate become what its state allows, and nothing that no list can say? */
#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/ca/asked.h"

TestSuite(revocation, .init = stage_open, .fini = stage_close, .timeout = 60);

Test(revocation, revocation_moves_as_the_state_allows)
{
    struct outcome i;
    struct status s;
    bool changed = false;

    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), ERR_CONFLICT, "not held");
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    cr_assert(changed);
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), OK);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.state, CERT_VALID);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_KEY_COMPROMISE, &changed), OK,
                 "a hold may become final");
    cr_assert(changed);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_KEY_COMPROMISE, &changed), OK);
    cr_assert(!changed, "idempotent");
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_SUPERSEDED, &changed), ERR_CONFLICT);
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), ERR_CONFLICT);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.reason, REASON_KEY_COMPROMISE);
    i.serial[SERIAL_LEN - 1] ^= 1;
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_SUPERSEDED, &changed), ERR_NOT_FOUND);
}

static enum err revoke_at(const uint8_t serial[static SERIAL_LEN], enum reason reason, int64_t invalidity_s)
{
    static struct reply r;

    send_revocation(7, "uid:0", serial, (uint8_t)reason, invalidity_s);
    receive(&r);
    return r.err;
}

Test(revocation, an_invalidity_date_is_never_ahead)
{
    int64_t now_s = clock_now_s();
    struct outcome i;
    struct status s;

    stage_start();
    i = issue_one();
    cr_assert_eq(revoke_at(i.serial, REASON_KEY_COMPROMISE, now_s + DAY_S), ERR_MALFORMED);
    cr_assert_eq(revoke_at(i.serial, REASON_KEY_COMPROMISE, CLOCK_MAX), ERR_MALFORMED);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.state, CERT_VALID);
    cr_assert_eq(revoke_at(i.serial, REASON_KEY_COMPROMISE, now_s + 60), OK, "his clock runs ahead a little");
}

Test(revocation, a_date_that_stands_is_not_changed)
{
    int64_t then_s = clock_now_s() - DAY_S;
    struct outcome i;
    struct status s;

    stage_start();
    i = issue_one();
    cr_assert_eq(revoke_at(i.serial, REASON_CERTIFICATE_HOLD, then_s), OK);
    cr_assert_eq(revoke_at(i.serial, REASON_CERTIFICATE_HOLD, then_s), OK, "repeated");
    cr_assert_eq(revoke_at(i.serial, REASON_CERTIFICATE_HOLD, NO_TIME), OK, "repeated without");
    cr_assert_eq(revoke_at(i.serial, REASON_CERTIFICATE_HOLD, then_s - 1), OK, "the same in effect");
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.invalidity_s, then_s);
    cr_assert_eq(revoke_at(i.serial, REASON_SUPERSEDED, then_s - DAY_S), OK,
                 "final now, with a date of its own");
    cr_assert_eq(revoke_at(i.serial, REASON_SUPERSEDED, then_s), OK);
    cr_assert_eq(revoke_at(i.serial, REASON_SUPERSEDED, then_s + 9 * DAY_S), OK, "one that is ahead too");
    cr_assert_eq(revoke_at(i.serial, REASON_KEY_COMPROMISE, then_s - DAY_S), ERR_CONFLICT);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.invalidity_s, then_s - DAY_S);
    i = issue_one();
    cr_assert_eq(revoke_at(i.serial, REASON_SUPERSEDED, NO_TIME), OK);
    cr_assert_eq(revoke_at(i.serial, REASON_SUPERSEDED, then_s), OK);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.invalidity_s, NO_TIME);
}

/* A ca in a child that is told to revoke so: its exit code, or -1. The stage stays here, to be removed. */
static int revoked_with(uint8_t reason, int64_t invalidity_s)
{
    static const uint8_t serial[SERIAL_LEN] = {1};
    static struct reply r;
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        stage_start();
        send_revocation(7, "uid:0", serial, reason, invalidity_s);
        receive(&r);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A time before all times is no invalidityDate, and 8 is removeFromCRL: either would spoil every later CRL.
 */
Test(revocation, what_no_list_can_say_ends_the_role)
{
    cr_assert_eq(revoked_with(REASON_REMOVE_FROM_CRL, NO_TIME), 2);
    cr_assert_eq(revoked_with(REASON_KEY_COMPROMISE, CLOCK_MAX + 1), 2);
    cr_assert_eq(revoked_with(REASON_KEY_COMPROMISE, NO_TIME), 0, "it answers that there is none");
}
