/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing: calls that fail when they are told to. Preloaded into the service; the page named by FAILING is
 * shared with the test, which says in which role which kind of call fails, after how many, and how. It is
 * read at each call, so one running service can be tried at point after point. Calls go to the kernel by
 * number and to glibc's own allocator: nothing here looks up a symbol.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { CALL_NONE, CALL_WRITE, CALL_SYNC, CALL_OPEN, CALL_RENAME, CALL_ALLOCATE, CALL_LOG };

/* As failing_test.py writes it. */
struct control {
    char role[16];
    _Atomic uint32_t call; /* enum call; CALL_NONE: everything works */
    uint32_t error;        /* errno of what fails; 0: the process is killed there */
    uint32_t is_lasting;   /* what follows fails too */
    _Atomic int32_t left;  /* calls until then; the one that makes it 0 fails */
    _Atomic uint32_t hits;
};

static struct control *control;
static bool is_role;
static char role[16];

extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t n, size_t len);
extern void *__libc_realloc(void *old, size_t len);

static int open_raw(int dir, const char *path, int flags, mode_t mode)
{
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* `chancery role NAME ...`; of `chancery ca renew ...` it is "renew". */
static void find_role(void)
{
    char line[256] = {0};
    int fd = open_raw(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    const char *at = line, *end = line + (n > 0 ? n : 0);

    if (fd >= 0)
        close(fd);
    at += strlen(at) + 1;
    if (at >= end || (strcmp(at, "role") != 0 && strcmp(at, "ca") != 0))
        return;
    at += strlen(at) + 1;
    snprintf(role, sizeof role, "%s", at < end ? at : "");
    is_role = true;
}

__attribute__((constructor)) static void failing_start(void)
{
    const char *path = getenv("FAILING");
    int fd = path == NULL ? -1 : open_raw(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *at;

    if (fd < 0)
        return;
    find_role();
    at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED && is_role)
        control = at;
}

static bool fails(enum call call)
{
    int32_t left;

    if (control == NULL || atomic_load(&control->call) != call || strcmp(control->role, role) != 0)
        return false;
    left = atomic_fetch_sub(&control->left, 1);
    if (left > 1 || (left < 1 && !control->is_lasting))
        return false;
    atomic_fetch_add(&control->hits, 1);
    if (control->error == 0)
        syscall(SYS_kill, getpid(), 9);
    errno = (int)control->error;
    return true;
}

/* Of a file: what goes to sockets is not ours, and the log is a kind of its own. */
static bool fails_writing(int fd)
{
    struct stat st;

    if (control == NULL || atomic_load(&control->call) == CALL_NONE)
        return false;
    if (fd == STDERR_FILENO)
        return fails(CALL_LOG);
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fails(CALL_WRITE);
}

/* ---- writes ---- */

ssize_t write(int fd, const void *data, size_t len)
{
    return fails_writing(fd) ? -1 : (ssize_t)syscall(SYS_write, fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    return fails_writing(fd) ? -1 : (ssize_t)syscall(SYS_writev, fd, parts, n);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return fails_writing(fd) ? -1 : (ssize_t)syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    return pwrite(fd, data, len, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
    return fails_writing(fd) ? -1 : (ssize_t)syscall(SYS_pwritev, fd, parts, n, at, 0L);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t at)
{
    return pwritev(fd, parts, n, at);
}

/* ---- syncs ---- */

int fsync(int fd)
{
    return fails(CALL_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails(CALL_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* ---- names ---- */

static int open_at(int dir, const char *path, int flags, va_list more)
{
    mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;

    return fails(CALL_OPEN) ? -1 : open_raw(dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    int fd;

    va_start(more, flags);
    fd = open_at(AT_FDCWD, path, flags, more);
    va_end(more);
    return fd;
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list more;
    int fd;

    va_start(more, flags);
    fd = open_at(dir, path, flags, more);
    va_end(more);
    return fd;
}

/* On 64 bits these are other names of the same calls. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dir, const char *path, int flags, ...) __attribute__((alias("openat")));

int rename(const char *from, const char *to)
{
    return fails(CALL_RENAME) ? -1 : (int)syscall(SYS_rename, from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails(CALL_RENAME) ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

/* ---- memory ---- */

void *malloc(size_t len)
{
    return fails(CALL_ALLOCATE) ? NULL : __libc_malloc(len);
}

void *calloc(size_t n, size_t len)
{
    return fails(CALL_ALLOCATE) ? NULL : __libc_calloc(n, len);
}

void *realloc(void *old, size_t len)
{
    return fails(CALL_ALLOCATE) ? NULL : __libc_realloc(old, len);
}
