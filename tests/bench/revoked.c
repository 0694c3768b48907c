/* SPDX-License-Identifier: Apache-2.0 */
/* revoked: serials in the product's form (node, day of expiry, random octets), so that the rows lie in the
 * store as they would; reasons and dates that vary. */
#include "revoked.h"
#include "base/hash.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "signer/signer.h"

#define BATCH                                                                                                \
    2000 /* certificates in one transaction: larger ones leave long free lists, which later commits carry    \
            along */
#define A_DAY 4096      /* certificates that expire on one day */
#define FIRST_DAY 20000 /* since 1970 */
#define DAY 86400
#define MAP ((uint64_t)1 << 35) /* octets, of addresses: room for ten million */

/* ---- key and certificate ---- */

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (e == NULL || X509_add_ext(x, e, -1) != 1)
        die("extension %s", value);
    X509_EXTENSION_free(e);
}

static EVP_PKEY *key_make(const struct ground *g, const char *kind)
{
    struct fault f = {0};
    uint8_t *spki;
    size_t len;
    EVP_PKEY *key;
    FILE *in;

    if (signer_key_generate(kind, g->key_path, &spki, &len, &f) != OK)
        die("%s", f.detail);
    free(spki);
    in = fopen(g->key_path, "r");
    key = in != NULL ? PEM_read_PrivateKey(in, NULL, NULL, NULL) : NULL;
    if (key == NULL)
        die("%s: no key", g->key_path);
    fclose(in);
    return key;
}

static void certificate_make(struct ground *g, EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    FILE *out = fopen(g->certificate_path, "w");

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Bench CA G1", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3650L * DAY);
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(x, NID_subject_key_identifier, "hash");
    if (X509_sign(x, key, EVP_sha256()) <= 0 || out == NULL || PEM_write_X509(out, x) != 1)
        die("%s: cannot be written", g->certificate_path);
    fclose(out);
    g->der_len = (size_t)i2d_X509(x, &g->der);
    X509_free(x);
}

/* ---- signer ---- */

pid_t signer_begin(const struct ground *g, int *port_fd)
{
    struct signer_spec spec = {.id = ISSUER_ID, .certificate = span_of(g->der, g->der_len), .may_leaf = true};
    char uri[128];
    struct signer_key *key;
    struct fault f = {0};
    int fds[2];
    pid_t pid;

    snprintf(uri, sizeof uri, "file:%s", g->key_path);
    spec.uri = uri;
    if (signer_key_load(&spec, &key, &f) != OK || wire_pair(fds) != OK)
        die("signer: %s", f.detail);
    pid = fork();
    if (pid == 0) {
        struct signer_role r = {.keys = &key,
                                .key_count = 1,
                                .certificate_fd = -1,
                                .crl_fd = fds[1],
                                .ocsp_fd = -1,
                                .workers = 1};

        close(fds[0]);
        _exit(signer_run(&r) == OK ? 0 : 1);
    }
    close(fds[1]);
    signer_key_free(key);
    *port_fd = fds[0];
    return pid;
}

void signer_end(pid_t pid, int port_fd)
{
    close(port_fd);
    waitpid(pid, NULL, 0);
}

/* ---- certificates ---- */

static uint64_t mix(uint64_t n)
{
    n += 0x9e3779b97f4a7c15u;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
    n = (n ^ n >> 27) * 0x94d049bb133111ebu;
    return n ^ n >> 31;
}

static void put(uint8_t *to, uint64_t v, size_t len)
{
    for (size_t i = len; i-- > 0; v >>= 8)
        to[i] = (uint8_t)v;
}

static void serial_of(uint64_t n, uint8_t serial[static SERIAL_LEN])
{
    serial[0] = 1;
    put(serial + 1, FIRST_DAY + n / A_DAY, 2);
    put(serial + 3, mix(2 * n), 8);
    put(serial + 11, mix(2 * n + 1), 8);
}

