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
