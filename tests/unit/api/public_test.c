/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the process "ocsp" serve relying parties as docs/interface.md, 4 says? It runs in a child, a signer in
 * another; this program is the client. Answers to OCSP are judged by the command line's own engine, which is
 * OpenSSL's.
 */
#include "api/public.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/port.h"
#include "cli/ocsp_query.h"
#include "tests/unit/ocsp/pki.h"

static char dir[] = "/tmp/public-test.XXXXXX";
static struct pki_cert ca, responder, leaf;
static struct config *config;
static struct store *store;
static int port_fds[2], http_fd;
static unsigned http_port;
static pid_t server_pid, signer_pid;
static char url[128], bound[64], log_path[64];
static struct board *board; /* the server's */

/* ---- the service ---- */

static void add_cert(struct txn *t, const struct pki_cert *c, uint16_t no)
{
    struct cert row = {
        .status = {.issuer_no = no, .not_after_s = time(NULL) + 20 * PKI_DAY},
        .key_type = KEY_EC,
        .key_bits = 256,
        .profile = "ucm/tomcat",
        .requester = "test",
        .cn = span_str("a.example.com"),
        .subject = span_str("CN=a.example.com"),
        .der = span_of(c->der, c->der_len),
    };
    uint64_t number;

    memcpy(row.serial, c->serial, SERIAL_LEN);
    memcpy(row.key_hash, c->serial, SERIAL_LEN);
    sha256_of(row.der, row.fingerprint);
    cert_add(t, &row, &number);
}

static void fill_store(void)
{
    struct crl_state crl = {
        .number = 1, .this_update_s = time(NULL), .next_update_s = time(NULL) + 600, .size = 9};
    struct issuer i = {.id = "ec-g1", .certificate = span_of(ca.der, ca.der_len)};
    struct fault f = {0};
    struct txn *t;
    uint64_t reserved;
    uint16_t no;

    cr_assert_eq(store_open(config->store_dir, STORE_CREATE, 16 << 20, &store, &f), OK, "%s", f.detail);
    cr_assert_eq(txn_begin(store, &t), OK);
    issuer_add(t, &i, &no);
    add_cert(t, &responder, no);
    add_cert(t, &leaf, no);
    issuer_set_responder(t, no, responder.serial);
    crl_state_reserve(t, no, &reserved);
    crl_state_publish(t, no, &crl);
    cr_assert_eq(txn_commit(t), OK);
    store_close(store);
}

static void put_file(const char *name, const char *content)
{
    char path[PATH_LEN_MAX + 64];
    struct fault f = {0};

    snprintf(path, sizeof path, "%s/%s", config->public_dir, name);
    cr_assert_eq(file_replace(path, span_str(content), 0644, &f), OK, "%s", f.detail);
}

static void make_home(void)
{
    char path[PATH_LEN_MAX + 64];

    cr_assert_not_null(mkdtemp(dir));
    strcpy(config->name, "Example UC");
    config->http_connections = 64;
    snprintf(config->store_dir, sizeof config->store_dir, "%s/store", dir);
    snprintf(config->public_dir, sizeof config->public_dir, "%s/public", dir);
    strcpy(config->public_url, "http://ca.example.com:8080");
    strcpy(config->issuers[0].id, "ec-g1");
    config->issuer_count = 1;
    config->ocsp.validity_s = PKI_DAY;
    config->ocsp.cache_octets = 1 << 20;
    mkdir(config->store_dir, 0700);
    mkdir(config->public_dir, 0700);
    snprintf(path, sizeof path, "%s/crl", config->public_dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/ca", config->public_dir);
    mkdir(path, 0700);
    put_file("crl/ec-g1.crl", "a CRL, as DER");
    put_file("crl/ec-g1.pem", "a CRL, as PEM");
    put_file("ca/ec-g1.cer", "a certificate");
    put_file("ca/ec-g1.p7c", "a chain");
    put_file("secret", "not to be fetched");
}

/* Signs whatever comes. */
static void signer_loop(void)
{
    static uint8_t frame[WIRE_MSG_MAX];
    struct span in;

    while (wire_receive(port_fds[1], frame, sizeof frame, &in) == OK) {
        struct rd r = rd_of(in);
        uint8_t signature[SIGNATURE_MAX];
        size_t len = sizeof signature;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        struct buf b;
        uint64_t number;

        rd_u8(&r);
        number = rd_u64(&r);
        rd_blob(&r);
        if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, responder.key) != 1 ||
            EVP_DigestSign(ctx, signature, &len, r.rest.data, r.rest.len) != 1)
            _exit(1);
        buf_init(&b, WIRE_MSG_MAX);
        buf_put_u8(&b, PORT_OCSP);
        buf_put_u64(&b, number);
        buf_put_u8(&b, OK);
        buf_put_blob(&b, span_of(signature, len));
        buf_put_blob(&b, span_str(""));
        if (wire_send(port_fds[1], buf_span(&b)) != OK)
            _exit(1);
        buf_free(&b);
        EVP_MD_CTX_free(ctx);
    }
    _exit(0);
}

