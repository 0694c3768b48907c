/* SPDX-License-Identifier: Apache-2.0 */
/* forge: OpenSSL does the writing, so that the signer's reader is judged by another hand's encoder. */
#include "forge.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/der.h"

static void set_name(X509_NAME *name, const char *cn)
{
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Example UC", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
}

static void set_times(X509 *x, int64_t from, int64_t to)
{
    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), to);
}

void forge_extension(X509 *x, int nid, const char *value, X509 *issuer)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    cr_assert_not_null(e, "%s", value);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

void forge_raw_extension(X509 *x, int nid, bool is_critical, const void *value, int len)
{
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e;

    ASN1_OCTET_STRING_set(octets, value, len);
    e = X509_EXTENSION_create_by_NID(NULL, nid, is_critical, octets);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
}

void forge_drop(X509 *x, int nid)
{
    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, nid, -1)));
}

static const EVP_MD *digest_of(const struct forge *f)
{
    int bits = EVP_PKEY_get_bits(f->key);

    if (EVP_PKEY_is_a(f->key, "RSA") || bits == 256)
        return EVP_sha256();
    return bits == 384 ? EVP_sha384() : EVP_sha512();
}

static X509 *new_certificate(const struct forge *f, long serial, const char *cn)
{
    X509 *x = X509_new();

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    set_name(X509_get_subject_name(x), cn);
    if (f->certificate != NULL)
        X509_set_issuer_name(x, X509_get_subject_name(f->certificate));
    set_times(x, FORGE_NOW, FORGE_NOW + 90 * FORGE_DAY);
    return x;
}

static void set_fresh_key(X509 *x)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    X509_set_pubkey(x, key);
    EVP_PKEY_free(key);
}

X509 *forge_root(const struct forge *f)
{
    X509 *x = new_certificate(f, 1, "Root CA G1");

    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, f->key);
    forge_extension(x, NID_basic_constraints, "critical,CA:TRUE", x);
    forge_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign", x);
    forge_extension(x, NID_subject_key_identifier, "hash", x);
    return x;
}

X509 *forge_leaf(const struct forge *f)
{
    X509 *x = new_certificate(f, 4711, "leaf.example.com");

    set_fresh_key(x);
    forge_extension(x, NID_key_usage, "critical,digitalSignature,dataEncipherment", f->certificate);
    forge_extension(x, NID_ext_key_usage, "serverAuth,clientAuth", f->certificate);
    forge_extension(x, NID_subject_alt_name, "DNS:leaf.example.com,IP:192.0.2.1", f->certificate);
    forge_extension(x, NID_subject_key_identifier, "hash", f->certificate);
    forge_extension(x, NID_authority_key_identifier, "keyid:always", f->certificate);
    forge_extension(x, NID_crl_distribution_points, "URI:http://ca.example.com/crl/ca.crl", f->certificate);
    forge_extension(x, NID_freshest_crl, "URI:http://ca.example.com/crl/ca-delta.crl", f->certificate);
    forge_extension(x, NID_info_access,
                    "OCSP;URI:http://ca.example.com/ocsp,caIssuers;URI:http://ca.example.com/ca.cer",
                    f->certificate);
    return x;
}

X509 *forge_subordinate(const struct forge *f, int path_len)
{
    X509 *x = new_certificate(f, 12, "Issuing CA G1");
    char constraints[64];

    set_fresh_key(x);
    snprintf(constraints, sizeof constraints, "critical,CA:TRUE,pathlen:%d", path_len);
    forge_extension(x, NID_basic_constraints, path_len >= 0 ? constraints : "critical,CA:TRUE",
                    f->certificate);
    forge_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign", f->certificate);
    forge_extension(x, NID_subject_key_identifier, "hash", f->certificate);
    forge_extension(x, NID_authority_key_identifier, "keyid:always", f->certificate);
    return x;
}

X509 *forge_responder(const struct forge *f)
{
    X509 *x = new_certificate(f, 13, "OCSP responder");

    set_fresh_key(x);
    forge_extension(x, NID_key_usage, "critical,digitalSignature", f->certificate);
    forge_extension(x, NID_ext_key_usage, "OCSPSigning", f->certificate);
    forge_extension(x, NID_id_pkix_OCSP_noCheck, "", f->certificate);
    forge_extension(x, NID_authority_key_identifier, "keyid:always", f->certificate);
    return x;
}

struct span forge_tbs(const struct forge *f, X509 *x)
{
    uint8_t *der = NULL;
    int len;

