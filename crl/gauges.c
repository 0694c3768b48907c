/* SPDX-License-Identifier: Apache-2.0 */
/* gauges: what others may know of an issuer's lists, on the role's board. */
#include <stdio.h>

#include "crl/inner.h"

void gauges_open(struct gauges *g, struct board *b, const char *issuer_id)
{
    char labels[LABELS_MAX], kind[LABELS_MAX];

    snprintf(labels, sizeof labels, "issuer=\"%s\"", issuer_id);
    snprintf(kind, sizeof kind, "issuer=\"%s\",kind=\"complete\"", issuer_id);
    g->complete = board_figure(b, FIGURE_COUNTER, "crl_published_total", kind, "CRL runs that succeeded.");
    snprintf(kind, sizeof kind, "issuer=\"%s\",kind=\"delta\"", issuer_id);
    g->deltas = board_figure(b, FIGURE_COUNTER, "crl_published_total", kind, "CRL runs that succeeded.");
    g->duration =
        board_figure(b, FIGURE_GAUGE, "crl_duration_milliseconds", labels, "How long the last run took.");
    g->age = board_figure(b, FIGURE_GAUGE, "crl_age_seconds", labels,
                          "Since thisUpdate of the CRL in force, when last looked at.");
    g->size = board_figure(b, FIGURE_GAUGE, "crl_size_bytes", labels, "Octets of the CRL in force, as DER.");
}

void gauges_published(struct gauges *g, enum crl_run run, int64_t duration_ms)
{
    figure_add(run == RUN_DELTA ? g->deltas : g->complete, 1);
    figure_set(g->duration, duration_ms);
}

void gauges_show(struct gauges *g, const struct crl_force *s, int64_t now_s)
{
    if (s->whole.number == 0)
        return;
    figure_set(g->age, now_s - s->whole.this_update_s);
    figure_set(g->size, (int64_t)s->whole.size);
}