static pid_t spawn(void (*run)(void))
{
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run();
    _exit(0);
}

static void server(void)
{
    const struct public_role role = {
        .config = config, .http_fd = http_fd, .port_fd = port_fds[0], .recent_fd = -1, .board = board};

    close(port_fds[1]);
    cr_assert_not_null(freopen(log_path, "a", stderr));
    _exit(public_run(&role) == OK ? 0 : 2);
}

static void signer(void)
{
    close(port_fds[0]);
    close(http_fd);
    signer_loop();
}

static void setup(void)
{
    struct fault f = {0};

    config = calloc(1, sizeof *config);
    pki_not_before_s = time(NULL) - PKI_DAY;
    ca = pki_certificate("Example <CA> G1", NULL, PKI_CA, "EC", 1, time(NULL) + 90 * PKI_DAY);
    responder = pki_certificate("OCSP", &ca, PKI_RESPONDER, "EC", 2, time(NULL) + 10 * PKI_DAY);
    leaf = pki_certificate("a.example.com", &ca, PKI_LEAF, "EC", 3, time(NULL) + 20 * PKI_DAY);
    make_home();
    snprintf(log_path, sizeof log_path, "%s/log", dir);
    board = board_new();
    fill_store();
    cr_assert_eq(wire_pair(port_fds), OK);
    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &http_fd, &f), OK, "%s", f.detail);
    cr_assert_eq(http_bound(http_fd, bound, sizeof bound), OK);
    http_port = (unsigned)atoi(strchr(bound, ':') + 1);
    snprintf(url, sizeof url, "http://%s/ocsp", bound);
    signer_pid = spawn(signer);
    server_pid = spawn(server);
    close(http_fd);
    close(port_fds[0]);
    close(port_fds[1]);
}

/* SIGTERM ends the server in order; its wire's end ends the signer. */
static void teardown(void)
{
    char command[128];
    int status;

    kill(server_pid, SIGTERM);
    waitpid(server_pid, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
    waitpid(signer_pid, &status, 0);
    pki_free(&ca);
    pki_free(&responder);
    pki_free(&leaf);
    free(config);
    board_close(board);
    snprintf(command, sizeof command, "cat %s >&2; rm -r %s", log_path, dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(public, .init = setup, .fini = teardown, .timeout = 60);

/* ---- the client ---- */

/* One exchange on a connection of its own; the whole answer as text, its body's length beside it. */
static struct buf exchange(struct span request)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)http_port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint8_t piece[4096];
    struct buf out;
    ssize_t n;

    buf_init(&out, 1 << 20);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(write(fd, request.data, request.len), (ssize_t)request.len);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_put(&out, piece, (size_t)n);
    close(fd);
    buf_put_u8(&out, 0);
    return out;
}

static struct buf send_request(const char *method, const char *path, const char *fields, struct span body)
{
    struct buf request, answer;

    buf_init(&request, 1 << 20);
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s", method, path, fields);
    if (body.len > 0)
        buf_printf(&request, "Content-Length: %zu\r\n", body.len);
    buf_put_str(&request, "\r\n");
    buf_put_span(&request, body);
    answer = exchange(buf_span(&request));
    buf_free(&request);
    return answer;
}

static bool has(const struct buf *answer, const char *text)
{
    return strcasestr((const char *)answer->data, text) != NULL;
}

static void answers(const char *method, const char *path, const char *fields, const char *status,
                    const char *header, const char *body)
{
    struct buf a = send_request(method, path, fields, (struct span){0});
    const char *split = strstr((const char *)a.data, "\r\n\r\n");

    cr_assert_not_null(split, "%s %s: %s", method, path, (char *)a.data);
    cr_assert(strncmp((const char *)a.data + 9, status, 3) == 0, "%s %s: %s", method, path, (char *)a.data);
    cr_assert(header == NULL || has(&a, header), "%s %s: %s", method, path, (char *)a.data);
    cr_assert(body == NULL || strcmp(split + 4, body) == 0, "%s %s: %s", method, path, (char *)a.data);
    buf_free(&a);
}

static struct span pem_of(X509 *x, BIO *bio)
{
    char *data;
    long len;

    cr_assert_eq(PEM_write_bio_X509(bio, x), 1);
    len = BIO_get_mem_data(bio, &data);
    return span_of(data, (size_t)len);
}

static enum err query(struct ocsp_query q, struct ocsp_query_result *out)
{
    struct fault f = {0};
    enum err e;

    q.certificate = q.certificate.len > 0 ? q.certificate : span_of(leaf.der, leaf.der_len);
    q.issuer = span_of(ca.der, ca.der_len);
    q.url = url;
    q.now_s = time(NULL);
    e = ocsp_query(&q, out, &f);
    cr_assert(e == OK || f.detail[0] != '\0');
    return e;
}

/* ---- claims ---- */

Test(public, ocsp_is_answered_with_a_verified_status_and_our_nonce)
{
    struct ocsp_query_result r;
    static const size_t nonces[] = {1, 32, 128};

    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(query((struct ocsp_query){.nonce_len = nonces[i]}, &r), OK);
        cr_assert_eq(r.status, OCSP_QUERY_GOOD);
        cr_assert(r.is_nonce_echoed);
        cr_assert_eq(r.next_update_s - r.this_update_s, PKI_DAY);
        cr_assert_not_null(strstr(r.responder, "OCSP"));
    }
    cr_assert_eq(query((struct ocsp_query){.without_nonce = true, .certid = HASH_SHA256}, &r), OK);
    cr_assert_not(r.is_nonce_echoed);
}

