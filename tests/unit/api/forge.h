/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge: requests and certificates for tests. What is well formed is made by OpenSSL; what is not is put
 * together octet by octet and signed all the same, so that nothing but the flaw under test can be why it is
 * refused.
 */
#ifndef TESTS_UNIT_API_FORGE_H
#define TESTS_UNIT_API_FORGE_H

#include "base/der.h"

#include <openssl/evp.h>

/* "rsa-2048", "rsa-pss", "P-256", "secp256k1", "ed25519", "explicit": an EC key whose curve is spelt out.
 * Caller frees. */
EVP_PKEY *forge_key(const char *name);

struct forge {
    EVP_PKEY *key;
    const char *digest; /* NULL: SHA256; "": none (Ed25519) */
    uint64_t version;
    struct buf subject;    /* Name DER; empty: CN=a.example.com */
    struct buf extensions; /* content of an Extensions SEQUENCE; empty: no extensionRequest */
    struct buf attributes; /* more attributes, whole, before the extensionRequest */
    bool ms_oid;           /* ask under Microsoft's OID */
    bool spoil_signature;
};
void forge_init(struct forge *f, EVP_PKEY *key);
void forge_free(struct forge *f);
/* RDN of one attribute with this string tag. */
void forge_rdn(struct forge *f, uint8_t attribute, uint8_t tag, struct span text);
/* One extension, id-ce number, its value as given. */
void forge_extension(struct forge *f, uint8_t id_ce, struct span value);
/* One by OpenSSL's configuration syntax: "subjectAltName", "DNS:a.example.com". */
void forge_extension_text(struct forge *f, const char *name, const char *value);
/* Signed DER. */
void forge_request(struct forge *f, struct buf *out);

/* A self-signed certificate with this serial, key and validity. */
void forge_certificate(EVP_PKEY *key, struct span serial, int64_t not_before_s, int64_t not_after_s,
                       struct buf *out);
/* PKCS#8 PEM. */
void forge_key_pem(EVP_PKEY *key, struct buf *out);
struct span forge_spki(EVP_PKEY *key, struct buf *out);

#endif
