/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the supervisor. It opens what needs the outside (listening sockets), starts each role by fork and
 * re-exec with its wires, waits until the service answers, and ends all of it when a role ends. It parses
 * nothing hostile and holds no key.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/role.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/port.h"

#define EXIT_LOCAL 1
#define EXIT_FAILED 2
#define READY_MS                                                                                             \
    60000 /* a million certificates open in a second; a first start issues six certificates and signs four   \
             CRLs */
#define DESCRIPTORS_WANTED 8192 /* connections, wires, files and room to spare */
#define STOP_MS                                                                                              \
    15000 /* fronts finish their answers within their grace of 10 s; then whatever is left is killed */
#define TICK_MS 100 /* between looks while starting or stopping */

enum wire_name { WIRE_CERTIFICATE_PORT, WIRE_CRL_PORT, WIRE_OCSP_PORT, WIRE_ASK, WIRE_DESK, WIRE_COUNT };

struct serve {
    struct config config;
    const char *ready_file;
    char http[128], https[128];
    int http_fd, https_fd, control_fd, signal_fd;
    int wires[WIRE_COUNT][2]; /* [0] the asking side, [1] the answering side */
    pid_t pids[ROLE_COUNT];
    bool is_stopping, is_ready;
    int64_t deadline_ms; /* of being ready, then of having stopped */
    int code;
};

/* ---- starting ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static enum err open_sockets(struct serve *s, struct fault *f)
{
    enum err e = http_listen_tcp(s->config.http_listen, &s->http_fd, f);

    if (e == OK)
        e = http_listen_tcp(s->config.https_listen, &s->https_fd, f);
    if (e == OK)
        e = http_listen_unix(s->config.control_path, 0660, &s->control_fd, f);
    if (e == OK)
        e = http_bound(s->http_fd, s->http, sizeof s->http);
    if (e == OK)
        e = http_bound(s->https_fd, s->https, sizeof s->https);
    for (size_t i = 0; e == OK && i < WIRE_COUNT; i++)
        e = wire_pair(s->wires[i]);
    return e == OK ? OK : fault_set(f, e, "sockets: %s", strerror(errno));
}

/* Which descriptors a role gets, in the order its run function expects. */
static void role_fds(const struct serve *s, enum role_id id, int out[static ROLE_FDS_MAX])
{
    const int table[ROLE_COUNT][ROLE_FDS_MAX] = {
        [ROLE_SIGNER] = {s->wires[WIRE_CERTIFICATE_PORT][1], s->wires[WIRE_CRL_PORT][1]},
        [ROLE_OCSP_SIGNER] = {s->wires[WIRE_OCSP_PORT][1]},
        [ROLE_CA] = {s->wires[WIRE_ASK][1], s->wires[WIRE_CERTIFICATE_PORT][0], s->wires[WIRE_DESK][1]},
        [ROLE_CRL] = {s->wires[WIRE_CRL_PORT][0], s->wires[WIRE_DESK][0]},
        [ROLE_OCSP] = {s->http_fd, s->wires[WIRE_OCSP_PORT][0]},
        [ROLE_API] = {s->https_fd, s->control_fd, s->wires[WIRE_ASK][0]},
    };

    memcpy(out, table[id], sizeof table[id]);
}

/* The end of the supervisor ends every role, however it ends. Survives the exec. */
static void follow_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILED);
}

static void exec_role(const struct serve *s, enum role_id id, pid_t parent)
{
    int fds[ROLE_FDS_MAX], high[ROLE_FDS_MAX];
    char *argv[] = {"chancery", "role", (char *)role_kinds[id].name, "--home", (char *)s->config.home, NULL};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    follow_parent(parent);
    role_fds(s, id, fds);
    for (unsigned i = 0; i < role_kinds[id].fds; i++) /* first out of the way of the numbers they shall get */
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FD + ROLE_FDS_MAX + 64);
    for (unsigned i = 0; i < role_kinds[id].fds; i++)
        if (high[i] < 0 || dup2(high[i], FIRST_FD + (int)i) < 0)
            _exit(EXIT_FAILED);
    setpgid(0, 0); /* ^C is the supervisor's to hear */
    if (!role_kinds[id].is_front)
        sigaction(SIGTERM, &ignore, NULL);
    sigemptyset(&none);
    if (id == ROLE_CA)
        sigaddset(&none, SIGHUP); /* until its loop can hear it */
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", argv);
    _exit(EXIT_FAILED);
}