Test(public, the_answer_after_a_revocation_says_revoked)
{
    struct ocsp_query_result r;
    struct fault f = {0};
    struct txn *t;

    cr_assert_eq(query((struct ocsp_query){0}, &r), OK);
    cr_assert_eq(store_open(config->store_dir, STORE_WRITE, 0, &store, &f), OK, "%s", f.detail);
    cr_assert_eq(txn_begin(store, &t), OK);
    cert_revoke(t, leaf.serial, REASON_SUPERSEDED, 1700000000, NO_TIME);
    cr_assert_eq(txn_commit(t), OK);
    cr_assert_eq(query((struct ocsp_query){0}, &r), OK);
    cr_assert_eq(r.status, OCSP_QUERY_REVOKED);
    cr_assert(r.has_reason && r.reason == REASON_SUPERSEDED);
    cr_assert_eq(r.revoked_at_s, 1700000000);
    store_close(store);
}

Test(public, a_serial_that_was_not_issued_is_unknown)
{
    struct pki_cert other = pki_certificate("b.example.com", &ca, PKI_LEAF, "EC", 99, time(NULL) + PKI_DAY);
    struct ocsp_query_result r;
    BIO *bio = BIO_new(BIO_s_mem());

    cr_assert_eq(query((struct ocsp_query){.certificate = pem_of(other.x509, bio)}, &r), OK);
    cr_assert_eq(r.status, OCSP_QUERY_UNKNOWN);
    BIO_free(bio);
    pki_free(&other);
}

static struct buf ocsp_get_path(size_t nonce_len, const struct pki_cert *issuer)
{
    OCSP_REQUEST *r = OCSP_REQUEST_new();
    struct buf der, path;
    uint8_t text[1024];

    pki_add(r, pki_certid(EVP_sha1(), issuer, span_of(leaf.serial, SERIAL_LEN)));
    if (nonce_len > 0)
        pki_add_nonce(r, nonce_len, false);
    der = pki_encode(r);
    EVP_EncodeBlock(text, der.data, (int)der.len);
    buf_init(&path, 4096);
    buf_put_str(&path, "/ocsp/");
    for (const uint8_t *p = text; *p != 0; p++)
        buf_printf(&path, strchr("+/=", *p) != NULL ? "%%%02X" : "%c", *p);
    buf_put_u8(&path, 0);
    buf_free(&der);
    return path;
}

