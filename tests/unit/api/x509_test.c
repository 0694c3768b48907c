/* SPDX-License-Identifier: Apache-2.0 */
/* Are PEM, PKCS#7 and the facts about a certificate what OpenSSL says they are? */
#include "api/inner.h"
#include "tests/unit/api/forge.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>

#define BEGINS 1700000000
#define ENDS 1800000000

static void certificate(struct buf *out)
{
    EVP_PKEY *key = forge_key("P-384");

    buf_init(out, 65536);
    forge_certificate(key, span_of("\x01\x02\x03", 3), BEGINS, ENDS, out);
    EVP_PKEY_free(key);
}

Test(pem, is_as_the_interface_promises)
{
    struct buf der, pem, back;
    const char *line;

    certificate(&der);
    buf_init(&pem, 65536);
    buf_init(&back, 65536);
    pem_put(&pem, "CERTIFICATE", buf_span(&der));
    buf_put_u8(&pem, 0);
    line = (const char *)pem.data;
    cr_assert(strncmp(line, "-----BEGIN CERTIFICATE-----\n", 28) == 0);
    cr_assert_eq(strcspn(line + 28, "\n"), 64);
    cr_assert_null(strchr(line, '\r'));
    cr_assert_eq(pem.data[pem.len - 2], '\n');
    pem.len--;
    cr_assert_eq(pem_get(buf_span(&pem), "CERTIFICATE", &back), OK);
    cr_assert(span_eq(buf_span(&back), buf_span(&der)));
    cr_assert_eq(pem_get(buf_span(&pem), "PUBLIC KEY", &back), ERR_NOT_FOUND);
    pem.len -= 10;
    cr_assert_eq(pem_get(buf_span(&pem), "CERTIFICATE", &back), ERR_MALFORMED);
    cr_assert_eq(pem_get(span_of(NULL, 0), "CERTIFICATE", &back), ERR_NOT_FOUND);
    buf_free(&der);
    buf_free(&pem);
    buf_free(&back);
}

Test(pem, the_second_block_is_found)
{
    struct buf der, pem, back;

    certificate(&der);
    buf_init(&pem, 65536);
    buf_init(&back, 65536);
    pem_put(&pem, "X", span_str("other"));
    buf_put_str(&pem, "between\n");
    pem_put(&pem, "CERTIFICATE", buf_span(&der));
    cr_assert_eq(pem_get(buf_span(&pem), "CERTIFICATE", &back), OK);
    cr_assert(span_eq(buf_span(&back), buf_span(&der)));
    buf_free(&der);
    buf_free(&pem);
    buf_free(&back);
}

Test(x509, info_is_what_openssl_reads)
{
    struct buf der;
    struct x509_info info;
    uint8_t digest[32];
    unsigned len;

    certificate(&der);
    cr_assert_eq(x509_info_read(buf_span(&der), &info), OK);
    cr_assert_str_eq(info.serial, "010203");
    cr_assert(info.not_before_s == BEGINS && info.not_after_s == ENDS);
    cr_assert(info.key_type == KEY_EC && info.key_bits == 384);
    cr_assert_str_eq(info.subject, "CN=forged");
    EVP_Digest(der.data, der.len, digest, &len, EVP_sha256(), NULL);
    cr_assert_arr_eq(info.sha256, digest, 32);
    EVP_Digest(der.data, der.len, digest, &len, EVP_sha1(), NULL);
    cr_assert_arr_eq(info.sha1, digest, 20);
    x509_info_free(&info);
    buf_put_u8(&der, 0);
    cr_assert_eq(x509_info_read(buf_span(&der), &info), ERR_MALFORMED);
    cr_assert_eq(x509_info_read(span_str("no"), &info), ERR_MALFORMED);
    buf_free(&der);
}

/* RFC 5280 4.1.2.2: conforming CAs use no longer one, and no more has room. */
Test(x509, a_serial_number_has_twenty_octets_at_most)
{
    static const uint8_t serial[21] = {0x7f, 1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
                                       11,   12, 13, 14, 15, 16, 17, 18, 19, 20};
    EVP_PKEY *key = forge_key("P-384");
    char hex[2 * 20 + 1];
    struct x509_info info;
    struct buf der;

    buf_init(&der, 65536);
    forge_certificate(key, span_of(serial, 20), BEGINS, ENDS, &der);
    cr_assert_eq(x509_info_read(buf_span(&der), &info), OK);
    hex_encode(span_of(serial, 20), hex);
    cr_assert_str_eq(info.serial, hex);
    x509_info_free(&info);
    buf_reset(&der);
    forge_certificate(key, span_of(serial, 21), BEGINS, ENDS, &der);
    cr_assert_eq(x509_info_read(buf_span(&der), &info), ERR_MALFORMED);
    buf_free(&der);
    EVP_PKEY_free(key);
}

/* Its dates are written as texts. */
Test(x509, a_certificate_without_real_dates_is_none)
{
    struct x509_info info;
    struct buf der;
    uint8_t *date;

    for (int i = 0; i < 2; i++) {
        certificate(&der);
        date = memmem(der.data, der.len, "\x17\x0d", 2); /* two UTCTime */
        memcpy(date + 15 * i + 4, "13", 2);              /* the month */
        cr_assert_eq(x509_info_read(buf_span(&der), &info), ERR_MALFORMED);
        buf_free(&der);
    }
}

Test(p7b, openssl_reads_the_certificates_in_their_order)
{
    struct buf one, two, out;
    struct span certs[2];
    const uint8_t *p;
    uint8_t *again = NULL;
    PKCS7 *p7;

    certificate(&one);
    certificate(&two);
    certs[0] = buf_span(&one);
    certs[1] = buf_span(&two);
    buf_init(&out, 65536);
    cr_assert_eq(p7b_put(&out, certs, 2), OK);
    p = out.data;
    p7 = d2i_PKCS7(NULL, &p, (long)out.len);
    cr_assert(p7 != NULL && p == out.data + out.len && PKCS7_type_is_signed(p7));
    cr_assert_eq(sk_X509_num(p7->d.sign->cert), 2);
    for (int i = 0; i < 2; i++) {
        int len = i2d_X509(sk_X509_value(p7->d.sign->cert, i), &again);

        cr_assert(span_eq(span_of(again, (size_t)len), certs[i]));
        OPENSSL_free(again);
        again = NULL;
    }
    cr_assert_eq(i2d_PKCS7(p7, &again), (int)out.len);
    cr_assert_arr_eq(again, out.data, out.len);
    OPENSSL_free(again);
    PKCS7_free(p7);
    buf_free(&one);
    buf_free(&two);
    buf_free(&out);
}

Test(san, text_is_for_people)
{
    static const struct {
        struct san san;
        const char *want;
    } rows[] = {
        {{SAN_DNS, {(const uint8_t *)"a.example.com", 13}}, "a.example.com"},
        {{SAN_IP, {(const uint8_t *)"\xc0\x00\x02\x01", 4}}, "192.0.2.1"},
        {{SAN_IP, {(const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16}}, "::1"},
        {{SAN_IP, {(const uint8_t *)"\xc0", 1}}, "an address of 1 octets"},
        {{SAN_IP, {NULL, 0}}, "an address of 0 octets"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;

        buf_init(&b, 300);
        san_text(&rows[i].san, &b);
        cr_assert(span_eq(buf_span(&b), span_str(rows[i].want)), "%s", rows[i].want);
        buf_free(&b);
    }
}
