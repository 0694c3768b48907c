/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate: how often somebody may do something: token buckets (so many at once, refilled evenly) in a table of
 * fixed size. When it is full the bucket that is fullest makes way, so that whoever is being held back stays
 * held back, and memory never grows with the number of strangers. Thread rule: one thread.
 */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include "base/buf.h"

struct rate {
    uint32_t count; /* at once, and in each span; 0: no limit */
    int64_t span_ms;
};
/* "600/m": a whole number from 1 to 1000000 and one of s, m, h; or "none". */
[[nodiscard]] bool rate_parse(const char *text, struct rate *out);

struct rate_table;
/* `most` somebodies at once, a power of two from 8. */
struct rate_table *rate_table_new(size_t most);
void rate_table_free(struct rate_table *t); /* NULL is fine */
/* Takes one from the bucket of `key`. False, with the whole seconds until there is one again (at least 1). */
[[nodiscard]] bool rate_take(struct rate_table *t, const struct rate *r, struct span key, int64_t now_ms,
                             unsigned *wait_s);

#endif
