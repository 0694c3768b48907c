/* SPDX-License-Identifier: Apache-2.0 */
/* DER has one form: what the strict reader takes, the writer writes back octet by octet. */
#include <assert.h>

#include "base/der.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH_MAX 32u

static void check_values(const struct der *d)
{
    struct buf b;
    struct der again;
    struct span in;
    uint64_t value;
    int64_t time_s, time_again_s;

    buf_init(&b, 64);
    if (d->tag == DER_INTEGER && der_uint(d->body, &value)) {
        der_put_uint(&b, value);
        assert(span_eq(buf_span(&b), d->whole));
    }
    buf_reset(&b);
    if (der_time(d, &time_s)) {
        der_put_time(&b, time_s);
        in = buf_span(&b);
        assert(buf_end(&b) == OK && der_next(&in, &again) && der_time(&again, &time_again_s));
        assert(time_s == time_again_s);
    }
    buf_free(&b);
}

/* Writes every element of `in` anew; what is no DER is copied. */
static void write_again(struct buf *b, struct span in, unsigned depth)
{
    struct der d;

    while (der_next(&in, &d)) {
        check_values(&d);
        if ((d.tag & 0x20) != 0 && depth < DEPTH_MAX) {
            size_t mark = der_open(b, d.tag);

            write_again(b, d.body, depth + 1);
            der_close(b, mark);
        } else {
            der_put(b, d.tag, d.body);
        }
    }
    buf_put_span(b, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b;

    buf_init(&b, size + 1);
    write_again(&b, span_of(data, size), 0);
    assert(buf_end(&b) == OK && span_eq(buf_span(&b), span_of(data, size)));
    buf_free(&b);
    return 0;
}
