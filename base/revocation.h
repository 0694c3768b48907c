/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation: what asking to revoke a certificate, or to take back its hold, leads to. The ca decides by it,
 * and the command line says by it beforehand what would come of it. Thread rule: pure.
 */
#ifndef BASE_REVOCATION_H
#define BASE_REVOCATION_H

#include "base/err.h"
#include "base/reason.h"

/* An invalidity date is when the key is known or suspected to have been lost (RFC 5280 5.3.2), so never
 * ahead; by this much the clock of whoever says it may be. */
#define INVALIDITY_AHEAD_S 300

/* Of a certificate as it is now; one on hold is revoked for certificateHold. */
struct revocation {
    bool is_revoked;
    enum reason reason; /* when it is */
};

struct revocation_verdict {
    enum err err;     /* OK; ERR_CONFLICT or ERR_MALFORMED: refused */
    const char *text; /* why, for whom it is refused; NULL with OK */
    bool changes;     /* false: refused, or what is asked is so already */
};

/* `invalidity_s` INT64_MIN: no invalidity date was given. Revoking twice for one reason changes nothing, not
 * even the times; from a hold it may go on to any reason. */
struct revocation_verdict revocation_revoke(struct revocation now, enum reason asked, int64_t invalidity_s,
                                            int64_t now_s);
struct revocation_verdict revocation_unhold(struct revocation now);

#endif
