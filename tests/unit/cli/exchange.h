/* SPDX-License-Identifier: Apache-2.0 */
/* exchange: a command line run against a service whose answers the test has written, and what it asked. */
#ifndef TESTS_EXCHANGE_H
#define TESTS_EXCHANGE_H

#include "tests/unit/cli/typed.h"

#define BODIES_MAX 4

struct exchange {
    struct typed typed; /* may be set before */
    struct canned *server;
    char *answers[BODIES_MAX];
};

/* Answers with these JSON bodies; the status is 200 unless the body starts with one: "404 {…}". */
void exchange(struct exchange *x, const char *const *bodies, const char *const *words);
void finish(struct exchange *x);
#define BODIES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* All was asked that is answered, and the command ended with this code. */
void expect_code(struct exchange *x, int code);
const char *body_of(const struct exchange *x, size_t i); /* of the i-th request */

/* As the service shows them. */
extern const char exchange_certificate[], exchange_issuers[];

#endif
