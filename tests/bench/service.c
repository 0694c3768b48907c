/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/service.h"

#include <arpa/inet.h>
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
