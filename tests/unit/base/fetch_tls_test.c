/* SPDX-License-Identifier: Apache-2.0 */
/* Does fetch talk only to a server that it can verify? OpenSSL is the server. */
#include "base/fetch.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct party {
    EVP_PKEY *key;
    X509 *cert;
    char cert_path[64], key_path[64];
};

static void write_pem(struct party *p)
{
    FILE *file;

    strcpy(p->cert_path, "/tmp/fetch-cert.XXXXXX");
    strcpy(p->key_path, "/tmp/fetch-key.XXXXXX");
    file = fdopen(mkstemp(p->cert_path), "w");
    cr_assert(file != NULL && PEM_write_X509(file, p->cert) == 1 && fclose(file) == 0);
    file = fdopen(mkstemp(p->key_path), "w");
    cr_assert(file != NULL && PEM_write_PrivateKey(file, p->key, NULL, NULL, 0, NULL, NULL) == 1 &&
              fclose(file) == 0);
}

/* Self-signed, with one DNS name. */
static struct party party_new(const char *dns)
{
    struct party p = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
    X509_NAME *name = X509_get_subject_name(p.cert);
    char san[64];
    X509_EXTENSION *ext;

    snprintf(san, sizeof san, "DNS:%s", dns);
    X509_set_version(p.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(p.cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(p.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)dns, -1, -1, 0);
    X509_set_issuer_name(p.cert, name);
    X509_set_pubkey(p.cert, p.key);
    ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    cr_assert(ext != NULL && X509_add_ext(p.cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
    cr_assert(X509_sign(p.cert, p.key, EVP_sha256()) > 0);
    write_pem(&p);
    return p;
}

static void party_free(struct party *p)
{
    unlink(p->cert_path);
    unlink(p->key_path);
    EVP_PKEY_free(p->key);
    X509_free(p->cert);
}

/* A server for one connection. */
struct server {
    SSL_CTX *ctx;
    int fd;
    char url[64];
    pthread_t thread;
    char request[4096];
    bool saw_client;
};

static int accept_any(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static void *serve(void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL), n;
    SSL *ssl = SSL_new(s->ctx);
    X509 *client;
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL); /* here alone: fetch must not raise it */
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && (n = SSL_read(ssl, s->request, sizeof s->request - 1)) > 0) {
        client = SSL_get1_peer_certificate(ssl);
        s->saw_client = client != NULL;
        X509_free(client);
        SSL_write(ssl, answer, sizeof answer - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void server_start(struct server *s, const struct party *p, int max_version)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    *s = (struct server){.ctx = SSL_CTX_new(TLS_server_method()),
                         .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    SSL_CTX_set_security_level(s->ctx, 0);
    SSL_CTX_set_max_proto_version(s->ctx, max_version);
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, accept_any);
    cr_assert(SSL_CTX_use_certificate(s->ctx, p->cert) == 1 && SSL_CTX_use_PrivateKey(s->ctx, p->key) == 1);
    cr_assert(bind(s->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(s->fd, 1) == 0);
    getsockname(s->fd, (struct sockaddr *)&at, &len);
    snprintf(s->url, sizeof s->url, "https://localhost:%u", ntohs(at.sin_port));
    cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->fd);
    SSL_CTX_free(s->ctx);
}

static enum err fetch_from(struct server *s, struct fetch_target t, struct fault *f)
{
    struct fetch_request r = {.method = "GET", .path = "/"};
    struct fetch_answer a;
    enum err e;

    t.base_url = s->url;
    t.timeout_s = 20;
    e = fetch(&t, &r, &a, f);
    fetch_answer_free(&a);
    server_stop(s);
    return e;
}

Test(fetch_tls, a_server_that_cacert_vouches_for_is_asked)
{
    struct party p = party_new("localhost"), client = party_new("client");
    struct server s;

    server_start(&s, &p, TLS1_3_VERSION);
    cr_assert_eq(fetch_from(&s, (struct fetch_target){.cacert = p.cert_path}, NULL), OK);
    cr_assert(!s.saw_client);
    server_start(&s, &p, TLS1_2_VERSION);
    cr_assert_eq(fetch_from(&s,
                            (struct fetch_target){
                                .cacert = p.cert_path, .cert = client.cert_path, .key = client.key_path},
                            NULL),
                 OK);
    cr_assert(s.saw_client);
    server_start(&s, &p, TLS1_3_VERSION);
    cr_assert_eq(fetch_from(&s, (struct fetch_target){.cacert = p.cert_path, .token = "t0"}, NULL), OK);
    cr_assert_not_null(strstr(s.request, "\r\nAuthorization: Bearer t0\r\n"));
    party_free(&client);
    party_free(&p);
}

static void expect_refusal(const struct party *p, struct fetch_target t, int max_version, enum err want)
{
    struct fault f = {0};
    struct server s;

    server_start(&s, p, max_version);
    cr_assert_eq(fetch_from(&s, t, &f), want, "%s", f.detail);
    cr_assert_str_eq(s.request, "");
    cr_assert(f.detail[0] != '\0');
}

Test(fetch_tls, any_other_server_hears_no_request)
{
    struct party p = party_new("localhost"), other = party_new("localhost"),
                 elsewhere = party_new("elsewhere.example");

    expect_refusal(&p, (struct fetch_target){.cacert = other.cert_path}, TLS1_3_VERSION, ERR_UNAVAILABLE);
    expect_refusal(&p, (struct fetch_target){.token = "t0"}, TLS1_3_VERSION, ERR_UNAVAILABLE);
    expect_refusal(&elsewhere, (struct fetch_target){.cacert = elsewhere.cert_path}, TLS1_3_VERSION,
                   ERR_UNAVAILABLE);
    expect_refusal(&p, (struct fetch_target){.cacert = p.cert_path}, TLS1_1_VERSION, ERR_UNAVAILABLE);
    party_free(&p);
    party_free(&other);
    party_free(&elsewhere);
}

Test(fetch_tls, files_that_cannot_be_used_are_local_faults)
{
    struct party p = party_new("localhost"), other = party_new("other");

    expect_refusal(&p, (struct fetch_target){.cacert = "/nonexistent/ca.pem"}, TLS1_3_VERSION, ERR_KEY);
    expect_refusal(&p, (struct fetch_target){.cacert = p.cert_path, .cert = "/nonexistent/c.pem"},
                   TLS1_3_VERSION, ERR_KEY);
    expect_refusal(&p,
                   (struct fetch_target){.cacert = p.cert_path, .cert = other.cert_path, .key = p.key_path},
                   TLS1_3_VERSION, ERR_KEY);
    party_free(&p);
    party_free(&other);
}
