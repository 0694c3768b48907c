/* SPDX-License-Identifier: Apache-2.0 */
/* Does every answer say what the store says, signed by whom the issuer authorised? */
#include "stage.h"

#include <openssl/evp.h>
#include <string.h>

TestSuite(ocsp_responder, .init = stage_open, .fini = stage_close);

Test(ocsp_responder, an_issued_serial_is_good)
{
    struct said s = ask_serial(GOOD);

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_GOOD);
    cr_assert_eq(s.this_s, PKI_NOW);
    cr_assert_eq(s.next_s, PKI_NOW + PKI_DAY);
}

Test(ocsp_responder, a_revoked_serial_is_revoked_with_its_reason_and_time)
{
    struct said s = ask_serial(REVOKED);

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE);
    cr_assert_eq(s.revoked_s, PKI_NOW - 5000);
}

Test(ocsp_responder, an_unspecified_reason_is_left_out)
{
    struct said s = ask_serial(UNSPECIFIED);

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, -1);
}

Test(ocsp_responder, a_held_serial_is_revoked_as_on_hold_and_good_after)
{
    struct said s = ask_serial(HELD);
    struct txn *t;

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(s.reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
    cr_assert_eq(s.revoked_s, PKI_NOW - 3000);
    t = begin();
    cert_unhold(t, serial_of(HELD));
    commit(t);
    cr_assert_eq(ask_serial(HELD).status, V_OCSP_CERTSTATUS_GOOD);
}

Test(ocsp_responder, the_answer_after_a_revocation_says_revoked)
{
    struct txn *t;

    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_GOOD);
    t = begin();
    cert_revoke(t, serial_of(GOOD), REASON_SUPERSEDED, PKI_NOW, NO_TIME);
    commit(t);
    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_REVOKED);
}

Test(ocsp_responder, a_serial_that_was_not_issued_is_unknown_for_a_short_time)
{
    struct said s = ask_serial(NOT_ISSUED);
    struct got g;

    cr_assert_eq(s.status, V_OCSP_CERTSTATUS_UNKNOWN);
    cr_assert_eq(s.next_s, PKI_NOW + OCSP_UNKNOWN_S);
    g = ask_by(about(id_of(&ca_a, NOT_ISSUED)), &ca_a);
    cr_assert(g.answer.has_unknown);
    forget(&g);
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_not(g.answer.has_unknown);
    forget(&g);
}

Test(ocsp_responder, a_serial_of_another_issuer_of_ours_is_unknown)
{
    struct got g = ask_by(about(id_of(&ca_b, OF_B)), &ca_b);

    cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_GOOD);
    forget(&g);
    cr_assert_eq(ask_serial(OF_B).status, V_OCSP_CERTSTATUS_UNKNOWN);
}

Test(ocsp_responder, serials_of_any_other_length_are_unknown)
{
    static uint8_t octets[40];

    memset(octets, 0x11, sizeof octets);
    for (size_t len = 1; len <= sizeof octets; len++) {
        struct got g;

        if (len == SERIAL_LEN)
            continue;
        g = ask_by(about(pki_certid(EVP_sha1(), &ca_a, span_of(octets, len))), &ca_a);
        cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_UNKNOWN, "%zu", len);
        forget(&g);
    }
}

Test(ocsp_responder, every_hash_finds_the_issuer)
{
    const EVP_MD *mds[] = {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()};

    for (size_t i = 0; i < 4; i++) {
        OCSP_CERTID *id = pki_certid(mds[i], &ca_a, span_of(serial_of(GOOD), SERIAL_LEN)),
                    *asked = OCSP_CERTID_dup(id);
        struct got g = ask_by(about(id), &ca_a);
        int at = OCSP_resp_find(g.basic, asked, -1); /* the CertID is the one asked with */

        cr_assert_eq(at, 0);
        cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_GOOD);
        OCSP_CERTID_free(asked);
        forget(&g);
    }
    cr_assert_eq(ask_status(about(pki_certid(EVP_sha224(), &ca_a, span_of(serial_of(GOOD), SERIAL_LEN)))),
                 OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, a_foreign_issuer_alone_is_unauthorized)
{
    cr_assert_eq(ask_status(about(id_of(&foreign, GOOD))), OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, an_issuer_that_has_ended_is_unauthorized)
{
    now_s = PKI_NOW + 900 * PKI_DAY; /* its delegate has ended long ago */
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    now_s++;
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_UNAUTHORIZED);
    keeping();
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, an_issuer_in_the_store_alone_is_unauthorized)
{
    struct ocsp_config c = config;

    c.issuers = (struct ocsp_issuers){.ids = {"b-g1", "c-g1"}, .count = 2};
    reopen(c);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_UNAUTHORIZED);
    struct got g = ask_by(about(id_of(&ca_b, OF_B)), &ca_b);
    cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_GOOD);
    forget(&g);
}

