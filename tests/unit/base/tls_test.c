/* SPDX-License-Identifier: Apache-2.0 */
/* Does the listener take TLS 1.2 and 1.3 and nothing weaker, pick the right key, and hand up the client's
 * certificate? OpenSSL is the client. */
#include "tests/unit/base/tls_client.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* ---- versions and suites ---- */

Test(tls, takes_1_2_and_1_3_and_refuses_1_1)
{
    static const struct {
        int version;
        bool works;
    } cases[] = {{TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);

    for (size_t i = 0; i < 3; i++) {
        struct tls_client c = tls_open(h);
        int rc;

        SSL_set_min_proto_version(c.ssl, cases[i].version);
        SSL_set_max_proto_version(c.ssl, cases[i].version);
        rc = SSL_connect(c.ssl);
        cr_assert_eq(rc == 1, cases[i].works, "%x", (unsigned)cases[i].version);
        if (cases[i].works)
            tls_expect(&c, GET("/x"), "GET /x");
        else
            cr_assert_eq(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
                         "the alert must arrive before the end of the connection");
        tls_close(&c);
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
    struct host *h = tls_host(&rsa, &ec);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_client c = tls_open(h);

        SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
        cr_assert_eq(SSL_set_cipher_list(c.ssl, cases[i].suite), 1);
        cr_assert_eq(SSL_connect(c.ssl) == 1, cases[i].works, "%s", cases[i].suite);
        if (cases[i].works) {
            X509 *x = SSL_get1_peer_certificate(c.ssl);
            bool is_rsa = strstr(cases[i].suite, "ECDHE-RSA") != NULL;

            cr_assert_eq(X509_cmp(x, is_rsa ? rsa.x : ec.x), 0, "the key fits the suite");
            X509_free(x);
        }
        tls_close(&c);
    }
    host_stop(h);
    id_free(&ec);
    id_free(&rsa);
}

Test(tls, picks_the_key_that_a_1_3_client_can_verify)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), rsa = id_new(EVP_RSA_gen(2048), "rsa");
    struct host *h = tls_host(&ec, &rsa);
    static const char *const algs[] = {"RSA-PSS+SHA256", "ECDSA+SHA256"};

    for (size_t i = 0; i < 2; i++) {
        struct tls_client c = tls_open(h);
        X509 *x;

        SSL_set_min_proto_version(c.ssl, TLS1_3_VERSION);
        cr_assert_eq(SSL_set1_sigalgs_list(c.ssl, algs[i]), 1);
        cr_assert_eq(SSL_connect(c.ssl), 1);
        x = SSL_get1_peer_certificate(c.ssl);
        cr_assert_eq(X509_cmp(x, i == 0 ? rsa.x : ec.x), 0);
        X509_free(x);
        tls_close(&c);
    }
    host_stop(h);
    id_free(&ec);
    id_free(&rsa);
}

Test(tls, does_not_renegotiate_resume_or_compress)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    SSL_SESSION *session;
    struct tls_client c = tls_open(h), again;

    SSL_set_max_proto_version(c.ssl, TLS1_2_VERSION);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    cr_assert_null(SSL_get_current_compression(c.ssl));
    session = SSL_get1_session(c.ssl);
    again = tls_open(h);
    SSL_set_max_proto_version(again.ssl, TLS1_2_VERSION);
    SSL_set_session(again.ssl, session);
    cr_assert_eq(SSL_connect(again.ssl), 1);
    cr_assert_eq(SSL_session_reused(again.ssl), 0);
    cr_assert_eq(SSL_renegotiate(c.ssl), 1);
    cr_assert_neq(SSL_do_handshake(c.ssl), 1, "renegotiation must fail");
    SSL_SESSION_free(session);
    tls_close(&again);
    tls_close(&c);
    c = tls_open(h);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/x"), "GET /x");
    cr_assert_eq(SSL_version(c.ssl), TLS1_3_VERSION);
    cr_assert_eq(SSL_SESSION_is_resumable(SSL_get0_session(c.ssl)), 0, "no ticket came before the answer");
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

Test(tls, offers_http_1_1_by_alpn_and_nothing_else)
{
    static const unsigned char both[] = "\x02h2\x08http/1.1", h2[] = "\x02h2";
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    const unsigned char *chosen;
    unsigned len;
    struct tls_client c = tls_open(h);

    SSL_set_alpn_protos(c.ssl, both, sizeof both - 1);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    cr_assert(span_eq(span_of(chosen, len), span_str("http/1.1")));
    tls_close(&c);
    c = tls_open(h);
    SSL_set_alpn_protos(c.ssl, h2, sizeof h2 - 1);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    SSL_get0_alpn_selected(c.ssl, &chosen, &len);
    cr_assert_eq(len, 0);
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

/* ---- client certificates ---- */

Test(tls, hands_up_the_clients_certificate_whoever_signed_it)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), user = id_new(EVP_RSA_gen(2048), "user");
    struct host *h = tls_host(&ec, NULL);
    unsigned char *der = NULL;
    int der_len = i2d_X509(user.x, &der);
    size_t len;
    char *body;

    for (size_t i = 0; i < 2; i++) {
        struct tls_client c = tls_open(h);

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
        tls_close(&c);
    }
    OPENSSL_free(der);
    host_stop(h);
    id_free(&ec);
    id_free(&user);
}

Test(tls, a_client_without_certificate_is_let_in_as_nobody)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec");
    struct host *h = tls_host(&ec, NULL);
    struct tls_client c = tls_open(h);

    cr_assert_eq(SSL_connect(c.ssl), 1);
    tls_expect(&c, GET("/certificate"), "");
    tls_close(&c);
    host_stop(h);
    id_free(&ec);
}

