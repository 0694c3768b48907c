/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority: the key, the certificate, the files and the rows of a CA, as `init` makes four of them and
 * `ca renew` one. Keys are generated and used here once, in the process that runs the command; afterwards
 * only a signer opens them. Blocks on the disk.
 */
#ifndef API_AUTHORITY_H
#define API_AUTHORITY_H

#include "api/role.h"

#define ROOT_DAYS 7305            /* 20 years: outlives two generations of issuing CAs */
#define AUTHORITY_BACKDATE_S 3600 /* clocks of machines that are set up together differ by minutes */

/* A CA that is to be certified, by `parent` or, when that is "", by itself. All borrowed. */
struct authority {
    const char *id, *parent;
    struct span name, spki;
    struct span parent_name, parent_spki; /* a root's are its own */
    int path_len;                         /* -1: none */
    int64_t not_before_s, not_after_s;
    const char *public_url;
    uint8_t node;
};

/* A new key of that kind (as signer_key_generate has them) in home/file, 0600; `spki` may be NULL. */
enum err authority_key(const char *home, const char *kind, const char *file, struct buf *spki,
                       struct fault *f);
/* home/keys/ID.key with what it is for; a new root has no certificate yet. */
enum err authority_load(const char *home, struct signer_spec *spec, struct signer_key **out, struct fault *f);
/* The certificate, signed by the parent's key; a root's by its own, loaded as is_new_root. */
enum err authority_sign(const struct authority *a, const struct signer_key *key, int64_t now_s,
                        struct buf *certificate, struct fault *f);
/* What relying parties and roles read: its certificate and chain, from itself to the root, under issuers/ and
 * public/ca/. */
enum err authority_files(const char *home, const char *id, const struct span *chain, size_t n,
                         struct fault *f);
/* issuers/ID-ocsp.pub, the public half of its OCSP signer's key. */
enum err authority_ocsp(const char *home, const char *id, struct span spki, struct fault *f);

/* A certificate of ours that these commands sign: with a new serial, by the algorithm of the issuer's key. */
enum err own_sign(struct tbs *t, struct span issuer_spki, uint8_t node, const struct signer_key *key,
                  int64_t now_s, struct buf *certificate, struct fault *f);
/* Its row. `about` says what it is; subject text and CSR are not read. */
enum err own_record(struct txn *t, const struct cert_about *about, struct fault *f);

#endif
