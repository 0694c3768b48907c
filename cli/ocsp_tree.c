/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp_tree: the directory of a static set. A file is there whole or not at all, but after a power cut in a
 * run: the disk is asked once for all of them, at its end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "cli/ocsp_static.h"

#define LOCK ".lock"
#define DRAFT ".draft" /* one is enough: a run holds the directory's lock */

/* ---- one run at a time ---- */

/* Two runs in one directory would sweep each other's files. */
static enum err take_lock(const char *dir, int flags, int *fd, struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, dir, LOCK, f);

    if (e != OK)
        return e;
    *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (*fd < 0 && errno == ENOENT && (flags & O_CREAT) == 0)
        return OK; /* no run was ever here */
    if (*fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(f, ERR_IO, "%s: %s", path,
                         errno == EWOULDBLOCK ? "another export is under way" : strerror(errno));
    return OK;
}

enum err static_open(const char *dir, int *lock_fd, struct fault *f)
{
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    return take_lock(dir, O_RDWR | O_CREAT, lock_fd, f);
}

enum err static_look(const char *dir, struct fault *f)
{
    struct stat st;
    int rc = stat(dir, &st), fd = -1;
    enum err e;

    if (rc != 0 && errno == ENOENT)
        return OK;
    if (rc != 0 || !S_ISDIR(st.st_mode))
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(rc != 0 ? errno : ENOTDIR));
    e = take_lock(dir, O_RDONLY, &fd, f);
    if (fd >= 0)
        close(fd); /* the run that is meant need not wait for this one */
    return e;
}

/* ---- files ---- */

/* The directories above a file, made as needed. */
static enum err make_above(const char *dir, const char *file, struct fault *f)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, dir, file, f);

    for (char *slash = path + strlen(dir) + 1; e == OK && (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
        *slash = '/';
    }
    return e;
}

static enum err write_draft(const char *path, struct span der, int64_t this_update_s, struct fault *f)
{
    const struct timespec times[2] = {{.tv_sec = this_update_s}, {.tv_sec = this_update_s}};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool good = fd >= 0 && write(fd, der.data, der.len) == (ssize_t)der.len && futimens(fd, times) == 0;
    enum err e = good ? OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));

    if (fd >= 0 && close(fd) != 0 && e == OK)
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    return e;
}

enum err static_put(const char *dir, const struct static_place *p, struct span der, int64_t this_update_s,
                    struct fault *f)
{
    char draft[PATH_LEN_MAX], path[PATH_LEN_MAX];
    enum err e = path_join(draft, dir, DRAFT, f);

    if (e == OK)
        e = path_join(path, dir, p->file, f);
    if (e == OK)
        e = write_draft(draft, der, this_update_s, f);
    if (e == OK && rename(draft, path) == 0)
        return OK;
    if (e == OK)
        e = make_above(dir, p->file, f);
    if (e == OK && rename(draft, path) != 0)
        e = fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (e != OK)
        unlink(draft);
    return e;
}

enum err static_get(const char *dir, const struct static_place *p, struct buf *out)
{
    char path[PATH_LEN_MAX];
    enum err e = path_join(path, dir, p->file, NULL);

    buf_reset(out);
    return e == OK ? file_read(path, out, NULL) : e;
}

enum err static_sync(const char *dir, struct fault *f)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = fd < 0 ? -1 : syncfs(fd);
    enum err e = rc == 0 ? OK : fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));

    if (fd >= 0)
        close(fd);
    return e;
}

/* ---- what a run has seen ---- */

/* Of the name as the tree has it: base64 may have "//", which is one step down. */
static uint64_t hash_of_name(const char *file)
{
    char name[PATH_LEN_MAX];
    uint8_t digest[HASH_LEN];
    size_t len = 0;
    uint64_t h;

    for (const char *at = file; *at != '\0' && len < sizeof name; at++)
        if (at[0] != '/' || at[1] != '/')
            name[len++] = *at;
    sha256_of(span_of(name, len), digest);
    memcpy(&h, digest, sizeof h);
    return h;
}

void static_seen_add(struct static_seen *s, const char *file)
{
    if (s->count == s->room) {
        s->room = s->room == 0 ? 4096 : 2 * s->room;
        s->hashes = realloc(s->hashes, s->room * sizeof *s->hashes);
        if (s->hashes == NULL)
            die("out of memory");
    }
    s->hashes[s->count++] = hash_of_name(file);
    s->is_sorted = false;
}

void static_seen_free(struct static_seen *s)
{
    free(s->hashes);
    *s = (struct static_seen){0};
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static bool was_seen(struct static_seen *s, const char *file)
{
    uint64_t h = hash_of_name(file);

    if (!s->is_sorted && s->count > 0)
        qsort(s->hashes, s->count, sizeof *s->hashes, compare);
    s->is_sorted = true;
    return s->count > 0 && bsearch(&h, s->hashes, s->count, sizeof h, compare) != NULL;
}

/* ---- the sweep ---- */

struct sweep {
    const char *dir;
    struct static_seen *seen;
    size_t count;    /* of files that were not seen */
    bool is_removed; /* and are gone */
    struct fault *fault;
};

static enum err sweep_directory(struct sweep *s, const char *below);

static enum err sweep_entry(struct sweep *s, const char *file)
{
    char path[PATH_LEN_MAX];
    struct stat st;
    enum err e = path_join(path, s->dir, file, s->fault);

    if (e != OK)
        return e;
    if (lstat(path, &st) != 0)
        return fault_set(s->fault, ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        e = sweep_directory(s, file);
        if (s->is_removed)
            rmdir(path); /* of those that are empty now */
        return e;
    }
    if (was_seen(s->seen, file))
        return OK;
    if (s->is_removed && unlink(path) != 0)
        return fault_set(s->fault, ERR_IO, "%s: %s", path, strerror(errno));
    s->count++;
    return OK;
}

static enum err sweep_directory(struct sweep *s, const char *below)
{
    char path[PATH_LEN_MAX], file[PATH_LEN_MAX];
    struct dirent *entry;
    enum err e = path_join(path, s->dir, below, s->fault);
    DIR *d = e == OK ? opendir(path) : NULL;

    if (e == OK && d == NULL)
        return errno == ENOENT ? OK : fault_set(s->fault, ERR_IO, "%s: %s", path, strerror(errno));
    while (e == OK && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        e = path_join(file, below, entry->d_name, s->fault);
        if (e == OK)
            e = sweep_entry(s, file);
    }
    if (d != NULL)
        closedir(d);
    return e;
}

enum err static_sweep(const char *dir, const char *prefix, struct static_seen *seen, size_t *removed,
                      struct fault *f)
{
    struct sweep s = {.dir = dir, .seen = seen, .is_removed = true, .fault = f};
    enum err e = sweep_directory(&s, prefix);

    *removed = s.count;
    return e;
}

enum err static_count_others(const char *dir, const char *prefix, struct static_seen *seen, size_t *count,
                             struct fault *f)
{
    struct sweep s = {.dir = dir, .seen = seen, .fault = f};
    enum err e = sweep_directory(&s, prefix);

    *count = s.count;
    return e;
}
