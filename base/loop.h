/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: the event loop of the roles that face a network, over libuv (its one owner).
 * Callbacks run on the thread that runs the loop, but for loop_work(); nothing here is for another thread.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop *loop_new(void);   /* dies when the kernel refuses */
void loop_run(struct loop *l); /* until loop_stop() */
void loop_stop(struct loop *l);
void loop_free(struct loop *l); /* after loop_run returned: closes what is still open */

typedef void loop_fn(void *arg);

/* A timer: first after `after_ms` (negative: not before timer_arm), then every `repeat_ms` (0: once).
 * timer_stop frees; a one-shot timer must still be stopped by its owner, before loop_free(). */
struct timer;
struct timer *timer_start(struct loop *l, int64_t after_ms, int64_t repeat_ms, loop_fn *fn, void *arg);
void timer_arm(struct timer *t,
               int64_t after_ms); /* anew: after that time from now instead; negative: not at all */
void timer_stop(struct timer *t); /* NULL is fine */

/* After turn_ask: calls fn once, in the loop's next turn, when whatever else is ready now has had its turn.
 * To ask again within fn is for the turn after, so work that is cut into turns holds up nobody. (A timer of 0
 * ms set within a timer's call would come before any octet.) turn_free: NULL is fine; within fn too. */
struct turn;
struct turn *turn_new(struct loop *l, loop_fn *fn, void *arg);
void turn_ask(struct turn *t);
void turn_free(struct turn *t);

/* Runs `work` on a thread of the process's pool, then `done` on the loop's thread. `work` may touch nothing
 * that the loop's thread touches before `done`. A loop that is freed first waits for work under way and calls
 * no `done`: what `arg` holds stays the caller's. */
void loop_work(struct loop *l, loop_fn *work, loop_fn *done, void *arg);
/* Starts the threads of the pool, 1 to 64; before the first loop_work of the process, which would start some,
 * and be the end of the process when there is no memory for them any more. */
void loop_threads(struct loop *l, unsigned count);
/* Ends the pool's threads: after the last loop_free of a process, which is about to exit. A thread that went
 * on during the exit would use what the libraries have taken down. */
void loop_threads_end(void);

/* Calls fn while `fd` is readable, closed by its peer or in error (level-triggered). The fd stays the
 * caller's, and blocking or not as it was. */
struct watch;
struct watch *watch_start(struct loop *l, int fd, loop_fn *fn, void *arg);
void watch_stop(struct watch *w); /* before the fd is closed; NULL is fine */

/* Calls fn when the signal arrives. Lives as long as the loop. */
void loop_on_signal(struct loop *l, int signo, loop_fn *fn, void *arg);

#endif
