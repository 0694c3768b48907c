/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured crl could send the ca. */
#include <assert.h>

#include "base/desk.h"
#include "ca/inner.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct desk_note n;

    if (publish_read(span_of(data, size), &n))
        assert(n.kind == DESK_RESERVE || n.kind == DESK_RECORD || n.kind == DESK_DONE);
    return 0;
}
