/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confined: what each role may still do once it runs: the files under the home, the system calls, the limits.
 * A role that needs more needs a line here. What is missing shows as `was killed by signal 31` (SIGSYS), and
 * in a build with -DCHANCERY_TRAP=ON the process says the number of the call before.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/role.h"
#include "base/confine.h"
#include "base/hash.h"
#include "base/log.h"

#define ANY 0, 0, 0, 0
#define END                                                                                                  \
    {                                                                                                        \
        NULL, ANY                                                                                            \
    }

/* ---- system calls by what they are for ---- */

/* Memory that is never executable, the clock, randomness, locks, the log, the end. */
static const struct confine_call living[] = {{"brk", ANY},
                                             {"mmap", 2, PROT_EXEC, 0, 0},
                                             {"mprotect", 2, PROT_EXEC, 0, 0},
                                             {"mremap", ANY},
                                             {"munmap", ANY},
                                             {"madvise", ANY},
                                             {"clock_gettime", ANY}, /* the vDSO falls back on it */
                                             {"gettimeofday", ANY},
                                             {"time", ANY},
                                             {"getrandom", ANY},
                                             {"getpid", ANY}, /* OpenSSL looks whether it was forked */
                                             {"futex", ANY},
                                             {"write", ANY},
                                             {"restart_syscall", ANY},
                                             {"rt_sigreturn", ANY},
                                             {"exit_group", ANY},
                                             {"exit", ANY},
                                             END};

/* What abort() does, so that an assert that failed is told as that and not as a forbidden call. The signal
 * can go to threads of this process alone: `process` is its id. */
static struct confine_call ending_itself(pid_t process)
{
    return (struct confine_call){"tgkill", 0, ~0ULL, (uint64_t)process, 0};
}

/* Whether who calls on the control socket is the service's own user. */
static const struct confine_call comparing[] = {{"geteuid", ANY}, END};

/* Octets over descriptors that are open. */
static const struct confine_call wires[] = {{"poll", ANY},    {"ppoll", ANY},   {"recvfrom", ANY},
                                            {"sendto", ANY},  {"read", ANY},    {"close", ANY},
                                            {"recvmsg", ANY}, {"sendmsg", ANY}, END};

/* Opening, reading and mapping files: which ones is Landlock's to say. */
static const struct confine_call files[] = {{"openat", ANY},
                                            {"newfstatat", ANY},
                                            {"fstat", ANY},
                                            {"lseek", ANY},
                                            {"pread64", ANY},
                                            {"fcntl", ANY},
                                            {"getdents64", ANY},
                                            {"readv", ANY},
                                            {"fstatfs", ANY},
                                            {"statx", ANY},
                                            {"uname", ANY},
                                            {"statfs", ANY},
                                            {"access", ANY},
                                            {"faccessat2", ANY},
                                            {"readlink", ANY},
                                            {"getcwd", ANY},
                                            END};

/* LMDB: its locks and its maps. */
static const struct confine_call store_read[] = {
    {"pwrite64", ANY}, {"ftruncate", ANY},       {"msync", ANY},
    {"flock", ANY},    {"clock_nanosleep", ANY}, {"nanosleep", ANY},
    {"gettid", ANY},   {"set_robust_list", ANY}, END};
static const struct confine_call store_write[] = {{"writev", ANY},
                                                  {"pwritev", ANY},
                                                  {"fdatasync", ANY},
                                                  {"fsync", ANY},
                                                  {"fallocate", ANY},
                                                  {"sync_file_range", ANY},
                                                  END};

/* Replacing files: base/file.c. */
static const struct confine_call replacing[] = {
    {"fchmod", ANY},          {"fsync", ANY},     {"fdatasync", ANY},
    {"rename", ANY},          {"renameat2", ANY}, {"renameat", ANY},
    {"unlink", ANY},          {"unlinkat", ANY},  {"ftruncate", ANY},
    {"pwrite64", ANY},        {"writev", ANY},    {"link", ANY},
    {"linkat", ANY},          {"fallocate", ANY}, {"sync_file_range", ANY},
    {"copy_file_range", ANY}, {"fadvise64", ANY}, END};

