/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged store: a row of any octets is read or refused, and what is read is written back as it was. */
#include <assert.h>

#include "store/inner.h"
#include "tests/fuzz/fuzz.h"

static void check_status(struct span row, struct buf *b)
{
    struct status_row s;

    if (!row_get_status(row, &s))
        return;
    row_put_status(b, &s);
    assert(span_eq(buf_span(b), row));
}

static void check_cert(struct span row, struct buf *b)
{
    struct cert c;

    if (!row_get_cert(row, &c))
        return;
    row_put_cert(b, &c);
    assert(span_eq(buf_span(b), row));
}

static void check_others(struct span row)
{
    union {
        struct revoked revoked;
        struct issuer issuer;
        struct crl_state crl_state;
        struct crl_track crl_track;
        struct crl_change crl_change;
        struct idempotent idempotent;
        struct request request;
        struct token token;
        struct permit permit;
        struct counters counters;
        uint8_t serial[SERIAL_LEN];
    } out;

    (void)!row_get_revoked(row, &out.revoked);
    (void)!row_get_issuer(row, &out.issuer);
    (void)!row_get_crl_state(row, &out.crl_state);
    (void)!row_get_crl_track(row, &out.crl_track);
    (void)!row_get_crl_change(row, &out.crl_change);
    (void)!row_get_idempotent(row, &out.idempotent);
    (void)!row_get_request(row, &out.request);
    (void)!row_get_token(row, &out.token);
    (void)!row_get_permit(row, &out.permit);
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
    check_others(span_of(data, size));
    buf_free(&b);
    return 0;
}
