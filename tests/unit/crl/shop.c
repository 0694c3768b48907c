/* SPDX-License-Identifier: Apache-2.0 */
/* shop: keys and certificates by OpenSSL, signatures by the real signer role. */
#include "shop.h"
#include "base/hash.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "signer/signer.h"

static const struct crl_issuer issuer = {.id = "ca"};

static const EVP_MD *digest_of(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);

    return EVP_PKEY_is_a(key, "RSA") || bits == 256 ? EVP_sha256()
           : bits == 384                            ? EVP_sha384()
                                                    : EVP_sha512();
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    cr_assert_not_null(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void make_certificate(struct shop *s)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Test CA G1", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, s->key);
    ASN1_TIME_set(X509_getm_notBefore(x), SHOP_NOW - 365 * DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), SHOP_NOW + 3650 * DAY);
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(x, NID_subject_key_identifier, "hash");
    cr_assert_gt(X509_sign(x, s->key, digest_of(s->key)), 0);
    s->certificate = x;
    s->der_len = (size_t)i2d_X509(x, &s->der);
}

static void make_key(struct shop *s, const char *kind)
{
    struct fault f = {0};
    char path[128];
    uint8_t *spki;
    size_t len;
    FILE *in;

    snprintf(path, sizeof path, "%s/ca.key", s->dir);
    snprintf(s->key_uri, sizeof s->key_uri, "file:%s", path);
    cr_assert_eq(signer_key_generate(kind, path, &spki, &len, &f), OK, "%s", f.detail);
    free(spki);
    in = fopen(path, "r");
    s->key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    cr_assert_not_null(s->key);
}

/* Shared with the signer's process. */
static int64_t *wall;

int64_t shop_clock(void)
{
    return *wall;
}

void shop_clock_set(int64_t now_s)
{
    *wall = now_s;
}

static void signer_start(struct shop *s, const char *key_id, int64_t (*clock)(void))
{
    struct signer_spec spec = {
        .uri = s->key_uri, .certificate = span_of(s->der, s->der_len), .may_leaf = true};
    struct signer_key *key;
    struct fault f = {0};
    int fds[2];

    strcpy(spec.id, key_id);
    cr_assert_eq(signer_key_load(&spec, &key, &f), OK, "%s", f.detail);
    cr_assert_eq(wire_pair(fds), OK);
    s->port.fd = fds[0];
    s->signer = fork();
    if (s->signer == 0) {
        struct signer_role r = {.keys = &key,
                                .key_count = 1,
                                .certificate_fd = -1,
                                .crl_fd = fds[1],
                                .ocsp_fd = -1,
                                .workers = 1,
                                .clock = clock};

        close(fds[0]);
        _exit(signer_run(&r) == OK ? 0 : 1);
    }
    close(fds[1]);
    signer_key_free(key);
}

static void add_issuer(struct shop *s)
{
    struct issuer i = {.id = "ca", .certificate = span_of(s->der, s->der_len)};
    struct txn *t;

    cr_assert_eq(txn_begin(s->store, &t), OK);
    issuer_add(t, &i, &s->no);
    cr_assert_eq(txn_commit(t), OK);
}

static void open_with(struct shop *s, const char *kind, const char *key_id, int64_t (*clock)(void))
{
    struct fault f = {0};
    char crl_dir[160];

    memset(s, 0, sizeof *s);
    strcpy(s->dir, "/tmp/chancery-crl-XXXXXX");
    cr_assert_not_null(mkdtemp(s->dir));
    snprintf(s->store_dir, sizeof s->store_dir, "%s/store", s->dir);
    snprintf(s->public_dir, sizeof s->public_dir, "%s/public", s->dir);
    snprintf(crl_dir, sizeof crl_dir, "%s/crl", s->public_dir);
    snprintf(s->crl_path, sizeof s->crl_path, "%s/%s.crl", crl_dir, issuer.id);
    snprintf(s->pem_path, sizeof s->pem_path, "%s/%s.pem", crl_dir, issuer.id);
    cr_assert(mkdir(s->store_dir, 0700) == 0 && mkdir(s->public_dir, 0755) == 0 && mkdir(crl_dir, 0755) == 0);
    make_key(s, kind);
    make_certificate(s);
    signer_start(s, key_id, clock);
    cr_assert_eq(store_open(s->store_dir, STORE_CREATE, 0, &s->store, &f), OK, "%s", f.detail);
    add_issuer(s);
}

