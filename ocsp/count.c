/* SPDX-License-Identifier: Apache-2.0 */
/* count: the figures of this room, made once. */
#include <stdio.h>

#include "ocsp/inner.h"

static struct figure *counter(struct board *b, const char *family, const char *label, const char *value,
                              const char *help)
{
    char labels[LABELS_MAX];

    snprintf(labels, sizeof labels, "%s=\"%s\"", label, value);
    return board_figure(b, FIGURE_COUNTER, family, labels, help);
}

void counts_open(struct counts *c, struct board *b)
{
    static const char *const states[] = {"good", "revoked", "unknown", "not-issued"};
    static const struct {
        enum ocsp_status status;
        const char *name;
    } errors[] = {{OCSP_MALFORMED, "malformedRequest"},
                  {OCSP_INTERNAL_ERROR, "internalError"},
                  {OCSP_TRY_LATER, "tryLater"},
                  {OCSP_UNAUTHORIZED, "unauthorized"}};
    static const char *const causes[] = {
        [NEED_NONCE] = "nonce", [NEED_SEVERAL] = "several", [NEED_MISS] = "first",
        [NEED_AGED] = "aged",   [NEED_UNKNOWN] = "unknown", [NEED_WARM] = "start"};
    const char *help = "OCSP: CertIDs answered, by what was said of them.";

    for (size_t i = 0; i <= SINGLE_NOT_ISSUED; i++)
        c->certids[i] = counter(b, "ocsp_certids_total", "status", states[i], help);
    help = "OCSP: answers that are a status alone, unsigned.";
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        c->errors[errors[i].status] = counter(b, "ocsp_errors_total", "status", errors[i].name, help);
    help = "OCSP: answers sent to be signed, by why none was at hand.";
    for (size_t i = 0; i < NEED_COUNT; i++)
        c->signatures[i] = counter(b, "ocsp_signatures_total", "cause", causes[i], help);
    c->hits = board_figure(b, FIGURE_COUNTER, "ocsp_cache_hits_total", "", "OCSP: answers given again.");
    c->joined = board_figure(b, FIGURE_COUNTER, "ocsp_cache_joined_total", "",
                             "OCSP: requests that shared a signature under way.");
    help = "OCSP: requests told to try later, by what was used up.";
    c->address_refused = counter(b, "ocsp_limited_total", "limit", "live-rate", help);
    c->unknown_refused = counter(b, "ocsp_limited_total", "limit", "unknown-rate", help);
    c->overrun = counter(b, "ocsp_limited_total", "limit", "under-way", help);
    c->kept = board_figure(b, FIGURE_GAUGE, "ocsp_cache_answers", "", "OCSP: answers kept.");
    c->kept_octets = board_figure(b, FIGURE_GAUGE, "ocsp_cache_octets", "", "OCSP: memory of kept answers.");
    c->under_way =
        board_figure(b, FIGURE_GAUGE, "ocsp_signatures_under_way", "", "OCSP: answers at the signer.");
}
