/* SPDX-License-Identifier: Apache-2.0 */
/*
 * barred: keys that were revoked for keyCompromise are remembered for good (cert.c). A store of before that
 * has revocations without it: the first writer that opens it adds what they lack and marks the store, a row
 * of meta. From then on a key that is missing is damage.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/inner.h"

#define MARK_VERSION 1
#define BUILD_KEYS 256u /* of one transaction: a page or two each */

static const char mark_key[] = "barred";

void barred_mark(struct txn *t)
{
    struct buf *row = txn_row(t);

    buf_put_u8(row, MARK_VERSION);
    table_set(t, TABLE_META, span_str(mark_key), buf_span(row));
}

bool barred_is_marked(struct view *v)
{
    struct span row = {0};

    return table_find(v, TABLE_META, span_str(mark_key), &row) == OK && row.len == 1 &&
           row.data[0] == MARK_VERSION;
}

/* ---- a store of before ---- */

struct gathered {
    uint8_t serials[BUILD_KEYS][SERIAL_LEN];
    size_t count;
    struct key next; /* of the entries of CRLs: where to go on; of no length: at the first */
    bool is_end;
};

/* What is bent is for others to say, and is passed over. */
static bool is_compromise(const struct entry *e)
{
    struct revoked r;

    return e->key.len == 2 + SERIAL_LEN && row_get_revoked(e->row, &r) && r.reason == REASON_KEY_COMPROMISE;
}

static enum err gather(struct view *v, struct gathered *g)
{
    const struct key from = g->next;
    struct scan scan;
    struct entry e;
    enum err err = scan_open(v, TABLE_REVOKED, &scan);

    if (err != OK)
        return err;
    g->count = 0;
    for (err = scan_from(&scan, key_span(&from), &e); err == OK; err = scan_next(&scan, &e)) {
        if (!is_compromise(&e))
            continue;
        if (g->count == BUILD_KEYS) {
            g->next.len = 0;
            key_put(&g->next, e.key.data, e.key.len);
            break;
        }
        memcpy(g->serials[g->count++], e.key.data + 2, SERIAL_LEN);
    }
    scan_close(&scan);
    g->is_end = err == ERR_END;
    return err == ERR_END ? OK : err;
}

static enum err gather_next(struct store *s, struct gathered *g)
{
    struct view *v = NULL;
    enum err err = view_open(s, &v);

    if (err != OK)
        return err;
    err = gather(v, g);
    view_close(v);
    return err;
}

static enum err add(struct store *s, const struct gathered *g)
{
    struct txn *t = NULL;
    enum err err = txn_begin(s, &t);

    if (err != OK)
        return err;
    for (size_t i = 0; i < g->count; i++)
        key_bar(t, g->serials[i]);
    if (g->is_end)
        barred_mark(t);
    return txn_commit(t);
}

static bool is_marked(struct store *s)
{
    struct view *v = NULL;
    bool is = view_open(s, &v) == OK && barred_is_marked(v);

    view_close(v);
    return is;
}

enum err barred_build(struct store *s, struct fault *f)
{
    struct gathered *g;
    uint64_t count = 0;
    enum err err = OK;

    if (is_marked(s))
        return OK;
    g = xcalloc(1, sizeof *g);
    while (err == OK && !g->is_end) {
        err = gather_next(s, g);
        if (err == OK)
            err = add(s, g);
        count += g->count;
    }
    free(g);
    if (err != OK)
        return fault_set(f, err, "the keys revoked for keyCompromise cannot be remembered");
    if (count > 0)
        log_info("keys-barred", "%llu revocations of an earlier version", (unsigned long long)count);
    return OK;
}
