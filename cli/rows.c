/* SPDX-License-Identifier: Apache-2.0 */
/* rows: a list in the format asked for. Tables, CSV and JSON lines come out page by page, so that a list of a
 * million needs the memory of one page; JSON is one document and has to be whole. */
#include "cli/inner.h"

void rows_open(struct rows *r, struct cli *c, const struct column *table_columns, size_t table_count,
               const struct column *csv_columns, size_t csv_count)
{
    *r = (struct rows){.cli = c, .csv_columns = csv_columns, .csv_count = csv_count};
    grid_open(&r->grid, table_columns, table_count);
    if (c->format == FORMAT_JSON)
        r->items = js_array();
}

/* Late, so that a command that fails at once writes nothing. */
static void write_csv_header(struct rows *r)
{
    if (r->cli->format == FORMAT_CSV && !r->has_csv_header)
        csv_header(r->cli, r->csv_columns, r->csv_count);
    r->has_csv_header = true;
}

void rows_add(struct rows *r, const struct js *row)
{
    r->count++;
    switch (r->cli->format) {
    case FORMAT_JSON:
        js_push(r->items, js_copy(row));
        break;
    case FORMAT_JSONL:
        out_json(r->cli, row);
        break;
    case FORMAT_CSV:
        write_csv_header(r);
        csv_row(r->cli, r->csv_columns, r->csv_count, row);
        break;
    default:
        grid_add(&r->grid, row);
    }
}

void rows_page(struct rows *r)
{
    write_csv_header(r);
    if (r->cli->format == FORMAT_TABLE)
        grid_write(&r->grid, r->cli);
}

void rows_close(struct rows *r, const char *cursor)
{
    struct js *list;

    if (r->items != NULL) {
        list = js_object();
        js_set(list, "items", r->items);
        js_set_str(list, "next", cursor);
        out_json(r->cli, list);
        js_free(list);
        r->items = NULL;
    }
    if (cursor != NULL)
        cli_note(r->cli, "more follow: --after %s", cursor);
    rows_abort(r);
}

void rows_abort(struct rows *r)
{
    js_free(r->items);
    r->items = NULL;
    grid_close(&r->grid);
}

int show_row(struct cli *c, const struct js *v, const struct column *csv_columns, size_t csv_count)
{
    if (c->format != FORMAT_CSV)
        return show_write(c, v);
    csv_header(c, csv_columns, csv_count);
    csv_row(c, csv_columns, csv_count, v);
    return DONE;
}

int list_write(struct cli *c, const char *path, const struct column *table_columns, size_t table_count,
               const struct column *csv_columns, size_t csv_count)
{
    struct js *list = NULL;
    int code = service_get(c, path, &list);
    const struct js *items = js_get(list, "items");
    struct rows rows;

    rows_open(&rows, c, table_columns, table_count, csv_columns, csv_count);
    for (size_t i = 0; i < js_len(items); i++)
        rows_add(&rows, js_at(items, i));
    if (code == DONE) {
        rows_page(&rows);
        rows_close(&rows, NULL);
    } else {
        rows_abort(&rows);
    }
    js_free(list);
    return code;
}
