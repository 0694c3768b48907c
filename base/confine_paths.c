/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine_paths: Landlock, by system call because the C library has no functions for it. Each version of the
 * kernel's interface knows more rights than the one before; asking for one that it does not know is an error,
 * so rights are cut to the version that is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine.h"

/* Of kernels later than the header of Debian 12, from the kernel's own documentation. */
#define ACCESS_TRUNCATE (1ULL << 14)  /* version 3 */
#define NET_BIND_TCP (1ULL << 0)      /* version 4 */
#define NET_CONNECT_TCP (1ULL << 1)   /* version 4 */
#define ACCESS_IOCTL_DEV (1ULL << 15) /* version 5 */
#define SCOPE_ABSTRACT (1ULL << 0)    /* version 6: abstract Unix sockets */
#define SCOPE_SIGNAL (1ULL << 1)      /* version 6 */

struct ruleset {
    uint64_t files, net, scoped;
};

#define FILE_READ (LANDLOCK_ACCESS_FS_READ_FILE)
#define FILE_WRITE (FILE_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)
#define TREE_EDIT (LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER)

static const struct {
    uint64_t file, directory;
} rights[] = {
    [CONFINE_LIST] = {0, LANDLOCK_ACCESS_FS_READ_DIR},
    [CONFINE_READ] = {FILE_READ, FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR},
    [CONFINE_WRITE] = {FILE_WRITE, FILE_WRITE | LANDLOCK_ACCESS_FS_READ_DIR},
    [CONFINE_EDIT] = {FILE_WRITE, FILE_WRITE | LANDLOCK_ACCESS_FS_READ_DIR | TREE_EDIT},
};

/* What version `abi` can forbid. */
static struct ruleset ruleset_of(int abi, bool may_connect)
{
    struct ruleset r = {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};

    if (abi >= 2)
        r.files |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        r.files |= ACCESS_TRUNCATE;
    if (abi >= 4)
        r.net = NET_BIND_TCP | (may_connect ? 0 : NET_CONNECT_TCP);
    if (abi >= 5)
        r.files |= ACCESS_IOCTL_DEV;
    if (abi >= 6)
        r.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
    return r;
}

/* How much of struct ruleset a version has; it refuses more unless that is zero. */
static int ruleset_make(const struct ruleset *r, int abi)
{
    size_t size = abi >= 6 ? sizeof *r : abi >= 4 ? 2 * sizeof r->files : sizeof r->files;

    return (int)syscall(SYS_landlock_create_ruleset, r, size, 0);
}

static enum err rule_add(int ruleset, const struct confine_path *p, uint64_t known, struct fault *f)
{
    struct landlock_path_beneath_attr rule = {.parent_fd = open(p->path, O_PATH | O_CLOEXEC)};
    struct stat st;
    int rc;

    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == EACCES ? OK /* not there, or not to be had anyway */
                                                  : fault_set(f, ERR_IO, "%s: %s", p->path, strerror(errno));
    rc = fstat(rule.parent_fd, &st);
    if (rc == 0) {
        rule.allowed_access =
            known & (S_ISDIR(st.st_mode) ? rights[p->access].directory : rights[p->access].file);
        rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    if (rc != 0)
        (void)fault_set(f, ERR_IO, "Landlock, %s: %s", p->path, strerror(errno));
    close(rule.parent_fd);
    return rc == 0 ? OK : ERR_IO;
}

static enum err rules_add(int ruleset, const struct confine_path *p, uint64_t known, struct fault *f)
{
    enum err e = OK;

    for (; e == OK && p->path != NULL; p++)
        e = rule_add(ruleset, p, known, f);
    return e;
}

static enum err restrict_self(int ruleset, struct fault *f)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0)
        return OK;
    return fault_set(f, ERR_IO, "Landlock: %s", strerror(errno));
}

enum err confine_paths(const struct confine_path *paths, bool may_connect, int *abi, struct fault *f)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset r;
    int ruleset;
    enum err e;

    *abi = version > 0 ? (int)version : 0; /* ENOSYS, EOPNOTSUPP: not built in, or switched off */
    if (*abi == 0)
        return OK;
    r = ruleset_of(*abi, may_connect);
    ruleset = ruleset_make(&r, *abi);
    if (ruleset < 0)
        return fault_set(f, ERR_IO, "Landlock: %s", strerror(errno));
    e = rules_add(ruleset, paths, r.files, f);
    if (e == OK)
        e = rules_add(ruleset, confine_build.paths, r.files, f);
    if (e == OK)
        e = restrict_self(ruleset, f);
    close(ruleset);
    return e;
}
