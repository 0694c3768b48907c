/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight: what a preflight costs beside the check of the request's signature, which no preflight can do
 * without. Three things are timed in turn, round by round, so that whatever else the machine does falls on
 * all alike; the medians of their CPU time are printed, and the ratios.
 *
 *   openssl     d2i_X509_REQ and X509_REQ_verify: the signature check from the octets of the request
 *   signature   one EVP_DigestVerify with the key at hand: less than any check of a request can cost
 *   preflight   from the octets of the request to those of the answer: reading, proof of possession, all
 *               rules, facts over the wire, what would be signed, lint, the decoded views, the plan, JSON
 *
 * Not in it: TLS and HTTP, and the look-ups of the key in the store (a few microseconds).
 *
 * usage: bench_preflight [ROUNDS]
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "api/preflight.h"
#include "base/log.h"
#include "tests/bench/median.h"
#include "tests/bench/request.h"

#define ROUNDS_DEFAULT 400

struct subject {
    const char *name, *profile, *cn;
    struct buf der; /* the request */
    EVP_PKEY *key;
    struct span info, signature;
    const EVP_MD *digest;
};

/* ---- a store that knows the two issuers of the plan ---- */

static struct store *store;
static char dir[] = "/tmp/chancery-bench-XXXXXX";

static void add_issuer(struct txn *t, const char *id, const char *parent, struct span spki)
{
    struct issuer row = {.id = ""};
    struct buf name, tbs, der;
    uint16_t no;

    buf_init(&name, 1024);
    buf_init(&tbs, 65536);
    buf_init(&der, 65536);
    name_write(&name, "Example", id);
    tbs_write(&tbs, &(struct tbs){.serial = {1},
                                  .alg = SIG_ECDSA_SHA384,
                                  .issuer = buf_span(&name),
                                  .subject = buf_span(&name),
                                  .spki = spki,
                                  .not_before_s = 1700000000,
                                  .not_after_s = 1800000000,
                                  .ku = KU_KEY_CERT_SIGN,
                                  .is_ca = true,
                                  .path_len = 0,
                                  .aki = span_str("01234567890123456789")});
    certificate_write(&der, buf_span(&tbs), SIG_ECDSA_SHA384, span_str("a signature that nobody verifies"));
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.parent, sizeof row.parent, "%s", parent);
    row.certificate = buf_span(&der);
    issuer_add(t, &row, &no);
    buf_free(&name);
    buf_free(&tbs);
    buf_free(&der);
}

static void make_store(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    uint8_t *spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    struct fault f = {0};
    struct txn *t;

    if (mkdtemp(dir) == NULL || store_open(dir, STORE_CREATE, 1 << 20, &store, &f) != OK ||
        txn_begin(store, &t) != OK)
        die("a store in %s: %s", dir, f.detail);
    add_issuer(t, "ec-root-g1", "", span_of(spki, (size_t)len));
    add_issuer(t, "ec-g1", "ec-root-g1", span_of(spki, (size_t)len));
    if (txn_commit(t) != OK)
        die("the store cannot be written");
    OPENSSL_free(spki);
    EVP_PKEY_free(key);
}

static void remove_store(void)
{
    char command[sizeof dir + 16];

    store_close(store);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        die("%s cannot be removed", dir);
}

/* ---- the three ---- */

static void check_by_openssl(const struct subject *s)
{
    const uint8_t *p = s->der.data;
    X509_REQ *q = d2i_X509_REQ(NULL, &p, (long)s->der.len);

    if (q == NULL || X509_REQ_verify(q, X509_REQ_get0_pubkey(q)) != 1)
        die("the request does not verify");
    X509_REQ_free(q);
}

static void check_signature(const struct subject *s)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (EVP_DigestVerifyInit(ctx, NULL, s->digest, NULL, s->key) != 1 ||
        EVP_DigestVerify(ctx, s->signature.data, s->signature.len, s->info.data, s->info.len) != 1)
        die("the signature does not verify");
    EVP_MD_CTX_free(ctx);
}

static void build_tbs(const struct facts *f, const struct grant *g, struct buf *out)
{
    struct tbs t = {.serial = {1},
                    .alg = SIG_ECDSA_SHA384,
                    .issuer = f->subject,
                    .subject = f->subject,
                    .spki = f->spki,
                    .not_before_s = 1700000000,
                    .not_after_s = 1800000000,
                    .ku = g->ku,
                    .eku = g->eku,
                    .eku_count = g->eku_count,
                    .sans = f->sans,
                    .san_count = f->san_count,
                    .aki = span_str("01234567890123456789"),
                    .ocsp_url = "http://ca.example.com:8080/ocsp",
                    .issuer_url = "http://ca.example.com:8080/ca/ec-g1.cer",
                    .crl_url = "http://ca.example.com:8080/crl/ec-g1.crl"};

    tbs_write(out, &t);
}

