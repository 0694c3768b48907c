/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_newest: the last row of a kind, by its number. Times do not tell: a clock that was once ahead has
 * left rows that stay the latest until it is that day.
 */
#include <string.h>

#include "store/inner.h"

/* Of that kind. Damage is for others to say: it keeps nobody from the row before. */
static bool is_row(struct view *v, uint64_t seq, enum audit_kind kind, struct audit_row *out)
{
    return audit_find(v, seq, out) == OK && out->kind == kind;
}

/* The greatest number below `before` that the index has for that kind, 0: none. The keys are enough: some
 * thousand of each kind in a large store. */
static enum err index_last(struct view *v, enum audit_kind kind, uint64_t before, uint64_t *seq)
{
    const struct key prefix = key_of_kind(kind);
    struct scan scan;
    struct entry e;
    uint64_t at;
    enum err err = scan_open(v, TABLE_AUDIT_INDEX, &scan);

    *seq = 0;
    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&prefix), &e);
         err == OK && e.key.len > prefix.len && memcmp(e.key.data, prefix.data, prefix.len) == 0;
         err = scan_next(&scan, &e))
        if (number_of_key(e.key, &at) && at < before && at > *seq)
            *seq = at;
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

enum err audit_newest(struct view *v, enum audit_kind kind, uint64_t before, struct audit_row *out)
{
    struct chain_mark head;
    uint64_t seq, indexed;
    enum err err = audit_head(v, &head);

    if (err != OK)
        return err;
    indexed = audit_indexed(head.seq);
    for (seq = before <= head.seq ? before - 1 : head.seq; before > 0 && seq > indexed; seq--)
        if (is_row(v, seq, kind, out))
            return OK;
    if (before > indexed + 1)
        before = indexed + 1; /* what the index says of later ones is not read */
    while ((err = index_last(v, kind, before, &seq)) == OK && seq > 0) {
        if (is_row(v, seq, kind, out))
            return OK;
        before = seq;
    }
    return err == OK ? ERR_NOT_FOUND : err;
}
