/* SPDX-License-Identifier: Apache-2.0 */
/* served: see served.h. */
#include "tests/unit/api/served.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/api/played.h"

struct stage stage;
char served_at[64];
static struct watch *ca_watch;

static void write_file(const char *name, struct span content)
{
    char path[PATH_LEN_MAX];

    cr_assert_eq(path_join(path, stage.dir, name, NULL), OK);
    cr_assert_eq(file_replace(path, content, 0600, NULL), OK);
}

static void write_actors(void)
{
    char name[32];
    struct buf pem;

    buf_init(&pem, 65536);
    forge_key_pem(stage.key, &pem);
    write_file("key.pem", buf_span(&pem));
    for (enum actor a = 0; a < ACTORS; a++) {
        buf_reset(&pem);
        pem_put(&pem, "CERTIFICATE", buf_span(&stage.certs[a]));
        snprintf(name, sizeof name, "actor-%d.pem", a);
        write_file(name, buf_span(&pem));
    }
    buf_free(&pem);
}

static struct tls_server *make_tls(void)
{
    int64_t now_s = clock_now_s();
    struct tls_identity id;
    struct tls_server *tls = NULL;
    struct buf der, pem, key;
    struct fault f = {0};

    buf_init(&der, 65536);
    buf_init(&pem, 65536);
    buf_init(&key, 65536);
    forge_certificate(stage.key, span_of("\x07", 1), now_s - DAY_S, now_s + DAY_S, &der);
    pem_put(&pem, "CERTIFICATE", buf_span(&der));
    write_file("server-ca.pem", buf_span(&pem));
    forge_key_pem(stage.key, &key);
    id = (struct tls_identity){buf_span(&pem), buf_span(&key)};
    cr_assert_eq(tls_server_new(&id, 1, span_of(NULL, 0), &tls, &f), OK, "%s", f.detail);
    buf_free(&der);
    buf_free(&pem);
    buf_free(&key);
    return tls;
}

void served_open(void)
{
    struct http_handlers handlers;
    char path[PATH_LEN_MAX];
    struct fault f = {0};
    int https_fd, control_fd;

    stage_make(&stage);
    write_actors();
    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &https_fd, &f), OK, "%s", f.detail);
    cr_assert_eq(http_bound(https_fd, served_at, sizeof served_at), OK);
    cr_assert_eq(path_join(path, stage.dir, "control.sock", NULL), OK);
    cr_assert_eq(http_listen_unix(path, 0600, &control_fd, &f), OK, "%s", f.detail);
    stage.api.loop = loop_new();
    stage.api.asker = asker_new(stage.api.loop, stage.wire[0], 30000);
    stage.api.pulse = pulse_new(stage.api.asker, clock_monotonic_ms);
    handlers = api_handlers(&stage.api);
    stage.api.https = http_serve(stage.api.loop, https_fd, make_tls(), NULL, &handlers);
    stage.api.control = http_serve(stage.api.loop, control_fd, NULL, NULL, &handlers);
    ca_watch = watch_start(stage.api.loop, stage.wire[1], played_answer, &stage);
}

void served_close(void)
{
    watch_stop(ca_watch);
    pulse_free(stage.api.pulse);
    asker_free(stage.api.asker);
    http_server_free(stage.api.https);
    http_server_free(stage.api.control);
    loop_free(stage.api.loop);
    stage_free(&stage);
}

void served_without_ca(void)
{
    watch_stop(ca_watch);
    ca_watch = NULL;
}

static void on_child(void *arg)
{
    loop_stop(arg);
}

void with_client(void (*client)(void))
{
    int status, pipe_fds[2];
    struct watch *w;
    pid_t pid;

    cr_assert_eq(pipe(pipe_fds), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pipe_fds[0]);
        client();
        _exit(0);
    }
    close(pipe_fds[1]);
    w = watch_start(stage.api.loop, pipe_fds[0], on_child, stage.api.loop);
    loop_run(stage.api.loop);
    watch_stop(w);
    close(pipe_fds[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the client's message is above");
}
