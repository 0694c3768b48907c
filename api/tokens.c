/* SPDX-License-Identifier: Apache-2.0 */
/* tokens: the list, making one, deleting one. The secret is made here, shown once in the answer and kept
 * nowhere: what goes to the ca is its hash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"

#define DAYS_DEFAULT 90 /* a season: long enough to forget nobody, short enough to be looked at again */

/* ---- as JSON ---- */

static struct js *list_json(const struct scope_list *l)
{
    struct js *a = js_array();
    const char *item;

    for (size_t at = 0; (item = scope_next(l, &at)) != NULL;)
        js_push_str(a, item);
    return a;
}

static void set_time(struct js *o, const char *name, int64_t at_s)
{
    if (at_s == NO_TIME)
        js_set_null(o, name);
    else
        js_set_time(o, name, at_s);
}

static const char *status_of(const struct token *k, int64_t now_s)
{
    return k->deleted_at_s != NO_TIME ? "deleted" : k->expires_at_s <= now_s ? "expired" : "valid";
}

static struct js *token_json(const struct token *k, int64_t now_s)
{
    struct js *o = js_object();

    js_set_hex(o, "id", span_of(k->hash, TOKEN_ID_LEN));
    js_set_str(o, "status", status_of(k, now_s));
    js_set_str(o, "role", access_role_name(k->role));
    js_set(o, "profiles", list_json(&k->scope.profiles));
    js_set(o, "names", list_json(&k->scope.names));
    js_set(o, "issuers", list_json(&k->scope.issuers));
    js_set_str(o, "created_by", k->created_by);
    js_set_time(o, "created_at", k->created_at_s);
    js_set_time(o, "expires_at", k->expires_at_s);
    set_time(o, "last_used", k->used_at_s);
    set_time(o, "deleted_at", k->deleted_at_s);
    return o;
}

/* ---- the list ---- */

struct token_page {
    struct js *items;
    int64_t now_s;
};

static bool add_item(const struct token *k, void *arg)
{
    struct token_page *p = arg;

    js_push(p->items, token_json(k, p->now_s));
    return true;
}

void tokens_get(struct call *c)
{
    struct token_page page = {.now_s = c->api->now_s()};
    struct view *v;
    enum err e;

    if (!call_query(c, NULL))
        return;
    v = call_view(c);
    if (v == NULL)
        return;
    page.items = js_array();
    e = token_each(v, add_item, &page);
    view_close(v);
    if (e == OK)
        return paged_reply_whole(c, page.items);
    paged_fail(c, e, page.items, "", NULL);
}

/* ---- making one ---- */

static const char *read_list(const struct js *v, struct scope_list *out)
{
    if (!js_is_array(v))
        return "\"profiles\", \"names\" and \"issuers\" are lists.";
    for (size_t i = 0; i < js_len(v); i++) {
        const char *item = js_str(js_at(v, i));

        if (item == NULL || !scope_add(out, item))
            return "An item of a list is ASCII without blanks; one list has at most 512 octets.";
    }
    return NULL;
}
_Static_assert(SCOPE_TEXT_MAX == 512, "as the text says");

static const char *read_role(const struct js *v, struct token *out)
{
    const char *text = js_str(v);

    return text != NULL && access_role_parse(text, &out->role) ? NULL : "\"role\" is " ACCESS_ROLES_TEXT ".";
}

static const char *read_days(const struct js *v, struct token *out)
{
    int64_t days;

    if (!js_int(v, &days) || days < 1 || days > TOKEN_DAYS_MAX)
        return "\"days\" is a whole number from 1 to 3650.";
    out->expires_at_s = out->created_at_s + days * DAY_S;
    return NULL;
}
_Static_assert(TOKEN_DAYS_MAX == 3650, "as the text says");

static const char *read_member(const char *name, const struct js *v, struct token *out)
{
    if (strcmp(name, "role") == 0)
        return read_role(v, out);
    if (strcmp(name, "days") == 0)
        return read_days(v, out);
    if (strcmp(name, "profiles") == 0)
        return read_list(v, &out->scope.profiles);
    if (strcmp(name, "names") == 0)
        return read_list(v, &out->scope.names);
    if (strcmp(name, "issuers") == 0)
        return read_list(v, &out->scope.issuers);
    return "The body has \"role\", and perhaps \"profiles\", \"names\", \"issuers\" and \"days\", nothing "
           "else.";
}

