/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weak_key: RSA moduli that anyone can factor: a small factor, two primes close to each other (Fermat), or
 * the shape of Infineon's generator (ROCA, CVE-2017-15361). All three together cost a fraction of the check
 * of the request's signature, which is why the small primes end at 2^13: keys of a sound generator have none
 * at all, those of a broken one mostly have one below that. Pure.
 */
#include <assert.h>
#include <openssl/bn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/log.h"
#include "ca/policy.h"

#define PRIMES_BELOW 8192u
#define PRIMES_MAX 1100u /* there are 1,027 odd ones */
#define LIMBS_MAX 256u   /* 16,384 bits: OpenSSL verifies none above */
#define LANES 4u         /* chains of multiplications that run side by side in one core */
#define FERMAT_ROUNDS 100u

/* ---- tables, filled once a process ---- */

/* Squares are few modulo each of these: together they let one in some hundred thousand others through. */
#define SIEVES 11
static const uint8_t sieve[SIEVES] = {63, 64, 65, 11, 17, 19, 23, 29, 31, 37, 41};

/* c is divisible by p exactly when c * inverse <= limit (modulo 2^64). */
struct small_prime {
    uint64_t inverse, limit;
    uint32_t p;
};
/* As many primes as fit one 64-bit product. */
struct prime_group {
    uint64_t product, inverse;
    uint32_t first, end;
};
static struct {
    struct small_prime primes[PRIMES_MAX];
    struct prime_group groups[PRIMES_MAX];
    uint32_t prime_count, group_count; /* groups: a multiple of LANES */
    bool is_square[SIEVES][65];        /* modulo sieve[k] */
} table;

/* 1 / odd modulo 2^64, Newton: each step doubles the bits that are right. */
static uint64_t inverse_of(uint64_t odd)
{
    uint64_t x = odd;

    for (unsigned bits = 3; bits < 64; bits *= 2)
        x *= 2 - odd * x;
    return x;
}

static void add_prime(uint32_t p)
{
    struct prime_group *g = &table.groups[table.group_count];

    assert(table.prime_count < PRIMES_MAX);
    if (g->product != 0 && g->product > UINT64_MAX / p)
        g = &table.groups[++table.group_count];
    if (g->product == 0)
        *g = (struct prime_group){.product = 1, .first = table.prime_count};
    g->product *= p;
    g->inverse = inverse_of(g->product);
    table.primes[table.prime_count++] =
        (struct small_prime){.inverse = inverse_of(p), .limit = UINT64_MAX / p, .p = p};
    g->end = table.prime_count;
}

static bool is_small_prime(uint32_t n)
{
    for (uint32_t i = 0; i < table.prime_count && table.primes[i].p * table.primes[i].p <= n; i++)
        if (n % table.primes[i].p == 0)
            return false;
    return true;
}

static void table_fill(void)
{
    for (uint32_t n = 3; n < PRIMES_BELOW; n += 2)
        if (is_small_prime(n))
            add_prime(n);
    for (size_t k = 0; k < SIEVES; k++)
        for (unsigned i = 0; i < sieve[k]; i++)
            table.is_square[k][i * i % sieve[k]] = true;
    table.group_count++;
    while (table.group_count % LANES != 0)
        table.groups[table.group_count++] = (struct prime_group){.product = 1, .inverse = 1};
}

/* ---- small factors ---- */

/* Exact division by each product from the lowest limb up (Jebelean): what is carried out at the end is
 * divisible by the factors that both have. */
static void divide(const uint64_t *n, size_t limbs, const struct prime_group *g, uint64_t carry[LANES])
{
    for (size_t i = 0; i < limbs; i++)
        for (unsigned k = 0; k < LANES; k++) {
            uint64_t x = n[i] - carry[k], borrow = n[i] < carry[k];

            carry[k] = (uint64_t)((unsigned __int128)(x * g[k].inverse) * g[k].product >> 64) + borrow;
        }
}

/* 0 when there is none. */
static uint32_t small_factor(const uint64_t *n, size_t limbs)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, table_fill);
    if ((n[0] & 1) == 0)
        return 2;
    for (uint32_t at = 0; at < table.group_count; at += LANES) {
        uint64_t carry[LANES] = {0};

        divide(n, limbs, &table.groups[at], carry);
        for (unsigned k = 0; k < LANES; k++)
            for (uint32_t i = table.groups[at + k].first; i < table.groups[at + k].end; i++)
                if (carry[k] * table.primes[i].inverse <= table.primes[i].limit)
                    return table.primes[i].p;
    }
    return 0;
}

/* ---- ROCA: primes of the form k * M + (65537^a mod M), so the modulus is a power of 65537 modulo every
 * small prime. Nemec et al., "The Return of Coppersmith's Attack", section 3: the fingerprint; by chance one
 * in 2^27 has it at least. ---- */

static bool is_power_of_65537(uint32_t x, uint32_t p)
{
    uint32_t power = 1;

    do {
        if (power == x)
            return true;
        power = power * (65537 % p) % p;
    } while (power != 1);
    return false;
}

static uint32_t residue(const uint64_t *n, size_t limbs, uint32_t p)
{
    uint64_t r = 0;

    while (limbs-- > 0) {
        r = (r << 32 | n[limbs] >> 32) % p;
        r = (r << 32 | (n[limbs] & UINT32_MAX)) % p;
    }
    return (uint32_t)r;
}

