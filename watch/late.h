/* SPDX-License-Identifier: Apache-2.0 */
/* late: alarms about what is published, seen from outside the publisher: crl.overdue for an issuer,
 * crl.foreign for a file that no issuer of ours signed. Private to the watch room. Pure but for the alarms.
 */
#ifndef WATCH_LATE_H
#define WATCH_LATE_H

#include "watch/shelf.h"

struct late {
    const struct shelf_item *items;
    size_t count;
    const struct watch_config *config;
    struct bell *bell;
    int64_t now_s;
    bool is_settled; /* false: the publisher has just started, what is missing may still come */
};
void late_check(const struct late *l);

#endif
