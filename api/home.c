/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home: who may what in a home whose roles have uids of their own. The supervisor sets owner, group and mode
 * of what a role writes; all else stays root's. It follows no link and touches no file with a second name: a
 * captured role may have put one there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/role.h"

struct place {
    const char *path; /* in the home */
    mode_t kind;      /* S_IFDIR, S_IFREG */
    mode_t mode;
    enum role_id owner;
    bool is_shared; /* the group is that of every role */
};

static const struct place places[] = {
    {"store", S_IFDIR, 0750, ROLE_CA, true},
    {"store/data.mdb", S_IFREG, 0640, ROLE_CA, true},
    {"store/lock.mdb", S_IFREG, 0660, ROLE_CA, true}, /* where readers of LMDB say that they read */
    {"store/writer.lock", S_IFREG, 0600, ROLE_CA, false},
    {"public/crl", S_IFDIR, 0755, ROLE_CRL, false},
    {"listener", S_IFDIR, 0700, ROLE_API, false},
};

/* On the way to the places: to be passed through by every role. */
static const char *const passages[] = {".", "public", "public/ca"};

static enum err fault_at(struct fault *f, const char *path)
{
    return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

/* LMDB makes its lock file for its own user alone, and nobody but root makes a directory in the home: both
 * are there before. */
static void make_lock(int home)
{
    int fd = -1;

    if (faccessat(home, "store/data.mdb", F_OK, 0) == 0)
        fd = openat(home, "store/lock.mdb", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* *out -1: not there, or not of its kind, which whoever needs it will say. */
static enum err open_place(int home, const char *path, mode_t kind, struct stat *st, int *out,
                           struct fault *f)
{
    *out = openat(home, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (*out < 0)
        return errno != EACCES
                   ? OK
                   : fault_set(f, ERR_IO,
                               "%s: %s: CAP_DAC_OVERRIDE is missing, or a security module forbids it", path,
                               strerror(errno));
    if (fstat(*out, st) == 0 && (st->st_mode & S_IFMT) == kind && (kind == S_IFDIR || st->st_nlink == 1))
        return OK;
    close(*out);
    *out = -1;
    return OK;
}

static enum err set_place(int home, const struct place *p, unsigned first_uid, struct fault *f)
{
    struct account i = role_account(p->owner, first_uid);
    struct stat st;
    int fd;
    enum err e = open_place(home, p->path, p->kind, &st, &fd, f);

    if (fd < 0)
        return e;
    if (fchown(fd, i.uid, p->is_shared ? i.shared_gid : i.gid) != 0 || fchmod(fd, p->mode) != 0)
        e = fault_at(f, p->path);
    close(fd);
    return e;
}

/* The lists of a home that was served without accounts: only its owner may give a file a second name. */
static enum err set_lists(int home, unsigned first_uid, struct fault *f)
{
    int fd = openat(home, "public/crl", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    enum err e = OK;

    while (e == OK && d != NULL && (entry = readdir(d)) != NULL) {
        struct place p = {entry->d_name, S_IFREG, 0644, ROLE_CRL, false};

        if (entry->d_type != DT_DIR)
            e = set_place(fd, &p, first_uid, f);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    return e;
}

static enum err open_passage(int home, const char *path, gid_t shared, struct fault *f)
{
    struct stat st;
    int fd;
    enum err e = open_place(home, path, S_IFDIR, &st, &fd, f);

    if (fd < 0)
        return e;
    if ((st.st_mode & S_IXOTH) == 0 &&
        (fchown(fd, (uid_t)-1, shared) != 0 || fchmod(fd, (st.st_mode & 07777) | S_IXGRP) != 0))
        e = fault_at(f, path);
    close(fd);
    return e;
}

enum err home_share(const char *path, unsigned first_uid, struct fault *f)
{
    int home = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = home >= 0 ? OK : fault_at(f, path);

    if (e == OK)
        make_lock(home);
    for (size_t i = 0; e == OK && i < sizeof passages / sizeof *passages; i++)
        e = open_passage(home, passages[i], role_account(ROLE_API, first_uid).shared_gid, f);
    for (size_t i = 0; e == OK && i < sizeof places / sizeof *places; i++)
        e = set_place(home, &places[i], first_uid, f);
    if (e == OK)
        e = set_lists(home, first_uid, f);
    if (home >= 0)
        close(home);
    return e;
}
