/* SPDX-License-Identifier: Apache-2.0 */
/* Is what is kept given again while it is true, and never after? */
#include "stage.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/der.h"

TestSuite(ocsp_kept, .init = stage_open, .fini = stage_close);

#define ENDING 200 /* last octet of a serial */

static void add_ending(int64_t not_after_s)
{
    static const uint8_t der[] = {0x30, 0};
    struct txn *t = begin();

    add_cert(t, span_of(der, sizeof der), serial_of(ENDING), no_a, not_after_s);
    commit(t);
}

static void respond_about(uint8_t last, struct got *g)
{
    struct buf der = pki_encode(about(id_of(&ca_a, last)));

    respond(buf_span(&der), g);
    buf_free(&der);
    ocsp_send(o);
}

Test(ocsp_kept, an_answer_is_signed_once_and_given_again_octet_for_octet)
{
    struct got first, again;

    keeping();
    cr_assert(ask_signs(about(id_of(&ca_a, GOOD)), &first));
    now_s += 3600;
    cr_assert_not(ask_signs(about(id_of(&ca_a, GOOD)), &again));
    cr_assert(span_eq(first.answer.der, again.answer.der));
    cr_assert_eq(again.answer.this_update_s, now_s - 3600);
    cr_assert_eq(again.answer.next_update_s, now_s - 3600 + PKI_DAY);
    cr_assert(again.answer.count == 1 && !again.answer.has_nonce && !again.answer.has_unknown);
    cr_assert_eq(figure_of("ocsp_cache_hits_total", ""), 1);
    cr_assert_eq(figure_of("ocsp_certids_total", "status=\"good\""), 2);
    cr_assert(signs(REVOKED)); /* another serial is another answer */
    forget(&first);
    forget(&again);
}

Test(ocsp_kept, what_comes_late_does_not_take_the_place_of_what_came_after_it)
{
    struct got late = {0}, first, again;
    struct job held;

    keeping();
    respond_about(GOOD, &late);
    cr_assert(take_job(&held));
    for (unsigned i = 0; i < OCSP_WAIT_TICKS; i++)
        ocsp_tick(o, now_s);
    cr_assert_eq(late.answer.status, OCSP_TRY_LATER);
    now_s += 3600;
    cr_assert(ask_signs(about(id_of(&ca_a, GOOD)), &first));
    sign_job(&held);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_not(ask_signs(about(id_of(&ca_a, GOOD)), &again));
    cr_assert_eq(again.answer.this_update_s, now_s);
    forget(&late);
    forget(&first);
    forget(&again);
}

Test(ocsp_kept, what_a_withdrawn_signer_signed_is_not_given_again)
{
    struct txn *t;

    keeping();
    cr_assert(signs(GOOD));
    cr_assert_not(signs(GOOD));
    t = begin();
    cert_revoke(t, responder_a.serial, REASON_KEY_COMPROMISE, now_s, NO_TIME);
    commit(t);
    now_s++;
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
}

Test(ocsp_kept, the_certid_as_it_was_written_is_in_the_answer)
{
    OCSP_CERTID *sha256 = pki_certid(EVP_sha256(), &ca_a, span_of(serial_of(GOOD), SERIAL_LEN));
    struct got g;

    keeping();
    cr_assert(signs(GOOD));
    cr_assert(ask_signs(about(sha256), &g)); /* the same serial by another hash */
    forget(&g);
}

Test(ocsp_kept, nonces_and_several_certids_are_signed_each_time)
{
    keeping();
    for (int i = 0; i < 2; i++) {
        OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));
        struct got g;

        pki_add_nonce(r, 16, false);
        cr_assert(ask_signs(r, &g));
        cr_assert_null(g.answer.digest);
        forget(&g);
        r = about(id_of(&ca_a, GOOD));
        pki_add(r, id_of(&ca_a, HELD));
        cr_assert(ask_signs(r, &g));
        forget(&g);
    }
}

