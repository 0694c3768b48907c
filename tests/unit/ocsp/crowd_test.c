/* SPDX-License-Identifier: Apache-2.0 */
/* How many may wait for the signer, in how few messages, and what becomes of them when it refuses, is late or
 * is lost? */
#include "stage.h"

#include <stdlib.h>
#include <unistd.h>

TestSuite(ocsp_crowd, .init = stage_open, .fini = stage_close);

Test(ocsp_crowd, hundreds_wait_and_no_more)
{
    static struct got got[OCSP_LIVE_MAX + 1];
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    size_t done = 0;

    for (size_t i = 0; i <= OCSP_LIVE_MAX; i++) /* more than the wire's queue holds */
        respond(buf_span(&der), &got[i]);
    cr_assert_eq(got[OCSP_LIVE_MAX].calls, 1);
    cr_assert_eq(got[OCSP_LIVE_MAX].answer.status, OCSP_TRY_LATER);
    while (done < OCSP_LIVE_MAX) {
        size_t n = pump(7);

        cr_assert_gt(n, 0);
        done += n;
    }
    for (size_t i = 0; i < OCSP_LIVE_MAX; i++) {
        cr_assert_eq(got[i].calls, 1);
        cr_assert_eq(got[i].answer.status, OCSP_SUCCESSFUL);
        forget(&got[i]);
    }
    forget(&got[OCSP_LIVE_MAX]);
    buf_free(&der);
    struct got g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);

    forget(&g);
}

/* Asks for as many at once, signs them all, and gives the messages that it took. */
static size_t messages_for(const struct pki_cert *ca, uint8_t last, size_t n)
{
    struct buf der = pki_encode(about(id_of(ca, last)));
    struct got *got = calloc(n, sizeof *got);
    size_t before = frame.messages;

    for (size_t i = 0; i < n; i++)
        respond(buf_span(&der), &got[i]);
    cr_assert_eq(pump(n), n);
    for (size_t i = 0; i < n; i++) {
        OCSP_REQUEST *request = about(id_of(ca, last));

        cr_assert_eq(got[i].calls, 1);
        verify(&got[i], request, ca);
        OCSP_REQUEST_free(request);
        forget(&got[i]);
    }
    free(got);
    buf_free(&der);
    return frame.messages - before;
}

/* In halves, so that two processes can sign at once. */
Test(ocsp_crowd, what_comes_in_one_turn_goes_in_few_messages)
{
    cr_assert_eq(messages_for(&ca_a, GOOD, 1), 1);
    cr_assert_eq(messages_for(&ca_a, GOOD, 2), 2);
    cr_assert_eq(messages_for(&ca_a, GOOD, 10), 2);
    cr_assert_eq(messages_for(&ca_a, GOOD, 4 * PORT_SEVERAL_MAX), 4);
    cr_assert_eq(messages_for(&ca_b, OF_B, 10), 10, "RSA is slow: each to the process that is free");
}

Test(ocsp_crowd, answers_in_one_message_find_their_askers)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got got[3] = {{0}};
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    buf_put_u8(&b, PORT_SEVERAL);
    buf_put_u64(&b, 2);
    for (size_t i = 0; i < 3; i++)
        respond(buf_span(&der), &got[i]);
    for (size_t i = 0; i < 3; i++) {
        struct job job;

        cr_assert(take_job(&job));
        if (i != 1) { /* the middle one is answered later */
            buf_put_u64(&b, job.number);
            buf_put_u8(&b, i == 0 ? ERR_POLICY : OK);
            buf_put_blob(&b, i == 0 ? (struct span){0} : span_str("signature"));
            buf_put_blob(&b, span_str(i == 0 ? "no" : ""));
        }
        buf_free(&job.data);
    }
    cr_assert_eq(wire_try_send(far_fd, buf_span(&b)), OK);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert(got[0].calls == 1 && got[1].calls == 0 && got[2].calls == 1);
    cr_assert_eq(got[0].answer.status, OCSP_INTERNAL_ERROR);
    cr_assert_eq(got[2].answer.status, OCSP_SUCCESSFUL);
    ocsp_close(o);
    o = NULL;
    cr_assert_eq(got[1].answer.status, OCSP_TRY_LATER);
    for (size_t i = 0; i < 3; i++)
        forget(&got[i]);
    buf_free(&b);
    buf_free(&der);
}

Test(ocsp_crowd, answers_may_come_in_any_order)
{
    struct buf one = pki_encode(about(id_of(&ca_a, GOOD))), two = pki_encode(about(id_of(&ca_b, OF_B)));
    struct got a = {0}, b = {0};
    struct job first, second;
    OCSP_REQUEST *request;

    respond(buf_span(&one), &a);
    respond(buf_span(&two), &b);
    cr_assert(take_job(&first) && take_job(&second));
    sign_job(&second);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert(a.calls == 0 && b.calls == 1);
    sign_job(&first);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert(a.calls == 1 && b.calls == 1);
    request = about(id_of(&ca_a, GOOD));
    verify(&a, request, &ca_a);
    verify(&b, request, &ca_b);
    OCSP_REQUEST_free(request);
    forget(&a);
    forget(&b);
    buf_free(&one);
    buf_free(&two);
}

Test(ocsp_crowd, a_refusal_of_the_signer_is_an_internal_error)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got g = {0};
    struct job job;

    respond(buf_span(&der), &g);
    cr_assert(take_job(&job));
    answer_job(&job, ERR_POLICY, (struct span){0}, "not for this");
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(g.answer.status, OCSP_INTERNAL_ERROR);
    forget(&g);
    buf_free(&job.data);
    buf_free(&der);
}

Test(ocsp_crowd, a_lost_signer_is_told_and_closing_answers_everyone)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got g = {0};

    respond(buf_span(&der), &g);
    close(far_fd);
    far_fd = -1;
    cr_assert_eq(ocsp_pump(o), ERR_END);
    cr_assert_eq(g.calls, 0);
    ocsp_close(o);
    o = NULL;
    cr_assert_eq(g.calls, 1);
    cr_assert_eq(g.answer.status, OCSP_TRY_LATER);
    forget(&g);
    buf_free(&der);
}

Test(ocsp_crowd, who_waits_too_long_for_the_signer_is_told_to_try_later)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got g = {0}, again;

    respond(buf_span(&der), &g);
    for (unsigned i = 1; i < OCSP_WAIT_TICKS; i++)
        ocsp_tick(o, now_s);
    cr_assert_eq(g.calls, 0);
    ocsp_tick(o, now_s);
    cr_assert_eq(g.calls, 1);
    cr_assert_eq(g.answer.status, OCSP_TRY_LATER);
    forget(&g);
    pump(1); /* its signature comes after all: nobody is answered twice, and others are */
    cr_assert_eq(g.calls, 0);
    again = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_eq(again.answer.status, OCSP_SUCCESSFUL);
    forget(&again);
    buf_free(&der);
}
