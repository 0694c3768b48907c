/* SPDX-License-Identifier: Apache-2.0 */
/* Linked to a fuzzer whose input is DER: most of what libFuzzer changes is changed as a tree, an element left
 * out, doubled, swapped, bent or put in from another input, with every length around it put right, so that
 * what reads the rest still comes to read it. The rest are libFuzzer's own changes. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Octets written to `out`; 0: there is no tree, or it came to more than `max` octets. */
static size_t change_tree(struct span in, struct span donor, unsigned seed, uint8_t *out, size_t max)
{
    struct dice dice = {seed};
    size_t len = 0;
    struct buf b;

    buf_init(&b, max);
    if (mutate_tree(&dice, in, donor, &b) && buf_end(&b) == OK) {
        len = b.len;
        memcpy(out, b.data, len);
    }
    buf_free(&b);
    return len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size_t len = seed % 2 == 0 ? change_tree(span_of(data, size), span_of(NULL, 0), seed, data, max_size) : 0;

    return len > 0 ? len : LLVMFuzzerMutate(data, size, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2, size_t size2,
                                 uint8_t *out, size_t max_out, unsigned seed)
{
    if (seed % 4 != 0)
        return 0; /* another change is tried: half of all would be grafts */
    return change_tree(span_of(data1, size1), span_of(data2, size2), seed, out, max_out);
}
