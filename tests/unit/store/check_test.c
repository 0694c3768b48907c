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
    der_put(b, DER_SEQUENCE, span_str("name"));
    validity = der_open(b, DER_SEQUENCE);
    der_put_time(b, NOW);
    der_put_time(b, end_s);
    der_close(b, validity);
    der_put(b, DER_SEQUENCE, span_str("name"));
    buf_put_span(b, spki);
    der_close(b, tbs);
    der_close(b, whole);
}

#define ATTRIBUTES "attributes and a signature"

/* On P-256; the number is most of its point. */
static void put_spki(struct buf *b, unsigned n)
{
    static const uint8_t ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1},
                         p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    uint8_t bits[1 + 1 + 32] = {0, 2, (uint8_t)n};
    size_t whole = der_open(b, DER_SEQUENCE), alg = der_open(b, DER_SEQUENCE);

    der_put_oid(b, span_of(ec, sizeof ec));
    der_put_oid(b, span_of(p256, sizeof p256));
    der_close(b, alg);
    der_put(b, DER_BIT_STRING, span_of(bits, sizeof bits));
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
    put_spki(&spki, n);
    s.cert.not_before_s = NOW;
    s.cert.key_type = KEY_EC;
    s.cert.key_bits = 256;
    put_der(&der, s.cert.serial, s.cert.status.not_after_s, buf_span(&spki));
    mark = der_open(&csr, DER_SEQUENCE);
    buf_put_span(&csr, buf_span(&spki));
    der_put(&csr, DER_CONTEXT_CONSTRUCTED(0), span_str(ATTRIBUTES));
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

/* A root, and what it issued: both are certificates like any other. */
static void add_issuers(struct txn *t)
{
    static const char *const ids[] = {"ec-g1", "ec-root-g1"};

    for (unsigned n = 0; n < 2; n++) {
        struct issuer i = {0};
        struct buf der, spki;
        struct sample s;
        uint16_t no;

        buf_init(&der, 4096);
        buf_init(&spki, 256);
        sample_make(&s, n, 64);
        put_spki(&spki, n);
        put_der(&der, s.cert.serial, s.cert.status.not_after_s, buf_span(&spki));
        strcpy(i.id, ids[n]);
        strcpy(i.parent, n == 0 ? ids[1] : "");
        i.certificate = buf_span(&der);
        issuer_add(t, &i, &no);
        buf_free(&der);
        buf_free(&spki);
    }
}

static void add_others(struct txn *t)
{
    struct permit permit = {.listener = PERMIT_HTTPS,
                            .range = {{{[10] = 0xff, 0xff, 192, 0, 2}}, 120},
                            .created_at_s = NOW,
                            .created_by = "uid:0"};
    struct request r = {
        .profile = "p", .asker = "a", .facts = span_str("f"), .asked_at_s = NOW, .expires_at_s = NOW + 9};
    struct idempotent i = {.at_s = NOW};
    struct token token = {.hash = {9},
                          .role = ACCESS_VIEWER,
                          .created_by = "uid:0",
                          .created_at_s = NOW,
                          .expires_at_s = NOW + DAY};
    uint8_t key[HASH_LEN] = {7}, serial[SERIAL_LEN];

    serial_of(1, serial);
    r.id[0] = 5;
    request_add(t, &r);
    r.id[0] = r.same[0] = 6;
    request_add(t, &r);
    request_decide(t, r.id, &(struct decision){REQUEST_APPROVED, "b", NULL, serial, NOW});
    memcpy(i.serial, serial, SERIAL_LEN);
    idempotent_add(t, key, &i);
    r.id[0] = 5;
    request_add_key(t, r.id, key, key);
    permit_add(t, &permit);
    token_add(t, &token);
    clock_mark_set(t, &(struct clock_mark){.at_s = NOW});
    copied_set(t, AUDIT_ROWS);
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

    add_issuers(t);
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

struct rows {
    struct row *out;
    size_t count, cap;
};

static void keep_row(struct span key, struct span row, void *arg)
{
    struct rows *r = arg;
    struct row *to = &r->out[r->count];

    if (r->count == r->cap)
        return;
    cr_assert(key.len <= sizeof to->key && row.len <= sizeof to->data);
    memcpy(to->key, key.data, key.len);
    if (row.len > 0)
        memcpy(to->data, row.data, row.len);
    to->key_len = key.len;
    to->data_len = row.len;
    r->count++;
}

/* As they lie in the file. */
static size_t rows_of(const struct place *p, enum table t, struct row *out, size_t cap)
{
    struct rows r = {out, 0, cap};

    raw_each(p->dir, table_name(t), keep_row, &r);
    return r.count;
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

            if (tables[t] == TABLE_REQUEST_INDEX && rows[i].key[0] == REQUEST_BY_KEY)
                continue; /* a request knows nothing of it */
            raw_set(p.dir, removable[t], key, (struct span){0});
            cr_assert_gt(faults(&p, &n), 0, "%s, row %zu", removable[t], i);
            raw_set(p.dir, removable[t], key, span_of(rows[i].data, rows[i].data_len));
        }
    }
    cr_assert_eq(faults(&p, &n), 0, "all is back: %s", first_fault);
    place_remove(&p);
}

