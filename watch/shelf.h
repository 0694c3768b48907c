/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf: what is published, as the files under public/crl say it themselves: every *.crl and *.pem there,
 * without drafts and without the lists that were replaced (ID.previous.crl). Private to the watch room.
 *
 * Thread rule: one thread looks; any thread may copy and wait.
 */
#ifndef WATCH_SHELF_H
#define WATCH_SHELF_H

#include <stdatomic.h>

#include "watch/bell.h"
#include "watch/trust.h"

#define SHELF_NAME_MAX 96u /* octets with the NUL: an issuer's id, what a delta or shard adds, ".crl" */
/* Octets: a CRL ends at 4 GiB (crl/pair.c), its PEM is longer by a third and the line breaks. */
#define LIST_LEN_MAX (UINT64_C(6) << 30)
#define SHELF_MAX 8192u /* files: seven issuers of 256 shards, each with its delta, DER and PEM */

/* A file under its name: one of these differs when it was replaced. */
struct identity {
    uint64_t device, inode, size;
    int64_t changed_s, changed_ns;
};

struct shelf_item {
    char name[SHELF_NAME_MAX];
    struct identity identity;
    const char *fault; /* why it is not fit to be carried anywhere; NULL: it is ours and whole. Static */
    int issuer;        /* in the configuration; -1: none of ours */
    bool is_delta;
    uint64_t number;
    int64_t this_update_s, next_update_s;
    uint8_t sha256[HASH_LEN]; /* of the file */
};

struct shelf;
/* Borrows `dir` (public/crl), trust and bell. */
struct shelf *shelf_new(const char *dir, const struct trust *t, struct bell *b);
void shelf_free(struct shelf *s);

/* Reads what is new. True when something is other than before. A directory that cannot be read raises
 * watch.public, and what was known stays; so does one of more than SHELF_MAX lists, some of which are then
 * not on the shelf. */
bool shelf_look(struct shelf *s);

/* A copy of all items, ordered by name; the caller frees. `turn` grows with each change. */
struct shelf_item *shelf_copy(struct shelf *s, size_t *count, uint64_t *turn);
/* An item by its name as it is now; false: it is gone. */
[[nodiscard]] bool shelf_find(struct shelf *s, const char *name, struct shelf_item *out);
/* The same as the directory has it at this moment, be it before shelf_look() has found it. The shelf stays as
 * it is. Any thread; reads the file when it is another. */
[[nodiscard]] bool shelf_peek(struct shelf *s, const char *name, struct shelf_item *out);
/* Waits until the turn is another, the shelf is closed, or that time has passed. */
void shelf_wait(struct shelf *s, uint64_t turn, int64_t wait_ms);
/* The end: whoever waits returns, and what is under way ends at its next look at the flag. */
void shelf_close(struct shelf *s);
const atomic_bool *shelf_closed(const struct shelf *s);

/* Opens the file if it is still that one; -1 when it was replaced or cannot be read. */
int shelf_open(const struct shelf *s, const struct shelf_item *i);

#endif
