/* SPDX-License-Identifier: Apache-2.0 */
/* crl_part: the deltas and shards of an issuer as they were published last, and what its deltas are made
 * from. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/inner.h"

#define RANDOM_AT 3 /* the first octet of a serial that is random: node and expiry bucket are before it */

/* ---- shards ---- */

static unsigned bits_of(unsigned shards)
{
    assert(shards > 0 && shards <= SHARDS_MAX && (shards & (shards - 1)) == 0);
    return (unsigned)__builtin_ctz(shards);
}

uint16_t shard_of(const uint8_t serial[static SERIAL_LEN], unsigned shards)
{
    return (uint16_t)((SHARDS_MAX | serial[RANDOM_AT]) >> (8 - bits_of(shards)));
}

bool shard_has(uint16_t shard, const uint8_t serial[static SERIAL_LEN])
{
    unsigned shards = 1;

    assert(shard > 0 && shard < SHARD_END);
    while (2 * shards <= shard)
        shards *= 2;
    return shard_of(serial, shards) == shard;
}

/* ---- track ---- */

static struct key key_of_part(uint16_t issuer_no, uint16_t shard, bool is_delta)
{
    struct key k = key_of_issuer(issuer_no);

    key_put_u16(&k, shard);
    key_put_u8(&k, is_delta);
    return k;
}

enum err crl_track_find(struct view *v, uint16_t issuer_no, struct crl_track *out)
{
    struct key key = key_of_part(issuer_no, 0, false);
    struct span row = {0};
    enum err err = table_find(v, TABLE_CRL_PART, key_span(&key), &row);

    *out = (struct crl_track){.base_shown_s = NO_TIME};
    if (err == ERR_NOT_FOUND)
        return OK;
    if (err == OK && !row_get_crl_track(row, out))
        return table_damaged(TABLE_CRL_PART, key_span(&key));
    return err;
}

void crl_track_set(struct txn *t, uint16_t issuer_no, const struct crl_track *k)
{
    struct key key = key_of_part(issuer_no, 0, false);
    struct buf *row = txn_row(t);

    row_put_crl_track(row, k);
    table_set(t, TABLE_CRL_PART, key_span(&key), buf_span(row));
}

/* How many URLs there are, and whether this one is among them. */
static unsigned urls_count(struct span urls, const char *url, bool *is_there)
{
    unsigned count = 0;

    *is_there = false;
    for (size_t at = 0; at < urls.len; at += strlen((const char *)urls.data + at) + 1) {
        *is_there = *is_there || strcmp((const char *)urls.data + at, url) == 0;
        count++;
    }
    return count;
}

bool crl_shards_used(const struct crl_track *k, unsigned shards, const char *url)
{
    bool is_there;

    (void)urls_count(k->urls, url, &is_there);
    return is_there && (k->shards & shards) != 0;
}

void crl_shards_use(struct txn *t, uint16_t issuer_no, unsigned shards, const char *url)
{
    struct crl_track k;
    struct buf urls;
    bool is_there;

    if (txn_error(t) != OK)
        return;
    txn_fail(t, crl_track_find(txn_view(t), issuer_no, &k));
    buf_init(&urls, ROW_MAX);
    buf_put_span(&urls, k.urls);
    if (urls_count(k.urls, url, &is_there) == SHARD_URLS_MAX && !is_there)
        txn_fail(t, ERR_TOO_LARGE);
    if (!is_there)
        buf_put(&urls, url, strlen(url) + 1);
    k.shards |= (uint16_t)(1u << bits_of(shards));
    k.moved = ++k.changes;
    k.urls = buf_span(&urls);
    crl_track_set(t, issuer_no, &k);
    buf_free(&urls);
}

