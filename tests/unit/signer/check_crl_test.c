/* SPDX-License-Identifier: Apache-2.0 */
/* Is a tbsCertList of OpenSSL's making signed, whole or in any pieces, and each twist of it refused by name?
 */
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "signer/inner.h"
#include "verdict.h"

static struct forge f;
static struct fault fault;

static void setup(void)
{
    forge_open(&f, "ec-256", -1);
}

static void teardown(void)
{
    forge_close(&f);
}

TestSuite(check_crl, .init = setup, .fini = teardown);

static enum err judge(X509_CRL *crl)
{
    struct span tbs = forge_crl_tbs(&f, crl);
    enum err e = forge_judge(&f, f.ca, PORT_CRL_BEGIN, tbs, &fault);

    forge_span_free(tbs);
    return e;
}

static enum err judge_raw(struct buf *b)
{
    enum err e;

    cr_assert_eq(buf_end(b), OK);
    e = forge_judge(&f, f.ca, PORT_CRL_BEGIN, buf_span(b), &fault);
    buf_free(b);
    return e;
}

static void expect(enum err got, enum err want, const char *start)
{
    verdict_expect(got, want, &fault, start);
}

Test(check_crl, good_ones_are_signed)
{
    static const unsigned counts[] = {0, 1, 2, 9, 1000};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        cr_assert_eq(judge(forge_crl(&f, counts[i])), OK, "%u: %s", counts[i], fault.detail);
}

/* One list, fed in pieces of every size. */
Test(check_crl, how_it_is_cut_does_not_matter)
{
    struct span tbs = forge_crl_tbs(&f, forge_crl(&f, 40));

    for (size_t piece = 1; piece <= tbs.len; piece++) {
        struct crl_check *c = crl_check_new(key_purpose(f.ca), tbs.len, FORGE_NOW);

        for (size_t at = 0; at < tbs.len; at += piece)
            crl_check_add(c, span_of(tbs.data + at, piece < tbs.len - at ? piece : tbs.len - at));
        memset(&fault, 0, sizeof fault);
        cr_assert_eq(crl_check_end(c, &fault), OK, "%zu: %s", piece, fault.detail);
    }
    forge_span_free(tbs);
}

Test(check_crl, a_cut_list_is_refused_and_a_padded_one)
{
    struct span tbs = forge_crl_tbs(&f, forge_crl(&f, 3));
    uint8_t *copy = calloc(1, tbs.len + 1);

    for (size_t len = 0; len < tbs.len; len++) {
        struct crl_check *c = crl_check_new(key_purpose(f.ca), tbs.len, FORGE_NOW);

        crl_check_add(c, span_of(tbs.data, len));
        cr_assert_eq(crl_check_end(c, NULL), ERR_MALFORMED, "%zu", len);
    }
    memcpy(copy, tbs.data, tbs.len);
    cr_assert_eq(forge_judge(&f, f.ca, PORT_CRL_BEGIN, span_of(copy, tbs.len + 1), &fault), ERR_MALFORMED);
    cr_assert_eq(forge_judge(&f, f.ca, PORT_CRL_BEGIN, span_of(copy, 0), &fault), ERR_MALFORMED);
    free(copy);
    forge_span_free(tbs);
}

Test(check_crl, foreign_or_incomplete_lists_are_refused)
{
    X509_CRL *crl = forge_crl(&f, 1);
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(f.certificate));
    ASN1_TIME *early = ASN1_TIME_set(NULL, FORGE_NOW - 1);

    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)"x", -1, -1, 0);
    X509_CRL_set_issuer_name(crl, name);
    expect(judge(crl), ERR_POLICY, "crl.issuer:");
    crl = forge_crl(&f, 1);
    X509_CRL_set1_nextUpdate(crl, early);
    expect(judge(crl), ERR_POLICY, "crl.nextUpdate: before");
    crl = forge_crl(&f, 1);
    X509_EXTENSION_free(X509_CRL_delete_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)));
    expect(judge(crl), ERR_POLICY, "crl.number:");
    crl = forge_crl(&f, 1);
    X509_EXTENSION_free(
        X509_CRL_delete_ext(crl, X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1)));
    expect(judge(crl), ERR_POLICY, "crl.aki:");
    X509_NAME_free(name);
    ASN1_TIME_free(early);
}

