/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request read for what it is, whatever key and hash it has, and as OpenSSL reads it? */
#include <criterion/criterion.h>
#include <openssl/x509.h>
#include <string.h>

#include "tests/unit/api/request.h"

Test(csr, facts_are_what_was_asked)
{
    struct buf der;
    struct parsed p;
    const struct facts *f;

    request_ordinary(&der);
    p = parsed_of(buf_span(&der));
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
    parsed_free(&p);
    buf_free(&der);
}

Test(csr, a_real_one_of_the_field_is_read)
{
    struct buf pem;
    struct parsed p;
    const struct facts *f;

    request_sample_pem(&pem);
    p = parsed_of(buf_span(&pem));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    f = csr_facts(p.csr);
    cr_assert(span_eq(f->cn, span_str("CUCMB1")));
    cr_assert_eq(f->signature_hash, HASH_SHA1);
    cr_assert_eq(f->ku, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT);
    cr_assert(f->eku_count == 3 && f->eku[2] == EKU_IPSEC_END_SYSTEM);
    cr_assert(!f->has_san && f->san_count == 0);
    cr_assert(memmem(f->subject_text.data, f->subject_text.len, "56669f92835ffed5", 16) != NULL,
              "the serialNumber RDN survives");
    parsed_free(&p);
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

        request_init(&der);
        forge_init(&f, key);
        f.digest = rows[i].digest;
        forge_request(&f, &der);
        p = parsed_of(buf_span(&der));
        cr_assert_eq(p.err, OK, "%s %s: %s", rows[i].key, rows[i].digest, p.fault.detail);
        cr_assert(key_kind_of(csr_facts(p.csr)->spki, &kind));
        cr_assert(kind.type == rows[i].type && kind.bits == rows[i].bits, "%s", rows[i].key);
        cr_assert_eq(csr_facts(p.csr)->signature_hash, rows[i].hash, "%s %s", rows[i].key, rows[i].digest);
        parsed_free(&p);
        buf_reset(&der);
        f.spoil_signature = true;
        forge_request(&f, &der);
        p = parsed_of(buf_span(&der));
        cr_assert(p.err == ERR_POLICY && parsed_has(&p, "csr.signature"), "%s %s", rows[i].key,
                  rows[i].digest);
        parsed_free(&p);
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
    p = parsed_of(span_of(der, (size_t)len));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert_eq(csr_facts(p.csr)->signature_hash, HASH_SHA256);
    parsed_free(&p);
    OPENSSL_free(der);
    X509_REQ_free(q);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void two_common_names(struct forge *f)
{
    forge_rdn(f, 3, DER_UTF8_STRING, span_str("first"));
    forge_rdn(f, 10, DER_UTF8_STRING, span_str("Z\xc3\xbcrich\x1b[2J\xc2\x9b"));
    forge_rdn(f, 3, DER_PRINTABLE_STRING, span_str("last"));
}

Test(csr, the_last_common_name_counts_and_text_is_escaped)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "P-256", two_common_names);
    p = parsed_of(buf_span(&der));
    cr_assert_eq(p.err, OK);
    cr_assert(span_eq(csr_facts(p.csr)->cn, span_str("last")));
    cr_assert(span_eq(csr_facts(p.csr)->subject_text,
                      span_str("CN=last, O=Z\xc3\xbcrich\\1B[2J\\C2\\9B, CN=first")),
              "%.*s", (int)csr_facts(p.csr)->subject_text.len, csr_facts(p.csr)->subject_text.data);
    parsed_free(&p);
    buf_free(&der);
}

static void microsofts_attribute(struct forge *f)
{
    f->ms_oid = true;
    forge_extension_text(f, "basicConstraints", "CA:TRUE");
    forge_extension_text(f, "1.3.6.1.4.1.311.20.2", "DER:1e0a00530075006200430041");
}

Test(csr, microsofts_attribute_is_an_extension_request_too)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "P-256", microsofts_attribute);
    p = parsed_of(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert(csr_facts(p.csr)->asks_ca);
    cr_assert(csr_facts(p.csr)->other_extensions.len > 0);
    parsed_free(&p);
    buf_free(&der);
}

static void names_of_other_kinds(struct forge *f)
{
    forge_extension_text(
        f, "subjectAltName",
        "otherName:1.2.3.4;UTF8:x,RID:1.2.3,email:a@example.com,URI:urn:x,DNS:a.example.com");
}

Test(csr, names_of_other_kinds_are_seen)
{
    struct buf der, text;
    struct parsed p;

    request_made(&der, "P-256", names_of_other_kinds);
    p = parsed_of(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert_eq(csr_facts(p.csr)->san_count, 5);
    cr_assert(csr_facts(p.csr)->sans[0].kind == SAN_OTHER && csr_facts(p.csr)->sans[1].kind == SAN_OTHER);
    buf_init(&text, 1024);
    san_text(&csr_facts(p.csr)->sans[0], &text);
    buf_put_str(&text, " ");
    san_text(&csr_facts(p.csr)->sans[1], &text);
    buf_put_u8(&text, 0);
    cr_assert_str_eq((const char *)text.data, "otherName 1.2.3.4 registeredID");
    buf_free(&text);
    cr_assert(csr_facts(p.csr)->sans[2].kind == SAN_EMAIL && csr_facts(p.csr)->sans[3].kind == SAN_URI);
    parsed_free(&p);
    buf_free(&der);
}

static void challenge_password(struct forge *f)
{
    size_t attribute, set;

    attribute = der_open(&f->attributes, DER_SEQUENCE);
    der_put_oid(&f->attributes, RAW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"));
    set = der_open(&f->attributes, DER_SET);
    der_put(&f->attributes, DER_UTF8_STRING, span_str("secret"));
    der_close(&f->attributes, set);
    der_close(&f->attributes, attribute);
}

Test(csr, a_challenge_password_is_noted)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "P-256", challenge_password);
    p = parsed_of(buf_span(&der));
    cr_assert(p.err == OK && csr_facts(p.csr)->sends_challenge);
    parsed_free(&p);
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
        i == 0 ? request_ordinary(&der) : request_sample(&der);
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