/* libuv's loop and accepted connections. No socket is made, none is connected. */
static const struct confine_call serving[] = {{"epoll_create1", ANY},
                                              {"epoll_ctl", ANY},
                                              {"epoll_wait", ANY},
                                              {"epoll_pwait", ANY},
                                              {"eventfd2", ANY},
                                              {"pipe2", ANY},
                                              {"rt_sigaction", ANY},
                                              {"rt_sigprocmask", ANY},
                                              {"accept4", ANY},
                                              {"listen", ANY},
                                              {"shutdown", ANY},
                                              {"getsockname", ANY},
                                              {"getpeername", ANY},
                                              {"getsockopt", ANY},
                                              {"setsockopt", ANY},
                                              {"ioctl", 1, ~0ULL, FIONBIO, 0},
                                              {"ioctl", 1, ~0ULL, FIOCLEX, 0},
                                              {"writev", ANY},
                                              {"sendfile", ANY},
                                              {"sysinfo", ANY},
                                              END};

/* The first signing process ends the others. */
static const struct confine_call ending[] = {
    {"kill", 1, ~0ULL, SIGKILL, 0}, {"wait4", ANY}, {"waitid", ANY}, END};

/* Audit rows are copied to the syslog, a Unix socket. */
static const struct confine_call reporting[] = {{"socket", 0, ~0ULL, AF_UNIX, 0}, {"connect", ANY}, END};

static const struct confine_call hearing[] = {{"signalfd4", ANY}, {"rt_sigprocmask", ANY}, END};

/* Threads, and no process: what clone3 asks for a filter cannot see, and libc can do without it. */
static const struct confine_call threads[] = {{"clone", 0, CLONE_THREAD, CLONE_THREAD, 0},
                                              {"clone3", 0, 0, 0, ENOSYS},
                                              {"set_robust_list", ANY},
                                              {"rseq", ANY},
                                              {"rt_sigprocmask", ANY},
                                              {"sched_yield", ANY},
                                              {"sched_getaffinity", ANY},
                                              {"gettid", ANY},
                                              {"prctl", 0, ~0ULL, PR_SET_NAME, 0},
                                              {"prlimit64", 2, ~0ULL, 0, 0},
                                              /* the size of a stack: asked, not set */ {"getrlimit", ANY},
                                              END};

/* Sockets that connect, names, and the libraries that libc and libcurl load for them: code is
 * mapped. */
static const struct confine_call outbound[] = {{"mmap", ANY},
                                               {"mprotect", ANY},
                                               {"socket", ANY},
                                               {"connect", ANY},
                                               {"bind", ANY},
                                               {"socketpair", ANY},
                                               {"shutdown", ANY},
                                               {"getsockopt", ANY},
                                               {"setsockopt", ANY},
                                               {"getsockname", ANY},
                                               {"getpeername", ANY},
                                               {"sendmmsg", ANY},
                                               {"recvmmsg", ANY},
                                               {"pipe", ANY},
                                               {"pipe2", ANY},
                                               {"eventfd2", ANY},
                                               {"ioctl", 1, ~0ULL, FIONBIO, 0},
                                               {"ioctl", 1, ~0ULL, FIONREAD, 0},
                                               {"select", ANY},
                                               {"pselect6", ANY},
                                               {"sysinfo", ANY},
                                               {"rt_sigaction", ANY},
                                               {"rt_sigprocmask", ANY},
                                               {"getuid", ANY},
                                               {"geteuid", ANY},
                                               {"getgid", ANY},
                                               {"getegid", ANY},
                                               {"getppid", ANY},
                                               {"access", ANY},
                                               {"faccessat", ANY},
                                               {"faccessat2", ANY},
                                               {"stat", ANY},
                                               {"lstat", ANY},
                                               {"readlink", ANY},
                                               {"readlinkat", ANY},
                                               {"getcwd", ANY},
                                               {"statfs", ANY},
                                               {"mkdir", ANY},
                                               {"mkdirat", ANY},
                                               {"inotify_init1", ANY},
                                               {"inotify_add_watch", ANY},
                                               {"inotify_rm_watch", ANY},
                                               {"clock_nanosleep", ANY},
                                               {"nanosleep", ANY},
                                               {"sendfile", ANY},
                                               {"dup", ANY},
                                               {"getrlimit", ANY},
                                               {"prlimit64", 2, ~0ULL, 0, 0},
                                               {"sigaltstack", ANY},
                                               {"epoll_create1", ANY},
                                               {"epoll_ctl", ANY},
                                               {"epoll_wait", ANY},
                                               {"fadvise64", ANY},
                                               {"utimensat", ANY},
                                               END};

