/* SPDX-License-Identifier: Apache-2.0 */
/* certificates: the list, a page at a time, and one certificate in the form its path names. */
#include <arpa/inet.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"

#define FILTER_TEXT_MAX 512 /* octets: a glob over a name of 253 characters, twice */

/* The query's texts, which struct cert_query borrows. */
struct filters {
    char cn[FILTER_TEXT_MAX], san[FILTER_TEXT_MAX], profile[PROFILE_ID_MAX], issuer[ISSUER_ID_MAX];
    char status[16], key_type[8], expires_before[CLOCK_TEXT_MAX], limit[8], after[CURSOR_MAX];
};

/* An IPv6 address has many spellings; the store holds the one that inet_ntop() gives. */
static void respell_address(char text[static FILTER_TEXT_MAX])
{
    struct in6_addr a;

    if (inet_pton(AF_INET6, text, &a) == 1)
        (void)inet_ntop(AF_INET6, &a, text, FILTER_TEXT_MAX);
}

static bool read_status(const char *text, enum cert_filter *out)
{
    static const struct {
        const char *name;
        enum cert_filter filter;
    } table[] = {{"", FILTER_ANY},
                 {"valid", FILTER_VALID},
                 {"revoked", FILTER_REVOKED},
                 {"held", FILTER_HELD},
                 {"expired", FILTER_EXPIRED}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, text) == 0) {
            *out = table[i].filter;
            return true;
        }
    return false;
}

static bool read_key_type(const char *text, enum key_type *out)
{
    *out = strcmp(text, "rsa") == 0 ? KEY_RSA : strcmp(text, "ec") == 0 ? KEY_EC : KEY_NONE;
    return *out != KEY_NONE || text[0] == '\0';
}

static enum err read_issuer(struct view *v, const char *id, uint16_t *out, struct fault *f)
{
    struct issuer i = {0};
    enum err e = id[0] == '\0' ? OK : issuer_find(v, id, &i);

    *out = i.no;
    return e == ERR_NOT_FOUND ? fault_set(f, ERR_MALFORMED, "\"issuer\": there is no issuer \"%s\".", id) : e;
}

/* ERR_MALFORMED: `f` says what is wrong with the filters. */
static enum err make_query(struct view *v, const struct filters *f, struct cert_query *q, struct fault *fault)
{
    q->cn = paged_given(f->cn);
    q->san = paged_given(f->san);
    q->profile = paged_given(f->profile);
    q->after = paged_given(f->after);
    q->expires_before_s = NO_TIME;
    if (!read_status(f->status, &q->status))
        return fault_set(fault, ERR_MALFORMED, "\"status\" is valid, revoked, held or expired.");
    if (!read_key_type(f->key_type, &q->key_type))
        return fault_set(fault, ERR_MALFORMED, "\"key_type\" is rsa or ec.");
    if (!paged_limit(f->limit, LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX, &q->limit))
        return fault_set(fault, ERR_MALFORMED, "\"limit\" is a whole number from 1 to %u.", LIST_LIMIT_MAX);
    if (f->expires_before[0] != '\0' && !clock_parse_rfc3339(f->expires_before, &q->expires_before_s))
        return fault_set(fault, ERR_MALFORMED, "\"expires_before\" is a time like 2026-01-31T12:00:00Z.");
    return read_issuer(v, f->issuer, &q->issuer_no, fault);
}

struct page {
    struct paged_rows rows;
    struct cert_query query;
    struct view *view;
    const struct scope *scope;
    struct js *items;
};

static bool add_item(const struct cert *cert, void *arg)
{
    struct page *p = arg;
    bool is_covered = scope_has_cert(p->scope, p->view, cert);

    if (is_covered && !p->rows.is_probe)
        js_push(p->items, certificate_json(p->view, cert, p->query.now_s));
    return paged_row(&p->rows, is_covered);
}

static enum err list_from(void *arg, const char *after, char next[static CURSOR_MAX])
{
    struct page *p = arg;

    p->query.after = after;
    p->query.limit = p->rows.batch;
    return cert_list(p->view, &p->query, add_item, p, next);
}

static void list(struct call *c, struct view *v, const struct filters *f, const struct call_param *asked)
{
    struct page page = {.query = {.now_s = c->api->now_s()}, .view = v, .scope = &c->login.who.scope};
    struct fault wrong = {0};
    char next[CURSOR_MAX];
    enum err e = make_query(v, f, &page.query, &wrong);

    if (e == ERR_MALFORMED)
        return call_problem(c, e, NULL, "%s", wrong.detail);
    if (e != OK)
        return paged_fail(c, e, NULL, "", NULL);
    page.items = js_array();
    page.rows.wanted = page.query.limit;
    e = paged_fill(c, &page.rows, page.query.after, list_from, &page, next);
    if (e == OK)
        return paged_reply(c, "/api/v1/certificates", asked, page.items, next);
    paged_fail(c, e, page.items, next, NULL);
}

void certificates_get(struct call *c)
{
    struct filters f;
    const struct call_param params[] = {{"cn", f.cn, sizeof f.cn},
                                        {"san", f.san, sizeof f.san},
                                        {"profile", f.profile, sizeof f.profile},
                                        {"issuer", f.issuer, sizeof f.issuer},
                                        {"status", f.status, sizeof f.status},
                                        {"key_type", f.key_type, sizeof f.key_type},
                                        {"expires_before", f.expires_before, sizeof f.expires_before},
                                        {"limit", f.limit, sizeof f.limit},
                                        {"after", f.after, sizeof f.after},
                                        {NULL}};
    struct view *v;

    if (!call_query(c, params))
        return;
    respell_address(f.san);
    v = call_view(c);
    if (v == NULL)
        return;
    list(c, v, &f, params);
    view_close(v);
}

/* ---- one ---- */

/* Without a suffix: JSON. */
static void reply_one(struct call *c, struct view *v, const struct cert *cert, const struct suffix *suffix)
{
    struct buf body;

    if (suffix == NULL)
        return call_json(c, 200, certificate_json_full(v, cert, c->api->now_s()), NULL);
    buf_init(&body, CERT_PATH_MAX * PEM_MAX);
    if (render(v, cert, suffix->form, &body) == OK)
        call_reply(c, 200, suffix->type, buf_span(&body), NULL);
    else
        call_problem(c, ERR_INTERNAL, NULL, "the certificate could not be rendered");
    buf_free(&body);
}

void certificate_get(struct call *c)
{
    uint8_t serial[SERIAL_LEN];
    struct cert cert;
    struct view *v;
    const struct suffix *suffix;
    const char *rest;
    enum err e;

    if (!call_query(c, NULL))
        return;
    if (!serial_read(c->arg, serial))
        return call_problem(c, ERR_NOT_FOUND, NULL, "There is no such certificate.");
    rest = c->arg + SERIAL_HEX_LEN;
    suffix = suffix_find(rest);
    if (suffix == NULL && rest[0] != '\0')
        return call_problem(c, ERR_NOT_FOUND, NULL, "There is no such certificate.");
    v = call_view(c);
    if (v == NULL)
        return;
    e = cert_find(v, serial, &cert);
    if (e == OK && !scope_has_cert(&c->login.who.scope, v, &cert))
        e = ERR_NOT_FOUND;
    if (e == OK)
        reply_one(c, v, &cert, suffix);
    else if (e == ERR_NOT_FOUND)
        call_problem(c, e, NULL, "There is no such certificate.");
    else
        call_unreadable(c);
    view_close(v);
}
