/* SPDX-License-Identifier: Apache-2.0 */
/* Does the only writer answer each question once, after it is stored, and refuse what it must? The test plays
 * api and crl. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/clock.h"
#include "base/desk.h"
#include "base/hash.h"
#include "tests/unit/ca/asked.h"
#include "tests/unit/ca/request.h"

TestSuite(turn, .init = stage_open, .fini = stage_close, .timeout = 60);

/* ---- claims ---- */

Test(turn, what_may_not_be_asked_is_refused_and_the_rest_goes_on)
{
    static const struct {
        uint8_t kind;
        const char *principal;
    } rows[] = {{ASK_REVOKE, "root"}, {ASK_UNHOLD, "uid:65533"}, {0, "uid:0"}, {77, "uid:0"}, {255, "uid:0"}};
    static struct reply r;

    stage_start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;

        asked_begin(&b, (enum ask_kind)rows[i].kind, 40 + i, rows[i].principal);
        buf_put(&b, (const uint8_t[SERIAL_LEN]){1}, SERIAL_LEN);
        if (rows[i].kind == ASK_REVOKE) {
            buf_put_u8(&b, REASON_SUPERSEDED);
            buf_put_i64(&b, NO_TIME);
        }
        asked_send(&b);
        receive(&r);
        cr_assert_eq(r.number, 40 + i);
        cr_assert_eq(r.err, ERR_FORBIDDEN, "row %zu", i);
    }
    (void)issue_one();
}

Test(turn, what_is_answered_is_stored)
{
    struct outcome i;
    struct status s;

    stage_start();
    i = issue_one();
    cr_assert(!i.repeated);
    cr_assert_eq(i.serial[0], 1, "the node");
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.state, CERT_VALID);
}

Test(turn, two_asks_of_one_turn_under_one_key_get_one_certificate)
{
    static const struct question q = {.key = 9, .body = 1};
    static const struct question other = {.key = 9, .body = 2};
    static struct reply r[4];
    struct outcome first = {0}, again;
    uint64_t before;

    send_question(1, &q);
    send_question(2, &q);
    send_question(3, &other);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r[i]);
        if (r[i].number == 3) {
            cr_assert_eq(r[i].err, ERR_POLICY, "another body");
            continue;
        }
        again = issued_of(&r[i]);
        if (first.serial[0] == 0)
            first = again;
        else
            cr_assert_neq(again.repeated, first.repeated);
        cr_assert_eq(memcmp(again.serial, first.serial, SERIAL_LEN), 0);
    }
    before = stage_certificates();
    send_question(4, &q); /* and later, from the store */
    receive(&r[3]);
    again = issued_of(&r[3]);
    cr_assert(again.repeated);
    cr_assert_eq(memcmp(again.serial, first.serial, SERIAL_LEN), 0);
    cr_assert_eq(stage_certificates(), before);
}

Test(turn, two_refused_asks_of_one_turn_under_one_key_are_both_told_why)
{
    static const struct question q = {.name = "not a host", .key = 9, .body = 1};
    static const struct question other = {.key = 9, .body = 2};
    static struct reply r;

    send_question(1, &q);
    send_question(2, &q);
    send_question(3, &other);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r);
        if (r.number == 3) {
            (void)issued_of(&r); /* nothing was given under this key yet */
            continue;
        }
        assert_refused(&r, NULL);
    }
}

Test(turn, a_dry_run_stores_nothing)
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

Test(turn, our_own_profiles_are_not_for_clients)
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

Test(turn, our_issuers_subjects_are_not_for_clients)
{
    static const struct question q = {.subject = &stage.subject};
    static struct reply r;

    stage_start();
    send_question(1, &q);
    receive(&r);
    assert_refused(&r, NULL);
}

Test(turn, an_unknown_profile_is_not_found)
{
    static const struct question q = {.profile = "ucm/nothing"};
    static struct reply r;

    stage_start();
    send_question(1, &q);
    receive(&r);
    cr_assert_eq(r.err, ERR_NOT_FOUND);
}

