/* SPDX-License-Identifier: Apache-2.0 */
/* Does a board show to its readers what its role posted, and nothing they could break it with? */
#include "base/board_inner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

static struct board *board;
static const struct board *seen;
static int write_fd, read_fd;

static void setup(void)
{
    struct fault f = {0};

    cr_assert_eq(board_make(&write_fd, &read_fd, &f), OK);
    cr_assert_eq(board_open(write_fd, &board, &f), OK);
    cr_assert_eq(board_open_read(read_fd, &seen, &f), OK);
}

static void teardown(void)
{
    board_close(board);
    board_close(seen);
    close(write_fd);
    close(read_fd);
}

TestSuite(board, .init = setup, .fini = teardown, .timeout = 60);

struct all {
    struct figure_shown figures[FIGURES_MAX];
    struct alarm_shown alarms[ALARMS_MAX];
    size_t figure_count, alarm_count;
};

static bool take_figure(const struct figure_shown *f, void *arg)
{
    struct all *a = arg;

    a->figures[a->figure_count++] = *f;
    return true;
}

static bool take_alarm(const struct alarm_shown *s, void *arg)
{
    struct all *a = arg;

    a->alarms[a->alarm_count++] = *s;
    return true;
}

static struct all look(void)
{
    struct all a = {0};

    board_each_figure(seen, take_figure, &a);
    board_each_alarm(seen, take_alarm, &a);
    return a;
}

Test(board, figures_are_seen_by_a_reader_as_they_change)
{
    struct figure *good = board_figure(board, FIGURE_COUNTER, "answers_total", "status=\"good\"", "Answers.");
    struct figure *age = board_figure(board, FIGURE_GAUGE, "age_seconds", "", "Age.");

    figure_add(good, 2);
    figure_add(board_figure(board, FIGURE_COUNTER, "answers_total", "status=\"good\"", "Answers."), 3);
    figure_set(age, -7);

    struct all a = look();
    cr_assert_eq(a.figure_count, 2, "the same series twice is one");
    cr_assert_str_eq(a.figures[0].family, "answers_total");
    cr_assert_str_eq(a.figures[0].labels, "status=\"good\"");
    cr_assert_eq(a.figures[0].value, 5);
    cr_assert_eq(a.figures[1].kind, FIGURE_GAUGE);
    cr_assert_eq(a.figures[1].value, -7);
}

Test(board, a_full_board_counts_no_more_and_breaks_nothing)
{
    char labels[LABELS_MAX];

    for (unsigned i = 0; i < FIGURES_MAX + 10; i++) {
        snprintf(labels, sizeof labels, "n=\"%u\"", i);
        figure_add(board_figure(board, FIGURE_COUNTER, "many", labels, "Many."), 1);
    }
    cr_assert_eq(look().figure_count, FIGURES_MAX);
}

Test(board, without_a_board_figures_and_alarms_are_nobodys)
{
    figure_add(board_figure(NULL, FIGURE_COUNTER, "x", "", "X."), 1);
    alarm_raise(NULL, ALARM_WARNING, "x", "y", "z");
    alarm_clear(NULL, "x", "y");
    cr_assert_eq(look().figure_count, 0);
}

Test(board, an_alarm_stands_until_it_is_cleared)
{
    alarm_raise(board, ALARM_WARNING, "crl.late", "rsa-g1", "by %d s", 5);
    alarm_raise(board, ALARM_CRITICAL, "crl.late", "rsa-g1", "by %d s", 500);
    alarm_raise(board, ALARM_WARNING, "crl.late", "ec-g1", "by 1 s");

    struct all a = look();
    cr_assert_eq(a.alarm_count, 2, "the same code and subject twice is one");
    cr_assert_eq(a.alarms[0].level, ALARM_CRITICAL);
    cr_assert_str_eq(a.alarms[0].detail, "by 500 s");
    alarm_clear(board, "crl.late", "rsa-g1");
    alarm_clear(board, "crl.late", "never-raised");
    a = look();
    cr_assert_eq(a.alarm_count, 1);
    cr_assert_str_eq(a.alarms[0].subject, "ec-g1");
}

Test(board, long_texts_are_cut)
{
    char big[1000];

    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    alarm_raise(board, ALARM_WARNING, big, big, "%s", big);
    alarm_raise(board, ALARM_WARNING, big, big, "%s", big);

    struct all a = look();
    cr_assert_eq(a.alarm_count, 1, "found again though it was cut");
    cr_assert_eq(strlen(a.alarms[0].subject), ALARM_SUBJECT_MAX - 1);
    cr_assert_eq(strlen(a.alarms[0].detail), ALARM_DETAIL_MAX - 1);
    board_figure(board, FIGURE_COUNTER, big, big, big);
    board_figure(board, FIGURE_COUNTER, big, big, big);
    cr_assert_eq(look().figure_count, 1);
}

Test(board, a_time_that_no_text_can_say_is_none)
{
    static const struct {
        int64_t since_s, shown_s;
    } rows[] = {{CLOCK_MIN, CLOCK_MIN}, {CLOCK_MAX, CLOCK_MAX}, {CLOCK_MIN - 1, 0},
                {CLOCK_MAX + 1, 0},     {INT64_MIN, 0},         {INT64_MAX, 0}};

    alarm_raise(board, ALARM_WARNING, "crl.late", "rsa-g1", "by 5 s");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        board->alarms[0].since_s = rows[i].since_s;
        cr_assert_eq(look().alarms[0].since_s, rows[i].shown_s, "%zu", i);
    }
}

Test(board, a_reader_cannot_write)
{
    struct board *stolen;
    struct fault f = {0};

    cr_assert_eq(board_open(read_fd, &stolen, &f), ERR_IO);
    cr_assert_eq(mprotect((void *)((uintptr_t)seen), 4096, PROT_READ | PROT_WRITE), -1);
    cr_assert_eq(ftruncate(write_fd, 0), -1, "nor may anyone cut it short under a reader");
}