/* The key of one issuer under the name of another is neither. */
Test(ocsp_responder, name_and_key_must_be_of_one_issuer)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    OCSP_CERTID *id;

    ASN1_INTEGER_set(n, 7);
    id =
        OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(ca_a.x509), X509_get0_pubkey_bitstr(ca_b.x509), n);
    cr_assert_eq(ask_status(about(id)), OCSP_UNAUTHORIZED);
    ASN1_INTEGER_free(n);
}

/* RFC 6960 2.2. OpenSSL checks the chain here, but takes no delegate's word on two issuers. */
Test(ocsp_responder, a_foreign_issuer_beside_ours_is_unknown)
{
    OCSP_REQUEST *r = about(id_of(&foreign, GOOD));
    struct got g;

    pki_add(r, id_of(&ca_a, GOOD));
    pki_add(r, id_of(&ca_a, REVOKED));
    g = ask_by(copy_of(r), NULL);
    verify_with(&g, r, &ca_a, OCSP_NOCHECKS);
    OCSP_REQUEST_free(r);
    cr_assert_eq(OCSP_resp_count(g.basic), 3);
    cr_assert_eq(said_of(&g, 0).status, V_OCSP_CERTSTATUS_UNKNOWN);
    cr_assert_eq(said_of(&g, 1).status, V_OCSP_CERTSTATUS_GOOD);
    cr_assert_eq(said_of(&g, 2).status, V_OCSP_CERTSTATUS_REVOKED);
    cr_assert_eq(g.answer.count, 3);
    cr_assert_eq(g.answer.next_update_s, PKI_NOW + OCSP_UNKNOWN_S);
    forget(&g);
}

/* The signer would have to sign an AlgorithmIdentifier that nobody here knows. */
Test(ocsp_responder, a_hash_that_nobody_knows_beside_ours_is_unauthorized)
{
    OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));

    pki_add(r, pki_certid(EVP_sha224(), &ca_a, span_of(serial_of(GOOD), SERIAL_LEN)));
    cr_assert_eq(ask_status(r), OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, two_issuers_of_ours_in_one_request_are_unauthorized)
{
    OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));

    pki_add(r, id_of(&ca_b, OF_B));
    cr_assert_eq(ask_status(r), OCSP_UNAUTHORIZED);
}

Test(ocsp_responder, many_certids_are_answered_in_order)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();
    struct got g;

    for (int i = 0; i < OCSP_CERTIDS_MAX; i++)
        pki_add(r, id_of(&ca_a, i % 2 ? REVOKED : GOOD));
    pki_add_nonce(r, OCSP_NONCE_MAX, false);
    g = ask_by(r, &ca_a);
    cr_assert_eq(OCSP_resp_count(g.basic), OCSP_CERTIDS_MAX);
    for (int i = 0; i < OCSP_CERTIDS_MAX; i++)
        cr_assert_eq(said_of(&g, i).status, i % 2 ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD);
    forget(&g);
}

Test(ocsp_responder, a_nonce_of_1_to_128_octets_is_echoed)
{
    static const size_t good[] = {1, 32, 128}, bad[] = {0, 129};

    for (size_t i = 0; i < 3; i++) {
        OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));
        struct got g;

        pki_add_nonce(r, good[i], false);
        g = ask_by(r, &ca_a); /* OCSP_check_nonce compares */
        cr_assert(g.answer.has_nonce);
        cr_assert_eq(OCSP_BASICRESP_get_ext_count(g.basic), 1);
        forget(&g);
    }
    for (size_t i = 0; i < 2; i++) {
        OCSP_REQUEST *r = about(id_of(&ca_a, GOOD));

        pki_add_nonce(r, bad[i], false);
        cr_assert_eq(ask_status(r), OCSP_MALFORMED);
    }
}

Test(ocsp_responder, without_a_nonce_there_is_no_extension)
{
    struct got g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);

    cr_assert_not(g.answer.has_nonce);
    cr_assert_eq(OCSP_BASICRESP_get_ext_count(g.basic), 0);
    forget(&g);
}

Test(ocsp_responder, the_responder_is_named_by_its_key)
{
    struct got g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    const ASN1_OCTET_STRING *id = NULL;
    const X509_NAME *name = NULL;
    uint8_t hash[20];
    X509 *signer;

    cr_assert_eq(OCSP_resp_get0_id(g.basic, &id, &name), 1);
    cr_assert(id != NULL && name == NULL);
    X509_pubkey_digest(responder_a.x509, EVP_sha1(), hash, NULL);
    cr_assert(span_eq(span_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)),
                      span_of(hash, sizeof hash)));
    cr_assert_eq(OCSP_resp_get0_signer(g.basic, &signer, NULL), 1);
    cr_assert_eq(X509_cmp(signer, responder_a.x509), 0);
    cr_assert_eq(seconds_of(OCSP_resp_get0_produced_at(g.basic)), PKI_NOW);
    forget(&g);
}

