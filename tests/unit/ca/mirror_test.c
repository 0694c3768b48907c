/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a request asks for issued exactly, within the profile, and everything else refused by name? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

#define d KU_DIGITAL_SIGNATURE
#define k KU_KEY_ENCIPHERMENT
#define D KU_DATA_ENCIPHERMENT
#define a KU_KEY_AGREEMENT
#define c KU_KEY_CERT_SIGN
#define N KU_NON_REPUDIATION
#define S (1u << EKU_SERVER_AUTH)
#define C (1u << EKU_CLIENT_AUTH)
#define I (1u << EKU_IPSEC_END_SYSTEM)

/* The table of docs/products.md, 4, once more and by hand: what the catalogue must say. */
static const struct row {
    const char *id, *key;
    uint32_t eku, eku_tolerated;
    uint16_t ku, ku_tolerated, preset;
    bool multi_server;
} rows[] = {
    {"ucm/CallManager", "rsa-2048", S | C, I, d | D, k | a, d | D, true},
    {"ucm/CallManager-ECDSA", "ec-256", S | C, I, d | D, k | a, d | D, true},
    {"ucm/tomcat", "rsa-2048", S | C, I, d | D, k | a, d | D, true},
    {"ucm/tomcat-ECDSA", "ec-256", S | C, I, d | D, k | a, d | D, true},
    {"ucm/CAPF", "rsa-2048", S, C | I, d | c, k, d | c, false},
    {"ucm/ipsec", "rsa-2048", S | C | I, 0, d | k | D, a, d | k | D, false},
    {"ucm/TVS", "rsa-2048", S | C, I, d | k | D, a, d | k | D, true},
    {"imp/cup", "rsa-2048", S | C | I, 0, d | k | D, a, d | k | D, false},
    {"imp/cup-ECDSA", "ec-256", S | C | I, 0, d | k | D, a, d | k | D, false},
    {"imp/cup-xmpp", "rsa-2048", S | C | I, 0, d | k | D, a, d | k | D, true},
    {"imp/cup-xmpp-ECDSA", "ec-256", S | C | I, 0, d | k | D, a, d | k | D, true},
    {"imp/cup-xmpp-s2s", "rsa-2048", S | C | I, 0, d | k | D, a, d | k | D, true},
    {"imp/cup-xmpp-s2s-ECDSA", "ec-256", S | C | I, 0, d | k | D, a, d | k | D, true},
    {"imp/ipsec", "rsa-2048", S | C | I, 0, d | k | D, a, d | k | D, false},
    {"imp/tomcat", "rsa-2048", S | C, I, d | k | D, a, d | k | D, true},
    {"imp/tomcat-ECDSA", "ec-256", S | C, I, d | k | D, a, d | k | D, true},
    {"vos/tomcat", "rsa-2048", S | C, I, d | D, k | a, d | D, true},
    {"vos/tomcat-ECDSA", "ec-256", S | C, I, d | D, k | a, d | D, true},
    {"uccx/tomcat", "rsa-2048", S | C, I, d | D, k | a, d | D, true},
    {"uccx/tomcat-ECDSA", "ec-256", S | C, I, d | D, k | a, d | D, true},
    {"ucce/host", "rsa-2048", S | C, 0, d | k, D | a, d | k, false},
    {"ucce/host-ECDSA", "ec-256", S | C, 0, d, D | a, d, false},
    {"ucce/web", "rsa-2048", S, C, d | k, D | a | N, d | k, false},
    {"ucce/web-ECDSA", "ec-256", S, C, d, D | a | N, d, false},
    {"cvp/server", "rsa-2048", S | C, 0, d | k, D | a, d | k, false},
    {"phone/LSC", "rsa-2048", C, S | I, d | k, D | a, d | k, false},
    {"phone/LSC-EC", "ec-256", C, S | I, d, D | a, d, false},
    {"expressway/server", "rsa-2048", S | C, 0, d | k, D | a, d | k, true},
    {"expressway/server", "ec-256", S | C, 0, d, D | a, d, true},
    {"general/server", "rsa-2048", S, C, d, k, d | k, true},
    {"general/server", "ec-256", S, C, d, 0, d, true},
    {"general/client", "rsa-2048", C, 0, d, k, d | k, true},
    {"general/client", "ec-256", C, 0, d, 0, d, true},
    {"general/server-client", "rsa-2048", S | C, 0, d, k, d | k, true},
    {"general/server-client", "ec-256", S | C, 0, d, 0, d, true},
    {"chancery/administrator", "rsa-2048", C, 0, d, k, d, false},
    {"chancery/administrator", "ec-256", C, 0, d, 0, d, false},
    {"chancery/operator", "rsa-2048", C, 0, d, k, d, false},
    {"chancery/requester", "rsa-2048", C, 0, d, k, d, false},
    {"chancery/auditor", "ec-256", C, 0, d, 0, d, false},
    {"chancery/viewer", "ec-256", C, 0, d, 0, d, false},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

static uint32_t eku_set(const struct grant *g)
{
    uint32_t set = 0;

    for (size_t i = 0; i < g->eku_count; i++)
        set |= 1u << g->eku[i];
    return set;
}

/* A request that asks for this; nothing of a kind when its set is 0. */
static struct facts asking(const char *key, uint16_t ku, uint32_t eku)
{
    struct facts f = request_plain(key);

    f.has_ku = ku != 0;
    f.ku = ku;
    f.has_eku = eku != 0;
    for (enum eku e = 0; e < EKU_OTHER; e++)
        if ((eku & 1u << e) != 0)
            f.eku[f.eku_count++] = e;
    return f;
}

static struct grant check(const struct row *r, uint16_t ku, uint32_t eku, struct findings *fs)
{
    struct facts f = asking(r->key, ku, eku);
    struct grant g;

    profile_check(installed(r->id), &f, 0, &g, fs);
    return g;
}

Test(mirror, every_profile_of_the_catalogue_is_in_the_table)
{
    for (size_t i = 0; i < installed_all()->count; i++) {
        const struct profile *p = &installed_all()->profiles[i];
        bool found = false;

        for (size_t n = 0; n < ROW_COUNT; n++)
            found = found || strcmp(rows[n].id, p->id) == 0;
        cr_expect(found || p->always_table, "%s", p->id);
    }
    for (size_t n = 0; n < ROW_COUNT; n++)
        cr_expect_eq(installed(rows[n].id)->multi_server, rows[n].multi_server, "%s", rows[n].id);
}

Test(mirror, asking_for_nothing_gets_the_default)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct findings fs = {0};
        struct grant g = check(&rows[i], 0, 0, &fs);

        cr_expect(!findings_refuse(&fs), "%s", rows[i].id);
        cr_expect_eq(g.ku, rows[i].preset, "%s", rows[i].id);
        cr_expect_eq(eku_set(&g), rows[i].eku, "%s", rows[i].id);
        findings_free(&fs);
    }
}

