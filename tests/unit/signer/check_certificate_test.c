/* SPDX-License-Identifier: Apache-2.0 */
/* Does a CA key sign what it is for, and nothing beside it? OpenSSL writes every tbsCertificate and verifies
 * every signature. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "forge.h"

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

/* ---- one twist each of a good leaf ---- */

static void drop(X509 *x, int nid)
{
    X509_EXTENSION_free(X509_delete_ext(x, X509_get_ext_by_NID(x, nid, -1)));
}

static void replace(X509 *x, int nid, const char *value)
{
    if (X509_get_ext_by_NID(x, nid, -1) >= 0)
        drop(x, nid);
    forge_extension(x, nid, value, f.certificate);
}

static void is_v1(X509 *x)
{
    while (X509_get_ext_count(x) > 0)
        X509_EXTENSION_free(X509_delete_ext(x, 0));
    X509_set_version(x, X509_VERSION_1);
}

static void is_v2(X509 *x)
{
    X509_set_version(x, X509_VERSION_2);
}

static void serial_negative(X509 *x)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x), -4);
}

static void serial_zero(X509 *x)
{
    ASN1_INTEGER_set(X509_get_serialNumber(x), 0);
}

static void serial_of_21_octets(X509 *x)
{
    BIGNUM *n = BN_new();

    BN_set_bit(n, 160);
    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
}

static void issuer_foreign(X509 *x)
{
    X509_set_issuer_name(x, X509_get_subject_name(x));
}

/* Equal for a matching rule that folds case, not byte for byte. */
static void issuer_in_other_case(X509 *x)
{
    X509_NAME *n = X509_NAME_new();

    X509_NAME_add_entry_by_txt(n, "O", MBSTRING_UTF8, (const unsigned char *)"EXAMPLE UC", -1, -1, 0);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)"Test CA G1", -1, -1, 0);
    X509_set_issuer_name(x, n);
    X509_NAME_free(n);
}

static void subject_is_issuers(X509 *x)
{
    X509_set_subject_name(x, X509_get_subject_name(f.certificate));
}

static void key_is_issuers(X509 *x)
{
    X509_set_pubkey(x, f.key);
}

static void set_key(X509 *x, EVP_PKEY *key)
{
    cr_assert_eq(X509_set_pubkey(x, key), 1);
    EVP_PKEY_free(key);
}

static void key_of_1024_bits(X509 *x)
{
    set_key(x, EVP_RSA_gen(1024));
}

static void key_of_224_bits(X509 *x)
{
    set_key(x, EVP_EC_gen("P-224"));
}

static void key_of_a_koblitz_curve(X509 *x)
{
    set_key(x, EVP_EC_gen("secp256k1"));
}

