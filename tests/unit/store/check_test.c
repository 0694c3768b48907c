/* SPDX-License-Identifier: Apache-2.0 */
/* Does a check find whatever somebody planted, and nothing in a store that nobody touched? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/hash.h"
#include "tests/contract/fixture.h"
#include "tests/unit/store/raw.h"

#define CERTIFICATES 12
#define AUDIT_ROWS (AUDIT_BATCH + 5) /* the index holds some of them */

/* As much of a certificate as the check reads. */
static void put_der(struct buf *b, const uint8_t serial[static SERIAL_LEN], int64_t end_s, struct span spki)
{
    size_t whole = der_open(b, DER_SEQUENCE), tbs = der_open(b, DER_SEQUENCE),
           version = der_open(b, DER_CONTEXT_CONSTRUCTED(0)), validity;

    der_put_uint(b, 2);
    der_close(b, version);
    der_put(b, DER_INTEGER, span_of(serial, SERIAL_LEN));
    der_put(b, DER_SEQUENCE, span_str("algorithm"));
    der_put(b, DER_SEQUENCE, span_str("issuer"));
    validity = der_open(b, DER_SEQUENCE);
    der_put_time(b, NOW);
    der_put_time(b, end_s);
    der_close(b, validity);
    der_put(b, DER_SEQUENCE, span_str("subject"));
    buf_put_span(b, spki);
    der_close(b, tbs);
    der_close(b, whole);
}

static void add_real(struct txn *t, unsigned n)
{
    static struct sample s;
    struct buf der, spki, csr;
    uint64_t number;
    size_t mark;

    sample_make(&s, n, 64);
    buf_init(&der, 4096);
    buf_init(&spki, 256);
    buf_init(&csr, 512);
    der_put(&spki, DER_SEQUENCE, span_of((const uint8_t *)&n, sizeof n));
    put_der(&der, s.cert.serial, s.cert.status.not_after_s, buf_span(&spki));
    mark = der_open(&csr, DER_SEQUENCE);
    buf_put_span(&csr, buf_span(&spki));
    der_close(&csr, mark);
    s.cert.der = buf_span(&der);
    s.cert.csr = buf_span(&csr);
    s.cert.status.issuer_no = 1;
    sha256_of(s.cert.der, s.cert.fingerprint);
    sha256_of(buf_span(&spki), s.cert.key_hash);
    cert_add(t, &s.cert, &number);
    buf_free(&der);
    buf_free(&spki);
    buf_free(&csr);
}

static void add_others(struct txn *t)
{
    struct request r = {
        .profile = "p", .asker = "a", .facts = span_str("f"), .asked_at_s = NOW, .expires_at_s = NOW + 9};
    struct idempotent i = {.at_s = NOW};
    uint8_t key[HASH_LEN] = {7}, serial[SERIAL_LEN];

    serial_of(1, serial);
    r.id[0] = 5;
    request_add(t, &r);
    r.id[0] = r.same[0] = 6;
    request_add(t, &r);
    request_decide(t, r.id, &(struct decision){REQUEST_APPROVED, "b", NULL, serial, NOW});
    memcpy(i.serial, serial, SERIAL_LEN);
    idempotent_add(t, key, &i);
    responder_set(t, 1, "dmz1", serial);
    issuer_set_responder(t, 1, serial);
    for (unsigned n = 0; n < AUDIT_ROWS - 1; n++)
        audit_append(t,
                     &(struct audit_row){.at_s = NOW + n, .kind = AUDIT_ISSUE, .actor = span_str("admin")});
}

/* A shard and the whole are published; a certificate moves after that. */
static void add_crls(struct txn *t)
{
    struct crl_part shard = {.shard = 2}, whole = {.shard = SHARD_ALL, .shown_s = NO_TIME};
    struct audit_row row = {.at_s = NOW, .kind = AUDIT_CRL, .actor = span_str("service")};
    uint8_t serial[SERIAL_LEN];

    row.detail = span_str("issuer ec-g1, number 2, 1 entries, cause schedule");
    crl_state_reserve(t, 1, &shard.state.number);
    crl_part_publish(t, 1, &shard);
    crl_state_reserve(t, 1, &whole.state.number);
    whole.changes = 1;
    crl_part_publish(t, 1, &whole);
    audit_append(t, &row);
    serial_of(3, serial);
    cert_revoke(t, serial, REASON_KEY_COMPROMISE, NOW, NOW - DAY);
}

