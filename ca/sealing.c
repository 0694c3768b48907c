/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealing: the service's signature over the audit as it is, as a row of it. The rows up to a seal can then
 * not be made anew by who can write the store but has no key: base/seal.h says what is signed, base/chain.h
 * how it is verified.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

#define ALARM "audit.unsealed"

void sealing_begin(struct ca *ca)
{
    struct audit_row newest = {0};
    struct view *v;
    enum err e;

    if (ca->role->seal_keys == NULL)
        alarm_raise(ca->role->board, ALARM_WARNING, ALARM, "audit",
                    "no key is configured: whoever can write the store can change the audit unseen "
                    "(docs/audit.md, A home without a key)");
    v = ca_view(ca);
    e = audit_newest(v, AUDIT_SEAL, UINT64_MAX, &newest);
    if (e != OK && e != ERR_NOT_FOUND)
        log_warn("audit", "the newest seal cannot be found");
    ca->sealing.seq = e == OK ? newest.seq : 0;
    view_close(v);
    ca->sealing.due_ms = clock_monotonic_ms() + SEAL_S * 1000;
}

/* The signature over this end of the chain, held against the public key that others will verify with. */
static enum err have_signed(struct ca *ca, const struct sealed *what, struct seal *out,
                            char reason[static 128])
{
    uint8_t tbs[SEAL_TBS_LEN] = {0};
    struct batch_job job = {.key_id = SEAL_KEY_ID, .tbs = span_of(tbs, sizeof tbs)};
    enum err e;

    seal_tbs_write(what, tbs);
    e = batch_ask(ca, PORT_SEAL, &job, 1, PROBE_MS);
    if (e != OK)
        return e;
    strcpy(reason, job.answer.reason);
    if (job.answer.err != OK)
        return ERR_KEY;
    memcpy(out->key_id, seal_keys_first(ca->role->seal_keys), HASH_LEN);
    memcpy(out->signature, job.answer.signature, job.answer.signature_len);
    out->signature_len = job.answer.signature_len;
    strcpy(reason, "issuers/audit.pub is not the public half of the signer's key");
    return seal_check(ca->role->seal_keys, what, out) == OK ? OK : ERR_KEY;
}

static void add_row(struct ca *ca, enum audit_kind kind, struct span detail, int64_t now_s,
                    struct chain_mark *head)
{
    struct audit_row row = {.at_s = now_s, .kind = kind, .actor = span_str("service"), .detail = detail};
    struct txn *t = ca_txn(ca);

    audit_append(t, &row);
    if (audit_head(txn_view(t), head) != OK || txn_commit(t) != OK)
        die("the commit of an audit row failed");
}

static enum err seal_head(struct ca *ca, struct chain_mark *head, int64_t now_s)
{
    struct sealed what = {.seq = head->seq, .at_s = now_s};
    struct seal s = {0};
    char reason[128] = "";
    struct buf text;
    enum err e;

    memcpy(what.hash, head->hash, HASH_LEN);
    e = have_signed(ca, &what, &s, reason);
    ca->sealing.is_failing = e != OK;
    ca->sealing.lost = e == ERR_UNAVAILABLE ? head->seq : 0;
    if (e == ERR_KEY)
        alarm_raise(ca->role->board, ALARM_CRITICAL, ALARM, "audit", "%s", reason);
    if (e != OK)
        return e;
    buf_init(&text, 2048);
    seal_text_put(&text, &s);
    add_row(ca, AUDIT_SEAL, buf_span(&text), now_s, head);
    buf_free(&text);
    ca->sealing.seq = head->seq;
    alarm_clear(ca->role->board, ALARM, "audit");
    return OK;
}

/* The end of the audit; true: it is to be sealed now. */
static bool look(const struct ca *ca, struct chain_mark *head)
{
    struct view *v;

    if (ca->role->seal_keys == NULL)
        return false;
    v = ca_view(ca);
    if (audit_head(v, head) != OK)
        die("the store cannot be read");
    view_close(v);
    return clock_monotonic_ms() >= ca->sealing.due_ms ||
           (head->seq >= ca->sealing.seq + SEAL_ROWS && !ca->sealing.is_failing);
}

bool sealing_is_due(struct ca *ca)
{
    struct chain_mark head;

    return ca->no_room == NULL && look(ca, &head);
}

void sealing_turn(struct ca *ca, int64_t now_s)
{
    struct chain_mark head;

    enum err e = OK;

    if (!look(ca, &head))
        return;
    ca->sealing.due_ms = clock_monotonic_ms() + SEAL_S * 1000;
    if (head.seq > ca->sealing.seq && head.seq != ca->sealing.lost)
        e = seal_head(ca, &head, now_s);
    if (e == ERR_END)
        die("the signer is gone");
    if (e == ERR_UNAVAILABLE)
        log_warn("audit", "the signer does not answer: the audit is sealed in %d s", SEAL_S);
}

/* The other roles are ending too: without an answer of the signer the last rows stay unsealed until the next
 * start. */
void sealing_end(struct ca *ca, int64_t now_s)
{
    struct chain_mark head;
    enum err e = OK;

    add_row(ca, AUDIT_STOP, span_str("nobody asks any more"), now_s, &head);
    if (ca->role->seal_keys != NULL)
        e = seal_head(ca, &head, now_s);
    if (e == ERR_END || e == ERR_UNAVAILABLE)
        log_warn("audit", "the signer ended first, or hangs: the last rows are sealed after the next start");
}
