/* SPDX-License-Identifier: Apache-2.0 */
/* A good leaf with one thing changed: is it refused by name, or signed when it is still good? */
#include <criterion/criterion.h>
#include <stdio.h>
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

TestSuite(certificate_twist, .init = setup, .fini = teardown);

static enum err judge(X509 *x)
{
    struct span tbs = forge_tbs(&f, x);
    enum err e = forge_judge(&f, f.ca, PORT_CERTIFICATE, tbs, &fault);

    forge_span_free(tbs);
    return e;
}

static void replace(X509 *x, int nid, const char *value)
{
    if (X509_get_ext_by_NID(x, nid, -1) >= 0)
        forge_drop(x, nid);
    forge_extension(x, nid, value, f.certificate);
}

/* In place of one that is there, as octets. */
static void replace_raw(X509 *x, int nid, bool is_critical, const void *value, int len)
{
    forge_drop(x, nid);
    forge_raw_extension(x, nid, is_critical, value, len);
}

static void no_extensions(X509 *x)
{
    while (X509_get_ext_count(x) > 0)
        X509_EXTENSION_free(X509_delete_ext(x, 0));
}

static void is_v1(X509 *x)
{
    no_extensions(x);
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
    forge_drop(x, NID_authority_key_identifier);
}

static void aki_foreign(X509 *x)
{
    replace_raw(x, NID_authority_key_identifier, false,
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
    forge_drop(x, NID_subject_key_identifier);
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
    replace_raw(x, NID_key_usage, true, "\x03\x02\x00\x80", 4);
}

static void usage_empty(X509 *x)
{
    replace_raw(x, NID_key_usage, true, "\x03\x01\x00", 3);
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

static void san_without_names(X509 *x)
{
    replace_raw(x, NID_subject_alt_name, false, "\x30\x00", 2);
}

static void san_with_an_empty_name(X509 *x)
{
    replace_raw(x, NID_subject_alt_name, false, "\x30\x02\x82\x00", 4);
}

static void san_that_is_a_key_identifier(X509 *x)
{
    replace_raw(x, NID_subject_alt_name, false,
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
    replace_raw(x, NID_subject_alt_name, false, "\x30\x07\x87\x05\x0a\x00\x00\x00\x01", 9);
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
    replace_raw(x, NID_crl_distribution_points, false, "\x30\x02\x30\x00", 4);
}

static void point_with_a_line_feed(X509 *x)
{
    replace_raw(x, NID_crl_distribution_points, false,
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
    replace_raw(x, NID_info_access, false, "\x30\x00", 2);
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
    forge_drop(x, NID_crl_distribution_points);
    forge_drop(x, NID_freshest_crl);
    forge_drop(x, NID_info_access);
    forge_drop(x, NID_subject_alt_name);
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

Test(certificate_twist, every_form_of_a_good_leaf_is_signed)
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
        cr_expect_eq(judge(x), OK, "%s: %s", good[i].name, fault.detail);
    }
}

Test(certificate_twist, each_twist_of_a_good_leaf_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof twists / sizeof *twists; i++) {
        X509 *x = forge_leaf(&f);
        size_t len = strlen(twists[i].start);

        twists[i].twist(x);
        cr_expect_eq(judge(x), twists[i].err, "%s: %s", twists[i].name, fault.detail);
        cr_expect_eq(strncmp(fault.detail, twists[i].start, len), 0, "%s: %s", twists[i].name, fault.detail);
    }
}
