/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_seal: the audit's key signs seals and nothing else. Whoever holds the port can have rows of his own
 * making sealed, but only with the present time and a higher number than before: he cannot have an earlier
 * end of the audit sealed again.
 */
#include <stdlib.h>

#include "signer/inner.h"

#define CLOCK_SLACK_S (24 * 3600) /* as for OCSP answers: a day is for leap and restore, not for drift */

/* The first to come with a number has it, whichever process asks. */
static bool take_number(_Atomic uint64_t *latest, uint64_t seq)
{
    uint64_t before = atomic_load(latest);

    while (seq > before)
        if (atomic_compare_exchange_weak(latest, &before, seq))
            return true;
    return false;
}

enum err check_seal(const struct purpose *p, struct span tbs, int64_t now_s, struct fault *f)
{
    struct sealed s;

    if (!p->is_audit)
        return fault_set(f, ERR_POLICY, "seal: this key signs none");
    if (!seal_tbs_read(tbs, &s))
        return fault_set(f, ERR_MALFORMED, "seal: not the octets of one");
    if (s.at_s < now_s - CLOCK_SLACK_S || s.at_s > now_s + CLOCK_SLACK_S)
        return fault_set(f, ERR_POLICY, "seal.time: more than a day from now");
    if (!take_number(p->sealed, s.seq))
        return fault_set(f, ERR_POLICY, "seal.seq: not above the latest");
    return OK;
}
