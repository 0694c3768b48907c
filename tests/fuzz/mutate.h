/* SPDX-License-Identifier: Apache-2.0 */
/* mutate: structures that are nearly good: bits turned, lengths changed, octets cut off, elements left out,
 * doubled, swapped or taken from another structure, with every length around them put right. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include "base/buf.h"

struct dice {
    uint64_t state; /* the seed; the same one gives the same throws */
};
unsigned dice_throw(struct dice *d, unsigned sides); /* 0 to sides - 1 */

/* Writes a mutation of `good` to `out`, which is emptied; `donor` lends elements. `good` is not empty. */
void mutate(struct dice *d, struct span good, struct span donor, struct buf *out);

/* The same, but always of one element: it is left out, doubled, swapped, or a bit of its content is turned;
 * with a donor an element of that is put in. False, and nothing written: there is no element in `good`. */
bool mutate_tree(struct dice *d, struct span good, struct span donor, struct buf *out);

#endif
