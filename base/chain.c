/* SPDX-License-Identifier: Apache-2.0 */
/* chain: the encoding of audit rows, and row after row the check that they are one chain. */
#include "base/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define ROW_VERSION 1

static const char *const names[AUDIT_END] = {
    [AUDIT_START] = "start",         [AUDIT_ISSUE] = "issue",
    [AUDIT_REFUSE] = "refuse",       [AUDIT_REVOKE] = "revoke",
    [AUDIT_UNHOLD] = "unhold",       [AUDIT_CRL] = "crl",
    [AUDIT_RESPONDER] = "responder", [AUDIT_LISTENER] = "listener",
    [AUDIT_INIT] = "init",           [AUDIT_CONFIG] = "config",
    [AUDIT_REQUEST] = "request",     [AUDIT_APPROVE] = "approve",
    [AUDIT_DENY] = "deny",           [AUDIT_EXPIRE] = "expire",
    [AUDIT_TOKEN] = "token",         [AUDIT_LOGIN_FAILURE] = "login-failure",
    [AUDIT_PERMIT] = "permit",       [AUDIT_SEAL] = "seal",
    [AUDIT_STOP] = "stop",           [AUDIT_RESTORE] = "restore",
    [AUDIT_PRUNE] = "prune",         [AUDIT_ISSUER] = "issuer",
};

const char *audit_kind_name(enum audit_kind k)
{
    return (size_t)k < AUDIT_END && names[k] != NULL ? names[k] : "unknown";
}

enum audit_kind audit_kind_find(const char *name)
{
    for (enum audit_kind k = AUDIT_START; k < AUDIT_END; k++)
        if (strcmp(names[k], name) == 0)
            return k;
    return AUDIT_END;
}

/* ---- rows ---- */

/* The sequence number is inside, so that the hash binds a row to its place. */
void chain_row_put(struct buf *b, const struct audit_row *a)
{
    buf_put_u8(b, ROW_VERSION);
    buf_put_u64(b, a->seq);
    buf_put_i64(b, a->at_s);
    buf_put_u8(b, (uint8_t)a->kind);
    buf_put_u8(b, a->has_serial);
    buf_put(b, a->has_serial ? a->serial : (const uint8_t[SERIAL_LEN]){0}, SERIAL_LEN);
    buf_put(b, a->previous, HASH_LEN);
    buf_put_blob(b, a->actor);
    buf_put_blob(b, a->detail);
}

bool chain_row_get(struct span row, struct audit_row *out)
{
    struct rd r = rd_of(row);
    uint8_t version = rd_u8(&r), kind, has_serial;

    out->seq = rd_u64(&r);
    out->at_s = rd_i64(&r);
    kind = rd_u8(&r);
    out->kind = (enum audit_kind)kind;
    has_serial = rd_u8(&r);
    out->has_serial = has_serial == 1;
    rd_copy(&r, out->serial, SERIAL_LEN);
    rd_copy(&r, out->previous, HASH_LEN);
    out->actor = rd_blob(&r);
    out->detail = rd_blob(&r);
    sha256_of(row, out->hash);
    return rd_done(&r) && version == ROW_VERSION && has_serial <= 1 && clock_is_time(out->at_s);
}

/* ---- marks ---- */

void chain_mark_write(const struct chain_mark *m, char out[static CHAIN_MARK_MAX])
{
    char hex[2 * HASH_LEN + 1];

    hex_encode(span_of(m->hash, HASH_LEN), hex);
    snprintf(out, CHAIN_MARK_MAX, "%llu:%s", (unsigned long long)m->seq, hex);
}

bool chain_mark_read(const char *text, struct chain_mark *out)
{
    const char *colon = strchr(text, ':');
    size_t digits = strspn(text, "0123456789");

    *out = (struct chain_mark){0};
    if (colon == NULL || digits == 0 || digits > 19 || text + digits != colon ||
        strlen(colon + 1) != 2 * HASH_LEN)
        return false;
    out->seq = strtoull(text, NULL, 10);
    return out->seq > 0 && hex_decode(colon + 1, out->hash, HASH_LEN);
}

/* ---- the check ---- */

static enum err broken(struct fault *f, uint64_t seq, const char *why)
{
    return fault_set(f, ERR_CONFLICT, "audit row %llu: %s", (unsigned long long)seq, why);
}

static enum err seal_add(struct chain_check *c, const struct audit_row *a, struct fault *f)
{
    struct sealed what = {.seq = a->seq - 1, .at_s = a->at_s};
    struct seal s;
    enum err e;

    memcpy(what.hash, a->previous, HASH_LEN);
    if (!seal_text_read(a->detail, &s))
        return broken(f, a->seq, "not a seal");
    e = c->keys != NULL ? seal_check(c->keys, &what, &s) : OK;
    if (e == ERR_NOT_FOUND)
        return broken(f, a->seq, "sealed with a key that is not known here");
    if (e != OK)
        return broken(f, a->seq,
                      "its seal was not made by the service: the rows before it are not what was sealed");
    c->seals++;
    c->sealed = what;
    return OK;
}

/* Where the chain is entered. */
static enum err begin(struct chain_check *c, const struct audit_row *a, struct fault *f)
{
    static const uint8_t none[HASH_LEN];

    if (a->seq != 1 && !c->may_begin_late)
        return broken(f, 1, "missing");
    if (a->seq == 0 || (a->seq == 1 && memcmp(a->previous, none, HASH_LEN) != 0))
        return broken(f, a->seq, "changed");
    c->first = a->seq;
    return OK;
}

static enum err step(const struct chain_check *c, const struct audit_row *a, struct fault *f)
{
    uint64_t due = c->head.seq + 1;

    if (a->seq != due)
        return broken(f, due, a->seq > due ? "missing" : "out of order, or there twice");
    if (memcmp(a->previous, c->head.hash, HASH_LEN) != 0)
        return broken(f, c->head.seq, "changed");
    return OK;
}

static void note(struct chain_check *c, const struct audit_row *a)
{
    bool was_sealed = c->is_sealed || c->head.seq == 0;

    c->is_sealed = a->kind == AUDIT_SEAL;
    if (was_sealed || c->is_sealed)
        c->unsealed_at_s = a->at_s;
    c->head_at_s = a->at_s;
    c->head.seq = a->seq;
    memcpy(c->head.hash, a->hash, HASH_LEN);
}

enum err chain_add(struct chain_check *c, struct span row, struct fault *f)
{
    struct audit_row a;
    enum err e;

    if (!chain_row_get(row, &a))
        return broken(f, c->head.seq + 1, "damaged");
    e = c->first == 0 ? begin(c, &a, f) : step(c, &a, f);
    if (e == OK && c->mark.seq == a.seq && memcmp(c->mark.hash, a.hash, HASH_LEN) != 0)
        e = broken(f, a.seq, "changed: it is not the row that was remembered");
    if (e == OK && a.kind == AUDIT_SEAL)
        e = seal_add(c, &a, f);
    note(c, &a);
    return e;
}

enum err chain_end(const struct chain_check *c, struct fault *f)
{
    if (c->mark.seq > c->head.seq)
        return broken(f, c->head.seq + 1, "missing: a later one was remembered");
    if (c->mark.seq != 0 && c->mark.seq < c->first)
        return fault_set(f, ERR_CONFLICT, "audit row %llu was remembered, and the rows begin at %llu",
                         (unsigned long long)c->mark.seq, (unsigned long long)c->first);
    return OK;
}
