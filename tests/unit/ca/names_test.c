/* SPDX-License-Identifier: Apache-2.0 */
/* Are the rules about names broken where they should be, and nowhere else? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "request.h"

#define CN64 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff.com"

static const uint8_t four[] = {192, 0, 2, 1}, sixteen[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

/* A request with one common name and up to five SANs; a name that begins with '@' is an rfc822Name, '/' a
 * URI, '#' an address of four octets, '%' one of sixteen, '!' one of five, '?' another kind of name. */
struct name_case {
    const char *profile, *key, *cn;
    const char *sans[6];
    const char *rule; /* that must fire; NULL: none but notes */
    const char *got;  /* what it must have; NULL: not looked at */
};

static struct san san_from(const char *text)
{
    switch (text[0]) {
    case '@':
        return (struct san){SAN_EMAIL, span_str(text + 1)};
    case '/':
        return (struct san){SAN_URI, span_str(text + 1)};
    case '#':
        return (struct san){SAN_IP, span_of(four, 4)};
    case '%':
        return (struct san){SAN_IP, span_of(sixteen, 16)};
    case '!':
        return (struct san){SAN_IP, span_of(sixteen, 5)};
    case '?':
        return (struct san){SAN_OTHER, {0}};
    default:
        return (struct san){SAN_DNS, span_str(text)};
    }
}

/* serialNumber=PID:CP-8861 SN:FCH12345678 */
static const uint8_t phone_subject[] = {0x30, 0x25, 0x31, 0x23, 0x30, 0x21, 0x06, 0x03, 0x55, 0x04,
                                        0x05, 0x13, 0x1a, 'P',  'I',  'D',  ':',  'C',  'P',  '-',
                                        '8',  '8',  '6',  '1',  ' ',  'S',  'N',  ':',  'F',  'C',
                                        'H',  '1',  '2',  '3',  '4',  '5',  '6',  '7',  '8'};

static struct grant run(const struct name_case *c, struct findings *fs)
{
    struct facts f = request_plain(c->key);
    struct san sans[6];
    struct grant g;

    f.signature_hash = HASH_SHA512;
    f.cn = span_str(c->cn);
    f.sans = sans;
    if (strncmp(c->profile, "phone/", 6) == 0)
        f.subject = span_of(phone_subject, sizeof phone_subject);
    for (; c->sans[f.san_count] != NULL; f.san_count++)
        sans[f.san_count] = san_from(c->sans[f.san_count]);
    f.has_san = f.san_count > 0;
    profile_check(installed(c->profile), &f, 0, &g, fs);
    return g;
}

static const struct name_case refused[] = {
    {"ucm/tomcat", "rsa-2048", "*.example.com", {NULL}, "name.wildcard", "*.example.com"},
    {"general/server",
     "rsa-2048",
     "a.example.com",
     {"a.example.com", "*.example.com"},
     "name.wildcard",
     "*.example.com"},
    {"general/server", "rsa-2048", "a*b", {"a.example.com"}, "name.wildcard", "a*b"},
    {"ucm/tomcat", "rsa-2048", "", {NULL}, "name.cn.missing", "no name"},
    {"ucm/tomcat", "rsa-2048", CN64 "x", {NULL}, "name.cn.length", "65 characters"},
    {"ucm/tomcat", "rsa-2048", "a.example.com", {"@a@example.com"}, "san.type", "rfc822Name a@example.com"},
    {"ucm/tomcat",
     "rsa-2048",
     "a.example.com",
     {"/sip:a@example.com"},
     "san.type",
     "uniformResourceIdentifier sip:a@example.com"},
    {"general/client",
     "rsa-2048",
     "a.example.com",
     {"?", "a.example.com"},
     "san.type",
     "another kind of name"},
    {"ucm/tomcat",
     "rsa-2048",
     "a.example.com",
     {"a..example.com", "a b"},
     "san.syntax",
     "a..example.com, a b"},
    {"ucm/tomcat", "rsa-2048", "a.example.com", {""}, "san.syntax", "an empty name"},
    {"ucm/tomcat", "rsa-2048", "a.example.com", {"a.example.com."}, "san.syntax", "a.example.com."},
    {"ucm/tomcat", "rsa-2048", "a.example.com", {"!"}, "san.ip", "of 5 octets"},
    {"phone/LSC", "rsa-2048", "CP-8861-SEP001122334455", {"#", "%"}, "san.ip", "192.0.2.1, 2001:db8::1"},
    {"phone/LSC", "rsa-2048", "CP-8861-SEP001122334455", {"192.0.2.1"}, "san.ip", "192.0.2.1"},
};

