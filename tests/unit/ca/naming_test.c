/* SPDX-License-Identifier: Apache-2.0 */
/* Are the purposes' own names expected, and a site's limits kept? */
#include <criterion/criterion.h>
#include <string.h>

#include "base/der.h"
#include "request.h"

/* What a request with this common name gives on this profile. */
static void run(const struct profile *p, const char *cn, struct findings *fs)
{
    struct facts f = request_plain(profile_ku(p, KEY_RSA) != NULL ? "rsa-2048" : "ec-256");
    struct grant g;

    f.cn = span_str(cn);
    findings_free(fs);
    profile_check(p, &f, 0, &g, fs);
}

Test(naming, CAPF)
{
    static const struct {
        const char *cn;
        bool fits;
    } cases[] = {{"CAPF-1a2B3c4D", true},  {"CAPF-1a2B3c4", false},  {"CAPF-1a2B3c4D5", false},
                 {"CAPF-1a2B3c4g", false}, {"capf-1a2b3c4d", false}, {"cucm.example.com", false}};
    struct findings fs = {0};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(installed("ucm/CAPF"), cases[i].cn, &fs);
        cr_expect_eq(finding_of(&fs, "name.capf") == NULL, cases[i].fits, "%s", cases[i].cn);
        cr_expect(!findings_refuse(&fs), "%s", cases[i].cn);
    }
    findings_free(&fs);
}

Test(naming, a_CAPF_certificate_is_an_authority_whatever_is_asked)
{
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;

    f.cn = span_str("CAPF-1a2b3c4d");
    profile_check(installed("ucm/CAPF"), &f, 0, &g, &fs);
    cr_assert(g.is_ca && !g.san_from_cn);
    cr_assert_eq(g.ku, KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN);
    f.asks_ca = true;
    profile_check(installed("ucm/CAPF"), &f, 0, &g, &fs);
    cr_assert(g.is_ca && finding_of(&fs, "ca.requested") == NULL);
    cr_assert_eq(fs.count, 0);
    f.spki = request_key("rsa-4096");
    profile_check(installed("ucm/CAPF"), &f, 0, &g, &fs);
    cr_assert_eq(finding_of(&fs, "key.ca-size")->severity, SEVERITY_WARN);
    findings_free(&fs);
}

