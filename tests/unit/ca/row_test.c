/* SPDX-License-Identifier: Apache-2.0 */
/* Is what the store remembers what the certificate says? */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "ca/ca.h"

static struct buf spki, name, tbs, der, text;

static void setup(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    uint8_t *p = NULL;
    int len = i2d_PUBKEY(key, &p);

    buf_init(&spki, 4096);
    buf_init(&name, 4096);
    buf_init(&tbs, 65536);
    buf_init(&der, 65536);
    buf_init(&text, 65536);
    buf_put(&spki, p, (size_t)len);
    name_write(&name, NULL, "a.example.com");
    OPENSSL_free(p);
    EVP_PKEY_free(key);
}

static void teardown(void)
{
    buf_free(&spki);
    buf_free(&name);
    buf_free(&tbs);
    buf_free(&der);
    buf_free(&text);
}

TestSuite(cert_row, .init = setup, .fini = teardown);

static void make(void)
{
    struct tbs t = {.serial = {1, 2, 3, 4},
                    .alg = SIG_ECDSA_SHA256,
                    .issuer = buf_span(&name),
                    .subject = buf_span(&name),
                    .spki = buf_span(&spki),
                    .not_before_s = 1769860800,
                    .not_after_s = 1769860800 + 86400,
                    .ku = KU_DIGITAL_SIGNATURE,
                    .aki = span_str("01234567890123456789")};

    tbs_write(&tbs, &t);
    certificate_write(&der, buf_span(&tbs), t.alg, span_str("signature"));
}

Test(cert_row, is_read_back_from_the_certificate)
{
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    const struct san sans[] = {{SAN_DNS, span_str("a.example.com")}, {SAN_IP, span_of(v6, 16)}};
    struct cert_about about = {.cn = span_str("a.example.com"),
                               .sans = sans,
                               .san_count = 2,
                               .profile = "general/server",
                               .requester = "tester",
                               .issuer_no = 3,
                               .now_s = 42};
    static const char expected[] = "a.example.com\0"
                                   "2001:db8::1";
    uint8_t hash[HASH_LEN];
    struct cert c;

    make();
    about.der = buf_span(&der);
    cr_assert(cert_row(&about, &text, &c));
    cr_assert_eq(c.serial[3], 4);
    cr_assert_eq(c.not_before_s, 1769860800);
    cr_assert_eq(c.status.not_after_s, 1769860800 + 86400);
    cr_assert_eq(c.status.issuer_no, 3);
    cr_assert_eq(c.key_type, KEY_EC);
    cr_assert_eq(c.key_bits, 256);
    cr_assert(span_eq(c.sans, span_of(expected, sizeof expected)));
    sha256_of(buf_span(&spki), hash);
    cr_assert_eq(memcmp(hash, c.key_hash, HASH_LEN), 0);
    sha256_of(buf_span(&der), hash);
    cr_assert_eq(memcmp(hash, c.fingerprint, HASH_LEN), 0);
}

Test(cert_row, refuses_what_is_no_certificate)
{
    struct cert_about about = {.profile = "p", .requester = "r"};
    struct cert c;

    make();
    for (size_t len = 0; len < der.len; len++) {
        about.der = span_of(der.data, len);
        cr_assert(!cert_row(&about, &text, &c), "%zu", len);
    }
}
