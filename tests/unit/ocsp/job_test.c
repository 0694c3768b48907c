/* SPDX-License-Identifier: Apache-2.0 */
/* Does each job come to its turn at the signer, and is none signed for somebody who has gone? */
#include "stage.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/der.h"

TestSuite(ocsp_job, .init = stage_open, .fini = stage_close);

#define MANY 300u /* some windows of the port */
static struct got got[OCSP_UNDER_WAY_MAX];

static void send_request(OCSP_REQUEST *r, struct got *g)
{
    struct buf der = pki_encode(r);

    respond(buf_span(&der), g);
    buf_free(&der);
}

static void ask_nonce(struct got *g)
{
    OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));

    pki_add_nonce(r, 16, false);
    send_request(r, g);
}

/* One of many that nobody has asked for yet. */
static void ask_miss(unsigned i, struct got *g)
{
    uint8_t serial[SERIAL_LEN] = {1, (uint8_t)(i >> 8), (uint8_t)i};

    send_request(about(pki_certid(EVP_sha1(), &ca_a, span_of(serial, sizeof serial))), g);
}

static void forget_all(void)
{
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++)
        forget(&got[i]);
}

static void ticks(unsigned n)
{
    while (n-- > 0)
        ocsp_tick(o, now_s);
}

Test(ocsp_job, one_request_is_answered_while_misses_keep_coming)
{
    unsigned n = MANY;
    struct got g = {0};
    size_t others = 0;

    keeping();
    for (unsigned i = 0; i < MANY; i++)
        ask_miss(i, &got[i]);
    ask_nonce(&g);
    for (; g.calls == 0 && n < OCSP_UNDER_WAY_MAX; n++, others++) {
        cr_assert_eq(pump(1), 1);
        ask_miss(n, &got[n]); /* that line is never empty */
    }
    cr_assert_eq(g.answer.status, OCSP_SUCCESSFUL);
    cr_assert_leq(others, PORT_WINDOW);
    forget(&g);
    forget_all();
}

Test(ocsp_job, what_many_ask_for_is_answered_while_nonces_keep_coming)
{
    unsigned n = MANY;
    struct got g = {0};
    size_t others = 0;

    keeping();
    for (unsigned i = 0; i < MANY; i++)
        ask_nonce(&got[i]);
    ocsp_send(o); /* a window of them is at the signer */
    send_request(about(id_of(&ca_a, GOOD)), &g);
    for (; g.calls == 0 && n < OCSP_LIVE_MAX; n++, others++) {
        cr_assert_eq(pump(1), 1);
        ask_nonce(&got[n]);
    }
    cr_assert_eq(g.answer.status, OCSP_SUCCESSFUL);
    cr_assert_leq(others, PORT_WINDOW + 2 * PORT_SEVERAL_MAX);
    forget(&g);
    forget_all();
}

Test(ocsp_job, what_is_not_sent_and_nobody_waits_for_is_not_signed)
{
    struct got g = {0};

    keeping();
    for (unsigned i = 0; i < OCSP_LIVE_MAX; i++)
        ask_nonce(&got[i]);
    for (unsigned i = OCSP_LIVE_MAX; i < OCSP_UNDER_WAY_MAX; i++)
        ask_miss(i, &got[i]);
    ocsp_send(o);
    ticks(OCSP_WAIT_TICKS);
    for (unsigned i = 0; i < OCSP_UNDER_WAY_MAX; i++)
        cr_assert_eq(got[i].answer.status, OCSP_TRY_LATER);
    ask_nonce(&g); /* there is room for it */
    cr_assert_eq(g.calls, 0);
    cr_assert_eq(jobs_waiting(), PORT_WINDOW, "what was sent is the signer's");
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(jobs_waiting(), 1);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(g.calls, 1);
    cr_assert_eq(g.answer.status, OCSP_SUCCESSFUL);
    forget(&g);
    forget_all();
}

Test(ocsp_job, what_is_to_be_ready_is_signed_however_late)
{
    struct buf recent;

    keeping();
    cr_assert(signs(GOOD) && signs(REVOKED));
    buf_init(&recent, OCSP_RECENT_OCTETS);
    ocsp_recent(o, &recent);
    keeping();
    for (unsigned i = 0; i < PORT_WINDOW; i++)
        ask_nonce(&got[i]);
    ocsp_send(o);
    ask_miss(0, &got[PORT_WINDOW]); /* before, and behind them in their line */
    ocsp_warm(o, buf_span(&recent), now_s);
    ask_miss(1, &got[PORT_WINDOW + 1]);
    ticks(OCSP_WAIT_TICKS);
    cr_assert_eq(jobs_waiting(), PORT_WINDOW);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(jobs_waiting(), 2);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_not(signs(GOOD) || signs(REVOKED));
    cr_assert(signs(HELD), "the line goes on");
    buf_free(&recent);
    forget_all();
}