Test(turn, a_key_of_another_subject_is_warned_of)
{
    static const uint8_t serial[SERIAL_LEN] = {1, 9};
    static struct reply r;
    static struct findings fs;

    stage_remember(serial);
    stage_start();
    send_question(1, &plain);
    receive(&r);
    cr_assert_eq(r.err, OK);
    cr_assert(findings_read(&r.rest, &fs));
    cr_assert_str_eq(fs.items[0].rule, "key.reused");
    cr_assert_str_eq(fs.items[0].got, "CN=OCSP ec-g1"); /* the latest: all keys are one here */
    findings_free(&fs);
}

Test(turn, a_key_revoked_as_compromised_is_never_certified_again)
{
    static struct reply r;
    struct outcome i;
    uint64_t before;
    bool changed;

    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_KEY_COMPROMISE, &changed), OK);
    before = stage_certificates();
    send_question(2, &plain);
    receive(&r);
    assert_refused(&r, "key.compromised");
    cr_assert_eq(stage_certificates(), before);
}

Test(turn, other_reasons_do_not_condemn_the_key)
{
    struct outcome i;
    bool changed;

    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_SUPERSEDED, &changed), OK);
    issue_one();
}

Test(turn, a_compromise_earlier_in_the_turn_counts)
{
    static const uint8_t serial[SERIAL_LEN] = {1, 9};
    static struct reply revoked, refused;

    stage_remember(serial);
    send_revocation(7, "uid:0", serial, REASON_KEY_COMPROMISE, NO_TIME);
    send_question(1, &plain);
    stage_start();
    receive(&revoked);
    cr_assert_eq(revoked.err, OK);
    receive(&refused);
    assert_refused(&refused, "key.compromised");
}

Test(turn, a_certificate_is_looked_at_before_it_is_signed)
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

Test(turn, the_listener_gets_its_own_names_and_no_others)
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

Test(turn, a_refusing_signer_leaves_nothing_behind)
{
    static struct reply r;
    uint64_t before;

    stage_start();
    issue_one();
    before = stage_certificates();
    stage.signer.refuses = true;
    send_question(1, &plain);
    receive(&r);
    stage.signer.refuses = false;
    cr_assert_eq(r.err, ERR_INTERNAL);
    cr_assert_eq(stage_certificates(), before);
}

Test(turn, a_signature_that_does_not_come_holds_up_no_other)
{
    static struct reply r;

    stage.signer.kept_at = 2; /* after the OCSP signer's certificate, the first of the two */
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(&r);
    cr_assert_eq(r.number, 2);
    stage.signer.releases = true;
    receive(&r);
    cr_assert_eq(r.number, 1);
    cr_assert(!stage.signer.gave_up);
}

/* The first of two questions comes back after the issuer is withdrawn. */
static void withdraw_in_flight(enum reason reason, struct reply *out)
{
    static const uint8_t issuer[SERIAL_LEN] = {1}; /* as played_issuer() has it */
    bool changed = false;

    stage_remember(issuer);
    stage.signer.kept_at = 2;
    send_question(1, &plain);
    send_question(2, &plain);
    stage_start();
    receive(out);
    cr_assert_eq(out->number, 2);
    cr_assert_eq(out->err, OK);
    cr_assert_eq(change(ASK_REVOKE, issuer, reason, &changed), OK);
    cr_assert(changed);
    stage.signer.releases = true;
    receive(out);
    cr_assert_eq(out->number, 1);
    cr_assert(!stage.signer.gave_up);
}

Test(turn, what_a_revoked_issuer_signed_meanwhile_is_not_recorded)
{
    static struct reply r;

    withdraw_in_flight(REASON_CESSATION_OF_OPERATION, &r);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_eq(stage_certificates(), 3, "the issuer's, its OCSP signer's and the one before");
}

Test(turn, nor_what_an_issuer_on_hold_signed)
{
    static struct reply r;

    withdraw_in_flight(REASON_CERTIFICATE_HOLD, &r);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_eq(stage_certificates(), 3);
}

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

Test(turn, the_audit_row_of_a_refusal_says_why_beside_a_warning)
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

