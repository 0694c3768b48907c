/* SPDX-License-Identifier: Apache-2.0 */
/* Is a certificate held against its request as the products do it, and has every purpose a plan? The system
 * tests break each rule with real octets; here are the borders between them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/ca/request.h"

#define NOW_S 1790000000

static const uint8_t utc_2026[] = "\x17\x0d"
                                  "260101000000Z";
static const uint8_t utc_2027[] = "\x17\x0d"
                                  "270101000000Z";

struct held {
    struct facts request;
    struct certificate_facts leaf;
    struct upload upload;
    struct findings found;
};

/* A tomcat request and the certificate that answers it in full; nothing is missing above it. */
static void hold(struct held *h, const char *profile, const char *key)
{
    findings_free(&h->found); /* of an earlier turn: each is static, so zero at first */
    memset(h, 0, sizeof *h);
    h->request = request_plain(key);
    h->request.has_ku = h->request.has_eku = true;
    h->request.ku = KU_DIGITAL_SIGNATURE | KU_DATA_ENCIPHERMENT;
    h->request.eku[0] = EKU_SERVER_AUTH;
    h->request.eku[1] = EKU_CLIENT_AUTH;
    h->request.eku_count = 2;
    h->leaf = (struct certificate_facts){
        .subject = h->request.subject,
        .spki = h->request.spki,
        .cn = h->request.cn,
        .not_before = span_of(utc_2026, 15),
        .not_after = span_of(utc_2027, 15),
        .not_before_s = NOW_S - 1,
        .not_after_s = NOW_S,
        .has_ku = true,
        .has_eku = true,
        .path_len = -1,
        .ku = h->request.ku,
        .eku = {EKU_CLIENT_AUTH, EKU_SERVER_AUTH},
        .eku_count = 2,
        .signature_hash = HASH_SHA256,
        .signed_by = strncmp(key, "ec", 2) == 0 ? KEY_EC : KEY_RSA,
    };
    h->upload.profile = installed(profile);
    h->upload.now_s = NOW_S;
}

static size_t check_held(struct held *h)
{
    findings_free(&h->found);
    h->upload.request = &h->request;
    h->upload.leaf = &h->leaf;
    upload_check(&h->upload, &h->found);
    return h->found.count;
}

static bool has(struct held *h, const char *rule)
{
    (void)check_held(h);
    return finding_of(&h->found, rule) != NULL;
}

Test(upload, what_answers_the_request_in_full_is_not_talked_about)
{
    static struct held h;

    hold(&h, "ucm/tomcat", "rsa-2048");
    cr_assert_eq(check_held(&h), 0, "%s", h.found.count > 0 ? h.found.items[0].rule : "");
    findings_free(&h.found);
}

Test(upload, the_last_second_counts)
{
    static struct held h;

    hold(&h, "ucm/tomcat", "rsa-2048");
    h.upload.now_s = NOW_S + 1;
    cr_expect(has(&h, "validity.expired"));
    h.upload.now_s = NOW_S - 1;
    cr_expect_not(has(&h, "validity.early"));
    h.upload.now_s = NOW_S - 2;
    cr_expect(has(&h, "validity.early"));
    findings_free(&h.found);
}

Test(upload, times_have_one_form_on_each_side_of_2050)
{
    static const struct {
        const char *element;
        size_t len;
        bool is_proper;
    } rows[] = {
        {"\x17\x0d"
         "491231235959Z",
         15, true},
        {"\x18\x0f"
         "20500101000000Z",
         17, true},
        {"\x18\x0f"
         "20491231235959Z",
         17, false},
        {"\x18\x11"
         "20500101000000.5Z",
         19, false},
        {"\x17\x0b"
         "4912312359Z",
         13, false},
        {"\x17\x11"
         "491231235959+0100",
         19, false},
    };
    static struct held h;

    hold(&h, "ucm/tomcat", "rsa-2048");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        h.leaf.not_after = span_of(rows[i].element, rows[i].len);
        cr_expect_eq(has(&h, "time.format"), !rows[i].is_proper, "%s", rows[i].element + 2);
    }
    findings_free(&h.found);
}

Test(upload, names_are_a_set)
{
    static struct san asked[] = {{SAN_DNS, {(const uint8_t *)"A.example.com", 13}},
                                 {SAN_IP, {(const uint8_t *)"\x0a\0\0\1", 4}}};
    static struct san given[] = {{SAN_IP, {(const uint8_t *)"\x0a\0\0\1", 4}},
                                 {SAN_DNS, {(const uint8_t *)"a.EXAMPLE.com", 13}}};
    static struct held h;

    hold(&h, "ucm/tomcat", "rsa-2048");
    h.request.has_san = h.leaf.has_san = true;
    h.request.sans = asked;
    h.leaf.sans = given;
    h.request.san_count = h.leaf.san_count = 2;
    cr_expect_not(has(&h, "san.mismatch"));
    h.leaf.san_count = 1;
    cr_assert(has(&h, "san.mismatch"));
    cr_expect_str_eq(finding_of(&h.found, "san.mismatch")->got, "missing A.example.com");
    h.request.has_san = false;
    h.request.san_count = 0;
    cr_expect_not(has(&h, "san.mismatch"), "a request without one is exempt");
    findings_free(&h.found);
}

