/* SPDX-License-Identifier: Apache-2.0 */
/* Over the wire to a crl: is each list numbered, recorded and told to whoever waits for it, and asked for
 * when something is revoked? The test is the crl. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/desk.h"
#include "tests/unit/ca/asked.h"

TestSuite(desk, .init = stage_open, .fini = stage_close, .timeout = 60);

static void desk_send(uint8_t kind, uint64_t number, const struct buf *body)
{
    struct buf b;

    buf_init(&b, 4096);
    buf_put_u8(&b, kind);
    buf_put_u64(&b, number);
    buf_put_span(&b, buf_span(body));
    cr_assert_eq(wire_send(stage.desk[0], buf_span(&b)), OK);
    buf_free(&b);
}

static struct rd desk_receive(uint8_t *frame, size_t cap, uint8_t kind, uint64_t *number)
{
    struct span s;
    struct rd r;

    cr_assert_eq(wire_receive(stage.desk[0], frame, cap, &s), OK);
    r = rd_of(s);
    cr_assert_eq(rd_u8(&r), kind);
    *number = rd_u64(&r);
    return r;
}

/* A complete list that shows so many changes. */
static void record(uint64_t number, uint64_t crl, uint64_t changes)
{
    uint8_t frame[1024], hash[HASH_LEN] = {1};
    uint64_t answered;
    struct buf b;
    struct rd r;

    buf_init(&b, 1024);
    buf_put_blob(&b, span_str("ec-g1"));
    buf_put_u16(&b, SHARD_ALL);
    buf_put_u8(&b, false);
    buf_put_u64(&b, crl);
    buf_put_i64(&b, 100);
    buf_put_i64(&b, 200);
    buf_put_u64(&b, 1000);
    buf_put_u64(&b, 0);
    buf_put(&b, hash, sizeof hash);
    buf_put_u64(&b, changes);
    buf_put_i64(&b, NO_TIME);
    buf_put_blob(&b, span_str("request"));
    desk_send(DESK_RECORD, number, &b);
    buf_free(&b);
    r = desk_receive(frame, sizeof frame, DESK_RECORDED, &answered);
    cr_assert_eq(answered, number);
    cr_assert_eq(rd_u8(&r), OK);
}

/* A captured crl must not write what nobody could read again. */
Test(desk, a_record_with_a_time_that_no_text_can_say_is_no_frame)
{
    static const int64_t cases[][4] = {
        {100, 200, NO_TIME, true},      {CLOCK_MIN, CLOCK_MAX, CLOCK_MAX, true},
        {100, CLOCK_MAX + 1, 1, false}, {CLOCK_MIN - 1, 200, 1, false},
        {100, NO_TIME, NO_TIME, false}, {100, 200, (int64_t)1 << 62, false}};
    static const uint8_t hash[HASH_LEN];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct desk_note n;
        struct buf b;

        buf_init(&b, 1024);
        buf_put_u8(&b, DESK_RECORD);
        buf_put_u64(&b, 7);
        buf_put_blob(&b, span_str("ec-g1"));
        buf_put_u16(&b, SHARD_ALL);
        buf_put_u8(&b, false);
        buf_put_u64(&b, 3);
        buf_put_i64(&b, cases[i][0]);
        buf_put_i64(&b, cases[i][1]);
        buf_put_u64(&b, 1000);
        buf_put_u64(&b, 0);
        buf_put(&b, hash, sizeof hash);
        buf_put_u64(&b, 1);
        buf_put_i64(&b, cases[i][2]);
        buf_put_blob(&b, span_str("request"));
        cr_expect_eq(publish_read(buf_span(&b), &n), cases[i][3] != 0, "case %zu", i);
        buf_free(&b);
    }
}

static void send_publish(uint64_t number)
{
    struct buf b;

    asked_begin(&b, ASK_PUBLISH, number, "uid:0");
    buf_put_blob(&b, span_str("ec-g1"));
    asked_send(&b);
}

