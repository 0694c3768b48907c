/* SPDX-License-Identifier: Apache-2.0 */
/* alg: the tables of curves and signature algorithms, and the SubjectPublicKeyInfo reader. RFC 5480, RFC 8017
 * A.1.1. */
#include "base/alg.h"

#include <string.h>

#include "base/der.h"

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};

static const uint8_t oid_p224[] = {0x2b, 0x81, 0x04, 0x00, 0x21};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_p521[] = {0x2b, 0x81, 0x04, 0x00, 0x23};

static const struct {
    struct span oid;
    unsigned bits;
} curves[] = {
    {{oid_p224, sizeof oid_p224}, 224},
    {{oid_p256, sizeof oid_p256}, 256},
    {{oid_p384, sizeof oid_p384}, 384},
    {{oid_p521, sizeof oid_p521}, 521},
};

static const uint8_t der_rsa_sha256[] = {DER_SEQUENCE, 13,   DER_OID, 9,    0x2a, 0x86,     0x48, 0x86,
                                         0xf7,         0x0d, 0x01,    0x01, 0x0b, DER_NULL, 0};
static const uint8_t der_ecdsa_sha256[] = {DER_SEQUENCE, 10,   DER_OID, 8,    0x2a, 0x86,
                                           0x48,         0xce, 0x3d,    0x04, 0x03, 0x02};
static const uint8_t der_ecdsa_sha384[] = {DER_SEQUENCE, 10,   DER_OID, 8,    0x2a, 0x86,
                                           0x48,         0xce, 0x3d,    0x04, 0x03, 0x03};
static const uint8_t der_ecdsa_sha512[] = {DER_SEQUENCE, 10,   DER_OID, 8,    0x2a, 0x86,
                                           0x48,         0xce, 0x3d,    0x04, 0x03, 0x04};

/* `least` and `most` bits of the key that goes with it. RSA: below 2048 is too weak to sign with, above 4096
 * is refused by the products we sign for. */
static const struct {
    enum key_type type;
    unsigned least, most;
    enum hash_alg hash;
    struct span der;
} algs[] = {
    [SIG_NONE] = {KEY_NONE, 0, 0, HASH_NONE, {NULL, 0}},
    [SIG_RSA_SHA256] = {KEY_RSA, 2048, 4096, HASH_SHA256, {der_rsa_sha256, sizeof der_rsa_sha256}},
    [SIG_ECDSA_SHA256] = {KEY_EC, 256, 256, HASH_SHA256, {der_ecdsa_sha256, sizeof der_ecdsa_sha256}},
    [SIG_ECDSA_SHA384] = {KEY_EC, 384, 384, HASH_SHA384, {der_ecdsa_sha384, sizeof der_ecdsa_sha384}},
    [SIG_ECDSA_SHA512] = {KEY_EC, 521, 521, HASH_SHA512, {der_ecdsa_sha512, sizeof der_ecdsa_sha512}},
};

/* A positive INTEGER in minimal form; its magnitude without the sign octet. */
static bool positive(struct span *in, struct span *magnitude)
{
    struct der d;

    if (!der_expect(in, DER_INTEGER, &d) || d.body.len == 0 || (d.body.data[0] & 0x80) != 0)
        return false;
    if (d.body.data[0] != 0) {
        *magnitude = d.body;
        return true;
    }
    if (d.body.len == 1 || (d.body.data[1] & 0x80) == 0)
        return false; /* zero, or a sign octet that is not needed */
    *magnitude = span_of(d.body.data + 1, d.body.len - 1);
    return true;
}

static uint64_t number_of(struct span magnitude)
{
    uint64_t number = 0;

    if (magnitude.len > sizeof number)
        return UINT64_MAX;
    for (size_t i = 0; i < magnitude.len; i++)
        number = number << 8 | magnitude.data[i];
    return number;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }; the parameters are NULL. */
