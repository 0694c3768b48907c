/* SPDX-License-Identifier: Apache-2.0 */
/* reason: CRLReason of RFC 5280 5.3.1 and the names users type. */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stdbool.h>
#include <stdint.h>

enum reason {
    REASON_UNSPECIFIED = 0,
    REASON_KEY_COMPROMISE = 1,
    REASON_CA_COMPROMISE = 2,
    REASON_AFFILIATION_CHANGED = 3,
    REASON_SUPERSEDED = 4,
    REASON_CESSATION_OF_OPERATION = 5,
    REASON_CERTIFICATE_HOLD = 6,
    REASON_REMOVE_FROM_CRL = 8, /* delta CRLs alone: never a stored reason, has no name for users */
    REASON_PRIVILEGE_WITHDRAWN = 9,
    REASON_AA_COMPROMISE = 10,
};

const char *reason_name(enum reason r);                              /* "keyCompromise" */
[[nodiscard]] bool reason_parse(const char *name, enum reason *out); /* spelled as in docs/interface.md, 2 */

#endif
