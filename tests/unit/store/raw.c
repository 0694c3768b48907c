/* SPDX-License-Identifier: Apache-2.0 */
/* raw: see raw.h. */
#include "tests/unit/store/raw.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <string.h>

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
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_env *env = raw_open(dir, table, &txn, &dbi);

    if (mdb_get(txn, dbi, &k, &r) == 0) {
        cr_assert_leq(r.mv_size, cap);
        memcpy(out, r.mv_data, r.mv_size);
    }
    raw_close(env, txn);
    return r.mv_size;
}

void raw_drop(const char *dir, const char *table)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_env *env = raw_open(dir, table, &txn, &dbi);

    cr_assert_eq(mdb_drop(txn, dbi, 1), 0);
    raw_close(env, txn);
}
