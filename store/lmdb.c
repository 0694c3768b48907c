/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lmdb: environment, views and the one writer's transactions, on LMDB 0.9; table.c has the rows.
 *
 * What LMDB leaves to its user and is kept here: one writing process (LMDB's own lock would let a second one
 * wait its turn); no commit after a failed one (LMDB goes on acknowledging after a failed fsync); a map that
 * grows before it is full, between transactions, and that readers follow; readers of dead processes are
 * forgotten. MDB_WRITEMAP and MDB_NOSYNC are never set.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "store/lmdb_inner.h"

#define MAP_DEFAULT ((uint64_t)1 << 30) /* octets, address space alone: the file grows as it is used */
#define MAP_HEADROOM                                                                                         \
    (16u << 20) /* octets free when a txn begins: a turn of 64 certificates dirties some 40 pages each */
#define READERS_MAX                                                                                          \
    126                /* views at once in all processes: each role holds a handful, the rest is for tools   \
                        */
#define RESIZE_TRIES 8 /* the writer may grow the map again while a reader follows */

#define TABLE_LATER TABLE_REQUEST /* from here on: tables that the first stores do not have */
#define FOLLOW_MS 20              /* between looks for them */
#define FOLLOW_TRIES 100          /* two seconds: the writer adds them as it starts */

/* ---- failures ---- */

enum err lmdb_failed(const char *doing, int rc)
{
    if (rc == ENOMEM)
        die("out of memory: %s", doing);
    log_error("store-failed", "%s: %s", doing, mdb_strerror(rc));
    return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID ? ERR_INTERNAL : ERR_IO;
}

void lmdb_write_failed(struct txn *t, const char *doing, int rc)
{
    if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL) {
        log_error("store-full", "%s: %s", doing, mdb_strerror(rc));
        t->view.store->was_full = true;
        txn_fail(t, ERR_UNAVAILABLE);
        return;
    }
    t->view.store->is_broken = true;
    txn_fail(t, lmdb_failed(doing, rc));
}

/* ---- the map ---- */

