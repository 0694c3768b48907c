/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: the rows that lists are served from. Each ends in the certificate's number, so that within one value
 * they lie in order of issue. An index row only proposes: who reads one holds the certificate itself against
 * the query.
 */
#include <string.h>

#include "store/inner.h"

struct key key_of_index(enum index i)
{
    struct key k = {.len = 0};

    key_put_u8(&k, (uint8_t)i);
    return k;
}

static void add(struct txn *t, struct key *k, uint64_t number)
{
    key_put_u64(k, number);
    table_set(t, TABLE_INDEX, key_span(k), (struct span){0});
}

static void add_name(struct txn *t, enum index i, struct span name, uint64_t number)
{
    struct key k = key_of_index(i);

    if (name.len == 0)
        return;
    key_put_fold(&k, name);
    key_put_u8(&k, '\0');
    add(t, &k, number);
}

static void add_text(struct txn *t, enum index i, const char *text, uint64_t number)
{
    struct key k = key_of_index(i);

    key_put_text(&k, text);
    add(t, &k, number);
}

/* A name may stand in a certificate twice: its row is simply set again. */
static void add_sans(struct txn *t, struct span sans, uint64_t number)
{
    while (sans.len > 0) {
        size_t len = strnlen((const char *)sans.data, sans.len);

        add_name(t, INDEX_SAN, span_of(sans.data, len), number);
        if (len == sans.len)
            return;
        sans = span_of(sans.data + len + 1, sans.len - len - 1);
    }
}

void index_add(struct txn *t, const struct cert *c)
{
    struct key issuer = key_of_index(INDEX_ISSUER), key = key_of_index(INDEX_KEY),
               not_after = key_of_index(INDEX_NOT_AFTER);

    key_put_u16(&issuer, c->status.issuer_no);
    key_put(&key, c->key_hash, HASH_LEN);
    key_put_time(&not_after, c->status.not_after_s);
    add_name(t, INDEX_CN, c->cn, c->number);
    add(t, &issuer, c->number);
    add(t, &key, c->number);
    add(t, &not_after, c->number);
    add_text(t, INDEX_PROFILE, c->profile, c->number);
    add_text(t, INDEX_REQUESTER, c->requester, c->number);
    add_sans(t, c->sans, c->number);
}

static struct key key_of_state(enum cert_state state, uint64_t number)
{
    struct key k = key_of_index(INDEX_STATE);

    key_put_u8(&k, (uint8_t)state);
    key_put_u64(&k, number);
    return k;
}

void index_move_state(struct txn *t, uint64_t number, enum cert_state from, enum cert_state to)
{
    struct key old = key_of_state(from, number), new = key_of_state(to, number);

    if (from == to)
        return;
    if (from != CERT_VALID)
        table_remove(t, TABLE_INDEX, key_span(&old));
    if (to != CERT_VALID)
        table_set(t, TABLE_INDEX, key_span(&new), (struct span){0});
}
