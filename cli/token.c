/* SPDX-License-Identifier: Apache-2.0 */
/* token: making, listing and deleting tokens. Of a new one the secret alone goes to standard output, so that
 * it can go into a file or a secret store; what it may goes to standard error. */
#include <string.h>
#include <strings.h>

#include "base/access.h"
#include "cli/inner.h"

#define TOKENS_PATH "/api/v1/tokens"
#define BODY_MAX 8192u /* what the service takes */

static const struct column columns[] = {
    {"id", "id", 0},
    {"status", "status", COLUMN_STATUS},
    {"role", "role", 0},
    {"expires", "expires_at", 0},
    {"last used", "last_used", 0},
    {"created by", "created_by", COLUMN_ELASTIC},
    {"profiles", "profiles", COLUMN_ELASTIC},
    {"names", "names", COLUMN_ELASTIC},
    {"issuers", "issuers", COLUMN_ELASTIC},
};

static const struct column csv_columns[] = {
    {"", "id", 0},         {"", "status", 0},    {"", "role", 0},       {"", "profiles", 0},
    {"", "names", 0},      {"", "issuers", 0},   {"", "created_by", 0}, {"", "created_at", 0},
    {"", "expires_at", 0}, {"", "last_used", 0}, {"", "deleted_at", 0},
};

int run_token_list(struct cli *c)
{
    return list_write(c, TOKENS_PATH, columns, COUNT_OF(columns), csv_columns, COUNT_OF(csv_columns));
}

/* ---- making ---- */

/* Every value of an option that may be given more than once. */
static void set_all(struct cli *c, struct js *o, const char *member, enum opt opt)
{
    struct js *list;

    if (cli_option(c, opt) == NULL)
        return;
    list = js_array();
    js_push_str(list, cli_option(c, opt));
    for (size_t i = 0; i < c->args.again_count; i++)
        if (c->args.again[i].opt == opt)
            js_push_str(list, c->args.again[i].value);
    js_set(o, member, list);
}

static int put_body(struct cli *c, struct buf *out)
{
    struct js *o;
    int64_t days;
    enum access_role role;

    if (cli_option(c, OPT_DAYS) != NULL && !number_parse(cli_option(c, OPT_DAYS), 1, TOKEN_DAYS_MAX, &days))
        return cli_misuse(c, "--days %s: a whole number from 1 to %d", cli_option(c, OPT_DAYS),
                          TOKEN_DAYS_MAX);
    if (!access_role_parse(cli_option(c, OPT_ROLE), &role))
        return cli_misuse(c, "--role %s: " ACCESS_ROLES_TEXT, cli_option(c, OPT_ROLE));
    o = js_object();
    js_set_str(o, "role", cli_option(c, OPT_ROLE));
    set_all(c, o, "profiles", OPT_PROFILE);
    set_all(c, o, "names", OPT_NAME);
    set_all(c, o, "issuers", OPT_ISSUER);
    if (cli_option(c, OPT_DAYS) != NULL)
        js_set_int(o, "days", days);
    js_write(o, out);
    js_free(o);
    return buf_end(out) == OK ? DONE : cli_misuse(c, "the scope is longer than a token can hold");
}

/* The one time that the secret is shown. */
static const struct column new_columns[] = {
    {"", "id", 0},      {"", "role", 0},       {"", "profiles", 0},   {"", "names", 0},
    {"", "issuers", 0}, {"", "created_at", 0}, {"", "expires_at", 0}, {"", "token", 0},
};

static const struct column plan_columns[] = {
    {"", "role", 0}, {"", "profiles", 0}, {"", "names", 0}, {"", "issuers", 0}, {"", "days", 0},
};

static int show_new(struct cli *c, const struct js *v)
{
    const char *secret = js_str(js_get(v, "token"));
    int code;

    if (secret == NULL)
        return cli_fail(c, SERVICE_FAILED, "the answer holds no token");
    if (c->format != FORMAT_TABLE)
        return show_row(c, v, new_columns, COUNT_OF(new_columns));
    cli_note(c, "token %s, role %s, until %s; this is the only time it is shown", cell_str(v, "id"),
             cell_str(v, "role"), cell_str(v, "expires_at"));
    code = out_write(c, span_str(secret));
    return code == DONE ? out_write(c, span_str("\n")) : code;
}

/* What would be asked for, in every form: there is no secret to show. */
static int pretend(struct cli *c, struct span body)
{
    struct js *plan = NULL;
    struct fault f = {0};
    int code = js_parse(body, &plan, &f) == OK ? show_row(c, plan, plan_columns, COUNT_OF(plan_columns))
                                               : cli_fault(c, &f);

    cli_note(c, "nothing was made");
    js_free(plan);
    return code;
}

int run_token_create(struct cli *c)
{
    struct fetch_request r = {.method = "POST", .path = TOKENS_PATH, .content_type = "application/json"};
    struct js *v = NULL;
    struct buf body;
    int code;

    buf_init(&body, BODY_MAX);
    code = put_body(c, &body);
    if (code == DONE && c->is_dry_run) {
        code = pretend(c, buf_span(&body));
    } else if (code == DONE) {
        r.body = buf_span(&body);
        code = service_json(c, &r, &v);
        if (code == DONE)
            code = show_new(c, v);
    }
    js_free(v);
    buf_free(&body);
    return code;
}

/* ---- deleting ---- */

static const struct column delete_columns[] = {
    {"", "would", 0}, {"", "id", 0}, {"", "status", 0}, {"", "role", 0}, {"", "created_by", 0},
};

static const struct js *find_token(const struct js *items, const char *id)
{
    for (size_t i = 0; i < js_len(items); i++) {
        const char *found = js_str(js_get(js_at(items, i), "id"));

        if (found != NULL && strcasecmp(found, id) == 0)
            return js_at(items, i);
    }
    return NULL;
}

static int show_deletion(struct cli *c, const struct js *token)
{
    struct js *plan = js_object();
    int code;

    js_set_str(plan, "would", strcmp(cell_str(token, "status"), "deleted") == 0 ? "nothing" : "delete");
    for (size_t i = 1; i < COUNT_OF(delete_columns); i++)
        js_set_str(plan, delete_columns[i].path, js_str(js_get(token, delete_columns[i].path)));
    code = show_row(c, plan, delete_columns, COUNT_OF(delete_columns));
    js_free(plan);
    return code;
}

static int pretend_delete(struct cli *c)
{
    struct js *list = NULL;
    int code = service_get(c, TOKENS_PATH, &list);
    const struct js *token = find_token(js_get(list, "items"), cli_argument(c));

    if (code == DONE)
        code = token != NULL ? show_deletion(c, token) : cli_fail(c, NOT_FOUND, "There is no such token.");
    js_free(list);
    return code;
}

int run_token_delete(struct cli *c)
{
    struct fetch_request r = {.method = "DELETE"};
    struct js *v = NULL;
    struct buf path;
    int code;

    if (c->is_dry_run)
        return pretend_delete(c);
    if (!cli_confirm(c, "This deletes token %s: whoever uses it is refused from now on.", cli_argument(c)))
        return cli_fail(c, WRONG_USE, "nothing was done");
    path_begin(&path, TOKENS_PATH "/");
    fetch_path(&path, cli_argument(c));
    r.path = path_end(&path);
    code = service_json(c, &r, &v);
    if (code == DONE)
        code = show_row(c, v, csv_columns, COUNT_OF(csv_columns));
    js_free(v);
    buf_free(&path);
    return code;
}
