/* SPDX-License-Identifier: Apache-2.0 */
/* confine_calls: seccomp filters, compiled by libseccomp from lists of names. */
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine.h"

/* ---- a build for finding what a table lacks ---- */

/* Says the number of the call, by write(2) alone, and lets a call that is in no list kill the process. */
static void tell(int signo, siginfo_t *info, void *context)
{
    char text[64];
    int len = snprintf(text, sizeof text, "seccomp: system call %d is not permitted\n", info->si_syscall);

    (void)context;
    if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(2);
    signal(signo, SIG_DFL);
    (void)syscall(SYS_acct, NULL);
}

static uint32_t verdict(void)
{
    struct sigaction action = {.sa_sigaction = tell, .sa_flags = SA_SIGINFO | SA_NODEFER};

    if (!confine_build.is_trapping)
        return SCMP_ACT_KILL_PROCESS;
    sigaction(SIGSYS, &action, NULL);
    return SCMP_ACT_TRAP;
}

/* ---- the filter ---- */

static enum err rule_add(scmp_filter_ctx filter, const struct confine_call *c, struct fault *f)
{
    uint32_t action = c->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)c->error);
    int number = seccomp_syscall_resolve_name(c->name), rc;

    if (number == __NR_SCMP_ERROR)
        return fault_set(f, ERR_INTERNAL, "seccomp: no system call is named %s", c->name);
    if (number < 0)
        return OK; /* of another processor */
    if (c->mask == 0)
        rc = seccomp_rule_add(filter, action, number, 0);
    else
        rc = seccomp_rule_add(filter, action, number, 1,
                              SCMP_CMP64(c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->value));
    return rc == 0 || rc == -EEXIST ? OK : fault_set(f, ERR_IO, "seccomp, %s: %s", c->name, strerror(-rc));
}

static enum err rules_add(scmp_filter_ctx filter, const struct confine_call *c, struct fault *f)
{
    enum err e = OK;

    for (; e == OK && c->name != NULL; c++)
        e = rule_add(filter, c, f);
    return e;
}

enum err confine_calls(const struct confine_call *const *lists, struct fault *f)
{
    scmp_filter_ctx filter = seccomp_init(verdict());
    enum err e = OK;
    int rc;

    if (filter == NULL)
        return fault_set(f, ERR_IO, "seccomp: no filter can be made");
    /* A call of another architecture's table is none of ours. */
    rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (; e == OK && *lists != NULL; lists++)
        e = rules_add(filter, *lists, f);
    if (e == OK)
        e = rules_add(filter, confine_build.calls, f);
    if (e == OK && rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return e == OK && rc != 0 ? fault_set(f, ERR_IO, "seccomp: %s", strerror(-rc)) : e;
}
