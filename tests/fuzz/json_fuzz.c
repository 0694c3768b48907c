/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that is read can be written, and what was written reads as the same. */
#include <assert.h>

#include "base/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct js *value = NULL, *again = NULL;
    struct buf once, twice;
    struct fault f = {0};

    if (js_parse(span_of(data, size), &value, &f) != OK)
        return 0;
    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    js_write(value, &once);
    if (buf_end(&once) == OK) {
        assert(js_parse(buf_span(&once), &again, &f) == OK);
        js_write(again, &twice);
        assert(span_eq(buf_span(&once), buf_span(&twice)));
    }
    buf_free(&once);
    buf_free(&twice);
    js_free(value);
    js_free(again);
    return 0;
}
