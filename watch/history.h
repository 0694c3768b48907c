/* SPDX-License-Identifier: Apache-2.0 */
/* history: a sink that writes alarms down: watch/alarms.jsonl in the home, a line of JSON an event. Boards
 * and their alarms end with the service; this does not. At HISTORY_MAX octets it becomes alarms.1.jsonl.
 * Private to the watch room. Blocks on the disk; what cannot be written is in the log. */
#ifndef WATCH_HISTORY_H
#define WATCH_HISTORY_H

#include "base/file.h"
#include "watch/follow.h"

#define HISTORY_MAX (1u << 20) /* octets: some 5,000 events */

struct history {
    char path[PATH_LEN_MAX], older[PATH_LEN_MAX];
    bool is_told; /* that it cannot be written */
};
/* ERR_IO: the path is too long. */
enum err history_open(struct history *h, const char *dir, struct fault *f);
/* What stood before was taken down by the end of the service, or is raised anew. */
void history_start(struct history *h, int64_t now_s);
void history_tell(const struct alarm_event *e, void *arg); /* arg: struct history */

#endif
