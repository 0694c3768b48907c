/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration and catalogue: any octets are taken or refused with a line that says what is wrong. The first
 * octet says which of the two. */
#include <assert.h>
#include <stdlib.h>

#include "api/role.h"
#include "base/log.h"
#include "tests/fuzz/fuzz.h"

static void check_settings(struct span content)
{
    struct config *c = xcalloc(1, sizeof *c);
    struct fault f = {0};

    if (config_read("chancery.xml", content, c, NULL, &f) != OK)
        assert(f.detail[0] != '\0');
    config_free(c);
    free(c);
}

static void check_catalogue(struct span content)
{
    struct catalogue c = {0};
    struct fault f = {0};

    if (catalogue_load("profiles.xml", content, &c, NULL, &f) == OK)
        catalogue_free(&c);
    else
        assert(f.detail[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (data[0] == 'c')
        check_catalogue(span_of(data + 1, size - 1));
    else
        check_settings(span_of(data + 1, size - 1));
    return 0;
}
