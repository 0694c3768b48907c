/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "api/figures.h"

static struct board *boards[2];

static void setup(void)
{
    for (size_t i = 0; i < 2; i++)
        boards[i] = board_new();
}

static void teardown(void)
{
    for (size_t i = 0; i < 2; i++)
        board_close(boards[i]);
}

TestSuite(figures, .init = setup, .fini = teardown);

static void assert_shown(const char *want)
{
    const struct board *read[] = {boards[0], NULL, boards[1]};
    struct buf b;

    buf_init(&b, FIGURES_TEXT_MAX);
    figures_put(&b, read, 3);
    buf_put_u8(&b, 0);
    cr_assert_eq(buf_end(&b), OK);
    cr_assert_str_eq((const char *)b.data, want);
    buf_free(&b);
}

static void add(size_t board, enum figure_kind kind, const char *family, const char *labels, uint64_t n)
{
    figure_add(board_figure(boards[board], kind, family, labels, "Help."), n);
}

Test(figures, the_lines_of_a_family_stand_together_whoever_posted_them)
{
    add(0, FIGURE_COUNTER, "runs_total", "issuer=\"a\"", 1);
    add(0, FIGURE_GAUGE, "age_seconds", "", 2);
    add(1, FIGURE_COUNTER, "runs_total", "issuer=\"b\"", 3);
    alarm_raise(boards[1], ALARM_CRITICAL, "disk.full", "store", "full");
    assert_shown("# HELP chancery_runs_total Help.\n# TYPE chancery_runs_total counter\n"
                 "chancery_runs_total{issuer=\"a\"} 1\nchancery_runs_total{issuer=\"b\"} 3\n"
                 "# HELP chancery_age_seconds Help.\n# TYPE chancery_age_seconds gauge\n"
                 "chancery_age_seconds 2\n"
                 "# HELP chancery_alarm Alarms that stand: 1 warning, 2 critical.\n"
                 "# TYPE chancery_alarm gauge\n"
                 "chancery_alarm{code=\"disk.full\",subject=\"store\"} 2\n");
}

Test(figures, a_histogram_is_one_family_and_each_bucket_has_the_lower_ones)
{
    add(0, FIGURE_HISTOGRAM, "time", "le=\"50\"", 2);
    add(0, FIGURE_HISTOGRAM, "time", "le=\"100\"", 0);
    add(0, FIGURE_HISTOGRAM, "time", "le=\"+Inf\"", 3);
    add(0, FIGURE_HISTOGRAM, "time", "", 700);
    assert_shown("# HELP chancery_time Help.\n# TYPE chancery_time histogram\n"
                 "chancery_time_bucket{le=\"50\"} 2\nchancery_time_bucket{le=\"100\"} 2\n"
                 "chancery_time_bucket{le=\"+Inf\"} 5\nchancery_time_sum 700\nchancery_time_count 5\n"
                 "# HELP chancery_alarm Alarms that stand: 1 warning, 2 critical.\n"
                 "# TYPE chancery_alarm gauge\n");
}
