/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: is there room for what is about to be recorded, on the disk and in the store's map? A write that
 * fails in the middle leaves nobody sure of what is on the disk, and ends the writer; so nothing is begun
 * when little room is left, and the service goes on by itself when there is room again.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "ca/inner.h"

static bool disk_is_full(struct ca *ca)
{
    struct statvfs st;
    uint64_t room;

    if (statvfs(ca->role->store_dir, &st) != 0)
        return false; /* the next commit will say what is wrong */
    room = (uint64_t)st.f_bavail * st.f_frsize;
    if (room >= DISK_RESERVE) {
        alarm_clear(ca->role->board, DISK_ALARM, "store");
        return false;
    }
    alarm_raise(ca->role->board, ALARM_CRITICAL, DISK_ALARM, "store",
                "%llu KiB are free, %u are kept for what is under way: nothing more is recorded",
                (unsigned long long)room / 1024, DISK_RESERVE / 1024);
    return true;
}

static bool map_is_full(struct ca *ca)
{
    enum store_room room = store_room(ca->store);

    if (room == STORE_ROOM_ENOUGH)
        alarm_clear(ca->role->board, MAP_ALARM, "store");
    else
        alarm_raise(ca->role->board, room == STORE_ROOM_NONE ? ALARM_CRITICAL : ALARM_WARNING, MAP_ALARM,
                    "store", "the map of the store cannot grow: the ca may have no more address space%s",
                    room == STORE_ROOM_NONE ? "; it is full and nothing more is recorded" : "");
    return room == STORE_ROOM_NONE;
}

void disk_look(struct ca *ca)
{
    bool disk = disk_is_full(ca), map = map_is_full(ca);

    ca->no_room = disk  ? "The disk is nearly full: nothing is recorded until there is room again."
                  : map ? "The store cannot grow: nothing is recorded until it can again."
                        : NULL;
}

void disk_bars_note(const struct ca *ca, struct desk_note *n)
{
    if (ca->no_room != NULL && n->kind == DESK_RESERVE)
        n->err = ERR_UNAVAILABLE;
}

bool disk_bars(const struct ca *ca, struct ask *a)
{
    if (ca->no_room == NULL || a->kind == ASK_PROBE)
        return false;
    a->is_barred = true;
    if (a->dry_run)
        return false;
    ask_refuse(a, ERR_UNAVAILABLE, ca->no_room);
    return true;
}
