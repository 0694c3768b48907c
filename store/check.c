/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: does the store agree with itself? Certificates, their states and their index; issuers are
 * check_issuer.c's, the other tables check_rest.c's. An index is not looked up row by row: what it should
 * hold and what it holds are each summed into a tally, so that memory does not grow with the store and every
 * table is read once, in order.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/parts.h"
#include "store/check.h"

static void tell(struct check *c, const char *before, uint64_t *count, const char *fmt, va_list ap)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s", before);

    vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
    ++*count;
    if (*count <= CHECK_FAULTS_TOLD)
        c->fn(text, c->arg);
}

void check_fault(struct check *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(c, "", &c->out->faults, fmt, ap);
    va_end(ap);
}

void check_warn(struct check *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(c, "warning: ", &c->out->warnings, fmt, ap);
    va_end(ap);
}

void check_tally(struct tally *t, struct span key, struct span row)
{
    uint8_t digest[HASH_LEN];
    struct hash *h = hash_begin(HASH_SHA256);
    uint64_t parts[2];

    hash_add(h, key);
    hash_add(h, row);
    hash_end(h, digest);
    memcpy(parts, digest, sizeof parts);
    t->count++;
    t->sums[0] += parts[0];
    t->sums[1] += parts[1];
}

bool check_tally_eq(const struct tally *a, const struct tally *b)
{
    return a->count == b->count && a->sums[0] == b->sums[0] && a->sums[1] == b->sums[1];
}

