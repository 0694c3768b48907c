/* SPDX-License-Identifier: Apache-2.0 */
/* Does reading a row refuse everything but a whole one of its version? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/inner.h"

union any {
    struct status_row status;
    struct cert cert;
    struct revoked revoked;
    struct issuer issuer;
    struct crl_state crl_state;
    struct crl_track crl_track;
    struct crl_change crl_change;
    struct audit_row audit;
    struct idempotent idempotent;
    struct request request;
    struct counters counters;
    struct token token;
    struct permit permit;
};

static const struct cert sample_cert = {.serial = {1},
                                        .number = 5,
                                        .key_type = KEY_EC,
                                        .profile = "ucm/tomcat",
                                        .requester = "admin",
                                        .cn = {(const uint8_t *)"a.example", 9},
                                        .sans = {(const uint8_t *)"a.example\0b", 12},
                                        .der = {(const uint8_t *)"0123", 4}};

static void put_status(struct buf *b)
{
    row_put_status(b, &(struct status_row){.status = {.state = CERT_HELD, .reason = REASON_CERTIFICATE_HOLD},
                                           .number = 3});
}
static void put_cert(struct buf *b)
{
    row_put_cert(b, &sample_cert);
}
static void put_revoked(struct buf *b)
{
    row_put_revoked(b, &(struct status){.reason = REASON_AA_COMPROMISE, .revoked_at_s = -1});
}
static void put_issuer(struct buf *b)
{
    row_put_issuer(b, &(struct issuer){
                          .id = "rsa-g1", .parent = "rsa-root-g1", .certificate = {(const uint8_t *)"x", 1}});
}
static void put_crl_state(struct buf *b)
{
    row_put_crl_state(b, &(struct crl_state){.reserved = 4, .number = 3});
}
static void put_audit(struct buf *b)
{
    chain_row_put(b,
                  &(struct audit_row){.seq = 1, .kind = AUDIT_ISSUE, .actor = {(const uint8_t *)"admin", 5}});
}
static void put_idempotent(struct buf *b)
{
    row_put_idempotent(b, &(struct idempotent){.at_s = 1});
}
static void put_request(struct buf *b)
{
    row_put_request(b, &(struct request){.state = REQUEST_DENIED,
                                         .profile = "ucm/CAPF",
                                         .asker = "cert:01",
                                         .decided_by = "uid:0",
                                         .reason = {(const uint8_t *)"no", 2},
                                         .facts = {(const uint8_t *)"facts", 5}});
}
static void put_counters(struct buf *b)
{
    row_put_counters(b, &(struct counters){.audit = 9});
}
static void put_token(struct buf *b)
{
    row_put_token(b, &(struct token){.role = ACCESS_VIEWER,
                                     .scope = {.names = {.len = 4, .text = "a.b"}},
                                     .created_by = "uid:0"});
}
static void put_permit(struct buf *b)
{
    row_put_permit(b, &(struct permit){.created_by = "uid:0"});
}

static bool get_status(struct span s, union any *a)
{
    return row_get_status(s, &a->status);
}
static bool get_cert(struct span s, union any *a)
{
    return row_get_cert(s, &a->cert);
}
static bool get_revoked(struct span s, union any *a)
{
    return row_get_revoked(s, &a->revoked);
}
static bool get_issuer(struct span s, union any *a)
{
    return row_get_issuer(s, &a->issuer);
}
static void put_crl_track(struct buf *b)
{
    row_put_crl_track(b, &(struct crl_track){.changes = 4, .base = 3, .base_shown_s = NO_TIME, .shards = 16});
}
static bool get_crl_track(struct span s, union any *a)
{
    return row_get_crl_track(s, &a->crl_track);
}
static void put_crl_change(struct buf *b)
{
    row_put_crl_change(b, &(struct crl_change){.change = 9, .revoked_at_s = NO_TIME, .not_after_s = 5});
}
static bool get_crl_change(struct span s, union any *a)
{
    return row_get_crl_change(s, &a->crl_change);
}
static bool get_crl_state(struct span s, union any *a)
{
    return row_get_crl_state(s, &a->crl_state);
}
static bool get_audit(struct span s, union any *a)
{
    return chain_row_get(s, &a->audit);
}
static bool get_idempotent(struct span s, union any *a)
{
    return row_get_idempotent(s, &a->idempotent);
}
static bool get_request(struct span s, union any *a)
{
    return row_get_request(s, &a->request);
}
static bool get_counters(struct span s, union any *a)
{
    return row_get_counters(s, &a->counters);
}
static bool get_token(struct span s, union any *a)
{
    return row_get_token(s, &a->token);
}
static bool get_permit(struct span s, union any *a)
{
    return row_get_permit(s, &a->permit);
}

static const struct {
    const char *name;
    void (*put)(struct buf *b);
    bool (*get)(struct span s, union any *a);
} rows[] = {
    {"status", put_status, get_status},
    {"cert", put_cert, get_cert},
    {"revoked", put_revoked, get_revoked},
    {"issuer", put_issuer, get_issuer},
    {"crl_state", put_crl_state, get_crl_state},
    {"crl_track", put_crl_track, get_crl_track},
    {"crl_change", put_crl_change, get_crl_change},
    {"audit", put_audit, get_audit},
    {"idempotent", put_idempotent, get_idempotent},
    {"request", put_request, get_request},
    {"counters", put_counters, get_counters},
    {"token", put_token, get_token},
    {"permit", put_permit, get_permit},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

/* A copy of exactly these octets, so that AddressSanitizer sees a read past them. */
static bool get_exact(size_t i, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    union any a;
    bool ok;

    if (len > 0)
        memcpy(copy, data, len);
    ok = rows[i].get(span_of(copy, len), &a);
    free(copy);
    return ok;
}

