/* SPDX-License-Identifier: Apache-2.0 */
/* force: what of an issuer is in force, as the store has it, and whether the public files are that. */
#include "base/parts.h"
#include "crl/inner.h"

struct looking {
    struct view *view;
    uint16_t no;
    const struct crl_issuer *issuer;
};

static enum err look_begin(struct store *s, const struct crl_issuer *i, struct looking *l, int64_t *from_s)
{
    struct issuer row;
    struct parts parts;
    enum err e = view_open(s, &l->view);

    if (e != OK)
        return e;
    e = issuer_find(l->view, i->id, &row);
    if (e != OK) {
        view_close(l->view);
        return e;
    }
    l->no = row.no;
    l->issuer = i;
    *from_s = parts_of(row.certificate, &parts) ? parts.not_before_s : NO_TIME;
    return OK;
}

/* Calls fn for each shard that certificates name, until it is false. */
static enum err each_shard(const struct looking *l,
                           bool (*fn)(const struct looking *l, uint16_t shard, void *arg), void *arg)
{
    struct crl_track track;
    enum err e = crl_track_find(l->view, l->no, &track);

    for (unsigned shard = 2; e == OK && shard < SHARD_END; shard++)
        if (crl_is_sharded(track.shards | l->issuer->shards, shard) && !fn(l, (uint16_t)shard, arg))
            break;
    return e;
}

static bool is_there(const struct looking *l, uint16_t shard, void *arg)
{
    struct crl_force *out = arg;
    struct crl_state s;

    out->is_short = crl_part_find(l->view, l->no, shard, false, &s) != OK || s.number == 0;
    return !out->is_short;
}

enum err force_read(struct store *store, const struct crl_issuer *i, struct crl_force *out)
{
    struct crl_track track;
    struct looking l;
    enum err e;

    *out = (struct crl_force){0};
    e = look_begin(store, i, &l, &out->issuer_from_s);
    if (e != OK)
        return e;
    e = crl_state_find(l.view, l.no, &out->whole);
    if (e == OK)
        e = crl_part_find(l.view, l.no, SHARD_ALL, true, &out->delta);
    if (e == OK)
        e = crl_track_find(l.view, l.no, &track);
    if (e == OK)
        e = each_shard(&l, is_there, out);
    out->before_s =
        e == OK && track.base_shown_s != NO_TIME ? track.base_shown_s + crl_between_s(i) : NO_TIME;
    view_close(l.view);
    return e;
}

/* ---- damage ---- */

struct damage {
    const char *public_dir;
    enum crl_run run; /* what mends all of it */
};

/* True too when there is nothing published that files could fall short of. */
static bool is_whole(const struct looking *l, const struct damage *d, uint16_t shard, bool is_delta)
{
    char name[CRL_NAME_MAX];
    struct crl_paths paths;
    struct crl_state s;

    if (crl_part_find(l->view, l->no, shard, is_delta, &s) != OK || s.number == 0)
        return true;
    crl_part_name(l->issuer->id, shard, is_delta, name);
    return crl_paths_of(d->public_dir, name, &paths, NULL) == OK && crl_files_match(&paths, &s);
}

static bool look_at(const struct looking *l, uint16_t shard, void *arg)
{
    struct damage *d = arg;

    if (!is_whole(l, d, shard, false))
        d->run = RUN_COMPLETE;
    else if (d->run == RUN_NONE && !is_whole(l, d, shard, true))
        d->run = RUN_DELTA;
    return d->run != RUN_COMPLETE;
}

enum crl_run force_damage(struct store *store, const struct crl_issuer *i, const char *public_dir)
{
    struct damage d = {.public_dir = public_dir, .run = RUN_NONE};
    struct looking l;
    int64_t from_s;

    if (look_begin(store, i, &l, &from_s) != OK)
        return RUN_NONE;
    if (look_at(&l, SHARD_ALL, &d))
        (void)each_shard(&l, look_at, &d);
    view_close(l.view);
    return d.run;
}

bool force_is_ahead(const struct crl_force *s, int64_t now_s)
{
    if (s->whole.number == 0 || s->whole.this_update_s <= now_s + AHEAD_S)
        return false;
    if (now_s < s->issuer_from_s)
        return true;
    return s->before_s != NO_TIME && s->before_s > now_s + AHEAD_S;
}
