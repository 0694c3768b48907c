/* SPDX-License-Identifier: Apache-2.0 */
/* cell: finds a value of an answer by its path and says it in one line. */
#include <inttypes.h>
#include <string.h>

#include "cli/inner.h"

#define NAME_MAX_LEN 64 /* of a member: paths are constants of ours */

const struct js *cell_find(const struct js *row, const char *path)
{
    char name[NAME_MAX_LEN];

    for (;;) {
        size_t len = strcspn(path, ".");

        if (!span_to_str(span_of(path, len), name, sizeof name))
            return NULL;
        row = js_get(row, name);
        if (path[len] == '\0')
            return row;
        path += len + 1;
    }
}

const char *cell_str(const struct js *row, const char *path)
{
    const char *text = js_str(cell_find(row, path));

    return text != NULL ? text : "?";
}

/* {"type": "rsa", "bits": 3072} as people say it. */
static bool put_key(struct buf *out, const struct js *v)
{
    const char *type = js_str(js_get(v, "type"));
    int64_t bits;

    if (type == NULL || !js_int(js_get(v, "bits"), &bits))
        return false;
    buf_printf(out, "%s %" PRId64, type, bits);
    return true;
}

static void put_list(struct buf *out, const struct js *v, const char *separator)
{
    for (size_t i = 0; i < js_len(v); i++) {
        if (i > 0)
            buf_put_str(out, separator);
        cell_put(out, js_at(v, i), separator);
    }
}

void cell_put(struct buf *out, const struct js *v, const char *separator)
{
    int64_t n;
    bool b;

    if (v == NULL || js_is_null(v))
        return;
    if (js_str(v) != NULL)
        buf_put_str(out, js_str(v));
    else if (js_int(v, &n))
        buf_printf(out, "%" PRId64, n);
    else if (js_bool(v, &b))
        buf_put_str(out, b ? "yes" : "no");
    else if (js_is_array(v))
        put_list(out, v, separator);
    else if (!put_key(out, v))
        js_write(v, out);
}