Test(names, breaches_are_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct findings fs = {0};
        const struct finding *one;

        run(&refused[i], &fs);
        one = finding_of(&fs, refused[i].rule);
        cr_expect_not_null(one, "%zu %s", i, refused[i].rule);
        cr_expect(findings_refuse(&fs), "%zu %s", i, refused[i].rule);
        if (one != NULL)
            cr_expect_str_eq(one->got, refused[i].got);
        findings_free(&fs);
    }
}

static const struct name_case warned[] = {
    {"ucm/tomcat", "rsa-2048", "a, b", {"a.example.com"}, "name.cn.comma", "a, b"},
    {"ucm/tomcat",
     "rsa-2048",
     "my_host.example.com",
     {"my_host.example.com"},
     "san.underscore",
     "my_host.example.com"},
    {"general/server", "rsa-2048", "my_host.example.com", {NULL}, "san.underscore", "my_host.example.com"},
    {"ucm/tomcat", "rsa-2048", "a.example.com", {"192.0.2.1"}, "san.ip.as-name", "192.0.2.1"},
    {"ucm/tomcat", "rsa-2048", "Web server", {NULL}, "san.missing", "Web server"},
    {"ucm/tomcat", "rsa-2048", "192.0.2.1", {NULL}, "san.missing", "192.0.2.1"},
    {"ucm/tomcat-ECDSA", "ec-256", "cucm.example.com", {NULL}, "name.ec", "cucm.example.com"},
    {"ucm/tomcat-ECDSA",
     "ec-256",
     "cucm-ms.example.com",
     {"a.example.com", "b.example.com"},
     "name.ec",
     "cucm-ms.example.com"},
    {"ucm/tomcat",
     "rsa-2048",
     "cucm.example.com",
     {"a.example.com", "b.example.com"},
     "name.ms",
     "cucm.example.com"},
    {"ucm/tomcat-ECDSA",
     "ec-256",
     "cucm-EC.example.com",
     {"a.example.com", "b.example.com"},
     "name.ms",
     "cucm-EC.example.com"},
    /* a second domain is one of XMPP's alone */
    {"imp/tomcat",
     "rsa-2048",
     "imp.example.com",
     {"imp.example.com", "example.com", "example.net"},
     "name.ms",
     "imp.example.com"},
    {"imp/cup",
     "rsa-2048",
     "imp.example.com",
     {"imp.example.com", "example.com", "example.net"},
     "profile.multi-server",
     "example.net, imp.example.com"},
    {"ucm/ipsec",
     "rsa-2048",
     "a.example.com",
     {"a.example.com", "b.example.com"},
     "profile.multi-server",
     NULL},
};

Test(names, oddities_are_warned_of)
{
    for (size_t i = 0; i < sizeof warned / sizeof *warned; i++) {
        struct findings fs = {0};
        const struct finding *one;

        run(&warned[i], &fs);
        one = finding_of(&fs, warned[i].rule);
        cr_expect_not_null(one, "%zu %s", i, warned[i].rule);
        cr_expect(!findings_refuse(&fs), "%zu %s", i, warned[i].rule);
        if (one != NULL && warned[i].got != NULL)
            cr_expect_str_eq(one->got, warned[i].got);
        if (one != NULL)
            cr_expect_eq(one->severity, SEVERITY_WARN, "%s", one->rule);
        findings_free(&fs);
    }
}