Test(mirror, keyUsage_and_extendedKeyUsage_are_decided_apart)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct findings fs = {0};
        struct grant g = check(&rows[i], rows[i].ku, 0, &fs);

        cr_expect(!findings_refuse(&fs), "%s", rows[i].id);
        cr_expect_eq(g.ku, rows[i].ku, "%s", rows[i].id);
        cr_expect_eq(eku_set(&g), rows[i].eku, "%s", rows[i].id);
        g = check(&rows[i], 0, rows[i].eku | rows[i].eku_tolerated, &fs);
        cr_expect(!findings_refuse(&fs), "%s", rows[i].id);
        cr_expect_eq(g.ku, rows[i].preset, "%s", rows[i].id);
        cr_expect_eq(eku_set(&g), rows[i].eku | rows[i].eku_tolerated, "%s", rows[i].id);
        findings_free(&fs);
    }
}

/* All 512 key usages on every row: accepted exactly when between required and required + tolerated, and then
 * issued as asked. */
Test(mirror, every_keyUsage_is_issued_exactly_or_refused_by_name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (unsigned n = 1; n < 512; n++) {
            uint16_t ku = (uint16_t)(n << 7), missing = rows[i].ku & (uint16_t)~ku,
                     extra = ku & (uint16_t) ~(rows[i].ku | rows[i].ku_tolerated);
            struct findings fs = {0};
            struct grant g = check(&rows[i], ku, 0, &fs);
            const struct finding *lacks = finding_of(&fs, "usage.key.missing"),
                                 *has = finding_of(&fs, "usage.key.forbidden");
            char text[200];

            cr_assert_eq(findings_refuse(&fs), missing != 0 || extra != 0, "%s %04x", rows[i].id, ku);
            cr_assert_eq(lacks != NULL, missing != 0);
            cr_assert_eq(has != NULL, extra != 0);
            ku_text(missing, text, sizeof text);
            if (lacks != NULL)
                cr_assert_str_eq(lacks->want, text);
            ku_text(extra, text, sizeof text);
            if (has != NULL)
                cr_assert_str_eq(has->got, text);
            if (!findings_refuse(&fs))
                cr_assert_eq(g.ku, ku);
            findings_free(&fs);
        }
    }
}

