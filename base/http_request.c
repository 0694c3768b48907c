/* SPDX-License-Identifier: Apache-2.0 */
/* http_request: what a handler asks of a request: target, query, header fields, body. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/http_inner.h"
#include "base/log.h"

/* Strings that accessors had to make: the first is an empty head, so that a const request can still add some.
 */
struct shelf {
    struct shelf *next;
    char text[];
};

static struct shelf *shelf_new(size_t len)
{
    return xcalloc(1, sizeof(struct shelf) + len + 1);
}

static char *shelf_add(struct shelf *head, size_t len)
{
    struct shelf *s = shelf_new(len);

    s->next = head->next;
    head->next = s;
    return s->text;
}

struct http_request *request_new(const struct http_peer *peer, size_t header_max)
{
    struct http_request *r = xcalloc(1, sizeof *r);

    r->peer = *peer;
    buf_init(&r->certificate, peer->certificate.len);
    if (peer->certificate.len > 0)
        buf_put_span(&r->certificate, peer->certificate);
    r->peer.certificate = buf_span(&r->certificate);
    if (peer->group_count > 0)
        r->groups = memcpy(xcalloc(peer->group_count, sizeof *r->groups), peer->groups,
                           peer->group_count * sizeof *r->groups);
    r->peer.groups = r->groups;
    buf_init(&r->text,
             header_max + 2); /* each NUL stands for an octet that was there, but for the target's */
    buf_init(&r->body, 0);
    r->shelf = shelf_new(0);
    return r;
}

void request_free(struct http_request *r)
{
    struct shelf *next;

    if (r == NULL)
        return;
    for (struct shelf *s = r->shelf; s != NULL; s = next) {
        next = s->next;
        free(s);
    }
    buf_free(&r->certificate);
    buf_free(&r->text);
    buf_free(&r->body);
    free(r->fields);
    free(r->groups);
    free(r);
}

void request_add_field(struct http_request *r, size_t name, size_t value)
{
    if (r->field_count == r->field_cap)
        r->fields = xgrow(r->fields, &r->field_cap, sizeof *r->fields);
    r->fields[r->field_count++] = (struct field_at){.name = name, .value = value};
}

static const char *text_at(const struct http_request *r, size_t offset)
{
    return (const char *)r->text.data + offset;
}

/* ---- target ---- */

/* Behind "http://authority" of an absolute-form target (RFC 9112 3.2.2); NULL when it is none. */
static char *skip_authority(char *target)
{
    char *sep = strstr(target, "://");

    if (sep == NULL || strcspn(target, "/?") < (size_t)(sep - target))
        return NULL;
    return sep + 3 + strcspn(sep + 3, "/?");
}

bool request_set_target(struct http_request *r, bool is_options)
{
    char *target = (char *)r->text.data;
    char *query;

    if (target == NULL || target[0] == '\0' || strchr(target, '#') != NULL)
        return false;
    if (target[0] != '/' && strcmp(target, "*") != 0) {
        target = skip_authority(target);
        if (target == NULL)
            return false;
    } else if (target[0] == '*' && !is_options) {
        return false;
    }
    query = strchr(target, '?');
    if (query != NULL)
        *query++ = '\0';
    r->query = query;
    r->path = target[0] != '\0' ? target : "/";
    return true;
}

bool http_is_head(const struct http_request *r)
{
    return r->is_head;
}

const char *http_method(const struct http_request *r)
{
    return r->method;
}

const char *http_path(const struct http_request *r)
{
    return r->path;
}

/* ---- percent-encoding, RFC 3986 2.1 ---- */

static bool unescape(struct span in, bool has_plus, char *out, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];

        if (c == '%') {
            char hex[3] = {0};

            if (in.len - i < 3)
                return false;
            memcpy(hex, in.data + i + 1, 2);
            if (!hex_decode(hex, &c, 1))
                return false;
            i += 2;
        } else if (c == '+' && has_plus) {
            c = ' ';
        }
        if (c == 0 || n + 1 >= cap)
            return false;
        out[n++] = (char)c;
    }
    if (n >= cap)
        return false;
    out[n] = '\0';
    return true;
}

bool http_unescape(struct span in, char *out, size_t cap)
{
    return unescape(in, false, out, cap);
}

/* ---- query: name=value&name=value, as forms write it ---- */

struct pair {
    struct span name, value;
};

/* Takes the next pair that is not empty. */
static bool pair_next(const char **rest, struct pair *out)
{
    while (*rest != NULL && **rest != '\0') {
        const char *p = *rest;
        size_t len = strcspn(p, "&"), name_len = strcspn(p, "&=");

        *rest = p + len + (p[len] == '&');
        if (len == 0)
            continue;
        out->name = span_of(p, name_len);
        out->value = name_len < len ? span_of(p + name_len + 1, len - name_len - 1) : span_of(p + len, 0);
        return true;
    }
    return false;
}

static bool pair_is(const struct pair *p, const char *name)
{
    char plain[128]; /* no parameter of ours has a longer name */

    return unescape(p->name, true, plain, sizeof plain) && strcmp(plain, name) == 0;
}

enum err http_query(const struct http_request *r, const char *name, char *out, size_t cap)
{
    const char *rest = r->query;
    enum err e = ERR_NOT_FOUND;
    struct pair p;

    while (pair_next(&rest, &p)) {
        if (!pair_is(&p, name))
            continue;
        if (e == OK || !unescape(p.value, true, out, cap))
            return ERR_MALFORMED;
        e = OK;
    }
    return e;
}

static bool pair_is_known(const struct pair *p, const char *const *known)
{
    for (; *known != NULL; known++)
        if (pair_is(p, *known))
            return true;
    return false;
}

const char *http_query_unknown(const struct http_request *r, const char *const *known)
{
    const char *rest = r->query;
    struct pair p;
    char *name;

    while (pair_next(&rest, &p)) {
        if (pair_is_known(&p, known))
            continue;
        name = shelf_add(r->shelf, p.name.len);
        if (p.name.len > 0)
            memcpy(name, p.name.data, p.name.len);
        return name;
    }
    return NULL;
}

/* ---- header fields ---- */

size_t request_count_field(const struct http_request *r, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->field_count; i++)
        n += strcasecmp(text_at(r, r->fields[i].name), name) == 0;
    return n;
}

/* Several lines of one name are one list, RFC 9110 5.3. */
static const char *join(const struct http_request *r, const char *name)
{
    char *out = shelf_add(r->shelf, r->text.len); /* ", " is shorter than a name and two NULs */
    char *p = out;

    for (size_t i = 0; i < r->field_count; i++) {
        if (strcasecmp(text_at(r, r->fields[i].name), name) != 0)
            continue;
        if (p != out)
            p = stpcpy(p, ", ");
        p = stpcpy(p, text_at(r, r->fields[i].value));
    }
    return out;
}

const char *http_header(const struct http_request *r, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < r->field_count; i++) {
        if (strcasecmp(text_at(r, r->fields[i].name), name) != 0)
            continue;
        if (value != NULL)
            return join(r, name);
        value = text_at(r, r->fields[i].value);
    }
    return value;
}

struct span http_body(const struct http_request *r)
{
    return buf_span(&r->body);
}

const struct http_peer *http_peer(const struct http_request *r)
{
    return &r->peer;
}
