/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: rows in memory, JSON on the disk. */
#include "watch/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#define LEDGER_MAX (4u << 20) /* octets: SHELF_MAX rows of some 200 */
#define FAILURES_MAX 1000000

const struct ledger_row *ledger_find(const struct ledger *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->rows[i].name, name) == 0)
            return &l->rows[i];
    return NULL;
}

static struct ledger_row *row_of(struct ledger *l, const char *name)
{
    struct ledger_row *r = (struct ledger_row *)ledger_find(l, name);

    if (r != NULL)
        return r;
    l->rows = realloc(l->rows, (l->count + 1) * sizeof *l->rows);
    if (l->rows == NULL)
        die("out of memory");
    r = &l->rows[l->count++];
    *r = (struct ledger_row){0};
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

void ledger_put(struct ledger *l, const struct shelf_item *i, int64_t now_s)
{
    struct ledger_row *r = row_of(l, i->name);

    r->number = i->number;
    memcpy(r->sha256, i->sha256, HASH_LEN);
    if (i->identity.size > r->longest)
        r->longest = i->identity.size;
    r->at_s = now_s;
    r->is_doubted = false;
}

void ledger_doubt(struct ledger *l, const char *name)
{
    struct ledger_row *r = (struct ledger_row *)ledger_find(l, name);

    if (r != NULL)
        r->is_doubted = true;
}

/* ---- on the disk ---- */

static bool row_read(struct ledger *l, const char *name, const struct js *v)
{
    const char *sha256 = js_str(js_get(v, "sha256"));
    int64_t number, at_s, longest = 0; /* older files do not have it */
    struct ledger_row *r;

    if (strlen(name) >= SHELF_NAME_MAX || l->count == SHELF_MAX || !js_int(js_get(v, "number"), &number) ||
        number < 0 || !js_int(js_get(v, "at"), &at_s) || sha256 == NULL)
        return false;
    if (js_get(v, "longest") != NULL && (!js_int(js_get(v, "longest"), &longest) || longest < 0))
        return false;
    r = row_of(l, name);
    r->number = (uint64_t)number;
    r->longest = (uint64_t)longest;
    r->at_s = at_s;
    return hex_decode(sha256, r->sha256, HASH_LEN);
}

/* Older files do not have it. */
static void why_read(struct ledger *l, const struct js *o)
{
    const char *why = js_str(js_get(o, "why"));

    if (why != NULL)
        snprintf(l->why, sizeof l->why, "%s", why);
    (void)js_bool(js_get(o, "critical"), &l->is_critical);
}

static bool rows_read(struct ledger *l, const struct js *o)
{
    const struct js *files = js_get(o, "files");
    const char *url = js_str(js_get(o, "url"));
    int64_t failures;

    if (url == NULL || !js_is_object(files) || !js_int(js_get(o, "failures"), &failures) || failures < 0 ||
        failures > FAILURES_MAX || !js_int(js_get(o, "retry_at"), &l->retry_at_s) ||
        !clock_is_time(l->retry_at_s))
        return false;
    if (strcmp(url, l->url) != 0) {
        l->retry_at_s = 0;
        return true;
    }
    l->failures = (unsigned)failures;
    why_read(l, o);
    for (size_t i = 0; i < js_len(files); i++)
        if (!row_read(l, js_name_at(files, i), js_value_at(files, i)))
            return false;
    return true;
}

static void make_empty(struct ledger *l)
{
    free(l->rows);
    l->rows = NULL;
    l->count = 0;
    l->failures = 0;
    l->retry_at_s = 0;
    l->why[0] = '\0';
    l->is_critical = false;
}

static enum err parse(struct ledger *l, struct span text, struct fault *f)
{
    struct js *o = NULL;
    bool is_good = js_parse(text, &o, NULL) == OK && rows_read(l, o);

    js_free(o);
    if (is_good)
        return OK;
    make_empty(l);
    return fault_set(f, ERR_MALFORMED, "%s: is damaged, it is begun anew", l->path);
}

enum err ledger_open(struct ledger *l, const char *dir, const struct target *t, struct fault *f)
{
    char name[TARGET_ID_MAX + 8];
    struct fault quiet = {0};
    struct buf text;
    enum err e;

    *l = (struct ledger){0};
    strcpy(l->url, t->url);
    snprintf(name, sizeof name, "%s.json", t->id);
    e = path_join(l->path, dir, name, f);
    if (e != OK)
        return e;
    file_drafts_remove(l->path);
    buf_init(&text, LEDGER_MAX);
    e = file_read(l->path, &text, &quiet);
    if (e == OK)
        e = parse(l, buf_span(&text), f);
    else if (e == ERR_NOT_FOUND)
        e = OK;
    else
        e = fault_set(f, e, "%s", quiet.detail);
    buf_free(&text);
    return e;
}

void ledger_close(struct ledger *l)
{
    make_empty(l);
}

enum err ledger_save(const struct ledger *l, struct fault *f)
{
    struct js *o = js_object(), *files = js_object();
    struct buf text;
    enum err e;

    js_set_str(o, "url", l->url);
    js_set_int(o, "failures", l->failures);
    js_set_int(o, "retry_at", l->retry_at_s);
    js_set_str(o, "why", l->why);
    js_set_bool(o, "critical", l->is_critical);
    for (size_t i = 0; i < l->count; i++) {
        struct js *row = js_object();

        js_set_int(row, "number", (int64_t)l->rows[i].number);
        js_set_hex(row, "sha256", span_of(l->rows[i].sha256, HASH_LEN));
        js_set_int(row, "longest", (int64_t)l->rows[i].longest);
        js_set_int(row, "at", l->rows[i].at_s);
        js_set(files, l->rows[i].name, row);
    }
    js_set(o, "files", files);
    buf_init(&text, LEDGER_MAX);
    js_write_pretty(o, &text);
    buf_put_u8(&text, '\n');
    e = buf_end(&text) != OK ? fault_set(f, ERR_TOO_LARGE, "%s: too many files", l->path)
                             : file_replace(l->path, buf_span(&text), 0600, f);
    buf_free(&text);
    js_free(o);
    return e;
}
