/* SPDX-License-Identifier: Apache-2.0 */
/* open: the steps of opening a store: is it there, are we its one writer, does the environment open, is it of
 * our schema. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/inner.h"

static enum err data_check(const char *dir, enum store_mode mode, struct fault *f)
{
    char path[PATH_LEN_MAX];
    struct stat st;
    bool is_there;
    enum err err = path_join(path, dir, "data.mdb", f);

    if (err != OK)
        return err;
    is_there = stat(path, &st) == 0;
    if (!is_there && errno != ENOENT)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (is_there && mode == STORE_CREATE)
        return fault_set(f, ERR_EXISTS, "%s: a store is there", dir);
    if (!is_there && mode != STORE_CREATE)
        return fault_set(f, ERR_NOT_FOUND, "%s: no store there", dir);
    return OK;
}

static enum err schema_write(struct store *s, enum store_mode mode, struct fault *f)
{
    struct txn *t = NULL;
    enum err err = txn_begin(s, &t);

    if (err != OK)
        return fault_set(f, err, "the store takes no transaction");
    schema_set(t);
    if (mode == STORE_CREATE)
        barred_mark(t);
    err = txn_commit(t);
    if (err != OK)
        return fault_set(f, err, "the store takes no commit");
    env_note_schema(s, SCHEMA_VERSION);
    return OK;
}

static enum err schema_read(struct store *s, uint32_t *version, struct fault *f)
{
    struct view *v = NULL;
    enum err err = view_open(s, &v);

    if (err != OK)
        return fault_set(f, err, "the store gives no view");
    err = schema_find(v, version, f);
    view_close(v);
    return err;
}

/* A store of an earlier version: programs of then would take the rows that are written from now on for
 * damage, so that they shall refuse it. */
static enum err schema_follow(struct store *s, enum store_mode mode, struct fault *f)
{
    uint32_t version;
    enum err err = schema_read(s, &version, f);

    if (err != OK)
        return err;
    env_note_schema(s, version);
    return mode == STORE_WRITE && version < SCHEMA_VERSION ? schema_write(s, mode, f) : OK;
}

enum err store_open(const char *dir, enum store_mode mode, uint64_t map_size, struct store **out,
                    struct fault *f)
{
    struct store *s = NULL;
    int lock_fd = -1;
    enum err err = data_check(dir, mode, f);

    *out = NULL;
    if (err == OK && (mode == STORE_WRITE || mode == STORE_CREATE))
        err = lock_take(dir, &lock_fd, f);
    if (err == OK && mode == STORE_CREATE)
        err = data_check(dir, mode, f); /* another may have created it before we had the lock */
    if (err == OK)
        err = env_open(dir, mode, map_size, lock_fd, &s, f);
    else if (lock_fd >= 0)
        close(lock_fd);
    if (err == OK)
        err = mode == STORE_CREATE ? schema_write(s, mode, f) : schema_follow(s, mode, f);
    if (err == OK && mode == STORE_CREATE)
        err = dir_sync(dir, f);
    if (err == OK && mode == STORE_WRITE)
        err = audit_index_build(s, f);
    if (err == OK && mode == STORE_WRITE)
        err = barred_build(s, f);
    if (err == OK)
        *out = s;
    else
        store_close(s);
    return err;
}
