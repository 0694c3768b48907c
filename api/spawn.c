/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn: the roles of the service, started by fork and re-exec of this program, each with its wires and
 * nothing else of ours.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/supervisor.h"
#include "base/log.h"
#include "base/port.h"

#define DESCRIPTORS_WANTED 8192 /* connections, wires, files and room to spare */

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

/* ---- sockets and processes ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* What the responder keeps over a stop: it may write these files and needs no right to a directory. The
 * service can do without, so one in memory will do where there can be none. */
static int memo_open(const struct serve *s, const char *name, int flags, const char *lost)
{
    char path[PATH_LEN_MAX] = "";
    struct fault f = {0};
    int fd = -1;

    if (path_join(path, s->config.home, name, &f) == OK)
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
    if (fd >= 0 && (flags & O_DSYNC) != 0 && file_dir_sync(path, &f) != OK)
        log_warn(name, "%s; %s", f.detail, lost);
    if (fd >= 0)
        return fd;
    log_warn(name, "%s: %s; %s", path, strerror(errno), lost);
    return memfd_create(name, MFD_CLOEXEC);
}

static void memo_open_all(struct serve *s)
{
    s->recent_fd = memo_open(s, "ocsp-recent", 0, "what is asked for is forgotten with each stop");
    if (s->config.is_ocsp_host)
        s->as_of_fd =
            memo_open(s, "ocsp-as-of", O_DSYNC, "after the next start an older snapshot may be taken");
}

enum err spawn_open(struct serve *s, struct fault *f)
{
    bool is_control_ours = s->control_fd < 0;
    enum err e = OK;

    if (is_control_ours) /* the first: another service of this home is told apart from a stranger on its port
                          */
        e = http_listen_unix(s->config.control_path, 0660, &s->control_fd, f);
    is_control_ours = is_control_ours && e == OK;
    if (e == OK && s->http_fd < 0)
        e = http_listen_tcp(s->config.http_listen, &s->http_fd, f);
    if (e == OK && s->https_fd < 0 && !s->config.is_ocsp_host)
        e = http_listen_tcp(s->config.https_listen, &s->https_fd, f);
    if (e != OK && is_control_ours)
        unlink(s->config.control_path);
    if (e == OK)
        e = http_bound(s->http_fd, s->http, sizeof s->http);
    if (e == OK && !s->config.is_ocsp_host)
        e = http_bound(s->https_fd, s->https, sizeof s->https);
    if (e == OK)
        memo_open_all(s);
    for (size_t i = 0; e == OK && i < WIRE_COUNT; i++)
        e = wire_pair(s->wires[i]);
    for (size_t i = 0; e == OK && i < BOARD_COUNT; i++)
        e = board_make(&s->boards[i][0], &s->boards[i][1], f);
    if (e == OK)
        e = board_open(s->boards[BOARD_OF_SUPERVISOR][0], &s->board, f);
    return e == OK ? OK : fault_set(f, e, "sockets: %s", strerror(errno));
}

/* Which wires and sockets a role gets, in the order its run function expects. */
static void role_fds(const struct serve *s, enum role_id id, int out[static ROLE_FDS_MAX])
{
    const int table[ROLE_COUNT][ROLE_FDS_MAX] = {
        [ROLE_SIGNER] = {s->wires[WIRE_CERTIFICATE_PORT][1], s->wires[WIRE_CRL_PORT][1]},
        [ROLE_OCSP_SIGNER] = {s->wires[WIRE_OCSP_PORT][1]},
        [ROLE_CA] = {s->wires[WIRE_ASK][1], s->wires[WIRE_CERTIFICATE_PORT][0], s->wires[WIRE_DESK][1]},
        [ROLE_CRL] = {s->wires[WIRE_CRL_PORT][0], s->wires[WIRE_DESK][0]},
        [ROLE_OCSP] = {s->http_fd, s->wires[WIRE_OCSP_PORT][0], s->config.is_ocsp_host ? s->control_fd : -1,
                       s->recent_fd, s->as_of_fd},
        [ROLE_API] = {s->https_fd, s->control_fd, s->wires[WIRE_ASK][0]},
        [ROLE_WATCH] = {-1},
    };

    memcpy(out, table[id], sizeof table[id]);
}

/* The end of the supervisor ends every role, however it ends. Survives the exec. */
static void follow_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(SERVICE_FAILED);
}

/* A descriptor and the number under which the role shall find it. */
struct handed {
    int from, high, to;
};
#define HANDED_MAX (ROLE_FDS_MAX + 2 + BOARD_COUNT)
#define HANDED_HIGH (FIRST_FD + HANDED_MAX + 64) /* out of the way of the numbers that they shall get */

static size_t hand_list(const struct serve *s, enum role_id id, struct handed out[static HANDED_MAX])
{
    int fds[ROLE_FDS_MAX];
    size_t n = 0;

    role_fds(s, id, fds);
    for (unsigned i = 0; i < role_kinds[id].fds; i++)
        if (fds[i] >= 0)
            out[n++] = (struct handed){.from = fds[i], .to = FIRST_FD + (int)i};
    out[n++] = (struct handed){.from = s->handout_fd, .to = HANDOUT_FD};
    out[n++] = (struct handed){.from = s->boards[id][0], .to = BOARD_FD};
    for (int of = 0; role_kinds[id].is_front && of < BOARD_COUNT; of++)
        out[n++] = (struct handed){.from = s->boards[of][1], .to = BOARD_READ_FD + of};
    return n;
}

