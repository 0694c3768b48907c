/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: see verdict.h. Copies are of their exact length, for AddressSanitizer to see what is read beyond.
 */
#include "verdict.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void verdict_expect(enum err got, enum err want, const struct fault *fault, const char *start)
{
    cr_expect_eq(got, want, "%s: %s", start, fault->detail);
    cr_expect_eq(strncmp(fault->detail, start, strlen(start)), 0, "%s: %s", start, fault->detail);
}

void verdict_of_cuts(const struct forge *f, const struct signer_key *k, enum port_kind kind, struct span tbs)
{
    struct fault fault;

    for (size_t len = 0; len <= tbs.len + 1; len++) {
        uint8_t *copy = calloc(1, len > 0 ? len : 1);

        if (len == tbs.len) { /* whole */
            free(copy);
            continue;
        }
        memcpy(copy, tbs.data, len < tbs.len ? len : tbs.len);
        cr_assert_eq(forge_judge(f, k, kind, span_of(copy, len), &fault), ERR_MALFORMED, "%zu", len);
        free(copy);
    }
}

unsigned verdict_of_mutants(const struct signer_key *k, enum port_kind kind, struct span tbs,
                            struct dice *dice, mutant_fn *judge)
{
    unsigned is_signed = 0;

    for (unsigned i = 0; i < MUTANTS; i++) {
        uint8_t *copy = OPENSSL_memdup(tbs.data, tbs.len), signature[SIGNATURE_MAX];
        int64_t now_s = kind == PORT_OCSP ? (int64_t)time(NULL) : FORGE_NOW;
        size_t len;

        copy[dice_throw(dice, (unsigned)tbs.len)] ^= (uint8_t)(1 + dice_throw(dice, 255));
        if (signer_sign(k, kind, span_of(copy, tbs.len), now_s, signature, &len, NULL) == OK) {
            is_signed++;
            judge(span_of(copy, tbs.len), span_of(signature, len));
        }
        OPENSSL_free(copy);
    }
    return is_signed;
}
