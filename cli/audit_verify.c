/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_verify: are the rows one chain, with the service's seals in it? Of the running service, row by row as
 * it gives them; of an exported file; or of a copied store, which main() knows to read, also where the home
 * that is named has no service. What is checked is the octets of each row, never what somebody says of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/chain.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/inner.h"

#define LINE_MAX_OCTETS (1u << 20) /* of an exported row: some 15 KiB at most */
#define KEYS_OCTETS_MAX (64u * 1024)
#define UNSEALED_ROWS_MAX (2 * SEAL_ROWS) /* a turn may add hundreds of rows before the seal that is due */
#define UNSEALED_S_MAX (3 * SEAL_S)

struct verifying {
    struct cli *cli;
    struct chain_check chain;
    struct seal_keys *keys;
    struct fault fault;
    enum err err; /* of the rows */
};

/* ---- one row as JSON ---- */

static bool same_text(const struct js *o, const char *name, struct span want)
{
    struct js *copy = js_object();
    const char *a = js_str(js_get(o, name)), *b;
    bool same;

    js_set_span(copy, name, want);
    b = js_str(js_get(copy, name));
    same = a != NULL && b != NULL && strcmp(a, b) == 0;
    js_free(copy);
    return same;
}

static bool same_serial(const struct js *o, const struct audit_row *a)
{
    const struct js *v = js_get(o, "serial");
    char hex[SERIAL_HEX_LEN + 1];

    if (!a->has_serial)
        return v != NULL && js_is_null(v);
    hex_encode(span_of(a->serial, SERIAL_LEN), hex);
    return js_str(v) != NULL && strcmp(js_str(v), hex) == 0;
}

/* What stands beside the octets must be what they say: it is what people read. */
static bool is_faithful(const struct js *o, const struct audit_row *a)
{
    char hash[2 * HASH_LEN + 1], time[CLOCK_TEXT_MAX];
    int64_t seq;

    hex_encode(span_of(a->hash, HASH_LEN), hash);
    clock_rfc3339(a->at_s, time);
    return js_int(js_get(o, "seq"), &seq) && seq == (int64_t)a->seq && same_text(o, "time", span_str(time)) &&
           same_text(o, "kind", span_str(audit_kind_name(a->kind))) && same_text(o, "actor", a->actor) &&
           same_text(o, "detail", a->detail) && same_text(o, "hash", span_str(hash)) && same_serial(o, a);
}

static enum err add_json(struct verifying *v, const struct js *o)
{
    const char *hex = js_str(js_get(o, "row"));
    size_t len = hex != NULL ? strlen(hex) / 2 : 0;
    uint8_t *octets = xmalloc(len + 1);
    struct audit_row a;
    enum err e;

    if (hex == NULL || strlen(hex) % 2 != 0 || !hex_decode(hex, octets, len))
        e = fault_set(&v->fault, ERR_CONFLICT, "after audit row %llu: no row",
                      (unsigned long long)v->chain.head.seq);
    else
        e = chain_add(&v->chain, span_of(octets, len), &v->fault);
    if (e == OK && (!chain_row_get(span_of(octets, len), &a) || !is_faithful(o, &a)))
        e = fault_set(&v->fault, ERR_CONFLICT,
                      "audit row %llu: what stands beside its octets is not what they say",
                      (unsigned long long)v->chain.head.seq);
    free(octets);
    return e;
}

/* ---- from the service ---- */

static enum err add_page(struct verifying *v, const struct js *items)
{
    enum err e = OK;

    for (size_t i = 0; e == OK && i < js_len(items); i++)
        e = add_json(v, js_at(items, i));
    return e;
}

/* Up to the row that was the last one when it began, or an error. */
static int read_service(struct verifying *v)
{
    char after[CURSOR_TEXT_MAX] = "";
    int code = DONE;

    do {
        struct js *page = NULL;
        struct buf path;
        const char *next;

        path_begin(&path, AUDIT_PATH);
        fetch_query(&path, "order", "oldest");
        fetch_query(&path, "limit", "1000");
        fetch_query(&path, "after", after[0] != '\0' ? after : NULL);
        code = service_get(v->cli, path_end(&path), &page);
        if (code == DONE)
            v->err = add_page(v, js_get(page, "items"));
        next = js_str(js_get(page, "next"));
        if (next == NULL || strcmp(next, after) == 0 || !span_to_str(span_str(next), after, sizeof after))
            after[0] = '\0';
        js_free(page);
        buf_free(&path);
    } while (code == DONE && v->err == OK && after[0] != '\0' && v->chain.head.seq < v->chain.mark.seq);
    return code;
}