Test(ocsp_kept, what_changes_in_the_store_is_in_the_next_answer)
{
    struct txn *t;

    keeping();
    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_GOOD);
    t = begin();
    cert_revoke(t, serial_of(GOOD), REASON_CERTIFICATE_HOLD, PKI_NOW, NO_TIME);
    commit(t);
    cr_assert_eq(ask_serial(GOOD).reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    t = begin();
    cert_revoke(t, serial_of(GOOD), REASON_KEY_COMPROMISE, PKI_NOW, NO_TIME);
    commit(t);
    cr_assert_eq(ask_serial(GOOD).reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
    cr_assert_eq(ask_serial(HELD).status, V_OCSP_CERTSTATUS_REVOKED);
    t = begin();
    cert_unhold(t, serial_of(HELD));
    commit(t);
    cr_assert_eq(ask_serial(HELD).status, V_OCSP_CERTSTATUS_GOOD);
    cr_assert_not(signs(GOOD));
    t = begin();
    cert_revoke(t, serial_of(HELD), REASON_SUPERSEDED, PKI_NOW, NO_TIME);
    commit(t);
    cr_assert_not(signs(GOOD), "a change elsewhere signs nothing anew");
}

Test(ocsp_kept, an_answer_under_way_is_not_for_those_who_ask_after_the_change)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got before = {0}, after = {0};
    OCSP_REQUEST *request = about(id_of(&ca_a, GOOD));
    struct txn *t;

    keeping();
    respond(buf_span(&der), &before);
    t = begin();
    cert_revoke(t, serial_of(GOOD), REASON_SUPERSEDED, PKI_NOW, NO_TIME);
    commit(t);
    respond(buf_span(&der), &after);
    cr_assert_eq(jobs_waiting(), 2);
    cr_assert_eq(ocsp_pump(o), OK);
    verify(&after, request, &ca_a);
    cr_assert_eq(said_of(&after, 0).status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_REVOKED);
    OCSP_REQUEST_free(request);
    forget(&before);
    forget(&after);
    buf_free(&der);
}

Test(ocsp_kept, the_older_signature_may_come_last_and_is_not_believed)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got before = {0}, after = {0};
    struct job old, new;
    struct txn *t;

    keeping();
    respond(buf_span(&der), &before);
    t = begin();
    cert_revoke(t, serial_of(GOOD), REASON_SUPERSEDED, PKI_NOW, NO_TIME);
    commit(t);
    respond(buf_span(&der), &after);
    cr_assert(take_job(&old) && take_job(&new));
    sign_job(&new);
    sign_job(&old);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert(before.calls == 1 && after.calls == 1);
    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_REVOKED);
    forget(&before);
    forget(&after);
    buf_free(&der);
}

Test(ocsp_kept, what_many_ask_for_at_once_is_signed_once)
{
    static struct got got[OCSP_UNDER_WAY_MAX + 1];
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));

    keeping();
    for (size_t i = 0; i <= OCSP_UNDER_WAY_MAX; i++)
        respond(buf_span(&der), &got[i]);
    cr_assert_eq(got[OCSP_UNDER_WAY_MAX].answer.status, OCSP_TRY_LATER);
    cr_assert_eq(jobs_waiting(), 1);
    cr_assert_eq(ocsp_pump(o), OK);
    for (size_t i = 0; i <= OCSP_UNDER_WAY_MAX; i++) {
        cr_assert_eq(got[i].calls, 1);
        cr_assert(i == OCSP_UNDER_WAY_MAX || got[i].answer.status == OCSP_SUCCESSFUL);
        forget(&got[i]);
    }
    cr_assert_eq(figure_of("ocsp_cache_joined_total", ""), OCSP_UNDER_WAY_MAX - 1);
    buf_free(&der);
}

/* The hand of the clock goes round: every kept answer has been looked at. Gives the signatures made. */
static size_t tick_round(void)
{
    size_t n = 0;

    for (int i = 0; i < 8; i++) {
        ocsp_tick(o, now_s);
        n += jobs_waiting();
        cr_assert_eq(ocsp_pump(o), OK);
    }
    return n;
}