/* ---- the roles ---- */

struct confined {
    rlim_t descriptors;
    bool may_fork; /* or start threads: which of the two is in its calls */
    bool may_connect;
    bool seals_itself; /* its room says when */
    const struct confine_path
        *paths; /* relative to the home; NULL: Landlock is left out, a reload may name any */
    const struct confine_call *calls[10];
};

#define STORE_READ                                                                                           \
    {"store", CONFINE_READ},                                                                                 \
    {                                                                                                        \
        "store/lock.mdb", CONFINE_WRITE                                                                      \
    }
#define NO_PATH                                                                                              \
    {                                                                                                        \
        NULL, CONFINE_READ                                                                                   \
    }

static const struct confine_path no_paths[] = {NO_PATH};
static const struct confine_path ca_paths[] = {{"store", CONFINE_EDIT}, NO_PATH};
static const struct confine_path crl_paths[] = {STORE_READ, {"public/crl", CONFINE_EDIT}, NO_PATH};
/* libuv keeps a descriptor in reserve, /dev/null at first, later /: without one it would spin when there are
 * no more. jansson seeds its tables. */
#define LIBRARIES                                                                                            \
    {"/dev/null", CONFINE_READ}, {"/", CONFINE_LIST},                                                        \
    {                                                                                                        \
        "/dev/urandom", CONFINE_READ                                                                         \
    }
static const struct confine_path ocsp_paths[] = {STORE_READ, {"public", CONFINE_READ}, LIBRARIES, NO_PATH};
static const struct confine_path api_paths[] = {
    STORE_READ, {"listener", CONFINE_EDIT}, {"public/crl", CONFINE_READ}, LIBRARIES, NO_PATH};
#define DESCRIPTORS_FEW 512 /* wires, boards, the store, a signer's workers */

static const struct confined confined[ROLE_COUNT] = {
    [ROLE_SIGNER] = {DESCRIPTORS_FEW, true, false, true, no_paths, {living, wires, ending}},
    [ROLE_OCSP_SIGNER] = {DESCRIPTORS_FEW, true, false, true, no_paths, {living, wires, ending}},
    [ROLE_CA] = {DESCRIPTORS_FEW,
                 false,
                 false,
                 false,
                 ca_paths,
                 {living, comparing, wires, files, store_read, store_write, hearing, reporting}},
    [ROLE_CRL] =
        {DESCRIPTORS_FEW, false, false, false, crl_paths, {living, wires, files, store_read, replacing}},
    [ROLE_OCSP] =
        {RLIM_INFINITY, false, false, false, ocsp_paths, {living, wires, files, store_read, serving}},
    [ROLE_WATCH] = {DESCRIPTORS_FEW,
                    true,
                    true,
                    false,
                    NULL,
                    {living, wires, files, replacing, hearing, threads, outbound}},
    [ROLE_API] = {RLIM_INFINITY,
                  true,
                  false,
                  false,
                  api_paths,
                  {living, comparing, wires, files, store_read, replacing, threads, serving}},
};

/* ---- giving up the rest ---- */

/* What libraries read from files at first use is read now. */
static void warm_up(void)
{
    uint8_t octets[HASH_LEN];

    tzset();
    random_octets(octets, sizeof octets);
    sha256_of(span_of(octets, sizeof octets), octets);
}

/* ---- what a configuration adds ---- */

#define PATHS_MAX (ACCESS_AUTHORITIES_MAX * 4 + 32) /* each names two files, and what lies beside them */

struct path_list {
    struct confine_path paths[PATHS_MAX];
    char texts[PATHS_MAX][PATH_LEN_MAX];
    const char *fixed[ACCESS_AUTHORITIES_MAX * 2]; /* the configuration's: what replaces them is not read */
    size_t count, fixed_count;
};

