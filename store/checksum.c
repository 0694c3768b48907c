/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checksum: what stands before a row in the file: a mark that is no version of a row, and an XXH3 (64 bits)
 * over table, key and row. So an octet that was bent is seen also where the row is still well formed and
 * nothing repeats it, and so is a row under the key of another. Rows of before have none. It is against
 * damage: who writes the file on purpose can make one whatever the function, and the audit's seal is against
 * that. A cryptographic one would bring nothing and make a page of the list twice as slow.
 */
#include <string.h>
#include <xxhash.h>

#include "store/inner.h"

#define MARK 0xf4u /* six bits from the version of any row */
#define SUM_LEN (CHECKSUM_LEN - 1)

_Static_assert(sizeof(XXH64_canonical_t) == SUM_LEN, "all of it is stored");

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

static XXH64_hash_t chain(XXH64_hash_t sum, struct span part)
{
    return XXH3_64bits_withSeed(part.data, part.len, sum);
}

/* Each part is the next one's seed, so that the end of one cannot be taken for the beginning of another. */
static XXH64_canonical_t sum_of(enum table t, struct entry e)
{
    XXH64_canonical_t sum;

    XXH64_canonicalFromHash(&sum, chain(chain(chain(0, span_str(table_name(t))), e.key), e.row));
    return sum;
}

void checksum_put(enum table t, struct entry e, uint8_t out[static CHECKSUM_LEN])
{
    XXH64_canonical_t sum = sum_of(t, e);

    out[0] = MARK;
    memcpy(out + 1, &sum, sizeof sum);
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
    XXH64_canonical_t sum;

    if (row.len == e.row.len || !checksum_covers(t, e.key))
        return e.row;
    sum = sum_of(t, (struct entry){e.key, row});
    return memcmp(&sum, e.row.data + 1, sizeof sum) == 0 ? row : e.row;
}
