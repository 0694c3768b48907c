/* SPDX-License-Identifier: Apache-2.0 */
/* lock: one writing process. The kernel gives the lock back however the holder ends, so there is never a
 * stale one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "store/inner.h"

enum err lock_take(const char *dir, int *out, struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err err = path_join(path, dir, "writer.lock", f);
    int fd;

    if (err != OK)
        return err;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *out = fd;
        return OK;
    }
    err = errno == EWOULDBLOCK ? fault_set(f, ERR_CONFLICT, "%s: another process writes to this store", dir)
                               : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return err;
}
