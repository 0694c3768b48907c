/* SPDX-License-Identifier: Apache-2.0 */
/* names: the rules about subject, common name and SAN. One finding a rule, listing the names it is about. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/policy.h"

#define LISTED_MAX 8u /* names spelled out in one finding */

/* ---- listings ---- */

void listing_init(struct listing *l)
{
    buf_init(&l->text, 4096);
    l->count = 0;
}

void listing_add(struct listing *l, struct span item)
{
    if (l->count++ >= LISTED_MAX)
        return;
    buf_printf(&l->text, "%s%.*s", l->count > 1 ? ", " : "", (int)(item.len < 256 ? item.len : 256),
               item.len > 0 ? (const char *)item.data : "");
}

void listing_find(struct listing *l, struct findings *fs, const char *rule, const char *field,
                  const char *want)
{
    if (l->count > LISTED_MAX)
        buf_printf(&l->text, " and %zu more", l->count - LISTED_MAX);
    if (l->count > 0)
        finding_add(fs, rule, field, (const char *)l->text.data, want);
    buf_free(&l->text);
    l->count = 0;
}

/* ---- the SAN, name by name ---- */

struct san_lists {
    struct listing types, syntax, underscore, address, wildcard, ip_size, ip_refused;
};

static void sort_dns(const struct profile *p, struct san_lists *l, struct span name)
{
    switch (host_kind_of(name)) {
    case HOST_NAME:
        break;
    case HOST_UNDERSCORE:
        listing_add(&l->underscore, name);
        break;
    case HOST_ADDRESS:
        listing_add(&l->address, name);
        break;
    case HOST_WILDCARD:
        if (!p->wildcards)
            listing_add(&l->wildcard, name);
        break;
    case HOST_STAR:
        listing_add(&l->wildcard, name);
        break;
    case HOST_BAD:
        listing_add(&l->syntax, name.len > 0 ? name : span_str("an empty name"));
        break;
    }
}

static void sort_ip(const struct profile *p, struct san_lists *l, struct span octets)
{
    char text[INET6_ADDRSTRLEN];

    if (octets.len != 4 && octets.len != 16) {
        snprintf(text, sizeof text, "of %zu octets", octets.len);
        listing_add(&l->ip_size, span_str(text));
    } else if (!p->ip_sans) {
        inet_ntop(octets.len == 4 ? AF_INET : AF_INET6, octets.data, text, sizeof text);
        listing_add(&l->ip_refused, span_str(text));
    }
}

static void sort_san(const struct profile *p, struct san_lists *l, const struct san *s)
{
    char text[320];

    switch (s->kind) {
    case SAN_DNS:
        return sort_dns(p, l, s->value);
    case SAN_IP:
        return sort_ip(p, l, s->value);
    case SAN_EMAIL:
    case SAN_URI:
        snprintf(text, sizeof text, "%s %.*s",
                 s->kind == SAN_EMAIL ? "rfc822Name" : "uniformResourceIdentifier",
                 (int)(s->value.len < 256 ? s->value.len : 256),
                 s->value.len > 0 ? (const char *)s->value.data : "");
        return listing_add(&l->types, span_str(text));
    case SAN_OTHER:
        return listing_add(&l->types, span_str("another kind of name"));
    }
}

static void san_each(struct check *c)
{
    const struct profile *p = c->profile;
    struct san_lists l;

    listing_init(&l.types);
    listing_init(&l.syntax);
    listing_init(&l.underscore);
    listing_init(&l.address);
    listing_init(&l.wildcard);
    listing_init(&l.ip_size);
    listing_init(&l.ip_refused);
    for (size_t i = 0; i < c->facts->san_count; i++)
        sort_san(p, &l, &c->facts->sans[i]);
    listing_find(&l.types, c->findings, "san.type", "san", p->ip_sans ? "dNSName, iPAddress" : "dNSName");
    listing_find(&l.syntax, c->findings, "san.syntax", "san", "a host name");
    listing_find(&l.wildcard, c->findings, "name.wildcard", "san", "names in full");
    listing_find(&l.ip_size, c->findings, "san.ip", "san", "an address of 4 or 16 octets");
    listing_find(&l.ip_refused, c->findings, "san.ip", "san", "host names alone");
    listing_find(&l.underscore, c->findings, "san.underscore", "san", "letters, digits and hyphens");
    listing_find(&l.address, c->findings, "san.ip.as-name", "san", "iPAddress");
}

