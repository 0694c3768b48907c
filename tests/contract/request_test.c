/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request that waits for an approval found by everything that asks for it, until it is decided, and
 * once? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/fixture.h"

#define SEVEN_DAYS (7 * (int64_t)DAY)

static const uint8_t key[HASH_LEN] = {3}, other_key[HASH_LEN] = {33}, body[HASH_LEN] = {4},
                     other_body[HASH_LEN] = {44};

/* Number n, asked at NOW + n by one of two askers. */
static struct request make(unsigned n)
{
    struct request r = {.id = {(uint8_t)(n >> 8), (uint8_t)n, 1},
                        .profile = "ucm/CAPF",
                        .days = n,
                        .same = {(uint8_t)(n >> 8), (uint8_t)n, 2},
                        .facts = span_str("facts"),
                        .findings = span_str("findings"),
                        .asked_at_s = NOW + n,
                        .expires_at_s = NOW + n + SEVEN_DAYS};

    strcpy(r.asker, n % 2 == 0 ? "cert:a" : "cert:ab");
    return r;
}

static void ask(struct place *p, unsigned from, unsigned to)
{
    struct txn *t = begin(p);

    for (unsigned n = from; n < to; n++) {
        struct request r = make(n);

        request_add(t, &r);
    }
    commit(t);
}

static enum err settle(struct place *p, unsigned n, enum request_state state)
{
    static const uint8_t serial[SERIAL_LEN] = {1, 2, 3};
    struct request r = make(n);
    struct txn *t = begin(p);

    request_decide(t, r.id,
                   &(struct decision){.state = state,
                                      .by = "uid:0",
                                      .reason = state == REQUEST_DENIED ? "not ours" : NULL,
                                      .serial = state == REQUEST_APPROVED ? serial : NULL,
                                      .at_s = NOW + 100});
    return txn_commit(t);
}

Test(request, one_is_found_by_id_key_and_likeness)
{
    struct place p = place_create();
    struct request want = make(3), even = make(4), got;
    uint8_t unknown[HASH_LEN] = {9}, said[HASH_LEN];
    struct view *v;
    struct txn *t;

    ask(&p, 3, 5);
    t = begin(&p);
    request_add_key(t, want.id, key, body);
    request_add_key(t, want.id, other_key, other_body);
    commit(t);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    cr_assert_eq(request_find(v, want.id, &got), OK);
    cr_assert_arr_eq(got.id, want.id, REQUEST_ID_LEN);
    cr_assert_eq(got.state, REQUEST_PENDING);
    cr_assert_str_eq(got.profile, "ucm/CAPF");
    cr_assert_str_eq(got.asker, "cert:ab");
    cr_assert_eq(got.days, 3);
    cr_assert_eq(got.asked_at_s, want.asked_at_s);
    cr_assert_eq(got.expires_at_s, want.expires_at_s);
    cr_assert_eq(got.decided_at_s, NO_TIME);
    cr_assert(span_eq(got.facts, span_str("facts")) && span_eq(got.findings, span_str("findings")));
    cr_assert_eq(request_find_key(v, key, said, &got), OK);
    cr_assert_arr_eq(got.id, want.id, REQUEST_ID_LEN);
    cr_assert_arr_eq(said, body, HASH_LEN);
    cr_assert_eq(request_find_key(v, other_key, said, &got), OK);
    cr_assert_arr_eq(got.id, want.id, REQUEST_ID_LEN);
    cr_assert_arr_eq(said, other_body, HASH_LEN);
    cr_assert_eq(request_find_same(v, even.same, &got), OK);
    cr_assert_arr_eq(got.id, even.id, REQUEST_ID_LEN);
    cr_assert_eq(request_find(v, unknown, &got), ERR_NOT_FOUND);
    cr_assert_eq(request_find_key(v, unknown, said, &got), ERR_NOT_FOUND);
    cr_assert_eq(request_find_same(v, unknown, &got), ERR_NOT_FOUND);
    view_close(v);
    place_remove(&p);
}