static X509_CRL *delta(long number, long base, int critical)
{
    X509_CRL *crl = forge_crl(&f, 1);

    forge_crl_integer(crl, NID_crl_number, number, 0);
    forge_crl_integer(crl, NID_delta_crl, base, critical);
    return crl;
}

static X509_CRL *with(int nid, const char *value)
{
    X509_CRL *crl = forge_crl(&f, 1);

    forge_crl_extension(&f, crl, nid, value);
    return crl;
}

#define SHARD "critical,fullname:URI:http://ca.example.com/crl/ca-19.crl"
#define FRESHEST "URI:http://ca.example.com/crl/ca-delta.crl"

/* A shard under that many addresses. */
static X509_CRL *with_addresses(int count)
{
    X509_CRL *crl = forge_crl(&f, 1);
    ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();

    idp->distpoint = DIST_POINT_NAME_new();
    idp->distpoint->type = 0;
    idp->distpoint->name.fullname = GENERAL_NAMES_new();
    for (int i = 0; i < count; i++) {
        GENERAL_NAME *n = GENERAL_NAME_new();
        ASN1_IA5STRING *uri = ASN1_IA5STRING_new();

        ASN1_STRING_set(uri, "http://ca.example.com/crl/ca-19.crl", -1);
        GENERAL_NAME_set0_value(n, GEN_URI, uri);
        sk_GENERAL_NAME_push(idp->distpoint->name.fullname, n);
    }
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0), 1);
    ISSUING_DIST_POINT_free(idp);
    return crl;
}

Test(check_crl, a_delta_is_signed_when_its_base_lies_below_it)
{
    X509_CRL *crl = delta(300, 299, 1);

    cr_expect_eq(judge(delta(300, 299, 1)), OK, "%s", fault.detail);
    cr_expect_eq(judge(delta(256, 255, 1)), OK, "%s", fault.detail);
    cr_expect_eq(judge(delta(128, 127, 1)), OK, "%s", fault.detail);
    expect(judge(delta(300, 300, 1)), ERR_POLICY, "crl.base: not below");
    expect(judge(delta(255, 256, 1)), ERR_POLICY, "crl.base: not below");
    expect(judge(delta(300, -1, 1)), ERR_MALFORMED, "crl.extension: 551d1b");
    expect(judge(delta(300, 299, 0)), ERR_MALFORMED, "crl.extension: 551d1b");
    forge_crl_extension(&f, crl, NID_freshest_crl, FRESHEST);
    expect(judge(crl), ERR_POLICY, "crl.freshest: in a delta");
}

Test(check_crl, a_list_of_one_point_is_signed_and_no_other_scope)
{
    static const char *const others[] = {
        "critical,onlyuser:TRUE",
        "critical,onlyCA:TRUE",
        "critical,onlyAA:TRUE",
        "critical,fullname:URI:http://ca.example.com/a,onlyuser:TRUE",
        "critical,fullname:URI:http://ca.example.com/a,onlysomereasons:keyCompromise",
        "critical,fullname:URI:http://ca.example.com/a,indirectCRL:TRUE",
        "critical,fullname:DNS:ca.example.com",
        "critical,fullname:URI:http://ca.example.com/a b",
        "fullname:URI:http://ca.example.com/crl/ca-19.crl", /* not critical */
    };
    X509_CRL *crl = delta(300, 299, 1);

    cr_expect_eq(judge(with(NID_issuing_distribution_point, SHARD)), OK, "%s", fault.detail);
    forge_crl_extension(&f, crl, NID_issuing_distribution_point, SHARD);
    cr_expect_eq(judge(crl), OK, "a shard's delta: %s", fault.detail);
    cr_expect_eq(judge(with_addresses(2)), OK, "an earlier address: %s", fault.detail);
    expect(judge(with_addresses(9)), ERR_MALFORMED, "crl.extension: 551d1c");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cr_log_info("%s", others[i]);
        expect(judge(with(NID_issuing_distribution_point, others[i])), ERR_MALFORMED,
               "crl.extension: 551d1c");
    }
}