Test(naming, phones)
{
    static const struct {
        const char *cn;
        bool fits;
    } cases[] = {{"SEP001122334455", true},
                 {"CP-8861-SEPB000B4BA0AEE", true},
                 {"CP-7962G-SEP00aabbccddee", true},
                 {"CP-SEP001122334455", false},
                 {"SEP00112233445", false},
                 {"SEP0011223344556", false},
                 {"CP-8861", false},
                 {"phone.example.com", false}};
    static const uint8_t serial[] = {0x30, 0x25, 0x31, 0x23, 0x30, 0x21, 0x06, 0x03, 0x55, 0x04,
                                     0x05, 0x13, 0x1a, 'P',  'I',  'D',  ':',  'C',  'P',  '-',
                                     '8',  '8',  '6',  '1',  ' ',  'S',  'N',  ':',  'F',  'C',
                                     'H',  '1',  '2',  '3',  '4',  '5',  '6',  '7',  '8'};
    struct facts f = request_plain("ec-256");
    struct findings fs = {0};
    struct grant g;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f.cn = span_str(cases[i].cn);
        f.subject = span_of(serial, sizeof serial);
        profile_check(installed("phone/LSC-EC"), &f, 0, &g, &fs);
        cr_expect_eq(finding_of(&fs, "name.lsc") == NULL, cases[i].fits, "%s", cases[i].cn);
        cr_expect(!findings_refuse(&fs));
        findings_free(&fs);
    }
    f = request_plain("ec-256");
    f.cn = span_str("SEP001122334455");
    profile_check(installed("phone/LSC-EC"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.lsc")->field, "subject", "its serialNumber is missing");
    findings_free(&fs);
}

Test(naming, a_host_name_where_the_profile_wants_one)
{
    struct findings fs = {0};

    run(installed("expressway/server"), "exp.example.com", &fs);
    cr_assert_null(finding_of(&fs, "name.host"));
    run(installed("expressway/server"), "Our Expressway", &fs);
    cr_assert(findings_refuse(&fs));
    cr_assert_str_eq(finding_of(&fs, "name.host")->got, "Our Expressway");
    run(installed("expressway/server"), "192.0.2.1", &fs);
    cr_assert_not_null(finding_of(&fs, "name.host"));
    findings_free(&fs);
}

Test(naming, a_suffix_alone_makes_a_request_one_for_several_servers)
{
    struct findings fs = {0};

    run(installed("ucm/ipsec"), "cucm-ms.example.com", &fs);
    cr_assert_not_null(finding_of(&fs, "profile.multi-server"));
    run(installed("ucm/tomcat"), "cucm-ms.example.com", &fs);
    cr_assert_null(finding_of(&fs, "profile.multi-server"));
    findings_free(&fs);
}

Test(naming, other_scripts)
{
    struct findings fs = {0};

    run(installed("general/server"),
        "b\xc3\xbc"
        "cher.example.com",
        &fs);
    cr_assert(findings_refuse(&fs));
    cr_assert_str_eq(finding_of(&fs, "name.idn")->want, "xn--bcher-kva.example.com");
    run(installed("general/server"), "xn--bcher-kva.example.com", &fs);
    cr_assert(!findings_refuse(&fs));
    run(installed("general/server"), "xn--a.example.com", &fs);
    cr_assert_not_null(finding_of(&fs, "name.idn.label"));
    run(installed("general/client"), "Jos\xc3\xa9 P\xc3\xa9rez", &fs);
    cr_assert(!findings_refuse(&fs), "a person is no host");
    findings_free(&fs);
}

Test(naming, names_of_the_SAN_in_other_scripts)
{
    struct facts f = request_plain("rsa-2048");
    struct san sans[4];
    struct findings fs = {0};
    struct grant g;

    request_names(&f, sans, "a.example.com",
                  "b\xc3\xbc"
                  "cher.example.com",
                  "xn--zz--zz.example.com", NULL);
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.idn")->want, "xn--bcher-kva.example.com");
    cr_assert_str_eq(finding_of(&fs, "name.idn.label")->got, "xn--zz--zz.example.com");
    findings_free(&fs);
}

Test(naming, A_labels_are_looked_at_beside_an_underscore_and_a_wildcard)
{
    struct profile p = *installed("general/server");
    struct facts f = request_plain("rsa-2048");
    struct san sans[4];
    struct findings fs = {0};
    struct grant g;

    p.wildcards = true;
    request_names(&f, sans, "a.example.com", "_x.xn--99999.example.com", "*.xn--a.example.com", NULL);
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.idn.label")->got, "_x.xn--99999.example.com, *.xn--a.example.com");
    cr_assert(findings_refuse(&fs));
    run(&p, "_x.xn--99999.example.com", &fs);
    cr_assert_str_eq(finding_of(&fs, "name.idn.label")->field, "cn", "it would be the SAN");
    run(&p, "*.xn--a.example.com", &fs);
    cr_assert_not_null(finding_of(&fs, "name.idn.label"));
    run(&p, "xn--a", &fs);
    cr_assert_not_null(finding_of(&fs, "name.idn.label"), "a bare one too");
    run(&p, "*.xn--bcher-kva.example.com", &fs);
    cr_assert(!findings_refuse(&fs));
    run(&p, "_x.xn--bcher-kva.example.com", &fs);
    cr_assert(!findings_refuse(&fs));
    findings_free(&fs);
}

Test(naming, labels_that_are_kept_for_encodings_are_warned_of)
{
    struct facts f = request_plain("rsa-2048");
    struct san sans[4];
    struct findings fs = {0};
    struct grant g;

    request_names(&f, sans, "a.example.com", "r3---sn.example.com", "XN--BCHER-KVA.example.com",
                  "a--b.c--d.example.com", NULL);
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.label.reserved")->got, "r3---sn.example.com");
    run(installed("general/server"), "www.ab--cd.example.com", &fs);
    cr_assert_str_eq(finding_of(&fs, "name.label.reserved")->field, "cn");
    cr_assert(!findings_refuse(&fs));
    run(installed("general/client"), "ab--cd.example.com", &fs);
    cr_assert_null(finding_of(&fs, "name.label.reserved"), "a person is no host");
    findings_free(&fs);
}

Test(naming, a_sites_limits_are_kept)
{
    static struct name_limit limits[] = {
        {true, ".example.com"}, {false, "www.example.org"}, {false, "192.0.2.1"}};
    static const struct {
        const char *cn, *san;
        bool permitted;
    } cases[] = {
        {"a.example.com", "b.EXAMPLE.com", true},      {"www.example.org", "www.example.org", true},
        {"www.example.org", "a.b.example.com", true},  {"example.com", "a.example.com", false},
        {"a.example.com", "example.com", false},       {"a.example.com", "a.badexample.com", false},
        {"a.example.com", "x.www.example.org", false}, {"Web server", "a.example.com", false},
    };
    struct profile p = *installed("general/server");
    struct findings fs = {0};
    struct grant g;

    p.limits = limits;
    p.limit_count = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts f = request_plain("rsa-2048");
        struct san sans[2];

        request_names(&f, sans, cases[i].san, NULL);
        sans[1] = (struct san){SAN_IP, span_of("\xc0\x00\x02\x01", 4)};
        f.san_count = 2;
        f.cn = span_str(cases[i].cn);
        profile_check(&p, &f, 0, &g, &fs);
        cr_expect_eq(finding_of(&fs, "name.not-permitted") == NULL, cases[i].permitted, "%s %s", cases[i].cn,
                     cases[i].san);
        cr_expect_eq(findings_refuse(&fs), !cases[i].permitted);
        findings_free(&fs);
    }
    {
        struct facts f = request_plain("rsa-2048");
        struct san sans[1] = {{SAN_IP, span_of("\xc0\x00\x02\x02", 4)}};

        f.has_san = true;
        f.sans = sans;
        f.san_count = 1;
        profile_check(&p, &f, 0, &g, &fs);
        cr_assert_str_eq(finding_of(&fs, "name.not-permitted")->got, "192.0.2.2");
        findings_free(&fs);
    }
}

Test(naming, the_SAN_and_hashes_a_profile_wants)
{
    struct profile p = *installed("general/server");
    struct facts f = request_plain("rsa-2048");
    struct san sans[1];
    struct findings fs = {0};
    struct grant g;

    p.san_rule = SAN_REQUIRED;
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "san.required"));
    cr_assert(findings_refuse(&fs));
    findings_free(&fs);
    request_names(&f, sans, "a.example.com", NULL);
    f.signature_hash = HASH_SHA384;
    p.hashes = 1u << HASH_SHA384 | 1u << HASH_SHA512;
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    f.signature_hash = HASH_SHA256;
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "csr.hash.not-permitted")->want, "SHA-384, SHA-512");
    findings_free(&fs);
    f = request_plain("ec-256");
    f.signature_hash = HASH_SHA1;
    profile_check(installed("ucm/tomcat-ECDSA"), &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "csr.hash.not-permitted"));
    findings_free(&fs);
}
