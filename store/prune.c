/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune: forgets certificates that ended long ago, a slice at a time. What a list in force shows, or what a
 * delta has still to say, stays; so do holds, which somebody has yet to decide, and the keys known to be
 * compromised. A damaged one stays too and holds up nobody: told, and passed over.
 */
#include <stdlib.h>

#include "base/log.h"
#include "store/inner.h"

/* ---- which ---- */

/* Where a certificate stands in the order of ends. */
struct ended {
    int64_t at_s;
    uint64_t number;
};

static bool ended_of_key(struct span key, struct ended *out)
{
    struct rd r = rd_of(key);

    (void)rd_u8(&r);
    out->at_s = rd_time(&r);
    out->number = rd_u64(&r);
    return rd_done(&r);
}

struct slice {
    struct ended items[CERT_PRUNE_MAX];
    unsigned count;
    bool is_end;
};

/* Reads before it removes: a cursor does not outlive a write. */
static enum err slice_read(struct view *v, const struct cert_prune *p, unsigned most, struct slice *out)
{
    struct key from = key_of_index(INDEX_NOT_AFTER), end = from;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_INDEX, &scan);

    if (err != OK)
        return err;
    key_put_time(&from, p->is_under_way ? p->at_s : INT64_MIN);
    key_put_u64(&from, p->is_under_way ? p->at_number : 0);
    key_put_time(&end, p->before_s);
    for (err = scan_from(&scan, key_span(&from), &e); err == OK && out->count < most;
         err = scan_next(&scan, &e)) {
        if (key_compare(e.key, key_span(&end)) >= 0)
            break;
        if (ended_of_key(e.key, &out->items[out->count]))
            out->count++;
        else
            (void)table_damaged(TABLE_INDEX, e.key); /* it leads nowhere, and is in nobody's way */
    }
    out->is_end = out->count < most;
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

/* The shards' lists of the run that made the complete one in force have replaced those before it. */
static enum err shards_are_new(struct view *v, const struct cert *c, const struct crl_track *k, bool *are)
{
    struct crl_state whole, part;
    enum err err = crl_state_find(v, c->status.issuer_no, &whole);

    *are = err == OK && whole.number > 0;
    for (unsigned shards = 2; *are && err == OK && shards <= SHARDS_MAX; shards *= 2) {
        if ((k->shards & shards) == 0)
            continue;
        err = crl_part_find(v, c->status.issuer_no, shard_of(c->serial, shards), false, &part);
        *are = err == OK && part.number >= whole.number;
    }
    return err;
}

/* RFC 5280 3.3: an entry stays until a list that was issued after the certificate's end has shown it; what
 * the list in force left out has been shown. */
static enum err is_off_the_lists(struct view *v, const struct cert *c, bool *is)
{
    const struct status *s = &c->status;
    struct crl_track k;
    enum err err = crl_change_find(v, s->issuer_no, c->serial);

    *is = false;
    if (err != ERR_NOT_FOUND)
        return err;
    *is = s->state == CERT_VALID;
    if (s->state != CERT_REVOKED)
        return OK;
    err = crl_track_find(v, s->issuer_no, &k);
    if (err != OK || k.base_shown_s == NO_TIME || s->not_after_s >= k.base_shown_s ||
        s->revoked_at_s >= k.base_shown_s)
        return err;
    return shards_are_new(v, c, &k, is);
}

/* ---- removing ---- */

#define KEYS_MAX (SAN_COUNT_MAX + 16u) /* index rows of one certificate */
struct keys {
    struct key items[KEYS_MAX];
    size_t count;
    bool is_over; /* there are more, which no certificate has */
};

/* A name that stands there twice is one row. */
static void keep_key(const struct key *k, struct span row, void *arg)
{
    struct keys *x = arg;

    (void)row;
    for (size_t i = 0; i < x->count; i++)
        if (span_eq(key_span(&x->items[i]), key_span(k)))
            return;
    x->is_over = x->count == KEYS_MAX;
    if (!x->is_over)
        x->items[x->count++] = *k;
}