Test(ocsp_kept, what_was_asked_for_is_signed_anew_before_it_ages)
{
    keeping();
    cr_assert(signs(GOOD) && signs(REVOKED));
    now_s = PKI_NOW + PKI_DAY / 2;
    cr_assert_not(signs(GOOD) || signs(REVOKED));
    cr_assert_eq(tick_round(), 0, "nothing ages yet");
    now_s = PKI_NOW + PKI_DAY * 9 / 10;
    cr_assert_eq(tick_round(), 2);
    now_s = PKI_NOW + PKI_DAY;
    cr_assert_not(signs(GOOD), "it was ready before it was asked for");
    now_s = PKI_NOW + PKI_DAY * 18 / 10; /* since it was signed anew, only one of them was asked for */
    cr_assert_eq(tick_round(), 1);
}

Test(ocsp_kept, an_answer_near_its_end_is_not_given)
{
    struct said s;

    keeping();
    cr_assert(signs(GOOD));
    now_s = PKI_NOW + PKI_DAY * 15 / 16 - 1;
    struct got g = {0};
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));

    respond(buf_span(&der), &g); /* still given, and signed anew behind it */
    cr_assert_eq(g.calls, 1);
    cr_assert_eq(jobs_waiting(), 1);
    forget(&g);
    buf_free(&der);
    now_s = PKI_NOW + PKI_DAY * 15 / 16; /* that signature has not been taken */
    s = ask_serial(GOOD);
    cr_assert_geq(s.this_s, now_s - 1);
    now_s = PKI_NOW - 10; /* a clock that went back: no answer from the future */
    cr_assert_eq(ask_serial(GOOD).this_s, now_s);
}

Test(ocsp_kept, a_certificate_that_ends_sooner_ends_the_answer)
{
    now_s = PKI_NOW + 50 * PKI_DAY - 600; /* the leaf's end is near */
    pki_free(&responder_a);
    responder_a = pki_certificate("OCSP A", &ca_a, PKI_RESPONDER, "EC", 41, now_s + 14 * PKI_DAY);
    struct txn *t = begin();

    add_responder(t, no_a, &responder_a);
    commit(t);
    cr_assert_eq(ask_serial(GOOD).next_s, now_s + 600);
    now_s = PKI_NOW + 50 * PKI_DAY + 600; /* and past: there is no end to come */
    cr_assert_eq(ask_serial(GOOD).next_s, now_s + PKI_DAY);
}

Test(ocsp_kept, memory_has_its_bound_and_the_oldest_make_way)
{
    struct txn *t = begin();
    size_t signed_again = 0;
    uint8_t serial[SERIAL_LEN];

    for (unsigned i = 0; i < 200; i++) {
        static const uint8_t der[] = {0x30, 0};

        memset(serial, 0x22, sizeof serial);
        serial[0] = 1;
        serial[1] = (uint8_t)i;
        add_cert(t, span_of(der, sizeof der), serial, no_a, PKI_NOW + 50 * PKI_DAY);
    }
    commit(t);
    reopen((struct ocsp_config){.validity_s = PKI_DAY, .cache_octets = 64 << 10}); /* some 50 of them */
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 200; i++) {
            struct got g;

            serial[1] = (uint8_t)i;
            signed_again +=
                ask_signs(about(pki_certid(EVP_sha1(), &ca_a, span_of(serial, SERIAL_LEN))), &g) &&
                round == 1;
            forget(&g);
        }
        ocsp_tick(o, now_s);
        cr_assert_leq(figure_value(board_figure(board, FIGURE_GAUGE, "ocsp_cache_octets", "", "")), 64 << 10);
    }
    cr_assert_gt(signed_again, 100);
}

