/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: what a person or a script types. The room knows nothing but the HTTP interface (docs/interface.md, 2,
 * 5 and 6): it talks to the running service through the control socket in the home, or with --server over
 * HTTPS, and both give the same output. It does not open the store, hold keys or know what a policy is.
 *
 * Data goes to standard output, everything else to standard error. What comes out of certificates is hostile:
 * no control character and nothing that reorders text reaches a terminal. Blocks up to a minute an exchange.
 *
 * Exit codes are those of docs/interface.md, 2. `ocsp query` ends with 0 whatever the answer says: it did
 * what was asked. `health` differs, being for monitors: 0 ok, 2 warning or no service, 4 critical.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/chain.h"

/* What this room cannot do by itself. */
struct cli_hooks {
    /* Holds the audit rows of a store that nobody writes to, a home or its store directory, against the
     * chain, and leaves no trace there. ERR_CONFLICT: a bad row. */
    enum err (*check_store)(const char *dir, struct chain_check *c, struct fault *f);
};

/* Runs the command in argv[1..] and gives the exit code of the process. Anything that is no command of this
 * room gets one line on standard error, the usage, and 1. */
int cli_run(int argc, char **argv, const struct cli_hooks *hooks); /* NULL: none */

/* Is there a command of that noun here? */
bool cli_has_noun(const char *noun);

/* Every command of the program, those of main() too. */
void cli_usage(FILE *out);
/* The commands on this machine of that noun, and of that verb when it has one; everything when there is
 * none. */
void cli_usage_local(FILE *out, const char *noun, const char *verb);

#endif
