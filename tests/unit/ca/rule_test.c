/* SPDX-License-Identifier: Apache-2.0 */
/* Is every rule complete, named once, and described in docs/rules.md as it is? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ca/ca.h"

Test(rule, each_is_complete_and_found_by_its_one_name)
{
    for (size_t i = 0; rule_at(i) != NULL; i++) {
        const struct rule *r = rule_at(i);

        cr_expect_eq(rule_find(r->name), r, "%s", r->name);
        cr_expect_eq(strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789.-"), strlen(r->name), "%s",
                     r->name);
        cr_expect(strlen(r->message) > 10 && r->message[strlen(r->message) - 1] == '.', "%s", r->name);
        cr_expect(strlen(r->fix) > 10 && r->fix[strlen(r->fix) - 1] == '.', "%s", r->name);
    }
    cr_assert_null(rule_find("no.such.rule"));
}

/* One row a rule: | `name` | severity | message | fix | */
Test(rule, the_document_says_what_the_table_says)
{
    struct buf doc;
    struct fault f = {0};
    char row[2048];
    size_t rows = 0, rules = 0;
    const char *text;

    buf_init(&doc, 1 << 20);
    cr_assert_eq(file_read(DOCS_DIR "/rules.md", &doc, &f), OK, "%s", f.detail);
    buf_put_u8(&doc, 0);
    text = (const char *)doc.data;
    for (; rule_at(rules) != NULL; rules++) {
        const struct rule *r = rule_at(rules);

        snprintf(row, sizeof row, "\n| `%s` | %s | %s | %s |\n", r->name, severity_name(r->severity),
                 r->message, r->fix);
        cr_expect_not_null(strstr(text, row), "docs/rules.md lacks:%s", row);
    }
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    cr_assert_eq(rows, rules, "docs/rules.md has %zu rows, the table has %zu rules", rows, rules);
    buf_free(&doc);
}
