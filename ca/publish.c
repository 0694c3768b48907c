/* SPDX-License-Identifier: Apache-2.0 */
/* publish: the ca's side of the desk. Numbers are reserved and publications recorded here, because this is
 * the only writer. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/inner.h"

/* Never waits: what may be under way is far from filling the wire. */
static void send_desk(const struct ca *ca, struct buf *b)
{
    if (buf_end(b) != OK || wire_try_send(ca->role->desk_fd, buf_span(b)) != OK)
        die("the crl role is gone, or takes no answers");
    buf_free(b);
}

#define PRUNE_SLICES 10 /* of CHANGE_PRUNE_MAX rows, for each issuer and upkeep */

/* What no delta needs any more. */
void publish_prune(struct ca *ca, struct txn *t)
{
    for (size_t n = 0; n < ca->issuer_count; n++)
        for (int slice = 0; ca->prunes[n].is_due && slice < PRUNE_SLICES; slice++)
            ca->prunes[n].is_due = crl_change_prune(t, ca->issuers[n].no, ca->prunes[n].at, CHANGE_PRUNE_MAX);
}

static void send_publish(struct ca *ca, uint64_t number, const char *issuer_id, enum desk_cause cause,
                         uint64_t changes)
{
    struct buf b;

    buf_init(&b, 256);
    buf_put_u8(&b, DESK_PUBLISH);
    buf_put_u64(&b, number);
    buf_put_blob(&b, span_str(issuer_id));
    buf_put_u8(&b, (uint8_t)cause);
    buf_put_u64(&b, changes);
    send_desk(ca, &b);
}

enum err publish_track(const struct ca *ca, size_t n, struct view *v, struct crl_track *out)
{
    const char *id = ca->issuers[n].config->id;
    enum err e = crl_track_find(v, ca->issuers[n].no, out);

    if (e == OK)
        alarm_clear(ca->role->board, "crl.track", id);
    else
        alarm_raise(ca->role->board, ALARM_CRITICAL, "crl.track", id,
                    "what its lists have to show cannot be read: none of them is published");
    return e;
}

/* What a list has to show by now. */
static enum err changes_of(const struct ca *ca, size_t n, uint64_t *changes)
{
    struct crl_track k = {0};
    struct view *v = ca_view(ca);
    enum err e;

    e = publish_track(ca, n, v, &k);
    view_close(v);
    *changes = k.changes;
    return e;
}

/* One for all that wait for this issuer by now: its list will show what was done before they asked. Who comes
 * later waits for the next, unless this one shows all that there was then. */
static void ask_next(struct ca *ca, size_t n)
{
    const char *id = ca->issuers[n].config->id;
    struct publish_waits *w = &ca->waits;
    uint64_t number = ca->next_desk_number + 1, changes = 0;

    ca->asked[n] = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->numbers[i] == 0 && strcmp(w->asks[i]->issuer_id, id) == 0) {
            w->numbers[i] = ca->asked[n] = number;
            changes = w->changes[i] > changes ? w->changes[i] : changes;
        }
    if (ca->asked[n] == 0)
        return;
    ca->next_desk_number = number;
    send_publish(ca, number, id, CAUSE_REQUEST, changes);
}

bool publish_ask(struct ca *ca, struct ask *a)
{
    const struct issuing *i = issuing_by_id(ca, a->issuer_id);
    struct publish_waits *w = &ca->waits;
    size_t n;

    assert(i != NULL); /* decided before */
    n = (size_t)(i - ca->issuers);
    if (w->count == PUBLISH_WAITS_MAX) {
        ask_refuse(a, ERR_UNAVAILABLE, "Too many wait for a CRL already.");
        return false;
    }
    if (changes_of(ca, n, &w->changes[w->count]) != OK) {
        ask_refuse(a, ERR_INTERNAL, "What this issuer's CRL has to show cannot be read.");
        return false;
    }
    w->asks[w->count] = a;
    w->numbers[w->count++] = 0;
    if (ca->asked[n] == 0)
        ask_next(ca, n);
    return true;
}

/* What cannot be read now is tried again by the next upkeep. */
static void nudge(struct ca *ca, size_t n, enum desk_cause cause)
{
    uint64_t changes = UINT64_MAX; /* more than any list under way shows */

    ca->nudges[n].cause = cause;
    ca->nudges[n].is_due = !ca->nudges[n].is_renamed && changes_of(ca, n, &changes) != OK;
    if (ca->nudges[n].is_due)
        return;
    ca->nudges[n].is_renamed = false;
    ca->nudges[n].desk_number = ++ca->next_desk_number;
    send_publish(ca, ca->nudges[n].desk_number, ca->issuers[n].config->id, cause, changes);
}

