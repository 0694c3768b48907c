/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial: 1 octet node (01..7f, so the INTEGER is positive and never padded), 2 octets expiry day, 16 random.
 * Two nodes cannot collide, rows of one expiry day lie together, and a whole day can be dropped once it has
 * expired.
 */
#include <assert.h>

#include "base/clock.h"
#include "ca/ca.h"

#define BUCKET_MAX 0xffff /* 6 June 2149: later expiries share the last bucket, which only costs locality */

void serial_new(uint8_t node, int64_t not_after_s, uint8_t out[static SERIAL_LEN])
{
    int64_t day = not_after_s / DAY_S;
    uint16_t bucket = day < 0 ? 0 : day > BUCKET_MAX ? BUCKET_MAX : (uint16_t)day;

    assert(node >= 1 && node <= 0x7f);
    out[0] = node;
    out[1] = (uint8_t)(bucket >> 8);
    out[2] = (uint8_t)bucket;
    random_octets(out + 3, SERIAL_LEN - 3);
}
