/* SPDX-License-Identifier: Apache-2.0 */
/* alarm: what stands on a board until it is over. A row is written under an odd turn, so that a reader that
 * sees the same even turn before and after has seen one state. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/board_inner.h"
#include "base/clock.h"
#include "base/log.h"

#define READ_TRIES 16 /* a row changes in microseconds and seldom */

static struct alarm *find(struct board *b, const char *code, const char *subject)
{
    for (size_t i = 0; i < ALARMS_MAX; i++)
        if (b->alarms[i].level != 0 && strncmp(b->alarms[i].code, code, ALARM_CODE_MAX - 1) == 0 &&
            strncmp(b->alarms[i].subject, subject, ALARM_SUBJECT_MAX - 1) == 0)
            return &b->alarms[i];
    return NULL;
}

static struct alarm *find_free(struct board *b)
{
    for (size_t i = 0; i < ALARMS_MAX; i++)
        if (b->alarms[i].level == 0)
            return &b->alarms[i];
    return NULL;
}

static void turn(struct alarm *a)
{
    atomic_fetch_add_explicit(&a->turn, 1, memory_order_acq_rel);
    atomic_thread_fence(memory_order_seq_cst);
}

static void say(enum alarm_level level, const char *code, const char *subject, const char *detail)
{
    if (level == ALARM_CRITICAL)
        log_error("alarm", "%s %s: %s", code, subject, detail);
    else
        log_warn("alarm", "%s %s: %s", code, subject, detail);
}

void alarm_raise(struct board *b, enum alarm_level level, const char *code, const char *subject,
                 const char *fmt, ...)
{
    struct alarm *a = b == NULL ? NULL : find(b, code, subject);
    char detail[ALARM_DETAIL_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    if (a == NULL || a->level != level)
        say(level, code, subject, detail);
    if (b == NULL)
        return;
    if (a == NULL && (a = find_free(b)) == NULL)
        return; /* the log has it */
    turn(a);
    if (a->level == 0)
        a->since_s = clock_now_s();
    a->level = level;
    board_text(a->code, code, ALARM_CODE_MAX);
    board_text(a->subject, subject, ALARM_SUBJECT_MAX);
    board_text(a->detail, detail, ALARM_DETAIL_MAX);
    turn(a);
}

void alarm_clear(struct board *b, const char *code, const char *subject)
{
    struct alarm *a = b == NULL ? NULL : find(b, code, subject);

    if (a == NULL)
        return;
    log_info("alarm-over", "%s %s, after %lld s", code, subject, (long long)(clock_now_s() - a->since_s));
    turn(a);
    a->level = 0;
    turn(a);
}

/* False when the row was being written each time it was looked at. */
static bool read_row(const struct alarm *a, struct alarm_shown *out)
{
    for (int i = 0; i < READ_TRIES; i++) {
        uint32_t before = atomic_load_explicit(&a->turn, memory_order_acquire);
        uint32_t level = atomic_load_explicit(&a->level, memory_order_relaxed); /* it may change any time */

        out->level = level > ALARM_CRITICAL ? ALARM_CRITICAL : level;
        out->since_s = a->since_s;
        board_text(out->code, a->code, ALARM_CODE_MAX);
        board_text(out->subject, a->subject, ALARM_SUBJECT_MAX);
        board_text(out->detail, a->detail, ALARM_DETAIL_MAX);
        atomic_thread_fence(memory_order_seq_cst);
        if (!clock_is_time(out->since_s))
            out->since_s = 0;
        if (before % 2 == 0 && before == atomic_load_explicit(&a->turn, memory_order_acquire))
            return true;
    }
    return false;
}

void board_each_alarm(const struct board *b, bool (*fn)(const struct alarm_shown *a, void *arg), void *arg)
{
    struct alarm_shown s;

    for (size_t i = 0; i < ALARMS_MAX; i++)
        if (read_row(&b->alarms[i], &s) && s.level != 0 && !fn(&s, arg))
            return;
}