/* Now, or behind the one under way. Of several that are due the first names the cause. */
static void nudge_or_wait(struct ca *ca, size_t n, enum desk_cause cause)
{
    if (ca->nudges[n].desk_number == 0) {
        nudge(ca, n, cause);
        return;
    }
    if (!ca->nudges[n].is_due)
        ca->nudges[n].cause = cause;
    ca->nudges[n].is_due = true;
}

void publish_nudge(struct ca *ca, uint16_t issuer_no)
{
    const struct issuing *i = issuing_by_no(ca, issuer_no);

    if (i == NULL || !ca->role->publish_on_revocation)
        return;
    nudge_or_wait(ca, (size_t)(i - ca->issuers), CAUSE_REVOCATION);
}

void publish_moved(struct ca *ca, size_t n)
{
    nudge_or_wait(ca, n, CAUSE_CONFIGURATION);
}

static void publish_renamed(struct ca *ca, size_t n)
{
    ca->nudges[n].is_renamed = true;
    nudge_or_wait(ca, n, CAUSE_CONFIGURATION);
}

void publish_renamed_deltas(struct ca *ca, uint64_t since)
{
    for (size_t n = 0; n < ca->issuer_count; n++)
        if (ca->issuers[n].config->has_deltas && ca->nudges[n].desk_number <= since)
            publish_renamed(ca, n);
}

static void nudge_owed(struct ca *ca, size_t n, const struct crl_track *k)
{
    if (ca->nudges[n].desk_number != 0)
        return; /* a new address of this start */
    if (k->moved > k->base)
        nudge(ca, n, CAUSE_CONFIGURATION);
    else if (ca->role->publish_on_revocation && k->changes > k->base)
        nudge(ca, n, CAUSE_REVOCATION);
}

void publish_begin(struct ca *ca)
{
    struct view *v = ca_view(ca);

    for (size_t n = 0; n < ca->issuer_count; n++) {
        struct crl_track k;

        if (publish_track(ca, n, v, &k) == OK)
            nudge_owed(ca, n, &k);
    }
    view_close(v);
}

void publish_nudge_due(struct ca *ca)
{
    for (size_t n = 0; n < ca->issuer_count; n++)
        if (ca->nudges[n].is_due && ca->nudges[n].desk_number == 0)
            nudge(ca, n, ca->nudges[n].cause);
}

/* The list whose number was just reserved is read from a later view: it shows every revocation up to now. */
static void nudge_covered(struct ca *ca, const char *issuer_id)
{
    const struct issuing *i = issuing_by_id(ca, issuer_id);

    if (i != NULL && ca->nudges[i - ca->issuers].desk_number != 0)
        ca->nudges[i - ca->issuers].is_due = ca->nudges[i - ca->issuers].is_renamed = false;
}

/* What was revoked since goes out at once; what failed waits for the next upkeep. */
static void nudge_done(struct ca *ca, const struct desk_note *d)
{
    for (size_t n = 0; n < ca->issuer_count; n++) {
        if (ca->nudges[n].desk_number != d->number)
            continue;
        ca->nudges[n].desk_number = 0;
        if (d->err != OK)
            ca->nudges[n].is_due = true;
        else if (ca->nudges[n].is_due)
            nudge(ca, n, ca->nudges[n].cause);
    }
}

bool publish_read(struct span frame, struct desk_note *out)
{
    struct rd r = rd_of(frame);

    *out = (struct desk_note){.kind = (enum desk_kind)rd_u8(&r)};
    out->number = rd_u64(&r);
    if (out->kind == DESK_DONE) {
        out->err = (enum err)rd_u8(&r);
        out->part.state.number = rd_u64(&r);
        return span_to_str(rd_blob(&r), out->text, sizeof out->text) && rd_done(&r) && out->err < ERR_COUNT;
    }
    if (out->kind != DESK_RESERVE && out->kind != DESK_RECORD)
        return false;
    if (!span_to_str(rd_blob(&r), out->issuer_id, sizeof out->issuer_id))
        return false;
    if (out->kind == DESK_RESERVE)
        return rd_done(&r);
    out->part.shard = rd_u16(&r);
    out->part.is_delta = rd_u8(&r) != 0;
    out->part.state.number = rd_u64(&r);
    out->part.state.this_update_s = rd_i64(&r);
    out->part.state.next_update_s = rd_i64(&r);
    out->part.state.size = rd_u64(&r);
    out->part.state.count = rd_u64(&r);
    rd_copy(&r, out->part.state.sha256, HASH_LEN);
    out->part.changes = rd_u64(&r);
    out->part.shown_s = rd_i64(&r);
    return span_to_str(rd_blob(&r), out->text, sizeof out->text) && rd_done(&r) && out->part.shard > 0 &&
           out->part.shard < SHARD_END && clock_is_time(out->part.state.this_update_s) &&
           clock_is_time(out->part.state.next_update_s) &&
           (out->part.shown_s == NO_TIME || clock_is_time(out->part.shown_s));
}