Test(upload, names_of_other_kinds_are_compared_by_their_octets)
{
    static struct san asked[] = {
        {SAN_OTHER, {(const uint8_t *)"\xa0\x08\x06\x02\x2a\x03\xa0\x02\x05\x00", 10}}};
    static struct san given[] = {
        {SAN_OTHER, {(const uint8_t *)"\xa0\x08\x06\x02\x2a\x03\xa0\x02\x0c\x00", 10}}};
    static struct held h;

    hold(&h, "ucm/tomcat", "rsa-2048");
    h.request.has_san = h.leaf.has_san = true;
    h.request.sans = h.leaf.sans = asked;
    h.request.san_count = h.leaf.san_count = 1;
    cr_expect_not(has(&h, "san.mismatch"));
    h.leaf.sans = given;
    cr_assert(has(&h, "san.mismatch"));
    cr_expect_str_eq(finding_of(&h.found, "san.mismatch")->got,
                     "missing otherName 1.2.3; added otherName 1.2.3");
    findings_free(&h.found);
}

Test(upload, an_ec_leaf_wants_ec_keys_all_the_way_up)
{
    static struct held h;
    struct ca_certificate root = {.spki = request_key("rsa-2048")};

    hold(&h, "ucm/tomcat-ECDSA", "ec-384");
    cr_expect_not(has(&h, "chain.key-type"));
    h.upload.chain[0] = &root;
    h.upload.chain_count = 1;
    cr_expect(has(&h, "chain.key-type"), "the root is RSA");
    h.upload.chain_count = 0;
    h.leaf.signed_by = KEY_RSA;
    cr_expect(has(&h, "chain.key-type"), "its signature is RSA");
    hold(&h, "ucm/tomcat", "rsa-2048");
    h.leaf.signed_by = KEY_EC;
    cr_expect_not(has(&h, "chain.key-type"), "the other way round it works");
    findings_free(&h.found);
}

Test(upload, keys_of_authorities_have_sizes_that_the_products_take)
{
    static const struct {
        const char *profile, *key, *rule, *got;
    } rows[] = {
        {"ucm/tomcat", "rsa-1024", "key.ca-small", "1024 bits (CN=CA)"},
        {"ucm/tomcat", "rsa-2048", NULL, NULL},
        {"ucm/tomcat", "rsa-3072", NULL, NULL},
        {"ucm/tomcat", "rsa-4096", "key.ca-size", "4096 bits (CN=CA)"},
        {"vos/tomcat", "rsa-4096", NULL, NULL},
        {"ucm/tomcat", "rsa-4104", "key.too-large", "4104 bits (CN=CA)"},
        {"vos/tomcat", "rsa-8192", "key.too-large", "8192 bits (CN=CA)"},
        {"ucm/tomcat", "ec-384", NULL, NULL},
    };
    static struct held h;
    struct ca_certificate above = {.subject_text = span_str("CN=CA"), .signature_hash = HASH_SHA256};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hold(&h, rows[i].profile, "rsa-2048");
        above.spki = request_key(rows[i].key);
        h.upload.chain[0] = &above;
        h.upload.chain_count = 1;
        cr_assert_eq(check_held(&h), rows[i].rule != NULL ? 1 : 0, "%zu", i);
        if (rows[i].rule == NULL)
            continue;
        cr_expect_str_eq(h.found.items[0].rule, rows[i].rule);
        cr_expect_str_eq(h.found.items[0].got, rows[i].got);
    }
    findings_free(&h.found);
}

/* Rows: a hash, and the rule that speaks of it. */
static const struct {
    enum hash_alg hash;
    const char *rule; /* NULL: none */
    const char *got;
} hashes[] = {
    {HASH_NONE, "certificate.hash", "an unknown hash"},
    {HASH_MD5, "certificate.hash", "MD5"},
    {HASH_SHA1, "certificate.hash.weak", "SHA-1"},
    {HASH_SHA224, NULL, NULL},
    {HASH_SHA256, NULL, NULL},
    {HASH_SHA384, NULL, NULL},
    {HASH_SHA512, NULL, NULL},
};

