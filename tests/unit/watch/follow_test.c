/* SPDX-License-Identifier: Apache-2.0 */
/* Is every alarm of every board told once when it comes, once when it worsens and once when it is over? */
#include "watch/follow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch/history.h"

#define NOW INT64_C(1780000000)

static void write_text(const struct alarm_event *e, void *arg)
{
    char *text = arg;
    size_t len = strlen(text);

    snprintf(text + len, 1000 - len, "%s%d %s %.60s;", e->is_over ? "-" : "+", (int)e->alarm.level,
             e->alarm.code, e->alarm.subject);
}

Test(watch_follow, what_comes_worsens_and_goes_is_told_once)
{
    char text[1000] = "";
    struct board *a = board_new(), *b = board_new();
    const struct board *boards[] = {a, NULL, b};
    const struct alarm_sink sinks[] = {{write_text, text}};
    struct follow *f = follow_new(boards, 3, sinks, 1);

    follow_turn(f, NOW);
    cr_assert_str_eq(text, "");
    alarm_raise(a, ALARM_WARNING, "crl.late", "x", "late");
    alarm_raise(b, ALARM_CRITICAL, "target.failing", "y", "no");
    follow_turn(f, NOW);
    follow_turn(f, NOW);
    cr_assert_str_eq(text, "+1 crl.late x;+2 target.failing y;");
    text[0] = '\0';
    alarm_raise(a, ALARM_CRITICAL, "crl.late", "x", "later");
    alarm_raise(b, ALARM_CRITICAL, "target.failing", "y", "other words");
    follow_turn(f, NOW);
    cr_assert_str_eq(text, "+2 crl.late x;");
    text[0] = '\0';
    alarm_clear(a, "crl.late", "x");
    follow_turn(f, NOW);
    follow_turn(f, NOW);
    cr_assert_str_eq(text, "-2 crl.late x;");
    follow_free(f);
    board_close(a);
    board_close(b);
}

static struct alarm_event event(const char *detail)
{
    struct alarm_event e = {.at_s = NOW, .alarm = {.level = ALARM_WARNING, .since_s = NOW - 60}};

    strcpy(e.alarm.code, "target.failing");
    strcpy(e.alarm.subject, "web");
    snprintf(e.alarm.detail, sizeof e.alarm.detail, "%s", detail);
    return e;
}

Test(watch_history, an_event_is_a_line_and_a_full_file_is_put_aside)
{
    char dir[] = "/tmp/chancery-history-XXXXXX", command[128];
    struct alarm_event e = event("it answers \"500\"\n");
    struct history h;
    struct buf b;

    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(history_open(&h, dir, NULL), OK);
    history_start(&h, NOW);
    history_tell(&e, &h);
    e.is_over = true;
    history_tell(&e, &h);
    buf_init(&b, 2 * HISTORY_MAX);
    cr_assert_eq(file_read(h.path, &b, NULL), OK);
    buf_put_u8(&b, 0);
    cr_assert_str_eq(
        (char *)b.data,
        "{\"at\":\"2026-05-28T20:26:40Z\",\"event\":\"start\"}\n"
        "{\"at\":\"2026-05-28T20:26:40Z\",\"event\":\"raised\",\"level\":\"warning\",\"code\":\"target."
        "failing\",\"subject\":\"web\",\"detail\":\"it answers \\\"500\\\"\\n\",\"since\":\"2026-05-28T20:"
        "25:40Z\"}\n"
        "{\"at\":\"2026-05-28T20:26:40Z\",\"event\":\"over\",\"level\":\"warning\",\"code\":\"target."
        "failing\",\"subject\":\"web\",\"detail\":\"it answers \\\"500\\\"\\n\",\"since\":\"2026-05-28T20:"
        "25:40Z\"}\n");
    for (unsigned i = 0; i < HISTORY_MAX / 150; i++)
        history_tell(&e, &h);
    buf_reset(&b);
    cr_assert_eq(file_read(h.older, &b, NULL), OK);
    cr_assert_geq(b.len, HISTORY_MAX);
    cr_assert_eq(b.data[b.len - 1], '\n');
    buf_free(&b);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
    history_tell(&e, &h); /* a place that is gone is one line in the log */
    history_tell(&e, &h);
    cr_assert(h.is_told);
}
