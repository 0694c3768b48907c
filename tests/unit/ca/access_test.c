/* SPDX-License-Identifier: Apache-2.0 */
/* Does a name give the rights that store and configuration say, and is every act held against them? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/hash.h"
#include "store/inner.h"
#include "tests/unit/ca/idle.h"
#include "tests/unit/ca/played.h"

#define NOW 1800000000
#define DAY 86400

static struct view *view;

/* ---- a store with logins ---- */

static void serial_of(unsigned n, uint8_t out[static SERIAL_LEN])
{
    memset(out, (int)n, SERIAL_LEN);
}

static void put_cert(struct txn *t, unsigned n, const char *profile, const char *subject)
{
    struct cert c = {.status = {.issuer_no = 1, .not_after_s = NOW + DAY},
                     .not_before_s = NOW - DAY,
                     .key_type = KEY_EC,
                     .key_hash = {(uint8_t)n},
                     .cn = span_str("a.example.com"),
                     .subject = span_str(subject),
                     .sans = span_of("a.example.com\0b.example.com", 28),
                     .der = span_str("a certificate")};
    uint64_t number;

    serial_of(n, c.serial);
    strcpy(c.profile, profile);
    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
}

static void put_token(struct txn *t, uint8_t n, const char *by, int64_t expires_at_s)
{
    struct token k = {
        .hash = {n}, .role = ACCESS_OPERATOR, .created_at_s = NOW, .expires_at_s = expires_at_s};

    strcpy(k.created_by, by);
    cr_assert(scope_add(&k.scope.profiles, "ucm/*"));
    token_add(t, &k);
}

/* 1..5: a certificate of each role; 6: of none; 7: revoked; 8: the first one's person again. */
static void fill(struct txn *t)
{
    char profile[PROFILE_ID_MAX], subject[64];
    struct issuer i = {.id = "ec-g1", .certificate = span_str("an issuer")};
    uint8_t serial[SERIAL_LEN];
    uint16_t no;

    issuer_add(t, &i, &no);
    for (enum access_role r = ACCESS_VIEWER; r < ACCESS_ROLES; r++) {
        snprintf(profile, sizeof profile, "chancery/%s", access_role_name(r));
        snprintf(subject, sizeof subject, "CN=person %d", (int)r);
        put_cert(t, r, profile, subject);
    }
    put_cert(t, 6, "ucm/tomcat", "CN=a.example.com");
    put_cert(t, 7, "chancery/administrator", "CN=gone");
    serial_of(7, serial);
    cert_revoke(t, serial, REASON_SUPERSEDED, NOW, NO_TIME);
    put_cert(t, 8, "chancery/operator", "CN=person 1");
    put_token(t, 0x10, "cert:01010101010101010101010101010101010101", NOW + 1);
    put_token(t, 0x11, "token:1000000000000000", NOW);
    put_token(t, 0x12, "uid:0", NOW + DAY);
    token_delete(t, (const uint8_t[TOKEN_ID_LEN]){0x12}, NOW);
}

static void configure(struct access_config *c)
{
    c->peers[c->peer_count++] = (struct access_peer){.id = 4001, .role = ACCESS_AUDITOR};
    c->peers[c->peer_count++] = (struct access_peer){.is_group = true, .id = 4002, .role = ACCESS_OPERATOR};
    c->principals[c->principal_count++] = (struct access_principal){
        .name = "jenkins", .authority = "corp", .subject = "CN=j", .role = ACCESS_REQUESTER};
    c->principals[c->principal_count++] =
        (struct access_principal){.name = "limits", .subject = "CN=person 2"};
    cr_assert(scope_add(&c->principals[1].scope.names, ".example.com"));
}

static void setup(void)
{
    struct txn *t;

    idle_open();
    t = idle_begin();
    fill(t);
    idle_commit(t);
    configure(&idle.role.config.access);
    view = idle_look();
}

static void teardown(void)
{
    view_close(view);
    idle_close();
}

TestSuite(access, .init = setup, .fini = teardown);

static enum err find(const char *name, struct principal *out)
{
    struct fault f = {0};
    enum err e = principal_find(view, &idle.role.config.access, name, NOW, out, &f);

