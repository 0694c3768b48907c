/* SPDX-License-Identifier: Apache-2.0 */
/* schedule: when the next CRL is due. Pure. A list that is current is never signed again for nothing. */
#include "crl/inner.h"

/* A list made while the clock was wrong is not valid yet for anybody: it is due again. Less than this is a
 * clock being set right, as certificates are backdated for. */
#define AHEAD_S 300

int64_t crl_due(const struct crl_issuer *i, const struct crl_state *s, int64_t now_s)
{
    if (s->number == 0 || s->next_update_s <= now_s || s->this_update_s > now_s + AHEAD_S)
        return now_s;
    return s->this_update_s + i->every_s;
}

bool crl_may_try(int64_t not_before_s, int64_t now_s)
{
    return now_s >= not_before_s || not_before_s - now_s > CRL_RETRY_S;
}
