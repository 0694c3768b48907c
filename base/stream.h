/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: byte streams and their listeners on a loop, over TCP or Unix sockets. Private to loop.c
 * (which implements it over libuv) and http_inner.h. No call here blocks or calls back before it returns:
 * events come from the loop.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include "base/buf.h"
#include "base/loop.h"

struct stream;
struct listener;

/* Calls fn with each accepted stream, which fn must stream_open or stream_close at once. Takes fd. */
typedef void listener_fn(void *arg, struct stream *s);
struct listener *listener_start(struct loop *l, int fd, listener_fn *fn, void *arg);
void listener_stop(struct listener *k); /* closes; NULL is fine */

struct stream_events {
    void (*input)(void *arg, struct span octets); /* borrowed for the call */
    void (*end)(void *arg, bool is_failed);       /* the peer sends no more, or the connection broke */
    void (*drained)(void *arg);                   /* everything written has been taken by the kernel */
};

/* Reads nothing until stream_resume. `e` must live as long as the stream. */
void stream_open(struct stream *s, const struct stream_events *e, void *arg);
void stream_resume(struct stream *s);
void stream_pause(struct stream *s);
/* Never blocks: what the kernel does not take now is copied and sent as it does. A failure arrives as `end`.
 */
void stream_write(struct stream *s, struct span octets);
/* Hands up to `len` octets of a file from `*at` on to the kernel without copying them through this process,
 * and moves `*at`. Gives how many it took; 0: none now, or the file has ended, or it failed: stream_write
 * says so. Nothing may be unsent. */
size_t stream_send_file(struct stream *s, int fd, off_t *at, size_t len);
size_t stream_unsent(const struct stream *s); /* octets that the kernel has not taken */
void stream_end(struct stream *s);            /* half-close, after what is unsent */
void stream_close(struct stream *s);          /* at once; no event follows */
int stream_fd(const struct stream *s);

#endif
