/* SPDX-License-Identifier: Apache-2.0 */
/* openssl: see the header. */
#include "base/openssl.h"

#include <openssl/err.h>

const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    return reason != NULL ? reason : "no reason given";
}