static struct place closed_place(void)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    uint8_t serial[SERIAL_LEN];
    uint16_t no;

    issuer_add(t, &(struct issuer){.id = "ec-g1", .certificate = span_str("certificate")}, &no);
    for (unsigned n = 0; n < CERTIFICATES; n++)
        add_real(t, n);
    serial_of(2, serial);
    cert_revoke(t, serial, REASON_CERTIFICATE_HOLD, NOW, NO_TIME);
    add_others(t);
    add_crls(t);
    commit(t);
    place_close(&p);
    return p;
}

static char first_fault[256];

static void keep_fault(const char *what, void *arg)
{
    (void)arg;
    if (first_fault[0] == '\0')
        snprintf(first_fault, sizeof first_fault, "%s", what);
}

static uint64_t faults(struct place *p, struct store_checked *out)
{
    struct view *v;

    first_fault[0] = '\0';
    place_reopen(p, STORE_READ);
    v = look(p);
    cr_assert_eq(store_check(v, keep_fault, NULL, out), OK);
    view_close(v);
    place_close(p);
    return out->faults;
}

Test(check, an_untouched_store_has_no_fault_and_is_counted)
{
    struct place p = closed_place();
    struct store_checked n;

    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    cr_assert_eq(n.certificates, CERTIFICATES);
    cr_assert_eq(n.revoked, 1);
    cr_assert_eq(n.held, 1);
    cr_assert_eq(n.audit, AUDIT_ROWS);
    cr_assert_eq(n.warnings, 0);
    cr_assert_eq(n.requests, 2);
    cr_assert_gt(n.index_rows, 5 * CERTIFICATES);
    place_remove(&p);
}

/* As the ca has it: what something else leads to is kept. */
static bool keeps_responder(const struct cert *c)
{
    uint8_t serial[SERIAL_LEN];

    serial_of(1, serial);
    return memcmp(c->serial, serial, SERIAL_LEN) == 0;
}

Test(check, a_pruned_store_has_no_fault)
{
    struct place p = closed_place();
    struct cert_prune prune = {.before_s = NOW, .keeps = keeps_responder};
    struct crl_part list = {.shard = SHARD_ALL, .changes = 2, .shown_s = NOW + 1};
    struct store_checked n;
    struct txn *t;

    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    crl_state_reserve(t, 1, &list.state.number);
    crl_part_publish(t, 1, &list);
    cr_assert_not(cert_prune(t, &prune, CERT_PRUNE_MAX));
    commit(t);
    cr_assert_eq(prune.count, CERTIFICATES - 2, "all but a signer's and one on hold");
    place_close(&p);
    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    cr_assert_eq(n.certificates, 2);
    cr_assert_eq(n.revoked, 0);
    cr_assert_eq(n.held, 1);
    place_remove(&p);
}

/* Every row of every one of these tables, removed in turn, is missed by somebody. */
static const char *const removable[] = {"cert",   "status",      "index",           "revoked",
                                        "audit",  "audit_index", "request",         "request_index",
                                        "issuer", "idempotent",  "idempotent_time", "crl_state"};

struct row {
    uint8_t key[KEY_MAX], data[4096];
    size_t key_len, data_len;
};

static size_t rows_of(const struct place *p, enum table t, struct row *out, size_t cap)
{
    struct place q = *p;
    struct scan scan;
    struct entry e;
    struct view *v;
    size_t n = 0;

    q.store = NULL;
    place_reopen(&q, STORE_READ);
    v = look(&q);
    cr_assert_eq(scan_open(v, t, &scan), OK);
    for (enum err err = scan_from(&scan, (struct span){0}, &e); err == OK && n < cap;
         err = scan_next(&scan, &e)) {
        memcpy(out[n].key, e.key.data, e.key.len);
        if (e.row.len > 0)
            memcpy(out[n].data, e.row.data, e.row.len);
        out[n].key_len = e.key.len;
        out[n++].data_len = e.row.len;
    }
    scan_close(&scan);
    view_close(v);
    place_close(&q);
    return n;
}

