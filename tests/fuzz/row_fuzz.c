/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged store: a row of any octets is read or refused, and what is read is written back as it was. */
#include <assert.h>

#include "base/clock.h"
#include "store/inner.h"
#include "tests/fuzz/fuzz.h"

/* A time that is read has a text; writing one of any other time asserts. */
static void say(int64_t t_s)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(t_s, text);
}

static void say_given(int64_t t_s)
{
    if (t_s != NO_TIME)
        say(t_s);
}

/* `b` holds what was read, written again. */
static void same(struct buf *b, struct span row)
{
    assert(buf_end(b) == OK && span_eq(buf_span(b), row));
    buf_reset(b);
}

static void check_status(struct span row, struct buf *b)
{
    struct status_row s;

    if (!row_get_status(row, &s))
        return;
    if (s.status.state != CERT_VALID)
        say(s.status.revoked_at_s);
    say_given(s.status.revoked_at_s);
    say_given(s.status.invalidity_s);
    say(s.status.not_after_s);
    row_put_status(b, &s);
    same(b, row);
}

static void check_cert(struct span row, struct buf *b)
{
    struct cert c;

    if (!row_get_cert(row, &c))
        return;
    say(c.not_before_s);
    say(c.status.not_after_s);
    say(c.issued_at_s);
    row_put_cert(b, &c);
    same(b, row);
}

static void check_revoked(struct span row, struct buf *b)
{
    struct revoked r;

    if (!row_get_revoked(row, &r))
        return;
    say(r.revoked_at_s);
    say_given(r.invalidity_s);
    say(r.not_after_s);
    row_put_revoked(b, &(struct status){.reason = r.reason,
                                        .revoked_at_s = r.revoked_at_s,
                                        .invalidity_s = r.invalidity_s,
                                        .not_after_s = r.not_after_s});
    same(b, row);
}

static void check_crl_state(struct span row, struct buf *b)
{
    struct crl_state s;

    if (!row_get_crl_state(row, &s))
        return;
    say(s.this_update_s);
    say(s.next_update_s);
    row_put_crl_state(b, &s);
    same(b, row);
}

/* One of version 1, which ends a number earlier, is written as of version 2. */
static void check_crl_track(struct span row, struct buf *b)
{
    struct crl_track k, again;

    if (!row_get_crl_track(row, &k))
        return;
    say_given(k.base_shown_s);
    row_put_crl_track(b, &k);
    if (row.data[0] == 2) {
        same(b, row);
        return;
    }
    assert(buf_end(b) == OK && row_get_crl_track(buf_span(b), &again));
    assert(again.changes == k.changes && again.base == k.base && again.moved == 0 && k.moved == 0 &&
           again.base_shown_s == k.base_shown_s && again.shards == k.shards && span_eq(again.urls, k.urls));
    buf_reset(b);
}

static void check_crl_change(struct span row, struct buf *b)
{
    struct crl_change c;

    if (!row_get_crl_change(row, &c))
        return;
    say_given(c.revoked_at_s);
    say(c.not_after_s);
    row_put_crl_change(b, &c);
    same(b, row);
}

static void check_idempotent(struct span row, struct buf *b)
{
    struct idempotent i;

    if (!row_get_idempotent(row, &i))
        return;
    say(i.at_s);
    row_put_idempotent(b, &i);
    same(b, row);
}

static void check_request(struct span row, struct buf *b)
{
    struct request r;

    if (!row_get_request(row, &r))
        return;
    say(r.asked_at_s);
    say(r.expires_at_s);
    say_given(r.decided_at_s);
    row_put_request(b, &r);
    same(b, row);
}

static void check_token(struct span row, struct buf *b)
{
    struct token k;

    if (!row_get_token(row, &k))
        return;
    say(k.created_at_s);
    say(k.expires_at_s);
    say_given(k.used_at_s);
    say_given(k.deleted_at_s);
    row_put_token(b, &k);
    same(b, row);
}

static void check_permit(struct span row, struct buf *b)
{
    struct permit p;

    if (!row_get_permit(row, &p))
        return;
    say(p.created_at_s);
    row_put_permit(b, &p);
    same(b, row);
}

static void check_issuer(struct span row, struct buf *b)
{
    struct issuer i;

    if (!row_get_issuer(row, &i))
        return;
    row_put_issuer(b, &i);
    same(b, row);
}

static void check_counters(struct span row, struct buf *b)
{
    struct counters c;

    if (!row_get_counters(row, &c))
        return;
    row_put_counters(b, &c);
    same(b, row);
}

/* The one that is written where it is used, octets and nothing else. */
static void check_responder(struct span row, struct buf *b)
{
    uint8_t serial[SERIAL_LEN];

    (void)b;
    (void)!row_get_responder(row, serial);
}

static void (*const checks[])(struct span row, struct buf *b) = {
    check_status,     check_cert,       check_revoked,   check_crl_state, check_crl_track,
    check_crl_change, check_idempotent, check_request,   check_token,     check_permit,
    check_issuer,     check_counters,   check_responder,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b;

    buf_init(&b, ROW_MAX);
    for (size_t i = 0; size <= ROW_MAX && i < sizeof checks / sizeof *checks; i++)
        checks[i](span_of(data, size), &b);
    buf_free(&b);
    return 0;
}
