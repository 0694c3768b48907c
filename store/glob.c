/* SPDX-License-Identifier: Apache-2.0 */
/* glob: the pattern of a CN filter. After a mismatch only the last `*` is tried again, so the time is
 * bounded. */
#include <string.h>

#include "store/inner.h"

size_t glob_literal_len(const char *pattern)
{
    return strcspn(pattern, "*?");
}

/* Octets of the character at `at`: a lead octet and what continues it. */
static size_t char_len(struct span name, size_t at)
{
    size_t end = at + 1;

    while (end < name.len && (name.data[end] & 0xc0) == 0x80)
        end++;
    return end - at;
}

bool glob_fits(const char *pattern, struct span name)
{
    const char *star = NULL;
    size_t at = 0, retry = 0;

    while (at < name.len) {
        if (*pattern == '*') {
            star = pattern++;
            retry = at;
        } else if (*pattern == '?') {
            at += char_len(name, at);
            pattern++;
        } else if (*pattern != '\0' && fold(*pattern) == fold((char)name.data[at])) {
            at++;
            pattern++;
        } else if (star != NULL) {
            pattern = star + 1;
            at = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
