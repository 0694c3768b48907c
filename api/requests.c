/* SPDX-License-Identifier: Apache-2.0 */
/* requests: what waits for an approval: the list, one of them, and the two decisions. The ca decides whether
 * they are allowed; its answer is on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"
#include "base/utf8.h"

#define CERTIFICATES "/api/v1/certificates/"

/* ---- as JSON ---- */

static const char *const states[] = {[REQUEST_PENDING] = "pending",
                                     [REQUEST_APPROVED] = "approved",
                                     [REQUEST_DENIED] = "denied",
                                     [REQUEST_EXPIRED] = "expired"};

static void set_decision(struct js *o, const struct request *r)
{
    char hex[SERIAL_HEX_LEN + 1], path[sizeof CERTIFICATES + SERIAL_HEX_LEN];
    bool is_decided = r->decided_at_s != NO_TIME, is_issued = r->state == REQUEST_APPROVED;

    hex_encode(span_of(r->serial, SERIAL_LEN), hex);
    snprintf(path, sizeof path, CERTIFICATES "%s", hex);
    if (is_decided)
        js_set_time(o, "decided_at", r->decided_at_s);
    else
        js_set_null(o, "decided_at");
    js_set_str(o, "decided_by", is_decided ? r->decided_by : NULL);
    if (r->state == REQUEST_DENIED)
        js_set_span(o, "reason", r->reason);
    else
        js_set_null(o, "reason");
    js_set_str(o, "serial", is_issued ? hex : NULL);
    js_set_str(o, "certificate", is_issued ? path : NULL);
}

/* What was asked for: NULL for facts that another version of this program has written. */
static struct js *asked_json(const struct request *r, struct buf *pem)
{
    struct san *sans = xcalloc(SAN_COUNT_MAX, sizeof *sans);
    struct rd rd = rd_of(r->facts);
    struct js *o = NULL;
    struct facts f;

    if (facts_read(&rd, &f, sans) && rd_done(&rd)) {
        o = facts_json(&f);
        if (pem != NULL)
            pem_put(pem, "CERTIFICATE REQUEST", f.csr);
    }
    free(sans);
    return o;
}

static void copy_member(struct js *o, const char *name, const struct js *from)
{
    const struct js *v = js_get(from, name);

    if (v != NULL)
        js_set(o, name, js_copy(v));
    else
        js_set_null(o, name);
}

/* `asked` may be NULL. The state is the one on record: past its end a request is pending until the ca marks
 * it, which alone knows whether the clock is to be believed. */
static struct js *item_json(const struct request *r, const struct js *asked)
{
    static const char *const copied[] = {"subject", "cn", "sans", "key"};
    struct js *o = js_object();

    js_set_hex(o, "request", span_of(r->id, REQUEST_ID_LEN));
    js_set_str(o, "status", states[r->state]);
    js_set_str(o, "profile", r->profile);
    if (r->days > 0)
        js_set_int(o, "days", r->days);
    else
        js_set_null(o, "days");
    js_set_str(o, "asker", r->asker);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        copy_member(o, copied[i], asked);
    js_set_time(o, "asked_at", r->asked_at_s);
    js_set_time(o, "expires_at", r->expires_at_s);
    set_decision(o, r);
    return o;
}

static struct js *findings_of(const struct request *r)
{
    struct rd rd = rd_of(r->findings);
    struct findings fs = {0};
    struct js *list;

    if (!findings_read(&rd, &fs))
        return js_array(); /* rules of another version */
    list = findings_json(&fs);
    findings_free(&fs);
    return list;
}

static struct js *full_json(const struct request *r)
{
    struct buf pem;
    struct js *asked, *o;

    buf_init(&pem, PEM_MAX);
    asked = asked_json(r, &pem);
    o = item_json(r, asked);
    if (asked != NULL && buf_end(&pem) == OK)
        js_set_span(o, "csr", buf_span(&pem));
    else
        js_set_null(o, "csr");
    if (asked != NULL)
        js_set(o, "decoded", asked);
    else
        js_set_null(o, "decoded");
    js_set(o, "findings", findings_of(r));
    buf_free(&pem);
    return o;
}

