/* SPDX-License-Identifier: Apache-2.0 */
/* tls_client: certificates, a host that speaks TLS under them, and OpenSSL as its client. */
#ifndef TESTS_TLS_CLIENT_H
#define TESTS_TLS_CLIENT_H

#include <openssl/ssl.h>

#include "tests/unit/base/host.h"

/* A key and its own certificate, which has expired: that is for the layer above to say. */
struct id {
    EVP_PKEY *key;
    X509 *x;
    char *cert_pem, *key_pem;
};
struct id id_new(EVP_PKEY *key, const char *cn); /* takes the key */
void id_free(struct id *id);
struct tls_identity identity_of(const struct id *id); /* borrows */

/* What was written to it, as text, which the caller frees; takes the BIO. */
char *bio_text(BIO *b);

/* `b` NULL: with one identity. `ca_pem`: whose certificates clients are asked for; "": anybody's. */
struct tls_server *server_of(const struct id *a, const struct id *b, const char *ca_pem);
struct host *tls_host(const struct id *a, const struct id *b);

/* Offers also what the server must refuse, and has not shaken hands. */
struct tls_client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};
struct tls_client tls_open(const struct host *h);
void tls_close(struct tls_client *c);
void tls_put(struct tls_client *c, const char *text);
/* One answer; gives the body (caller frees) and its length, NULL when the connection ended. */
char *tls_take(struct tls_client *c, size_t *len);
void tls_expect(struct tls_client *c, const char *request, const char *expected);

#endif
