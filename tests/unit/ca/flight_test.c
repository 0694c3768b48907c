/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back from the signer late, not at all or when its issuer is withdrawn: is nothing recorded then
 * that must not be, and nobody else kept waiting? */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/ca/asked.h"

TestSuite(flight, .init = stage_open, .fini = stage_close, .timeout = 60);

Test(flight, a_refusing_signer_leaves_nothing_behind)
{
    static struct reply r;
    uint64_t before;

    stage_start();
    issue_one();
    before = stage_certificates();
    stage.signer.refuses = true;
    send_question(1, &plain);
    receive(&r);
    stage.signer.refuses = false;
    cr_assert_eq(r.err, ERR_INTERNAL);
    cr_assert_eq(stage_certificates(), before);
}

Test(flight, a_signature_that_does_not_come_holds_up_no_other)
{
    static struct reply r;

    stage.signer.kept_at = 2; /* after the OCSP signer's certificate, the first of the two */
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(&r);
    cr_assert_eq(r.number, 2);
    stage.signer.releases = true;
    receive(&r);
    cr_assert_eq(r.number, 1);
    cr_assert(!stage.signer.gave_up);
}

/* The first of two questions comes back after the issuer is withdrawn. */
static void withdraw_in_flight(enum reason reason, struct reply *out)
{
    static const uint8_t issuer[SERIAL_LEN] = {1}; /* as played_issuer() has it */
    bool changed = false;

    stage_remember(issuer);
    stage.signer.kept_at = 2;
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(out);
    cr_assert_eq(out->number, 2);
    cr_assert_eq(out->err, OK);
    cr_assert_eq(change(ASK_REVOKE, issuer, reason, &changed), OK);
    cr_assert(changed);
    stage.signer.releases = true;
    receive(out);
    cr_assert_eq(out->number, 1);
    cr_assert(!stage.signer.gave_up);
}

Test(flight, what_a_revoked_issuer_signed_meanwhile_is_not_recorded)
{
    static struct reply r;

    withdraw_in_flight(REASON_CESSATION_OF_OPERATION, &r);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_eq(stage_certificates(), 3, "the issuer's, its OCSP signer's and the one before");
}

Test(flight, nor_what_an_issuer_on_hold_signed)
{
    static struct reply r;

    withdraw_in_flight(REASON_CERTIFICATE_HOLD, &r);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_eq(stage_certificates(), 3);
}

static void send_probe(uint64_t number)
{
    struct buf b;

    asked_begin(&b, ASK_PROBE, number, NULL);
    asked_send(&b);
}

Test(flight, a_probe_is_answered)
{
    static struct reply r;

    stage_start();
    send_probe(3);
    receive(&r);
    cr_assert_eq(r.err, OK);
    cr_assert_eq(r.number, 3);
    stage.signer.refuses = true;
    send_probe(3);
    receive(&r);
    cr_assert_eq(r.err, ERR_UNAVAILABLE);
}

static void add_rows(unsigned n)
{
    struct txn *t = stage_begin();

    for (unsigned i = 0; i < n; i++)
        audit_append(
            t, &(struct audit_row){.at_s = clock_now_s(), .kind = AUDIT_ISSUE, .actor = span_str("uid:0")});
    stage_commit();
}

static bool see(const struct alarm_shown *a, void *arg)
{
    *(bool *)arg |= strcmp(a->code, "signer.silent") == 0;
    return true;
}

static bool is_alarmed(void)
{
    bool is = false;

    board_each_alarm(stage.role->board, see, &is);
    return is;
}

/* Asks until it is so: each question is a turn, and has an answer. */
static void probe_until_alarmed(bool is)
{
    static struct reply r;

    for (unsigned i = 0; i < 1000 && is_alarmed() != is; i++) {
        send_probe(100 + i);
        receive(&r);
        cr_assert(r.number == 100 + i ? r.err == OK : r.number == 1);
        usleep(10000);
    }
    cr_assert_eq(is_alarmed(), is);
}

Test(flight, one_of_several_that_hangs_is_alarmed_and_keeps_nobody_waiting)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct seal_keys *keys = played_seal_keys(key);
    static struct reply r;
    struct outcome second;
    bool changed = false;

    add_rows(SEAL_ROWS); /* a seal is due, for which the signer is to have answered everything */
    stage.role->seal_keys = keys;
    stage.role->board = board_new();
    stage.signer.is_several = true;
    stage.signer.kept_at = 2; /* after the OCSP signer's certificate, the first of the two */
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(&r);
    cr_assert_eq(r.number, 2);
    second = issued_of(&r);
    probe_until_alarmed(true);
    cr_assert_eq(change(ASK_REVOKE, second.serial, REASON_SUPERSEDED, &changed), OK);
    cr_assert(changed && is_alarmed());
    stage.signer.releases = true;
    probe_until_alarmed(false);
    stage_stop();
    cr_assert_eq(stage.result, OK);
    board_close(stage.role->board);
    seal_keys_free(keys);
    EVP_PKEY_free(key);
}

Test(flight, a_hang_leaves_the_end_in_order)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct seal_keys *keys = played_seal_keys(key);
    static struct reply r;

    stage.role->seal_keys = keys;
    stage.signer.is_several = true;
    stage.signer.kept_at = 2;
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(&r);
    cr_assert_eq(r.number, 2);
    stage_stop();
    cr_assert_eq(stage.result, OK);
    cr_assert_eq(stage_certificates(), 2, "its OCSP signer's and the second");
    seal_keys_free(keys);
    EVP_PKEY_free(key);
}

/* A seal waits for what is at the signer; what comes back then is answered though nothing else ever happens.
 */
Test(flight, what_came_back_before_a_seal_is_answered_at_once)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct seal_keys *keys = played_seal_keys(key);
    static struct reply r;

    add_rows(SEAL_ROWS);
    stage.role->seal_keys = keys;
    stage.signer.slow_at = 4; /* after the OCSP signer's certificate, the third of the three */
    for (uint64_t i = 1; i <= 3; i++)
        send_question(i, &plain);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r);
        (void)issued_of(&r);
    }
    stage_stop();
    seal_keys_free(keys);
    EVP_PKEY_free(key);
}