Test(mirror, every_extendedKeyUsage_is_issued_exactly_or_refused_by_name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (uint32_t eku = 1; eku < 1u << EKU_OTHER; eku++) {
            uint32_t missing = rows[i].eku & ~eku, extra = eku & ~(rows[i].eku | rows[i].eku_tolerated);
            struct findings fs = {0};
            struct grant g;

            if (__builtin_popcount(eku) > 4 && eku != (1u << EKU_OTHER) - 1) /* the rest says nothing new */
                continue;
            g = check(&rows[i], 0, eku, &fs);
            cr_assert_eq(findings_refuse(&fs), missing != 0 || extra != 0, "%s %x", rows[i].id, eku);
            cr_assert_eq(finding_of(&fs, "usage.ext.missing") != NULL, missing != 0);
            cr_assert_eq(finding_of(&fs, "usage.ext.forbidden") != NULL, extra != 0);
            if (!findings_refuse(&fs))
                cr_assert_eq(eku_set(&g), eku);
            findings_free(&fs);
        }
    }
}

Test(mirror, usages_keep_the_order_of_the_request_and_repeat_nothing)
{
    static const enum eku order[] = {EKU_IPSEC_END_SYSTEM, EKU_CLIENT_AUTH, EKU_SERVER_AUTH};
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;

    f.has_eku = true;
    memcpy(f.eku, order, sizeof order);
    f.eku[3] = EKU_CLIENT_AUTH;
    f.eku_count = 4;
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert_eq(g.eku_count, 3);
    cr_assert_arr_eq(g.eku, order, sizeof order);
    findings_free(&fs);
}

Test(mirror, findings_name_the_usage)
{
    struct facts f = asking("rsa-2048", d | KU_KEY_CERT_SIGN | KU_CRL_SIGN, S | 1u << EKU_CODE_SIGNING);
    struct findings fs = {0};
    struct grant g;

    f.eku_other = span_str("1.3.6.1.4.1.9.9.1");
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "usage.key.missing")->want, "dataEncipherment");
    cr_assert_str_eq(finding_of(&fs, "usage.key.missing")->got, "digitalSignature, keyCertSign, cRLSign");
    cr_assert_str_eq(finding_of(&fs, "usage.key.forbidden")->got, "keyCertSign, cRLSign");
    cr_assert_str_eq(finding_of(&fs, "usage.key.forbidden")->want,
                     "digitalSignature, keyEncipherment, dataEncipherment, keyAgreement");
    cr_assert_str_eq(finding_of(&fs, "usage.ext.missing")->want, "clientAuth");
    cr_assert_str_eq(finding_of(&fs, "usage.ext.forbidden")->got, "codeSigning");
    cr_assert_str_eq(finding_of(&fs, "usage.ext.unknown")->got, "1.3.6.1.4.1.9.9.1");
    cr_assert_str_eq(finding_of(&fs, "usage.data-encipherment")->got, "not asked for");
    findings_free(&fs);
}

