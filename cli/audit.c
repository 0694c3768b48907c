/* SPDX-License-Identifier: Apache-2.0 */
/* audit: what was done, by whom: the list with its filters, the whole of it for keeping, and where it ends.
 */
#include <stdlib.h>
#include <string.h>

#include "base/chain.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/inner.h"

static const struct column table_columns[] = {
    {"seq", "seq", 0},       {"time", "time", 0},
    {"kind", "kind", 0},     {"actor", "actor", COLUMN_ELASTIC},
    {"serial", "serial", 0}, {"detail", "detail", COLUMN_ELASTIC},
};

static const struct column csv_columns[] = {
    {"", "seq", 0},    {"", "time", 0},   {"", "kind", 0}, {"", "actor", 0},
    {"", "serial", 0}, {"", "detail", 0}, {"", "hash", 0}, {"", "row", 0},
};

/* Times as the interface takes them; "" when not given. */
struct audit_times {
    char since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
};

/* A time, or how long ago. */
static int read_time(struct cli *c, enum opt o, char out[static CLOCK_TEXT_MAX])
{
    const char *text = cli_option(c, o);
    int64_t t_s;

    out[0] = '\0';
    if (text == NULL)
        return DONE;
    if (clock_parse_span(text, &t_s))
        t_s = c->now_s - t_s;
    else if (!clock_parse_rfc3339(text, &t_s))
        return cli_misuse(c, "--%s %s: a time such as 2026-01-31T12:00:00Z, or how long ago: 24h",
                          option_name(o), text);
    clock_rfc3339(t_s, out);
    return DONE;
}

/* Colons are dropped, as of every serial number; what is wrong with the rest the service says. */
static void put_serial(const struct cli *c, struct buf *path)
{
    const char *in = cli_option(c, OPT_SERIAL);
    char *plain = in != NULL ? xstrdup(in) : NULL, *out = plain;

    for (; in != NULL && *in != '\0'; in++)
        if (*in != ':')
            *out++ = *in;
    if (plain != NULL)
        *out = '\0';
    fetch_query(path, "serial", plain);
    free(plain);
}

static void put_filters(const struct cli *c, const void *arg, struct buf *path)
{
    const struct audit_times *t = arg;

    fetch_query(path, "kind", cli_option(c, OPT_KIND));
    fetch_query(path, "actor", cli_option(c, OPT_ACTOR));
    put_serial(c, path);
    fetch_query(path, "order", cli_option(c, OPT_ORDER));
    fetch_query(path, "since", t->since[0] != '\0' ? t->since : NULL);
    fetch_query(path, "until", t->until[0] != '\0' ? t->until : NULL);
}

static int misuse_kind(struct cli *c, const char *kind)
{
    struct buf all;
    int code;

    buf_init(&all, 1024);
    for (enum audit_kind k = AUDIT_START; k < AUDIT_END; k++)
        buf_printf(&all, "%s%s", all.len > 0 ? ", " : "", audit_kind_name(k));
    buf_put_u8(&all, 0);
    code = cli_misuse(c, "--kind %s: no kind of act; permitted: %s", kind, (const char *)all.data);
    buf_free(&all);
    return code;
}

static int check_filters(struct cli *c)
{
    const char *kind = cli_option(c, OPT_KIND), *order = cli_option(c, OPT_ORDER);

    if (kind != NULL && audit_kind_find(kind) == AUDIT_END)
        return misuse_kind(c, kind);
    if (order != NULL && strcmp(order, "newest") != 0 && strcmp(order, "oldest") != 0)
        return cli_misuse(c, "--order %s: newest or oldest", order);
    return DONE;
}

int run_audit_list(struct cli *c)
{
    struct audit_times t;
    struct pages p;
    int code = check_filters(c);

    if (code == DONE)
        code = read_time(c, OPT_SINCE, t.since);
    if (code == DONE)
        code = read_time(c, OPT_UNTIL, t.until);
    if (code == DONE)
        code = pages_read(c, &p);
    if (code != DONE)
        return code;
    rows_open(&p.rows, c, table_columns, COUNT_OF(table_columns), csv_columns, COUNT_OF(csv_columns));
    return pages_write(c, &p, AUDIT_PATH, put_filters, &t);
}

static void put_order(const struct cli *c, const void *arg, struct buf *path)
{
    (void)c;
    (void)arg;
    fetch_query(path, "order", "oldest");
}

/* Every row from the first, or behind a cursor, in the order of the chain. */
int run_audit_export(struct cli *c)
{
    struct pages p;
    int code = pages_read(c, &p);

    if (code != DONE)
        return code;
    p.limit = 0;
    rows_open(&p.rows, c, table_columns, COUNT_OF(table_columns), csv_columns, COUNT_OF(csv_columns));
    return pages_write(c, &p, AUDIT_PATH, put_order, NULL);
}

int run_audit_head(struct cli *c)
{
    struct js *v = NULL;
    int code = service_get(c, AUDIT_HEAD_PATH, &v);

    if (code == DONE)
        code = show_write(c, v);
    js_free(v);
    return code;
}
