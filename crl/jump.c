/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jump: is the clock to be believed? A wrong clock makes lists that are over before they are out, or not yet
 * valid, and both are worse than the list in force. What cannot be told from within is left to people: a
 * publication by hand says that the clock is right.
 */
#include "crl/inner.h"

/* A machine that slept over holidays wakes to a clock that is days ahead, and is right. */
#define JUMP_MAX_S (7 * INT64_C(86400))

void jump_accept(struct jump *j, int64_t wall_s, int64_t monotonic_s)
{
    j->offset_s = wall_s - monotonic_s;
    j->is_set = true;
}

bool jump_is_forward(struct jump *j, int64_t wall_s, int64_t monotonic_s)
{
    int64_t by_s = wall_s - monotonic_s - j->offset_s;
    bool is_jump = j->is_set && (by_s < -JUMP_MAX_S || by_s > JUMP_MAX_S);

    if (!is_jump)
        jump_accept(j, wall_s, monotonic_s);
    return is_jump && by_s > 0;
}

bool jump_is_behind(const struct crl_force *s, int64_t now_s)
{
    if (s->whole.number == 0 || s->whole.this_update_s <= now_s + AHEAD_S)
        return false;
    if (now_s < s->issuer_from_s)
        return true;
    return s->before_s != NO_TIME && s->before_s > now_s + AHEAD_S;
}
