/* SPDX-License-Identifier: Apache-2.0 */
/* trail: the audit over HTTP: pages of rows, each with the octets that its hash is of, and where the chain
 * ends. Whoever reads all of it can verify it without believing this process. */
#include <string.h>

#include "api/api.h"
#include "base/clock.h"

struct trail_filters {
    char kind[24], actor[PRINCIPAL_MAX], serial[64], since[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX], order[8],
        limit[8], after[CURSOR_MAX];
};

static bool read_time(const char *text, int64_t *out)
{
    *out = NO_TIME;
    return text[0] == '\0' || clock_parse_rfc3339(text, out);
}

/* What is wrong, for people; NULL: nothing. The query borrows from the filters. */
static const char *make_query(const struct trail_filters *f, uint8_t serial[static SERIAL_LEN],
                              struct audit_query *q)
{
    bool has_serial = f->serial[0] != '\0', is_oldest_first = strcmp(f->order, "oldest") == 0;

    *q = (struct audit_query){
        .actor = paged_given(f->actor), .is_oldest_first = is_oldest_first, .after = paged_given(f->after)};
    if (f->kind[0] != '\0' && (q->kind = audit_kind_find(f->kind)) == AUDIT_END)
        return "\"kind\" is no kind of act: issue, refuse, revoke and so on.";
    if (has_serial && (!serial_read(f->serial, serial) || f->serial[SERIAL_HEX_LEN] != '\0'))
        return "\"serial\" is a serial number of 38 hex digits.";
    q->serial = has_serial ? serial : NULL;
    if (!read_time(f->since, &q->since_s) || !read_time(f->until, &q->until_s))
        return "\"since\" and \"until\" are times such as 2026-01-31T12:00:00Z.";
    if (!is_oldest_first && f->order[0] != '\0' && strcmp(f->order, "newest") != 0)
        return "\"order\" is newest or oldest.";
    if (!paged_limit(f->limit, LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX, &q->limit))
        return "\"limit\" is a whole number from 1 to 1000.";
    return NULL;
}
_Static_assert(LIST_LIMIT_MAX == 1000, "as the text says");

/* ---- as JSON ---- */

/* `row` is what was hashed, as it lies in the store: the other members are read from it. */
static struct js *row_json(struct view *v, const struct audit_row *a)
{
    struct js *o = js_object();
    struct span octets = {0};

    js_set_int(o, "seq", (int64_t)a->seq);
    js_set_time(o, "time", a->at_s);
    js_set_str(o, "kind", audit_kind_name(a->kind));
    js_set_span(o, "actor", a->actor);
    if (a->has_serial)
        js_set_hex(o, "serial", span_of(a->serial, SERIAL_LEN));
    else
        js_set_null(o, "serial");
    js_set_span(o, "detail", a->detail);
    js_set_hex(o, "hash", span_of(a->hash, HASH_LEN));
    if (audit_octets(v, a->seq, &octets) == OK)
        js_set_hex(o, "row", octets);
    else
        js_set_null(o, "row");
    return o;
}

struct trail_page {
    struct js *items;
    struct view *view;
};

static bool add_item(const struct audit_row *a, void *arg)
{
    struct trail_page *p = arg;

    js_push(p->items, row_json(p->view, a));
    return true;
}

void trail_get(struct call *c)
{
    uint8_t serial[SERIAL_LEN];
    struct trail_filters f;
    const struct call_param params[] = {{"kind", f.kind, sizeof f.kind},
                                        {"actor", f.actor, sizeof f.actor},
                                        {"serial", f.serial, sizeof f.serial},
                                        {"since", f.since, sizeof f.since},
                                        {"until", f.until, sizeof f.until},
                                        {"order", f.order, sizeof f.order},
                                        {"limit", f.limit, sizeof f.limit},
                                        {"after", f.after, sizeof f.after},
                                        {NULL}};
    struct audit_query q;
    struct trail_page page;
    char next[CURSOR_MAX] = "";
    const char *wrong;
    enum err e;

    if (!call_query(c, params))
        return;
    wrong = make_query(&f, serial, &q);
    if (wrong != NULL)
        return call_problem(c, ERR_MALFORMED, NULL, "%s", wrong);
    page.view = call_view(c);
    if (page.view == NULL)
        return;
    page.items = js_array();
    e = audit_list(page.view, &q, add_item, &page, next);
    view_close(page.view);
    if (e == OK)
        return paged_reply(c, "/api/v1/audit", params, page.items, next);
    paged_fail(c, e, page.items, next,
               "The store cannot be read now; \"audit verify\" says whether rows are damaged.");
}

/* ---- the end of it ---- */

/* As the start read them: the file is none of those that this process may still open, and other keys are a
 * restart's. */
static void set_keys(struct js *o, const struct buf *pem)
{
    if (pem->len > 0)
        js_set_span(o, "seal_keys", buf_span(pem));
    else
        js_set_null(o, "seal_keys");
}

void trail_head_get(struct call *c)
{
    char mark[CHAIN_MARK_MAX];
    struct chain_mark head;
    struct view *v;
    struct js *o;

    if (!call_query(c, NULL))
        return;
    v = call_view(c);
    if (v == NULL)
        return;
    if (audit_head(v, &head) != OK) {
        call_unreadable(c);
    } else {
        chain_mark_write(&head, mark);
        o = js_object();
        js_set_int(o, "seq", (int64_t)head.seq);
        js_set_hex(o, "hash", span_of(head.hash, HASH_LEN));
        js_set_str(o, "head", head.seq > 0 ? mark : NULL);
        js_set_time(o, "time", c->api->now_s());
        set_keys(o, c->api->role->seal_pem);
        call_json(c, 200, o, NULL);
    }
    view_close(v);
}
