/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine: how a process gives up what it will not need. Each step is for good and for this process and its
 * later children. The steps, in this order, because each takes away what the ones before it use:
 *   confine_process  no new privileges, no core file, not dumpable
 *   confine_account  a uid and groups of its own, no capability
 *   confine_paths    Landlock: the files that may still be opened, and whether TCP may be connected to
 *   confine_calls    seccomp: the system calls that may still be made; any other one kills the process
 * What a role needs is its own table's business (api/confined.c); this is only how.
 *
 * What it does not do: descriptors that are open stay open, with what they permit; Landlock does not stop
 * connecting to a Unix socket by its path (seccomp does, where a table has no connect).
 *
 * Thread rule: before any thread is started; the steps bind the calling thread and what it makes.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* ---- the process ---- */

/* No execve gains privileges, no core file, no debugger of the same user and no /proc/PID/mem. In a build
 * with sanitizers it stays dumpable: their leak check traces the process. ERR_IO. */
enum err confine_process(struct fault *f);
/* At most so many descriptors, and, when `may_fork` is false, no new process or thread. ERR_IO. */
enum err confine_limits(uint64_t descriptors, bool may_fork, struct fault *f);

/* ---- who ---- */

struct account {
    uid_t uid;
    gid_t gid;
    gid_t shared_gid;  /* a supplementary group; gid: none */
    bool passes_modes; /* keeps CAP_DAC_OVERRIDE of root's: files of anybody, and nothing else of what root
                          may */
};
/* Becomes it, entirely and for good, and checks that there is no way back. ERR_IO. */
enum err confine_account(const struct account *i, struct fault *f);
/* Can this process become it? Tried in a child: only the kernel knows of namespaces and capabilities. */
bool confine_account_works(const struct account *i);
/* Would this process still be able to signal one that has become it? Tried likewise. */
bool confine_account_can_be_ended(const struct account *i);

/* ---- Landlock ---- */

enum confine_access {
    CONFINE_LIST,  /* see the names below a directory */
    CONFINE_READ,  /* read what is there, a file or all below a directory */
    CONFINE_WRITE, /* read and write what is there */
    CONFINE_EDIT,  /* that, and make, replace and remove plain files below it */
};
struct confine_path {
    const char *path; /* NULL: ends a list. One that does not exist or cannot be reached is left out: nothing
                         to permit */
    enum confine_access access;
};
/* Nothing but the paths is opened from now on, by any name; no TCP port is bound, none is connected to unless
 * `may_connect`; no signal reaches a process outside. The last two where the kernel knows them. Gives the
 * version of Landlock in force, 0: the kernel has none, and nothing is done. ERR_IO. */
enum err confine_paths(const struct confine_path *paths, bool may_connect, int *abi, struct fault *f);

/* ---- seccomp ---- */

/* A system call that may be made: always (mask 0), or when argument `arg` & mask is value. */
struct confine_call {
    const char *name; /* NULL: ends a list */
    unsigned arg;
    uint64_t mask, value;
    int error; /* 0; else the call fails with it: for what the C library tries first and can do without */
};
/* Only the calls of the lists (the last one NULL). ERR_IO: the kernel has no filters; ERR_INTERNAL: a name
 * that no kernel knows. */
enum err confine_calls(const struct confine_call *const *lists, struct fault *f);

/* ---- what the build adds: confine_build_*.c, chosen by CMake ---- */

struct confine_build {
    bool is_traced;   /* the runtime traces the process: it stays dumpable and may clone */
    bool is_trapping; /* a forbidden call says its number before it kills: for finding what a table lacks */
    const struct confine_call *calls;
    const struct confine_path *paths;
};
extern const struct confine_build confine_build;

#endif
