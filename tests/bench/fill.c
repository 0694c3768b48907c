/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill: puts certificates by the thousand into the store of a home that is not in service: what the benches
 * that ask about many begin with. Names, profiles, requesters and ends vary; one in 20 is revoked, one in 200
 * held, and some have expired. The certificates are DER as issuers write it, but for the signature, which is
 * random octets: nobody who reads a store verifies it.
 *
 * usage: store_fill HOME COUNT. Prints one line of JSON with a valid serial of each issuer.
 */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "base/hash.h"
#include "base/log.h"
#include "store/store.h"

#define BATCH 10000u /* certificates in one transaction */
#define A_CERTIFICATE                                                                                        \
    8192u /* octets of the map: twice what one takes, so that it need not grow meanwhile                     \
           */
#define DAY INT64_C(86400)
#define HISTORY (400 * DAY) /* the first was issued that long ago */
#define EC_KEYS 4096u       /* made; they come again */
#define SITES 500u
#define REQUESTERS 40u
#define RSA_OCTETS 256u

static const uint8_t sha256_rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                     0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
static const uint8_t sha384_ecdsa[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t rsa_key[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t cn_oid[] = {0x55, 0x04, 0x03}, san_oid[] = {0x55, 0x1d, 0x11};

/* An issuer of leaves and what its certificates have in common. */
struct issuing {
    const char *id;
    enum key_type type;
    unsigned signature_octets;
    struct span alg;
    const char *profiles[4], *suffix;
    uint16_t no;
    uint8_t *name; /* DER */
    size_t name_len;
    char valid[SERIAL_HEX_LEN + 1]; /* the last one that is */
};

struct fill {
    struct issuing issuers[2];
    struct buf keys[EC_KEYS];
    int64_t now_s;
    uint64_t count, done, revoked, held, expired;
};

/* One certificate as it is made. */
struct made {
    struct issuing *by;
    struct buf tbs, der, spki;
    char cn[96], subject[128], sans[256];
    size_t sans_len;
    struct cert cert;
};

/* ---- what it is made of ---- */

static void issuer_read(struct view *v, struct issuing *i)
{
    struct issuer row;
    const uint8_t *at;
    X509 *x;
    int len;

    if (issuer_find(v, i->id, &row) != OK)
        die("the store has no issuer %s", i->id);
    at = row.certificate.data;
    x = d2i_X509(NULL, &at, (long)row.certificate.len);
    len = x != NULL ? i2d_X509_NAME(X509_get_subject_name(x), &i->name) : -1;
    if (len < 0)
        die("%s: no certificate", i->id);
    i->name_len = (size_t)len;
    i->no = row.no;
    X509_free(x);
}

static void ec_keys_make(struct fill *f)
{
    for (size_t n = 0; n < EC_KEYS; n++) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        uint8_t *spki = NULL;
        int len = i2d_PUBKEY(key, &spki);

        if (len < 0)
            die("no key");
        buf_init(&f->keys[n], 256);
        buf_put(&f->keys[n], spki, (size_t)len);
        OPENSSL_free(spki);
        EVP_PKEY_free(key);
    }
}

/* A modulus of random octets: as good to whoever only stores it, hashes it or prints it. */
static void rsa_key_make(struct buf *b)
{
    uint8_t modulus[RSA_OCTETS];
    struct buf inner;
    size_t mark;

    random_octets(modulus, sizeof modulus);
    modulus[0] |= 0x80;
    modulus[RSA_OCTETS - 1] |= 1;
    buf_init(&inner, 512);
    mark = der_open(&inner, DER_SEQUENCE);
    der_put_unsigned(&inner, span_of(modulus, sizeof modulus));
    der_put_uint(&inner, 65537);
    der_close(&inner, mark);
    mark = der_open(b, DER_SEQUENCE);
    buf_put(b, rsa_key, sizeof rsa_key);
    der_put_bits(b, buf_span(&inner));
    der_close(b, mark);
    buf_free(&inner);
}

/* ---- DER ---- */

static void put_subject(struct buf *b, const char *cn)
{
    size_t name = der_open(b, DER_SEQUENCE), rdn = der_open(b, DER_SET), pair = der_open(b, DER_SEQUENCE);

    der_put_oid(b, span_of(cn_oid, sizeof cn_oid));
    der_put(b, DER_UTF8_STRING, span_str(cn));
    der_close(b, pair);
    der_close(b, rdn);
    der_close(b, name);
}

static void put_sans(struct buf *b, const struct made *m)
{
    size_t tagged = der_open(b, DER_CONTEXT_CONSTRUCTED(3)), list = der_open(b, DER_SEQUENCE),
           one = der_open(b, DER_SEQUENCE), value, names;

    der_put_oid(b, span_of(san_oid, sizeof san_oid));
    value = der_open(b, DER_OCTET_STRING);
    names = der_open(b, DER_SEQUENCE);
    for (size_t at = 0; at < m->sans_len; at += strlen(m->sans + at) + 1)
        der_put(b, DER_CONTEXT(2), span_str(m->sans + at));
    der_close(b, names);
    der_close(b, value);
    der_close(b, one);
    der_close(b, list);
    der_close(b, tagged);
}

static void put_tbs(struct buf *b, const struct made *m)
{
    size_t tbs = der_open(b, DER_SEQUENCE), mark = der_open(b, DER_CONTEXT_CONSTRUCTED(0));

    der_put_uint(b, 2);
    der_close(b, mark);
    der_put(b, DER_INTEGER, span_of(m->cert.serial, SERIAL_LEN));
    buf_put_span(b, m->by->alg);
    buf_put(b, m->by->name, m->by->name_len);
    mark = der_open(b, DER_SEQUENCE);
    der_put_time(b, m->cert.not_before_s);
    der_put_time(b, m->cert.status.not_after_s);
    der_close(b, mark);
    put_subject(b, m->cn);
    buf_put_span(b, buf_span(&m->spki));
    put_sans(b, m);
    der_close(b, tbs);
}

static void put_certificate(struct buf *b, const struct made *m)
{
    uint8_t signature[512];
    size_t mark = der_open(b, DER_SEQUENCE);

    random_octets(signature, m->by->signature_octets);
    put_tbs(b, m);
    buf_put_span(b, m->by->alg);
    der_put_bits(b, span_of(signature, m->by->signature_octets));
    der_close(b, mark);
}

/* ---- one certificate ---- */

static void names_make(struct made *m, uint64_t n)
{
    unsigned site = (unsigned)(n * 7919 % SITES);
    int len;

    snprintf(m->cn, sizeof m->cn, "node%llu%s.site%u.example.com", (unsigned long long)n, m->by->suffix,
             site);
    snprintf(m->subject, sizeof m->subject, "CN=%s", m->cn);
    len = snprintf(m->sans, sizeof m->sans, "%s%cnode%llu.site%u.example.net", m->cn, 0,
                   (unsigned long long)n, site);
    m->sans_len = (size_t)len + 1;
}

static void times_make(const struct fill *f, struct cert *c, uint64_t n)
{
    static const int64_t lives[] = {365, 365, 730, 365, 90, 365, 365, 825};

    c->issued_at_s = f->now_s - HISTORY + (int64_t)((double)n / (double)f->count * (double)HISTORY);
    c->not_before_s = c->issued_at_s - 300;
    c->status.not_after_s = c->issued_at_s + lives[n / 3 % 8] * DAY;
}

static void serial_make(struct cert *c)
{
    uint64_t day = (uint64_t)(c->status.not_after_s / DAY);

    c->serial[0] = 1;
    c->serial[1] = (uint8_t)(day >> 8);
    c->serial[2] = (uint8_t)day;
    random_octets(c->serial + 3, SERIAL_LEN - 3);
}

static void make(struct fill *f, struct made *m, uint64_t n)
{
    struct cert *c = &m->cert;

    buf_reset(&m->der);
    buf_reset(&m->spki);
    m->by = &f->issuers[n % 4 == 3];
    *c = (struct cert){.status = {.issuer_no = m->by->no}, .key_type = m->by->type};
    names_make(m, n);
    times_make(f, c, n);
    serial_make(c);
    if (c->key_type == KEY_RSA)
        rsa_key_make(&m->spki);
    else
        buf_put_span(&m->spki, buf_span(&f->keys[n / 4 % EC_KEYS]));
    put_certificate(&m->der, m);
    c->key_bits = c->key_type == KEY_RSA ? 8 * RSA_OCTETS : 256;
    sha256_of(buf_span(&m->spki), c->key_hash);
    sha256_of(buf_span(&m->der), c->fingerprint);
    snprintf(c->profile, sizeof c->profile, "%s", m->by->profiles[n / 5 % 4]);
    snprintf(c->requester, sizeof c->requester, "login:team-%u", (unsigned)(n * 31 % REQUESTERS));
    c->cn = span_str(m->cn);
    c->subject = span_str(m->subject);
    c->sans = span_of(m->sans, m->sans_len);
    c->der = buf_span(&m->der);
}

/* As the ca leaves it: certificate and audit row, and for some a state that moved later. */
static void record(struct fill *f, struct txn *t, struct made *m, uint64_t n)
{
    const struct cert *c = &m->cert;
    struct audit_row row = {.at_s = c->issued_at_s,
                            .kind = AUDIT_ISSUE,
                            .has_serial = true,
                            .actor = span_str(c->requester),
                            .detail = span_str(m->subject)};
    bool is_expired = c->status.not_after_s < f->now_s, is_held = n % 200 == 7, is_revoked = n % 20 == 11;
    uint64_t number;

    memcpy(row.serial, c->serial, SERIAL_LEN);
    cert_add(t, c, &number);
    audit_append(t, &row);
    if (is_held || is_revoked)
        cert_revoke(t, c->serial, is_held ? REASON_CERTIFICATE_HOLD : REASON_SUPERSEDED,
                    c->issued_at_s + (f->now_s - c->issued_at_s) / 2, NO_TIME);
    else if (!is_expired)
        hex_encode(span_of(c->serial, SERIAL_LEN), m->by->valid);
    f->revoked += is_revoked;
    f->held += is_held;
    f->expired += is_expired;
}

/* ---- all of them ---- */

static void fill(struct fill *f, struct store *s)
{
    static struct made m;

    buf_init(&m.der, 4096);
    buf_init(&m.spki, 1024);
    while (f->done < f->count) {
        uint64_t end = f->done + BATCH < f->count ? f->done + BATCH : f->count;
        struct txn *t;

        if (txn_begin(s, &t) != OK)
            die("the store refuses a transaction");
        for (; f->done < end; f->done++) {
            make(f, &m, f->done);
            record(f, t, &m, f->done);
        }
        if (txn_commit(t) != OK)
            die("the store cannot be written");
    }
    buf_free(&m.der);
    buf_free(&m.spki);
}

static void prepare(struct fill *f, struct store *s)
{
    struct view *v;

    if (view_open(s, &v) != OK)
        die("the store cannot be read");
    issuer_read(v, &f->issuers[0]);
    issuer_read(v, &f->issuers[1]);
    view_close(v);
    ec_keys_make(f);
}

int main(int argc, char **argv)
{
    static struct fill f = {
        .issuers = {
            {.id = "rsa-g1",
             .type = KEY_RSA,
             .signature_octets = 384,
             .alg = {sha256_rsa, sizeof sha256_rsa},
             .profiles = {"ucm/tomcat", "ucm/CallManager", "imp/cup", "ucm/tomcat"},
             .suffix = ""},
            {.id = "ec-g1",
             .type = KEY_EC,
             .signature_octets = 103,
             .alg = {sha384_ecdsa, sizeof sha384_ecdsa},
             .profiles = {"ucm/tomcat-ECDSA", "ucm/CallManager-ECDSA", "imp/cup-ECDSA", "ucm/tomcat-ECDSA"},
             .suffix = "-EC"}}};
    struct fault fault = {0};
    struct store *s;
    char dir[4096];
    int64_t start_ms = clock_monotonic_ms();

    f.count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (f.count == 0)
        die("usage: store_fill HOME COUNT");
    f.now_s = clock_now_s();
    snprintf(dir, sizeof dir, "%s/store", argv[1]);
    if (store_open(dir, STORE_WRITE, ((uint64_t)1 << 30) + f.count * A_CERTIFICATE, &s, &fault) != OK)
        die("%s", fault.detail);
    prepare(&f, s);
    fill(&f, s);
    store_close(s);
    printf("{\"certificates\":%llu,\"revoked\":%llu,\"held\":%llu,\"expired\":%llu,\"seconds\":%.1f,"
           "\"valid\":{\"rsa-g1\":\"%s\",\"ec-g1\":\"%s\"}}\n",
           (unsigned long long)f.count, (unsigned long long)f.revoked, (unsigned long long)f.held,
           (unsigned long long)f.expired, (double)(clock_monotonic_ms() - start_ms) / 1000,
           f.issuers[0].valid, f.issuers[1].valid);
    return 0;
}
