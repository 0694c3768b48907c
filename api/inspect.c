/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect: the supervisor looks at what the kernel says of each role (/proc/PID/status) and posts it on its
 * board: what a role says of itself is worth less. One that is not confined as configured is an alarm.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/supervisor.h"

#define SECCOMP_FILTERED 2 /* SECCOMP_MODE_FILTER */

struct seen {
    unsigned uid, no_new_privileges, seccomp;
    uint64_t capabilities; /* effective ones */
};

/* The value of a line "Name:\tVALUE…". */
static bool take(const char *line, const char *name, int base, uint64_t *out)
{
    size_t len = strlen(name);

    if (strncmp(line, name, len) != 0 || line[len] != ':')
        return false;
    *out = strtoull(line + len + 1, NULL, base);
    return true;
}

static bool look(pid_t pid, struct seen *out)
{
    char path[64], line[256];
    uint64_t v;
    unsigned found = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (take(line, "Uid", 10, &v))
            out->uid = (unsigned)v, found++;
        else if (take(line, "CapEff", 16, &v))
            out->capabilities = v, found++;
        else if (take(line, "NoNewPrivs", 10, &v))
            out->no_new_privileges = (unsigned)v, found++;
        else if (take(line, "Seccomp", 10, &v))
            out->seccomp = (unsigned)v, found++;
    }
    if (file != NULL)
        fclose(file);
    return found == 4; /* a kernel without seccomp has no such line */
}

#define DAC_OVERRIDE (UINT64_C(1) << CAP_DAC_OVERRIDE)

/* NULL, or what is missing of what the role gives up itself. */
static const char *judge(const struct serve *s, enum role_id id, const struct seen *seen)
{
    const struct confine_config *c = &s->config.confine;

    if (c->level == CONFINE_OFF)
        return NULL;
    if (seen->no_new_privileges != 1)
        return "it may gain privileges";
    if (s->has_own_uids &&
        (seen->uid != role_account(id, c->first_uid).uid ||
         seen->capabilities != (role_passes_modes(id, s->config.is_ocsp_host) ? DAC_OVERRIDE : 0)))
        return "it runs as another user or with capabilities";
    if (c->level == CONFINE_FULL && seen->seccomp != SECCOMP_FILTERED)
        return "its system calls are not filtered";
    return NULL;
}

/* Root that may not change uids has roles that are root, which is what accounts are there against. */
static bool is_root(const struct serve *s, const struct seen *seen)
{
    return s->config.confine.level != CONFINE_OFF && !s->has_own_uids && seen->uid == 0;
}

static void post(struct board *b, enum role_id id, const struct seen *seen)
{
    char labels[LABELS_MAX];

    role_labels(id, labels);
    figure_set(board_figure(b, FIGURE_GAUGE, ROLE_UID, labels, "The uid it runs under."), seen->uid);
    figure_set(board_figure(b, FIGURE_GAUGE, ROLE_NO_NEW_PRIVILEGES, labels, "1: no execve gains any."),
               seen->no_new_privileges);
    figure_set(board_figure(b, FIGURE_GAUGE, ROLE_SECCOMP, labels, "Mode of seccomp, 2: filtered."),
               seen->seccomp);
}

bool inspect_is_settled(const struct serve *s)
{
    for (enum role_id id = 0; id < ROLE_COUNT; id++) {
        struct seen seen = {0};

        if (s->pids[id] > 0 && look(s->pids[id], &seen) && judge(s, id, &seen) != NULL)
            return false;
    }
    return true;
}

void inspect_roles(const struct serve *s)
{
    for (enum role_id id = 0; id < ROLE_COUNT; id++) {
        struct seen seen = {0};
        const char *missing;

        if (s->pids[id] <= 0 || !look(s->pids[id], &seen))
            continue;
        post(s->board, id, &seen);
        missing = judge(s, id, &seen);
        if (missing != NULL)
            alarm_raise(s->board, ALARM_CRITICAL, "confinement", role_kinds[id].name, "%s", missing);
        else if (is_root(s, &seen)) /* all else holds, and in a container root may be nobody's root */
            alarm_raise(s->board, ALARM_WARNING, "confinement", role_kinds[id].name,
                        "it runs as root: the service may not give it another user");
        else
            alarm_clear(s->board, "confinement", role_kinds[id].name);
    }
}
