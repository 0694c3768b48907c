/* SPDX-License-Identifier: Apache-2.0 */
/* Is what may not be issued refused for the reason that it is, and is nothing stored of what is only tried?
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/ca/asked.h"
#include "tests/unit/ca/request.h"

TestSuite(decide, .init = stage_open, .fini = stage_close, .timeout = 60);

Test(decide, a_dry_run_stores_nothing)
{
    static const struct question q = {.flags = ASK_DRY_RUN};
    static struct reply r;
    static struct findings fs;
    struct grant g;
    uint64_t before;

    stage_start();
    issue_one();
    before = stage_certificates();
    send_question(2, &q);
    receive(&r);
    cr_assert_eq(r.err, OK);
    cr_assert(findings_read(&r.rest, &fs));
    cr_assert_eq(fs.count, 2);
    cr_assert_str_eq(fs.items[0].rule, "csr.stale", "the same request was signed a moment ago");
    cr_assert_str_eq(fs.items[1].rule, "key.reused", "the OCSP signer of this stage has the same key");
    cr_assert(grant_read(&r.rest, &g));
    cr_assert_neq(rd_blob(&r.rest).len, 0, "what would be signed");
    cr_assert(rd_done(&r.rest));
    cr_assert_neq(g.ku & KU_DIGITAL_SIGNATURE, 0);
    findings_free(&fs);
    cr_assert_eq(stage_certificates(), before);
}

/* The stage's issuer ends in 400 days. */
Test(decide, what_the_issuers_end_cuts_is_said)
{
    static const struct question within = {.flags = ASK_DRY_RUN, .days = 397};
    static const struct question beyond = {.flags = ASK_DRY_RUN, .days = 500};
    static struct reply r;
    static struct findings fs;
    struct grant g;

    stage_start();
    send_question(1, &within);
    receive(&r);
    cr_assert(findings_read(&r.rest, &fs));
    cr_assert_null(finding_of(&fs, "days.cut"));
    cr_assert(grant_read(&r.rest, &g));
    cr_assert_eq(g.days, 397);
    findings_free(&fs);
    send_question(2, &beyond);
    receive(&r);
    cr_assert(findings_read(&r.rest, &fs));
    cr_assert_not_null(finding_of(&fs, "days.cut"));
    cr_assert_eq(strncmp(finding_of(&fs, "days.cut")->got, "400 days, to 20", 15), 0);
    cr_assert_str_eq(finding_of(&fs, "days.cut")->want, "500 days");
    cr_assert(grant_read(&r.rest, &g));
    cr_assert_eq(g.days, 400, "what is issued");
    findings_free(&fs);
}

Test(decide, our_own_profiles_are_not_for_clients)
{
    static const struct question questions[] = {
        {.profile = "chancery/ocsp"},
        {.profile = "chancery/listener", .name = "ca.example.com"},
        {.profile = "chancery/issuer"},
    };
    static struct reply r;

    stage_start();
    for (size_t i = 0; i < 3; i++) {
        send_question(i, &questions[i]);
        receive(&r);
        cr_assert_eq(r.err, ERR_FORBIDDEN, "%s", questions[i].profile);
    }
}

Test(decide, our_issuers_subjects_are_not_for_clients)
{
    static const struct question q = {.name = "Issuer", .subject = &stage.subject};
    static struct reply r;

    stage_start();
    send_question(1, &q);
    receive(&r);
    assert_refused(&r, NULL);
}

/* The api says which; what would be issued has another, or none. */
Test(decide, a_common_name_that_is_not_the_subjects_is_refused)
{
    static const struct question questions[] = {
        {.name = "b.example.com", .subject = &stage.requester},
        {.name = "b.example.com", .subject = &stage.requester, .flags = ASK_DRY_RUN}};
    static const uint8_t organization[] = {0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 10, 12, 1, 'E'};
    struct question without = {0};
    static struct reply r;
    struct buf unnamed;

    buf_init(&unnamed, 256);
    buf_put(&unnamed, organization, sizeof organization);
    without.subject = &unnamed;
    stage_start();
    issue_one();
    for (size_t i = 0; i < 2; i++) {
        send_question(i, &questions[i]);
        receive(&r);
        cr_assert_eq(r.err, ERR_POLICY, "%zu", i);
        cr_assert_not_null(strstr(r.detail, "common name"));
    }
    send_question(3, &without);
    receive(&r);
    cr_assert_eq(r.err, ERR_POLICY);
    buf_free(&unnamed);
}

Test(decide, an_unknown_profile_is_not_found)
{
    static const struct question q = {.profile = "ucm/nothing"};
    static struct reply r;

    stage_start();
    send_question(1, &q);
    receive(&r);
    cr_assert_eq(r.err, ERR_NOT_FOUND);
}

Test(decide, a_certificate_is_looked_at_before_it_is_signed)
{
    static struct reply r;
    static struct findings fs;

    /* as a site's own catalogue may have it: a usage that serves no TLS server */
    for (size_t i = 0; i < stage.role->catalogue.count; i++)
        if (strcmp(stage.role->catalogue.profiles[i].id, "general/server") == 0)
            stage.role->catalogue.profiles[i].ku_ec =
                (struct profile_usage){.required = KU_NON_REPUDIATION, .preset = KU_NON_REPUDIATION};
    stage_start();
    send_question(1, &plain);
    receive(&r);
    cr_assert_eq(r.err, ERR_POLICY);
    cr_assert(findings_read(&r.rest, &fs));
    cr_assert_str_eq(fs.items[fs.count - 1].rule, "lint.ext-key-usage");
    findings_free(&fs);
}

Test(decide, the_listener_gets_its_own_names_and_no_others)
{
    static const struct question own = {.is_listener = true, .name = "ca.example.com"};
    static const struct question foreign = {.is_listener = true, .name = "www.example.com"};
    static struct reply r;

    stage_start();
    send_question(1, &own);
    receive(&r);
    (void)issued_of(&r);
    send_question(2, &foreign);
    receive(&r);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
}
