/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: one line an event on standard error, `time level role event key=value …`,
 * values quoted when they hold anything but printable ASCII without spaces, so
 * that no hostile byte reaches a terminal. Blocks on the descriptor only.
 * Thread rule: any thread, once log_role() was called.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* Names this process in every later line, e.g. "ca"; borrowed for the process's life. */
void log_role(const char *role);

/* `event` is a fixed hyphenated name, `fmt` gives the text of detail="…". */
void log_info(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Logs and ends the process with SERVICE_FAILED of base/exit.h: for what the process cannot go on after
 * (out of memory, a lost peer role, broken internal framing, a failed commit). */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* malloc/calloc/strdup that die instead of returning NULL. */
void *xmalloc(unsigned long size);
void *xcalloc(unsigned long n, unsigned long size);
char *xstrdup(const char *s);
/* Twice the room for items of that size, 16 at first; what is there moves with it, the rest is not set. */
void *xgrow(void *items, unsigned long *cap, unsigned long size);

#endif
