/* SPDX-License-Identifier: Apache-2.0 */
/* Are the files, octet for octet, those that OpenSSL writes for the same content, whatever the content? The
 * signature is OpenSSL's own here, so everything can be compared. */
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parts.h"
#include "crl/inner.h"
#include "shop.h"

static struct shop s;
static struct crl_paths paths;

static void setup(void)
{
    shop_open(&s, "ec-256", "ca");
    cr_assert_eq(crl_paths_of(s.public_dir, "ca", &paths, NULL), OK);
}

static void teardown(void)
{
    shop_close(&s);
}

TestSuite(crl_pair, .init = setup, .fini = teardown, .timeout = 120);

static struct crl_content content(uint64_t number)
{
    struct parts parts;

    cr_assert(parts_of(span_of(s.der, s.der_len), &parts));
    return (struct crl_content){.issuer_name = parts.subject,
                                .algorithm = sig_alg_der(SIG_ECDSA_SHA256),
                                .ski = parts.ski,
                                .number = number,
                                .this_update_s = SHOP_NOW,
                                .next_update_s = SHOP_NOW + 4 * DAY};
}

/* ---- random content ---- */

static uint64_t dice(uint64_t sides)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % sides;
}

static int by_serial(const void *a, const void *b)
{
    return memcmp(((const struct revoked *)a)->serial, ((const struct revoked *)b)->serial, SERIAL_LEN);
}

/* From 1970 to 2110: dates on both sides of 2050. */
static int64_t any_date(void)
{
    return (int64_t)dice(4418064000u);
}

/* Serials of every length, with and without the high bit; every reason; any dates. */
static void make_revoked(size_t count)
{
    static const enum reason reasons[] = {0, 1, 2, 3, 4, 5, 6, 8, 9, 10};

    s.revoked = realloc(s.revoked, (count + 1) * sizeof *s.revoked);
    s.count = count;
    for (size_t i = 0; i < count; i++) {
        struct revoked *r = &s.revoked[i];

        *r = (struct revoked){.reason = reasons[dice(10)],
                              .revoked_at_s = any_date(),
                              .invalidity_s = dice(2) ? NO_TIME : any_date()};
        for (size_t o = dice(8) ? 0 : dice(12); o < SERIAL_LEN; o++)
            r->serial[o] = (uint8_t)dice(256);
    }
    qsort(s.revoked, count, sizeof *s.revoked, by_serial);
}

/* ---- the comparison ---- */

static bool collect(struct span piece, void *arg)
{
    cr_assert_leq(piece.len, PAIR_PIECE);
    buf_put_span(arg, piece);
    return true;
}

static void compare_file(const char *path, struct span want)
{
    struct span got = shop_read(path);

    cr_assert(span_eq(got, want), "%s with %zu entries", path, s.count);
    free((void *)got.data);
}

static void compare_pem(X509_CRL *theirs)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;

    cr_assert_eq(PEM_write_bio_X509_CRL(bio, theirs), 1);
    len = BIO_get_mem_data(bio, &text);
    compare_file(s.pem_path, span_of(text, (size_t)len));
    BIO_free(bio);
}

/* signatureAlgorithm and signature are what follows the list in the file. */
static struct span trailer_of(struct span der, size_t tbs_len)
{
    struct der whole;
    struct span in = der;

    cr_assert(der_expect(&in, DER_SEQUENCE, &whole));
    return span_of(whole.body.data + tbs_len, whole.body.len - tbs_len);
}

static void compare_with(const struct crl_content *c, X509_CRL *theirs)
{
    uint8_t *tbs = NULL, *der = NULL, sha256[HASH_LEN], want_sha256[HASH_LEN];
    int tbs_len = i2d_re_X509_CRL_tbs(theirs, &tbs), der_len = i2d_X509_CRL(theirs, &der);
    struct span want = span_of(der, (size_t)der_len), trailer = trailer_of(want, (size_t)tbs_len);
    struct crl_pair p;
    struct fault f = {0};
    struct buf ours;
    uint64_t size;

    buf_init(&ours, 1u << 28);
    cr_assert_eq(pair_open(&p, &paths, 0, &f), OK, "%s", f.detail);
    pair_begin(&p, c);
    for (size_t i = 0; i < s.count; i++)
        cr_assert(pair_add(&p, &s.revoked[i]));
    cr_assert_eq(pair_close(&p, 12 + 3 + 72), OK, "%s", f.detail);
    cr_assert_eq(p.tbs_len, (uint64_t)tbs_len);
    cr_assert_eq(p.count, s.count);
    cr_assert_eq(pair_stream(&p, collect, &ours), OK, "%s", f.detail);
    cr_assert(span_eq(buf_span(&ours), span_of(tbs, (size_t)tbs_len)), "%zu entries", s.count);
    cr_assert_eq(pair_finish(&p, trailer, &size, sha256), OK, "%s", f.detail);
    cr_assert_eq(pair_put_in_force(&p), OK, "%s", f.detail);
    pair_free(&p);
    cr_assert_eq(size, want.len);
    sha256_of(want, want_sha256);
    cr_assert_arr_eq(sha256, want_sha256, HASH_LEN);
    compare_file(s.crl_path, want);
    compare_pem(theirs);
    buf_free(&ours);
    OPENSSL_free(tbs);
    OPENSSL_free(der);
}

