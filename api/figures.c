/* SPDX-License-Identifier: Apache-2.0 */
/* figures: what the roles have posted on their boards, in the Prometheus text format. */
#include "api/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void figures_head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP chancery_%s %s\n# TYPE chancery_%s %s\n", name, help, name, type);
}

/* The format wants the lines of a family together, and several roles may have some of one. */
struct posted {
    struct buf *out;
    const struct board *const *boards;
    size_t board_count;
    char family[FAMILY_MAX];
    enum figure_kind kind;              /* of that family */
    long long counted;                  /* of a histogram, in the buckets so far */
    char done[FIGURES_MAX][FAMILY_MAX]; /* families printed */
    size_t done_count;
};

static bool is_done(const struct posted *p, const char *family)
{
    for (size_t i = 0; i < p->done_count; i++)
        if (strcmp(p->done[i], family) == 0)
            return true;
    return false;
}

/* Buckets are shown with all that lies in the lower ones. */
static void put_histogram_line(struct posted *p, const struct figure_shown *f)
{
    if (f->labels[0] == '\0') {
        buf_printf(p->out, "chancery_%s_sum %lld\n", f->family, (long long)f->value);
        return;
    }
    p->counted += f->value;
    buf_printf(p->out, "chancery_%s_bucket{%s} %lld\n", f->family, f->labels, p->counted);
}

static bool put_line(const struct figure_shown *f, void *arg)
{
    struct posted *p = arg;
    const char *open = f->labels[0] == '\0' ? "" : "{", *close = f->labels[0] == '\0' ? "" : "}";

    if (strcmp(f->family, p->family) != 0)
        return true;
    if (p->kind == FIGURE_HISTOGRAM)
        put_histogram_line(p, f);
    else
        buf_printf(p->out, "chancery_%s%s%s%s %lld\n", f->family, open, f->labels, close,
                   (long long)f->value);
    return true;
}

static const char *type_of(enum figure_kind kind)
{
    return kind == FIGURE_GAUGE ? "gauge" : kind == FIGURE_HISTOGRAM ? "histogram" : "counter";
}

static bool put_posted_family(const struct figure_shown *f, void *arg)
{
    struct posted *p = arg;

    if (is_done(p, f->family) || p->done_count == FIGURES_MAX)
        return true;
    strcpy(p->done[p->done_count++], f->family);
    strcpy(p->family, f->family);
    p->kind = f->kind;
    p->counted = 0;
    figures_head(p->out, f->family, type_of(f->kind), f->help);
    for (size_t i = 0; i < p->board_count; i++)
        if (p->boards[i] != NULL)
            board_each_figure(p->boards[i], put_line, p);
    if (p->kind == FIGURE_HISTOGRAM)
        buf_printf(p->out, "chancery_%s_count %lld\n", p->family, p->counted);
    return true;
}

/* A label's value: what would end it, or the line, is left out. */
static void put_label(struct buf *b, const char *name, const char *value)
{
    buf_printf(b, "%s=\"", name);
    for (; *value != '\0'; value++)
        if (*value != '"' && *value != '\\' && *value != '\n')
            buf_put_u8(b, (uint8_t)*value);
    buf_printf(b, "\"");
}

static bool put_alarm(const struct alarm_shown *a, void *arg)
{
    struct buf *b = arg;

    buf_printf(b, "chancery_alarm{");
    put_label(b, "code", a->code);
    buf_printf(b, ",");
    put_label(b, "subject", a->subject);
    buf_printf(b, "} %d\n", (int)a->level);
    return true;
}

void figures_put(struct buf *b, const struct board *const *boards, size_t n)
{
    struct posted *p = xcalloc(1, sizeof *p);

    *p = (struct posted){.out = b, .boards = boards, .board_count = n};
    for (size_t i = 0; i < n; i++)
        if (boards[i] != NULL)
            board_each_figure(boards[i], put_posted_family, p);
    free(p);
    figures_head(b, "alarm", "gauge", "Alarms that stand: 1 warning, 2 critical.");
    for (size_t i = 0; i < n; i++)
        if (boards[i] != NULL)
            board_each_alarm(boards[i], put_alarm, b);
}
