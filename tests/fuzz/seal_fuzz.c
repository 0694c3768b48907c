/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of a seal: what is read is written back as it was. */
#include <assert.h>

#include "base/seal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    uint8_t tbs[SEAL_TBS_LEN];
    struct sealed sealed;
    struct seal seal;
    struct buf b;

    if (seal_tbs_read(in, &sealed)) {
        seal_tbs_write(&sealed, tbs);
        assert(span_eq(span_of(tbs, sizeof tbs), in));
    }
    buf_init(&b, 4096);
    if (seal_text_read(in, &seal)) {
        seal_text_put(&b, &seal);
        assert(buf_end(&b) == OK && span_eq(buf_span(&b), in));
    }
    buf_free(&b);
    return 0;
}
