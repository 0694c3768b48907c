/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot: a small store out of a large one, for a responder that holds no more than it needs. It is made
 * beside its final place in one read of the source, and put there by rename: LMDB keeps all in one file, so a
 * reader that opens it by name finds a whole one.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "store/inner.h"

#define BATCH_ROWS                                                                                           \
    50000u /* rows a transaction: at some 100 octets each they fit the headroom that txn_begin keeps free */
#define TIME_VERSION 1

#define DRAFT ".new-XXXXXX" /* beside the place; the last six are mkdtemp()'s */
#define DRAFT_FIXED 5u      /* octets of it that are not */

static const char time_key[] = "snapshot";

struct snapshot {
    struct view *from;
    struct store *to;
    struct txn *txn;
    const char *host; /* NULL: our own */
    size_t rows;      /* in the transaction */
    size_t signers;
    enum err err;
};

/* ---- rows ---- */

static bool turn(struct snapshot *c)
{
    enum err e = OK;

    if (c->txn != NULL)
        e = txn_commit(c->txn);
    c->txn = NULL;
    c->rows = 0;
    if (e == OK)
        e = txn_begin(c->to, &c->txn);
    if (c->err == OK)
        c->err = e;
    return c->err == OK;
}

static void put(struct snapshot *c, enum table t, struct span key, struct span row)
{
    if (c->err != OK || (c->rows >= BATCH_ROWS && !turn(c)))
        return;
    table_append(c->txn, t, key, row);
    c->rows++;
}

static void copy_table(struct snapshot *c, enum table t)
{
    struct entry e;
    struct scan scan;
    enum err err;

    if (c->err == OK)
        c->err = scan_open(c->from, t, &scan);
    if (c->err != OK)
        return;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK && c->err == OK; err = scan_next(&scan, &e))
        put(c, t, e.key, e.row);
    scan_close(&scan);
    if (c->err == OK && err != ERR_END)
        c->err = err;
}

/* ---- issuers and their signers ---- */

/* The serial of the signer that shall answer, zeros when there is none. */
static enum err choose_signer(struct snapshot *c, struct issuer *i)
{
    enum err e = OK;

    if (c->host != NULL) {
        e = responder_find(c->from, i->no, c->host, i->responder);
        if (e == ERR_NOT_FOUND)
            memset(i->responder, 0, SERIAL_LEN);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static bool copy_issuer(const struct issuer *given, void *arg)
{
    struct snapshot *c = arg;
    struct issuer i = *given;
    struct key key = key_of_issuer(i.no);
    struct buf *row;

    c->err = choose_signer(c, &i);
    if (c->err != OK)
        return false;
    row = txn_row(c->txn);
    row_put_issuer(row, &i);
    put(c, TABLE_ISSUER, key_span(&key), buf_span(row));
    return c->err == OK;
}

/* Certificates are kept by their number, so the rows are put in any order. */
static bool copy_signer(const struct issuer *given, void *arg)
{
    struct snapshot *c = arg;
    struct issuer i = *given;
    struct span row = {0};
    struct cert cert;
    struct key key;

    c->err = choose_signer(c, &i);
    if (c->err != OK || !issuer_has_responder(&i))
        return c->err == OK;
    c->err = cert_find(c->from, i.responder, &cert);
    if (c->err != OK)
        return false;
    key = key_of_number(cert.number);
    c->err = table_find(c->from, TABLE_CERT, key_span(&key), &row);
    if (c->err == OK)
        table_set(c->txn, TABLE_CERT, key_span(&key), row);
    c->signers++;
    return c->err == OK;
}

static void each_issuer(struct snapshot *c, bool (*fn)(const struct issuer *i, void *arg))
{
    enum err e = OK;

    if (c->err == OK)
        e = issuer_each(c->from, fn, c);
    if (c->err == OK)
        c->err = e;
}

/* ---- what it says of itself ---- */

static void put_meta(struct snapshot *c, int64_t now_s)
{
    struct counters counters;
    struct buf *row;

    if (c->err == OK)
        c->err = counters_find(c->from, &counters);
    if (c->err != OK)
        return;
    *txn_counters(c->txn) = counters;
    row = txn_row(c->txn);
    buf_put_u8(row, TIME_VERSION);
    buf_put_i64(row, now_s);
    table_set(c->txn, TABLE_META, span_str(time_key), buf_span(row));
}

enum err snapshot_time(struct view *v, int64_t *taken_at_s)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_META, span_str(time_key), &row);
    struct rd r = rd_of(row);

    if (err != OK)
        return err;
    if (rd_u8(&r) != TIME_VERSION)
        return table_damaged(TABLE_META, span_str(time_key));
    *taken_at_s = rd_i64(&r);
    return rd_done(&r) && clock_is_time(*taken_at_s) ? OK : table_damaged(TABLE_META, span_str(time_key));
}

