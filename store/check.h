/* SPDX-License-Identifier: Apache-2.0 */
/* check: what the parts of the check share: private to check.c, check_crl.c, check_issuer.c, check_rest.c. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/inner.h"

#define CHECK_ISSUERS 4096u                  /* numbers of issuers: far beyond any that is configured */
#define CHECK_FAULTS_TOLD 100u               /* then they are only counted: a damaged page is thousands */
#define CHECK_KEYS_MAX (SAN_COUNT_MAX + 16u) /* index rows of one certificate */

/* A set of rows as one sum, whatever their order: SHA-256 of each, added up. */
struct tally {
    uint64_t count, sums[2];
};

/* What the tables say of an issuer's CRLs. */
struct check_crl {
    uint64_t reserved, number; /* of its crl_state; 0: it has none */
    uint64_t changes;          /* of its crl_track */
    uint64_t published;        /* the highest number that the audit has */
    bool has_track;
};

struct expected;
struct check {
    struct view *view;
    store_fault_fn *fn;
    void *arg;
    struct store_checked *out;
    struct expected *expected;
    struct tally index_wanted, index_there, audit_wanted, audit_there;
    uint64_t states, listed, last_number;
    uint64_t audit_indexed;                     /* number of the last audit row in the index */
    struct tally request_wanted, request_there; /* their index */
    uint64_t answers;                           /* under an Idempotency-Key */
    struct check_crl crls[CHECK_ISSUERS];
    bool has_issuer[CHECK_ISSUERS];
};

/* Tell and count. A warning: what an earlier version's store may show as well. */
void check_fault(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_warn(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_tally(struct tally *t, struct span key, struct span row);
bool check_tally_eq(const struct tally *a, const struct tally *b);

typedef void check_row(struct check *c, struct entry e);
/* Every row of a table. */
enum err check_table(struct check *c, enum table t, check_row *fn);

/* check_issuer.c: issuers, their certificates and OCSP signers; notes which numbers there are. */
enum err check_issuers(struct check *c);

/* check_crl.c: CRL numbers, lists in force, changes; then, of each audit row, what it says was published, and
 * whether the numbers go by it. */
enum err check_crls(struct check *c);
void check_published(struct check *c, const struct audit_row *a);
void check_numbers(struct check *c);

/* check_rest.c: requests, tokens, permits, answers, the audit, the store's own rows. */
enum err check_rest(struct check *c);

#endif
