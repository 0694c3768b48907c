/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strangers: who has no number in the user namespace of this process (user_namespaces(7)). The kernel tells
 * all of them as one user and one group, the overflow ids: a name that is no one person's, and so nobody's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "api/inner.h"
#include "base/log.h"

#define OVERFLOW_ID 65534 /* the kernel's own choice; systemd hides the file with ProcSubset=pid */

static FILE *open_below(const char *proc, const char *name)
{
    char path[PATH_LEN_MAX];

    return path_join(path, proc, name, NULL) == OK ? fopen(path, "re") : NULL;
}

static uint32_t read_overflow(const char *proc, const char *name)
{
    FILE *file = open_below(proc, name);
    uint32_t id = OVERFLOW_ID;

    if (file != NULL && fscanf(file, "%" SCNu32, &id) != 1)
        id = OVERFLOW_ID;
    if (file != NULL)
        fclose(file);
    return id;
}

/* Does the map have `id`, does it have everybody? A map that cannot be read has nobody. */
static bool read_map(const char *proc, const char *name, uint32_t id, bool *is_whole)
{
    FILE *file = open_below(proc, name);
    uint32_t inside, outside, count;
    bool found = false;

    *is_whole = false;
    while (file != NULL && fscanf(file, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) == 3) {
        found = found || id - inside < count;
        *is_whole = *is_whole || (inside == 0 && outside == 0 && count == UINT32_MAX);
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static void warn_of(const struct access_peer *p, const char *proc, const struct strangers *s)
{
    bool is_whole;
    bool is_known = read_map(proc, p->is_group ? "self/gid_map" : "self/uid_map", p->id, &is_whole);

    if (!is_known || p->id == (p->is_group ? s->gid : s->uid))
        log_warn("login-peer", "nobody is <peer %s=\"%lu\"> in the user namespace of the service",
                 p->is_group ? "gid" : "uid", (unsigned long)p->id);
}

struct strangers strangers_read(const char *proc, const struct access_config *c)
{
    struct strangers s = {.uid = read_overflow(proc, "sys/kernel/overflowuid"),
                          .gid = read_overflow(proc, "sys/kernel/overflowgid")};
    bool all_users, all_groups;

    (void)read_map(proc, "self/uid_map", 0, &all_users);
    (void)read_map(proc, "self/gid_map", 0, &all_groups);
    s.are_there = !all_users || !all_groups;
    for (size_t i = 0; s.are_there && i < c->peer_count; i++)
        warn_of(&c->peers[i], proc, &s);
    return s;
}
