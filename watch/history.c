/* SPDX-License-Identifier: Apache-2.0 */
/* history: appended, one write a line. */
#include "watch/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

#define LINE_MAX 8192u /* an alarm's texts, every octet of them escaped */

enum err history_open(struct history *h, const char *dir, struct fault *f)
{
    enum err e = path_join(h->path, dir, "alarms.jsonl", f);

    h->is_told = false;
    return e == OK ? path_join(h->older, dir, "alarms.1.jsonl", f) : e;
}

/* A line is written at once or not at all: one that was cut would take the next with it. */
static bool append(const struct history *h, struct span line)
{
    int fd = open(h->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st = {0};
    bool is_done;

    if (fd < 0)
        return false;
    is_done = fstat(fd, &st) == 0 && write(fd, line.data, line.len) == (ssize_t)line.len;
    if (!is_done && ftruncate(fd, st.st_size) != 0)
        log_warn("watch-history", "%s: ends with half a line", h->path);
    close(fd);
    if (is_done && st.st_size + (off_t)line.len > HISTORY_MAX)
        is_done = rename(h->path, h->older) == 0;
    return is_done;
}

/* Takes `o`. */
static void put(struct history *h, struct js *o)
{
    struct buf line;

    buf_init(&line, LINE_MAX);
    js_write(o, &line);
    buf_put_u8(&line, '\n');
    js_free(o);
    if (append(h, buf_span(&line))) {
        h->is_told = false;
    } else if (!h->is_told) {
        h->is_told = true;
        log_warn("watch-history", "%s: %s: alarms are in the log alone", h->path, strerror(errno));
    }
    buf_free(&line);
}

void history_start(struct history *h, int64_t now_s)
{
    struct js *o = js_object();

    js_set_time(o, "at", now_s);
    js_set_str(o, "event", "start");
    put(h, o);
}

void history_tell(const struct alarm_event *e, void *arg)
{
    struct js *o = js_object();

    js_set_time(o, "at", e->at_s);
    js_set_str(o, "event", e->is_over ? "over" : "raised");
    js_set_str(o, "level", e->alarm.level == ALARM_CRITICAL ? "critical" : "warning");
    js_set_str(o, "code", e->alarm.code);
    js_set_str(o, "subject", e->alarm.subject);
    js_set_str(o, "detail", e->alarm.detail);
    js_set_time(o, "since", e->alarm.since_s);
    put(arg, o);
}