Test(desk, a_publication_is_numbered_recorded_and_answered)
{
    static struct reply r;
    uint8_t frame[1024];
    uint64_t asked, number, crl;
    struct buf b;
    struct rd rd;

    stage_start();
    send_publish(11);
    rd = desk_receive(frame, sizeof frame, DESK_PUBLISH, &asked);
    cr_assert(span_eq(rd_blob(&rd), span_str("ec-g1")));

    buf_init(&b, 1024);
    buf_put_blob(&b, span_str("ec-g1"));
    desk_send(DESK_RESERVE, 5, &b);
    rd = desk_receive(frame, sizeof frame, DESK_RESERVED, &number);
    cr_assert_eq(number, 5);
    cr_assert_eq(rd_u8(&rd), OK);
    crl = rd_u64(&rd);
    cr_assert_eq(crl, 1);
    cr_assert(span_eq(rd_blob(&rd), span_str("http://ca.example.com")));

    record(6, crl, 0);
    buf_reset(&b);
    buf_put_u8(&b, OK);
    buf_put_u64(&b, crl);
    buf_put_blob(&b, span_str(""));
    desk_send(DESK_DONE, asked, &b);
    receive(&r);
    cr_assert_eq(r.kind, ASK_PUBLISH);
    cr_assert_eq(r.number, 11);
    cr_assert_eq(r.err, OK);
    cr_assert_eq(rd_u64(&r.rest), crl);
    buf_free(&b);
}

static uint64_t publish_receive(enum desk_cause cause)
{
    uint8_t frame[1024];
    uint64_t number;
    struct rd r = desk_receive(frame, sizeof frame, DESK_PUBLISH, &number);

    cr_assert(span_eq(rd_blob(&r), span_str("ec-g1")));
    cr_assert_eq(rd_u8(&r), cause);
    return number;
}

static void publish_done(uint64_t number, enum err err, uint64_t crl_number)
{
    struct buf b;

    buf_init(&b, 64);
    buf_put_u8(&b, (uint8_t)err);
    buf_put_u64(&b, crl_number);
    buf_put_blob(&b, span_str(""));
    desk_send(DESK_DONE, number, &b);
    buf_free(&b);
}

static void reserve(uint64_t number)
{
    uint8_t frame[1024];
    uint64_t answered;
    struct buf b;

    buf_init(&b, 64);
    buf_put_blob(&b, span_str("ec-g1"));
    desk_send(DESK_RESERVE, number, &b);
    buf_free(&b);
    desk_receive(frame, sizeof frame, DESK_RESERVED, &answered);
    cr_assert_eq(answered, number);
}

/* A publisher at work reads nothing for seconds. */
Test(desk, any_number_of_revocations_does_not_wait_for_the_publisher)
{
    struct outcome i;
    bool changed;

    stage.role->publish_on_revocation = true;
    stage_start();
    i = issue_one();
    for (int n = 0; n < 500; n++) {
        cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
        cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), OK);
    }
}

Test(desk, what_is_revoked_after_a_list_was_begun_is_published_by_the_next)
{
    struct outcome i;
    uint64_t first, second;
    bool changed;

    stage.role->publish_on_revocation = true;
    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    first = publish_receive(CAUSE_REVOCATION);
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), OK, "before the list is begun: the same one");
    reserve(1);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    publish_done(first, OK, 1);
    second = publish_receive(CAUSE_REVOCATION);
    cr_assert_neq(second, first);
    reserve(2);
    publish_done(second, OK, 2);
    reserve(3); /* and no third nudge comes before its answer */
}

/* The first life ends before a list is recorded. Where none is asked for, the answer to what the crl asks
 * comes first. */
