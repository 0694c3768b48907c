/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr_proof: proof of possession: the request's self-signature, verified. Common keys are built from raw
 * parameters, because OpenSSL's decoder costs several times the verification; whatever is not common goes
 * through OpenSSL's own request parser. Weak hashes and small keys verify here: naming them is policy's.
 */
#include "api/csr.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"

#define RSA_BITS_MAX 16384u /* OpenSSL verifies none above */

/* AlgorithmIdentifiers of the common signatures, content after the SEQUENCE header. RFC 8017 A.2.4, RFC
 * 5758 3.2 */
#define RSA_ALG(n)                                                                                           \
    {                                                                                                        \
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n, 0x05, 0x00                            \
    }
#define ECDSA_ALG(n)                                                                                         \
    {                                                                                                        \
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n                                              \
    }

static const struct {
    enum key_type key;
    enum hash_alg hash;
    size_t len;
    uint8_t body[13];
} signatures[] = {
    {KEY_RSA, HASH_SHA256, 13, RSA_ALG(11)},
    {KEY_RSA, HASH_SHA384, 13, RSA_ALG(12)},
    {KEY_RSA, HASH_SHA512, 13, RSA_ALG(13)},
    {KEY_RSA, HASH_SHA224, 13, RSA_ALG(14)},
    {KEY_RSA, HASH_SHA1, 13, RSA_ALG(5)},
    {KEY_RSA, HASH_MD5, 13, RSA_ALG(4)},
    {KEY_EC, HASH_SHA256, 10, ECDSA_ALG(2)},
    {KEY_EC, HASH_SHA384, 10, ECDSA_ALG(3)},
    {KEY_EC, HASH_SHA512, 10, ECDSA_ALG(4)},
    {KEY_EC, HASH_SHA224, 10, ECDSA_ALG(1)},
    {KEY_EC, HASH_SHA1, 9, {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01}},
};

static const char *digest_name(enum hash_alg h)
{
    static const char *const names[] = {
        [HASH_MD5] = "MD5",       [HASH_SHA1] = "SHA1",     [HASH_SHA224] = "SHA224",
        [HASH_SHA256] = "SHA256", [HASH_SHA384] = "SHA384", [HASH_SHA512] = "SHA512",
    };

    return names[h];
}

/* HASH_NONE: not one of the table's, or of another kind of key. */
static enum hash_alg common_hash(struct span algorithm, enum key_type key)
{
    struct der d;

    if (!der_expect(&algorithm, DER_SEQUENCE, &d))
        return HASH_NONE;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (signatures[i].key == key && span_eq(d.body, span_of(signatures[i].body, signatures[i].len)))
            return signatures[i].hash;
    return HASH_NONE;
}

static EVP_PKEY *key_from(const char *type, int selection, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (ctx == NULL)
        die("OpenSSL has no %s", type);
    if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* key_kind_of() has held the shape: SEQUENCE of two positive INTEGERs. */
static EVP_PKEY *rsa_key(const struct key_kind *k)
{
    struct span in = k->key_bits;
    struct der outer, n, e;
    OSSL_PARAM_BLD *b;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    BIGNUM *bn_n, *bn_e;

    if (k->bits > RSA_BITS_MAX || !der_next(&in, &outer) || !der_next(&outer.body, &n) ||
        !der_next(&outer.body, &e))
        return NULL;
    bn_n = BN_bin2bn(n.body.data, (int)n.body.len, NULL);
    bn_e = BN_bin2bn(e.body.data, (int)e.body.len, NULL);
    b = OSSL_PARAM_BLD_new();
    if (b == NULL || bn_n == NULL || bn_e == NULL)
        die("out of memory");
    if (OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
        params = OSSL_PARAM_BLD_to_param(b);
    if (params != NULL)
        key = key_from("RSA", EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn_n);
    BN_free(bn_e);
    return key;
}

/* Curves without a key. Setting one up costs OpenSSL three times what copying it does. Made once, by
 * whichever thread comes first, and never changed: copying is safe from any. */
static struct curve {
    unsigned bits;
    char group[16];
    EVP_PKEY *blank;
} curves[] = {{224, "P-224", NULL}, {256, "P-256", NULL}, {384, "P-384", NULL}, {521, "P-521", NULL}};

static void curves_make(void)
{
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0), OSSL_PARAM_END};

        curves[i].blank = key_from("EC", EVP_PKEY_KEY_PARAMETERS, params);
    }
}

/* NULL: none of these, or OpenSSL was built without it. */
static const struct curve *curve_find(unsigned bits)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, curves_make);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (curves[i].bits == bits && curves[i].blank != NULL)
            return &curves[i];
    return NULL;
}

