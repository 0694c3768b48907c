/* SPDX-License-Identifier: Apache-2.0 */
/* Is a finding complete, bounded and printable, does it travel, and is a refusal ever lost? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

Test(finding, text_comes_from_the_rule_with_got_and_want_filled_in)
{
    struct findings fs = {0};
    char *message, *fix;

    finding_add(&fs, "usage.key.missing", "keyUsage", "keyEncipherment", "digitalSignature");
    cr_assert_eq(fs.count, 1);
    cr_assert_str_eq(fs.items[0].rule, "usage.key.missing");
    cr_assert_eq(fs.items[0].severity, SEVERITY_REFUSE);
    cr_assert_str_eq(fs.items[0].field, "keyUsage");
    cr_assert_str_eq(fs.items[0].got, "keyEncipherment");
    cr_assert_str_eq(fs.items[0].want, "digitalSignature");
    message = finding_message(&fs.items[0]);
    fix = finding_fix(&fs.items[0]);
    cr_assert_str_eq(message, "The requested keyUsage lacks digitalSignature, which this profile requires.");
    cr_assert_not_null(strstr(fix, "digitalSignature"));
    free(message);
    free(fix);
    cr_assert(findings_refuse(&fs));
    findings_free(&fs);
    cr_assert_eq(fs.count, 0);
    cr_assert(!findings_refuse(&fs));
}

Test(finding, notes_and_warnings_do_not_refuse)
{
    struct findings fs = {0};

    finding_add(&fs, "challenge.ignored", NULL, NULL, NULL);
    finding_add(&fs, "name.cn.comma", "cn", "a,b", NULL);
    cr_assert(!findings_refuse(&fs));
    cr_assert_str_empty(fs.items[0].got);
    findings_free(&fs);
}

Test(finding, hostile_text_is_cut_and_made_printable)
{
    struct findings fs = {0};
    char big[2000];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    memcpy(big + 511, "\xc3\xa4", 2); /* a character across the cut */
    finding_add(&fs, "san.syntax", "san", big, "\x1b[31m\xff\xc2\x9b ok \xc3\xa4");
    cr_assert_eq(strlen(fs.items[0].got), 511);
    cr_assert_str_eq(fs.items[0].want, "?[31m?? ok \xc3\xa4");
    findings_free(&fs);
}

Test(finding, a_refusal_finds_a_place_in_a_full_list)
{
    struct findings fs = {0};

    for (unsigned i = 0; i < FINDINGS_MAX + 5; i++)
        finding_add(&fs, "challenge.ignored", "", "", "");
    cr_assert_eq(fs.count, FINDINGS_MAX);
    finding_add(&fs, "name.cn.comma", "", "", "");
    finding_add(&fs, "ca.requested", "", "", "");
    cr_assert_eq(fs.count, FINDINGS_MAX);
    cr_assert_not_null(finding_of(&fs, "ca.requested"));
    cr_assert_not_null(finding_of(&fs, "name.cn.comma"));
    cr_assert(findings_refuse(&fs));
    findings_free(&fs);
}

Test(finding, a_list_travels_and_every_truncation_is_noticed)
{
    struct findings in = {0}, out = {0};
    struct buf b;
    struct rd r;

    for (size_t i = 0; rule_at(i) != NULL && i < FINDINGS_MAX; i++)
        finding_add(&in, rule_at(i)->name, "field", "got", "want");
    buf_init(&b, 65536);
    findings_write(&b, &in);
    r = rd_of(buf_span(&b));
    cr_assert(findings_read(&r, &out) && rd_done(&r));
    cr_assert_eq(in.count, out.count);
    for (size_t i = 0; i < in.count; i++) {
        cr_assert_str_eq(in.items[i].rule, out.items[i].rule);
        cr_assert_eq(in.items[i].severity, out.items[i].severity);
        cr_assert_str_eq(in.items[i].got, out.items[i].got);
        cr_assert_str_eq(in.items[i].want, out.items[i].want);
        cr_assert_str_eq(in.items[i].field, out.items[i].field);
    }
    findings_free(&out);
    for (size_t len = 0; len < b.len; len++) {
        r = rd_of(span_of(b.data, len));
        cr_assert(!findings_read(&r, &out), "cut at %zu", len);
        cr_assert_eq(out.count, 0);
    }
    findings_free(&in);
    buf_free(&b);
}

Test(finding, a_list_of_unknown_rules_or_too_many_is_refused)
{
    struct findings out = {0};
    struct buf b;
    struct rd r;

    buf_init(&b, 65536);
    buf_put_u8(&b, 1);
    buf_put_blob(&b, span_str("no.such.rule"));
    for (unsigned i = 0; i < 3; i++)
        buf_put_blob(&b, span_str(""));
    r = rd_of(buf_span(&b));
    cr_assert(!findings_read(&r, &out));
    buf_reset(&b);
    buf_put_u8(&b, FINDINGS_MAX + 1);
    for (unsigned i = 0; i <= FINDINGS_MAX; i++) {
        buf_put_blob(&b, span_str("ca.requested"));
        for (unsigned k = 0; k < 3; k++)
            buf_put_blob(&b, span_str(""));
    }
    r = rd_of(buf_span(&b));
    cr_assert(!findings_read(&r, &out));
    buf_free(&b);
}

Test(finding, severities_have_names)
{
    cr_assert_str_eq(severity_name(SEVERITY_NOTE), "note");
    cr_assert_str_eq(severity_name(SEVERITY_WARN), "warn");
    cr_assert_str_eq(severity_name(SEVERITY_REFUSE), "refuse");
}
