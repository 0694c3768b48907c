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

/* Those that can stand about one issuer: its end, its length, the ends of its OCSP signers, and of the rest
 * of the room its CRLs' track and the keys of those signers. */
_Static_assert(ISSUERS_MAX *(5 + 2 * RESPONDER_HOSTS_MAX) < ALARMS_MAX,
               "a board has room for the ca's alarms");

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

static bool stop(const struct cert *c, void *arg)
{
    (void)c;
    *(bool *)arg = true;
    return false;
}

/* Was a certificate for such a key issued by it? A site without phones needs no issuer that outlives theirs.
 * A page that ended before all was looked at counts as one. */
static bool is_used(struct view *v, const struct profile *p, enum key_type type, int64_t now_s)
{
    struct cert_query q = {
        .profile = p->id, .key_type = type, .expires_before_s = NO_TIME, .now_s = now_s, .limit = 1};
    char next[CURSOR_MAX];
    bool is_there = false;

    return cert_list(v, &q, stop, &is_there, next) != OK || is_there || next[0] != '\0';
}

/* The profile with the longest life, where nothing is asked for, that is longer than `left_s`; NULL: none. */
static const struct profile *longest_cut(const struct ca *ca, struct view *v, enum key_type type,
                                         int64_t left_s, int64_t now_s)
{
    const struct catalogue *c = &ca->role->catalogue;
    const struct profile *found = NULL;

    for (size_t i = 0; i < c->count; i++) {
        const struct profile *p = &c->profiles[i];

        if (!p->is_internal && profile_ku(p, type) != NULL && p->days_default * DAY_S > left_s &&
            (found == NULL || p->days_default > found->days_default) && is_used(v, p, type, now_s))
            found = p;
    }
    return found;
}

/* Is there a younger root, under which the next issuing CA can be put? */
static bool has_successor(const struct ca *ca, const struct issuing *root, int64_t now_s)
{
    for (size_t n = 0; n < ca->issuer_count; n++) {
        const struct issuing *i = &ca->issuers[n];

        if (i->config->parent[0] == '\0' && i->key == root->key &&
            i->not_after_s - now_s >= ISSUING_DAYS * DAY_S)
            return true;
    }
    return false;
}

static void tell_short(struct ca *ca, const struct issuing *i, const char *what, unsigned days,
                       const char *is)
{
    char end[CLOCK_TEXT_MAX];

    clock_rfc3339(i->not_after_s, end);
    alarm_raise(ca->role->board, ALARM_WARNING, SHORT_ALARM, i->config->id,
                "%s (%u days) %s cut to its end, %s", what, days, is, end);
}

/* Time to renew it, and for a new CA to reach every trust store while this one issues whole lives. */
static void life_check(struct ca *ca, struct view *v, const struct issuing *i, bool is_retired, int64_t now_s)
{
    int64_t left_s = i->not_after_s - now_s;
    bool is_root = i->config->parent[0] == '\0', is_over = is_retired || left_s <= 0;
    const struct profile *p = NULL;
    char what[PROFILE_ID_MAX + 32];

    if (!is_over && i->config->issues != KEY_NONE)
        p = longest_cut(ca, v, i->config->issues, left_s, now_s);
    if (p != NULL) {
        snprintf(what, sizeof what, "certificates of %s", p->id);
        tell_short(ca, i, what, p->days_default, "are");
    } else if (!is_over && i->config->issues == KEY_NONE && is_root && left_s < ISSUING_DAYS * DAY_S &&
               !has_successor(ca, i, now_s)) {
        tell_short(ca, i, "a new issuing CA", ISSUING_DAYS, "is");
    } else {
        alarm_clear(ca->role->board, SHORT_ALARM, i->config->id);
    }
}

void endings_check(struct ca *ca, int64_t now_s)
{
    struct view *v = ca_view(ca);

    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct issuing *each = &ca->issuers[i];
        bool is_retired = roster_is_retired(&ca->role->config, each->config->id);

        issuer_check(ca, each, is_retired, now_s);
        life_check(ca, v, each, is_retired, now_s);
        signer_check(ca, v, each, NULL, is_retired, now_s);
        for (size_t h = 0; h < each->config->host_count; h++)
            signer_check(ca, v, each, each->config->hosts[h], is_retired, now_s);
    }
    view_close(v);
}
