/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_change: which certificates moved between valid, held and revoked since the base of the deltas. Counted,
 * not timed: what a list shows is settled by its view, and clocks step. One row a certificate, so that a
 * delta is in order and names each once.
 */
#include <string.h>

#include "store/inner.h"

void crl_change_note(struct txn *t, const uint8_t serial[static SERIAL_LEN], const struct status *from)
{
    struct key key = key_of_revoked(from->issuer_no, serial);
    struct crl_change c = {.revoked_at_s = from->revoked_at_s, .not_after_s = from->not_after_s};
    struct crl_track track;
    struct buf *row;

    if (txn_error(t) != OK)
        return;
    txn_fail(t, crl_track_find(txn_view(t), from->issuer_no, &track));
    if (txn_error(t) != OK)
        return;
    c.change = ++track.changes;
    crl_track_set(t, from->issuer_no, &track);
    row = txn_row(t);
    row_put_crl_change(row, &c);
    table_set(t, TABLE_CRL_CHANGE, key_span(&key), buf_span(row));
}

/* The entry as it is now. */
static enum err entry_of(struct view *v, struct span key, const struct crl_change *c, struct revoked *out)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_REVOKED, key, &row);

    if (err == OK && !row_get_revoked(row, out))
        return table_damaged(TABLE_REVOKED, key);
    if (err == ERR_NOT_FOUND && c->revoked_at_s == NO_TIME) /* it was valid before: it must be there now */
        return table_damaged(TABLE_REVOKED, key);
    if (err == ERR_NOT_FOUND)
        *out = (struct revoked){.reason = REASON_REMOVE_FROM_CRL,
                                .revoked_at_s = c->revoked_at_s,
                                .invalidity_s = NO_TIME,
                                .not_after_s = c->not_after_s};
    memcpy(out->serial, key.data + key.len - SERIAL_LEN, SERIAL_LEN);
    return err == ERR_NOT_FOUND ? OK : err;
}

static bool is_under(const struct entry *e, struct span prefix)
{
    return e->key.len == prefix.len + SERIAL_LEN && key_starts(e->key, prefix);
}

enum err crl_change_each(struct view *v, uint16_t issuer_no, bool (*fn)(const struct revoked *r, void *arg),
                         void *arg)
{
    struct key prefix = key_of_issuer(issuer_no);
    struct crl_track track;
    struct crl_change c;
    struct revoked r;
    struct entry e;
    struct scan scan;
    enum err err = crl_track_find(v, issuer_no, &track);

    if (err == OK)
        err = scan_open(v, TABLE_CRL_CHANGE, &scan);
    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&prefix), &e); err == OK && is_under(&e, key_span(&prefix));
         err = scan_next(&scan, &e)) {
        if (!row_get_crl_change(e.row, &c)) {
            err = table_damaged(TABLE_CRL_CHANGE, e.key);
            break;
        }
        if (c.change <= track.base)
            continue;
        err = entry_of(v, e.key, &c, &r);
        if (err != OK || !fn(&r, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

enum err crl_change_find(struct view *v, uint16_t issuer_no, const uint8_t serial[static SERIAL_LEN])
{
    struct key key = key_of_revoked(issuer_no, serial);
    struct crl_track track;
    struct crl_change c;
    struct span row = {0};
    enum err err = crl_track_find(v, issuer_no, &track);

    if (err == OK)
        err = table_find(v, TABLE_CRL_CHANGE, key_span(&key), &row);
    if (err == OK && !row_get_crl_change(row, &c))
        return table_damaged(TABLE_CRL_CHANGE, key_span(&key));
    return err == OK && c.change <= track.base ? ERR_NOT_FOUND : err;
}

/* ---- pruning ---- */

struct slice {
    uint8_t stale[CHANGE_PRUNE_MAX][SERIAL_LEN];
    unsigned stale_count, seen;
    bool is_end;
};

/* Reads before it removes: a cursor does not outlive a write. */
static enum err slice_read(struct view *v, uint16_t issuer_no, uint64_t base, uint8_t at[static SERIAL_LEN],
                           unsigned most, struct slice *out)
{
    struct key prefix = key_of_issuer(issuer_no), from = key_of_revoked(issuer_no, at);
    struct crl_change c;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_CRL_CHANGE, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&from), &e); err == OK && is_under(&e, key_span(&prefix));
         err = scan_next(&scan, &e)) {
        memcpy(at, e.key.data + prefix.len, SERIAL_LEN);
        if (out->seen++ == most)
            break;
        if (!row_get_crl_change(e.row, &c))
            (void)table_damaged(TABLE_CRL_CHANGE, e.key); /* and stays */
        else if (c.change <= base)
            memcpy(out->stale[out->stale_count++], at, SERIAL_LEN);
    }
    out->is_end = out->seen <= most;
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

bool crl_change_prune(struct txn *t, uint16_t issuer_no, uint8_t at[static SERIAL_LEN], unsigned most)
{
    struct crl_track track = {0};
    struct slice s = {0};
    enum err err = OK;

    if (most > CHANGE_PRUNE_MAX)
        most = CHANGE_PRUNE_MAX;
    if (txn_error(t) == OK)
        err = crl_track_find(txn_view(t), issuer_no, &track);
    if (err == ERR_INTERNAL)
        return false; /* which of them are stale nobody can tell */
    txn_fail(t, err);
    if (txn_error(t) == OK)
        txn_fail(t, slice_read(txn_view(t), issuer_no, track.base, at, most, &s));
    for (unsigned i = 0; txn_error(t) == OK && i < s.stale_count; i++) {
        struct key key = key_of_revoked(issuer_no, s.stale[i]);

        table_remove(t, TABLE_CRL_CHANGE, key_span(&key));
    }
    if (txn_error(t) == OK && !s.is_end)
        return true;
    memset(at, 0, SERIAL_LEN);
    return false;
}