    cr_assert(e == OK || f.detail[0] != '\0', "%s is told why", name);
    cr_assert(e == OK || out->role == ACCESS_NOBODY, "%s has no role", name);
    return e;
}

/* ---- names ---- */

Test(access, names_and_their_roles)
{
    static const struct {
        const char *name;
        enum err want;
        enum access_role role;
    } rows[] = {
        {"uid:0", OK, ACCESS_ADMINISTRATOR},
        {"uid:4001", OK, ACCESS_AUDITOR},
        {"uid:4002", ERR_FORBIDDEN, 0},
        {"gid:4002,uid:5000", OK, ACCESS_OPERATOR},
        {"gid:4003,uid:5000", ERR_FORBIDDEN, 0},
        {"gid:4002,uid:0", OK, ACCESS_OPERATOR},
        {"gid:4002", ERR_UNAUTHENTICATED, 0},
        {"uid:", ERR_UNAUTHENTICATED, 0},
        {"uid:0x0", ERR_UNAUTHENTICATED, 0},
        {"uid:0 ", ERR_UNAUTHENTICATED, 0},
        {"uid:-0", ERR_UNAUTHENTICATED, 0},
        {"uid:4294967296", ERR_UNAUTHENTICATED, 0},
        {"uid:18446744073709551616", ERR_UNAUTHENTICATED, 0},
        {"cert:01010101010101010101010101010101010101", OK, ACCESS_VIEWER},
        {"cert:05050505050505050505050505050505050505", OK, ACCESS_ADMINISTRATOR},
        {"cert:06060606060606060606060606060606060606", ERR_FORBIDDEN, 0},
        {"cert:07070707070707070707070707070707070707", ERR_UNAUTHENTICATED, 0},
        {"cert:99999999999999999999999999999999999999", ERR_UNAUTHENTICATED, 0},
        {"cert:05", ERR_UNAUTHENTICATED, 0},
        {"cert:", ERR_UNAUTHENTICATED, 0},
        {"login:jenkins", OK, ACCESS_REQUESTER},
        {"login:limits", ERR_UNAUTHENTICATED, 0},
        {"login:", ERR_UNAUTHENTICATED, 0},
        {"token:1000000000000000", OK, ACCESS_OPERATOR},
        {"token:1100000000000000", ERR_UNAUTHENTICATED, 0},
        {"token:1200000000000000", ERR_UNAUTHENTICATED, 0},
        {"token:1300000000000000", ERR_UNAUTHENTICATED, 0},
        {"token:10", ERR_UNAUTHENTICATED, 0},
        {"service", ERR_UNAUTHENTICATED, 0},
        {"root", ERR_UNAUTHENTICATED, 0},
        {"", ERR_UNAUTHENTICATED, 0},
        {"-", ERR_UNAUTHENTICATED, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct principal p;

        cr_assert_eq(find(rows[i].name, &p), rows[i].want, "%s", rows[i].name);
        cr_assert_eq(p.role, rows[i].role, "%s", rows[i].name);
    }
}

Test(access, root_alone_is_the_masters)
{
    struct principal p;

    cr_assert_eq(find("uid:0", &p), OK);
    cr_assert(p.is_local_master);
    cr_assert_eq(find("gid:4002,uid:0", &p), OK);
    cr_assert(!p.is_local_master);
    cr_assert_eq(find("cert:05050505050505050505050505050505050505", &p), OK);
    cr_assert(!p.is_local_master);
}

Test(access, scopes_come_from_token_and_configuration)
{
    struct principal p;

    cr_assert_eq(find("token:1000000000000000", &p), OK);
    cr_assert(scope_has_profile(&p.scope, "ucm/x") && !scope_has_profile(&p.scope, "cuc/x"));
    cr_assert_eq(find("cert:02020202020202020202020202020202020202", &p), OK);
    cr_assert(!scope_is_any(&p.scope));
    cr_assert_eq(find("cert:03030303030303030303030303030303030303", &p), OK);
    cr_assert(scope_is_any(&p.scope));
}

Test(access, who_stands_behind_a_name)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"cert:01010101010101010101010101010101010101", "cert:08080808080808080808080808080808080808", true},
        {"cert:01010101010101010101010101010101010101", "cert:02020202020202020202020202020202020202", false},
        {"cert:01010101010101010101010101010101010101", "token:1000000000000000", true},
        {"cert:08080808080808080808080808080808080808", "token:1100000000000000", true},
        {"uid:0", "token:1200000000000000", true},
        {"uid:5000", "gid:4002,uid:5000", true},
        {"uid:0", "uid:1", false},
        {"login:jenkins", "cert:01010101010101010101010101010101010101", false},
        {"token:1300000000000000", "token:1400000000000000", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char a[IDENTITY_MAX], b[IDENTITY_MAX];

        principal_identity(view, &idle.role.config.access, rows[i].a, a);
        principal_identity(view, &idle.role.config.access, rows[i].b, b);
        cr_assert_eq(strcmp(a, b) == 0, rows[i].same, "%s (%s) and %s (%s)", rows[i].a, a, rows[i].b, b);
    }
}

