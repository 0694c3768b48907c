/* SPDX-License-Identifier: Apache-2.0 */
/* checks: see the header. */
#include "api/checks.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

static const char *const level_names[] = {
    [LEVEL_OK] = "ok", [LEVEL_WARNING] = "warning", [LEVEL_CRITICAL] = "critical"};

void checks_begin(struct checks *k)
{
    *k = (struct checks){.items = js_array()};
}

void checks_add(struct checks *k, const char *kind, const char *id, enum level level, const char *fmt, ...)
{
    char name[ALARM_CODE_MAX + ALARM_SUBJECT_MAX], detail[ALARM_DETAIL_MAX + 64]; /* and a time */
    struct js *o = js_object();
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    snprintf(name, sizeof name, "%s%s%s", kind, id[0] == '\0' ? "" : ":", id);
    js_set_str(o, "name", name);
    js_set_str(o, "status", level_names[level]);
    js_set_str(o, "detail", detail);
    js_push(k->items, o);
    if (level > k->worst)
        k->worst = level;
}

void checks_add_end(struct checks *k, const char *kind, const char *id, int64_t end_s,
                    enum ending_state state)
{
    static const struct {
        enum level level;
        const char *word;
    } rows[] = {
        [ENDING_FAR] = {LEVEL_OK, "until"},
        [ENDING_SOON] = {LEVEL_WARNING, "ends"},
        [ENDING_OVER] = {LEVEL_CRITICAL, "ended"},
    };
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(end_s, text);
    checks_add(k, kind, id, rows[state].level, "%s %s", rows[state].word, text);
}

void checks_add_alarm(struct checks *k, const struct alarm_shown *a)
{
    char since[CLOCK_TEXT_MAX];

    clock_rfc3339(a->since_s, since);
    checks_add(k, a->code, a->subject, (enum level)a->level, "%s (since %s)", a->detail, since);
}

struct js *checks_end(struct checks *k)
{
    struct js *o = js_object();

    js_set_str(o, "status", level_names[k->worst]);
    js_set(o, "checks", k->items);
    k->items = NULL;
    return o;
}
