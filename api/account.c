/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account: as whom each role runs when the service is started as root: the system user chancery-ROLE and the
 * group chancery where they exist (deploy/sysusers.d/ makes them), else numbers from a range that the
 * configuration names.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "api/role.h"

struct account role_account(enum role_id id, unsigned first_uid)
{
    struct account i = {
        .uid = first_uid + 1 + (unsigned)id, .gid = first_uid + 1 + (unsigned)id, .shared_gid = first_uid};
    char name[64];
    struct passwd *user;
    struct group *group = getgrnam("chancery");

    if (group != NULL)
        i.shared_gid = group->gr_gid;
    snprintf(name, sizeof name, "chancery-%s", role_kinds[id].name);
    user = getpwnam(name);
    if (user != NULL && user->pw_uid != 0) {
        i.uid = user->pw_uid;
        i.gid = user->pw_gid;
    }
    return i;
}

/* What `watch` carries and the secrets it needs, and the snapshots on an OCSP host, belong to whom the
 * administrator says. */
bool role_passes_modes(enum role_id id, bool is_ocsp_host)
{
    return id == ROLE_WATCH || (id == ROLE_OCSP && is_ocsp_host);
}