/* Those of which no other row says everything. */
static const enum table covered[] = {TABLE_META,      TABLE_CERT,       TABLE_INDEX,     TABLE_ISSUER,
                                     TABLE_CRL_STATE, TABLE_IDEMPOTENT, TABLE_REQUEST,   TABLE_REQUEST_INDEX,
                                     TABLE_TOKEN,     TABLE_PERMIT,     TABLE_RESPONDER, TABLE_CRL_PART,
                                     TABLE_CRL_CHANGE};

/* Bits that are outside a letter's case, which no index has. */
static const uint8_t masks[] = {0x40, 0x01};

static void bend_row(struct place *p, enum table t, struct row *r)
{
    struct span key = span_of(r->key, r->key_len), row = span_of(r->data, r->data_len);
    struct store_checked n;

    for (size_t at = 0; at < r->data_len; at++)
        for (size_t m = 0; m < sizeof masks; m++) {
            r->data[at] ^= masks[m];
            raw_set(p->dir, table_name(t), key, row);
            cr_assert_gt(faults(p, &n), 0, "%s, octet %zu, mask %x", table_name(t), at, masks[m]);
            r->data[at] ^= masks[m];
        }
    raw_set(p->dir, table_name(t), key, row);
}

static bool is_covered(enum table t, const struct row *r)
{
    return checksum_covers(t, span_of(r->key, r->key_len));
}

/* The first that has a checksum. */
static struct row *covered_row(const struct place *p, enum table t)
{
    static struct row rows[256];
    size_t count = rows_of(p, t, rows, 256), i = 0;

    while (i < count && !is_covered(t, &rows[i]))
        i++;
    cr_assert_lt(i, count, "%s", table_name(t));
    return &rows[i];
}

Test(check, every_octet_that_is_bent_is_seen)
{
    static const enum table repeated[] = {TABLE_STATUS, TABLE_REVOKED};
    static struct row rows[64];
    struct place p = closed_place();
    struct store_checked n;

    for (size_t t = 0; t < sizeof repeated / sizeof *repeated; t++) {
        cr_assert_gt(rows_of(&p, repeated[t], rows, 64), 0);
        bend_row(&p, repeated[t], &rows[0]);
    }
    for (size_t t = 0; t < sizeof covered / sizeof *covered; t++)
        bend_row(&p, covered[t], covered_row(&p, covered[t]));
    for (size_t i = rows_of(&p, TABLE_META, rows, 64); i-- > 0;)
        if (is_covered(TABLE_META, &rows[i])) /* a store of another schema is not opened at all */
            bend_row(&p, TABLE_META, &rows[i]);
    cr_assert_eq(faults(&p, &n), 0, "all is back: %s", first_fault);
    place_remove(&p);
}