static enum err start_role(struct serve *s, enum role_id id, struct fault *f)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        return fault_set(f, ERR_IO, "fork: %s", strerror(errno));
    if (pid == 0)
        exec_role(s, id, parent);
    s->pids[id] = pid;
    return OK;
}

/* A signer that answers a probe for every key has loaded every key. */
static enum err probe_port(struct serve *s, int fd)
{
    struct port_job jobs[ISSUERS_MAX];

    for (size_t i = 0; i < s->config.issuer_count; i++)
        jobs[i] = (struct port_job){.key_id = s->config.issuers[i].id};
    return port_batch(fd, PORT_PROBE, jobs, s->config.issuer_count);
}

/* A ca that answers has opened the store and certified the OCSP keys. */
static enum err probe_ca(struct serve *s)
{
    uint8_t frame[1024];
    struct span answer;
    struct buf b;
    enum err e;

    buf_init(&b, 64);
    buf_put_u8(&b, ASK_PROBE);
    buf_put_u64(&b, 0);
    e = wire_send(s->wires[WIRE_ASK][0], buf_span(&b));
    if (e == OK)
        e = wire_receive(s->wires[WIRE_ASK][0], frame, sizeof frame, &answer);
    buf_free(&b);
    return e;
}

/* ---- being ready ---- */

static bool answers(const struct fetch_target *t, const char *path)
{
    struct fetch_request r = {.method = "GET", .path = path};
    struct fetch_answer a;
    bool good;

    if (fetch(t, &r, &a, NULL) != OK)
        return false;
    good = a.status == 200;
    fetch_answer_free(&a);
    return good;
}

static void write_ready_file(const struct serve *s)
{
    struct js *o = js_object();
    struct fault f = {0};
    struct buf b;

    js_set_int(o, "pid", getpid());
    js_set_str(o, "http", s->http);
    js_set_str(o, "https", s->https);
    js_set_str(o, "home", s->config.home);
    buf_init(&b, 8192);
    js_write(o, &b);
    buf_put_u8(&b, '\n');
    if (file_replace(s->ready_file, buf_span(&b), 0644, &f) != OK)
        log_warn("ready-file", "%s", f.detail);
    buf_free(&b);
    js_free(o);
}

/* Ready is what a client sees: the interface says ok through the control socket, and the pages for relying
 * parties are there. */
static void look_ready(struct serve *s)
{
    char http_url[160];
    struct fetch_target control = {
        .unix_socket = s->config.control_path, .base_url = "http://localhost", .timeout_s = 5};
    struct fetch_target http = {.base_url = http_url, .timeout_s = 5};

    snprintf(http_url, sizeof http_url, "http://%s", s->http);
    if (!answers(&control, "/readyz") || !answers(&http, "/"))
        return;
    s->is_ready = true;
    log_info("ready", "http %s, https %s, home %s", s->http, s->https, s->config.home);
    if (s->ready_file != NULL)
        write_ready_file(s);
}

/* ---- ending ---- */

static void signal_roles(const struct serve *s, int signo, bool fronts_only)
{
    for (enum role_id id = 0; id < ROLE_COUNT; id++)
        if (s->pids[id] > 0 && (!fronts_only || role_kinds[id].is_front))
            kill(s->pids[id], signo);
}

static void stop(struct serve *s, int code)
{
    if (!s->is_stopping)
        s->code = code;
    s->is_stopping = true;
    s->deadline_ms = clock_monotonic_ms() + STOP_MS;
    signal_roles(s, SIGTERM, true);
}

static bool any_running(const struct serve *s)
{
    for (enum role_id id = 0; id < ROLE_COUNT; id++)
        if (s->pids[id] > 0)
            return true;
    return false;
}

