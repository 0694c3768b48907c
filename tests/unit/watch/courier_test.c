/* SPDX-License-Identifier: Apache-2.0 */
/* Does a target get each list once, whole, never an older one, over failures and restarts? The target is a
 * local directory; its public URL refuses connections, which is no business of a delivery. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/watch/hall.h"

Test(watch_courier, a_list_is_delivered_once_and_its_successor_again)
{
    static struct hall h;

    hall_open(&h);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    cr_assert_eq(figure_value(h.courier.figures.uploads), 1);
    hall_deliver(&h);
    cr_assert_eq(figure_value(h.courier.figures.uploads), 1);
    hall_publish(&h, h.public_dir, 6);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 6);
    cr_assert_eq(figure_value(h.courier.figures.uploads), 2);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    cr_assert_neq(hall_alarm(&h, "readback.failed")[0], '\0');
    hall_close(&h);
}

Test(watch_courier, a_restart_carries_nothing_anew)
{
    static struct hall h;

    hall_open(&h);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    hall_end(&h);
    hall_begin(&h);
    courier_turn(&h.courier);
    cr_assert_eq(figure_value(h.courier.figures.uploads), 1); /* the board's figure goes on */
    cr_assert_eq(ledger_find(&h.courier.ledger, "ca.crl")->number, 5);
    hall_close(&h);
}

Test(watch_courier, what_a_killed_process_left_is_removed)
{
    char path[PATH_LEN_MAX];
    static struct hall h;

    hall_open(&h);
    hall_end(&h);
    hall_put(h.state_dir, "mirror.json.~abc123", span_str("{"));
    hall_begin(&h);
    cr_assert_eq(path_join(path, h.state_dir, "mirror.json.~abc123", NULL), OK);
    cr_assert_neq(access(path, F_OK), 0);
    hall_close(&h);
}

Test(watch_courier, something_newer_at_the_target_is_left_there)
{
    static struct hall h;

    hall_open(&h);
    hall_publish(&h, h.target_dir, 9);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 9);
    hall_expect_alarm(&h, "target.failing", "number 9 is there, newer than our 5");
    hall_publish(&h, h.public_dir, 10);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 10);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    hall_close(&h);
}

Test(watch_courier, what_was_delivered_is_never_followed_by_an_older_one)
{
    static struct hall h;
    char path[PATH_LEN_MAX];

    hall_open(&h);
    hall_publish(&h, h.public_dir, 7);
    hall_deliver(&h);
    cr_assert_eq(path_join(path, h.target_dir, "ca.crl", NULL), OK);
    cr_assert_eq(unlink(path), 0); /* not even when the target has nothing any more */
    hall_publish(&h, h.public_dir, 6);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    hall_expect_alarm(&h, "target.failing", "older than 7");
    cr_assert_eq(file_replace(path, span_str("x"), 0644, NULL), OK);
    hall_publish(&h, h.public_dir, 8);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 8);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    hall_close(&h);
}

Test(watch_courier, an_alarm_ends_when_there_is_nothing_to_carry_any_more)
{
    char path[PATH_LEN_MAX];
    static struct hall h;
    struct buf newer;

    hall_open(&h);
    hall_publish(&h, h.public_dir, 7);
    hall_deliver(&h);
    buf_init(&newer, 1u << 20);
    cr_assert_eq(path_join(path, h.public_dir, "ca.crl", NULL), OK);
    cr_assert_eq(file_read(path, &newer, NULL), OK);
    hall_publish(&h, h.public_dir, 6);
    hall_deliver(&h);
    cr_assert_neq(hall_alarm(&h, "target.failing")[0], '\0');
    cr_assert_eq(file_replace(path, buf_span(&newer), 0644, NULL), OK);
    shelf_look(h.shelf);
    courier_turn(&h.courier);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    buf_free(&newer);
    hall_close(&h);
}

Test(watch_courier, a_foreign_or_broken_file_at_the_target_is_replaced)
{
    struct press stranger;
    static struct hall h;
    struct span der;

    hall_open(&h);
    press_open(&stranger, "P-256", "Test CA");
    der = press_crl(&stranger, &(struct sheet){.number = 99, .this_update_s = 1, .next_update_s = PRESS_NOW});
    hall_put(h.target_dir, "ca.crl", der);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    hall_put(h.target_dir, "ca.crl", span_of(der.data, der.len / 2));
    hall_publish(&h, h.public_dir, 6);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 6);
    free((void *)der.data);
    press_close(&stranger);
    hall_close(&h);
}

Test(watch_courier, a_list_that_is_not_ours_is_carried_nowhere)
{
    struct press stranger;
    static struct hall h;
    struct span der;

    hall_open(&h);
    press_open(&stranger, "P-256", "Test CA");
    der = press_crl(&stranger, &(struct sheet){.number = 9, .this_update_s = 1, .next_update_s = PRESS_NOW});
    hall_put(h.public_dir, "ca.crl", der);
    shelf_look(h.shelf);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    free((void *)der.data);
    press_close(&stranger);
    hall_close(&h);
}

