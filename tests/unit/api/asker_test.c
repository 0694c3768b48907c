/* SPDX-License-Identifier: Apache-2.0 */
/* Does every question get exactly one answer, its own, and does a slow ca never block the api? */
#include "api/api.h"
#include "base/wire.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static struct asker *asker;
static int fds[2];
static unsigned answers, expected;

static void setup(void)
{
    cr_assert_eq(wire_pair(fds), OK);
    loop = loop_new();
    answers = expected = 0;
}

static void teardown(void)
{
    asker_free(asker);
    loop_free(loop);
    close(fds[0]);
    close(fds[1]);
}

TestSuite(asker, .init = setup, .fini = teardown);

struct note {
    enum err err;
    bool is_late;
    char detail[256];
    uint32_t value;
};

static void on_done(struct answer *a, void *arg)
{
    struct note *n = arg;

    n->err = a->err;
    n->is_late = a->is_late;
    snprintf(n->detail, sizeof n->detail, "%s", a->detail);
    n->value = rd_u32(&a->rest);
    if (++answers == expected)
        loop_stop(loop);
}

/* Plays the ca: takes one question, gives kind and number, and the body's first u32. */
static uint64_t take(uint8_t *kind, uint32_t *value)
{
    static uint8_t buffer[WIRE_MSG_MAX];
    struct span m;
    struct rd r;
    uint64_t number;

    cr_assert_eq(wire_receive(fds[1], buffer, sizeof buffer, &m), OK);
    r = rd_of(m);
    *kind = rd_u8(&r);
    number = rd_u64(&r);
    *value = rd_u32(&r);
    return number;
}

static void give(uint8_t kind, uint64_t number, enum err e, const char *text, uint32_t value)
{
    struct buf b;

    buf_init(&b, 1024);
    buf_put_u8(&b, kind);
    buf_put_u64(&b, number);
    buf_put_u8(&b, (uint8_t)e);
    buf_put_blob(&b, span_str(text));
    buf_put_u32(&b, value);
    cr_assert_eq(wire_send(fds[1], buf_span(&b)), OK);
    buf_free(&b);
}

