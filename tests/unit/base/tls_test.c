/* SPDX-License-Identifier: Apache-2.0 */
/* Does the listener take TLS 1.2 and 1.3 and nothing weaker, pick the right key, and hand up the client's
 * certificate? OpenSSL is the client. */
#include "tests/unit/base/host.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- certificates ---- */

struct id {
    EVP_PKEY *key;
    X509 *x;
    char *cert_pem, *key_pem;
};

static char *bio_text(BIO *b)
{
    char *data;
    long n = BIO_get_mem_data(b, &data);
    char *out = strndup(data, (size_t)n);

    BIO_free(b);
    return out;
}

static struct id id_new(EVP_PKEY *key, const char *cn)
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
    cr_assert_neq(X509_sign(id.x, key, EVP_sha256()), 0);
    PEM_write_bio_X509(c, id.x);
    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
    id.cert_pem = bio_text(c);
    id.key_pem = bio_text(k);
    return id;
}

static void id_free(struct id *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->x);
    free(id->cert_pem);
    free(id->key_pem);
}

static struct tls_identity identity_of(const struct id *id)
{
    return (struct tls_identity){span_str(id->cert_pem), span_str(id->key_pem)};
}

static struct tls_server *server_of(const struct id *a, const struct id *b, const char *ca_pem)
{
    struct tls_identity ids[2] = {identity_of(a), identity_of(b != NULL ? b : a)};
    struct fault f = {0};
    struct tls_server *s;

    cr_assert_eq(tls_server_new(ids, b != NULL ? 2 : 1, span_str(ca_pem), &s, &f), OK, "%s", f.detail);
    return s;
}

/* ---- the client ---- */

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
};

static struct client client_of(const struct host *h)
{
    struct client c = {.ctx = SSL_CTX_new(TLS_client_method()), .fd = client_open(h)};

    SSL_CTX_set_security_level(c.ctx, 0); /* let it offer what the server must refuse */
    c.ssl = SSL_new(c.ctx);
    SSL_set_fd(c.ssl, c.fd);
    return c;
}

static void client_free(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
}

