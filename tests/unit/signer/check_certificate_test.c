/* SPDX-License-Identifier: Apache-2.0 */
/* Does a CA key sign what it is for, and nothing beside it? OpenSSL writes every tbsCertificate and verifies
 * every signature. */
#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

#include "verdict.h"

static struct forge f;
static struct fault fault;

static void setup(void)
{
    forge_open(&f, "ec-256", 2);
}

static void teardown(void)
{
    forge_close(&f);
}

TestSuite(check_certificate, .init = setup, .fini = teardown);

static enum err judge(const struct signer_key *k, X509 *x)
{
    struct span tbs = forge_tbs(&f, x);
    enum err e = forge_judge(&f, k, PORT_CERTIFICATE, tbs, &fault);

    forge_span_free(tbs);
    return e;
}

#define cr_assert_refused(k, x, code, start)                                                                 \
    do {                                                                                                     \
        cr_assert_eq(judge(k, x), code, "%s", fault.detail);                                                 \
        cr_assert_eq(strncmp(fault.detail, start, strlen(start)), 0, "%s", fault.detail);                    \
    } while (0)

Test(check_certificate, good_ones_are_signed)
{
    cr_assert_eq(judge(f.ca, forge_leaf(&f)), OK, "%s", fault.detail);
    cr_assert_eq(judge(f.ca, forge_responder(&f)), OK, "%s", fault.detail);
    cr_assert_eq(judge(f.ca, forge_subordinate(&f, 1)), OK, "%s", fault.detail);
    cr_assert_eq(judge(f.ca, forge_subordinate(&f, 0)), OK, "%s", fault.detail);
}

Test(check_certificate_kinds, every_kind_of_key_signs)
{
    static const char *const kinds[] = {"rsa-2048", "rsa-3072", "ec-256", "ec-384", "ec-521"};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        forge_open(&f, kinds[i], -1);
        cr_assert_eq(judge(f.ca, forge_leaf(&f)), OK, "%s: %s", kinds[i], fault.detail);
        cr_assert_eq(judge(f.ca, forge_subordinate(&f, 5)), OK, "%s: %s", kinds[i], fault.detail);
        forge_close(&f);
    }
}

Test(check_certificate, a_key_for_neither_leaf_nor_subordinate_signs_responders)
{
    struct signer_spec spec = forge_spec(&f);
    struct signer_key *k;

    spec.may_leaf = spec.may_subordinate = false;
    k = forge_key(&f, spec);
    cr_assert_eq(judge(k, forge_responder(&f)), OK, "%s", fault.detail);
    cr_assert_refused(k, forge_leaf(&f), ERR_POLICY, "certificate.leaf:");
    cr_assert_refused(k, forge_subordinate(&f, 1), ERR_POLICY, "certificate.ca: this key");
    signer_key_free(k);
}

Test(check_certificate, a_key_for_leaves_signs_no_subordinate)
{
    struct signer_spec spec = forge_spec(&f);
    struct signer_key *k;

    spec.may_subordinate = false;
    k = forge_key(&f, spec);
    cr_assert_eq(judge(k, forge_leaf(&f)), OK);
    cr_assert_refused(k, forge_subordinate(&f, 1), ERR_POLICY, "certificate.ca: this key");
    signer_key_free(k);
}

/* ---- the structure ---- */

Test(check_certificate, the_ends_of_the_issuers_life_are_within_it)
{
    X509 *x = forge_leaf(&f);

    ASN1_TIME_set(X509_getm_notAfter(x), FORGE_NOW + 3650 * FORGE_DAY);
    cr_assert_eq(judge(f.ca, x), OK, "%s", fault.detail);
}

Test(check_certificate, another_algorithm_inside_is_refused)
{
    X509 *x = forge_leaf(&f);
    uint8_t *der = NULL;
    int len;

    X509_sign(x, f.key, EVP_sha384());
    len = i2d_re_X509_tbs(x, &der);
    X509_free(x);
    cr_assert_eq(forge_judge(&f, f.ca, PORT_CERTIFICATE, span_of(der, (size_t)len), &fault), ERR_POLICY);
    cr_assert_eq(strncmp(fault.detail, "certificate.signature:", 22), 0, "%s", fault.detail);
    OPENSSL_free(der);
}

Test(check_certificate, a_cut_or_padded_structure_is_malformed)
{
    struct span tbs = forge_tbs(&f, forge_leaf(&f));

    verdict_of_cuts(&f, f.ca, PORT_CERTIFICATE, tbs);
    forge_span_free(tbs);
}

Test(check_certificate, other_structures_are_not_certificates)
{
    struct span crl = forge_crl_tbs(&f, forge_crl(&f, 2)), data = forge_response_data(&f, forge_basic(&f));

    cr_assert_neq(forge_judge(&f, f.ca, PORT_CERTIFICATE, crl, &fault), OK);
    cr_assert_neq(forge_judge(&f, f.ca, PORT_CERTIFICATE, data, &fault), OK);
    forge_span_free(crl);
    forge_span_free(data);
}

/* ---- exponents ---- */