static void log_role_end(enum role_id id, int status)
{
    if (WIFSIGNALED(status))
        log_error("role-ended", "%s was killed by signal %d: the service ends", role_kinds[id].name,
                  WTERMSIG(status));
    else
        log_error("role-ended", "%s ended with exit code %d: the service ends", role_kinds[id].name,
                  WEXITSTATUS(status));
}

/* A front that was told to end before it could hear that has nothing to finish. */
static bool is_in_order(enum role_id id, int status)
{
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           (role_kinds[id].is_front && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void role_ended(struct serve *s, enum role_id id, int status)
{
    bool is_local;

    s->pids[id] = 0;
    if (s->is_stopping) {
        if (!is_in_order(id, status) && s->code == 0)
            s->code = EXIT_FAILED;
        return;
    }
    is_local = !s->is_ready && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LOCAL;
    if (!is_local) /* else the role has said what is wrong, in one line */
        log_role_end(id, status);
    stop(s, is_local ? EXIT_LOCAL : EXIT_FAILED);
    signal_roles(s, SIGKILL, false); /* what it left undone nobody can finish; durable is durable */
}

/* ---- starting, in order ---- */

/* A role that did not answer has closed its wire, which it does by ending: its exit code is the reason,
 * before any other's. */
static enum err await_role(struct serve *s, enum role_id id, enum err answered)
{
    int status;

    if (answered == OK || s->pids[id] <= 0)
        return answered;
    if (waitpid(s->pids[id], &status, 0) == s->pids[id])
        role_ended(s, id, status);
    return answered;
}

/* Closes the far ends a running role has, so that its death is seen by whoever waits for it. */
static void give_away(struct serve *s, const enum wire_name *wires, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close_fd(&s->wires[wires[i]][1]);
}

static enum err start_signers(struct serve *s, struct fault *f)
{
    static const enum wire_name ca_ports[] = {WIRE_CERTIFICATE_PORT, WIRE_CRL_PORT},
                                ocsp_ports[] = {WIRE_OCSP_PORT};
    enum err e = start_role(s, ROLE_SIGNER, f);

    give_away(s, ca_ports, 2);
    if (e == OK)
        e = await_role(s, ROLE_SIGNER, probe_port(s, s->wires[WIRE_CERTIFICATE_PORT][0]));
    if (e == OK)
        e = start_role(s, ROLE_OCSP_SIGNER, f);
    give_away(s, ocsp_ports, 1);
    return e == OK ? await_role(s, ROLE_OCSP_SIGNER, probe_port(s, s->wires[WIRE_OCSP_PORT][0])) : e;
}

static enum err start_ca(struct serve *s, struct fault *f)
{
    static const enum wire_name ends[] = {WIRE_ASK, WIRE_DESK};
    enum err e = start_role(s, ROLE_CA, f);

    give_away(s, ends, 2);
    close_fd(&s->wires[WIRE_CERTIFICATE_PORT][0]);
    return e == OK ? await_role(s, ROLE_CA, probe_ca(s)) : e;
}

/* In an order in which each role finds what it needs, and a wrong key is one line from one role. */
static enum err start_roles(struct serve *s, struct fault *f)
{
    enum err e = start_signers(s, f);

    if (e == OK)
        e = start_ca(s, f);
    for (enum role_id id = ROLE_CRL; e == OK && id < ROLE_COUNT; id++)
        e = start_role(s, id, f);
    for (size_t i = 0; i < WIRE_COUNT; i++) {
        close_fd(&s->wires[i][0]);
        close_fd(&s->wires[i][1]);
    }
    close_fd(&s->http_fd);
    close_fd(&s->https_fd);
    close_fd(&s->control_fd);
    return e;
}

/* ---- hearing ---- */

static void reap(struct serve *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (enum role_id id = 0; id < ROLE_COUNT; id++)
            if (s->pids[id] == pid)
                role_ended(s, id, status);
}

static void reload(struct serve *s)
{
    struct config *fresh = xcalloc(1, sizeof *fresh);
    struct fault f = {0};

    if (config_load(s->config.home, fresh, NULL, &f) != OK) {
        log_error("reload", "the configuration in force stays: %s", f.detail);
    } else {
        config_free(fresh);
        if (s->pids[ROLE_CA] > 0)
            kill(s->pids[ROLE_CA], SIGHUP);
        if (s->pids[ROLE_API] > 0)
            kill(s->pids[ROLE_API], SIGHUP);
    }
    free(fresh);
}

static void hear_signals(struct serve *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop(s, 0);
        else if (info.ssi_signo == SIGHUP && s->is_ready && !s->is_stopping)
            reload(s);
    }
    reap(s);
}

static void watch_deadline(struct serve *s)
{
    if (clock_monotonic_ms() < s->deadline_ms)
        return;
    if (s->is_stopping) {
        log_error("stop", "roles did not end in time: killed");
        s->code = EXIT_FAILED;
        signal_roles(s, SIGKILL, false);
        s->deadline_ms = clock_monotonic_ms() + STOP_MS;
    } else if (!s->is_ready) {
        log_error("start", "the service did not answer within %d s", READY_MS / 1000);
        stop(s, EXIT_FAILED);
    }
}

static void supervise(struct serve *s)
{
    struct pollfd fd = {.fd = s->signal_fd, .events = POLLIN};

    while (any_running(s)) {
        bool hurried = !s->is_ready || s->is_stopping;

        if (poll(&fd, 1, hurried ? TICK_MS : -1) < 0 && errno != EINTR)
            die("poll: %s", strerror(errno));
        hear_signals(s);
        if (hurried)
            watch_deadline(s);
        if (!s->is_ready && !s->is_stopping)
            look_ready(s);
    }
}

/* A connection takes a descriptor and a front may hold 1,024: the usual soft limit of 1,024 is too few. Roles
 * inherit it. */
static void raise_descriptor_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= DESCRIPTORS_WANTED)
        return;
    r.rlim_cur = r.rlim_max < DESCRIPTORS_WANTED ? r.rlim_max : DESCRIPTORS_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        log_warn("descriptors", "the limit of %lu could not be raised", (unsigned long)r.rlim_cur);
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum err open_home(struct serve *s, const char *home, struct fault *f)
{
    struct buf report;
    enum err e;

    buf_init(&report, 65536);
    e = config_load(home, &s->config, &report, f);
    if (e != OK && report.len > 0)
        fwrite(report.data, 1, report.len, stderr);
    else if (e != OK)
        fprintf(stderr, "chancery: %s\n", f->detail);
    buf_free(&report);
    if (e == OK && access(s->config.home, W_OK) != 0) {
        e = ERR_IO;
        fprintf(stderr, "chancery: %s: %s\n", s->config.home, strerror(errno));
    }
    return e;
}

