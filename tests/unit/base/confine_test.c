/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a process gave up really gone? Each claim in a child of its own. */
#include "base/confine.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/chancery-confine-XXXXXX";

static void setup(void)
{
    char path[64];
    int fd;

    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    snprintf(path, sizeof path, "%s/inside", dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    fd = open("outside", O_CREAT | O_WRONLY, 0600);
    cr_assert(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
    fd = open("inside/file", O_CREAT | O_WRONLY, 0600);
    cr_assert(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(confine, .init = setup, .fini = teardown, .timeout = 60);

/* How a child ends that does this: its exit code, or 1000 and the signal. */
static int outcome(int (*act)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        fflush(NULL);
        _exit(act());
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#define STEP(claim)                                                                                          \
    if (!(claim))                                                                                            \
    return __LINE__ % 200 + 1

/* ---- the process ---- */

static int confined_process(void)
{
    struct rlimit core;

    STEP(confine_process(NULL) == OK);
    STEP(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    STEP((prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0) == !confine_build.is_traced);
    STEP(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
    return 0;
}

Test(confine, a_process_gains_no_privileges_and_leaves_no_core)
{
    cr_assert_eq(outcome(confined_process), 0);
}

static int other_account(void)
{
    const struct account a = {.uid = 59990, .gid = 59991, .shared_gid = 59992};
    gid_t groups[2];

    STEP(confine_account(&a, NULL) == OK);
    STEP(getuid() == 59990 && geteuid() == 59990 && getgid() == 59991);
    STEP(getgroups(2, groups) == 1 && groups[0] == 59992);
    STEP(setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0);
    STEP(open("/etc/shadow", O_RDONLY) < 0 && errno == EACCES);
    return 0;
}

Test(confine, an_account_is_taken_for_good)
{
    const struct account a = {.uid = 59990, .gid = 59991, .shared_gid = 59992};

    if (!confine_account_works(&a))
        cr_skip_test("this process may take no other account");
    cr_assert_eq(outcome(other_account), 0);
    cr_assert_eq(getuid(), 0, "trying leaves this process as it was");
}

/* Without CAP_KILL no process of another user can be signalled, whoever started it. */
static int account_without_kill(void)
{
    const struct account a = {.uid = 59990, .gid = 59991, .shared_gid = 59992};
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    STEP(syscall(SYS_capget, &head, data) == 0);
    data[0].effective &= ~(1u << CAP_KILL);
    data[0].permitted &= ~(1u << CAP_KILL);
    STEP(syscall(SYS_capset, &head, data) == 0);
    STEP(confine_account_works(&a));
    STEP(!confine_account_can_be_ended(&a));
    STEP(waitpid(-1, NULL, 0) < 0 && errno == ECHILD); /* nothing is left of it */
    return 0;
}

Test(confine, whether_an_account_can_be_ended_is_told)
{
    const struct account a = {.uid = 59990, .gid = 59991, .shared_gid = 59992};

    if (!confine_account_works(&a))
        cr_skip_test("this process may take no other account");
    cr_assert(confine_account_can_be_ended(&a));
    cr_assert_eq(outcome(account_without_kill), 0);
}

static int passing_account(void)
{
    const struct account a = {.uid = 59990, .gid = 59991, .shared_gid = 59992, .passes_modes = true};

    STEP(confine_account(&a, NULL) == OK);
    STEP(getuid() == 59990 && getgid() == 59991);
    STEP(open("/etc/shadow", O_RDONLY) >= 0);
    STEP(setuid(0) != 0 && setgid(0) != 0 && chown("/etc/shadow", 59990, 59991) != 0);
    STEP(chroot("/") != 0 && errno == EPERM);
    return 0;
}

Test(confine, an_account_that_passes_modes_may_do_nothing_else_of_roots)
{
    const struct account a = {.uid = 59990, .gid = 59991, .shared_gid = 59992, .passes_modes = true};

    if (!confine_account_works(&a))
        cr_skip_test("this process may take no other account");
    cr_assert_eq(outcome(passing_account), 0);
}

/* ---- Landlock ---- */

static const struct confine_path read_inside[] = {
    {"inside", CONFINE_READ}, {"absent", CONFINE_EDIT}, {NULL, 0}};
static const struct confine_path edit_inside[] = {{"inside", CONFINE_EDIT}, {NULL, 0}};
static const struct confine_path write_file[] = {
    {"inside", CONFINE_READ}, {"inside/file", CONFINE_WRITE}, {NULL, 0}};

static bool is_denied(int rc)
{
    return rc < 0 && (errno == EACCES || errno == EPERM);
}

static int reader(void)
{
    int abi = 0;

    STEP(confine_paths(read_inside, false, &abi, NULL) == OK);
    if (abi == 0)
        return 0;
    STEP(open("inside/file", O_RDONLY) >= 0);
    STEP(is_denied(open("inside/file", O_WRONLY)));
    STEP(is_denied(open("inside/new", O_WRONLY | O_CREAT, 0600)));
    STEP(is_denied(unlink("inside/file")));
    STEP(confine_build.is_traced || is_denied(open("outside", O_RDONLY)));
    STEP(confine_build.is_traced || is_denied(open("inside/../outside", O_RDONLY)));
    STEP(confine_build.is_traced || is_denied(open("/etc/passwd", O_RDONLY)));
    STEP(is_denied(open("/dev/null", O_WRONLY)));
    return 0;
}

Test(confine, a_reader_reads_below_its_paths_alone)
{
    cr_assert_eq(outcome(reader), 0);
}

static int editor(void)
{
    int abi = 0, fd;

    STEP(confine_paths(edit_inside, false, &abi, NULL) == OK);
    if (abi == 0)
        return 0;
    fd = open("inside/new", O_WRONLY | O_CREAT, 0600);
    STEP(fd >= 0 && ftruncate(fd, 0) == 0);
    STEP(rename("inside/new", "inside/file") == 0 && unlink("inside/file") == 0);
    STEP(is_denied(open("made", O_WRONLY | O_CREAT, 0600)));
    STEP(is_denied(mkdir("inside/directory", 0700)));
    STEP(is_denied(symlink("/etc/passwd", "inside/link")));
    STEP(rename("outside", "inside/taken") < 0);
    return 0;
}

Test(confine, an_editor_makes_and_removes_plain_files_below_its_paths_alone)
{
    cr_assert_eq(outcome(editor), 0);
}

static int file_writer(void)
{
    int abi = 0;

    STEP(confine_paths(write_file, false, &abi, NULL) == OK);
    if (abi == 0)
        return 0;
    STEP(open("inside/file", O_RDWR | O_CREAT, 0600) >= 0);
    STEP(is_denied(open("inside/other", O_RDWR | O_CREAT, 0600)));
    STEP(is_denied(unlink("inside/file")));
    return 0;
}

Test(confine, one_file_of_a_directory_may_be_written)
{
    cr_assert_eq(outcome(file_writer), 0);
}

static int tcp_connect(void)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? 0 : errno;
}

static int connects(bool may)
{
    int abi = 0;

    STEP(confine_paths(read_inside, may, &abi, NULL) == OK);
    if (abi < 4)
        return 0; /* the kernel's Landlock knows no network */
    STEP((tcp_connect() == EACCES) == !may);
    return 0;
}

static int connects_where_permitted(void)
{
    return connects(true);
}

static int connects_where_not(void)
{
    return connects(false);
}

Test(confine, tcp_is_connected_to_where_permitted)
{
    cr_assert_eq(outcome(connects_where_permitted), 0);
    cr_assert_eq(outcome(connects_where_not), 0);
}

/* ---- seccomp ---- */

#define ANY 0, 0, 0, 0
static const struct confine_call few[] = {
    {"write", ANY},           {"exit_group", ANY},          {"rt_sigreturn", ANY},
    {"kill", 1, ~0ULL, 0, 0}, {"getppid", 0, 0, 0, ENOSYS}, {NULL, ANY}};

static void seal_with(const struct confine_call *list)
{
    const struct confine_call *const lists[] = {list, NULL};
    struct fault f;

    if (confine_calls(lists, &f) != OK)
        _exit(199);
}

static int permitted(void)
{
    seal_with(few);
    return write(STDERR_FILENO, "", 0) == 0 ? 0 : 1;
}

static int socket_call(void)
{
    seal_with(few);
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 1 : 2;
}

static int wrong_argument(void)
{
    seal_with(few);
    return kill(1, SIGURG);
}

Test(confine, a_call_that_is_not_listed_kills)
{
    cr_assert_eq(outcome(permitted), 0);
    cr_assert_eq(outcome(socket_call), 1000 + SIGSYS);
}

Test(confine, a_listed_call_with_another_argument_kills)
{
    if (confine_build.is_traced)
        cr_skip_test("the sanitizers' own list has it");
    cr_assert_eq(outcome(wrong_argument), 1000 + SIGSYS);
}

static int failing_call(void)
{
    seal_with(few);
    return syscall(SYS_getppid) == -1 && errno == ENOSYS ? 0 : 1;
}

Test(confine, a_call_may_fail_instead)
{
    if (confine_build.is_traced)
        cr_skip_test("the sanitizers' own list has it");
    cr_assert_eq(outcome(failing_call), 0);
}

static int unknown_name(void)
{
    static const struct confine_call nonsense[] = {{"no_such_call", ANY}, {NULL, ANY}};
    const struct confine_call *const lists[] = {nonsense, NULL};
    struct fault f = {0};

    return confine_calls(lists, &f) == ERR_INTERNAL && strstr(f.detail, "no_such_call") != NULL ? 0 : 1;
}

Test(confine, a_name_that_is_no_call_is_an_error_and_nothing_is_in_force)
{
    cr_assert_eq(outcome(unknown_name), 0);
}