Test(check_crl, a_complete_list_may_say_where_its_delta_is)
{
    cr_expect_eq(judge(with(NID_freshest_crl, FRESHEST)), OK, "%s", fault.detail);
    expect(judge(with(NID_freshest_crl, "critical," FRESHEST)), ERR_POLICY,
           "crl.extension: 551d2e must not be critical");
    expect(judge(with(NID_freshest_crl, FRESHEST ",URI:http://ca.example.com/b")), ERR_MALFORMED,
           "crl.extension: 551d2e");
    expect(judge(with(NID_freshest_crl, "DNS:ca.example.com")), ERR_MALFORMED, "crl.extension: 551d2e");
    expect(judge(with(NID_issuer_alt_name, "DNS:ca.example.com")), ERR_POLICY,
           "crl.extension: 551d12 is not permitted");
}

static X509_CRL *timed(int64_t from_s, int64_t to_s)
{
    X509_CRL *crl = forge_crl(&f, 1);

    forge_crl_times(crl, from_s, to_s);
    return crl;
}

Test(check_crl, its_times_are_held_against_the_clock_and_a_ceiling)
{
    int64_t now = FORGE_NOW, day = FORGE_DAY;

    cr_expect_eq(judge(timed(now - day, now)), OK, "%s", fault.detail);
    cr_expect_eq(judge(timed(now + day, now + 401 * day)), OK, "%s", fault.detail);
    expect(judge(timed(now - day - 1, now)), ERR_POLICY, "crl.thisUpdate: more than a day");
    expect(judge(timed(now + day + 1, now + 2 * day)), ERR_POLICY, "crl.thisUpdate: more than a day");
    expect(judge(timed(now, now + 400 * day + 1)), ERR_POLICY, "crl.nextUpdate: more than 400 days");
}

Test(check_crl, a_key_for_something_else_signs_none)
{
    struct signer_key *k = forge_key(&f, (struct signer_spec){.id = "ocsp", .uri = f.uri, .is_ocsp = true});
    struct span tbs = forge_crl_tbs(&f, forge_crl(&f, 1));

    expect(forge_judge(&f, k, PORT_CRL_BEGIN, tbs, &fault), ERR_POLICY, "crl: this key");
    forge_span_free(tbs);
    signer_key_free(k);
}

/* ---- what OpenSSL would not write ---- */

struct list {
    uint64_t version;
    enum sig_alg alg;
    bool no_next_update, empty_list, no_extensions, trailing, is_delta;
    struct span entry; /* raw, in revokedCertificates */
};

static void put_extensions(struct buf *b, bool is_delta)
{
    size_t wrap = der_open(b, DER_CONTEXT_CONSTRUCTED(0)), list = der_open(b, DER_SEQUENCE), ext, value, seq;

    ext = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_str("\x55\x1d\x23"));
    value = der_open(b, DER_OCTET_STRING);
    seq = der_open(b, DER_SEQUENCE);
    der_put(b, DER_CONTEXT(0), key_purpose(f.ca)->ski);
    der_close(b, seq);
    der_close(b, value);
    der_close(b, ext);
    ext = der_open(b, DER_SEQUENCE);
    der_put_oid(b, span_str("\x55\x1d\x14"));
    value = der_open(b, DER_OCTET_STRING);
    der_put_uint(b, 7);
    der_close(b, value);
    der_close(b, ext);
    if (is_delta)
        buf_put(b, "\x30\x0d\x06\x03\x55\x1d\x1b\x01\x01\xff\x04\x03\x02\x01\x06", 15); /* of 6 */
    der_close(b, list);
    der_close(b, wrap);
}

