/* SPDX-License-Identifier: Apache-2.0 */
/* permit_list: the permit list over HTTP. Whoever changes it from a network address is kept from shutting
 * himself out; over the control socket everything can be put right. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

static struct js *permit_json(const struct permit *p)
{
    char range[ADDRESS_TEXT_MAX];
    struct js *o = js_object();

    address_range_text(&p->range, range);
    js_set_str(o, "range", range);
    js_set_str(o, "listener", permit_listener_name(p->listener));
    js_set_str(o, "role", p->role == ACCESS_NOBODY ? NULL : access_role_name(p->role));
    js_set_str(o, "created_by", p->is_damaged ? NULL : p->created_by);
    if (p->is_damaged)
        js_set_str(o, "created_at", NULL);
    else
        js_set_time(o, "created_at", p->created_at_s);
    return o;
}

struct listing {
    struct js *items;
    bool has_damaged;
};

static bool add_item(const struct permit *p, void *arg)
{
    struct listing *l = arg;

    l->has_damaged = l->has_damaged || p->is_damaged;
    js_push(l->items, permit_json(p));
    return true;
}

/* Damaged lines are shown, so that they can be removed; what nobody could name is an error when they are
 * gone.
 */
void permits_get(struct call *c)
{
    struct listing l = {.has_damaged = false};
    struct view *v;
    enum err e;

    if (!call_query(c, NULL))
        return;
    v = call_view(c);
    if (v == NULL)
        return;
    l.items = js_array();
    e = permit_each(v, add_item, &l);
    view_close(v);
    if (e == OK || (e == ERR_INTERNAL && l.has_damaged))
        return paged_reply_whole(c, l.items);
    paged_fail(c, e, l.items, "",
               e == ERR_INTERNAL
                   ? "The permit list has a damaged row that names no line: the log has its key."
                   : NULL);
}

/* ---- what is asked for ---- */

/* Absent or empty texts: listener https, every role. What is wrong, or NULL. */
static const char *read_line(const char *range, const char *listener, const char *role, struct permit *out)
{
    *out = (struct permit){.listener = PERMIT_HTTPS};
    if (range == NULL || !address_range_parse(range, &out->range))
        return "\"range\" is an address or a CIDR range such as 192.0.2.0/24 or 2001:db8::/32, with no bit "
               "set "
               "beyond its prefix.";
    if (listener != NULL && listener[0] != '\0' && !permit_listener_parse(listener, &out->listener))
        return "\"listener\" is http or https.";
    if (role != NULL && role[0] != '\0' && !access_role_parse(role, &out->role))
        return "\"role\" is " ACCESS_ROLES_TEXT ".";
    if (out->listener == PERMIT_HTTP && out->role != ACCESS_NOBODY)
        return "Nobody logs in over http: a role goes with https.";
    return NULL;
}

/* ---- would he shut himself out? ---- */

struct survey {
    const struct permit *changed; /* the line to come or to go */
    bool adds;
    enum access_role role; /* lines of this one count */
    const struct address *ip;
    bool is_closed, is_named;
};

static void count_line(struct survey *s, const struct permit *p)
{
    if (p->listener != PERMIT_HTTPS || p->role != s->role)
        return;
    s->is_closed = true;
    s->is_named = s->is_named || address_range_has(&p->range, s->ip);
}

static bool is_same(const struct permit *a, const struct permit *b)
{
    return a->listener == b->listener && a->role == b->role && a->range.bits == b->range.bits &&
           memcmp(&a->range.base, &b->range.base, sizeof a->range.base) == 0;
}

static bool survey_line(const struct permit *p, void *arg)
{
    struct survey *s = arg;

    if (s->adds || !is_same(p, s->changed))
        count_line(s, p);
    return true;
}

static bool shuts_out(struct call *c, struct view *v, const struct permit *p, bool adds,
                      enum access_role role)
{
    const struct http_peer *peer = http_peer(c->request);
    struct survey s = {.changed = p, .adds = adds, .role = role, .ip = &peer->ip};

