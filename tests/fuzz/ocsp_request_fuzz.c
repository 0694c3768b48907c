/* SPDX-License-Identifier: Apache-2.0 */
/* Our reader of OCSP requests against OpenSSL's: what ours takes, OpenSSL takes with the same content, and
 * what ours refuses breaks a rule. */
#include <stdio.h>
#include <stdlib.h>

#include "ocsp/ocsp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/ocsp/agree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ocsp_request out;
    const char *difference;

    if (ocsp_request_read(span_of(data, size), &out) == OCSP_SUCCESSFUL)
        difference = agree(span_of(data, size), &out);
    else
        difference = agree_refused(span_of(data, size));
    if (difference == NULL)
        return 0;
    fprintf(stderr, "%s\n", difference);
    abort();
}
