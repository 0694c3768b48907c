/* SPDX-License-Identifier: Apache-2.0 */
/* nosync: a disk that promises and does not keep: every sync succeeds and does nothing. Preloaded, so that a
 * test of power cuts can show that it would notice. */
#include <stddef.h>

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

int msync(void *addr, size_t len, int flags)
{
    (void)addr, (void)len, (void)flags;
    return 0;
}
