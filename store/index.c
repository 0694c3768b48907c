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

static void add_text(struct txn *t, enum index i, const char *text, uint64_t number)
{
    struct key k = key_of_index(i);

    key_put_text(&k, text);
    add(t, &k, number);
}

static struct key key_of_name(struct span name, uint64_t number)
{
    struct key k = key_of_index(INDEX_NAME);

    key_put_fold(&k, name);
    key_put_u8(&k, '\0');
    key_put_u64(&k, number);
    return k;
}

static void add_name(struct txn *t, const struct key *k, uint8_t use)
{
    table_set(t, TABLE_INDEX, key_span(k), span_of(&use, 1));
}

/* A CN is mostly one of the SANs, and each row lies on a page of its own. A SAN that stands there twice is
 * set twice. */
static void add_names(struct txn *t, const struct cert *c)
{
    struct key cn = key_of_name(c->cn, c->number);
    bool is_cn_due = c->cn.len > 0;
    struct span rest = c->sans, san;

    while (sans_take(&rest, &san)) {
        struct key k = key_of_name(san, c->number);
        bool is_cn = c->cn.len > 0 && span_eq(key_span(&k), key_span(&cn));

        if (san.len == 0)
            continue;
        add_name(t, &k, is_cn ? NAME_CN | NAME_SAN : NAME_SAN);
        is_cn_due = is_cn_due && !is_cn;
    }
    if (is_cn_due)
        add_name(t, &cn, NAME_CN);
}

bool sans_take(struct span *rest, struct span *name)
{
    size_t len;

    if (rest->len == 0)
        return false;
    len = strnlen((const char *)rest->data, rest->len);
    *name = span_of(rest->data, len);
    *rest = len < rest->len ? span_of(rest->data + len + 1, rest->len - len - 1) : (struct span){0};
    return true;
}

void index_add(struct txn *t, const struct cert *c)
{
    struct key issuer = key_of_index(INDEX_ISSUER), key = key_of_index(INDEX_KEY),
               not_after = key_of_index(INDEX_NOT_AFTER);

    key_put_u16(&issuer, c->status.issuer_no);
    key_put(&key, c->key_hash, HASH_LEN);
    key_put_time(&not_after, c->status.not_after_s);
    add(t, &issuer, c->number);
    add(t, &key, c->number);
    add(t, &not_after, c->number);
    add_text(t, INDEX_PROFILE, c->profile, c->number);
    add_text(t, INDEX_REQUESTER, c->requester, c->number);
    add_names(t, c);
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
