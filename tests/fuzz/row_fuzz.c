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
    assert(span_eq(buf_span(b), row));
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
    assert(span_eq(buf_span(b), row));
}

static void check_times(struct span row)
{
    union {
        struct revoked revoked;
        struct crl_state crl_state;
        struct crl_track crl_track;
        struct crl_change crl_change;
        struct idempotent idempotent;
        struct permit permit;
    } out;

    if (row_get_revoked(row, &out.revoked)) {
        say(out.revoked.revoked_at_s);
        say_given(out.revoked.invalidity_s);
        say(out.revoked.not_after_s);
    }
    if (row_get_crl_state(row, &out.crl_state)) {
        say(out.crl_state.this_update_s);
        say(out.crl_state.next_update_s);
    }
    if (row_get_crl_track(row, &out.crl_track))
        say_given(out.crl_track.base_shown_s);
    if (row_get_crl_change(row, &out.crl_change)) {
        say_given(out.crl_change.revoked_at_s);
        say(out.crl_change.not_after_s);
    }
    if (row_get_idempotent(row, &out.idempotent))
        say(out.idempotent.at_s);
    if (row_get_permit(row, &out.permit))
        say(out.permit.created_at_s);
}

static void check_asked(struct span row)
{
    union {
        struct request request;
        struct token token;
    } out;

    if (row_get_request(row, &out.request)) {
        say(out.request.asked_at_s);
        say(out.request.expires_at_s);
        say_given(out.request.decided_at_s);
    }
    if (row_get_token(row, &out.token)) {
        say(out.token.created_at_s);
        say(out.token.expires_at_s);
        say_given(out.token.used_at_s);
        say_given(out.token.deleted_at_s);
    }
}

static void check_others(struct span row)
{
    union {
        struct issuer issuer;
        struct counters counters;
        uint8_t serial[SERIAL_LEN];
    } out;

    (void)!row_get_issuer(row, &out.issuer);
    (void)!row_get_counters(row, &out.counters);
    (void)!row_get_responder(row, out.serial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b;

    buf_init(&b, ROW_MAX);
    check_status(span_of(data, size), &b);
    buf_reset(&b);
    check_cert(span_of(data, size), &b);
    check_times(span_of(data, size));
    check_asked(span_of(data, size));
    check_others(span_of(data, size));
    buf_free(&b);
    return 0;
}
