/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made: answers that take longer to make of the store than to send, such as the page for people: a
 * certificate parsed for each issuer on it. Each is kept as it was made, whoever asks and however often, so
 * that asking for it costs the process that answers OCSP no more than a copy. What is shown is never more
 * than MADE_KEPT_MS older than the last commit. For the loop's thread alone.
 */
#ifndef API_MADE_H
#define API_MADE_H

#include "base/hash.h"
#include "base/http.h"
#include "store/store.h"

struct public;

/* In which a store that moves does not have it made anew: a page takes a millisecond, and a store may commit
 * hundreds of times a second. Nothing on it promises to be younger. */
#define MADE_KEPT_MS 1000

struct made {
    struct buf body;
    char etag[2 * HASH_LEN + 3]; /* strong, of the body, so the same on every host that shows the same */
    uint64_t number;             /* view_number() of the state that it shows */
    int64_t made_ms;             /* of the monotonic clock */
    enum err err;                /* what came of making it: ERR_NOT_FOUND is remembered as well */
    bool is_there;
};

struct made_kind {
    const char *what; /* for the log */
    const char *none; /* what is told when there is none of it */
    size_t octets_max;
    const char *cache_control;
    const struct http_field *fields; /* of a 200, beside ETag and Cache-Control; ended by a NULL name */
    /* ERR_NOT_FOUND: there is none. Any other error is told as internal, and logged. */
    enum err (*write)(struct public *p, struct view *v, struct buf *out);
};

/* Answers GET and HEAD with it, or 304 when the client has it, 412 when it wanted another. */
void made_get(struct public *p, struct http_request *r, struct made *m, const struct made_kind *k);
/* What it was made of besides the store's rows has changed, or the store is another; frees. A zeroed one is
 * forgotten. */
void made_forget(struct made *m);
/* Is it to be given, the store being at `number`? */
bool made_is_current(const struct made *m, uint64_t number, int64_t now_ms);

#endif
