/* SPDX-License-Identifier: Apache-2.0 */
/* group: what was decided and signed, recorded in one transaction that is durable before anybody hears of it.
 */
#include <string.h>

#include "base/log.h"
#include "ca/inner.h"

struct group {
    struct ask *const *asks;
    size_t ask_count;
    struct desk_note *notes;
    size_t note_count;
};

static bool is_refusal(const struct ask *a)
{
    return ask_issues(a) && !a->dry_run && a->err != OK && a->err != ERR_PENDING;
}

static bool is_written(const struct ask *a)
{
    if (a->is_barred)
        return false;
    return a->is_signing || ask_moves(a) || a->kind == ASK_DENY ||
           (a->err == ERR_PENDING && !a->is_waiting) || is_refusal(a) || access_writes(a) || taken_writes(a);
}

static bool is_note_written(const struct desk_note *n)
{
    return n->kind != DESK_DONE && n->err == OK;
}

static bool writes(const struct group *g)
{
    bool any = false;

    for (size_t i = 0; i < g->ask_count; i++)
        any = any || is_written(g->asks[i]);
    for (size_t i = 0; i < g->note_count; i++)
        any = any || is_note_written(&g->notes[i]);
    return any;
}

static void record_state(struct txn *txn, struct ask *a, int64_t now_s)
{
    if (a->err != OK)
        return; /* refused for who asks */
    decide_revocation(txn_view(txn), a,
                      now_s); /* in the transaction: sees what earlier asks of this group did */
    if (a->err == OK && a->changed)
        record_revocation(txn, a, now_s);
}

static void record_ask(struct ca *ca, struct txn *txn, struct ask *a, int64_t now_s)
{
    if (a->err == ERR_PENDING)
        approval_add(ca, txn, a, now_s);
    if (a->kind == ASK_DENY && a->err == OK)
        approval_deny(ca, txn, a, now_s);
    if (a->is_signing && a->err == OK)
        decide_key(txn_view(txn), a); /* in the transaction: sees the revocations of this group */
    if (a->is_signing && a->err == OK)
        decide_issuer(txn_view(txn), a);
    if (a->kind == ASK_APPROVE && a->err == OK)
        approval_record(ca, txn, a, now_s);
    if (a->is_signing && a->err == OK)
        record_issue(txn, a, now_s);
    else if (is_refusal(a))
        record_refusal(txn, a, now_s);
    if (ask_moves(a))
        record_state(txn, a, now_s);
    access_record(txn, a, now_s);
    if (a->err == OK)
        taken_record(txn, a, now_s);
}

void group_record(struct ca *ca, struct ask *const *asks, size_t ask_count, struct desk_note *notes,
                  size_t note_count, int64_t now_s)
{
    const struct group g = {asks, ask_count, notes, note_count};
    struct txn *txn;

    if (!writes(&g))
        return;
    txn = ca_txn(ca);
    for (size_t i = 0; i < ask_count; i++)
        if (!asks[i]->is_barred)
            record_ask(ca, txn, asks[i], now_s);
    for (size_t i = 0; i < note_count; i++)
        if (is_note_written(&notes[i]))
            publish_record(ca, txn, &notes[i], now_s);
    if (txn_commit(txn) != OK)
        die("a commit failed: nothing of this group is acknowledged");
}
