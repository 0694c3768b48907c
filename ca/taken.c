/* SPDX-License-Identifier: Apache-2.0 */
/*
 * taken: what the audit says of things that happen without an act of the ca: a configuration that took effect
 * in a role that reads it, and what the api refused by itself.
 */
#include <stdio.h>
#include <string.h>

#include "ca/inner.h"

#define LOOK_MAX 32u /* rows back: each role's latest is among the latest few */
#define TEXT_MAX 256u
#define REFUSED_MAX (sizeof "profile : " + PROFILE_ID_MAX + REQUEST_REASON_MAX)

bool taken_reads(struct rd *r, struct ask *a)
{
    if (a->kind == ASK_REFUSED)
        return ask_read_text(r, a->principal, sizeof a->principal) &&
               ask_read_text(r, a->profile_id, sizeof a->profile_id) &&
               ask_read_text(r, a->reason_text, sizeof a->reason_text);
    rd_copy(r, a->digests.settings, HASH_LEN);
    rd_copy(r, a->digests.catalogue, HASH_LEN);
    a->is_reload = rd_u8(r) != 0;
    return true;
}

bool taken_writes(const struct ask *a)
{
    return a->kind == ASK_TAKEN || a->kind == ASK_REFUSED;
}

static bool begins(struct span text, const char *with)
{
    size_t len = strlen(with);

    return text.len >= len && memcmp(text.data, with, len) == 0;
}

/* Is that the latest row of the role? */
static bool is_known(struct view *v, const char *role, const char *text)
{
    size_t role_len = strlen(role);
    struct audit_row row = {.seq = UINT64_MAX};

    for (unsigned i = 0; i < LOOK_MAX && audit_newest(v, AUDIT_CONFIG, row.seq, &row) == OK; i++)
        if (begins(row.detail, role) && row.detail.len > role_len && row.detail.data[role_len] == ' ')
            return begins(row.detail, text);
    return false;
}

void taken_config(struct txn *t, const char *role, const struct config_digests *d, bool is_reload,
                  int64_t now_s)
{
    char settings[2 * HASH_LEN + 1], catalogue[2 * HASH_LEN + 1], text[TEXT_MAX];
    struct audit_row row = {.at_s = now_s, .kind = AUDIT_CONFIG, .actor = span_str("service")};
    int n;

    hex_encode(span_of(d->settings, HASH_LEN), settings);
    hex_encode(span_of(d->catalogue, HASH_LEN), catalogue);
    n = snprintf(text, sizeof text, "%s took chancery.xml %s, profiles.xml %s", role, settings, catalogue);
    if (is_known(txn_view(t), role, text))
        return;
    snprintf(text + n, sizeof text - (size_t)n, ", %s", is_reload ? "on SIGHUP" : "at start");
    row.detail = span_str(text);
    audit_append(t, &row);
}

/* Of a CSR its profile and the rules it broke, of any other act what the api says of it. */
static void record_refused(struct txn *t, const struct ask *a, int64_t now_s)
{
    struct buf text;

    buf_init(&text, REFUSED_MAX);
    if (a->profile_id[0] != '\0')
        buf_printf(&text, "profile %s: ", a->profile_id);
    buf_put_str(&text, a->reason_text);
    audit_append(t, &(struct audit_row){.at_s = now_s,
                                        .kind = AUDIT_REFUSE,
                                        .actor = span_str(a->principal),
                                        .detail = buf_span(&text)});
    buf_free(&text);
}

void taken_record(struct txn *t, const struct ask *a, int64_t now_s)
{
    if (a->kind == ASK_TAKEN)
        taken_config(t, "api", &a->digests, a->is_reload, now_s);
    else if (a->kind == ASK_REFUSED)
        record_refused(t, a, now_s);
}