static enum err fill(struct snapshot *c, int64_t now_s)
{
    turn(c);
    each_issuer(c, copy_issuer);
    each_issuer(c, copy_signer);
    copy_table(c, TABLE_CRL_STATE);
    copy_table(c, TABLE_STATUS);
    put_meta(c, now_s);
    if (c->txn == NULL)
        return c->err;
    if (c->err != OK) {
        txn_abort(c->txn);
        return c->err;
    }
    return txn_commit(c->txn);
}

/* ---- its place ---- */

/* A directory that a service writes to shall not lose its store to a mistyped name. */
static enum err place_check(const char *dir, struct fault *f)
{
    char data[PATH_LEN_MAX];
    struct store *s = NULL;
    struct view *v = NULL;
    struct stat st;
    int64_t taken_at_s;
    enum err e = path_join(data, dir, "data.mdb", f);

    if (e != OK)
        return e;
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return fault_set(f, ERR_NOT_FOUND, "%s: no directory", dir);
    if (stat(data, &st) != 0)
        return OK;
    e = store_open(dir, STORE_COPY, 0, &s, f);
    if (e == OK)
        e = view_open(s, &v);
    if (e == OK)
        e = snapshot_time(v, &taken_at_s);
    view_close(v);
    store_close(s);
    return e == OK ? OK : fault_set(f, ERR_EXISTS, "%s holds a store that is no snapshot", dir);
}

static void remove_drafts(const char *draft)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[PATH_LEN_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (path_join(path, draft, names[i], NULL) == OK)
            unlink(path);
    rmdir(draft);
}

static bool is_draft(const char *name)
{
    if (strlen(name) != sizeof DRAFT - 1 || memcmp(name, DRAFT, DRAFT_FIXED) != 0)
        return false;
    for (const char *at = name + DRAFT_FIXED; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at))
            return false;
    return true;
}

/* Whoever makes one has its writer's lock. Without that file it is just begun, or empty. */
static bool is_left(const char *draft)
{
    char path[PATH_LEN_MAX];
    struct stat st;
    int fd = -1;

    if (lstat(draft, &st) != 0 || !S_ISDIR(st.st_mode) || path_join(path, draft, "writer.lock", NULL) != OK ||
        lstat(path, &st) != 0 || lock_take(draft, &fd, NULL) != OK)
        return false;
    close(fd);
    return true;
}

/* Each as large as a snapshot, below a directory that may be copied as it is. */
static void remove_left(const char *dir)
{
    char path[PATH_LEN_MAX];
    struct dirent *entry;
    DIR *d = opendir(dir);

    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (!is_draft(entry->d_name) || path_join(path, dir, entry->d_name, NULL) != OK || !is_left(path))
            continue;
        remove_drafts(path);
        log_warn("draft", "%s: left by a snapshot that was cut off, removed", path);
    }
    if (d != NULL)
        closedir(d);
}

static enum err put_in_place(const char *draft, const char *dir, struct fault *f)
{
    char from[PATH_LEN_MAX], to[PATH_LEN_MAX];
    enum err e = path_join(from, draft, "data.mdb", f);

    if (e == OK)
        e = path_join(to, dir, "data.mdb", f);
    if (e == OK && rename(from, to) != 0)
        e = fault_set(f, ERR_IO, "%s: %s", to, strerror(errno));
    return e == OK ? dir_sync(dir, f) : e;
}

static enum err write_draft(struct snapshot *c, const char *draft, int64_t now_s, struct fault *f)
{
    enum err e = store_open(draft, STORE_CREATE, 0, &c->to, f);

    if (e != OK)
        return e;
    e = fill(c, now_s);
    store_close(c->to);
    if (e != OK)
        return fault_set(f, e, "%s: the snapshot cannot be written: %s", draft, err_text(e));
    if (c->signers == 0)
        return fault_set(f, ERR_NOT_FOUND, "no issuer has a certificate for an OCSP signer%s%s",
                         c->host != NULL ? " on host " : "", c->host != NULL ? c->host : "");
    return OK;
}

enum err store_snapshot(struct store *s, const char *dir, const char *host, int64_t now_s, struct fault *f)
{
    struct snapshot c = {.host = host};
    char draft[PATH_LEN_MAX];
    enum err e = place_check(dir, f);

    if (e == OK)
        e = path_join(draft, dir, DRAFT, f);
    if (e == OK)
        remove_left(dir);
    if (e == OK && mkdtemp(draft) == NULL)
        e = fault_set(f, ERR_IO, "%s: %s", draft, strerror(errno));
    if (e != OK)
        return e;
    e = view_open(s, &c.from);
    if (e == OK) {
        e = write_draft(&c, draft, now_s, f);
        view_close(c.from);
    } else {
        e = fault_set(f, e, "the store cannot be read");
    }
    if (e == OK)
        e = put_in_place(draft, dir, f);
    remove_drafts(draft);
    return e;
}
