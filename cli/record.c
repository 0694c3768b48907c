/* SPDX-License-Identifier: Apache-2.0 */
/* record: one thing as lines of label and value, in the order of the answer. Whatever the service adds shows
 * up without a change here; objects are flattened, and what is not for reading (PEM, findings) is left to the
 * commands. */
#include <stdlib.h>
#include <string.h>

#include "cli/inner.h"

#define LABEL_MAX 64u
#define VALUE_MAX (1u << 20)

struct record {
    struct cli *cli;
    size_t width; /* of the widest label */
    bool is_measuring;
};

static bool is_for_programs(const char *name)
{
    static const char *const names[] = {"pem", "chain", "csr", "findings", "seal_keys"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void write_value(struct record *r, const char *label, const struct js *v)
{
    struct buf raw, safe;
    const char *color = "";

    buf_init(&raw, VALUE_MAX);
    buf_init(&safe, VALUE_MAX);
    cell_put(&raw, v, ", ");
    text_put(&safe, buf_span(&raw));
    if (safe.len == 0)
        buf_put_u8(&safe, '-');
    if (r->cli->out_color && strcmp(label, "status") == 0 && js_str(v) != NULL)
        color = text_color(js_str(v));
    fprintf(r->cli->io.out, "%-*s  %s%.*s%s\n", (int)r->width, label, color, (int)safe.len,
            (const char *)safe.data, color[0] != '\0' ? "\x1b[0m" : "");
    buf_free(&raw);
    buf_free(&safe);
}

static void put_leaf(struct record *r, const char *label, const struct js *v)
{
    if (!r->is_measuring)
        write_value(r, label, v);
    else if (strlen(label) > r->width)
        r->width = strlen(label);
}

/* A list of plain values stands one a line; the label is said once. */
static void put_list(struct record *r, const char *label, const struct js *v)
{
    if (js_len(v) == 0)
        put_leaf(r, label, NULL);
    for (size_t i = 0; i < js_len(v); i++)
        put_leaf(r, i == 0 ? label : "", js_at(v, i));
}

static bool is_group(const struct js *v)
{
    return js_is_object(v) && (js_get(v, "type") == NULL || js_get(v, "bits") == NULL);
}

/* Groups nest two deep in what the service answers; deeper ones are shown as JSON. */
static void put_members(struct record *r, const char *prefix, const struct js *o, unsigned levels)
{
    for (size_t i = 0; i < js_len(o); i++) {
        const struct js *v = js_value_at(o, i);
        char label[LABEL_MAX];

        if (prefix[0] == '\0' && is_for_programs(js_name_at(o, i)))
            continue;
        snprintf(label, sizeof label, "%s%s%s", prefix, prefix[0] != '\0' ? " " : "", js_name_at(o, i));
        for (char *s = label; *s != '\0'; s++)
            if (*s == '_' || (unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
                *s = ' ';
        if (is_group(v) && levels > 0)
            put_members(r, label, v, levels - 1);
        else if (js_is_array(v))
            put_list(r, label, v);
        else
            put_leaf(r, label, v);
    }
}

void record_write(struct cli *c, const struct js *v)
{
    struct record r = {.cli = c, .is_measuring = true};

    put_members(&r, "", v, 2);
    r.is_measuring = false;
    put_members(&r, "", v, 2);
}