static enum err ask(uint32_t value, struct note *n)
{
    uint8_t body[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

    return asker_send(asker, ASK_PROBE, span_of(body, sizeof body), on_done, n);
}

Test(asker, answers_in_any_order_find_their_questions)
{
    struct note notes[3] = {0};
    uint64_t numbers[3];
    uint32_t value;
    uint8_t kind;

    asker = asker_new(loop, fds[0], 30000);
    expected = 3;
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(ask(i, &notes[i]), OK);
    cr_assert_eq(asker_waiting(asker), 3);
    for (uint32_t i = 0; i < 3; i++) {
        numbers[i] = take(&kind, &value);
        cr_assert(kind == ASK_PROBE && value == i);
    }
    give(kind, numbers[2], OK, "", 102);
    give(kind, numbers[0], ERR_CONFLICT, "no", 100);
    give(kind, numbers[1], OK, "", 101);
    loop_run(loop);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(notes[i].value, 100 + i);
    cr_assert_eq(notes[0].err, ERR_CONFLICT);
    cr_assert_str_eq(notes[0].detail, "no");
    cr_assert_eq(asker_waiting(asker), 0);
}

Test(asker, what_is_told_is_sent_and_its_answer_is_nobodys)
{
    static const uint8_t body[] = {0, 0, 0, 9};
    struct note after = {0};
    uint32_t value;
    uint8_t kind;

    asker = asker_new(loop, fds[0], 30000);
    expected = 1;
    asker_tell(asker, ASK_TOKEN_USED, span_of(body, sizeof body));
    cr_assert_eq(asker_waiting(asker), 1);
    give(ASK_TOKEN_USED, take(&kind, &value), ERR_IO, "no", 0);
    cr_assert(kind == ASK_TOKEN_USED && value == 9);
    cr_assert_eq(ask(1, &after), OK);
    give(ASK_PROBE, take(&kind, &value), OK, "", 7);
    loop_run(loop);
    cr_assert_eq(after.value, 7);
    cr_assert_eq(asker_waiting(asker), 0);
}

Test(asker, what_is_told_is_lost_when_too_many_wait)
{
    static struct note notes[ASKER_WAITING_MAX];

    asker = asker_new(loop, fds[0], 30000);
    for (unsigned i = 0; i < ASKER_WAITING_MAX; i++)
        cr_assert_eq(ask(i, &notes[i]), OK);
    asker_tell(asker, ASK_TOKEN_USED, span_str("one too many"));
    cr_assert_eq(asker_waiting(asker), ASKER_WAITING_MAX);
}

Test(asker, a_late_answer_is_nobodys)
{
    struct note first = {0}, second = {0};
    uint64_t number;
    uint32_t value;
    uint8_t kind;

    asker = asker_new(loop, fds[0], 1);
    expected = 1;
    cr_assert_eq(ask(1, &first), OK);
    number = take(&kind, &value);
    loop_run(loop);
    cr_assert(first.err == ERR_UNAVAILABLE && first.is_late);
    give(kind, number, OK, "", 7); /* the slot is used again: the number is another */
    expected = 2;
    cr_assert_eq(ask(2, &second), OK);
    loop_run(loop);
    cr_assert(second.is_late && second.value == 0);
    cr_assert_eq(answers, 2);
}

Test(asker, a_full_wire_queues_and_then_says_so)
{
    static struct note notes[ASKER_WAITING_MAX];
    static uint8_t large[100 * 1024];
    unsigned sent = 0;
    enum err e;

    asker = asker_new(loop, fds[0], 30000);
    while ((e = asker_send(asker, ASK_PROBE, span_of(large, sizeof large), on_done, &notes[sent])) == OK)
        sent++;
    cr_assert_eq(e, ERR_UNAVAILABLE);
    cr_assert(sent > ASKER_QUEUE_MAX / sizeof large - 2 && sent < ASKER_WAITING_MAX);
    expected = sent;
    /* the ca wakes up and answers each: all that was taken arrives, in order */
    if (fork() == 0) {
        for (unsigned i = 0; i < sent; i++) {
            uint32_t value;
            uint8_t kind;
            uint64_t number = take(&kind, &value);

            give(kind, number, OK, "", i);
        }
        _exit(0);
    }
    loop_run(loop);
    for (unsigned i = 0; i < sent; i++)
        cr_assert(notes[i].err == OK && notes[i].value == i, "%u", i);
    cr_assert_eq(asker_waiting(asker), 0);
}

Test(asker, what_no_message_holds_is_too_large)
{
    static uint8_t huge[WIRE_MSG_MAX];
    struct note n = {0};

    asker = asker_new(loop, fds[0], 30000);
    cr_assert_eq(asker_send(asker, ASK_PROBE, span_of(huge, sizeof huge), on_done, &n), ERR_TOO_LARGE);
    cr_assert_eq(asker_waiting(asker), 0);
}

Test(asker, so_many_questions_and_no_more)
{
    static struct note notes[ASKER_WAITING_MAX + 1];

    asker = asker_new(loop, fds[0], 30000);
    for (unsigned i = 0; i < ASKER_WAITING_MAX; i++)
        cr_assert_eq(ask(i, &notes[i]), OK);
    cr_assert_eq(ask(0, &notes[ASKER_WAITING_MAX]), ERR_UNAVAILABLE);
}

Test(asker, a_ca_that_is_gone_ends_the_role, .exit_code = 2)
{
    struct note n = {0};

    asker = asker_new(loop, fds[0], 30000);
    cr_assert_eq(ask(1, &n), OK);
    close(fds[1]);
    loop_run(loop);
}

Test(asker, an_answer_begins_with_its_findings)
{
    struct findings sent = {0}, got = {0};
    struct answer a = {0};
    struct buf b;

    buf_init(&b, 4096);
    finding_add(&sent, "key.too-small", "key", "512 bits", "2048 bits");
    findings_write(&b, &sent);
    buf_put_u32(&b, 7);
    a.rest = rd_of(buf_span(&b));
    answer_findings(&a, &got);
    cr_assert_eq(got.count, 1);
    cr_assert_str_eq(got.items[0].rule, "key.too-small");
    cr_assert_eq(rd_u32(&a.rest), 7);
    cr_assert(rd_done(&a.rest));
    findings_free(&sent);
    findings_free(&got);
    buf_free(&b);
}

Test(asker, a_late_answer_has_no_findings)
{
    struct answer late = {.err = ERR_UNAVAILABLE, .is_late = true};
    struct findings got = {0};

    answer_findings(&late, &got);
    cr_assert_eq(got.count, 0);
}

Test(asker, findings_that_are_none_end_the_role, .exit_code = 2)
{
    struct answer a = {.rest = rd_of(span_str("\xff\xff"))};
    struct findings got = {0};

    answer_findings(&a, &got);
}