static void tls_put(struct client *c, const char *text)
{
    cr_assert_eq(SSL_write(c->ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* One answer; gives the body (caller frees) and its length, NULL when the connection ended. */
static char *tls_take(struct client *c, size_t *len)
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

static void assert_answer(struct client *c, const char *request, const char *expected)
{
    size_t len;
    char *body;

    tls_put(c, request);
    body = tls_take(c, &len);
    cr_assert_not_null(body);
    cr_assert_str_eq(body, expected);
    free(body);
}

static struct host *host_of(const struct id *a, const struct id *b)
{
    return host_start(server_of(a, b, ""), NULL);
}

/* ---- versions and suites ---- */

Test(tls, takes_1_2_and_1_3_and_refuses_1_1)
{
    static const struct {
        int version;
        bool works;
    } cases[] = {{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);

    for (size_t i = 0; i < 3; i++) {
        struct client c = client_of(h);
        int rc;

        SSL_set_min_proto_version(c.ssl, cases[i].version);
        SSL_set_max_proto_version(c.ssl, cases[i].version);
        rc = SSL_connect(c.ssl);
        cr_assert_eq(rc == 1, cases[i].works, "%x", (unsigned)cases[i].version);
        if (cases[i].works)
            assert_answer(&c, GET("/x"), "GET /x");
        else
            cr_assert_eq(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
                         "the alert must arrive before the end of the connection");
        client_free(&c);
    }
    host_stop(h);
    id_free(&ec);
}

Test(tls, takes_forward_secret_aead_suites_alone)
{
    static const struct {
        const char *suite;
        bool works;
    } cases[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", true},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {"ECDHE-RSA-AES128-GCM-SHA256", true},
        {"ECDHE-RSA-AES256-GCM-SHA384", true},
        {"ECDHE-RSA-CHACHA20-POLY1305", true},
        {"ECDHE-RSA-AES128-SHA256", false},
        {"ECDHE-ECDSA-AES128-SHA", false},
        {"DHE-RSA-AES128-GCM-SHA256", false},
        {"AES128-GCM-SHA256", false},
        {"AECDH-AES128-SHA", false},
    };
    struct id ec = id_new(EVP_EC_gen("P-384"), "ec"), rsa = id_new(EVP_RSA_gen(2048), "rsa");
    struct host *h = host_of(&rsa, &ec);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c = client_of(h);

        SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
        cr_assert_eq(SSL_set_cipher_list(c.ssl, cases[i].suite), 1);
        cr_assert_eq(SSL_connect(c.ssl) == 1, cases[i].works, "%s", cases[i].suite);
        if (cases[i].works) {
            X509 *x = SSL_get1_peer_certificate(c.ssl);
            bool is_rsa = strstr(cases[i].suite, "ECDHE-RSA") != NULL;

            cr_assert_eq(X509_cmp(x, is_rsa ? rsa.x : ec.x), 0, "the key fits the suite");
            X509_free(x);
        }
        client_free(&c);
    }
    host_stop(h);
    id_free(&ec);
    id_free(&rsa);
}

Test(tls, picks_the_key_that_a_1_3_client_can_verify)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), rsa = id_new(EVP_RSA_gen(2048), "rsa");
    struct host *h = host_of(&ec, &rsa);
    static const char *const algs[] = {"RSA-PSS+SHA256", "ECDSA+SHA256"};

    for (size_t i = 0; i < 2; i++) {
        struct client c = client_of(h);
        X509 *x;

        SSL_set_min_proto_version(c.ssl, TLS1_3_VERSION);
        cr_assert_eq(SSL_set1_sigalgs_list(c.ssl, algs[i]), 1);
        cr_assert_eq(SSL_connect(c.ssl), 1);
        x = SSL_get1_peer_certificate(c.ssl);
        cr_assert_eq(X509_cmp(x, i == 0 ? rsa.x : ec.x), 0);
        X509_free(x);
        client_free(&c);
    }
    host_stop(h);
    id_free(&ec);
    id_free(&rsa);
}

Test(tls, does_not_renegotiate_resume_or_compress)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    SSL_SESSION *session;
    struct client c = client_of(h), again;

    SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    cr_assert_null(SSL_get_current_compression(c.ssl));
    session = SSL_get1_session(c.ssl);
    again = client_of(h);
    SSL_set_max_proto_version(again.ssl, TLS1_2_VERSION);
    SSL_set_session(again.ssl, session);
    cr_assert_eq(SSL_connect(again.ssl), 1);
    cr_assert_eq(SSL_session_reused(again.ssl), 0);
    cr_assert_eq(SSL_renegotiate(c.ssl), 1);
    cr_assert_neq(SSL_do_handshake(c.ssl), 1, "renegotiation must fail");
    SSL_SESSION_free(session);
    client_free(&again);
    client_free(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls, offers_http_1_1_by_alpn_and_nothing_else)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1", h2[] = "\x02h2";
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    const unsigned char *chosen;
    unsigned len;
    struct client c = client_of(h);

    SSL_set_alpn_protos(c.ssl, both, sizeof both - 1);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    cr_assert(span_eq(span_of(chosen, len), span_str("http/1.1")));
    client_free(&c);
    c = client_of(h);
    SSL_set_alpn_protos(c.ssl, h2, sizeof h2 - 1);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    cr_assert_eq(len, 0);
    client_free(&c);
    host_stop(h);
    id_free(&ec);
}

/* ---- client certificates ---- */

Test(tls, hands_up_the_clients_certificate_whoever_signed_it)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), user = id_new(EVP_RSA_gen(2048), "user");
    struct host *h = host_of(&ec, NULL);
    unsigned char *der = NULL;
    int der_len = i2d_X509(user.x, &der);
    size_t len;
    char *body;

    for (size_t i = 0; i < 2; i++) {
        struct client c = client_of(h);

        SSL_set_max_proto_version(c.ssl, versions[i]);
        SSL_use_certificate(c.ssl, user.x);
        SSL_use_PrivateKey(c.ssl, user.key);
        cr_assert_eq(SSL_connect(c.ssl), 1);
        for (int round = 0; round < 2; round++) {
            tls_put(&c, GET("/certificate"));
            body = tls_take(&c, &len);
            cr_assert(span_eq(span_of(body, len), span_of(der, (size_t)der_len)));
            free(body);
        }
        client_free(&c);
    }
    OPENSSL_free(der);
    host_stop(h);
    id_free(&ec);
    id_free(&user);
}

