/* SPDX-License-Identifier: Apache-2.0 */
/* Does each rule fire when a request breaks it and stay silent when it does not? Names are in names_test.c,
 * usages in mirror_test.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

/* One way to break one rule. `key`: the request's; `alter`: what is wrong with it. */
struct breach {
    const char *rule, *profile, *key;
    void (*alter)(struct facts *f);
    unsigned days;
    const char *field, *got, *want;
};

static void as_is(struct facts *f)
{
    (void)f;
}

static void broken_key(struct facts *f)
{
    f->spki = span_str("no key");
}

static void md5(struct facts *f)
{
    f->signature_hash = HASH_MD5;
}

static void unknown_hash(struct facts *f)
{
    f->signature_hash = HASH_NONE;
}

static void sha1(struct facts *f)
{
    f->signature_hash = HASH_SHA1;
}

static void asks_ca(struct facts *f)
{
    f->asks_ca = true;
}

static void challenge(struct facts *f)
{
    f->sends_challenge = true;
}

static void other_extensions(struct facts *f)
{
    f->other_extensions = span_str("nsComment, 1.2.3");
}

static const struct breach breaches[] = {
    {"purpose.key-type", "ucm/tomcat", "ec-256", as_is, 0, "key", "EC 256", "RSA"},
    {"purpose.key-type", "ucm/tomcat-ECDSA", "rsa-2048", as_is, 0, "key", "RSA 2048", "EC"},
    {"key.too-small", "ucm/tomcat", "rsa-1024", as_is, 0, "key", "1024 bits", "2048, 3072, 4096 bits"},
    {"key.too-large", "ucm/tomcat", "rsa-8192", as_is, 0, "key", "8192 bits", "2048, 3072, 4096 bits"},
    {"key.size", "general/server", "rsa-2560", as_is, 0, "key", "2560 bits", "2048, 3072, 4096 bits"},
    {"key.advised", "ucm/CallManager", "rsa-3072", as_is, 0, "key", "3072 bits", "2048 bits"},
    {"key.advised", "uccx/tomcat", "rsa-3072", as_is, 0, "key", "3072 bits", "2048 bits"},
    {"key.advised", "ucm/CallManager", "rsa-4096", as_is, 0, "key", "4096 bits", "2048 bits"},
    {"key.curve", "ucm/tomcat-ECDSA", "ec-224", as_is, 0, "key", "P-224", "P-256, P-384, P-521"},
    {"key.curve", "general/server", "ec-koblitz", as_is, 0, "key", "an unknown curve", "P-256, P-384, P-521"},
    {"key.point.compressed", "general/server", "ec-compressed", as_is, 0, "key", "a compressed point",
     "an uncompressed point"},
    {"key.exponent", "ucm/tomcat", "rsa-e1", as_is, 0, "key", "1", "an odd exponent from 3 to 2147483647"},
    {"key.exponent", "ucm/tomcat", "rsa-e65536", as_is, 0, "key", "even",
     "an odd exponent from 3 to 2147483647"},
    {"key.exponent", "ucm/tomcat", "rsa-e2147483649", as_is, 0, "key", "2147483649",
     "an odd exponent from 3 to 2147483647"},
    {"key.exponent", "ucm/tomcat", "rsa-e18446744073709551613", as_is, 0, "key", "18446744073709551613",
     "an odd exponent from 3 to 2147483647"},
    {"key.exponent", "ucm/tomcat", "rsa-e36893488147419103233", as_is, 0, "key", "of more than 64 bits",
     "an odd exponent from 3 to 2147483647"},
    {"key.unsupported", "ucm/tomcat", "ed25519", as_is, 0, "key", "another kind of key", "RSA or EC"},
    {"key.unsupported", "ucm/tomcat", "rsa-2048", broken_key, 0, "key", "a key that cannot be read",
     "RSA or EC"},
    {"csr.hash", "ucm/tomcat", "rsa-2048", md5, 0, "signature", "MD5", "SHA-256"},
    {"csr.hash", "ucm/tomcat", "rsa-2048", unknown_hash, 0, "signature", "an unknown hash", "SHA-256"},
    {"csr.hash.weak", "ucm/ipsec", "rsa-2048", sha1, 0, "signature", "SHA-1", "SHA-256"},
    {"csr.hash.pairing", "ucm/tomcat-ECDSA", "ec-384", as_is, 0, "signature", "SHA-256",
     "SHA-384 or SHA-512"},
    {"csr.hash.pairing", "ucm/tomcat-ECDSA", "ec-521", as_is, 0, "signature", "SHA-256", "SHA-512"},
    {"ca.requested", "ucm/tomcat", "rsa-2048", asks_ca, 0, "basicConstraints", "CA:TRUE", "CA:FALSE or none"},
    {"challenge.ignored", "ucce/host", "rsa-2048", challenge, 0, "attributes", "challengePassword", ""},
    {"extension.ignored", "general/server", "rsa-2048", other_extensions, 0, "extensions", "nsComment, 1.2.3",
     ""},
    {"days.too-long", "ucm/tomcat", "rsa-2048", as_is, 1826, "days", "1826 days", "at most 1825"},
    {"days.too-long", "general/server", "ec-256", as_is, 826, "days", "826 days", "at most 825"},
};