/* What is wrong with it, or NULL. */
static const char *read_body(const struct js *body, void *out)
{
    const char *wrong = NULL;

    if (!js_is_object(body) || js_get(body, "role") == NULL)
        return "The body is an object with a \"role\".";
    for (size_t i = 0; i < js_len(body) && wrong == NULL; i++)
        wrong = read_member(js_name_at(body, i), js_value_at(body, i), out);
    return wrong;
}

struct making {
    struct call *call;
    struct token token;
    char secret[SECRET_TEXT_MAX];
};

static void making_free(struct making *m)
{
    explicit_bzero(m->secret, sizeof m->secret);
    free(m);
}

static void on_made(struct answer *a, void *arg)
{
    struct making *m = arg;
    struct js *o;

    if (a->err != OK) {
        call_refused(m->call, a, NULL);
        return making_free(m);
    }
    snprintf(m->token.created_by, sizeof m->token.created_by, "%s", m->call->login.who.name);
    o = token_json(&m->token, m->call->api->now_s());
    js_set_str(o, "token", m->secret);
    call_json(m->call, 201, o, NULL);
    making_free(m);
}

static void make(struct call *c, struct token *k)
{
    struct making *m = xcalloc(1, sizeof *m);
    struct buf message;

    m->call = c;
    secret_new(m->secret);
    secret_hash(m->secret, k->hash);
    m->token = *k;
    call_question(c, &message);
    buf_put(&message, k->hash, HASH_LEN);
    buf_put_u8(&message, (uint8_t)k->role);
    buf_put_i64(&message, k->expires_at_s);
    scope_write(&message, &k->scope);
    if (!call_ask(c, ASK_TOKEN_CREATE, &message, on_made, m))
        making_free(m);
}

/* A scope that names an issuer which is not there covers nothing: a mistake, said before the secret is.
 * False, and answered. */
static bool issuers_are_there(struct call *c, const struct scope_list *l)
{
    struct view *v = l->len > 0 ? call_view(c) : NULL;
    struct issuer i;
    const char *id;
    enum err e = OK;

    if (v == NULL)
        return l->len == 0;
    for (size_t at = 0; e == OK && (id = scope_next(l, &at)) != NULL;)
        e = issuer_find(v, id, &i);
    if (e == ERR_NOT_FOUND)
        call_problem(c, ERR_MALFORMED, NULL, "There is no issuer \"%s\".", id);
    else if (e != OK)
        call_unreadable(c);
    view_close(v);
    return e == OK;
}

void tokens_post(struct call *c)
{
    struct token k = {.used_at_s = NO_TIME, .deleted_at_s = NO_TIME, .created_at_s = c->api->now_s()};

    k.expires_at_s = k.created_at_s + DAYS_DEFAULT * DAY_S;
    if (call_query(c, NULL) && call_body(c, read_body, &k) && issuers_are_there(c, &k.scope.issuers))
        make(c, &k);
}

/* ---- deleting one ---- */

static void on_deleted(struct answer *a, void *arg)
{
    struct call *c = arg;
    uint8_t id[TOKEN_ID_LEN];
    struct token k;
    struct view *v;

    if (a->err != OK)
        return call_refused(c, a, NULL);
    v = call_view(c);
    if (v == NULL)
        return;
    if (hex_decode(c->arg, id, sizeof id) && token_find_id(v, id, &k) == OK)
        call_json(c, 200, token_json(&k, c->api->now_s()), NULL);
    else
        call_problem(c, ERR_INTERNAL, NULL, "the store does not show token %s", c->arg);
    view_close(v);
}

void token_delete_call(struct call *c)
{
    uint8_t id[TOKEN_ID_LEN];
    struct buf message;

    if (!call_query(c, NULL))
        return;
    if (strlen(c->arg) != 2 * TOKEN_ID_LEN || !hex_decode(c->arg, id, sizeof id))
        return call_problem(c, ERR_NOT_FOUND, NULL, "There is no such token.");
    call_question(c, &message);
    buf_put(&message, id, sizeof id);
    (void)call_ask(c, ASK_TOKEN_DELETE, &message, on_deleted, c);
}
