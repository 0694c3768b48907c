/* SPDX-License-Identifier: Apache-2.0 */
/* forge: see forge.h. Anything that fails here is the test's own fault: assert. */
#include "tests/unit/api/forge.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

EVP_PKEY *forge_key(const char *name)
{
    EVP_PKEY *key = NULL;

    if (strncmp(name, "rsa-", 4) == 0) {
        bool is_pss = strcmp(name, "rsa-pss") == 0;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, is_pss ? "RSA-PSS" : "RSA", NULL);

        assert(EVP_PKEY_keygen_init(ctx) == 1);
        assert(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, is_pss ? 2048 : atoi(name + 4)) == 1);
        assert(EVP_PKEY_generate(ctx, &key) == 1);
        EVP_PKEY_CTX_free(ctx);
    } else if (strcmp(name, "ed25519") == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else if (strcmp(name, "explicit") == 0) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

        assert(EVP_PKEY_keygen_init(ctx) == 1 &&
               EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1);
        assert(EVP_PKEY_CTX_set_ec_param_enc(ctx, OPENSSL_EC_EXPLICIT_CURVE) == 1 &&
               EVP_PKEY_generate(ctx, &key) == 1);
        EVP_PKEY_CTX_free(ctx);
    } else {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", name);
    }
    assert(key != NULL);
    return key;
}

void forge_init(struct forge *f, EVP_PKEY *key)
{
    *f = (struct forge){.key = key};
    buf_init(&f->subject, 65536);
    buf_init(&f->extensions, 262144);
    buf_init(&f->attributes, 65536);
}

void forge_free(struct forge *f)
{
    buf_free(&f->subject);
    buf_free(&f->extensions);
    buf_free(&f->attributes);
}

void forge_rdn(struct forge *f, uint8_t attribute, uint8_t tag, struct span text)
{
    uint8_t oid[] = {0x55, 0x04, attribute};
    size_t set = der_open(&f->subject, DER_SET), pair = der_open(&f->subject, DER_SEQUENCE);

    der_put_oid(&f->subject, span_of(oid, sizeof oid));
    der_put(&f->subject, tag, text);
    der_close(&f->subject, pair);
    der_close(&f->subject, set);
}

void forge_extension(struct forge *f, uint8_t id_ce, struct span value)
{
    uint8_t oid[] = {0x55, 0x1d, id_ce};
    size_t mark = der_open(&f->extensions, DER_SEQUENCE);

    der_put_oid(&f->extensions, span_of(oid, sizeof oid));
    der_put(&f->extensions, DER_OCTET_STRING, value);
    der_close(&f->extensions, mark);
}

void forge_extension_text(struct forge *f, const char *name, const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_nconf(NULL, NULL, name, value);
    uint8_t *der = NULL;
    int len;

    assert(x != NULL);
    len = i2d_X509_EXTENSION(x, &der);
    assert(len > 0);
    buf_put(&f->extensions, der, (size_t)len);
    OPENSSL_free(der);
    X509_EXTENSION_free(x);
}

struct span forge_spki(EVP_PKEY *key, struct buf *out)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    assert(len > 0);
    buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    return buf_span(out);
}

/* The AlgorithmIdentifier and signature as OpenSSL makes them for this key and digest. */
static void put_signed(struct forge *f, struct span info, struct buf *out)
{
    X509_ALGOR *alg = X509_ALGOR_new();
    ASN1_BIT_STRING *sig = ASN1_BIT_STRING_new();
    ASN1_TYPE *any = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool has_digest = f->digest == NULL || f->digest[0] != '\0';
    const EVP_MD *md = !has_digest ? NULL : EVP_get_digestbyname(f->digest == NULL ? "SHA256" : f->digest);
    const uint8_t *p = info.data;
    uint8_t *der = NULL;
    int len;

    any = d2i_ASN1_TYPE(NULL, &p, (long)info.len);
    assert(any != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, f->key) == 1);
    assert(ASN1_item_sign_ctx(ASN1_ITEM_rptr(ASN1_ANY), alg, NULL, sig, any, ctx) > 0);
    len = i2d_X509_ALGOR(alg, &der);
    buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    if (f->spoil_signature)
        sig->data[sig->length / 2] ^= 1;
    der_put_bits(out, span_of(sig->data, (size_t)sig->length));
    EVP_MD_CTX_free(ctx);
    ASN1_TYPE_free(any);
    ASN1_BIT_STRING_free(sig);
    X509_ALGOR_free(alg);
}

static void put_extension_request(struct forge *f, struct buf *out)
{
    static const uint8_t pkcs9[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
    static const uint8_t ms[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0e};
    size_t attribute = der_open(out, DER_SEQUENCE), set, list;

    der_put_oid(out, f->ms_oid ? span_of(ms, sizeof ms) : span_of(pkcs9, sizeof pkcs9));
    set = der_open(out, DER_SET);
    list = der_open(out, DER_SEQUENCE);
    buf_put_span(out, buf_span(&f->extensions));
    der_close(out, list);
    der_close(out, set);
    der_close(out, attribute);
}

static void put_info(struct forge *f, struct buf *out)
{
    size_t info = der_open(out, DER_SEQUENCE), mark;
    struct buf spki;

    buf_init(&spki, 65536);
    der_put_uint(out, f->version);
    mark = der_open(out, DER_SEQUENCE);
    buf_put_span(out, buf_span(&f->subject));
    der_close(out, mark);
    buf_put_span(out, forge_spki(f->key, &spki));
    mark = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
    buf_put_span(out, buf_span(&f->attributes));
    if (f->extensions.len > 0)
        put_extension_request(f, out);
    der_close(out, mark);
    der_close(out, info);
    buf_free(&spki);
}

void forge_request(struct forge *f, struct buf *out)
{
    struct buf info;
    size_t whole;

    if (f->subject.len == 0)
        forge_rdn(f, 3, DER_UTF8_STRING, span_str("a.example.com"));
    buf_init(&info, 524288);
    put_info(f, &info);
    assert(buf_end(&info) == OK);
    whole = der_open(out, DER_SEQUENCE);
    buf_put_span(out, buf_span(&info));
    put_signed(f, buf_span(&info), out);
    der_close(out, whole);
    assert(buf_end(out) == OK);
    buf_free(&info);
}

void forge_certificate(EVP_PKEY *key, struct span serial, int64_t not_before_s, int64_t not_after_s,
                       struct buf *out)
{
    X509 *x = X509_new();
    BIGNUM *bn = BN_bin2bn(serial.data, (int)serial.len, NULL);
    X509_NAME *name = X509_get_subject_name(x);
    X509_EXTENSION *san;
    uint8_t *der = NULL;
    int len;

    X509_set_version(x, 2);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)"forged", -1, -1, 0);
    X509_set_issuer_name(x, name);
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)not_before_s);
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)not_after_s);
    X509_set_pubkey(x, key);
    san = X509V3_EXT_nconf(NULL, NULL, "subjectAltName", "DNS:localhost,IP:127.0.0.1");
    assert(san != NULL && X509_add_ext(x, san, -1) == 1);
    X509_EXTENSION_free(san);
    assert(X509_sign(x, key, EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    assert(len > 0);
    buf_put(out, der, (size_t)len);
    OPENSSL_free(der);
    BN_free(bn);
    X509_free(x);
}

void forge_key_pem(EVP_PKEY *key, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;

    assert(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    len = BIO_get_mem_data(bio, &text);
    buf_put(out, text, (size_t)len);
    BIO_free(bio);
}