Test(ocsp_kept, unknowns_are_kept_for_minutes_and_apart)
{
    struct txn *t;

    keeping();
    cr_assert(signs(NOT_ISSUED));
    cr_assert_not(signs(NOT_ISSUED));
    now_s += OCSP_UNKNOWN_S;
    cr_assert(signs(NOT_ISSUED));
    t = begin();
    static const uint8_t der[] = {0x30, 0};

    add_cert(t, span_of(der, sizeof der), serial_of(NOT_ISSUED), no_a, PKI_NOW + 50 * PKI_DAY);
    commit(t);
    cr_assert_eq(ask_serial(NOT_ISSUED).status, V_OCSP_CERTSTATUS_GOOD, "issued: known at once");
    cr_assert_not(signs(NOT_ISSUED));
}

Test(ocsp_kept, what_is_not_in_the_store_any_more_is_signed_as_unknown_once)
{
    struct cert_prune prune = {.before_s = PKI_NOW};
    struct txn *t;

    keeping();
    add_ending(PKI_NOW - 1);
    cr_assert(signs(ENDING) && signs(GOOD));
    t = begin();
    cr_assert_not(cert_prune(t, &prune, CERT_PRUNE_MAX));
    commit(t);
    cr_assert_eq(prune.count, 1);
    cr_assert_eq(ask_serial(ENDING).status, V_OCSP_CERTSTATUS_UNKNOWN);
    cr_assert_eq(ask_serial(ENDING).status, V_OCSP_CERTSTATUS_UNKNOWN);
    cr_assert_not(signs(ENDING));
    cr_assert_eq(figure_of("ocsp_signatures_total", "cause=\"unknown\""), 1);
    cr_assert_not(signs(GOOD), "what is true stays");
}

Test(ocsp_kept, strangers_cannot_make_the_responder_sign_without_bound)
{
    enum ocsp_status last = OCSP_SUCCESSFUL;

    reopen((struct ocsp_config){
        .validity_s = PKI_DAY, .cache_octets = CACHE, .unknown_rate = {.count = 10, .span_ms = 1000}});
    cr_assert(signs(GOOD));
    for (uint8_t i = 0; i < 11; i++)
        last = ask_status(about(id_of(&ca_a, (uint8_t)(NOT_ISSUED + i))));
    cr_assert_eq(last, OCSP_TRY_LATER);
    cr_assert_eq(figure_of("ocsp_limited_total", "limit=\"unknown-rate\""), 1);
    cr_assert_eq(ask_status(about(id_of(&ca_a, NOT_ISSUED))), OCSP_SUCCESSFUL, "kept ones cost nothing");
    cr_assert(signs(REVOKED), "what was issued is answered all the same");
    now_s += 1;
    cr_assert_eq(ask_status(about(id_of(&ca_a, NOT_ISSUED + 10))), OCSP_SUCCESSFUL);
}

static enum ocsp_status ask_from(const char *from)
{
    OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));
    struct got g = {0};
    struct buf der;

    pki_add_nonce(r, 16, false);
    der = pki_encode(r);
    ocsp_respond(o, &(struct ocsp_asked){.request = buf_span(&der), .from = span_str(from), .now_s = now_s},
                 on_done, &g);
    pump(1);
    cr_assert_eq(g.calls, 1);
    enum ocsp_status s = g.answer.status;

    forget(&g);
    buf_free(&der);
    return s;
}

Test(ocsp_kept, each_address_has_its_own_budget_of_signatures)
{
    reopen((struct ocsp_config){
        .validity_s = PKI_DAY, .cache_octets = CACHE, .live_rate = {.count = 5, .span_ms = 1000}});
    for (int i = 0; i < 5; i++)
        cr_assert_eq(ask_from("one"), OCSP_SUCCESSFUL);
    cr_assert_eq(ask_from("one"), OCSP_TRY_LATER);
    cr_assert_eq(ask_from("two"), OCSP_SUCCESSFUL);
    cr_assert_eq(ask_from(""), OCSP_SUCCESSFUL);
    now_s += 1;
    cr_assert_eq(ask_from("one"), OCSP_SUCCESSFUL);
    cr_assert_eq(figure_of("ocsp_limited_total", "limit=\"live-rate\""), 1);
}