/* What asked this way, and what the finding named after it wants; NULL: there is none. */
Test(mirror, what_a_product_fails_without_has_a_name_beside_the_refusal)
{
    static const struct {
        const char *id, *key;
        uint16_t ku;
        uint32_t eku;
        const char *client, *phone;
    } asked[] = {
        {"expressway/server", "rsa-2048", 0, S, "clientAuth", NULL},
        {"expressway/server", "ec-256", 0, 1u << EKU_CODE_SIGNING, "clientAuth", NULL},
        {"expressway/server", "rsa-2048", 0, C, NULL, NULL},
        {"expressway/server", "rsa-2048", d, 0, NULL, NULL},
        {"ucm/tomcat", "rsa-2048", 0, S, NULL, NULL},
        {"phone/LSC", "rsa-2048", d, 0, NULL, "keyEncipherment"},
        {"phone/LSC", "rsa-2048", D, 0, NULL, "digitalSignature, keyEncipherment"},
        {"phone/LSC-EC", "ec-256", D, 0, NULL, "digitalSignature"},
        {"phone/LSC-EC", "ec-256", d, S, NULL, NULL},
        {"ucce/host", "rsa-2048", d, 0, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct facts f = asking(asked[i].key, asked[i].ku, asked[i].eku);
        struct findings fs = {0};
        const struct finding *client, *phone;
        struct grant g;

        profile_check(installed(asked[i].id), &f, 0, &g, &fs);
        client = finding_of(&fs, "eku.client");
        phone = finding_of(&fs, "lsc.usage");
        cr_expect_eq(client != NULL, asked[i].client != NULL, "%zu", i);
        cr_expect_eq(phone != NULL, asked[i].phone != NULL, "%zu", i);
        if (client != NULL)
            cr_expect(strcmp(client->want, asked[i].client) == 0 &&
                      strcmp(client->field, "extendedKeyUsage") == 0);
        if (phone != NULL)
            cr_expect(strcmp(phone->want, asked[i].phone) == 0 && strcmp(phone->field, "keyUsage") == 0);
        findings_free(&fs);
    }
}

Test(mirror, an_empty_extension_asks_for_less_than_is_required)
{
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;

    f.has_ku = true;
    f.has_eku = true;
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "usage.key.missing")->got, "none");
    cr_assert_str_eq(finding_of(&fs, "usage.ext.missing")->want, "serverAuth, clientAuth");
    findings_free(&fs);
}

/* RFC 8813: on the product's purposes a note, on general ones a refusal. */
Test(mirror, encipherment_with_an_EC_key)
{
    struct facts f = asking("ec-256", d | k | D, 0);
    struct findings fs = {0};
    struct grant g;

    profile_check(installed("ucm/tomcat-ECDSA"), &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert_str_eq(finding_of(&fs, "usage.rfc8813")->got, "keyEncipherment, dataEncipherment");
    findings_free(&fs);
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert(findings_refuse(&fs));
    cr_assert_null(finding_of(&fs, "usage.rfc8813"));
    cr_assert_str_eq(finding_of(&fs, "usage.key.forbidden")->got, "keyEncipherment, dataEncipherment");
    cr_assert_not_null(strstr(finding_of(&fs, "usage.key.forbidden")->want, "RFC 8813"));
    findings_free(&fs);
    f.spki = request_key("rsa-2048");
    f.ku = d | k;
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    findings_free(&fs);
}

Test(mirror, a_profile_may_insist_on_its_table)
{
    struct profile p = *installed("ucm/tomcat");
    struct facts f = asking("rsa-2048", d | k, C);
    struct findings fs = {0};
    struct grant g;

    p.always_table = true;
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert_eq(g.ku, d | D);
    cr_assert_eq(eku_set(&g), S | C);
    cr_assert_not_null(finding_of(&fs, "usage.table"));
    cr_assert_str_eq(finding_of(&fs, "usage.data-encipherment")->want, "required");
    findings_free(&fs);
}
