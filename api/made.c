/* SPDX-License-Identifier: Apache-2.0 */
/* made: what is made of the store's rows, kept, and made anew when the store has moved; at most once in
 * MADE_KEPT_MS however often that is. */
#include "api/made.h"

#include <stdio.h>
#include <string.h>

#include "api/conditional.h"
#include "api/public.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#define FIELDS_MAX 8u

bool made_is_current(const struct made *m, uint64_t number, int64_t now_ms)
{
    return m->is_there && (m->number == number || now_ms - m->made_ms < MADE_KEPT_MS);
}

static void made_write(struct public *p, struct made *m, const struct made_kind *k, struct view *v)
{
    uint8_t digest[HASH_LEN];

    made_forget(m);
    buf_init(&m->body, k->octets_max);
    m->err = k->write(p, v, &m->body);
    if (m->err == OK)
        m->err = buf_end(&m->body);
    if (m->err != OK && m->err != ERR_NOT_FOUND)
        log_error("page", "%s cannot be made: %s", k->what, err_name(m->err));
    sha256_of(buf_span(&m->body), digest);
    m->etag[0] = '"';
    hex_encode(span_of(digest, sizeof digest), m->etag + 1);
    strcat(m->etag, "\"");
    m->number = view_number(v);
    m->made_ms = clock_monotonic_ms();
    m->is_there = true;
}

static enum err made_follow(struct public *p, struct made *m, const struct made_kind *k)
{
    struct view *v;
    enum err e = view_open(p->store, &v);

    if (e != OK)
        return e;
    if (!made_is_current(m, view_number(v), clock_monotonic_ms()))
        made_write(p, m, k, v);
    view_close(v);
    return m->err;
}

/* A range of it is nothing that a client needs, and when it changed is told by its tag alone. */
static enum outcome judge(const struct http_request *r, const struct made *m)
{
    struct conditions all = conditions_of(r);
    const struct conditions asked = {.if_match = all.if_match, .if_none_match = all.if_none_match};
    const struct validators v = {.etag = m->etag, .size = m->body.len};
    struct range range;

    return conditions_judge(&asked, &v, clock_now_s(), &range);
}

static void made_reply(struct http_request *r, const struct made *m, const struct made_kind *k)
{
    struct http_field fields[FIELDS_MAX + 3] = {{"ETag", m->etag}, {"Cache-Control", k->cache_control}};
    enum outcome o = judge(r, m);

    if (o == OUTCOME_NOT_MODIFIED) { /* RFC 9110 15.4.5 */
        http_reply(r, 304, fields, (struct span){0});
        return;
    }
    if (o == OUTCOME_FAILED) {
        fields[0] = (struct http_field){"Cache-Control", "no-store"};
        fields[1] = (struct http_field){0};
        http_reply(r, 412, fields, (struct span){0});
        return;
    }
    for (size_t i = 0; i < FIELDS_MAX && k->fields[i].name != NULL; i++)
        fields[2 + i] = k->fields[i];
    http_reply(r, 200, fields, buf_span(&m->body));
}

void made_get(struct public *p, struct http_request *r, struct made *m, const struct made_kind *k)
{
    enum err e = made_follow(p, m, k);

    if (e == OK)
        made_reply(r, m, k);
    else if (e == ERR_NOT_FOUND)
        public_refuse(r, e, k->none, NULL);
    else
        public_refuse(r, e == ERR_UNAVAILABLE ? e : ERR_INTERNAL, NULL, NULL);
}

void made_forget(struct made *m)
{
    buf_free(&m->body);
    m->is_there = false;
}