static enum err judge_list(struct list l)
{
    struct buf b;
    size_t whole;

    buf_init(&b, 1 << 20);
    whole = der_open(&b, DER_SEQUENCE);
    der_put_uint(&b, l.version);
    buf_put_span(&b, sig_alg_der(l.alg));
    buf_put_span(&b, key_purpose(f.ca)->name);
    der_put_time(&b, FORGE_NOW);
    if (!l.no_next_update)
        der_put_time(&b, FORGE_NOW + 1);
    if (l.empty_list || l.entry.len > 0)
        der_put(&b, DER_SEQUENCE, l.entry);
    if (!l.no_extensions)
        put_extensions(&b, l.is_delta);
    if (l.trailing)
        der_put_null(&b);
    der_close(&b, whole);
    return judge_raw(&b);
}

#define GOOD .version = 1, .alg = SIG_ECDSA_SHA256
#define RAW(text) span_of(text, sizeof(text) - 1)
#define WHEN                                                                                                 \
    "\x17\x0d"                                                                                               \
    "260528000000Z"

Test(check_crl, each_broken_list_is_refused_by_name)
{
    cr_assert_eq(judge_list((struct list){GOOD}), OK, "%s", fault.detail);
    expect(judge_list((struct list){.version = 0, .alg = SIG_ECDSA_SHA256}), ERR_MALFORMED, "crl.version:");
    expect(judge_list((struct list){.version = 1, .alg = SIG_RSA_SHA256}), ERR_POLICY, "crl.signature:");
    expect(judge_list((struct list){GOOD, .no_next_update = true}), ERR_MALFORMED, "crl.nextUpdate: missing");
    expect(judge_list((struct list){GOOD, .empty_list = true}), ERR_MALFORMED,
           "crl.revokedCertificates: empty");
    expect(judge_list((struct list){GOOD, .no_extensions = true}), ERR_MALFORMED, "crl: ends early");
    expect(judge_list((struct list){GOOD, .trailing = true}), ERR_MALFORMED, "crl: something else");
}

Test(check_crl, each_broken_entry_is_refused_by_name)
{
    static const struct {
        struct span entry;
        enum err err;
        const char *start;
    } rows[] = {
        {{(const uint8_t *)"\x30\x12\x02\x01\x05" WHEN, 20}, OK, ""},
        {{(const uint8_t *)"\x30\x12\x02\x01\x00" WHEN, 20}, ERR_MALFORMED, "crl.entry: no positive"},
        {{(const uint8_t *)"\x30\x12\x02\x01\x85" WHEN, 20}, ERR_MALFORMED, "crl.entry: no positive"},
        {{(const uint8_t *)"\x30\x03\x02\x01\x05", 5}, ERR_MALFORMED, "crl.entry: revocationDate"},
        {{(const uint8_t *)"\x30\x14\x02\x01\x05" WHEN "\x05\x00", 22},
         ERR_MALFORMED,
         "crl.entry: something else"},
        {{(const uint8_t *)"\x30\x14\x02\x01\x05" WHEN "\x30\x00", 22},
         ERR_MALFORMED,
         "crl.entry.extension:"},
        {{(const uint8_t *)"\x30\x20\x02\x01\x05" WHEN
                           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01",
          34},
         OK,
         ""},
        {{(const uint8_t *)"\x30\x20\x02\x01\x05" WHEN
                           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x00",
          34},
         ERR_MALFORMED,
         "crl.entry.extension: 551d15"},
        {{(const uint8_t *)"\x30\x20\x02\x01\x05" WHEN
                           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x08",
          34},
         ERR_POLICY,
         "crl.entry: removeFromCRL in a list that is no delta"},
        {{(const uint8_t *)"\x30\x20\x02\x01\x05" WHEN
                           "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x1d\x04\x03\x0a\x01\x01",
          34},
         ERR_POLICY,
         "crl.entry.extension: 551d1d is not permitted"},
        {{(const uint8_t *)"\x30\x23\x02\x01\x05" WHEN
                           "\x30\x0f\x30\x0d\x06\x03\x55\x1d\x15\x01\x01\xff\x04\x03\x0a\x01\x01",
          37},
         ERR_POLICY,
         "crl.entry.extension: 551d15 must not be critical"},
        {{(const uint8_t *)"\x30\x12\x02\x01\x05" WHEN "\x05\x00", 22},
         ERR_MALFORMED,
         "crl.entry: no positive"},
        {{(const uint8_t *)"\x30\x13\x02\x01\x05" WHEN, 20}, ERR_MALFORMED, "crl: an element is longer"},
        {{(const uint8_t *)"\x30\x82\x00\x12\x02\x01\x05" WHEN, 22},
         ERR_MALFORMED,
         "crl: a length is not DER"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fault = (struct fault){0};
        expect(judge_list((struct list){GOOD, .entry = rows[i].entry}), rows[i].err, rows[i].start);
    }
}

Test(check_crl, a_delta_may_take_entries_out)
{
    static const uint8_t removal[] =
        "\x30\x20\x02\x01\x05" WHEN "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x08";
    struct span entry = span_of(removal, sizeof removal - 1);

    cr_expect_eq(judge_list((struct list){GOOD, .is_delta = true, .entry = entry}), OK, "%s", fault.detail);
    expect(judge_list((struct list){GOOD, .entry = entry}), ERR_POLICY, "crl.entry: removeFromCRL");
}

static void is_in_bounds(struct span tbs, struct span signature)
{
    struct span der = forge_assemble(&f, tbs, signature);
    const unsigned char *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);

    if (crl != NULL) {
        cr_assert_eq(X509_CRL_verify(crl, f.key), 1);
        cr_assert_eq(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(f.certificate)), 0);
        cr_assert_eq(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
        cr_assert_lt(X509_CRL_get_ext_by_critical(crl, 1, -1), 0, "nothing made it a delta or a shard");
    }
    X509_CRL_free(crl);
    forge_span_free(der);
}