Test(public, a_get_without_a_nonce_may_be_cached_for_a_minute)
{
    struct buf path = ocsp_get_path(0, &ca), a = send_request("GET", (char *)path.data, "", (struct span){0});

    cr_assert(has(&a, "200"));
    cr_assert(has(&a, "Content-Type: application/ocsp-response\r\n"));
    cr_assert(has(&a, "Cache-Control: max-age=60, public, no-transform, must-revalidate\r\n"));
    cr_assert(has(&a, "\r\nETag: \""));
    cr_assert(has(&a, "\r\nExpires: "));
    cr_assert(has(&a, "\r\nLast-Modified: "));
    buf_free(&a);
    answers("GET", (char *)path.data, "If-None-Match: *\r\n", "304", "ETag: \"", "");
    answers("HEAD", (char *)path.data, "", "200", "application/ocsp-response", "");
    buf_free(&path);
}

Test(public, a_nonce_or_an_error_is_not_to_be_stored)
{
    struct buf with = ocsp_get_path(16, &ca), foreign = ocsp_get_path(0, &leaf);

    answers("GET", (char *)with.data, "", "200", "Cache-Control: no-store", NULL);
    answers("GET", (char *)foreign.data, "", "200", "Cache-Control: no-store", "0\x03\x0a\x01\x06");
    answers("GET", "/ocsp/nonsense!", "", "200", "Content-Type: application/ocsp-response",
            "0\x03\x0a\x01\x01");
    buf_free(&with);
    buf_free(&foreign);
}

Test(public, a_post_needs_its_type_and_its_limit)
{
    static uint8_t large[OCSP_REQUEST_MAX + 1];
    struct buf a = send_request("POST", "/ocsp", "Content-Type: text/plain\r\n", span_str("x"));

    cr_assert(has(&a, " 415 ") && has(&a, "application/problem+json"));
    buf_free(&a);
    a = send_request("POST", "/ocsp", "Content-Type: application/ocsp-request\r\n",
                     span_of(large, sizeof large));
    cr_assert(has(&a, " 413 "));
    buf_free(&a);
    a = send_request("POST", "/ocsp/", "Content-Type: application/OCSP-request; charset=x\r\n",
                     span_str("x"));
    cr_assert(has(&a, " 200 ") && has(&a, "application/ocsp-response"));
    buf_free(&a);
}

Test(public, files_have_their_types_and_are_told_unmodified)
{
    struct buf a;
    char fields[256], *etag;

    answers("GET", "/crl/ec-g1.crl", "", "200", "Content-Type: application/pkix-crl\r\n", "a CRL, as DER");
    answers("GET", "/crl/ec-g1.pem", "", "200", "Content-Type: application/x-pem-file\r\n", "a CRL, as PEM");
    answers("GET", "/ca/ec-g1.cer", "", "200", "Content-Type: application/pkix-cert\r\n", "a certificate");
    answers("GET", "/ca/ec-g1.p7c", "", "200", "Content-Type: application/pkcs7-mime\r\n", "a chain");
    answers("HEAD", "/crl/ec-g1.crl", "", "200", "Content-Length: 13\r\n", "");
    a = send_request("GET", "/crl/ec-g1.crl", "", (struct span){0});
    cr_assert(has(&a, "max-age=6") || has(&a, "max-age=5")); /* 600 or a little less: to nextUpdate */
    etag = strcasestr((char *)a.data, "ETag: ") + 6;
    snprintf(fields, sizeof fields, "If-None-Match: %.*s\r\n", (int)strcspn(etag, "\r"), etag);
    answers("GET", "/crl/ec-g1.crl", fields, "304", "Last-Modified: ", "");
    put_file("crl/ec-g1.crl", "a newer list.");
    answers("GET", "/crl/ec-g1.crl", fields, "200", NULL, "a newer list.");
    answers("GET", "/crl/ec-g1.crl", "If-Modified-Since: Sat, 31 Jan 2009 12:00:00 GMT\r\n", "200", NULL,
            NULL);
    buf_free(&a);
}

