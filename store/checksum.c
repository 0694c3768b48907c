/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checksum: what stands before a row in the file: a mark that is no version of a row, and the beginning of a
 * SHA-256 over table, key and row. So an octet that was bent is seen also where the row is still well formed
 * and nothing repeats it, and so is a row under the key of another. Rows of before have none. It is against
 * damage: who writes the file on purpose can make one, and the audit's seal is against that.
 */
#include <string.h>

#include "base/hash.h"
#include "store/inner.h"

#define MARK 0xf4u /* six bits from the version of any row */
#define SUM_LEN (CHECKSUM_LEN - 1)

/* Not those whose every octet another row repeats, as store_check() sees, and which are most of all: states,
 * entries of CRLs, what things are found by. Nor the audit, which has its chain. */
static const bool covered[TABLE_COUNT] = {
    [TABLE_META] = true,       [TABLE_CERT] = true,     [TABLE_ISSUER] = true,     [TABLE_CRL_STATE] = true,
    [TABLE_IDEMPOTENT] = true, [TABLE_REQUEST] = true,  [TABLE_TOKEN] = true,      [TABLE_PERMIT] = true,
    [TABLE_RESPONDER] = true,  [TABLE_CRL_PART] = true, [TABLE_CRL_CHANGE] = true,
};

/* Of the indexes what no other row says: a compromised key outlives its certificate, and of an
 * Idempotency-Key a request knows nothing. The schema is read by programs of before. */
bool checksum_covers(enum table t, struct span key)
{
    uint8_t tag = key.len > 0 ? key.data[0] : 0;

    if (t == TABLE_INDEX)
        return tag == INDEX_COMPROMISED;
    if (t == TABLE_REQUEST_INDEX)
        return tag == REQUEST_BY_KEY;
    if (t == TABLE_META)
        return !span_eq(key, span_str(SCHEMA_KEY));
    return covered[t];
}

/* Each part is of a length that is known before it, so that none can be taken for the end of another. */
static void sum_of(enum table t, struct entry e, uint8_t out[static SUM_LEN])
{
    struct hash *h = hash_begin(HASH_SHA256);
    uint8_t digest[HASH_LEN], key_len[2] = {(uint8_t)(e.key.len >> 8), (uint8_t)e.key.len};
    const char *name = table_name(t);

    hash_add(h, span_of(name, strlen(name) + 1));
    hash_add(h, span_of(key_len, sizeof key_len));
    hash_add(h, e.key);
    hash_add(h, e.row);
    hash_end(h, digest);
    memcpy(out, digest, SUM_LEN);
}

void checksum_put(enum table t, struct entry e, uint8_t out[static CHECKSUM_LEN])
{
    out[0] = MARK;
    sum_of(t, e, out + 1);
}

struct span checksum_skip(struct span row)
{
    if (row.len < CHECKSUM_LEN || row.data[0] != MARK)
        return row;
    return span_of(row.data + CHECKSUM_LEN, row.len - CHECKSUM_LEN);
}

struct span checksum_open(enum table t, struct entry e)
{
    struct span row = checksum_skip(e.row);
    uint8_t sum[SUM_LEN];

    if (row.len == e.row.len || !checksum_covers(t, e.key))
        return e.row;
    sum_of(t, (struct entry){e.key, row}, sum);
    return memcmp(sum, e.row.data + 1, SUM_LEN) == 0 ? row : e.row;
}
