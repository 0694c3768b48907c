/* SPDX-License-Identifier: Apache-2.0 */
/* idempotent: answers given under an Idempotency-Key, and the same by time so that old ones are found without
 * looking at all. */
#include <string.h>

#include "store/inner.h"

struct key key_of_answer(int64_t at_s, const uint8_t key[static HASH_LEN])
{
    struct key k = {.len = 0};

    key_put_time(&k, at_s);
    key_put(&k, key, HASH_LEN);
    return k;
}

enum err idempotent_find(struct view *v, const uint8_t key[static HASH_LEN], struct idempotent *out)
{
    struct span row = {0};
    enum err err = table_find(v, TABLE_IDEMPOTENT, span_of(key, HASH_LEN), &row);

    if (err == OK && !row_get_idempotent(row, out))
        return table_damaged(TABLE_IDEMPOTENT, span_of(key, HASH_LEN));
    return err;
}

void idempotent_add(struct txn *t, const uint8_t key[static HASH_LEN], const struct idempotent *i)
{
    struct key by_time = key_of_answer(i->at_s, key);
    struct buf *row = txn_row(t);

    row_put_idempotent(row, i);
    table_add(t, TABLE_IDEMPOTENT, span_of(key, HASH_LEN), buf_span(row));
    table_add(t, TABLE_IDEMPOTENT_TIME, key_span(&by_time), (struct span){0});
}

/* The oldest row by time, past those that are none. ERR_END when there is none before that time. */
static enum err oldest(struct txn *t, int64_t before_s, struct key *out)
{
    struct key limit = {.len = 0};
    struct entry e;
    struct scan scan;
    enum err err = scan_open(txn_view(t), TABLE_IDEMPOTENT_TIME, &scan);

    if (err != OK)
        return err;
    key_put_time(&limit, before_s);
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK && e.key.len != limit.len + HASH_LEN;
         err = scan_next(&scan, &e))
        (void)table_damaged(TABLE_IDEMPOTENT_TIME, e.key);
    if (err == OK && memcmp(e.key.data, limit.data, limit.len) >= 0)
        err = ERR_END;
    if (err == OK) {
        *out = (struct key){.len = 0};
        key_put(out, e.key.data, e.key.len);
    }
    scan_close(&scan);
    return err;
}

bool idempotent_prune(struct txn *t, int64_t before_s, unsigned most)
{
    unsigned left = most;
    struct key by_time;
    enum err err = OK;

    while (left > 0 && txn_error(t) == OK && (err = oldest(t, before_s, &by_time)) == OK) {
        left--;
        table_remove(t, TABLE_IDEMPOTENT, span_of(by_time.data + by_time.len - HASH_LEN, HASH_LEN));
        table_remove(t, TABLE_IDEMPOTENT_TIME, key_span(&by_time));
    }
    if (err != ERR_END)
        txn_fail(t, err);
    return left == 0 && txn_error(t) == OK;
}