Test(check_crl, mutants_are_signed_only_when_openssl_finds_them_in_bounds)
{
    struct span tbs = forge_crl_tbs(&f, forge_crl(&f, 4));
    unsigned is_signed = verdict_of_mutants(f.ca, PORT_CRL_BEGIN, tbs, &(struct dice){99}, is_in_bounds);

    cr_assert(is_signed > 10 && is_signed < 900, "%u", is_signed);
    forge_span_free(tbs);
}

/* Two million entries go through; the check takes what it took at its start. */
Test(check_crl, memory_does_not_grow_with_the_list)
{
    static const uint8_t entry[] = "\x30\x12\x02\x01\x05" WHEN;
    uint64_t count = 2000000, body;
    struct crl_check *c;
    struct buf outer, head, tail;
    size_t before;

    buf_init(&head, 4096);
    buf_init(&tail, 4096);
    put_extensions(&tail, false);
    der_put_uint(&head, 1);
    buf_put_span(&head, sig_alg_der(SIG_ECDSA_SHA256));
    buf_put_span(&head, key_purpose(f.ca)->name);
    der_put_time(&head, FORGE_NOW);
    der_put_time(&head, FORGE_NOW + 1);
    der_put_header(&head, DER_SEQUENCE, count * 20);
    body = head.len + count * 20 + tail.len;
    c = crl_check_new(key_purpose(f.ca), der_header_len(body) + body, FORGE_NOW);
    buf_init(&outer, 16);
    der_put_header(&outer, DER_SEQUENCE, body);
    crl_check_add(c, buf_span(&outer));
    crl_check_add(c, buf_span(&head));
    before = mallinfo2().uordblks;
    for (uint64_t i = 0; i < count; i++)
        crl_check_add(c, span_of(entry, 20));
    cr_assert_leq(mallinfo2().uordblks, before);
    crl_check_add(c, buf_span(&tail));
    cr_assert_eq(crl_check_end(c, NULL), OK);
    buf_free(&outer);
    buf_free(&head);
    buf_free(&tail);
}
