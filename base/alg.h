/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alg: key kinds and the signature algorithm that goes with each of our own keys.
 * One table: SPKI <-> kind <-> AlgorithmIdentifier DER. Pure; reads DER itself, needs no OpenSSL.
 */
#ifndef BASE_ALG_H
#define BASE_ALG_H

#include "base/hash.h"

enum key_type { KEY_NONE, KEY_RSA, KEY_EC, KEY_OTHER };

enum sig_alg {
    SIG_NONE,
    SIG_RSA_SHA256,   /* RSA of any size, RFC 4055 */
    SIG_ECDSA_SHA256, /* P-256, RFC 5758 */
    SIG_ECDSA_SHA384, /* P-384 */
    SIG_ECDSA_SHA512, /* P-521 */
};

struct key_kind {
    enum key_type type;
    unsigned bits; /* RSA: of the modulus; EC: 256, 384, 521 for the named NIST curves, 224 for P-224, 0 for
                      any other */
    uint64_t exponent; /* of RSA; UINT64_MAX: needs more than 64 bits */
    /* The subjectPublicKey BIT STRING's content without the unused-bits octet: what SKI and the OCSP key hash
     * digest. Borrowed. */
    struct span key_bits;
};

/* Reads a SubjectPublicKeyInfo. False for anything but strict DER of the right shape; an unknown algorithm is
 * KEY_OTHER. */
[[nodiscard]] bool key_kind_of(struct span spki, struct key_kind *out);
#define RSA_EXPONENT_BITS_MAX 31

/* Of an RSA key: odd, from 3 to 2^31 - 1. An even one is no RSA, and with 1 everyone can sign (RFC 8017 3.1);
 * above, Go's readers refuse the key, and a huge one is what a private exponent looks like that is small
 * enough to be computed from the public key (Wiener 1990). 3 is sound with the padding of certificates. */
bool key_exponent_is_sound(const struct key_kind *k);
const char *key_type_name(enum key_type t); /* "rsa", "ec", "other" */

/* Does a key stand anywhere in these octets (a request, certificate, PKCS#7, handshake message; BER too) on a
 * curve that is spelt out by its parameters (RFC 5480 2.1.1 forbids it)? To be asked before OpenSSL decodes a
 * stranger's octets: it sets such a curve up at once, and one of 661 bits with a compressed generator over a
 * prime k*2^560+1 costs it 230 ms. The field's OID, which none can do without, is looked for wherever it may
 * stand; random octets hold it once in 2^56. */
[[nodiscard]] bool has_explicit_curve(struct span octets);

/* The algorithm our own key of this kind signs with; SIG_NONE when we would not sign with it. */
enum sig_alg sig_alg_for(const struct key_kind *k);
struct span sig_alg_der(enum sig_alg a); /* whole AlgorithmIdentifier, static */
enum hash_alg sig_alg_hash(enum sig_alg a);

#endif
