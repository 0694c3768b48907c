/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request read for what it is, and is every kind of hostile one refused by name? */
#include "api/inner.h"
#include "base/log.h"
#include "tests/unit/api/forge.h"

#include <criterion/criterion.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tools ---- */

struct parsed {
    enum err err;
    struct csr *csr;
    struct findings findings;
    struct fault fault;
};

static struct parsed parse(struct span body)
{
    static struct parsed p;

    p = (struct parsed){0};
    p.err = csr_parse(body, &p.csr, &p.findings, &p.fault);
    return p;
}

static void done(struct parsed *p)
{
    csr_free(p->csr);
    findings_free(&p->findings);
}

static bool has_rule(const struct findings *fs, const char *rule)
{
    for (size_t i = 0; i < fs->count; i++)
        if (strcmp(fs->items[i].rule, rule) == 0)
            return true;
    return false;
}

static void init_der(struct buf *b)
{
    buf_init(b, 524288);
}

/* An ordinary request; caller frees. */
static void ordinary(struct buf *der)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;

    init_der(der);
    forge_init(&f, key);
    forge_extension_text(&f, "subjectAltName", "DNS:a.example.com,IP:192.0.2.1");
    forge_extension_text(&f, "keyUsage", "digitalSignature,dataEncipherment");
    forge_extension_text(&f, "extendedKeyUsage", "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5,1.2.3.4");
    forge_request(&f, der);
    forge_free(&f);
    EVP_PKEY_free(key);
}

static void read_sample(struct buf *out)
{
    struct fault f = {0};

    init_der(out);
    cr_assert_eq(file_read(CHANCERY_DATA "/cisco/cucm-8.6.1-ipsec.csr.pem", out, &f), OK,
                 "%s (the samples of the field lie beside the checkout)", f.detail);
}

/* ---- what is read ---- */

