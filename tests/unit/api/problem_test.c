/* SPDX-License-Identifier: Apache-2.0 */
/* Is every error an RFC 9457 document, and does none show what is ours? */
#include "api/api.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct js *written(enum err e, const char *detail, const struct findings *fs)
{
    struct buf b;
    struct js *o = NULL;

    buf_init(&b, 65536);
    problem_write(&b, e, detail, "0123456789abcdef0123456789abcdef", fs);
    cr_assert_eq(b.data[b.len - 1], '\n');
    b.len--;
    cr_assert_eq(js_parse(buf_span(&b), &o, NULL), OK);
    buf_free(&b);
    return o;
}

Test(problem, every_error_has_its_members)
{
    for (enum err e = ERR_MALFORMED; e < ERR_COUNT; e++) {
        struct js *o = written(e, "why", NULL);
        enum err shown = e <= ERR_UNAVAILABLE ? e : ERR_INTERNAL;
        char type[64];
        int64_t status;

        snprintf(type, sizeof type, "urn:chancery:problem:%s", err_name(shown));
        cr_assert_str_eq(js_str(js_get(o, "type")), type);
        cr_assert_str_eq(js_str(js_get(o, "title")), err_text(shown));
        cr_assert(js_int(js_get(o, "status"), &status) && (unsigned)status == err_status(shown));
        cr_assert_str_eq(js_str(js_get(o, "request_id")), "0123456789abcdef0123456789abcdef");
        cr_assert_eq(js_get(o, "findings") != NULL, shown == ERR_POLICY);
        js_free(o);
    }
}

Test(problem, a_client_is_told_why_and_a_failure_of_ours_is_not_explained)
{
    struct js *o = written(ERR_MALFORMED, "the body is empty", NULL);

    cr_assert_str_eq(js_str(js_get(o, "detail")), "the body is empty");
    js_free(o);
    o = written(ERR_INTERNAL, "/var/lib/secret: permission denied", NULL);
    cr_assert_str_eq(js_str(js_get(o, "detail")), err_text(ERR_INTERNAL));
    js_free(o);
    o = written(ERR_IO, "/var/lib/secret: permission denied", NULL);
    cr_assert_str_eq(js_str(js_get(o, "detail")), err_text(ERR_INTERNAL));
    js_free(o);
}

Test(problem, findings_have_every_member)
{
    static const char *const members[] = {"rule", "severity", "field", "got", "want", "message", "fix"};
    struct findings fs = {0};
    const struct js *item;
    struct js *o;

    finding_add(&fs, "key.too-small", "key", "512 bits", "2048 bits");
    o = written(ERR_POLICY, "", &fs);
    cr_assert_eq(js_len(js_get(o, "findings")), 1);
    item = js_at(js_get(o, "findings"), 0);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cr_assert_not_null(js_str(js_get(item, members[i])), "%s", members[i]);
    cr_assert_str_eq(js_str(js_get(item, "rule")), "key.too-small");
    cr_assert_str_eq(js_str(js_get(item, "severity")), "refuse");
    js_free(o);
    findings_free(&fs);
}

Test(problem, a_refusal_by_policy_has_findings_even_when_there_are_none)
{
    struct js *o = written(ERR_POLICY, "This Idempotency-Key was used with another request.", NULL);

    cr_assert(js_is_array(js_get(o, "findings")) && js_len(js_get(o, "findings")) == 0);
    js_free(o);
    o = written(ERR_CONFLICT, "", NULL);
    cr_assert_null(js_get(o, "findings"));
    js_free(o);
}

Test(problem, errors_of_the_protocol_look_the_same)
{
    static const unsigned statuses[] = {400, 408, 413, 431, 501, 505};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct http_error e = {0};
        struct js *o = NULL;
        int64_t status;

        buf_init(&e.body, 65536);
        problem_fill(&e, statuses[i], "why");
        e.body.len--;
        cr_assert_eq(js_parse(buf_span(&e.body), &o, NULL), OK);
        cr_assert(js_int(js_get(o, "status"), &status) && (unsigned)status == statuses[i]);
        cr_assert(strncmp(js_str(js_get(o, "type")), "urn:chancery:problem:", 21) == 0);
        cr_assert_str_eq(js_str(js_get(o, "request_id")), e.text);
        cr_assert_str_eq(e.fields[0].value, "application/problem+json");
        cr_assert_str_eq(e.fields[1].value, "no-store");
        cr_assert_str_eq(e.fields[2].value, "nosniff");
        cr_assert(strcmp(e.fields[3].name, "X-Request-Id") == 0 && strcmp(e.fields[3].value, e.text) == 0);
        cr_assert_null(e.fields[4].name);
        js_free(o);
        buf_free(&e.body);
    }
}

Test(problem, request_ids_differ)
{
    char a[33], b[33];

    request_id_new(a);
    request_id_new(b);
    cr_assert(strlen(a) == 32 && strcmp(a, b) != 0);
}

Test(problem, a_report_is_a_list_of_its_lines)
{
    struct js *o = NULL;
    struct buf b;

    buf_init(&b, 65536);
    problem_write_report(&b, ERR_POLICY, "why", "0123456789abcdef0123456789abcdef",
                         span_str("a.xml:1: one\na.xml:2: \xff two\n"));
    cr_assert_eq(js_parse(span_of(b.data, b.len - 1), &o, NULL), OK);
    cr_assert_str_eq(js_str(js_get(o, "detail")), "why");
    cr_assert_eq(js_len(js_get(o, "report")), 2);
    cr_assert(js_is_array(js_get(o, "findings")) && js_len(js_get(o, "findings")) == 0);
    cr_assert_str_eq(js_str(js_at(js_get(o, "report"), 0)), "a.xml:1: one");
    cr_assert_str_eq(js_str(js_at(js_get(o, "report"), 1)), "a.xml:2: \xef\xbf\xbd two");
    js_free(o);
    buf_reset(&b);
    problem_write_report(&b, ERR_POLICY, "why", "0123456789abcdef0123456789abcdef", span_of(NULL, 0));
    cr_assert_eq(js_parse(span_of(b.data, b.len - 1), &o, NULL), OK);
    cr_assert_eq(js_len(js_get(o, "report")), 0);
    js_free(o);
    buf_free(&b);
}
