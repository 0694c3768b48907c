/* SPDX-License-Identifier: Apache-2.0 */
/* cert_list: `cert list`: the filters as a query, and the pages behind one list. */
#include <string.h>

#include "base/clock.h"
#include "cli/inner.h"

#define ROWS_DEFAULT 100
#define CURSOR_TEXT_MAX 1024 /* octets with the NUL, of a cursor: ours are a hundred or so */
#define PATH_BASE "/api/v1/certificates"

static const struct column table_columns[] = {
    {"serial", "serial", 0},
    {"status", "status", COLUMN_STATUS},
    {"not after", "not_after", 0},
    {"issuer", "issuer", 0},
    {"key", "key", 0},
    {"profile", "profile", COLUMN_ELASTIC},
    {"cn", "cn", COLUMN_ELASTIC},
};

static const struct column csv_columns[] = {
    {"", "serial", 0},
    {"", "issuer", 0},
    {"", "profile", 0},
    {"", "subject", 0},
    {"", "cn", 0},
    {"", "sans", 0},
    {"", "status", 0},
    {"", "not_before", 0},
    {"", "not_after", 0},
    {"", "issued_at", 0},
    {"", "key.type", 0},
    {"", "key.bits", 0},
    {"", "fingerprint_sha256", 0},
    {"", "requester", 0},
    {"", "revocation.reason", 0},
    {"", "revocation.revoked_at", 0},
    {"", "revocation.invalidity_date", 0},
};

struct listing {
    struct rows rows;
    int64_t limit, shown; /* limit 0: all */
    char expires_before[CLOCK_TEXT_MAX];
    char cursor[CURSOR_TEXT_MAX]; /* "": from the start */
};

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static int check_filters(struct cli *c)
{
    static const char *const statuses[] = {"valid", "revoked", "expired", "held"}, *const key_types[] = {
                                                                                       "rsa", "ec"};
    const char *status = cli_option(c, OPT_STATUS), *type = cli_option(c, OPT_KEY_TYPE);

    if (status != NULL && !is_one_of(status, statuses, COUNT_OF(statuses)))
        return cli_misuse(c, "--status %s: one of valid, revoked, expired, held", status);
    if (type != NULL && !is_one_of(type, key_types, COUNT_OF(key_types)))
        return cli_misuse(c, "--key-type %s: rsa or ec", type);
    return DONE;
}

static int read_bounds(struct cli *c, struct listing *l)
{
    const char *limit = cli_option(c, OPT_LIMIT), *within = cli_option(c, OPT_EXPIRES_WITHIN),
               *after = cli_option(c, OPT_AFTER);
    int64_t span_s = 0;

    l->limit = ROWS_DEFAULT;
    if (limit != NULL && !number_parse(limit, 0, INT64_MAX, &l->limit))
        return cli_misuse(c, "--limit %s: a number, 0 for all", limit);
    if (within != NULL && !clock_parse_span(within, &span_s))
        return cli_misuse(c, "--expires-within %s: a span like 30d, 12h, 90m or 3600s", within);
    if (after != NULL && !span_to_str(span_str(after), l->cursor, sizeof l->cursor))
        return cli_misuse(c, "--after: not a cursor of this service");
    if (within != NULL)
        clock_rfc3339(c->now_s + span_s, l->expires_before);
    return DONE;
}

/* How many rows the next page should hold. */
static int64_t page_size(const struct listing *l)
{
    int64_t left = l->limit - l->shown;

    return l->limit == 0 || left > (int64_t)LIST_LIMIT_MAX ? (int64_t)LIST_LIMIT_MAX : left;
}

static void build_path(const struct cli *c, const struct listing *l, struct buf *path)
{
    static const struct {
        const char *name;
        enum opt option;
    } filters[] = {{"cn", OPT_CN},         {"san", OPT_SAN},       {"profile", OPT_PROFILE},
                   {"issuer", OPT_ISSUER}, {"status", OPT_STATUS}, {"key_type", OPT_KEY_TYPE}};
    char count[24];

    path_begin(path, PATH_BASE);
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        fetch_query(path, filters[i].name, cli_option(c, filters[i].option));
    fetch_query(path, "expires_before", l->expires_before[0] != '\0' ? l->expires_before : NULL);
    snprintf(count, sizeof count, "%lld", (long long)page_size(l));
    fetch_query(path, "limit", count);
    fetch_query(path, "after", l->cursor[0] != '\0' ? l->cursor : NULL);
}

/* Remembers where to go on: DONE with an empty cursor at the end. A cursor that stands still would never end.
 */
static int take_cursor(struct cli *c, struct listing *l, const struct js *page)
{
    const char *next = js_str(js_get(page, "next"));

    if (next == NULL) {
        l->cursor[0] = '\0';
        return DONE;
    }
    if (strcmp(next, l->cursor) == 0 || !span_to_str(span_str(next), l->cursor, sizeof l->cursor))
        return cli_fail(c, SERVICE_FAILED, "the service gave a cursor that leads nowhere");
    return DONE;
}

static int fetch_page(struct cli *c, struct listing *l)
{
    struct js *page = NULL;
    const struct js *items;
    struct buf path;
    int code;

    build_path(c, l, &path);
    code = service_get(c, path_end(&path), &page);
    items = js_get(page, "items");
    for (size_t i = 0; i < js_len(items); i++)
        rows_add(&l->rows, js_at(items, i));
    l->shown += (int64_t)js_len(items);
    if (code == DONE) {
        rows_page(&l->rows);
        code = take_cursor(c, l, page);
    }
    js_free(page);
    buf_free(&path);
    return code;
}

int run_cert_list(struct cli *c)
{
    struct listing l = {0};
    int code = check_filters(c);

    if (code == DONE)
        code = read_bounds(c, &l);
    if (code != DONE)
        return code;
    rows_open(&l.rows, c, table_columns, COUNT_OF(table_columns), csv_columns, COUNT_OF(csv_columns));
    do {
        code = fetch_page(c, &l);
    } while (code == DONE && l.cursor[0] != '\0' && (l.limit == 0 || l.shown < l.limit));
    if (code == DONE)
        rows_close(&l.rows, l.cursor[0] != '\0' ? l.cursor : NULL);
    else
        rows_abort(&l.rows);
    return code;
}