static void list_add(struct path_list *l, const char *path, enum confine_access access)
{
    if (path[0] == '\0' || l->count + 1 == PATHS_MAX)
        return;
    snprintf(l->texts[l->count], PATH_LEN_MAX, "%s", path);
    l->paths[l->count] = (struct confine_path){l->texts[l->count], access};
    l->paths[++l->count] = (struct confine_path)NO_PATH;
}

/* With what lies beside it where that may be: so it may be replaced. */
static void list_add_file(struct path_list *l, const struct config *c, const char *path)
{
    char directory[PATH_LEN_MAX];
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        list_add(l, path, CONFINE_READ);
    if (beside_is_open(c, path, directory))
        list_add(l, directory, CONFINE_READ);
    else if (path[0] != '\0')
        l->fixed[l->fixed_count++] = path;
}

/* Said at the start: else it is seen when the first renewal has locked out whom it is about. */
static void list_warn(const struct path_list *l)
{
    for (size_t i = 0; i < l->fixed_count; i++)
        log_warn("login-authority",
                 "%s: a file put in its place will not be read before a restart, because its directory is, "
                 "holds or lies in a place of keys or other secrets",
                 l->fixed[i]);
}

/* By what the account of the start can reach: later, as the role's, less would be seen. Freed by the caller.
 */
static struct path_list *paths_of(enum role_id id, const struct config *c)
{
    struct path_list *l = xcalloc(1, sizeof *l);

    for (const struct confine_path *p = confined[id].paths; p->path != NULL; p++)
        list_add(l, p->path, p->access);
    for (size_t i = 0; id == ROLE_API && i < c->ca.access.authority_count; i++) {
        list_add_file(l, c, c->ca.access.authorities[i].file);
        list_add_file(l, c, c->ca.access.authorities[i].crl);
    }
    return l;
}

/* The kernel forgets it with a change of uid. */
static enum err follow_parent_again(pid_t parent, struct fault *f)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)
        return OK;
    return fault_set(f, ERR_IO, "the supervisor is gone");
}

void role_labels(enum role_id id, char out[static LABELS_MAX])
{
    snprintf(out, LABELS_MAX, "role=\"%s\"", role_kinds[id].name);
}

static void tell(struct board *b, enum role_id id, int landlock)
{
    char labels[LABELS_MAX];

    role_labels(id, labels);
    figure_set(board_figure(b, FIGURE_GAUGE, ROLE_LANDLOCK, labels, "Version of Landlock in force, 0: none."),
               landlock);
    figure_set(board_figure(b, FIGURE_GAUGE, ROLE_DUMPABLE, labels, "1: it could be dumped or traced."),
               prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0);
}

enum err role_seal(enum role_id id, const struct config *c, struct fault *f)
{
    const struct confine_call failing[] = {
        ending_itself(getpid()), {"gettid", ANY}, {"rt_sigprocmask", ANY}, END};
    const struct confine_call *calls[sizeof confined[id].calls / sizeof *confined[id].calls + 1] = {failing};

    memcpy(calls + 1, confined[id].calls, sizeof confined[id].calls);
    return c->confine.level == CONFINE_FULL ? confine_calls(calls, f) : OK;
}

enum err role_enter(enum role_id id, const struct config *c, struct board *board, struct fault *f)
{
    const struct confined *this = &confined[id];
    struct account who = role_account(id, c->confine.first_uid);
    pid_t parent = getppid();
    struct path_list *paths = this->paths != NULL ? paths_of(id, c) : NULL;
    int landlock = 0;
    enum err e = OK;

    who.passes_modes = role_passes_modes(id, c->is_ocsp_host);
    if (c->confine.level != CONFINE_OFF) {
        warm_up();
        e = confine_process(f);
        if (e == OK)
            e = confine_limits(this->descriptors, this->may_fork, f);
        if (e == OK && c->has_own_uids)
            e = confine_account(&who, f);
        if (e == OK)
            e = follow_parent_again(parent, f);
    }
    if (e == OK && c->confine.level == CONFINE_FULL && paths != NULL)
        e = confine_paths(paths->paths, this->may_connect, &landlock, f);
    if (landlock > 0)
        list_warn(paths);
    free(paths);
    tell(board, id, landlock);
    if (e == OK && !this->seals_itself)
        e = role_seal(id, c, f);
    return e;
}
