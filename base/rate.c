/* SPDX-License-Identifier: Apache-2.0 */
/* rate: buckets in sets of eight; a key's place is a hash with a secret of this process, so that strangers
 * cannot choose to meet. */
#include "base/rate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"

#define SET 8u /* buckets looked at for one key: one cache line or two, and eviction is nearly global */
#define TAG_LEN 16u

struct bucket {
    uint8_t tag[TAG_LEN];
    uint64_t level; /* in parts: a whole one is span_ms of them */
    uint64_t full;  /* count * span_ms, of the rate it was last used with; 0: empty place */
    int64_t at_ms;
};

struct rate_table {
    uint8_t secret[16];
    size_t sets;
    struct bucket buckets[];
};

bool rate_parse(const char *text, struct rate *out)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"/s", 1000}, {"/m", 60 * 1000}, {"/h", 3600 * 1000}};
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (struct rate){0};
    if (strcmp(text, "none") == 0)
        return true;
    if (text[0] < '1' || text[0] > '9' || n > 1000000)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].unit, end) == 0)
            *out = (struct rate){.count = (uint32_t)n, .span_ms = units[i].ms};
    return out->count > 0;
}

struct rate_table *rate_table_new(size_t most)
{
    struct rate_table *t;

    assert(most >= SET && (most & (most - 1)) == 0);
    t = xcalloc(1, sizeof *t + most * sizeof t->buckets[0]);
    t->sets = most / SET;
    random_octets(t->secret, sizeof t->secret);
    return t;
}

void rate_table_free(struct rate_table *t)
{
    free(t);
}

static void tag_of(const struct rate_table *t, struct span key, uint8_t out[static HASH_LEN_MAX])
{
    struct hash *h = hash_begin(HASH_SHA256);

    hash_add(h, span_of(t->secret, sizeof t->secret));
    hash_add(h, key);
    hash_end(h, out);
}

/* Refills: each millisecond brings `count` parts. A clock that went back brings nothing. */
static void refill(struct bucket *b, uint32_t count, int64_t now_ms)
{
    uint64_t passed = now_ms > b->at_ms ? (uint64_t)(now_ms - b->at_ms) : 0;

    b->at_ms = now_ms;
    if (passed >= b->full / count + 1 || b->level + passed * count >= b->full)
        b->level = b->full;
    else
        b->level += passed * count;
}

/* How long ago it was full or used, roughly: the idlest makes way. */
static uint64_t missing(const struct bucket *b, int64_t now_ms)
{
    uint64_t passed = now_ms > b->at_ms ? (uint64_t)(now_ms - b->at_ms) : 0, lack = b->full - b->level;

    if (b->full == 0)
        return 0;
    return lack > passed ? 1 + lack - passed : 1;
}

static struct bucket *find(struct rate_table *t, const uint8_t *tag, const struct rate *r, int64_t now_ms)
{
    size_t set =
        ((size_t)tag[TAG_LEN] | (size_t)tag[TAG_LEN + 1] << 8 | (size_t)tag[TAG_LEN + 2] << 16) % t->sets;
    struct bucket *all = &t->buckets[set * SET], *idlest = all;
    uint64_t full = (uint64_t)r->count * (uint64_t)r->span_ms;

    for (size_t i = 0; i < SET; i++) {
        if (all[i].full == full && memcmp(all[i].tag, tag, TAG_LEN) == 0)
            return &all[i];
        if (missing(&all[i], now_ms) < missing(idlest, now_ms))
            idlest = &all[i];
    }
    *idlest = (struct bucket){.level = full, .full = full, .at_ms = now_ms};
    memcpy(idlest->tag, tag, TAG_LEN);
    return idlest;
}

bool rate_take(struct rate_table *t, const struct rate *r, struct span key, int64_t now_ms, unsigned *wait_s)
{
    uint8_t tag[HASH_LEN_MAX];
    struct bucket *b;
    uint64_t one = (uint64_t)r->span_ms;

    *wait_s = 0;
    if (r->count == 0)
        return true;
    tag_of(t, key, tag);
    b = find(t, tag, r, now_ms);
    refill(b, r->count, now_ms);
    if (b->level >= one) {
        b->level -= one;
        return true;
    }
    *wait_s = (unsigned)((one - b->level) / r->count / 1000 + 1);
    return false;
}
