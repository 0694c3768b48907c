/* SPDX-License-Identifier: Apache-2.0 */
/* host: what a text is as the name of a host, and how two such names relate. RFC 1123 2.1, RFC 1035 2.3.4. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "ca/policy.h"

#define LABEL_MAX 63u /* RFC 1035 2.3.4 */

static bool is_ldh(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

struct span host_first_label(struct span name)
{
    const uint8_t *dot = name.len > 0 ? memchr(name.data, '.', name.len) : NULL;

    return dot != NULL ? span_of(name.data, (size_t)(dot - name.data)) : name;
}

static enum host_kind label_kind(struct span label)
{
    enum host_kind kind = HOST_NAME;

    if (label.len == 0 || label.len > LABEL_MAX || label.data[0] == '-' || label.data[label.len - 1] == '-')
        return HOST_BAD;
    for (size_t i = 0; i < label.len; i++) {
        if (label.data[i] == '_')
            kind = HOST_UNDERSCORE;
        else if (!is_ldh(label.data[i]))
            return HOST_BAD;
    }
    return kind;
}

/* RFC 1123 2.1: the last label of several is never a number, by which addresses are told from names. */
static bool is_number(struct span label)
{
    for (size_t i = 0; i < label.len; i++)
        if (label.data[i] < '0' || label.data[i] > '9')
            return false;
    return true;
}

static enum host_kind labels_kind(struct span text)
{
    enum host_kind kind = HOST_NAME;
    size_t len = text.len;

    for (;;) {
        struct span label = host_first_label(text);
        enum host_kind one = label_kind(label);

        if (one == HOST_BAD)
            return HOST_BAD;
        if (one == HOST_UNDERSCORE)
            kind = HOST_UNDERSCORE;
        if (label.len == text.len)
            return label.len < len && is_number(label) ? HOST_BAD : kind;
        text = span_of(text.data + label.len + 1, text.len - label.len - 1);
    }
}

static bool is_address(struct span text)
{
    struct in_addr a;
    char copy[INET_ADDRSTRLEN];

    return span_to_str(text, copy, sizeof copy) && inet_pton(AF_INET, copy, &a) == 1;
}

static bool is_wildcard(struct span text)
{
    struct span below;

    if (text.len <= 2 || text.len > DNS_NAME_MAX || memcmp(text.data, "*.", 2) != 0)
        return false;
    below = span_of(text.data + 2, text.len - 2);
    return memchr(below.data, '.', below.len) != NULL && labels_kind(below) == HOST_NAME;
}

enum host_kind host_kind_of(struct span text)
{
    if (text.len == 0)
        return HOST_BAD;
    if (memchr(text.data, '*', text.len) != NULL)
        return is_wildcard(text) ? HOST_WILDCARD : HOST_STAR;
    if (text.len > DNS_NAME_MAX)
        return HOST_BAD;
    return is_address(text) ? HOST_ADDRESS : labels_kind(text);
}

bool host_eq(struct span a, struct span b)
{
    return a.len == b.len &&
           (a.len == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0);
}

bool host_is_domain_of(struct span domain, struct span name)
{
    size_t at;

    if (domain.len == 0 || name.len <= domain.len)
        return false;
    at = name.len - domain.len;
    return name.data[at - 1] == '.' && host_eq(span_of(name.data + at, domain.len), domain);
}

bool host_ends_with(struct span label, const char *suffix)
{
    size_t len = strlen(suffix);

    return label.len > len && host_eq(span_of(label.data + label.len - len, len), span_str(suffix));
}
