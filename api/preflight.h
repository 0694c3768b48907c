/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight: the pieces of POST /api/v1/preflight, for its own files alone. A certificate that came along is
 * found in its file (certificate_file.c), read (certificate_parse.c), put under its issuers (upload_path.c)
 * and held against the request by the ca room's upload_check(); decoded.c and upload_json.c show what came
 * out.
 */
#ifndef API_PREFLIGHT_H
#define API_PREFLIGHT_H

#include "api/api.h"

#define FILE_CERTS_MAX 16u           /* certificates of one file: a leaf and a chain, not a trust store */
#define CERTIFICATE_FILE_MAX CSR_MAX /* octets: a leaf takes two thousand, a chain of five ten thousand */

/* ---- certificate_parse.c: hostile bytes to facts ---- */

struct certificate; /* owns what its facts borrow */
/* A whole certificate. ERR_MALFORMED for what is not DER to the last octet, has one of the extensions read
 * here in another form (DER inside as well), any extension twice, two signature algorithms that differ, less
 * of a version than it has parts, or a key on a curve spelt out by its parameters (RFC 5480 2.1.1); NULL
 * then, and the fault says what it is instead ("a certificate of version 1 with extensions"). */
enum err certificate_parse(struct span der, struct certificate **out, struct fault *f);
/* The same for one out of our own store, without OpenSSL's opinion, which costs ten times the reading. */
enum err certificate_parse_ours(struct span der, struct certificate **out, struct fault *f);
/* The same for a to-be-signed one of our own. */
enum err tbs_parse(struct span tbs, struct certificate **out, struct fault *f);
const struct certificate_facts *certificate_facts_of(const struct certificate *c);
void certificate_free(struct certificate *c);

/* ---- certificate_signed.c ---- */

/* Does `issuer`'s key verify the signature? Names are not looked at. Never for a key that is dear to compute
 * with: RSA with an exponent above 64 bits, kinds of no CA of today. */
[[nodiscard]] bool certificate_is_signed_by(struct span der, struct span issuer);

/* ---- signature_kind.c: an AlgorithmIdentifier's content ---- */

struct signature_kind {
    enum key_type key;  /* KEY_OTHER: neither RSA nor ECDSA */
    enum hash_alg hash; /* HASH_NONE: of another kind, or unknown */
};
struct signature_kind signature_kind_of(struct span algorithm);

/* ---- certificate_file.c: a file as it would be uploaded ---- */

struct certificate_file {
    struct certificate *certs[FILE_CERTS_MAX]; /* in the file's order */
    size_t count;
    size_t leaf; /* which of them: the one on the request's key, else the first */
};
/* Whatever the products would not read is a finding of the rule `format`; certificates are taken out all the
 * same where they can be. */
void certificate_file_read(struct span file, struct span request_spki, struct certificate_file *out,
                           struct findings *fs);
void certificate_file_free(struct certificate_file *f);

/* ---- upload_path.c: the certificates above it ---- */

struct upload_path {
    struct upload upload;
    struct ca_certificate known[KNOWN_CAS_MAX];
    struct certificate *ours[ISSUERS_MAX]; /* owned */
    size_t our_count;
    unsigned verified; /* signatures */
};
/* For a given certificate: known are our issuers, */
void upload_path_open(struct view *v, struct upload_path *out);
/* and what came in its file, from which it borrows. Verifies signatures: on any thread, once. */
void upload_path_given(const struct certificate_file *f, struct upload_path *out);
/* For one that we would issue. */
void upload_path_ours(struct view *v, const char *issuer_id, struct upload_path *out);
void upload_path_free(struct upload_path *p);

/* ---- decoded.c, upload_json.c ---- */

struct js *certificate_facts_json(const struct certificate_facts *f);
/* The ordered plan; `path` as far as it is known. `public_url` is where ours can be fetched. */
struct js *upload_json(const struct upload_plan *plan, const struct upload_path *path,
                       const char *public_url);

#endif
