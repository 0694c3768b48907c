/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denied: audit rows of what role or scope forbid before the ca is asked. Bounded as failed logins are: the
 * first of a login on a route at once, the following counted, one row a minute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"

#define DENIALS_MAX 256u /* logins and routes told apart at once; the rest is one */
#define TELL_MS 60000

struct denial {
    char who[PRINCIPAL_MAX];   /* "" free */
    const struct route *route; /* NULL: several */
    char why[FAULT_DETAIL_MAX];
    uint32_t count; /* since the last row */
};

struct denied {
    struct api *api;
    struct denial all[DENIALS_MAX], others;
    struct timer *timer;
};

static void tell(struct denied *l, struct denial *d)
{
    const struct route *r = d->route;
    char text[REQUEST_REASON_MAX];
    struct buf b;

    snprintf(text, sizeof text, "%s %s: %.256s %u times", r != NULL ? r->method : "several",
             r != NULL ? r->pattern : "routes", d->why, d->count);
    buf_init(&b, WIRE_MSG_MAX);
    buf_put_blob(&b, span_str(d->who));
    buf_put_blob(&b, span_str("")); /* of no profile */
    buf_put_blob(&b, span_str(text));
    asker_tell(l->api->asker, ASK_REFUSED, buf_span(&b));
    buf_free(&b);
    d->count = 0;
}

static void on_tick(void *arg)
{
    struct denied *l = arg;

    for (size_t i = 0; i < DENIALS_MAX; i++)
        if (l->all[i].count > 0)
            tell(l, &l->all[i]);
        else
            l->all[i].who[0] = '\0'; /* quiet for a minute: forgotten */
    if (l->others.count > 0)
        tell(l, &l->others);
}

/* NULL: there is no place for another. */
static struct denial *find(struct denied *l, const char *who, const struct route *route)
{
    struct denial *spare = NULL;

    for (size_t i = 0; i < DENIALS_MAX; i++) {
        struct denial *d = &l->all[i];

        if (d->who[0] == '\0')
            spare = spare != NULL ? spare : d;
        else if (d->route == route && strcmp(d->who, who) == 0)
            return d;
    }
    return spare;
}

void denied_note(struct denied *l, const char *who, const struct route *route, const char *why)
{
    struct denial *d = find(l, who, route);

    if (d == NULL)
        d = &l->others;
    d->count++;
    if (d->who[0] != '\0')
        return;
    snprintf(d->why, sizeof d->why, "%s", why);
    snprintf(d->who, sizeof d->who, "%s", who);
    d->route = route;
    tell(l, d);
}

struct denied *denied_new(struct api *a)
{
    struct denied *l = xcalloc(1, sizeof *l);

    l->api = a;
    strcpy(l->others.who, "-");
    strcpy(l->others.why, "by several logins.");
    l->timer = timer_start(a->loop, TELL_MS, TELL_MS, on_tick, l);
    return l;
}

void denied_free(struct denied *l)
{
    if (l == NULL)
        return;
    timer_stop(l->timer);
    free(l);
}
