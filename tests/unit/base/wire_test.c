/* SPDX-License-Identifier: Apache-2.0 */
/* Does a wire carry whole messages of every permitted size, and say when the peer is gone? */
#include "base/wire.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static uint8_t out[WIRE_MSG_MAX], in[WIRE_MSG_MAX];
static int fds[2];

static void setup(void)
{
    cr_assert_eq(wire_pair(fds), OK);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7);
}

TestSuite(wire, .init = setup, .timeout = 60);

Test(wire, the_largest_message_arrives_whole)
{
    struct span got;

    cr_assert_eq(wire_try_send(fds[0], span_of(out, sizeof out)), OK, "in one piece, without a reader");
    cr_assert_eq(wire_receive(fds[1], in, sizeof in, &got), OK);
    cr_assert(span_eq(got, span_of(out, sizeof out)));
}

Test(wire, boundaries_are_kept)
{
    struct span got;

    cr_assert_eq(wire_send(fds[0], span_str("one")), OK);
    cr_assert_eq(wire_send(fds[0], span_str("two")), OK);
    cr_assert_eq(wire_receive(fds[1], in, sizeof in, &got), OK);
    cr_assert(span_eq(got, span_str("one")));
    cr_assert_eq(wire_receive(fds[1], in, sizeof in, &got), OK);
    cr_assert(span_eq(got, span_str("two")));
    cr_assert_eq(wire_try_receive(fds[1], in, sizeof in, &got), ERR_UNAVAILABLE);
}

Test(wire, a_message_larger_than_the_room_is_malformed_not_cut)
{
    struct span got;

    cr_assert_eq(wire_send(fds[0], span_of(out, 100)), OK);
    cr_assert_eq(wire_receive(fds[1], in, 99, &got), ERR_MALFORMED);
}

Test(wire, a_full_queue_is_said_and_not_waited_for)
{
    int sent = 0;

    while (sent < 100000 && wire_try_send(fds[0], span_of(out, 4096)) == OK)
        sent++;
    cr_assert(sent > 10 && sent < 100000);
    cr_assert_eq(wire_try_send(fds[0], span_of(out, 4096)), ERR_UNAVAILABLE);
}

Test(wire, the_end_of_the_peer_is_heard_on_both_ways)
{
    struct span got;

    close(fds[1]);
    cr_assert_eq(wire_receive(fds[0], in, sizeof in, &got), ERR_END);
    cr_assert_eq(wire_send(fds[0], span_str("x")), ERR_END);
}
