/* SPDX-License-Identifier: Apache-2.0 */
/* store_command: what is done to the store's files on this machine, beside the service; backup and restore,
 * which are more than the store, are in backup.h. */
#ifndef API_STORE_COMMAND_H
#define API_STORE_COMMAND_H

#include "api/result.h"
#include "base/chain.h"

/* `chancery store check [DIR]`, `store snapshot DIR [--host NAME]`. Exit codes. */
int store_command_check(const struct local_run *how, const char *dir);
int store_command_snapshot(const struct local_run *how, const char *dir, const char *host);

/* For `chancery audit verify --store DIR`, see struct cli_hooks. */
enum err store_command_audit(const char *dir, struct chain_check *c, struct fault *f);

/* Runs fn. ERR_CONFLICT: the store's file ends before what it says is in it, which the kernel tells by a
 * SIGBUS; fn was left where it stood, with all that it held, and the command is to clear away and end. For
 * commands alone, one at a time: a role is ended by it. */
enum err store_command_guarded(enum err (*fn)(void *arg), void *arg, struct fault *f);

/* For store_check(): a fault as a line on standard error. */
void store_command_tell(const char *what, void *arg);

#endif
