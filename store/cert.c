/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: certificates and their state. What never changes lies by number, in order of issue; what moves lies
 * by serial, in a fixed-width row that OCSP reads alone.
 */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "store/inner.h"

static struct span serial_span(const uint8_t serial[static SERIAL_LEN])
{
    return span_of(serial, SERIAL_LEN);
}

static enum err status_row_find(struct view *v, const uint8_t serial[static SERIAL_LEN],
                                struct status_row *out)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_STATUS, serial_span(serial), &row);

    if (err != OK)
        return err;
    return row_get_status(row, out) ? OK : table_damaged(TABLE_STATUS, serial_span(serial));
}

enum err status_find(struct view *v, const uint8_t serial[static SERIAL_LEN], struct status *out)
{
    struct status_row row;
    enum err err = status_row_find(v, serial, &row);

    if (err == OK)
        *out = row.status;
    return err;
}

/* ---- reading ---- */

static bool is_row_of(struct span row, uint64_t number, struct cert *out)
{
    return row_get_cert(row, out) && out->number == number;
}

enum err cert_open(struct entry e, uint64_t number, struct cert *out)
{
    return is_row_of(e.row, number, out) ? OK : table_damaged(TABLE_CERT, e.key);
}

/* ERR_INTERNAL: for the caller to tell of. */
static enum err read_row(struct view *v, uint64_t number, struct cert *out)
{
    struct key key = key_of_number(number);
    struct span row = {0};
    enum err err = table_find(v, TABLE_CERT, key_span(&key), &row);

    if (err != OK && err != ERR_NOT_FOUND)
        return err;
    return err == OK && is_row_of(row, number, out) ? OK : ERR_INTERNAL;
}

enum err cert_load(struct view *v, uint64_t number, struct cert *out)
{
    struct key key = key_of_number(number);
    enum err err = read_row(v, number, out);

    return err == ERR_INTERNAL ? table_damaged(TABLE_CERT, key_span(&key)) : err;
}

enum err cert_load_state(struct view *v, struct cert *c)
{
    struct status_row row;
    enum err err = status_row_find(v, c->serial, &row);

    if (err == ERR_NOT_FOUND || (err == OK && row.number != c->number))
        return table_damaged(TABLE_STATUS, serial_span(c->serial));
    if (err == OK)
        c->status = row.status;
    return err;
}

/* What is given out as a certificate is the one that was recorded, also where its row has no checksum: a
 * microsecond against a file edited under us. */
static bool is_untouched(const struct cert *c)
{
    uint8_t digest[HASH_LEN];

    sha256_of(c->der, digest);
    return memcmp(digest, c->fingerprint, HASH_LEN) == 0;
}

enum err cert_find(struct view *v, const uint8_t serial[static SERIAL_LEN], struct cert *out)
{
    struct status_row row;
    enum err err = status_row_find(v, serial, &row);

    if (err != OK)
        return err;
    err = read_row(v, row.number, out);
    if (err == ERR_INTERNAL || (err == OK && !is_untouched(out)))
        return table_damaged(TABLE_CERT, serial_span(serial)); /* by which people know it */
    if (err != OK)
        return err;
    if (memcmp(out->serial, serial, SERIAL_LEN) != 0)
        return table_damaged(TABLE_STATUS, serial_span(serial));
    out->status = row.status;
    return OK;
}

