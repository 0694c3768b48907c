/* SPDX-License-Identifier: Apache-2.0 */
/* ask: one question of the api, read from its frame, and the answer written back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

bool ask_read_text(struct rd *r, char *out, size_t cap)
{
    return span_to_str(rd_blob(r), out, cap);
}

static bool read_facts(struct rd *r, struct ask *a)
{
    a->sans = xcalloc(SAN_COUNT_MAX, sizeof *a->sans);
    a->facts_sent = r->rest;
    return facts_read(r, &a->facts, a->sans);
}

static bool read_issue(struct rd *r, struct ask *a)
{
    static const uint8_t none[HASH_LEN];
    uint8_t flags;

    if (!ask_read_text(r, a->principal, sizeof a->principal) ||
        !ask_read_text(r, a->profile_id, sizeof a->profile_id))
        return false;
    a->days = rd_u32(r);
    flags = rd_u8(r);
    a->dry_run = (flags & ASK_DRY_RUN) != 0;
    a->is_refused = (flags & ASK_REFUSES) != 0;
    rd_copy(r, a->idempotency, HASH_LEN);
    rd_copy(r, a->body_hash, HASH_LEN);
    a->is_idempotent = memcmp(a->idempotency, none, HASH_LEN) != 0;
    return read_facts(r, a);
}

static bool read_listener(struct rd *r, struct ask *a)
{
    strcpy(a->principal, "service");
    strcpy(a->profile_id, "chancery/listener");
    return read_facts(r, a);
}

/* What is stored here goes into every later CRL: a reason or a time that no CRL can say must not come in. */
static bool read_revoke(struct rd *r, struct ask *a)
{
    uint8_t reason;

    if (!ask_read_text(r, a->principal, sizeof a->principal))
        return false;
    rd_copy(r, a->serial, SERIAL_LEN);
    reason = rd_u8(r);
    a->reason = (enum reason)reason;
    a->invalidity_s = rd_i64(r);
    return is_stored_reason(reason) && (a->invalidity_s == NO_TIME || clock_is_time(a->invalidity_s));
}

static bool read_unhold(struct rd *r, struct ask *a)
{
    if (!ask_read_text(r, a->principal, sizeof a->principal))
        return false;
    rd_copy(r, a->serial, SERIAL_LEN);
    return true;
}

static bool read_approve(struct rd *r, struct ask *a)
{
    if (!ask_read_text(r, a->decider, sizeof a->decider))
        return false;
    rd_copy(r, a->request_id, REQUEST_ID_LEN);
    return true;
}

static bool read_deny(struct rd *r, struct ask *a)
{
    return read_approve(r, a) && ask_read_text(r, a->reason_text, sizeof a->reason_text);
}

static bool read_publish(struct rd *r, struct ask *a)
{
    return ask_read_text(r, a->principal, sizeof a->principal) &&
           ask_read_text(r, a->issuer_id, sizeof a->issuer_id);
}

static bool read_probe(struct rd *r, struct ask *a)
{
    (void)r;
    (void)a;
    return true;
}

static bool (*const readers[])(struct rd *r, struct ask *a) = {
    [ASK_ISSUE] = read_issue,           [ASK_REVOKE] = read_revoke,
    [ASK_UNHOLD] = read_unhold,         [ASK_PUBLISH] = read_publish,
    [ASK_PROBE] = read_probe,           [ASK_LISTENER] = read_listener,
    [ASK_APPROVE] = read_approve,       [ASK_DENY] = read_deny,
    [ASK_TOKEN_CREATE] = access_reads,  [ASK_TOKEN_DELETE] = access_reads,
    [ASK_TOKEN_USED] = access_reads,    [ASK_PERMIT_ADD] = access_reads,
    [ASK_PERMIT_REMOVE] = access_reads, [ASK_LOGIN_FAILURE] = access_reads,
    [ASK_TAKEN] = taken_reads,          [ASK_REFUSED] = taken_reads,
};

/* What follows a kind that there is not is not read: it is refused by name, with everything else that may
 * not be asked. */
static bool read_rest(struct rd *r, struct ask *a)
{
    if (a->kind >= sizeof readers / sizeof *readers || readers[a->kind] == NULL) {
        r->rest.len = 0;
        return true;
    }
    return readers[a->kind](r, a);
}

struct ask *ask_read(uint8_t *frame, size_t len)
{
    struct ask *a = xcalloc(1, sizeof *a);
    struct rd r = rd_of(span_of(frame, len));
    uint8_t kind = rd_u8(&r);

    a->frame = frame;
    a->kind = (enum ask_kind)kind;
    a->number = rd_u64(&r);
    buf_init(&a->tbs, WIRE_MSG_MAX);
    buf_init(&a->certificate, WIRE_MSG_MAX);
    buf_init(&a->text, WIRE_MSG_MAX);
    buf_init(&a->kept, WIRE_MSG_MAX);
    if (read_rest(&r, a) && rd_done(&r))
        return a;
    ask_free(a);
    return NULL;
}

void ask_free(struct ask *a)
{
    if (a == NULL)
        return;
    findings_free(&a->findings);
    buf_free(&a->tbs);
    buf_free(&a->certificate);
    buf_free(&a->text);
    buf_free(&a->subject);
    buf_free(&a->subject_text);
    buf_free(&a->kept);
    free(a->sans);
    free(a->frame);
    free(a);
}

static void answer_issue(struct buf *b, const struct ask *a)
{
    findings_write(b, &a->findings);
    if (a->err == ERR_PENDING)
        buf_put(b, a->request_id, REQUEST_ID_LEN);
    if (a->err != OK)
        return;
    if (a->dry_run) {
        grant_write(b, &a->grant);
        buf_put_blob(b, findings_refuse(&a->findings) ? span_of(NULL, 0) : buf_span(&a->tbs));
        return;
    }
    buf_put(b, a->serial, SERIAL_LEN);
    buf_put_u16(b, a->issuer->no);
    buf_put_u8(b, a->repeated);
    buf_put_blob(b, buf_span(&a->certificate));
}

void ask_refuse(struct ask *a, enum err code, const char *detail)
{
    a->err = code;
    snprintf(a->detail, sizeof a->detail, "%s", detail);
}

bool ask_issues(const struct ask *a)
{
    return a->kind == ASK_ISSUE || a->kind == ASK_APPROVE || a->kind == ASK_LISTENER;
}

bool ask_moves(const struct ask *a)
{
    return a->kind == ASK_REVOKE || a->kind == ASK_UNHOLD;
}

const char *ask_actor(const struct ask *a)
{
    return a->decider[0] != '\0' ? a->decider : a->principal;
}

void ask_answer(struct buf *b, const struct ask *a)
{
    buf_put_u8(b, (uint8_t)a->kind);
    buf_put_u64(b, a->number);
    buf_put_u8(b, (uint8_t)a->err);
    buf_put_blob(b, span_str(a->detail));
    if (ask_issues(a))
        answer_issue(b, a);
    else if (a->kind == ASK_REVOKE && a->err == OK)
        buf_put_u8(b, a->changed);
    else if (a->kind == ASK_PUBLISH && a->err == OK)
        buf_put_u64(b, a->crl_number);
}
