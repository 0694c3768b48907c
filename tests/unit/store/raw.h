/* SPDX-License-Identifier: Apache-2.0 */
/* raw: a closed store's tables under the hand of someone who does not ask the store. */
#ifndef UNIT_STORE_RAW_H
#define UNIT_STORE_RAW_H

#include "store/inner.h"

/* Puts a row, or removes it when row.data is NULL. */
void raw_set(const char *dir, const char *table, struct span key, struct span row);
/* Copies the row, without its checksum, into out, gives its length; 0 when there is none. Put back like this
 * it is a row of before checksums. */
size_t raw_get(const char *dir, const char *table, struct span key, uint8_t *out, size_t cap);
/* Every row as it lies in the file. */
typedef void raw_fn(struct span key, struct span row, void *arg);
void raw_each(const char *dir, const char *table, raw_fn *fn, void *arg);
void raw_drop(const char *dir, const char *table); /* the whole table */
void raw_compact(const char *dir);                 /* as a backup has it: no page of it is free */

#endif