Test(turn, the_audit_row_of_an_issue_cuts_no_character)
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

Test(turn, revocation_moves_as_the_state_allows)
{
    struct outcome i;
    struct status s;
    bool changed = false;

    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), ERR_CONFLICT, "not held");
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    cr_assert(changed);
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), OK);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.state, CERT_VALID);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_KEY_COMPROMISE, &changed), OK,
                 "a hold may become final");
    cr_assert(changed);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_KEY_COMPROMISE, &changed), OK);
    cr_assert(!changed, "idempotent");
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_SUPERSEDED, &changed), ERR_CONFLICT);
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), ERR_CONFLICT);
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.reason, REASON_KEY_COMPROMISE);
    i.serial[SERIAL_LEN - 1] ^= 1;
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_SUPERSEDED, &changed), ERR_NOT_FOUND);
}

static void desk_send(uint8_t kind, uint64_t number, const struct buf *body)
{
    struct buf b;

    buf_init(&b, 4096);
    buf_put_u8(&b, kind);
    buf_put_u64(&b, number);
    buf_put_span(&b, buf_span(body));
    cr_assert_eq(wire_send(stage.desk[0], buf_span(&b)), OK);
    buf_free(&b);
}

static struct rd desk_receive(uint8_t *frame, size_t cap, uint8_t kind, uint64_t *number)
{
    struct span s;
    struct rd r;

    cr_assert_eq(wire_receive(stage.desk[0], frame, cap, &s), OK);
    r = rd_of(s);
    cr_assert_eq(rd_u8(&r), kind);
    *number = rd_u64(&r);
    return r;
}

/* A complete list that shows so many changes. */
static void record(uint64_t number, uint64_t crl, uint64_t changes)
{
    uint8_t frame[1024], hash[HASH_LEN] = {1};
    uint64_t answered;
    struct buf b;
    struct rd r;

    buf_init(&b, 1024);
    buf_put_blob(&b, span_str("ec-g1"));
    buf_put_u16(&b, SHARD_ALL);
    buf_put_u8(&b, false);
    buf_put_u64(&b, crl);
    buf_put_i64(&b, 100);
    buf_put_i64(&b, 200);
    buf_put_u64(&b, 1000);
    buf_put_u64(&b, 0);
    buf_put(&b, hash, sizeof hash);
    buf_put_u64(&b, changes);
    buf_put_i64(&b, NO_TIME);
    buf_put_blob(&b, span_str("request"));
    desk_send(DESK_RECORD, number, &b);
    buf_free(&b);
    r = desk_receive(frame, sizeof frame, DESK_RECORDED, &answered);
    cr_assert_eq(answered, number);
    cr_assert_eq(rd_u8(&r), OK);
}

static void send_publish(uint64_t number)
{
    struct buf b;

    asked_begin(&b, ASK_PUBLISH, number, "uid:0");
    buf_put_blob(&b, span_str("ec-g1"));
    asked_send(&b);
}

Test(turn, a_publication_is_numbered_recorded_and_answered)
{
    static struct reply r;
    uint8_t frame[1024];
    uint64_t asked, number, crl;
    struct buf b;
    struct rd rd;

    stage_start();
    send_publish(11);
    rd = desk_receive(frame, sizeof frame, DESK_PUBLISH, &asked);
    cr_assert(span_eq(rd_blob(&rd), span_str("ec-g1")));

    buf_init(&b, 1024);
    buf_put_blob(&b, span_str("ec-g1"));
    desk_send(DESK_RESERVE, 5, &b);
    rd = desk_receive(frame, sizeof frame, DESK_RESERVED, &number);
    cr_assert_eq(number, 5);
    cr_assert_eq(rd_u8(&rd), OK);
    crl = rd_u64(&rd);
    cr_assert_eq(crl, 1);

    record(6, crl, 0);
    buf_reset(&b);
    buf_put_u8(&b, OK);
    buf_put_u64(&b, crl);
    buf_put_blob(&b, span_str(""));
    desk_send(DESK_DONE, asked, &b);
    receive(&r);
    cr_assert_eq(r.kind, ASK_PUBLISH);
    cr_assert_eq(r.number, 11);
    cr_assert_eq(r.err, OK);
    cr_assert_eq(rd_u64(&r.rest), crl);
    buf_free(&b);
}