/* Does the server take `user` with `above` behind it? In TLS 1.3 the client learns it from the answer. */
static bool takes_chain(const struct host *h, int version, const struct id *user, const struct id *above,
                        int count)
{
    struct tls_client c = tls_open(h);
    char *body = NULL;
    size_t len = 0;
    bool is_taken;

    SSL_set_min_proto_version(c.ssl, version);
    SSL_set_max_proto_version(c.ssl, version);
    SSL_use_certificate(c.ssl, user->x);
    SSL_use_PrivateKey(c.ssl, user->key);
    while (count-- > 0)
        cr_assert_eq(SSL_add1_chain_cert(c.ssl, above->x), 1);
    if (SSL_connect(c.ssl) == 1 && SSL_write(c.ssl, GET("/certificate"), sizeof GET("/certificate") - 1) > 0)
        body = tls_take(&c, &len);
    tls_close(&c);
    is_taken = body != NULL && len > 0;
    free(body);
    return is_taken;
}

static EVP_PKEY *spelt_out(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    cr_assert_eq(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
    return key;
}

/* libssl decodes a chain before anybody can say what is to become of it; this one it must not. */
Test(tls, a_chain_with_a_curve_spelt_out_ends_the_handshake)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), named = id_new(EVP_EC_gen("P-256"), "named");
    struct id spelt = id_new(spelt_out(), "spelt out");
    struct host *h = tls_host(&ec, NULL);

    for (size_t i = 0; i < 2; i++) {
        cr_assert(takes_chain(h, versions[i], &named, &named, 1));
        cr_assert(!takes_chain(h, versions[i], &named, &spelt, 1), "above the leaf");
        cr_assert(!takes_chain(h, versions[i], &spelt, &named, 0), "the leaf itself");
        cr_assert(takes_chain(h, versions[i], &named, &named, 0), "the next is served");
    }
    host_stop(h);
    id_free(&ec);
    id_free(&named);
    id_free(&spelt);
}

Test(tls, a_chain_is_a_leaf_and_a_few_above_it)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), wide = id_new(EVP_RSA_gen(4096), "wide");
    struct host *h = tls_host(&ec, NULL);

    cr_assert(takes_chain(h, TLS1_3_VERSION, &wide, &wide, 3));
    cr_assert(!takes_chain(h, TLS1_3_VERSION, &wide, &wide, 10), "by its octets");
    for (size_t i = 0; i < 2; i++) {
        cr_assert(takes_chain(h, versions[i], &ec, &ec, 4));
        cr_assert(!takes_chain(h, versions[i], &ec, &ec, 5), "by its number");
    }
    host_stop(h);
    id_free(&ec);
    id_free(&wide);
}

static EVP_PKEY *rsa_with(const char *exponent)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *e = NULL;

    cr_assert(BN_hex2bn(&e, exponent) > 0);
    cr_assert(EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
              EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1 && EVP_PKEY_generate(ctx, &key) == 1);
    BN_free(e);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *dsa(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *group = NULL, *key = NULL;

    cr_assert(EVP_PKEY_paramgen_init(ctx) == 1 && EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) == 1 &&
              EVP_PKEY_paramgen(ctx, &group) == 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL);
    cr_assert(EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_generate(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(group);
    return key;
}

/* A handshake may ask no more of the server than of its client. */
Test(tls, a_key_that_takes_long_to_verify_ends_the_handshake)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), usual = id_new(rsa_with("7fffffff"), "usual");
    struct id large = id_new(rsa_with("80000001"), "large"), old = id_new(dsa(), "old");
    struct id edwards = id_new(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "edwards");
    struct host *h = tls_host(&ec, NULL);

    for (size_t i = 0; i < 2; i++) {
        cr_assert(takes_chain(h, versions[i], &usual, NULL, 0));
        cr_assert(takes_chain(h, versions[i], &edwards, NULL, 0));
        cr_assert(!takes_chain(h, versions[i], &large, NULL, 0));
    }
    cr_assert(!takes_chain(h, TLS1_2_VERSION, &old, NULL, 0)); /* 1.3 has no DSA */
    host_stop(h);
    id_free(&ec);
    id_free(&usual);
    id_free(&large);
    id_free(&old);
    id_free(&edwards);
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
    struct host *h = tls_host(&ids[0], NULL);
    struct tls_client c = tls_open(h);
    size_t len;
    char *body;

    SSL_set_cert_cb(c.ssl, sign_with_wrong_key, ids);
    if (SSL_connect(c.ssl) == 1) {
        tls_put(&c, GET("/certificate"));
        body = tls_take(&c, &len);
        cr_assert(body == NULL || len == 0);
        free(body);
    }
    tls_close(&c);
    host_stop(h);
    id_free(&ids[0]);
    id_free(&ids[1]);
}

Test(tls, names_the_client_cas_it_was_given)
{
    struct id ec = id_new(EVP_EC_gen("P-256"), "ec"), a = id_new(EVP_EC_gen("P-256"), "root a");
    struct id b = id_new(EVP_EC_gen("P-256"), "root b");
    const STACK_OF(X509_NAME) * names;
    struct tls_client c;
    struct host *h;
    char *pem;

    cr_assert_neq(asprintf(&pem, "%s%s", a.cert_pem, b.cert_pem), -1);
    h = host_start(server_of(&ec, NULL, pem), NULL);
    c = tls_open(h);
    cr_assert_eq(SSL_connect(c.ssl), 1);
    names = SSL_get0_peer_CA_list(c.ssl);
    cr_assert_eq(sk_X509_NAME_num(names), 2);
    cr_assert_eq(X509_NAME_cmp(sk_X509_NAME_value(names, 1), X509_get_subject_name(b.x)), 0);
    tls_close(&c);
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
