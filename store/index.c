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

/* Who is told of each key that a certificate is found under. */
struct visit {
    index_fn *fn;
    void *arg;
};

static void tell(const struct visit *v, struct key *k, uint64_t number)
{
    key_put_u64(k, number);
    v->fn(k, (struct span){0}, v->arg);
}

static void tell_text(const struct visit *v, enum index i, const char *text, uint64_t number)
{
    struct key k = key_of_index(i);

    key_put_text(&k, text);
    tell(v, &k, number);
}

static struct key key_of_name(struct span name, uint64_t number)
{
    struct key k = key_of_index(INDEX_NAME);

    key_put_fold(&k, name);
    key_put_u8(&k, '\0');
    key_put_u64(&k, number);
    return k;
}

static void tell_name(const struct visit *v, const struct key *k, uint8_t use)
{
    v->fn(k, span_of(&use, 1), v->arg);
}

/* A CN is mostly one of the SANs, and each row lies on a page of its own. A SAN that stands there twice is
 * told twice. */
static void tell_names(const struct visit *v, const struct cert *c)
{
    struct key cn = key_of_name(c->cn, c->number);
    bool is_cn_due = c->cn.len > 0;
    struct span rest = c->sans, san;

    while (sans_take(&rest, &san)) {
        struct key k = key_of_name(san, c->number);
        bool is_cn = c->cn.len > 0 && span_eq(key_span(&k), key_span(&cn));

        if (san.len == 0)
            continue;
        tell_name(v, &k, is_cn ? NAME_CN | NAME_SAN : NAME_SAN);
        is_cn_due = is_cn_due && !is_cn;
    }
    if (is_cn_due)
        tell_name(v, &cn, NAME_CN);
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

void index_each(const struct cert *c, index_fn *fn, void *arg)
{
    struct key issuer = key_of_index(INDEX_ISSUER), key = key_of_index(INDEX_KEY),
               not_after = key_of_index(INDEX_NOT_AFTER);
    const struct visit v = {fn, arg};

    key_put_u16(&issuer, c->status.issuer_no);
    key_put(&key, c->key_hash, HASH_LEN);
    key_put_time(&not_after, c->status.not_after_s);
    tell(&v, &issuer, c->number);
    tell(&v, &key, c->number);
    tell(&v, &not_after, c->number);
    tell_text(&v, INDEX_PROFILE, c->profile, c->number);
    tell_text(&v, INDEX_REQUESTER, c->requester, c->number);
    tell_names(&v, c);
}

static void set(const struct key *k, struct span row, void *arg)
{
    table_set(arg, TABLE_INDEX, key_span(k), row);
}

void index_add(struct txn *t, const struct cert *c)
{
    index_each(c, set, t);
}

struct key index_state_key(enum cert_state state, uint64_t number)
{
    struct key k = key_of_index(INDEX_STATE);

    key_put_u8(&k, (uint8_t)state);
    key_put_u64(&k, number);
    return k;
}

void index_move_state(struct txn *t, uint64_t number, enum cert_state from, enum cert_state to)
{
    struct key old = index_state_key(from, number), new = index_state_key(to, number);

    if (from == to)
        return;
    if (from != CERT_VALID)
        table_remove(t, TABLE_INDEX, key_span(&old));
    if (to != CERT_VALID)
        table_set(t, TABLE_INDEX, key_span(&new), (struct span){0});
}
