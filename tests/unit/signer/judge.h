/* SPDX-License-Identifier: Apache-2.0 */
/* judge: is what a key has signed within its purpose, as OpenSSL alone reads it? Of our reader there is
 * nothing in it. */
#ifndef TESTS_SIGNER_JUDGE_H
#define TESTS_SIGNER_JUDGE_H

#include "forge.h"

/* What signed. */
struct judged {
    const X509 *ca;
    bool may_leaf, may_subordinate;
    int path_len; /* its own pathLenConstraint */
};

/* Each of the whole structure, as DER: NULL, or what should not have been signed. */
const char *judge_certificate(struct span der, const struct judged *by);
const char *judge_crl(struct span der, const struct judged *by);
const char *judge_ocsp(struct span der, const struct judged *by);

#endif
