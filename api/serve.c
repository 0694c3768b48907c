/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the supervisor. It opens what needs the outside (listening sockets), starts each role by fork and
 * re-exec with its wires, waits until the service answers, and ends all of it when a role ends. It parses
 * nothing hostile and holds no key.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/supervisor.h"
#include "base/clock.h"
#include "base/log.h"

#define READY_MS                                                                                             \
    60000 /* a million certificates open in a second; a first start issues six certificates and signs four   \
             CRLs */
#define STOP_MS                                                                                              \
    15000 /* fronts finish their answers within their grace of 10 s; then whatever is left is killed */
#define SETTLE_MS 15000 /* then a role that is not confined will not be, and is an alarm */
#define INSPECT_MS                                                                                           \
    60000               /* between looks at how the roles are confined, which cannot change in good order    \
                         */
#define TICK_MS 100     /* between looks while starting or stopping */
#define REASON_NAPS 100 /* of 10 ms: a process with a large map takes some to end */

/* ---- being ready ---- */

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

static void look_ready(struct serve *s)
{
    int64_t began_ms = s->deadline_ms - READY_MS;

    if (!alive_is_well(s, began_ms))
        return;
    if (!inspect_is_settled(s) && clock_monotonic_ms() < began_ms + SETTLE_MS)
        return; /* a role that serves nobody may still be starting */
    s->is_ready = true;
    inspect_roles(s);
    if (s->config.is_ocsp_host) /* it has no HTTPS */
        log_info("ready", "http %s, home %s", s->http, s->config.home);
    else
        log_info("ready", "http %s, https %s, home %s", s->http, s->https, s->config.home);
    if (s->ready_file != NULL)
        write_ready_file(s);
    notify_send(&s->notify, "READY=1");
    s->beat_ms = clock_monotonic_ms();
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
    if (!s->is_stopping)
        notify_send(&s->notify, "STOPPING=1");
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
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        log_error("role-ended", "%s made a system call that it may not make (signal 31): the service ends",
                  role_kinds[id].name);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
        log_error(
            "role-ended",
            "%s read beyond the end of the store's file or from a bad disk (signal 7), see store check: the "
            "service ends",
            role_kinds[id].name);
    else if (WIFSIGNALED(status))
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

/* What people must mend and no restart does: told by the role, or a store that could not be read to where it
 * opens. On an OCSP host the next snapshot mends that. */
static bool is_local_end(const struct serve *s, int status)
{
    if (s->is_ready)
        return false;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGBUS && !s->config.is_ocsp_host;
    return WIFEXITED(status) && WEXITSTATUS(status) == WRONG_USE;
}

/* The end of a role ends the service; its exit code is the service's reason. */
static void role_ended(struct serve *s, enum role_id id, int status)
{
    bool is_local = is_local_end(s, status);

    s->pids[id] = 0;
    if (s->is_stopping) {
        if (!is_in_order(id, status) && s->code == DONE)
            s->code = SERVICE_FAILED;
        return;
    }
    if (!is_local || WIFSIGNALED(status)) /* else the role has said what is wrong, in one line */
        log_role_end(id, status);
    stop(s, is_local ? WRONG_USE : SERVICE_FAILED);
    signal_roles(s, SIGKILL, false); /* what it left undone nobody can finish; durable is durable */
}

/* ---- hearing ---- */

struct ends {
    int statuses[ROLE_COUNT];
    bool has_ended[ROLE_COUNT];
    int rank; /* the highest, -1: none has ended */
};

/* How far an end is a reason of its own: one that was killed, or has told what people must mend, has taken
 * with it those that ended because it was gone. */
static int reason_rank(int status)
{
    if (WIFSIGNALED(status))
        return 3;
    return WEXITSTATUS(status) == WRONG_USE ? 2 : WEXITSTATUS(status) != 0;
}

static void ends_gather(const struct serve *s, struct ends *e)
{
    int status, rank;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (enum role_id id = 0; id < ROLE_COUNT; id++)
            if (s->pids[id] == pid) {
                rank = reason_rank(status);
                e->has_ended[id] = true;
                e->statuses[id] = status;
                e->rank = rank > e->rank ? rank : e->rank;
            }
}

/* A role's wires close before it can be waited for: who ended because of that may be here first. At the start
 * the reason is the exit code, and is waited for. */
static void reap(struct serve *s)
{
    const struct timespec nap = {.tv_nsec = 10 * 1000000L};
    struct ends e = {.rank = -1};

    ends_gather(s, &e);
    for (int i = 0; e.rank >= 0 && e.rank < 2 && !s->is_ready && !s->is_stopping && i < REASON_NAPS; i++) {
        nanosleep(&nap, NULL);
        ends_gather(s, &e);
    }
    for (int rank = 3; rank >= 0; rank--)
        for (enum role_id id = 0; id < ROLE_COUNT; id++)
            if (e.has_ended[id] && reason_rank(e.statuses[id]) == rank)
                role_ended(s, id, e.statuses[id]);
}

/* Level off: as root, all of them. A namespace may know no uid but ours, a container may lack the capability.
 */
static bool has_own_uids(const struct config *c)
{
    struct account api = role_account(ROLE_API, c->confine.first_uid);

    return c->confine.level != CONFINE_OFF && geteuid() == 0 && confine_account_works(&api);
}

/* Reads and checks the documents and hands them to the roles, which read them as they start and when told. */
static enum err take_config(struct serve *s, const char *home, struct config *out, struct buf *report,
                            struct fault *f)
{
    struct handout h = {0};
    enum err e = config_texts_read(home, &h.texts, f);

    if (e != OK)
        return e;
    e = config_parse(home, &h.texts, out, report, f);
    if (e == OK) {
        h.has_own_uids = s->has_own_uids = s->is_ready ? s->has_own_uids : has_own_uids(out);
        strcpy(h.home, out->home);
        e = handout_write(s->handout, &h, f);
    }
    handout_free(&h);
    return e;
}

/* Those that take settings while they run. */
static const enum role_id reloading[] = {ROLE_CA, ROLE_API, ROLE_OCSP, ROLE_WATCH};

/* Else "done" would be taken for all of it. Against the start's, so that it is said again until a restart. */
static void tell_left(const struct config *start, const struct config *fresh)
{
    struct buf list;

    buf_init(&list, RESTART_LIST_MAX);
    restart_list(start, fresh, &list);
    if (list.len > 0)
        log_warn("reload", "changed, and taken by a restart alone: %.*s", (int)list.len,
                 (const char *)list.data);
    buf_free(&list);
}

static void reload(struct serve *s)
{
    struct config *fresh = xcalloc(1, sizeof *fresh);
    struct fault f = {0};

    s->owes_reload = false;
    notify_reloading(&s->notify);
    if (take_config(s, s->config.home, fresh, NULL, &f) != OK) {
        log_error("reload", "the configuration in force stays: %s", f.detail);
    } else {
        tell_left(&s->config, fresh);
        config_free(fresh);
        for (size_t i = 0; i < sizeof reloading / sizeof *reloading; i++)
            if (s->pids[reloading[i]] > 0)
                kill(s->pids[reloading[i]], SIGHUP);
    }
    free(fresh);
    notify_send(&s->notify, "READY=1"); /* with the new one or with the old one, it serves */
}

static void hear_signals(struct serve *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop(s, 0);
        else if (info.ssi_signo == SIGHUP)
            s->owes_reload = true;
    }
    reap(s);
}