static const struct name_case fine[] = {
    {"ucm/tomcat", "rsa-2048", CN64, {NULL}, NULL, NULL},
    {"ucm/tomcat", "rsa-2048", "CUCMB1", {NULL}, NULL, NULL},
    /* no host name is made of it, so it is none to clients */
    {"general/client", "rsa-2048", "some_body", {NULL}, NULL, NULL},
    /* what the product itself sends: the node and its parent domain are one host */
    {"ucm/ipsec", "rsa-2048", "cucm.example.com", {"cucm.example.com", "example.com"}, NULL, NULL},
    {"ucm/tomcat", "rsa-2048", "cucm.example.com", {"example.com", "cucm.example.com"}, NULL, NULL},
    {"ucm/tomcat",
     "rsa-2048",
     "cucm-ms.example.com",
     {"a.example.com", "b.example.com", "example.com"},
     NULL,
     NULL},
    {"ucm/tomcat-ECDSA", "ec-256", "cucm-EC.example.com", {"cucm.example.com", "example.com"}, NULL, NULL},
    {"ucm/tomcat-ECDSA", "ec-256", "cucm-EC-ms.example.com", {"a.example.com", "b.example.com"}, NULL, NULL},
    /* one node with the domains it speaks XMPP for, and the alias of its chat rooms */
    {"imp/cup-xmpp-s2s",
     "rsa-2048",
     "imp.example.com",
     {"imp.example.com", "example.com", "example.net", "example.org"},
     NULL,
     NULL},
    {"imp/cup-xmpp-s2s-ECDSA",
     "ec-256",
     "imp-EC.example.com",
     {"imp.example.com", "example.net"},
     NULL,
     NULL},
    {"imp/cup-xmpp",
     "rsa-2048",
     "imp.example.com",
     {"imp.example.com", "conference-2-standalone.example.com"},
     NULL,
     NULL},
    {"imp/cup-xmpp", "rsa-2048", "imp-ms.example.com", {"imp1.example.com", "imp2.example.com"}, NULL, NULL},
    /* Windows hosts name themselves twice */
    {"ucce/host", "rsa-2048", "aw.example.com", {"aw", "aw.example.com"}, NULL, NULL},
    {"ucce/host-ECDSA", "ec-256", "aw.example.com", {NULL}, NULL, NULL},
    {"expressway/server", "ec-256", "exp.example.com", {"exp1.example.com", "exp2.example.com"}, NULL, NULL},
    {"general/server", "rsa-2048", "a.example.com", {"#", "%", "a.example.com"}, NULL, NULL},
    {"general/server", "rsa-2048", "", {"a.example.com"}, NULL, NULL},
    {"phone/LSC", "rsa-2048", "CP-8861-SEP001122334455", {NULL}, NULL, NULL},
    {"general/client", "rsa-2048", "Alice Example", {NULL}, NULL, NULL},
};

Test(names, ordinary_names_are_fine)
{
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct findings fs = {0};

        run(&fine[i], &fs);
        for (size_t n = 0; n < fs.count; n++)
            cr_expect_eq(fs.items[n].severity, SEVERITY_NOTE, "%zu %s", i, fs.items[n].rule);
        findings_free(&fs);
    }
}

