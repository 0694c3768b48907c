/* SPDX-License-Identifier: Apache-2.0 */
/* audit: the audit's rows, and up to which there are copies. A part of the room's door, store/store.h, which
 * says how views and txns are used. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "base/chain.h"
#include "base/err.h"
#include "store/cursor.h"

struct view;
struct txn;

/* What a row says and how its octets hold on to one another: base/chain.h. */

/* Appends to the chain; reads at_s, kind, serial, actor (cut at PRINCIPAL_MAX) and detail (cut at 4 KiB). */
void audit_append(struct txn *t, const struct audit_row *r);
/* The newest row's number and hash; seq 0 when there is none. */
enum err audit_head(struct view *v, struct chain_mark *out);
enum err audit_each(struct view *v, uint64_t from_seq, bool (*fn)(const struct audit_row *r, void *arg),
                    void *arg);
/* The octets of the row of that number, borrowed: what its hash is of. ERR_NOT_FOUND */
enum err audit_octets(struct view *v, uint64_t seq, struct span *out);
/* Holds every row against `c`, which begins as {0} with keys and mark as its caller likes, then the last one
 * against the store's own count. ERR_CONFLICT with the first bad row in the fault. */
enum err audit_check(struct view *v, struct chain_check *c, struct fault *f);
enum err audit_verify(struct view *v, struct fault *f); /* the same without keys and mark */

struct audit_query {
    enum audit_kind kind;     /* 0: any */
    const char *actor;        /* exact; NULL: any */
    const uint8_t *serial;    /* SERIAL_LEN octets; NULL: any */
    int64_t since_s, until_s; /* since <= at < until; NO_TIME: no bound */
    bool is_oldest_first;
    const char *after; /* cursor of the previous page; NULL: first */
    unsigned limit;    /* 1..LIST_LIMIT_MAX */
};

/* One page, newest first unless asked otherwise: by number when nothing or the order alone is asked, else by
 * time and then number. Served from the index of the first filter given of serial, actor, kind, time; a row
 * is then held against the whole query. Rows added meanwhile neither repeat nor skip a row of later pages of
 * an oldest-first list. Bounded, and its cursors, as for cert_list(): not bound to the values of since and
 * until. ERR_MALFORMED: a bad cursor, one of another query, a limit out of range, an actor beyond
 * PRINCIPAL_MAX. fn returns false to stop. */
enum err audit_list(struct view *v, const struct audit_query *q,
                    bool (*fn)(const struct audit_row *r, void *arg), void *arg,
                    char next[static CURSOR_MAX]);
/* The row of that kind that was appended last of those numbered below `before` (UINT64_MAX: of all). By
 * number, whatever the clock said: not what audit_list() begins with. Its time grows with the rows of the
 * kind: for what a start asks. ERR_NOT_FOUND. */
enum err audit_newest(struct view *v, enum audit_kind kind, uint64_t before, struct audit_row *out);

/* ---- copies of the audit ---- */

/* The number of the last row that a log service has been given; 0: none was, or none is to be known of.
 * Damaged: said, and 0. */
enum err copied_find(struct view *v, uint64_t *seq);
void copied_set(struct txn *t, uint64_t seq);

#endif
