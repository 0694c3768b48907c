/* SPDX-License-Identifier: Apache-2.0 */
/* table: ordered rows, each held against its checksum as it is read, and walks over them. */
#include <string.h>

#include "store/lmdb_inner.h"

/* ---- tables ---- */

static MDB_val val_of(struct span s)
{
    return (MDB_val){s.len, (void *)(uintptr_t)s.data};
}

static struct span span_of_val(MDB_val v)
{
    return span_of(v.mv_data, v.mv_size);
}

bool table_is_there(const struct view *v, enum table t)
{
    return !v->store->is_absent[t];
}

enum err table_find(struct view *v, enum table t, struct span key, struct span *row)
{
    MDB_val k = val_of(key), r = {0};
    int rc = table_is_there(v, t) ? mdb_get(v->mdb, v->store->dbi[t], &k, &r) : MDB_NOTFOUND;

    if (rc == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (rc != 0)
        return lmdb_failed("read", rc);
    *row = checksum_open(t, (struct entry){key, span_of_val(r)});
    return OK;
}

/* With its checksum, right where it comes to lie. */
static int put_covered(struct txn *t, enum table table, struct entry e, unsigned flags)
{
    MDB_val k = val_of(e.key), r = {CHECKSUM_LEN + e.row.len, NULL};
    int rc = mdb_put(t->view.mdb, t->view.store->dbi[table], &k, &r, flags | MDB_RESERVE);

    if (rc != 0)
        return rc;
    checksum_put(table, e, r.mv_data);
    if (e.row.len > 0)
        memcpy((uint8_t *)r.mv_data + CHECKSUM_LEN, e.row.data, e.row.len);
    return 0;
}

static int put_plain(struct txn *t, enum table table, struct entry e, unsigned flags)
{
    MDB_val k = val_of(e.key), r = val_of(e.row);

    return mdb_put(t->view.mdb, t->view.store->dbi[table], &k, &r, flags);
}

static void put(struct txn *t, enum table table, struct span key, struct span row, unsigned flags)
{
    struct entry e = {key, row};
    int rc;

    if (t->err != OK)
        return;
    rc = checksum_covers(table, key) ? put_covered(t, table, e, flags) : put_plain(t, table, e, flags);
    if (rc == MDB_KEYEXIST)
        txn_fail(t, ERR_CONFLICT);
    else if (rc != 0)
        lmdb_write_failed(t, "write", rc);
}

void table_add(struct txn *t, enum table table, struct span key, struct span row)
{
    put(t, table, key, row, MDB_NOOVERWRITE);
}

void table_append(struct txn *t, enum table table, struct span key, struct span row)
{
    put(t, table, key, row, MDB_APPEND);
}

void table_set(struct txn *t, enum table table, struct span key, struct span row)
{
    put(t, table, key, row, 0);
}

void table_remove(struct txn *t, enum table table, struct span key)
{
    MDB_val k = val_of(key);
    int rc;

    if (t->err != OK)
        return;
    rc = mdb_del(t->view.mdb, t->view.store->dbi[table], &k, NULL);
    if (rc == MDB_NOTFOUND)
        (void)table_damaged(table, key);
    else if (rc != 0)
        lmdb_write_failed(t, "remove", rc);
}

/* ---- scans ---- */

enum err scan_open(struct view *v, enum table t, struct scan *out)
{
    int rc = 0;

    *out = (struct scan){.table = t};
    if (table_is_there(v, t))
        rc = mdb_cursor_open(v->mdb, v->store->dbi[t], &out->cursor);
    return rc == 0 ? OK : lmdb_failed("open a scan", rc);
}

void scan_close(struct scan *s)
{
    if (s->cursor != NULL)
        mdb_cursor_close(s->cursor);
}

static enum err step(struct scan *s, struct span key, MDB_cursor_op op, struct entry *out)
{
    MDB_val k = val_of(key), r = {0};
    int rc = s->cursor != NULL ? mdb_cursor_get(s->cursor, &k, &r, op) : MDB_NOTFOUND;

    if (rc == MDB_NOTFOUND)
        return ERR_END;
    if (rc != 0)
        return lmdb_failed("scan", rc);
    *out = (struct entry){span_of_val(k), span_of_val(r)};
    out->row = checksum_open(s->table, *out);
    return OK;
}

enum err scan_from(struct scan *s, struct span key, struct entry *out)
{
    return step(s, key, key.len > 0 ? MDB_SET_RANGE : MDB_FIRST, out);
}

enum err scan_before(struct scan *s, struct span key, struct entry *out)
{
    enum err err = scan_from(s, key, out);

    if (err == ERR_END) /* everything is before it */
        return step(s, (struct span){0}, MDB_LAST, out);
    return err == OK ? scan_previous(s, out) : err;
}

enum err scan_next(struct scan *s, struct entry *out)
{
    return step(s, (struct span){0}, MDB_NEXT, out);
}

enum err scan_previous(struct scan *s, struct entry *out)
{
    return step(s, (struct span){0}, MDB_PREV, out);
}