static void watch_deadline(struct serve *s)
{
    if (clock_monotonic_ms() < s->deadline_ms)
        return;
    if (s->is_stopping) {
        log_error("stop", "roles did not end in time: killed");
        s->code = SERVICE_FAILED;
        signal_roles(s, SIGKILL, false);
        s->deadline_ms = clock_monotonic_ms() + STOP_MS;
    } else if (!s->is_ready) {
        log_error("start", "the service did not answer within %d s", READY_MS / 1000);
        stop(s, SERVICE_FAILED);
    }
}

/* Twice within the manager's time, so that one beat may be late. No beat when a role hangs: it ends the
 * service then and starts it anew. */
static int64_t beat_every_ms(const struct serve *s)
{
    int64_t half_ms = s->notify.watchdog_ms / 2;

    return half_ms == 0 || half_ms > INSPECT_MS ? INSPECT_MS : half_ms;
}

static int beat_wait_ms(const struct serve *s)
{
    int64_t wait_ms = s->beat_ms + beat_every_ms(s) - clock_monotonic_ms();

    return wait_ms < 0 ? 0 : (int)wait_ms;
}

static void beat(struct serve *s)
{
    if (beat_wait_ms(s) > 0)
        return;
    s->beat_ms = clock_monotonic_ms();
    inspect_roles(s);
    if (s->notify.watchdog_ms == 0)
        return;
    if (alive_is_awake(s))
        notify_send(&s->notify, "WATCHDOG=1");
    else
        log_error("watchdog", "a role does not answer: the service manager is not told that all is well");
}

