/* SPDX-License-Identifier: Apache-2.0 */
/* site: see site.h. */
#include "tests/unit/api/site.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/evp.h>
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

#include "base/port.h"

struct site site;
static char site_dir[] = "/tmp/public-test.XXXXXX";
static int port_fds[2], http_fd;
static unsigned http_port;
static pid_t server_pid, signer_pid;

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
    struct issuer i = {.id = "ec-g1", .certificate = span_of(site.ca.der, site.ca.der_len)};
    struct fault f = {0};
    struct store *store;
    struct txn *t;
    uint64_t reserved;
    uint16_t no;

    cr_assert_eq(store_open(site.config->store_dir, STORE_CREATE, 16 << 20, &store, &f), OK, "%s", f.detail);
    cr_assert_eq(txn_begin(store, &t), OK);
    issuer_add(t, &i, &no);
    add_cert(t, &site.responder, no);
    add_cert(t, &site.leaf, no);
    issuer_set_responder(t, no, site.responder.serial);
    crl_state_reserve(t, no, &reserved);
    crl_state_publish(t, no, &crl);
    cr_assert_eq(txn_commit(t), OK);
    store_close(store);
}

void site_put(const char *name, const char *content)
{
    char path[PATH_LEN_MAX + 64];
    struct fault f = {0};

    snprintf(path, sizeof path, "%s/%s", site.config->public_dir, name);
    cr_assert_eq(file_replace(path, span_str(content), 0644, &f), OK, "%s", f.detail);
}

static void make_home(void)
{
    char path[PATH_LEN_MAX + 64];

    cr_assert_not_null(mkdtemp(site_dir));
    strcpy(site.config->name, "Example UC");
    site.config->http_connections = 64;
    snprintf(site.config->store_dir, sizeof site.config->store_dir, "%s/store", site_dir);
    snprintf(site.config->public_dir, sizeof site.config->public_dir, "%s/public", site_dir);
    strcpy(site.config->public_url, "http://ca.example.com:8080");
    strcpy(site.config->issuers[0].id, "ec-g1");
    site.config->issuer_count = 1;
    site.config->ocsp.validity_s = PKI_DAY;
    site.config->ocsp.cache_octets = 1 << 20;
    mkdir(site.config->store_dir, 0700);
    mkdir(site.config->public_dir, 0700);
    snprintf(path, sizeof path, "%s/crl", site.config->public_dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/ca", site.config->public_dir);
    mkdir(path, 0700);
    site_put("crl/ec-g1.crl", "a CRL, as DER");
    site_put("crl/ec-g1.pem", "a CRL, as PEM");
    site_put("ca/ec-g1.cer", "a certificate");
    site_put("ca/ec-g1.p7c", "a chain");
    site_put("secret", "not to be fetched");
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
        if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, site.responder.key) != 1 ||
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
    const struct public_role role = {.config = site.config,
                                     .http_fd = http_fd,
                                     .port_fd = port_fds[0],
                                     .recent_fd = -1,
                                     .board = site.board};

    close(port_fds[1]);
    cr_assert_not_null(freopen(site.log_path, "a", stderr));
    _exit(public_run(&role) == OK ? 0 : 2);
}

static void signer(void)
{
    close(port_fds[0]);
    close(http_fd);
    signer_loop();
}

void site_open(void)
{
    struct fault f = {0};
    char bound[64];

    site.config = calloc(1, sizeof *site.config);
    pki_not_before_s = time(NULL) - PKI_DAY;
    site.ca = pki_certificate("Example <CA> G1", NULL, PKI_CA, "EC", 1, time(NULL) + 90 * PKI_DAY);
    site.responder = pki_certificate("OCSP", &site.ca, PKI_RESPONDER, "EC", 2, time(NULL) + 10 * PKI_DAY);
    site.leaf = pki_certificate("a.example.com", &site.ca, PKI_LEAF, "EC", 3, time(NULL) + 20 * PKI_DAY);
    make_home();
    snprintf(site.log_path, sizeof site.log_path, "%s/log", site_dir);
    site.board = board_new();
    fill_store();
    cr_assert_eq(wire_pair(port_fds), OK);
    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &http_fd, &f), OK, "%s", f.detail);
    cr_assert_eq(http_bound(http_fd, bound, sizeof bound), OK);
    http_port = (unsigned)atoi(strchr(bound, ':') + 1);
    snprintf(site.url, sizeof site.url, "http://%s/ocsp", bound);
    signer_pid = spawn(signer);
    server_pid = spawn(server);
    close(http_fd);
    close(port_fds[0]);
    close(port_fds[1]);
}

/* SIGTERM ends the server in order; its wire's end ends the signer. */
void site_close(void)
{
    char command[128];
    int status;

    kill(server_pid, SIGTERM);
    waitpid(server_pid, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
    waitpid(signer_pid, &status, 0);
    pki_free(&site.ca);
    pki_free(&site.responder);
    pki_free(&site.leaf);
    free(site.config);
    board_close(site.board);
    snprintf(command, sizeof command, "cat %s >&2; rm -r %s", site.log_path, site_dir);
    cr_assert_eq(system(command), 0);
}

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

struct buf send_request(const char *method, const char *path, const char *fields, struct span body)
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

bool has(const struct buf *answer, const char *text)
{
    return strcasestr((const char *)answer->data, text) != NULL;
}

void answers(const char *method, const char *path, const char *fields, const char *status, const char *header,
             const char *body)
{
    struct buf a = send_request(method, path, fields, (struct span){0});
    const char *split = strstr((const char *)a.data, "\r\n\r\n");

    cr_assert_not_null(split, "%s %s: %s", method, path, (char *)a.data);
    cr_assert(strncmp((const char *)a.data + 9, status, 3) == 0, "%s %s: %s", method, path, (char *)a.data);
    cr_assert(header == NULL || has(&a, header), "%s %s: %s", method, path, (char *)a.data);
    cr_assert(body == NULL || strcmp(split + 4, body) == 0, "%s %s: %s", method, path, (char *)a.data);
    buf_free(&a);
}

void none_match(const struct buf *a, char *out, size_t cap)
{
    const char *etag = strcasestr((const char *)a->data, "ETag: ") + 6;

    snprintf(out, cap, "If-None-Match: %.*s\r\n", (int)strcspn(etag, "\r"), etag);
}
