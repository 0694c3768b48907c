/* SPDX-License-Identifier: Apache-2.0 */
/* lmdb_inner: what a store, a view and a txn are made of: private to lmdb.c and table.c. */
#ifndef STORE_LMDB_INNER_H
#define STORE_LMDB_INNER_H

#include <lmdb.h>

#include "store/inner.h"

struct view {
    struct store *store;
    MDB_txn *mdb;
    struct txn *writer; /* whose view this is; NULL: a reader's */
};

struct txn {
    struct view view;
    enum err err;
    struct counters counters, before; /* working copy, and as they were */
    struct buf row;
};

struct store {
    MDB_env *env;
    MDB_dbi dbi[TABLE_COUNT];
    bool is_absent[TABLE_COUNT]; /* of an earlier version: read as one without rows */
    uint32_t schema;             /* 0: not known yet */
    enum store_mode mode;
    int lock_fd;       /* -1: not the writer */
    unsigned views;    /* open ones */
    struct view *rest; /* a closed one, kept with its reader slot */
    struct txn *txn;
    bool is_broken; /* a write failed: nothing more is acknowledged */
    bool was_full;  /* a txn hit the end of the map */
    bool is_stuck;  /* the map should grow and cannot */
};

/* A failure that is not an answer: logged once, here. ERR_IO, or ERR_INTERNAL for a damaged file. */
enum err lmdb_failed(const char *doing, int rc);
/* The same for the txn: a full map is ERR_UNAVAILABLE, and after anything else the store takes no more. */
void lmdb_write_failed(struct txn *t, const char *doing, int rc);

#endif