Test(access, a_name_that_leads_nowhere_is_nobody)
{
    static const struct {
        const char *name;
        bool is_person;
    } rows[] = {
        {"uid:0", true},
        {"gid:4002,uid:5000", true},
        {"cert:01010101010101010101010101010101010101", true},
        {"cert:07070707070707070707070707070707070707", true}, /* revoked, and known */
        {"login:jenkins", true},
        {"token:1000000000000000", true},
        {"cert:99999999999999999999999999999999999999", false},
        {"login:hudson", false},
        {"login:limits", false},
        {"token:1300000000000000", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char identity[IDENTITY_MAX];

        principal_identity(view, &idle.role.config.access, rows[i].name, identity);
        cr_expect_eq(identity_is_person(identity), rows[i].is_person, "%s is %s", rows[i].name, identity);
    }
}

/* 0x30, made by the person of certificate 1, makes 0x31, and so on. */
static void make_chain(unsigned count)
{
    char by[PRINCIPAL_MAX] = "cert:01010101010101010101010101010101010101";
    struct txn *t;

    view_close(view);
    t = idle_begin();
    for (unsigned i = 0; i < count; i++) {
        struct token k = {.hash = {(uint8_t)(0x30 + i)},
                          .role = ACCESS_ADMINISTRATOR,
                          .created_at_s = NOW,
                          .expires_at_s = NOW + DAY};

        strcpy(k.created_by, by);
        token_add(t, &k);
        snprintf(by, sizeof by, "token:%02x00000000000000", 0x30 + i);
    }
    idle_commit(t);
    view = idle_look();
}

Test(access, a_token_is_its_first_makers_however_many_are_between)
{
    char name[PRINCIPAL_MAX], person[IDENTITY_MAX], behind[IDENTITY_MAX];

    make_chain(80); /* as an earlier version let them be made */
    principal_identity(view, &idle.role.config.access, "cert:08080808080808080808080808080808080808", person);
    for (unsigned i = 0; i < 80; i++) {
        snprintf(name, sizeof name, "token:%02x00000000000000", 0x30 + i);
        principal_identity(view, &idle.role.config.access, name, behind);
        cr_assert_str_eq(behind, person, "%s", name);
    }
}

static struct ask creation_by(unsigned first)
{
    struct ask a = {.kind = ASK_TOKEN_CREATE,
                    .token = {.hash = {0x99}, .role = ACCESS_VIEWER, .expires_at_s = NOW + 1}};

    snprintf(a.principal, sizeof a.principal, "token:%02x00000000000000", first);
    return a;
}

Test(access, the_last_token_of_a_chain_makes_no_other)
{
    unsigned end = 0x30 + CHAIN_OF_TOKENS_MAX;
    struct ask inside = creation_by(end - 2), last = creation_by(end - 1), beyond = creation_by(end);

    make_chain(CHAIN_OF_TOKENS_MAX + 1);
    access_check(&idle.ca, view, &inside, NOW);
    cr_assert_eq(inside.err, OK, "%s", inside.detail);
    access_check(&idle.ca, view, &last, NOW);
    cr_assert_eq(last.err, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(last.detail, "64"), "%s", last.detail);
    cr_assert(last.is_denied);
    access_check(&idle.ca, view, &beyond, NOW);
    cr_assert_eq(beyond.err, ERR_FORBIDDEN, "of an earlier version");
}

Test(access, a_certificate_is_covered_whole_or_not)
{
    static const struct {
        const char *profile, *name, *issuer;
        bool covers;
    } rows[] = {
        {NULL, NULL, NULL, true},
        {"ucm/*", NULL, NULL, true},
        {"cuc/*", NULL, NULL, false},
        {NULL, "example.com", NULL, true},
        {NULL, "a.example.com", NULL, false},
        {NULL, NULL, "ec-g1", true},
        {NULL, NULL, "rsa-g1", false},
        {"ucm/*", ".example.com", "ec-g1", true},
    };
    uint8_t serial[SERIAL_LEN];
    struct cert c;

    serial_of(6, serial);
    cr_assert_eq(cert_find(view, serial, &c), OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope s = {0};

        cr_assert(rows[i].profile == NULL || scope_add(&s.profiles, rows[i].profile));
        cr_assert(rows[i].name == NULL || scope_add(&s.names, rows[i].name));
        cr_assert(rows[i].issuer == NULL || scope_add(&s.issuers, rows[i].issuer));
        cr_assert_eq(scope_has_cert(&s, view, &c), rows[i].covers, "row %zu", i);
    }
}

static void put_attribute(struct buf *b, const char *oid, uint8_t tag, struct span text)
{
    size_t set = der_open(b, DER_SET), seq = der_open(b, DER_SEQUENCE);

    der_put_oid(b, span_str(oid));
    der_put(b, tag, text);
    der_close(b, seq);
    der_close(b, set);
}

static void put_cn(struct buf *b, uint8_t tag, struct span text)
{
    put_attribute(b, "\x55\x04\x03", tag, text);
}

/* Whichever of them a program takes for the name; the api tells of the last. */
Test(access, every_common_name_of_a_request_is_covered)
{
    static const struct {
        struct span first;
        uint8_t tag;
        bool covers;
    } rows[] = {
        {{(const uint8_t *)"b.example.com", 13}, DER_UTF8_STRING, true},
        {{(const uint8_t *)"ceo.bank.test", 13}, DER_UTF8_STRING, false},
        {{(const uint8_t *)"ceo.bank.test", 13}, DER_IA5_STRING, false},
        {{(const uint8_t *)"\0b\0.\0e\0x\0a\0m\0p\0l\0e\0.\0c\0o\0m", 26}, DER_BMP_STRING, true},
        {{(const uint8_t *)"b.example.com", 13}, DER_OCTET_STRING, false},
    };
    struct scope s = {0};

    cr_assert(scope_add(&s.names, "example.com"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct facts f = {.cn = span_str("a.example.com")};
        struct buf subject;
        size_t name;

        buf_init(&subject, 256);
        name = der_open(&subject, DER_SEQUENCE);
        put_cn(&subject, rows[i].tag, rows[i].first);
        put_cn(&subject, DER_UTF8_STRING, f.cn);
        der_close(&subject, name);
        f.subject = buf_span(&subject);
        cr_expect_eq(scope_has_facts(&s, &f), rows[i].covers, "row %zu", i);
        cr_expect(scope_has_facts(&(struct scope){0}, &f), "no scope limits nothing");
        buf_free(&subject);
    }
}

/* A Name of a common name and an emailAddress. */
static void mail_subject(struct buf *out, const char *mail)
{
    size_t name;

    buf_init(out, 256);
    name = der_open(out, DER_SEQUENCE);
    put_attribute(out, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", DER_IA5_STRING, span_str(mail));
    put_cn(out, DER_UTF8_STRING, span_str("a.lab.example.com"));
    der_close(out, name);
}

/* As openssl req asks for one. */
static const struct {
    const char *mail;
    bool covers;
} mails[] = {
    {"admin@lab.example.com", true},   {"admin@b.lab.example.com", true},           {"", true},
    {"admin@corp.example.com", false}, {"lab.example.com@corp.example.com", false}, {"admin", false},
};

Test(access, the_mail_address_in_a_subject_is_covered)
{
    struct scope s = {0};

    cr_assert(scope_add(&s.names, "lab.example.com"));
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        struct facts f = {.cn = span_str("a.lab.example.com")};
        struct buf subject;

        mail_subject(&subject, mails[i].mail);
        f.subject = buf_span(&subject);
        cr_expect_eq(scope_has_facts(&s, &f), mails[i].covers, "%s", mails[i].mail);
        cr_expect(scope_has_facts(&(struct scope){0}, &f), "no scope limits nothing");
        buf_free(&subject);
    }
}

Test(access, the_mail_address_of_a_certificate_is_covered)
{
    struct buf spki, subject, der;
    struct scope s = {0};
    char text[128];

    played_key(&spki);
    cr_assert(scope_add(&s.names, "lab.example.com"));
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        struct cert c = {.cn = span_str("a.lab.example.com"), .profile = "ucce/host"};

        mail_subject(&subject, mails[i].mail);
        played_certificate((struct tbs){.serial = {1},
                                        .alg = SIG_ECDSA_SHA256,
                                        .issuer = buf_span(&subject),
                                        .subject = buf_span(&subject),
                                        .spki = buf_span(&spki),
                                        .not_before_s = NOW - DAY,
                                        .not_after_s = NOW + DAY},
                           &der);
        snprintf(text, sizeof text, "CN=a.lab.example.com, emailAddress=%s", mails[i].mail);
        c.subject = span_str(text);
        c.der = buf_span(&der);
        cr_expect_eq(scope_has_cert(&s, view, &c), mails[i].covers, "%s", mails[i].mail);
        cr_expect(scope_has_cert(&(struct scope){0}, view, &c), "no scope limits nothing");
        buf_free(&subject);
        buf_free(&der);
    }
    buf_free(&spki);
}

/* ---- acts ---- */

#define V ACCESS_BIT(ACCESS_VIEWER)
#define R ACCESS_BIT(ACCESS_REQUESTER)
#define O ACCESS_BIT(ACCESS_OPERATOR)
#define U ACCESS_BIT(ACCESS_AUDITOR)
#define A ACCESS_BIT(ACCESS_ADMINISTRATOR)

Test(access, every_kind_by_every_role)
{
    /* Kinds that are not here are refused to everybody. */
    static const unsigned want[256] = {
        [ASK_ISSUE] = R | A,           [ASK_REVOKE] = O | A,
        [ASK_UNHOLD] = O | A,          [ASK_PUBLISH] = O | A,
        [ASK_PROBE] = ACCESS_ANY,      [ASK_APPROVE] = O | A,
        [ASK_DENY] = R | O | A,        [ASK_LISTENER] = ACCESS_ANY,
        [ASK_TOKEN_CREATE] = A,        [ASK_TOKEN_DELETE] = A,
        [ASK_TOKEN_USED] = ACCESS_ANY, [ASK_PERMIT_ADD] = A,
        [ASK_PERMIT_REMOVE] = A,       [ASK_LOGIN_FAILURE] = ACCESS_ANY,
        [ASK_TAKEN] = ACCESS_ANY,      [ASK_REFUSED] = ACCESS_ANY,
    };

    for (unsigned kind = 0; kind < 256; kind++)
        for (enum access_role r = ACCESS_VIEWER; r < ACCESS_ROLES; r++) {
            struct ask a = {.kind = (enum ask_kind)kind,
                            .token = {.role = ACCESS_VIEWER, .expires_at_s = NOW + 1},
                            .permit = {.listener = PERMIT_HTTPS, .range = {.bits = 128}}};
            uint8_t serial[SERIAL_LEN];

            serial_of(r, serial);
            strcpy(a.principal, "cert:");
            hex_encode(span_of(serial, SERIAL_LEN), a.principal + 5);
            access_check(&idle.ca, view, &a, NOW);
            cr_assert_eq(a.err == OK, (want[kind] & ACCESS_BIT(r)) != 0, "kind %u, %s: %s", kind,
                         access_role_name(r), a.detail);
            cr_assert_eq(a.is_denied, a.err != OK);
        }
}

Test(access, who_is_nobody_asks_nothing)
{
    static const char *const names[] = {"service",
                                        "-",
                                        "",
                                        "uid:65534",
                                        "token:1200000000000000",
                                        "cert:07070707070707070707070707070707070707"};
    static const enum ask_kind kinds[] = {ASK_ISSUE, ASK_REVOKE, ASK_APPROVE, ASK_TOKEN_CREATE,
                                          ASK_PERMIT_ADD};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct ask a = {.kind = kinds[k]};

            strcpy(a.principal, names[i]);
            access_check(&idle.ca, view, &a, NOW);
            cr_assert_eq(a.err, ERR_FORBIDDEN, "%s, kind %d", names[i], (int)kinds[k]);
        }
}

