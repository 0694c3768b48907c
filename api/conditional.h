/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conditional: what a GET or HEAD gets of a file: all of it, a part, "not modified", or a refusal, by the
 * preconditions and the range that it came with. RFC 9110 13 and 14. Pure.
 *
 * One range is taken up. Several are not: the answer is the whole file, as RFC 9110 14.2 permits; no client
 * of ours asks for several, and they are how servers of large files are made to work for nothing.
 */
#ifndef API_CONDITIONAL_H
#define API_CONDITIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/http.h"

/* The request's fields, NULL when absent. */
struct conditions {
    const char *if_match, *if_unmodified_since, *if_none_match, *if_modified_since, *if_range, *range;
};
struct conditions conditions_of(const struct http_request *r); /* borrows; a range is for GET alone */

struct validators {
    const char *etag; /* strong, with its quotes */
    int64_t modified_s;
    uint64_t size; /* octets */
};

struct range {
    uint64_t first, len; /* octets */
};

enum outcome {
    OUTCOME_WHOLE,         /* 200 */
    OUTCOME_PART,          /* 206, *range */
    OUTCOME_NOT_MODIFIED,  /* 304 */
    OUTCOME_FAILED,        /* 412 */
    OUTCOME_UNSATISFIABLE, /* 416 */
};
enum outcome conditions_judge(const struct conditions *c, const struct validators *v, int64_t now_s,
                              struct range *range);

#endif
