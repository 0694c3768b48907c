/* SPDX-License-Identifier: Apache-2.0 */
/* follow: two lists of alarms, that of the last look and that of this one. */
#include "watch/follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define STANDING_MAX (16u * ALARMS_MAX) /* more roles than there are */

struct standing {
    size_t count;
    struct alarm_shown alarms[STANDING_MAX];
};

struct follow {
    const struct board *const *boards;
    size_t board_count;
    const struct alarm_sink *sinks;
    size_t sink_count;
    struct standing *before, *now;
};

struct follow *follow_new(const struct board *const *boards, size_t board_count,
                          const struct alarm_sink *sinks, size_t sink_count)
{
    struct follow *f = xcalloc(1, sizeof *f);

    *f = (struct follow){.boards = boards,
                         .board_count = board_count,
                         .sinks = sinks,
                         .sink_count = sink_count,
                         .before = xcalloc(1, sizeof *f->before),
                         .now = xcalloc(1, sizeof *f->now)};
    return f;
}

void follow_free(struct follow *f)
{
    if (f == NULL)
        return;
    free(f->before);
    free(f->now);
    free(f);
}

static bool note(const struct alarm_shown *a, void *arg)
{
    struct standing *s = arg;

    if (s->count < STANDING_MAX)
        s->alarms[s->count++] = *a;
    return s->count < STANDING_MAX;
}

/* The one of the same code and subject; NULL: none. */
static const struct alarm_shown *find(const struct standing *s, const struct alarm_shown *a)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->alarms[i].code, a->code) == 0 && strcmp(s->alarms[i].subject, a->subject) == 0)
            return &s->alarms[i];
    return NULL;
}

static void tell(const struct follow *f, const struct alarm_shown *a, bool is_over, int64_t now_s)
{
    struct alarm_event e = {.is_over = is_over, .at_s = now_s, .alarm = *a};

    for (size_t i = 0; i < f->sink_count; i++)
        f->sinks[i].tell(&e, f->sinks[i].arg);
}

void follow_turn(struct follow *f, int64_t now_s)
{
    struct standing *before = f->before, *now = f->now;

    now->count = 0;
    for (size_t i = 0; i < f->board_count; i++)
        if (f->boards[i] != NULL)
            board_each_alarm(f->boards[i], note, now);
    for (size_t i = 0; i < now->count; i++) {
        const struct alarm_shown *known = find(before, &now->alarms[i]);

        if (known == NULL || known->level != now->alarms[i].level)
            tell(f, &now->alarms[i], false, now_s);
    }
    for (size_t i = 0; i < before->count; i++)
        if (find(now, &before->alarms[i]) == NULL)
            tell(f, &before->alarms[i], true, now_s);
    f->before = now;
    f->now = before;
}