Test(access, a_limited_administrator_makes_no_logins)
{
    static const enum ask_kind kinds[] = {ASK_TOKEN_CREATE, ASK_TOKEN_DELETE, ASK_PERMIT_ADD,
                                          ASK_PERMIT_REMOVE};
    struct access_principal *p = &idle.role.config.access.principals[1];

    strcpy(p->subject, "CN=person 5");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct ask a = {.kind = kinds[k], .principal = "cert:05050505050505050505050505050505050505"};

        access_check(&idle.ca, view, &a, NOW);
        cr_assert_eq(a.err, ERR_FORBIDDEN);
        cr_assert_eq(a.who.role, ACCESS_ADMINISTRATOR);
    }
}

Test(access, values_out_of_range_are_refused)
{
    struct ask rows[] = {
        {.kind = ASK_TOKEN_CREATE, .token = {.role = ACCESS_NOBODY, .expires_at_s = NOW + 1}},
        {.kind = ASK_TOKEN_CREATE, .token = {.role = ACCESS_ROLES, .expires_at_s = NOW + 1}},
        {.kind = ASK_TOKEN_CREATE, .token = {.role = ACCESS_VIEWER, .expires_at_s = NOW}},
        {.kind = ASK_TOKEN_CREATE, .token = {.role = ACCESS_VIEWER, .expires_at_s = INT64_MAX}},
        {.kind = ASK_PERMIT_ADD, .permit = {.listener = PERMIT_HTTPS, .range = {.bits = 129}}},
        {.kind = ASK_PERMIT_ADD, .permit = {.listener = 0}},
        {.kind = ASK_PERMIT_ADD, .permit = {.listener = 3}},
        {.kind = ASK_PERMIT_ADD, .permit = {.listener = PERMIT_HTTP, .role = ACCESS_VIEWER}},
        {.kind = ASK_PERMIT_ADD, .permit = {.listener = PERMIT_HTTPS, .role = ACCESS_ROLES}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        strcpy(rows[i].principal, "uid:0");
        access_check(&idle.ca, view, &rows[i], NOW);
        cr_assert_eq(rows[i].err, ERR_FORBIDDEN, "row %zu", i);
    }
}

static bool note_row(const struct audit_row *r, void *arg)
{
    char *text = arg;

    snprintf(text + strlen(text), 2000 - strlen(text), "%s %.*s: %.*s\n", audit_kind_name(r->kind),
             (int)r->actor.len, (const char *)r->actor.data, (int)r->detail.len,
             (const char *)r->detail.data);
    return true;
}

static void record(struct ask *a)
{
    struct txn *t;

    view_close(view);
    cr_assert(access_writes(a));
    t = idle_begin();
    access_record(t, a, NOW);
    idle_commit(t);
    view = idle_look();
}

Test(access, acts_are_recorded_with_who_did_them)
{
    struct ask create = {.kind = ASK_TOKEN_CREATE,
                         .principal = "uid:0",
                         .token = {.hash = {0xab}, .role = ACCESS_VIEWER, .expires_at_s = NOW + DAY}},
               again = create,
               drop = {.kind = ASK_TOKEN_DELETE, .principal = "uid:0", .token = {.hash = {0xab}}},
               missing = {.kind = ASK_TOKEN_DELETE, .principal = "uid:0", .token = {.hash = {0xac}}},
               add = {.kind = ASK_PERMIT_ADD,
                      .principal = "uid:0",
                      .permit = {.listener = PERMIT_HTTPS, .range = {.base = {{0x20, 1}}, .bits = 16}}},
               twice = add, gone = add,
               failure = {.kind = ASK_LOGIN_FAILURE,
                          .address = "192.0.2.1",
                          .failure = "unknown token",
                          .count = 7},
               denied = {.kind = ASK_REVOKE, .principal = "cert:01010101010101010101010101010101010101"};
    char text[2000] = "";

    cr_assert(scope_add(&create.token.scope.profiles, "ucm/*"));
    record(&create);
    cr_assert_eq(create.err, OK);
    record(&again);
    cr_assert_eq(again.err, ERR_CONFLICT);
    record(&drop);
    cr_assert_eq(drop.err, OK);
    record(&missing);
    cr_assert_eq(missing.err, ERR_NOT_FOUND);
    record(&add);
    cr_assert_eq(add.err, OK);
    record(&twice);
    cr_assert_eq(twice.err, ERR_CONFLICT);
    gone.kind = ASK_PERMIT_REMOVE;
    record(&gone);
    cr_assert_eq(gone.err, OK);
    record(&failure);
    access_check(&idle.ca, view, &denied, NOW);
    record(&denied);
    cr_assert_eq(audit_each(view, 0, note_row, text), OK);
    cr_assert_str_eq(
        text, "token uid:0: token ab00000000000000 created, role viewer, until 2027-01-16T08:00:00Z, "
              "profiles ucm/*\n"
              "token uid:0: token ab00000000000000 deleted\n"
              "permit uid:0: added 2001::/16, listener https, role any\n"
              "permit uid:0: removed 2001::/16, listener https, role any\n"
              "login-failure -: from 192.0.2.1: unknown token, 7 times\n"
              "refuse cert:01010101010101010101010101010101010101: revoke: The role viewer does not include "
              "this: revoke.\n");
}

/* As store/permit.c writes it: listener, role, range. */
static void bend_permit(const struct permit *p, uint8_t listener)
{
    uint8_t key[19] = {listener, (uint8_t)p->role};
    struct txn *t;

    memcpy(key + 2, p->range.base.octets, 16);
    key[18] = p->range.bits;
    view_close(view);
    t = idle_begin();
    table_set(t, TABLE_PERMIT, span_of(key, sizeof key), span_str("bent"));
    idle_commit(t);
    view = idle_look();
}

static struct ask permit_ask(enum ask_kind kind, uint8_t first)
{
    return (struct ask){.kind = kind,
                        .principal = "uid:0",
                        .permit = {.listener = PERMIT_HTTPS, .range = {.base = {{first}}, .bits = 16}}};
}

Test(access, a_damaged_line_of_the_permit_list_can_be_removed_and_nothing_added_before)
{
    struct ask bent = permit_ask(ASK_PERMIT_ADD, 1), again = bent, other = permit_ask(ASK_PERMIT_ADD, 2),
               gone = permit_ask(ASK_PERMIT_REMOVE, 1), missing = permit_ask(ASK_PERMIT_REMOVE, 3),
               late = other;
    char text[2000] = "";

    record(&bent);
    bend_permit(&bent.permit, PERMIT_HTTPS);
    record(&again);
    cr_assert_eq(again.err, ERR_INTERNAL);
    cr_assert_not_null(strstr(again.detail, "is there and damaged"));
    record(&other);
    cr_assert_eq(other.err, ERR_INTERNAL);
    cr_assert_not_null(strstr(other.detail, "the log names the damaged row"));
    record(&missing);
    cr_assert_eq(missing.err, ERR_NOT_FOUND);
    record(&gone);
    cr_assert_eq(gone.err, OK);
    record(&late);
    cr_assert_eq(late.err, OK);
    cr_assert_eq(audit_each(view, 0, note_row, text), OK);
    cr_assert_str_eq(text, "permit uid:0: added 100::/16, listener https, role any\n"
                           "permit uid:0: removed, damaged as it was, 100::/16, listener https, role any\n"
                           "permit uid:0: added 200::/16, listener https, role any\n");
}

Test(access, a_row_that_names_no_line_of_the_permit_list_keeps_it_from_being_read)
{
    struct ask other = permit_ask(ASK_PERMIT_ADD, 2);

    bend_permit(&other.permit, 7);
    record(&other);
    cr_assert_eq(other.err, ERR_INTERNAL);
}