enum err check_table(struct check *c, enum table t, check_row *fn)
{
    struct entry e;
    struct scan scan;
    enum err err = scan_open(c->view, t, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK; err = scan_next(&scan, &e))
        fn(c, e);
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

/* ---- a certificate against its own octets ---- */

/* The request it answers is for the same key. */
static bool csr_fits(struct span csr, struct span spki)
{
    struct span rest = csr;
    struct der whole;

    return csr.len == 0 || (der_expect(&rest, DER_SEQUENCE, &whole) && rest.len == 0 &&
                            memmem(csr.data, csr.len, spki.data, spki.len) != NULL);
}

static bool has_key(const struct cert *c, struct span spki)
{
    uint8_t digest[HASH_LEN];
    struct key_kind kind;

    sha256_of(spki, digest);
    return memcmp(digest, c->key_hash, HASH_LEN) == 0 && key_kind_of(spki, &kind) &&
           c->key_type == kind.type && c->key_bits == kind.bits;
}

static const char *certificate_fault(const struct cert *c)
{
    struct parts parts;
    uint8_t digest[HASH_LEN];

    sha256_of(c->der, digest);
    if (memcmp(digest, c->fingerprint, HASH_LEN) != 0)
        return "is not what its fingerprint says";
    if (!parts_of(c->der, &parts))
        return "is no certificate";
    if (!span_eq(parts.serial, span_of(c->serial, SERIAL_LEN)))
        return "has another serial number";
    if (parts.not_before_s != c->not_before_s)
        return "begins at another time";
    if (parts.not_after_s != c->status.not_after_s)
        return "ends at another time";
    if (!has_key(c, parts.spki))
        return "has another key";
    return csr_fits(c->csr, parts.spki) ? NULL : "answers a request for another key";
}

/* ---- its index ---- */

struct expected {
    struct key keys[CHECK_KEYS_MAX];
    uint8_t uses[CHECK_KEYS_MAX]; /* of names; 0: an empty row */
    size_t count;
};

/* A name that stands there twice is one row: the last. */
static void expect(const struct key *k, struct span row, void *arg)
{
    struct expected *x = arg;
    size_t i = 0;

    if (row.len > 0)
        while (i < x->count && !span_eq(key_span(&x->keys[i]), key_span(k)))
            i++;
    else
        i = x->count;
    if (i == CHECK_KEYS_MAX)
        return; /* more names than a certificate can have: the tally will say so */
    x->keys[i] = *k;
    x->uses[i] = row.len > 0 ? row.data[0] : 0;
    x->count += i == x->count;
}

static void expect_index(struct check *c, const struct cert *cert)
{
    struct expected *x = c->expected;

    x->count = 0;
    index_each(cert, expect, x);
    for (size_t i = 0; i < x->count; i++)
        check_tally(&c->index_wanted, key_span(&x->keys[i]), span_of(&x->uses[i], x->uses[i] != 0));
}

/* ---- certificates and states ---- */

/* Also one that its checksum does not fit, to say whose it is. */
static bool read_cert(struct entry e, struct cert *out, bool *is_whole)
{
    uint64_t number;

    *is_whole = row_get_cert(e.row, out);
    return e.key.len == NUMBER_LEN && number_of_key(e.key, &number) &&
           (*is_whole || row_get_cert(checksum_skip(e.row), out)) && out->number == number;
}

static void check_cert(struct check *c, struct entry e)
{
    struct status_row status;
    struct span row = {0};
    const char *fault;
    struct cert cert;
    char hex[SERIAL_HEX_LEN + 1];
    bool is_whole;

    if (!read_cert(e, &cert, &is_whole))
        return check_fault(c, "certificate %llu: the row cannot be read",
                           (unsigned long long)c->out->certificates + 1);
    hex_encode(span_of(cert.serial, SERIAL_LEN), hex);
    c->out->certificates++;
    c->last_number = cert.number;
    if ((fault = certificate_fault(&cert)) != NULL)
        check_fault(c, "certificate %s: %s", hex, fault);
    else if (!is_whole)
        check_fault(c, "certificate %s: is not what its checksum says", hex);
    if (cert.status.issuer_no >= CHECK_ISSUERS || !c->has_issuer[cert.status.issuer_no])
        check_fault(c, "certificate %s: its issuer is not in the store", hex);
    if (table_find(c->view, TABLE_STATUS, span_of(cert.serial, SERIAL_LEN), &row) != OK ||
        !row_get_status(row, &status) || status.number != cert.number ||
        status.status.issuer_no != cert.status.issuer_no ||
        status.status.not_after_s != cert.status.not_after_s)
        check_fault(c, "certificate %s: its state is missing or another's", hex);
    expect_index(c, &cert);
}

static bool is_plausible(const struct status *s)
{
    if (s->state == CERT_VALID)
        return s->reason == REASON_UNSPECIFIED && s->revoked_at_s == NO_TIME && s->invalidity_s == NO_TIME;
    return s->revoked_at_s != NO_TIME && (s->state == CERT_HELD) == (s->reason == REASON_CERTIFICATE_HOLD);
}

static bool is_listed(struct check *c, struct span serial, const struct status *s)
{
    struct key key = key_of_revoked(s->issuer_no, serial.data);
    struct span row = {0};
    struct revoked r;

    return table_find(c->view, TABLE_REVOKED, key_span(&key), &row) == OK && row_get_revoked(row, &r) &&
           r.reason == s->reason && r.revoked_at_s == s->revoked_at_s && r.invalidity_s == s->invalidity_s &&
           r.not_after_s == s->not_after_s;
}

/* Stores of before such keys were remembered have revocations of then without it, until a writer opens them.
 */
static void check_barred(struct check *c, const char *hex, const struct status_row *s)
{
    uint8_t first[SERIAL_LEN];
    struct cert cert;

    if (s->status.state == CERT_REVOKED && s->status.reason == REASON_KEY_COMPROMISE &&
        cert_load(c->view, s->number, &cert) == OK &&
        key_compromised(c->view, cert.key_hash, first) == ERR_NOT_FOUND)
        (barred_is_marked(c->view) ? check_fault : check_warn)(
            c, "certificate %s: revoked for keyCompromise, and its key would be taken again", hex);
}

static void check_status(struct check *c, struct entry e)
{
    char hex[SERIAL_HEX_LEN + 1] = "";
    struct status_row s;
    struct key key;

    if (e.key.len == SERIAL_LEN)
        hex_encode(e.key, hex);
    c->states++;
    if (e.key.len != SERIAL_LEN || !row_get_status(e.row, &s) || !is_plausible(&s.status))
        return check_fault(c, "state of %s: the row cannot be read", hex);
    if (s.status.state == CERT_VALID)
        return;
    c->out->held += s.status.state == CERT_HELD;
    c->out->revoked += s.status.state == CERT_REVOKED;
    if (!is_listed(c, e.key, &s.status))
        check_fault(c, "state of %s: what CRLs list is another", hex);
    check_barred(c, hex, &s);
    key = index_state_key(s.status.state, s.number);
    check_tally(&c->index_wanted, key_span(&key), (struct span){0});
}

static void count_listed(struct check *c, struct entry e)
{
    struct revoked r;

    c->listed++;
    if (!row_get_revoked(e.row, &r))
        check_fault(c, "an entry of the CRLs cannot be read");
}

/* A key that is known to be compromised is so because of a certificate on it, which may have been pruned. */
static void check_compromised(struct check *c, struct entry e)
{
    struct cert cert;
    enum err err;

    if (e.key.len != 1 + HASH_LEN || e.row.len != SERIAL_LEN)
        return check_fault(c, "a compromised key cannot be read");
    err = cert_find(c->view, e.row.data, &cert);
    if (err != ERR_NOT_FOUND && (err != OK || memcmp(cert.key_hash, e.key.data + 1, HASH_LEN) != 0))
        check_fault(c, "a compromised key is not that of its certificate");
}

static void check_index_row(struct check *c, struct entry e)
{
    c->out->index_rows++;
    if (e.key.len > 0 && e.key.data[0] == INDEX_COMPROMISED)
        check_compromised(c, e);
    else
        check_tally(&c->index_there, e.key, e.row);
}

static void check_counters(struct check *c)
{
    struct counters n;

    if (counters_find(c->view, &n) != OK)
        return check_fault(c, "the counters cannot be read");
    if (n.certificates != c->out->certificates || n.revoked != c->out->revoked || n.held != c->out->held)
        check_fault(c,
                    "the counters say %llu certificates, %llu revoked, %llu held: there are %llu, %llu, %llu",
                    (unsigned long long)n.certificates, (unsigned long long)n.revoked,
                    (unsigned long long)n.held, (unsigned long long)c->out->certificates,
                    (unsigned long long)c->out->revoked, (unsigned long long)c->out->held);
    if (n.last_number < c->last_number)
        check_fault(c, "the counters say that fewer certificates were issued than there are");
}

static enum err check_certificates(struct check *c)
{
    enum err e = check_issuers(c);

