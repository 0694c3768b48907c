/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: kept answers in buckets by CertID and on one ring, on which a hand goes round for whom to forget: a
 * second chance for those asked for since it last passed. One piece of memory an answer.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "ocsp/inner.h"

#define ANSWER_USUAL 1024u /* octets: what buckets are counted for */

uint64_t cache_hash(const struct cache *c, struct span certid)
{
    uint64_t h = c->key[0] ^ certid.len, word;

    for (size_t i = 0; i < certid.len; i += sizeof word) {
        size_t left = certid.len - i;

        word = 0;
        memcpy(&word, certid.data + i, left < sizeof word ? left : sizeof word);
        h = (h ^ word) * c->key[1];
        h ^= h >> 29;
    }
    return h * c->key[0] ^ h >> 32;
}

void cache_open(struct cache *c, size_t max)
{
    *c = (struct cache){.max = max, .bucket_count = 1};
    while (c->bucket_count < max / ANSWER_USUAL)
        c->bucket_count *= 2;
    c->buckets = xcalloc(c->bucket_count, sizeof *c->buckets);
    random_octets((uint8_t *)c->key, sizeof c->key);
    c->key[0] |= 1; /* odd: a multiplication loses nothing */
    c->key[1] |= 1;
}

void cache_clear(struct cache *c)
{
    while (c->hand != NULL)
        cache_remove(c, c->hand);
}

void cache_close(struct cache *c)
{
    cache_clear(c);
    free(c->buckets);
    *c = (struct cache){0};
}

struct span cached_certid(const struct cached *e)
{
    return span_of(e->octets, e->certid_len);
}

struct span cached_der(const struct cached *e)
{
    return span_of(e->octets + e->certid_len, e->der_len);
}

static struct cached **bucket_of(const struct cache *c, uint64_t hash)
{
    return &c->buckets[hash & (c->bucket_count - 1)];
}

struct cached *cache_find(const struct cache *c, uint64_t hash, struct span certid)
{
    if (c->buckets == NULL)
        return NULL;
    for (struct cached *e = *bucket_of(c, hash); e != NULL; e = e->next)
        if (e->hash == hash && span_eq(cached_certid(e), certid))
            return e;
    return NULL;
}

static size_t size_of(const struct cached *e)
{
    return sizeof *e + e->certid_len + e->der_len;
}

void cache_remove(struct cache *c, struct cached *e)
{
    struct cached **at = bucket_of(c, e->hash);

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    e->newer->older = e->older;
    e->older->newer = e->newer;
    if (c->hand == e)
        c->hand = e->newer != e ? e->newer : NULL;
    c->count--;
    c->octets -= size_of(e);
    delegate_drop(e->delegate);
    free(e);
}

/* Ends: each step clears a mark or removes. */
static void make_room(struct cache *c, size_t size)
{
    while (c->hand != NULL && c->octets + size > c->max) {
        struct cached *e = c->hand;

        c->hand = e->newer;
        if (e->is_spared)
            e->is_spared = false;
        else
            cache_remove(c, e);
    }
}

/* Behind the hand: the last that it comes to. */
static void ring_add(struct cache *c, struct cached *e)
{
    if (c->hand == NULL) {
        e->newer = e->older = c->hand = e;
        return;
    }
    e->newer = c->hand;
    e->older = c->hand->older;
    e->older->newer = e;
    c->hand->older = e;
}

struct cached *cache_put(struct cache *c, const struct cached *like, struct span certid, struct span der)
{
    struct cached *e = cache_find(c, like->hash, certid);
    size_t size = sizeof *e + certid.len + der.len;

    assert(certid.len <= CERTID_MAX);
    if (e != NULL)
        cache_remove(c, e);
    if (size > c->max)
        return NULL;
    make_room(c, size);
    e = xmalloc(size);
    *e = *like;
    e->certid_len = certid.len;
    e->der_len = der.len;
    memcpy(e->octets, certid.data, certid.len);
    memcpy(e->octets + certid.len, der.data, der.len);
    e->delegate = delegate_hold(like->delegate);
    e->next = *bucket_of(c, e->hash);
    *bucket_of(c, e->hash) = e;
    ring_add(c, e);
    c->count++;
    c->octets += size;
    return e;
}
