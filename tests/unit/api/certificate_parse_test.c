/* SPDX-License-Identifier: Apache-2.0 */
/* Is a stranger's certificate read as OpenSSL reads it, and one that is dear to decode not at all? */
#include "api/preflight.h"
#include "tests/unit/api/request.h"

#include <criterion/criterion.h>
#include <string.h>

/* ---- certificates put together octet by octet: who signed them is not looked at here ---- */

static const uint8_t ecdsa_sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

static void put_name(struct buf *b)
{
    size_t name = der_open(b, DER_SEQUENCE), set = der_open(b, DER_SET), pair = der_open(b, DER_SEQUENCE);

    der_put_oid(b, RAW("\x55\x04\x03"));
    der_put(b, DER_UTF8_STRING, span_str("a.example.com"));
    der_close(b, pair);
    der_close(b, set);
    der_close(b, name);
}

/* What one of them has that others have not. */
static struct {
    unsigned version; /* as it is encoded */
    struct span outer_algorithm, unique_id;
} forged;

static void begin_forging(void)
{
    forged.version = 2;
    forged.outer_algorithm = span_of(ecdsa_sha256, sizeof ecdsa_sha256);
    forged.unique_id = span_of(NULL, 0);
}

TestSuite(certificate_parse, .init = begin_forging, .timeout = 60);
TestSuite(certificate_file, .init = begin_forging, .timeout = 60);

static void put_fixed_part(struct buf *b, struct span spki)
{
    size_t mark;

    if (forged.version > 0) {
        mark = der_open(b, DER_CONTEXT_CONSTRUCTED(0));
        der_put_uint(b, forged.version);
        der_close(b, mark);
    }
    der_put_uint(b, 17);
    der_put(b, DER_SEQUENCE, span_of(ecdsa_sha256, sizeof ecdsa_sha256));
    put_name(b);
    mark = der_open(b, DER_SEQUENCE);
    der_put_time(b, 1700000000);
    der_put_time(b, 1800000000);
    der_close(b, mark);
    put_name(b);
    buf_put_span(b, spki);
    if (forged.unique_id.len > 0)
        der_put(b, DER_CONTEXT(2), forged.unique_id);
}

/* `extensions`: content of the list; empty: none. */
static void certificate_of(struct span spki, struct span extensions, struct buf *out)
{
    size_t whole, tbs, outer, list;

    request_init(out);
    whole = der_open(out, DER_SEQUENCE);
    tbs = der_open(out, DER_SEQUENCE);
    put_fixed_part(out, spki);
    if (extensions.len > 0) {
        outer = der_open(out, DER_CONTEXT_CONSTRUCTED(3));
        list = der_open(out, DER_SEQUENCE);
        buf_put_span(out, extensions);
        der_close(out, list);
        der_close(out, outer);
    }
    der_close(out, tbs);
    der_put(out, DER_SEQUENCE, forged.outer_algorithm);
    der_put_bits(out, RAW("\x30\x06\x02\x01\x01\x02\x01\x01"));
    der_close(out, whole);
    cr_assert_eq(buf_end(out), OK);
}

static void key_made(const char *kind, struct buf *spki)
{
    EVP_PKEY *key = forge_key(kind);

    request_init(spki);
    (void)forge_spki(key, spki);
    EVP_PKEY_free(key);
}

/* The same algorithm with other key bits, the unused-bits octet among them. */
static void key_with_bits(struct span spki, struct span bits, struct buf *out)
{
    struct der whole, alg;
    size_t mark;

    cr_assert(der_next(&spki, &whole) && der_next(&whole.body, &alg));
    request_init(out);
    mark = der_open(out, DER_SEQUENCE);
    buf_put_span(out, alg.whole);
    der_put(out, DER_BIT_STRING, bits);
    der_close(out, mark);
}

static struct fault said; /* of the last one that was not taken */

static enum err verdict(struct span der)
{
    struct certificate *c;
    enum err e;

    said = (struct fault){0};
    e = certificate_parse(der, &c, &said);

    cr_assert_eq(e == OK, c != NULL);
    certificate_free(c);
    return e;
}

static enum err verdict_on_key(struct span spki)
{
    struct buf der;
    enum err e;

    certificate_of(spki, span_of(NULL, 0), &der);
    e = verdict(buf_span(&der));
    buf_free(&der);
    return e;
}

/* ---- curves spelt out ---- */

