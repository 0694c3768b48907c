/* SPDX-License-Identifier: Apache-2.0 */
/* press: issuers and CRLs for tests of the watch room, made by OpenSSL alone. */
#ifndef TESTS_WATCH_PRESS_H
#define TESTS_WATCH_PRESS_H

#include <openssl/x509.h>

#include "watch/trust.h"

#define PRESS_NOW INT64_C(1780000000) /* 2026-05-28 */

struct press {
    char dir[64]; /* a new directory; press_close() removes it */
    EVP_PKEY *key;
    X509 *certificate;
};
/* `kind`: "P-256", "P-384" or "RSA". Writes dir/ca.pem. */
void press_open(struct press *p, const char *kind, const char *name);
void press_close(struct press *p);
/* A configuration whose one issuer this is. */
struct watch_config press_config(const struct press *p);

struct sheet {
    uint64_t number;                      /* 0: no cRLNumber */
    int64_t this_update_s, next_update_s; /* next 0: none */
    size_t entries;
    bool is_delta;
};
/* DER, or PEM; the caller frees the data. */
struct span press_crl(const struct press *p, const struct sheet *s);
struct span press_pem(struct span der);

#endif
