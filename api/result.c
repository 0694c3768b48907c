/* SPDX-License-Identifier: Apache-2.0 */
/* result: see the header. */
#include "api/result.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define VALUE_MAX (256u * 1024) /* octets: a report of a thousand mistakes of a line each */

static const char *form_of(const char *output)
{
    return output != NULL ? output : "table";
}

bool result_is_table(const char *output)
{
    return strcmp(form_of(output), "table") == 0;
}

static bool is_among(const char *text, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(text, *names) == 0)
            return true;
    return false;
}

bool result_has_form(const char *output)
{
    static const char *const forms[] = {"table", "json", "jsonl", "csv", "pem", "der", "p7b", "chain", NULL};

    if (is_among(form_of(output), forms))
        return true;
    fprintf(stderr, "chancery: --output is table, json, jsonl, csv, pem, der or p7b\n");
    return false;
}

void result_fail(enum err e, const struct fault *f)
{
    fprintf(stderr, "chancery: %s\n", f->detail[0] != '\0' ? f->detail : err_text(e));
}

bool result_is_record(const char *command, const char *output)
{
    static const char *const forms[] = {"table", "json", "jsonl", "csv", NULL};

    if (is_among(form_of(output), forms))
        return true;
    fprintf(stderr, "chancery: %s: --output is table, json, jsonl or csv\n", command);
    return false;
}

static void write_value(const char *name, const struct js *v, bool is_csv)
{
    struct buf text;

    buf_init(&text, VALUE_MAX);
    if (js_str(v) != NULL)
        buf_put_str(&text, js_str(v));
    else
        js_write(v, &text);
    if (is_csv)
        printf("%s,\"", name);
    else
        printf("%-24s", name);
    for (size_t i = 0; i < text.len; i++)
        printf(is_csv && text.data[i] == '"' ? "\"\"" : "%c", text.data[i]);
    printf(is_csv ? "\"\n" : "\n");
    buf_free(&text);
}

static void write_lines(const struct js *o, bool is_csv)
{
    if (is_csv)
        printf("setting,value\n");
    for (size_t i = 0; i < js_len(o); i++)
        write_value(js_name_at(o, i), js_value_at(o, i), is_csv);
}

void result_write(const struct js *o, const char *output)
{
    struct buf b;

    if (result_is_table(output) || strcmp(output, "csv") == 0)
        return write_lines(o, !result_is_table(output));
    buf_init(&b, 4 * VALUE_MAX);
    if (strcmp(output, "json") == 0)
        js_write_pretty(o, &b);
    else
        js_write(o, &b);
    printf("%.*s\n", (int)b.len, (const char *)b.data);
    buf_free(&b);
}
