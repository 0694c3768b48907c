/* SPDX-License-Identifier: Apache-2.0 */
/* Is what was asked for lately signed before it is asked for again, and nothing else? */
#include "stage.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/der.h"

TestSuite(ocsp_warm, .init = stage_open, .fini = stage_close);

Test(ocsp_warm, what_was_asked_for_lately_is_signed_by_new_settings_before_it_is_asked_for)
{
    keeping();
    cr_assert(signs(GOOD));
    config.validity_s = 3600;
    ocsp_settings(o, &config, now_s);
    ocsp_tick(o, now_s);
    cr_assert_eq(jobs_waiting(), 1);
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_not(signs(GOOD));
}

Test(ocsp_warm, what_was_asked_for_is_ready_before_it_is_asked_for_after_a_restart)
{
    struct buf recent;

    keeping();
    cr_assert(signs(GOOD) && signs(REVOKED) && signs(NOT_ISSUED));
    buf_init(&recent, OCSP_RECENT_OCTETS);
    ocsp_recent(o, &recent);
    cr_assert_gt(recent.len, 0);
    keeping(); /* another process, in effect */
    ocsp_warm(o, buf_span(&recent), now_s);
    cr_assert_eq(jobs_waiting(), 2, "unknowns are not remembered");
    cr_assert_eq(ocsp_pump(o), OK);
    cr_assert_not(signs(GOOD) || signs(REVOKED));
    cr_assert(signs(HELD));
    buf_free(&recent);
}

Test(ocsp_warm, a_list_of_what_was_asked_for_is_not_believed)
{
    uint8_t junk[300];
    struct buf recent;

    keeping();
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)(i * 31);
    for (size_t len = 0; len <= sizeof junk; len++) {
        ocsp_warm(o, span_of(junk, len), now_s);
        cr_assert_eq(jobs_waiting(), 0);
    }
    cr_assert(signs(GOOD));
    buf_init(&recent, OCSP_RECENT_OCTETS);
    ocsp_recent(o, &recent);
    keeping();
    for (size_t len = 0; len < recent.len; len++) { /* cut anywhere */
        ocsp_warm(o, span_of(recent.data, len), now_s);
        cr_assert_eq(jobs_waiting(), 0, "%zu", len);
    }
    buf_free(&recent);
}

Test(ocsp_warm, a_long_list_is_signed_as_there_is_room)
{
    struct txn *t = begin();
    uint8_t serial[SERIAL_LEN];
    static const uint8_t der[] = {0x30, 0};
    struct buf recent;
    size_t n, all = 0;

    buf_init(&recent, OCSP_RECENT_OCTETS);
    for (unsigned i = 0; i < 700; i++) {
        OCSP_CERTID *id;
        uint8_t *octets = NULL;
        int len;

        memset(serial, 0x33, sizeof serial);
        serial[0] = 1;
        serial[1] = (uint8_t)i;
        serial[2] = (uint8_t)(i >> 8);
        add_cert(t, span_of(der, sizeof der), serial, no_a, PKI_NOW + 50 * PKI_DAY);
        id = pki_certid(EVP_sha1(), &ca_a, span_of(serial, SERIAL_LEN));
        len = i2d_OCSP_CERTID(id, &octets);
        buf_put_u8(&recent, (uint8_t)len);
        buf_put(&recent, octets, (size_t)len);
        OPENSSL_free(octets);
        OCSP_CERTID_free(id);
    }
    commit(t);
    keeping();
    ocsp_warm(o, buf_span(&recent), now_s);
    while ((n = jobs_waiting()) > 0) {
        cr_assert_leq(n, OCSP_UNDER_WAY_MAX / 2);
        all += n;
        cr_assert_eq(ocsp_pump(o), OK);
    }
    cr_assert_eq(all, 700);
    buf_free(&recent);
}
