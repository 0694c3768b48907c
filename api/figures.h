/* SPDX-License-Identifier: Apache-2.0 */
/* figures: what the roles have posted on their boards, in the Prometheus text format: for /metrics, of the
 * API and of an OCSP host. */
#ifndef API_FIGURES_H
#define API_FIGURES_H

#include "base/board.h"
#include "base/buf.h"

#define FIGURES_TEXT_MAX (256u * 1024) /* octets of everything that /metrics says */
#define FIGURES_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* HELP and TYPE of a family, its prefix added. */
void figures_head(struct buf *b, const char *name, const char *type, const char *help);
/* Figures and alarms of `n` boards; a NULL among them is left out. */
void figures_put(struct buf *b, const struct board *const *boards, size_t n);

#endif