void ground_valid_serial(const struct ground *g, uint64_t n, uint8_t serial[static SERIAL_LEN])
{
    serial_of(n, serial);
    put(serial + 1, FIRST_DAY + mix(n) % (g->laid / A_DAY + 1), 2);
}

struct revoked ground_revoked(const struct ground *g, uint64_t n)
{
    static const enum reason reasons[] = {REASON_UNSPECIFIED, REASON_SUPERSEDED,
                                          REASON_CESSATION_OF_OPERATION, REASON_AFFILIATION_CHANGED};
    uint64_t dice = mix(n ^ 0x5555);
    struct revoked r = {.reason = reasons[dice % 4],
                        .revoked_at_s = g->now_s - (int64_t)(dice >> 8) % (300 * DAY),
                        .invalidity_s = NO_TIME,
                        .not_after_s = g->now_s + (int64_t)(1 + n / A_DAY) * DAY};

    if (r.revoked_at_s > g->now_s)
        r.revoked_at_s = g->now_s;
    if (dice >> 4 & 1)
        r.invalidity_s = r.revoked_at_s - DAY;
    serial_of(n, r.serial);
    return r;
}

static void add(struct ground *g, struct txn *t, uint64_t n, const struct revoked *r)
{
    char cn[32];
    uint64_t number;
    struct cert c = {.status = {.issuer_no = g->no, .not_after_s = r->not_after_s},
                     .not_before_s = g->now_s - 300 * DAY,
                     .issued_at_s = g->now_s - 300 * DAY,
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .profile = "ucm/tomcat",
                     .requester = "bench",
                     .der = span_of(g->der, g->der_len)};

    snprintf(cn, sizeof cn, "h%09llu.example.com", (unsigned long long)n);
    c.cn = c.subject = span_str(cn);
    memcpy(c.serial, r->serial, SERIAL_LEN);
    put(c.key_hash, n, 8);
    put(c.fingerprint, n, 8);
    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
}

/* What the service records of each act; one token out of seven asks. */
static void tell(struct txn *t, enum audit_kind kind, int64_t at_s, uint64_t n, const struct revoked *r)
{
    struct audit_row row = {
        .at_s = at_s, .kind = kind, .has_serial = true, .detail = span_str("profile ucm/tomcat")};
    char actor[16];

    snprintf(actor, sizeof actor, "token:t%u", (unsigned)(n % 7));
    row.actor = span_str(actor);
    memcpy(row.serial, r->serial, SERIAL_LEN);
    audit_append(t, &row);
}

/* How a certificate is laid: in order of serials, as time passes, or all over those that are there. */
enum lay { LAY_REVOKED, LAY_VALID, LAY_BETWEEN };

static void fill(struct ground *g, struct store *s, uint64_t count, enum lay lay)
{
    while (count > 0) {
        uint64_t batch = count < BATCH ? count : BATCH;
        struct txn *t;

        if (txn_begin(s, &t) != OK)
            die("no transaction");
        for (uint64_t i = 0; i < batch; i++, g->last++) {
            struct revoked r = ground_revoked(g, g->last);

            if (lay == LAY_BETWEEN)
                ground_valid_serial(g, g->last, r.serial);
            add(g, t, g->last, &r);
            if (g->has_audit)
                tell(t, AUDIT_ISSUE, g->now_s - 300 * DAY, g->last, &r);
            if (lay == LAY_REVOKED)
                cert_revoke(t, r.serial, r.reason, r.revoked_at_s, r.invalidity_s);
            if (lay == LAY_REVOKED && g->has_audit)
                tell(t, AUDIT_REVOKE, r.revoked_at_s, g->last, &r);
        }
        if (txn_commit(t) != OK)
            die("no commit");
        count -= batch;
    }
}

/* In a process of its own: what a large transaction leaves on the heap would be inherited by those that are
 * measured. */
static void lay_in_child(struct ground *g, uint64_t count, enum lay lay)
{
    struct store *s;
    struct fault f = {0};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (store_open(g->store_dir, STORE_WRITE, MAP, &s, &f) != OK)
            die("%s", f.detail);
        fill(g, s, count, lay);
        store_close(s);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("the store cannot be filled");
    g->last += count;
    g->laid += count;
}

