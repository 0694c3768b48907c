/* SPDX-License-Identifier: Apache-2.0 */
/* Is a subject without its units the same in every other octet, and is the text that shows it? */
#include <criterion/criterion.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/der.h"
#include "ca/policy.h"
#include "request.h"

struct part {
    const char *type; /* content of the OID; NULL: a new RDN begins */
    uint8_t tag;
    const char *text;
};
#define RDN                                                                                                  \
    {                                                                                                        \
        NULL, 0, NULL                                                                                        \
    }
#define CN(t)                                                                                                \
    {                                                                                                        \
        "\x55\x04\x03", DER_UTF8_STRING, t                                                                   \
    }
#define OU(t)                                                                                                \
    {                                                                                                        \
        "\x55\x04\x0b", DER_PRINTABLE_STRING, t                                                              \
    }
#define O(t)                                                                                                 \
    {                                                                                                        \
        "\x55\x04\x0a", DER_PRINTABLE_STRING, t                                                              \
    }

static void put_name(struct buf *b, const struct part *parts, size_t count)
{
    size_t name = der_open(b, DER_SEQUENCE), rdn = 0, seq;
    bool is_open = false;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].type == NULL) {
            if (is_open)
                der_close(b, rdn);
            rdn = der_open(b, DER_SET);
            is_open = true;
            continue;
        }
        seq = der_open(b, DER_SEQUENCE);
        der_put_oid(b, span_str(parts[i].type));
        der_put(b, parts[i].tag, span_str(parts[i].text));
        der_close(b, seq);
    }
    if (is_open)
        der_close(b, rdn);
    der_close(b, name);
}

Test(subject, units_are_left_out_and_nothing_else)
{
    static const struct {
        struct part before[9], after[9];
        size_t before_count, after_count;
    } cases[] = {
        {{RDN, O("Example"), RDN, OU("Voice"), RDN, CN("a")}, {RDN, O("Example"), RDN, CN("a")}, 6, 4},
        {{RDN, OU("1"), RDN, OU("2"), RDN, CN("a")}, {RDN, CN("a")}, 6, 2},
        {{RDN, CN("a"), OU("1"), RDN, O("x")}, {RDN, CN("a"), RDN, O("x")}, 5, 4},
        {{RDN, OU("1"), OU("2"), RDN, O("x")}, {RDN, O("x")}, 5, 2},
        {{RDN, CN("a")}, {RDN, CN("a")}, 2, 2},
        {{RDN, OU("1")}, {RDN}, 2, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf before, after, out;

        buf_init(&before, 4096);
        buf_init(&after, 4096);
        buf_init(&out, 4096);
        put_name(&before, cases[i].before, cases[i].before_count);
        put_name(&after, cases[i].after, cases[i].after_count);
        subject_without_ou(buf_span(&before), &out);
        cr_expect(span_eq(buf_span(&out), buf_span(&after)), "%zu", i);
        buf_free(&before);
        buf_free(&after);
        buf_free(&out);
    }
}

Test(subject, the_text_leaves_them_out_too)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"CN=a, OU=Voice, O=Example", "CN=a, O=Example"},
        {"OU=Voice, CN=a", "CN=a"},
        {"CN=a, OU=Voice", "CN=a"},
        {"OU=Voice", ""},
        {"OU=1, OU=2, CN=a, OU=3, O=x", "CN=a, O=x"},
        {"CN=a\\, OU=b, O=x", "CN=a\\, OU=b, O=x"},
        {"CN=a + OU=1, O=x", "CN=a, O=x"},
        {"OU=1 + CN=a, O=x", "CN=a, O=x"},
        {"CN=a + serialNumber=1, O=x", "CN=a + serialNumber=1, O=x"},
        {"CN=a\\\\, OU=1", "CN=a\\\\"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        char text[128];

        buf_init(&out, 4096);
        subject_text_without_ou(span_str(cases[i].before), &out);
        cr_assert(span_to_str(buf_span(&out), text, sizeof text));
        cr_expect_str_eq(text, cases[i].after, "%s: %s", cases[i].before, text);
        buf_free(&out);
    }
}

/* What programs that build chains take for one name: OpenSSL's own comparison is the judge. */
static bool openssl_matches(struct span a, struct span b)
{
    const uint8_t *p = a.data, *q = b.data;
    X509_NAME *x = d2i_X509_NAME(NULL, &p, (long)a.len), *y = d2i_X509_NAME(NULL, &q, (long)b.len);
    bool same;

    cr_assert(x != NULL && y != NULL);
    same = X509_NAME_cmp(x, y) == 0;
    X509_NAME_free(x);
    X509_NAME_free(y);
    return same;
}

#define CN_AS(tag, t)                                                                                        \
    {                                                                                                        \
        "\x55\x04\x03", tag, t                                                                               \
    }