Test(csr, facts_are_what_was_asked)
{
    struct buf der;
    struct parsed p;
    const struct facts *f;

    ordinary(&der);
    p = parse(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    f = csr_facts(p.csr);
    cr_assert(span_eq(f->csr, buf_span(&der)));
    cr_assert(span_eq(f->cn, span_str("a.example.com")));
    cr_assert(span_eq(f->subject_text, span_str("CN=a.example.com")));
    cr_assert(f->has_san && f->san_count == 2);
    cr_assert(f->sans[0].kind == SAN_DNS && span_eq(f->sans[0].value, span_str("a.example.com")));
    cr_assert(f->sans[1].kind == SAN_IP && span_eq(f->sans[1].value, span_of("\xc0\x00\x02\x01", 4)));
    cr_assert(f->has_ku && f->ku == (KU_DIGITAL_SIGNATURE | KU_DATA_ENCIPHERMENT));
    cr_assert(f->has_eku && f->eku_count == 4 && f->eku[0] == EKU_SERVER_AUTH &&
              f->eku[1] == EKU_CLIENT_AUTH);
    cr_assert(f->eku[2] == EKU_IPSEC_END_SYSTEM && f->eku[3] == EKU_OTHER);
    cr_assert(span_eq(f->eku_other, span_str("1.2.3.4")));
    cr_assert_eq(f->signature_hash, HASH_SHA256);
    cr_assert(!f->asks_ca && !f->sends_challenge && f->other_extensions.len == 0);
    done(&p);
    buf_free(&der);
}

Test(csr, a_real_one_of_the_field_is_read)
{
    struct buf pem;
    struct parsed p;
    const struct facts *f;

    read_sample(&pem);
    p = parse(buf_span(&pem));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    f = csr_facts(p.csr);
    cr_assert(span_eq(f->cn, span_str("CUCMB1")));
    cr_assert_eq(f->signature_hash, HASH_SHA1);
    cr_assert_eq(f->ku, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT);
    cr_assert(f->eku_count == 3 && f->eku[2] == EKU_IPSEC_END_SYSTEM);
    cr_assert(!f->has_san && f->san_count == 0);
    cr_assert(memmem(f->subject_text.data, f->subject_text.len, "56669f92835ffed5", 16) != NULL,
              "the serialNumber RDN survives");
    done(&p);
    buf_free(&pem);
}

/* Every key and hash that can prove possession does; what policy says of it is another matter. */
Test(csr, keys_and_hashes)
{
    static const struct {
        const char *key, *digest;
        enum key_type type;
        unsigned bits;
        enum hash_alg hash;
    } rows[] = {
        {"rsa-2048", "SHA256", KEY_RSA, 2048, HASH_SHA256},
        {"rsa-2048", "SHA1", KEY_RSA, 2048, HASH_SHA1},
        {"rsa-1024", "MD5", KEY_RSA, 1024, HASH_MD5},
        {"rsa-512", "SHA1", KEY_RSA, 512, HASH_SHA1},
        {"rsa-2048", "SHA512", KEY_RSA, 2048, HASH_SHA512},
        {"rsa-2048", "SHA224", KEY_RSA, 2048, HASH_SHA224},
        {"P-256", "SHA256", KEY_EC, 256, HASH_SHA256},
        {"P-256", "SHA1", KEY_EC, 256, HASH_SHA1},
        {"P-384", "SHA384", KEY_EC, 384, HASH_SHA384},
        {"P-521", "SHA512", KEY_EC, 521, HASH_SHA512},
        {"P-224", "SHA224", KEY_EC, 224, HASH_SHA224},
        {"secp256k1", "SHA256", KEY_EC, 0, HASH_SHA256},
        {"rsa-pss", "SHA384", KEY_OTHER, 0, HASH_SHA384},
        {"ed25519", "", KEY_OTHER, 0, HASH_NONE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        EVP_PKEY *key = forge_key(rows[i].key);
        struct key_kind kind;
        struct forge f;
        struct buf der;
        struct parsed p;

        init_der(&der);
        forge_init(&f, key);
        f.digest = rows[i].digest;
        forge_request(&f, &der);
        p = parse(buf_span(&der));
        cr_assert_eq(p.err, OK, "%s %s: %s", rows[i].key, rows[i].digest, p.fault.detail);
        cr_assert(key_kind_of(csr_facts(p.csr)->spki, &kind));
        cr_assert(kind.type == rows[i].type && kind.bits == rows[i].bits, "%s", rows[i].key);
        cr_assert_eq(csr_facts(p.csr)->signature_hash, rows[i].hash, "%s %s", rows[i].key, rows[i].digest);
        done(&p);
        buf_reset(&der);
        f.spoil_signature = true;
        forge_request(&f, &der);
        p = parse(buf_span(&der));
        cr_assert(p.err == ERR_POLICY && has_rule(&p.findings, "csr.signature"), "%s %s", rows[i].key,
                  rows[i].digest);
        done(&p);
        forge_free(&f);
        buf_free(&der);
        EVP_PKEY_free(key);
    }
}

Test(csr, an_rsa_key_may_sign_by_pss)
{
    EVP_PKEY *key = forge_key("rsa-2048");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    X509_REQ *q = X509_REQ_new();
    uint8_t *der = NULL;
    struct parsed p;
    int len;

    X509_REQ_set_pubkey(q, key);
    cr_assert(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, key) == 1);
    cr_assert(EVP_PKEY_CTX_ctrl_str(pctx, "rsa_padding_mode", "pss") == 1);
    cr_assert(X509_REQ_sign_ctx(q, ctx) > 0);
    len = i2d_X509_REQ(q, &der);
    p = parse(span_of(der, (size_t)len));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert_eq(csr_facts(p.csr)->signature_hash, HASH_SHA256);
    done(&p);
    OPENSSL_free(der);
    X509_REQ_free(q);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
}

Test(csr, the_last_common_name_counts_and_text_is_escaped)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;
    struct parsed p;

    init_der(&der);
    forge_init(&f, key);
    forge_rdn(&f, 3, DER_UTF8_STRING, span_str("first"));
    forge_rdn(&f, 10, DER_UTF8_STRING, span_str("Z\xc3\xbcrich\x1b[2J\xc2\x9b"));
    forge_rdn(&f, 3, DER_PRINTABLE_STRING, span_str("last"));
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert_eq(p.err, OK);
    cr_assert(span_eq(csr_facts(p.csr)->cn, span_str("last")));
    cr_assert(span_eq(csr_facts(p.csr)->subject_text,
                      span_str("CN=last, O=Z\xc3\xbcrich\\1B[2J\\C2\\9B, CN=first")),
              "%.*s", (int)csr_facts(p.csr)->subject_text.len, csr_facts(p.csr)->subject_text.data);
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

Test(csr, microsofts_attribute_is_an_extension_request_too)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;
    struct parsed p;

    init_der(&der);
    forge_init(&f, key);
    f.ms_oid = true;
    forge_extension_text(&f, "basicConstraints", "CA:TRUE");
    forge_extension_text(&f, "1.3.6.1.4.1.311.20.2", "DER:1e0a00530075006200430041");
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert(csr_facts(p.csr)->asks_ca);
    cr_assert(csr_facts(p.csr)->other_extensions.len > 0);
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

/* ---- what is refused, by name ---- */

static void put_many_names(struct forge *f, unsigned n)
{
    struct buf value;
    size_t list;

    init_der(&value);
    list = der_open(&value, DER_SEQUENCE);
    for (unsigned i = 0; i < n; i++)
        der_put(&value, DER_CONTEXT(2), span_str("a.example.com"));
    der_close(&value, list);
    forge_extension(f, 17, buf_span(&value));
    buf_free(&value);
}

static void put_many_usages(struct forge *f, unsigned n)
{
    struct buf value;
    size_t list;

    init_der(&value);
    list = der_open(&value, DER_SEQUENCE);
    for (unsigned i = 0; i < n; i++)
        der_put_oid(&value, span_of("\x2b\x06\x01\x05\x05\x07\x03\x01", 8));
    der_close(&value, list);
    forge_extension(f, 37, buf_span(&value));
    buf_free(&value);
}

#define RAW(s) span_of(s, sizeof(s) - 1)

static void version_two(struct forge *f)
{
    f->version = 1;
}
static void nul_in_cn(struct forge *f)
{
    forge_rdn(f, 3, DER_UTF8_STRING, RAW("a.example.com\0.evil.example"));
}
static void nul_in_ou(struct forge *f)
{
    forge_rdn(f, 11, DER_PRINTABLE_STRING, RAW("x\0y"));
}
static void nul_in_wide_cn(struct forge *f)
{
    forge_rdn(f, 3, 0x1e, RAW("\0a\0\0\0b"));
}
static void nul_in_san(struct forge *f)
{
    forge_extension(f, 17,
                    RAW("\x30\x07\x82\x05"
                        "a\0b.c"));
}
static void nul_in_uri(struct forge *f)
{
    forge_extension(f, 17,
                    RAW("\x30\x05\x86\x03"
                        "a\0b"));
}
static void utf8_in_san(struct forge *f)
{
    forge_extension(f, 17, RAW("\x30\x04\x82\x02\xc3\xbc"));
}
static void empty_san(struct forge *f)
{
    forge_extension(f, 17, RAW("\x30\x00"));
}
static void san_of_short_ip(struct forge *f)
{
    forge_extension(f, 17, RAW("\x30\x05\x87\x03\x01\x02\x03"));
}
static void san_with_tail(struct forge *f)
{
    forge_extension(f, 17,
                    RAW("\x30\x03\x82\x01"
                        "a\x05\x00"));
}
static void too_many_names(struct forge *f)
{
    put_many_names(f, SAN_COUNT_MAX + 1);
}
static void usage_of_another_type(struct forge *f)
{
    forge_extension(f, 15, RAW("\x04\x01\x80"));
}
static void usage_with_tail(struct forge *f)
{
    forge_extension(f, 15, RAW("\x03\x02\x07\x80\x00"));
}
static void usage_of_ten_bits(struct forge *f)
{
    forge_extension(f, 15, RAW("\x03\x03\x06\x80\x40"));
}
static void usage_with_stray_bits(struct forge *f)
{
    forge_extension(f, 15, RAW("\x03\x02\x07\xff"));
}
static void no_extended_usage(struct forge *f)
{
    forge_extension(f, 37, RAW("\x30\x00"));
}
static void too_many_usages(struct forge *f)
{
    put_many_usages(f, EKU_LIST_MAX + 1);
}
static void constraints_not_der(struct forge *f)
{
    forge_extension(f, 19, RAW("\x30\x03\x01\x01\x01"));
}
static void constraints_spelt_out(struct forge *f)
{
    forge_extension(f, 19, RAW("\x30\x03\x01\x01\x00"));
}

static void twice_the_same(struct forge *f)
{
    forge_extension_text(f, "subjectAltName", "DNS:a.example.com");
    forge_extension_text(f, "subjectAltName", "DNS:b.example.com");
}

static void twice_something_else(struct forge *f)
{
    forge_extension(f, 14, RAW("\x04\x01\x01"));
    forge_extension(f, 14, RAW("\x04\x01\x02"));
}

static void put_request(struct forge *f, const char *oid, size_t oid_len, unsigned values)
{
    size_t attribute = der_open(&f->attributes, DER_SEQUENCE), set;

    der_put_oid(&f->attributes, span_of(oid, oid_len));
    set = der_open(&f->attributes, DER_SET);
    for (unsigned i = 0; i < values; i++)
        buf_put_span(&f->attributes, RAW("\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"));
    der_close(&f->attributes, set);
    der_close(&f->attributes, attribute);
}

static void two_requests(struct forge *f)
{
    put_request(f, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", 9, 1);
    put_request(f, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", 9, 1);
}

static void two_requests_of_two_kinds(struct forge *f)
{
    put_request(f, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", 9, 1);
    put_request(f, "\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e", 10, 1);
}

static void two_values(struct forge *f)
{
    put_request(f, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", 9, 2);
}

static const struct {
    const char *name;
    void (*make)(struct forge *f);
    const char *rule;
} refusals[] = {
    {"version two", version_two, "csr.version"},
    {"NUL in the CN", nul_in_cn, "name.nul"},
    {"NUL in the OU", nul_in_ou, "name.nul"},
    {"NUL in a wide CN", nul_in_wide_cn, "name.nul"},
    {"NUL in a DNS name", nul_in_san, "name.nul"},
    {"NUL in a URI", nul_in_uri, "name.nul"},
    {"UTF-8 in a DNS name", utf8_in_san, "csr.extension.malformed"},
    {"no name in the SAN", empty_san, "csr.extension.malformed"},
    {"an IP of three octets", san_of_short_ip, "csr.extension.malformed"},
    {"octets after the SAN", san_with_tail, "csr.extension.malformed"},
    {"1,001 names", too_many_names, "san.count"},
    {"keyUsage as OCTET STRING", usage_of_another_type, "csr.extension.malformed"},
    {"octets after keyUsage", usage_with_tail, "csr.extension.malformed"},
    {"keyUsage of ten bits", usage_of_ten_bits, "csr.extension.malformed"},
    {"keyUsage with unused bits set", usage_with_stray_bits, "csr.extension.malformed"},
    {"no extended usage", no_extended_usage, "csr.extension.malformed"},
    {"17 extended usages", too_many_usages, "csr.extension.malformed"},
    {"basicConstraints with TRUE as 01", constraints_not_der, "csr.extension.malformed"},
    {"basicConstraints with the default", constraints_spelt_out, "csr.extension.malformed"},
    {"two SANs", twice_the_same, "csr.extension.duplicate"},
    {"two SKIs", twice_something_else, "csr.extension.duplicate"},
    {"two extension requests", two_requests, "csr.extension.duplicate"},
    {"two extension requests of two kinds", two_requests_of_two_kinds, "csr.extension.duplicate"},
    {"an extension request of two values", two_values, "csr.extension.malformed"},
};

Test(csr, what_breaks_a_rule_is_refused_by_its_name)
{
    EVP_PKEY *key = forge_key("P-256");

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct forge f;
        struct buf der;
        struct parsed p;

        init_der(&der);
        forge_init(&f, key);
        refusals[i].make(&f);
        forge_request(&f, &der);
        p = parse(buf_span(&der));
        cr_assert_eq(p.err, ERR_POLICY, "%s: %s %s", refusals[i].name, err_name(p.err), p.fault.detail);
        cr_assert(has_rule(&p.findings, refusals[i].rule), "%s: %s", refusals[i].name,
                  p.findings.items[0].rule);
        cr_assert(!has_rule(&p.findings, "csr.signature"), "%s", refusals[i].name);
        done(&p);
        forge_free(&f);
        buf_free(&der);
    }
    EVP_PKEY_free(key);
}

Test(csr, as_many_names_as_there_may_be_are_read)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;
    struct parsed p;

    init_der(&der);
    forge_init(&f, key);
    put_many_names(&f, SAN_COUNT_MAX);
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert_eq(csr_facts(p.csr)->san_count, SAN_COUNT_MAX);
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

/* The last octet of Y is the last of the key. */
Test(csr, a_point_off_the_curve_is_refused_by_name)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};

    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        EVP_PKEY *key = forge_key(curves[i]);
        struct forge f;
        struct buf der, spki;
        struct parsed p;
        uint8_t *at;

        init_der(&der);
        init_der(&spki);
        forge_init(&f, key);
        forge_request(&f, &der);
        forge_spki(key, &spki);
        at = memmem(der.data, der.len, spki.data, spki.len);
        cr_assert_not_null(at);
        at[spki.len - 1] ^= 1;
        p = parse(buf_span(&der));
        cr_assert_eq(p.err, ERR_POLICY);
        cr_assert(has_rule(&p.findings, "key.point"), "%s", curves[i]);
        cr_assert(!has_rule(&p.findings, "csr.signature"), "there is nothing to verify with");
        done(&p);
        forge_free(&f);
        buf_free(&der);
        buf_free(&spki);
        EVP_PKEY_free(key);
    }
}

Test(csr, a_name_in_its_own_script_is_told_its_A_label)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;
    struct parsed p;

    init_der(&der);
    forge_init(&f, key);
    forge_extension(&f, 17,
                    RAW("\x30\x15\x82\x13"
                        "b\xc3\xbc"
                        "cher.example.com"));
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert_eq(p.err, ERR_POLICY);
    cr_assert(has_rule(&p.findings, "name.idn"));
    for (size_t i = 0; i < p.findings.count; i++)
        if (strcmp(p.findings.items[i].rule, "name.idn") == 0)
            cr_assert_str_eq(p.findings.items[i].want, "xn--bcher-kva.example.com");
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

Test(csr, a_curve_spelt_out_is_refused)
{
    EVP_PKEY *key = forge_key("explicit");
    struct forge f;
    struct buf der;
    struct parsed p;

    init_der(&der);
    forge_init(&f, key);
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert(p.err == ERR_POLICY && has_rule(&p.findings, "key.curve"));
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

Test(csr, names_of_other_kinds_are_seen)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;
    struct parsed p;

    init_der(&der);
    forge_init(&f, key);
    forge_extension_text(
        &f, "subjectAltName",
        "otherName:1.2.3.4;UTF8:x,RID:1.2.3,email:a@example.com,URI:urn:x,DNS:a.example.com");
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert_eq(csr_facts(p.csr)->san_count, 5);
    cr_assert(csr_facts(p.csr)->sans[0].kind == SAN_OTHER && csr_facts(p.csr)->sans[1].kind == SAN_OTHER);
    cr_assert(csr_facts(p.csr)->sans[2].kind == SAN_EMAIL && csr_facts(p.csr)->sans[3].kind == SAN_URI);
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

Test(csr, a_challenge_password_is_noted)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;
    struct parsed p;
    size_t attribute, set;

    init_der(&der);
    forge_init(&f, key);
    attribute = der_open(&f.attributes, DER_SEQUENCE);
    der_put_oid(&f.attributes, RAW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"));
    set = der_open(&f.attributes, DER_SET);
    der_put(&f.attributes, DER_UTF8_STRING, span_str("secret"));
    der_close(&f.attributes, set);
    der_close(&f.attributes, attribute);
    forge_request(&f, &der);
    p = parse(buf_span(&der));
    cr_assert(p.err == OK && csr_facts(p.csr)->sends_challenge);
    done(&p);
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

/* ---- what is no DER ---- */

static void expect_malformed(struct span body, const char *name)
{
    struct parsed p = parse(body);

    cr_assert_eq(p.err, ERR_MALFORMED, "%s: %s", name, err_name(p.err));
    cr_assert_null(p.csr);
    cr_assert(p.fault.detail[0] != '\0');
    done(&p);
}

Test(csr, octets_after_it_are_refused)
{
    struct buf der;

    ordinary(&der);
    buf_put_u8(&der, 0);
    expect_malformed(buf_span(&der), "tail");
    buf_free(&der);
}

Test(csr, ber_is_refused)
{
    struct buf der, ber;

    ordinary(&der);
    cr_assert_eq(der.data[1], 0x82, "a request of more than 255 octets");
    init_der(&ber);
    buf_put(&ber, "\x30\x83\x00", 3); /* a length longer than it must be */
    buf_put(&ber, der.data + 2, der.len - 2);
    expect_malformed(buf_span(&ber), "long length");
    buf_reset(&ber);
    buf_put(&ber, "\x30\x80", 2); /* indefinite */
    buf_put(&ber, der.data + 4, der.len - 4);
    buf_put(&ber, "\0\0", 2);
    expect_malformed(buf_span(&ber), "indefinite length");
    buf_free(&ber);
    buf_free(&der);
}

Test(csr, a_set_out_of_order_is_refused)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;

    init_der(&der);
    forge_init(&f, key);
    /* SET { OU=b, O=a }: 55 04 0b before 55 04 0a */
    buf_put_span(&f.subject, RAW("\x31\x14\x30\x08\x06\x03\x55\x04\x0b\x0c\x01"
                                 "b\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
                                 "a"));
    forge_request(&f, &der);
    expect_malformed(buf_span(&der), "unsorted");
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

Test(csr, an_empty_set_in_the_subject_is_refused)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;

    init_der(&der);
    forge_init(&f, key);
    buf_put_span(&f.subject, RAW("\x31\x00"));
    forge_rdn(&f, 3, DER_UTF8_STRING, RAW("a.example.com"));
    forge_request(&f, &der);
    expect_malformed(buf_span(&der), "an empty set");
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

Test(csr, a_broken_string_in_the_subject_is_refused)
{
    EVP_PKEY *key = forge_key("P-256");
    struct forge f;
    struct buf der;

    init_der(&der);
    forge_init(&f, key);
    forge_rdn(&f, 3, DER_UTF8_STRING, RAW("\xff\xfe"));
    forge_request(&f, &der);
    expect_malformed(buf_span(&der), "not UTF-8");
    forge_free(&f);
    buf_free(&der);
    EVP_PKEY_free(key);
}

/* ---- the forms a body comes in ---- */

static void put_crlf(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            buf_put_u8(out, '\r');
        buf_put_u8(out, text.data[i]);
    }
}

static void put_base64(struct buf *out, struct span der)
{
    uint8_t *text = xmalloc(der.len * 2);
    int len = EVP_EncodeBlock(text, der.data, (int)der.len);

    buf_put(out, text, (size_t)len);
    free(text);
}

enum shape {
    SHAPE_DER,
    SHAPE_PEM,
    SHAPE_NEW,
    SHAPE_CRLF,
    SHAPE_TEXT,
    SHAPE_BOM,
    SHAPE_BASE64,
    SHAPE_BASE64_LINES,
    SHAPE_LONG_LINE,
    SHAPES
};

static void put_shape(struct buf *out, enum shape shape, struct span der)
{
    struct buf pem;

    init_der(&pem);
    pem_put(&pem, shape == SHAPE_NEW ? "NEW CERTIFICATE REQUEST" : "CERTIFICATE REQUEST", der);
    if (shape == SHAPE_TEXT)
        buf_put_str(out, "Certificate Request:\n    Data:\n");
    if (shape == SHAPE_BOM)
        buf_put_str(out, "\xef\xbb\xbf");
    if (shape == SHAPE_DER)
        buf_put_span(out, der);
    else if (shape == SHAPE_CRLF)
        put_crlf(out, buf_span(&pem));
    else if (shape == SHAPE_BASE64)
        put_base64(out, der);
    else if (shape == SHAPE_BASE64_LINES)
        buf_put(out, pem.data + 36, pem.len - 36 - 34); /* what is between the armour */
    else if (shape == SHAPE_LONG_LINE) {
        buf_put_str(out, "-----BEGIN CERTIFICATE REQUEST-----\n");
        put_base64(out, der);
        buf_put_str(out, "\n-----END CERTIFICATE REQUEST-----\n");
    } else
        buf_put_span(out, buf_span(&pem));
    if (shape == SHAPE_TEXT)
        buf_put_str(out, "that was it\n");
    buf_free(&pem);
}

Test(csr, every_form_of_a_body_gives_the_same_request)
{
    struct buf der;

    ordinary(&der);
    for (enum shape s = SHAPE_DER; s < SHAPES; s++) {
        struct parsed p;
        struct buf body;

        init_der(&body);
        put_shape(&body, s, buf_span(&der));
        p = parse(buf_span(&body));
        cr_assert_eq(p.err, OK, "shape %d: %s", s, p.fault.detail);
        cr_assert(span_eq(csr_facts(p.csr)->csr, buf_span(&der)), "shape %d", s);
        done(&p);
        buf_free(&body);
    }
    buf_free(&der);
}

Test(csr, a_body_holds_exactly_one_request)
{
    static const char key[] = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    struct buf der, body;

    ordinary(&der);
    init_der(&body);
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    expect_malformed(buf_span(&body), "two");
    buf_reset(&body);
    pem_put(&body, "CERTIFICATE REQUEST", buf_span(&der));
    buf_put_str(&body, key);
    expect_malformed(buf_span(&body), "a key after it");
    buf_reset(&body);
    pem_put(&body, "CERTIFICATE", buf_span(&der));
    expect_malformed(buf_span(&body), "another label");
    expect_malformed(span_str(""), "nothing");
    expect_malformed(span_str("hello, world"), "text");
    expect_malformed(span_str("===="
                              "===="),
                     "padding");
    expect_malformed(span_str("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n"), "no end");
    expect_malformed(
        span_str("-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x,00\n\nMAA=\n"
                 "-----END CERTIFICATE REQUEST-----\n"),
        "encrypted");
    expect_malformed(RAW("\0\0\0\0"), "zeros");
    buf_free(&body);
    buf_free(&der);
}

Test(csr, a_body_beyond_the_limit_is_too_large)
{
    uint8_t *large = xcalloc(CSR_MAX + 1, 1);
    struct parsed p;

    large[0] = 0x30;
    p = parse(span_of(large, CSR_MAX + 1));
    cr_assert_eq(p.err, ERR_TOO_LARGE);
    done(&p);
    p = parse(span_of(large, CSR_MAX));
    cr_assert_eq(p.err, ERR_MALFORMED);
    done(&p);
    free(large);
}

/* ---- damage ---- */

static void sample_der(struct buf *der)
{
    struct buf pem;

    read_sample(&pem);
    init_der(der);
    cr_assert_eq(pem_get(buf_span(&pem), "CERTIFICATE REQUEST", der), OK);
    buf_free(&pem);
}

static void expect_cut_refused(struct span der)
{
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *copy = xmalloc(len + 1); /* so that a read past the end is seen */
        struct parsed p;

        memcpy(copy, der.data, len);
        p = parse(span_of(copy, len));
        cr_assert_eq(p.err, ERR_MALFORMED, "cut at %zu: %s", len, err_name(p.err));
        done(&p);
        free(copy);
    }
}

Test(csr, cut_anywhere_it_is_refused)
{
    struct buf der;

    ordinary(&der);
    expect_cut_refused(buf_span(&der));
    buf_free(&der);
    sample_der(&der);
    expect_cut_refused(buf_span(&der));
    buf_free(&der);
}

/* Every octet is under the signature or part of it: whatever changes, it is refused. */
static void expect_change_refused(struct buf *der)
{
    uint64_t state = 42;

    for (unsigned i = 0; i < 1000; i++) {
        size_t at;
        uint8_t flip, before;
        struct parsed p;

        state = state * 6364136223846793005u + 1442695040888963407u;
        at = (state >> 33) % der->len;
        flip = (uint8_t)(1 + (state >> 20) % 255);
        before = der->data[at];
        der->data[at] ^= flip;
        p = parse(buf_span(der));
        cr_assert_neq(p.err, OK, "octet %zu changed by %02x", at, flip);
        done(&p);
        der->data[at] = before;
    }
}

Test(csr, changed_anywhere_it_is_refused)
{
    struct buf der;

    ordinary(&der);
    expect_change_refused(&der);
    buf_free(&der);
    sample_der(&der);
    expect_change_refused(&der);
    buf_free(&der);
}

/* What our reader takes, OpenSSL takes, verifies, and would write the same when made to encode it anew. */
Test(csr, openssl_agrees)
{
    struct buf der;
    const uint8_t *p;
    uint8_t *again = NULL;
    X509_REQ *q;
    int len;

    for (int i = 0; i < 2; i++) {
        i == 0 ? ordinary(&der) : sample_der(&der);
        p = der.data;
        q = d2i_X509_REQ(NULL, &p, (long)der.len);
        cr_assert(q != NULL && p == der.data + der.len);
        cr_assert(X509_REQ_verify(q, X509_REQ_get0_pubkey(q)) == 1);
        len = i2d_re_X509_REQ_tbs(q, &again);
        cr_assert(len > 0 && memmem(der.data, der.len, again, (size_t)len) != NULL);
        OPENSSL_free(again);
        again = NULL;
        X509_REQ_free(q);
        buf_free(&der);
    }
}