/* What would be the version of a row without a checksum. */
Test(check, a_checksum_is_not_taken_for_the_beginning_of_a_row)
{
    struct place p = closed_place();
    struct store_checked n;

    for (size_t t = 0; t < sizeof covered / sizeof *covered; t++) {
        struct row *r = covered_row(&p, covered[t]);
        struct span key = span_of(r->key, r->key_len), row = span_of(r->data, r->data_len);
        uint8_t mark = r->data[0];

        for (uint8_t version = 0; version < 4; version++) {
            r->data[0] = version;
            raw_set(p.dir, table_name(covered[t]), key, row);
            cr_assert_gt(faults(&p, &n), 0, "%s: %u", table_name(covered[t]), version);
        }
        r->data[0] = mark;
        raw_set(p.dir, table_name(covered[t]), key, row);
    }
    cr_assert_eq(faults(&p, &n), 0, "all is back: %s", first_fault);
    place_remove(&p);
}

Test(check, a_row_under_a_key_that_is_not_its_own_is_seen)
{
    struct place p = closed_place();
    struct store_checked n;

    for (size_t t = 0; t < sizeof covered / sizeof *covered; t++) {
        struct row *r = covered_row(&p, covered[t]);
        struct span key = span_of(r->key, r->key_len);

        for (size_t at = 0; at < r->key_len; at++) {
            r->key[at] ^= 0x80;
            raw_set(p.dir, table_name(covered[t]), key, span_of(r->data, r->data_len));
            cr_assert_gt(faults(&p, &n), 0, "%s, octet %zu", table_name(covered[t]), at);
            raw_set(p.dir, table_name(covered[t]), key, (struct span){0});
            r->key[at] ^= 0x80;
        }
    }
    cr_assert_eq(faults(&p, &n), 0, "all is back: %s", first_fault);
    place_remove(&p);
}

static void take_checksums(struct place *p)
{
    static struct row rows[256];

    for (size_t t = 0; t < sizeof covered / sizeof *covered; t++)
        for (size_t i = rows_of(p, covered[t], rows, 256); i-- > 0;)
            if (is_covered(covered[t], &rows[i]))
                raw_set(p->dir, table_name(covered[t]), span_of(rows[i].key, rows[i].key_len),
                        checksum_skip(span_of(rows[i].data, rows[i].data_len)));
    raw_set(p->dir, "meta", span_str("schema"), span_of("\0\0\0\1", 4));
}

/* Of such a row nothing is known; what is written from then on is covered. */
Test(check, a_store_of_before_checksums_is_read_and_goes_on)
{
    static struct row rows[32];
    struct place p = closed_place();
    struct store_checked n;
    uint8_t serial[SERIAL_LEN], schema[4];
    struct txn *t;

    take_checksums(&p);
    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    cr_assert_eq(n.certificates, CERTIFICATES);
    place_reopen(&p, STORE_COPY);
    cr_assert(store_is_earlier(p.store), "no table is missing, and yet a writer makes it another");
    place_reopen(&p, STORE_WRITE);
    cr_assert_not(store_is_earlier(p.store));
    t = begin(&p);
    add_real(t, CERTIFICATES);
    serial_of(4, serial);
    cert_revoke(t, serial, REASON_KEY_COMPROMISE, NOW, NO_TIME);
    commit(t);
    place_close(&p);
    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    cr_assert_eq(n.certificates, CERTIFICATES + 1);
    cr_assert_eq(raw_get(p.dir, "meta", span_str("schema"), schema, sizeof schema), 4);
    cr_assert_eq(schema[3], SCHEMA_VERSION, "programs of then would take the new rows for damage");
    cr_assert_eq(rows_of(&p, TABLE_CERT, rows, 32), CERTIFICATES + 1);
    cr_assert_eq(rows[0].data[0], 1, "as it was");
    rows[CERTIFICATES].data[rows[CERTIFICATES].data_len - 1] ^= 1; /* of its CSR */
    raw_set(p.dir, "cert", span_of(rows[CERTIFICATES].key, rows[CERTIFICATES].key_len),
            span_of(rows[CERTIFICATES].data, rows[CERTIFICATES].data_len));
    cr_assert_eq(faults(&p, &n), 1);
    cr_assert_not_null(strstr(first_fault, "is not what its checksum says"));
    place_remove(&p);
}

