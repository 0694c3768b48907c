/* SPDX-License-Identifier: Apache-2.0 */
/* permit: the permit list: from where the listeners take connections, and logins of a role. */
#include "cli/inner.h"

#define PERMITS_PATH "/api/v1/permits"

static const struct column columns[] = {
    {"range", "range", 0},        {"listener", "listener", 0},
    {"role", "role", 0},          {"created by", "created_by", COLUMN_ELASTIC},
    {"created", "created_at", 0},
};

static const struct column csv_columns[] = {
    {"", "range", 0}, {"", "listener", 0}, {"", "role", 0}, {"", "created_by", 0}, {"", "created_at", 0},
};

int run_permit_list(struct cli *c)
{
    return list_write(c, PERMITS_PATH, columns, COUNT_OF(columns), csv_columns, COUNT_OF(csv_columns));
}

static int show(struct cli *c, const struct fetch_request *r)
{
    struct js *v = NULL;
    int code;

    if (c->is_dry_run) {
        cli_note(c, "nothing was changed");
        return DONE;
    }
    code = service_json(c, r, &v);
    if (code == DONE)
        code = show_write(c, v);
    js_free(v);
    return code;
}

int run_permit_add(struct cli *c)
{
    struct fetch_request r = {.method = "POST", .path = PERMITS_PATH, .content_type = "application/json"};
    struct js *o = js_object();
    struct buf body;
    int code;

    buf_init(&body, JSON_BODY_MAX);
    js_set_str(o, "range", cli_argument(c));
    if (cli_option(c, OPT_LISTENER) != NULL)
        js_set_str(o, "listener", cli_option(c, OPT_LISTENER));
    if (cli_option(c, OPT_ROLE) != NULL)
        js_set_str(o, "role", cli_option(c, OPT_ROLE));
    js_write(o, &body);
    js_free(o);
    r.body = buf_span(&body);
    code = buf_end(&body) == OK ? show(c, &r) : cli_misuse(c, "%s: no address or range", cli_argument(c));
    buf_free(&body);
    return code;
}

int run_permit_remove(struct cli *c)
{
    struct fetch_request r = {.method = "DELETE"};
    struct buf path;
    int code;

    path_begin(&path, PERMITS_PATH);
    fetch_query(&path, "range", cli_argument(c));
    fetch_query(&path, "listener", cli_option(c, OPT_LISTENER));
    fetch_query(&path, "role", cli_option(c, OPT_ROLE));
    r.path = path_end(&path);
    code = show(c, &r);
    buf_free(&path);
    return code;
}
