/* SPDX-License-Identifier: Apache-2.0 */
/* record: what a turn leaves in the store, each act with its audit row in the same transaction. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "ca/inner.h"

static void audit(struct txn *t, enum audit_kind kind, const struct ask *a, bool has_serial,
                  const char *detail, int64_t now_s)
{
    struct audit_row row = {.at_s = now_s,
                            .kind = kind,
                            .has_serial = has_serial,
                            .actor = span_str(ask_actor(a)),
                            .detail = span_str(detail)};

    memcpy(row.serial, a->serial, SERIAL_LEN);
    audit_append(t, &row);
}

void record_issue(struct txn *t, struct ask *a, int64_t now_s)
{
    struct cert_about about = {
        .der = buf_span(&a->certificate),
        .csr = a->facts.csr,
        .cn = a->facts.cn,
        .subject_text = a->facts.subject_text,
        .sans = a->grant.san_from_cn ? &(struct san){SAN_DNS, a->facts.cn} : a->facts.sans,
        .san_count = a->grant.san_from_cn ? 1 : a->facts.san_count,
        .profile = a->profile_id,
        .requester = a->principal,
        .issuer_no = a->issuer->no,
        .now_s = now_s,
    };
    struct idempotent done = {.at_s = now_s};
    char detail[256];
    struct cert row;
    uint64_t number;

    if (!cert_row(&about, &a->text, &row))
        die("a certificate that was just made cannot be read back");
    cert_add(t, &row, &number);
    snprintf(detail, sizeof detail, "profile %s, issuer %s, %.*s", a->profile_id, a->issuer->config->id,
             (int)utf8_cut(a->facts.subject_text, AUDIT_SUBJECT_MAX),
             (const char *)a->facts.subject_text.data);
    audit(t, a->kind == ASK_LISTENER ? AUDIT_LISTENER : AUDIT_ISSUE, a, true, detail, now_s);
    if (!a->is_idempotent)
        return;
    memcpy(done.body, a->body_hash, HASH_LEN);
    memcpy(done.serial, a->serial, SERIAL_LEN);
    idempotent_add(t, a->idempotency, &done);
}

void record_refusal(struct txn *t, const struct ask *a, int64_t now_s)
{
    char detail[512], hex[2 * REQUEST_ID_LEN + 1];
    size_t n;

    hex_encode(span_of(a->request_id, REQUEST_ID_LEN), hex);
    if (a->kind == ASK_APPROVE)
        n = (size_t)snprintf(detail, sizeof detail, "approval of request %s:", hex);
    else
        n = (size_t)snprintf(detail, sizeof detail, "profile %s:", a->profile_id);
    for (size_t i = 0; i < a->findings.count && n < sizeof detail; i++)
        if (a->findings.items[i].severity == SEVERITY_REFUSE)
            n += (size_t)snprintf(detail + n, sizeof detail - n, " %s", a->findings.items[i].rule);
    if (!findings_refuse(&a->findings) && n < sizeof detail)
        snprintf(detail + n, sizeof detail - n, " %s", denial_text(a));
    audit(t, AUDIT_REFUSE, a, false, detail, now_s);
}

void record_revocation(struct txn *t, const struct ask *a, int64_t now_s)
{
    if (a->kind == ASK_REVOKE) {
        cert_revoke(t, a->serial, a->reason, now_s, a->invalidity_s);
        audit(t, AUDIT_REVOKE, a, true, reason_name(a->reason), now_s);
    } else {
        cert_unhold(t, a->serial);
        audit(t, AUDIT_UNHOLD, a, true, "", now_s);
    }
}
