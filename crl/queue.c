/* SPDX-License-Identifier: Apache-2.0 */
/* queue: requests in the order of their arrival. Each is answered, many by one publication. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crl/inner.h"

void queue_push(struct crl_queue *q, const struct crl_request *r)
{
    if (q->len == q->cap) {
        size_t cap = q->cap > 0 ? q->cap * 2 : 16;
        struct crl_request *items = xcalloc(cap, sizeof *items);

        if (q->len > 0)
            memcpy(items, q->items, q->len * sizeof *items);
        free(q->items);
        q->items = items;
        q->cap = cap;
    }
    q->items[q->len++] = *r;
}

static size_t index_of(const struct crl_queue *q, const char *id, size_t within)
{
    size_t i = 0;

    while (i < within && strcmp(q->items[i].id, id) != 0)
        i++;
    return i;
}

const struct crl_request *queue_find(const struct crl_queue *q, const char *id)
{
    size_t i = index_of(q, id, q->len);

    return i < q->len ? &q->items[i] : NULL;
}

static void take(struct crl_queue *q, size_t i, struct crl_request *out)
{
    *out = q->items[i];
    memmove(&q->items[i], &q->items[i + 1], (q->len - i - 1) * sizeof *q->items);
    q->len--;
}

bool queue_take(struct crl_queue *q, const char *id, size_t *within, struct crl_request *out)
{
    size_t i = index_of(q, id, *within);

    if (i >= *within)
        return false;
    take(q, i, out);
    (*within)--;
    return true;
}

bool queue_take_shown(struct crl_queue *q, const char *id, uint64_t changes, struct crl_request *out)
{
    size_t i = 0;

    while (i < q->len && (strcmp(q->items[i].id, id) != 0 || q->items[i].changes > changes))
        i++;
    if (i == q->len)
        return false;
    take(q, i, out);
    return true;
}

void queue_free(struct crl_queue *q)
{
    free(q->items);
    *q = (struct crl_queue){0};
}