static void compare(const struct crl_content *c)
{
    X509_CRL *theirs = shop_crl(&s, c->number, c->this_update_s, c->next_update_s, NULL);

    compare_with(c, theirs);
    X509_CRL_free(theirs);
}

Test(crl_pair, random_lists_of_any_length_equal_openssl)
{
    static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 90, 300, 1000, 1300, 5000, 30000};
    struct crl_content c = content(1);

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        make_revoked(counts[i]);
        compare(&c);
    }
}

/* Longer than what waits in memory, below and above 16 MB: lengths of three and of four octets. */
Test(crl_pair, lists_that_are_written_in_parts_equal_openssl)
{
    static const size_t counts[] = {25000, 200000, 300000};
    struct crl_content c = content(1);

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        make_revoked(counts[i]);
        compare(&c);
    }
}

/* One entry more at a time, over lengths where each header in turn gains an octet, with signatures of
 * OpenSSL's, whose length varies too. */
Test(crl_pair, every_header_is_right_where_its_length_changes)
{
    struct crl_content c = content(1);

    for (size_t count = 0; count < 12; count++) {
        make_revoked(count);
        compare(&c);
    }
    make_revoked(1300);
    for (size_t i = 0; i < s.count; i++) /* 44 octets each */
        s.revoked[i] = (struct revoked){.serial = {1, (uint8_t)(i >> 8), (uint8_t)i},
                                        .reason = REASON_UNSPECIFIED,
                                        .revoked_at_s = SHOP_NOW,
                                        .invalidity_s = NO_TIME};
    for (s.count = 1280; s.count < 1300; s.count++)
        for (int i = 0; i < 8; i++)
            compare(&c);
}

Test(crl_pair, numbers_and_times_of_every_length_equal_openssl)
{
    static const uint64_t numbers[] = {1,     127,        128,        255,       256,
                                       65535, 1ull << 31, 1ull << 40, INT64_MAX, UINT64_MAX};
    struct crl_content c = content(0);

    make_revoked(3);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        c.number = numbers[i];
        compare(&c);
    }
    c.next_update_s = 2524608000; /* 2050 */
    compare(&c);
}

/* deltaCRLIndicator, as whoever makes such a list gives it. */
Test(crl_pair, further_extensions_follow_in_the_order_given)
{
    static const uint8_t indicator[] = {0x30, 0x0d, 0x06, 0x03, 0x55, 0x1d, 0x1b, 0x01,
                                        0x01, 0xff, 0x04, 0x03, 0x02, 0x01, 0x07};
    X509_CRL *theirs;
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    struct crl_content c = content(9);

    make_revoked(10);
    c.more = span_of(indicator, sizeof indicator);
    theirs = shop_crl(&s, c.number, c.this_update_s, c.next_update_s, NULL);
    ASN1_INTEGER_set(n, 7);
    X509_CRL_add1_ext_i2d(theirs, NID_delta_crl, n, 1, 0);
    cr_assert_gt(X509_CRL_sign(theirs, s.key, EVP_sha256()), 0);
    compare_with(&c, theirs);
    ASN1_INTEGER_free(n);
    X509_CRL_free(theirs);
}

/* ---- deltas and shards ---- */

static void add_by_text(X509_CRL *crl, int nid, const char *text)
{
    X509V3_CTX ctx;
    X509_EXTENSION *x;

    X509V3_set_ctx(&ctx, s.certificate, NULL, NULL, crl, 0);
    x = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
    cr_assert_not_null(x, "%s", text);
    cr_assert_eq(X509_CRL_add_ext(crl, x, -1), 1);
    X509_EXTENSION_free(x);
}

static void add_base(X509_CRL *crl, uint64_t number)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();

    cr_assert_eq(ASN1_INTEGER_set_uint64(n, number), 1);
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
    ASN1_INTEGER_free(n);
}

#define OURS "http://crl.example.com"
static const char moved[] = "http://old.example.com\0" OURS;

