/* SPDX-License-Identifier: Apache-2.0 */
/* Does the buffer keep its bounds and remember its first failure? */
#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(buf, integers_come_back_in_order)
{
    struct buf b;
    struct rd r;

    buf_init(&b, 64);
    buf_put_u8(&b, 1);
    buf_put_u16(&b, 0x0203);
    buf_put_u32(&b, 0x04050607);
    buf_put_i64(&b, -2);
    buf_put_blob(&b, span_str("blob"));
    cr_assert_eq(buf_end(&b), OK);
    r = rd_of(buf_span(&b));
    cr_assert_eq(rd_u8(&r), 1);
    cr_assert_eq(rd_u16(&r), 0x0203);
    cr_assert_eq(rd_u32(&r), 0x04050607);
    cr_assert_eq(rd_i64(&r), -2);
    cr_assert(span_eq(rd_blob(&r), span_str("blob")));
    cr_assert(rd_done(&r));
    buf_free(&b);
}

Test(buf, a_put_beyond_max_fails_and_sticks)
{
    struct buf b;

    buf_init(&b, 4);
    buf_put_u32(&b, 1);
    buf_put_u8(&b, 1);
    cr_assert_eq(buf_end(&b), ERR_TOO_LARGE);
    buf_put(&b, "", 0);
    cr_assert_eq(b.len, 4);
    cr_assert_eq(buf_end(&b), ERR_TOO_LARGE);
    buf_reset(&b);
    buf_put_u8(&b, 9);
    cr_assert_eq(buf_end(&b), OK);
    buf_free(&b);
}

Test(rd, reading_past_the_end_gives_zero_and_remembers)
{
    struct rd r = rd_of(span_str("\x01\x02"));

    cr_assert_eq(rd_u32(&r), 0);
    cr_assert_eq(rd_u8(&r), 0, "sticky: even what would fit");
    cr_assert(!rd_done(&r));
}

Test(rd, a_blob_longer_than_the_rest_fails)
{
    struct rd r = rd_of(span_of("\xff\xff\xff\xff"
                                "a",
                                5));

    cr_assert_eq(rd_blob(&r).len, 0);
    cr_assert(r.failed);
}

Test(hex, round_trip_and_refusals)
{
    uint8_t out[2];
    char text[5];

    cr_assert(hex_decode("00fF", out, 2));
    hex_encode(span_of(out, 2), text);
    cr_assert_str_eq(text, "00ff");
    cr_assert(!hex_decode("0g00", out, 2));
    cr_assert(!hex_decode("000", out, 2));
    cr_assert(!hex_decode("00000", out, 2));
}

Test(span, to_str_refuses_nul_and_overflow)
{
    char out[4];

    cr_assert(span_to_str(span_str("abc"), out, sizeof out));
    cr_assert(!span_to_str(span_str("abcd"), out, sizeof out));
    cr_assert(!span_to_str(span_of("a\0b", 3), out, sizeof out));
}
