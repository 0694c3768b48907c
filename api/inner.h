/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner: what the files of the api room share. The room faces people and programs: the HTTPS interface, the
 * control socket, the pages for relying parties, and main(), which puts the other rooms together.
 */
#ifndef API_INNER_H
#define API_INNER_H

#include <netinet/in.h>

#include "base/file.h"
#include "base/http.h"
#include "base/json.h"
#include "base/xml.h"
#include "ca/ca.h"
#include "crl/crl.h"
#include "ocsp/ocsp.h"
#include "signer/signer.h"
#include "store/store.h"

/* ---- config.c: chancery.xml, read by every role for itself ---- */

struct issuer_files {
    char id[ISSUER_ID_MAX];
    char key_uri[PATH_LEN_MAX];      /* absolute OSSL_STORE URI */
    char ocsp_key_uri[PATH_LEN_MAX];
    char certificate[PATH_LEN_MAX];  /* issuers/ID.pem */
    char chain[PATH_LEN_MAX];        /* issuers/ID-chain.pem */
    char ocsp_public[PATH_LEN_MAX];  /* issuers/ID-ocsp.pub: PEM SubjectPublicKeyInfo */
    bool issues_leaves;
};

struct config {
    char home[PATH_LEN_MAX];         /* absolute */
    char name[128];                  /* <service name=> */
    char host[DNS_NAME_MAX + 1];
    char http_listen[128], https_listen[128];
    char public_url[256];
    uint64_t map_size;               /* octets */
    char store_dir[PATH_LEN_MAX], public_dir[PATH_LEN_MAX], control_path[PATH_LEN_MAX];
    struct issuer_files issuers[ISSUERS_MAX];
    size_t issuer_count;
    struct ca_config ca;
    struct crl_config crl;
    struct ocsp_config ocsp;
    struct catalogue catalogue;      /* profiles.xml of the home, else the installed one */
};

/* Reads and validates home/chancery.xml and home/profiles.xml. `report` (may be NULL) gets every mistake, a line each. */
enum err config_load(const char *home, struct config *out, struct buf *report, struct fault *f);
void config_free(struct config *c);

/* ---- csr.c: hostile bytes to facts ---- */

struct csr; /* a parsed, verified request: owns what its facts borrow */
/* Finds a PKCS#10 in DER, PEM ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"; text around the armour is skipped) or bare base64,
 * checks its self-signature and reads the facts. ERR_MALFORMED: not a CSR, trailing octets, not DER; ERR_POLICY with
 * a finding for what is well formed and refused here (csr.signature, csr.extension.duplicate, name.nul, …). */
enum err csr_parse(struct span body, struct csr **out, struct findings *findings, struct fault *f);
const struct facts *csr_facts(const struct csr *c);
void csr_free(struct csr *c);

/* ---- the roles ---- */

/* HTTPS interface and control socket: process "api". Listening sockets are made by the supervisor. */
struct api_role {
    struct config *config;           /* may be reloaded in place on SIGHUP */
    int https_fd, control_fd;        /* listening */
    int ca_fd;                       /* wire to the ca */
};
enum err api_run(struct api_role *r);

/* What relying parties use, no login: /ocsp, /crl/…, /ca/…, /. Process "ocsp". */
struct public_role {
    const struct config *config;
    int http_fd;                     /* listening */
    int port_fd;                     /* signing port of the OCSP keys */
};
enum err public_run(const struct public_role *r);

/* ---- x509.c: views of certificates for people, by OpenSSL ---- */

/* Concatenated PEM of DER certificates, INTERFACE 6 format. */
void pem_put(struct buf *out, const char *label, struct span der);
/* The first PEM block of that label, decoded; ERR_NOT_FOUND, ERR_MALFORMED. */
enum err pem_get(struct span pem, const char *label, struct buf *der);
/* Subject as RFC 4514-like text. */
void name_text(struct span name_der, struct buf *out);
/* certs-only PKCS#7 (RFC 2315 9.1 degenerate SignedData). */
enum err p7b_put(struct buf *out, const struct span *certs, size_t n);
/* Names of a GeneralNames value as text, each ended by NUL. */

#endif
