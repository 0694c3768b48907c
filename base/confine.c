/* SPDX-License-Identifier: Apache-2.0 */
/* confine: what a process is, and who. The kernel's two filters are in confine_paths.c and confine_calls.c.
 */
#include "base/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the process ---- */

static enum err limit(int what, uint64_t most, struct fault *f)
{
    struct rlimit r;

    if (getrlimit((__rlimit_resource_t)what, &r) == 0) {
        r.rlim_cur = r.rlim_cur < most ? r.rlim_cur : most;
        r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
        if (setrlimit((__rlimit_resource_t)what, &r) == 0)
            return OK;
    }
    return fault_set(f, ERR_IO, "limit %d: %s", what, strerror(errno));
}

static enum err forbid_dump(struct fault *f)
{
    if (prctl(PR_SET_DUMPABLE, confine_build.is_traced ? 1 : 0, 0, 0, 0) == 0)
        return OK;
    return fault_set(f, ERR_IO, "not dumpable: %s", strerror(errno));
}

enum err confine_process(struct fault *f)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fault_set(f, ERR_IO, "no new privileges: %s", strerror(errno));
    return forbid_dump(f) == OK ? limit(RLIMIT_CORE, 0, f) : ERR_IO;
}

enum err confine_limits(uint64_t descriptors, bool may_fork, struct fault *f)
{
    enum err e = limit(RLIMIT_NOFILE, descriptors, f);

    return e != OK || may_fork || confine_build.is_traced ? e : limit(RLIMIT_NPROC, 0, f);
}

/* ---- who ---- */

/* glibc has no call for it. */
static bool keep_modes(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    data[CAP_DAC_OVERRIDE / 32].effective = data[CAP_DAC_OVERRIDE / 32].permitted = 1u
                                                                                    << CAP_DAC_OVERRIDE % 32;
    return syscall(SYS_capset, &head, data) == 0;
}

static bool become(const struct account *i)
{
    if (i->passes_modes && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return false;
    return setgroups(i->shared_gid != i->gid, &i->shared_gid) == 0 &&
           setresgid(i->gid, i->gid, i->gid) == 0 &&
           setresuid(i->uid, i->uid, i->uid) ==
               0 && /* leaving uid 0 drops every capability that is not kept */
           (!i->passes_modes || keep_modes());
}

enum err confine_account(const struct account *i, struct fault *f)
{
    if (!become(i))
        return fault_set(f, ERR_IO, "uid %u, gid %u: %s", i->uid, i->gid, strerror(errno));
    if (i->uid != 0 && (setuid(0) == 0 || setgid(0) == 0))
        return fault_set(f, ERR_IO, "uid %u: root can be had again", i->uid);
    return forbid_dump(f); /* a change of uid has set it by a setting of the system */
}

bool confine_account_works(const struct account *i)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(become(i) ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Becomes it, says so, and is there until the other end is closed. */
static void stay(const struct account *i, int fd)
{
    char c = 0;

    _exit(become(i) && write(fd, &c, 1) == 1 && read(fd, &c, 1) == 0 ? 0 : 1);
}

bool confine_account_can_be_ended(const struct account *i)
{
    int fds[2];
    char c;
    bool can = false;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return false;
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        stay(i, fds[1]);
    }
    close(fds[1]);
    can = pid > 0 && read(fds[0], &c, 1) == 1 && kill(pid, 0) == 0;
    close(fds[0]);
    return pid > 0 && waitpid(pid, NULL, 0) == pid && can;
}
