/* SPDX-License-Identifier: Apache-2.0 */
/* Are questions put as the port says, and do answers find their questions whatever their order? The far end
 * is a stand-in. */
#include "base/port.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int fds[2];
static uint8_t octets[WIRE_MSG_MAX];

static void setup(void)
{
    cr_assert_eq(wire_pair(fds), OK);
}

static void teardown(void)
{
    close(fds[0]);
    close(fds[1]);
}

TestSuite(port, .init = setup, .fini = teardown, .timeout = 60);

static enum err answer(int fd, uint64_t number, enum err code, struct span signature, const char *reason)
{
    struct buf b;
    enum err e;

    buf_init(&b, 4096);
    buf_put_u8(&b, PORT_CERTIFICATE);
    buf_put_u64(&b, number);
    buf_put_u8(&b, (uint8_t)code);
    buf_put_blob(&b, signature);
    buf_put_blob(&b, span_str(reason));
    e = wire_send(fd, buf_span(&b));
    buf_free(&b);
    return e;
}

Test(port, a_question_is_kind_number_key_and_octets)
{
    struct span got;
    struct rd r;

    cr_assert_eq(port_ask(fds[0], PORT_OCSP, 7, "rsa-g1", span_str("tbs")), OK);
    cr_assert_eq(wire_receive(fds[1], octets, sizeof octets, &got), OK);
    r = rd_of(got);
    cr_assert_eq(rd_u8(&r), PORT_OCSP);
    cr_assert_eq(rd_u64(&r), 7);
    cr_assert(span_eq(rd_blob(&r), span_str("rsa-g1")));
    cr_assert(span_eq(r.rest, span_str("tbs")));
}

Test(port, an_answer_is_read_back_and_none_is_said_to_wait)
{
    struct port_answer a;

    cr_assert_eq(port_take(fds[0], &a), ERR_UNAVAILABLE);
    cr_assert_eq(answer(fds[1], 9, ERR_POLICY, span_str("sig"), "certificate.issuer: no"), OK);
    cr_assert_eq(port_take(fds[0], &a), OK);
    cr_assert_eq(a.number, 9);
    cr_assert_eq(a.err, ERR_POLICY);
    cr_assert_eq(a.signature_len, 3);
    cr_assert_str_eq(a.reason, "certificate.issuer: no");
}

Test(port, an_answer_that_is_none_ends_the_port)
{
    static const uint8_t signature[SIGNATURE_MAX + 1];
    struct port_answer a;

    cr_assert_eq(wire_send(fds[1], span_str("short")), OK);
    cr_assert_eq(port_take(fds[0], &a), ERR_END);
    cr_assert_eq(answer(fds[1], 1, (enum err)200, span_str(""), ""), OK);
    cr_assert_eq(port_take(fds[0], &a), ERR_END);
    cr_assert_eq(answer(fds[1], 1, OK, span_of(signature, sizeof signature), ""), OK);
    cr_assert_eq(port_take(fds[0], &a), ERR_END);
    cr_assert_eq(wire_send(fds[1], span_of(octets, sizeof octets)), OK);
    cr_assert_eq(port_take(fds[0], &a), ERR_END);
}

Test(port, a_lost_signer_is_the_end)
{
    struct port_answer a;

    close(fds[1]);
    cr_assert_eq(port_take(fds[0], &a), ERR_END);
    cr_assert_eq(port_ask(fds[0], PORT_OCSP, 1, "k", span_str("t")), ERR_END);
    cr_assert_eq(port_crl_begin(fds[0], 1, "k", 10), ERR_END);
    cr_assert_eq(port_crl_end(fds[0], &a), ERR_END);
    fds[1] = -1;
}

Test(port, a_full_queue_is_said_and_nothing_blocks)
{
    enum err e = OK;
    size_t sent = 0;

    while (e == OK && sent++ < 100000)
        e = port_ask(fds[0], PORT_OCSP, sent, "k", span_of(octets, 4096));
    cr_assert_eq(e, ERR_UNAVAILABLE);
}

Test(port, a_question_too_large_for_a_message_is_not_sent)
{
    cr_assert_eq(port_ask(fds[0], PORT_CERTIFICATE, 1, "k", span_of(octets, sizeof octets)), ERR_TOO_LARGE);
    cr_assert_eq(port_ask(fds[0], PORT_CERTIFICATE, 2, "k", span_str("small")), OK);
}

Test(port, a_crl_is_cut_into_pieces_that_add_up)
{
    static uint8_t tbs[3 * PORT_PIECE_MAX / 2];
    size_t total = 0;
    struct span got;
    struct rd r;

    cr_assert_eq(port_crl_begin(fds[0], 5, "rsa-g1", sizeof tbs), OK);
    cr_assert_eq(port_crl_data(fds[0], 5, span_of(tbs, sizeof tbs)), OK);
    cr_assert_eq(wire_receive(fds[1], octets, sizeof octets, &got), OK);
    r = rd_of(got);
    cr_assert_eq(rd_u8(&r), PORT_CRL_BEGIN);
    cr_assert_eq(rd_u64(&r), 5);
    cr_assert(span_eq(rd_blob(&r), span_str("rsa-g1")));
    cr_assert_eq(rd_u64(&r), sizeof tbs);
    cr_assert(rd_done(&r));
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(wire_receive(fds[1], octets, sizeof octets, &got), OK);
        r = rd_of(got);
        cr_assert_eq(rd_u8(&r), PORT_CRL_DATA);
        cr_assert_eq(rd_u64(&r), 5);
        cr_assert_eq(rd_blob(&r).len, 0);
        total += r.rest.len;
    }
    cr_assert_eq(total, sizeof tbs);
}

