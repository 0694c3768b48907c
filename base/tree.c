/* SPDX-License-Identifier: Apache-2.0 */
/* tree: see the header. */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_empty_directory(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (d == NULL)
        return false;
    while ((entry = readdir(d)) != NULL)
        empty = empty && is_dots(entry->d_name);
    closedir(d);
    return empty;
}

enum err tree_check_free(const char *path, struct fault *f)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode) || !is_empty_directory(path))
        return fault_set(f, ERR_EXISTS, "%s exists already: nothing was changed", path);
    return OK;
}

/* Octets of the path without slashes behind its last name. */
static int name_end(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return len < PATH_LEN_MAX ? (int)len : PATH_LEN_MAX;
}

/* Of the directory that has, or will have, that name in it. */
static enum err parent_of(const char *path, char out[static PATH_LEN_MAX], struct fault *f)
{
    int len = name_end(path);

    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len >= PATH_LEN_MAX)
        return fault_set(f, ERR_USAGE, "%.64s…: the path is too long", path);
    snprintf(out, PATH_LEN_MAX, "%.*s", len > 0 ? len : 1, len > 0 ? path : ".");
    return OK;
}

enum err tree_check_outside(const char *path, const char *root, struct fault *f)
{
    char parent[PATH_LEN_MAX], *real = NULL, *real_root = NULL;
    enum err err = parent_of(path, parent, f);
    size_t len;

    if (err != OK)
        return err;
    real = realpath(parent, NULL);
    if (real != NULL) /* else errno is of the parent */
        real_root = realpath(root, NULL);
    if (real == NULL || real_root == NULL) {
        err = fault_set(f, ERR_IO, "%s: %s", real == NULL ? parent : root, strerror(errno));
    } else {
        len = strlen(real_root);
        if (strncmp(real, real_root, len) == 0 && (real[len] == '/' || real[len] == '\0'))
            err = fault_set(f, ERR_USAGE, "%s is inside %s: nothing was changed", path, root);
    }
    free(real);
    free(real_root);
    return err;
}

enum err tree_draft(const char *path, char out[static PATH_LEN_MAX], struct fault *f)
{
    int n = snprintf(out, PATH_LEN_MAX, "%.*s.new-XXXXXX", name_end(path), path);

    if (n < 0 || n >= PATH_LEN_MAX - 128)
        return fault_set(f, ERR_USAGE, "%.64s…: the path is too long", path);
    if (mkdtemp(out) == NULL)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    return OK;
}

static enum err content_sync(const char *path, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = fd < 0 ? -1 : syncfs(fd);
    enum err err = rc == 0 ? OK : fault_set(f, ERR_IO, "%s: cannot be synced: %s", path, strerror(errno));

    if (fd >= 0)
        close(fd);
    return err;
}

/* What has its final name is whole: so it is on the disk before it gets it. */
enum err tree_place(const char *draft, const char *path, mode_t mode, struct fault *f)
{
    enum err err = OK;

    if (chmod(draft, mode) != 0)
        err = fault_set(f, ERR_IO, "%s: %s", draft, strerror(errno));
    if (err == OK)
        err = content_sync(draft, f);
    if (err == OK && rename(draft, path) != 0)
        err = fault_set(f, errno == EEXIST || errno == ENOTEMPTY ? ERR_EXISTS : ERR_IO, "%s: %s", path,
                        strerror(errno));
    return err == OK ? file_dir_sync(draft, f) : err; /* which lay beside it */
}

void tree_remove(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    char child[PATH_LEN_MAX];

    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (is_dots(entry->d_name) || path_join(child, path, entry->d_name, NULL) != OK)
            continue;
        if (unlink(child) != 0 && errno == EISDIR)
            tree_remove(child);
    }
    if (d != NULL)
        closedir(d);
    rmdir(path);
}

struct walk {
    enum err (*fn)(const struct tree_entry *e, void *arg);
    void *arg;
    size_t root_len; /* of the root and its slash */
    struct fault *f;
};

static enum err walk_directory(const struct walk *w, const char *path);

static enum err walk_entry(const struct walk *w, const char *path)
{
    struct stat st;
    struct tree_entry e = {.name = path + w->root_len, .path = path};
    enum err err = OK;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? OK : fault_set(w->f, ERR_IO, "%s: %s", path, strerror(errno));
    e.mode = st.st_mode;
    e.size = (uint64_t)st.st_size;
    if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
        err = w->fn(&e, w->arg);
    return err == OK && S_ISDIR(st.st_mode) ? walk_directory(w, path) : err;
}

static enum err walk_directory(const struct walk *w, const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    char child[PATH_LEN_MAX];
    enum err err = OK;

    if (d == NULL)
        return fault_set(w->f, ERR_IO, "%s: %s", path, strerror(errno));
    while (err == OK && (entry = readdir(d)) != NULL) {
        if (is_dots(entry->d_name))
            continue;
        err = path_join(child, path, entry->d_name, w->f);
        if (err == OK)
            err = walk_entry(w, child);
    }
    closedir(d);
    return err;
}

enum err tree_each(const char *root, enum err (*fn)(const struct tree_entry *e, void *arg), void *arg,
                   struct fault *f)
{
    struct walk w = {.fn = fn, .arg = arg, .root_len = strlen(root) + 1, .f = f};

    return walk_directory(&w, root);
}
