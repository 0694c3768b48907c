/* SPDX-License-Identifier: Apache-2.0 */
/* file: durable replacement of files that other processes read. */
#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAFT_MARK ".~"
#define DRAFT_RANDOM_LEN 6 /* octets that mkostemp() fills in */

enum err path_join(char out[static PATH_LEN_MAX], const char *dir, const char *name, struct fault *f)
{
    int n = snprintf(out, PATH_LEN_MAX, "%s/%s", dir, name);

    if (n < 0 || n >= PATH_LEN_MAX)
        return fault_set(f, ERR_IO, "%.64s…: the path is too long", dir);
    return OK;
}

enum err file_read(const char *path, struct buf *out, struct fault *f)
{
    uint8_t piece[16384];
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    while (buf_end(out) == OK && (n = read(fd, piece, sizeof piece)) > 0)
        buf_put(out, piece, (size_t)n);
    int saved = errno;
    close(fd);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(saved));
    if (buf_end(out) != OK)
        return fault_set(f, buf_end(out), "%s: larger than %zu octets", path, out->max);
    return OK;
}

enum err file_draft_open(struct file_draft *d, const char *path, mode_t mode, struct fault *f)
{
    int n = snprintf(d->temp, sizeof d->temp, "%s" DRAFT_MARK "XXXXXX", path);

    d->fd = -1;
    if (n < 0 || n >= (int)sizeof d->temp) {
        d->temp[0] = '\0';
        return fault_set(f, ERR_IO, "%.64s…: the path is too long", path);
    }
    strcpy(d->path, path);
    d->fd = mkostemp(d->temp, O_CLOEXEC);
    if (d->fd < 0 || fchmod(d->fd, mode) != 0) {
        enum err e = fault_set(f, ERR_IO, "%s: %s", d->temp, strerror(errno));

        file_draft_abort(d);
        return e;
    }
    return OK;
}

enum err file_draft_write(struct file_draft *d, struct span s, struct fault *f)
{
    while (s.len > 0) {
        ssize_t n = write(d->fd, s.data, s.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, ERR_IO, "%s: %s", d->temp, strerror(errno));
        s.data += n;
        s.len -= (size_t)n;
    }
    return OK;
}

/* A rename is durable once its directory is. */
enum err dir_sync(const char *dir, struct fault *f)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = fd < 0 ? -1 : fsync(fd);
    enum err e = rc == 0 ? OK : fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));

    if (fd >= 0)
        close(fd);
    return e;
}

void path_dir(const char *path, char out[static PATH_LEN_MAX])
{
    char *slash;

    snprintf(out, PATH_LEN_MAX, "%s", path);
    slash = strrchr(out, '/');
    if (slash == NULL)
        strcpy(out, ".");
    else
        slash[slash == out ? 1 : 0] = '\0';
}

enum err file_dir_sync(const char *path, struct fault *f)
{
    char dir[PATH_LEN_MAX];

    path_dir(path, dir);
    return dir_sync(dir, f);
}

size_t file_draft_stem(const char *entry)
{
    const size_t mark = sizeof DRAFT_MARK - 1, tail = mark + DRAFT_RANDOM_LEN;
    size_t len = strlen(entry);

    if (len < tail || memcmp(entry + len - tail, DRAFT_MARK, mark) != 0)
        return 0;
    for (const char *at = entry + len - DRAFT_RANDOM_LEN; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at))
            return 0;
    return len - tail;
}

static bool is_draft_of(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return len > 0 && file_draft_stem(entry) == len && memcmp(entry, name, len) == 0;
}

void file_drafts_remove(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    char dir[PATH_LEN_MAX], draft[PATH_LEN_MAX];
    struct dirent *entry;
    DIR *d;

    path_dir(path, dir);
    d = opendir(dir);
    while (d != NULL && (entry = readdir(d)) != NULL)
        if (is_draft_of(entry->d_name, name) && path_join(draft, dir, entry->d_name, NULL) == OK)
            unlink(draft);
    if (d != NULL)
        closedir(d);
}

void file_draft_push(const struct file_draft *d)
{
    (void)sync_file_range(d->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

enum err file_draft_sync(struct file_draft *d, struct fault *f)
{
    if (fsync(d->fd) != 0)
        return fault_set(f, ERR_IO, "%s: fsync: %s", d->temp, strerror(errno));
    return OK;
}

enum err file_draft_place(struct file_draft *d, struct fault *f)
{
    if (rename(d->temp, d->path) != 0)
        return fault_set(f, ERR_IO, "%s: rename: %s", d->path, strerror(errno));
    d->temp[0] = '\0';
    return OK;
}

enum err file_draft_commit(struct file_draft *d, struct fault *f)
{
    enum err e = file_draft_sync(d, f);

    if (e == OK)
        e = file_draft_place(d, f);
    if (e == OK)
        e = file_dir_sync(d->path, f);
    file_draft_abort(d);
    return e;
}

void file_draft_abort(struct file_draft *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    if (d->temp[0] != '\0')
        unlink(d->temp);
    d->temp[0] = '\0';
}

enum err file_open(const char *path, int *fd, struct stat *st, struct fault *f)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    if (fstat(*fd, st) == 0 && S_ISREG(st->st_mode))
        return OK;
    close(*fd);
    return fault_set(f, ERR_IO, "%s: not a regular file", path);
}

enum err file_replace(const char *path, struct span content, mode_t mode, struct fault *f)
{
    struct file_draft d;
    enum err e = file_draft_open(&d, path, mode, f);

    if (e == OK)
        e = file_draft_write(&d, content, f);
    if (e == OK)
        return file_draft_commit(&d, f);
    file_draft_abort(&d);
    return e;
}
