/* SPDX-License-Identifier: Apache-2.0 */
/* token: secrets that people log in with. A part of the room's door, store/store.h, which says how views and
 * txns are used. */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "base/access.h"
#include "base/err.h"
#include "base/limits.h"

struct view;
struct txn;

#define TOKEN_ID_LEN 8u /* octets: the first of the hash: it names a token and says nothing of the secret */

/* Kept after it has ended, so that what it did can be laid at somebody's door. */
struct token {
    uint8_t hash[HASH_LEN]; /* SHA-256 of the secret as text: the secret itself is nowhere */
    enum access_role role;
    struct scope scope;
    char created_by[PRINCIPAL_MAX];
    int64_t created_at_s, expires_at_s;
    int64_t used_at_s, deleted_at_s; /* NO_TIME: never */
};
/* used_at_s and deleted_at_s are not read. ERR_CONFLICT: the id is taken. */
void token_add(struct txn *t, const struct token *k);
enum err token_find(struct view *v, const uint8_t hash[static HASH_LEN],
                    struct token *out); /* ERR_NOT_FOUND */
enum err token_find_id(struct view *v, const uint8_t id[static TOKEN_ID_LEN], struct token *out);
/* Both: ERR_NOT_FOUND. */
void token_use(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], int64_t at_s);
void token_delete(struct txn *t, const uint8_t id[static TOKEN_ID_LEN], int64_t at_s);
/* In order of id. fn returns false to stop. */
enum err token_each(struct view *v, bool (*fn)(const struct token *k, void *arg), void *arg);
/* Removes at most `most` (above 0) that ended, by deletion or time, before that time. Whoever made one that
 * is there stays: `created_by` "token:ID" leads to him. */
void token_prune(struct txn *t, int64_t before_s, unsigned most);

#endif