Test(watch_courier, a_failing_target_is_an_alarm_until_it_works_and_waits_over_a_restart)
{
    static struct hall h;

    hall_open(&h);
    h.config.retry_s = h.config.retry_max_s = 1000;
    cr_assert_eq(rmdir(h.target_dir), 0);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    hall_expect_alarm(&h, "target.failing", "No such file");
    cr_assert_eq(h.courier.ledger.failures, 1);
    hall_end(&h);
    hall_begin(&h);
    cr_assert_eq(h.courier.ledger.failures, 1);
    cr_assert_geq(h.courier.deliver_at_ms - clock_monotonic_ms(), 700000);
    cr_assert_eq(mkdir(h.target_dir, 0700), 0);
    courier_turn(&h.courier); /* the pause is not over */
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    cr_assert_eq(h.courier.ledger.failures, 0);
    hall_close(&h);
}

Test(watch_courier, what_stood_before_a_restart_stands_while_the_pause_goes_on)
{
    static struct hall h;

    hall_open(&h);
    h.config.retry_s = h.config.retry_max_s = 1000;
    hall_publish(&h, h.target_dir, 9);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert(hall_is_critical(&h, "target.failing"));
    hall_end(&h);
    bell_clear(h.bell, "target.failing", "mirror"); /* as the end of the process does */
    hall_begin(&h);
    courier_turn(&h.courier);
    hall_expect_alarm(&h, "target.failing", "number 9 is there, newer than our 5");
    cr_assert(hall_is_critical(&h, "target.failing"));
    hall_publish(&h, h.public_dir, 10);
    hall_deliver(&h);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    hall_end(&h);
    hall_begin(&h);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    hall_close(&h);
}

Test(watch_courier, state_that_does_not_say_why_it_failed_is_an_alarm_all_the_same)
{
    static struct hall h;
    char path[PATH_LEN_MAX], text[PATH_LEN_MAX + 128];

    hall_open(&h);
    hall_end(&h);
    cr_assert_eq(path_join(path, h.state_dir, "mirror.json", NULL), OK);
    snprintf(text, sizeof text, "{\"url\": \"%s\", \"failures\": 2, \"retry_at\": %lld, \"files\": {}}",
             h.config.targets[0].url, (long long)clock_now_s() + 600);
    cr_assert_eq(file_replace(path, span_str(text), 0600, NULL), OK);
    hall_begin(&h);
    cr_assert_neq(hall_alarm(&h, "target.failing")[0], '\0');
    cr_assert_not(hall_is_critical(&h, "target.failing"));
    hall_close(&h);
}

Test(watch_courier, a_pause_ends_when_somebody_has_seen_to_the_target)
{
    static struct hall h;

    hall_open(&h);
    h.config.retry_s = h.config.retry_max_s = 1000;
    cr_assert_eq(rmdir(h.target_dir), 0);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert_eq(mkdir(h.target_dir, 0700), 0);
    hall_end(&h);
    hall_begin(&h);
    courier_hurry(&h.courier);
    cr_assert_neq(hall_alarm(&h, "target.failing")[0], '\0');
    courier_turn(&h.courier);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    hall_close(&h);
}

Test(watch_courier, a_list_that_was_replaced_meanwhile_is_waited_for)
{
    static struct hall h;

    hall_open(&h);
    hall_publish(&h, h.public_dir, 5);
    hall_list(&h, h.public_dir, "ca.crl", 6); /* nobody has looked yet */
    cr_assert_gt(courier_turn(&h.courier), 0);
    cr_assert_eq(hall_number_in(h.target_dir), 0);
    cr_assert_eq(figure_value(h.courier.figures.delivered), 0);
    cr_assert_str_eq(hall_alarm(&h, "target.failing"), "");
    shelf_look(h.shelf);
    courier_turn(&h.courier);
    cr_assert_eq(hall_number_in(h.target_dir), 6);
    cr_assert_gt(figure_value(h.courier.figures.delivered), 0);
    hall_close(&h);
}

Test(watch_courier, a_clock_that_jumped_a_year_back_makes_no_pause_longer_than_one)
{
    static struct hall h;

    hall_open(&h);
    h.courier.ledger.failures = 3;
    h.courier.ledger.retry_at_s = clock_now_s() + 365 * 86400;
    cr_assert_eq(ledger_save(&h.courier.ledger, NULL), OK);
    hall_end(&h);
    hall_begin(&h);
    cr_assert_leq(h.courier.deliver_at_ms - clock_monotonic_ms(), h.config.retry_max_s * 1250);
    hall_close(&h);
}

Test(watch_courier, state_that_cannot_be_written_is_an_alarm_and_the_delivery_is_made)
{
    static struct hall h;

    hall_open(&h);
    cr_assert_eq(rmdir(h.state_dir), 0); /* root may write anything that is there */
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    cr_assert_neq(hall_alarm(&h, "watch.state")[0], '\0');
    cr_assert_eq(mkdir(h.state_dir, 0700), 0);
    hall_publish(&h, h.public_dir, 6);
    hall_deliver(&h);
    cr_assert_str_eq(hall_alarm(&h, "watch.state"), "");
    hall_close(&h);
}