Test(row, whole_ones_are_read_and_short_long_or_foreign_ones_are_not)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct buf b;

        buf_init(&b, ROW_MAX);
        rows[i].put(&b);
        cr_assert(get_exact(i, b.data, b.len), "%s", rows[i].name);
        for (size_t len = 0; len < b.len; len++)
            cr_assert_not(get_exact(i, b.data, len), "%s cut to %zu", rows[i].name, len);
        b.data[0]++;
        cr_assert_not(get_exact(i, b.data, b.len), "%s of the next version", rows[i].name);
        b.data[0]--;
        buf_put_u8(&b, 0);
        cr_assert_not(get_exact(i, b.data, b.len), "%s with one octet more", rows[i].name);
        buf_free(&b);
    }
}

/* As they were written before addresses were counted. */
Test(row, a_track_of_version_1_is_read)
{
    struct crl_track k;
    struct buf b;

    buf_init(&b, ROW_MAX);
    buf_put_u8(&b, 1);
    buf_put_u64(&b, 4);
    buf_put_u64(&b, 3);
    buf_put_i64(&b, NO_TIME);
    buf_put_u16(&b, 16);
    buf_put_blob(&b, span_of("http://a", 9));
    cr_assert(row_get_crl_track(buf_span(&b), &k));
    cr_expect(k.changes == 4 && k.base == 3 && k.moved == 0 && k.shards == 16);
    cr_expect(span_eq(k.urls, span_of("http://a", 9)));
    buf_free(&b);
}

Test(row, any_octet_changed_is_read_within_bounds)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct buf b;

        buf_init(&b, ROW_MAX);
        rows[i].put(&b);
        for (size_t at = 0; at < b.len; at++) {
            uint8_t old = b.data[at];

            for (unsigned v = 0; v < 256; v += 15) {
                b.data[at] = (uint8_t)v;
                (void)get_exact(i, b.data, b.len);
            }
            b.data[at] = old;
        }
        buf_free(&b);
    }
}

