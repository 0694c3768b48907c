/* SPDX-License-Identifier: Apache-2.0 */
/* shop: a store with one issuer, a running signer with its key, and OpenSSL's own CRL of the same content as
 * the judge. */
#ifndef TESTS_CRL_SHOP_H
#define TESTS_CRL_SHOP_H

#include <openssl/x509.h>
#include <sys/types.h>

#include "crl/crl.h"

#define SHOP_NOW INT64_C(1780000000) /* 2026-05-28 */
#define DAY INT64_C(86400)

struct shop {
    char dir[64], store_dir[128], public_dir[128], key_uri[160], crl_path[192], pem_path[192];
    struct store *store;
    uint16_t no; /* of the issuer "ca" */
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t *der;
    size_t der_len;
    struct crl_port port;
    pid_t signer;
    struct revoked *revoked; /* what was revoked, in order of serial */
    size_t count;
};

/* `kind` as for signer_key_generate. The signer serves the key under `key_id` ("ca" when it is to work). */
void shop_open(struct shop *s, const char *kind, const char *key_id);
int64_t shop_clock(void);
void shop_clock_set(int64_t now_s); /* of the signer; SHOP_NOW when opened */
void shop_open_today(struct shop *s, const char *kind,
                     const char *key_id); /* the signer's clock is the wall's, not SHOP_NOW */
void shop_close(struct shop *s);
void shop_signer_stop(struct shop *s);

/* Revokes `count` new certificates with every reason in turn, some with an invalidityDate, some after 2049.
 */
void shop_revoke(struct shop *s, size_t count);
/* One more, as given; keeps the order. */
void shop_revoke_one(struct shop *s, const struct revoked *r);

/* OpenSSL's CRL over the same entries (those for which `keep` holds, NULL: all), signed with the same key. */
X509_CRL *shop_crl(const struct shop *s, uint64_t number, int64_t from_s, int64_t to_s,
                   bool (*keep)(const struct revoked *r));

/* The file, parsed by OpenSSL, its signature verified; the caller frees. */
X509_CRL *shop_published(const struct shop *s);
struct span shop_read(const char *path); /* free(data) */
uint64_t shop_number(const X509_CRL *crl);

/* Desk verbs straight on the store, as the ca would. arg: struct shop. */
enum err shop_reserve(void *arg, const char *issuer_id, uint64_t *number);
enum err shop_record(void *arg, const char *issuer_id, const struct crl_part *p, const char *cause);
struct crl_state shop_state(const struct shop *s);

#endif
