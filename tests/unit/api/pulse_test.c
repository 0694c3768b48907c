/* SPDX-License-Identifier: Apache-2.0 */
/* Is the ca asked once for all who want to know, and anew when what it said is a second old? */
#include <criterion/criterion.h>
#include <unistd.h>

#include "api/api.h"
#include "base/wire.h"

static struct loop *loop;
static struct asker *asker;
static struct pulse *pulse;
static int fds[2];
static int64_t clock_ms;
static unsigned well, ill;

static int64_t now_ms(void)
{
    return clock_ms;
}

static void setup(void)
{
    cr_assert_eq(wire_pair(fds), OK);
    loop = loop_new();
    asker = asker_new(loop, fds[0], 30000);
    pulse = pulse_new(asker, now_ms);
    clock_ms = 5000;
    well = ill = 0;
}

static void teardown(void)
{
    pulse_free(pulse);
    asker_free(asker);
    loop_free(loop);
    close(fds[0]);
    close(fds[1]);
}

TestSuite(pulse, .init = setup, .fini = teardown);

static void on_told(const char *fault, void *arg)
{
    (void)arg;
    well += fault == NULL;
    ill += fault != NULL;
}

static void on_told_last(const char *fault, void *arg)
{
    on_told(fault, arg);
    loop_stop(loop);
}

/* Plays the ca: takes one question, which is the only one there, and answers it. */
static void answer(enum err e)
{
    uint8_t buffer[256];
    struct span m;
    struct rd r;
    struct buf b;

    cr_assert_eq(wire_receive(fds[1], buffer, sizeof buffer, &m), OK);
    r = rd_of(m);
    buf_init(&b, 1024);
    buf_put_u8(&b, rd_u8(&r));
    buf_put_u64(&b, rd_u64(&r));
    buf_put_u8(&b, (uint8_t)e);
    buf_put_blob(&b, span_str(""));
    cr_assert_eq(wire_try_receive(fds[1], buffer, sizeof buffer, &m), ERR_UNAVAILABLE, "one question");
    cr_assert_eq(wire_send(fds[1], buf_span(&b)), OK);
    buf_free(&b);
    loop_run(loop);
}

Test(pulse, who_asks_meanwhile_shares_the_answer)
{
    for (int i = 0; i < 20; i++)
        pulse_ask(pulse, on_told, NULL);
    pulse_ask(pulse, on_told_last, NULL);
    cr_assert_eq(well + ill, 0, "it has not answered");
    answer(OK);
    cr_assert_eq(well, 21);
    cr_assert_eq(ill, 0);
}

Test(pulse, an_answer_is_kept_for_a_second)
{
    pulse_ask(pulse, on_told_last, NULL);
    answer(OK);
    clock_ms += 999;
    pulse_ask(pulse, on_told, NULL);
    cr_assert_eq(well, 2);
    cr_assert_eq(asker_waiting(asker), 0);
    clock_ms += 1;
    pulse_ask(pulse, on_told_last, NULL);
    cr_assert_eq(well, 2, "the ca is asked anew");
    answer(OK);
    cr_assert_eq(well, 3);
}

Test(pulse, a_fault_that_comes_or_goes_is_seen_within_the_second)
{
    pulse_ask(pulse, on_told_last, NULL);
    answer(OK);
    clock_ms += 1000;
    pulse_ask(pulse, on_told_last, NULL);
    answer(ERR_UNAVAILABLE);
    cr_assert_eq(ill, 1);
    clock_ms += 1000;
    pulse_ask(pulse, on_told_last, NULL);
    answer(OK);
    cr_assert_eq(well, 2);
    cr_assert_eq(ill, 1);
}