Test(watch_courier, state_that_is_damaged_or_of_another_place_is_begun_anew)
{
    static struct hall h;
    char path[PATH_LEN_MAX];

    hall_open(&h);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    strcpy(path, h.courier.ledger.path);
    hall_end(&h);
    cr_assert_eq(file_replace(path, span_str("{\"url\": 7"), 0600, NULL), OK);
    hall_begin(&h);
    cr_assert_eq(h.courier.ledger.count, 0);
    hall_deliver(&h); /* the target has it: nothing goes there */
    cr_assert_eq(figure_value(h.courier.figures.uploads), 1);
    cr_assert_eq(h.courier.ledger.count, 1);
    hall_end(&h);
    strcat(h.config.targets[0].url, "/elsewhere");
    hall_begin(&h);
    cr_assert_eq(h.courier.ledger.count, 0);
    hall_close(&h);
}

/* None of it is reckoned with. */
Test(watch_courier, state_with_a_time_that_is_none_is_begun_anew)
{
    static const int64_t times[] = {INT64_MIN, INT64_MAX};
    static struct hall h;

    hall_open(&h);
    for (size_t i = 0; i < 2; i++) {
        h.courier.ledger.failures = 3;
        h.courier.ledger.retry_at_s = times[i];
        cr_assert_eq(ledger_save(&h.courier.ledger, NULL), OK);
        hall_end(&h);
        hall_begin(&h);
        cr_assert_eq(h.courier.ledger.failures, 0);
        cr_assert_eq(h.courier.ledger.retry_at_s, 0);
    }
    hall_close(&h);
}

Test(watch_courier, how_long_a_list_there_may_be_is_known_after_a_restart)
{
    static struct hall h;
    uint64_t longest;

    hall_open(&h);
    hall_long_list(&h, h.public_dir, "ca.crl", 5, 1000);
    shelf_look(h.shelf);
    hall_deliver(&h);
    longest = h.courier.items[0].identity.size;
    cr_assert_gt(longest, 20000);
    hall_publish(&h, h.public_dir, 6);
    hall_deliver(&h);
    cr_assert_lt(h.courier.items[0].identity.size, 1000);
    cr_assert_eq(courier_longest(&h.courier, 0), longest);
    hall_end(&h);
    hall_begin(&h);
    courier_turn(&h.courier);
    cr_assert_eq(courier_longest(&h.courier, 0), longest);
    hall_close(&h);
}

Test(watch_courier, a_file_longer_than_any_list_is_waited_for_no_longer_than_the_longest)
{
    static struct hall h;
    char path[PATH_LEN_MAX];

    hall_open(&h);
    cr_assert_eq(path_join(path, h.public_dir, "ca.crl", NULL), OK);
    cr_assert_eq(file_replace(path, span_str("x"), 0644, NULL), OK);
    cr_assert_eq(truncate(path, INT64_C(100) << 30), 0);
    shelf_look(h.shelf);
    hall_deliver(&h);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    cr_assert_eq(hall_number_in(h.target_dir), 5);
    cr_assert_eq(courier_longest(&h.courier, 0), LIST_LEN_MAX);
    cr_assert_neq(hall_alarm(&h, "readback.failed")[0], '\0');
    hall_close(&h);
}

Test(watch_courier, state_that_does_not_say_how_long_lists_were_is_good)
{
    static struct hall h;
    struct buf old;

    hall_open(&h);
    hall_publish(&h, h.public_dir, 5);
    hall_deliver(&h);
    buf_init(&old, 4096);
    buf_printf(&old,
               "{\"url\": \"%s\", \"failures\": 0, \"retry_at\": 0, \"files\": {\"ca.crl\": {\"number\": 7, "
               "\"sha256\": \"%064d\", \"at\": 1}}}",
               h.target_dir, 0);
    cr_assert_eq(file_replace(h.courier.ledger.path, buf_span(&old), 0600, NULL), OK);
    buf_free(&old);
    hall_end(&h);
    hall_begin(&h);
    courier_turn(&h.courier);
    cr_assert_eq(ledger_find(&h.courier.ledger, "ca.crl")->number, 7);
    cr_assert_eq(courier_longest(&h.courier, 0), h.courier.items[0].identity.size);
    hall_close(&h);
}

Test(watch_courier, pauses_double_up_to_their_limit)
{
    struct watch_config c = {.retry_s = 10, .retry_max_s = 900};

    for (int i = 0; i < 100; i++) {
        int64_t first = courier_pause_ms(&c, 1), third = courier_pause_ms(&c, 3),
                late = courier_pause_ms(&c, 1000);

        cr_assert(first >= 7500 && first <= 12500);
        cr_assert(third >= 30000 && third <= 50000);
        cr_assert(late >= 675000 && late <= 1125000);
    }
}