/* Where it must lead to at least; and the keys, when nobody brought any. */
static int ask_head(struct verifying *v)
{
    struct js *head = NULL;
    const char *mark, *pem;
    int code = service_get(v->cli, AUDIT_HEAD_PATH, &head);
    enum err e = OK;

    if (code != DONE)
        return code;
    mark = js_str(js_get(head, "head"));
    pem = js_str(js_get(head, "seal_keys"));
    if (v->chain.mark.seq == 0 && mark != NULL && !chain_mark_read(mark, &v->chain.mark))
        code = cli_fail(v->cli, SERVICE_FAILED, "the service gave no head of its audit");
    if (code == DONE && v->keys == NULL && pem != NULL)
        e = seal_keys_read(span_str(pem), &v->keys, &v->fault);
    if (e != OK)
        code = cli_fail(v->cli, SERVICE_FAILED, "the service's key of the audit: %s", v->fault.detail);
    v->chain.keys = v->keys;
    js_free(head);
    return code;
}

/* ---- from a file ---- */

static enum err add_line(struct verifying *v, struct span line)
{
    struct js *o = NULL;
    struct fault f = {0};
    enum err e;

    if (line.len > LINE_MAX_OCTETS || js_parse(line, &o, &f) != OK)
        return fault_set(&v->fault, ERR_CONFLICT, "after audit row %llu: a line that is no row",
                         (unsigned long long)v->chain.head.seq);
    e = add_json(v, o);
    js_free(o);
    return e;
}

static int read_lines(struct verifying *v, FILE *in)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while (v->err == OK && (n = getline(&line, &cap, in)) >= 0)
        if (n > 1 || line[0] != '\n')
            v->err = add_line(v, span_of(line, (size_t)n));
    free(line);
    return ferror(in) ? cli_fail(v->cli, WRONG_USE, "the export cannot be read") : DONE;
}

static int read_export(struct verifying *v, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? v->cli->io.in : fopen(path, "re");
    int code;

    if (in == NULL)
        return cli_fail(v->cli, WRONG_USE, "%s: %s", path, strerror(errno));
    v->chain.may_begin_late = true;
    code = read_lines(v, in);
    if (!is_stdin)
        fclose(in);
    return code;
}

/* ---- from a store ---- */

static int read_store(struct verifying *v, const char *dir)
{
    if (v->cli->hooks == NULL || v->cli->hooks->check_store == NULL)
        return cli_fail(v->cli, WRONG_USE, "this program reads no store");
    v->err = v->cli->hooks->check_store(dir, &v->chain, &v->fault);
    if (v->err != OK && v->err != ERR_CONFLICT)
        return cli_fail(v->cli, WRONG_USE, "%s", v->fault.detail);
    return DONE;
}

/* Of a home without a service, such as a copy. What is written while it is read may look broken. */
static int read_away(struct verifying *v, const char *store)
{
    char again[PATH_LEN_MAX];
    int code;

    cli_note(v->cli, "%s: nothing answers, so %s is read", v->cli->socket, store);
    code = read_store(v, store);
    if (v->err != OK && !service_is_away(v->cli, again))
        return cli_fail(v->cli, SERVICE_FAILED, "a service was started while its store was read: ask again");
    return code;
}

/* ---- the report ---- */

static uint64_t unsealed_rows(const struct chain_check *c)
{
    uint64_t sealed = c->sealed.seq != 0 ? c->sealed.seq + 1 : c->first > 0 ? c->first - 1 : 0;

    return c->head.seq - sealed; /* a seal's own row counts as sealed: its signature is its guard */
}

/* More than the service leaves without a seal. */
static bool is_overdue(const struct chain_check *c)
{
    return unsealed_rows(c) > UNSEALED_ROWS_MAX || c->head_at_s - c->unsealed_at_s > UNSEALED_S_MAX;
}

static struct js *warnings_of(const struct chain_check *c)
{
    struct js *list = js_array();