static const enum table tables[] = {TABLE_CERT,       TABLE_STATUS,          TABLE_INDEX,
                                    TABLE_REVOKED,    TABLE_AUDIT,           TABLE_AUDIT_INDEX,
                                    TABLE_REQUEST,    TABLE_REQUEST_INDEX,   TABLE_ISSUER,
                                    TABLE_IDEMPOTENT, TABLE_IDEMPOTENT_TIME, TABLE_CRL_STATE};

Test(check, every_row_that_is_gone_is_missed)
{
    static struct row rows[256];
    struct place p = closed_place();
    struct store_checked n;

    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        size_t count = rows_of(&p, tables[t], rows, 256);

        cr_assert_gt(count, 0, "%s", removable[t]);
        for (size_t i = 0; i < count; i++) {
            struct span key = span_of(rows[i].key, rows[i].key_len);

            raw_set(p.dir, removable[t], key, (struct span){0});
            cr_assert_gt(faults(&p, &n), 0, "%s, row %zu", removable[t], i);
            raw_set(p.dir, removable[t], key, span_of(rows[i].data, rows[i].data_len));
        }
    }
    cr_assert_eq(faults(&p, &n), 0, "all is back: %s", first_fault);
    place_remove(&p);
}

Test(check, every_octet_that_is_bent_in_what_is_signed_or_listed_is_seen)
{
    static const enum table bent[] = {TABLE_STATUS, TABLE_REVOKED, TABLE_RESPONDER};
    static const char *const names[] = {"status", "revoked", "responder"};
    static struct row rows[64];
    struct place p = closed_place();
    struct store_checked n;

    for (size_t t = 0; t < sizeof bent / sizeof *bent; t++) {
        rows_of(&p, bent[t], rows, 64);
        for (size_t at = 0; at < rows[0].data_len; at++) {
            struct span key = span_of(rows[0].key, rows[0].key_len);

            rows[0].data[at] ^= 0x40;
            raw_set(p.dir, names[t], key, span_of(rows[0].data, rows[0].data_len));
            cr_assert_gt(faults(&p, &n), 0, "%s, octet %zu", names[t], at);
            rows[0].data[at] ^= 0x40;
            raw_set(p.dir, names[t], key, span_of(rows[0].data, rows[0].data_len));
        }
    }
    place_remove(&p);
}

/* The version and all else; then the table without its rows, which the writer would begin anew. */
Test(check, damage_to_what_crls_are_numbered_and_made_by_is_seen)
{
    static struct row rows[8];
    struct place p = closed_place();
    struct store_checked n;
    size_t count = rows_of(&p, TABLE_CRL_PART, rows, 8);

    cr_assert_eq(count, 2, "the track and a shard");
    for (size_t i = 0; i < count; i++) {
        struct span key = span_of(rows[i].key, rows[i].key_len);

        rows[i].data[0] ^= 0x40;
        raw_set(p.dir, "crl_part", key, span_of(rows[i].data, rows[i].data_len));
        cr_assert_eq(faults(&p, &n), 1, "row %zu", i);
        rows[i].data[0] ^= 0x40;
        raw_set(p.dir, "crl_part", key, span_of(rows[i].data, rows[i].data_len));
    }
    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    for (size_t i = 0; i < count; i++)
        raw_set(p.dir, "crl_part", span_of(rows[i].key, rows[i].key_len), (struct span){0});
    cr_assert_gt(faults(&p, &n), 0);
    cr_assert_eq(n.warnings, 1);
    place_remove(&p);
}

