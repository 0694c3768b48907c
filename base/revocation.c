/* SPDX-License-Identifier: Apache-2.0 */
/* revocation: see the header. */
#include "base/revocation.h"

static const struct revocation_verdict change = {.err = OK, .changes = true}, nothing = {.err = OK};

static struct revocation_verdict refused(enum err err, const char *text)
{
    return (struct revocation_verdict){.err = err, .text = text};
}

static bool is_held(struct revocation now)
{
    return now.is_revoked && now.reason == REASON_CERTIFICATE_HOLD;
}

struct revocation_verdict revocation_revoke(struct revocation now, enum reason asked, int64_t invalidity_s,
                                            int64_t now_s)
{
    if (now.is_revoked && now.reason == asked)
        return nothing;
    if (now.is_revoked && !is_held(now))
        return refused(ERR_CONFLICT, "It is revoked for another reason.");
    if (invalidity_s > now_s + INVALIDITY_AHEAD_S)
        return refused(ERR_MALFORMED, "The invalidity date lies in the future.");
    return change;
}

struct revocation_verdict revocation_unhold(struct revocation now)
{
    return is_held(now) ? change : refused(ERR_CONFLICT, "It is not on hold.");
}
