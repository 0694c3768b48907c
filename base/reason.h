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

/* Of a code from outside, RFC 5280 5.3.1. What a row may hold and a revocation may ask for. */
static inline bool is_stored_reason(uint8_t code)
{
    return code <= REASON_AA_COMPROMISE && code != 7 && code != REASON_REMOVE_FROM_CRL;
}
/* What an answer or the entry of a complete list may say: unspecified is left out. */
static inline bool is_told_reason(uint8_t code)
{
    return is_stored_reason(code) && code != REASON_UNSPECIFIED;
}

const char *reason_name(enum reason r);                              /* "keyCompromise" */
[[nodiscard]] bool reason_parse(const char *name, enum reason *out); /* spelled as in docs/interface.md, 2 */

#endif