Test(names, the_products_own_name_is_suggested)
{
    struct name_case c = {
        "ucm/tomcat-ECDSA", "ec-256", "cucm.example.com", {"a.example.com", "b.example.com"}, NULL, NULL};
    struct findings fs = {0};

    run(&c, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.ec")->want, "cucm-EC-ms.example.com");
    cr_assert_str_eq(finding_of(&fs, "name.ms")->want, "cucm-EC-ms.example.com");
    findings_free(&fs);
}

Test(names, a_servers_SAN_comes_from_its_host_name)
{
    static const struct {
        struct name_case c;
        bool from_cn;
    } cases[] = {
        {{"ucm/tomcat", "rsa-2048", "cucm.example.com", {NULL}, NULL, NULL}, true},
        {{"ucm/ipsec", "rsa-2048", "CUCMB1", {NULL}, NULL, NULL}, true},
        {{"ucm/tomcat", "rsa-2048", "cucm.example.com", {"a.example.com"}, NULL, NULL}, false},
        {{"ucm/tomcat", "rsa-2048", "Web server", {NULL}, NULL, NULL}, false},
        {{"general/client", "rsa-2048", "alice", {NULL}, NULL, NULL}, false},
        {{"phone/LSC", "rsa-2048", "SEP001122334455", {NULL}, NULL, NULL}, false},
        {{"chancery/administrator", "rsa-2048", "admin", {NULL}, NULL, NULL}, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings fs = {0};
        struct grant g = run(&cases[i].c, &fs);

        cr_expect_eq(g.san_from_cn, cases[i].from_cn, "%s", cases[i].c.cn);
        cr_expect_eq(finding_of(&fs, "san.from-cn") != NULL, cases[i].from_cn, "%s", cases[i].c.cn);
        findings_free(&fs);
    }
}

Test(names, wildcards_are_issued_where_the_catalogue_permits_them)
{
    struct profile p = *installed("general/server");
    struct facts f = request_plain("rsa-2048");
    struct san sans[3];
    struct findings fs = {0};
    struct grant g;

    p.wildcards = true;
    f.cn = span_str("*.example.com");
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert(g.san_from_cn);
    request_names(&f, sans, "*.example.com", NULL);
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    findings_free(&fs);
    request_names(&f, sans, "*.com", "a.*.example.com", NULL);
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.wildcard")->got, "*.com, a.*.example.com");
    findings_free(&fs);
}

Test(names, an_empty_subject_is_refused)
{
    static const uint8_t empty[] = {0x30, 0x00};
    struct facts f = request_plain("rsa-2048");
    struct san sans[1];
    struct findings fs = {0};
    struct grant g;

    f.subject = span_of(empty, sizeof empty);
    f.cn = (struct span){0};
    request_names(&f, sans, "a.example.com", NULL);
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "subject.empty"));
    cr_assert(findings_refuse(&fs));
    findings_free(&fs);
}

/* One CN in each RDN, or all in one; NULL ends them. */
static struct span put_cns(struct buf *b, const char *const *cns, bool in_one)
{
    size_t name, set = 0, seq;

    buf_init(b, 1024);
    name = der_open(b, DER_SEQUENCE);
    for (size_t i = 0; cns[i] != NULL; i++) {
        if (i == 0 || !in_one)
            set = der_open(b, DER_SET);
        seq = der_open(b, DER_SEQUENCE);
        der_put_oid(b, span_str("\x55\x04\x03"));
        der_put(b, DER_UTF8_STRING, span_str(cns[i]));
        der_close(b, seq);
        if (cns[i + 1] == NULL || !in_one)
            der_close(b, set);
    }
    der_close(b, name);
    return buf_span(b);
}

Test(names, several_common_names_are_refused_wherever_they_are)
{
    static const struct {
        const char *profile, *cns[4], *got;
        bool in_one;
    } rows[] = {
        {"general/server", {"ceo.bank.test", "a.example.com"}, "2 common names", false},
        {"general/server", {"*.bank.test", "a.example.com"}, "2 common names", false},
        {"general/client", {"a.example.com", "a.example.com"}, "2 common names", false},
        {"ucm/tomcat", {"a.bank.test", "a.example.com"}, "2 common names", true},
        {"ucm/tomcat", {"a", "b", "a.example.com"}, "3 common names", false},
        {"general/server", {"a.example.com"}, NULL, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct facts f = request_plain("rsa-2048");
        const struct finding *one;
        struct findings fs = {0};
        struct san sans[1];
        struct buf subject;
        struct grant g;

        f.subject = put_cns(&subject, rows[i].cns, rows[i].in_one);
        f.cn = span_str("a.example.com");
        request_names(&f, sans, "a.example.com", NULL);
        profile_check(installed(rows[i].profile), &f, 0, &g, &fs);
        one = finding_of(&fs, "name.cn.count");
        cr_expect_eq(one != NULL, rows[i].got != NULL, "%zu", i);
        cr_expect_eq(findings_refuse(&fs), rows[i].got != NULL, "%zu", i);
        if (one != NULL)
            cr_expect_str_eq(one->got, rows[i].got);
        findings_free(&fs);
        buf_free(&subject);
    }
}

Test(names, an_empty_SAN_is_refused)
{
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;

    f.has_san = true;
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "san.empty"));
    findings_free(&fs);
}

