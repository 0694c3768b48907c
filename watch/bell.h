/* SPDX-License-Identifier: Apache-2.0 */
/* bell: alarms and figures raised from several threads: a board takes alarms from one. Private to the watch
 * room. */
#ifndef WATCH_BELL_H
#define WATCH_BELL_H

#include "base/board.h"

struct bell;
struct bell *bell_new(struct board *b); /* borrows; NULL: alarms are only logged */
void bell_free(struct bell *b);
/* As alarm_raise() and alarm_clear(). */
void bell_raise(struct bell *b, enum alarm_level level, const char *code, const char *subject,
                const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void bell_clear(struct bell *b, const char *code, const char *subject);
/* A counter or gauge of one target; "" for none. Lives as long as the board. */
struct figure *bell_figure(struct bell *b, enum figure_kind kind, const char *family, const char *target,
                           const char *help);

#endif
