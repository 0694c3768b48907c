/* SPDX-License-Identifier: Apache-2.0 */
/* shown: how each role is confined, off the boards, as a line for people. */
#include <stdio.h>
#include <string.h>

#include "api/role.h"

/* Series by the name of their family; -1: not posted. */
struct series {
    const char *labels;
    const char *const *families;
    int64_t *values;
};

static bool take(const struct figure_shown *f, void *arg)
{
    const struct series *s = arg;

    for (size_t i = 0; s->families[i] != NULL; i++)
        if (strcmp(f->family, s->families[i]) == 0 && strcmp(f->labels, s->labels) == 0)
            s->values[i] = f->value;
    return true;
}

bool role_confinement(enum role_id id, const struct board *const *boards, size_t count, char *out, size_t cap)
{
    static const char *const families[] = {ROLE_UID,      ROLE_NO_NEW_PRIVILEGES, ROLE_SECCOMP,
                                           ROLE_LANDLOCK, ROLE_DUMPABLE,          NULL};
    int64_t v[5] = {-1, -1, -1, -1, -1};
    char labels[LABELS_MAX], landlock[32];
    struct series s = {labels, families, v};

    role_labels(id, labels);
    for (size_t i = 0; i < count; i++)
        if (boards[i] != NULL)
            board_each_figure(boards[i], take, &s);
    snprintf(landlock, sizeof landlock, v[3] > 0 ? "Landlock %lld" : "no Landlock", (long long)v[3]);
    snprintf(out, cap, "uid %lld, %s, %s, %s, %s", (long long)v[0],
             v[1] == 1 ? "no new privileges" : "may gain privileges", v[2] == 2 ? "seccomp" : "no seccomp",
             landlock, v[4] == 0 ? "not dumpable" : "dumpable");
    return v[0] >= 0; /* the supervisor has looked */
}
