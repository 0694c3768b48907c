/* SPDX-License-Identifier: Apache-2.0 */
/* wire: thin over send(2) and recv(2); MSG_TRUNC tells an oversized message from a whole one. */
#include "base/wire.h"

#include <errno.h>
#include <sys/socket.h>

/* Room for a message and its overhead, however small the system's default is. */
static bool set_room(int fd)
{
    const int octets = 2 * WIRE_MSG_MAX;

    return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets) == 0;
}

enum err wire_pair(int fds[static 2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return ERR_IO;
    return set_room(fds[0]) && set_room(fds[1]) ? OK : ERR_IO;
}

static enum err send_message(int fd, struct span m, int flags)
{
    ssize_t n;

    do
        n = send(fd, m.data, m.len, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return OK;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
        return ERR_UNAVAILABLE;
    return errno == EMSGSIZE ? ERR_TOO_LARGE : ERR_END;
}

enum err wire_send(int fd, struct span m)
{
    return send_message(fd, m, 0);
}

enum err wire_try_send(int fd, struct span m)
{
    return send_message(fd, m, MSG_DONTWAIT);
}

static enum err receive_message(int fd, uint8_t *buf, size_t cap, struct span *out, int flags)
{
    ssize_t n;

    do
        n = recv(fd, buf, cap, flags | MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return ERR_UNAVAILABLE;
    if (n <= 0)
        return ERR_END;
    if ((size_t)n > cap)
        return ERR_MALFORMED;
    *out = span_of(buf, (size_t)n);
    return OK;
}

enum err wire_receive(int fd, uint8_t *buf, size_t cap, struct span *out)
{
    return receive_message(fd, buf, cap, out, 0);
}

enum err wire_try_receive(int fd, uint8_t *buf, size_t cap, struct span *out)
{
    return receive_message(fd, buf, cap, out, MSG_DONTWAIT);
}