    if (c->keys == NULL && c->seals > 0)
        js_push_str(list, "the seals were not checked: no key was given (--seal-key)");
    if (c->seals == 0 && is_overdue(c))
        js_push_str(list, "there is no seal: whoever could write the store could have made these rows");
    if (c->seals > 0 && is_overdue(c))
        js_push_str(
            list,
            "more follows the last seal than the service leaves unsealed, unless it was stopped by force");
    if (c->first > 1)
        js_push_str(list, "what was before the first row is not here");
    if (c->may_begin_late && c->mark.seq == 0)
        js_push_str(list, "rows cut off the end are not seen: it was held against no mark (--head)");
    return list;
}

static struct js *report_of(const struct verifying *v)
{
    const struct chain_check *c = &v->chain;
    struct js *o = js_object();
    char mark[CHAIN_MARK_MAX];

    chain_mark_write(&c->head, mark);
    js_set_str(o, "result", v->err == OK ? "whole" : "broken");
    js_set_str(o, "problem", v->err == OK ? NULL : v->fault.detail);
    js_set_int(o, "first", (int64_t)c->first);
    js_set_int(o, "rows", c->first > 0 ? (int64_t)(c->head.seq - c->first + 1) : 0);
    js_set_str(o, "head", c->first > 0 && v->err == OK ? mark : NULL);
    js_set_int(o, "seals", (int64_t)c->seals);
    js_set_bool(o, "seals_checked", c->keys != NULL);
    if (c->sealed.seq > 0)
        js_set_time(o, "sealed_at", c->sealed.at_s);
    else
        js_set_null(o, "sealed_at");
    js_set_int(o, "unsealed_rows", (int64_t)unsealed_rows(c));
    js_set(o, "warnings", v->err == OK ? warnings_of(c) : js_array());
    return o;
}

static int report(struct verifying *v)
{
    struct js *o;
    int code;

    if (v->err == OK)
        v->err = chain_end(&v->chain, &v->fault);
    if (v->err == OK && v->chain.first == 0) /* `init` writes the first: what has none has lost them all */
        v->err = fault_set(&v->fault, ERR_CONFLICT, "there is no audit row");
    o = report_of(v);
    code = show_write(v->cli, o);
    js_free(o);
    return code == DONE && v->err != OK ? cli_fail(v->cli, REFUSED, "%s", v->fault.detail) : code;
}

/* ---- the command ---- */

static int read_keys(struct verifying *v)
{
    const char *path = cli_option(v->cli, OPT_SEAL_KEY);
    struct buf pem;
    int code;

    if (path == NULL)
        return DONE;
    buf_init(&pem, KEYS_OCTETS_MAX);
    code = in_read(v->cli, path, KEYS_OCTETS_MAX, &pem);
    if (code == DONE && seal_keys_read(buf_span(&pem), &v->keys, &v->fault) != OK)
        code = cli_fail(v->cli, WRONG_USE, "%s: %s", path, v->fault.detail);
    v->chain.keys = v->keys;
    buf_free(&pem);
    return code;
}

static int read_rows(struct verifying *v)
{
    const char *store = cli_option(v->cli, OPT_STORE), *export = cli_option(v->cli, OPT_EXPORT);
    char away[PATH_LEN_MAX];
    int code;

    if (store != NULL)
        return read_store(v, store);
    if (export != NULL)
        return read_export(v, export);
    code = service_open(v->cli);
    if (code == DONE && service_is_away(v->cli, away))
        return read_away(v, away);
    if (code == DONE)
        code = ask_head(v);
    return code == DONE ? read_service(v) : code;
}

int run_audit_verify(struct cli *c)
{
    const char *head = cli_option(c, OPT_HEAD);
    struct verifying v = {.cli = c};
    int code;

    if (cli_option(c, OPT_STORE) != NULL && cli_option(c, OPT_EXPORT) != NULL)
        return cli_misuse(c, "--store or --export, not both");
    if (head != NULL && !chain_mark_read(head, &v.chain.mark))
        return cli_misuse(c, "--head %s: SEQ:HASH as `audit head` gives it", head);
    code = read_keys(&v);
    if (code == DONE)
        code = read_rows(&v);
    if (code == DONE)
        code = report(&v);
    seal_keys_free(v.keys);
    return code;
}