static void key_of_edwards(X509 *x)
{
    set_key(x, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static void starts_early(X509 *x)
{
    ASN1_TIME_set(X509_getm_notBefore(x), FORGE_NOW - 1);
}

static void ends_late(X509 *x)
{
    ASN1_TIME_set(X509_getm_notAfter(x), FORGE_NOW + 3650 * FORGE_DAY + 1);
}

static void ends_before_start(X509 *x)
{
    ASN1_TIME_set(X509_getm_notBefore(x), FORGE_NOW + 91 * FORGE_DAY);
}

static void time_in_the_wrong_form(X509 *x)
{
    ASN1_TIME_set_string(X509_getm_notAfter(x), "20270101000000Z");
}

static void aki_missing(X509 *x)
{
    drop(x, NID_authority_key_identifier);
}

static void aki_foreign(X509 *x)
{
    drop(x, NID_authority_key_identifier);
    forge_raw_extension(x, NID_authority_key_identifier, false,
                        "\x30\x06\x80\x04"
                        "abcd",
                        8);
}

static void aki_with_issuer(X509 *x)
{
    replace(x, NID_authority_key_identifier, "keyid:always,issuer:always");
}

static void critical_eku(X509 *x)
{
    replace(x, NID_ext_key_usage, "critical,serverAuth");
}

static void critical_san(X509 *x)
{
    replace(x, NID_subject_alt_name, "critical,DNS:a.example.com");
}

static void critical_unknown(X509 *x)
{
    forge_raw_extension(x, NID_netscape_comment, true, "\x16\x01x", 3);
}

static void is_ca_without_path(X509 *x)
{
    forge_extension(x, NID_basic_constraints, "critical,CA:TRUE", NULL);
    replace(x, NID_key_usage, "critical,keyCertSign");
}

static void is_ca_with_equal_path(X509 *x)
{
    forge_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:2", NULL);
    replace(x, NID_key_usage, "critical,keyCertSign");
}

static void is_ca_uncritical(X509 *x)
{
    forge_extension(x, NID_basic_constraints, "CA:TRUE,pathlen:0", NULL);
    replace(x, NID_key_usage, "critical,keyCertSign");
}

static void is_ca_without_usage(X509 *x)
{
    forge_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0", NULL);
}

static void is_ca_without_ski(X509 *x)
{
    forge_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0", NULL);
    replace(x, NID_key_usage, "critical,keyCertSign");
    drop(x, NID_subject_key_identifier);
}

static void path_without_ca(X509 *x)
{
    forge_raw_extension(x, NID_basic_constraints, true, "\x30\x03\x02\x01\x00", 5);
}

static void ca_false_spelled_out(X509 *x)
{
    forge_raw_extension(x, NID_basic_constraints, true, "\x30\x03\x01\x01\x00", 5);
}

static void ca_true_in_ber(X509 *x)
{
    forge_raw_extension(x, NID_basic_constraints, true, "\x30\x03\x01\x01\x01", 5);
}

static void signs_certificates(X509 *x)
{
    replace(x, NID_key_usage, "critical,digitalSignature,keyCertSign");
}

static void signs_crls(X509 *x)
{
    replace(x, NID_key_usage, "critical,digitalSignature,cRLSign");
}

static void usage_padded(X509 *x)
{
    drop(x, NID_key_usage);
    forge_raw_extension(x, NID_key_usage, true, "\x03\x02\x00\x80", 4);
}

static void usage_empty(X509 *x)
{
    drop(x, NID_key_usage);
    forge_raw_extension(x, NID_key_usage, true, "\x03\x01\x00", 3);
}

static void usage_any(X509 *x)
{
    replace(x, NID_ext_key_usage, "serverAuth,anyExtendedKeyUsage");
}

static void ocsp_among_others(X509 *x)
{
    replace(x, NID_ext_key_usage, "serverAuth,OCSPSigning");
}

static void ocsp_without_nocheck(X509 *x)
{
    replace(x, NID_ext_key_usage, "OCSPSigning");
}

static void nocheck_without_ocsp(X509 *x)
{
    forge_extension(x, NID_id_pkix_OCSP_noCheck, "", NULL);
}

static void extension_twice(X509 *x)
{
    forge_extension(x, NID_subject_alt_name, "DNS:b.example.com", NULL);
}

static void constraints_twice(X509 *x)
{
    forge_raw_extension(x, NID_basic_constraints, true, "\x30\x00", 2);
    forge_raw_extension(x, NID_basic_constraints, true, "\x30\x03\x01\x01\xff", 5);
}

static void extension_not_der(X509 *x)
{
    forge_raw_extension(x, NID_netscape_comment, false, "\x16\x81\x01x", 4);
}

static void extension_with_a_tail(X509 *x)
{
    forge_raw_extension(x, NID_netscape_comment, false, "\x16\x01xy", 4);
}

static void extension_unknown(X509 *x)
{
    forge_raw_extension(x, NID_netscape_comment, false, "\x16\x01x", 3);
}

static void raw_san(X509 *x, const char *value, int len)
{
    drop(x, NID_subject_alt_name);
    forge_raw_extension(x, NID_subject_alt_name, false, value, len);
}

static void san_without_names(X509 *x)
{
    raw_san(x, "\x30\x00", 2);
}

static void san_with_an_empty_name(X509 *x)
{
    raw_san(x, "\x30\x02\x82\x00", 4);
}

static void san_that_is_a_key_identifier(X509 *x)
{
    raw_san(x,
            "\x30\x06\x80\x04"
            "abcd",
            8);
}

static void san_with_a_blank(X509 *x)
{
    replace(x, NID_subject_alt_name, "DNS:a b.example.com");
}

static void san_with_a_mail_address(X509 *x)
{
    replace(x, NID_subject_alt_name, "DNS:a.example.com,email:a@example.com");
}

static void san_of_five_octets(X509 *x)
{
    raw_san(x, "\x30\x07\x87\x05\x0a\x00\x00\x00\x01", 9);
}

static void san_longer_than_a_name(X509 *x)
{
    char value[4 + 254 + 1];

    snprintf(value, sizeof value, "DNS:%0254d", 0);
    replace(x, NID_subject_alt_name, value);
}

static void two_points(X509 *x)
{
    replace(x, NID_crl_distribution_points, "URI:http://a.example.com/1.crl,URI:http://a.example.com/2.crl");
}

static void point_without_a_name(X509 *x)
{
    drop(x, NID_crl_distribution_points);
    forge_raw_extension(x, NID_crl_distribution_points, false, "\x30\x02\x30\x00", 4);
}

static void point_with_a_line_feed(X509 *x)
{
    drop(x, NID_crl_distribution_points);
    forge_raw_extension(x, NID_crl_distribution_points, false,
                        "\x30\x0a\x30\x08\xa0\x06\xa0\x04\x86\x02"
                        "h\n",
                        12);
}

static void point_critical(X509 *x)
{
    replace(x, NID_crl_distribution_points, "critical,URI:http://a.example.com/1.crl");
}

static void access_to_a_host_name(X509 *x)
{
    replace(x, NID_info_access, "OCSP;DNS:ocsp.example.com");
}

static void access_to_a_repository(X509 *x)
{
    replace(x, NID_info_access, "caRepository;URI:http://ca.example.com/");
}

static void access_to_nothing(X509 *x)
{
    drop(x, NID_info_access);
    forge_raw_extension(x, NID_info_access, false, "\x30\x00", 2);
}

static void no_extensions(X509 *x)
{
    while (X509_get_ext_count(x) > 0)
        X509_EXTENSION_free(X509_delete_ext(x, 0));
}

static const struct {
    const char *name;
    void (*twist)(X509 *x);
    enum err err;
    const char *start;
} twists[] = {
    {"v1", is_v1, ERR_MALFORMED, "certificate.version:"},
    {"v2", is_v2, ERR_MALFORMED, "certificate.version:"},
    {"serial -4", serial_negative, ERR_MALFORMED, "certificate.serial:"},
    {"serial 0", serial_zero, ERR_MALFORMED, "certificate.serial:"},
    {"serial of 21 octets", serial_of_21_octets, ERR_MALFORMED, "certificate.serial:"},
    {"foreign issuer", issuer_foreign, ERR_POLICY, "certificate.issuer:"},
    {"issuer in other case", issuer_in_other_case, ERR_POLICY, "certificate.issuer:"},
    {"subject of the issuer", subject_is_issuers, ERR_POLICY, "certificate.subject:"},
    {"key of the issuer", key_is_issuers, ERR_POLICY, "certificate.key:"},
    {"RSA of 1024 bits", key_of_1024_bits, ERR_POLICY, "certificate.key: not RSA"},
    {"P-224", key_of_224_bits, ERR_POLICY, "certificate.key: not RSA"},
    {"secp256k1", key_of_a_koblitz_curve, ERR_POLICY, "certificate.key: not RSA"},
    {"Ed25519", key_of_edwards, ERR_POLICY, "certificate.key: not RSA"},
    {"starts early", starts_early, ERR_POLICY, "certificate.notBefore:"},
    {"ends late", ends_late, ERR_POLICY, "certificate.notAfter:"},
    {"ends before start", ends_before_start, ERR_POLICY, "certificate.validity:"},
    {"GeneralizedTime in 2027", time_in_the_wrong_form, ERR_MALFORMED, "certificate.validity:"},
    {"no AKI", aki_missing, ERR_POLICY, "certificate.aki:"},
    {"foreign AKI", aki_foreign, ERR_POLICY, "certificate.aki:"},
    {"AKI with issuer", aki_with_issuer, ERR_MALFORMED, "certificate.extension: 551d23"},
    {"critical EKU", critical_eku, ERR_POLICY, "certificate.extension: 551d25 must not be critical"},
    {"critical SAN", critical_san, ERR_POLICY, "certificate.extension: 551d11 must not be critical"},
    {"critical unknown", critical_unknown, ERR_POLICY, "certificate.extension:"},
    {"CA without path", is_ca_without_path, ERR_POLICY, "certificate.pathLen:"},
    {"CA with equal path", is_ca_with_equal_path, ERR_POLICY, "certificate.pathLen:"},
    {"CA not critical", is_ca_uncritical, ERR_POLICY, "certificate.ca: needs"},
    {"CA without usage", is_ca_without_usage, ERR_POLICY, "certificate.ca: needs"},
    {"CA without SKI", is_ca_without_ski, ERR_POLICY, "certificate.ca: needs"},
    {"path without CA", path_without_ca, ERR_MALFORMED, "certificate.extension: 551d13"},
    {"CA FALSE spelled out", ca_false_spelled_out, ERR_MALFORMED, "certificate.extension: 551d13"},
    {"CA TRUE in BER", ca_true_in_ber, ERR_MALFORMED, "certificate.extension: 551d13"},
    {"leaf with keyCertSign", signs_certificates, ERR_POLICY, "certificate.keyUsage:"},
    {"leaf with cRLSign", signs_crls, ERR_POLICY, "certificate.keyUsage:"},
    {"padded usage", usage_padded, ERR_MALFORMED, "certificate.extension: 551d0f"},
    {"empty usage", usage_empty, ERR_MALFORMED, "certificate.extension: 551d0f"},
    {"any usage", usage_any, ERR_POLICY, "certificate.eku: any"},
    {"OCSPSigning among others", ocsp_among_others, ERR_POLICY, "certificate.eku: OCSP"},
    {"OCSPSigning without nocheck", ocsp_without_nocheck, ERR_POLICY, "certificate.eku: OCSP"},
    {"nocheck without OCSPSigning", nocheck_without_ocsp, ERR_POLICY, "certificate.eku: OCSP"},
    {"SAN twice", extension_twice, ERR_MALFORMED, "certificate.extension: one is there twice"},
    {"constraints twice", constraints_twice, ERR_MALFORMED, "certificate.extension: one is there twice"},
    {"extension not DER", extension_not_der, ERR_MALFORMED, "certificate.extension:"},
    {"extension with a tail", extension_with_a_tail, ERR_MALFORMED, "certificate.extension:"},
    {"unknown extension", extension_unknown, ERR_POLICY,
     "certificate.extension: 6086480186f842010d is not permitted here"},
    {"SAN without names", san_without_names, ERR_MALFORMED, "certificate.extension: 551d11 is not of"},
    {"SAN with an empty name", san_with_an_empty_name, ERR_MALFORMED, "certificate.extension: 551d11"},
    {"SAN that is an AKI", san_that_is_a_key_identifier, ERR_MALFORMED, "certificate.extension: 551d11"},
    {"SAN with a blank", san_with_a_blank, ERR_MALFORMED, "certificate.extension: 551d11"},
    {"SAN with a mail address", san_with_a_mail_address, ERR_MALFORMED, "certificate.extension: 551d11"},
    {"SAN of five octets", san_of_five_octets, ERR_MALFORMED, "certificate.extension: 551d11"},
    {"SAN of 254 octets", san_longer_than_a_name, ERR_MALFORMED, "certificate.extension: 551d11"},
    {"two CRL points", two_points, ERR_MALFORMED, "certificate.extension: 551d1f is not of its form"},
    {"CRL point without a name", point_without_a_name, ERR_MALFORMED, "certificate.extension: 551d1f"},
    {"CRL point with a line feed", point_with_a_line_feed, ERR_MALFORMED, "certificate.extension: 551d1f"},
    {"CRL point critical", point_critical, ERR_POLICY, "certificate.extension: 551d1f must not be critical"},
    {"access to a host name", access_to_a_host_name, ERR_MALFORMED,
     "certificate.extension: 2b06010505070101"},
    {"access to a repository", access_to_a_repository, ERR_MALFORMED,
     "certificate.extension: 2b06010505070101"},
    {"access to nothing", access_to_nothing, ERR_MALFORMED, "certificate.extension: 2b06010505070101"},
    {"no extensions", no_extensions, ERR_MALFORMED, "certificate.extensions:"},
};

static void is_plain(X509 *x)
{
    drop(x, NID_crl_distribution_points);
    drop(x, NID_freshest_crl);
    drop(x, NID_info_access);
    drop(x, NID_subject_alt_name);
}

static void names_of_every_form(X509 *x)
{
    replace(
        x, NID_subject_alt_name,
        "DNS:*.example.com,DNS:_sip._tcp.Example.COM,DNS:xn--bcher-kva.example,IP:192.0.2.1,IP:2001:db8::1");
}

static void longest_name(X509 *x)
{
    char value[4 + DNS_NAME_MAX + 1];

    snprintf(value, sizeof value, "DNS:%0253d", 0);
    replace(x, NID_subject_alt_name, value);
}

static void one_access(X509 *x)
{
    replace(x, NID_info_access, "caIssuers;URI:http://ca.example.com/ca.cer");
}

static void key_of_2048_bits(X509 *x)
{
    set_key(x, EVP_RSA_gen(2048));
}

static void key_of_384_bits(X509 *x)
{
    set_key(x, EVP_EC_gen("P-384"));
}

static void key_of_521_bits(X509 *x)
{
    set_key(x, EVP_EC_gen("P-521"));
}

Test(check_certificate, every_form_of_a_good_leaf_is_signed)
{
    static const struct {
        const char *name;
        void (*twist)(X509 *x);
    } good[] = {
        {"no points and names", is_plain}, {"names of every form", names_of_every_form},
        {"a name of 253", longest_name},   {"one access", one_access},
        {"RSA 2048", key_of_2048_bits},    {"P-384", key_of_384_bits},
        {"P-521", key_of_521_bits},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        X509 *x = forge_leaf(&f);

        good[i].twist(x);
        cr_expect_eq(judge(f.ca, x), OK, "%s: %s", good[i].name, fault.detail);
    }
}

Test(check_certificate, each_twist_of_a_good_leaf_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof twists / sizeof *twists; i++) {
        X509 *x = forge_leaf(&f);
        size_t len = strlen(twists[i].start);

        twists[i].twist(x);
        cr_expect_eq(judge(f.ca, x), twists[i].err, "%s: %s", twists[i].name, fault.detail);
        cr_expect_eq(strncmp(fault.detail, twists[i].start, len), 0, "%s: %s", twists[i].name, fault.detail);
    }
}

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
    uint8_t *copy = calloc(1, tbs.len + 1);

    memcpy(copy, tbs.data, tbs.len);
    cr_assert_eq(forge_judge(&f, f.ca, PORT_CERTIFICATE, span_of(copy, tbs.len + 1), &fault), ERR_MALFORMED);
    free(copy);
    for (size_t len = 0; len < tbs.len; len++) {
        copy = malloc(len > 0 ? len : 1);
        memcpy(copy, tbs.data, len);
        cr_assert_eq(forge_judge(&f, f.ca, PORT_CERTIFICATE, span_of(copy, len), &fault), ERR_MALFORMED);
        free(copy);
    }
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
    drop(x, NID_basic_constraints);
    cr_assert_refused(k, x, ERR_POLICY, "certificate.ca: a new root");
    x = forge_root(&f);
    drop(x, NID_subject_key_identifier);
    cr_assert_refused(k, x, ERR_POLICY, "certificate.ca: needs");
    cr_assert_eq(forge_judge(&f, k, PORT_CRL_BEGIN, crl, &fault), ERR_POLICY);
    forge_span_free(crl);
    signer_key_free(k);
}

