/* SPDX-License-Identifier: Apache-2.0 */
/* typed: a command line run inside the test, with what it wrote. */
#ifndef TESTS_TYPED_H
#define TESTS_TYPED_H

#include "cli/inner.h"
#include "tests/unit/base/canned.h"

#define TYPED_NOW 1769860800 /* 2026-01-31T12:00:00Z */

struct typed {
    /* to set before */
    const char *in;   /* standard input, NULL: empty */
    bool is_terminal; /* all three streams */
    unsigned width;
    /* to read after */
    int code;
    char *out, *err;
};

/* words: after "chancery", ends with NULL. */
void typed_run(struct typed *t, const char *const *words);
void typed_free(struct typed *t);
#define TYPE(t, ...) typed_run(t, (const char *const[]){__VA_ARGS__, NULL})

/* A whole exchange: answers a list of JSON bodies with status 200, in order, and runs the words with --home.
 */
struct canned *typed_against(struct typed *t, const char *const *answers, size_t n, const char *const *words);

/* Is `want` the first line of the i-th request? */
void expect_request(const struct canned *c, size_t i, const char *want);

#endif
