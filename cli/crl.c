/* SPDX-License-Identifier: Apache-2.0 */
/* crl: `crl publish` and `crl show`, for one issuer or all of them. Both answer with one row an issuer. */
#include "cli/inner.h"

static const struct column columns[] = {
    {"issuer", "issuer", 0},           {"number", "number", 0},        {"this update", "this_update", 0},
    {"next update", "next_update", 0}, {"entries", "entries", 0},      {"size", "size", 0},
    {"delta", "delta.number", 0},      {"url", "url", COLUMN_ELASTIC},
};

/* The first five: what is known of a CRL just published. */
#define PUBLISHED_COLUMNS 5

/* A row that names its issuer, whatever the answer holds beside. */
static void add_row(struct rows *rows, const char *issuer, const struct js *crl)
{
    struct js *row = js_object();

    js_set_str(row, "issuer", issuer);
    for (size_t i = 0; i < js_len(crl); i++)
        js_set(row, js_name_at(crl, i), js_copy(js_value_at(crl, i)));
    rows_add(rows, row);
    js_free(row);
}

static int publish_one(struct cli *c, struct rows *rows, const char *issuer)
{
    struct fetch_request r = {.method = "POST"};
    struct js *v = NULL;
    struct buf path;
    int code;

    path_begin(&path, ISSUERS_PATH "/");
    fetch_path(&path, issuer);
    buf_put_str(&path, "/crl");
    r.path = path_end(&path);
    code = service_json(c, &r, &v);
    if (code == DONE)
        add_row(rows, issuer, v);
    js_free(v);
    buf_free(&path);
    return code;
}

/* Asks for the issuer, so that a wrong name shows, and says what would be done. */
static int pretend_one(struct cli *c, struct rows *rows, const char *issuer)
{
    struct js *v = NULL;
    int code = service_get_under(c, ISSUERS_PATH "/", issuer, &v);

    if (code == DONE) {
        add_row(rows, issuer, js_get(v, "crl"));
        cli_note(c, "would publish the CRL of %s; shown is the one in force", issuer);
    }
    js_free(v);
    return code;
}

static int show_one(struct cli *c, struct rows *rows, const char *issuer)
{
    struct js *v = NULL;
    struct buf path;
    int code;

    path_begin(&path, ISSUERS_PATH "/");
    fetch_path(&path, issuer);
    buf_put_str(&path, "/crl");
    code = service_get(c, path_end(&path), &v);
    if (code == DONE)
        add_row(rows, issuer, v);
    js_free(v);
    buf_free(&path);
    return code;
}

/* One that fails does not keep the others from their turn; the first failure is the exit code. */
static int publish_all(struct cli *c, struct rows *rows)
{
    struct js *list = NULL;
    int code = service_get(c, ISSUERS_PATH, &list);
    const struct js *items = js_get(list, "items");

    for (size_t i = 0; i < js_len(items); i++) {
        const char *id = js_str(js_get(js_at(items, i), "id"));
        int one = DONE;

        if (id != NULL)
            one = c->is_dry_run ? pretend_one(c, rows, id) : publish_one(c, rows, id);
        code = code == DONE ? one : code;
    }
    js_free(list);
    return code;
}

static int show_all(struct cli *c, struct rows *rows)
{
    struct js *list = NULL;
    int code = service_get(c, ISSUERS_PATH, &list);
    const struct js *items = js_get(list, "items");

    for (size_t i = 0; i < js_len(items); i++)
        add_row(rows, js_str(js_get(js_at(items, i), "id")), js_get(js_at(items, i), "crl"));
    js_free(list);
    return code;
}

static int finish(struct rows *rows, int code)
{
    if (code != DONE && rows->count == 0) {
        rows_abort(rows);
        return code;
    }
    rows_page(rows);
    rows_close(rows, NULL);
    return code;
}

int run_crl_publish(struct cli *c)
{
    const char *issuer = cli_option(c, OPT_ISSUER);
    struct rows rows;
    int code;

    rows_open(&rows, c, columns, PUBLISHED_COLUMNS, columns, PUBLISHED_COLUMNS);
    if (issuer == NULL)
        code = publish_all(c, &rows);
    else
        code = c->is_dry_run ? pretend_one(c, &rows, issuer) : publish_one(c, &rows, issuer);
    return finish(&rows, code);
}

/* ---- the CRL itself ---- */

static int write_file(struct cli *c, const char *issuer)
{
    return file_write(c, ISSUERS_PATH "/", issuer, c->format == FORMAT_DER ? "/crl.der" : "/crl.pem");
}

/* One after the other, as servers read them that check a chain. One that is not there does not keep the
 * others out. */
static int write_files(struct cli *c, const struct js *items)
{
    int code = DONE;

    for (size_t i = 0; i < js_len(items); i++) {
        const char *id = js_str(js_get(js_at(items, i), "id"));
        int one = id != NULL ? write_file(c, id) : DONE;

        code = code == DONE ? one : code;
    }
    return code;
}

/* DER has no form for several: whoever reads it would take the first and drop the rest. */
static int refuse_several(struct cli *c, const struct js *items)
{
    struct buf ids;
    int code;

    buf_init(&ids, 8192);
    for (size_t i = 0; i < js_len(items); i++)
        buf_printf(&ids, "%s%s", i > 0 ? ", " : "", js_str(js_get(js_at(items, i), "id")));
    code = cli_misuse(c, "--output der is one CRL: say whose with --issuer (%.*s), or take them all as pem",
                      (int)ids.len, (const char *)ids.data);
    buf_free(&ids);
    return code;
}

static int show_files(struct cli *c)
{
    const char *issuer = cli_option(c, OPT_ISSUER);
    struct js *list = NULL;
    const struct js *items;
    int code;

    if (issuer != NULL)
        return write_file(c, issuer);
    code = service_get(c, ISSUERS_PATH, &list);
    items = js_get(list, "items");
    if (code == DONE && c->format == FORMAT_DER && js_len(items) > 1)
        code = refuse_several(c, items);
    else if (code == DONE)
        code = write_files(c, items);
    js_free(list);
    return code;
}

int run_crl_show(struct cli *c)
{
    const char *issuer = cli_option(c, OPT_ISSUER);
    struct rows rows;

    if (c->format == FORMAT_PEM || c->format == FORMAT_DER)
        return show_files(c);
    rows_open(&rows, c, columns, COUNT_OF(columns), columns, COUNT_OF(columns));
    return finish(&rows, issuer != NULL ? show_one(c, &rows, issuer) : show_all(c, &rows));
}