static int compare_sans(const void *a, const void *b)
{
    const struct san *x = *(const struct san *const *)a, *y = *(const struct san *const *)b;
    size_t len = x->value.len < y->value.len ? x->value.len : y->value.len;
    int order;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    for (size_t i = 0; i < len; i++) {
        uint8_t m = x->value.data[i], n = y->value.data[i];

        if (x->kind == SAN_DNS) {
            m = m >= 'A' && m <= 'Z' ? (uint8_t)(m + 32) : m;
            n = n >= 'A' && n <= 'Z' ? (uint8_t)(n + 32) : n;
        }
        order = (m > n) - (m < n);
        if (order != 0)
            return order;
    }
    return (x->value.len > y->value.len) - (x->value.len < y->value.len);
}

static void san_duplicates(struct check *c)
{
    const struct san *sorted[SAN_COUNT_MAX];
    size_t n = c->facts->san_count;
    char text[INET6_ADDRSTRLEN];
    struct listing l;

    for (size_t i = 0; i < n; i++)
        sorted[i] = &c->facts->sans[i];
    qsort(sorted, n, sizeof *sorted, compare_sans);
    listing_init(&l);
    for (size_t i = 1; i < n; i++) {
        struct span v = sorted[i]->value;

        if (compare_sans(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        if (sorted[i]->kind == SAN_IP && v.len != 4 && v.len != 16)
            continue; /* refused already */
        if (sorted[i]->kind == SAN_IP &&
            inet_ntop(v.len == 4 ? AF_INET : AF_INET6, v.data, text, sizeof text) != NULL)
            v = span_str(text);
        listing_add(&l, v);
    }
    listing_find(&l, c->findings, "san.duplicate", "san", "each name once");
}

static void san_check(struct check *c)
{
    const struct facts *f = c->facts;
    char got[32], want[32];

    if (f->has_san && f->san_count == 0)
        finding_add(c->findings, "san.empty", "san", "no name", "one name or more");
    if (f->san_count > SAN_COUNT_MAX) {
        snprintf(got, sizeof got, "%zu names", f->san_count);
        snprintf(want, sizeof want, "at most %u", SAN_COUNT_MAX);
        return finding_add(c->findings, "san.count", "san", got, want);
    }
    san_each(c);
    san_duplicates(c);
}

/* ---- the subject and its common name ---- */

static void cn_check(struct check *c)
{
    const struct facts *f = c->facts;
    enum host_kind kind = host_kind_of(f->cn);
    struct listing cn;
    size_t characters = 0;
    char got[48], want[48];

    if (f->cn.len == 0)
        return;
    for (size_t i = 0; i < f->cn.len; i++)
        characters += (f->cn.data[i] & 0xc0) != 0x80; /* every octet but UTF-8's continuations */
    listing_init(&cn);
    listing_add(&cn, f->cn);
    if (characters > CN_MAX) {
        snprintf(got, sizeof got, "%zu characters", characters);
        snprintf(want, sizeof want, "at most %u", CN_MAX);
        finding_add(c->findings, "name.cn.length", "cn", got, want);
    }
    if (memchr(f->cn.data, ',', f->cn.len) != NULL)
        finding_add(c->findings, "name.cn.comma", "cn", (const char *)cn.text.data, "no comma");
    if (kind == HOST_STAR || (kind == HOST_WILDCARD && !c->profile->wildcards))
        listing_find(&cn, c->findings, "name.wildcard", "cn", "names in full");
    buf_free(&cn.text);
}

static void subject_check(struct check *c)
{
    static const uint8_t empty[] = {0x30, 0x00};
    const struct facts *f = c->facts;

    if (f->cn.len == 0 && f->san_count == 0)
        finding_add(c->findings, "name.cn.missing", "subject", "no name",
                    "a common name or a subjectAltName");
    else if (span_eq(f->subject, span_of(empty, sizeof empty)))
        finding_add(c->findings, "subject.empty", "subject", "empty", "a common name");
}

/* ---- a SAN out of the common name ---- */

static bool is_for_servers(const struct grant *g)
{
    for (size_t i = 0; i < g->eku_count; i++)
        if (g->eku[i] == EKU_SERVER_AUTH)
            return true;
    return false;
}

static bool is_issuable_host(const struct profile *p, enum host_kind kind)
{
    return kind == HOST_NAME || kind == HOST_UNDERSCORE || (kind == HOST_WILDCARD && p->wildcards);
}

/* TLS clients compare the SAN alone (RFC 9525 6.3), so a server's certificate gets one. Clients' certificates
 * are left as they were asked for. */
static void san_from_cn(struct check *c)
{
    const struct facts *f = c->facts;
    struct listing cn;

    if (f->has_san || f->san_count > 0 || f->cn.len == 0 || !is_for_servers(c->grant))
        return;
    c->grant->san_from_cn = is_issuable_host(c->profile, host_kind_of(f->cn));
    listing_init(&cn);
    listing_add(&cn, f->cn);
    listing_find(&cn, c->findings, c->grant->san_from_cn ? "san.from-cn" : "san.missing", "san",
                 c->grant->san_from_cn ? "" : "a host name");
}

/* ---- one host or several, and what the product calls them ---- */

/* The longest host name of the SAN: no other can be below it. */
static struct span longest_host(const struct facts *f)
{
    struct span longest = {0};

    for (size_t i = 0; i < f->san_count; i++)
        if (f->sans[i].kind == SAN_DNS && f->sans[i].value.len > longest.len)
            longest = f->sans[i].value;
    return longest;
}

/* Another host of the SAN; empty when there is one alone. A node's parent domain and its bare name are no
 * other host: the product puts the domain into every request. */
static struct span other_host(const struct facts *f, struct span host)
{
    for (size_t i = 0; i < f->san_count; i++) {
        struct span v = f->sans[i].value;

        if (f->sans[i].kind == SAN_DNS && !host_eq(v, host) && !host_is_domain_of(v, host) &&
            !host_eq(v, host_first_label(host)))
            return v;
    }
    return (struct span){0};
}

/* "node-EC-ms.example.com" out of "node.example.com": what the product would have called it. */
static void put_proper_name(struct buf *b, struct span cn, bool is_ec, bool is_multi)
{
    struct span label = host_first_label(cn), host = label;

    if (host_ends_with(host, "-ms"))
        host.len -= 3;
    if (host_ends_with(host, "-EC"))
        host.len -= 3;
    buf_put_span(b, host);
    buf_put_str(b, is_ec ? "-EC" : "");
    buf_put_str(b, is_multi ? "-ms" : "");
    buf_put_span(b, span_of(cn.data + label.len, cn.len - label.len));
    buf_put_u8(b, 0);
}

static void naming_check(struct check *c, bool is_multi)
{
    struct span cn = c->facts->cn, host = host_first_label(cn);
    bool is_ec = c->key.type == KEY_EC, has_ms = host_ends_with(host, "-ms");
    struct listing got;
    struct buf want;

    if (!c->profile->vos_names || cn.len == 0 || cn.len > DNS_NAME_MAX)
        return;
    buf_init(&want, DNS_NAME_MAX + 16);
    put_proper_name(&want, cn, is_ec, is_multi || has_ms);
    listing_init(&got);
    listing_add(&got, cn);
    if (has_ms)
        host.len -= 3;
    if (is_ec && !host_ends_with(host, "-EC"))
        finding_add(c->findings, "name.ec", "cn", (const char *)got.text.data, (const char *)want.data);
    if (is_multi && !has_ms && c->profile->multi_server)
        finding_add(c->findings, "name.ms", "cn", (const char *)got.text.data, (const char *)want.data);
    buf_free(&got.text);
    buf_free(&want);
}

static void hosts_check(struct check *c)
{
    struct span host = longest_host(c->facts), other = other_host(c->facts, host);
    struct listing both;

    naming_check(c, other.len > 0);
    if (other.len == 0 || c->profile->multi_server)
        return;
    listing_init(&both);
    listing_add(&both, other);
    listing_add(&both, host);
    listing_find(&both, c->findings, "profile.multi-server", "san", "one host");
}

void names_check(struct check *c)
{
    subject_check(c);
    cn_check(c);
    san_check(c);
    if (c->facts->san_count > SAN_COUNT_MAX)
        return;
    san_from_cn(c);
    hosts_check(c);
}