Test(desk, a_revocation_that_no_list_shows_is_asked_for_again_at_start)
{
    bool changed;

    stage.role->publish_on_revocation = true;
    stage_start();
    cr_assert_eq(change(ASK_REVOKE, issue_one().serial, REASON_SUPERSEDED, &changed), OK);
    (void)publish_receive(CAUSE_REVOCATION);
    stage_restart();
    (void)publish_receive(CAUSE_REVOCATION);
    reserve(1);
    stage_restart();
    (void)publish_receive(CAUSE_REVOCATION);
    reserve(1);
    record(2, 2, 1);
    stage_restart();
    reserve(1); /* the list in force shows it */
}

Test(desk, a_revocation_waits_for_the_schedule_over_a_start_too)
{
    bool changed;

    stage_start();
    cr_assert_eq(change(ASK_REVOKE, issue_one().serial, REASON_SUPERSEDED, &changed), OK);
    stage_restart();
    reserve(1);
}

Test(desk, an_address_that_no_list_carries_is_asked_for_again_at_start)
{
    stage.role->config.issuers[0].shards = 4;
    stage_start();
    (void)publish_receive(CAUSE_CONFIGURATION);
    stage_restart();
    (void)publish_receive(CAUSE_CONFIGURATION);
    reserve(1);
    record(2, 1, 1);
    stage_restart();
    reserve(1);
    strcpy(stage.role->config.public_url, "http://other.example.com");
    stage_restart();
    (void)publish_receive(CAUSE_CONFIGURATION);
    stage_restart();
    (void)publish_receive(CAUSE_CONFIGURATION);
    reserve(1);
}

/* The next answer: to this question, with this outcome. */
static void expect_published(uint64_t number, enum err err, uint64_t crl_number)
{
    static struct reply r;

    receive(&r);
    cr_assert_eq(r.kind, ASK_PUBLISH);
    cr_assert_eq(r.number, number);
    cr_assert_eq(r.err, err);
    cr_assert(err != OK || rd_u64(&r.rest) == crl_number);
}

Test(desk, who_asks_while_a_list_is_made_gets_the_next)
{
    uint64_t first, second;
    struct outcome i;

    stage_start();
    send_publish(1);
    first = publish_receive(CAUSE_REQUEST);
    send_publish(2);
    send_publish(3);
    i = issue_one(); /* by then both have been taken */
    (void)i;
    publish_done(first, ERR_IO, 0);
    expect_published(1, ERR_IO, 0); /* and the failure is nobody else's */
    second = publish_receive(CAUSE_REQUEST);
    cr_assert_neq(second, first);
    publish_done(second, OK, 7);
    expect_published(2, OK, 7);
    expect_published(3, OK, 7);
    send_publish(4);
    publish_done(publish_receive(CAUSE_REQUEST), OK, 8);
    expect_published(4, OK, 8);
}

/* A stopped publisher reads nothing at all: the wire holds fewer messages than are asked for here. */
Test(desk, any_number_of_publications_does_not_wait_for_the_publisher)
{
    struct outcome i;
    uint64_t first;

    stage_start();
    for (uint64_t n = 1; n <= 3000; n++) {
        send_publish(n);
        if (n > PUBLISH_WAITS_MAX)
            expect_published(n, ERR_UNAVAILABLE, 0);
    }
    i = issue_one();
    (void)i;
    first = publish_receive(CAUSE_REQUEST);
    publish_done(first, OK, 1);
    expect_published(1, OK, 1);
    publish_done(publish_receive(CAUSE_REQUEST), OK, 2);
    for (uint64_t n = 2; n <= PUBLISH_WAITS_MAX; n++)
        expect_published(n, OK, 2);
    send_publish(5000); /* there is room again */
    publish_done(publish_receive(CAUSE_REQUEST), OK, 3);
    expect_published(5000, OK, 3);
}

/* What nobody will answer any more is freed: the leak check looks. */
Test(desk, an_end_with_those_who_wait_for_a_list)
{
    stage_start();
    send_publish(1);
    (void)publish_receive(CAUSE_REQUEST);
}
