/* SPDX-License-Identifier: Apache-2.0 */
/* served: a stage that this process serves, over TLS and over the control socket, playing its ca, to a client
 * in a child process. */
#ifndef TESTS_UNIT_API_SERVED_H
#define TESTS_UNIT_API_SERVED_H

#include "tests/unit/api/stage.h"

extern struct stage stage;
extern char served_at[64]; /* host and port */

void served_open(void);
void served_close(void);
void served_without_ca(void); /* it takes no question from now on */

/* Runs `client` in a child while this process serves it, until it ends, which must be without a complaint. */
void with_client(void (*client)(void));

#endif
