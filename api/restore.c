/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: a home out of a backup. What was given out after the backup was taken is not in it, so before the
 * home may be used its CRL numbers move to where no publisher can have been; serial numbers are random and
 * need no such step. The home appears whole, or not at all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/backup.h"
#include "api/inner.h"
#include "api/store_command.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/tree.h"

#define CRLS_A_SECOND 1000u /* a publication is four commits to disk: no issuer publishes as often */
#define CLOCK_DOUBT_S                                                                                        \
    (366 * DAY_S) /* added to the time: the clock may be a year behind, or have been one ahead when a backup \
                     was taken */

struct restore {
    const char *from;
    char dir[PATH_LEN_MAX]; /* the draft */
    bool is_dry_run;        /* everything is read and checked, nothing written */
    bool is_earlier;        /* the backup is one of an earlier version; seen by a dry run alone */
    struct js *manifest;
    int64_t taken_at_s;
    uint64_t floor; /* no CRL number after it is as low */
    struct store_checked checked;
    struct fault f;
};

/* ---- the manifest ---- */

static enum err read_manifest(struct restore *r)
{
    char path[PATH_LEN_MAX];
    struct buf text;
    int64_t format;
    enum err e = path_join(path, r->from, BACKUP_MANIFEST, &r->f);

    buf_init(&text, BACKUP_MANIFEST_MAX);
    if (e == OK)
        e = file_read(path, &text, &r->f);
    if (e == OK)
        e = js_parse(buf_span(&text), &r->manifest, &r->f);
    buf_free(&text);
    if (e != OK)
        return e;
    if (!js_int(js_get(r->manifest, "format"), &format) || format != BACKUP_FORMAT ||
        !js_int(js_get(r->manifest, "taken_at_s"), &r->taken_at_s) || !clock_is_time(r->taken_at_s))
        return fault_set(&r->f, ERR_MALFORMED, "%s: not a backup that this program reads", path);
    return OK;
}

/* A name below the home and nowhere else. */
static bool is_inside(const char *name)
{
    return name != NULL && name[0] != '\0' && name[0] != '/' && strcmp(name, "..") != 0 &&
           strncmp(name, "../", 3) != 0 && strstr(name, "/../") == NULL &&
           (strlen(name) < 3 || strcmp(name + strlen(name) - 3, "/..") != 0);
}

/* Name, mode and the path in the new home of one entry. */
static enum err read_entry(struct restore *r, const struct js *o, const char **name, mode_t *mode,
                           char to[static PATH_LEN_MAX])
{
    int64_t bits;

    *name = js_str(js_get(o, "name"));
    if (!is_inside(*name) || !js_int(js_get(o, "mode"), &bits) || bits < 0 || bits > 0777)
        return fault_set(&r->f, ERR_MALFORMED, "the manifest has an entry that is none");
    *mode = (mode_t)bits;
    return path_join(to, r->dir, *name, &r->f);
}

/* ---- files ---- */

static enum err make_directories(struct restore *r)
{
    const struct js *list = js_get(r->manifest, "directories");
    char to[PATH_LEN_MAX];
    const char *name;
    mode_t mode;
    enum err e = OK;

    for (size_t i = 0; e == OK && i < js_len(list); i++) {
        e = read_entry(r, js_at(list, i), &name, &mode, to);
        if (e == OK && !r->is_dry_run && (mkdir(to, mode) != 0 || chmod(to, mode) != 0))
            e = fault_set(&r->f, ERR_IO, "%s: %s", to, strerror(errno));
    }
    return e;
}

/* Copies and hashes in one pass: what was held against the manifest is what stays. `to` NULL: hashes. */
static enum err copy_stream(struct restore *r, const char *from, const char *to, mode_t mode,
                            uint8_t digest[static HASH_LEN])
{
    static uint8_t piece[1 << 20];
    struct hash *h = hash_begin(HASH_SHA256);
    FILE *in = fopen(from, "rbe");
    struct file_draft draft = {.fd = -1};
    enum err e = in == NULL   ? fault_set(&r->f, ERR_IO, "%s: %s", from, strerror(errno))
                 : to == NULL ? OK
                              : file_draft_open(&draft, to, mode, &r->f);
    size_t n;

    while (e == OK && (n = fread(piece, 1, sizeof piece, in)) > 0) {
        hash_add(h, span_of(piece, n));
        if (to != NULL)
            e = file_draft_write(&draft, span_of(piece, n), &r->f);
    }
    hash_end(h, digest);
    if (e == OK && ferror(in))
        e = fault_set(&r->f, ERR_IO, "%s: cannot be read", from);
    if (in != NULL)
        fclose(in);
    if (e == OK && to != NULL)
        return file_draft_commit(&draft, &r->f);
    if (draft.fd >= 0)
        file_draft_abort(&draft);
    return e;
}

static enum err copy_file(struct restore *r, const struct js *o)
{
    char from[PATH_LEN_MAX], to[PATH_LEN_MAX], hex[2 * HASH_LEN + 1];
    const char *name, *want = js_str(js_get(o, "sha256"));
    uint8_t digest[HASH_LEN];
    mode_t mode;
    enum err e = read_entry(r, o, &name, &mode, to);

    if (e == OK)
        e = path_join(from, r->from, name, &r->f);
    if (e == OK)
        e = copy_stream(r, from, r->is_dry_run ? NULL : to, mode, digest);
    if (e != OK)
        return e;
    hex_encode(span_of(digest, HASH_LEN), hex);
    if (want == NULL || strcmp(want, hex) != 0)
        return fault_set(&r->f, ERR_CONFLICT, "%s: not what was backed up", from);
    return OK;
}

