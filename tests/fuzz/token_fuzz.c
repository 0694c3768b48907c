/* SPDX-License-Identifier: Apache-2.0 */
/* A token is whole or it is not, and no other token is one digit away. */
#include <assert.h>
#include <string.h>

#include "api/api.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[SECRET_TEXT_MAX + 8], fresh[SECRET_TEXT_MAX];

    if (size >= sizeof text)
        size = sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    if (secret_is_whole(text)) {
        text[SECRET_TEXT_MAX - 2] = text[SECRET_TEXT_MAX - 2] == '0' ? '1' : '0';
        assert(!secret_is_whole(text));
    }
    secret_new(fresh);
    assert(secret_is_whole(fresh));
    if (size > 0) {
        size_t at = data[0] % (SECRET_TEXT_MAX - 1);
        char was = fresh[at];

        fresh[at] = (char)data[size - 1];
        assert(secret_is_whole(fresh) == (fresh[at] == was));
    }
    return 0;
}