/* ---- several in a message ---- */

Test(port, several_questions_go_in_one_message)
{
    const struct port_question q[3] = {
        {7, "ec-g1", span_str("one")}, {8, "rsa-g1", span_str("three")}, {9, "ec-g1", span_str("")}};
    struct span got;
    size_t sent;
    struct rd r;

    cr_assert_eq(port_ask_several(fds[0], PORT_OCSP, q, 3, &sent), OK);
    cr_assert_eq(sent, 3);
    cr_assert_eq(wire_receive(fds[1], octets, sizeof octets, &got), OK);
    r = rd_of(got);
    cr_assert_eq(rd_u8(&r), PORT_SEVERAL);
    cr_assert_eq(rd_u64(&r), 3);
    cr_assert_eq(rd_u8(&r), PORT_OCSP);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(rd_u64(&r), q[i].number);
        cr_assert(span_eq(rd_blob(&r), span_str(q[i].key_id)));
        cr_assert(span_eq(rd_blob(&r), q[i].tbs));
    }
    cr_assert(rd_done(&r));
}

/* One alone is a message as ever. */
Test(port, no_more_questions_go_than_a_message_holds)
{
    static struct port_question q[PORT_SEVERAL_MAX + 1];
    size_t n = sizeof q / sizeof *q, sent;

    for (size_t i = 0; i < n; i++)
        q[i] = (struct port_question){i, "k", span_str("tbs")};
    cr_assert_eq(port_ask_several(fds[0], PORT_OCSP, q, n, &sent), OK);
    cr_assert_eq(sent, PORT_SEVERAL_MAX);
    for (size_t i = 0; i < n; i++)
        q[i].tbs = span_of(octets, WIRE_MSG_MAX / 3);
    cr_assert_eq(port_ask_several(fds[0], PORT_OCSP, q, n, &sent), OK);
    cr_assert_eq(sent, 2);
    q[1].tbs = span_of(octets, WIRE_MSG_MAX);
    cr_assert_eq(port_ask_several(fds[0], PORT_OCSP, q, n, &sent), OK);
    cr_assert_eq(sent, 1);
    cr_assert_eq(port_ask_several(fds[0], PORT_OCSP, q + 1, n - 1, &sent), ERR_TOO_LARGE);
    cr_assert_eq(sent, 0);
}

static enum err answer_several(uint64_t count, size_t items, size_t more)
{
    struct buf b;
    enum err e;

    buf_init(&b, 8192);
    buf_put_u8(&b, PORT_SEVERAL);
    buf_put_u64(&b, count);
    for (size_t i = 0; i < items; i++) {
        buf_put_u64(&b, 40 + i);
        buf_put_u8(&b, i == 1 ? ERR_POLICY : OK);
        buf_put_blob(&b, span_of(octets, i));
        buf_put_blob(&b, span_str(i == 1 ? "no" : ""));
    }
    buf_put_span(&b, span_of(octets, more));
    e = wire_send(fds[1], buf_span(&b));
    buf_free(&b);
    return e;
}

Test(port, several_answers_are_read_back)
{
    static struct port_answers a;

    cr_assert_eq(port_take_several(fds[0], &a), ERR_UNAVAILABLE);
    cr_assert_eq(answer_several(PORT_SEVERAL_MAX, PORT_SEVERAL_MAX, 0), OK);
    cr_assert_eq(answer(fds[1], 9, ERR_NOT_FOUND, span_str("sig"), "why"), OK);
    cr_assert_eq(port_take_several(fds[0], &a), OK);
    cr_assert_eq(a.count, PORT_SEVERAL_MAX);
    for (size_t i = 0; i < a.count; i++) {
        cr_assert_eq(a.items[i].number, 40 + i);
        cr_assert_eq(a.items[i].err, i == 1 ? ERR_POLICY : OK);
        cr_assert_eq(a.items[i].signature_len, i);
        cr_assert_str_eq(a.items[i].reason, i == 1 ? "no" : "");
    }
    cr_assert_eq(port_take_several(fds[0], &a), OK);
    cr_assert_eq(a.count, 1);
    cr_assert_eq(a.items[0].number, 9);
    cr_assert_str_eq(a.items[0].reason, "why");
}

Test(port, several_answers_that_are_none_end_the_port)
{
    static struct port_answers a;

    cr_assert_eq(answer_several(0, 0, 0), OK);
    cr_assert_eq(port_take_several(fds[0], &a), ERR_END);
    cr_assert_eq(answer_several(2, 1, 0), OK);
    cr_assert_eq(port_take_several(fds[0], &a), ERR_END);
    cr_assert_eq(answer_several(2, 2, 1), OK);
    cr_assert_eq(port_take_several(fds[0], &a), ERR_END);
    cr_assert_eq(answer_several(PORT_SEVERAL_MAX + 1, PORT_SEVERAL_MAX + 1, 0), OK);
    cr_assert_eq(port_take_several(fds[0], &a), ERR_END);
    cr_assert_eq(wire_send(fds[1], span_of(octets, sizeof octets)), OK);
    cr_assert_eq(port_take_several(fds[0], &a), ERR_END);
    close(fds[1]);
    cr_assert_eq(port_take_several(fds[0], &a), ERR_END);
    fds[1] = -1;
}
