/* SPDX-License-Identifier: Apache-2.0 */
/* request: requests as tests make them, and what csr_parse() makes of them. */
#ifndef TESTS_UNIT_API_REQUEST_H
#define TESTS_UNIT_API_REQUEST_H

#include "api/inner.h"
#include "tests/unit/api/forge.h"

#define RAW(s) span_of(s, sizeof(s) - 1)

/* A buf for a request, or for whatever is in one; initialised here, as are those below. */
void request_init(struct buf *b);
/* With a new key of this kind and what `change` changes; NULL: nothing. */
void request_made(struct buf *der, const char *key_kind, void (*change)(struct forge *f));
/* With a SAN and both usages. */
void request_ordinary(struct buf *der);
/* One of the field. */
void request_sample(struct buf *der);
void request_sample_pem(struct buf *pem);

struct parsed {
    enum err err;
    struct csr *csr;
    struct findings findings;
    struct fault fault;
};
struct parsed parsed_of(struct span body);
void parsed_free(struct parsed *p);
bool parsed_has(const struct parsed *p, const char *rule);

/* No request at all, and the fault says why. */
void expect_malformed(struct span body, const char *name);

#endif
