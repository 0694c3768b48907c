/* SPDX-License-Identifier: Apache-2.0 */
/* private_key: is there one in a file that is about to be sent? */
#include <string.h>

#include "base/der.h"
#include "cli/inner.h"

/* Where the content of a SEQUENCE begins, 0 when it is none. BER as other programs write and read it: a
 * length of any form, indefinite or in more octets than it takes, and whatever it says of the file's end. */
static size_t content_at(struct span file)
{
    if (file.len < 2 || file.data[0] != DER_SEQUENCE)
        return 0;
    return file.data[1] <= 0x80 ? 2 : 2 + (size_t)(file.data[1] & 0x7f);
}

bool has_private_key(struct span file)
{
    size_t at = content_at(file);

    if (memmem(file.data, file.len, "PRIVATE KEY-----", 16) != NULL)
        return true;
    return at > 0 && at < file.len && file.data[at] == DER_INTEGER;
}
