/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: messages between roles over a SOCK_SEQPACKET socketpair. One message is
 * one record of at most WIRE_MSG_MAX octets: boundaries are the kernel's, there is
 * no framing to break. Each starts with a u8 kind and a u64 number that the answer
 * repeats; the rest is the kind's own.
 *
 * A peer that is gone ends the service: send and receive say so, the role exits.
 * Thread rule: any thread, and any process: a record is sent and received whole.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/buf.h"
#include "base/limits.h"

/* Two connected, close-on-exec, blocking descriptors. ERR_IO. */
enum err wire_pair(int fds[static 2]);

/* Sends one message; blocks while the peer's queue is full. ERR_END when the peer is gone. */
enum err wire_send(int fd, struct span message);

/* As wire_send but never blocks: ERR_UNAVAILABLE when the queue is full. */
enum err wire_try_send(int fd, struct span message);

/* Receives one message into `buf` (cap octets), borrowed as `out`; blocks. ERR_END when the peer is gone;
 * ERR_MALFORMED for a message larger than cap. */
enum err wire_receive(int fd, uint8_t *buf, size_t cap, struct span *out);

/* As wire_receive but ERR_UNAVAILABLE when nothing waits. */
enum err wire_try_receive(int fd, uint8_t *buf, size_t cap, struct span *out);

#endif
