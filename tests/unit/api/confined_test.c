/* SPDX-License-Identifier: Apache-2.0 */
/* What can each role no longer do once it has entered its confinement? Each act in a child of its own. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/role.h"

static char dir[] = "/tmp/chancery-confined-XXXXXX";

static void setup(void)
{
    static const char *const names[] = {"store", "public", "public/crl", "listener", "keys",
                                        "admin", "corp",   "secret",     "keys/in"};

    static const char *const files[] = {"keys/x.key",     "store/data.mdb", "admin/admin.key", "ca.pem",
                                        "corp/ca.pem",    "corp/next.pem",  "secret/ca.pem",   "secret/y.key",
                                        "keys/in/ca.pem", "keys/ca.pem",    "admin/ca.pem"};

    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_eq(mkdir(names[i], 0755), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        cr_assert(close(open(files[i], O_CREAT | O_WRONLY, 0644)) == 0);
    cr_assert_eq(symlink("keys", "to-keys"), 0);
    cr_assert_eq(symlink(".", "to-home"), 0);
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(confined, .init = setup, .fini = teardown, .timeout = 60);

static struct config c = {.confine = {.level = CONFINE_FULL, .first_uid = 59900}};

/* Enters as the role does and seals; an error ends the child. */
static void enter(enum role_id id)
{
    struct fault f = {0};

    if (role_enter(id, &c, NULL, &f) != OK ||
        ((id == ROLE_SIGNER || id == ROLE_OCSP_SIGNER) && role_seal(id, &c, &f) != OK))
        _exit(100);
}

/* ---- acts: 0 it was done, 1 it was refused ---- */

static int act_nothing(void)
{
    return 0;
}

static int act_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int act_connect(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

    return connect(0, (struct sockaddr *)&a, sizeof a) != 0;
}

static int act_execute(void)
{
    return execl("/bin/true", "true", NULL) != 0;
}

static int act_trace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), 0, 0) != 0;
}

static int act_fork(void)
{
    return fork() < 0;
}

static int act_become_root(void)
{
    return setuid(0) != 0;
}

static int act_run_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED;
}

static int act_signal(void)
{
    return kill(getppid(), SIGURG) != 0;
}

static int act_abort(void)
{
    abort();
}

/* To the first thread of the parent, as it would be to another role of the same user. */
static int act_abort_another(void)
{
    return tgkill(getppid(), getppid(), SIGABRT) != 0;
}

static int act_read_passwd(void)
{
    return open("/etc/passwd", O_RDONLY) < 0;
}

static int act_read_key(void)
{
    return open("keys/x.key", O_RDONLY) < 0;
}

static int act_read_admin(void)
{
    return open("admin/admin.key", O_RDONLY) < 0;
}

static int act_read_secret(void)
{
    return open("secret/y.key", O_RDONLY) < 0;
}

static int act_read_authority(void)
{
    return open(c.ca.access.authorities[0].file, O_RDONLY) < 0;
}

static int act_read_next(void)
{
    return open("corp/next.pem", O_RDONLY) < 0;
}

static int act_read_store(void)
{
    return open("store/data.mdb", O_RDONLY) < 0;
}

static int act_write_store(void)
{
    return open("store/data.mdb", O_WRONLY) < 0;
}

static int act_make_crl(void)
{
    return open("public/crl/x.crl", O_CREAT | O_WRONLY, 0644) < 0;
}

#define DONE 0
#define REFUSED 1
#define KILLED (1000 + SIGSYS)

