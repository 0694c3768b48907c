/* SPDX-License-Identifier: Apache-2.0 */
/* signature_kind: an AlgorithmIdentifier of a stranger's signature: what kind of key made it, over which
 * hash. RFC 8017 A.2.3 and A.2.4, RFC 5758 3.2. */
#include "api/preflight.h"

#include <string.h>

#include "base/der.h"

struct row {
    struct span oid; /* content */
    enum hash_alg hash;
};
#define OID(text)                                                                                            \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }
#define PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define X962_SIGNATURES "\x2a\x86\x48\xce\x3d\x04"

/* Of RSA. MD2 and MD4 are left to "none of these": no name would make them better. */
static const struct row rsa[] = {
    {OID(PKCS1 "\x04"), HASH_MD5},    {OID(PKCS1 "\x05"), HASH_SHA1},   {OID(PKCS1 "\x0b"), HASH_SHA256},
    {OID(PKCS1 "\x0c"), HASH_SHA384}, {OID(PKCS1 "\x0d"), HASH_SHA512}, {OID(PKCS1 "\x0e"), HASH_SHA224},
};
static const struct row ecdsa[] = {
    {OID(X962_SIGNATURES "\x01"), HASH_SHA1},       {OID(X962_SIGNATURES "\x03\x01"), HASH_SHA224},
    {OID(X962_SIGNATURES "\x03\x02"), HASH_SHA256}, {OID(X962_SIGNATURES "\x03\x03"), HASH_SHA384},
    {OID(X962_SIGNATURES "\x03\x04"), HASH_SHA512},
};
/* The hashes themselves, as RSASSA-PSS names them. */
static const struct row hashes[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x02\x05"), HASH_MD5},
    {OID("\x2b\x0e\x03\x02\x1a"), HASH_SHA1},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), HASH_SHA256},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), HASH_SHA384},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), HASH_SHA512},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x04"), HASH_SHA224},
};

static enum hash_alg find(const struct row *rows, size_t n, struct span oid)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(rows[i].oid, oid))
            return rows[i].hash;
    return HASH_NONE;
}

static bool begins(struct span oid, const char *arc)
{
    return oid.len > strlen(arc) && memcmp(oid.data, arc, strlen(arc)) == 0;
}

/* RFC 4055 3.1: an absent hashAlgorithm is SHA-1. */
static enum hash_alg pss_hash(struct span parameters)
{
    struct der list, tagged, algorithm, oid;

    if (!der_expect(&parameters, DER_SEQUENCE, &list))
        return HASH_NONE;
    if (!der_optional(&list.body, DER_CONTEXT_CONSTRUCTED(0), &tagged))
        return HASH_SHA1;
    if (!der_expect(&tagged.body, DER_SEQUENCE, &algorithm) || !der_expect(&algorithm.body, DER_OID, &oid))
        return HASH_NONE;
    return find(hashes, sizeof hashes / sizeof *hashes, oid.body);
}

struct signature_kind signature_kind_of(struct span algorithm)
{
    struct signature_kind kind = {KEY_OTHER, HASH_NONE};
    struct der oid;

    if (!der_expect(&algorithm, DER_OID, &oid))
        return kind;
    if (begins(oid.body, PKCS1)) {
        kind.key = KEY_RSA;
        kind.hash = span_eq(oid.body, span_str(PKCS1 "\x0a")) ? pss_hash(algorithm)
                                                              : find(rsa, sizeof rsa / sizeof *rsa, oid.body);
    } else if (begins(oid.body, X962_SIGNATURES)) {
        kind.key = KEY_EC;
        kind.hash = find(ecdsa, sizeof ecdsa / sizeof *ecdsa, oid.body);
    }
    return kind;
}
