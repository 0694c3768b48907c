/* SPDX-License-Identifier: Apache-2.0 */
/* stale: was this very request signed before? The product keeps one pending request for each node and
 * purpose, so the second answer to one often finds nothing to belong to. */
#include "base/clock.h"
#include "ca/inner.h"

/* Certificates on one key that are looked at, oldest first: a dozen renewals of a node. Each costs the only
 * writer some microseconds before every issue. */
#define SAME_KEY_MAX 16u

struct search {
    struct span csr;
    size_t seen;
    int64_t last_s; /* NO_TIME: not found */
};

static bool look(const struct cert *c, void *arg)
{
    struct search *s = arg;

    if (span_eq(c->csr, s->csr))
        s->last_s = c->issued_at_s;
    return ++s->seen < SAME_KEY_MAX;
}

void stale_check(struct view *v, const struct facts *f, struct findings *out)
{
    struct search s = {.csr = f->csr, .last_s = NO_TIME};
    char when[CLOCK_TEXT_MAX];
    uint8_t key[HASH_LEN];

    if (f->csr.len == 0) /* our own keys come without a CSR */
        return;
    sha256_of(f->spki, key);
    if (cert_each_by_key(v, key, look, &s) != OK || s.last_s == NO_TIME)
        return;
    clock_rfc3339(s.last_s, when);
    finding_add(out, "csr.stale", "csr", when, "a request that was not signed before");
}