static int serve_run(struct serve *s, const char *home)
{
    struct fault f = {0};
    enum err e;

    if (open_home(s, home, &f) != OK)
        return EXIT_LOCAL;
    if (open_sockets(s, &f) != OK) {
        fprintf(stderr, "chancery: %s\n", f.detail);
        return EXIT_LOCAL;
    }
    if (s->ready_file != NULL)
        unlink(s->ready_file);
    raise_descriptor_limit();
    s->signal_fd = open_signals();
    s->deadline_ms = clock_monotonic_ms() + READY_MS;
    e = start_roles(s, &f);
    if (e != OK && f.detail[0] != '\0')
        log_error("start", "%s", f.detail);
    supervise(s);
    unlink(s->config.control_path);
    if (s->ready_file != NULL)
        unlink(s->ready_file);
    return e != OK && s->code == 0 ? EXIT_FAILED : s->code;
}

int serve_main(const char *home, const char *ready_file)
{
    struct serve *s = xcalloc(1, sizeof *s);
    int code;

    log_role("serve");
    s->ready_file = ready_file;
    s->http_fd = s->https_fd = s->control_fd = s->signal_fd = -1;
    for (size_t i = 0; i < WIRE_COUNT; i++)
        s->wires[i][0] = s->wires[i][1] = -1;
    code = serve_run(s, home);
    config_free(&s->config);
    free(s);
    return code;
}
