/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: one code point at a time out of octets that may be anything. Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* Octets of the well-formed sequence that `s` begins with (RFC 3629 section 4: nothing overlong, no
 * surrogates, at most U+10FFFF), 0 when there is none or `s` is empty. `code` may be NULL. */
size_t utf8_next(struct span s, uint32_t *code);
/* Octets of `s` that are at most `most` and cut no character in two. */
size_t utf8_cut(struct span s, size_t most);
/* Puts the character; false, and nothing, for what is none: a surrogate, or beyond U+10FFFF. */
[[nodiscard]] bool utf8_put(struct buf *b, uint32_t code);

#endif
