/* SPDX-License-Identifier: Apache-2.0 */
/* Is every kind of hostile request refused by name? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/api/request.h"

static void put_many_names(struct forge *f, unsigned n)
{
    struct buf value;
    size_t list;

    request_init(&value);
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

    request_init(&value);
    list = der_open(&value, DER_SEQUENCE);
    for (unsigned i = 0; i < n; i++)
        der_put_oid(&value, span_of("\x2b\x06\x01\x05\x05\x07\x03\x01", 8));
    der_close(&value, list);
    forge_extension(f, 37, buf_span(&value));
    buf_free(&value);
}

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

Test(csr_twist, what_breaks_a_rule_is_refused_by_its_name)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct buf der;
        struct parsed p;

        request_made(&der, "P-256", refusals[i].make);
        p = parsed_of(buf_span(&der));
        cr_assert_eq(p.err, ERR_POLICY, "%s: %s %s", refusals[i].name, err_name(p.err), p.fault.detail);
        cr_assert(parsed_has(&p, refusals[i].rule), "%s: %s", refusals[i].name, p.findings.items[0].rule);
        cr_assert(!parsed_has(&p, "csr.signature"), "%s", refusals[i].name);
        parsed_free(&p);
        buf_free(&der);
    }
}

static void as_many_names(struct forge *f)
{
    put_many_names(f, SAN_COUNT_MAX);
}

Test(csr_twist, as_many_names_as_there_may_be_are_read)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "P-256", as_many_names);
    p = parsed_of(buf_span(&der));
    cr_assert_eq(p.err, OK, "%s", p.fault.detail);
    cr_assert_eq(csr_facts(p.csr)->san_count, SAN_COUNT_MAX);
    parsed_free(&p);
    buf_free(&der);
}

/* The last octet of Y is the last of the key. */
Test(csr_twist, a_point_off_the_curve_is_refused_by_name)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};

    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        EVP_PKEY *key = forge_key(curves[i]);
        struct forge f;
        struct buf der, spki;
        struct parsed p;
        uint8_t *at;

        request_init(&der);
        request_init(&spki);
        forge_init(&f, key);
        forge_request(&f, &der);
        forge_spki(key, &spki);
        at = memmem(der.data, der.len, spki.data, spki.len);
        cr_assert_not_null(at);
        at[spki.len - 1] ^= 1;
        p = parsed_of(buf_span(&der));
        cr_assert_eq(p.err, ERR_POLICY);
        cr_assert(parsed_has(&p, "key.point"), "%s", curves[i]);
        cr_assert(!parsed_has(&p, "csr.signature"), "there is nothing to verify with");
        parsed_free(&p);
        forge_free(&f);
        buf_free(&der);
        buf_free(&spki);
        EVP_PKEY_free(key);
    }
}

static void name_in_its_own_script(struct forge *f)
{
    forge_extension(f, 17,
                    RAW("\x30\x15\x82\x13"
                        "b\xc3\xbc"
                        "cher.example.com"));
}

Test(csr_twist, a_name_in_its_own_script_is_told_its_A_label)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "P-256", name_in_its_own_script);
    p = parsed_of(buf_span(&der));
    cr_assert_eq(p.err, ERR_POLICY);
    cr_assert(parsed_has(&p, "name.idn"));
    for (size_t i = 0; i < p.findings.count; i++)
        if (strcmp(p.findings.items[i].rule, "name.idn") == 0)
            cr_assert_str_eq(p.findings.items[i].want, "xn--bcher-kva.example.com");
    parsed_free(&p);
    buf_free(&der);
}

/* Writes `in` anew with `replacement` for the one element that is `old`; lengths follow. */
static void put_with(struct span in, struct span old, struct span replacement, struct buf *out)
{
    struct der d;
    size_t mark;

    while (der_next(&in, &d)) {
        if (span_eq(d.whole, old)) {
            buf_put_span(out, replacement);
        } else if ((d.tag & 0x20) != 0) {
            mark = der_open(out, d.tag);
            put_with(d.body, old, replacement, out);
            der_close(out, mark);
        } else {
            buf_put_span(out, d.whole);
        }
    }
}

static void request_with(struct span request, struct span old, struct span replacement, struct buf *out)
{
    request_init(out);
    put_with(request, old, replacement, out);
    cr_assert(!span_eq(buf_span(out), request) && buf_end(out) == OK);
}

Test(csr_twist, a_curve_spelt_out_is_refused)
{
    struct buf der;
    struct parsed p;

    request_made(&der, "explicit", NULL);
    p = parsed_of(buf_span(&der));
    cr_assert(p.err == ERR_POLICY && parsed_has(&p, "key.curve"));
    parsed_free(&p);
    buf_free(&der);
}

/* SM2, ECDH and ECMQV of X9.63 keys have EC parameters as well. */
Test(csr_twist, a_curve_spelt_out_is_refused_under_whatever_algorithm)
{
    static const uint8_t ec[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
    static const struct {
        size_t len;
        uint8_t oid[10];
    } others[] = {{10, {0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d}},
                  {7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x01, 0x0c}},
                  {7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x01, 0x0d}}};
    struct buf der, other;
    struct parsed p;

    request_made(&der, "explicit", NULL);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        request_with(buf_span(&der), span_of(ec, sizeof ec), span_of(others[i].oid, others[i].len), &other);
        p = parsed_of(buf_span(&other));
        cr_assert(p.err == ERR_POLICY && parsed_has(&p, "key.curve"), "%zu", i);
        cr_assert(!parsed_has(&p, "key.unsupported"), "%zu: OpenSSL was not asked", i);
        parsed_free(&p);
        buf_free(&other);
    }
    buf_free(&der);
}
