/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endings: the ends of the certificates that the ca looks after: its issuers' and their OCSP signers',
 * here and on other hosts. That of an issuer which issues no more comes as it should, and with it those of
 * its OCSP signers.
 */
#include <stdio.h>

#include "base/ending.h"
#include "ca/inner.h"

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

void endings_check(struct ca *ca, int64_t now_s)
{
    struct view *v = ca_view(ca);

    for (size_t i = 0; i < ca->issuer_count; i++) {
        const struct issuing *each = &ca->issuers[i];
        bool is_retired = roster_is_retired(&ca->role->config, each->config->id);

        issuer_check(ca, each, is_retired, now_s);
        signer_check(ca, v, each, NULL, is_retired, now_s);
        for (size_t h = 0; h < each->config->host_count; h++)
            signer_check(ca, v, each, each->config->hosts[h], is_retired, now_s);
    }
    view_close(v);
}
