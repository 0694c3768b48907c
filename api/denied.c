/* SPDX-License-Identifier: Apache-2.0 */
/* denied: audit rows of what role or scope forbid before the ca is asked. */
#include <stdio.h>

#include "api/api.h"

static void tell(const struct tallied *t, void *arg)
{
    struct api *a = arg;
    const struct route *r = t->what;
    bool is_several = t->who[0] == '\0';
    char text[REQUEST_REASON_MAX];
    struct buf b;

    if (is_several)
        snprintf(text, sizeof text, "several routes: by several logins. %u times", t->count);
    else
        snprintf(text, sizeof text, "%s %s: %.256s %u times", r->method, r->pattern, t->why, t->count);
    buf_init(&b, WIRE_MSG_MAX);
    buf_put_blob(&b, span_str(is_several ? "-" : t->who));
    buf_put_blob(&b, span_str("")); /* of no profile */
    buf_put_blob(&b, span_str(text));
    asker_tell(a->asker, ASK_REFUSED, buf_span(&b));
    buf_free(&b);
}

struct tally *denied_new(struct api *a)
{
    return tally_new(a->loop, tell, a);
}

void denied_note(struct tally *t, const char *who, const struct route *route, const char *why)
{
    tally_note(t, who, route, why);
}
