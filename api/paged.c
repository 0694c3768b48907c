/* SPDX-License-Identifier: Apache-2.0 */
/* paged: what every list over HTTP has in common: its limit, its cursor, its answer and its failures. */
#include <stdlib.h>

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
static void put_link(const char *path, const struct paged_param *asked, const char *next, struct buf *out)
{
    buf_printf(out, "<%s", path);
    for (; asked->name != NULL; asked++)
        fetch_query(out, asked->name, paged_given(asked->value));
    fetch_query(out, "after", next);
    buf_put_str(out, ">; rel=\"next\"");
    buf_put_u8(out, '\0');
}

void paged_reply(struct call *c, const char *path, const struct paged_param *asked, struct js *items,
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

/* ERR_MALFORMED comes of a cursor alone: the other filters were read before the store was asked. */
void paged_fail(struct call *c, enum err e, struct js *items, const char *unreadable)
{
    js_free(items);
    if (e == ERR_MALFORMED)
        call_problem(c, e, NULL, "\"after\" is no cursor of this query.");
    else
        call_problem(c, ERR_UNAVAILABLE, NULL, "%s",
                     unreadable != NULL ? unreadable : "The store cannot be read now.");
}