    if (e == OK)
        e = check_table(c, TABLE_CERT, check_cert);
    if (e == OK)
        e = check_table(c, TABLE_STATUS, check_status);
    if (e == OK)
        e = check_table(c, TABLE_REVOKED, count_listed);
    if (e == OK)
        e = check_table(c, TABLE_INDEX, check_index_row);
    if (e != OK)
        return e;
    if (c->states != c->out->certificates)
        check_fault(c, "there are %llu states of %llu certificates", (unsigned long long)c->states,
                    (unsigned long long)c->out->certificates);
    if (c->listed != c->out->revoked + c->out->held)
        check_fault(c, "the CRLs would list %llu certificates: %llu are revoked or held",
                    (unsigned long long)c->listed, (unsigned long long)(c->out->revoked + c->out->held));
    if (!check_tally_eq(&c->index_wanted, &c->index_there))
        check_fault(c, "the index of certificates is not what they would be found under");
    check_counters(c);
    return OK;
}

enum err store_check(struct view *v, store_fault_fn *fn, void *arg, struct store_checked *out)
{
    struct check *c = xcalloc(1, sizeof *c);
    enum err e;

    *out = (struct store_checked){0};
    *c = (struct check){.view = v, .fn = fn, .arg = arg, .out = out};
    c->expected = xcalloc(1, sizeof *c->expected);
    e = check_certificates(c);
    if (e == OK)
        e = check_rest(c);
    if (out->faults > CHECK_FAULTS_TOLD)
        fn("and more", arg);
    free(c->expected);
    free(c);
    return e == OK ? OK : ERR_IO;
}
