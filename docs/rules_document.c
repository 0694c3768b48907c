/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_document: writes the table of docs/rules.md anew from the rule table that the code uses; the text
 * around it stays. usage: rules_document FILE. What it writes differs from the file only when somebody has
 * changed a rule: a unit test holds the two together.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ca/ca.h"

#define DOCUMENT_MAX (1u << 20)

static void put_table(struct buf *b)
{
    const struct rule *r;

    buf_put_str(b, "| rule | severity | message | fix |\n|---|---|---|---|\n");
    for (size_t i = 0; (r = rule_at(i)) != NULL; i++)
        buf_printf(b, "| `%s` | %s | %s | %s |\n", r->name, severity_name(r->severity), r->message, r->fix);
}

/* The lines of the table in it, from its head to the first line that is none. */
static const char *table_end(const char *at)
{
    while (*at == '|')
        at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : at + strlen(at);
    return at;
}

int main(int argc, char **argv)
{
    struct buf in, out;
    struct fault f = {0};
    const char *table;

    if (argc != 2)
        return fprintf(stderr, "usage: rules_document FILE\n"), 1;
    buf_init(&in, DOCUMENT_MAX);
    buf_init(&out, DOCUMENT_MAX);
    if (file_read(argv[1], &in, &f) != OK)
        return fprintf(stderr, "%s\n", f.detail), 1;
    buf_put_u8(&in, 0);
    table = strstr((const char *)in.data, "| rule | severity |");
    if (table == NULL)
        return fprintf(stderr, "%s: no table of rules in it\n", argv[1]), 1;
    buf_put(&out, in.data, (size_t)(table - (const char *)in.data));
    put_table(&out);
    buf_put_str(&out, table_end(table));
    if (buf_end(&out) != OK || file_replace(argv[1], buf_span(&out), 0644, &f) != OK)
        return fprintf(stderr, "%s: %s\n", argv[1], f.detail), 1;
    buf_free(&in);
    buf_free(&out);
    return 0;
}
