/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: what the signer must say of structures that are spoilt. */
#ifndef TESTS_SIGNER_VERDICT_H
#define TESTS_SIGNER_VERDICT_H

#include "forge.h"
#include "tests/fuzz/mutate.h"

/* The verdict is this one, and what it says begins so. */
void verdict_expect(enum err got, enum err want, const struct fault *fault, const char *start);

/* Cut anywhere, or followed by one octet more, the structure is malformed. */
void verdict_of_cuts(const struct forge *f, const struct signer_key *k, enum port_kind kind, struct span tbs);

#define MUTANTS 1500u
/* So many of `tbs` with one octet changed. Hands `judge` those that are signed and gives their number. */
typedef void mutant_fn(struct span tbs, struct span signature);
unsigned verdict_of_mutants(const struct signer_key *k, enum port_kind kind, struct span tbs,
                            struct dice *dice, mutant_fn *judge);

#endif