enum err cert_each_by_key(struct view *v, const uint8_t key_hash[static HASH_LEN],
                          bool (*fn)(const struct cert *c, void *arg), void *arg)
{
    struct key prefix = key_of_index(INDEX_KEY), high;
    struct entry e;
    struct scan scan;
    struct cert c;
    uint64_t number;
    enum err err = scan_open(v, TABLE_INDEX, &scan);

    if (err != OK)
        return err;
    key_put(&prefix, key_hash, HASH_LEN);
    high = prefix;
    key_put_u64(&high, UINT64_MAX);
    for (err = scan_before(&scan, key_span(&high), &e); err == OK && key_starts(e.key, key_span(&prefix));
         err = scan_previous(&scan, &e)) {
        err = number_of_key(e.key, &number) ? cert_load(v, number, &c) : table_damaged(TABLE_INDEX, e.key);
        if (err != OK || !fn(&c, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

static struct key key_of_compromised(const uint8_t key_hash[static HASH_LEN])
{
    struct key k = key_of_index(INDEX_COMPROMISED);

    key_put(&k, key_hash, HASH_LEN);
    return k;
}

enum err key_compromised(struct view *v, const uint8_t key_hash[static HASH_LEN],
                         uint8_t serial[static SERIAL_LEN])
{
    struct key key = key_of_compromised(key_hash);
    struct span row = {0};
    enum err err = table_find(v, TABLE_INDEX, key_span(&key), &row);

    if (err != OK)
        return err;
    if (row.len != SERIAL_LEN)
        return table_damaged(TABLE_INDEX, key_span(&key));
    memcpy(serial, row.data, SERIAL_LEN);
    return OK;
}

/* ---- writing ---- */

static void status_set(struct txn *t, const uint8_t serial[static SERIAL_LEN], const struct status_row *s)
{
    struct buf *row = txn_row(t);

    row_put_status(row, s);
    table_set(t, TABLE_STATUS, serial_span(serial), buf_span(row));
}

void cert_add(struct txn *t, const struct cert *given, uint64_t *number)
{
    struct counters *counters = txn_counters(t);
    struct cert c = *given;
    struct status_row status = {.number = counters->last_number + 1};
    struct key key = key_of_number(status.number);
    struct buf *row = txn_row(t);

    *number = 0;
    if (txn_error(t) != OK)
        return;
    assert(c.sans.len == 0 || c.sans.data[c.sans.len - 1] == '\0');
    c.number = status.number;
    status.status = (struct status){
        .issuer_no = c.status.issuer_no,
        .revoked_at_s = NO_TIME,
        .invalidity_s = NO_TIME,
        .not_after_s = c.status.not_after_s,
    };
    row_put_status(row, &status);
    table_add(t, TABLE_STATUS, serial_span(c.serial), buf_span(row));
    row = txn_row(t);
    row_put_cert(row, &c);
    txn_fail(t, buf_end(row));
    table_append(t, TABLE_CERT, key_span(&key), buf_span(row));
    index_add(t, &c);
    if (txn_error(t) != OK)
        return;
    counters->last_number = c.number;
    counters->certificates++;
    *number = c.number;
}

static void count_move(struct counters *c, enum cert_state from, enum cert_state to)
{
    c->held += (uint64_t)(to == CERT_HELD) - (uint64_t)(from == CERT_HELD);
    c->revoked += (uint64_t)(to == CERT_REVOKED) - (uint64_t)(from == CERT_REVOKED);
}

/* Status row, revoked entry, index and counters in step. */
static void state_move(struct txn *t, const uint8_t serial[static SERIAL_LEN], const struct status_row *from,
                       const struct status_row *to)
{
    struct key key = key_of_revoked(to->status.issuer_no, serial);
    struct buf *row;

    status_set(t, serial, to);
    crl_change_note(t, serial, &from->status);
    if (to->status.state == CERT_VALID) {
        table_remove(t, TABLE_REVOKED, key_span(&key));
    } else {
        row = txn_row(t);
        row_put_revoked(row, &to->status);
        table_set(t, TABLE_REVOKED, key_span(&key), buf_span(row));
    }
    index_move_state(t, to->number, from->status.state, to->status.state);
    count_move(txn_counters(t), from->status.state, to->status.state);
}

enum err cert_check_move(struct view *v, const uint8_t serial[static SERIAL_LEN], enum reason reason)
{
    uint8_t first[SERIAL_LEN];
    struct crl_track track;
    struct status_row s;
    struct cert c;
    enum err err = status_row_find(v, serial, &s);

    if (err == OK)
        err = crl_track_find(v, s.status.issuer_no, &track);
    if (err != OK || reason != REASON_KEY_COMPROMISE)
        return err;
    err = cert_load(v, s.number, &c);
    if (err == OK)
        err = key_compromised(v, c.key_hash, first);
    return err == ERR_NOT_FOUND ? OK : err;
}

static void remember_compromise(struct txn *t, const uint8_t serial[static SERIAL_LEN], uint64_t number)
{
    uint8_t first[SERIAL_LEN];
    struct cert c;
    struct key key;
    enum err err = cert_load(txn_view(t), number, &c);

    if (err == OK)
        err = key_compromised(txn_view(t), c.key_hash, first);
    if (err != ERR_NOT_FOUND) {
        txn_fail(t, err);
        return;
    }
    key = key_of_compromised(c.key_hash);
    table_set(t, TABLE_INDEX, key_span(&key), serial_span(serial));
}

void key_bar(struct txn *t, const uint8_t serial[static SERIAL_LEN])
{
    struct status_row s;
    struct cert c;

    if (txn_error(t) == OK && status_row_find(txn_view(t), serial, &s) == OK &&
        cert_load(txn_view(t), s.number, &c) == OK)
        remember_compromise(t, serial, s.number);
}

void cert_revoke(struct txn *t, const uint8_t serial[static SERIAL_LEN], enum reason reason,
                 int64_t revoked_at_s, int64_t invalidity_s)
{
    struct status_row from, to;
    enum err err;

    assert(reason != REASON_REMOVE_FROM_CRL);
    if (txn_error(t) != OK)
        return;
    err = status_row_find(txn_view(t), serial, &from);
    if (err != OK) {
        txn_fail(t, err);
        return;
    }
    to = from;
    to.status.state = reason == REASON_CERTIFICATE_HOLD ? CERT_HELD : CERT_REVOKED;
    to.status.reason = reason;
    to.status.revoked_at_s = revoked_at_s;
    to.status.invalidity_s = invalidity_s;
    if (from.status.state == CERT_REVOKED && to.status.state == CERT_HELD) {
        txn_fail(t, ERR_CONFLICT);
        return;
    }
    state_move(t, serial, &from, &to);
    if (reason == REASON_KEY_COMPROMISE)
        remember_compromise(t, serial, from.number);
}

void cert_unhold(struct txn *t, const uint8_t serial[static SERIAL_LEN])
{
    struct status_row from, to;
    enum err err;

    if (txn_error(t) != OK)
        return;
    err = status_row_find(txn_view(t), serial, &from);
    if (err == OK && from.status.state != CERT_HELD)
        err = ERR_CONFLICT;
    if (err != OK) {
        txn_fail(t, err);
        return;
    }
    to = from;
    to.status.state = CERT_VALID;
    to.status.reason = REASON_UNSPECIFIED;
    to.status.revoked_at_s = NO_TIME;
    to.status.invalidity_s = NO_TIME;
    state_move(t, serial, &from, &to);
}

/* ---- what a CRL lists ---- */

enum err revoked_each(struct view *v, uint16_t issuer_no, bool (*fn)(const struct revoked *r, void *arg),
                      void *arg)
{
    struct key prefix = key_of_issuer(issuer_no);
    struct revoked r;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_REVOKED, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&prefix), &e); err == OK && key_starts(e.key, key_span(&prefix));
         err = scan_next(&scan, &e)) {
        if (e.key.len != prefix.len + SERIAL_LEN || !row_get_revoked(e.row, &r)) {
            err = table_damaged(TABLE_REVOKED, e.key);
            break;
        }
        memcpy(r.serial, e.key.data + prefix.len, SERIAL_LEN);
        if (!fn(&r, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}