void ground_fill(struct ground *g, uint64_t count)
{
    lay_in_child(g, count, LAY_REVOKED);
    g->revoked += count;
}

void ground_fill_valid(struct ground *g, uint64_t count)
{
    lay_in_child(g, count, LAY_VALID);
}

void ground_add_valid(struct ground *g, struct store *s, uint64_t count)
{
    fill(g, s, count, LAY_BETWEEN);
}

/* ---- as a service has it ---- */

static void publish(const struct ground *g, struct store *s)
{
    struct crl_part whole = {.shard = SHARD_ALL,
                             .state = {.this_update_s = g->now_s, .next_update_s = g->now_s + DAY},
                             .shown_s = NO_TIME};
    struct crl_track track;
    struct txn *t;

    if (txn_begin(s, &t) != OK || crl_track_find(txn_view(t), g->no, &track) != OK)
        die("no transaction");
    whole.changes = track.changes;
    crl_state_reserve(t, g->no, &whole.state.number);
    crl_part_publish(t, g->no, &whole);
    if (txn_commit(t) != OK)
        die("no commit");
}

void ground_settle(const struct ground *g, struct store *s)
{
    uint8_t at[SERIAL_LEN] = {0};
    bool goes_on = true;
    struct txn *t;

    publish(g, s);
    while (goes_on) {
        if (txn_begin(s, &t) != OK)
            die("no transaction");
        goes_on = crl_change_prune(t, g->no, at, CHANGE_PRUNE_MAX);
        if (txn_commit(t) != OK)
            die("no commit");
    }
}

void ground_read_again(const struct ground *g)
{
    static uint8_t piece[1 << 20];
    char path[128];
    ssize_t got = 1;
    int fd;

    snprintf(path, sizeof path, "%s/data.mdb", g->store_dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0 ||
        posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) != 0)
        die("%s: cannot be read again", path);
    while (got > 0)
        got = read(fd, piece, sizeof piece);
    close(fd);
}

/* ---- the place ---- */

static void issuer_make(struct ground *g)
{
    struct issuer i = {.id = ISSUER_ID, .certificate = span_of(g->der, g->der_len)};
    struct store *s;
    struct txn *t;
    struct fault f = {0};

    if (store_open(g->store_dir, STORE_CREATE, MAP, &s, &f) != OK || txn_begin(s, &t) != OK)
        die("%s", f.detail);
    issuer_add(t, &i, &g->no);
    if (txn_commit(t) != OK)
        die("no commit");
    store_close(s);
}

void ground_open(struct ground *g, const char *kind)
{
    char crl_dir[128];
    EVP_PKEY *key;
    const char *tmp = getenv("TMPDIR");

    *g = (struct ground){.now_s = clock_now_s()};
    snprintf(g->dir, sizeof g->dir, "%s/chancery-bench-XXXXXX",
             tmp != NULL && strlen(tmp) < 32 ? tmp : "/tmp");
    if (mkdtemp(g->dir) == NULL)
        die("%s: cannot be made", g->dir);
    snprintf(g->store_dir, sizeof g->store_dir, "%s/store", g->dir);
    snprintf(g->public_dir, sizeof g->public_dir, "%s/public", g->dir);
    snprintf(g->key_path, sizeof g->key_path, "%s/ca.key", g->dir);
    snprintf(g->certificate_path, sizeof g->certificate_path, "%s/ca.pem", g->dir);
    snprintf(crl_dir, sizeof crl_dir, "%s/crl", g->public_dir);
    if (mkdir(g->store_dir, 0700) != 0 || mkdir(g->public_dir, 0755) != 0 || mkdir(crl_dir, 0755) != 0)
        die("%s: cannot be filled", g->dir);
    key = key_make(g, kind);
    certificate_make(g, key);
    EVP_PKEY_free(key);
    issuer_make(g);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void ground_close(struct ground *g)
{
    OPENSSL_free(g->der);
    nftw(g->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