static enum err copy_files(struct restore *r)
{
    const struct js *list = js_get(r->manifest, "files");
    enum err e = OK;

    for (size_t i = 0; e == OK && i < js_len(list); i++)
        e = copy_file(r, js_at(list, i));
    return e;
}

/* ---- the store ---- */

static enum err check_store(struct restore *r, struct store *s)
{
    struct view *v = NULL;
    enum err e = view_open(s, &v);

    if (e == OK)
        e = store_check(v, store_command_tell, NULL, &r->checked);
    view_close(v);
    if (e != OK || r->checked.faults > 0)
        return fault_set(&r->f, ERR_CONFLICT, "the store of the backup is damaged: nothing is restored");
    return OK;
}

static uint64_t numbers_in(int64_t s)
{
    return s > 0 ? (uint64_t)s * CRLS_A_SECOND : 0;
}

uint64_t restore_floor(int64_t now_s)
{
    return numbers_in(now_s + CLOCK_DOUBT_S);
}

/* Numbers after a restore begin where the time says, not where the backup ends: the home may have been
 * restored before, and no older backup knows the numbers given out since. Numbers cannot rise faster than
 * this bound does, so no home is above it unless a clock was wrong. Against that the number in the backup
 * counts as well, raised by the backup's age, and by more when that age is negative. */
static enum err raise_floors(struct restore *r, struct store *s, int64_t now_s)
{
    int64_t age_s = now_s - r->taken_at_s;
    char text[CLOCK_TEXT_MAX], detail[160];
    struct txn *t = NULL;
    enum err e;

    r->floor = restore_floor(now_s);
    if (r->is_dry_run)
        return OK;
    clock_rfc3339(r->taken_at_s, text);
    snprintf(detail, sizeof detail, "backup of %s, CRL numbers raised to %llu or beyond", text,
             (unsigned long long)r->floor);
    e = txn_begin(s, &t);
    if (e != OK)
        return fault_set(&r->f, e, "the store takes no transaction");
    store_raise_floors(t, numbers_in(age_s >= 0 ? age_s : CLOCK_DOUBT_S - age_s), r->floor, now_s, detail);
    e = txn_commit(t);
    return e == OK ? OK : fault_set(&r->f, e, "the store takes no commit");
}

static enum err take_store(struct restore *r)
{
    char dir[PATH_LEN_MAX];
    struct store *s = NULL;
    enum err e = path_join(dir, r->is_dry_run ? r->from : r->dir, "store", &r->f);

    if (e == OK)
        e = store_open(dir, r->is_dry_run ? STORE_COPY : STORE_WRITE, 0, &s, &r->f);
    r->is_earlier = e == OK && store_is_earlier(s);
    if (e == OK)
        e = check_store(r, s);
    if (e == OK)
        e = raise_floors(r, s, clock_now_s());
    store_close(s);
    return e;
}

/* ---- the whole ---- */

static enum err fill(struct restore *r)
{
    enum err e = make_directories(r);

    if (e == OK)
        e = copy_files(r);
    return e == OK ? take_store(r) : e;
}

static enum err run(struct restore *r, const char *home)
{
    enum err e = read_manifest(r);

    if (e == OK)
        e = tree_check_free(home, &r->f);
    if (e == OK)
        e = tree_draft(home, r->dir, &r->f);
    if (e != OK)
        return e;
    e = fill(r);
    if (e == OK && !r->is_dry_run)
        e = tree_place(r->dir, home, 0755, &r->f);
    if (e != OK || r->is_dry_run)
        tree_remove(r->dir);
    return e;
}

static void say_done(const struct restore *r, const char *home)
{
    char text[CLOCK_TEXT_MAX];

    clock_rfc3339(r->taken_at_s, text);
    if (r->is_dry_run) {
        fprintf(
            stderr,
            "%s: would be restored from the backup of %s: %llu certificates, %llu revoked, every file and "
            "row checked.\nCRL numbers would be raised to %llu or beyond.%s Nothing was made.\n",
            home, text, (unsigned long long)r->checked.certificates, (unsigned long long)r->checked.revoked,
            (unsigned long long)r->floor,
            r->is_earlier ? " The store is of an earlier version: what is restored would be of this one."
                          : "");
        return;
    }
    fprintf(stderr,
            "%s: restored from the backup of %s: %llu certificates, %llu revoked, every row checked.\n"
            "CRL numbers were raised to %llu or beyond, so that none given out since comes again; serial "
            "numbers are "
            "random.\n"
            "Certificates, revocations, tokens and permits made after that time are not in it: revoke again "
            "what the last\n"
            "published CRLs list beyond it, and delete tokens that were deleted since (docs/operations.md, "
            "section 4).\n",
            home, text, (unsigned long long)r->checked.certificates, (unsigned long long)r->checked.revoked,
            (unsigned long long)r->floor);
}

int restore_main(const struct local_run *how, const char *dir)
{
    struct restore *r = xcalloc(1, sizeof *r);
    enum err e;

    log_role("restore");
    r->from = dir;
    r->is_dry_run = how->is_dry_run;
    e = run(r, how->home);
    if (e != OK)
        result_fail(e, &r->f);
    else if (!how->is_quiet)
        say_done(r, how->home);
    js_free(r->manifest);
    free(r);
    return e == OK ? DONE : WRONG_USE;
}
