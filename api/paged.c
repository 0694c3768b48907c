/* SPDX-License-Identifier: Apache-2.0 */
/* paged: what every list over HTTP has in common: its limit, its cursor, its answer and its failures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/fetch.h"

#define LINK_MAX (16u * 1024) /* octets: nine texts, three octets for each that is escaped */

const char *paged_given(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

bool paged_limit(const char *text, unsigned preset, unsigned most, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = text[0] == '\0' ? preset : (unsigned)n;
    return text[0] == '\0' || (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n >= 1 && n <= most);
}

/* RFC 8288: the same query with the next cursor. */
static void put_link(const char *path, const struct call_param *asked, const char *next, struct buf *out)
{
    buf_printf(out, "<%s", path);
    for (; asked->name != NULL; asked++)
        if (strcmp(asked->name, "after") != 0)
            fetch_query(out, asked->name, paged_given(asked->text));
    fetch_query(out, "after", next);
    buf_put_str(out, ">; rel=\"next\"");
    buf_put_u8(out, '\0');
}

void paged_reply(struct call *c, const char *path, const struct call_param *asked, struct js *items,
                 const char *next)
{
    struct http_field link[] = {{"Link", NULL}, {NULL, NULL}};
    struct js *o = js_object();
    struct buf text;

    buf_init(&text, LINK_MAX);
    js_set(o, "items", items);
    js_set_str(o, "next", paged_given(next));
    if (next[0] != '\0')
        put_link(path, asked, next, &text);
    link[0].value = (const char *)text.data;
    call_json(c, 200, o, next[0] != '\0' && buf_end(&text) == OK ? link : NULL);
    buf_free(&text);
}

void paged_reply_whole(struct call *c, struct js *items)
{
    paged_reply(c, NULL, NULL, items, "");
}

/* ---- what a scope hides ---- */

/* Rows looked at for one page, in batches of LIST_LIMIT_MAX: each batch may visit ten times as many in the
 * store, some 30 ms. */
#define OFFERED_MAX (4 * LIST_LIMIT_MAX)

bool paged_row(struct paged_rows *p, bool is_covered)
{
    p->offered++;
    p->shown += is_covered;
    return p->shown < p->wanted;
}

/* Batch after batch, until the page is full or the list has another reason to stop. A damaged row ends the
 * page that has rows, and is the first of the next. */
static enum err fill(struct paged_rows *p, const char *after, paged_list *list, void *arg,
                     char next[static CURSOR_MAX])
{
    char at[CURSOR_MAX] = "";
    unsigned before;
    enum err e;

    do {
        before = p->offered;
        e = list(arg, after, next);
        if (e == ERR_INTERNAL && next[0] != '\0' && p->shown > 0) {
            strcpy(next, at);
            return OK;
        }
        after = strcpy(at, next);
    } while (e == OK && next[0] != '\0' && p->shown < p->wanted && p->offered - before == LIST_LIMIT_MAX &&
             p->offered < OFFERED_MAX);
    return e;
}

/* A full page whose cursor leads to hidden rows alone is the last one. */
static enum err probe(struct paged_rows *p, paged_list *list, void *arg, char next[static CURSOR_MAX])
{
    char beyond[CURSOR_MAX];
    enum err e;

    p->is_probe = true;
    p->wanted++;
    e = list(arg, next, beyond);
    if (e == ERR_INTERNAL && beyond[0] != '\0')
        return OK; /* that is what follows */
    if (e == OK && p->shown < p->wanted && beyond[0] == '\0')
        next[0] = '\0';
    return e;
}

static enum err fill_covered(struct call *c, struct paged_rows *p, const char *after, paged_list *list,
                             void *arg, char next[static CURSOR_MAX])
{
    const char *who = c->login.who.name;
    char at[CURSOR_MAX];
    enum err e;

    snprintf(at, sizeof at, "%s", after != NULL ? after : "");
    if (after != NULL && !veil_take(c->api->veil_key, who, at))
        return ERR_MALFORMED;
    p->batch = LIST_LIMIT_MAX;
    e = fill(p, paged_given(at), list, arg, next);
    if (e == OK && next[0] != '\0' && p->shown == p->wanted)
        e = probe(p, list, arg, next);
    if (next[0] != '\0')
        veil_put(c->api->veil_key, who, next);
    return e;
}

enum err paged_fill(struct call *c, struct paged_rows *p, const char *after, paged_list *list, void *arg,
                    char next[static CURSOR_MAX])
{
    p->batch = p->wanted;
    next[0] = '\0';
    return scope_is_any(&c->login.who.scope) ? list(arg, after, next)
                                             : fill_covered(c, p, after, list, arg, next);
}

/* ERR_MALFORMED comes of a cursor alone: the other filters were read before the store was asked. */
void paged_fail(struct call *c, enum err e, struct js *items, const char *next, const char *unreadable)
{
    js_free(items);
    if (e == ERR_INTERNAL && next[0] != '\0')
        call_damaged(c, next);
    else if (e == ERR_MALFORMED)
        call_problem(c, e, NULL, "\"after\" is no cursor of this query.");
    else if (unreadable != NULL)
        call_problem(c, ERR_UNAVAILABLE, NULL, "%s", unreadable);
    else
        call_unreadable(c);
}
