/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: the process. Its main thread looks at public/crl whenever something moves there, and hears signals;
 * a courier a target does the rest.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "watch/courier.h"
#include "watch/history.h"
#include "watch/late.h"

#define LOOK_MS 5000         /* between looks when nothing is heard: dates pass by themselves */
#define LOOK_UNHEARD_MS 2000 /* when inotify is not to be had */
#define SETTLE_MS 60000 /* a publisher that starts has its lists out in seconds, the largest in a minute */

struct watcher {
    struct watch_role *role;
    char dir[PATH_LEN_MAX]; /* public/crl */
    struct bell *bell;
    struct trust *trust;
    struct shelf *shelf;
    struct courier couriers[TARGETS_MAX];
    pthread_t threads[TARGETS_MAX];
    size_t running;
    struct history history;
    struct alarm_sink sinks[1]; /* whoever shall hear of alarms */
    struct follow *follow;
    int signal_fd, moves_fd;
    int64_t started_ms;
    bool is_hurried; /* its configuration is one that somebody has just seen to */
    bool is_over;
};

/* ---- what it is made of, from a configuration ---- */

static void *run_courier(void *arg)
{
    courier_run(arg);
    return NULL;
}

static void hire(struct watcher *w, size_t target)
{
    struct courier *c = &w->couriers[target];

    courier_open(c, w->role->config, target, w->role->state_dir, w->shelf, w->trust, w->bell);
    if (w->is_hurried)
        courier_hurry(c);
    if (pthread_create(&w->threads[target], NULL, run_courier, c) != 0)
        die("no thread for target %s", c->target->id);
    w->running++;
}

/* What cannot be written there is an alarm when it is tried. */
static void make_state_dir(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        log_error("watch-state", "%s: %s", path, strerror(errno));
}

static enum err begin(struct watcher *w, struct fault *f)
{
    enum err e = trust_load(w->role->config, &w->trust, f);

    if (e != OK)
        return e;
    make_state_dir(w->role->state_dir);
    w->shelf = shelf_new(w->dir, w->trust, w->bell);
    shelf_look(w->shelf);
    for (size_t i = 0; i < w->role->config->count; i++)
        hire(w, i);
    return OK;
}

/* Each gives up what it does within a second: its transfers look at the flag. */
static void end(struct watcher *w)
{
    shelf_close(w->shelf);
    for (size_t i = 0; i < w->running; i++) {
        pthread_join(w->threads[i], NULL);
        courier_close(&w->couriers[i]);
    }
    w->running = 0;
    shelf_free(w->shelf);
    trust_free(w->trust);
    w->shelf = NULL;
    w->trust = NULL;
}

/* ---- looking ---- */

static void look(struct watcher *w)
{
    struct late l = {.config = w->role->config,
                     .bell = w->bell,
                     .now_s = clock_now_s(),
                     .is_settled = clock_monotonic_ms() - w->started_ms > SETTLE_MS};
    struct shelf_item *items;
    uint64_t turn;

    shelf_look(w->shelf);
    items = shelf_copy(w->shelf, &l.count, &turn);
    l.items = items;
    late_check(&l);
    free(items);
}

/* ---- hearing ---- */

static bool has_target(const struct watch_config *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->targets[i].id, id) == 0)
            return true;
    return false;
}

/* The alarms of a target that stays are over when it is seen that they are. */
static void forget_gone(struct watcher *w, const struct watch_config *fresh)
{
    const struct watch_config *old = w->role->config;

    for (size_t i = 0; i < old->count; i++)
        if (!has_target(fresh, old->targets[i].id))
            courier_forget(w->bell, old->targets[i].id);
}

static void reload(struct watcher *w)
{
    struct watch_config *fresh;
    struct trust *probe;
    struct fault f = {0};

    fresh = xcalloc(1, sizeof *fresh);
    if (w->role->reload == NULL || !w->role->reload(w->role->reload_arg, fresh)) {
        free(fresh);
        return;
    }
    if (trust_load(fresh, &probe, &f) != OK) {
        log_error("reload", "the configuration in force stays: %s", f.detail);
    } else {
        trust_free(probe);
        end(w);
        forget_gone(w, fresh);
        *w->role->config = *fresh;
        w->is_hurried = true;
        if (begin(w, &f) != OK)
            die("%s", f.detail);
        log_info("reloaded", "%zu target(s)", w->role->config->count);
    }
    free(fresh);
}

static void hear_signals(struct watcher *w)
{
    struct signalfd_siginfo info;

    while (read(w->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload(w);
        else
            w->is_over = true;
    }
}

static void hear_moves(struct watcher *w)
{
    uint8_t events[4096];

    while (read(w->moves_fd, events, sizeof events) > 0) /* what moved, the look finds out */
        ;
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_moves(const char *dir)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (fd >= 0 && inotify_add_watch(fd, dir, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE) < 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        log_warn("watch", "%s: no word of changes, it is looked at every %d s: %s", dir,
                 LOOK_UNHEARD_MS / 1000, strerror(errno));
    return fd;
}

static void turn(struct watcher *w)
{
    struct pollfd fds[] = {{.fd = w->signal_fd, .events = POLLIN}, {.fd = w->moves_fd, .events = POLLIN}};

    look(w);
    follow_turn(w->follow, clock_now_s());
    if (poll(fds, 2, w->moves_fd < 0 ? LOOK_UNHEARD_MS : LOOK_MS) < 0 && errno != EINTR)
        die("poll: %s", strerror(errno));
    hear_signals(w);
    if (w->moves_fd >= 0)
        hear_moves(w);
}

/* Its own threads must not hear signals before this one does: it is called before there are any. */
static enum err open_watcher(struct watcher *w, struct watch_role *r, struct fault *f)
{
    enum err e = path_join(w->dir, r->public_dir, "crl", f);

    w->role = r;
    w->signal_fd = open_signals();
    w->moves_fd = -1;
    w->started_ms = clock_monotonic_ms();
    w->bell = bell_new(r->board);
    make_state_dir(r->state_dir);
    if (e == OK)
        e = history_open(&w->history, r->state_dir, f);
    w->sinks[0] = (struct alarm_sink){history_tell, &w->history};
    w->follow = follow_new(r->boards, r->board_count, w->sinks, sizeof w->sinks / sizeof *w->sinks);
    if (e == OK)
        history_start(&w->history, clock_now_s());
    if (e == OK)
        w->moves_fd = open_moves(w->dir);
    return e == OK ? begin(w, f) : e;
}

static void close_watcher(struct watcher *w)
{
    follow_free(w->follow);
    bell_free(w->bell);
    close(w->signal_fd);
    if (w->moves_fd >= 0)
        close(w->moves_fd);
    free(w);
}

enum err watch_run(struct watch_role *r)
{
    struct watcher *w = xcalloc(1, sizeof *w);
    struct fault f = {0};
    enum err e = open_watcher(w, r, &f);

    if (e != OK) {
        log_error("config", "%s", f.detail);
    } else {
        while (!w->is_over)
            turn(w);
        end(w);
    }
    close_watcher(w);
    return e;
}
