/* SPDX-License-Identifier: Apache-2.0 */
/* Do timers, watches and signals call back when they should, and only then? */
#include "base/loop.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    struct timer *timer;
    unsigned count, limit;
    int fd;
};

static void count_one(void *arg)
{
    struct seen *s = arg;

    if (++s->count == s->limit)
        loop_stop(s->loop);
}

static void read_one(void *arg)
{
    struct seen *s = arg;
    char c;

    cr_assert_eq(read(s->fd, &c, 1), 1);
    count_one(arg);
}

static void fail(void *arg)
{
    (void)arg;
    cr_assert_fail("called back");
}

struct asking {
    struct turn *turn;
    unsigned turns;
};

static void ask_again(void *arg)
{
    struct asking *a = arg;

    if (++a->turns < 1000)
        turn_ask(a->turn);
    else
        cr_assert_fail("a descriptor that can be read waits for all turns to be over");
}

Test(turn, asked_again_and_again_holds_up_nobody)
{
    struct seen s = {.loop = loop_new(), .limit = 1};
    struct asking a = {0};
    struct watch *w;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    s.fd = fds[0];
    w = watch_start(s.loop, fds[0], read_one, &s);
    a.turn = turn_new(s.loop, ask_again, &a);
    turn_ask(a.turn);
    loop_run(s.loop);
    cr_assert_eq(s.count, 1);
    cr_assert_geq(a.turns, 1);
    turn_free(a.turn);
    watch_stop(w);
    loop_free(s.loop);
    close(fds[0]);
    close(fds[1]);
}

Test(turn, comes_once_and_only_when_it_was_asked_for)
{
    struct seen s = {.loop = loop_new(), .limit = 3};
    struct seen once = {.loop = s.loop};
    struct turn *asked = turn_new(s.loop, count_one, &once), *silent = turn_new(s.loop, fail, NULL);
    struct timer *t = timer_start(s.loop, 1, 1, count_one, &s);

    turn_ask(asked);
    turn_ask(asked);
    loop_run(s.loop);
    cr_assert_eq(once.count, 1);
    turn_free(asked);
    turn_free(silent);
    timer_stop(t);
    loop_free(s.loop);
}

Test(timer, fires_once_without_a_repeat)
{
    struct seen s = {.loop = loop_new(), .limit = 3};
    struct seen once = {.loop = s.loop};
    struct timer *a = timer_start(s.loop, 1, 0, count_one, &once);
    struct timer *b = timer_start(s.loop, 5, 5, count_one, &s);

    loop_run(s.loop);
    cr_assert_eq(s.count, 3);
    cr_assert_eq(once.count, 1);
    timer_stop(a);
    timer_stop(b);
    loop_free(s.loop);
}

Test(timer, stopped_or_disarmed_never_fires)
{
    struct seen s = {.loop = loop_new(), .limit = 1};
    struct timer *stopped = timer_start(s.loop, 1, 0, fail, NULL);
    struct timer *disarmed = timer_start(s.loop, 1, 0, fail, NULL);
    struct timer *idle = timer_start(s.loop, -1, 0, fail, NULL);
    struct timer *end = timer_start(s.loop, 1000, 0, count_one, &s);

    timer_stop(stopped);
    timer_arm(disarmed, -1);
    timer_arm(end, 20);
    loop_run(s.loop);
    cr_assert_eq(s.count, 1);
    timer_stop(disarmed);
    timer_stop(idle);
    timer_stop(end);
    timer_stop(NULL);
    loop_free(s.loop);
}

Test(watch, calls_while_the_descriptor_is_readable)
{
    struct seen s = {.loop = loop_new(), .limit = 3};
    struct watch *w;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    s.fd = fds[0];
    w = watch_start(s.loop, fds[0], read_one, &s);
    cr_assert_eq(write(fds[1], "abc", 3), 3);
    loop_run(s.loop);
    cr_assert_eq(s.count, 3, "one call for each octet left unread");
    watch_stop(w);
    close(fds[0]);
    close(fds[1]);
    loop_free(s.loop);
}