static bool hand_over(const struct serve *s, enum role_id id)
{
    struct handed list[HANDED_MAX];
    size_t n = hand_list(s, id, list);

    for (size_t i = 0; i < n; i++)
        if ((list[i].high = fcntl(list[i].from, F_DUPFD_CLOEXEC, HANDED_HIGH)) < 0)
            return false;
    for (size_t i = 0; i < n; i++)
        if (dup2(list[i].high, list[i].to) < 0)
            return false;
    return true;
}

static void exec_role(const struct serve *s, enum role_id id, pid_t parent)
{
    char *argv[] = {"chancery", "role", (char *)role_kinds[id].name, "--home", (char *)s->config.home, NULL};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    follow_parent(parent);
    if (!hand_over(s, id))
        _exit(SERVICE_FAILED);
    setpgid(0, 0); /* ^C is the supervisor's to hear */
    if (!role_kinds[id].is_front)
        sigaction(SIGTERM, &ignore, NULL);
    sigemptyset(&none);
    if (id == ROLE_CA || id == ROLE_WATCH)
        sigaddset(&none, SIGHUP); /* until its loop can hear it */
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", argv);
    _exit(SERVICE_FAILED);
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

static_assert(ISSUERS_MAX <= PORT_WINDOW); /* all questions fit the wire */

/* A signer that answers a probe for every key has loaded every key. */
static enum err probe_port(struct serve *s, int fd)
{
    struct port_answer answer;
    enum err e = OK;

    for (size_t i = 0; e == OK && i < s->config.issuer_count; i++)
        e = port_ask(fd, PORT_PROBE, i, s->config.issuers[i].id, span_str(""));
    for (size_t i = 0; e == OK && i < s->config.issuer_count; i++) {
        e = supervisor_await(s, fd);
        if (e == OK)
            e = port_take(fd, &answer);
    }
    return e;
}

/* A ca that answers has opened the store and certified the OCSP keys. */
static enum err probe_ca(struct serve *s)
{
    int fd = s->wires[WIRE_ASK][0];
    uint8_t frame[1024];
    struct span answer;
    struct buf b;
    enum err e;

    buf_init(&b, 64);
    buf_put_u8(&b, ASK_PROBE);
    buf_put_u64(&b, 0);
    e = wire_try_send(fd, buf_span(&b));
    buf_free(&b);
    if (e == OK)
        e = supervisor_await(s, fd);
    return e == OK ? wire_try_receive(fd, frame, sizeof frame, &answer) : e;
}

/* ---- in order ---- */

/* A role that did not answer has closed its wire, which it does by ending: its exit code is the reason,
 * before any other's. */
static enum err await_role(struct serve *s, enum err answered)
{
    return answered == OK ? OK : supervisor_await(s, -1);
}

/* Closes the far ends a running role has, so that its death is seen by whoever waits for it. */
static void give_away(struct serve *s, const enum wire_name *wires, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close_fd(&s->wires[wires[i]][1]);
}

static enum err start_ca_signer(struct serve *s, struct fault *f)
{
    static const enum wire_name ports[] = {WIRE_CERTIFICATE_PORT, WIRE_CRL_PORT};
    enum err e = start_role(s, ROLE_SIGNER, f);

    give_away(s, ports, 2);
    return e == OK ? await_role(s, probe_port(s, s->wires[WIRE_CERTIFICATE_PORT][0])) : e;
}

static enum err start_ocsp_signer(struct serve *s, struct fault *f)
{
    static const enum wire_name ports[] = {WIRE_OCSP_PORT};
    enum err e = start_role(s, ROLE_OCSP_SIGNER, f);

    give_away(s, ports, 1);
    return e == OK ? await_role(s, probe_port(s, s->wires[WIRE_OCSP_PORT][0])) : e;
}

static enum err start_ca(struct serve *s, struct fault *f)
{
    static const enum wire_name ends[] = {WIRE_ASK, WIRE_DESK};
    enum err e = start_role(s, ROLE_CA, f);

    give_away(s, ends, 2);
    close_fd(&s->wires[WIRE_CERTIFICATE_PORT][0]);
    return e == OK ? await_role(s, probe_ca(s)) : e;
}

/* In an order in which each role finds what it needs, and a wrong key is one line from one role. */
static enum err start_all(struct serve *s, struct fault *f)
{
    enum err e = start_ca_signer(s, f);

    if (e == OK)
        e = start_ocsp_signer(s, f);
    if (e == OK)
        e = start_ca(s, f);
    for (enum role_id id = ROLE_CRL; e == OK && id < ROLE_COUNT; id++)
        e = start_role(s, id, f);
    return e;
}

static enum err start_host(struct serve *s, struct fault *f)
{
    enum err e = start_ocsp_signer(s, f);

    return e == OK ? start_role(s, ROLE_OCSP, f) : e;
}

enum err spawn_roles(struct serve *s, struct fault *f)
{
    enum err e;

    raise_descriptor_limit();
    e = s->config.is_ocsp_host ? start_host(s, f) : start_all(s, f);
    for (size_t i = 0; i < WIRE_COUNT; i++) {
        close_fd(&s->wires[i][0]);
        close_fd(&s->wires[i][1]);
    }
    for (size_t i = 0; i < BOARD_COUNT; i++) {
        close_fd(&s->boards[i][0]);
        close_fd(&s->boards[i][1]);
    }
    close_fd(&s->http_fd);
    close_fd(&s->https_fd);
    close_fd(&s->control_fd);
    close_fd(&s->recent_fd);
    close_fd(&s->as_of_fd);
    return e;
}