Test(profile, each_rule_fires_and_says_what_and_why)
{
    for (size_t i = 0; i < sizeof breaches / sizeof *breaches; i++) {
        const struct breach *b = &breaches[i];
        struct facts f = request_plain(b->key);
        struct findings fs = {0};
        struct grant g;
        const struct finding *one;

        b->alter(&f);
        profile_check(installed(b->profile), &f, b->days, &g, &fs);
        one = finding_of(&fs, b->rule);
        cr_expect_not_null(one, "%s on %s", b->rule, b->profile);
        if (one != NULL) {
            cr_expect_str_eq(one->field, b->field);
            cr_expect_str_eq(one->got, b->got);
            cr_expect_str_eq(one->want, b->want);
            cr_expect_eq(findings_refuse(&fs), rule_find(b->rule)->severity == SEVERITY_REFUSE, "%s",
                         b->rule);
        }
        findings_free(&fs);
    }
}

Test(profile, an_exponent_in_use_is_taken)
{
    static const char *const keys[] = {"rsa-e3", "rsa-e65537", "rsa-e2147483647"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct facts f = request_plain(keys[i]);
        struct findings fs = {0};
        struct grant g;

        profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
        cr_expect_null(finding_of(&fs, "key.exponent"), "%s", keys[i]);
        findings_free(&fs);
    }
}

