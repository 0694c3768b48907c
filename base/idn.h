/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idn: host names in other scripts, over libidn2 (its one owner). IDNA 2008, RFC 5890 and 5891, not
 * transitional. Pure; nothing is looked up.
 */
#ifndef BASE_IDN_H
#define BASE_IDN_H

#include "base/buf.h"

#define IDN_MAX 254u /* octets of a whole name in A-labels, with its NUL */

/* The name with every U-label as its A-label. False for what is no such name, or is too long as one. */
[[nodiscard]] bool idn_to_ascii(struct span name, char out[static IDN_MAX]);

/* An A-label stands for a U-label that gives the same A-label again. Any label without "xn--" is fine. */
bool idn_label_is_valid(struct span label);

#endif