    if (peer->is_unix)
        return false;
    (void)permit_each(v, survey_line, &s); /* of a damaged list, what can be read */
    if (adds)
        count_line(&s, p);
    return s.is_closed && !s.is_named;
}

/* ---- changing it ---- */

struct change {
    struct call *call;
    struct permit permit;
    bool adds;
};

static void on_changed(struct answer *a, void *arg)
{
    struct change *x = arg;

    if (a->err != OK) {
        call_refused(x->call, a, NULL);
    } else {
        snprintf(x->permit.created_by, sizeof x->permit.created_by, "%s", x->call->login.who.name);
        x->permit.created_at_s = x->call->api->now_s();
        call_json(x->call, x->adds ? 201 : 200, permit_json(&x->permit), NULL);
    }
    free(x);
}

static void change(struct call *c, const struct permit *p, bool adds)
{
    struct change *x = xcalloc(1, sizeof *x);
    struct buf message;

    *x = (struct change){.call = c, .permit = *p, .adds = adds};
    call_question(c, &message);
    buf_put_u8(&message, (uint8_t)p->listener);
    buf_put_u8(&message, (uint8_t)p->role);
    buf_put(&message, p->range.base.octets, sizeof p->range.base.octets);
    buf_put_u8(&message, p->range.bits);
    if (!call_ask(c, adds ? ASK_PERMIT_ADD : ASK_PERMIT_REMOVE, &message, on_changed, x))
        free(x);
}

static void change_safely(struct call *c, const struct permit *p, bool adds)
{
    struct view *v = call_view(c);
    bool is_unsafe;

    if (v == NULL)
        return;
    is_unsafe = shuts_out(c, v, p, adds, ACCESS_NOBODY) || shuts_out(c, v, p, adds, c->login.who.role);
    view_close(v);
    if (is_unsafe)
        return call_problem(
            c, ERR_CONFLICT, NULL,
            "That would shut out the address it is asked from. Permit %s first, or use the control "
            "socket.",
            http_peer(c->request)->address);
    change(c, p, adds);
}

/* A member that is there says something: what is no text, or an empty one, is not "left out", which would
 * make the line a wider one. */
static const char *check_member(const char *name, const struct js *v)
{
    const char *text = js_str(v);

    if (strcmp(name, "range") != 0 && strcmp(name, "listener") != 0 && strcmp(name, "role") != 0)
        return "The body has \"range\", and perhaps \"listener\" and \"role\", nothing else.";
    if (!js_is_null(v) && (text == NULL || text[0] == '\0'))
        return "\"range\", \"listener\" and \"role\" are texts; the last two may be null or left out.";
    return NULL;
}

static const char *read_body(const struct js *body, void *out)
{
    const char *wrong = NULL;

    for (size_t i = 0; i < js_len(body) && js_is_object(body) && wrong == NULL; i++)
        wrong = check_member(js_name_at(body, i), js_value_at(body, i));
    if (wrong != NULL)
        return wrong;
    return read_line(js_str(js_get(body, "range")), js_str(js_get(body, "listener")),
                     js_str(js_get(body, "role")), out);
}

void permits_post(struct call *c)
{
    struct permit p;

    if (call_query(c, NULL) && call_body(c, read_body, &p))
        change_safely(c, &p, true);
}

void permits_delete(struct call *c)
{
    char range[ADDRESS_TEXT_MAX], listener[16], role[32];
    const struct call_param params[] = {{"range", range, sizeof range},
                                        {"listener", listener, sizeof listener},
                                        {"role", role, sizeof role},
                                        {NULL}};
    struct permit p;
    const char *wrong;

    if (!call_query(c, params))
        return;
    wrong = read_line(range, listener, role, &p);
    if (wrong != NULL)
        return call_problem(c, ERR_MALFORMED, NULL, "%s", wrong);
    change_safely(c, &p, false);
}