Test(profile, a_key_size_is_advised_where_the_catalogue_says_so_and_when_it_is_permitted)
{
    static const struct {
        const char *profile, *key;
    } rows[] = {{"ucm/CallManager", "rsa-2048"},     {"ucm/CallManager", "rsa-8192"}, /* refused */
                {"ucm/CallManager-ECDSA", "ec-384"}, {"uccx/tomcat", "rsa-2048"},
                {"vos/tomcat", "rsa-3072"},          {"ucm/tomcat", "rsa-4096"},
                {"general/server", "rsa-3072"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct facts f = request_plain(rows[i].key);
        struct findings fs = {0};
        struct grant g;

        profile_check(installed(rows[i].profile), &f, 0, &g, &fs);
        cr_expect_null(finding_of(&fs, "key.advised"), "%s %s", rows[i].profile, rows[i].key);
        findings_free(&fs);
    }
}

/* The product names ECDSA purposes, CAPF and phones otherwise than this request is named. */
static bool is_expected(const struct profile *p, const char *rule)
{
    if (strcmp(p->id, "ucm/CAPF") == 0)
        return strcmp(rule, "name.capf") == 0 || strcmp(rule, "key.ca-size") == 0;
    if (p->rsa_advised > 0)
        return strcmp(rule, "key.advised") == 0;
    return strcmp(rule, strncmp(p->id, "phone/", 6) == 0 ? "name.lsc" : "name.ec") == 0;
}

Test(profile, an_ordinary_request_is_accepted_by_every_profile)
{
    for (size_t i = 0; i < installed_all()->count; i++) {
        const struct profile *p = &installed_all()->profiles[i];

        for (size_t k = 0; k < p->key_count; k++) {
            char kind[16];
            struct facts f;
            struct findings fs = {0};
            struct grant g;

            snprintf(kind, sizeof kind, "%s-%u", key_type_name(p->keys[k].type), p->keys[k].bits);
            f = request_plain(kind);
            f.signature_hash = HASH_SHA512;
            profile_check(p, &f, 0, &g, &fs);
            cr_expect(!findings_refuse(&fs), "%s with %s: %s", p->id, kind,
                      fs.count > 0 ? fs.items[0].rule : "");
            for (size_t n = 0; n < fs.count; n++)
                cr_expect(fs.items[n].severity == SEVERITY_NOTE || is_expected(p, fs.items[n].rule), "%s: %s",
                          p->id, fs.items[n].rule);
            cr_expect_eq(g.days, p->days_default);
            cr_expect_eq(g.is_ca, p->is_ca);
            findings_free(&fs);
        }
    }
}

Test(profile, days_within_the_limit_are_granted)
{
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;

    profile_check(installed("ucm/tomcat"), &f, 1825, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert_eq(g.days, 1825);
    profile_check(installed("ucm/tomcat"), &f, 1, &g, &fs);
    cr_assert_eq(g.days, 1);
    findings_free(&fs);
}

/* The real request of UCM 8.6.1 in data: EKU S C I, KU d k D a, SHA-1, a bare host name, no SAN. */
Test(profile, the_request_of_a_real_ucm_is_mirrored)
{
    static const enum eku asked[] = {EKU_SERVER_AUTH, EKU_CLIENT_AUTH, EKU_IPSEC_END_SYSTEM};
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;
    char *message;

    f.cn = span_str("CUCMB1");
    f.signature_hash = HASH_SHA1;
    f.has_ku = true;
    f.ku = 0xb800;
    f.has_eku = true;
    memcpy(f.eku, asked, sizeof asked);
    f.eku_count = 3;
    profile_check(installed("ucm/ipsec"), &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert_eq(fs.count, 2);
    cr_assert_not_null(finding_of(&fs, "csr.hash.weak"));
    message = finding_message(finding_of(&fs, "csr.hash.weak"));
    cr_assert_not_null(strstr(message, "SHA-1"));
    free(message);
    cr_assert_not_null(finding_of(&fs, "san.from-cn"));
    cr_assert_eq(g.ku, 0xb800);
    cr_assert_eq(g.eku_count, 3);
    cr_assert_arr_eq(g.eku, asked, sizeof asked);
    cr_assert(g.san_from_cn);
    findings_free(&fs);
}

Test(profile, every_mistake_is_found_not_the_first)
{
    static const char *const rules[] = {"key.too-small",       "csr.hash",          "usage.key.missing",
                                        "usage.key.forbidden", "usage.ext.missing", "usage.ext.forbidden",
                                        "usage.ext.unknown",   "name.wildcard",     "ca.requested",
                                        "challenge.ignored",   "days.too-long"};
    struct facts f = request_plain("rsa-1024");
    struct findings fs = {0};
    struct grant g;

    f.signature_hash = HASH_MD5;
    f.has_ku = true;
    f.ku = KU_KEY_CERT_SIGN;
    f.has_eku = true;
    f.eku[0] = EKU_CODE_SIGNING;
    f.eku_count = 1;
    f.eku_other = span_str("1.2.3");
    f.cn = span_str("*.example.com");
    f.asks_ca = true;
    f.sends_challenge = true;
    profile_check(installed("ucm/tomcat"), &f, 9999, &g, &fs);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        cr_expect_not_null(finding_of(&fs, rules[i]), "%s", rules[i]);
    findings_free(&fs);
}

Test(profile, our_own_keys_come_without_a_request)
{
    struct facts f = {.spki = request_key("ec-256"), .cn = span_str("ca.example.com")};
    struct san sans[2];
    struct findings fs = {0};
    struct grant g;

    request_names(&f, sans, "ca.example.com", "localhost", NULL);
    profile_check(installed("chancery/listener"), &f, 0, &g, &fs);
    cr_assert_eq(fs.count, 0, "%s", fs.items[0].rule);
    cr_assert_eq(g.ku, KU_DIGITAL_SIGNATURE);
    cr_assert_eq(g.eku_count, 1);
    cr_assert_eq(g.eku[0], EKU_SERVER_AUTH);
    findings_free(&fs);
}