/* Signals are heard as they come, and whatever `fd` gets (-1: nothing) ends the wait. True: it did. */
static bool wait_for(const struct serve *s, int fd, int wait_ms)
{
    struct pollfd fds[] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    if (poll(fds, 2, wait_ms) < 0 && errno != EINTR)
        die("poll: %s", strerror(errno));
    return fds[1].revents != 0;
}

enum err supervisor_await(struct serve *s, int fd)
{
    while (!wait_for(s, fd, TICK_MS)) {
        hear_signals(s);
        watch_deadline(s);
        if (fd < 0 && s->is_stopping)
            return ERR_END;
    }
    return OK;
}

static void supervise(struct serve *s)
{
    while (any_running(s)) {
        bool hurried = !s->is_ready || s->is_stopping;

        wait_for(s, -1, hurried ? TICK_MS : beat_wait_ms(s));
        hear_signals(s);
        if (!hurried)
            beat(s);
        if (hurried)
            watch_deadline(s);
        if (!s->is_ready && !s->is_stopping)
            look_ready(s);
        if (s->owes_reload && s->is_ready && !s->is_stopping)
            reload(s);
    }
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
    e = take_config(s, home, &s->config, &report, f);
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

/* Told before they start: afterwards nothing but the end of the machine would end them. */
static enum err check_endable(const struct serve *s, struct fault *f)
{
    struct account api = role_account(ROLE_API, s->config.confine.first_uid);

    if (!s->has_own_uids || confine_account_can_be_ended(&api))
        return OK;
    return fault_set(
        f, ERR_CONFIG,
        "roles would get users of their own, and this process may not end them: CAP_KILL is missing");
}

/* The supervisor keeps its uid: it opens sockets and starts roles. Those with accounts of their own get what
 * they write. */
static enum err confine(const struct serve *s, struct fault *f)
{
    enum err e = confine_process(f);

    if (e == OK)
        e = check_endable(s, f);
    return e == OK && s->has_own_uids && !s->config.is_ocsp_host /* there no role writes */
               ? home_share(s->config.home, s->config.confine.first_uid, f)
               : e;
}

static enum err prepare(struct serve *s, const char *home, struct fault *f)
{
    enum err e = handout_make(&s->handout, &s->handout_fd, f);

    if (e == OK && open_home(s, home, f) != OK)
        return ERR_CONFIG; /* said already */
    if (e == OK)
        e = given_take(s, f);
    if (e == OK)
        e = spawn_open(s, f);
    if (e == OK && s->config.confine.level != CONFINE_OFF)
        e = confine(s, f);
    if (e != OK)
        fprintf(stderr, "chancery: %s\n", f->detail);
    return e;
}

static int serve_run(struct serve *s, const char *home)
{
    struct fault f = {0};
    enum err e;

    s->signal_fd = open_signals(); /* first: what comes while it prepares is heard afterwards */
    if (prepare(s, home, &f) != OK)
        return WRONG_USE;
    if (s->ready_file != NULL)
        unlink(s->ready_file);
    s->deadline_ms = clock_monotonic_ms() + READY_MS;
    e = spawn_roles(s, &f);
    if (e != OK && !s->is_stopping) {
        log_error("start", "%s", f.detail);
        stop(s, SERVICE_FAILED);
    }
    if (s->is_stopping) /* while they started: only now is every front there to hear it */
        signal_roles(s, SIGTERM, true);
    supervise(s);
    if (!s->is_control_given)
        unlink(s->config.control_path);
    if (s->ready_file != NULL)
        unlink(s->ready_file);
    return s->code;
}

int serve_main(const char *home, const char *ready_file)
{
    struct serve *s = xcalloc(1, sizeof *s);
    int code;

    signal(SIGPIPE, SIG_IGN); /* and each role's: a log whose reader is gone is nothing but missing lines */
    log_role("serve");
    s->ready_file = ready_file;
    s->http_fd = s->https_fd = s->control_fd = s->signal_fd = s->recent_fd = s->as_of_fd = s->handout_fd = -1;
    for (size_t i = 0; i < WIRE_COUNT; i++)
        s->wires[i][0] = s->wires[i][1] = -1;
    for (size_t i = 0; i < BOARD_COUNT; i++)
        s->boards[i][0] = s->boards[i][1] = -1;
    notify_open(&s->notify);
    code = serve_run(s, home);
    handout_close(s->handout);
    config_free(&s->config);
    free(s);
    return code;
}