/* As the ca renews it, by a key of its own so that it is seen who has signed. */
static void renew_responder(uint8_t last)
{
    struct txn *t;

    pki_free(&responder_a);
    responder_a = pki_certificate("OCSP A2", &ca_a, PKI_RESPONDER, "EC", last, PKI_NOW + 20 * PKI_DAY);
    t = begin();
    add_responder(t, no_a, &responder_a);
    commit(t);
    now_s += 1;
}

static void withdraw(const uint8_t serial[static SERIAL_LEN])
{
    struct txn *t = begin();

    cert_revoke(t, serial, REASON_SUPERSEDED, now_s, NO_TIME);
    commit(t);
    now_s += 1;
}

Test(ocsp_kept, a_renewed_signer_signs_anew_and_the_old_answer_is_given_until_then)
{
    struct got before, between, after;

    keeping();
    cr_assert(signs(REVOKED) && ask_signs(about(id_of(&ca_a, GOOD)), &before));
    renew_responder(40);
    cr_assert(ask_signs(about(id_of(&ca_a, GOOD)), &between));
    cr_assert(span_eq(before.answer.der, between.answer.der), "nobody waits for the signature");
    after = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_eq(after.answer.this_update_s, now_s);
    cr_assert_eq(tick_round(), 1, "the other one, without being asked for");
    cr_assert_not(signs(REVOKED) || signs(GOOD));
    forget(&before);
    forget(&between);
    forget(&after);
}

Test(ocsp_kept, what_a_renewed_signer_signed_is_not_given_once_it_is_withdrawn)
{
    uint8_t old[SERIAL_LEN];
    struct got before, after;

    keeping();
    memcpy(old, responder_a.serial, SERIAL_LEN);
    cr_assert(ask_signs(about(id_of(&ca_a, GOOD)), &before));
    renew_responder(40);
    withdraw(old);
    after = ask_by(about(id_of(&ca_a, GOOD)), &ca_a); /* waits for the new signature */
    cr_assert_eq(after.answer.this_update_s, now_s);
    forget(&before);
    forget(&after);
}

Test(ocsp_kept, what_was_asked_for_is_ready_when_there_is_a_signer_again)
{
    keeping();
    cr_assert(signs(GOOD) && signs(REVOKED));
    withdraw(responder_a.serial);
    cr_assert_eq(tick_round(), 0);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    renew_responder(40);
    cr_assert_eq(tick_round(), 2);
    cr_assert_not(signs(GOOD) || signs(REVOKED));
    renew_responder(41); /* asked for since: so again */
    withdraw(responder_a.serial);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER, "nor by the one before that");
}

Test(ocsp_kept, another_copy_of_the_store_is_read_again)
{
    keeping();
    ocsp_follow(o, store, PKI_NOW - 60);
    cr_assert(signs(GOOD));
    ocsp_follow(o, store, PKI_NOW);
    cr_assert_not(signs(GOOD));
    ocsp_follow(o, store, PKI_NOW - 3601);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER, "too old: kept answers too");
}

/* What an answer by an old copy of the store is worth begins when it is made. */
Test(ocsp_kept, an_unknown_by_an_old_copy_of_the_store_is_kept_as_long)
{
    reopen((struct ocsp_config){.validity_s = PKI_DAY, .age_max_s = PKI_DAY / 2, .cache_octets = CACHE});
    ocsp_follow(o, store, PKI_NOW - PKI_DAY / 2 + OCSP_UNKNOWN_S);
    cr_assert(signs(NOT_ISSUED));
    now_s += OCSP_UNKNOWN_S * 15 / 16 - 1;
    cr_assert_not(signs(NOT_ISSUED));
    now_s += 2;
    cr_assert(signs(NOT_ISSUED), "near its end");
}

Test(ocsp_kept, an_answer_that_ends_soon_by_an_old_copy_of_the_store_is_not_signed_at_each_request)
{
    size_t n = 0;

    reopen((struct ocsp_config){.validity_s = PKI_DAY, .age_max_s = PKI_DAY, .cache_octets = CACHE});
    ocsp_follow(o, store, PKI_NOW);
    now_s += PKI_DAY / 2;
    add_ending(now_s + 3600); /* an eleventh of its age */
    for (unsigned i = 0; i < 20; i++)
        n += signs(ENDING);
    cr_assert_eq(n, 1);
    now_s += 3600 * 9 / 10;
    for (unsigned i = 0; i < 20; i++)
        n += signs(ENDING);
    cr_assert_eq(n, 2, "once more, in the last eighth of its life");
}

