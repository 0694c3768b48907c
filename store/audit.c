/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: rows chained by hash. Each holds the hash of the one before; the counters hold the number and the
 * hash of the last, so that neither a row in the middle nor the end can be changed or cut off unseen.
 */
#include <assert.h>
#include <string.h>

#include "store/inner.h"

#define DETAIL_MAX 4096u /* octets: a refusal with every finding named */

const char *audit_kind_name(enum audit_kind k)
{
    static const char *const names[] = {
        [AUDIT_START] = "start",         [AUDIT_ISSUE] = "issue",
        [AUDIT_REFUSE] = "refuse",       [AUDIT_REVOKE] = "revoke",
        [AUDIT_UNHOLD] = "unhold",       [AUDIT_CRL] = "crl",
        [AUDIT_RESPONDER] = "responder", [AUDIT_LISTENER] = "listener",
        [AUDIT_INIT] = "init",           [AUDIT_CONFIG] = "config",
        [AUDIT_REQUEST] = "request",     [AUDIT_APPROVE] = "approve",
        [AUDIT_DENY] = "deny",           [AUDIT_EXPIRE] = "expire",
        [AUDIT_TOKEN] = "token",         [AUDIT_LOGIN_FAILURE] = "login-failure",
        [AUDIT_PERMIT] = "permit",
    };

    return (size_t)k < sizeof names / sizeof *names && names[k] != NULL ? names[k] : "unknown";
}

/* Cut to `max` octets, not within a character of UTF-8. */
static struct span cut(struct span s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && (s.data[max] & 0xc0) == 0x80)
        max--;
    return span_of(s.data, max);
}

void audit_append(struct txn *t, const struct audit_row *given)
{
    struct counters *counters = txn_counters(t);
    struct audit_row a = *given;
    struct key key;
    struct buf *row;

    if (txn_error(t) != OK)
        return;
    a.seq = counters->audit + 1;
    a.actor = cut(a.actor, PRINCIPAL_MAX);
    a.detail = cut(a.detail, DETAIL_MAX);
    memcpy(a.previous, counters->audit_hash, HASH_LEN);
    key = key_of_number(a.seq);
    row = txn_row(t);
    row_put_audit(row, &a);
    table_append(t, TABLE_AUDIT, key_span(&key), buf_span(row));
    if (txn_error(t) != OK)
        return;
    counters->audit = a.seq;
    sha256_of(buf_span(row), counters->audit_hash);
}

/* The row says the number it lies under. */
static bool read_row(struct entry e, struct audit_row *out)
{
    uint64_t seq;

    return e.key.len == NUMBER_LEN && number_of_key(e.key, &seq) && row_get_audit(e.row, out) &&
           out->seq == seq;
}

enum err audit_each(struct view *v, uint64_t from_seq, bool (*fn)(const struct audit_row *r, void *arg),
                    void *arg)
{
    struct key from = key_of_number(from_seq);
    struct audit_row a;
    struct entry e;
    struct scan scan;
    enum err err = scan_open(v, TABLE_AUDIT, &scan);

    if (err != OK)
        return err;
    for (err = scan_from(&scan, key_span(&from), &e); err == OK; err = scan_next(&scan, &e)) {
        if (!read_row(e, &a)) {
            err = table_damaged(TABLE_AUDIT, e.key);
            break;
        }
        if (!fn(&a, arg))
            break;
    }
    scan_close(&scan);
    return err == ERR_END ? OK : err;
}

static enum err chain_broken(struct fault *f, uint64_t seq, const char *why)
{
    return fault_set(f, ERR_CONFLICT, "audit row %llu: %s", (unsigned long long)seq, why);
}

/* One step of the chain: `hash` is that of row seq - 1 before, and of this row after. */
static enum err chain_step(struct entry e, uint64_t seq, uint8_t hash[static HASH_LEN], struct fault *f)
{
    struct audit_row a;

    if (!read_row(e, &a))
        return chain_broken(f, seq, "damaged");
    if (a.seq != seq)
        return chain_broken(f, seq, "missing");
    if (memcmp(a.previous, hash, HASH_LEN) != 0)
        return chain_broken(f, seq > 1 ? seq - 1 : seq, "changed");
    memcpy(hash, a.hash, HASH_LEN);
    return OK;
}

enum err audit_verify(struct view *v, struct fault *f)
{
    uint8_t hash[HASH_LEN] = {0};
    struct counters counters;
    uint64_t seq = 0;
    struct entry e;
    struct scan scan;
    enum err err = counters_find(v, &counters);

    if (err == OK)
        err = scan_open(v, TABLE_AUDIT, &scan);
    if (err != OK)
        return fault_set(f, err, "the audit rows cannot be read");
    for (err = scan_from(&scan, (struct span){0}, &e); err == OK; err = scan_next(&scan, &e)) {
        err = chain_step(e, ++seq, hash, f);
        if (err != OK)
            break;
    }
    scan_close(&scan);
    if (err != ERR_END)
        return fault_set(f, err, "the audit rows cannot be read");
    if (seq != counters.audit)
        return chain_broken(f, (seq < counters.audit ? seq : counters.audit) + 1,
                            seq < counters.audit ? "missing" : "not counted");
    if (memcmp(hash, counters.audit_hash, HASH_LEN) != 0)
        return chain_broken(f, seq, "changed");
    return OK;
}