void requests_reply_pending(struct call *c, const uint8_t id[static REQUEST_ID_LEN])
{
    char hex[2 * REQUEST_ID_LEN + 1], path[64 + 2 * REQUEST_ID_LEN];
    struct http_field more[] = {
        {"Location", path}, {"Retry-After", "60"}, {NULL, NULL}}; /* a minute: people decide */
    struct view *v = call_view(c);
    struct request r;
    struct js *o;

    if (v == NULL)
        return;
    hex_encode(span_of(id, REQUEST_ID_LEN), hex);
    snprintf(path, sizeof path, "/api/v1/requests/%s", hex);
    if (request_find(v, id, &r) != OK) {
        call_problem(c, ERR_INTERNAL, NULL, "request %s waits, and the store does not show it", hex);
    } else {
        o = js_object();
        js_set_str(o, "request", hex);
        js_set_str(o, "status", states[REQUEST_PENDING]);
        js_set_time(o, "expires_at", r.expires_at_s);
        js_set(o, "findings", findings_of(&r));
        call_json(c, 202, o, more);
    }
    view_close(v);
}

/* ---- the list ---- */

/* Octets of facts on one page: a request may hold 64 KiB of names, and a thousand of those would be more than
 * one answer. A page that is full goes on behind its cursor. */
#define PAGE_FACTS_MAX (4u * 1024 * 1024)

struct request_page {
    struct paged_rows rows;
    struct request_query query;
    struct view *view;
    size_t facts_len;
    const struct scope *scope;
    const struct ca_config *ca;
    struct js *items;
};

static bool add_item(const struct request *r, void *arg)
{
    struct request_page *p = arg;
    bool is_shown = scope_has_request(p->scope, p->ca, r);
    struct js *asked;

    if (is_shown && !p->rows.is_probe) {
        asked = asked_json(r, NULL);
        js_push(p->items, item_json(r, asked));
        js_free(asked);
    }
    p->facts_len += r->facts.len;
    return paged_row(&p->rows, is_shown) && p->facts_len < PAGE_FACTS_MAX;
}

static enum err list_from(void *arg, const char *after, char next[static CURSOR_MAX])
{
    struct request_page *p = arg;

    p->query.after = after;
    p->query.limit = p->rows.batch;
    return request_list(p->view, &p->query, add_item, p, next);
}

static bool read_state(const char *text, enum request_state *out)
{
    *out = REQUEST_ANY;
    if (text[0] == '\0')
        return true;
    for (enum request_state s = REQUEST_PENDING; s <= REQUEST_EXPIRED; s++)
        if (strcmp(states[s], text) == 0)
            *out = s;
    return *out != REQUEST_ANY;
}

void requests_get(struct call *c)
{
    char status[16], limit[8], after[CURSOR_MAX];
    const struct call_param params[] = {{"status", status, sizeof status},
                                        {"limit", limit, sizeof limit},
                                        {"after", after, sizeof after},
                                        {NULL}};
    struct request_page page = {.scope = &c->login.who.scope, .ca = &c->api->config->ca};
    char next[CURSOR_MAX];
    enum err e;

    if (!call_query(c, params))
        return;
    if (!read_state(status, &page.query.state))
        return call_problem(c, ERR_MALFORMED, NULL, "\"status\" is pending, approved, denied or expired.");
    if (!paged_limit(limit, LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX, &page.rows.wanted))
        return call_problem(c, ERR_MALFORMED, NULL, "\"limit\" is a whole number from 1 to %u.",
                            LIST_LIMIT_MAX);
    page.view = call_view(c);
    if (page.view == NULL)
        return;
    page.items = js_array();
    e = paged_fill(c, &page.rows, paged_given(after), list_from, &page, next);
    view_close(page.view);
    if (e == OK)
        return paged_reply(c, "/api/v1/requests", params, page.items, next);
    paged_fail(c, e, page.items, next, NULL);
}

/* ---- one ---- */