Test(request, a_second_like_it_waits_for_the_first_to_be_decided)
{
    struct place p = place_create();
    struct request again = make(1), got;
    uint8_t said[HASH_LEN];
    struct view *v;
    struct txn *t;

    ask(&p, 1, 2);
    t = begin(&p);
    request_add_key(t, again.id, key, body);
    commit(t);
    t = begin(&p);
    request_add(t, &again);
    cr_assert_eq(txn_commit(t), ERR_CONFLICT, "the id");
    again.id[0] = 7;
    t = begin(&p);
    request_add(t, &again);
    cr_assert_eq(txn_commit(t), ERR_CONFLICT, "the likeness");
    cr_assert_eq(settle(&p, 1, REQUEST_DENIED), OK);
    t = begin(&p);
    request_add(t, &again);
    request_add_key(t, again.id, key, other_body);
    commit(t);
    v = look(&p);
    cr_assert_eq(request_find_key(v, key, said, &got), OK);
    cr_assert_arr_eq(said, other_body, HASH_LEN);
    cr_assert_arr_eq(got.id, again.id, REQUEST_ID_LEN, "the latest");
    view_close(v);
    place_remove(&p);
}

Test(request, a_decision_is_kept_and_is_the_last)
{
    struct place p = place_create();
    struct request r = make(0), got;
    uint8_t none[REQUEST_ID_LEN] = {9}, said[HASH_LEN];
    struct view *v;
    struct txn *t;

    ask(&p, 0, 3);
    t = begin(&p);
    request_add_key(t, make(1).id, key, body);
    commit(t);
    cr_assert_eq(settle(&p, 0, REQUEST_APPROVED), OK);
    cr_assert_eq(settle(&p, 1, REQUEST_DENIED), OK);
    cr_assert_eq(settle(&p, 2, REQUEST_EXPIRED), OK);
    for (unsigned n = 0; n < 3; n++)
        cr_assert_eq(settle(&p, n, REQUEST_DENIED), ERR_CONFLICT);
    t = begin(&p);
    request_decide(t, none, &(struct decision){.state = REQUEST_DENIED, .by = "uid:0"});
    cr_assert_eq(txn_commit(t), ERR_NOT_FOUND);
    v = look(&p);
    cr_assert_eq(request_find(v, r.id, &got), OK);
    cr_assert_eq(got.state, REQUEST_APPROVED);
    cr_assert_str_eq(got.decided_by, "uid:0");
    cr_assert_eq(got.decided_at_s, NOW + 100);
    cr_assert_eq(got.serial[2], 3);
    cr_assert(span_eq(got.facts, span_str("facts")));
    r = make(1);
    cr_assert_eq(request_find_key(v, key, said, &got), OK, "the key still leads there");
    cr_assert_eq(got.state, REQUEST_DENIED);
    cr_assert(span_eq(got.reason, span_str("not ours")));
    cr_assert_eq(request_find_same(v, r.same, &got), ERR_NOT_FOUND, "pending ones alone");
    view_close(v);
    place_remove(&p);
}

Test(request, an_aborted_decision_leaves_it_pending)
{
    struct place p = place_create();
    struct request r = make(0), got;
    struct view *v;
    struct txn *t;

    ask(&p, 0, 1);
    t = begin(&p);
    request_decide(t, r.id, &(struct decision){.state = REQUEST_DENIED, .by = "uid:0"});
    cr_assert_eq(request_find(txn_view(t), r.id, &got), OK);
    cr_assert_eq(got.state, REQUEST_DENIED, "a txn sees its own");
    txn_abort(t);
    v = look(&p);
    cr_assert_eq(request_find(v, r.id, &got), OK);
    cr_assert_eq(got.state, REQUEST_PENDING);
    view_close(v);
    place_remove(&p);
}

Test(request, pending_ones_are_counted_by_asker_up_to_a_bound)
{
    struct place p = place_create();
    struct view *v;
    unsigned n;

    ask(&p, 0, 21);
    cr_assert_eq(settle(&p, 2, REQUEST_DENIED), OK);
    v = look(&p);
    cr_assert_eq(request_count(v, "cert:a", 100, &n), OK);
    cr_assert_eq(n, 10);
    cr_assert_eq(request_count(v, "cert:ab", 100, &n), OK);
    cr_assert_eq(n, 10);
    cr_assert_eq(request_count(v, "cert:a", 4, &n), OK);
    cr_assert_eq(n, 4);
    cr_assert_eq(request_count(v, "cert:", 100, &n), OK);
    cr_assert_eq(n, 0);
    view_close(v);
    place_remove(&p);
}

Test(request, those_due_come_in_order_of_their_end)
{
    struct place p = place_create();
    struct request first = make(5), second = make(6), got;
    struct view *v;

    ask(&p, 5, 8);
    v = look(&p);
    cr_assert_eq(request_find_due(v, first.expires_at_s - 1, &got), ERR_NOT_FOUND);
    cr_assert_eq(request_find_due(v, first.expires_at_s, &got), OK);
    cr_assert_arr_eq(got.id, first.id, REQUEST_ID_LEN);
    view_close(v);
    cr_assert_eq(settle(&p, 5, REQUEST_EXPIRED), OK);
    v = look(&p);
    cr_assert_eq(request_find_due(v, first.expires_at_s, &got), ERR_NOT_FOUND);
    cr_assert_eq(request_find_due(v, second.expires_at_s + DAY, &got), OK);
    cr_assert_arr_eq(got.id, second.id, REQUEST_ID_LEN);
    view_close(v);
    place_remove(&p);
}

