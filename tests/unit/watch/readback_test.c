/* SPDX-License-Identifier: Apache-2.0 */
/* Is what clients get an alarm as long as it is wrong, and never when it is right? Nothing is carried: what a
 * stand shows is read back. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/watch/hall.h"

/* The stand shows what is published. */
static struct stand *open_stand(struct hall *h)
{
    hall_open_stand(h, TARGET_PUBLIC);
    hall_copy(h->public_dir, h->target_dir, "a.crl");
    hall_copy(h->public_dir, h->target_dir, "ca.crl");
    hall_begin(h);
    return h->stand;
}

static void assert_good(struct hall *h)
{
    hall_check(h);
    cr_assert_str_eq(hall_alarm(h, "readback.failed"), "");
    cr_assert_str_eq(hall_alarm(h, "readback.stale"), "");
    cr_assert_str_eq(hall_alarm(h, "readback.foreign"), "");
}

Test(watch_readback, a_file_that_is_refused_hides_none_behind_it)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    assert_good(&h);
    stand_odd(s, "/a.crl", 403);
    hall_put(h.target_dir, "ca.crl", span_str("welcome"));
    hall_check(&h);
    hall_expect_alarm(&h, "readback.failed", "/a.crl: it answers 403");
    hall_expect_alarm(&h, "readback.foreign", "ca.crl: what clients get: it is no CRL");
    hall_close(&h);
}

Test(watch_readback, what_was_foreign_is_so_until_it_is_seen_again)
{
    static const unsigned statuses[] = {401, 403, 503, STAND_CLOSES};
    static struct hall h;
    struct stand *s = open_stand(&h);

    hall_put(h.target_dir, "ca.crl", span_str("welcome"));
    hall_check(&h);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        stand_odd(s, "/ca.crl", statuses[i]);
        hall_check(&h);
        hall_expect_alarm(&h, "readback.failed", "/ca.crl: ");
        hall_expect_alarm(&h, "readback.foreign", "ca.crl: what clients get: it is no CRL");
        stand_well(s);
    }
    hall_copy(h.public_dir, h.target_dir, "ca.crl");
    assert_good(&h);
    hall_close(&h);
}

Test(watch_readback, a_round_that_ends_early_ends_no_alarm_of_what_it_did_not_see)
{
    static struct hall h;
    struct stand *s = open_stand(&h);

    hall_list(&h, h.target_dir, "ca.crl", 4);
    hall_check(&h);
    hall_expect_alarm(&h, "readback.stale", "ca.crl: clients get number 4");
    stand_odd(s, "/a.crl", STAND_CLOSES);
    hall_list(&h, h.public_dir, "ca.crl", 6); /* its successor inherits what is known of the place */
    shelf_look(h.shelf);
    hall_check(&h);
    hall_expect_alarm(&h, "readback.failed", "/a.crl: ");
    hall_expect_alarm(&h, "readback.stale", "ca.crl: clients get number 4");
    stand_well(s);
    hall_copy(h.public_dir, h.target_dir, "ca.crl");
    assert_good(&h);
    hall_close(&h);
}

Test(watch_readback, a_list_that_is_published_no_more_takes_its_alarm_along)
{
    static struct hall h;
    struct stand *s = open_stand(&h);
    char path[PATH_LEN_MAX];

    hall_put(h.target_dir, "ca.crl", span_str("welcome"));
    hall_check(&h);
    hall_expect_alarm(&h, "readback.foreign", "ca.crl: ");
    cr_assert_eq(path_join(path, h.public_dir, "ca.crl", NULL), OK);
    cr_assert_eq(remove(path), 0);
    shelf_look(h.shelf);
    stand_odd(s, "/a.crl", STAND_CLOSES);
    hall_check(&h);
    cr_assert_str_eq(hall_alarm(&h, "readback.foreign"), "");
    hall_close(&h);
}

/* What happens while a round reads: before GET of `name` is answered. */
struct happening {
    struct hall *hall;
    const char *name;
    uint64_t shown, published; /* 0: nothing is shown anew */
    bool is_heard;             /* the thread that looks has done so */
};

static void happen(const char *name, void *arg)
{
    const struct happening *x = arg;

    if (strcmp(name, x->name) != 0)
        return;
    if (x->shown > 0)
        hall_list(x->hall, x->hall->target_dir, "ca.crl", x->shown);
    hall_list(x->hall, x->hall->public_dir, "ca.crl", x->published);
    if (x->shown == 0)
        hall_copy(x->hall->public_dir, x->hall->target_dir, "ca.crl");
    if (x->is_heard)
        shelf_look(x->hall->shelf);
}

Test(watch_readback, a_list_that_is_published_while_others_are_read_is_no_fault)
{
    static const struct happening cases[] = {
        {.name = "a.crl", .published = 6},
        {.name = "ca.crl", .published = 6},
        {.name = "ca.crl", .published = 6, .is_heard = true},
        {.name = "ca.crl", .shown = 6, .published = 7}, /* it was replaced once more, behind what was read */
        {.name = "ca.crl", .shown = 6, .published = 7, .is_heard = true},
    };
    static struct hall h;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stand *s = open_stand(&h);
        struct happening x = cases[i];

        x.hall = &h;
        stand_before(s, happen, &x);
        assert_good(&h);
        stand_before(s, NULL, NULL);
        shelf_look(h.shelf);
        hall_copy(h.public_dir, h.target_dir, "ca.crl");
        assert_good(&h);
        hall_close(&h);
    }
}

Test(watch_readback, a_list_beyond_what_is_published_is_foreign)
{
    static const struct happening cases[] = {
        {.name = "none", .published = 6},
        {.name = "ca.crl",
         .shown = 9,
         .published = 6}, /* nor does it help that another was published meanwhile */
        {.name = "ca.crl", .shown = 9, .published = 6, .is_heard = true},
    };
    static struct hall h;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stand *s = open_stand(&h);
        struct happening x = cases[i];

        x.hall = &h;
        stand_before(s, happen, &x);
        hall_list(&h, h.target_dir, "ca.crl", 9);
        hall_check(&h);
        hall_expect_alarm(&h, "readback.foreign",
                          "ca.crl: what clients get: its number is beyond what is published");
        hall_close(&h);
    }
}

Test(watch_readback, a_list_with_the_number_of_another_is_foreign)
{
    static struct hall h;

    open_stand(&h);
    hall_list(&h, h.target_dir, "ca.crl", 5);
    hall_check(&h);
    hall_expect_alarm(&h, "readback.foreign", "ca.crl: what clients get: it has the number of another list");
    hall_close(&h);
}

Test(watch_readback, a_long_list_that_a_short_one_followed_is_old_and_no_list_too_long)
{
    static struct hall h;

    open_stand(&h);
    hall_long_list(&h, h.public_dir, "ca.crl", 6, 800000);
    hall_copy(h.public_dir, h.target_dir, "ca.crl");
    shelf_look(h.shelf);
    assert_good(&h);
    hall_list(&h, h.public_dir, "ca.crl", 7);
    shelf_look(h.shelf);
    hall_check(&h);
    hall_expect_alarm(&h, "readback.stale", "ca.crl: clients get number 6");
    cr_assert_str_eq(hall_alarm(&h, "readback.failed"), "");
    hall_close(&h);
}

Test(watch_readback, a_list_longer_than_any_there_was_is_not_read_to_its_end)
{
    static struct hall h;

    open_stand(&h);
    hall_long_list(&h, h.target_dir, "ca.crl", 4, 800000);
    hall_check(&h);
    hall_expect_alarm(&h, "readback.failed", "/ca.crl: the answer is larger than it can be");
    hall_close(&h);
}