static bool show(const struct alarm_shown *a, void *arg)
{
    if (strcmp(a->code, "ocsp.signer") == 0)
        *(int *)arg = a->level;
    return true;
}

static int alarm_level(void) /* 0: none */
{
    int level = 0;

    board_each_alarm(board, show, &level);
    return level;
}

static bool is_alarmed(void)
{
    return alarm_level() != 0;
}

Test(ocsp_job, a_signer_that_answers_slowly_is_not_called_silent)
{
    for (unsigned i = 0; i < MANY; i++)
        ask_nonce(&got[i]);
    for (unsigned i = 0; i < 2 * OCSP_WAIT_TICKS; i++) {
        ticks(1);
        cr_assert_not(is_alarmed(), "%u", i);
        cr_assert_eq(pump(1), 1);
    }
    ticks(OCSP_WAIT_TICKS - 1);
    cr_assert_not(is_alarmed());
    ticks(1);
    cr_assert(is_alarmed());
    cr_assert_eq(pump(1), 1);
    cr_assert_not(is_alarmed());
    forget_all();
}

Test(ocsp_job, a_signing_process_that_hangs_is_alarmed_until_it_answers)
{
    struct job held;

    ask_nonce(&got[0]);
    ocsp_send(o);
    cr_assert(take_job(&held));
    for (unsigned i = 1; i <= OCSP_WAIT_TICKS; i++) {
        cr_assert_not(is_alarmed(), "%u", i);
        ask_nonce(&got[i]); /* the others go on */
        ocsp_send(o);
        cr_assert_eq(pump(1), 1);
        cr_assert_eq(got[i].answer.status, OCSP_SUCCESSFUL);
        ticks(1);
    }
    cr_assert_eq(alarm_level(), ALARM_WARNING);
    cr_assert_eq(got[0].answer.status, OCSP_TRY_LATER);
    ask_nonce(&got[OCSP_WAIT_TICKS + 1]);
    ocsp_send(o);
    cr_assert_eq(pump(1), 1);
    cr_assert(is_alarmed(), "another's answer says nothing of it");
    ticks(OCSP_WAIT_TICKS);
    cr_assert_eq(alarm_level(), ALARM_WARNING, "that nobody asked since is no silence");
    sign_job(&held);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_not(is_alarmed());
    forget_all();
}

Test(ocsp_job, a_signer_that_is_asked_nothing_is_not_called_silent)
{
    keeping();
    cr_assert(signs(GOOD));
    ticks(3 * OCSP_WAIT_TICKS);
    cr_assert_not(is_alarmed());
    cr_assert(signs(REVOKED));
}

Test(ocsp_job, a_late_signature_is_not_for_who_asks_now)
{
    struct got g = {0};

    keeping();
    ask_miss(0, &got[0]);
    ocsp_send(o);
    ticks(OCSP_WAIT_TICKS - 1);
    ask_miss(0, &got[1]); /* it may come any moment */
    ticks(1);
    cr_assert(got[0].calls == 1 && got[1].calls == 1);
    now_s += OCSP_UNKNOWN_S + 10; /* the signer was stopped for as long */
    ask_miss(0, &g);
    ask_miss(0, &got[2]); /* joins the newer */
    cr_assert_eq(jobs_waiting(), 2);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(g.answer.status, OCSP_SUCCESSFUL);
    cr_assert_eq(g.answer.this_update_s, now_s);
    cr_assert_eq(got[2].answer.this_update_s, now_s);
    forget(&g);
    forget_all();
}

Test(ocsp_job, an_answer_by_old_settings_is_not_for_who_asks_now)
{
    struct got g = {0};

    keeping();
    send_request(about(id_of(&ca_a, GOOD)), &got[0]);
    config.validity_s = 3600;
    ocsp_settings(o, &config, now_s);
    send_request(about(id_of(&ca_a, GOOD)), &g);
    cr_assert_eq(jobs_waiting(), 2);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(got[0].answer.next_update_s, now_s + PKI_DAY, "as it was when it was asked for");
    cr_assert_eq(g.answer.next_update_s, now_s + 3600);
    cr_assert_not(signs(GOOD));
    forget(&g);
    forget_all();
}
