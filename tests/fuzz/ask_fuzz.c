/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a captured api could send the ca: any frame is a question, and then one on whose parts the ca may
 * rely, or is told to be none. The same frame is the same question.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "ca/inner.h"
#include "tests/fuzz/fuzz.h"

static struct ask *read_copy(const uint8_t *data, size_t size)
{
    uint8_t *frame = xmalloc(size);

    memcpy(frame, data, size);
    return ask_read(frame, size); /* takes the frame */
}

/* Each text of a question, with the room that it has. */
static const struct {
    size_t at, cap;
} texts[] = {
#define TEXT(member)                                                                                         \
    {                                                                                                        \
        offsetof(struct ask, member), sizeof((struct ask *)NULL)->member                                     \
    }
    TEXT(principal), TEXT(profile_id), TEXT(decider),   TEXT(reason_text),
    TEXT(address),   TEXT(failure),    TEXT(issuer_id),
#undef TEXT
};

static void check_texts(const struct ask *a, const struct ask *again)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = (const char *)a + texts[i].at, *other = (const char *)again + texts[i].at;

        assert(memchr(text, '\0', texts[i].cap) != NULL);
        assert(strcmp(text, other) == 0);
    }
}

/* The request that waits for an approval is kept as it came, and is read again when it is approved. */
static void check_facts(const struct ask *a)
{
    struct buf b;

    if (a->sans == NULL)
        return;
    assert(a->facts.san_count <= SAN_COUNT_MAX && a->facts.eku_count <= EKU_LIST_MAX);
    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &a->facts);
    assert(buf_end(&b) == OK && span_eq(buf_span(&b), a->facts_sent));
    buf_free(&b);
}

static void check_revocation(const struct ask *a, const struct ask *again)
{
    assert(a->reason == again->reason && a->invalidity_s == again->invalidity_s);
    if (a->kind != ASK_REVOKE)
        return;
    assert(is_stored_reason((uint8_t)a->reason));
    assert(a->invalidity_s == NO_TIME || clock_is_time(a->invalidity_s));
}

static void check_access(const struct ask *a, const struct ask *again)
{
    struct buf b, c;

    assert(a->count == again->count && a->token.role == again->token.role &&
           a->token.expires_at_s == again->token.expires_at_s);
    assert(memcmp(a->token.hash, again->token.hash, HASH_LEN) == 0);
    buf_init(&b, WIRE_MSG_MAX);
    buf_init(&c, WIRE_MSG_MAX);
    scope_write(&b, &a->token.scope);
    scope_write(&c, &again->token.scope);
    assert(span_eq(buf_span(&b), buf_span(&c)));
    buf_free(&b);
    buf_free(&c);
}

static void check(const struct ask *a, const struct ask *again)
{
    assert(a->kind == again->kind && a->number == again->number && a->days == again->days);
    assert(a->dry_run == again->dry_run && a->is_refused == again->is_refused &&
           a->is_idempotent == again->is_idempotent && a->is_reload == again->is_reload);
    assert(memcmp(a->serial, again->serial, SERIAL_LEN) == 0);
    assert(memcmp(a->request_id, again->request_id, REQUEST_ID_LEN) == 0);
    assert(memcmp(a->idempotency, again->idempotency, HASH_LEN) == 0);
    assert(memcmp(a->body_hash, again->body_hash, HASH_LEN) == 0);
    check_texts(a, again);
    check_facts(a);
    check_revocation(a, again);
    check_access(a, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ask *a, *again;

    if (size == 0 || size > WIRE_MSG_MAX)
        return 0;
    a = read_copy(data, size);
    again = read_copy(data, size);
    assert((a == NULL) == (again == NULL));
    if (a != NULL)
        check(a, again);
    ask_free(a);
    ask_free(again);
    return 0;
}
