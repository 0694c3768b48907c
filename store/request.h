/* SPDX-License-Identifier: Apache-2.0 */
/* request: requests that wait for an approval, and what was answered under an Idempotency-Key. A part of the
 * room's door, store/store.h, which says how views and txns are used. */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "store/cursor.h"

struct view;
struct txn;

#define REQUEST_ID_LEN 16u      /* octets, random: the id tells nothing and cannot be guessed */
#define REQUEST_REASON_MAX 512u /* octets with the NUL: a sentence or two, as people decide */

enum request_state {
    REQUEST_ANY, /* in a query alone */
    REQUEST_PENDING,
    REQUEST_APPROVED,
    REQUEST_DENIED,
    REQUEST_EXPIRED
};

/* Kept for good once decided: who asked for what, and who said what to it. */
struct request {
    uint8_t id[REQUEST_ID_LEN];
    enum request_state state;
    char profile[PROFILE_ID_MAX];
    char asker[PRINCIPAL_MAX];
    uint32_t days;          /* as asked, 0: the profile's default */
    uint8_t same[HASH_LEN]; /* two requests that agree here are one: unique among the pending ones */
    struct span facts;      /* as facts_write(), the CSR within */
    struct span findings;   /* as findings_write(), when it was asked */
    int64_t asked_at_s, expires_at_s;
    int64_t decided_at_s; /* NO_TIME while pending, as everything below */
    char decided_by[PRINCIPAL_MAX];
    struct span reason;         /* text, of a denial */
    uint8_t serial[SERIAL_LEN]; /* of the certificate, when approved */
};

/* Adds a pending one; state and what a decision says are not read. ERR_CONFLICT: the id is taken, or a
 * pending one has the same `same`. */
void request_add(struct txn *t, const struct request *r);
/* Remembers a key under which it was asked; there may be several. An earlier request under it is forgotten.
 */
void request_add_key(struct txn *t, const uint8_t id[static REQUEST_ID_LEN],
                     const uint8_t key[static HASH_LEN], const uint8_t body[static HASH_LEN]);
enum err request_find(struct view *v, const uint8_t id[static REQUEST_ID_LEN],
                      struct request *out); /* ERR_NOT_FOUND */
/* The pending one of that `same`. ERR_NOT_FOUND */
enum err request_find_same(struct view *v, const uint8_t same[static HASH_LEN], struct request *out);
/* The latest one asked under that Idempotency-Key, in whatever state, and the body it came with: both as in
 * struct idempotent. ERR_NOT_FOUND */
enum err request_find_key(struct view *v, const uint8_t key[static HASH_LEN], uint8_t body[static HASH_LEN],
                          struct request *out);
/* The pending one that ends first of those that can be read, when that is not after now_s. ERR_NOT_FOUND */
enum err request_find_due(struct view *v, int64_t now_s, struct request *out);
/* How many of this asker's are pending; counts no further than `most`. */
enum err request_count(struct view *v, const char *asker, unsigned most, unsigned *count);

/* How many are pending, counting no further than `most`, and when the oldest of them was asked (NO_TIME: none
 * is). */
enum err request_waiting(struct view *v, unsigned most, unsigned *count, int64_t *oldest_s);

struct decision {
    enum request_state state; /* one of the last three */
    const char *by;           /* a principal, "service" */
    const char *reason;       /* NULL: none */
    const uint8_t *serial;    /* SERIAL_LEN octets, with REQUEST_APPROVED */
    int64_t at_s;
};
/* ERR_NOT_FOUND; ERR_CONFLICT: it is decided already. */
void request_decide(struct txn *t, const uint8_t id[static REQUEST_ID_LEN], const struct decision *d);

struct request_query {
    enum request_state state;
    const char *after; /* cursor of the previous page; NULL: first */
    unsigned limit;    /* 1..LIST_LIMIT_MAX */
};
/* One page, the latest asked first (of one second, by id), as cert_list() does it. ERR_MALFORMED: a bad
 * cursor or one of another state, a limit out of range. */
enum err request_list(struct view *v, const struct request_query *q,
                      bool (*fn)(const struct request *r, void *arg), void *arg,
                      char next[static CURSOR_MAX]);

/* ---- idempotency ---- */

/* Answers already given under an Idempotency-Key. `key` is SHA-256 of principal and key; `body` of what was
 * asked. */
struct idempotent {
    uint8_t body[HASH_LEN];
    uint8_t serial[SERIAL_LEN];
    int64_t at_s;
};
enum err idempotent_find(struct view *v, const uint8_t key[static HASH_LEN],
                         struct idempotent *out); /* ERR_NOT_FOUND */
/* ERR_CONFLICT: the key has an answer already. */
void idempotent_add(struct txn *t, const uint8_t key[static HASH_LEN], const struct idempotent *i);
/* Removes at most `most` rows older than before_s. True: as many, and there may be more. */
bool idempotent_prune(struct txn *t, int64_t before_s, unsigned most);

#endif
