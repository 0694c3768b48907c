/* SPDX-License-Identifier: Apache-2.0 */
/* Is exactly what is published found, again when it was replaced, and is what is late or foreign an alarm? */
#include "watch/shelf.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/watch/hall.h"
#include "watch/late.h"

static void put_crl(struct hall *h, const char *name, uint64_t number, int64_t next_s)
{
    struct span der = press_crl(
        &h->press, &(struct sheet){.number = number, .this_update_s = PRESS_NOW, .next_update_s = next_s});

    hall_put(h->public_dir, name, der);
    free((void *)der.data);
}

static bool keep_alarm(const struct alarm_shown *a, void *arg)
{
    snprintf(arg, 512, "%d %s %s: %s", (int)a->level, a->code, a->subject, a->detail);
    return false;
}

/* The alarm that stands, "" when none does. */
static const char *alarm_after_look(struct hall *h, int64_t now_s, bool is_settled)
{
    static char text[512];
    struct late l = {.config = &h->config, .bell = h->bell, .now_s = now_s, .is_settled = is_settled};
    struct shelf_item *items;
    uint64_t turn;

    shelf_look(h->shelf);
    items = shelf_copy(h->shelf, &l.count, &turn);
    l.items = items;
    late_check(&l);
    free(items);
    text[0] = '\0';
    board_each_alarm(h->board, keep_alarm, text);
    return text;
}

Test(watch_shelf, lists_are_found_and_drafts_and_predecessors_are_not)
{
    struct shelf_item *items, one;
    static struct hall h;
    size_t count;
    uint64_t turn;

    hall_open(&h);
    put_crl(&h, "ca.crl", 5, PRESS_NOW + 86400);
    put_crl(&h, "ca-delta.crl", 6, PRESS_NOW + 3600);
    put_crl(&h, "ca.previous.crl", 4, PRESS_NOW + 3600);
    put_crl(&h, "ca.crl.~a1b2c3", 7, PRESS_NOW + 3600);
    put_crl(&h, ".hidden.crl", 7, PRESS_NOW + 3600);
    hall_put(h.public_dir, "notes.txt", span_str("x"));
    cr_assert(shelf_look(h.shelf));
    items = shelf_copy(h.shelf, &count, &turn);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(items[0].name, "ca-delta.crl");
    cr_assert_str_eq(items[1].name, "ca.crl");
    cr_assert_eq(items[1].number, 5);
    cr_assert_null(items[1].fault);
    free(items);
    cr_assert(!shelf_look(h.shelf), "nothing is new");
    put_crl(&h, "ca.crl", 8, PRESS_NOW + 86400);
    cr_assert(shelf_look(h.shelf));
    cr_assert(shelf_find(h.shelf, "ca.crl", &one));
    cr_assert_eq(one.number, 8);
    cr_assert(!shelf_find(h.shelf, "other.crl", &one));
    hall_close(&h);
}

Test(watch_shelf, more_lists_than_it_holds_are_an_alarm)
{
    static struct hall h;
    char name[32];
    size_t count;
    uint64_t turn;

    hall_open(&h);
    for (unsigned i = 0; i <= SHELF_MAX; i++) {
        int fd;
        char path[PATH_LEN_MAX];

        snprintf(name, sizeof name, "ca-%u.crl", i);
        cr_assert_eq(path_join(path, h.public_dir, name, NULL), OK);
        fd = creat(path, 0644);
        cr_assert_geq(fd, 0);
        close(fd);
    }
    shelf_look(h.shelf);
    free(shelf_copy(h.shelf, &count, &turn));
    cr_assert_eq(count, SHELF_MAX);
    cr_assert_not_null(strstr(hall_alarm(&h, "watch.public"), "more than 8192"));
    cr_assert_eq(path_join(h.target_dir, h.public_dir, "ca-7.crl", NULL), OK);
    cr_assert_eq(unlink(h.target_dir), 0);
    shelf_look(h.shelf);
    cr_assert_str_eq(hall_alarm(&h, "watch.public"), "");
    hall_close(&h);
}

