/* SPDX-License-Identifier: Apache-2.0 */
/* prune: how long after its end a certificate is kept, by policy. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ca/inner.h"

/* The service's own: who did what is looked up in them for as long as there are requests, tokens and audit
 * rows, and issuers lead to their OCSP signers'. They are few. */
static bool is_own(const struct cert *c)
{
    static const char own[] = "chancery/";

    return strncmp(c->profile, own, sizeof own - 1) == 0;
}

static void record(struct txn *t, const struct cert_prune *p, int64_t now_s)
{
    struct audit_row row = {.at_s = now_s, .kind = AUDIT_PRUNE, .actor = span_str("service")};
    char up_to[CLOCK_TEXT_MAX], detail[128];

    clock_rfc3339(p->up_to_s, up_to);
    snprintf(detail, sizeof detail, "%u certificates, the latest ended %s", p->count, up_to);
    row.detail = span_str(detail);
    audit_append(t, &row);
}

void prune_turn(struct ca *ca, struct txn *t, int64_t now_s)
{
    struct cert_prune *p = &ca->prune;

    if (ca->role->config.prune_after_s == 0)
        return;
    p->before_s = now_s - ca->role->config.prune_after_s;
    p->keeps = is_own;
    cert_prune(t, p, CERT_PRUNE_MAX);
    if (p->count > 0)
        record(t, p, now_s);
}
