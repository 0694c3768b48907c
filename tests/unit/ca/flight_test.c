/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back from the signer late, not at all or when its issuer is withdrawn: is nothing recorded then
 * that must not be, and nobody else kept waiting? */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>
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

/* ---- a signer, or a process of it, that is there and does nothing ---- */

static bool see(const struct alarm_shown *a, void *arg)
{
    if (strcmp(a->code, "signer.silent") == 0)
        *(int *)arg = a->level;
    return true;
}

static int alarm_level(void) /* 0: none */
{
    int level = 0;

    board_each_alarm(stage.role->board, see, &level);
    return level;
}

/* Probes until it is so. Whatever else is answered meanwhile is `other`. */
static void probe_until(int level, struct reply *other)
{
    static struct reply r;

    for (unsigned i = 0; i < 3000 && alarm_level() != level; i++) {
        send_probe(1000 + i);
        for (receive(&r); r.number != 1000 + i; receive(&r))
            *other = r;
        usleep(10000);
    }
    cr_assert_eq(alarm_level(), level);
}

static struct seal_keys *keys;

static void open_with_board(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    stage_open();
    stage.role->board = board_new();
    stage.role->seal_keys = keys = played_seal_keys(key);
    EVP_PKEY_free(key);
}

static void close_with_board(void)
{
    const struct board *b = stage.role->board;

    stage_close();
    board_close(b);
    seal_keys_free(keys);
}

TestSuite(hang, .init = open_with_board, .fini = close_with_board, .timeout = 60);

/* Of two questions the first is kept, by one process of several. Gives the second's answer. */
static struct outcome keep_the_first(void)
{
    static struct reply r;

    stage.signer.is_several = true;
    stage.signer.kept_at = 2; /* after the OCSP signer's certificate */
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(&r);
    cr_assert_eq(r.number, 2);
    return issued_of(&r);
}

Test(hang, one_process_of_several_is_warned_of_and_keeps_nobody_waiting)
{
    static struct reply first;
    bool changed = false;

    add_rows(SEAL_ROWS); /* a seal is due */
    cr_assert_eq(change(ASK_REVOKE, keep_the_first().serial, REASON_SUPERSEDED, &changed), OK);
    cr_assert(changed);
    cr_assert_geq(stage.signer.asked, 5, "probe and seal too");
    probe_until(ALARM_WARNING, &first);
    stage.signer.releases = true;
    probe_until(0, &first);
    if (first.number != 1)
        receive(&first);
    (void)issued_of(&first);
    stage_stop();
    cr_assert_eq(stage.result, OK);
}

/* It is the probe that a process keeps. */
Test(hang, one_process_of_several_is_not_a_silent_signer)
{
    static struct reply r, none;

    stage.signer.is_several = true;
    stage.signer.kept_at = 2;
    stage_start();
    send_probe(3);
    receive(&r);
    cr_assert_eq(r.err, ERR_UNAVAILABLE);
    cr_assert_eq(alarm_level(), ALARM_CRITICAL);
    issue_one();
    probe_until(ALARM_WARNING, &none);
    send_probe(4);
    receive(&r);
    cr_assert_eq(r.err, OK);
    stage.signer.releases = true;
    probe_until(0, &none);
}

/* More than is held at once. All but those that it has are refused; what needs no signature is done in its
 * turn. */
Test(hang, a_silent_signer_stops_no_revocation_however_many_ask)
{
    static struct reply r;
    unsigned refused = 0, revoked = 0;
    struct outcome one;

    stage_start();
    one = issue_one();
    stage.signer.is_mute = true;
    for (uint64_t i = 0; i < 2 * FLIGHTS_MAX; i++)
        send_question(1000 + i, &plain);
    send_revocation(1, "uid:0", one.serial, REASON_SUPERSEDED, NO_TIME);
    while (revoked == 0 || refused < 2 * FLIGHTS_MAX - PORT_WINDOW) {
        receive(&r);
        cr_assert_eq(r.err, r.number == 1 ? OK : ERR_UNAVAILABLE);
        revoked += r.number == 1;
        refused += r.number != 1;
    }
    cr_assert_eq(stage_certificates(), 2, "its OCSP signer's and the one before");
}

Test(hang, a_repetition_is_refused_while_the_first_is_kept)
{
    struct question q = plain;
    static struct reply r;

    q.key = 7;
    stage.signer.is_several = true;
    stage.signer.kept_at = 2;
    send_question(1, &q);
    send_question(2, &q);
    stage_start();
    receive(&r);
    cr_assert_eq(r.number, 2);
    cr_assert_eq(r.err, ERR_UNAVAILABLE);
    send_question(3, &q);
    receive(&r);
    cr_assert_eq(r.number, 3);
    cr_assert_eq(r.err, ERR_UNAVAILABLE, "at once");
    stage.signer.releases = true;
    send_probe(4);
    do
        receive(&r);
    while (r.number != 1);
    (void)issued_of(&r);
}

Test(hang, what_comes_back_at_the_end_is_nobodys)
{
    (void)keep_the_first();
    stage.signer.releases = true; /* with the last seal */
    stage_stop();
    cr_assert_eq(stage.result, OK);
    cr_assert_eq(stage_certificates(), 2, "its OCSP signer's and the second");
}

/* More is asked than is held at once, and nothing read when the api goes. */
Test(hang, an_end_is_seen_while_there_is_no_room)
{
    stage_start();
    issue_one();
    stage.signer.is_mute = true;
    for (uint64_t i = 0; i < FLIGHTS_MAX + 20; i++)
        send_question(1000 + i, &plain);
    stage_stop();
    cr_assert_eq(stage.result, OK);
    cr_assert_eq(stage_certificates(), 2);
}

Test(hang, a_silent_signer_is_no_hindrance_to_an_end_in_order)
{
    stage_start();
    issue_one();
    stage.signer.is_mute = true;
    send_question(1, &plain);
    stage_stop();
    cr_assert_eq(stage.result, OK);
}

/* Though nothing else ever happens. */
Test(hang, what_comes_back_while_a_seal_is_waited_for_is_answered_at_once)
{
    static struct reply r;

    add_rows(SEAL_ROWS);
    stage.signer.slow_at = 4; /* after the OCSP signer's certificate, the third of the three */
    for (uint64_t i = 1; i <= 3; i++)
        send_question(i, &plain);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r);
        (void)issued_of(&r);
    }
}