Test(certificate_parse, takes_a_key_on_a_named_curve_and_none_on_one_spelt_out)
{
    struct buf spki;

    key_made("P-256", &spki);
    cr_assert_eq(verdict_on_key(buf_span(&spki)), OK);
    buf_free(&spki);
    key_made("explicit", &spki);
    cr_assert_eq(verdict_on_key(buf_span(&spki)), ERR_MALFORMED);
    buf_free(&spki);
}

/* OpenSSL sets the curve up before it looks at the point. */
Test(certificate_parse, no_key_on_a_curve_spelt_out_hides_behind_its_broken_bits)
{
    static const char *const bits[] = {"\x00", "\x01\x04\x02", "\x00\x00", "\x07\x80"};
    struct buf spki, broken;

    key_made("explicit", &spki);
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        key_with_bits(buf_span(&spki), span_of(bits[i], i == 0 ? 1 : i == 1 ? 3 : 2), &broken);
        cr_assert_eq(verdict_on_key(buf_span(&broken)), ERR_MALFORMED, "%zu", i);
        buf_free(&broken);
    }
    buf_free(&spki);
}

/* What the finding about a PKCS#7 of one certificate says. */
static const char *said_of_bundle(const char *kind)
{
    static char got[256];
    struct buf spki, der, file;
    struct certificate_file read;
    struct findings findings = {0};
    struct span certificate;

    key_made(kind, &spki);
    certificate_of(buf_span(&spki), span_of(NULL, 0), &der);
    request_init(&file);
    certificate = buf_span(&der);
    cr_assert_eq(p7b_put(&file, &certificate, 1), OK);
    certificate_file_read(buf_span(&file), span_of(NULL, 0), &read, &findings);
    cr_assert(findings.count == 1 && strcmp(findings.items[0].rule, "format") == 0);
    snprintf(got, sizeof got, "%s", findings.items[0].got);
    findings_free(&findings);
    certificate_file_free(&read);
    buf_free(&spki);
    buf_free(&der);
    buf_free(&file);
    return got;
}

/* "0" is the octet with which DER begins. */
Test(certificate_file, is_read_behind_text_that_begins_like_der)
{
    static const char *const lines[] = {"0-node, 21.11.2026\n", "1-node, 21.11.2026\n"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct buf spki, der, file;
        struct certificate_file read;
        struct findings findings = {0};

        key_made("P-256", &spki);
        certificate_of(buf_span(&spki), span_of(NULL, 0), &der);
        request_init(&file);
        buf_put_str(&file, lines[i]);
        pem_put(&file, "CERTIFICATE", buf_span(&der));
        certificate_file_read(buf_span(&file), span_of(NULL, 0), &read, &findings);
        cr_expect_eq(read.count, 1, "%s", lines[i]);
        cr_assert_eq(findings.count, 1);
        cr_expect_str_eq(findings.items[0].got, "text outside the armour");
        findings_free(&findings);
        certificate_file_free(&read);
        buf_free(&spki);
        buf_free(&der);
        buf_free(&file);
    }
}

Test(certificate_file, a_bundle_with_a_curve_spelt_out_is_not_decoded)
{
    cr_assert_str_eq(said_of_bundle("P-256"), "a PKCS#7 chain where the certificate alone is expected");
    cr_assert_str_eq(said_of_bundle("explicit"),
                     "octets that are no certificate, no certificate that can be read in it");
}

/* ---- extensions ---- */

static void put_extension(struct buf *b, const char *oid, struct span value)
{
    struct der_extension e = der_open_extension(b, span_str(oid), false);

    buf_put_span(b, value);
    der_close_extension(b, e);
}

/* `extensions`: content of the list. */
static enum err verdict_on(struct span extensions)
{
    struct buf spki, der;
    enum err verdict_now;

    key_made("P-256", &spki);
    certificate_of(buf_span(&spki), extensions, &der);
    verdict_now = verdict(buf_span(&der));
    buf_free(&spki);
    buf_free(&der);
    return verdict_now;
}

static enum err verdict_on_extension(const char *oid, struct span value)
{
    struct buf extensions;
    enum err verdict_now;

    request_init(&extensions);
    put_extension(&extensions, oid, value);
    verdict_now = verdict_on(buf_span(&extensions));
    buf_free(&extensions);
    return verdict_now;
}