static bool read_rsa(struct span params, struct key_kind *out)
{
    struct span in = out->key_bits, modulus, exponent;
    struct der d;

    if (!der_expect(&params, DER_NULL, &d) || d.body.len != 0 || params.len != 0)
        return false;
    if (!der_expect(&in, DER_SEQUENCE, &d) || in.len != 0)
        return false;
    if (!positive(&d.body, &modulus) || !positive(&d.body, &exponent) || d.body.len != 0)
        return false;
    out->bits = (unsigned)(modulus.len * 8) - (unsigned)__builtin_clz(modulus.data[0]) + 24;
    out->exponent = number_of(exponent);
    out->type = KEY_RSA;
    return true;
}

bool key_exponent_is_sound(const struct key_kind *k)
{
    return (k->exponent & 1) != 0 && k->exponent >= 3 && k->exponent >> RSA_EXPONENT_BITS_MAX == 0;
}

/* SEC 1 2.3.3: 04 X Y, or 02/03 X; coordinates have the length of the field. */
static bool is_point(struct span point, unsigned bits)
{
    size_t coordinate = (bits + 7) / 8;

    if (point.len == 0)
        return false;
    if (point.data[0] == 0x04)
        return point.len == 1 + 2 * coordinate;
    return (point.data[0] == 0x02 || point.data[0] == 0x03) && point.len == 1 + coordinate;
}

/* ECParameters are a named curve, or something else that is a curve of no name to us. */
static bool read_ec(struct span params, struct key_kind *out)
{
    struct der d;

    if (!der_next(&params, &d) || params.len != 0)
        return false;
    out->type = KEY_EC;
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (d.tag == DER_OID && span_eq(d.body, curves[i].oid))
            out->bits = curves[i].bits;
    return out->bits == 0 || is_point(out->key_bits, out->bits);
}

bool key_kind_of(struct span spki, struct key_kind *out)
{
    struct der whole, alg, oid, key;

    memset(out, 0, sizeof *out);
    if (!der_expect(&spki, DER_SEQUENCE, &whole) || spki.len != 0)
        return false;
    if (!der_expect(&whole.body, DER_SEQUENCE, &alg) || !der_expect(&whole.body, DER_BIT_STRING, &key) ||
        whole.body.len != 0)
        return false;
    if (!der_expect(&alg.body, DER_OID, &oid) || oid.body.len == 0 || key.body.len < 2 ||
        key.body.data[0] != 0)
        return false;
    out->key_bits = span_of(key.body.data + 1, key.body.len - 1);
    if (span_eq(oid.body, span_of(oid_rsa, sizeof oid_rsa)))
        return read_rsa(alg.body, out);
    if (span_eq(oid.body, span_of(oid_ec, sizeof oid_ec)))
        return read_ec(alg.body, out);
    out->type = KEY_OTHER;
    return alg.body.len == 0 || (der_next(&alg.body, &oid) && alg.body.len == 0);
}

bool has_explicit_curve(struct span octets)
{
    /* prime-field and characteristic-two-field, RFC 3279 2.3.5, without tag and length: BER has several */
    static const uint8_t fields[][7] = {{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01},
                                        {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x02}};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (octets.len > 0 && memmem(octets.data, octets.len, fields[i], sizeof fields[i]) != NULL)
            return true;
    return false;
}

const char *key_type_name(enum key_type t)
{
    return t == KEY_RSA ? "rsa" : t == KEY_EC ? "ec" : "other";
}

enum sig_alg sig_alg_for(const struct key_kind *k)
{
    for (enum sig_alg a = SIG_RSA_SHA256; a <= SIG_ECDSA_SHA512; a++)
        if (algs[a].type == k->type && k->bits >= algs[a].least && k->bits <= algs[a].most)
            return a;
    return SIG_NONE;
}

struct span sig_alg_der(enum sig_alg a)
{
    return algs[a].der;
}

enum hash_alg sig_alg_hash(enum sig_alg a)
{
    return algs[a].hash;
}