static bool see(const struct cert *c, void *arg)
{
    (void)c;
    ++*(unsigned *)arg;
    return true;
}

/* Its last octet, of the first row that has a checksum. */
static void bend_last(struct place *p, enum table t)
{
    struct row *r = covered_row(p, t);

    r->data[r->data_len - 1] ^= 1;
    raw_set(p->dir, table_name(t), span_of(r->key, r->key_len), span_of(r->data, r->data_len));
}

Test(check, a_row_that_its_checksum_does_not_fit_is_not_read)
{
    static const enum table bent[] = {TABLE_CERT,  TABLE_REQUEST,   TABLE_REQUEST_INDEX, TABLE_IDEMPOTENT,
                                      TABLE_TOKEN, TABLE_CRL_STATE, TABLE_RESPONDER,     TABLE_INDEX};
    struct place p = closed_place();
    struct cert_query q = {.expires_before_s = NO_TIME, .now_s = NOW, .limit = 100};
    uint8_t key[HASH_LEN] = {7}, hash[HASH_LEN] = {9}, serial[SERIAL_LEN], body[HASH_LEN];
    uint8_t id[REQUEST_ID_LEN] = {5};
    char next[CURSOR_MAX];
    unsigned count = 0;
    struct request r;
    struct row barred = *covered_row(&p, TABLE_INDEX);
    struct view *v;

    for (size_t t = 0; t < sizeof bent / sizeof *bent; t++)
        bend_last(&p, bent[t]);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    serial_of(0, serial);
    cr_expect_eq(cert_find(v, serial, &(struct cert){0}), ERR_INTERNAL);
    cr_expect_eq(request_find(v, id, &r), ERR_INTERNAL);
    cr_expect_eq(request_find_key(v, key, body, &r), ERR_INTERNAL);
    cr_expect_eq(idempotent_find(v, key, &(struct idempotent){0}), ERR_INTERNAL);
    cr_expect_eq(token_find(v, hash, &(struct token){0}), ERR_INTERNAL);
    cr_expect_eq(crl_state_find(v, 1, &(struct crl_state){0}), ERR_INTERNAL);
    cr_expect_eq(responder_find(v, 1, "dmz1", serial), ERR_INTERNAL);
    cr_expect_eq(key_compromised(v, barred.key + 1, serial), ERR_INTERNAL);
    cr_expect_eq(cert_list(v, &q, see, &count, next), OK);
    cr_expect_eq(count, CERTIFICATES - 1, "the first certificate is the last of the list");
    cr_expect_str_not_empty(next);
    view_close(v);
    place_remove(&p);
}

Test(check, a_row_of_the_store_itself_that_is_nothing_is_seen)
{
    struct place p = closed_place();
    struct store_checked n;

    raw_set(p.dir, "meta", span_str("clocks"), span_str("x"));
    cr_assert_eq(faults(&p, &n), 1);
    place_remove(&p);
}