static enum err row_expect(struct view *v, enum table t, struct span key)
{
    struct span row = {0};
    enum err err = table_find(v, t, key, &row);

    return err == ERR_NOT_FOUND ? table_damaged(t, key) : err;
}

/* All that is to go is there, before any of it goes: half of a certificate would be worse than a damaged one.
 */
static enum err keys_collect(struct view *v, const struct cert *c, struct keys *out)
{
    struct key entry = key_of_revoked(c->status.issuer_no, c->serial),
               state = index_state_key(CERT_REVOKED, c->number);
    enum err err = OK;

    out->count = 0;
    out->is_over = false;
    if (c->status.state == CERT_REVOKED) {
        keep_key(&state, (struct span){0}, out);
        err = row_expect(v, TABLE_REVOKED, key_span(&entry));
    }
    index_each(c, keep_key, out);
    if (out->is_over)
        return table_damaged(TABLE_STATUS, span_of(c->serial, SERIAL_LEN));
    for (size_t i = 0; err == OK && i < out->count; i++)
        err = row_expect(v, TABLE_INDEX, key_span(&out->items[i]));
    return err;
}

/* What `c` borrows is gone with the first removal. */
static void cert_remove(struct txn *t, const struct cert *c, const struct keys *keys)
{
    struct key number = key_of_number(c->number), entry = key_of_revoked(c->status.issuer_no, c->serial);

    for (size_t i = 0; i < keys->count; i++)
        table_remove(t, TABLE_INDEX, key_span(&keys->items[i]));
    if (c->status.state == CERT_REVOKED) {
        table_remove(t, TABLE_REVOKED, key_span(&entry));
        txn_counters(t)->revoked--;
    }
    table_remove(t, TABLE_STATUS, span_of(c->serial, SERIAL_LEN));
    table_remove(t, TABLE_CERT, key_span(&number));
    txn_counters(t)->certificates--;
}

/* One that cannot be read, or does not end when the index says, is told where that is seen, and stays. */
static void prune_one(struct txn *t, struct cert_prune *p, const struct ended *at, struct keys *keys)
{
    struct cert c;
    bool is_free = false;
    enum err err = cert_load(txn_view(t), at->number, &c);

    p->at_s = at->at_s;
    p->at_number = at->number + 1;
    if (err == OK)
        err = cert_load_state(txn_view(t), &c);
    if (err == OK && c.status.not_after_s != at->at_s)
        err = table_damaged(TABLE_STATUS, span_of(c.serial, SERIAL_LEN));
    if (err == OK && (p->keeps == NULL || !p->keeps(&c)))
        err = is_off_the_lists(txn_view(t), &c, &is_free);
    if (err == OK && is_free)
        err = keys_collect(txn_view(t), &c, keys);
    if (err != ERR_INTERNAL)
        txn_fail(t, err);
    if (err != OK || !is_free)
        return;
    cert_remove(t, &c, keys);
    p->count++;
    p->up_to_s = c.status.not_after_s;
}

bool cert_prune(struct txn *t, struct cert_prune *p, unsigned most)
{
    struct slice *s = xcalloc(1, sizeof *s);
    struct keys *keys = xcalloc(1, sizeof *keys);

    p->count = 0;
    p->up_to_s = NO_TIME;
    if (txn_error(t) == OK)
        txn_fail(t, slice_read(txn_view(t), p, most < CERT_PRUNE_MAX ? most : CERT_PRUNE_MAX, s));
    for (unsigned i = 0; txn_error(t) == OK && i < s->count; i++)
        prune_one(t, p, &s->items[i], keys);
    p->is_under_way = txn_error(t) == OK && !s->is_end;
    free(keys);
    free(s);
    return p->is_under_way;
}