/* Who asked for this publication: the first client that it was made for. A run that was made for another
 * reason is the service's own, whoever waits meanwhile. */
static const char *asker(const struct ca *ca, const struct desk_note *n)
{
    const struct publish_waits *w = &ca->waits;

    for (size_t i = 0; i < w->count && strcmp(n->text, CAUSE_REQUEST_TEXT) == 0; i++)
        if (w->numbers[i] != 0 && strcmp(w->asks[i]->issuer_id, n->issuer_id) == 0)
            return w->asks[i]->principal;
    return "service";
}

static void audit_record(struct ca *ca, struct txn *t, const struct desk_note *n, int64_t now_s)
{
    char detail[512];
    struct audit_row row = {.at_s = now_s, .kind = AUDIT_CRL, .actor = span_str(asker(ca, n))};

    snprintf(detail, sizeof detail, "issuer %s, %snumber %lu, %lu entries, cause %s", n->issuer_id,
             n->part.is_delta ? "delta " : "", n->part.state.number, n->part.state.count, n->text);
    row.detail = span_str(detail);
    audit_append(t, &row);
}

void publish_record(struct ca *ca, struct txn *t, struct desk_note *n, int64_t now_s)
{
    const struct issuing *i = issuing_by_id(ca, n->issuer_id);

    if (i == NULL) {
        n->err = ERR_NOT_FOUND;
        return;
    }
    if (n->kind == DESK_RESERVE) {
        crl_state_reserve(t, i->no, &n->part.state.number);
        return;
    }
    crl_part_publish(t, i->no, &n->part);
    if (n->part.shard != SHARD_ALL)
        return; /* the run's last record speaks for them */
    audit_record(ca, t, n, now_s);
    if (!n->part.is_delta)
        ca->prunes[i - ca->issuers].is_due = true;
}

/* Frees it. */
static void answer(struct ca *ca, struct ask *a, const struct desk_note *n)
{
    a->crl_number = n->part.state.number;
    if (n->err != OK)
        ask_refuse(a, n->err, "The CRL could not be published; the one in force stays.");
    ask_settle(ca, a);
}

/* The end of the run that was asked for on its behalf; or a complete list, durable and in its place, that
 * shows all that had been recorded when it was asked. */
static bool is_answered(const struct publish_waits *w, size_t i, const struct desk_note *n)
{
    if (n->kind == DESK_DONE)
        return w->numbers[i] == n->number;
    return w->changes[i] <= n->part.changes && strcmp(w->asks[i]->issuer_id, n->issuer_id) == 0;
}

static void answer_waiting(struct ca *ca, const struct desk_note *n)
{
    struct publish_waits *w = &ca->waits;
    size_t kept = 0;

    for (size_t i = 0; i < w->count; i++) {
        if (is_answered(w, i, n)) {
            answer(ca, w->asks[i], n);
            continue;
        }
        w->asks[kept] = w->asks[i];
        w->changes[kept] = w->changes[i];
        w->numbers[kept++] = w->numbers[i];
    }
    w->count = kept;
}

static void settle_done(struct ca *ca, const struct desk_note *d)
{
    for (size_t n = 0; n < ca->issuer_count; n++)
        if (ca->asked[n] != 0 && ca->asked[n] == d->number) {
            answer_waiting(ca, d);
            return ask_next(ca, n);
        }
    nudge_done(ca, d); /* nobody asked: a revocation did */
}

void publish_settle(struct ca *ca, const struct desk_note *n)
{
    struct buf b;

    if (n->kind == DESK_DONE)
        return settle_done(ca, n);
    if (n->kind == DESK_RESERVE)
        nudge_covered(ca, n->issuer_id);
    else if (n->err == OK && n->part.shard == SHARD_ALL && !n->part.is_delta)
        answer_waiting(ca, n);
    buf_init(&b, 512);
    buf_put_u8(&b, n->kind == DESK_RESERVE ? DESK_RESERVED : DESK_RECORDED);
    buf_put_u64(&b, n->number);
    buf_put_u8(&b, (uint8_t)n->err);
    if (n->kind == DESK_RESERVE) {
        buf_put_u64(&b, n->part.state.number);
        buf_put_blob(&b, span_str(ca->role->config.public_url));
    }
    send_desk(ca, &b);
}