static uint64_t publish_receive(enum desk_cause cause)
{
    uint8_t frame[1024];
    uint64_t number;
    struct rd r = desk_receive(frame, sizeof frame, DESK_PUBLISH, &number);

    cr_assert(span_eq(rd_blob(&r), span_str("ec-g1")));
    cr_assert_eq(rd_u8(&r), cause);
    return number;
}

static void publish_done(uint64_t number, enum err err, uint64_t crl_number)
{
    struct buf b;

    buf_init(&b, 64);
    buf_put_u8(&b, (uint8_t)err);
    buf_put_u64(&b, crl_number);
    buf_put_blob(&b, span_str(""));
    desk_send(DESK_DONE, number, &b);
    buf_free(&b);
}

static void reserve(uint64_t number)
{
    uint8_t frame[1024];
    uint64_t answered;
    struct buf b;

    buf_init(&b, 64);
    buf_put_blob(&b, span_str("ec-g1"));
    desk_send(DESK_RESERVE, number, &b);
    buf_free(&b);
    desk_receive(frame, sizeof frame, DESK_RESERVED, &answered);
    cr_assert_eq(answered, number);
}

/* A publisher at work reads nothing for seconds. */
Test(turn, any_number_of_revocations_does_not_wait_for_the_publisher)
{
    struct outcome i;
    bool changed;

    stage.role->publish_on_revocation = true;
    stage_start();
    i = issue_one();
    for (int n = 0; n < 500; n++) {
        cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
        cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), OK);
    }
}

Test(turn, what_is_revoked_after_a_list_was_begun_is_published_by_the_next)
{
    struct outcome i;
    uint64_t first, second;
    bool changed;

    stage.role->publish_on_revocation = true;
    stage_start();
    i = issue_one();
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    first = publish_receive(CAUSE_REVOCATION);
    cr_assert_eq(change(ASK_UNHOLD, i.serial, 0, NULL), OK, "before the list is begun: the same one");
    reserve(1);
    cr_assert_eq(change(ASK_REVOKE, i.serial, REASON_CERTIFICATE_HOLD, &changed), OK);
    publish_done(first, OK, 1);
    second = publish_receive(CAUSE_REVOCATION);
    cr_assert_neq(second, first);
    reserve(2);
    publish_done(second, OK, 2);
    reserve(3); /* and no third nudge comes before its answer */
}

/* The first life ends before a list is recorded. Where none is asked for, the answer to what the crl asks
 * comes first. */
Test(turn, a_revocation_that_no_list_shows_is_asked_for_again_at_start)
{
    bool changed;

    stage.role->publish_on_revocation = true;
    stage_start();
    cr_assert_eq(change(ASK_REVOKE, issue_one().serial, REASON_SUPERSEDED, &changed), OK);
    (void)publish_receive(CAUSE_REVOCATION);
    stage_restart();
    (void)publish_receive(CAUSE_REVOCATION);
    reserve(1);
    stage_restart();
    (void)publish_receive(CAUSE_REVOCATION);
    reserve(1);
    record(2, 2, 1);
    stage_restart();
    reserve(1); /* the list in force shows it */
}

Test(turn, a_revocation_waits_for_the_schedule_over_a_start_too)
{
    bool changed;

    stage_start();
    cr_assert_eq(change(ASK_REVOKE, issue_one().serial, REASON_SUPERSEDED, &changed), OK);
    stage_restart();
    reserve(1);
}

Test(turn, an_address_that_no_list_carries_is_asked_for_again_at_start)
{
    stage.role->config.issuers[0].shards = 4;
    stage_start();
    (void)publish_receive(CAUSE_CONFIGURATION);
    stage_restart();
    (void)publish_receive(CAUSE_CONFIGURATION);
    reserve(1);
    record(2, 1, 1);
    stage_restart();
    reserve(1);
    strcpy(stage.role->config.public_url, "http://other.example.com");
    stage_restart();
    (void)publish_receive(CAUSE_CONFIGURATION);
    stage_restart();
    (void)publish_receive(CAUSE_CONFIGURATION);
    reserve(1);
}