/* NULL: no point on the curve. */
static EVP_PKEY *ec_key(const struct curve *curve, const struct key_kind *k)
{
    EVP_PKEY *key = EVP_PKEY_dup(curve->blank);

    if (key == NULL)
        die("out of memory");
    if (EVP_PKEY_set1_encoded_public_key(key, k->key_bits.data, k->key_bits.len) == 1)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static bool verify(const struct csr *c, EVP_PKEY *key, enum hash_alg hash)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct span s = span_of(c->signature.data + 1, c->signature.len - 1);
    bool ok;

    if (ctx == NULL)
        die("out of memory");
    ok = EVP_DigestVerifyInit_ex(ctx, NULL, digest_name(hash), NULL, NULL, key, NULL) == 1 &&
         EVP_DigestVerify(ctx, s.data, s.len, c->info.data, c->info.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* RFC 4055 3.1: an absent hashAlgorithm is SHA-1. */
static int pss_digest(const X509_ALGOR *a)
{
    const void *value = NULL;
    int type = 0, nid = NID_sha1;
    const ASN1_OBJECT *oid;
    RSA_PSS_PARAMS *p;

    X509_ALGOR_get0(NULL, &type, &value, a);
    if (type != V_ASN1_SEQUENCE)
        return NID_undef;
    p = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
    if (p == NULL)
        return NID_undef;
    if (p->hashAlgorithm != NULL) {
        X509_ALGOR_get0(&oid, NULL, NULL, p->hashAlgorithm);
        nid = OBJ_obj2nid(oid);
    }
    RSA_PSS_PARAMS_free(p);
    return nid;
}

static enum hash_alg request_hash(const X509_REQ *q)
{
    static const struct {
        int nid;
        enum hash_alg hash;
    } table[] = {{NID_md5, HASH_MD5},       {NID_sha1, HASH_SHA1},     {NID_sha224, HASH_SHA224},
                 {NID_sha256, HASH_SHA256}, {NID_sha384, HASH_SHA384}, {NID_sha512, HASH_SHA512}};
    const X509_ALGOR *a = NULL;
    int nid = NID_undef;

    X509_REQ_get0_signature(q, NULL, &a);
    if (X509_REQ_get_signature_nid(q) == NID_rsassaPss)
        nid = pss_digest(a);
    else
        (void)OBJ_find_sigid_algs(X509_REQ_get_signature_nid(q), &nid, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].nid == nid)
            return table[i].hash;
    return HASH_NONE;
}

/* OpenSSL reads past parameters it has no use for; here they are absent, NULL, or those of PSS. */
static bool has_plain_parameters(const X509_REQ *q)
{
    const X509_ALGOR *a = NULL;
    int type = V_ASN1_UNDEF;

    X509_REQ_get0_signature(q, NULL, &a);
    X509_ALGOR_get0(NULL, &type, NULL, a);
    return type == V_ASN1_UNDEF || type == V_ASN1_NULL || X509_REQ_get_signature_nid(q) == NID_rsassaPss;
}

/* The long way: any signature and key OpenSSL knows. */
static bool prove_uncommon(struct csr *c, struct findings *fs)
{
    const uint8_t *p = c->der.data;
    X509_REQ *q = d2i_X509_REQ(NULL, &p, (long)c->der.len);
    EVP_PKEY *key = q == NULL ? NULL : X509_REQ_get0_pubkey(q);
    bool ok = true;

    if (key == NULL) {
        finding_add(fs, "key.unsupported", "key", "a key that OpenSSL does not know", "RSA or EC");
    } else {
        ok = has_plain_parameters(q) && X509_REQ_verify(q, key) == 1;
        c->facts.signature_hash = request_hash(q);
    }
    X509_REQ_free(q);
    return ok;
}

/* OpenSSL takes no point that is not on the curve; on these curves (cofactor 1) every point but infinity is
 * in the group, and key_kind_of() has refused infinity. */
static bool prove_common(struct csr *c, const struct curve *curve, enum hash_alg hash, struct findings *fs)
{
    EVP_PKEY *key = c->key.type == KEY_RSA ? rsa_key(&c->key) : ec_key(curve, &c->key);
    bool ok = key != NULL && verify(c, key, hash);

    c->facts.signature_hash = hash;
    if (key == NULL && c->key.type == KEY_EC) {
        finding_add(fs, "key.point", "key", "a point that is not on the curve", "a point on the curve");
        return true; /* nothing to verify with */
    }
    EVP_PKEY_free(key);
    return ok;
}

void csr_prove(struct csr *c, struct findings *fs)
{
    enum hash_alg hash = common_hash(c->algorithm, c->key.type);
    const struct curve *curve = NULL;
    bool ok;

    /* Nobody's to compute with (CVE-2022-0778 and its kind), nor for OpenSSL to read, wherever it stands. */
    if (has_explicit_curve(buf_span(&c->der))) {
        finding_add(fs, "key.curve", "key", "explicit parameters", "a named curve");
        return;
    }
    if (c->key.type == KEY_EC)
        curve = curve_find(c->key.bits);
    if (hash != HASH_NONE && (c->key.type == KEY_RSA || curve != NULL))
        ok = prove_common(c, curve, hash, fs);
    else
        ok = prove_uncommon(c, fs);
    ERR_clear_error();
    if (!ok)
        finding_add(fs, "csr.signature", "signature", NULL, NULL);
}