static int outcome(enum role_id id, int (*act)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        enter(id);
        _exit(act());
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The one role that connects out, with the libraries and threads that this takes. */
static bool is_outbound(enum role_id id, int (*act)(void))
{
    if (id == ROLE_CA && act == act_connect)
        return true; /* to the syslog */
    return id == ROLE_WATCH && (act == act_socket || act == act_connect || act == act_run_memory);
}

/* The sanitizers' runtime may do some of it: their build adds it to every table. */
static bool is_loose(int (*act)(void))
{
    return confine_build.is_traced &&
           (act == act_trace || act == act_abort_another || act == act_fork || act == act_run_memory ||
            act == act_signal || act == act_read_passwd || act == act_read_key || act == act_read_store);
}

Test(confined, no_role_connects_starts_traces_or_makes_code)
{
    int (*const acts[])(void) = {act_socket,      act_connect,    act_execute, act_trace,
                                 act_become_root, act_run_memory, act_fork};

    for (enum role_id id = 0; id < ROLE_COUNT; id++) {
        cr_expect_eq(outcome(id, act_nothing), DONE, "%s", role_kinds[id].name);
        for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
            if (!is_loose(acts[i]) && !is_outbound(id, acts[i]))
                cr_expect_eq(outcome(id, acts[i]), KILLED, "%s, act %zu", role_kinds[id].name, i);
    }
}

/* So the log says that it failed, and not that it was attacked. */
Test(confined, an_assert_that_fails_is_an_abort_and_of_this_process_alone)
{
    for (enum role_id id = 0; id < ROLE_COUNT; id++) {
        cr_expect_eq(outcome(id, act_abort), 1000 + SIGABRT, "%s", role_kinds[id].name);
        if (!is_loose(act_abort_another))
            cr_expect_eq(outcome(id, act_abort_another), KILLED, "%s", role_kinds[id].name);
    }
}

Test(confined, the_signers_open_nothing)
{
    if (confine_build.is_traced)
        cr_skip_test("the sanitizers open files");
    for (enum role_id id = ROLE_SIGNER; id <= ROLE_OCSP_SIGNER; id++) {
        cr_expect_eq(outcome(id, act_read_passwd), KILLED);
        cr_expect_eq(outcome(id, act_read_key), KILLED);
        cr_expect_eq(outcome(id, act_read_store), KILLED);
        cr_expect_eq(outcome(id, act_signal), KILLED);
    }
}

static bool has_landlock(void)
{
    int abi = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(confine_paths((const struct confine_path[]){{NULL, 0}}, false, &abi, NULL) == OK && abi > 0
                  ? 0
                  : 1);
    cr_assert(waitpid(pid, &abi, 0) == pid);
    return abi == 0;
}

Test(confined, the_others_open_what_is_theirs_alone)
{
    static const struct {
        enum role_id id;
        int store_read, store_write, crl;
    } rows[] = {
        {ROLE_CA, DONE, DONE, REFUSED},
        {ROLE_CRL, DONE, REFUSED, DONE},
        {ROLE_OCSP, DONE, REFUSED, REFUSED},
        {ROLE_API, DONE, REFUSED, REFUSED},
    };

    if (!has_landlock())
        cr_skip_test("this kernel has no Landlock");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = role_kinds[rows[i].id].name;

        cr_expect_eq(outcome(rows[i].id, act_read_store), rows[i].store_read, "%s", name);
        cr_expect_eq(outcome(rows[i].id, act_write_store), rows[i].store_write, "%s", name);
        cr_expect_eq(outcome(rows[i].id, act_make_crl), rows[i].crl, "%s", name);
        unlink("public/crl/x.crl");
        if (confine_build.is_traced)
            continue;
        cr_expect_eq(outcome(rows[i].id, act_read_key), REFUSED, "%s", name);
        cr_expect_eq(outcome(rows[i].id, act_read_passwd), REFUSED, "%s", name);
    }
}

/* ---- what a configuration adds ---- */

/* The CA of a login is told as `file`: what api may then open. */
static void name_authority(const char *file)
{
    c.ca.access.authority_count = 1;
    snprintf(c.ca.access.authorities[0].file, sizeof c.ca.access.authorities[0].file, "%s", file);
}

static void expect_keys_closed(const char *file)
{
    cr_expect_eq(outcome(ROLE_API, act_read_key), REFUSED, "%s", file);
    cr_expect_eq(outcome(ROLE_API, act_read_admin), REFUSED, "%s", file);
    cr_expect_eq(outcome(ROLE_API, act_read_secret), REFUSED, "%s", file);
}

Test(confined, what_lies_beside_the_file_of_an_authority_may_replace_it)
{
    if (confine_build.is_traced || !has_landlock())
        cr_skip_test("nothing judges files here");
    cr_expect_eq(outcome(ROLE_API, act_read_next), REFUSED);
    name_authority("corp/ca.pem");
    cr_expect_eq(outcome(ROLE_API, act_read_authority), DONE);
    cr_expect_eq(outcome(ROLE_API, act_read_next), DONE);
    cr_expect_eq(outcome(ROLE_CRL, act_read_next), REFUSED);
    expect_keys_closed("corp/ca.pem");
}

