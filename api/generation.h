/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generation: the number at the end of an issuer's id and common name, "rsa-g1" and "Example UC RSA Issuing
 * CA G1", which grows by one with each new key: no two issuers ever have one name. What ends in no number is
 * the first. Pure.
 */
#ifndef API_GENERATION_H
#define API_GENERATION_H

#include "base/buf.h"
#include "base/limits.h"

/* "rsa-g2" of "rsa-g1", "corp-g2" of "corp". False: longer than an id may be. */
[[nodiscard]] bool generation_id(const char *id, char out[static ISSUER_ID_MAX]);
/* The Name with the next common name, all else octet for octet; gives that common name. ERR_CONFLICT: it
 * would be longer than its 64 characters (RFC 5280 A.1), or there is none to count on, as text that ASCII is
 * a part of. */
#define GENERATION_CN_MAX (4 * CN_MAX + 1) /* octets with the NUL */
enum err generation_name(struct span name, struct buf *out, char cn[static GENERATION_CN_MAX],
                         struct fault *f);

#endif
