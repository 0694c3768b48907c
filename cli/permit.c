/* SPDX-License-Identifier: Apache-2.0 */
/* permit: the permit list: from where the listeners take connections, and logins of a role. */
#include <string.h>

#include "base/access.h"
#include "base/address.h"
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

/* ---- a dry run ---- */

/* The line that the options name, as the service writes it. */
struct line {
    char range[ADDRESS_TEXT_MAX];
    const char *listener, *role; /* role NULL: everybody */
};

static int misuse_range(struct cli *c)
{
    return cli_misuse(c, "%s: not an IP address or range such as 10.0.0.0/8 (no bits beyond the prefix)",
                      cli_argument(c));
}

/* What the service would call malformed (docs/access.md). */
static int read_line(struct cli *c, struct line *out)
{
    const char *listener = cli_option(c, OPT_LISTENER), *role = cli_option(c, OPT_ROLE);
    struct address_range range;
    enum access_role known;

    if (!address_range_parse(cli_argument(c), &range))
        return misuse_range(c);
    if (listener != NULL && strcmp(listener, "http") != 0 && strcmp(listener, "https") != 0)
        return cli_misuse(c, "--listener %s: http or https", listener);
    if (role != NULL && !access_role_parse(role, &known))
        return cli_misuse(c, "--role %s: " ACCESS_ROLES_TEXT, role);
    if (role != NULL && listener != NULL && strcmp(listener, "http") == 0)
        return cli_misuse(c, "--role: nobody logs in over http, a role goes with https");
    *out = (struct line){.listener = listener != NULL ? listener : "https", .role = role};
    address_range_text(&range, out->range);
    return DONE;
}

static bool is_line(const struct js *row, const struct line *l)
{
    const char *range = js_str(js_get(row, "range")), *listener = js_str(js_get(row, "listener")),
               *role = js_str(js_get(row, "role"));

    return range != NULL && strcmp(range, l->range) == 0 && listener != NULL &&
           strcmp(listener, l->listener) == 0 &&
           (role == NULL || l->role == NULL ? role == l->role : strcmp(role, l->role) == 0);
}

static bool is_listed(const struct js *items, const struct line *l)
{
    for (size_t i = 0; i < js_len(items); i++)
        if (is_line(js_at(items, i), l))
            return true;
    return false;
}

static int show_plan(struct cli *c, const char *verb, const struct line *l)
{
    struct js *plan = js_object();
    int code;

    js_set_str(plan, "would", verb);
    js_set_str(plan, "range", l->range);
    js_set_str(plan, "listener", l->listener);
    js_set_str(plan, "role", l->role);
    code = show_write(c, plan);
    js_free(plan);
    return code;
}

/* In the service's words. Whether it would shut out who asks, the service alone knows: it sees from where. */
static int pretend(struct cli *c, bool adds)
{
    struct js *list = NULL;
    struct line line;
    int code = read_line(c, &line);

    if (code == DONE)
        code = service_get(c, PERMITS_PATH, &list);
    if (code == DONE && is_listed(js_get(list, "items"), &line) == adds)
        code = adds ? cli_fail(c, REFUSED, PERMIT_THERE_TEXT) : cli_fail(c, NOT_FOUND, PERMIT_MISSING_TEXT);
    else if (code == DONE && adds && js_len(js_get(list, "items")) >= PERMITS_MAX)
        code = cli_fail(c, REFUSED, PERMITS_FULL_TEXT);
    else if (code == DONE)
        code = show_plan(c, adds ? "add" : "remove", &line);
    js_free(list);
    return code;
}

/* ---- changing it ---- */

static int show(struct cli *c, const struct fetch_request *r)
{
    struct js *v = NULL;
    int code;

    code = service_json(c, r, &v);
    if (code == DONE)
        code = show_write(c, v);
    js_free(v);
    return code;
}

int run_permit_add(struct cli *c)
{
    struct fetch_request r = {.method = "POST", .path = PERMITS_PATH, .content_type = "application/json"};
    struct js *o;
    struct buf body;
    int code;

    if (c->is_dry_run)
        return pretend(c, true);
    o = js_object();
    buf_init(&body, JSON_BODY_MAX);
    js_set_str(o, "range", cli_argument(c));
    if (cli_option(c, OPT_LISTENER) != NULL)
        js_set_str(o, "listener", cli_option(c, OPT_LISTENER));
    if (cli_option(c, OPT_ROLE) != NULL)
        js_set_str(o, "role", cli_option(c, OPT_ROLE));
    js_write(o, &body);
    js_free(o);
    r.body = buf_span(&body);
    code = buf_end(&body) == OK ? show(c, &r) : misuse_range(c);
    buf_free(&body);
    return code;
}

int run_permit_remove(struct cli *c)
{
    struct fetch_request r = {.method = "DELETE"};
    struct buf path;
    int code;

    if (c->is_dry_run)
        return pretend(c, false);
    path_begin(&path, PERMITS_PATH);
    fetch_query(&path, "range", cli_argument(c));
    fetch_query(&path, "listener", cli_option(c, OPT_LISTENER));
    fetch_query(&path, "role", cli_option(c, OPT_ROLE));
    r.path = path_end(&path);
    code = show(c, &r);
    buf_free(&path);
    return code;
}
