/* SPDX-License-Identifier: Apache-2.0 */
/* names: the rules about subject, common name and SAN. One finding a rule, listing the names it is about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/idn.h"
#include "ca/policy.h"

/* ---- names in other scripts ---- */

static bool is_ascii(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 0x80)
            return false;
    return true;
}

static bool all_labels(struct span name, bool (*holds)(struct span label))
{
    for (;;) {
        struct span label = host_first_label(name);

        if (!holds(label))
            return false;
        if (label.len == name.len)
            return true;
        name = span_of(name.data + label.len + 1, name.len - label.len - 1);
    }
}

static bool a_labels_are_valid(struct span name)
{
    return all_labels(name, idn_label_is_valid);
}

/* RFC 5890 2.3.1 keeps "--" in third and fourth place for encodings, of which there is one. */
static bool is_unreserved(struct span label)
{
    return label.len < 4 || label.data[2] != '-' || label.data[3] != '-' ||
           host_eq(span_of(label.data, 2), span_str("xn"));
}

#define RESERVED_WANT "no hyphens in third and fourth place"

/* ---- the SAN, name by name ---- */

struct san_lists {
    struct listing types, syntax, underscore, address, wildcard, ip_size, ip_refused, unicode, ascii, labels,
        reserved;
};

/* What is no host name may be one in another script: then it is told what it would be here. */
static void sort_bad(struct san_lists *l, struct span name)
{
    char ascii[IDN_MAX];

    if (is_ascii(name) || !idn_to_ascii(name, ascii))
        return listing_add(&l->syntax, name.len > 0 ? name : span_str("an empty name"));
    listing_add(&l->unicode, name);
    listing_add(&l->ascii, span_str(ascii));
}

static void sort_labels(struct san_lists *l, struct span name)
{
    if (!a_labels_are_valid(name))
        listing_add(&l->labels, name);
    if (!all_labels(name, is_unreserved))
        listing_add(&l->reserved, name);
}

static void sort_dns(const struct profile *p, struct san_lists *l, struct span name)
{
    switch (host_kind_of(name)) {
    case HOST_NAME:
        sort_labels(l, name);
        break;
    case HOST_UNDERSCORE:
        listing_add(&l->underscore, name);
        sort_labels(l, name);
        break;
    case HOST_ADDRESS: /* a site that wants none wants none in this guise either */
        listing_add(p->ip_sans ? &l->address : &l->ip_refused, name);
        break;
    case HOST_WILDCARD:
        if (!p->wildcards)
            listing_add(&l->wildcard, name);
        else
            sort_labels(l, name);
        break;
    case HOST_STAR:
        listing_add(&l->wildcard, name);
        break;
    case HOST_BAD:
        sort_bad(l, name);
        break;
    }
}

static void sort_ip(const struct profile *p, struct san_lists *l, const struct san *s)
{
    char text[64];

    if (s->value.len != 4 && s->value.len != 16) {
        snprintf(text, sizeof text, "of %zu octets", s->value.len);
        listing_add(&l->ip_size, span_str(text));
    } else if (!p->ip_sans) {
        listing_add_san(&l->ip_refused, s);
    }
}

static void sort_san(const struct profile *p, struct san_lists *l, const struct san *s)
{
    char text[320];

    switch (s->kind) {
    case SAN_DNS:
        return sort_dns(p, l, s->value);
    case SAN_IP:
        return sort_ip(p, l, s);
    case SAN_EMAIL:
    case SAN_URI:
        snprintf(text, sizeof text, "%s %.*s",
                 s->kind == SAN_EMAIL ? "rfc822Name" : "uniformResourceIdentifier",
                 (int)(s->value.len < 256 ? s->value.len : 256),
                 s->value.len > 0 ? (const char *)s->value.data : "");
        return listing_add(&l->types, span_str(text));
    case SAN_OTHER:
        return listing_add_san(&l->types, s);
    }
}

