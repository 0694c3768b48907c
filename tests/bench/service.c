/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/service.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

#define READY_TRIES 600 /* of 100 ms: a store of ten million takes its time */

extern char **environ;

static pid_t spawn(char *const argv[], const char *log)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        die("%s does not start", argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void copy_member(const struct js *o, const char *name, char *out, size_t cap)
{
    const char *value = js_str(js_get(o, name));

    if (value == NULL || strlen(value) >= cap)
        die("the ready file has no %s", name);
    strcpy(out, value);
}

static void read_ready(struct service *s, const char *path)
{
    struct fault f = {0};
    struct buf text;
    struct js *o = NULL;

    buf_init(&text, 8192);
    if (file_read(path, &text, &f) != OK || js_parse(buf_span(&text), &o, &f) != OK)
        die("the ready file: %s", f.detail);
    copy_member(o, "http", s->http, sizeof s->http);
    copy_member(o, "https", s->https, sizeof s->https);
    js_free(o);
    buf_free(&text);
}

void service_serve(struct service *s, const char *program)
{
    char ready[160], log[160];
    char *argv[] = {(char *)program, "serve", "--home", s->home, "--ready-file", ready, NULL};

    snprintf(ready, sizeof ready, "%s/ready", s->dir);
    snprintf(log, sizeof log, "%s/log", s->dir);
    unlink(ready);
    s->pid = spawn(argv, log);
    for (int i = 0; access(ready, R_OK) != 0; i++) {
        if (i == READY_TRIES || waitpid(s->pid, NULL, WNOHANG) != 0)
            die("the service does not start: see %s", log);
        usleep(100000);
    }
    read_ready(s, ready);
}

void service_start(struct service *s, const char *program)
{
    char log[160];
    char *argv[] = {(char *)program, "init",    "--home",      s->home,  "--quiet",   "--http",
                    "127.0.0.1:0",   "--https", "127.0.0.1:0", "--host", "localhost", NULL};
    int status;

    strcpy(s->dir, "/tmp/chancery-bench-XXXXXX");
    if (mkdtemp(s->dir) == NULL)
        die("no place for a home");
    snprintf(s->home, sizeof s->home, "%s/home", s->dir);
    snprintf(log, sizeof log, "%s/log", s->dir);
    if (waitpid(spawn(argv, log), &status, 0) < 0 || status != 0)
        die("init fails: see %s", log);
    service_serve(s, program);
}

void service_stop(struct service *s)
{
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
}

void service_remove(struct service *s)
{
    char *argv[] = {"/bin/rm", "-rf", s->dir, NULL};

    waitpid(spawn(argv, "/dev/null"), NULL, 0);
}

/* ---- what it has used ---- */

static bool read_small(const char *pid, const char *name, char *out, size_t cap, size_t *len)
{
    char path[300];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, out, cap - 1);
    if (fd >= 0)
        close(fd);
    *len = n < 0 ? 0 : (size_t)n;
    out[*len] = '\0';
    return n > 0;
}

/* The third word of "chancery role NAME ...": false for what is no role. */
static bool role_of(const char *pid, char role[static 16])
{
    char text[512];
    const char *word = text;
    size_t len;

    if (!read_small(pid, "cmdline", text, sizeof text, &len))
        return false;
    word += strlen(word) + 1;
    if (word >= text + len || strcmp(word, "role") != 0)
        return false;
    snprintf(role, 16, "%s", word + 5);
    return true;
}

/* The home is the fifth word: another service's roles are not ours. */
static bool is_ours(const struct service *s, const char *pid)
{
    char text[512];
    size_t len;

    return read_small(pid, "cmdline", text, sizeof text, &len) &&
           memmem(text, len, s->home, strlen(s->home)) != NULL;
}

static double cpu_of(const char *pid)
{
    unsigned long user, system;
    char text[1024];
    const char *end;
    size_t len;

    if (!read_small(pid, "stat", text, sizeof text, &len) || (end = strrchr(text, ')')) == NULL ||
        sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void add_cpu(struct service_cpu *out, size_t *n, const char *role, double seconds)
{
    size_t i = 0;

    while (i < *n && strcmp(out[i].role, role) != 0)
        i++;
    if (i == SERVICE_ROLES_MAX)
        return;
    if (i == *n)
        strcpy(out[(*n)++].role, role);
    out[i].seconds += seconds;
}

size_t service_cpu(const struct service *s, struct service_cpu out[static SERVICE_ROLES_MAX])
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    char role[16];
    size_t n = 0;

    memset(out, 0, SERVICE_ROLES_MAX * sizeof *out);
    while (d != NULL && (e = readdir(d)) != NULL)
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9' && role_of(e->d_name, role) && is_ours(s, e->d_name))
            add_cpu(out, &n, role, cpu_of(e->d_name));
    if (d != NULL)
        closedir(d);
    return n;
}

int service_connect(const char *where)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    const char *colon = strrchr(where, ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    a.sin_port = htons((uint16_t)atoi(colon + 1));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        die("%s does not answer", where);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}