Test(names, characters_are_counted_not_octets)
{
    struct facts f = request_plain("rsa-2048");
    char cn[160] = "";
    struct findings fs = {0};
    struct grant g;

    for (unsigned i = 0; i < CN_MAX; i++)
        strcat(cn, "\xc3\xa4");
    f.cn = span_str(cn);
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert_null(finding_of(&fs, "name.cn.length"));
    strcat(cn, "\xc3\xa4");
    f.cn = span_str(cn);
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "name.cn.length")->got, "65 characters");
    findings_free(&fs);
}

Test(names, duplicates_are_noted_without_regard_to_case)
{
    struct name_case c = {
        "ucm/tomcat", "rsa-2048", "a.example.com", {"a.example.com", "A.Example.com", "#", "#"}, NULL, NULL};
    struct findings fs = {0};
    const struct finding *one;

    run(&c, &fs);
    one = finding_of(&fs, "san.duplicate");
    cr_assert_not_null(one);
    cr_assert_eq(one->severity, SEVERITY_NOTE);
    cr_assert_not_null(strstr(one->got, "192.0.2.1"));
    findings_free(&fs);
}

/* otherName 1.3.6.1.5.5.7.8.5 with a UTF8String of one letter */
#define XMPP_ADDRESS(letter) "\xa0\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x05\xa0\x03\x0c\x01" letter

Test(names, other_names_are_told_by_their_oid_and_are_one_when_their_octets_are)
{
    static const struct span names[] = {{(const uint8_t *)XMPP_ADDRESS("a"), 17},
                                        {(const uint8_t *)XMPP_ADDRESS("b"), 17},
                                        {(const uint8_t *)XMPP_ADDRESS("a"), 17}};
    struct facts f = request_plain("rsa-2048");
    struct san sans[3];
    struct findings fs = {0};
    struct grant g;

    for (size_t i = 0; i < 3; i++)
        sans[i] = (struct san){SAN_OTHER, names[i]};
    f.has_san = true;
    f.sans = sans;
    f.san_count = 2;
    profile_check(installed("expressway/server"), &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "san.type"));
    cr_expect_str_eq(finding_of(&fs, "san.type")->got,
                     "otherName XMPPAddress (1.3.6.1.5.5.7.8.5), otherName XMPPAddress (1.3.6.1.5.5.7.8.5)");
    cr_expect_null(finding_of(&fs, "san.duplicate"), "a and b");
    findings_free(&fs);
    f.san_count = 3;
    profile_check(installed("expressway/server"), &f, 0, &g, &fs);
    cr_expect_not_null(finding_of(&fs, "san.duplicate"), "a twice");
    findings_free(&fs);
}

/* The api sends no such address; one that is captured may. */
Test(names, an_address_of_no_length_that_exists_is_refused_once_or_twice)
{
    struct facts f = request_plain("rsa-2048");
    struct san sans[] = {{SAN_IP, span_str("abcde")}, {SAN_IP, span_str("abcde")}};
    struct findings fs = {0};
    struct grant g;

    f.has_san = true;
    f.sans = sans;
    f.san_count = 2;
    profile_check(installed("general/server"), &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "san.ip"));
    cr_assert_null(finding_of(&fs, "san.duplicate"));
    findings_free(&fs);
}

Test(names, a_thousand_names_are_listed_briefly_and_one_more_is_refused)
{
    static struct san sans[SAN_COUNT_MAX + 1];
    static char names[SAN_COUNT_MAX + 1][40];
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct grant g;

    f.has_san = true;
    f.sans = sans;
    for (size_t i = 0; i <= SAN_COUNT_MAX; i++) {
        snprintf(names[i], sizeof names[i], "node_%zu.example.com", i);
        sans[i] = (struct san){SAN_DNS, span_str(names[i])};
    }
    f.san_count = SAN_COUNT_MAX;
    f.cn = span_str("cucm-ms.example.com");
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert(!findings_refuse(&fs));
    cr_assert_not_null(strstr(finding_of(&fs, "san.underscore")->got, "node_7.example.com and 992 more"));
    findings_free(&fs);
    f.san_count++;
    profile_check(installed("ucm/tomcat"), &f, 0, &g, &fs);
    cr_assert_str_eq(finding_of(&fs, "san.count")->got, "1001 names");
    findings_free(&fs);
}