/* ---- chance ---- */

/* What OpenSSL, not we, makes of a certificate that got a signature. */
static void judge_by_openssl(struct span tbs, const uint8_t *signature, size_t len, unsigned *seen)
{
    struct span der = forge_assemble(&f, tbs, span_of(signature, len));
    const unsigned char *at = der.data;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);

    if (x != NULL) {
        (*seen)++;
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

static uint32_t dice_state;

static uint32_t dice(void)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 17;
    dice_state ^= dice_state << 5;
    return dice_state;
}

static void mutate(struct span good, unsigned times, const struct signer_key *k, unsigned *is_signed,
                   unsigned *seen)
{
    for (unsigned i = 0; i < times; i++) {
        uint8_t *copy = malloc(good.len), signature[SIGNATURE_MAX];
        size_t len;

        memcpy(copy, good.data, good.len);
        copy[dice() % good.len] ^= (uint8_t)(1 + dice() % 255);
        if (signer_sign(k, PORT_CERTIFICATE, span_of(copy, good.len), FORGE_NOW, signature, &len, NULL) ==
            OK) {
            (*is_signed)++;
            judge_by_openssl(span_of(copy, good.len), signature, len, seen);
        }
        free(copy);
    }
}

Test(check_certificate, no_mutant_that_is_signed_leaves_the_bounds)
{
    struct signer_spec spec = forge_spec(&f);
    struct span leaf = forge_tbs(&f, forge_leaf(&f)), sub = forge_tbs(&f, forge_subordinate(&f, 0));
    unsigned is_signed = 0, seen = 0;
    struct signer_key *k;

    spec.may_subordinate = false;
    k = forge_key(&f, spec);
    dice_state = 20260528;
    mutate(leaf, 1000, k, &is_signed, &seen);
    mutate(sub, 1000, k, &is_signed, &seen);
    cr_assert(is_signed > 100 && seen > 100, "%u signed, %u seen: the mutants must reach both verdicts",
              is_signed, seen);
    cr_assert_lt(is_signed, 1500);
    signer_key_free(k);
    forge_span_free(leaf);
    forge_span_free(sub);
}
