/* SPDX-License-Identifier: Apache-2.0 */
/* Is nothing forgotten by a clock that went ahead, in this life or while the service was down, and is it
 * believed when it is right again or goes on for long? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/ca/idle.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define YEAR (365 * DAY)

static int64_t monotonic_s;

static void begin(int64_t wall_s)
{
    monotonic_s = 1000;
    doubt_begin(&idle.ca, wall_s, monotonic_s);
}

static void setup(void)
{
    idle_open();
    begin(NOW);
}

TestSuite(doubt, .init = setup, .fini = idle_close);

/* So much later by the monotonic clock. */
static bool is_ahead_after(int64_t s, int64_t wall_s)
{
    struct txn *t = NULL;
    bool is;

    monotonic_s += s;
    t = idle_begin();
    is = doubt_look(&idle.ca, t, wall_s, monotonic_s);
    idle_commit(t);
    return is;
}

static bool is_alarm_up(void)
{
    return idle_alarm("clock.ahead")[0] != '\0';
}

Test(doubt, a_clock_that_went_ahead_is_not_believed_until_it_is_right)
{
    cr_expect(!is_alarm_up(), "the first start is believed");
    cr_expect(is_ahead_after(60, NOW + YEAR), "and what comes after it no more");
    cr_expect(!is_ahead_after(60, NOW + 120));
    cr_expect(!is_alarm_up());
    cr_expect(is_ahead_after(60, NOW + YEAR));
    cr_expect(is_alarm_up());
    cr_expect(is_ahead_after(60, NOW + YEAR + 60));
    cr_expect(!is_ahead_after(60, NOW + 240));
    cr_expect(!is_alarm_up());
    cr_expect(!is_ahead_after(3 * DAY, NOW + 240 + 3 * DAY), "time that has passed is no jump");
    cr_expect(!is_ahead_after(60, NOW + 300 + 4 * DAY), "a day");
    cr_expect(is_ahead_after(60, NOW + 360 + 6 * DAY), "two");
}

Test(doubt, a_clock_that_goes_on_for_a_week_is_believed)
{
    cr_expect(!is_ahead_after(60, NOW));
    cr_expect(is_ahead_after(60, NOW + YEAR));
    cr_expect(is_ahead_after(6 * DAY, NOW + YEAR + 6 * DAY));
    cr_expect(!is_ahead_after(DAY, NOW + YEAR + 7 * DAY));
    cr_expect(!is_alarm_up());
    cr_expect(!is_ahead_after(60, NOW + YEAR + 7 * DAY + 60));
    cr_expect(is_ahead_after(60, NOW + 2 * YEAR + 7 * DAY), "and the next time anew");
    cr_expect(is_ahead_after(6 * DAY, NOW + 2 * YEAR + 13 * DAY));
    cr_expect(!is_ahead_after(DAY, NOW + 2 * YEAR + 14 * DAY));
    cr_expect(is_ahead_after(8 * DAY, NOW + 3 * YEAR), "a week in which nobody looked is no week");
}

Test(doubt, a_clock_that_was_put_back_for_good_is_the_measure)
{
    begin(NOW + YEAR);
    cr_expect(!is_ahead_after(60, NOW));
    cr_expect(!is_ahead_after(60, NOW + YEAR), "back and forth is none ahead");
    cr_expect(!is_ahead_after(60, NOW));
    cr_expect(!is_ahead_after(8 * DAY, NOW + 8 * DAY));
    cr_expect(is_ahead_after(60, NOW + YEAR));
}

Test(doubt, a_start_goes_by_what_the_life_before_wrote_down)
{
    cr_expect(!is_ahead_after(60, NOW));
    begin(NOW + 6 * DAY);
    cr_expect(!is_alarm_up());
    cr_expect(!is_ahead_after(60, NOW + 6 * DAY), "down over holidays");
    begin(NOW + YEAR);
    cr_expect(is_alarm_up());
    cr_expect(is_ahead_after(60, NOW + YEAR));
    begin(NOW + YEAR);
    cr_expect(is_ahead_after(60, NOW + YEAR), "however often it is tried");
    cr_expect(!is_ahead_after(60, NOW + 8 * DAY), "right, after two days");
    cr_expect(is_ahead_after(60, NOW + 11 * DAY), "and from now on by a day");
}

Test(doubt, what_was_waited_counts_over_starts)
{
    cr_expect(!is_ahead_after(60, NOW));
    for (int day = 0; day < 7; day++) {
        begin(NOW + YEAR + day * DAY);
        cr_expect_eq(is_ahead_after(DAY, NOW + YEAR + day * DAY), day < 6);
    }
    cr_expect(!is_alarm_up());
}

/* ---- the upkeep ---- */

static const uint8_t key[HASH_LEN] = {1}, request_id[REQUEST_ID_LEN] = {2};

static void keep(struct txn *t)
{
    struct request r = {.expires_at_s = NOW + DAY, .same = {3}};
    struct token k = {.role = ACCESS_OPERATOR,
                      .created_by = "uid:0",
                      .hash = {5},
                      .expires_at_s = NOW + DAY,
                      .used_at_s = NO_TIME,
                      .deleted_at_s = NO_TIME};
    struct cert c = {.serial = {1, 1},
                     .status = {.issuer_no = 1, .not_after_s = NOW + 100 * DAY},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .requester = "a",
                     .der = span_str("certificate")};
    uint64_t number;

    memcpy(r.id, request_id, sizeof r.id);
    request_add(t, &r);
    token_add(t, &k);
    idempotent_add(t, key, &(struct idempotent){.at_s = NOW});
    cert_add(t, &c, &number);
}