Test(watch, leaves_a_blocking_descriptor_blocking)
{
    struct loop *l = loop_new();
    struct watch *w;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    w = watch_start(l, fds[0], fail, NULL);
    cr_assert_eq(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    watch_stop(w);
    loop_free(l);
    cr_assert_neq(fcntl(fds[0], F_GETFD), -1, "the descriptor stays the caller's");
    close(fds[0]);
    close(fds[1]);
}

Test(watch, calls_when_the_peer_is_gone)
{
    struct seen s = {.loop = loop_new(), .limit = 1};
    struct watch *w;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    w = watch_start(s.loop, fds[0], count_one, &s);
    close(fds[1]);
    loop_run(s.loop);
    cr_assert_eq(s.count, 1);
    watch_stop(w);
    close(fds[0]);
    loop_free(s.loop);
}

Test(loop, calls_on_a_signal)
{
    struct seen s = {.loop = loop_new(), .limit = 1};

    loop_on_signal(s.loop, SIGHUP, count_one, &s);
    loop_on_signal(s.loop, SIGUSR1, fail, NULL);
    raise(SIGHUP);
    loop_run(s.loop);
    cr_assert_eq(s.count, 1);
    loop_free(s.loop);
}

Test(loop, free_closes_what_is_still_open)
{
    struct loop *l = loop_new();
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    timer_start(l, 1, 1, fail, NULL);
    watch_start(l, fds[0], fail, NULL);
    loop_on_signal(l, SIGHUP, fail, NULL);
    loop_free(l);
    close(fds[0]);
    close(fds[1]);
}

Test(loop, ignores_sigpipe)
{
    struct loop *l = loop_new();
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    close(fds[0]);
    cr_assert_eq(write(fds[1], "x", 1), -1);
    close(fds[1]);
    loop_free(l);
}

struct job {
    struct loop *loop;
    pthread_t loop_thread;
    _Atomic int ran; /* on another thread */
    int done;        /* on the loop's, after that */
    int wanted;
};

static void job_work(void *arg)
{
    struct job *j = arg;

    j->ran += !pthread_equal(pthread_self(), j->loop_thread);
}

static void job_done(void *arg)
{
    struct job *j = arg;

    cr_assert(pthread_equal(pthread_self(), j->loop_thread));
    cr_assert_geq(j->ran, j->done + 1);
    if (++j->done == j->wanted)
        loop_stop(j->loop);
}

static size_t thread_count(void)
{
    DIR *d = opendir("/proc/self/task");
    size_t n = 0;

    cr_assert_not_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

Test(loop, the_pool_is_there_before_it_has_work)
{
    struct loop *l = loop_new();
    size_t before = thread_count();

    loop_threads(l, 3);
    cr_assert_eq(thread_count(), before + 3);
    loop_free(l);
}

Test(loop, work_runs_on_other_threads_and_is_done_on_the_loops)
{
    struct job j = {.loop = loop_new(), .loop_thread = pthread_self(), .wanted = 100};

    loop_threads(j.loop, 3);
    for (int i = 0; i < j.wanted; i++)
        loop_work(j.loop, job_work, job_done, &j);
    loop_run(j.loop);
    cr_assert_eq(j.done, j.wanted);
    cr_assert_eq(j.ran, j.wanted);
    loop_free(j.loop);
}

Test(loop, a_freed_loop_waits_for_work_and_calls_nobody)
{
    struct job j = {.loop = loop_new(), .loop_thread = pthread_self(), .wanted = 100};

    for (int i = 0; i < j.wanted; i++)
        loop_work(j.loop, job_work, job_done, &j);
    loop_free(j.loop);
    cr_assert_eq(j.ran, j.wanted);
    cr_assert_eq(j.done, 0);
}
