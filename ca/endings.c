/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endings: the ends of the certificates that the ca looks after: its issuers' and their OCSP signers',
 * here and on other hosts. That of an issuer which issues no more comes as it should, and with it those of
 * its OCSP signers. One that issues is too old long before its end: when that cuts what it issues.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/ending.h"
#include "ca/inner.h"

#define SHORT_ALARM "issuer.short"

/* `host` NULL: the issuer's own. */
static void signer_check(struct ca *ca, struct view *v, const struct issuing *i, const char *host,
                         bool is_retired, int64_t now_s)
{
    char subject[ISSUER_ID_MAX + RESPONDER_HOST_MAX + 8];
    uint8_t serial[SERIAL_LEN];
    struct status s;
    int64_t warn_s, life_s;

    snprintf(subject, sizeof subject, "ocsp %s%s%s", i->config->id, host != NULL ? " " : "",
             host != NULL ? host : "");
    if (responder_serial(v, i->no, host, serial) != OK || status_find(v, serial, &s) != OK)
        return; /* none yet: responder-refused and the responder itself say so */
    if (is_retired && roster_lets_signer_end(i->not_after_s, s.not_after_s, now_s))
        return ending_clear(ca->role->board, subject);
    roster_signer_measures(&ca->role->config, i->config, &warn_s, &life_s);
    ending_check(ca->role->board, subject, s.not_after_s, now_s, warn_s, life_s);
}

static void issuer_check(struct ca *ca, const struct issuing *i, bool is_retired, int64_t now_s)
{
    char subject[ISSUER_ID_MAX + 8];

    snprintf(subject, sizeof subject, "issuer %s", i->config->id);
    if (is_retired)
        ending_clear(ca->role->board, subject);
    else
        ending_check(ca->role->board, subject, i->not_after_s, now_s, ENDING_ISSUER_S, 0);
}

/* The profile that gives the longest life where nothing is asked for; NULL: none takes such a key. */
static const struct profile *longest(const struct catalogue *c, enum key_type type)
{
    const struct profile *found = NULL;

    for (size_t i = 0; i < c->count; i++) {
        const struct profile *p = &c->profiles[i];

        if (!p->is_internal && profile_ku(p, type) != NULL &&
            (found == NULL || p->days_default > found->days_default))
            found = p;
    }
    return found;
}

/* What an issuer gives, or a root to the next issuing CA. False: nothing that could be cut. */
static bool find_life(const struct ca *ca, const struct issuing *i, const char **what, unsigned *days)
{
    const struct profile *p = longest(&ca->role->catalogue, i->config->issues);
    bool is_above = i->config->issues == KEY_NONE && i->config->parent[0] == '\0';

    *what = is_above ? "a new issuing CA" : p != NULL ? p->id : "";
    *days = is_above ? ISSUING_DAYS : p != NULL ? p->days_default : 0;
    return *days > 0;
}

/* Time to renew it, and for a new CA to reach every trust store while this one issues whole lives. */
static void life_check(struct ca *ca, const struct issuing *i, bool is_retired, int64_t now_s)
{
    const char *what;
    unsigned days;
    char end[CLOCK_TEXT_MAX];

    if (is_retired || now_s >= i->not_after_s || !find_life(ca, i, &what, &days) ||
        i->not_after_s - now_s >= days * DAY_S)
        return alarm_clear(ca->role->board, SHORT_ALARM, i->config->id);
    clock_rfc3339(i->not_after_s, end);
    alarm_raise(ca->role->board, ALARM_WARNING, SHORT_ALARM, i->config->id,
                "%s%s (%u days) %s cut to its end, %s",
                i->config->issues != KEY_NONE ? "certificates of " : "", what, days,
                i->config->issues != KEY_NONE ? "are" : "is", end);
}

void endings_check(struct ca *ca, int64_t now_s)
{
    struct view *v = ca_view(ca);

    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct issuing *each = &ca->issuers[i];
        bool is_retired = roster_is_retired(&ca->role->config, each->config->id);

        issuer_check(ca, each, is_retired, now_s);
        life_check(ca, each, is_retired, now_s);
        signer_check(ca, v, each, NULL, is_retired, now_s);
        for (size_t h = 0; h < each->config->host_count; h++)
            signer_check(ca, v, each, each->config->hosts[h], is_retired, now_s);
    }
    view_close(v);
}