Test(row, names_that_are_not_ended_are_refused)
{
    struct cert c = sample_cert, out;
    struct buf b;

    buf_init(&b, ROW_MAX);
    c.sans.len--;
    row_put_cert(&b, &c);
    cr_assert_not(row_get_cert(buf_span(&b), &out));
    buf_free(&b);
}

Test(row, values_out_of_range_are_refused)
{
    struct status_row status = {.status = {.state = (enum cert_state)(CERT_REVOKED + 1)}};
    struct crl_state state = {.reserved = 1, .number = 2}, state_out;
    struct crl_track track = {.changes = 1, .moved = 2}, track_out;
    struct status_row status_out;
    struct request request_out;
    struct buf b;

    buf_init(&b, ROW_MAX);
    row_put_status(&b, &status);
    cr_assert_not(row_get_status(buf_span(&b), &status_out));
    buf_reset(&b);
    status.status = (struct status){.reason = (enum reason)(REASON_AA_COMPROMISE + 1)};
    row_put_status(&b, &status);
    cr_assert_not(row_get_status(buf_span(&b), &status_out));
    buf_reset(&b);
    row_put_crl_state(&b, &state);
    cr_assert_not(row_get_crl_state(buf_span(&b), &state_out));
    buf_reset(&b);
    row_put_crl_track(&b, &track);
    cr_assert_not(row_get_crl_track(buf_span(&b), &track_out));
    for (int s = REQUEST_ANY; s <= REQUEST_EXPIRED + 1; s++) {
        buf_reset(&b);
        row_put_request(&b, &(struct request){.state = (enum request_state)s});
        cr_assert_eq(row_get_request(buf_span(&b), &request_out),
                     s >= REQUEST_PENDING && s <= REQUEST_EXPIRED);
    }
    buf_free(&b);
}

/* Which octets of which row are a time, and may it be absent? Of the status one is valid, so that it may. */
static void put_valid(struct buf *b)
{
    row_put_status(b, &(struct status_row){.number = 3});
}

static const struct {
    const char *name;
    void (*put)(struct buf *b);
    bool (*get)(struct span s, union any *a);
    size_t at;
    bool may_be_absent;
} times[] = {
    {"status revoked_at", put_status, get_status, 5, false},
    {"status revoked_at of a valid one", put_valid, get_status, 5, true},
    {"status invalidity", put_status, get_status, 13, true},
    {"status not_after", put_status, get_status, 21, false},
    {"cert not_before", put_cert, get_cert, 30, false},
    {"cert not_after", put_cert, get_cert, 38, false},
    {"cert issued_at", put_cert, get_cert, 46, false},
    {"revoked revoked_at", put_revoked, get_revoked, 2, false},
    {"revoked invalidity", put_revoked, get_revoked, 10, true},
    {"revoked not_after", put_revoked, get_revoked, 18, false},
    {"crl_state this_update", put_crl_state, get_crl_state, 17, false},
    {"crl_state next_update", put_crl_state, get_crl_state, 25, false},
    {"crl_track base_shown", put_crl_track, get_crl_track, 25, true},
    {"crl_change revoked_at", put_crl_change, get_crl_change, 9, true},
    {"crl_change not_after", put_crl_change, get_crl_change, 17, false},
    {"audit at", put_audit, get_audit, 9, false},
    {"idempotent at", put_idempotent, get_idempotent, 1 + HASH_LEN + SERIAL_LEN, false},
    {"request asked_at", put_request, get_request, 6, false},
    {"request expires_at", put_request, get_request, 14, false},
    {"request decided_at", put_request, get_request, 22, true},
    {"token created_at", put_token, get_token, 2, false},
    {"token expires_at", put_token, get_token, 10, false},
    {"token used_at", put_token, get_token, 18, true},
    {"token deleted_at", put_token, get_token, 26, true},
    {"permit created_at", put_permit, get_permit, 1, false},
};

