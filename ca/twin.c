/* SPDX-License-Identifier: Apache-2.0 */
/* twin: questions under one Idempotency-Key at the same time, of which the first alone is decided. */
#include <string.h>

#include "ca/turn.h"

static bool is_same_key(const struct ask *first, const struct ask *a)
{
    return first != a && first->kind == ASK_ISSUE && first->is_idempotent && !first->dry_run &&
           first->twin == NULL && (first->err == OK || first->err == ERR_PENDING) &&
           memcmp(first->idempotency, a->idempotency, HASH_LEN) == 0;
}

static struct ask *find_same_key(struct ask *const *asks, size_t n, const struct ask *a)
{
    for (size_t i = 0; i < n; i++)
        if (is_same_key(asks[i], a))
            return asks[i];
    return NULL;
}

struct ask *twin_of(const struct ca *ca, const struct turn *t, const struct ask *a)
{
    struct ask *first;

    if (a->kind != ASK_ISSUE || !a->is_idempotent || a->dry_run)
        return NULL;
    first = find_same_key(ca->flights.asks, ca->flights.count, a);
    return first != NULL ? first : find_same_key(t->ready, t->ready_count, a);
}

void twins_refuse_late(struct turn *t, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->twin_count; i++) {
        struct ask *a = t->twins[i];

        if (!flight_is_late(a->twin, now_ms)) {
            t->twins[kept++] = a;
            continue;
        }
        a->twin = NULL;
        ask_refuse(a, ERR_UNAVAILABLE, "The signer does not answer.");
        t->ready[t->ready_count++] = a;
    }
    t->twin_count = kept;
}

static void copy_twin(struct ask *a, const struct ask *first)
{
    a->err = first->err;
    if (memcmp(a->body_hash, first->body_hash, HASH_LEN) != 0)
        return ask_refuse(a, ERR_POLICY, "This Idempotency-Key was used with another request.");
    strcpy(a->detail, first->detail);
    a->issuer = first->issuer;
    memcpy(a->request_id, first->request_id, REQUEST_ID_LEN);
    memcpy(a->serial, first->serial, SERIAL_LEN);
    buf_put_span(&a->certificate, buf_span(&first->certificate));
    a->repeated = a->err == OK;
}

void twins_answer(struct ca *ca, struct turn *t)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->twin_count; i++) {
        struct ask *a = t->twins[i];

        if (a->twin->is_recorded) {
            copy_twin(a, a->twin);
            turn_answer(ca, a);
        } else {
            t->twins[kept++] = a;
        }
    }
    t->twin_count = kept;
}