#define KU "\x55\x1d\x0f"
#define CONSTRAINTS "\x55\x1d\x13"
#define SAN "\x55\x1d\x11"
#define EKU "\x55\x1d\x25"
#define POINTS "\x55\x1d\x1f"
#define ACCESS "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define SUBJECT_KEY "\x55\x1d\x0e"
#define AUTHORITY_KEY "\x55\x1d\x23"
#define POLICIES "\x55\x1d\x20"
#define UNKNOWN "\x2a\x03\x04"

static const struct {
    const char *oid;
    struct span good, bad; /* the bad one breaks one rule */
} values[] = {
    {KU, {(const uint8_t *)"\x03\x02\x05\xa0", 4}, {(const uint8_t *)"\x03\x02\x05\xa7", 4}},
    {KU, {(const uint8_t *)"\x03\x02\x05\xa0", 4}, {(const uint8_t *)"\x03\x02\x09\xa0", 4}},
    {CONSTRAINTS, {(const uint8_t *)"\x30\x03\x01\x01\xff", 5}, {(const uint8_t *)"\x30\x02\x01\x00", 4}},
    {CONSTRAINTS, {(const uint8_t *)"\x30\x03\x01\x01\xff", 5}, {(const uint8_t *)"\x30\x03\x01\x01\x01", 5}},
    {SAN, {(const uint8_t *)"\x30\x03\x82\x01z", 5}, {(const uint8_t *)"\x30\x04\xa4\x02\x01\x00", 6}},
    {EKU,
     {(const uint8_t *)"\x30\x04\x06\x02\x2a\x03", 6},
     {(const uint8_t *)"\x30\x05\x06\x03\x2a\x80\x03", 7}},
    {POINTS,
     {(const uint8_t *)"\x30\x02\x30\x00", 4},
     {(const uint8_t *)"\x30\x06\x30\x04\xa2\x02\x01\x00", 8}},
    {ACCESS,
     {(const uint8_t *)"\x30\x09\x30\x07\x06\x02\x2a\x03\x82\x01z", 11},
     {(const uint8_t *)"\x30\x0a\x30\x08\x06\x02\x2a\x03\xa4\x02\x02\x00", 12}},
    {SUBJECT_KEY, {(const uint8_t *)"\x04\x02zz", 4}, {(const uint8_t *)"\x04\x03zz", 4}},
    {SUBJECT_KEY, {(const uint8_t *)"\x04\x02zz", 4}, {(const uint8_t *)"\x0c\x02zz", 4}},
    {SUBJECT_KEY, {(const uint8_t *)"\x04\x02zz", 4}, {(const uint8_t *)"\x04\x02zz\x05\x00", 6}},
    {AUTHORITY_KEY, {(const uint8_t *)"\x30\x03\x80\x01z", 5}, {(const uint8_t *)"\x80\x01z", 3}},
    {POLICIES,
     {(const uint8_t *)"\x30\x06\x30\x04\x06\x02\x2a\x03", 8},
     {(const uint8_t *)"\x30\x07\x30\x05\x06\x03\x2a\x80\x03", 9}},
};

Test(certificate_parse, an_extension_in_another_form_is_told_by_name)
{
    cr_assert_eq(verdict_on_extension(SUBJECT_KEY, RAW("zz")), ERR_MALFORMED);
    cr_assert_str_eq(said.detail,
                     "a certificate whose extension X509v3 Subject Key Identifier has another form");
}

/* RFC 5280 4.2, whether it is read here or not. */
Test(certificate_parse, no_extension_comes_twice)
{
    static const char *const oids[] = {KU, SUBJECT_KEY, POLICIES, UNKNOWN};
    static const char *const names[] = {"X509v3 Key Usage", "X509v3 Subject Key Identifier",
                                        "X509v3 Certificate Policies", "1.2.3.4"};
    const struct span contents[] = {RAW("\x03\x02\x05\xa0"), RAW("\x04\x02zz"),
                                    RAW("\x30\x06\x30\x04\x06\x02\x2a\x03"), RAW("any")};
    char want[200];
    struct buf list;

    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++) {
        request_init(&list);
        put_extension(&list, oids[i], contents[i]);
        put_extension(&list, "\x2a\x03\x05", RAW("another"));
        cr_expect_eq(verdict_on(buf_span(&list)), OK, "%zu", i);
        put_extension(&list, oids[i], contents[i]);
        cr_expect_eq(verdict_on(buf_span(&list)), ERR_MALFORMED, "%zu", i);
        snprintf(want, sizeof want, "a certificate that has the extension %s twice", names[i]);
        cr_expect_str_eq(said.detail, want);
        buf_free(&list);
    }
}