Test(ocsp_responder, next_update_ends_with_the_signer)
{
    now_s = PKI_NOW + 14 * PKI_DAY - 100;
    cr_assert_eq(ask_serial(GOOD).next_s, PKI_NOW + 14 * PKI_DAY);
    now_s = PKI_NOW + 14 * PKI_DAY;
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    now_s = PKI_NOW - 31 * PKI_DAY; /* before it began */
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
}

Test(ocsp_responder, a_copy_of_the_store_speaks_of_its_time_and_not_for_long)
{
    struct said s;

    ocsp_follow(o, store, PKI_NOW - 3600);
    s = ask_serial(GOOD);
    cr_assert_eq(s.this_s, PKI_NOW - 3600);
    cr_assert_eq(s.next_s, PKI_NOW - 3600 + PKI_DAY);
    cr_assert_eq(ask_serial(NOT_ISSUED).next_s, PKI_NOW + OCSP_UNKNOWN_S);
    ocsp_follow(o, store, PKI_NOW - 3601);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    ocsp_follow(o, store, PKI_NOW + 60); /* made where the clock is ahead */
    cr_assert_eq(ask_serial(GOOD).this_s, PKI_NOW);
}

Test(ocsp_responder, without_a_signer_certificate_clients_try_later_until_there_is_one)
{
    struct pki_cert ca_c = pki_certificate("Example CA C", NULL, PKI_CA, "EC", 9, PKI_NOW + 900 * PKI_DAY);
    struct txn *t = begin();
    struct got g;
    uint16_t no = add_issuer(t, "a-g1", &foreign); /* a duplicate id: refused, nothing changes */

    (void)no;
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    t = begin();
    add_issuer(t, "c-g1", &ca_c);
    commit(t);
    now_s++;
    cr_assert_eq(ask_status(about(id_of(&ca_c, GOOD))), OCSP_TRY_LATER);
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a); /* the others answer as ever */
    forget(&g);
    pki_free(&ca_c);
}

Test(ocsp_responder, a_renewed_signer_certificate_is_used_within_a_second)
{
    struct pki_cert renewed =
        pki_certificate("OCSP A", &ca_a, PKI_RESPONDER, "EC", 77, PKI_NOW + 28 * PKI_DAY);
    struct got under_way = {0}, g;
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));
    struct txn *t;
    X509 *signer;

    respond(buf_span(&der), &under_way);
    t = begin();
    add_responder(t, no_a, &renewed);
    commit(t);
    now_s++;
    pump(1); /* the one under way was written for the old certificate, and carries it */
    cr_assert_eq(under_way.calls, 1);
    EVP_PKEY *old = responder_a.key;

    responder_a.key = renewed.key;
    g = ask_by(about(id_of(&ca_a, GOOD)), &ca_a);
    cr_assert_eq(OCSP_resp_get0_signer(g.basic, &signer, NULL), 1);
    cr_assert_eq(X509_cmp(signer, renewed.x509), 0);
    responder_a.key = old;
    forget(&g);
    now_s--;
    OCSP_REQUEST *request = about(id_of(&ca_a, GOOD));

    verify(&under_way, request, &ca_a);
    OCSP_REQUEST_free(request);
    forget(&under_way);
    buf_free(&der);
    pki_free(&renewed);
}

static void move_responder(const struct pki_cert *c, enum reason reason)
{
    struct txn *t = begin();

    if (reason == REASON_REMOVE_FROM_CRL)
        cert_unhold(t, c->serial);
    else
        cert_revoke(t, c->serial, reason, now_s, NO_TIME);
    commit(t);
    now_s++;
}

Test(ocsp_responder, a_revoked_signer_signs_nothing_more)
{
    struct got g;

    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_GOOD);
    move_responder(&responder_a, REASON_KEY_COMPROMISE);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    g = ask_by(about(id_of(&ca_b, OF_B)), &ca_b); /* the others answer as ever */
    forget(&g);
}

Test(ocsp_responder, a_held_signer_signs_again_after_the_hold)
{
    move_responder(&responder_a, REASON_CERTIFICATE_HOLD);
    cr_assert_eq(ask_status(about(id_of(&ca_a, GOOD))), OCSP_TRY_LATER);
    move_responder(&responder_a, REASON_REMOVE_FROM_CRL);
    cr_assert_eq(ask_serial(GOOD).status, V_OCSP_CERTSTATUS_GOOD);
}

Test(ocsp_responder, what_cannot_be_read_is_malformed)
{
    struct buf der = pki_encode(about(id_of(&ca_a, GOOD)));

    for (size_t len = 0; len < der.len; len++) {
        struct got g = ask_der(span_of(der.data, len));

        cr_assert_eq(g.answer.status, OCSP_MALFORMED);
        forget(&g);
    }
    buf_free(&der);
}