/* The next answer: to this question, with this outcome. */
static void expect_published(uint64_t number, enum err err, uint64_t crl_number)
{
    static struct reply r;

    receive(&r);
    cr_assert_eq(r.kind, ASK_PUBLISH);
    cr_assert_eq(r.number, number);
    cr_assert_eq(r.err, err);
    cr_assert(err != OK || rd_u64(&r.rest) == crl_number);
}

Test(turn, who_asks_while_a_list_is_made_gets_the_next)
{
    uint64_t first, second;
    struct outcome i;

    stage_start();
    send_publish(1);
    first = publish_receive(CAUSE_REQUEST);
    send_publish(2);
    send_publish(3);
    i = issue_one(); /* by then both have been taken */
    (void)i;
    publish_done(first, ERR_IO, 0);
    expect_published(1, ERR_IO, 0); /* and the failure is nobody else's */
    second = publish_receive(CAUSE_REQUEST);
    cr_assert_neq(second, first);
    publish_done(second, OK, 7);
    expect_published(2, OK, 7);
    expect_published(3, OK, 7);
    send_publish(4);
    publish_done(publish_receive(CAUSE_REQUEST), OK, 8);
    expect_published(4, OK, 8);
}

/* A stopped publisher reads nothing at all: the wire holds fewer messages than are asked for here. */
Test(turn, any_number_of_publications_does_not_wait_for_the_publisher)
{
    struct outcome i;
    uint64_t first;

    stage_start();
    for (uint64_t n = 1; n <= 3000; n++) {
        send_publish(n);
        if (n > PUBLISH_WAITS_MAX)
            expect_published(n, ERR_UNAVAILABLE, 0);
    }
    i = issue_one();
    (void)i;
    first = publish_receive(CAUSE_REQUEST);
    publish_done(first, OK, 1);
    expect_published(1, OK, 1);
    publish_done(publish_receive(CAUSE_REQUEST), OK, 2);
    for (uint64_t n = 2; n <= PUBLISH_WAITS_MAX; n++)
        expect_published(n, OK, 2);
    send_publish(5000); /* there is room again */
    publish_done(publish_receive(CAUSE_REQUEST), OK, 3);
    expect_published(5000, OK, 3);
}

/* What nobody will answer any more is freed: the leak check looks. */
Test(turn, an_end_with_those_who_wait_for_a_list)
{
    stage_start();
    send_publish(1);
    (void)publish_receive(CAUSE_REQUEST);
}

/* A time before all times is no invalidityDate, and 8 is removeFromCRL: either would spoil every later CRL.
 */
static void revoke_with(uint8_t reason, int64_t invalidity_s)
{
    static const uint8_t serial[SERIAL_LEN] = {1};
    static struct reply r;

    stage_start();
    send_revocation(7, "uid:0", serial, reason, invalidity_s);
    receive(&r);
}

Test(turn, a_reason_that_no_list_can_say_ends_the_role, .exit_code = 2)
{
    revoke_with(REASON_REMOVE_FROM_CRL, NO_TIME);
}

Test(turn, an_invalidity_date_that_no_list_can_say_ends_the_role, .exit_code = 2)
{
    revoke_with(REASON_KEY_COMPROMISE, CLOCK_MAX + 1);
}

static void responder_of(uint8_t out[static SERIAL_LEN])
{
    struct view *v = stage_look();
    struct issuer i;

    cr_assert_eq(issuer_find(v, "ec-g1", &i), OK);
    memcpy(out, i.responder, SERIAL_LEN);
    view_close(v);
}

