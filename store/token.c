/* SPDX-License-Identifier: Apache-2.0 */
/* token: tokens under the hash of their secret, so that a secret finds its row in one read; the id is the
 * beginning of that hash. There are some hundred at most: lists walk them all. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/inner.h"

static enum err read_row(struct entry e, struct token *out)
{
    if (e.key.len != HASH_LEN || !row_get_token(e.row, out))
        return table_damaged(TABLE_TOKEN, e.key);
    memcpy(out->hash, e.key.data, HASH_LEN);
    return OK;
}

enum err token_find(struct view *v, const uint8_t hash[static HASH_LEN], struct token *out)
{
    struct span row = {0}, key = span_of(hash, HASH_LEN);
    enum err err = table_find(v, TABLE_TOKEN, key, &row);

    return err == OK ? read_row((struct entry){key, row}, out) : err;
}

enum err token_find_id(struct view *v, const uint8_t id[static TOKEN_ID_LEN], struct token *out)
{
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_TOKEN, &scan);

    if (err != OK)
        return err;
    err = scan_from(&scan, span_of(id, TOKEN_ID_LEN), &e);
    if (err == ERR_END ||
        (err == OK && (e.key.len < TOKEN_ID_LEN || memcmp(e.key.data, id, TOKEN_ID_LEN) != 0)))
        err = ERR_NOT_FOUND;
    if (err == OK)
        err = read_row(e, out);
    scan_close(&scan);
    return err;
}

enum err token_each(struct view *v, bool (*fn)(const struct token *k, void *arg), void *arg)
{
    struct token k;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_TOKEN, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK; err = scan_next(&scan, &e)) {
        err = read_row(e, &k);
        if (err != OK || !fn(&k, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

static void set(struct txn *t, const struct token *k)
{
    struct buf *row = txn_row(t);

    row_put_token(row, k);
    txn_fail(t, buf_end(row));
    table_set(t, TABLE_TOKEN, span_of(k->hash, HASH_LEN), buf_span(row));
}

void token_add(struct txn *t, const struct token *given)
{
    struct token k = *given, other;
    enum err err;

    if (txn_error(t) != OK)
        return;
    err = token_find_id(txn_view(t), given->hash, &other);
    if (err != ERR_NOT_FOUND)
        return txn_fail(t, err == OK ? ERR_CONFLICT : err);
    k.used_at_s = k.deleted_at_s = NO_TIME;
    set(t, &k);
}

/* The token of that id; false when the txn has failed. */
static bool load(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], struct token *out)
{
    if (txn_error(t) == OK)
        txn_fail(t, token_find_id(txn_view(t), id, out));
    return txn_error(t) == OK;
}

void token_use(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], int64_t at_s)
{
    struct token k;

    if (!load(t, id, &k))
        return;
    k.used_at_s = at_s;
    set(t, &k);
}

void token_delete(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], int64_t at_s)
{
    struct token k;

    if (!load(t, id, &k))
        return;
    k.deleted_at_s = at_s;
    set(t, &k);
}

/* ---- pruning ---- */

#define MAKERS_MAX (1024u * 1024u) /* octets of ids: 128 Ki tokens, some thirty times what a ca lets be */

/* Past those that cannot be read. */
static enum err each_readable(struct view *v, bool (*fn)(const struct token *k, void *arg), void *arg)
{
    struct token k;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_TOKEN, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK; err = scan_next(&scan, &e))
        if (read_row(e, &k) == OK && !fn(&k, arg))
            break;
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, TOKEN_ID_LEN);
}

/* The id of the token that made it, when it was one: "token:" and the id in hex. */
static bool add_maker(const struct token *k, void *arg)
{
    uint8_t id[TOKEN_ID_LEN];

    if (strncmp(k->created_by, "token:", 6) == 0 && strlen(k->created_by) == 6 + 2 * TOKEN_ID_LEN &&
        hex_decode(k->created_by + 6, id, TOKEN_ID_LEN))
        buf_put(arg, id, TOKEN_ID_LEN);
    return true;
}

struct ended {
    const struct buf *makers; /* ids, in order */
    int64_t before_s;
    unsigned most, count;
    uint8_t (*hashes)[HASH_LEN];
};

static bool has_id(const struct buf *ids, const uint8_t *id)
{
    return ids->len > 0 && bsearch(id, ids->data, ids->len / TOKEN_ID_LEN, TOKEN_ID_LEN, compare_ids) != NULL;
}

static bool add_ended(const struct token *k, void *arg)
{
    struct ended *e = arg;
    int64_t end_s = k->deleted_at_s != NO_TIME ? k->deleted_at_s : k->expires_at_s;

    if (end_s < e->before_s && !has_id(e->makers, k->hash))
        memcpy(e->hashes[e->count++], k->hash, HASH_LEN);
    return e->count < e->most;
}

static enum err find_ended(struct view *v, struct ended *out)
{
    struct buf makers;
    enum err err;

    buf_init(&makers, MAKERS_MAX);
    err = each_readable(v, add_maker, &makers);
    if (err == OK && buf_end(&makers) == OK) { /* of makers unknown, none goes */
        if (makers.len > 0)
            qsort(makers.data, makers.len / TOKEN_ID_LEN, TOKEN_ID_LEN, compare_ids);
        out->makers = &makers;
        err = each_readable(v, add_ended, out);
    }
    buf_free(&makers);
    return err;
}

/* Reads before it removes: a scan does not outlive a write. */
void token_prune(struct txn *t, int64_t before_s, unsigned most)
{
    struct ended ended = {.before_s = before_s, .most = most, .hashes = xcalloc(most, HASH_LEN)};

    if (txn_error(t) == OK)
        txn_fail(t, find_ended(txn_view(t), &ended));
    for (unsigned i = 0; txn_error(t) == OK && i < ended.count; i++)
        table_remove(t, TABLE_TOKEN, span_of(ended.hashes[i], HASH_LEN));
    free(ended.hashes);
}
