/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stand: an HTTP server over a directory, for tests of couriers: GET, PUT, and MOVE to another name in it.
 * One thread, one request a connection. Some names it may answer otherwise. Failures of its own end the test.
 */
#ifndef TESTS_WATCH_STAND_H
#define TESTS_WATCH_STAND_H

#include <stdbool.h>

#define STAND_ODD_MAX 4u
#define STAND_CLOSES 0u /* instead of a status: the connection ends without an answer */

struct stand;
struct stand *stand_open(const char *dir);
void stand_close(struct stand *s);
/* "http://127.0.0.1:PORT" */
const char *stand_url(const struct stand *s);
/* Any request whose path ends in `name` is answered so from now on. Between requests, as stand_well(). */
void stand_odd(struct stand *s, const char *name, unsigned status);
void stand_well(struct stand *s);
/* Called before each GET is answered, on the stand's thread; NULL: no more. */
void stand_before(struct stand *s, void (*fn)(const char *name, void *arg), void *arg);

#endif