/* As the ca makes one, while the clock is ahead. */
static void plant_responder(int64_t not_before_s, uint8_t serial[static SERIAL_LEN])
{
    static const enum eku eku[] = {EKU_OCSP_SIGNING};
    uint8_t ski[SKI_LEN];
    struct tbs about = {.alg = SIG_ECDSA_SHA256,
                        .issuer = buf_span(&stage.subject),
                        .subject = buf_span(&stage.subject),
                        .spki = buf_span(&stage.spki),
                        .not_before_s = not_before_s,
                        .not_after_s = not_before_s + 14 * 86400,
                        .ku = KU_DIGITAL_SIGNATURE,
                        .eku = eku,
                        .eku_count = 1,
                        .nocheck = true};
    struct cert_about row = {.profile = "chancery/ocsp", .requester = "service", .issuer_no = 1};
    struct buf tbs, certificate, text;
    struct cert c;
    struct txn *t;
    uint64_t number;

    serial_new(1, about.not_after_s, serial);
    memcpy(about.serial, serial, SERIAL_LEN);
    cr_assert(ski_of(about.spki, ski));
    about.aki = span_of(ski, sizeof ski);
    buf_init(&tbs, 65536);
    buf_init(&certificate, 65536);
    buf_init(&text, 64);
    tbs_write(&tbs, &about);
    certificate_write(&certificate, buf_span(&tbs), about.alg, span_str("signature"));
    row.der = buf_span(&certificate);
    cr_assert(cert_row(&row, &text, &c));
    t = stage_begin();
    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
    issuer_set_responder(t, 1, serial);
    stage_commit();
    buf_free(&tbs);
    buf_free(&certificate);
    buf_free(&text);
}

Test(turn, an_ocsp_signer_of_the_future_is_replaced)
{
    uint8_t planted[SERIAL_LEN], found[SERIAL_LEN];

    plant_responder(clock_now_s() + 365 * 86400, planted);
    stage_start();
    issue_one();
    responder_of(found);
    cr_assert_neq(memcmp(found, planted, SERIAL_LEN), 0);
}

Test(turn, an_ocsp_signer_of_today_is_kept)
{
    uint8_t planted[SERIAL_LEN], found[SERIAL_LEN];

    plant_responder(clock_now_s() - 300, planted);
    stage_start();
    issue_one();
    responder_of(found);
    cr_assert_eq(memcmp(found, planted, SERIAL_LEN), 0);
}

static void send_probe(uint64_t number)
{
    struct buf b;

    asked_begin(&b, ASK_PROBE, number, NULL);
    asked_send(&b);
}

Test(turn, a_probe_is_answered)
{
    static struct reply r;

    stage_start();
    send_probe(3);
    receive(&r);
    cr_assert_eq(r.err, OK);
    cr_assert_eq(r.number, 3);
    stage.signer.refuses = true;
    send_probe(3);
    receive(&r);
    cr_assert_eq(r.err, ERR_UNAVAILABLE);
}

static void add_rows(unsigned n)
{
    struct txn *t = stage_begin();

    for (unsigned i = 0; i < n; i++)
        audit_append(
            t, &(struct audit_row){.at_s = clock_now_s(), .kind = AUDIT_ISSUE, .actor = span_str("uid:0")});
    stage_commit();
}

static struct seal_keys *make_seal_keys(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    BIO *b = BIO_new(BIO_s_mem());
    struct seal_keys *keys;
    char *text;
    long len;

    PEM_write_bio_PUBKEY(b, key);
    len = BIO_get_mem_data(b, &text);
    cr_assert_eq(seal_keys_read(span_of(text, (size_t)len), &keys, NULL), OK);
    BIO_free(b);
    EVP_PKEY_free(key);
    return keys;
}

/* A seal waits for what is at the signer; what comes back then is answered though nothing else ever happens.
 */
Test(turn, what_came_back_before_a_seal_is_answered_at_once)
{
    struct seal_keys *keys = make_seal_keys();
    static struct reply r;

    add_rows(SEAL_ROWS);
    stage.role->seal_keys = keys;
    stage.signer.slow_at = 4; /* after the OCSP signer's certificate, the third of the three */
    for (uint64_t i = 1; i <= 3; i++)
        send_question(i, &plain);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r);
        (void)issued_of(&r);
    }
    stage_stop();
    seal_keys_free(keys);
}
