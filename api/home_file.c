/* SPDX-License-Identifier: Apache-2.0 */
/* home_file: see the header. A draft in the directory, on the disk, then renamed: what base/file.h does. */
#include "api/home_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/inner.h"

static enum err fault_at(struct fault *f, const char *path)
{
    return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
}

#define NOBODY_ELSE ((uid_t)-1) /* the file stays with whoever makes it */

/* Owner and group; nothing is asked of the kernel when they are so already. */
static enum err give(int fd, const char *path, uid_t uid, gid_t gid, struct fault *f)
{
    struct stat st;

    if (uid == NOBODY_ELSE)
        return OK;
    if (fstat(fd, &st) != 0)
        return fault_at(f, path);
    if ((st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) != 0)
        return fault_at(f, path);
    return OK;
}

static enum err replace(const char *path, struct span content, const struct stat *like, struct fault *f)
{
    struct file_draft d;
    enum err e;

    file_drafts_remove(path);
    e = file_draft_open(&d, path, like->st_mode & 07777, f);
    if (e == OK)
        e = give(d.fd, d.temp, like->st_uid, like->st_gid, f);
    if (e == OK)
        e = file_draft_write(&d, content, f);
    if (e == OK)
        return file_draft_commit(&d, f);
    file_draft_abort(&d);
    return e;
}

/* Root makes files for whoever has the directory; anybody else can make his own alone. */
static enum err owner_of(const char *path, struct stat *out, struct fault *f)
{
    char dir[PATH_LEN_MAX];

    *out = (struct stat){.st_uid = NOBODY_ELSE};
    if (geteuid() != 0)
        return OK;
    path_dir(path, dir);
    return stat(dir, out) == 0 ? OK : fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
}

enum err home_file_put(const char *home, const char *name, struct span content, mode_t mode, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct stat like;
    enum err e = path_join(path, home, name, f);

    if (e == OK)
        e = owner_of(path, &like, f);
    like.st_mode = mode;
    return e == OK ? replace(path, content, &like, f) : e;
}

enum err home_pem_put(const char *home, const char *name, const char *label, const struct span *ders,
                      size_t n, mode_t mode, struct fault *f)
{
    struct buf pem;
    enum err e;

    buf_init(&pem, PEM_MAX);
    for (size_t i = 0; i < n; i++)
        pem_put(&pem, label, ders[i]);
    e = buf_end(&pem);
    if (e == OK)
        e = home_file_put(home, name, buf_span(&pem), mode, f);
    buf_free(&pem);
    return e;
}

static enum err look(const char *home, const char *name, char path[static PATH_LEN_MAX], struct stat *st,
                     struct fault *f)
{
    enum err e = path_join(path, home, name, f);

    if (e == OK && stat(path, st) != 0)
        e = fault_at(f, path);
    return e;
}

enum err home_file_edit(const char *home, const char *name, struct span content, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct stat like;
    enum err e = look(home, name, path, &like, f);

    return e == OK ? replace(path, content, &like, f) : e;
}

enum err home_file_check_edit(const char *home, const char *name, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct stat st;
    enum err e = look(home, name, path, &st, f);

    if (e == OK && geteuid() != 0 && st.st_uid != geteuid())
        e = fault_set(f, ERR_CONFIG, "%s: owned by uid %u: run this as that user, or as root", path,
                      st.st_uid);
    return e;
}

enum err home_file_give(const char *home, const char *name, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct stat like, st;
    int fd = -1;
    enum err e = path_join(path, home, name, f);

    if (e == OK)
        e = owner_of(path, &like, f);
    if (e == OK)
        e = file_open(path, &fd, &st, f);
    if (e != OK)
        return e;
    e = give(fd, path, like.st_uid, like.st_gid, f);
    close(fd);
    return e;
}
