/* SPDX-License-Identifier: Apache-2.0 */
/* base64: octets as text that JSON can carry. RFC 4648 4. Pure; armour and reading are OpenSSL's. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Appends the base64 of `s`, padded, on one line. */
void base64_put(struct buf *b, struct span s);

#endif
