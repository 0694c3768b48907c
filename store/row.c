/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row: the encoding of every row: a version octet, fixed-width fields, then variable tails, each a u32 length
 * and its octets. Reading trusts nothing: a row of another version, a short one, one with octets left over or
 * a value out of range is refused: above all a time that no text can say, because who writes it asserts.
 */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "store/inner.h"

#define ROW_VERSION 1

static void start(struct buf *b)
{
    buf_put_u8(b, ROW_VERSION);
}

/* A reader past the version; failed when it is not ours. */
static struct rd open_row(struct span row)
{
    struct rd r = rd_of(row);

    if (rd_u8(&r) != ROW_VERSION)
        r.failed = true;
    return r;
}

static void get_text(struct rd *r, char *out, size_t cap)
{
    if (!span_to_str(rd_blob(r), out, cap)) {
        out[0] = '\0';
        r->failed = true;
    }
}

static enum reason get_reason(struct rd *r)
{
    uint8_t v = rd_u8(r);

    if (v > REASON_AA_COMPROMISE)
        r->failed = true;
    return (enum reason)v;
}

/* A time that may be absent. */
static int64_t get_time_or_none(struct rd *r)
{
    int64_t t_s = rd_i64(r);

    if (t_s != NO_TIME && !clock_is_time(t_s))
        r->failed = true;
    return t_s;
}

static int64_t get_time(struct rd *r)
{
    int64_t t_s = get_time_or_none(r);

    if (t_s == NO_TIME)
        r->failed = true;
    return t_s;
}

/* ---- status ---- */

void row_put_status(struct buf *b, const struct status_row *s)
{
    start(b);
    buf_put_u16(b, s->status.issuer_no);
    buf_put_u8(b, (uint8_t)s->status.state);
    buf_put_u8(b, (uint8_t)s->status.reason);
    buf_put_i64(b, s->status.revoked_at_s);
    buf_put_i64(b, s->status.invalidity_s);
    buf_put_i64(b, s->status.not_after_s);
    buf_put_u64(b, s->number);
}

bool row_get_status(struct span row, struct status_row *out)
{
    struct rd r = open_row(row);
    uint8_t state;

    out->status.issuer_no = rd_u16(&r);
    state = rd_u8(&r);
    out->status.state = (enum cert_state)state;
    out->status.reason = get_reason(&r);
    out->status.revoked_at_s = state == CERT_VALID ? get_time_or_none(&r) : get_time(&r);
    out->status.invalidity_s = get_time_or_none(&r);
    out->status.not_after_s = get_time(&r);
    out->number = rd_u64(&r);
    return rd_done(&r) && state <= CERT_REVOKED;
}

/* ---- certificate ---- */

void row_put_cert(struct buf *b, const struct cert *c)
{
    start(b);
    buf_put(b, c->serial, SERIAL_LEN);
    buf_put_u64(b, c->number);
    buf_put_u16(b, c->status.issuer_no);
    buf_put_i64(b, c->not_before_s);
    buf_put_i64(b, c->status.not_after_s);
    buf_put_i64(b, c->issued_at_s);
    buf_put_u8(b, (uint8_t)c->key_type);
    buf_put_u16(b, c->key_bits);
    buf_put(b, c->key_hash, HASH_LEN);
    buf_put(b, c->fingerprint, HASH_LEN);
    buf_put_blob(b, span_str(c->profile));
    buf_put_blob(b, span_str(c->requester));
    buf_put_blob(b, c->cn);
    buf_put_blob(b, c->subject);
    buf_put_blob(b, c->sans);
    buf_put_blob(b, c->der);
    buf_put_blob(b, c->csr);
}

bool row_get_cert(struct span row, struct cert *out)
{
    struct rd r = open_row(row);
    uint8_t key_type;

    rd_copy(&r, out->serial, SERIAL_LEN);
    out->number = rd_u64(&r);
    out->status = (struct status){.issuer_no = rd_u16(&r), .revoked_at_s = NO_TIME, .invalidity_s = NO_TIME};
    out->not_before_s = get_time(&r);
    out->status.not_after_s = get_time(&r);
    out->issued_at_s = get_time(&r);
    key_type = rd_u8(&r);
    out->key_type = (enum key_type)key_type;
    out->key_bits = rd_u16(&r);
    rd_copy(&r, out->key_hash, HASH_LEN);
    rd_copy(&r, out->fingerprint, HASH_LEN);
    get_text(&r, out->profile, sizeof out->profile);
    get_text(&r, out->requester, sizeof out->requester);
    out->cn = rd_blob(&r);
    out->subject = rd_blob(&r);
    out->sans = rd_blob(&r);
    out->der = rd_blob(&r);
    out->csr = rd_blob(&r);
    /* Who walks the names relies on the last one being ended. */
    return rd_done(&r) && key_type <= KEY_OTHER &&
           (out->sans.len == 0 || out->sans.data[out->sans.len - 1] == '\0');
}

