/* SPDX-License-Identifier: Apache-2.0 */
/* listing: the names one finding is about, the first few spelled out. */
#include "ca/policy.h"

#define LISTED_MAX 8u /* names spelled out in one finding */

void listing_init(struct listing *l)
{
    buf_init(&l->text, 4096);
    l->count = 0;
}

void listing_add(struct listing *l, struct span item)
{
    if (l->count++ >= LISTED_MAX)
        return;
    buf_printf(&l->text, "%s%.*s", l->count > 1 ? ", " : "", (int)(item.len < 256 ? item.len : 256),
               item.len > 0 ? (const char *)item.data : "");
}

void listing_add_san(struct listing *l, const struct san *s)
{
    struct buf text;

    buf_init(&text, s->value.len + 256);
    san_text(s, &text);
    listing_add(l, buf_span(&text));
    buf_free(&text);
}

void listing_find(struct listing *l, struct findings *fs, const char *rule, const char *field,
                  const char *want)
{
    if (l->count > LISTED_MAX)
        buf_printf(&l->text, " and %zu more", l->count - LISTED_MAX);
    if (l->count > 0)
        finding_add(fs, rule, field, (const char *)l->text.data, want);
    buf_free(&l->text);
    l->count = 0;
}

void name_finding(struct check *c, const char *rule, const char *field, struct span got, const char *want)
{
    struct listing l;

    listing_init(&l);
    listing_add(&l, got.len > 0 ? got : span_str("none"));
    listing_find(&l, c->findings, rule, field, want);
}
