/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner: what the files of the signer share. A purpose is the public half of a key and what it is for; the
 * checks hold a structure against a purpose and never see a private key. Reasons read "structure.field: what
 * is wrong".
 */
#ifndef SIGNER_INNER_H
#define SIGNER_INNER_H

#include <stdatomic.h>

#include "base/der.h"
#include "base/reason.h"
#include "base/seal.h"
#include "signer/signer.h"

/* Spans borrow from the purpose's own copies. */
struct purpose {
    char id[ISSUER_ID_MAX];
    enum sig_alg alg;
    struct span spki;
    uint8_t key_hash[SKI_LEN]; /* SHA-1 of the key bits: an OCSP key's responderID, a new root's SKI */
    bool is_ocsp, is_audit, is_new_root, may_leaf, may_subordinate;
    /* The audit's key: the highest number it has sealed, shared by every process of the role. Else NULL. */
    _Atomic uint64_t *sealed;
    /* from a CA key's certificate, else empty */
    struct span name, ski;
    int64_t not_before_s, not_after_s;
    int64_t path_len; /* -1: no constraint */
    uint8_t *spki_copy, *certificate_copy;
};

/* ---- purpose.c ---- */

/* ERR_KEY: not a key we sign with, or not the certificate's key, or a certificate that makes no CA. */
enum err purpose_read(struct purpose *p, const struct signer_spec *spec, struct span spki, struct fault *f);
void purpose_free(struct purpose *p);

/* ---- key.c ---- */

const struct purpose *key_purpose(const struct signer_key *k);
/* Signs a digest of the purpose's algorithm. ERR_INTERNAL when OpenSSL fails. */
enum err key_sign(const struct signer_key *k, struct span digest, uint8_t signature[static SIGNATURE_MAX],
                  size_t *len, struct fault *f);

/* ---- read.c: shapes that more than one structure has ---- */

/* INTEGER content: 1 to 20 octets, minimal, above zero. RFC 5280 4.1.2.2 */
bool is_serial(struct span content);
/* True for the content of an entry of revokedCertificates in the shape that our lists have; false tells
 * nothing. */
bool is_plain_entry(struct span content);
/* Name ::= SEQUENCE OF SET OF SEQUENCE { OID, value } */
bool is_name(struct span element);
/* UTCTime before 2050, GeneralizedTime from then on. RFC 5280 4.1.2.5 */
[[nodiscard]] bool time_read(struct span *in, int64_t *out_s);
/* GeneralizedTime whatever the year. RFC 6960, invalidityDate */
[[nodiscard]] bool generalized_time_read(struct span *in, int64_t *out_s);

/* Extensions as a table: who reads the value. */
struct extension_rule {
    struct span oid;
    bool (*read)(struct span value, bool is_critical, void *out); /* false: not of its form */
    bool may_be_critical;
};
/* Walks the content of `Extensions`: strict DER, not empty, each value one element, none twice, and none that
 * is not in the table, which has at most 32. `what` names the structure in the reasons. */
enum err extensions_read(struct span content, const struct extension_rule *rules, size_t n, const char *what,
                         void *out, struct fault *f);
/* AuthorityKeyIdentifier with a keyIdentifier alone; `out` is a struct span *. */
[[nodiscard]] bool aki_read(struct span value, struct span *keyid);

/* ---- general_name.c: values of extensions that are general names, in the forms that we write ---- */

/* Each is what an extension_rule has for a reader, and takes nothing from the value.
 * SubjectAltName, RFC 5280 4.2.1.6: at least one dNSName of letters, digits, `.`, `-`, `_` and `*`, at most
 * DNS_NAME_MAX, or iPAddress of 4 or 16 octets, and nothing else. */
[[nodiscard]] bool general_names_read(struct span value, bool is_critical, void *out);
/* CRLDistributionPoints, RFC 5280 4.2.1.13, and FreshestCRL, 4.2.1.15 and 5.2.6: one point that has a URI for
 * a name, and nothing else. */
[[nodiscard]] bool crl_point_read(struct span value, bool is_critical, void *out);
/* AuthorityInfoAccess, RFC 5280 4.2.2.1: at least one access, each id-ad-ocsp or id-ad-caIssuers by a URI. */
[[nodiscard]] bool authority_access_read(struct span value, bool is_critical, void *out);

/* DistributionPointName of 1 to `most` URIs. RFC 5280 4.2.1.13 */
[[nodiscard]] bool crl_point_name_read(struct span in, unsigned most);

/* ---- the checks ---- */

enum err check_certificate(const struct purpose *p, struct span tbs, struct fault *f);
/* Takes the seal's number when all is well: it cannot be asked for again. */
enum err check_seal(const struct purpose *p, struct span tbs, int64_t now_s, struct fault *f);
enum err check_ocsp(const struct purpose *p, struct span data, int64_t now_s, struct fault *f);

/* A tbsCertList in pieces, in bounded memory. Sticky: after the first violation the rest is only counted by
 * the caller. */
struct crl_check;
struct crl_check *crl_check_new(const struct purpose *p, uint64_t total_len, int64_t now_s);
void crl_check_add(struct crl_check *c, struct span piece);
enum err crl_check_end(struct crl_check *c, struct fault *f); /* the verdict; frees */

/* ---- session.c: one CRL on its way through a port ---- */

struct session;
struct session *session_new(const struct signer_key *k, uint64_t number, uint64_t total_len,
                            int64_t now_s); /* k NULL: no such key; drains */
void session_free(struct session *s);       /* NULL is fine */
/* True when the announced octets have arrived: then session_answer. */
bool session_add(struct session *s, struct span piece);
bool session_is_whole(const struct session *s);
void session_answer(struct session *s, struct port_answer *out);

/* ---- sign.c ---- */

enum err probe_sign(const struct signer_key *k, struct span octets, uint8_t signature[static SIGNATURE_MAX],
                    size_t *len, struct fault *f);

#endif
