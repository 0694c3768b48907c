/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given: listening sockets that a service manager has opened for the service (sd_listen_fds(3)), so that it
 * needs no right to ports below 1024 and connections wait while it starts anew. Each is taken by its name
 * (http, https, control) or else by its address, which is then one of the configuration's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/supervisor.h"

#define GIVEN_FIRST 3         /* SD_LISTEN_FDS_START */
#define GIVEN_MAX 3           /* http, https, control */
#define GIVEN_ADDRESS_MAX 128 /* sun_path is 108, [v6]:port shorter */

/* A number as sd_listen_fds(3) writes it; -1 for anything else. */
static long number_of(const char *text)
{
    char *end;
    long n;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    n = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' ? n : -1;
}

/* The name of the index-th in "a:b:c"; "" when it has none. */
static void name_of(const char *names, int index, char *out, size_t cap)
{
    out[0] = '\0';
    for (; names != NULL && index > 0; index--) {
        names = strchr(names, ':');
        names = names == NULL ? NULL : names + 1;
    }
    if (names != NULL)
        snprintf(out, cap, "%.*s", (int)strcspn(names, ":"), names);
}

static bool is_listener(int fd)
{
    int listens = 0, type = 0;
    socklen_t len = sizeof listens;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0)
        return false;
    len = sizeof type;
    return listens != 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

/* Where it belongs; NULL when the configuration has no such listener. */
static int *slot_of(struct serve *s, const char *name, const char *address)
{
    const struct {
        const char *name, *address;
        int *fd;
    } slots[] = {{"http", s->config.http_listen, &s->http_fd},
                 {"https", s->config.https_listen, &s->https_fd},
                 {"control", s->config.control_path, &s->control_fd}};

    for (int by_address = 0; by_address < 2; by_address++)
        for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
            if (slots[i].fd == &s->https_fd && s->config.is_ocsp_host)
                continue;
            if (strcmp(by_address ? slots[i].address : slots[i].name, by_address ? address : name) == 0)
                return slots[i].fd;
        }
    return NULL;
}

static bool is_unix(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;

    return getsockname(fd, (struct sockaddr *)&a, &len) == 0 && a.ss_family == AF_UNIX;
}

static enum err take(struct serve *s, int fd, const char *name, struct fault *f)
{
    char address[GIVEN_ADDRESS_MAX] = "";
    int *slot;

    if (!is_listener(fd) || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
        http_bound(fd, address, sizeof address) != OK)
        return fault_set(f, ERR_CONFIG,
                         "descriptor %d from the service manager is no socket that listens for streams", fd);
    slot = slot_of(s, name, address);
    if (slot == NULL || is_unix(fd) != (slot == &s->control_fd))
        return fault_set(
            f, ERR_CONFIG,
            "the service manager's socket %s (\"%s\") is neither named http, https or control nor one "
            "of the addresses in the configuration",
            address, name);
    if (*slot >= 0)
        return fault_set(f, ERR_CONFIG, "the service manager's socket %s is the second of its kind", address);
    *slot = fd;
    return OK;
}

enum err given_take(struct serve *s, struct fault *f)
{
    long pid = number_of(getenv("LISTEN_PID")), count = number_of(getenv("LISTEN_FDS"));
    char *names = getenv("LISTEN_FDNAMES") == NULL ? NULL : strdup(getenv("LISTEN_FDNAMES"));
    enum err e = OK;

    if (pid != getpid()) /* meant for a parent of ours */
        count = 0;
    if (count > GIVEN_MAX)
        e = fault_set(f, ERR_CONFIG,
                      "the service manager gives %ld sockets: there are http, https and control", count);
    for (int i = 0; e == OK && i < count; i++) {
        char name[32];

        name_of(names, i, name, sizeof name);
        e = take(s, GIVEN_FIRST + i, name, f);
    }
    s->is_control_given = s->control_fd >= 0;
    free(names);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return e;
}