/* As if the number in force were an earlier one: the shard has the one after it, the audit the next. */
Test(check, a_number_that_would_come_again_is_seen)
{
    struct place p = closed_place();
    struct key key = key_of_issuer(1);
    struct store_checked n;

    for (uint64_t number = 0; number < 3; number++) {
        struct crl_state s = {.reserved = number, .number = number};
        struct buf b;

        buf_init(&b, 256);
        row_put_crl_state(&b, &s);
        raw_set(p.dir, "crl_state", key_span(&key), buf_span(&b));
        cr_assert_eq(faults(&p, &n), number == 0 ? 3 : number == 1, "%s", first_fault);
        buf_free(&b);
    }
    place_remove(&p);
}

/* Each index row of each request, under a key or with a row that is another's. */
Test(check, a_request_that_would_be_found_under_something_else_is_seen)
{
    static struct row rows[16];
    struct place p = closed_place();
    struct store_checked n;
    size_t count = rows_of(&p, TABLE_REQUEST_INDEX, rows, 16);

    cr_assert_eq(count, 5 + 2, "of one that waits, and of one that is decided");
    for (size_t i = 0; i < count; i++) {
        struct span row = span_of(rows[i].data, rows[i].data_len);

        raw_set(p.dir, "request_index", span_of(rows[i].key, rows[i].key_len), (struct span){0});
        rows[i].key[1] ^= 3; /* pending is approved, a time another */
        raw_set(p.dir, "request_index", span_of(rows[i].key, rows[i].key_len), row);
        cr_assert_gt(faults(&p, &n), 0, "row %zu", i);
        raw_set(p.dir, "request_index", span_of(rows[i].key, rows[i].key_len), (struct span){0});
        rows[i].key[1] ^= 3;
        raw_set(p.dir, "request_index", span_of(rows[i].key, rows[i].key_len), row);
    }
    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    place_remove(&p);
}

Test(check, an_issuer_whose_signer_has_no_certificate_is_seen)
{
    struct place p = closed_place();
    uint8_t serial[SERIAL_LEN];
    struct store_checked n;
    struct txn *t;

    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    serial_of(99, serial);
    issuer_set_responder(t, 1, serial);
    commit(t);
    place_close(&p);
    cr_assert_eq(faults(&p, &n), 1);
    cr_assert_str_eq(first_fault, "the OCSP signer of issuer ec-g1 has no certificate");
    place_remove(&p);
}

Test(check, a_row_too_many_is_seen)
{
    struct place p = closed_place();
    struct store_checked n;
    struct key k = key_of_index(INDEX_ISSUER);

    key_put_u16(&k, 1);
    key_put_u64(&k, 99);
    raw_set(p.dir, "index", key_span(&k), span_str(""));
    cr_assert_gt(faults(&p, &n), 0);
    cr_assert_str_eq(first_fault, "the index of certificates is not what they would be found under");
    place_remove(&p);
}

Test(copy, a_copy_is_the_whole_store_and_its_floors_rise)
{
    struct place p = closed_place(), q = place_empty();
    struct store_checked n;
    struct fault f = {0};
    char path[128];
    struct crl_state s;
    struct txn *t;
    struct view *v;

    place_reopen(&p, STORE_WRITE);
    snprintf(path, sizeof path, "%s/data.mdb", q.dir);
    cr_assert_eq(store_copy(p.store, path, &f), OK, "%s", f.detail);
    cr_assert_eq(store_copy(p.store, path, &f), ERR_EXISTS);
    cr_assert_eq(faults(&q, &n), 0, "%s", first_fault);
    cr_assert_eq(n.certificates, CERTIFICATES);
    place_reopen(&q, STORE_WRITE);
    t = begin(&q);
    store_raise_floors(t, 1000, NOW, "from a test");
    commit(t);
    v = look(&q);
    cr_assert_eq(crl_state_find(v, 1, &s), OK);
    cr_assert_eq(s.reserved, 1002);
    view_close(v);
    cr_assert_eq(faults(&q, &n), 0, "%s", first_fault);
    cr_assert_eq(n.audit, AUDIT_ROWS + 1, "the restore is in the audit");
    place_remove(&p);
    place_remove(&q);
}
