/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain_entry: the one shape that entries of our own lists have, held against constant pieces. It is the same
 * check as the general reader's (check_crl.c), which reads whatever is not of this shape, and says what is
 * wrong with it: a list has millions, and the general reader would be most of what signing it costs. RFC 5280
 * 5.1.2.6, 5.3.
 */
#include <string.h>

#include "base/clock.h"
#include "signer/inner.h"

#define UTC_LEN 13
#define GENERALIZED_LEN 15

static const uint8_t date_head[] = {DER_UTC_TIME, UTC_LEN};
static const uint8_t reason_head[] = {DER_SEQUENCE,     10, DER_OID,        3, 0x55, 0x1d, 0x15,
                                      DER_OCTET_STRING, 3,  DER_ENUMERATED, 1};
static const uint8_t invalidity_head[] = {DER_SEQUENCE,   24,   DER_OID,          3,  0x55,
                                          0x1d,           0x18, DER_OCTET_STRING, 17, DER_GENERALIZED_TIME,
                                          GENERALIZED_LEN};

/* Takes the constant piece and gives the `len` octets behind it; NULL and nothing taken when it is another.
 */
static const uint8_t *take(struct span *in, const uint8_t *head, size_t head_len, size_t len)
{
    const uint8_t *body = in->data + head_len;

    if (in->len < head_len + len || memcmp(in->data, head, head_len) != 0)
        return NULL;
    *in = span_of(body + len, in->len - head_len - len);
    return body;
}

static bool take_serial(struct span *in)
{
    size_t len;

    if (in->len < 2 || in->data[0] != DER_INTEGER || in->data[1] > in->len - 2)
        return false;
    len = in->data[1];
    if (!is_serial(span_of(in->data + 2, len)))
        return false;
    *in = span_of(in->data + 2 + len, in->len - 2 - len);
    return true;
}

/* Reason, invalidityDate, both in that order. `in` is not empty. */
static bool is_plain_list(struct span in)
{
    const uint8_t *reason, *when;
    int64_t when_s;

    if (in.len < 3 || in.data[0] != DER_SEQUENCE || in.data[1] != in.len - 2)
        return false;
    in = span_of(in.data + 2, in.len - 2);
    reason = take(&in, reason_head, sizeof reason_head, 1);
    if (reason != NULL &&
        !is_told_reason(*reason)) /* removeFromCRL, which makes a list a delta, is the general's */
        return false;
    if (reason != NULL && in.len == 0)
        return true;
    when = take(&in, invalidity_head, sizeof invalidity_head, GENERALIZED_LEN);
    return when != NULL && in.len == 0 && clock_parse_generalized(when, GENERALIZED_LEN, &when_s);
}

bool is_plain_entry(struct span in)
{
    const uint8_t *when;
    int64_t when_s;

    if (!take_serial(&in))
        return false;
    when = take(&in, date_head, sizeof date_head, UTC_LEN);
    if (when == NULL || !clock_parse_utctime(when, UTC_LEN, &when_s))
        return false;
    return in.len == 0 || is_plain_list(in);
}
