/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pki: keys, certificates and OCSP requests for the tests of this room, made by OpenSSL alone. Everything
 * dies by assertion when OpenSSL fails. The clock stands at PKI_NOW.
 */
#ifndef TESTS_OCSP_PKI_H
#define TESTS_OCSP_PKI_H

#include <openssl/ocsp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/limits.h"

#define PKI_NOW 1900000000 /* 2030-03-17 */
#define PKI_DAY 86400

extern int64_t pki_not_before_s; /* of the certificates made from here on: a month before PKI_NOW */

enum pki_kind { PKI_CA, PKI_RESPONDER, PKI_LEAF };

struct pki_cert {
    EVP_PKEY *key;
    X509 *x509;
    uint8_t serial[SERIAL_LEN];
    uint8_t *der;
    size_t der_len;
};

/* `issuer` NULL: self-signed. `key_type`: "RSA" or "EC". The serial's last octet is `number`, its first 1. */
struct pki_cert pki_certificate(const char *cn, const struct pki_cert *issuer, enum pki_kind kind,
                                const char *key_type, unsigned number, int64_t not_after_s);
void pki_free(struct pki_cert *c);

/* A CertID for any serial under this issuer. */
OCSP_CERTID *pki_certid(const EVP_MD *md, const struct pki_cert *issuer, struct span serial);

/* A request to which CertIDs (taken) and extensions are added. */
void pki_add(OCSP_REQUEST *r, OCSP_CERTID *id);
/* `len` octets in an OCTET STRING in the extnValue; 0 and more than OpenSSL would add by itself as well. */
void pki_add_nonce(OCSP_REQUEST *r, size_t len, bool is_critical);
/* The DER; frees the request. Free the octets with buf_free. */
struct buf pki_encode(OCSP_REQUEST *r);

#endif
