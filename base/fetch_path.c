/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_path: the path and query of a request, with what a text may not have there escaped. */
#include <assert.h>
#include <curl/curl.h>
#include <string.h>

#include "base/fetch.h"
#include "base/log.h"

static void put_escaped(struct buf *path, const char *text, size_t len)
{
    char *escaped;

    if (len == 0) /* curl_easy_escape takes 0 for "measure it" */
        return;
    assert(len <= INT32_MAX);
    escaped = curl_easy_escape(NULL, text, (int)len);
    if (escaped == NULL)
        die("libcurl: out of memory");
    buf_put_str(path, escaped);
    curl_free(escaped);
}

void fetch_query(struct buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_put_u8(path, path->len > 0 && memchr(path->data, '?', path->len) != NULL ? '&' : '?');
    put_escaped(path, name, strlen(name));
    buf_put_u8(path, '=');
    put_escaped(path, value, strlen(value));
}

void fetch_segment(struct buf *path, const char *text)
{
    put_escaped(path, text, strlen(text));
}

void fetch_path(struct buf *path, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, "/");

        put_escaped(path, text, len);
        if (text[len] == '\0')
            return;
        buf_put_u8(path, '/');
        text += len + 1;
    }
}
