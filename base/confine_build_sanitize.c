/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine_build_sanitize: what the sanitizers' runtime does inside a process that they watch: large maps, and
 * at the end a leak check, which stops the process from a clone of it and reads /proc and the program's files
 * for its report.
 */
#include <stddef.h>

#include "base/confine.h"

static const struct confine_call calls[] = {
    {"mmap", 0, 0, 0, 0},
    {"mprotect", 0, 0, 0, 0},
    {"madvise", 0, 0, 0, 0},
    {"munmap", 0, 0, 0, 0},
    {"openat", 0, 0, 0, 0},
    {"open", 0, 0, 0, 0},
    {"close", 0, 0, 0, 0},
    {"read", 0, 0, 0, 0},
    {"pread64", 0, 0, 0, 0},
    {"lseek", 0, 0, 0, 0},
    {"fstat", 0, 0, 0, 0},
    {"newfstatat", 0, 0, 0, 0},
    {"stat", 0, 0, 0, 0},
    {"readlink", 0, 0, 0, 0},
    {"readlinkat", 0, 0, 0, 0},
    {"getdents", 0, 0, 0, 0},
    {"getdents64", 0, 0, 0, 0},
    {"clone", 0, 0, 0, 0},
    {"ptrace", 0, 0, 0, 0},
    {"wait4", 0, 0, 0, 0},
    {"prctl", 0, 0, 0, 0},
    {"rt_sigaction", 0, 0, 0, 0},
    {"sigaltstack", 0, 0, 0, 0},
    {"rt_sigprocmask", 0, 0, 0, 0},
    {"sched_yield", 0, 0, 0, 0},
    {"gettid", 0, 0, 0, 0},
    {"getpid", 0, 0, 0, 0},
    {"getppid", 0, 0, 0, 0},
    {"tgkill", 0, 0, 0, 0},
    {"kill", 0, 0, 0, 0},
    {"futex", 0, 0, 0, 0},
    {"write", 0, 0, 0, 0},
    {"process_vm_readv", 0, 0, 0, 0},
    {"prlimit64", 0, 0, 0, 0},
    {"getrlimit", 0, 0, 0, 0},
    {"set_robust_list", 0, 0, 0, 0},
    {"exit", 0, 0, 0, 0},
    {"ioctl", 0, 0, 0, 0},
    {"dup", 0, 0, 0, 0},
    {"uname", 0, 0, 0, 0},
    {"sched_getaffinity", 0, 0, 0, 0},
    {"sysinfo", 0, 0, 0, 0},
    {NULL, 0, 0, 0, 0},
};
static const struct confine_path paths[] = {{"/", CONFINE_READ}, {NULL, CONFINE_READ}};

const struct confine_build confine_build = {
    .is_traced = true, .is_trapping = true, .calls = calls, .paths = paths};
