/* SPDX-License-Identifier: Apache-2.0 */
/* base64: octets as text that JSON and paths can carry. RFC 4648 4. Pure; armour is OpenSSL's. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Appends the base64 of `s`, padded, on one line. */
void base64_put(struct buf *b, struct span s);
/* The six bits that a character of the alphabet stands for; -1: it is none of it, as padding is. */
int base64_value(uint8_t c);
/* Exactly what base64_put writes, and nothing around it: padded, no line ends, no bits beyond the last octet.
 * `out` holds text.len / 4 * 3. */
[[nodiscard]] bool base64_read(struct span text, uint8_t *out, size_t *len);

#endif
