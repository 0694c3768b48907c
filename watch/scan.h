/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: what a CRL says of itself, read as its octets pass by: memory does not depend on its length. DER
 * (RFC 5280 5) or its PEM. The entries are not read, only digested: the signature covers them. Hostile input:
 * strict, bounded, never asserts. Private to the watch room. Pure; one scan, one thread.
 */
#ifndef WATCH_SCAN_H
#define WATCH_SCAN_H

#include "base/alg.h"
#include "base/limits.h"

struct scan_facts {
    uint8_t sha256[HASH_LEN]; /* of the octets as they came, armour and all */
    uint64_t size;            /* of the same */
    uint8_t issuer[HASH_LEN]; /* SHA-256 of the issuer's Name */
    uint64_t number;          /* cRLNumber; one beyond 63 bits is UINT64_MAX */
    int64_t this_update_s, next_update_s;
    bool is_delta; /* deltaCRLIndicator, RFC 5280 5.2.4 */
    /* What the signature is over, and the signature: trust.h checks it. */
    enum sig_alg alg;
    uint8_t digest[HASH_LEN_MAX];
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
};

struct scan;
struct scan *scan_begin(void);
/* False when the octets cannot be a CRL any more: nothing further need be read. */
[[nodiscard]] bool scan_add(struct scan *s, struct span octets);
/* Frees. ERR_MALFORMED with the reason: no CRL, one cut short, one without number or nextUpdate (RFC 5280
 * 5.1.2.5 and 5.2.3 want both), or signed by an algorithm that we do not use. */
enum err scan_end(struct scan *s, struct scan_facts *out, struct fault *f);

#endif
