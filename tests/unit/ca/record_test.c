/* SPDX-License-Identifier: Apache-2.0 */
/* Does the audit row of an issue or a refusal say what there was, in whole characters? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/ca/asked.h"

TestSuite(record, .init = stage_open, .fini = stage_close, .timeout = 60);

static bool keep_detail(const struct audit_row *row, void *arg)
{
    if (!span_to_str(row->detail, arg, 512))
        *(char *)arg = '\0';
    return true;
}

static void last_detail(char out[static 512])
{
    struct view *v = stage_look();

    cr_assert_eq(audit_each(v, 1, keep_detail, out), OK);
    view_close(v);
}

Test(record, the_audit_row_of_a_refusal_says_why_beside_a_warning)
{
    static const struct question q = {.name = "a_b.example.com"};
    static struct reply r;
    char last[512] = "";

    stage_start();
    stage.signer.refuses = true;
    send_question(1, &q);
    receive(&r);
    stage.signer.refuses = false;
    last_detail(last);
    cr_assert_not_null(strstr(last, "The signer refused"), "%s", last);
}

Test(record, the_audit_row_of_an_issue_cuts_no_character)
{
    static char text[301];
    struct question q = {.subject_text = text};
    static struct reply r;
    char last[512] = "";

    for (size_t i = 0; i < 300; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3); /* 128 is no multiple of 3 */
    stage_start();
    send_question(1, &q);
    receive(&r);
    (void)issued_of(&r);
    last_detail(last);
    cr_assert_geq(strlen(last), 126);
    cr_assert_str_eq(last + strlen(last) - 3, "\xe2\x82\xac");
}