Test(tls, a_client_without_certificate_is_let_in_as_nobody)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    struct client c = client_of(h);

    cr_assert_eq(SSL_connect(c.ssl), 1);
    assert_answer(&c, GET("/certificate"), "");
    client_free(&c);
    host_stop(h);
    id_free(&ec);
}

/* The client signs its CertificateVerify with a key that is not the certificate's. */
static int sign_with_wrong_key(SSL *ssl, void *arg)
{
    struct id *ids = arg;

    SSL_use_certificate(ssl, ids[0].x);
    SSL_use_PrivateKey(ssl, ids[1].key); /* OpenSSL drops a key that does not fit */
    return 1;
}

Test(tls, a_certificate_without_its_key_is_not_handed_up)
{
    struct id ids[2] = {id_new(EVP_EC_gen("P-256"), "a"), id_new(EVP_EC_gen("P-256"), "b")};
    struct host *h = host_of(&ids[0], NULL);
    struct client c = client_of(h);
    size_t len;
    char *body;

    SSL_set_cert_cb(c.ssl, sign_with_wrong_key, ids);
    if (SSL_connect(c.ssl) == 1) {
        tls_put(&c, GET("/certificate"));
        body = tls_take(&c, &len);
        cr_assert(body == NULL || len == 0);
        free(body);
    }
    client_free(&c);
    host_stop(h);
    id_free(&ids[0]);
    id_free(&ids[1]);
}

Test(tls, names_the_client_cas_it_was_given)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), a = id_new(EVP_EC_gen("P-256"), "root a");
    struct id b = id_new(EVP_EC_gen("P-256"), "root b");
    const STACK_OF(X509_NAME) * names;
    struct client c;
    struct host *h;
    char *pem;

    cr_assert_neq(asprintf(&pem, "%s%s", a.cert_pem, b.cert_pem), -1);
    h = host_start(server_of(&ec, NULL, pem), NULL);
    c = client_of(h);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    names = SSL_get0_peer_CA_list(c.ssl);
    cr_assert_eq(sk_X509_NAME_num(names), 2);
    cr_assert_eq(X509_NAME_cmp(sk_X509_NAME_value(names, 1), X509_get_subject_name(b.x)), 0);
    client_free(&c);
    host_stop(h);
    free(pem);
    id_free(&ec);
    id_free(&a);
    id_free(&b);
}

/* ---- what is no good identity ---- */

