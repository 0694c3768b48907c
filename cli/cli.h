/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: what a person or a script types. The room knows nothing but the HTTP interface (INTERFACE 2, 5 and 6):
 * it talks to the running service through the control socket in the home, or with --server over HTTPS, and
 * both give the same output. It does not open the store, hold keys or know what a policy is.
 *
 * Data goes to standard output, everything else to standard error. What comes out of certificates is hostile:
 * no control character and nothing that reorders text reaches a terminal. Blocks up to a minute an exchange.
 *
 * Exit codes (INTERFACE 2):
 *   0  done. Also `ocsp query` whatever the answer says: it did what was asked, and the status is printed
 *   1  the command line, a local file or an answer to a question; HTTP 400, 405, 406, 413, 415, 431: what was
 * sent is wrong 2  the service could not be reached or failed (5xx, 408, 429, an answer that is none) 3
 * refused: by policy (422), or by the state of the thing (409, such as unholding what was revoked for good)
 *   4  accepted, and waiting for approval (202)
 *   5  there is no such thing (404)
 *   6  not permitted (401, 403)
 * `health` differs, being for monitors: 0 ok, 2 warning or no service, 4 critical.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

/* Runs the command in argv[1..] and gives the exit code of the process. Anything that is no command of this
 * room gets one line on standard error, the usage, and 1. */
int cli_run(int argc, char **argv);

/* Every command of the program, those of main() too. */
void cli_usage(FILE *out);

#endif
