/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canned: a server of one thread for tests of clients. It takes one connection an answer, in order, keeps the
 * request as it came and sends the answer as it stands. Failures of its own end the test.
 */
#ifndef TESTS_CANNED_H
#define TESTS_CANNED_H

#include <stddef.h>

struct canned;

/* Listens on the Unix socket DIR/control.sock of a new directory, as a service does in its home. `answers`
 * are borrowed. */
struct canned *canned_start(const char *const *answers, size_t n);
const char *canned_home(const struct canned *c);
const char *canned_socket(const struct canned *c);
/* The i-th request, header block and body; "" when there was none. Valid after canned_join(). */
const char *canned_request(const struct canned *c, size_t i);
/* Waits until every answer was fetched. */
void canned_join(struct canned *c);
/* Stops waiting for requests that never come, joins, removes the directory. */
void canned_stop(struct canned *c);

/* "HTTP/1.1 200 OK" and so on, with Content-Length; the caller frees. */
char *canned_answer(unsigned status, const char *type, const char *body);

#endif
