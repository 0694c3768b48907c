/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured api could send the ca: any frame is a question or is told to be none. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/inner.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *frame;
    struct ask *a;

    if (size == 0 || size > WIRE_MSG_MAX)
        return 0;
    frame = xmalloc(size);
    memcpy(frame, data, size);
    a = ask_read(frame, size); /* takes the frame */
    assert(a == NULL || a->number != 0 || size >= 9);
    ask_free(a);
    return 0;
}
