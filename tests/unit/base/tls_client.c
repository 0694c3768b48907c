/* SPDX-License-Identifier: Apache-2.0 */
/* tls_client: see tls_client.h. */
#include "tests/unit/base/tls_client.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- certificates ---- */

char *bio_text(BIO *b)
{
    char *data;
    long n = BIO_get_mem_data(b, &data);
    char *out = strndup(data, (size_t)n);

    BIO_free(b);
    return out;
}

struct id id_new(EVP_PKEY *key, const char *cn)
{
    struct id id = {.key = key, .x = X509_new()};
    X509_NAME *name = X509_get_subject_name(id.x);
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());

    cr_assert_not_null(key);
    X509_set_version(id.x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(id.x), 1);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(id.x, name);
    X509_gmtime_adj(X509_getm_notBefore(id.x), -86400 * 2);
    X509_gmtime_adj(X509_getm_notAfter(id.x), -86400); /* expired: that is for the layer above to say */
    X509_set_pubkey(id.x, key);
    cr_assert_neq(X509_sign(id.x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()), 0);
    PEM_write_bio_X509(c, id.x);
    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
    id.cert_pem = bio_text(c);
    id.key_pem = bio_text(k);
    return id;
}

void id_free(struct id *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->x);
    free(id->cert_pem);
    free(id->key_pem);
}

struct tls_identity identity_of(const struct id *id)
{
    return (struct tls_identity){span_str(id->cert_pem), span_str(id->key_pem)};
}

struct tls_server *server_of(const struct id *a, const struct id *b, const char *ca_pem)
{
    struct tls_identity ids[2] = {identity_of(a), identity_of(b != NULL ? b : a)};
    struct fault f = {0};
    struct tls_server *s;

    cr_assert_eq(tls_server_new(ids, b != NULL ? 2 : 1, span_str(ca_pem), &s, &f), OK, "%s", f.detail);
    return s;
}

/* ---- the client ---- */

struct tls_client tls_open(const struct host *h)
{
    struct tls_client c = {.ctx = SSL_CTX_new(TLS_client_method()), .fd = client_open(h)};

    SSL_CTX_set_security_level(c.ctx, 0); /* let it offer what the server must refuse */
    c.ssl = SSL_new(c.ctx);
    SSL_set_fd(c.ssl, c.fd);
    return c;
}

void tls_close(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
}

void tls_put(struct tls_client *c, const char *text)
{
    cr_assert_eq(SSL_write(c->ssl, text, (int)strlen(text)), (int)strlen(text));
}

char *tls_take(struct tls_client *c, size_t *len)
{
    char head[4096] = {0};
    const char *field;
    size_t n = 0;
    char *body;

    while (strstr(head, "\r\n\r\n") == NULL)
        if (n + 1 == sizeof head || SSL_read(c->ssl, &head[n++], 1) != 1)
            return NULL;
    field = strstr(head, "\r\nContent-Length: ");
    *len = field != NULL ? strtoul(field + 18, NULL, 10) : 0;
    body = calloc(1, *len + 1);
    for (n = 0; n < *len;) {
        int got = SSL_read(c->ssl, body + n, (int)(*len - n));

        cr_assert(got > 0);
        n += (size_t)got;
    }
    return body;
}

void tls_expect(struct tls_client *c, const char *request, const char *expected)
{
    size_t len;
    char *body;

    tls_put(c, request);
    body = tls_take(c, &len);
    cr_assert_not_null(body);
    cr_assert_str_eq(body, expected);
    free(body);
}

struct host *tls_host(const struct id *a, const struct id *b)
{
    return host_start(server_of(a, b, ""), NULL);
}
