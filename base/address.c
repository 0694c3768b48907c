/* SPDX-License-Identifier: Apache-2.0 */
/* address: text to octets and back by inet_pton and inet_ntop; prefixes by hand. */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96u

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct address *a)
{
    return memcmp(a->octets, mapped, sizeof mapped) == 0;
}

bool address_parse(const char *text, struct address *out)
{
    struct in_addr v4;

    if (inet_pton(AF_INET6, text, out->octets) == 1)
        return true;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return false;
    memcpy(out->octets, mapped, sizeof mapped);
    memcpy(out->octets + sizeof mapped, &v4, 4);
    return true;
}

/* The first `bits` of both agree. */
static bool agree(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);

    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

/* "0" to `most`, no sign, no leading zero. */
static bool read_bits(const char *text, unsigned most, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (unsigned)n;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= most && (text[0] != '0' || n == 0) &&
           end - text <= 3 && (n != 0 || end - text == 1);
}

bool address_range_is_base(const struct address_range *r)
{
    struct address zero = r->base;

    for (unsigned bit = r->bits; bit < 128; bit++)
        zero.octets[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return memcmp(zero.octets, r->base.octets, sizeof zero.octets) == 0;
}

bool address_range_parse(const char *text, struct address_range *out)
{
    char address[ADDRESS_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    unsigned least, bits;

    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!address_parse(address, &out->base))
        return false;
    least = strchr(address, ':') == NULL ? MAPPED_BITS : 0;
    bits = 128 - least;
    if (slash != NULL && !read_bits(slash + 1, bits, &bits))
        return false;
    out->bits = (uint8_t)(least + bits);
    return address_range_is_base(out);
}

bool address_range_has(const struct address_range *r, const struct address *a)
{
    return agree(r->base.octets, a->octets, r->bits);
}

void address_range_text(const struct address_range *r, char out[static ADDRESS_TEXT_MAX])
{
    bool v4 = is_v4(&r->base) && r->bits >= MAPPED_BITS;
    unsigned bits = v4 ? r->bits - MAPPED_BITS : r->bits, most = v4 ? 32 : 128;
    size_t len;

    if (v4)
        inet_ntop(AF_INET, r->base.octets + sizeof mapped, out, ADDRESS_TEXT_MAX);
    else
        inet_ntop(AF_INET6, r->base.octets, out, ADDRESS_TEXT_MAX);
    len = strlen(out);
    if (bits < most)
        snprintf(out + len, ADDRESS_TEXT_MAX - len, "/%u", bits);
}

struct address address_network(const struct address *a)
{
    struct address n = *a;

    if (!is_v4(a))
        memset(n.octets + 8, 0, 8);
    return n;
}
