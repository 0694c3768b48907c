/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: OpenSSL behind two memory BIOs. There is no resumption: neither tickets nor a session cache, so a
 * client certificate is always the one whose key was proven on this very connection; nor is there early data,
 * which needs one (RFC 8446 2.3).
 */
#include "base/tls.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alg.h"
#include "base/log.h"
#include "base/openssl.h"

/* TLS 1.2: forward secrecy and AEAD only. TLS 1.3 has nothing else. */
#define SUITES_12                                                                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                             \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                             \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384:P-521" /* no finite field: some ten times slower */
#define CLIENT_CERTS_MAX 5u /* small keys that are dear to decode would have room by the dozen */
#ifndef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
#define SSL_OP_NO_RX_CERTIFICATE_COMPRESSION                                                                 \
    0 /* OpenSSL before 3.2 has none; it would hide from a callback */
#endif
/* Messages in what arrived at once: a handshake has six. After it a KeyUpdate, 27 octets, takes up to 22 us,
 * and the loop waits meanwhile. */
#define MESSAGES_MAX 32u
#define RECORD_MAX 16384 /* octets of plaintext in one record, RFC 8446 5.1 */

struct tls_server {
    SSL_CTX *ctx;
};

struct tls_conn {
    SSL *ssl;
    BIO *in, *out;     /* owned by ssl */
    struct buf held;   /* plain octets for when it is ready */
    unsigned messages; /* of the handshake's kind, in what arrived last */
    bool is_broken;
};

/* ---- the context ---- */

/* To verify what an RSA key of 3,072 bits has signed takes 7 ms when its exponent is as long, and 11 ms when
 * it is a DSA key of 10,000. What libssl takes of the other kinds has a bound of its own. */
static bool is_cheap_to_verify(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool is_cheap;

    if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "RSA-PSS"))
        return EVP_PKEY_is_a(key, "EC") || EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
    is_cheap = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
               BN_num_bits(exponent) <= RSA_EXPONENT_BITS_MAX;
    BN_free(exponent);
    return is_cheap;
}

/* The layer above judges the leaf against the store, once TLS has proven possession of its key: which it does
 * after this. */
