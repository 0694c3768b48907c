/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever an archive holds, what comes out of it is within the limits and named as a file right here. */
#include <assert.h>
#include <string.h>

#include "base/archive_item.h"
#include "tests/fuzz/fuzz.h"

#define CONTENT_MAX 4096

static enum err hold(const struct archive_item *i, void *arg)
{
    size_t *entries = arg;

    assert(++*entries <= ARCHIVE_ENTRIES_MAX);
    assert(strlen(i->path) < ARCHIVE_PATH_LEN_MAX);
    for (const char *c = i->path; *c != '\0'; c++)
        assert(*c >= 0x20 && *c <= 0x7e);
    if (i->refusal != NULL) {
        assert(i->content.len == 0);
        return OK;
    }
    assert(i->content.len > 0 && i->content.len <= CONTENT_MAX);
    assert(i->name[0] != '\0' && strlen(i->name) <= ARCHIVE_NAME_LEN_MAX);
    assert(strchr(i->name, '/') == NULL && strcmp(i->name, ".") != 0 && strcmp(i->name, "..") != 0);
    assert(archive_path_fault(i->path) == NULL && i->path[0] != '/' && strchr(i->path, '\\') == NULL);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault f = {0};
    size_t entries = 0;
    enum err e = archive_walk_octets(span_of(data, size), CONTENT_MAX, hold, &entries, &f);

    assert(e == OK || ((e == ERR_MALFORMED || e == ERR_TOO_LARGE) && f.detail[0] != '\0'));
    return 0;
}
