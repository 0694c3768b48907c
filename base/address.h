/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: IP addresses and CIDR ranges. IPv4 is kept in its IPv4-mapped IPv6 form (RFC 4291 2.5.5.2), so a
 * client is the same one whichever kind of socket it came through. Pure.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address {
    uint8_t octets[16];
};

/* The first `bits` of the address count, of 128; the others are zero. */
struct address_range {
    struct address base;
    uint8_t bits;
};

#define ADDRESS_TEXT_MAX 50 /* "ffff:…/128" with the NUL */

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (the same as 192.0.2.1). */
[[nodiscard]] bool address_parse(const char *text, struct address *out);
/* Are all bits beyond the prefix zero? */
bool address_range_is_base(const struct address_range *r);
/* An address, or one with "/bits". False as well when bits beyond the prefix are set: 10.1.2.3/8 is more
 * likely a slip than a range. */
[[nodiscard]] bool address_range_parse(const char *text, struct address_range *out);
bool address_range_has(const struct address_range *r, const struct address *a);
/* "10.0.0.0/8", "192.0.2.1", "2001:db8::/32": no "/bits" for one address. */
void address_range_text(const struct address_range *r, char out[static ADDRESS_TEXT_MAX]);
/* Whom a limit counts: the address itself, of IPv6 its /64, which one client has whole (RFC 6177). */
struct address address_network(const struct address *a);

#endif
