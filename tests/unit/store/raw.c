/* SPDX-License-Identifier: Apache-2.0 */
/* raw: see raw.h. */
#include "tests/unit/store/raw.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static MDB_env *raw_open(const char *dir, const char *table, MDB_txn **txn, MDB_dbi *dbi)
{
    MDB_env *env;

    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, TABLE_COUNT), 0);
    cr_assert_eq(mdb_env_open(env, dir, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, txn), 0);
    cr_assert_eq(mdb_dbi_open(*txn, table, 0, dbi), 0);
    return env;
}

static void raw_close(MDB_env *env, MDB_txn *txn)
{
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static MDB_val val(struct span s)
{
    return (MDB_val){s.len, (void *)(uintptr_t)s.data};
}

void raw_set(const char *dir, const char *table, struct span key, struct span row)
{
    MDB_val k = val(key), r = val(row);
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_env *env = raw_open(dir, table, &txn, &dbi);

    if (row.data != NULL)
        cr_assert_eq(mdb_put(txn, dbi, &k, &r, 0), 0);
    else
        cr_assert_eq(mdb_del(txn, dbi, &k, NULL), 0);
    raw_close(env, txn);
}

size_t raw_get(const char *dir, const char *table, struct span key, uint8_t *out, size_t cap)
{
    MDB_val k = val(key), r = {0};
    struct span row = {0};
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_env *env = raw_open(dir, table, &txn, &dbi);

    if (mdb_get(txn, dbi, &k, &r) == 0) {
        row = checksum_skip(span_of(r.mv_data, r.mv_size));
        cr_assert_leq(row.len, cap);
        memcpy(out, row.data, row.len);
    }
    raw_close(env, txn);
    return row.len;
}

void raw_each(const char *dir, const char *table, raw_fn *fn, void *arg)
{
    MDB_val k, r;
    MDB_cursor *cursor;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_env *env = raw_open(dir, table, &txn, &dbi);

    cr_assert_eq(mdb_cursor_open(txn, dbi, &cursor), 0);
    while (mdb_cursor_get(cursor, &k, &r, MDB_NEXT) == 0)
        fn(span_of(k.mv_data, k.mv_size), span_of(r.mv_data, r.mv_size), arg);
    mdb_cursor_close(cursor);
    raw_close(env, txn);
}

void raw_drop(const char *dir, const char *table)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_env *env = raw_open(dir, table, &txn, &dbi);

    cr_assert_eq(mdb_drop(txn, dbi, 1), 0);
    raw_close(env, txn);
}

void raw_compact(const char *dir)
{
    char from[128], to[128];
    MDB_env *env;
    int fd;

    snprintf(from, sizeof from, "%s/compact", dir);
    snprintf(to, sizeof to, "%s/data.mdb", dir);
    fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, dir, 0, 0600), 0);
    cr_assert_eq(mdb_env_copyfd2(env, fd, MDB_CP_COMPACT), 0);
    mdb_env_close(env);
    close(fd);
    cr_assert_eq(rename(from, to), 0);
}