/* ---- revoked entry ---- */

void row_put_revoked(struct buf *b, const struct status *s)
{
    start(b);
    buf_put_u8(b, (uint8_t)s->reason);
    buf_put_i64(b, s->revoked_at_s);
    buf_put_i64(b, s->invalidity_s);
    buf_put_i64(b, s->not_after_s);
}

#define REVOKED_ROW_LEN 26u /* version, reason, three times */

static int64_t load_i64(const uint8_t *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof v);
    return (int64_t)be64toh(v);
}

/* Without the sticky reader: a list has millions. */
bool row_get_revoked(struct span row, struct revoked *out)
{
    const uint8_t *at = row.data;

    if (row.len != REVOKED_ROW_LEN || at[0] != ROW_VERSION || at[1] > REASON_AA_COMPROMISE)
        return false;
    out->reason = (enum reason)at[1];
    out->revoked_at_s = load_i64(at + 2);
    out->invalidity_s = load_i64(at + 10);
    out->not_after_s = load_i64(at + 18);
    return clock_is_time(out->revoked_at_s) && clock_is_time(out->not_after_s) &&
           (out->invalidity_s == NO_TIME || clock_is_time(out->invalidity_s));
}

/* ---- issuer and its CRL ---- */

void row_put_issuer(struct buf *b, const struct issuer *i)
{
    start(b);
    buf_put(b, i->responder, SERIAL_LEN);
    buf_put_blob(b, span_str(i->id));
    buf_put_blob(b, span_str(i->parent));
    buf_put_blob(b, i->certificate);
}

bool row_get_issuer(struct span row, struct issuer *out)
{
    struct rd r = open_row(row);

    rd_copy(&r, out->responder, SERIAL_LEN);
    get_text(&r, out->id, sizeof out->id);
    get_text(&r, out->parent, sizeof out->parent);
    out->certificate = rd_blob(&r);
    return rd_done(&r);
}

void row_put_crl_state(struct buf *b, const struct crl_state *s)
{
    start(b);
    buf_put_u64(b, s->reserved);
    buf_put_u64(b, s->number);
    buf_put_i64(b, s->this_update_s);
    buf_put_i64(b, s->next_update_s);
    buf_put_u64(b, s->size);
    buf_put_u64(b, s->count);
    buf_put(b, s->sha256, HASH_LEN);
}

bool row_get_crl_state(struct span row, struct crl_state *out)
{
    struct rd r = open_row(row);

    out->reserved = rd_u64(&r);
    out->number = rd_u64(&r);
    out->this_update_s = get_time(&r);
    out->next_update_s = get_time(&r);
    out->size = rd_u64(&r);
    out->count = rd_u64(&r);
    rd_copy(&r, out->sha256, HASH_LEN);
    return rd_done(&r) && out->number <= out->reserved;
}

/* Version 1 has no `moved`. */
#define TRACK_VERSION 2

void row_put_crl_track(struct buf *b, const struct crl_track *k)
{
    buf_put_u8(b, TRACK_VERSION);
    buf_put_u64(b, k->changes);
    buf_put_u64(b, k->base);
    buf_put_u64(b, k->moved);
    buf_put_i64(b, k->base_shown_s);
    buf_put_u16(b, k->shards);
    buf_put_blob(b, k->urls);
}

bool row_get_crl_track(struct span row, struct crl_track *out)
{
    struct rd r = rd_of(row);
    uint8_t version = rd_u8(&r);

    if (version < 1 || version > TRACK_VERSION)
        r.failed = true;
    out->changes = rd_u64(&r);
    out->base = rd_u64(&r);
    out->moved = version == TRACK_VERSION ? rd_u64(&r) : 0;
    out->base_shown_s = get_time_or_none(&r);
    out->shards = rd_u16(&r);
    out->urls = rd_blob(&r);
    return rd_done(&r) && out->base <= out->changes && out->moved <= out->changes &&
           out->shards < SHARD_END && (out->urls.len == 0 || out->urls.data[out->urls.len - 1] == '\0');
}

void row_put_crl_change(struct buf *b, const struct crl_change *c)
{
    start(b);
    buf_put_u64(b, c->change);
    buf_put_i64(b, c->revoked_at_s);
    buf_put_i64(b, c->not_after_s);
}

