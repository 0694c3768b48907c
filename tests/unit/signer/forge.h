/* SPDX-License-Identifier: Apache-2.0 */
/* forge: certificates, CRLs and OCSP answers made by OpenSSL, good ones and bad ones, for the signer to
 * judge. */
#ifndef TESTS_SIGNER_FORGE_H
#define TESTS_SIGNER_FORGE_H

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "signer/signer.h"

#define FORGE_NOW INT64_C(1780000000) /* 2026-05-28 */
#define FORGE_DAY INT64_C(86400)

/* A CA: key file, certificate, and our signer's key over both. */
struct forge {
    char dir[64];
    char key_path[128];
    char uri[160];
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t *der;
    size_t der_len;
    struct signer_key *ca;
};

/* `kind` as for signer_key_generate. The CA lives from FORGE_NOW for ten years, with this pathLenConstraint
 * (-1: none). */
void forge_open(struct forge *f, const char *kind, int path_len);
void forge_close(struct forge *f);
/* Loads the key again, for another purpose. */
struct signer_key *forge_key(const struct forge *f, struct signer_spec spec);
struct signer_spec forge_spec(const struct forge *f);

void forge_extension(X509 *x, int nid, const char *value, X509 *issuer);
void forge_raw_extension(X509 *x, int nid, bool is_critical, const void *value, int len);
void forge_drop(X509 *x, int nid); /* the extension, which is there */

/* A good leaf, subordinate, responder and self-signed root under the forge's CA, unsigned. */
X509 *forge_leaf(const struct forge *f);
X509 *forge_subordinate(const struct forge *f, int path_len);
X509 *forge_responder(const struct forge *f);
X509 *forge_root(const struct forge *f);
/* Signs with the CA's key (for the algorithm identifiers) and gives the tbsCertificate; frees `x`. */
struct span forge_tbs(const struct forge *f, X509 *x);
void forge_span_free(struct span s);

/* SEQUENCE { tbs, algorithm, signature }: what the asker does with a signature. */
struct span forge_assemble(const struct forge *f, struct span tbs, struct span signature);

/* A good CRL with `count` entries, unsigned; its tbsCertList; frees `crl`. */
X509_CRL *forge_crl(const struct forge *f, unsigned count);
struct span forge_crl_tbs(const struct forge *f, X509_CRL *crl);
void forge_crl_times(X509_CRL *crl, int64_t from_s, int64_t to_s);
/* In place of one that is there, with an INTEGER; one more, in the words of openssl.cnf. */
void forge_crl_integer(X509_CRL *crl, int nid, long value, int critical);
void forge_crl_extension(const struct forge *f, X509_CRL *crl, int nid, const char *value);

/* A good answer about three serials; its ResponseData. */
OCSP_BASICRESP *forge_basic(const struct forge *f);
struct span forge_response_data(const struct forge *f, OCSP_BASICRESP *basic);

/* The signature is one by the CA's key over `tbs`. */
void forge_verify(const struct forge *f, struct span tbs, struct span signature);

/* The verdict on one structure, and that the signature verifies when there is one. */
enum err forge_judge(const struct forge *f, const struct signer_key *k, enum port_kind kind, struct span tbs,
                     struct fault *fault);

#endif