static uint64_t used_octets(struct store *s, uint64_t *map_size)
{
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(s->env, &info);
    mdb_env_stat(s->env, &stat);
    *map_size = info.me_mapsize;
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

static void map_set(struct store *s, uint64_t size)
{
    int rc = mdb_env_set_mapsize(s->env, size);

    if (rc != 0)
        die("cannot map %llu octets of the store: %s", (unsigned long long)size, mdb_strerror(rc));
}

/* LMDB gives up the map that it has before it asks for a larger one, and is left without any when it gets
 * none. So it is asked for here first. */
static bool has_address_space(struct store *s, uint64_t more)
{
    int fd = -1, rc = mdb_env_get_fd(s->env, &fd);
    void *at = rc == 0 ? mmap(NULL, more, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    return at != MAP_FAILED && munmap(at, more) == 0;
}

/* Keeps half of the map and MAP_HEADROOM free. No view or txn may be open in this process. */
static void map_grow(struct store *s)
{
    uint64_t size, used = used_octets(s, &size), want = s->was_full ? 2 * size : size;

    while (want / 2 < used || want - used < MAP_HEADROOM)
        want *= 2;
    s->is_stuck = want != size && !has_address_space(s, want - size);
    if (s->is_stuck)
        return;
    s->was_full = false;
    if (want == size)
        return;
    map_set(s, want);
    log_warn("store-map-grown", "%llu of %llu octets used, now %llu", (unsigned long long)used,
             (unsigned long long)size, (unsigned long long)want);
}

/* ---- open and close ---- */

static bool is_writer(const struct store *s)
{
    return s->mode == STORE_WRITE || s->mode == STORE_CREATE;
}

/* A file that LMDB does not take will not be another one at the next try; the system's own faults may pass.
 */
static enum err open_fault(const char *dir, int rc, struct fault *f)
{
    bool is_file = rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH || rc == MDB_CORRUPTED ||
                   rc == MDB_PAGE_NOTFOUND || rc == MDB_INCOMPATIBLE;

    return fault_set(f, is_file ? ERR_CONFLICT : ERR_IO, "%s: %s", dir, mdb_strerror(rc));
}

/* A copy that was cut off on its way would be read beyond its end, which is a SIGBUS. */
static enum err whole_check(struct store *s, const char *dir, struct fault *f)
{
    uint64_t size, used = used_octets(s, &size);
    struct stat st;
    int fd = -1;

    if (s->mode != STORE_COPY)
        return OK;
    if (mdb_env_get_fd(s->env, &fd) != 0 || fstat(fd, &st) != 0)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    if ((uint64_t)st.st_size < used)
        return fault_set(f, ERR_CONFLICT, "%s: the snapshot is not whole", dir);
    return OK;
}

static enum err env_start(struct store *s, const char *dir, uint64_t map_size, struct fault *f)
{
    unsigned flags = MDB_NOTLS | (is_writer(s) ? 0 : MDB_RDONLY) | (s->mode == STORE_COPY ? MDB_NOLOCK : 0);
    int rc = mdb_env_create(&s->env);

    if (rc == 0)
        rc = mdb_env_set_maxdbs(s->env, TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(s->env, READERS_MAX);
    if (rc == 0 && is_writer(s)) /* a reader takes the size that the writer recorded */
        rc = mdb_env_set_mapsize(s->env, map_size != 0 ? map_size : MAP_DEFAULT);
    if (rc == 0)
        rc = mdb_env_open(s->env, dir, flags, 0600);
    if (rc != 0)
        return open_fault(dir, rc, f);
    return whole_check(s, dir, f);
}

/* After a read that found the map grown by the writer: is there another try? It can only be followed while
 * nothing here points into the old one. */
static bool map_follow(struct store *s, int rc)
{
    if (rc != MDB_MAP_RESIZED || s->views > 0 || s->txn != NULL)
        return false;
    map_set(s, 0);
    return true;
}

/* Begins a read transaction, or wakes the one that rests in *mdb. */
static int read_try(struct store *s, MDB_txn **mdb)
{
    return *mdb != NULL ? mdb_txn_renew(*mdb) : mdb_txn_begin(s->env, NULL, MDB_RDONLY, mdb);
}

static int read_begin(struct store *s, MDB_txn **mdb)
{
    int rc = read_try(s, mdb);

    if (rc == MDB_READERS_FULL && mdb_reader_check(s->env, NULL) == 0)
        rc = read_try(s, mdb);
    for (int i = 0; i < RESIZE_TRIES && map_follow(s, rc); i++)
        rc = read_try(s, mdb);
    return rc;
}

/* Nobody will add to a copy what came later, and who looks at a store does not wait for it. */
static int table_open(struct store *s, MDB_txn *mdb, enum table t, bool is_creating)
{
    int rc = mdb_dbi_open(mdb, table_name(t), is_creating ? MDB_CREATE : 0, &s->dbi[t]);

    s->is_absent[t] =
        rc == MDB_NOTFOUND && (s->mode == STORE_COPY || s->mode == STORE_LOOK) && t >= TABLE_LATER;
    return s->is_absent[t] ? 0 : rc;
}

/* In one transaction: all of them or none. `reached` is the first that is missing. */
static int tables_try(struct store *s, bool is_creating, size_t *reached)
{
    MDB_txn *mdb = NULL;
    int rc = is_creating ? mdb_txn_begin(s->env, NULL, 0, &mdb) : read_begin(s, &mdb);

    for (*reached = 0; rc == 0 && *reached < TABLE_COUNT; *reached += rc == 0)
        rc = table_open(s, mdb, (enum table) * reached, is_creating);
    if (rc == 0)
        rc = mdb_txn_commit(mdb); /* of a reader as well: an abort would close the tables again */
    else if (mdb != NULL)
        mdb_txn_abort(mdb);
    return rc;
}

/* A store of an earlier version lacks the later tables: its writer adds them, and readers, which start at the
 * same time, give it a moment to do so. */
static int tables_follow(struct store *s, size_t *reached)
{
    const struct timespec nap = {.tv_nsec = FOLLOW_MS * 1000000L};
    int rc = MDB_NOTFOUND;

    if (s->mode == STORE_WRITE) {
        map_grow(s); /* of a compacted copy that is larger than the map no page is free */
        return tables_try(s, true, reached);
    }
    for (int i = 0; rc == MDB_NOTFOUND && *reached >= TABLE_LATER && i < FOLLOW_TRIES; i++) {
        nanosleep(&nap, NULL);
        rc = tables_try(s, false, reached);
    }
    return rc;
}

static enum err tables_open(struct store *s, const char *dir, struct fault *f)
{
    size_t reached;
    int rc = tables_try(s, s->mode == STORE_CREATE, &reached);

    if (rc == MDB_NOTFOUND && reached >= TABLE_LATER)
        rc = tables_follow(s, &reached);
    if (rc == MDB_NOTFOUND && reached >= TABLE_LATER)
        return fault_set(f, ERR_CONFLICT,
                         "%s: of an earlier version: the first start of this one, or `store restore` of a "
                         "backup, adds what it lacks",
                         dir);
    if (rc == MDB_NOTFOUND)
        return fault_set(f, ERR_CONFLICT, "%s: not a store of this version, or its creation was not finished",
                         dir);
    return rc == 0 ? OK : open_fault(dir, rc, f);
}

enum err env_open(const char *dir, enum store_mode mode, uint64_t map_size, int lock_fd, struct store **out,
                  struct fault *f)
{
    struct store *s = xcalloc(1, sizeof *s);
    enum err err;

    s->mode = mode;
    s->lock_fd = lock_fd;
    err = env_start(s, dir, map_size, f);
    if (err == OK)
        err = tables_open(s, dir, f);
    if (err == OK)
        *out = s;
    else
        store_close(s);
    return err;
}

enum err env_copy(struct store *s, int fd)
{
    int rc = mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT);

    /* It reads in a transaction of its own, and has written nothing when that cannot be begun. */
    for (int i = 0; i < RESIZE_TRIES && map_follow(s, rc); i++)
        rc = mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT);
    return rc == 0 ? OK : lmdb_failed("copying", rc);
}

void env_note_schema(struct store *s, uint32_t version)
{
    s->schema = version;
}

bool store_is_earlier(const struct store *s)
{
    for (size_t t = 0; t < TABLE_COUNT; t++)
        if (s->is_absent[t])
            return true;
    return s->schema < SCHEMA_VERSION;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    assert(s->views == 0 && s->txn == NULL);
    if (s->rest != NULL) {
        mdb_txn_abort(s->rest->mdb);
        free(s->rest);
    }
    if (s->env != NULL)
        mdb_env_close(s->env);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
}

unsigned store_maintain(struct store *s)
{
    uint64_t used, size;
    int dead = 0, rc = mdb_reader_check(s->env, &dead);

    assert(s->views == 0 && s->txn == NULL);
    if (rc != 0)
        (void)lmdb_failed("reader check", rc);
    if (dead > 0)
        log_warn("store-readers-dead", "%d views of ended processes forgotten", dead);
    used = used_octets(s, &size);
    if (is_writer(s))
        map_grow(s);
    else if (used > size)
        map_set(s, 0); /* the writer has grown it */
    used = used_octets(s, &size);
    return (unsigned)(used * 1000 / size);
}

enum store_room store_room(struct store *s)
{
    uint64_t size, used;

    assert(is_writer(s) && s->txn == NULL);
    if (s->views == 0)
        map_grow(s);
    used = used_octets(s, &size);
    if (!s->is_stuck)
        return STORE_ROOM_ENOUGH;
    return s->was_full || size - used < MAP_HEADROOM ? STORE_ROOM_NONE : STORE_ROOM_LITTLE;
}

/* ---- views ---- */

enum err view_open(struct store *s, struct view **out)
{
    struct view *v = s->rest != NULL ? s->rest : xcalloc(1, sizeof *v);
    int rc = read_begin(s, &v->mdb);

    s->rest = NULL;
    v->store = s;
    if (rc == 0) {
        s->views++;
        *out = v;
        return OK;
    }
    if (v->mdb != NULL)
        mdb_txn_abort(v->mdb);
    free(v);
    *out = NULL;
    return rc == MDB_MAP_RESIZED ? ERR_UNAVAILABLE : lmdb_failed("open a view", rc);
}

void view_close(struct view *v)
{
    struct store *s;

    if (v == NULL)
        return;
    s = v->store;
    assert(v->writer == NULL && s->views > 0);
    s->views--;
    if (s->rest != NULL) {
        mdb_txn_abort(v->mdb);
        free(v);
        return;
    }
    mdb_txn_reset(v->mdb);
    s->rest = v;
}

uint64_t view_number(const struct view *v)
{
    return mdb_txn_id(v->mdb);
}

const struct counters *view_pending(const struct view *v)
{
    return v->writer != NULL ? &v->writer->counters : NULL;
}

/* ---- transactions ---- */

enum err txn_begin(struct store *s, struct txn **out)
{
    struct txn *t;
    enum err err;
    int rc;

    assert(is_writer(s) && s->txn == NULL);
    *out = NULL;
    if (s->is_broken)
        return ERR_IO;
    if (s->views == 0)
        map_grow(s);
    t = xcalloc(1, sizeof *t);
    t->view = (struct view){.store = s, .writer = NULL};
    buf_init(&t->row, ROW_MAX);
    rc = mdb_txn_begin(s->env, NULL, 0, &t->view.mdb);
    if (rc != 0) {
        free(t);
        return lmdb_failed("begin", rc);
    }
    s->txn = t;
    err = counters_find(&t->view, &t->counters);
    if (err != OK && err != ERR_NOT_FOUND) {
        txn_abort(t);
        return err;
    }
    t->before = t->counters;
    t->view.writer = t;
    *out = t;
    return OK;
}

static void txn_free(struct txn *t)
{
    t->view.store->txn = NULL;
    buf_free(&t->row);
    free(t);
}

enum err txn_commit(struct txn *t)
{
    enum err err;
    int rc;

    if (memcmp(&t->counters, &t->before, sizeof t->counters) != 0)
        counters_set(t, &t->counters);
    if (t->err == OK) {
        rc = mdb_txn_commit(t->view.mdb);
        if (rc != 0)
            lmdb_write_failed(t, "commit", rc);
    } else {
        mdb_txn_abort(t->view.mdb);
    }
    err = t->err;
    txn_free(t);
    return err;
}

void txn_abort(struct txn *t)
{
    if (t == NULL)
        return;
    mdb_txn_abort(t->view.mdb);
    txn_free(t);
}

struct view *txn_view(struct txn *t)
{
    return &t->view;
}

enum err txn_error(const struct txn *t)
{
    return t->err;
}

void txn_fail(struct txn *t, enum err err)
{
    if (t->err == OK)
        t->err = err;
}

struct buf *txn_row(struct txn *t)
{
    buf_reset(&t->row);
    return &t->row;
}

struct counters *txn_counters(struct txn *t)
{
    return &t->counters;
}
