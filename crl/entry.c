/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry: one element of revokedCertificates, put together from constant pieces: a list has millions, and the
 * general writer would be most of what a list costs. Every length in it is below 128, so each is one octet.
 * RFC 5280 5.1.2.6, 5.3.
 */
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "crl/inner.h"

/* UTCTime reaches from 1950 through 2049, RFC 5280 5.1.2.6. */
#define UTC_TIME_FIRST INT64_C(-631152000)
#define UTC_TIME_LEN 13
#define GENERALIZED_TIME_LEN 15

static const uint8_t reason_head[] = {DER_SEQUENCE,     10, DER_OID,        3, 0x55, 0x1d, 0x15,
                                      DER_OCTET_STRING, 3,  DER_ENUMERATED, 1};
static const uint8_t invalidity_head[] = {
    DER_SEQUENCE,        24, DER_OID, 3, 0x55, 0x1d, 0x18, DER_OCTET_STRING, 17, DER_GENERALIZED_TIME,
    GENERALIZED_TIME_LEN};
#define REASON_LEN (sizeof reason_head + 1)
#define INVALIDITY_LEN (sizeof invalidity_head + GENERALIZED_TIME_LEN)

struct shape {
    size_t zeros;   /* leading zero octets of the serial, left out */
    bool is_padded; /* the serial needs a sign octet */
    bool is_utc;
    size_t extensions; /* octets inside the list of extensions, 0: none */
    size_t body;       /* octets inside the entry */
};

static struct shape shape_of(const struct revoked *r)
{
    struct shape s = {.is_utc = r->revoked_at_s >= UTC_TIME_FIRST && r->revoked_at_s < CLOCK_UTCTIME_END};

    while (s.zeros < SERIAL_LEN - 1 && r->serial[s.zeros] == 0)
        s.zeros++;
    s.is_padded = (r->serial[s.zeros] & 0x80) != 0;
    if (r->reason != REASON_UNSPECIFIED)
        s.extensions += REASON_LEN;
    if (r->invalidity_s != NO_TIME)
        s.extensions += INVALIDITY_LEN;
    s.body = 2 + s.is_padded + SERIAL_LEN - s.zeros + 2 + (s.is_utc ? UTC_TIME_LEN : GENERALIZED_TIME_LEN);
    if (s.extensions > 0)
        s.body += 2 + s.extensions;
    return s;
}

static uint8_t *put_header(uint8_t *at, uint8_t tag, size_t len)
{
    *at++ = tag;
    *at++ = (uint8_t)len;
    return at;
}

static uint8_t *put_serial(uint8_t *at, const struct revoked *r, const struct shape *s)
{
    size_t len = SERIAL_LEN - s->zeros;

    at = put_header(at, DER_INTEGER, len + s->is_padded);
    if (s->is_padded)
        *at++ = 0;
    memcpy(at, r->serial + s->zeros, len);
    return at + len;
}

static uint8_t *put_date(uint8_t *at, int64_t when_s, bool is_utc)
{
    char text[CLOCK_TEXT_MAX];
    size_t skip = is_utc ? GENERALIZED_TIME_LEN - UTC_TIME_LEN : 0; /* the century */

    clock_generalized(when_s, text);
    at = put_header(at, is_utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, GENERALIZED_TIME_LEN - skip);
    memcpy(at, text + skip, GENERALIZED_TIME_LEN - skip);
    return at + GENERALIZED_TIME_LEN - skip;
}

static uint8_t *put_extensions(uint8_t *at, const struct revoked *r)
{
    char text[CLOCK_TEXT_MAX];

    if (r->reason != REASON_UNSPECIFIED) {
        memcpy(at, reason_head, sizeof reason_head);
        at += sizeof reason_head;
        *at++ = (uint8_t)r->reason;
    }
    if (r->invalidity_s == NO_TIME)
        return at;
    memcpy(at, invalidity_head, sizeof invalidity_head);
    at += sizeof invalidity_head;
    clock_generalized(r->invalidity_s, text);
    memcpy(at, text, GENERALIZED_TIME_LEN);
    return at + GENERALIZED_TIME_LEN;
}

size_t entry_write(const struct revoked *r, uint8_t out[static ENTRY_MAX])
{
    struct shape s = shape_of(r);
    uint8_t *at = put_header(out, DER_SEQUENCE, s.body);

    at = put_serial(at, r, &s);
    at = put_date(at, r->revoked_at_s, s.is_utc);
    if (s.extensions > 0)
        at = put_extensions(put_header(at, DER_SEQUENCE, s.extensions), r);
    return (size_t)(at - out);
}