Test(check, a_request_under_a_key_of_another_length_is_seen)
{
    static struct row rows[16];
    struct place p = closed_place();
    struct store_checked n;
    size_t count = rows_of(&p, TABLE_REQUEST_INDEX, rows, 16), i = 0;
    struct span key, row;

    while (i < count && rows[i].key[0] != REQUEST_BY_KEY)
        i++;
    cr_assert_lt(i, count);
    key = span_of(rows[i].key, rows[i].key_len);
    row = span_of(rows[i].data, rows[i].data_len);
    raw_set(p.dir, "request_index", key, span_of(row.data, row.len - 1));
    cr_assert_eq(faults(&p, &n), 1);
    raw_set(p.dir, "request_index", key, (struct span){0});
    raw_set(p.dir, "request_index", span_of(key.data, key.len - 1), row);
    cr_assert_eq(faults(&p, &n), 1);
    place_remove(&p);
}

/* The serial of the one that was approved: of nobody; then of one that the audit knows and nothing else. */
Test(check, a_request_that_led_to_nobody_is_seen)
{
    static struct row rows[4];
    struct place p = closed_place();
    uint8_t serial[SERIAL_LEN];
    struct store_checked n;
    struct request r;
    struct buf row;
    struct txn *t;

    cr_assert_eq(rows_of(&p, TABLE_REQUEST, rows, 4), 2);
    cr_assert(row_get_request(checksum_skip(span_of(rows[1].data, rows[1].data_len)), &r));
    cr_assert_eq(r.state, REQUEST_APPROVED);
    serial_of(99, r.serial);
    memcpy(serial, r.serial, SERIAL_LEN);
    buf_init(&row, 4096);
    row_put_request(&row, &r);
    raw_set(p.dir, "request", span_of(rows[1].key, rows[1].key_len), buf_span(&row));
    cr_assert_eq(faults(&p, &n), 1);
    place_reopen(&p, STORE_WRITE);
    t = begin(&p);
    struct audit_row issued = {
        .at_s = NOW + 99, .kind = AUDIT_ISSUE, .actor = span_str("admin"), .has_serial = true};

    memcpy(issued.serial, serial, SERIAL_LEN);
    audit_append(t, &issued);
    commit(t);
    place_close(&p);
    cr_assert_eq(faults(&p, &n), 0, "%s", first_fault);
    buf_free(&row);
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

    cr_assert_eq(count, 5 + 2 + 1, "of one that waits, of one that is decided, and by Idempotency-Key");
    for (size_t i = 0; i < count; i++) {
        struct span row = span_of(rows[i].data, rows[i].data_len);

        if (rows[i].key[0] == REQUEST_BY_KEY)
            continue; /* a request knows nothing of it */

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

/* The number of the issuer's last CRL, or a higher one. */
static uint64_t reserved(struct place *p)
{
    struct crl_state s;
    struct view *v = look(p);

    cr_assert_eq(crl_state_find(v, 1, &s), OK);
    view_close(v);
    return s.reserved;
}

Test(copy, a_copy_is_the_whole_store_and_its_floors_rise)
{
    struct place p = closed_place(), q = place_empty();
    struct store_checked n;
    struct fault f = {0};
    char path[128];
    struct txn *t;

    place_reopen(&p, STORE_WRITE);
    snprintf(path, sizeof path, "%s/data.mdb", q.dir);
    cr_assert_eq(store_copy(p.store, path, &f), OK, "%s", f.detail);
    cr_assert_eq(store_copy(p.store, path, &f), ERR_EXISTS);
    cr_assert_eq(faults(&q, &n), 0, "%s", first_fault);
    cr_assert_eq(n.certificates, CERTIFICATES);
    place_reopen(&q, STORE_WRITE);
    t = begin(&q);
    store_raise_floors(t, 1000, 500, NOW, "from a test");
    commit(t);
    cr_assert_eq(reserved(&q), 1002);
    t = begin(&q);
    store_raise_floors(t, 1000, 5000, NOW, "from a test");
    commit(t);
    cr_assert_eq(reserved(&q), 5000, "and to no less than the least");
    cr_assert_eq(faults(&q, &n), 0, "%s", first_fault);
    cr_assert_eq(n.audit, AUDIT_ROWS + 2, "each restore is in the audit");
    place_remove(&p);
    place_remove(&q);
}
