/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_crl: do an issuer's CRL numbers, its lists in force, what its deltas are made from and what the audit
 * says was published agree? A number that was lost comes again on another list.
 */
#include <stdlib.h>
#include <string.h>

#include "store/check.h"

/* NULL: no issuer's number is at the beginning of that key. */
static struct check_crl *crl_of(struct check *c, struct rd *key)
{
    uint16_t no = rd_u16(key);

    return !key->failed && no < CHECK_ISSUERS ? &c->crls[no] : NULL;
}

static void check_state(struct check *c, struct entry e)
{
    struct rd key = rd_of(e.key);
    struct check_crl *crl = crl_of(c, &key);
    struct crl_state s;

    if (crl == NULL || !rd_done(&key) || !row_get_crl_state(e.row, &s))
        return check_fault(c, "a CRL's state cannot be read");
    crl->reserved = s.reserved;
    crl->number = s.number;
}

static void check_track(struct check *c, struct check_crl *crl, struct entry e)
{
    struct crl_track k;

    crl->has_track = true;
    crl->changes = UINT64_MAX; /* one fault is enough */
    if (!row_get_crl_track(e.row, &k))
        return check_fault(c, "what an issuer's delta CRLs are made from cannot be read");
    crl->changes = k.changes;
    if (crl->number == 0 && (k.base > 0 || k.base_shown_s != NO_TIME))
        check_fault(c, "an issuer's delta CRLs are made from a CRL whose number is lost");
}

static void check_part(struct check *c, struct entry e)
{
    struct rd key = rd_of(e.key);
    struct check_crl *crl = crl_of(c, &key);
    uint16_t shard = rd_u16(&key);
    uint8_t is_delta = rd_u8(&key);
    struct crl_state s;

    if (crl == NULL || !rd_done(&key) || shard >= SHARD_END || is_delta > (shard != 0) ||
        (shard == SHARD_ALL && is_delta == 0))
        return check_fault(c, "a shard or delta CRL cannot be read");
    if (shard == 0)
        return check_track(c, crl, e);
    if (!row_get_crl_state(e.row, &s))
        return check_fault(c, "a shard or delta CRL cannot be read");
    if (s.reserved > crl->reserved)
        check_fault(c, "%s CRL number %llu was published and is not known as reserved",
                    is_delta ? "delta" : "shard", (unsigned long long)s.number);
}

static void check_change(struct check *c, struct entry e)
{
    struct rd key = rd_of(e.key);
    const struct check_crl *crl = crl_of(c, &key);
    struct crl_change change;

    if (crl == NULL || e.key.len != 2 + SERIAL_LEN || !row_get_crl_change(e.row, &change))
        check_fault(c, "a change since the last complete CRL cannot be read");
    else if (change.change > crl->changes)
        check_fault(c, "a change since the last complete CRL is one more than its issuer had");
}

enum err check_crls(struct check *c)
{
    enum err e = check_table(c, TABLE_CRL_STATE, check_state);

    if (e == OK)
        e = check_table(c, TABLE_CRL_PART, check_part);
    for (size_t no = 0; e == OK && no < CHECK_ISSUERS; no++)
        if (c->crls[no].number > 0 && !c->crls[no].has_track)
            check_warn(c,
                       "what the delta CRLs of issuer number %zu are made from is not there: "
                       "right after an upgrade, until its next CRL",
                       no);
    return e == OK ? check_table(c, TABLE_CRL_CHANGE, check_change) : e;
}

/* ---- what the audit says ---- */

static bool skip(const char **at, const char *word)
{
    size_t len = strlen(word);
    bool is_there = strncmp(*at, word, len) == 0;

    *at += is_there ? len : 0;
    return is_there;
}

/* As the ca words it, see AUDIT_CRL. 0: in other words. */
static uint64_t published_number(struct span detail, char id[static ISSUER_ID_MAX])
{
    char text[256];
    const char *at = text;
    size_t len;

    if (!span_to_str(span_of(detail.data, detail.len < sizeof text ? detail.len : sizeof text - 1), text,
                     sizeof text) ||
        !skip(&at, "issuer ") || (len = strcspn(at, ",")) >= ISSUER_ID_MAX)
        return 0;
    memcpy(id, at, len);
    id[len] = '\0';
    at += len;
    if (!skip(&at, ", "))
        return 0;
    (void)skip(&at, "delta ");
    return skip(&at, "number ") ? strtoull(at, NULL, 10) : 0;
}

void check_published(struct check *c, const struct audit_row *a)
{
    char id[ISSUER_ID_MAX];
    uint64_t number = a->kind == AUDIT_CRL ? published_number(a->detail, id) : 0;
    struct issuer i;

    if (number == 0)
        return;
    if (issuer_find(c->view, id, &i) != OK)
        return check_fault(c, "the audit says that issuer %s published CRL number %llu, and it is not there",
                           id, (unsigned long long)number);
    if (i.no < CHECK_ISSUERS && number > c->crls[i.no].published)
        c->crls[i.no].published = number;
}

void check_numbers(struct check *c)
{
    for (size_t no = 0; no < CHECK_ISSUERS; no++)
        if (c->crls[no].published > c->crls[no].reserved)
            check_fault(c,
                        "issuer number %zu: the audit says that CRL number %llu was published, and it is to "
                        "come again",
                        no, (unsigned long long)c->crls[no].published);
}
