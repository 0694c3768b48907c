/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: what one target was given, and when it may be tried again: watch/ID.json in the home, replaced as a
 * whole after each delivery. It belongs to the place the target's url names: another url begins an empty one.
 * Private to the watch room. One ledger, one thread. Blocks on the disk.
 */
#ifndef WATCH_LEDGER_H
#define WATCH_LEDGER_H

#include "watch/shelf.h"

struct ledger_row {
    char name[SHELF_NAME_MAX];
    uint64_t number;
    uint8_t sha256[HASH_LEN];
    uint64_t longest; /* octets of the longest list so far: it may stand there yet, whatever was given last */
    int64_t at_s;
    bool is_doubted; /* what was read back was something else: it is looked at again */
};

struct ledger {
    char path[PATH_LEN_MAX];
    char url[URL_LEN_MAX];
    struct ledger_row *rows;
    size_t count;
    unsigned failures;          /* rounds in a row */
    int64_t retry_at_s;         /* none before; wall clock, because it outlives the process */
    char why[ALARM_DETAIL_MAX]; /* what target.failing said of the last of them; "": there was none */
    bool is_critical;           /* and how it stood */
};

/* Reads what is there. A file that is not there, or not of this url, gives an empty ledger; so does one that
 * is damaged, with ERR_MALFORMED and the reason. ERR_IO: it cannot be read. */
enum err ledger_open(struct ledger *l, const char *dir, const struct target *t, struct fault *f);
void ledger_close(struct ledger *l);
enum err ledger_save(const struct ledger *l, struct fault *f);

/* NULL: never given. Borrowed until the next change. */
const struct ledger_row *ledger_find(const struct ledger *l, const char *name);
void ledger_put(struct ledger *l, const struct shelf_item *i, int64_t now_s);
void ledger_doubt(struct ledger *l, const char *name);

#endif