/* However it is written: the directory is, holds, or lies in, what nobody may replace anything in. */
Test(confined, no_file_of_an_authority_opens_a_key_beside_or_below_it)
{
    static const char *const relative[] = {"ca.pem",
                                           "./ca.pem",
                                           "././ca.pem",
                                           "corp/../ca.pem",
                                           "to-home/ca.pem",
                                           "to-home//ca.pem",
                                           "keys/ca.pem",
                                           ".//keys/ca.pem",
                                           "keys/in/ca.pem",
                                           "to-keys/ca.pem",
                                           "to-keys/in/ca.pem",
                                           "admin/ca.pem",
                                           "secret/ca.pem",
                                           "corp/../secret/ca.pem"};
    char file[PATH_LEN_MAX];

    if (confine_build.is_traced || !has_landlock())
        cr_skip_test("nothing judges files here");
    c.issuer_count = 1;
    strcpy(c.issuers[0].key_uri, "file:secret/y.key");
    for (size_t i = 0; i < 2 * sizeof relative / sizeof *relative; i++) {
        snprintf(file, sizeof file, "%s%s%s", i % 2 != 0 ? dir : "", i % 2 != 0 ? "/" : "", relative[i / 2]);
        name_authority(file);
        cr_expect_eq(outcome(ROLE_API, act_read_authority), DONE, "%s", file);
        expect_keys_closed(file);
    }
    snprintf(file, sizeof file, "%s.pem", dir); /* beside the home, and so above its keys */
    cr_assert(close(open(file, O_CREAT | O_WRONLY, 0644)) == 0);
    name_authority(file);
    cr_expect_eq(outcome(ROLE_API, act_read_authority), DONE, "%s", file);
    expect_keys_closed(file);
    cr_assert_eq(unlink(file), 0);
}

/* What a role says as it enters. */
static const char *said(enum role_id id, char *out, size_t cap)
{
    int fd = open("said", O_CREAT | O_TRUNC | O_RDWR, 0644), status = -1;
    pid_t pid = fork();
    ssize_t n;

    cr_assert(fd >= 0 && pid >= 0);
    if (pid == 0) {
        dup2(fd, STDERR_FILENO);
        enter(id);
        _exit(0);
    }
    cr_assert(waitpid(pid, &status, 0) == pid && status == 0);
    n = pread(fd, out, cap - 1, 0);
    cr_assert(n >= 0 && close(fd) == 0);
    out[n] = '\0';
    return out;
}

Test(confined, a_file_that_nothing_may_replace_is_warned_of)
{
    struct access_authority *a = c.ca.access.authorities;
    char text[4096];

    if (!has_landlock())
        cr_skip_test("nothing judges files here");
    name_authority("corp/ca.pem");
    strcpy(a->crl, "corp/next.pem");
    cr_expect_str_empty(said(ROLE_API, text, sizeof text), "in a directory of their own");
    strcpy(a->crl, "secret/ca.pem");
    cr_expect_str_empty(said(ROLE_API, text, sizeof text), "with no secret in the directory");
    c.issuer_count = 1;
    strcpy(c.issuers[0].key_uri, "file:secret/y.key");
    cr_expect_not_null(strstr(said(ROLE_API, text, sizeof text), "login-authority"));
    cr_expect(strstr(text, "secret/ca.pem") != NULL && strstr(text, "corp/ca.pem") == NULL, "%s", text);
    cr_expect_str_empty(said(ROLE_OCSP, text, sizeof text), "a role that reads none");
    c.confine.level = CONFINE_BASIC;
    cr_expect_str_empty(said(ROLE_API, text, sizeof text), "nothing keeps it from being read");
}

Test(confined, a_directory_is_no_file_of_an_authority)
{
    static const char *const names[] = {".", "keys", "admin", "secret", "to-keys", "/", "/tmp"};

    if (confine_build.is_traced || !has_landlock())
        cr_skip_test("nothing judges files here");
    c.issuer_count = 1;
    strcpy(c.issuers[0].key_uri, "file:secret/y.key");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        name_authority(names[i]);
        expect_keys_closed(names[i]);
    }
}
