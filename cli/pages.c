/* SPDX-License-Identifier: Apache-2.0 */
/* pages: a list of any length behind --limit and --after: one page after another until there are enough. */
#include <string.h>

#include "cli/inner.h"

#define ROWS_DEFAULT 100

int pages_read(struct cli *c, struct pages *p)
{
    const char *limit = cli_option(c, OPT_LIMIT), *after = cli_option(c, OPT_AFTER);

    *p = (struct pages){.limit = ROWS_DEFAULT};
    if (limit != NULL && !number_parse(limit, 0, INT64_MAX, &p->limit))
        return cli_misuse(c, "--limit %s: a number, 0 for all", limit);
    if (after != NULL && !span_to_str(span_str(after), p->cursor, sizeof p->cursor))
        return cli_misuse(c, "--after: not a cursor of this service");
    return DONE;
}

/* How many rows the next page should hold. */
static int64_t page_size(const struct pages *p)
{
    int64_t left = p->limit - p->shown;

    return p->limit == 0 || left > (int64_t)LIST_LIMIT_MAX ? (int64_t)LIST_LIMIT_MAX : left;
}

/* Remembers where to go on: DONE with an empty cursor at the end. A cursor that stands still would never end.
 */
static int take_cursor(struct cli *c, struct pages *p, const struct js *page)
{
    const char *next = js_str(js_get(page, "next"));

    if (next == NULL) {
        p->cursor[0] = '\0';
        return DONE;
    }
    if (strcmp(next, p->cursor) == 0 || !span_to_str(span_str(next), p->cursor, sizeof p->cursor))
        return cli_fail(c, SERVICE_FAILED, "the service gave a cursor that leads nowhere");
    return DONE;
}

static int fetch_page(struct cli *c, struct pages *p, const char *prefix, pages_filters *put, const void *arg)
{
    struct js *page = NULL;
    const struct js *items;
    struct buf path;
    char count[24];
    int code;

    path_begin(&path, prefix);
    put(c, arg, &path);
    snprintf(count, sizeof count, "%lld", (long long)page_size(p));
    fetch_query(&path, "limit", count);
    fetch_query(&path, "after", p->cursor[0] != '\0' ? p->cursor : NULL);
    code = service_get(c, path_end(&path), &page);
    items = js_get(page, "items");
    for (size_t i = 0; i < js_len(items); i++)
        rows_add(&p->rows, js_at(items, i));
    p->shown += (int64_t)js_len(items);
    if (code == DONE) {
        rows_page(&p->rows);
        code = take_cursor(c, p, page);
    }
    js_free(page);
    buf_free(&path);
    return code;
}

int pages_write(struct cli *c, struct pages *p, const char *prefix, pages_filters *put, const void *arg)
{
    int code;

    do {
        code = fetch_page(c, p, prefix, put, arg);
    } while (code == DONE && p->cursor[0] != '\0' && (p->limit == 0 || p->shown < p->limit));
    if (code == DONE)
        rows_close(&p->rows, p->cursor[0] != '\0' ? p->cursor : NULL);
    else
        rows_abort(&p->rows);
    return code;
}