Test(ocsp_kept, other_settings_are_in_the_next_answer)
{
    struct got g;

    keeping();
    cr_assert(signs(GOOD));
    config.live_rate = (struct rate){1000, 1000};
    ocsp_settings(o, &config, now_s);
    cr_assert_not(signs(GOOD), "a budget is in no answer");
    config.validity_s = 3600;
    ocsp_settings(o, &config, now_s);
    cr_assert(ask_signs(about(id_of(&ca_a, GOOD)), &g));
    cr_assert_eq(g.answer.next_update_s, now_s + 3600);
    forget(&g);
    cr_assert_not(signs(GOOD));
}

Test(ocsp_kept, an_answer_under_way_while_settings_change_is_not_kept)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct got g = {0};

    keeping();
    respond(buf_span(&der), &g);
    config.validity_s = 3600;
    ocsp_settings(o, &config, now_s);
    cr_assert_eq(jobs_waiting(), 1);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_eq(g.calls, 1);
    cr_assert_eq(g.answer.next_update_s, now_s + PKI_DAY, "as it was when it was asked for");
    forget(&g);
    buf_free(&der);
    cr_assert(signs(GOOD));
}

Test(ocsp_kept, what_was_not_issued_is_revoked_where_configured)
{
    struct said s;
    struct got g;

    reopen((struct ocsp_config){.validity_s = PKI_DAY, .cache_octets = CACHE, .is_extended_revoke = true});
    s = ask_serial(NOT_ISSUED);
    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    cr_assert_eq(s.revoked_s, 0);
    cr_assert_eq(s.next_s, now_s + OCSP_UNKNOWN_S);
    g = ask_by(about(id_of(&ca_a, NOT_ISSUED)), &ca_a);
    cr_assert(g.answer.has_unknown, "not for a cache: it may be issued soon");
    cr_assert_eq(OCSP_BASICRESP_get_ext_count(g.basic), 1);
    forget(&g);
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_eq(OCSP_BASICRESP_get_ext_count(g.basic), 0);
    forget(&g);
    cr_assert_eq(ask_serial(REVOKED).reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
}

Test(ocsp_kept, an_archive_cutoff_is_told_where_configured)
{
    ASN1_GENERALIZEDTIME *cutoff;
    struct got g;

    reopen((struct ocsp_config){.validity_s = PKI_DAY, .archive_cutoff_s = 3650 * (int64_t)PKI_DAY});
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cutoff =
        OCSP_SINGLERESP_get1_ext_d2i(OCSP_resp_get0(g.basic, 0), NID_id_pkix_OCSP_archiveCutoff, NULL, NULL);
    cr_assert_eq(seconds_of(cutoff), now_s - 3650 * (int64_t)PKI_DAY);
    ASN1_GENERALIZEDTIME_free(cutoff);
    forget(&g);
    g = ask_by(about(id_of(&ca_a, NOT_ISSUED)), &ca_a);
    cr_assert_eq(OCSP_SINGLERESP_get_ext_count(OCSP_resp_get0(g.basic, 0)), 0);
    forget(&g);
}

Test(ocsp_kept, a_guess_is_about_issued_certificates_alone)
{
    static const uint8_t cases[] = {GOOD, REVOKED, HELD, NOT_ISSUED, OF_B};

    for (size_t i = 0; i < sizeof cases; i++) {
        struct buf der = pki_encode(about(id_of(&ca_a, cases[i])));

        cr_assert_eq(ocsp_is_about_issued(o, buf_span(&der), now_s), i < 3);
        cr_assert_not(ocsp_is_about_issued(o, span_of(der.data, der.len - 1), now_s));
        buf_free(&der);
    }
}
