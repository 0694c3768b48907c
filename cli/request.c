/* SPDX-License-Identifier: Apache-2.0 */
/* request: what waits for an approval, and the two decisions. */
#include <string.h>

#include "cli/inner.h"

#define REQUESTS_PATH "/api/v1/requests"

static const struct column table_columns[] = {
    {"request", "request", 0},
    {"status", "status", COLUMN_STATUS},
    {"asked", "asked_at", 0},
    {"expires", "expires_at", 0},
    {"profile", "profile", COLUMN_ELASTIC},
    {"asker", "asker", COLUMN_ELASTIC},
    {"subject", "subject", COLUMN_ELASTIC},
};

static const struct column csv_columns[] = {
    {"", "request", 0},    {"", "status", 0},     {"", "profile", 0},  {"", "days", 0},
    {"", "asker", 0},      {"", "subject", 0},    {"", "cn", 0},       {"", "sans", 0},
    {"", "key.type", 0},   {"", "key.bits", 0},   {"", "asked_at", 0}, {"", "expires_at", 0},
    {"", "decided_at", 0}, {"", "decided_by", 0}, {"", "reason", 0},   {"", "serial", 0},
};

static void put_filters(const struct cli *c, const void *arg, struct buf *path)
{
    (void)arg;
    fetch_query(path, "status", cli_option(c, OPT_STATUS));
}

static bool is_status(const char *text)
{
    static const char *const all[] = {"pending", "approved", "denied", "expired"};

    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (strcmp(all[i], text) == 0)
            return true;
    return false;
}

int run_request_list(struct cli *c)
{
    const char *status = cli_option(c, OPT_STATUS);
    struct pages p;
    int code;

    if (status != NULL && !is_status(status))
        return cli_misuse(c, "--status %s: one of pending, approved, denied, expired", status);
    code = pages_read(c, &p);
    if (code != DONE)
        return code;
    rows_open(&p.rows, c, table_columns, COUNT_OF(table_columns), csv_columns, COUNT_OF(csv_columns));
    return pages_write(c, &p, REQUESTS_PATH, put_filters, NULL);
}

/* ---- one ---- */

static int show(struct cli *c, const struct js *v)
{
    int code = show_row(c, v, csv_columns, COUNT_OF(csv_columns));

    if (code == DONE && c->format == FORMAT_TABLE)
        finding_write_all(c, js_get(v, "findings"));
    return code;
}

static int get(struct cli *c, struct js **out)
{
    return service_get_under(c, REQUESTS_PATH "/", cli_argument(c), out);
}

int run_request_show(struct cli *c)
{
    struct js *v = NULL;
    int code = get(c, &v);

    if (code == DONE)
        code = show(c, v);
    js_free(v);
    return code;
}

/* ---- decisions ---- */

/* Shows what it is about: who decides should have seen it. */
static int confirm(struct cli *c, const char *verb)
{
    struct js *v = NULL;
    int code;

    if (c->is_yes || !c->io.in_is_terminal || !c->io.err_is_terminal)
        return DONE;
    code = get(c, &v);
    if (code == DONE &&
        !cli_confirm(c, "This %s what %s asked for: %s, profile %s (now %s).", verb, cell_str(v, "asker"),
                     cell_str(v, "subject"), cell_str(v, "profile"), cell_str(v, "status")))
        code = cli_fail(c, WRONG_USE, "nothing was done");
    js_free(v);
    return code;
}

static int decide(struct cli *c, const char *suffix, struct span body)
{
    struct fetch_request r = {
        .method = "POST", .body = body, .content_type = body.len > 0 ? "application/json" : NULL};
    struct js *v = NULL;
    struct buf path;
    int code;

    path_begin(&path, REQUESTS_PATH "/");
    fetch_path(&path, cli_argument(c));
    buf_put_str(&path, suffix);
    r.path = path_end(&path);
    code = service_json(c, &r, &v);
    if (code == DONE && v != NULL)
        code = show(c, v);
    js_free(v);
    buf_free(&path);
    return code;
}

/* With --dry-run it is shown, and nothing is decided; what is decided already is refused in the service's
 * words. */
static int pretend(struct cli *c)
{
    static const struct {
        const char *status, *text;
    } rows[] = {{"approved", "It is approved already."},
                {"denied", "It is denied already."},
                {"expired", "It has expired: nobody decided in time."}};
    struct js *v = NULL;
    int code = get(c, &v);

    for (size_t i = 0; i < COUNT_OF(rows) && code == DONE; i++)
        if (strcmp(cell_str(v, "status"), rows[i].status) == 0)
            code = cli_fail(c, REFUSED, "%s", rows[i].text);
    if (code == DONE)
        code = show(c, v);
    js_free(v);
    return code;
}

int run_request_approve(struct cli *c)
{
    int code;

    if (c->is_dry_run)
        return pretend(c);
    code = confirm(c, "issues");
    return code == DONE ? decide(c, "/approval", (struct span){0}) : code;
}

int run_request_deny(struct cli *c)
{
    struct js *o;
    struct buf body;
    int code;

    if (c->is_dry_run)
        return pretend(c);
    code = confirm(c, "denies");
    if (code != DONE)
        return code;
    buf_init(&body, JSON_BODY_MAX);
    o = js_object();
    js_set_str(o, "reason", cli_option(c, OPT_REASON));
    js_write(o, &body);
    js_free(o);
    code = buf_end(&body) == OK ? decide(c, "/denial", buf_span(&body))
                                : cli_misuse(c, "--reason: longer than a line or two");
    buf_free(&body);
    return code;
}
