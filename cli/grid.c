/* SPDX-License-Identifier: Apache-2.0 */
/* grid: the table for people: aligned columns, two blanks between, none at the end of a line. Wide tables are
 * cut on a terminal alone, and only in columns that say they are elastic: a serial is never cut. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/inner.h"

#define CELL_MAX (1u << 20) /* octets of one cell: a thousand SANs of 253 characters are a quarter of it */
#define ELASTIC_MIN 12u     /* columns that a cut cell keeps: less says nothing */
#define GAP 2u

static const char empty_cell[] = "-";
static const char ellipsis[] = "\xe2\x80\xa6"; /* U+2026 */

void grid_open(struct grid *t, const struct column *columns, size_t n)
{
    assert(n > 0 && n <= COLUMNS_MAX);
    *t = (struct grid){.columns = columns, .column_count = n};
    for (size_t i = 0; i < n; i++)
        t->width[i] = strlen(columns[i].title);
}

static char *cell_text(const struct js *row, const char *path)
{
    struct buf raw, safe;

    buf_init(&raw, CELL_MAX);
    buf_init(&safe, CELL_MAX);
    cell_put(&raw, cell_find(row, path), ", ");
    text_put(&safe, buf_span(&raw));
    if (buf_end(&raw) != OK || buf_end(&safe) != OK || safe.len == 0) {
        buf_reset(&safe);
        buf_put_str(&safe, raw.len > 0 ? ellipsis : empty_cell);
    }
    buf_free(&raw);
    return (char *)buf_take(&safe, NULL);
}

void grid_add(struct grid *t, const struct js *row)
{
    char **cells;

    if (t->row_count == t->row_cap) {
        t->row_cap = t->row_cap > 0 ? 2 * t->row_cap : 64;
        t->cells = reallocarray(t->cells, t->row_cap * t->column_count, sizeof *t->cells);
        if (t->cells == NULL)
            die("out of memory");
    }
    cells = t->cells + t->row_count++ * t->column_count;
    for (size_t i = 0; i < t->column_count; i++) {
        size_t width;

        cells[i] = cell_text(row, t->columns[i].path);
        width = text_width(span_str(cells[i]));
        if (width > t->width[i])
            t->width[i] = width;
    }
}

/* Takes what the terminal lacks from the elastic columns, the last first. */
static void fit(const struct grid *t, size_t terminal, size_t out[static COLUMNS_MAX])
{
    size_t total = GAP * (t->column_count - 1);

    for (size_t i = 0; i < t->column_count; i++) {
        out[i] = t->width[i];
        total += out[i];
    }
    for (size_t i = t->column_count; i-- > 0 && terminal > 0 && total > terminal;) {
        size_t least = strlen(t->columns[i].title) > ELASTIC_MIN ? strlen(t->columns[i].title) : ELASTIC_MIN;
        size_t room = out[i] > least ? out[i] - least : 0;
        size_t cut = total - terminal < room ? total - terminal : room;

        if ((t->columns[i].flags & COLUMN_ELASTIC) == 0)
            continue;
        out[i] -= cut;
        total -= cut;
    }
}

static void write_cell(struct cli *c, const char *text, size_t width, const char *color, bool is_last)
{
    struct span all = span_str(text), shown = all;
    const char *tail = "";
    size_t used;

    if (text_width(all) > width) {
        shown = text_cut(all, width - 1);
        tail = ellipsis;
    }
    used = text_width(shown) + (tail[0] != '\0' ? 1 : 0);
    fprintf(c->io.out, "%s%.*s%s%s", color, (int)shown.len, (const char *)shown.data, tail,
            color[0] != '\0' ? "\x1b[0m" : "");
    if (!is_last)
        fprintf(c->io.out, "%*s", (int)(width - used + GAP), "");
}

static void write_header(const struct grid *t, struct cli *c, const size_t *widths)
{
    for (size_t i = 0; i < t->column_count; i++) {
        char title[64];
        size_t len = 0;

        for (const char *s = t->columns[i].title; *s != '\0' && len + 1 < sizeof title; s++)
            title[len++] = (char)toupper((unsigned char)*s);
        title[len] = '\0';
        write_cell(c, title, widths[i], c->out_color ? "\x1b[1m" : "", i + 1 == t->column_count);
    }
    fputc('\n', c->io.out);
}

static void forget_rows(struct grid *t)
{
    for (size_t i = 0; i < t->row_count * t->column_count; i++)
        free(t->cells[i]);
    t->row_count = 0;
}

void grid_write(struct grid *t, struct cli *c)
{
    size_t widths[COLUMNS_MAX];

    fit(t, c->io.out_is_terminal ? c->io.width : 0, widths);
    if (!t->has_header)
        write_header(t, c, widths);
    t->has_header = true;
    for (size_t r = 0; r < t->row_count; r++) {
        for (size_t i = 0; i < t->column_count; i++) {
            const char *text = t->cells[r * t->column_count + i];
            bool is_painted = c->out_color && (t->columns[i].flags & COLUMN_STATUS) != 0;

            write_cell(c, text, widths[i], is_painted ? text_color(text) : "", i + 1 == t->column_count);
        }
        fputc('\n', c->io.out);
    }
    forget_rows(t);
}

void grid_close(struct grid *t)
{
    forget_rows(t);
    free(t->cells);
    *t = (struct grid){0};
}
