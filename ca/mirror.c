/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror: keyUsage and extendedKeyUsage. What the CSR asks for is issued exactly, when it lies within what
 * the profile requires and tolerates; what it does not ask for at all is issued as the profile has it;
 * anything else is refused by name. The two are decided separately. Hence a CSR can never widen a profile,
 * and the product finds the usages it asked for.
 */
#include <stdio.h>

#include "ca/policy.h"

/* ---- keyUsage ---- */

static void ku_missing(struct check *c, uint16_t missing)
{
    char got[USAGE_TEXT_MAX], want[USAGE_TEXT_MAX];

    ku_names(c->facts->ku, got);
    ku_names(missing, want);
    finding_add(c->findings, "usage.key.missing", "keyUsage", got, want);
    phone_usage_find(c->findings, "keyUsage", c->profile, c->key.type, c->facts->ku);
}

static void ku_forbidden(struct check *c, uint16_t extra, uint16_t permitted)
{
    char got[USAGE_TEXT_MAX], names[USAGE_TEXT_MAX], want[USAGE_TEXT_MAX + 80];
    bool is_rfc8813 = c->key.type == KEY_EC && (extra & KU_ENCIPHERMENT) != 0;

    ku_names(extra, got);
    ku_names(permitted, names);
    snprintf(want, sizeof want, "%s%s", names,
             is_rfc8813 ? " (RFC 8813 forbids encipherment with EC keys)" : "");
    finding_add(c->findings, "usage.key.forbidden", "keyUsage", got, want);
}

/* `differs`: the bits in which the certificate would not be what the product asked for. */
static void data_encipherment(struct check *c, uint16_t differs)
{
    bool asked = (c->facts->ku & KU_DATA_ENCIPHERMENT) != 0;

    if (!c->profile->is_cisco || (differs & KU_DATA_ENCIPHERMENT) == 0)
        return;
    finding_add(c->findings, "usage.data-encipherment", "keyUsage", asked ? "asked for" : "not asked for",
                asked ? "not permitted" : "required");
}

static void ku_table(struct check *c, uint16_t table)
{
    char got[USAGE_TEXT_MAX], want[USAGE_TEXT_MAX];

    c->grant->ku = table;
    if (!c->facts->has_ku || c->facts->ku == table)
        return;
    ku_names(c->facts->ku, got);
    ku_text(table, want, sizeof want);
    finding_add(c->findings, "usage.table", "keyUsage", got, want);
    data_encipherment(c, c->facts->ku ^ table);
}

static void ku_check(struct check *c)
{
    const struct profile_usage *u = profile_ku(c->profile, c->key.type);
    uint16_t asked = c->facts->ku, permitted, missing, extra;

    if (u == NULL) /* no such key: refused already */
        return;
    if (c->profile->always_table || !c->facts->has_ku)
        return ku_table(c, u->preset);
    permitted = u->required | u->tolerated;
    missing = u->required & (uint16_t)~asked;
    extra = asked & (uint16_t)~permitted;
    if (missing != 0)
        ku_missing(c, missing);
    if (extra != 0)
        ku_forbidden(c, extra, permitted);
    data_encipherment(c, missing | extra);
    c->grant->ku = asked & permitted;
}

static void rfc8813_note(struct check *c)
{
    uint16_t bits = c->grant->ku & KU_ENCIPHERMENT;
    char got[USAGE_TEXT_MAX];

    if (c->key.type != KEY_EC || bits == 0 || !c->profile->is_cisco)
        return;
    ku_names(bits, got);
    finding_add(c->findings, "usage.rfc8813", "keyUsage", got, "");
}

/* ---- extendedKeyUsage ---- */

/* Without those of no name, which are refused as they are. */
static uint32_t eku_asked(const struct facts *f)
{
    return eku_set_of(f->eku, f->eku_count) & ~(1u << EKU_OTHER);
}

static void grant_eku(struct grant *g, enum eku e)
{
    for (size_t i = 0; i < g->eku_count; i++)
        if (g->eku[i] == e)
            return;
    g->eku[g->eku_count++] = e; /* fits: each of fewer than EKU_LIST_MAX once */
}

static void grant_eku_set(struct grant *g, uint32_t set)
{
    for (enum eku e = 0; e < EKU_OTHER; e++)
        if ((set & 1u << e) != 0)
            grant_eku(g, e);
}

static void eku_finding(struct check *c, const char *rule, uint32_t got, uint32_t want)
{
    char got_text[USAGE_TEXT_MAX], want_text[USAGE_TEXT_MAX];

    eku_names(got, got_text);
    eku_names(want, want_text);
    finding_add(c->findings, rule, "extendedKeyUsage", got_text, want_text);
}

static void eku_unknown(struct check *c, uint32_t permitted)
{
    char want[USAGE_TEXT_MAX];
    struct listing other;

    if (c->facts->eku_other.len == 0)
        return;
    eku_names(permitted, want);
    listing_init(&other);
    listing_add(&other, c->facts->eku_other);
    listing_find(&other, c->findings, "usage.ext.unknown", "extendedKeyUsage", want);
}

static void eku_table(struct check *c, uint32_t asked)
{
    grant_eku_set(c->grant, c->profile->eku_required);
    if (c->facts->has_eku && (asked != c->profile->eku_required || c->facts->eku_other.len > 0))
        eku_finding(c, "usage.table", asked, c->profile->eku_required);
}

static void eku_missing(struct check *c, uint32_t asked, uint32_t missing)
{
    eku_finding(c, "usage.ext.missing", asked, missing);
    if ((missing & 1u << EKU_CLIENT_AUTH) != 0) /* a site may have no Expressway that needs it */
        expressway_usage_find(c->findings, "extendedKeyUsage", c->profile, asked);
}

static void eku_check(struct check *c)
{
    const struct profile *p = c->profile;
    uint32_t asked = eku_asked(c->facts), permitted = p->eku_required | p->eku_tolerated;

    if (p->always_table || !c->facts->has_eku)
        return eku_table(c, asked);
    if ((p->eku_required & ~asked) != 0)
        eku_missing(c, asked, p->eku_required & ~asked);
    if ((asked & ~permitted) != 0)
        eku_finding(c, "usage.ext.forbidden", asked & ~permitted, permitted);
    eku_unknown(c, permitted);
    for (size_t i = 0; i < c->facts->eku_count; i++)
        if (c->facts->eku[i] < EKU_OTHER && (permitted & 1u << c->facts->eku[i]) != 0)
            grant_eku(c->grant, c->facts->eku[i]);
}

void mirror_check(struct check *c)
{
    ku_check(c);
    rfc8813_note(c);
    eku_check(c);
}