Test(public, a_part_of_a_file_is_given_when_it_is_the_version_asked_for)
{
    struct buf a = send_request("GET", "/crl/ec-g1.crl", "", (struct span){0});
    char fields[300], *etag = strcasestr((char *)a.data, "ETag: ") + 6;

    cr_assert(has(&a, "Accept-Ranges: bytes\r\n"));
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=2-4\r\n", "206", "Content-Range: bytes 2-4/13\r\n", "CRL");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=-3\r\n", "206", "Content-Length: 3\r\n", "DER");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=13-\r\n", "416", "Content-Range: bytes */13\r\n", "");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=13-\r\n", "416", "Cache-Control: no-store\r\n", "");
    answers("GET", "/crl/ec-g1.crl", "Range: bytes=0-0,5-6\r\n", "200", "Content-Length: 13\r\n",
            "a CRL, as DER");
    answers("HEAD", "/crl/ec-g1.crl", "Range: bytes=2-4\r\n", "200", "Content-Length: 13\r\n", "");
    answers("GET", "/crl/ec-g1.crl", "If-Match: \"other\"\r\n", "412", "Cache-Control: no-store\r\n", "");
    snprintf(fields, sizeof fields, "Range: bytes=2-4\r\nIf-Range: %.*s\r\n", (int)strcspn(etag, "\r"), etag);
    answers("GET", "/crl/ec-g1.crl", fields, "206", NULL, "CRL");
    put_file("crl/ec-g1.crl", "a newer list.");
    answers("GET", "/crl/ec-g1.crl", fields, "200", NULL, "a newer list.");
    buf_free(&a);
}

Test(public, deltas_and_shards_are_served_when_they_are_there)
{
    answers("GET", "/crl/ec-g1-delta.crl", "", "404", "application/problem+json", NULL);
    put_file("crl/ec-g1-delta.crl", "a delta");
    put_file("crl/ec-g1-19.pem", "a shard");
    put_file("crl/ec-g1.previous.crl", "the one before");
    answers("GET", "/crl/ec-g1-delta.crl", "", "200", "Content-Type: application/pkix-crl\r\n", "a delta");
    answers("GET", "/crl/ec-g1-19.pem", "", "200", "Cache-Control: max-age=0, ", "a shard");
    answers("GET", "/crl/ec-g1.previous.crl", "", "404", "application/problem+json", NULL);
}

static unsigned count_logged(const char *text)
{
    FILE *in = fopen(log_path, "r");
    char line[1024];
    unsigned n = 0;

    cr_assert_not_null(in);
    while (fgets(line, sizeof line, in) != NULL)
        n += strstr(line, text) != NULL;
    fclose(in);
    return n;
}

static bool count_alarm(const struct alarm_shown *a, void *arg)
{
    cr_assert_str_eq(a->code, "public.unreadable");
    cr_assert_eq(a->level, ALARM_WARNING);
    ++*(unsigned *)arg;
    return true;
}

static unsigned count_alarms(void)
{
    unsigned n = 0;

    board_each_alarm(board, count_alarm, &n);
    return n;
}

