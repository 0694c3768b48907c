/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: is there room for what is about to be recorded? A write that fails in the middle leaves nobody sure
 * of what is on the disk, and ends the writer; so nothing is begun when little room is left, and the service
 * goes on by itself when there is room again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "ca/inner.h"

void disk_look(struct ca *ca)
{
    struct statvfs st;
    uint64_t room;

    if (statvfs(ca->role->store_dir, &st) != 0)
        return; /* the next commit will say what is wrong */
    room = (uint64_t)st.f_bavail * st.f_frsize;
    ca->disk_is_full = room < DISK_RESERVE;
    if (ca->disk_is_full)
        alarm_raise(ca->role->board, ALARM_CRITICAL, DISK_ALARM, "store",
                    "%llu KiB are free, %u are kept for what is under way: nothing more is recorded",
                    (unsigned long long)room / 1024, DISK_RESERVE / 1024);
    else
        alarm_clear(ca->role->board, DISK_ALARM, "store");
}

void disk_bars_note(const struct ca *ca, struct desk_note *n)
{
    if (ca->disk_is_full && n->kind == DESK_RESERVE)
        n->err = ERR_UNAVAILABLE;
}

bool disk_bars(const struct ca *ca, struct ask *a)
{
    if (!ca->disk_is_full || a->kind == ASK_PROBE || a->dry_run)
        return false;
    a->is_barred = true;
    a->err = ERR_UNAVAILABLE;
    snprintf(a->detail, sizeof a->detail,
             "The disk is nearly full: nothing is recorded until there is room again.");
    return true;
}