struct kept {
    bool request, token, key, certificate;
};

static struct kept upkeep(int64_t now_s)
{
    struct kept kept = {0};
    struct idempotent i;
    struct request r;
    struct token k;
    struct status s;
    struct view *v = NULL;

    upkeep_run(&idle.ca, false, now_s);
    v = idle_look();
    kept.request = request_find(v, request_id, &r) == OK && r.state == REQUEST_PENDING;
    kept.token = token_find(v, (const uint8_t[HASH_LEN]){5}, &k) == OK;
    kept.key = idempotent_find(v, key, &i) == OK;
    kept.certificate = status_find(v, (const uint8_t[SERIAL_LEN]){1, 1}, &s) == OK;
    view_close(v);
    return kept;
}

Test(doubt, upkeep_forgets_nothing_by_a_clock_that_is_ahead)
{
    struct txn *t = NULL;
    struct kept kept;

    idle.role.config.prune_after_s = 30 * DAY;
    t = idle_begin();
    keep(t);
    idle_commit(t);
    doubt_begin(&idle.ca, NOW, clock_monotonic_ms() / 1000);
    kept = upkeep(NOW + 60);
    cr_expect(kept.request && kept.token && kept.key && kept.certificate);
    kept = upkeep(NOW + YEAR);
    cr_expect(kept.request && kept.token && kept.key && kept.certificate);
    kept = upkeep(NOW + 120);
    cr_expect(kept.request && kept.token && kept.key && kept.certificate);
    doubt_begin(&idle.ca, NOW + YEAR,
                clock_monotonic_ms() / 1000 - 8 * DAY); /* as if it had run for a week since */
    kept = upkeep(NOW + YEAR);
    cr_expect(!kept.request && !kept.token && !kept.key && !kept.certificate);
}

/* The id under which it waits when it is asked for at that time. */
static void ask_again(int64_t now_s, uint8_t id[static REQUEST_ID_LEN])
{
    struct txn *t = idle_begin();
    struct ask a = {
        .err = ERR_PENDING, .principal = "asker", .profile_id = "p", .facts.csr = span_str("csr")};

    approval_add(&idle.ca, t, &a, now_s);
    idle_commit(t);
    cr_assert_eq(a.err, ERR_PENDING, "%s", a.detail);
    memcpy(id, a.request_id, REQUEST_ID_LEN);
}

Test(doubt, a_request_waits_on_while_the_clock_is_ahead)
{
    uint8_t first[REQUEST_ID_LEN], again[REQUEST_ID_LEN];

    begin(NOW);
    ask_again(NOW, first);
    cr_assert(is_ahead_after(60, NOW + YEAR));
    ask_again(NOW + YEAR, again);
    cr_expect_arr_eq(first, again, REQUEST_ID_LEN);
    cr_assert_not(is_ahead_after(60, NOW + 120));
    ask_again(NOW + 120, again);
    cr_expect_arr_eq(first, again, REQUEST_ID_LEN);
    doubt_glance(&idle.ca, NOW + YEAR, monotonic_s + 1);
    ask_again(NOW + YEAR, again);
    cr_expect_arr_eq(first, again, REQUEST_ID_LEN, "nor before the upkeep has seen it");
    doubt_glance(&idle.ca, NOW + 8 * DAY, monotonic_s + 8 * DAY);
    ask_again(NOW + 8 * DAY, again);
    cr_expect_arr_neq(first, again, REQUEST_ID_LEN, "a week without a decision is its end");
}

/* Decided at NOW, asked for under a key. */
static void deny_keyed(void)
{
    struct request r = {.id = {7}, .same = {7}, .asked_at_s = NOW, .expires_at_s = NOW + 7 * DAY};
    struct txn *t = idle_begin();

    request_add(t, &r);
    request_add_key(t, r.id, key, key);
    request_decide(t, r.id, &(struct decision){.state = REQUEST_DENIED, .by = "x", .at_s = NOW});
    idle_commit(t);
}

/* Under the same key and with the same body. */
static bool is_answered(int64_t now_s)
{
    struct view *v = idle_look();
    struct ask a = {.is_idempotent = true};
    bool is;

    memcpy(a.idempotency, key, HASH_LEN);
    memcpy(a.body_hash, key, HASH_LEN);
    is = approval_repeat(&idle.ca, v, &a, now_s);
    view_close(v);
    cr_assert_eq(a.err, is ? ERR_POLICY : OK);
    return is;
}

Test(doubt, a_decided_request_answers_its_key_while_the_clock_is_ahead)
{
    deny_keyed();
    doubt_glance(&idle.ca, NOW + YEAR, monotonic_s);
    cr_expect(is_answered(NOW + YEAR), "asked anew, the first would be out of reach when the clock is right");
    doubt_glance(&idle.ca, NOW + 120, monotonic_s + 120);
    cr_expect(is_answered(NOW + 120));
    doubt_glance(&idle.ca, NOW + 89 * DAY, monotonic_s + 89 * DAY);
    cr_expect(is_answered(NOW + 89 * DAY));
    doubt_glance(&idle.ca, NOW + 91 * DAY, monotonic_s + 91 * DAY);
    cr_expect_not(is_answered(NOW + 91 * DAY), "after 90 days that have passed it is free");
}