static void expect_hash_rule(struct held *h, size_t row, const char *field, const char *got)
{
    (void)check_held(h);
    cr_assert_eq(h->found.count, hashes[row].rule != NULL ? 1 : 0, "%zu: %s", row, field);
    if (h->found.count == 0)
        return;
    cr_expect_str_eq(h->found.items[0].rule, hashes[row].rule);
    cr_expect_str_eq(h->found.items[0].field, field);
    cr_expect_str_eq(h->found.items[0].got, got);
}

Test(upload, a_weak_hash_is_told_of_leaf_and_authorities_but_not_of_a_root)
{
    static struct held h;
    struct ca_certificate above = {.subject = span_str("CA"),
                                   .issuer = span_str("Root"),
                                   .subject_text = span_str("CN=CA"),
                                   .spki = request_key("rsa-3072")};
    char got[64];

    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        hold(&h, "ucm/tomcat", "rsa-2048");
        h.leaf.signature_hash = hashes[i].hash;
        expect_hash_rule(&h, i, "certificate.signature", hashes[i].got);
        h.leaf.signature_hash = HASH_SHA256;
        h.upload.chain[0] = &above;
        h.upload.chain_count = 1;
        above.signature_hash = hashes[i].hash;
        above.issuer = span_str("Root");
        snprintf(got, sizeof got, "%s (CN=CA)", hashes[i].got != NULL ? hashes[i].got : "");
        expect_hash_rule(&h, i, "chain", got);
        above.issuer = above.subject;
        cr_expect_eq(check_held(&h), 0, "a root's own signature proves nothing anyway");
    }
    findings_free(&h.found);
}

Test(upload, one_name_with_two_keys_is_told_once)
{
    static struct held h;
    struct ca_certificate known[] = {{.subject = span_str("one"), .spki = span_str("k1")},
                                     {.subject = span_str("one"), .spki = span_str("k1")},
                                     {.subject = span_str("two"), .spki = span_str("k2")},
                                     {.subject = span_str("one"), .spki = span_str("k3")}};

    hold(&h, "ucm/tomcat", "rsa-2048");
    h.upload.known = known;
    h.upload.known_count = 3;
    cr_expect_not(has(&h, "trust.duplicate-dn"), "the same certificate twice");
    h.upload.known_count = 4;
    cr_expect_eq(check_held(&h), 1);
    cr_expect(finding_of(&h.found, "trust.duplicate-dn"));
    findings_free(&h.found);
}

Test(upload, capf_is_a_ca_that_signs_no_other)
{
    static struct held h;

    hold(&h, "ucm/CAPF", "rsa-2048");
    h.leaf.is_ca = true;
    h.leaf.path_len = 0;
    h.leaf.ku = KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN;
    cr_expect_not(has(&h, "capf.not-a-ca"));
    cr_expect_not(has(&h, "usage.key.mismatch"), "its request never asks for what it needs");
    h.leaf.path_len = -1;
    cr_expect(has(&h, "capf.not-a-ca"));
    h.leaf.path_len = 1;
    cr_expect(has(&h, "capf.not-a-ca"));
    h.leaf.path_len = 0;
    h.leaf.ku = KU_KEY_CERT_SIGN;
    cr_expect(has(&h, "capf.not-a-ca"));
    findings_free(&h.found);
}

Test(upload, an_ec_phone_needs_to_sign_alone)
{
    static struct held h;

    hold(&h, "phone/LSC-EC", "ec-256");
    h.leaf.ku = KU_DIGITAL_SIGNATURE;
    cr_expect_not(has(&h, "lsc.usage"));
    hold(&h, "phone/LSC", "rsa-2048");
    h.leaf.ku = KU_DIGITAL_SIGNATURE;
    cr_expect(has(&h, "lsc.usage"));
    findings_free(&h.found);
}

Test(upload, every_profile_has_a_plan_of_its_group)
{
    for (size_t i = 0; i < installed_all()->count; i++) {
        const char *id = installed_all()->profiles[i].id;
        const struct upload_plan *p = upload_plan_find(id);
        bool is_cisco = installed_all()->profiles[i].is_cisco;

        cr_expect_eq(strncmp(p->profile, id, strlen(p->profile)), 0, "%s: %s", id, p->profile);
        cr_expect_eq(p->profile[0] != '\0', is_cisco, "%s", id);
        cr_expect_not_null(p->trusts[0], "%s", id);
        if (strncmp(id, "ucce/web", 8) == 0)
            cr_expect_not_null(strstr(p->leaf_how, "Complete Certificate Request"), "%s", id);
        if (strstr(id, "-ECDSA") != NULL)
            cr_expect(strstr(p->leaf, "ECDSA") != NULL || strstr(p->leaf, "ecdsa") != NULL ||
                          strncmp(id, "expressway", 10) == 0,
                      "%s: %s", id, p->leaf);
    }
    cr_expect_str_eq(upload_plan_find("site/web")->profile, "");
    cr_expect_str_eq(upload_plan_find("ucm/of-the-site")->profile, "ucm/");
}