static void push_uri(GENERAL_NAMES *names, const char *uri)
{
    GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_URI, uri, 0);

    cr_assert_not_null(name);
    cr_assert_gt(sk_GENERAL_NAME_push(names, name), 0);
}

static void add_point(X509_CRL *crl, bool has_moved)
{
    ISSUING_DIST_POINT *point = ISSUING_DIST_POINT_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    if (has_moved)
        push_uri(names, "http://old.example.com/crl/ca-5.crl");
    push_uri(names, OURS "/crl/ca-5.crl");
    point->distpoint = DIST_POINT_NAME_new();
    point->distpoint->type = 0;
    point->distpoint->name.fullname = names;
    cr_assert_eq(X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, point, 1, 0), 1);
    ISSUING_DIST_POINT_free(point);
}

/* What list.c puts on a list of this kind, and OpenSSL from its text; removeFromCRL is among the reasons. */
static void compare_kind(bool is_delta, bool is_shard, bool has_moved)
{
    struct crl_content c = content(dice(UINT64_MAX) + 1);
    uint64_t base = dice(c.number);
    struct buf more;
    X509_CRL *theirs = shop_crl(&s, c.number, c.this_update_s, c.next_update_s, NULL);

    buf_init(&more, 4096);
    if (is_delta) {
        crl_put_base(&more, base);
        add_base(theirs, base);
    }
    if (is_shard) {
        crl_put_point(&more, has_moved ? span_of(moved, sizeof moved) : span_of(NULL, 0), OURS, "ca-5");
        add_point(theirs, has_moved);
    }
    if (!is_delta) {
        crl_put_freshest(&more, OURS, "ca-5-delta");
        add_by_text(theirs, NID_freshest_crl, "URI:" OURS "/crl/ca-5-delta.crl");
    }
    cr_assert_gt(X509_CRL_sign(theirs, s.key, EVP_sha256()), 0);
    c.more = buf_span(&more);
    compare_with(&c, theirs);
    buf_free(&more);
    X509_CRL_free(theirs);
}

Test(crl_pair, random_deltas_and_shards_equal_openssl)
{
    for (int i = 0; i < 96; i++) {
        make_revoked(i % 4 == 0 ? dice(4) : dice(2000));
        compare_kind(i & 1, i & 2, i & 4);
    }
}

/* As after a move to an address while new certificates name no shard. */
Test(crl_pair, an_address_that_no_certificate_names_is_left_out)
{
    static const char named[] = "http://a.example.com\0http://b.example.com";
    struct buf with, without;

    buf_init(&with, 4096);
    buf_init(&without, 4096);
    crl_put_point(&with, span_of(named, sizeof named), "http://b.example.com", "ca-5");
    crl_put_point(&without, span_of(named, sizeof named), OURS, "ca-5");
    cr_assert(span_eq(buf_span(&with), buf_span(&without)));
    cr_assert_null(memmem(without.data, without.len, OURS, sizeof OURS - 1));
    buf_free(&with);
    buf_free(&without);
}

/* ---- failures ---- */

static bool stop_at_second(struct span piece, void *arg)
{
    (void)piece;
    return ++*(int *)arg < 2;
}

Test(crl_pair, a_sink_that_stops_is_asked_no_more_and_nothing_stays)
{
    struct crl_content c = content(1);
    struct crl_pair p;
    struct fault f = {0};
    int calls = 0;

    make_revoked(5000);
    cr_assert_eq(pair_open(&p, &paths, 0, &f), OK);
    pair_begin(&p, &c);
    for (size_t i = 0; i < s.count; i++)
        cr_assert(pair_add(&p, &s.revoked[i]));
    cr_assert_eq(pair_close(&p, 90), OK);
    cr_assert_eq(pair_stream(&p, stop_at_second, &calls), ERR_END);
    cr_assert_eq(calls, 2);
    cr_assert_eq(access(p.der.temp, F_OK), 0);
    pair_free(&p);
    cr_assert_neq(rmdir(s.public_dir), 0);
    cr_assert_neq(access(s.crl_path, F_OK), 0);
    cr_assert_neq(access(s.pem_path, F_OK), 0);
}

Test(crl_pair, what_was_in_place_is_kept_as_the_previous)
{
    struct crl_content c = content(1);
    struct span first, second;

    make_revoked(3);
    compare(&c);
    first = shop_read(paths.der);
    cr_assert_neq(access(paths.previous, F_OK), 0, "there was none");
    c.number = 2;
    compare(&c);
    second = shop_read(paths.der);
    compare_file(paths.previous, first);
    c.number = 3;
    compare(&c);
    compare_file(paths.previous, second);
    free((void *)first.data);
    free((void *)second.data);
}