Test(tls_server, refuses_keys_that_do_not_fit)
{
    struct id a = id_new(EVP_EC_gen("P-256"), "a"), b = id_new(EVP_EC_gen("P-256"), "b");
    struct tls_identity fits = identity_of(&a);
    struct span none = span_str(""),
                rubbish = span_str("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    struct tls_identity other = identity_of(&b);
    const struct {
        struct tls_identity first, second;
        size_t n;
        struct span ca;
    } cases[] = {
        {fits, fits, 0, none},
        {{fits.chain_pem, other.key_pem}, fits, 1, none},
        {{fits.chain_pem, none}, fits, 1, none},
        {{fits.key_pem, fits.key_pem}, fits, 1, none},
        {{rubbish, fits.key_pem}, fits, 1, none},
        {fits, other, 2, none}, /* two of one kind: which would be served? */
        {fits, fits, 1, rubbish},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_identity ids[] = {cases[i].first, cases[i].second};
        struct tls_server *s;
        struct fault f = {0};

        cr_assert_eq(tls_server_new(ids, cases[i].n, cases[i].ca, &s, &f), ERR_KEY, "%zu", i);
        cr_assert_null(s);
        cr_assert_neq(f.detail[0], '\0');
        cr_assert_eq(ERR_peek_error(), 0, "nothing is left in OpenSSL's queue");
    }
    id_free(&a);
    id_free(&b);
}

Test(tls_server, never_asks_for_a_password)
{
    struct id a = id_new(EVP_EC_gen("P-256"), "a");
    BIO *k = BIO_new(BIO_s_mem());
    struct fault f = {0};
    struct tls_server *s;
    struct tls_identity id;
    char *pem;

    PEM_write_bio_PrivateKey(k, a.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
    pem = bio_text(k);
    id = (struct tls_identity){span_str(a.cert_pem), span_str(pem)};
    cr_assert_eq(tls_server_new(&id, 1, span_str(""), &s, &f), ERR_KEY);
    free(pem);
    id_free(&a);
}

/* ---- over HTTP ---- */

Test(tls_http, a_large_file_arrives_whole)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    struct client c = client_of(h);
    uint32_t word;
    size_t len;
    char *body;

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_put(&c, GET("/file"));
    tls_put(&c, GET("/x"));
    body = tls_take(&c, &len);
    cr_assert_eq(len, 3u * 1024 * 1024 + 17);
    for (size_t i = 0; i < len / 4; i++) {
        memcpy(&word, body + 4 * i, 4);
        cr_assert_eq(word, i + 1);
    }
    free(body);
    body = tls_take(&c, &len);
    cr_assert_str_eq(body, "GET /x");
    free(body);
    client_free(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, the_end_is_announced_by_close_notify)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    struct client c = client_of(h);
    char octet;

    cr_assert_eq(SSL_connect(c.ssl), 1);
    assert_answer(&c, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET /x");
    cr_assert_eq(SSL_get_error(c.ssl, SSL_read(c.ssl, &octet, 1)), SSL_ERROR_ZERO_RETURN);
    client_free(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, a_refusal_is_readable_while_the_client_still_sends)
{
    static char body[200000];
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    struct client c = client_of(h);
    char head[16] = {0};

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_put(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    cr_assert_eq(SSL_write(c.ssl, body, sizeof body), (int)sizeof body);
    cr_assert_eq(SSL_read(c.ssl, head, 12), 12);
    cr_assert_str_eq(head, "HTTP/1.1 413");
    client_free(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, plain_http_is_closed_without_an_answer_of_ours)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = host_of(&ec, NULL);
    int fd = client_open(h);
    char got[256];
    ssize_t n, all = 0;

    client_put(fd, GET("/x"));
    while ((n = read(fd, got, sizeof got)) > 0)
        all += n;
    cr_assert(all < 16, "an alert at most");
    cr_assert_eq(atomic_load(&h->handled), 0);
    close(fd);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, a_handshake_that_drips_is_cut_off)
{
    struct http_limits hasty = HOST_LIMITS;
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h;
    int64_t start;
    int fd;

    hasty.header_ms = 200;
    h = host_start(server_of(&ec, NULL, ""), &hasty);
    fd = client_open(h);
    start = now_ms();
    client_put_octets(fd, "\x16\x03\x01\x02", 4);
    cr_assert(client_is_closed(fd));
    cr_assert(now_ms() - start >= 150 && now_ms() - start < 2000);
    close(fd);
    host_stop(h);
    id_free(&ec);
}

Test(tls_http, a_new_identity_serves_new_connections_and_leaves_old_ones)
{
    struct id first = id_new(EVP_EC_gen("P-256"), "first"), second = id_new(EVP_EC_gen("P-256"), "second");
    struct host *h = host_of(&first, NULL);
    struct client old = client_of(h), new;
    X509 *x;

    cr_assert_eq(SSL_connect(old.ssl), 1);
    atomic_store(&h->next_tls, server_of(&second, NULL, ""));
    assert_answer(&old, GET("/rotate"), "GET /rotate");
    new = client_of(h);
    cr_assert_eq(SSL_connect(new.ssl), 1);
    x = SSL_get1_peer_certificate(new.ssl);
    cr_assert_eq(X509_cmp(x, second.x), 0);
    X509_free(x);
    assert_answer(&old, GET("/x"), "GET /x");
    assert_answer(&new, GET("/y"), "GET /y");
    client_free(&old);
    client_free(&new);
    host_stop(h);
    id_free(&first);
    id_free(&second);
}
