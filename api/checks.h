/* SPDX-License-Identifier: Apache-2.0 */
/* checks: what /livez and /readyz say of a service, of the API and of an OCSP host: named checks, each with a
 * level, and the worst of them. */
#ifndef API_CHECKS_H
#define API_CHECKS_H

#include "base/board.h"
#include "base/ending.h"
#include "base/json.h"

/* An alarm's level is a check's too. */
enum level { LEVEL_OK, LEVEL_WARNING = ALARM_WARNING, LEVEL_CRITICAL = ALARM_CRITICAL };

struct checks {
    struct js *items;
    enum level worst;
};

void checks_begin(struct checks *k);
/* The check is named KIND, or KIND:ID when the id is not "". A detail that is too long is cut. */
void checks_add(struct checks *k, const char *kind, const char *id, enum level level, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Something that is good until `end_s`. */
void checks_add_end(struct checks *k, const char *kind, const char *id, int64_t end_s,
                    enum ending_state state);
/* One named by the alarm's code and subject, with the time since when it stands. */
void checks_add_alarm(struct checks *k, const struct alarm_shown *a);
/* Gives all of it, {"status", "checks"}; the checks are used up. */
struct js *checks_end(struct checks *k);

#endif
