/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer: the room that holds private keys and reads what it signs. It has no network, no store and, after
 * start, no files: wires alone. It receives a to-be-signed structure, parses it again with the strict DER
 * reader, holds it against what the key is for, and gives the signature only. It does not decide policy: it
 * bounds what a captured ca, crl or ocsp could obtain.
 *
 * What a key is for:
 *  - a CA key signs tbsCertificates, RFC 5280 4.1 and 4.2:
 *      version v3, serial positive and of 1..20 octets, inner signature algorithm its own;
 *      the issuer is its certificate's subject, byte for byte, the subject is another name;
 *      notBefore not before its certificate's, notAfter not after it;
 *      over a key that is not its own: RSA of 2048 bits or more, P-256, P-384 or P-521;
 *      with the extensions that ca/tbs.c writes, each in the form it has there, and no others;
 *      of these only keyUsage and basicConstraints may be critical;
 *      the AKI equals its SKI;
 *      CA:TRUE only when `may_subordinate`, critical, with a pathLenConstraint below its own, keyCertSign, an
 *      SKI and a name;
 *      keyCertSign and cRLSign only with CA:TRUE;
 *      never anyExtendedKeyUsage; OCSPSigning alone and with nocheck, or neither;
 *      when not `may_leaf`: of those that are no CAs only OCSP responders'.
 *  - a CA key signs tbsCertLists, RFC 5280 5.1 and 5.2:
 *      version v2, its issuer name, its algorithm, AKI and a CRL number;
 *      thisUpdate within a day of the clock, nextUpdate not before it and no more than 400 days after it;
 *      entries and extensions well formed, with the extensions that the publisher writes and no others.
 *  - a new root's key (`is_new_root`, in `init` and `ca renew` alone) signs one thing:
 *    the self-issued v3 CA certificate over itself.
 *  - the audit's key (`is_audit`) signs seals (base/seal.h): their number above that of every one it has
 *    signed in this run, their time within a day of the clock.
 *  - an OCSP key signs ResponseData, RFC 6960 4.2.1:
 *      version v1, responderID byKey of its own key, producedAt within a day of the clock;
 *      SingleResponses well formed, each with thisUpdate no more than a day after the clock and nextUpdate no
 *      more than 30 days after thisUpdate.
 *
 * Thread rule: one thread; several processors are used by several processes.
 */
#ifndef SIGNER_SIGNER_H
#define SIGNER_SIGNER_H

#include "base/alg.h"
#include "base/port.h"

struct signer_key; /* a loaded private key with what it is for */

struct signer_spec {
    char id[ISSUER_ID_MAX];  /* the key id ports use */
    const char *uri;         /* OSSL_STORE URI: "file:/abs/path"; others are OpenSSL's, and untried */
    struct span certificate; /* CA key: DER of its certificate. OCSP key: empty */
    bool is_ocsp;            /* signs ResponseData alone */
    bool is_audit;           /* signs seals alone: EC P-256, empty certificate, id SEAL_KEY_ID */
    /* Has no certificate yet: signs its own alone. Empty certificate; neither OCSP nor CA. */
    bool is_new_root;
    bool may_leaf, may_subordinate; /* CA keys */
};

/* Loads a key, checks that it fits its certificate. ERR_KEY names the file and what is wrong. */
enum err signer_key_load(const struct signer_spec *spec, struct signer_key **out, struct fault *f);
void signer_key_free(struct signer_key *k); /* cleanses */
/* SubjectPublicKeyInfo DER, borrowed. */
struct span signer_key_spki(const struct signer_key *k);

/* Generates a key and writes it as PKCS#8 PEM with mode 0600; refuses a file that exists. `name`: "rsa-2048",
 * "rsa-3072", "rsa-4096", "ec-256", "ec-384", "ec-521". Gives the SPKI DER (caller frees). */
enum err signer_key_generate(const char *name, const char *path, uint8_t **spki, size_t *spki_len,
                             struct fault *f);

/* Checks and signs one structure in this process: what a port does, for init and tests. PORT_CRL_BEGIN takes
 * a whole tbsCertList. ERR_POLICY/ERR_MALFORMED with the reason, "certificate.issuer: …". */
enum err signer_sign(const struct signer_key *k, enum port_kind kind, struct span tbs, int64_t now_s,
                     uint8_t signature[static SIGNATURE_MAX], size_t *signature_len, struct fault *f);

/* Certificate, key (a PEM file) and chain as PKCS#12 with an empty password, for a browser: init's gift to
 * the administrator. */
enum err signer_p12_write(const char *key_path, struct span certificate, const struct span *chain,
                          size_t chain_len, const char *friendly_name, struct buf *out, struct fault *f);

struct signer_role {
    struct signer_key **keys;
    size_t key_count;
    int certificate_fd, crl_fd,
        ocsp_fd;      /* the ports' far ends, -1: none. What arrives on one may only be of its kind */
    unsigned workers; /* processes sharing certificate_fd or ocsp_fd, at least 1: one a core */
    enum err (*seal)(void *arg); /* called in each process when all it needs is open; NULL: nothing to give
                                    up. An error has been told and ends the role */
    void *seal_arg;
    int64_t (*clock)(void); /* seconds; NULL: clock_now_s */
};

/* Serves until a port closes; then returns (the role ends). A worker that dies ends the role: returns
 * ERR_END. */
enum err signer_run(const struct signer_role *r);

#endif
