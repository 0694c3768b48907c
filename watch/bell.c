/* SPDX-License-Identifier: Apache-2.0 */
/* bell: one lock around a board. */
#include "watch/bell.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

struct bell {
    pthread_mutex_t lock;
    struct board *board;
};

struct bell *bell_new(struct board *b)
{
    struct bell *bell = xcalloc(1, sizeof *bell);

    pthread_mutex_init(&bell->lock, NULL);
    bell->board = b;
    return bell;
}

void bell_free(struct bell *b)
{
    pthread_mutex_destroy(&b->lock);
    free(b);
}

void bell_raise(struct bell *b, enum alarm_level level, const char *code, const char *subject,
                const char *fmt, ...)
{
    char detail[ALARM_DETAIL_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&b->lock);
    alarm_raise(b->board, level, code, subject, "%s", detail);
    pthread_mutex_unlock(&b->lock);
}

void bell_clear(struct bell *b, const char *code, const char *subject)
{
    pthread_mutex_lock(&b->lock);
    alarm_clear(b->board, code, subject);
    pthread_mutex_unlock(&b->lock);
}

struct figure *bell_figure(struct bell *b, enum figure_kind kind, const char *family, const char *target,
                           const char *help)
{
    char labels[LABELS_MAX] = "";
    struct figure *f;

    if (target[0] != '\0')
        snprintf(labels, sizeof labels, "target=\"%s\"", target);
    pthread_mutex_lock(&b->lock);
    f = board_figure(b->board, kind, family, labels, help);
    pthread_mutex_unlock(&b->lock);
    return f;
}