/* An RSA key with the modulus of a sound one: nothing is verified with it. */
static EVP_PKEY *rsa_of(const char *exponent)
{
    EVP_PKEY *sound = EVP_RSA_gen(2048), *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = NULL, *e = NULL;
    OSSL_PARAM *params;

    EVP_PKEY_get_bn_param(sound, OSSL_PKEY_PARAM_RSA_N, &n);
    BN_dec2bn(&e, exponent);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
    params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_fromdata_init(ctx);
    cr_assert_eq(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(e);
    BN_free(n);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(sound);
    return key;
}

static X509 *leaf_with(const char *exponent)
{
    X509 *x = forge_leaf(&f);
    EVP_PKEY *key = rsa_of(exponent);

    cr_assert_eq(X509_set_pubkey(x, key), 1);
    EVP_PKEY_free(key);
    return x;
}

Test(check_certificate, an_rsa_key_with_an_exponent_of_no_use_is_refused)
{
    static const char *const bad[] = {"1", "65536", "2147483648", "2147483649", "36893488147419103233"};
    static const char *const good[] = {"3", "65537", "2147483647"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_refused(f.ca, leaf_with(bad[i]), ERR_POLICY, "certificate.key: not RSA");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert_eq(judge(f.ca, leaf_with(good[i])), OK, "%s: %s", good[i], fault.detail);
}

/* ---- a new root ---- */

static struct signer_key *root_key(void)
{
    return forge_key(&f, (struct signer_spec){.id = "root", .uri = f.uri, .is_new_root = true});
}

Test(check_certificate, a_new_root_signs_itself_and_nothing_else)
{
    struct signer_key *k = root_key();
    struct span crl = forge_crl_tbs(&f, forge_crl(&f, 0));
    X509 *x;

    cr_assert_eq(judge(k, forge_root(&f)), OK, "%s", fault.detail);
    cr_assert_refused(k, forge_leaf(&f), ERR_POLICY, "certificate.issuer: a new root");
    x = forge_root(&f);
    X509_set_issuer_name(x, X509_get_subject_name(f.certificate));
    cr_assert_refused(k, x, ERR_POLICY, "certificate.issuer: a new root");
    x = forge_leaf(&f);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    cr_assert_refused(k, x, ERR_POLICY, "certificate.key: a new root");
    x = forge_root(&f);
    forge_drop(x, NID_basic_constraints);
    cr_assert_refused(k, x, ERR_POLICY, "certificate.ca: a new root");
    x = forge_root(&f);
    forge_drop(x, NID_subject_key_identifier);
    cr_assert_refused(k, x, ERR_POLICY, "certificate.ca: needs");
    cr_assert_eq(forge_judge(&f, k, PORT_CRL_BEGIN, crl, &fault), ERR_POLICY);
    forge_span_free(crl);
    signer_key_free(k);
}

/* ---- chance ---- */

static unsigned seen; /* that OpenSSL could read */

/* What OpenSSL, not we, makes of a certificate that got a signature. */
static void judge_by_openssl(struct span tbs, struct span signature)
{
    struct span der = forge_assemble(&f, tbs, signature);
    const unsigned char *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);

    if (x != NULL) {
        seen++;
        cr_assert_eq(X509_verify(x, f.key), 1);
        cr_assert_eq(X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(f.certificate)), 0);
        cr_assert_neq(X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(f.certificate)), 0);
        cr_assert_eq(X509_check_ca(x), 0);
        cr_assert_eq(X509_get_extension_flags(x) & (EXFLAG_CA | EXFLAG_SS | EXFLAG_CRITICAL), 0);
        if (X509_get_extension_flags(x) & EXFLAG_KUSAGE)
            cr_assert_eq(X509_get_key_usage(x) & (KU_KEY_CERT_SIGN | KU_CRL_SIGN), 0);
        if (X509_get_extension_flags(x) & EXFLAG_XKUSAGE)
            cr_assert_eq(X509_get_extended_key_usage(x) & (XKU_OCSP_SIGN | XKU_ANYEKU), 0);
        cr_assert_geq(ASN1_TIME_compare(X509_get0_notBefore(x), X509_get0_notBefore(f.certificate)), 0);
        cr_assert_leq(ASN1_TIME_compare(X509_get0_notAfter(x), X509_get0_notAfter(f.certificate)), 0);
        cr_assert_eq(X509_get_version(x), X509_VERSION_3);
    }
    X509_free(x);
    forge_span_free(der);
}

Test(check_certificate, no_mutant_that_is_signed_leaves_the_bounds)
{
    struct signer_spec spec = forge_spec(&f);
    struct span leaf = forge_tbs(&f, forge_leaf(&f)), sub = forge_tbs(&f, forge_subordinate(&f, 0));
    struct dice dice = {20260528};
    unsigned is_signed;
    struct signer_key *k;

    spec.may_subordinate = false;
    k = forge_key(&f, spec);
    is_signed = verdict_of_mutants(k, PORT_CERTIFICATE, leaf, &dice, judge_by_openssl) +
                verdict_of_mutants(k, PORT_CERTIFICATE, sub, &dice, judge_by_openssl);
    cr_assert(is_signed > 100 && seen > 100, "%u signed, %u seen: the mutants must reach both verdicts",
              is_signed, seen);
    cr_assert_lt(is_signed, 1500);
    signer_key_free(k);
    forge_span_free(leaf);
    forge_span_free(sub);
}
