/* SPDX-License-Identifier: Apache-2.0 */
/* Is a key that was certified before warned of, and one that is compromised never certified again? */
#include <criterion/criterion.h>

#include "tests/unit/ca/asked.h"

TestSuite(key_history, .init = stage_open, .fini = stage_close, .timeout = 60);

Test(key_history, a_key_of_another_subject_is_warned_of)
{
    static const uint8_t serial[SERIAL_LEN] = {1, 9};
    static struct reply r;
    static struct findings fs;

    stage_remember(serial);
    stage_start();
    send_question(1, &plain);
    receive(&r);
    cr_assert_eq(r.err, OK);
    cr_assert(findings_read(&r.rest, &fs));
    cr_assert_str_eq(fs.items[0].rule, "key.reused");
    cr_assert_str_eq(fs.items[0].got, "CN=OCSP ec-g1"); /* the latest: all keys are one here */
    findings_free(&fs);
}

Test(key_history, a_key_revoked_as_compromised_is_never_certified_again)
{
    static struct reply r;
    struct outcome i;
    uint64_t before;
    bool changed;

    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_KEY_COMPROMISE, &changed), OK);
    before = stage_certificates();
    send_question(2, &plain);
    receive(&r);
    assert_refused(&r, "key.compromised");
    cr_assert_eq(stage_certificates(), before);
}

Test(key_history, other_reasons_do_not_condemn_the_key)
{
    struct outcome i;
    bool changed;

    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_SUPERSEDED, &changed), OK);
    issue_one();
}

Test(key_history, a_compromise_earlier_in_the_turn_counts)
{
    static const uint8_t serial[SERIAL_LEN] = {1, 9};
    static struct reply revoked, refused;

    stage_remember(serial);
    send_revocation(7, "uid:0", serial, REASON_KEY_COMPROMISE, NO_TIME);
    send_question(1, &plain);
    stage_start();
    receive(&revoked);
    cr_assert_eq(revoked.err, OK);
    receive(&refused);
    assert_refused(&refused, "key.compromised");
}
