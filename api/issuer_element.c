/* SPDX-License-Identifier: Apache-2.0 */
/* issuer_element: see the header. Edits are gathered first, then made in one copy of the text. */
#include "api/issuer_element.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xml_tag.h"

#define EDITS_MAX 16u /* four attributes and every <responder> that the schema permits */
#define VALUE_MAX (ISSUER_ID_MAX + 32u)

/* Where an element lies, and what is to be changed in a copy of it. */
struct element {
    struct xml_tag tag;
    size_t from, to; /* octets of the settings, with its end tag */
};

struct edit {
    struct span old; /* octets of the settings */
    char text[VALUE_MAX];
};

struct edits {
    struct edit items[EDITS_MAX];
    size_t count;
};

static bool is_named(const struct xml_tag *t, const char *name)
{
    return span_eq(t->name, span_str(name));
}

/* The element whose tag was read last, to its end. */
static bool element_end(struct span settings, size_t at, struct element *e)
{
    struct xml_tag t;
    unsigned depth = 1;

    e->from = (size_t)(e->tag.whole.data - settings.data);
    e->to = at;
    for (depth = e->tag.kind == XML_OPEN; depth > 0; e->to = at) {
        if (!xml_tag_next(settings, &at, &t))
            return false;
        if (t.kind != XML_EMPTY)
            depth = t.kind == XML_OPEN ? depth + 1 : depth - 1;
    }
    return true;
}

static bool element_find(struct span settings, const char *id, struct element *e)
{
    struct xml_tag_attr attr;
    size_t at = 0;

    while (xml_tag_next(settings, &at, &e->tag))
        if (e->tag.kind != XML_CLOSE && is_named(&e->tag, "issuer") && xml_tag_attr(&e->tag, "id", &attr) &&
            span_eq(attr.value, span_str(id)))
            return element_end(settings, at, e);
    return false;
}

/* ---- changes ---- */

/* Blanks that stand in front of an octet, as far back as `least`. */
static size_t blanks_before(struct span settings, size_t at, size_t least)
{
    while (at > least && strchr(" \t\r\n", settings.data[at - 1]) != NULL)
        at--;
    return at;
}

static void edit_add(struct edits *es, struct span old, const char *text)
{
    struct edit *e = &es->items[es->count];

    if (es->count == EDITS_MAX)
        return;
    es->count++;
    e->old = old;
    snprintf(e->text, sizeof e->text, "%s", text);
}

static bool set_attr(struct edits *es, const struct xml_tag *t, const char *name, const char *fmt,
                     const char *id)
{
    struct xml_tag_attr attr;
    char value[VALUE_MAX];

    snprintf(value, sizeof value, fmt, id);
    if (!xml_tag_attr(t, name, &attr))
        return false;
    edit_add(es, attr.value, value);
    return true;
}

/* Each <responder>, with the blanks in front of it. */
static void drop_responders(struct span settings, const struct element *e, struct edits *es)
{
    size_t at = e->from + e->tag.whole.len;
    struct element r;

    while (at < e->to && xml_tag_next(settings, &at, &r.tag)) {
        if (r.tag.kind == XML_CLOSE || !is_named(&r.tag, "responder") || !element_end(settings, at, &r))
            continue;
        r.from = blanks_before(settings, r.from, e->from);
        edit_add(es, span_of(settings.data + r.from, r.to - r.from), "");
        at = r.to;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct edit *x = a, *y = b;

    return x->old.data < y->old.data ? -1 : x->old.data > y->old.data;
}

static void put_edited(struct buf *out, struct span text, struct edits *es)
{
    const uint8_t *at = text.data, *end = text.data + text.len;

    qsort(es->items, es->count, sizeof *es->items, by_place);
    for (size_t i = 0; i < es->count; i++) {
        buf_put(out, at, (size_t)(es->items[i].old.data - at));
        buf_put_str(out, es->items[i].text);
        at = es->items[i].old.data + es->items[i].old.len;
    }
    buf_put(out, at, (size_t)(end - at));
}

/* ---- the two elements ---- */

static enum err put_new(struct span settings, const struct element *e, const struct issuer_element *n,
                        struct buf *out, struct fault *f)
{
    struct edits es = {.count = 0};
    bool is_whole = set_attr(&es, &e->tag, "id", "%s", n->id) &&
                    set_attr(&es, &e->tag, "key", "file:keys/%s.key", n->id) &&
                    set_attr(&es, &e->tag, "ocsp-key", "file:keys/%s-ocsp.key", n->id) &&
                    (n->parent == NULL || set_attr(&es, &e->tag, "parent", "%s", n->parent));

    if (!is_whole)
        return fault_set(f, ERR_CONFLICT, "chancery.xml: an attribute of <issuer id=\"%s\"> is not found",
                         n->old);
    drop_responders(settings, e, &es);
    put_edited(out, span_of(settings.data + e->from, e->to - e->from), &es);
    return OK;
}

static void put_old(struct span settings, const struct element *e, struct buf *out)
{
    struct edits es = {.count = 0};
    struct xml_tag_attr issues;

    if (xml_tag_attr(&e->tag, "issues", &issues))
        edit_add(&es, issues.whole, "");
    put_edited(out, span_of(settings.data, e->to), &es);
}

enum err issuer_element_add(struct span settings, const struct issuer_element *n, struct buf *out,
                            struct fault *f)
{
    struct element e;
    size_t from;
    enum err err;

    if (!element_find(settings, n->old, &e))
        return fault_set(
            f, ERR_CONFLICT,
            "chancery.xml: <issuer id=\"%s\"> is not found: its id is to be written as it is, in "
            "UTF-8",
            n->old);
    put_old(settings, &e, out);
    from = blanks_before(settings, e.from, 0);
    buf_put(out, settings.data + from, e.from - from);
    err = put_new(settings, &e, n, out, f);
    buf_put(out, settings.data + e.to, settings.len - e.to);
    return err == OK ? buf_end(out) : err;
}