static int accept_any_chain(X509_STORE_CTX *x, void *arg)
{
    const EVP_PKEY *key = X509_get0_pubkey(X509_STORE_CTX_get0_cert(x));
    bool is_taken = key != NULL && is_cheap_to_verify(key);

    (void)arg;
    X509_STORE_CTX_set_error(x, is_taken ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return is_taken;
}

/* A vector whose length takes `octets`, RFC 8446 3.4; false when it is cut off. */
static bool take_vector(struct span *in, unsigned octets, struct span *out)
{
    size_t len = 0;

    if (in->len < octets)
        return false;
    for (unsigned i = 0; i < octets; i++)
        len = len << 8 | in->data[i];
    if (len > in->len - octets)
        return false;
    *out = span_of(in->data + octets, len);
    *in = span_of(in->data + octets + len, in->len - octets - len);
    return true;
}

/* Of a Certificate: RFC 5246 7.4.2; RFC 8446 4.4.2 with a context before and extensions after each. What is
 * none, libssl refuses. */
static size_t certificates_in(struct span body, bool is_13)
{
    struct span list, part;
    size_t n = 0;

    if ((is_13 && !take_vector(&body, 1, &part)) || !take_vector(&body, 3, &list))
        return 0;
    while (take_vector(&list, 3, &part) && (!is_13 || take_vector(&list, 2, &part)))
        n++;
    return n;
}

/* A client's certificates that are dear to decode are spoilt before libssl does it: what it gives here is its
 * own buffer, read to the end and not yet parsed. A length of ones is one beyond the message, in TLS 1.2 and
 * 1.3 alike, and ends the handshake. */
static void spoil_dear_chain(int version, const void *message, size_t len)
{
    const uint8_t *octets = message;
    struct span body;

    if (len <= SSL3_HM_HEADER_LENGTH || octets[0] != SSL3_MT_CERTIFICATE)
        return;
    body = span_of(octets + SSL3_HM_HEADER_LENGTH, len - SSL3_HM_HEADER_LENGTH);
    if (has_explicit_curve(body) || certificates_in(body, version == TLS1_3_VERSION) > CLIENT_CERTS_MAX)
        memset((uint8_t *)message + SSL3_HM_HEADER_LENGTH, 0xff, body.len);
}

/* libssl reads on until there is no more, whatever comes: what is behind too many messages is taken from it,
 * and tls_conn_feed() ends the connection. */
static void count_message(SSL *ssl)
{
    struct tls_conn *c = SSL_get_app_data(ssl);

    if (++c->messages > MESSAGES_MAX)
        (void)BIO_reset(c->in);
}

static void hear_message(int is_ours, int version, int content_type, const void *message, size_t len,
                         SSL *ssl, void *arg)
{
    (void)arg;
    if (is_ours != 0 || content_type != SSL3_RT_HANDSHAKE)
        return;
    count_message(ssl);
    spoil_dear_chain(version, message, len);
}

static int no_password(char *out, int cap, int is_for_writing, void *arg)
{
    (void)out;
    (void)cap;
    (void)is_for_writing;
    (void)arg;
    return -1; /* and never ask on a terminal */
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto((unsigned char **)out, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_new(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, SUITES_12) != 1 || SSL_CTX_set1_groups_list(ctx, GROUPS) != 1 ||
        SSL_CTX_set_num_tickets(ctx, 0) != 1)
        die("TLS: OpenSSL refuses our parameters");
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                 SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* an idle connection holds no record buffers */
    SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
    SSL_CTX_set_msg_callback(ctx, hear_message);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_any_chain, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    return ctx;
}

static BIO *memory_of(struct span s)
{
    BIO *b = s.len <= INT_MAX ? BIO_new_mem_buf(s.len > 0 ? (const void *)s.data : "", (int)s.len) : NULL;

    if (b == NULL)
        die("TLS: out of memory");
    return b;
}

/* Every certificate of a PEM text, in order. NULL when one cannot be read. */
static STACK_OF(X509) * certificates_read(struct span pem)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    BIO *b = memory_of(pem);
    bool is_whole;
    X509 *x;

    while ((x = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL)
        if (list == NULL || sk_X509_push(list, x) == 0)
            die("TLS: out of memory");
    is_whole = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(b);
    if (is_whole)
        return list;
    sk_X509_pop_free(list, X509_free);
    return NULL;
}

static enum err identity_fault(struct fault *f, const char *what)
{
    const char *why = openssl_reason();

    ERR_clear_error();
    return fault_set(f, ERR_KEY, "TLS: %s (%s)", what, why);
}

static enum err identity_use(SSL_CTX *ctx, const struct tls_identity *id, struct fault *f)
{
    STACK_OF(X509) *chain = certificates_read(id->chain_pem);
    BIO *b = memory_of(id->key_pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
    X509 *leaf = chain != NULL ? sk_X509_shift(chain) : NULL;
    enum err e = OK;

    if (leaf == NULL)
        e = identity_fault(f, "the certificate chain is not PEM");
    else if (key == NULL)
        e = identity_fault(f, "the private key cannot be read");
    else if (X509_check_private_key(leaf, key) != 1)
        e = identity_fault(f, "the private key does not fit its certificate");
    else if (SSL_CTX_use_cert_and_key(ctx, leaf, key, chain, 0) != 1)
        e = identity_fault(f, "the certificate cannot be used, or is the second of its key kind");
    X509_free(leaf);
    EVP_PKEY_free(key);
    sk_X509_pop_free(chain, X509_free);
    BIO_free(b);
    return e;
}

/* The names of whom we accept, so that clients pick the right one of their certificates. */
static enum err hints_use(SSL_CTX *ctx, struct span ca_pem, struct fault *f)
{
    STACK_OF(X509) *list = certificates_read(ca_pem);
    enum err e = OK;

    if (list == NULL)
        return fault_set(f, ERR_KEY, "TLS: the client CA certificates are not PEM");
    for (int i = 0; i < sk_X509_num(list) && e == OK; i++)
        if (SSL_CTX_add_client_CA(ctx, sk_X509_value(list, i)) != 1)
            e = identity_fault(f, "a client CA name cannot be used");
    sk_X509_pop_free(list, X509_free);
    return e;
}

enum err tls_server_new(const struct tls_identity *ids, size_t n, struct span ca_pem, struct tls_server **out,
                        struct fault *f)
{
    SSL_CTX *ctx;
    enum err e = n > 0 ? OK : fault_set(f, ERR_KEY, "TLS: no certificate");

    *out = NULL;
    if (e != OK)
        return e;
    ctx = context_new();
    for (size_t i = 0; i < n && e == OK; i++)
        e = identity_use(ctx, &ids[i], f);
    if (e == OK)
        e = hints_use(ctx, ca_pem, f);
    if (e != OK) {
        SSL_CTX_free(ctx);
        return e;
    }
    *out = xcalloc(1, sizeof **out);
    (*out)->ctx = ctx;
    return OK;
}

void tls_server_free(struct tls_server *s)
{
    if (s == NULL)
        return;
    SSL_CTX_free(s->ctx); /* each connection's SSL holds its own reference */
    free(s);
}

/* ---- one connection ---- */

struct tls_conn *tls_conn_new(const struct tls_server *s)
{
    struct tls_conn *c = xcalloc(1, sizeof *c);

    buf_init(&c->held, HELD_MAX);
    c->ssl = SSL_new(s->ctx);
    c->in = BIO_new(BIO_s_mem());
    c->out = BIO_new(BIO_s_mem());
    if (c->ssl == NULL || c->in == NULL || c->out == NULL)
        die("TLS: out of memory");
    BIO_set_mem_eof_return(c->in, -1); /* empty is "not yet", never the end */
    SSL_set_bio(c->ssl, c->in, c->out);
    SSL_set_app_data(c->ssl, c);
    SSL_set_accept_state(c->ssl);
    return c;
}

void tls_conn_free(struct tls_conn *c)
{
    if (c == NULL)
        return;
    SSL_free(c->ssl);
    buf_free(&c->held);
    free(c);
}

/* What a call that did not succeed means: OK to wait for more. */
static enum err outcome(struct tls_conn *c, int rc)
{
    int why = SSL_get_error(c->ssl, rc);

    if (why == SSL_ERROR_WANT_READ && c->messages <= MESSAGES_MAX)
        return OK;
    if (why == SSL_ERROR_ZERO_RETURN)
        return ERR_END;
    c->is_broken = true;
    ERR_clear_error();
    return ERR_MALFORMED;
}

static enum err put(struct tls_conn *c, struct span plain)
{
    int n;

    ERR_clear_error();
    n = SSL_write(c->ssl, plain.data, (int)plain.len); /* a memory BIO takes everything */
    if (n == (int)plain.len)
        return OK;
    c->is_broken = true;
    ERR_clear_error();
    return ERR_IO;
}

static enum err put_held(struct tls_conn *c)
{
    enum err e;

    if (c->held.len == 0 || !tls_conn_is_ready(c))
        return OK;
    e = put(c, buf_span(&c->held));
    buf_free(&c->held);
    return e;
}

enum err tls_conn_feed(struct tls_conn *c, struct span wire, struct buf *plain)
{
    uint8_t piece[RECORD_MAX];
    enum err e;
    int n;

    if (c->is_broken)
        return ERR_MALFORMED;
    ERR_clear_error();
    if (wire.len > INT_MAX || BIO_write(c->in, wire.data, (int)wire.len) != (int)wire.len)
        die("TLS: out of memory");
    c->messages = 0;
    while ((n = SSL_read(c->ssl, piece, sizeof piece)) > 0)
        buf_put(plain, piece, (size_t)n);
    e = outcome(c, n);
    return e != ERR_MALFORMED && put_held(c) != OK ? ERR_MALFORMED : e;
}

enum err tls_conn_write(struct tls_conn *c, struct span plain)
{
    if (c->is_broken || plain.len > INT_MAX)
        return ERR_IO;
    if (plain.len == 0)
        return OK;
    if (tls_conn_is_ready(c))
        return put(c, plain);
    buf_put_span(&c->held, plain);
    return buf_end(&c->held) == OK ? OK : ERR_IO;
}

size_t tls_conn_held(const struct tls_conn *c)
{
    return c->held.len;
}

void tls_conn_end(struct tls_conn *c)
{
    if (c->is_broken || !tls_conn_is_ready(c))
        return;
    ERR_clear_error();
    (void)SSL_shutdown(c->ssl);
    ERR_clear_error();
}

struct span tls_conn_output(const struct tls_conn *c)
{
    char *data = NULL;
    long n = BIO_get_mem_data(c->out, &data);

    return span_of(data, n > 0 ? (size_t)n : 0);
}

void tls_conn_sent(struct tls_conn *c)
{
    (void)BIO_reset(c->out);
}

bool tls_conn_is_ready(const struct tls_conn *c)
{
    return SSL_is_init_finished(c->ssl) == 1;
}

void tls_conn_peer(const struct tls_conn *c, struct buf *der)
{
    X509 *x = SSL_get0_peer_certificate(c->ssl);
    unsigned char *out = NULL;
    int n = x != NULL ? i2d_X509(x, &out) : 0;

    if (n > 0)
        buf_put(der, out, (size_t)n);
    OPENSSL_free(out);
}