    cr_assert_gt(X509_sign(x, f->key, digest_of(f)), 0);
    len = i2d_re_X509_tbs(x, &der);
    X509_free(x);
    cr_assert_gt(len, 0);
    return span_of(der, (size_t)len);
}

void forge_span_free(struct span s)
{
    OPENSSL_free((void *)s.data);
}

static void make_ca(struct forge *f, int path_len)
{
    X509 *x = new_certificate(f, 2, "Test CA G1");
    char constraints[64];

    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, f->key);
    set_times(x, FORGE_NOW, FORGE_NOW + 3650 * FORGE_DAY);
    snprintf(constraints, sizeof constraints, "critical,CA:TRUE,pathlen:%d", path_len);
    forge_extension(x, NID_basic_constraints, path_len >= 0 ? constraints : "critical,CA:TRUE", x);
    forge_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign", x);
    forge_extension(x, NID_subject_key_identifier, "hash", x);
    cr_assert_gt(X509_sign(x, f->key, digest_of(f)), 0);
    f->certificate = x;
    f->der_len = (size_t)i2d_X509(x, &f->der);
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *in = fopen(path, "r");
    EVP_PKEY *key;

    cr_assert_not_null(in);
    key = PEM_read_PrivateKey(in, NULL, NULL, NULL);
    fclose(in);
    cr_assert_not_null(key);
    return key;
}

struct signer_spec forge_spec(const struct forge *f)
{
    return (struct signer_spec){.id = "ca",
                                .uri = f->uri,
                                .certificate = span_of(f->der, f->der_len),
                                .may_leaf = true,
                                .may_subordinate = true};
}

struct signer_key *forge_key(const struct forge *f, struct signer_spec spec)
{
    struct signer_key *k = NULL;
    struct fault fault = {0};

    (void)f;
    cr_assert_eq(signer_key_load(&spec, &k, &fault), OK, "%s", fault.detail);
    return k;
}

void forge_open(struct forge *f, const char *kind, int path_len)
{
    struct fault fault = {0};
    uint8_t *spki;
    size_t len;

    memset(f, 0, sizeof *f);
    strcpy(f->dir, "/tmp/chancery-signer-XXXXXX");
    cr_assert_not_null(mkdtemp(f->dir));
    snprintf(f->key_path, sizeof f->key_path, "%s/ca.key", f->dir);
    snprintf(f->uri, sizeof f->uri, "file:%s", f->key_path);
    cr_assert_eq(signer_key_generate(kind, f->key_path, &spki, &len, &fault), OK, "%s", fault.detail);
    free(spki);
    f->key = read_key(f->key_path);
    make_ca(f, path_len);
    f->ca = forge_key(f, forge_spec(f));
}

void forge_close(struct forge *f)
{
    signer_key_free(f->ca);
    X509_free(f->certificate);
    EVP_PKEY_free(f->key);
    OPENSSL_free(f->der);
    unlink(f->key_path);
    rmdir(f->dir);
}

struct span forge_assemble(const struct forge *f, struct span tbs, struct span signature)
{
    struct key_kind kind;
    struct buf b;
    size_t mark;
    uint8_t *out;
    size_t len;

    cr_assert(key_kind_of(signer_key_spki(f->ca), &kind));
    buf_init(&b, 1 << 24);
    mark = der_open(&b, DER_SEQUENCE);
    buf_put_span(&b, tbs);
    buf_put_span(&b, sig_alg_der(sig_alg_for(&kind)));
    der_put_bits(&b, signature);
    der_close(&b, mark);
    cr_assert_eq(buf_end(&b), OK);
    out = OPENSSL_memdup(b.data, b.len);
    len = b.len;
    buf_free(&b);
    return span_of(out, len);
}

void forge_crl_times(X509_CRL *crl, int64_t from_s, int64_t to_s)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, from_s), *to = ASN1_TIME_set(NULL, to_s);

    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, to);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
}

void forge_crl_integer(X509_CRL *crl, int nid, long value, int critical)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();

    ASN1_INTEGER_set(n, value);
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, nid, n, critical, X509V3_ADD_REPLACE), 1);
    ASN1_INTEGER_free(n);
}

void forge_crl_extension(const struct forge *f, X509_CRL *crl, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, f->certificate, NULL, NULL, crl, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    cr_assert_not_null(e, "%s", value);
    X509_CRL_add_ext(crl, e, -1);
    X509_EXTENSION_free(e);
}

