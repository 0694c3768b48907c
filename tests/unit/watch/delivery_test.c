/* SPDX-License-Identifier: Apache-2.0 */
/* Does a target that will not take one list get the others, and that one once it will? The target is a stand
 * that speaks WebDAV. */
#include <criterion/criterion.h>

#include "tests/unit/watch/hall.h"

/* The target has nothing. After a failure it is left alone for long. */
static struct stand *open_stand(struct hall *h)
{
    hall_open_stand(h, TARGET_WEBDAV);
    h->config.retry_s = h->config.retry_max_s = 1000;
    hall_begin(h);
    return h->stand;
}

static void assert_failing(struct hall *h, const char *words)
{
    hall_expect_alarm(h, "target.failing", words);
}

static void assert_recovers(struct hall *h, struct stand *s)
{
    stand_well(s);
    hall_deliver(h);
    hall_deliver(h);
    cr_assert_str_eq(hall_alarm(h, "target.failing"), "");
    cr_assert_eq(h->courier.ledger.failures, 0);
    cr_assert_eq(ledger_find(&h->courier.ledger, "a.crl")->number, 5);
}

Test(watch_delivery, a_file_that_is_refused_starves_none_behind_it)
{
    static const unsigned statuses[] = {302, 403, 423, 500, 507};
    static const char *const names[] = {"/a.crl", "/a.crl.part"};
    static struct hall h;

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct stand *s = open_stand(&h);

        stand_odd(s, names[i % 2], statuses[i]);
        hall_deliver(&h);
        cr_assert_eq(hall_number_in(h.target_dir), 5);
        assert_failing(&h, "/a.crl");
        assert_failing(&h, ": it answers ");
        assert_recovers(&h, s);
        hall_close(&h);
    }
}

Test(watch_delivery, a_login_that_is_refused_is_not_tried_for_each_file)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", 401);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    assert_failing(&h, "/a.crl: it answers 401");
    assert_recovers(&h, s);
    hall_close(&h);
}

Test(watch_delivery, something_newer_there_is_critical_whatever_else_fails)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", 423);
    hall_list(&h, h.target_dir, "ca.crl", 9);
    hall_deliver(&h);
    assert_failing(&h, "ca.crl: number 9 is there, newer than our 5; and 1 more");
    cr_assert(hall_is_critical(&h, "target.failing"));
    hall_close(&h);
}

/* Turns as they come: the pause is not over. */
static void publish_in_pause(struct hall *h, const char *name, uint64_t number)
{
    hall_list(h, h->public_dir, name, number);
    shelf_look(h->shelf);
    courier_turn(&h->courier);
}

Test(watch_delivery, what_is_published_in_a_pause_goes_at_once_and_what_was_refused_waits)
{
    static struct hall h;
    struct stand *s = open_stand(&h);
    int64_t failures, pause_end_ms;

    stand_odd(s, "/a.crl", 423);
    hall_deliver(&h);
    failures = figure_value(h.courier.figures.failures);
    pause_end_ms = h.courier.deliver_at_ms;
    publish_in_pause(&h, "ca.crl", 6);
    cr_assert_eq(hall_number_in(h.target_dir), 6);
    assert_failing(&h, "/a.crl: it answers 423 (try 1)");
    cr_assert_eq(figure_value(h.courier.figures.failures), failures, "it was not asked again");
    cr_assert_leq(h.courier.deliver_at_ms, pause_end_ms + 1000);
    cr_assert_eq(h.courier.ledger.failures, 1);
    assert_recovers(&h, s);
    hall_close(&h);
}

Test(watch_delivery, what_is_refused_in_a_pause_makes_it_no_longer)
{
    static struct hall h;
    struct stand *s = open_stand(&h);
    int64_t retry_at_s;

    stand_odd(s, "/a.crl", 423);
    hall_deliver(&h);
    retry_at_s = h.courier.ledger.retry_at_s;
    hall_list(&h, h.target_dir, "ca.crl", 9);
    publish_in_pause(&h, "ca.crl", 6);
    assert_failing(&h, "number 9 is there, newer than our 6; and 1 more (try 1)");
    cr_assert(hall_is_critical(&h, "target.failing"));
    cr_assert_eq(h.courier.ledger.retry_at_s, retry_at_s);
    stand_odd(s, "/b.crl", 500);
    publish_in_pause(&h, "b.crl", 1);
    assert_failing(&h, "number 9 is there, newer than our 6; and 2 more (try 1)");
    cr_assert(hall_is_critical(&h, "target.failing"), "something newer is still there");
    hall_close(&h);
}

Test(watch_delivery, the_alarm_is_about_what_is_still_held)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", 423);
    hall_list(&h, h.target_dir, "ca.crl", 9);
    hall_deliver(&h);
    assert_failing(&h, "number 9 is there, newer than our 5; and 1 more (try 1)");
    cr_assert(hall_is_critical(&h, "target.failing"));
    publish_in_pause(&h, "ca.crl", 10);
    cr_assert_eq(hall_number_in(h.target_dir), 10);
    assert_failing(&h, "/a.crl: it answers 423 (try 1)");
    cr_assert_not(hall_is_critical(&h, "target.failing"));
    hall_close(&h);
}

Test(watch_delivery, the_successor_of_what_was_refused_is_tried_at_once)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", 423);
    hall_deliver(&h);
    stand_well(s);
    publish_in_pause(&h, "a.crl", 6);
    cr_assert_eq(ledger_find(&h.courier.ledger, "a.crl")->number, 6);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    cr_assert_eq(h.courier.ledger.failures, 0);
    publish_in_pause(&h, "ca.crl", 6);
    cr_assert_eq(hall_number_in(h.target_dir), 6);
    hall_close(&h);
}

Test(watch_delivery, a_target_that_does_not_answer_is_left_alone_until_the_pause_is_over)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl", STAND_CLOSES);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    stand_well(s);
    publish_in_pause(&h, "ca.crl", 6);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    assert_recovers(&h, s);
    cr_assert_eq(hall_number_in(h.target_dir), 6);
    hall_close(&h);
}

Test(watch_delivery, a_file_that_never_has_an_answer_ends_each_round_behind_another)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    stand_odd(s, "/a.crl.part",
              STAND_CLOSES); /* as where something on the way takes no upload of that length */
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    assert_failing(&h, "/a.crl.part");
    assert_recovers(&h, s);
    hall_close(&h);
}

/* Half a million serials end together: the list there is 10,000 times as long as the one that follows it. */
#define MANY 800000u

Test(watch_delivery, a_long_list_is_followed_by_a_short_one)
{
    static struct hall h;

    open_stand(&h);
    hall_long_list(&h, h.target_dir, "ca.crl", 4, MANY);
    hall_deliver(&h);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    hall_close(&h);
}

Test(watch_delivery, a_long_list_that_is_newer_is_left_there)
{
    static struct hall h;

    open_stand(&h);
    hall_long_list(&h, h.target_dir, "ca.crl", 9, MANY);
    hall_deliver(&h);
    assert_failing(&h, "ca.crl: number 9 is there, newer than our 5");
    cr_assert_eq(hall_number_in(h.target_dir), 9);
    hall_close(&h);
}
