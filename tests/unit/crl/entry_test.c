/* SPDX-License-Identifier: Apache-2.0 */
/* Is an entry put together from pieces the one OpenSSL encodes, for serials and dates of every shape? */
#include <criterion/criterion.h>
#include <openssl/x509.h>
#include <string.h>

#include "crl/inner.h"

static int64_t utc(const char *text)
{
    struct tm tm;
    ASN1_TIME *t = ASN1_TIME_new();

    cr_assert_eq(ASN1_TIME_set_string(t, text), 1, "%s", text);
    cr_assert_eq(ASN1_TIME_to_tm(t, &tm), 1);
    ASN1_TIME_free(t);
    return timegm(&tm);
}

static X509_REVOKED *theirs(const struct revoked *r)
{
    X509_REVOKED *e = X509_REVOKED_new();
    BIGNUM *n = BN_bin2bn(r->serial, SERIAL_LEN, NULL);
    ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(n, NULL);
    ASN1_TIME *when = ASN1_TIME_set(NULL, r->revoked_at_s);

    X509_REVOKED_set_serialNumber(e, serial);
    X509_REVOKED_set_revocationDate(e, when);
    if (r->reason != REASON_UNSPECIFIED) {
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

        ASN1_ENUMERATED_set(reason, (long)r->reason);
        X509_REVOKED_add1_ext_i2d(e, NID_crl_reason, reason, 0, 0);
        ASN1_ENUMERATED_free(reason);
    }
    if (r->invalidity_s != NO_TIME) {
        ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, r->invalidity_s);

        X509_REVOKED_add1_ext_i2d(e, NID_invalidity_date, t, 0, 0);
        ASN1_GENERALIZEDTIME_free(t);
    }
    ASN1_TIME_free(when);
    ASN1_INTEGER_free(serial);
    BN_free(n);
    return e;
}

static void compare(const struct revoked *r)
{
    X509_REVOKED *e = theirs(r);
    uint8_t ours[ENTRY_MAX];
    uint8_t *der = NULL;
    int len = i2d_X509_REVOKED(e, &der);
    size_t n = entry_write(r, ours);

    cr_assert(span_eq(span_of(ours, n), span_of(der, (size_t)len)), "%02x%02x at %ld", r->serial[0],
              r->serial[1], (long)r->revoked_at_s);
    OPENSSL_free(der);
    X509_REVOKED_free(e);
}

static const struct revoked plain = {
    .serial = {1, 2, 3}, .revoked_at_s = 1780000000, .invalidity_s = NO_TIME};

Test(crl_entry, serials_of_every_shape_equal_openssl)
{
    static const uint8_t firsts[][3] = {{0x01, 0, 0}, {0x7f, 0xff, 0}, {0x80, 0, 0}, {0xff, 0xff, 0xff},
                                        {0, 0x01, 0}, {0, 0x80, 0},    {0, 0, 0x7f}, {0, 0, 0xff}};
    struct revoked r = plain;

    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        memcpy(r.serial, firsts[i], 3);
        compare(&r);
    }
    memset(r.serial, 0, SERIAL_LEN);
    r.serial[SERIAL_LEN - 1] = 5;
    compare(&r);
    r.serial[SERIAL_LEN - 1] = 0;
    compare(&r);
}

Test(crl_entry, dates_around_the_change_of_form_equal_openssl)
{
    static const char *const dates[] = {"19700101000000Z", "19991231235959Z", "20000229120000Z",
                                        "20491231235959Z", "20500101000000Z", "21000301000000Z",
                                        "99991231235959Z", "19500101000000Z"};
    struct revoked r = plain;

    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        r.revoked_at_s = utc(dates[i]);
        r.invalidity_s = NO_TIME;
        compare(&r);
        r.invalidity_s = r.revoked_at_s;
        compare(&r);
    }
}

Test(crl_entry, reasons_with_and_without_invalidity_equal_openssl)
{
    static const enum reason reasons[] = {0, 1, 2, 3, 4, 5, 6, 8, 9, 10};
    struct revoked r = plain;

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        r.reason = reasons[i];
        r.invalidity_s = NO_TIME;
        compare(&r);
        r.invalidity_s = 1700000000;
        compare(&r);
    }
}