static void add_entry(X509_CRL *crl, unsigned i)
{
    static const int reasons[] = {-1, 1, 2, 3, 4, 5, 6, 9, 10};
    int reason = reasons[i % (sizeof reasons / sizeof *reasons)];
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, FORGE_NOW - i);

    ASN1_INTEGER_set_uint64(serial, 1000 + (uint64_t)i * 7919);
    X509_REVOKED_set_serialNumber(r, serial);
    X509_REVOKED_set_revocationDate(r, when);
    if (reason >= 0) {
        ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();

        ASN1_ENUMERATED_set(e, reason);
        X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
        ASN1_ENUMERATED_free(e);
    }
    if (i % 5 == 0) {
        ASN1_GENERALIZEDTIME *t = ASN1_GENERALIZEDTIME_set(NULL, FORGE_NOW - 100000);

        X509_REVOKED_add1_ext_i2d(r, NID_invalidity_date, t, 0, 0);
        ASN1_GENERALIZEDTIME_free(t);
    }
    X509_CRL_add0_revoked(crl, r);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(when);
}

X509_CRL *forge_crl(const struct forge *f, unsigned count)
{
    X509_CRL *crl = X509_CRL_new();

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(f->certificate));
    forge_crl_times(crl, FORGE_NOW, FORGE_NOW + 7 * FORGE_DAY);
    forge_crl_extension(f, crl, NID_authority_key_identifier, "keyid:always");
    forge_crl_integer(crl, NID_crl_number, 300, 0);
    for (unsigned i = 0; i < count; i++)
        add_entry(crl, i);
    return crl;
}

struct span forge_crl_tbs(const struct forge *f, X509_CRL *crl)
{
    uint8_t *der = NULL;
    int len;

    cr_assert_gt(X509_CRL_sign(crl, f->key, digest_of(f)), 0);
    len = i2d_re_X509_CRL_tbs(crl, &der);
    X509_CRL_free(crl);
    cr_assert_gt(len, 0);
    return span_of(der, (size_t)len);
}

/* As old as what OpenSSL stamps with its own clock. */
OCSP_BASICRESP *forge_basic(const struct forge *f)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    int64_t now_s = (int64_t)time(NULL);
    ASN1_TIME *now = ASN1_TIME_set(NULL, now_s), *next = ASN1_TIME_set(NULL, now_s + FORGE_DAY);
    static const int states[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                                 V_OCSP_CERTSTATUS_UNKNOWN};
    static unsigned char nonce[] = "nonce";

    for (int i = 0; i < 3; i++) {
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        OCSP_CERTID *id;

        ASN1_INTEGER_set(serial, 5 + i);
        id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(f->certificate),
                              X509_get0_pubkey_bitstr(f->certificate), serial);
        OCSP_basic_add1_status(basic, id, states[i], OCSP_REVOKED_STATUS_KEYCOMPROMISE, now, now, next);
        OCSP_CERTID_free(id);
        ASN1_INTEGER_free(serial);
    }
    OCSP_basic_add1_nonce(basic, nonce, sizeof nonce);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    return basic;
}

/* OpenSSL stamps producedAt with its own clock, so the judge's clock is that one. */
struct span forge_response_data(const struct forge *f, OCSP_BASICRESP *basic)
{
    uint8_t *der = NULL;
    int len;

    cr_assert_eq(
        OCSP_basic_sign(basic, f->certificate, f->key, digest_of(f), NULL, OCSP_RESPID_KEY | OCSP_NOCERTS),
        1);
    len = i2d_OCSP_RESPDATA((OCSP_RESPDATA *)OCSP_resp_get0_respdata(basic), &der);
    OCSP_BASICRESP_free(basic);
    cr_assert_gt(len, 0);
    return span_of(der, (size_t)len);
}

void forge_verify(const struct forge *f, struct span tbs, struct span signature)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    cr_assert_eq(EVP_DigestVerifyInit(md, NULL, digest_of(f), NULL, f->key), 1);
    cr_assert_eq(EVP_DigestVerify(md, signature.data, signature.len, tbs.data, tbs.len), 1);
    EVP_MD_CTX_free(md);
}

enum err forge_judge(const struct forge *f, const struct signer_key *k, enum port_kind kind, struct span tbs,
                     struct fault *fault)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t len = 0;
    int64_t now = kind == PORT_OCSP ? (int64_t)time(NULL) : FORGE_NOW;
    enum err e;

    memset(fault, 0, sizeof *fault);
    e = signer_sign(k, kind, tbs, now, signature, &len, fault);
    if (e == OK)
        forge_verify(f, tbs, span_of(signature, len));
    else
        cr_assert_eq(len, 0, "no signature beside a refusal");
    return e;
}
