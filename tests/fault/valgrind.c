/* SPDX-License-Identifier: Apache-2.0 */
/*
 * valgrind: what the service asks of Linux and valgrind 3.19 cannot answer, preloaded when a test runs under
 * it, so that the product need not know. Under valgrind /proc/self/exe is valgrind, but its readlink tells
 * the program; pidfd_open is unknown to it, so a child is followed by a socket that closes when it ends; and
 * a signing worker, which would be killed once its ports are closed, ends by itself, with its leaks counted.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 128 /* roles, or workers */

static struct {
    pid_t pid;
    int end; /* readable when it has ended */
} children[CHILDREN_MAX];
static size_t child_count;
static bool is_role;

extern pid_t __libc_fork(void);

/* `chancery role NAME ...` */
__attribute__((constructor)) static void valgrind_start(int argc, char **argv)
{
    is_role = argc > 1 && strcmp(argv[1], "role") == 0;
}

pid_t fork(void)
{
    int ends[2];
    pid_t pid;

    if (child_count == CHILDREN_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    pid = __libc_fork();
    close(ends[pid == 0 ? 0 : 1]);
    if (pid > 0) {
        children[child_count].pid = pid;
        children[child_count++].end = ends[0];
    }
    return pid;
}

int pidfd_open(pid_t pid, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < child_count; i++)
        if (children[i].pid == pid)
            return children[i].end;
    errno = ESRCH;
    return -1;
}

/* Of a child by the descriptor that it was given: by its number. */
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    for (size_t i = 0; type == P_PIDFD && i < child_count; i++)
        if (children[i].end == (int)id)
            return (int)syscall(SYS_waitid, P_PID, children[i].pid, info, options, NULL);
    return (int)syscall(SYS_waitid, type, id, info, options, NULL);
}

/* The supervisor may have to end its roles; a role's children are workers. */
int kill(pid_t pid, int signo)
{
    return is_role && signo == SIGKILL ? 0 : (int)syscall(SYS_kill, pid, signo);
}

int execv(const char *path, char *const argv[])
{
    char program[PATH_MAX];
    ssize_t n = strcmp(path, "/proc/self/exe") == 0 ? readlink(path, program, sizeof program - 1) : -1;

    if (n > 0)
        program[n] = '\0';
    return execve(n > 0 ? program : path, argv, environ);
}