static void base_set(struct txn *t, uint16_t issuer_no, const struct crl_part *p)
{
    struct crl_track k;

    txn_fail(t, crl_track_find(txn_view(t), issuer_no, &k));
    if (txn_error(t) == OK && p->changes > k.changes)
        txn_fail(t, ERR_CONFLICT);
    if (txn_error(t) != OK)
        return;
    k.base = p->changes;
    k.base_shown_s = p->shown_s;
    crl_track_set(t, issuer_no, &k);
}

/* ---- parts ---- */

void crl_part_name(const char *issuer_id, uint16_t shard, bool is_delta, char out[static CRL_NAME_MAX])
{
    char number[8] = "";
    int n;

    if (shard != SHARD_ALL)
        snprintf(number, sizeof number, "-%u", shard);
    n = snprintf(out, CRL_NAME_MAX, "%s%s%s", issuer_id, number, is_delta ? "-delta" : "");
    assert(n > 0 && (size_t)n < CRL_NAME_MAX); /* ids are checked where they come in */
}

/* "-19", and nothing else that a number can look like. */
static bool take_shard(const char **at, uint16_t *shard)
{
    char *end;
    unsigned long n;

    if ((*at)[0] != '-' || (*at)[1] < '1' || (*at)[1] > '9')
        return false;
    n = strtoul(*at + 1, &end, 10);
    if (n <= SHARD_ALL || n >= SHARD_END)
        return false;
    *shard = (uint16_t)n;
    *at = end;
    return true;
}

bool crl_part_read(const char *rest, uint16_t *shard, bool *is_delta)
{
    *shard = SHARD_ALL;
    (void)take_shard(&rest, shard);
    *is_delta = strcmp(rest, "-delta") == 0;
    return *is_delta || *rest == '\0';
}

bool crl_part_is_named(const char *id, const char *of)
{
    size_t len = strlen(of);
    uint16_t shard;
    bool is_delta;

    return strncmp(id, of, len) == 0 && id[len] != '\0' && crl_part_read(id + len, &shard, &is_delta);
}

enum err crl_part_find(struct view *v, uint16_t issuer_no, uint16_t shard, bool is_delta,
                       struct crl_state *out)
{
    struct key key = key_of_part(issuer_no, shard, is_delta);
    struct span row = {0};
    enum err err;

    assert(shard > 0 && shard < SHARD_END);
    if (shard == SHARD_ALL && !is_delta)
        return crl_state_find(v, issuer_no, out);
    memset(out, 0, sizeof *out);
    err = table_find(v, TABLE_CRL_PART, key_span(&key), &row);
    if (err == ERR_NOT_FOUND)
        return OK;
    if (err == OK && !row_get_crl_state(row, out))
        return table_damaged(TABLE_CRL_PART, key_span(&key));
    out->reserved = 0;
    return err;
}

static void part_set(struct txn *t, uint16_t issuer_no, const struct crl_part *p, uint64_t reserved)
{
    struct key key = key_of_part(issuer_no, p->shard, p->is_delta);
    struct crl_state s = p->state;
    struct buf *row = txn_row(t);

    s.reserved = reserved; /* the row's reader wants no number above it */
    row_put_crl_state(row, &s);
    table_set(t, TABLE_CRL_PART, key_span(&key), buf_span(row));
}

void crl_part_publish(struct txn *t, uint16_t issuer_no, const struct crl_part *p)
{
    struct crl_state whole, old;

    if (txn_error(t) != OK)
        return;
    if (p->shard == SHARD_ALL && !p->is_delta) {
        crl_state_publish(t, issuer_no, &p->state);
        base_set(t, issuer_no, p);
        return;
    }
    txn_fail(t, crl_state_find(txn_view(t), issuer_no, &whole));
    txn_fail(t, crl_part_find(txn_view(t), issuer_no, p->shard, p->is_delta, &old));
    if (txn_error(t) == OK && (p->state.number > whole.reserved || p->state.number <= old.number))
        txn_fail(t, ERR_CONFLICT);
    part_set(t, issuer_no, p, whole.reserved);
}