static void make_directory(const char *name)
{
    char path[PATH_LEN_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", config->public_dir, name);
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
}

static void remove_directory(const char *name)
{
    char path[PATH_LEN_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", config->public_dir, name);
    cr_assert_eq(rmdir(path), 0);
}

Test(public, a_file_that_cannot_be_opened_is_told_once_and_when_it_is_over)
{
    make_directory("crl/ec-g1.crl");
    for (int i = 0; i < 3; i++)
        answers("GET", "/crl/ec-g1.crl", "", "503", NULL, NULL);
    cr_assert_eq(count_logged("public.unreadable"), 1);
    cr_assert_eq(count_alarms(), 1);
    answers("GET", "/crl/ec-g1.pem", "", "200", NULL, "a CRL, as PEM");
    cr_assert_eq(count_alarms(), 1, "another file says nothing about it");
    remove_directory("crl/ec-g1.crl");
    put_file("crl/ec-g1.crl", "a later CRL");
    for (int i = 0; i < 3; i++)
        answers("GET", "/crl/ec-g1.crl", "", "200", NULL, "a later CRL");
    cr_assert_eq(count_alarms(), 0);
    cr_assert_eq(count_logged("alarm-over detail=\"public.unreadable"), 1);
    cr_assert_eq(count_logged("public.unreadable"), 2);
}

Test(public, a_second_file_that_cannot_be_opened_does_not_fill_the_log)
{
    make_directory("crl/ec-g1.crl");
    make_directory("crl/ec-g1.pem");
    for (int i = 0; i < 3; i++) {
        answers("GET", "/crl/ec-g1.crl", "", "503", NULL, NULL);
        answers("GET", "/crl/ec-g1.pem", "", "503", NULL, NULL);
    }
    cr_assert_eq(count_logged("public.unreadable"), 1);
    remove_directory("crl/ec-g1.crl");
    answers("GET", "/crl/ec-g1.crl", "", "404", NULL, NULL);
    cr_assert_eq(count_alarms(), 0, "one that is gone");
    answers("GET", "/crl/ec-g1.pem", "", "503", NULL, NULL);
    cr_assert_eq(count_alarms(), 1, "the other is told of now");
}

Test(public, other_paths_are_404_and_other_methods_405)
{
    static const char *const missing[] = {"/crl/other.crl",
                                          "/crl/ec-g1",
                                          "/crl/",
                                          "/crl/ec-g1.crl/",
                                          "/crl/../secret",
                                          "/crl/..%2fsecret",
                                          "/crl/%2e%2e/secret",
                                          "/ca/ec-g1.crl",
                                          "/ca/ec-g1.pem",
                                          "/secret",
                                          "//crl/ec-g1.crl",
                                          "/ocspx",
                                          "/index.html",
                                          "/api/v1/issuers"};

    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        answers("GET", missing[i], "", "404", "application/problem+json", NULL);
    answers("GET", "/crl/ec%2Dg1.crl", "", "200", NULL, "a CRL, as DER");
    answers("GET", "/ocsp", "", "405", "Allow: POST\r\n", NULL);
    answers("PUT", "/ocsp/MAA", "", "405", "Allow: GET, HEAD\r\n", NULL);
    answers("POST", "/", "", "405", "Allow: GET, HEAD\r\n", NULL);
    answers("DELETE", "/crl/ec-g1.crl", "", "405", "Allow: GET, HEAD\r\n", NULL);
}

Test(public, the_page_names_the_issuer_under_a_strict_policy)
{
    struct buf a = send_request("GET", "/", "", (struct span){0});

    cr_assert(has(&a, " 200 ") && has(&a, "Content-Type: text/html; charset=utf-8\r\n"));
    cr_assert(has(&a, "Content-Security-Policy: default-src 'none'; "));
    cr_assert(has(&a, "&lt;CA"));
    cr_assert(has(&a, "number 1, 0 entries"));
    buf_free(&a);
    answers("HEAD", "/", "", "200", "text/html", "");
}

static void publish_number_2(void)
{
    struct crl_state crl = {
        .number = 2, .this_update_s = time(NULL), .next_update_s = time(NULL) + 600, .count = 7, .size = 9};
    struct fault f = {0};
    struct issuer i;
    struct txn *t;
    uint64_t reserved;

    cr_assert_eq(store_open(config->store_dir, STORE_WRITE, 0, &store, &f), OK, "%s", f.detail);
    cr_assert_eq(txn_begin(store, &t), OK);
    cr_assert_eq(issuer_find(txn_view(t), "ec-g1", &i), OK);
    crl_state_reserve(t, i.no, &reserved);
    crl_state_publish(t, i.no, &crl);
    cr_assert_eq(txn_commit(t), OK);
    store_close(store);
}

/* "If-None-Match: " and the tag of an answer. */
static void none_match(const struct buf *a, char *out, size_t cap)
{
    const char *etag = strcasestr((const char *)a->data, "ETag: ") + 6;

    snprintf(out, cap, "If-None-Match: %.*s\r\n", (int)strcspn(etag, "\r"), etag);
}

static bool page_says(const char *what)
{
    struct buf a = send_request("GET", "/", "", (struct span){0});
    bool does = has(&a, what);

    buf_free(&a);
    return does;
}

Test(public, the_page_is_told_unmodified_until_it_shows_something_else)
{
    struct buf a = send_request("GET", "/", "", (struct span){0});
    char fields[256];

    none_match(&a, fields, sizeof fields);
    buf_free(&a);
    answers("GET", "/", fields, "304", "Cache-Control: no-cache\r\n", "");
    answers("HEAD", "/", fields, "304", "ETag: ", "");
    answers("GET", "/", "If-None-Match: \"another\"\r\n", "200", "text/html", NULL);
    answers("GET", "/", "If-Match: \"another\"\r\n", "412", "Cache-Control: no-store\r\n", "");
    publish_number_2();
    for (int i = 0; !page_says("number 2, 7 entries"); i++) {
        cr_assert_lt(i, 100, "the page does not follow the store");
        usleep(50000);
    }
    answers("GET", "/", fields, "200", "text/html", NULL);
}

Test(public, a_list_of_signers_that_is_empty_is_told_again_and_again)
{
    answers("GET", "/ca/ocsp.pem", "", "404", "application/problem+json", NULL);
    answers("GET", "/ca/ocsp.pem", "", "404", "application/problem+json", NULL);
}