Test(certificate_parse, so_many_extensions_and_no_more)
{
    char oid[] = "\x2a\x03\x01";
    struct buf list;

    request_init(&list);
    for (int i = 1; i <= 64; i++) {
        oid[2] = (char)i;
        put_extension(&list, oid, RAW("any"));
    }
    cr_assert_eq(verdict_on(buf_span(&list)), OK);
    oid[2] = 65;
    put_extension(&list, oid, RAW("any"));
    cr_assert_eq(verdict_on(buf_span(&list)), ERR_MALFORMED);
    cr_assert_str_eq(said.detail, "a certificate of more than 64 extensions");
    buf_free(&list);
}

Test(certificate_parse, an_extension_that_it_reads_is_der)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cr_expect_eq(verdict_on_extension(values[i].oid, values[i].good), OK, "%zu", i);
        cr_expect_eq(verdict_on_extension(values[i].oid, values[i].bad), ERR_MALFORMED, "%zu", i);
    }
}

/* As whole as they are encoded, so that they can be compared. */
Test(certificate_parse, a_name_of_another_kind_keeps_its_octets)
{
    static const char list[] = "\x30\x0a\xa0\x08\x06\x02\x2a\x03\xa0\x02\x05\x00";
    struct buf spki, extensions, der;
    struct der_extension e;
    struct certificate *c;

    key_made("P-256", &spki);
    request_init(&extensions);
    e = der_open_extension(&extensions, span_str(SAN), false);
    buf_put_span(&extensions, RAW(list));
    der_close_extension(&extensions, e);
    certificate_of(buf_span(&spki), buf_span(&extensions), &der);
    cr_assert_eq(certificate_parse(buf_span(&der), &c, NULL), OK);
    cr_assert_eq(certificate_facts_of(c)->san_count, 1);
    cr_assert_eq(certificate_facts_of(c)->sans[0].kind, SAN_OTHER);
    cr_assert(span_eq(certificate_facts_of(c)->sans[0].value, span_of(list + 2, 10)));
    certificate_free(c);
    buf_free(&spki);
    buf_free(&extensions);
    buf_free(&der);
}

/* As in two ECC roots of Trustwave, which every trust store has. */
Test(certificate_parse, zeros_behind_the_last_usage_are_read)
{
    cr_assert_eq(verdict_on_extension(KU, RAW("\x03\x03\x07\x06\x00")), OK);
    cr_assert_eq(verdict_on_extension(KU, RAW("\x03\x02\x00\x80")), OK);
}

Test(certificate_parse, an_extension_that_it_does_not_read_may_hold_anything)
{
    cr_assert_eq(verdict_on_extension("\x2a\x03\x04", RAW("\x01\x00")), OK);
}

/* ---- the fixed part ---- */

/* RFC 5280 4.1.1.2 */
Test(certificate_parse, both_signature_algorithms_are_the_same)
{
    cr_assert_eq(verdict_on(span_of(NULL, 0)), OK);
    forged.outer_algorithm = RAW("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03");
    cr_assert_eq(verdict_on(span_of(NULL, 0)), ERR_MALFORMED);
    cr_assert_str_eq(said.detail, "a certificate whose two signature algorithms differ");
}

/* RFC 5280 4.1.2.1 */
Test(certificate_parse, a_version_has_what_it_may_have)
{
    static const struct {
        unsigned version;
        bool has_id, has_extension;
        const char *said; /* NULL: it is taken */
    } rows[] = {
        {0, false, false, NULL},
        {1, false, false, NULL},
        {1, true, false, NULL},
        {2, true, true, NULL},
        {0, true, false, "a certificate of version 1 with a unique identifier"},
        {0, false, true, "a certificate of version 1 with extensions"},
        {1, true, true, "a certificate of version 2 with extensions"},
        {3, false, false, "octets that are no certificate"},
        {200, false, true, "octets that are no certificate"},
    };
    struct buf list;

    request_init(&list);
    put_extension(&list, UNKNOWN, RAW("any"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forged.version = rows[i].version;
        forged.unique_id = rows[i].has_id ? RAW("\x00z") : span_of(NULL, 0);
        cr_expect_eq(verdict_on(rows[i].has_extension ? buf_span(&list) : span_of(NULL, 0)),
                     rows[i].said == NULL ? OK : ERR_MALFORMED, "%zu", i);
        cr_expect_str_eq(said.detail, rows[i].said == NULL ? "" : rows[i].said, "%zu", i);
    }
    buf_free(&list);
}
