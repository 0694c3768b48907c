/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jump: is the clock to be believed? Wall clock and monotonic clock go together, until one is set. Small
 * steps are: clocks are corrected, and machines sleep. What cannot be told from within is left to the caller.
 */
#ifndef BASE_JUMP_H
#define BASE_JUMP_H

#include <stdbool.h>
#include <stdint.h>

struct jump {
    int64_t most_s;   /* a step of up to this, ahead or back, is believed */
    int64_t offset_s; /* wall - monotonic when last believed */
    bool is_set;      /* false: the first look is believed */
};

/* From now on the clock is right. */
void jump_accept(struct jump *j, int64_t wall_s, int64_t monotonic_s);
/* Is the wall clock more than most_s ahead of where it should be? Nothing is believed by it. */
bool jump_is_forward(const struct jump *j, int64_t wall_s, int64_t monotonic_s);
/* As jump_is_forward(), and a step that is no larger is believed from now on. A larger step back is not
 * believed either, but gives false: returning from it must not look like a jump ahead. */
bool jump_observe(struct jump *j, int64_t wall_s, int64_t monotonic_s);

#endif