/* ---- lists ---- */

struct seen {
    unsigned numbers[64];
    size_t count;
};

static bool see(const struct request *r, void *arg)
{
    struct seen *s = arg;

    s->numbers[s->count++] = (unsigned)r->id[0] << 8 | r->id[1];
    return true;
}

/* Every page of a list, with one more request asked between the pages. */
static void walk(struct place *p, enum request_state state, unsigned limit, struct seen *s)
{
    char next[CURSOR_MAX] = "", after[CURSOR_MAX];
    unsigned extra = 1000;

    *s = (struct seen){0};
    do {
        struct view *v = look(p);

        strcpy(after, next);
        cr_assert_eq(request_list(v,
                                  &(struct request_query){.state = state,
                                                          .after = after[0] != '\0' ? after : NULL,
                                                          .limit = limit},
                                  see, s, next),
                     OK);
        view_close(v);
        ask(p, extra, extra + 1);
        extra++;
    } while (next[0] != '\0');
}

Test(request, lists_come_by_page_the_latest_first)
{
    static const unsigned limits[] = {1, 3, 4, 64};

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct place p = place_create();
        struct seen s;

        ask(&p, 0, 12);
        for (unsigned n = 0; n < 12; n += 3)
            cr_assert_eq(settle(&p, n, n % 2 == 0 ? REQUEST_APPROVED : REQUEST_DENIED), OK);
        walk(&p, REQUEST_APPROVED, limits[i], &s);
        cr_assert_eq(s.count, 2);
        cr_assert(s.numbers[0] == 6 && s.numbers[1] == 0);
        place_remove(&p);
        p = place_create();
        ask(&p, 0, 12);
        cr_assert_eq(settle(&p, 4, REQUEST_EXPIRED), OK);
        walk(&p, REQUEST_ANY, limits[i], &s);
        cr_assert_eq(s.count, 12);
        for (unsigned n = 0; n < 12; n++)
            cr_assert_eq(s.numbers[n], 11 - n);
        place_remove(&p);
    }
}

Test(request, a_cursor_is_of_its_own_list)
{
    struct place p = place_create();
    char next[CURSOR_MAX], unused[CURSOR_MAX];
    struct request_query q = {.state = REQUEST_PENDING, .limit = 1};
    static const char *const bad[] = {"", "x", "00", "zz"};
    struct seen s = {0};
    struct view *v;

    ask(&p, 0, 3);
    v = look(&p);
    cr_assert_eq(request_list(v, &q, see, &s, next), OK);
    cr_assert_neq(next[0], '\0');
    q.after = next;
    cr_assert_eq(request_list(v, &q, see, &s, unused), OK);
    q.state = REQUEST_DENIED;
    cr_assert_eq(request_list(v, &q, see, &s, unused), ERR_MALFORMED);
    q.state = REQUEST_ANY;
    cr_assert_eq(request_list(v, &q, see, &s, unused), ERR_MALFORMED);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        q.after = bad[i];
        cr_assert_eq(request_list(v, &q, see, &s, unused), ERR_MALFORMED, "%s", bad[i]);
    }
    q.after = NULL;
    q.limit = 0;
    cr_assert_eq(request_list(v, &q, see, &s, unused), ERR_MALFORMED);
    q.limit = LIST_LIMIT_MAX + 1;
    cr_assert_eq(request_list(v, &q, see, &s, unused), ERR_MALFORMED);
    view_close(v);
    place_remove(&p);
}

/* Facts of a thousand names on a large key, as many as one message holds. */
Test(request, the_largest_facts_fit)
{
    static uint8_t facts[WIRE_MSG_MAX];
    struct place p = place_create();
    struct request r = make(1), got;
    struct view *v;
    struct txn *t = begin(&p);

    memset(facts, 'x', sizeof facts);
    r.facts = span_of(facts, sizeof facts);
    request_add(t, &r);
    commit(t);
    cr_assert_eq(settle(&p, 1, REQUEST_DENIED), OK);
    v = look(&p);
    cr_assert_eq(request_find(v, r.id, &got), OK);
    cr_assert(span_eq(got.facts, r.facts));
    view_close(v);
    place_remove(&p);
}