void shop_open(struct shop *s, const char *kind, const char *key_id)
{
    wall = mmap(NULL, sizeof *wall, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(wall, MAP_FAILED);
    shop_clock_set(SHOP_NOW);
    open_with(s, kind, key_id, shop_clock);
}

void shop_open_today(struct shop *s, const char *kind, const char *key_id)
{
    open_with(s, kind, key_id, NULL);
}

void shop_signer_stop(struct shop *s)
{
    if (s->signer == 0)
        return;
    close(s->port.fd);
    waitpid(s->signer, NULL, 0);
    s->signer = 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void shop_close(struct shop *s)
{
    shop_signer_stop(s);
    store_close(s->store);
    X509_free(s->certificate);
    EVP_PKEY_free(s->key);
    OPENSSL_free(s->der);
    free(s->revoked);
    nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- revoked certificates ---- */

static void store_revoked(struct shop *s, struct txn *t, const struct revoked *r)
{
    struct cert c = {.status = {.issuer_no = s->no, .not_after_s = r->not_after_s},
                     .not_before_s = SHOP_NOW - 30 * DAY,
                     .issued_at_s = SHOP_NOW - 30 * DAY,
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .profile = "ucm/tomcat",
                     .requester = "test",
                     .cn = span_str("a.example.com"),
                     .subject = span_str("CN=a.example.com"),
                     .der = span_str("der")};
    uint64_t number;

    memcpy(c.serial, r->serial, SERIAL_LEN);
    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
    cert_revoke(t, r->serial, r->reason, r->revoked_at_s, r->invalidity_s);
}

static void remember(struct shop *s, const struct revoked *r)
{
    size_t at = s->count;

    s->revoked = realloc(s->revoked, (s->count + 1) * sizeof *s->revoked);
    while (at > 0 && memcmp(s->revoked[at - 1].serial, r->serial, SERIAL_LEN) > 0) {
        s->revoked[at] = s->revoked[at - 1];
        at--;
    }
    s->revoked[at] = *r;
    s->count++;
}

void shop_revoke_one(struct shop *s, const struct revoked *r)
{
    struct txn *t;

    cr_assert_eq(txn_begin(s->store, &t), OK);
    store_revoked(s, t, r);
    cr_assert_eq(txn_commit(t), OK);
    remember(s, r);
}

static uint32_t dice(void)
{
    static uint32_t state = 2463534242u;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

void shop_revoke(struct shop *s, size_t count)
{
    static const enum reason reasons[] = {
        REASON_UNSPECIFIED,         REASON_KEY_COMPROMISE,      REASON_CA_COMPROMISE,
        REASON_AFFILIATION_CHANGED, REASON_SUPERSEDED,          REASON_CESSATION_OF_OPERATION,
        REASON_CERTIFICATE_HOLD,    REASON_PRIVILEGE_WITHDRAWN, REASON_AA_COMPROMISE};
    struct txn *t;

    cr_assert_eq(txn_begin(s->store, &t), OK);
    for (size_t i = 0; i < count; i++) {
        struct revoked r = {.reason = reasons[i % (sizeof reasons / sizeof *reasons)],
                            .revoked_at_s =
                                i % 17 == 16 ? SHOP_NOW + 9000 * DAY : SHOP_NOW - dice() % (30 * DAY),
                            .invalidity_s = i % 3 == 0 ? NO_TIME : SHOP_NOW - dice() % (60 * DAY),
                            .not_after_s = SHOP_NOW + 30 * DAY};

        for (size_t o = 0; o < SERIAL_LEN; o++)
            r.serial[o] = (uint8_t)dice();
        r.serial[0] = (uint8_t)(1 + r.serial[0] % 127);
        store_revoked(s, t, &r);
        remember(s, &r);
    }
    cr_assert_eq(txn_commit(t), OK);
}

/* ---- the judge ---- */

static void add_entry(X509_CRL *crl, const struct revoked *r)
{
    X509_REVOKED *e = X509_REVOKED_new();
    BIGNUM *n = BN_bin2bn(r->serial, SERIAL_LEN, NULL);
    ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(n, NULL);
    ASN1_TIME *when = ASN1_TIME_set(NULL, r->revoked_at_s);

    X509_REVOKED_set_serialNumber(e, serial);
    X509_REVOKED_set_revocationDate(e, when);
    if (r->reason != REASON_UNSPECIFIED) {
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();

        ASN1_ENUMERATED_set(reason, (long)r->reason);
        X509_REVOKED_add1_ext_i2d(e, NID_crl_reason, reason, 0, 0);
        ASN1_ENUMERATED_free(reason);
    }
    if (r->invalidity_s != NO_TIME) {
        ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, r->invalidity_s);

        X509_REVOKED_add1_ext_i2d(e, NID_invalidity_date, t, 0, 0);
        ASN1_GENERALIZEDTIME_free(t);
    }
    X509_CRL_add0_revoked(crl, e);
    ASN1_TIME_free(when);
    ASN1_INTEGER_free(serial);
    BN_free(n);
}

X509_CRL *shop_crl(const struct shop *s, uint64_t number, int64_t from_s, int64_t to_s,
                   bool (*keep)(const struct revoked *r))
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, from_s), *to = ASN1_TIME_set(NULL, to_s);
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    X509V3_CTX ctx;
    X509_EXTENSION *aki;

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(s->certificate));
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, to);
    X509V3_set_ctx(&ctx, s->certificate, NULL, NULL, crl, 0);
    aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    X509_CRL_add_ext(crl, aki, -1);
    ASN1_INTEGER_set_uint64(n, number);
    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0);
    for (size_t i = 0; i < s->count; i++)
        if (keep == NULL || keep(&s->revoked[i]))
            add_entry(crl, &s->revoked[i]);
    cr_assert_gt(X509_CRL_sign(crl, s->key, digest_of(s->key)), 0);
    X509_EXTENSION_free(aki);
    ASN1_INTEGER_free(n);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return crl;
}