Test(subject, names_match_as_they_do_for_openssl)
{
    static const struct {
        struct part a[7], b[7];
        size_t a_count, b_count;
        bool match;
    } rows[] = {
        {{RDN, O("Example UC"), RDN, CN("EC G1")}, {RDN, O("example uc"), RDN, CN("ec g1")}, 4, 4, true},
        {{RDN, O("Example UC"), RDN, CN("G1")}, {RDN, O("  EXAMPLE \t UC "), RDN, CN("g1\n")}, 4, 4, true},
        {{RDN, CN("G1")}, {RDN, CN_AS(DER_PRINTABLE_STRING, "g1")}, 2, 2, true},
        {{RDN, CN("K\xc3\xb6ln")}, {RDN, CN_AS(DER_T61_STRING, "k\xf6LN")}, 2, 2, true},
        {{RDN, CN("K\xc3\xb6ln")}, {RDN, CN("K\xc3\x96ln")}, 2, 2, false}, /* ASCII alone is folded */
        {{RDN, CN(" ")}, {RDN, CN("")}, 2, 2, true},
        {{RDN, CN("a"), O("xyz")}, {RDN, O("XYZ"), CN("A")}, 3, 3, true}, /* within an RDN */
        {{RDN, CN("a"), O("b")}, {RDN, CN("a"), RDN, O("b")}, 3, 4, false},
        {{RDN, CN("a"), RDN, O("b")}, {RDN, O("b"), RDN, CN("a")}, 4, 4, false},
        {{RDN, CN("a b")}, {RDN, CN("ab")}, 2, 2, false},
        {{RDN, CN("a")}, {RDN, O("a")}, 2, 2, false},
        {{RDN, CN("a")}, {RDN, CN("a"), RDN, O("b")}, 2, 4, false},
        {{RDN, CN("a")}, {RDN, CN("a"), O("b")}, 2, 3, false},
        {{RDN, CN_AS(DER_NUMERIC_STRING, "1 ")}, {RDN, CN_AS(DER_NUMERIC_STRING, "1")}, 2, 2, false},
        {{RDN, CN_AS(DER_NUMERIC_STRING, "1")}, {RDN, CN_AS(DER_NUMERIC_STRING, "1")}, 2, 2, true},
        {{RDN, CN_AS(DER_NUMERIC_STRING, "1")}, {RDN, CN("1")}, 2, 2, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf a, b;

        buf_init(&a, 4096);
        buf_init(&b, 4096);
        put_name(&a, rows[i].a, rows[i].a_count);
        put_name(&b, rows[i].b, rows[i].b_count);
        cr_expect_eq(openssl_matches(buf_span(&a), buf_span(&b)), rows[i].match, "row %zu is wrong", i);
        cr_expect_eq(subject_matches(buf_span(&a), buf_span(&b)), rows[i].match, "row %zu", i);
        cr_expect_eq(subject_matches(buf_span(&b), buf_span(&a)), rows[i].match, "row %zu, turned", i);
        buf_free(&a);
        buf_free(&b);
    }
}

Test(subject, what_is_no_name_matches_none)
{
    static const uint8_t broken[] = {0x30, 0x02, 0x31, 0x05}, one[] = {0x30, 0x02, 0x31, 0x00};

    cr_assert(!subject_matches(span_of(broken, sizeof broken), span_of(broken, sizeof broken)));
    cr_assert(!subject_matches(span_of(one, sizeof one), span_of(broken, sizeof broken)));
    cr_assert(!subject_matches((struct span){0}, (struct span){0}));
}

Test(subject, a_profile_that_drops_units_says_so)
{
    static const struct part parts[] = {RDN, O("Example"), RDN, OU("Voice"), RDN, CN("a.example.com")},
                             units[] = {RDN, OU("Voice")};
    struct profile p = *installed("general/server");
    struct facts f = request_plain("rsa-2048");
    struct findings fs = {0};
    struct san sans[1];
    struct grant g;
    struct buf name;

    buf_init(&name, 4096);
    put_name(&name, parts, 6);
    f.subject = buf_span(&name);
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert(!g.drops_ou && finding_of(&fs, "subject.ou-dropped") == NULL, "kept unless the site says so");
    p.drop_ou = true;
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert(g.drops_ou && !findings_refuse(&fs));
    cr_assert_eq(finding_of(&fs, "subject.ou-dropped")->severity, SEVERITY_NOTE);
    findings_free(&fs);
    buf_reset(&name);
    put_name(&name, units, 2);
    f.subject = buf_span(&name);
    f.cn = (struct span){0};
    request_names(&f, sans, "a.example.com", NULL);
    profile_check(&p, &f, 0, &g, &fs);
    cr_assert_not_null(finding_of(&fs, "subject.empty"), "nothing is left of it");
    findings_free(&fs);
    buf_free(&name);
}
