/* SPDX-License-Identifier: Apache-2.0 */
/* private_key: is there one in a file that is about to be sent? */
#include <string.h>

#include "base/der.h"
#include "cli/inner.h"

bool has_private_key(struct span file)
{
    struct der whole, first;

    if (memmem(file.data, file.len, "PRIVATE KEY-----", 16) != NULL)
        return true;
    return der_expect(&file, DER_SEQUENCE, &whole) && der_expect(&whole.body, DER_INTEGER, &first);
}
