/* SPDX-License-Identifier: Apache-2.0 */
/* notify: a sender of our own, see docs/dependencies.md for why. */
#include "base/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define WATCHDOG_USEC_MAX (24u * 3600 * 1000000) /* a day: beyond it nobody is watching */

/* All digits, to at most `max`; 0 when it is anything else. */
static uint64_t count_of(const char *text, uint64_t max)
{
    uint64_t n = 0;

    if (text == NULL || text[0] == '\0')
        return 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        n = n * 10 + (uint64_t)(*text - '0');
        if (n > max)
            return 0;
    }
    return n;
}

/* WATCHDOG_PID absent: meant for whoever reads it. */
static int64_t watchdog_of(const char *usec, const char *pid)
{
    if (pid != NULL && count_of(pid, INT32_MAX) != (uint64_t)getpid())
        return 0;
    return (int64_t)(count_of(usec, WATCHDOG_USEC_MAX) / 1000);
}

/* A path, or an abstract name that is written with '@' for its first NUL. */
static bool address_of(const char *name, struct notify *n)
{
    size_t len = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof n->to.sun_path)
        return false;
    n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(n->to.sun_path, name, len);
    if (name[0] == '@')
        n->to.sun_path[0] = '\0';
    n->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/' ? 1 : 0));
    return true;
}

void notify_open(struct notify *n)
{
    const char *name = getenv("NOTIFY_SOCKET");

    *n = (struct notify){.fd = -1};
    if (name != NULL && name[0] != '\0') {
        if (address_of(name, n))
            n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        else
            log_warn("notify",
                     "NOTIFY_SOCKET is no path and no abstract name: the service manager is told nothing");
    }
    if (n->fd >= 0)
        n->watchdog_ms = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_send(const struct notify *n, const char *lines)
{
    if (n->fd < 0)
        return;
    if (sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->len) < 0)
        log_warn("notify", "the service manager could not be told: %s", strerror(errno));
}

void notify_reloading(const struct notify *n)
{
    char lines[80];

    snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
    notify_send(n, lines);
}
