/* SPDX-License-Identifier: Apache-2.0 */
/* replay: `profile replay`: a page of stored requests at a time is held against a changed catalogue. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xml.h"
#include "cli/inner.h"

#define PAGE 200 /* requests at a time: what the service takes */
#define LIMIT_MAX 1000000000

static const struct column columns[] = {
    {"serial", "serial", 0},
    {"cn", "cn", COLUMN_ELASTIC},
    {"result", "result", COLUMN_STATUS},
    {"rules", "rules", COLUMN_ELASTIC},
    {"differences", "differences", COLUMN_ELASTIC},
};

struct replay_run {
    struct cli *cli;
    struct rows rows;
    struct buf catalogue;
    int64_t left, examined; /* left: -1: no limit */
    size_t refused;
    char *cursor; /* NULL: at the start, or at the end */
};

/* "days 825 -> 397": for people; JSON keeps the members apart. */
static struct js *differences_of(const struct js *changes)
{
    struct js *list = js_array();

    for (size_t i = 0; i < js_len(changes); i++) {
        const struct js *each = js_at(changes, i);
        struct buf text;

        buf_init(&text, 64 * 1024);
        cell_put(&text, js_get(each, "field"), ", ");
        buf_put_u8(&text, ' ');
        cell_put(&text, js_get(each, "before"), ", ");
        buf_put_str(&text, " -> ");
        cell_put(&text, js_get(each, "after"), ", ");
        js_push_span(list, buf_span(&text));
        buf_free(&text);
    }
    return list;
}

static void add_row(struct replay_run *r, const struct js *item)
{
    const char *result = js_str(js_get(item, "result"));
    struct js *row;

    if (result != NULL && strcmp(result, "refused") == 0)
        r->refused++;
    if (r->cli->format == FORMAT_JSON || r->cli->format == FORMAT_JSONL)
        return rows_add(&r->rows, item);
    row = js_copy(item);
    js_set(row, "differences", differences_of(js_get(item, "changes")));
    rows_add(&r->rows, row);
    js_free(row);
}

static int take_page(struct replay_run *r, const struct js *page)
{
    const char *next = js_str(js_get(page, "next"));
    int64_t examined = 0;

    if (!js_int(js_get(page, "examined"), &examined) || !js_is_array(js_get(page, "items")))
        return cli_fail(r->cli, SERVICE_FAILED, "the answer is no page of a replay");
    for (size_t i = 0; i < js_len(js_get(page, "items")); i++)
        add_row(r, js_at(js_get(page, "items"), i));
    r->examined += examined;
    if (r->left >= 0)
        r->left -= examined < r->left ? examined : r->left;
    free(r->cursor);
    r->cursor = next != NULL ? strdup(next) : NULL;
    rows_page(&r->rows);
    return DONE;
}

static int ask_page(struct replay_run *r)
{
    struct fetch_request q = {
        .method = "POST", .content_type = "application/xml", .body = buf_span(&r->catalogue)};
    struct js *page = NULL;
    char limit[24];
    struct buf path;
    int code;

    snprintf(limit, sizeof limit, "%" PRId64, r->left >= 0 && r->left < PAGE ? r->left : (int64_t)PAGE);
    path_begin(&path, "/api/v1/replay");
    fetch_query(&path, "profile", cli_argument(r->cli));
    fetch_query(&path, "limit", limit);
    fetch_query(&path, "after", r->cursor);
    q.path = path_end(&path);
    code = service_json(r->cli, &q, &page);
    if (code == DONE)
        code = take_page(r, page);
    js_free(page);
    buf_free(&path);
    return code;
}

static int replay_pages(struct replay_run *r)
{
    int code;

    do
        code = ask_page(r);
    while (code == DONE && r->cursor != NULL && r->left != 0);
    if (code != DONE) {
        rows_abort(&r->rows);
        return code;
    }
    cli_note(r->cli, "%" PRId64 " examined: %zu would be refused, %zu would come out differently",
             r->examined, r->refused, r->rows.count - r->refused);
    rows_close(&r->rows, NULL);
    return DONE;
}

int run_profile_replay(struct cli *c)
{
    struct replay_run r = {.cli = c, .left = -1};
    const char *limit = cli_option(c, OPT_LIMIT);
    int code;

    if (limit != NULL && !number_parse(limit, 1, LIMIT_MAX, &r.left))
        return cli_misuse(c, "--limit %s: a number from 1 to %d", limit, LIMIT_MAX);
    code = in_read(c, cli_option(c, OPT_AGAINST), XML_DOC_MAX, &r.catalogue);
    if (code == DONE) {
        rows_open(&r.rows, c, columns, COUNT_OF(columns), columns, COUNT_OF(columns));
        code = replay_pages(&r);
    }
    free(r.cursor);
    buf_free(&r.catalogue);
    return code;
}