struct span shop_read(const char *path)
{
    struct fault f = {0};
    struct buf b;
    size_t len;
    uint8_t *data;

    buf_init(&b, 1u << 28);
    cr_assert_eq(file_read(path, &b, &f), OK, "%s", f.detail);
    data = buf_take(&b, &len);
    return span_of(data, len);
}

X509_CRL *shop_published(const struct shop *s)
{
    struct span der = shop_read(s->crl_path);
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);

    cr_assert_not_null(crl);
    cr_assert_eq((size_t)(at - der.data), der.len, "nothing after the CRL");
    cr_assert_eq(X509_CRL_verify(crl, s->key), 1);
    free((void *)der.data);
    return crl;
}

uint64_t shop_number(const X509_CRL *crl)
{
    ASN1_INTEGER *n = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    uint64_t out = 0;

    cr_assert_not_null(n);
    cr_assert_eq(ASN1_INTEGER_get_uint64(&out, n), 1);
    ASN1_INTEGER_free(n);
    return out;
}

/* ---- the desk ---- */

enum err shop_reserve(void *arg, const char *issuer_id, uint64_t *number)
{
    struct shop *s = arg;
    struct txn *t;

    cr_assert_str_eq(issuer_id, issuer.id);
    cr_assert_eq(txn_begin(s->store, &t), OK);
    crl_state_reserve(t, s->no, number);
    return txn_commit(t);
}

enum err shop_record(void *arg, const char *issuer_id, const struct crl_part *p, const char *cause)
{
    struct shop *s = arg;
    struct txn *t;

    cr_assert(strcmp(issuer_id, issuer.id) == 0 && cause[0] != '\0');
    cr_assert_eq(txn_begin(s->store, &t), OK);
    crl_part_publish(t, s->no, p);
    return txn_commit(t);
}

struct crl_state shop_state(const struct shop *s)
{
    struct crl_state state;
    struct view *v;

    cr_assert_eq(view_open(s->store, &v), OK);
    cr_assert_eq(crl_state_find(v, s->no, &state), OK);
    view_close(v);
    return state;
}
