/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: what a service manager that asks for it is told (sd_notify(3)): datagrams of lines NAME=VALUE to
 * the Unix socket that NOTIFY_SOCKET names. Without one, everything here does nothing.
 *
 * Nothing here fails the service: a manager that cannot be told finds out by its own time limits.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un to;
    socklen_t len;
    int64_t watchdog_ms; /* within which WATCHDOG=1 must come again; 0: no watchdog */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment, so that no child
 * speaks for the service. One that is no path and no abstract name is told in the log and not used. */
void notify_open(struct notify *n);
/* Lines without the last newline: "READY=1\nSTATUS=…". */
void notify_send(const struct notify *n, const char *lines);
/* RELOADING=1 with the time that systemd wants with it; READY=1 ends it. */
void notify_reloading(const struct notify *n);

#endif