bool row_get_crl_change(struct span row, struct crl_change *out)
{
    struct rd r = open_row(row);

    out->change = rd_u64(&r);
    out->revoked_at_s = get_time_or_none(&r);
    out->not_after_s = get_time(&r);
    return rd_done(&r);
}

/* ---- idempotency and counters ---- */

void row_put_idempotent(struct buf *b, const struct idempotent *i)
{
    start(b);
    buf_put(b, i->body, HASH_LEN);
    buf_put(b, i->serial, SERIAL_LEN);
    buf_put_i64(b, i->at_s);
}

bool row_get_idempotent(struct span row, struct idempotent *out)
{
    struct rd r = open_row(row);

    rd_copy(&r, out->body, HASH_LEN);
    rd_copy(&r, out->serial, SERIAL_LEN);
    out->at_s = get_time(&r);
    return rd_done(&r);
}

/* ---- request ---- */

void row_put_request(struct buf *b, const struct request *r)
{
    start(b);
    buf_put_u8(b, (uint8_t)r->state);
    buf_put_u32(b, r->days);
    buf_put_i64(b, r->asked_at_s);
    buf_put_i64(b, r->expires_at_s);
    buf_put_i64(b, r->decided_at_s);
    buf_put(b, r->same, HASH_LEN);
    buf_put(b, r->serial, SERIAL_LEN);
    buf_put_blob(b, span_str(r->profile));
    buf_put_blob(b, span_str(r->asker));
    buf_put_blob(b, span_str(r->decided_by));
    buf_put_blob(b, r->reason);
    buf_put_blob(b, r->facts);
    buf_put_blob(b, r->findings);
}

bool row_get_request(struct span row, struct request *out)
{
    struct rd r = open_row(row);
    uint8_t state = rd_u8(&r);

    out->state = (enum request_state)state;
    out->days = rd_u32(&r);
    out->asked_at_s = get_time(&r);
    out->expires_at_s = get_time(&r);
    out->decided_at_s = get_time_or_none(&r);
    rd_copy(&r, out->same, HASH_LEN);
    rd_copy(&r, out->serial, SERIAL_LEN);
    get_text(&r, out->profile, sizeof out->profile);
    get_text(&r, out->asker, sizeof out->asker);
    get_text(&r, out->decided_by, sizeof out->decided_by);
    out->reason = rd_blob(&r);
    out->facts = rd_blob(&r);
    out->findings = rd_blob(&r);
    return rd_done(&r) && state >= REQUEST_PENDING && state <= REQUEST_EXPIRED;
}

/* ---- tokens and permits ---- */

void row_put_token(struct buf *b, const struct token *k)
{
    start(b);
    buf_put_u8(b, (uint8_t)k->role);
    buf_put_i64(b, k->created_at_s);
    buf_put_i64(b, k->expires_at_s);
    buf_put_i64(b, k->used_at_s);
    buf_put_i64(b, k->deleted_at_s);
    buf_put_blob(b, span_str(k->created_by));
    scope_write(b, &k->scope);
}

bool row_get_token(struct span row, struct token *out)
{
    struct rd r = open_row(row);
    uint8_t role = rd_u8(&r);

    out->role = (enum access_role)role;
    out->created_at_s = get_time(&r);
    out->expires_at_s = get_time(&r);
    out->used_at_s = get_time_or_none(&r);
    out->deleted_at_s = get_time_or_none(&r);
    get_text(&r, out->created_by, sizeof out->created_by);
    return scope_read(&r, &out->scope) && rd_done(&r) && role > ACCESS_NOBODY && role < ACCESS_ROLES;
}

void row_put_permit(struct buf *b, const struct permit *p)
{
    start(b);
    buf_put_i64(b, p->created_at_s);
    buf_put_blob(b, span_str(p->created_by));
}

bool row_get_permit(struct span row, struct permit *out)
{
    struct rd r = open_row(row);

    out->created_at_s = get_time(&r);
    get_text(&r, out->created_by, sizeof out->created_by);
    return rd_done(&r);
}

void row_put_counters(struct buf *b, const struct counters *c)
{
    start(b);
    buf_put_u64(b, c->last_number);
    buf_put_u64(b, c->certificates);
    buf_put_u64(b, c->revoked);
    buf_put_u64(b, c->held);
    buf_put_u64(b, c->audit);
    buf_put(b, c->audit_hash, HASH_LEN);
}

bool row_get_counters(struct span row, struct counters *out)
{
    struct rd r = open_row(row);

    out->last_number = rd_u64(&r);
    out->certificates = rd_u64(&r);
    out->revoked = rd_u64(&r);
    out->held = rd_u64(&r);
    out->audit = rd_u64(&r);
    rd_copy(&r, out->audit_hash, HASH_LEN);
    return rd_done(&r);
}
