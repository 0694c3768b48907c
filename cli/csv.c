/* SPDX-License-Identifier: Apache-2.0 */
/* csv: RFC 4180. A field is quoted when it holds a comma, a quote or a line end, and also when a spreadsheet
 * would take it for a formula: quoting does not stop every spreadsheet, and changing the value would be a lie
 * to every other reader. */
#include <string.h>

#include "cli/inner.h"

#define LINE_MAX_OCTETS (2u << 20) /* a row with a thousand SANs, each character quoted */

static bool wants_quotes(struct span field)
{
    if (field.len > 0 && (memchr("=+-@\t\r ", field.data[0], 7) != NULL || field.data[field.len - 1] == ' '))
        return true;
    for (size_t i = 0; i < field.len; i++)
        if (strchr("\",\r\n", field.data[i]) != NULL)
            return true;
    return false;
}

static void put_field(struct buf *line, struct span field)
{
    if (!wants_quotes(field)) {
        buf_put_span(line, field);
        return;
    }
    buf_put_u8(line, '"');
    for (size_t i = 0; i < field.len; i++) {
        if (field.data[i] == '"')
            buf_put_u8(line, '"');
        buf_put_u8(line, field.data[i]);
    }
    buf_put_u8(line, '"');
}

/* A file gets the octets as they are, a terminal what is safe to see. */
static void put_value(struct cli *c, struct buf *line, const struct js *v)
{
    struct buf raw, safe;

    buf_init(&raw, LINE_MAX_OCTETS);
    buf_init(&safe, LINE_MAX_OCTETS);
    cell_put(&raw, v, " ");
    if (c->io.out_is_terminal)
        text_put(&safe, buf_span(&raw));
    put_field(line, buf_span(c->io.out_is_terminal ? &safe : &raw));
    buf_free(&raw);
    buf_free(&safe);
}

static void write_line(struct cli *c, struct buf *line)
{
    buf_put_str(line, "\r\n");
    fwrite(line->data, 1, line->len, c->io.out);
    buf_free(line);
}

/* The path is the heading: "key.type" becomes key_type. */
void csv_header(struct cli *c, const struct column *columns, size_t n)
{
    struct buf line;

    buf_init(&line, LINE_MAX_OCTETS);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_put_u8(&line, ',');
        for (const char *s = columns[i].path; *s != '\0'; s++)
            buf_put_u8(&line, *s == '.' ? '_' : (uint8_t)*s);
    }
    write_line(c, &line);
}

void csv_row(struct cli *c, const struct column *columns, size_t n, const struct js *row)
{
    struct buf line;

    buf_init(&line, LINE_MAX_OCTETS);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_put_u8(&line, ',');
        put_value(c, &line, cell_find(row, columns[i].path));
    }
    write_line(c, &line);
}
