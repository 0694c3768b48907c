/* SPDX-License-Identifier: Apache-2.0 */
/* Does a start replace the OCSP signer of a clock that was ahead, and no other? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "tests/unit/ca/asked.h"

TestSuite(renewal, .init = stage_open, .fini = stage_close, .timeout = 60);

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
    struct buf certificate, text;
    struct cert c;
    struct txn *t;
    uint64_t number;

    serial_new(1, about.not_after_s, serial);
    memcpy(about.serial, serial, SERIAL_LEN);
    played_certificate(about, &certificate);
    buf_init(&text, 64);
    row.der = buf_span(&certificate);
    cr_assert(cert_row(&row, &text, &c));
    sha256_of(c.der, c.fingerprint);
    t = stage_begin();
    cert_add(t, &c, &number);
    issuer_set_responder(t, 1, serial);
    stage_commit();
    buf_free(&certificate);
    buf_free(&text);
}

Test(renewal, an_ocsp_signer_of_the_future_is_replaced)
{
    uint8_t planted[SERIAL_LEN], found[SERIAL_LEN];

    plant_responder(clock_now_s() + 365 * 86400, planted);
    stage_start();
    issue_one();
    responder_of(found);
    cr_assert_neq(memcmp(found, planted, SERIAL_LEN), 0);
}

Test(renewal, an_ocsp_signer_of_today_is_kept)
{
    uint8_t planted[SERIAL_LEN], found[SERIAL_LEN];

    plant_responder(clock_now_s() - 300, planted);
    stage_start();
    issue_one();
    responder_of(found);
    cr_assert_eq(memcmp(found, planted, SERIAL_LEN), 0);
}

static void revoke_responder(enum reason reason, uint8_t old[static SERIAL_LEN])
{
    bool changed;

    plant_responder(clock_now_s() - 300, old);
    stage_start();
    cr_assert_eq(change(ASK_REVOKE, old, reason, &changed), OK);
    cr_assert(changed);
    issue_one(); /* a later turn */
}

Test(renewal, a_revoked_ocsp_signer_is_replaced_in_the_same_turn)
{
    uint8_t old[SERIAL_LEN], found[SERIAL_LEN];

    revoke_responder(REASON_SUPERSEDED, old);
    responder_of(found);
    cr_assert_neq(memcmp(found, old, SERIAL_LEN), 0);
}