static bool has_roca_fingerprint(const uint64_t *n, size_t limbs)
{
    static const uint8_t primes[] = {3,   5,   7,   11,  13,  17,  19,  23,  29,  31,  37,  41,  43,
                                     47,  53,  59,  61,  67,  71,  73,  79,  83,  89,  97,  101, 103,
                                     107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

    for (size_t i = 0; i < sizeof primes; i++)
        if (!is_power_of_65537(residue(n, limbs, primes[i]), primes[i]))
            return false;
    return true;
}

/* ---- Fermat: n = a^2 - b^2 with a just above the root of n ---- */

static uint64_t root_of_word(uint64_t x)
{
    uint64_t r = 0;

    for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1)
        if ((r | bit) * (r | bit) <= x)
            r |= bit;
    return r;
}

/* The root, from its upper 31 bits by Newton: each step doubles the bits that are right, and the last one may
 * be over by a little. */
static BIGNUM *root_above(const BIGNUM *n, BN_CTX *ctx)
{
    int bits = BN_num_bits(n), shift = bits > 62 ? (bits - 61) / 2 : 0;
    BIGNUM *a = BN_CTX_get(ctx), *q = BN_CTX_get(ctx);
    bool ok = q != NULL && BN_rshift(q, n, 2 * shift) && BN_set_word(a, root_of_word(BN_get_word(q)) + 1) &&
              BN_lshift(a, a, shift);

    for (int right = 29; ok && right < bits; right *= 2)
        ok = BN_div(q, NULL, n, a, ctx) && BN_add(a, a, q) && BN_rshift1(a, a) && BN_add_word(a, 1);
    if (!ok)
        die("out of memory");
    return a;
}

/* Is a^2 - n a square? */
static bool is_difference(const BIGNUM *n, const BIGNUM *a, unsigned step, BN_CTX *ctx)
{
    BIGNUM *x, *b2, *b, *sq;
    bool is_square = false;

    BN_CTX_start(ctx);
    x = BN_CTX_get(ctx);
    b2 = BN_CTX_get(ctx);
    sq = BN_CTX_get(ctx);
    if (sq == NULL || !BN_copy(x, a) || !BN_add_word(x, step) || !BN_sqr(b2, x, ctx) || !BN_sub(b2, b2, n))
        die("out of memory");
    if (BN_is_zero(b2)) {
        is_square = true;
    } else if (!BN_is_negative(b2)) {
        b = root_above(b2, ctx);
        for (unsigned down = 0; down < 8 && !is_square; down++) {
            is_square = BN_sqr(sq, b, ctx) && BN_cmp(sq, b2) == 0;
            BN_sub_word(b, 1);
        }
    }
    BN_CTX_end(ctx);
    return is_square;
}

#define SIEVE_PRODUCT (UINT64_C(63) * 64 * 65 * 11 * 17 * 19 * 23 * 29 * 31 * 37 * 41)

/* What a number leaves modulo each, by one division of the long one. */
static void residues(const BIGNUM *x, unsigned out[SIEVES])
{
    uint64_t r = BN_mod_word(x, SIEVE_PRODUCT);

    for (size_t k = 0; k < SIEVES; k++)
        out[k] = (unsigned)(r % sieve[k]);
}

static bool passes(const unsigned a[SIEVES], const unsigned n[SIEVES], unsigned step)
{
    for (size_t k = 0; k < SIEVES; k++) {
        unsigned m = sieve[k], x = (a[k] + step) % m;

        if (!table.is_square[k][(x * x + m - n[k]) % m])
            return false;
    }
    return true;
}

static bool has_close_primes(const BIGNUM *n, BN_CTX *ctx)
{
    unsigned a_mod[SIEVES], n_mod[SIEVES];
    bool found = false;
    BIGNUM *a;

    BN_CTX_start(ctx);
    a = root_above(n, ctx);
    if (!BN_sub_word(a, 4)) /* root_above is over by less: the first rounds find nothing */
        die("out of memory");
    residues(a, a_mod);
    residues(n, n_mod);
    for (unsigned step = 0; step < FERMAT_ROUNDS + 4 && !found; step++)
        found = passes(a_mod, n_mod, step) && is_difference(n, a, step, ctx);
    BN_CTX_end(ctx);
    return found;
}

/* ---- the rules ---- */

static bool read_modulus(struct span key_bits, struct span *out)
{
    struct der key, modulus;

    if (!der_expect(&key_bits, DER_SEQUENCE, &key) || !der_expect(&key.body, DER_INTEGER, &modulus))
        return false;
    *out = modulus.body;
    return out->len > 0 && out->len <= LIMBS_MAX * 8 + 1;
}

static size_t limbs_of(struct span octets, uint64_t n[LIMBS_MAX + 1])
{
    size_t limbs = (octets.len + 7) / 8;

    memset(n, 0, limbs * sizeof *n);
    for (size_t i = 0; i < octets.len; i++)
        n[i / 8] |= (uint64_t)octets.data[octets.len - 1 - i] << i % 8 * 8;
    return limbs;
}

static bool are_primes_close(struct span modulus)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    bool found;

    if (ctx == NULL || n == NULL)
        die("out of memory");
    found = has_close_primes(n, ctx);
    BN_free(n);
    BN_CTX_free(ctx);
    return found;
}

void weak_key_check(struct check *c)
{
    uint64_t n[LIMBS_MAX + 1];
    struct span modulus;
    uint32_t factor;
    size_t limbs;
    char got[16];

    if (c->key.type != KEY_RSA || !read_modulus(c->key.key_bits, &modulus))
        return;
    limbs = limbs_of(modulus, n);
    factor = small_factor(n, limbs);
    if (factor != 0) {
        snprintf(got, sizeof got, "%u", factor);
        return finding_add(c->findings, "key.small-factor", "key", got, "two large primes");
    }
    if (has_roca_fingerprint(n, limbs))
        finding_add(c->findings, "key.roca", "key", "the ROCA fingerprint", "another generator");
    if (are_primes_close(modulus))
        finding_add(c->findings, "key.close-primes", "key", "close primes", "primes far apart");
}
