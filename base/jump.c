/* SPDX-License-Identifier: Apache-2.0 */
/* jump: see the header. */
#include "base/jump.h"

void jump_accept(struct jump *j, int64_t wall_s, int64_t monotonic_s)
{
    j->offset_s = wall_s - monotonic_s;
    j->is_set = true;
}

bool jump_is_forward(const struct jump *j, int64_t wall_s, int64_t monotonic_s)
{
    return j->is_set && wall_s - monotonic_s - j->offset_s > j->most_s;
}

bool jump_observe(struct jump *j, int64_t wall_s, int64_t monotonic_s)
{
    int64_t by_s = wall_s - monotonic_s - j->offset_s;
    bool is_jump = j->is_set && (by_s < -j->most_s || by_s > j->most_s);

    if (!is_jump)
        jump_accept(j, wall_s, monotonic_s);
    return is_jump && by_s > 0;
}