Test(watch_shelf, a_peek_sees_what_no_look_has_found_and_leaves_the_shelf_as_it_is)
{
    struct shelf_item one;
    static struct hall h;

    hall_open(&h);
    put_crl(&h, "ca.crl", 5, PRESS_NOW + 86400);
    cr_assert(shelf_peek(h.shelf, "ca.crl", &one), "the shelf knows nothing yet");
    cr_assert_eq(one.number, 5);
    cr_assert(shelf_look(h.shelf));
    put_crl(&h, "ca.crl", 6, PRESS_NOW + 86400);
    cr_assert(shelf_peek(h.shelf, "ca.crl", &one));
    cr_assert_eq(one.number, 6);
    cr_assert_null(one.fault);
    cr_assert(shelf_find(h.shelf, "ca.crl", &one));
    cr_assert_eq(one.number, 5);
    hall_put(h.public_dir, "ca.crl", span_str("x"));
    cr_assert(shelf_peek(h.shelf, "ca.crl", &one));
    cr_assert_not_null(one.fault);
    cr_assert(!shelf_peek(h.shelf, "other.crl", &one));
    hall_close(&h);
}

Test(watch_shelf, a_file_that_was_replaced_is_not_opened_as_the_one_it_was)
{
    struct shelf_item one;
    static struct hall h;
    int fd;

    hall_open(&h);
    put_crl(&h, "ca.crl", 5, PRESS_NOW + 86400);
    shelf_look(h.shelf);
    cr_assert(shelf_find(h.shelf, "ca.crl", &one));
    fd = shelf_open(h.shelf, &one);
    cr_assert(fd >= 0);
    close(fd);
    put_crl(&h, "ca.crl", 6, PRESS_NOW + 86400);
    cr_assert_eq(shelf_open(h.shelf, &one), -1);
    hall_close(&h);
}

Test(watch_late, a_list_is_late_before_it_is_over_and_the_alarm_ends_with_the_next)
{
    static struct hall h;

    hall_open(&h);
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW, false), "");
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW, true), "2 crl.overdue ca: no list is published");
    put_crl(&h, "ca.crl", 5, PRESS_NOW + 86400);
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW, true), "");
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW + 86400 - 3 * 3600, true), "");
    cr_assert(strncmp(alarm_after_look(&h, PRESS_NOW + 86400 - 3 * 3600 + 1, true),
                      "1 crl.overdue ca: ca.crl", 24) == 0);
    cr_assert(strncmp(alarm_after_look(&h, PRESS_NOW + 86400, true), "2 crl.overdue ca: ca.crl", 24) == 0);
    put_crl(&h, "ca.crl", 6, PRESS_NOW + 2 * 86400);
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW + 86400, true), "");
    hall_close(&h);
}

Test(watch_late, a_clock_that_jumps_a_year_is_late_and_back_again_is_not)
{
    static struct hall h;

    hall_open(&h);
    put_crl(&h, "ca.crl", 5, PRESS_NOW + 86400);
    cr_assert(strncmp(alarm_after_look(&h, PRESS_NOW + 365 * 86400, true), "2 crl.overdue", 13) == 0);
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW, true), "");
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW - 365 * 86400, true), "");
    hall_close(&h);
}

Test(watch_late, a_file_that_is_not_ours_is_an_alarm_until_it_is_gone)
{
    struct press stranger;
    struct span der;
    static struct hall h;

    hall_open(&h);
    put_crl(&h, "ca.crl", 5, PRESS_NOW + 86400);
    press_open(&stranger, "P-256", "Stranger");
    der = press_crl(
        &stranger, &(struct sheet){.number = 9, .this_update_s = PRESS_NOW, .next_update_s = PRESS_NOW + 99});
    hall_put(h.public_dir, "other.crl", der);
    cr_assert_not_null(
        strstr(alarm_after_look(&h, PRESS_NOW, true), "other.crl: its issuer is none of ours"));
    hall_put(h.public_dir, "other.crl", span_of(der.data, der.len / 2));
    cr_assert_not_null(strstr(alarm_after_look(&h, PRESS_NOW, true), "other.crl: it is no whole CRL"));
    put_crl(&h, "other.crl", 1, PRESS_NOW + 99);
    cr_assert_str_eq(alarm_after_look(&h, PRESS_NOW, true), "");
    free((void *)der.data);
    press_close(&stranger);
    hall_close(&h);
}