/* As the ca does it with what came over the wire. */
static void decide(const struct profile *p, struct span wire, struct findings *fs, struct buf *tbs)
{
    static struct san sans[SAN_COUNT_MAX];
    struct rd r = rd_of(wire);
    struct facts f;
    struct grant g;

    if (!facts_read(&r, &f, sans))
        die("broken facts");
    profile_check(p, &f, 0, &g, fs);
    build_tbs(&f, &g, tbs);
    lint_check(buf_span(tbs), p->is_cisco, fs);
}

static struct js *plan(const struct profile *p)
{
    struct upload_path path;
    struct view *v;
    struct js *steps;

    if (view_open(store, &v) != OK)
        die("the store cannot be read");
    upload_path_ours(v, "ec-g1", &path);
    steps = upload_json(upload_plan_find(p->id), &path, "http://ca.example.com:8080");
    upload_path_free(&path);
    view_close(v);
    return steps;
}

static void answer(const struct profile *p, const struct facts *f, const struct findings *fs, struct span tbs)
{
    struct js *o = js_object();
    struct certificate *c = NULL;
    struct buf text;

    if (findings_refuse(fs) || tbs_parse(tbs, &c, NULL) != OK)
        die("the request is refused: %s", fs->count > 0 ? fs->items[0].rule : "tbs");
    js_set(o, "request", facts_json(f));
    js_set(o, "would_issue", certificate_facts_json(certificate_facts_of(c)));
    js_set(o, "findings", findings_json(fs));
    js_set(o, "upload", plan(p));
    buf_init(&text, 1 << 20);
    js_write(o, &text);
    buf_free(&text);
    js_free(o);
    certificate_free(c);
}

static void preflight(const struct subject *s, const struct profile *p)
{
    struct findings fs = {0};
    struct fault f = {0};
    struct csr *c = NULL;
    struct buf wire, tbs;

    if (csr_parse(buf_span(&s->der), &c, &fs, &f) != OK)
        die("the request cannot be read: %s", f.detail);
    buf_init(&wire, WIRE_MSG_MAX);
    buf_init(&tbs, WIRE_MSG_MAX);
    facts_write(&wire, csr_facts(c));
    decide(p, buf_span(&wire), &fs, &tbs);
    answer(p, csr_facts(c), &fs, buf_span(&tbs));
    buf_free(&wire);
    buf_free(&tbs);
    findings_free(&fs);
    csr_free(c);
}

/* ---- the clock ---- */

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void measure(const struct subject *s, const struct profile *p, size_t rounds)
{
    double *openssl = calloc(rounds, sizeof *openssl), *bare = calloc(rounds, sizeof *bare),
           *whole = calloc(rounds, sizeof *whole), a, b, c;

    for (size_t i = 0; i < rounds; i++) {
        double t0 = now_us(), t1, t2;

        check_by_openssl(s);
        t1 = now_us();
        check_signature(s);
        t2 = now_us();
        preflight(s, p);
        whole[i] = now_us() - t2;
        bare[i] = t2 - t1;
        openssl[i] = t1 - t0;
    }
    a = median(openssl, rounds);
    b = median(bare, rounds);
    c = median(whole, rounds);
    printf("%-10s  openssl %7.1f us  signature %7.1f us  preflight %7.1f us   %5.2f of openssl  %5.2f of "
           "signature\n",
           s->name, a, b, c, c / a, c / b);
    free(openssl);
    free(bare);
    free(whole);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    struct subject subjects[] = {
        {.name = "rsa-2048", .profile = "ucm/tomcat", .cn = "cucm1.example.com"},
        {.name = "rsa-4096", .profile = "ucm/tomcat", .cn = "cucm1.example.com"},
        {.name = "ec-p256", .profile = "ucm/tomcat-ECDSA", .cn = "cucm1-EC.example.com"},
        {.name = "ec-p384", .profile = "ucm/tomcat-ECDSA", .cn = "cucm1-EC.example.com"},
    };
    struct catalogue catalogue = {0};
    struct fault f = {0};

    if (rounds == 0 || catalogue_load("installed", span_of(NULL, 0), &catalogue, NULL, &f) != OK)
        die("usage: bench_preflight [ROUNDS] %s", f.detail);
    make_store();
    subjects[0].key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    subjects[1].key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)4096);
    subjects[2].key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    subjects[3].key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        subjects[i].digest = i == 3 ? EVP_sha384() : EVP_sha256();
        request_make(subjects[i].key, subjects[i].digest, subjects[i].cn, &subjects[i].der);
        request_split(buf_span(&subjects[i].der), &subjects[i].info, &subjects[i].signature);
        measure(&subjects[i], profile_find(&catalogue, subjects[i].profile), rounds);
        EVP_PKEY_free(subjects[i].key);
        buf_free(&subjects[i].der);
    }
    remove_store();
    catalogue_free(&catalogue);
    return 0;
}
