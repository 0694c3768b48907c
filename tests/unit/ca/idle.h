/* SPDX-License-Identifier: Apache-2.0 */
/* idle: a ca whose loop does not run: a store in a directory of its own, open to write, and a board. The test
 * calls what it asks about. */
#ifndef TESTS_UNIT_CA_IDLE_H
#define TESTS_UNIT_CA_IDLE_H

#include "ca/inner.h"

struct idle {
    char dir[64];
    struct ca_role role;
    struct ca ca;
};
extern struct idle idle;

void idle_open(void);
void idle_close(void);

struct txn *idle_begin(void);
void idle_commit(struct txn *t);
struct view *idle_look(void); /* a view of now, which the caller closes */

/* What the alarm of this code says; "": none stands. No other may. */
const char *idle_alarm(const char *code);

#endif
