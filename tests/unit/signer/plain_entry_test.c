/* SPDX-License-Identifier: Apache-2.0 */
/* Are entries in our shape taken at once, and is nothing taken that OpenSSL reads otherwise than we do,
 * whatever octet is changed? */
#include <criterion/criterion.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "signer/inner.h"

#define ENTRY_MAX 128

struct plain {
    uint8_t der[ENTRY_MAX];
    size_t len;
};

/* By OpenSSL. `reason` below 0, `invalidity_s` 0: none. */
static struct plain make(const char *serial_hex, int64_t when_s, int reason, int64_t invalidity_s)
{
    struct plain out;
    X509_REVOKED *e = X509_REVOKED_new();
    BIGNUM *n = NULL;
    ASN1_INTEGER *serial;
    ASN1_TIME *when = ASN1_TIME_set(NULL, when_s);
    uint8_t *at = out.der;

    BN_hex2bn(&n, serial_hex);
    serial = BN_to_ASN1_INTEGER(n, NULL);
    X509_REVOKED_set_serialNumber(e, serial);
    X509_REVOKED_set_revocationDate(e, when);
    if (reason >= 0) {
        ASN1_ENUMERATED *r = ASN1_ENUMERATED_new();

        ASN1_ENUMERATED_set(r, reason);
        X509_REVOKED_add1_ext_i2d(e, NID_crl_reason, r, 0, 0);
        ASN1_ENUMERATED_free(r);
    }
    if (invalidity_s != 0) {
        ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, invalidity_s);

        X509_REVOKED_add1_ext_i2d(e, NID_invalidity_date, t, 0, 0);
        ASN1_GENERALIZEDTIME_free(t);
    }
    cr_assert_leq(i2d_X509_REVOKED(e, NULL), ENTRY_MAX);
    out.len = (size_t)i2d_X509_REVOKED(e, &at);
    ASN1_TIME_free(when);
    ASN1_INTEGER_free(serial);
    BN_free(n);
    X509_REVOKED_free(e);
    return out;
}

static bool is_plain(const struct plain *p)
{
    return is_plain_entry(span_of(p->der + 2, p->len - 2));
}

Test(plain_entry, our_entries_are_plain)
{
    static const char *const serials[] = {"01",
                                          "7f",
                                          "80",
                                          "ff",
                                          "0100",
                                          "01234567890123456789012345678901234567",
                                          "ff234567890123456789012345678901234567",
                                          "7f23456789012345678901234567890123456789"};
    static const int reasons[] = {-1, 1, 2, 3, 4, 5, 6, 9, 10};

    for (size_t s = 0; s < sizeof serials / sizeof *serials; s++) {
        for (size_t r = 0; r < sizeof reasons / sizeof *reasons; r++) {
            struct plain p = make(serials[s], 1780000000, reasons[r], 0);

            cr_expect(is_plain(&p), "%s %d", serials[s], reasons[r]);
            p = make(serials[s], 1780000000, reasons[r], 2600000000);
            cr_expect(is_plain(&p), "%s %d, invalidityDate", serials[s], reasons[r]);
        }
    }
}

Test(plain_entry, others_are_left_to_the_general_reader)
{
    static const int reasons[] = {0, 7, 8, 11};
    struct plain p = make("01", 2600000000, 1, 0); /* a date after 2049 */

    cr_expect(!is_plain(&p));
    for (size_t r = 0; r < sizeof reasons / sizeof *reasons; r++) {
        p = make("01", 1780000000, reasons[r], 0);
        cr_expect(!is_plain(&p), "%d", reasons[r]);
    }
    p = make("00", 1780000000, 1, 0);
    cr_expect(!is_plain(&p), "serial 0");
    p = make("-01", 1780000000, 1, 0);
    cr_expect(!is_plain(&p), "a negative serial");
    p = make("012345678901234567890123456789012345678901", 1780000000, 1, 0);
    cr_expect(!is_plain(&p), "21 octets");
    cr_expect(!is_plain_entry(span_of(NULL, 0)));
}

/* ---- the judge ---- */

static bool reason_is_ours(X509_REVOKED *e)
{
    int critical = 0;
    ASN1_ENUMERATED *r = X509_REVOKED_get_ext_d2i(e, NID_crl_reason, &critical, NULL);
    long v = r != NULL ? ASN1_ENUMERATED_get(r) : -1;

    ASN1_ENUMERATED_free(r);
    return critical == -1 || (critical == 0 && v >= 1 && v <= 10 && v != 7 && v != 8);
}

static bool invalidity_is_ours(X509_REVOKED *e)
{
    int critical = 0;
    ASN1_GENERALIZEDTIME *t = X509_REVOKED_get_ext_d2i(e, NID_invalidity_date, &critical, NULL);
    bool is_right = critical == -1 || (critical == 0 && t != NULL && ASN1_GENERALIZEDTIME_check(t));

    ASN1_GENERALIZEDTIME_free(t);
    return is_right;
}

static int known_extensions(X509_REVOKED *e)
{
    return (X509_REVOKED_get_ext_by_NID(e, NID_crl_reason, -1) >= 0) +
           (X509_REVOKED_get_ext_by_NID(e, NID_invalidity_date, -1) >= 0);
}

/* Whole, the same when written again, and of our profile. */
static bool is_right(const struct plain *p)
{
    const uint8_t *at = p->der;
    uint8_t *again = NULL;
    X509_REVOKED *e = d2i_X509_REVOKED(NULL, &at, (long)p->len);
    const ASN1_INTEGER *serial;
    bool right;
    int len;

    if (e == NULL)
        return false;
    serial = X509_REVOKED_get0_serialNumber(e);
    len = i2d_X509_REVOKED(e, &again);
    right = at == p->der + p->len && len == (int)p->len && memcmp(again, p->der, p->len) == 0 &&
            serial->type == V_ASN1_INTEGER && serial->length <= 20 &&
            ASN1_TIME_check(X509_REVOKED_get0_revocationDate(e)) &&
            X509_REVOKED_get_ext_count(e) == known_extensions(e) && reason_is_ours(e) &&
            invalidity_is_ours(e);
    OPENSSL_free(again);
    X509_REVOKED_free(e);
    return right;
}

static void change_every_octet(struct plain p)
{
    cr_assert(is_plain(&p) && is_right(&p));
    for (size_t i = 2; i < p.len; i++) {
        uint8_t was = p.der[i];

        for (unsigned v = 0; v < 256; v++) {
            p.der[i] = (uint8_t)v;
            if (is_plain(&p))
                cr_assert(is_right(&p), "octet %zu as %02x", i, v);
        }
        p.der[i] = was;
    }
}

Test(plain_entry, whatever_octet_is_changed_nothing_wrong_is_taken)
{
    change_every_octet(make("0123456789abcdef0123456789abcdef012345", 1780000000, -1, 0));
    change_every_octet(make("8123456789abcdef0123456789abcdef012345", 1780000000, 1, 0));
    change_every_octet(make("0123456789abcdef0123456789abcdef012345", 1780000000, -1, 1700000000));
    change_every_octet(make("01", 1780000000, 9, 1700000000));
}

/* Every shorter piece of an entry, its outer length put right. */
Test(plain_entry, a_cut_entry_is_not_taken)
{
    struct plain p = make("0123456789abcdef0123456789abcdef012345", 1780000000, 9, 1700000000);

    for (size_t len = p.len; len-- > 2;) {
        struct plain cut = p;

        cut.len = len;
        cut.der[1] = (uint8_t)(len - 2);
        if (is_plain(&cut))
            cr_assert(is_right(&cut), "%zu", len);
    }
}
