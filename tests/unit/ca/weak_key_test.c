/* SPDX-License-Identifier: Apache-2.0 */
/* Are moduli that anyone can factor found by name, and sound ones left alone? The moduli are made here, each
 * with one weakness alone. */
#include <criterion/criterion.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/der.h"
#include "request.h"

/* SubjectPublicKeyInfo with this modulus and 65537. */
static void put_spki(struct buf *b, const BIGNUM *n)
{
    uint8_t octets[1024];
    size_t len = (size_t)BN_bn2bin(n, octets), whole, alg, bits, key;
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};

    whole = der_open(b, DER_SEQUENCE);
    alg = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_of(oid, sizeof oid));
    der_put_null(b);
    der_close(b, alg);
    bits = der_open(b, DER_BIT_STRING);
    buf_put_u8(b, 0);
    key = der_open(b, DER_SEQUENCE);
    der_put_unsigned(b, span_of(octets, len));
    der_put_uint(b, 65537);
    der_close(b, key);
    der_close(b, bits);
    der_close(b, whole);
}

/* The findings about this modulus. */
static void judge(const BIGNUM *n, struct findings *fs)
{
    struct facts f = request_plain("rsa-2048");
    struct grant g;
    struct buf spki;

    buf_init(&spki, 4096);
    put_spki(&spki, n);
    f.spki = buf_span(&spki);
    findings_free(fs);
    profile_check(installed("general/server"), &f, 0, &g, fs);
    buf_free(&spki);
}

static bool has_factor_below(const BIGNUM *n, unsigned limit)
{
    for (BN_ULONG p = 3; p < limit; p += 2)
        if (BN_mod_word(n, p) == 0)
            return true;
    return BN_mod_word(n, 2) == 0;
}

/* At or above n, without a factor that is looked for. */
static void next_sound(BIGNUM *n)
{
    if (!BN_is_odd(n))
        BN_add_word(n, 1);
    while (has_factor_below(n, 8192))
        BN_add_word(n, 2);
}

Test(weak_key, a_small_factor_is_named)
{
    static const unsigned factors[] = {2, 3, 5, 751, 4093, 8179, 8191};
    struct findings fs = {0};
    char got[16];

    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        BIGNUM *n = BN_new();

        BN_rand(n, 2046 - 12, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
        next_sound(n);
        BN_mul_word(n, factors[i]);
        judge(n, &fs);
        snprintf(got, sizeof got, "%u", factors[i]);
        cr_assert_not_null(finding_of(&fs, "key.small-factor"), "%s", got);
        cr_assert_str_eq(finding_of(&fs, "key.small-factor")->got, got);
        cr_assert(findings_refuse(&fs));
        BN_free(n);
    }
    findings_free(&fs);
}

/* p and p + d * 2^512, p about 1.5 * 2^1023: Fermat takes d * d / 6 rounds. */
static BIGNUM *with_distance(unsigned d)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new(), *gap = BN_new();

    BN_rand(p, 400, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ODD);
    BN_set_bit(p, 1023);
    BN_set_bit(p, 1022);
    next_sound(p);
    BN_set_word(gap, d);
    BN_lshift(gap, gap, 512);
    BN_add(q, p, gap);
    next_sound(q);
    BN_mul(n, p, q, ctx);
    BN_free(p);
    BN_free(q);
    BN_free(gap);
    BN_CTX_free(ctx);
    return n;
}

Test(weak_key, close_primes_are_found_within_100_rounds)
{
    static const struct {
        unsigned distance;
        bool is_close;
    } cases[] = {{0, true},  {1, true},   {3, true},   {10, true},    {17, true},
                 {24, true}, {26, false}, {40, false}, {1000, false}, {100000, false}};
    struct findings fs = {0};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BIGNUM *n = with_distance(cases[i].distance);

        judge(n, &fs);
        cr_expect_eq(finding_of(&fs, "key.close-primes") != NULL, cases[i].is_close, "%u", cases[i].distance);
        cr_expect_eq(findings_refuse(&fs), cases[i].is_close, "%u", cases[i].distance);
        BN_free(n);
    }
    findings_free(&fs);
}

Test(weak_key, a_square_is_the_closest_of_all)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *n = BN_new();
    struct findings fs = {0};

    BN_rand(p, 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
    next_sound(p);
    BN_sqr(n, p, ctx);
    judge(n, &fs);
    cr_assert_not_null(finding_of(&fs, "key.close-primes"));
    findings_free(&fs);
    BN_free(p);
    BN_free(n);
    BN_CTX_free(ctx);
}

/* As Infineon's library makes primes: k * M + (65537^a mod M), M the product of the first primes. */
static void roca_prime(BIGNUM *out, unsigned exponent)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *m = BN_new(), *power = BN_new(), *k = BN_new(), *a = BN_new();

    BN_one(m);
    for (BN_ULONG p = 2; p <= 701; p++) {
        bool is_prime = true;

        for (BN_ULONG d = 2; d * d <= p; d++)
            is_prime = is_prime && p % d != 0;
        if (is_prime)
            BN_mul_word(m, p);
    }
    BN_set_word(power, 65537);
    BN_set_word(a, exponent);
    BN_mod_exp(power, power, a, m, ctx);
    do { /* 971 bits of M: its own primes are at most 701, larger factors are looked for here */
        BN_rand(k, 1024 - BN_num_bits(m), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
        BN_mul(out, k, m, ctx);
        BN_add(out, out, power);
    } while (has_factor_below(out, 8192));
    BN_free(m);
    BN_free(power);
    BN_free(k);
    BN_free(a);
    BN_CTX_free(ctx);
}

Test(weak_key, the_ROCA_fingerprint_is_found)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
    struct findings fs = {0};

    roca_prime(p, 123456);
    roca_prime(q, 654321);
    BN_mul(n, p, q, ctx);
    judge(n, &fs);
    cr_assert_not_null(finding_of(&fs, "key.roca"));
    cr_assert_null(finding_of(&fs, "key.small-factor"));
    cr_assert(findings_refuse(&fs));
    BN_add_word(n, 2); /* next to it */
    judge(n, &fs);
    cr_assert_null(finding_of(&fs, "key.roca"));
    findings_free(&fs);
    BN_free(p);
    BN_free(q);
    BN_free(n);
    BN_CTX_free(ctx);
}

Test(weak_key, keys_of_a_sound_generator_pass)
{
    static const unsigned bits[] = {2048, 2048, 2048, 3072};
    struct findings fs = {0};

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits[i]);
        struct facts f = request_plain("rsa-2048");
        uint8_t *der = NULL;
        struct grant g;

        f.spki = span_of(der, (size_t)i2d_PUBKEY(key, &der));
        f.spki.data = der;
        profile_check(installed("general/server"), &f, 0, &g, &fs);
        cr_assert(!findings_refuse(&fs), "%s", fs.items[0].rule);
        OPENSSL_free(der);
        EVP_PKEY_free(key);
    }
    findings_free(&fs);
}
