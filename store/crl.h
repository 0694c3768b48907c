/* SPDX-License-Identifier: Apache-2.0 */
/* crl: what belongs into an issuer's lists, and how they stand: the complete one, shards and deltas. A part
 * of the room's door, store/store.h, which says how views and txns are used. */
#ifndef STORE_CRL_H
#define STORE_CRL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reason.h"

struct view;
struct txn;

struct revoked {
    uint8_t serial[SERIAL_LEN];
    enum reason reason;
    int64_t revoked_at_s, invalidity_s, not_after_s;
};

/* Held and revoked certificates of one issuer in ascending serial order (as unsigned big-endian). Streams:
 * memory does not depend on the count. */
enum err revoked_each(struct view *v, uint16_t issuer_no, bool (*fn)(const struct revoked *r, void *arg),
                      void *arg);

struct crl_state {
    uint64_t reserved; /* highest number ever handed out: numbers are used once, even when publishing fails */
    uint64_t number;   /* of the published CRL; 0: none yet */
    int64_t this_update_s, next_update_s;
    uint64_t size;            /* octets of the DER */
    uint64_t count;           /* entries */
    uint8_t sha256[HASH_LEN]; /* of the DER */
};

enum err crl_state_find(struct view *v, uint16_t issuer_no,
                        struct crl_state *out); /* all zero when none yet: still OK */
void crl_state_reserve(struct txn *t, uint16_t issuer_no, uint64_t *number); /* reserved + 1 */
/* The reserved number, by so much and to no less than `least`. ERR_CONFLICT: it would be beyond 63 bits. */
void crl_state_raise(struct txn *t, uint16_t issuer_no, uint64_t by, uint64_t least);
void crl_state_publish(
    struct txn *t, uint16_t issuer_no,
    const struct crl_state *s); /* s->number must be reserved and above the published one: ERR_CONFLICT */

/* ---- shards and deltas: an issuer's lists beside its complete one ---- */

/*
 * An issuer's lists beside its complete one. A shard is a node of the binary tree over serial numbers: 1 is
 * every serial; 2^n + i are those whose fourth octet (the first random one) starts with the n bits of i. So
 * one number tells how many shards there are and which of them this is, and the shards of another count never
 * take a name that certificates carry already.
 */
#define SHARD_ALL 1u
#define SHARDS_MAX 256u             /* lists an issuer is split into: 40,000 entries each at 10 million */
#define SHARD_END (2u * SHARDS_MAX) /* first number that is no shard */
/* `shards`: a power of two, 1..SHARDS_MAX. */
uint16_t shard_of(const uint8_t serial[static SERIAL_LEN], unsigned shards);
bool shard_has(uint16_t shard, const uint8_t serial[static SERIAL_LEN]);

/* The file and URL name of a list, without suffix: "rsa-g1", "rsa-g1-19", "rsa-g1-delta", "rsa-g1-19-delta".
 */
#define CRL_NAME_MAX (ISSUER_ID_MAX + sizeof "-511-delta" - 1)
void crl_part_name(const char *issuer_id, uint16_t shard, bool is_delta, char out[static CRL_NAME_MAX]);
/* Reads what follows the issuer's id in it, which may be nothing. False: that is no list's name. */
[[nodiscard]] bool crl_part_read(const char *rest, uint16_t *shard, bool *is_delta);
/* Could a shard or delta of issuer `of` have the file and the URL of the complete list of issuer `id`?
 * Whether there are any now is not asked: certificates name them for life. */
bool crl_part_is_named(const char *id, const char *of);

struct crl_part {
    uint16_t shard; /* 1..SHARD_END - 1 */
    bool is_delta;
    struct crl_state state; /* `reserved` is not read and not given */
    /* of the complete list of all alone: */
    uint64_t changes; /* crl_track's, in the view that it was made from */
    int64_t shown_s;  /* what ended before is not on it; NO_TIME: everything is */
};
/* All zero when none yet: still OK. */
enum err crl_part_find(struct view *v, uint16_t issuer_no, uint16_t shard, bool is_delta,
                       struct crl_state *out);
/* The number must be reserved and above that of the part in force: ERR_CONFLICT. The complete list of all is
 * the issuer's crl_state, and the base of its next deltas. */
void crl_part_publish(struct txn *t, uint16_t issuer_no, const struct crl_part *p);

/* What changed since the base. Every move of a state is one change of its issuer, and so is each address or
 * count of shards that certificates begin to name. */
struct crl_track {
    uint64_t changes;     /* so far */
    uint64_t base;        /* of these, what the complete list in force shows */
    uint64_t moved;       /* of these, the last that was an address or a count of shards; 0: none was */
    int64_t base_shown_s; /* its shown_s */
    uint16_t shards;      /* 2^n in it: certificates name the shards of that count; for good */
    struct span urls;     /* what stood before /crl/ in them, each ended by one NUL */
};
enum err crl_track_find(struct view *v, uint16_t issuer_no,
                        struct crl_track *out); /* all zero, base_shown_s NO_TIME, when none yet */
/* From now on certificates name the shards of this count (a power of two) under this URL. ERR_TOO_LARGE: more
 * than SHARD_URLS_MAX of these. */
#define SHARD_URLS_MAX 8u /* a service that moves every year, and certificates of eight */
void crl_shards_use(struct txn *t, uint16_t issuer_no, unsigned shards, const char *url);
bool crl_shards_used(const struct crl_track *k, unsigned shards, const char *url);

/* The certificates of this issuer whose state moved after the base, in ascending serial order, each once: as
 * revoked_each() has it, or, when it is on no list any more, with REASON_REMOVE_FROM_CRL and the times of the
 * entry that is gone. */
enum err crl_change_each(struct view *v, uint16_t issuer_no, bool (*fn)(const struct revoked *r, void *arg),
                         void *arg);
/* ERR_NOT_FOUND: it did not move since. */
enum err crl_change_find(struct view *v, uint16_t issuer_no, const uint8_t serial[static SERIAL_LEN]);
/* Forgets changes that the base shows: looks at no more than `most` rows from `at` on. Gives in `at` where to
 * go on; false: at the end, `at` is all zero again. */
#define CHANGE_PRUNE_MAX 1000u /* rows: some milliseconds */
bool crl_change_prune(struct txn *t, uint16_t issuer_no, uint8_t at[static SERIAL_LEN], unsigned most);

#endif