#define UNDERSCORE_WANT "letters, digits and hyphens"

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
    listing_init(&l.unicode);
    listing_init(&l.ascii);
    listing_init(&l.labels);
    listing_init(&l.reserved);
    for (size_t i = 0; i < c->facts->san_count; i++)
        sort_san(p, &l, &c->facts->sans[i]);
    listing_find(&l.types, c->findings, "san.type", "san", p->ip_sans ? "dNSName, iPAddress" : "dNSName");
    listing_find(&l.syntax, c->findings, "san.syntax", "san", "a host name");
    listing_find(&l.wildcard, c->findings, "name.wildcard", "san", "names in full");
    buf_put_u8(&l.ascii.text, 0);
    listing_find(&l.unicode, c->findings, "name.idn", "san", (const char *)l.ascii.text.data);
    buf_free(&l.ascii.text);
    listing_find(&l.labels, c->findings, "name.idn.label", "san", "valid A-labels");
    listing_find(&l.reserved, c->findings, "name.label.reserved", "san", RESERVED_WANT);
    listing_find(&l.ip_size, c->findings, "san.ip", "san", "an address of 4 or 16 octets");
    listing_find(&l.ip_refused, c->findings, "san.ip", "san", "host names alone");
    listing_find(&l.underscore, c->findings, "san.underscore", "san", UNDERSCORE_WANT);
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
    struct listing l;

    for (size_t i = 0; i < n; i++)
        sorted[i] = &c->facts->sans[i];
    qsort(sorted, n, sizeof *sorted, compare_sans);
    listing_init(&l);
    for (size_t i = 1; i < n; i++) {
        size_t len = sorted[i]->value.len;

        if (compare_sans(&sorted[i - 1], &sorted[i]) != 0)
            continue;
        if (sorted[i]->kind == SAN_IP && len != 4 && len != 16)
            continue; /* refused already */
        listing_add_san(&l, sorted[i]);
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

/* What could become the SAN is held to what a SAN is held to. */
static void cn_labels_check(struct check *c)
{
    struct span cn = c->facts->cn;

    if (!a_labels_are_valid(cn))
        name_finding(c, "name.idn.label", "cn", cn, "valid A-labels");
    if (!all_labels(cn, is_unreserved))
        name_finding(c, "name.label.reserved", "cn", cn, RESERVED_WANT);
}

/* A server's common name with a dot and no space is meant as a host name. */
static void cn_script_check(struct check *c)
{
    struct span cn = c->facts->cn;
    char ascii[IDN_MAX];

    if (cn.len == 0 || !is_for_servers(c->grant))
        return;
    if (is_issuable_host(c->profile, host_kind_of(cn)))
        return cn_labels_check(c);
    if (memchr(cn.data, '.', cn.len) == NULL || memchr(cn.data, ' ', cn.len) != NULL || is_ascii(cn))
        return;
    if (idn_to_ascii(cn, ascii))
        name_finding(c, "name.idn", "cn", cn, ascii);
}

static void count_cn(const struct attribute *a, void *arg)
{
    *(size_t *)arg += attribute_is_cn(a);
}

/* Of several, OpenSSL reads the first and others the last: each rule and scope would have to hold for all. */
static void cn_count_check(struct check *c)
{
    size_t count = 0;
    char got[48];

    if (!subject_each(c->facts->subject, count_cn, &count) || count < 2)
        return;
    snprintf(got, sizeof got, "%zu common names", count);
    finding_add(c->findings, "name.cn.count", "subject", got, "one common name");
}

static void note_unit(const struct attribute *a, void *arg)
{
    *(bool *)arg |= attribute_is_ou(a);
}

/* The subject as it would be issued has a name in it; strings and lengths of one are looked at in passing. */
static bool has_name_left(struct check *c)
{
    static const uint8_t empty[] = {0x30, 0x00};
    struct buf issued;
    bool has_name;

    buf_init(&issued, WIRE_MSG_MAX);
    if (c->grant->drops_ou)
        subject_without_ou(c->facts->subject, &issued);
    else
        buf_put_span(&issued, c->facts->subject);
    has_name = !span_eq(buf_span(&issued), span_of(empty, sizeof empty));
    if (has_name && issued.len > 0) /* our own keys come without a subject */
        lint_subject(buf_span(&issued), c->findings);
    buf_free(&issued);
    return has_name;
}

static void ou_check(struct check *c)
{
    bool has_unit = false;

    if (!c->profile->drop_ou || !subject_each(c->facts->subject, note_unit, &has_unit) || !has_unit)
        return;
    c->grant->drops_ou = true;
    finding_add(c->findings, "subject.ou-dropped", "subject", "organizationalUnitName", "");
}

static void subject_check(struct check *c)
{
    const struct facts *f = c->facts;

    if (f->cn.len == 0 && f->san_count == 0)
        finding_add(c->findings, "name.cn.missing", "subject", "no name",
                    "a common name or a subjectAltName");
    else if (!has_name_left(c))
        finding_add(c->findings, "subject.empty", "subject", "empty", "a common name");
}

/* ---- a SAN out of the common name ---- */

/* TLS clients compare the SAN alone (RFC 9525 6.3), so a server's certificate gets one. Clients' certificates
 * are left as they were asked for. */
static void san_from_cn(struct check *c)
{
    const struct facts *f = c->facts;
    enum host_kind kind = host_kind_of(f->cn);
    struct listing cn;

    if (f->has_san || f->san_count > 0)
        return;
    if (c->profile->san_rule == SAN_REQUIRED)
        return finding_add(c->findings, "san.required", "san", "none", "a subjectAltName");
    if (c->profile->san_rule != SAN_FROM_CN || f->cn.len == 0 || !is_for_servers(c->grant))
        return;
    c->grant->san_from_cn = is_issuable_host(c->profile, kind);
    listing_init(&cn);
    listing_add(&cn, f->cn);
    listing_find(&cn, c->findings, c->grant->san_from_cn ? "san.from-cn" : "san.missing", "san",
                 c->grant->san_from_cn ? "" : "a host name");
    if (kind == HOST_UNDERSCORE)
        name_finding(c, "san.underscore", "san", f->cn, UNDERSCORE_WANT);
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

static void hosts_check(struct check *c)
{
    struct span host = longest_host(c->facts), other = {0};
    bool has_ms = c->profile->naming == NAMING_VOS && host_ends_with(host_first_label(c->facts->cn), "-ms");
    struct listing both;

    if (!c->profile->domain_sans)
        other = other_host(c->facts, host);
    naming_check(c, other.len > 0);
    if ((other.len == 0 && !has_ms) || c->profile->multi_server)
        return;
    listing_init(&both);
    listing_add(&both, other.len > 0 ? other : c->facts->cn);
    if (other.len > 0)
        listing_add(&both, host);
    listing_find(&both, c->findings, "profile.multi-server", "san", "one host");
}

void names_check(struct check *c)
{
    ou_check(c);
    subject_check(c);
    cn_count_check(c);
    cn_check(c);
    cn_script_check(c);
    san_check(c);
    if (c->facts->san_count > SAN_COUNT_MAX)
        return;
    san_from_cn(c);
    hosts_check(c);
    name_limits_check(c);
}