static bool is_read_with(size_t i, int64_t t_s)
{
    struct buf b, time;
    union any a;
    bool is_read;

    buf_init(&b, ROW_MAX);
    buf_init(&time, sizeof t_s);
    times[i].put(&b);
    buf_put_i64(&time, t_s);
    memcpy(b.data + times[i].at, time.data, sizeof t_s);
    is_read = times[i].get(buf_span(&b), &a);
    buf_free(&time);
    buf_free(&b);
    return is_read;
}

/* Who writes a time asserts that it has a text: what is read must have one. */
Test(row, a_time_that_no_text_can_say_is_refused)
{
    static const int64_t never[] = {CLOCK_MIN - 1, CLOCK_MAX + 1, (int64_t)1 << 62, INT64_MAX, INT64_MIN + 1};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        for (size_t k = 0; k < sizeof never / sizeof *never; k++)
            cr_expect_not(is_read_with(i, never[k]), "%s: %lld", times[i].name, (long long)never[k]);
        cr_expect(is_read_with(i, CLOCK_MIN), "%s: the first", times[i].name);
        cr_expect(is_read_with(i, CLOCK_MAX), "%s: the last", times[i].name);
        cr_expect_eq(is_read_with(i, NO_TIME), times[i].may_be_absent, "%s: absent", times[i].name);
    }
}

/* Copies of exactly these octets, so that AddressSanitizer sees a read past them. */
Test(row, what_is_no_longer_than_a_checksum_is_opened_within_bounds)
{
    static const uint8_t key[] = {1};
    struct entry e = {span_of(key, sizeof key), {0}};
    uint8_t whole[CHECKSUM_LEN];

    checksum_put(TABLE_TOKEN, e, whole);
    for (size_t len = 0; len <= sizeof whole; len++) {
        uint8_t *copy = malloc(len > 0 ? len : 1);

        memcpy(copy, whole, len);
        e.row = span_of(copy, len);
        cr_expect_eq(checksum_open(TABLE_TOKEN, e).len, len < sizeof whole ? len : 0);
        cr_expect_eq(checksum_open(TABLE_CERT, e).len, len, "it is of another table");
        cr_expect_eq(checksum_open(TABLE_STATUS, e).len, len, "where none has one");
        free(copy);
    }
}

/* A store is read by programs of later, and on other processors. The octets are of a program of its own: XXH3
 * of the table's name with the seed 0, of the key with that as its seed, of the row with that. */
Test(row, a_checksum_is_what_it_was)
{
    static const uint8_t was[] = {0xf4, 0x45, 0x7a, 0x3b, 0x63, 0xf2, 0x4a, 0xa0, 0xc2};
    static const char text[] = "what lies in the row";
    uint8_t is[CHECKSUM_LEN], other[CHECKSUM_LEN];

    checksum_put(TABLE_TOKEN, (struct entry){span_str("key"), span_str(text)}, is);
    cr_expect_arr_eq(is, was, sizeof was);
    checksum_put(TABLE_TOKEN, (struct entry){span_str("keyw"), span_str(text + 1)}, other);
    cr_expect_arr_neq(is, other, sizeof is, "the key ends elsewhere");
    checksum_put(TABLE_PERMIT, (struct entry){span_str("key"), span_str(text)}, other);
    cr_expect_arr_neq(is, other, sizeof is, "it is of another table");
}

Test(row, audit_hash_is_that_of_the_encoding)
{
    struct audit_row a = {.seq = 1, .previous = {7}}, out;
    uint8_t hash[HASH_LEN];
    struct buf b;

    buf_init(&b, ROW_MAX);
    chain_row_put(&b, &a);
    sha256_of(buf_span(&b), hash);
    cr_assert(chain_row_get(buf_span(&b), &out));
    cr_assert_arr_eq(out.hash, hash, HASH_LEN);
    cr_assert_arr_eq(out.previous, a.previous, HASH_LEN);
    buf_free(&b);
}