/* False, and answered, when the path holds no id of ours or the query anything. */
static bool read_id(struct call *c, uint8_t id[static REQUEST_ID_LEN])
{
    if (!call_query(c, NULL))
        return false;
    if (strlen(c->arg) == 2 * REQUEST_ID_LEN && hex_decode(c->arg, id, REQUEST_ID_LEN))
        return true;
    call_problem(c, ERR_NOT_FOUND, NULL, "There is no such request.");
    return false;
}

static void reply_one(struct call *c, const uint8_t id[static REQUEST_ID_LEN])
{
    struct view *v = call_view(c);
    struct request r;
    enum err e;

    if (v == NULL)
        return;
    e = request_find(v, id, &r);
    if (e == OK && !scope_has_request(&c->login.who.scope, &c->api->config->ca, &r))
        e = ERR_NOT_FOUND;
    if (e == OK)
        call_json(c, 200, full_json(&r), NULL);
    else if (e == ERR_NOT_FOUND)
        call_problem(c, e, NULL, "There is no such request.");
    else
        call_unreadable(c);
    view_close(v);
}

void request_get(struct call *c)
{
    uint8_t id[REQUEST_ID_LEN];

    if (read_id(c, id))
        reply_one(c, id);
}

/* ---- decisions ---- */

static void reply_decided(struct call *c)
{
    uint8_t id[REQUEST_ID_LEN];

    if (!hex_decode(c->arg, id, REQUEST_ID_LEN))
        die("an id was read once and not twice");
    reply_one(c, id);
}

static void on_approved(struct answer *a, void *arg)
{
    struct call *c = arg;
    struct findings fs = {0};

    answer_findings(a, &fs);
    if (a->err != OK) {
        call_refused(c, a, &fs);
    } else {
        c->api->stats.issued++;
        reply_decided(c);
    }
    findings_free(&fs);
}

static void on_denied(struct answer *a, void *arg)
{
    struct call *c = arg;

    if (a->err != OK)
        return call_refused(c, a, NULL);
    reply_decided(c);
}

/* `reason` NULL: an approval. */
static void ask(struct call *c, const uint8_t id[static REQUEST_ID_LEN], const char *reason)
{
    struct buf message;

    call_question(c, &message);
    buf_put(&message, id, REQUEST_ID_LEN);
    if (reason != NULL)
        buf_put_blob(&message, span_str(reason));
    (void)call_ask(c, reason != NULL ? ASK_DENY : ASK_APPROVE, &message,
                   reason != NULL ? on_denied : on_approved, c);
}

/* Nothing, or an object without members, however it is spaced: programs write one, and end its line. */
static bool is_empty(struct span body)
{
    struct js *v = NULL;
    bool says_nothing =
        body.len == 0 || (js_parse(body, &v, NULL) == OK && js_is_object(v) && js_len(v) == 0);

    js_free(v);
    return says_nothing;
}

void request_approval_post(struct call *c)
{
    uint8_t id[REQUEST_ID_LEN];

    if (!read_id(c, id))
        return;
    if (!is_empty(http_body(c->request)))
        return call_problem(c, ERR_MALFORMED, NULL, "An approval has an empty body, or {}.");
    ask(c, id, NULL);
}

/* One line of text: it is shown to people and stands in the audit. */
static bool is_reason(const char *text)
{
    struct span s = span_str(text);
    uint32_t code;
    size_t n;

    if (s.len == 0 || s.len >= REQUEST_REASON_MAX)
        return false;
    for (; s.len > 0; s = span_of(s.data + n, s.len - n)) {
        n = utf8_next(s, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
            return false;
    }
    return true;
}

void request_denial_post(struct call *c)
{
    uint8_t id[REQUEST_ID_LEN];
    struct js *body = NULL;
    struct fault f = {0};
    const char *reason;

    if (!read_id(c, id))
        return;
    if (js_parse(http_body(c->request), &body, &f) != OK)
        return call_problem(c, ERR_MALFORMED, NULL, "%s", f.detail);
    reason = js_str(js_get(body, "reason"));
    if (reason != NULL && js_len(body) == 1 && is_reason(reason))
        ask(c, id, reason);
    else
        call_problem(c, ERR_MALFORMED, NULL,
                     "The body is an object with a \"reason\" alone: one line of 1 to %u octets.",
                     REQUEST_REASON_MAX - 1);
    js_free(body);
}
