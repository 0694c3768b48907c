/* SPDX-License-Identifier: Apache-2.0 */
/* http_listen: listening sockets, before any role starts. A Unix socket file is replaced only when nobody
 * answers on it. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/http.h"

#define SOCKET_FLAGS (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

static enum err fault_errno(struct fault *f, const char *where)
{
    return fault_set(f, ERR_IO, "%s: %s", where, strerror(errno));
}

/* A numeric address and port, as the configuration has them: nothing here asks a name server. */
struct where {
    char host[64], port[8];
};

/* Cuts "ADDR:PORT" or "[v6]:PORT" in two. */
static bool where_split(const char *text, struct where *out)
{
    const char *colon = strrchr(text, ':');
    struct span host;

    if (colon == NULL || colon == text)
        return false;
    host = span_of(text, (size_t)(colon - text));
    if (text[0] == '[' && colon[-1] == ']')
        host = span_of(text + 1, host.len - 2);
    else if (memchr(text, ':', host.len) != NULL)
        return false;
    return host.len > 0 && colon[1] != '\0' && span_to_str(host, out->host, sizeof out->host) &&
           span_to_str(span_str(colon + 1), out->port, sizeof out->port);
}

static enum err listen_at(const struct addrinfo *a, const char *where, int *fd, struct fault *f)
{
    int on = 1;
    int s = socket(a->ai_family, SOCKET_FLAGS, 0);

    if (s < 0)
        return fault_errno(f, where);
    if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(s, a->ai_addr, a->ai_addrlen) != 0 || listen(s, SOMAXCONN) != 0) {
        enum err e = fault_errno(f, where);

        close(s);
        return e;
    }
    *fd = s;
    return OK;
}

/* NULL for what is no address; else freeaddrinfo(). */
static struct addrinfo *address_read(const char *text)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *a = NULL;
    struct where w;

    return where_split(text, &w) && getaddrinfo(w.host, w.port, &hints, &a) == 0 ? a : NULL;
}

bool http_listen_reads(const char *text)
{
    struct addrinfo *a = address_read(text);
    bool reads = a != NULL;

    if (reads)
        freeaddrinfo(a);
    return reads;
}

enum err http_listen_tcp(const char *text, int *fd, struct fault *f)
{
    struct addrinfo *a = address_read(text);
    enum err e;

    *fd = -1;
    if (a == NULL)
        return fault_set(f, ERR_IO, "%s: not an address and port such as 127.0.0.1:8080 or [::1]:8080", text);
    e = listen_at(a, text, fd, f);
    freeaddrinfo(a);
    return e;
}

/* ---- Unix sockets ---- */

/* Removes a socket file that a process left behind, nothing else. */
static enum err remove_stale(const struct sockaddr_un *a, struct fault *f)
{
    struct stat st;
    int s, rc;

    if (lstat(a->sun_path, &st) != 0)
        return errno == ENOENT ? OK : fault_errno(f, a->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return fault_set(f, ERR_IO, "%s: exists and is no socket", a->sun_path);
    s = socket(AF_UNIX, SOCKET_FLAGS, 0);
    if (s < 0)
        return fault_errno(f, a->sun_path);
    rc = connect(s, (const struct sockaddr *)a, sizeof *a) == 0 ? 0 : errno;
    close(s);
    if (rc != ECONNREFUSED)
        return fault_set(f, ERR_IO, "%s: another process answers on it: it is running already", a->sun_path);
    return unlink(a->sun_path) == 0 || errno == ENOENT ? OK : fault_errno(f, a->sun_path);
}

enum err http_listen_unix(const char *path, mode_t mode, int *fd, struct fault *f)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    enum err e;
    int s;

    *fd = -1;
    if (!span_to_str(span_str(path), a.sun_path, sizeof a.sun_path))
        return fault_set(f, ERR_IO, "%s: longer than the path of a socket may be", path);
    e = remove_stale(&a, f);
    if (e != OK)
        return e;
    s = socket(AF_UNIX, SOCKET_FLAGS, 0);
    if (s < 0)
        return fault_errno(f, path);
    /* The mode comes before listen(2): until then nobody can connect. */
    if (bind(s, (const struct sockaddr *)&a, sizeof a) != 0 || chmod(path, mode) != 0 ||
        listen(s, SOMAXCONN) != 0) {
        e = fault_errno(f, path);
        close(s);
        return e;
    }
    *fd = s;
    return OK;
}

enum err http_bound(int fd, char *out, size_t cap)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    struct where w;
    int n;

    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        return ERR_IO;
    if (a.ss_family == AF_UNIX)
        n = snprintf(out, cap, "%s", ((struct sockaddr_un *)&a)->sun_path);
    else if (getnameinfo((struct sockaddr *)&a, len, w.host, sizeof w.host, w.port, sizeof w.port,
                         NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return ERR_IO;
    else
        n = snprintf(out, cap, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", w.host, w.port);
    return n >= 0 && (size_t)n < cap ? OK : ERR_IO;
}
