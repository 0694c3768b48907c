/* SPDX-License-Identifier: Apache-2.0 */
/* check_rest: does the store agree with itself: all but certificates and CRLs. */
#include <string.h>

#include "store/check.h"

static void want(const struct key *k, struct span row, void *arg)
{
    check_tally(arg, key_span(k), row);
}

/* ---- serials that lead to certificates ---- */

static bool note_row(const struct audit_row *a, void *arg)
{
    (void)a;
    *(bool *)arg = true;
    return false;
}

/* Its certificate is there, or was: what is forgotten is in the audit all the same. */
static bool is_issued(struct check *c, const uint8_t serial[static SERIAL_LEN])
{
    const struct audit_query q = {.serial = serial, .since_s = NO_TIME, .until_s = NO_TIME, .limit = 1};
    char next[CURSOR_MAX];
    bool is_there = false;
    struct status s;

    return status_find(c->view, serial, &s) != ERR_NOT_FOUND || /* damage is told of where it is */
           audit_list(c->view, &q, note_row, &is_there, next) != OK || is_there;
}

/* ---- requests ---- */

static void check_request(struct check *c, struct entry e)
{
    static const uint8_t none[SERIAL_LEN];
    struct request r;

    if (e.key.len != REQUEST_ID_LEN || !row_get_request(e.row, &r))
        return check_fault(c, "a request for approval cannot be read");
    memcpy(r.id, e.key.data, REQUEST_ID_LEN);
    c->out->requests++;
    if (r.state == REQUEST_APPROVED ? !is_issued(c, r.serial) : memcmp(r.serial, none, SERIAL_LEN) != 0)
        check_fault(c, "a request for approval led to a certificate that is nobody's");
    request_index_each(&r, want, &c->request_wanted);
}

/* The id is at the end of the key, or at the beginning of the row. */
static bool leads_to_request(struct check *c, struct entry e, bool is_in_row)
{
    struct span id, row = {0};

    if (is_in_row ? e.row.len < REQUEST_ID_LEN : e.key.len < REQUEST_ID_LEN)
        return false;
    id = is_in_row ? span_of(e.row.data, REQUEST_ID_LEN)
                   : span_of(e.key.data + e.key.len - REQUEST_ID_LEN, REQUEST_ID_LEN);
    return table_find(c->view, TABLE_REQUEST, id, &row) == OK;
}

static void check_request_index(struct check *c, struct entry e)
{
    uint8_t tag = e.key.len > 0 ? e.key.data[0] : 0;

    if (tag != REQUEST_BY_KEY) /* of which a request knows nothing */
        check_tally(&c->request_there, e.key, e.row);
    else if (e.key.len != 1 + HASH_LEN || e.row.len != REQUEST_ID_LEN + HASH_LEN)
        return check_fault(c, "a request under an Idempotency-Key cannot be read");
    if (!leads_to_request(c, e, tag == REQUEST_BY_KEY || tag == REQUEST_BY_SAME))
        check_fault(c, "the index of requests leads to none");
}

static enum err check_requests(struct check *c)
{
    enum err e = check_table(c, TABLE_REQUEST, check_request);

    if (e == OK)
        e = check_table(c, TABLE_REQUEST_INDEX, check_request_index);
    if (e == OK && !check_tally_eq(&c->request_wanted, &c->request_there))
        check_fault(c, "the index of requests is not what they would be found under");
    return e;
}

/* ---- answers under an Idempotency-Key ---- */

static void check_answer(struct check *c, struct entry e)
{
    struct idempotent i;
    struct span row = {0};
    struct key by_time;

    c->answers++;
    if (e.key.len != HASH_LEN || !row_get_idempotent(e.row, &i))
        return check_fault(c, "an answer under an Idempotency-Key cannot be read");
    by_time = key_of_answer(i.at_s, e.key.data);
    if (table_find(c->view, TABLE_IDEMPOTENT_TIME, key_span(&by_time), &row) != OK)
        check_fault(c, "an answer under an Idempotency-Key is of another time");
    if (!is_issued(c, i.serial))
        check_fault(c, "an answer under an Idempotency-Key led to a certificate that is nobody's");
}

static void check_answer_time(struct check *c, struct entry e)
{
    struct span row = {0};

    c->answers--;
    if (e.key.len <= HASH_LEN || table_find(c->view, TABLE_IDEMPOTENT,
                                            span_of(e.key.data + e.key.len - HASH_LEN, HASH_LEN), &row) != OK)
        check_fault(c, "an answer under an Idempotency-Key is missing");
}

static enum err check_answers(struct check *c)
{
    enum err e = check_table(c, TABLE_IDEMPOTENT, check_answer);

    if (e == OK)
        e = check_table(c, TABLE_IDEMPOTENT_TIME, check_answer_time);
    if (e == OK && c->answers != 0)
        check_fault(c, "answers under an Idempotency-Key would never be forgotten");
    return e;
}

/* ---- tokens and permits ---- */

static void check_token(struct check *c, struct entry e)
{
    struct token k;

    if (e.key.len != HASH_LEN || !row_get_token(e.row, &k))
        check_fault(c, "a token cannot be read");
}

/* A range with bits beyond its prefix is nobody's to remove. */
static void check_permit(struct check *c, struct entry e)
{
    struct permit p;

    if (!permit_read(e, &p) || !address_range_is_base(&p.range))
        check_fault(c, "a permit cannot be read");
}

/* ---- OCSP signers on other hosts ---- */

static void check_responder(struct check *c, struct entry e)
{
    uint8_t serial[SERIAL_LEN];
    struct status s;
    struct rd key = rd_of(e.key);
    uint16_t issuer_no = rd_u16(&key);

    if (e.key.len < sizeof issuer_no + 2 || !row_get_responder(e.row, serial))
        check_fault(c, "the OCSP signer of another host cannot be read");
    else if (status_find(c->view, serial, &s) != OK || s.issuer_no != issuer_no)
        check_fault(c, "the OCSP signer of another host has no certificate");
}

/* ---- the audit ---- */

static void check_audit_row(struct check *c, struct entry e)
{
    struct audit_row a;

    c->out->audit++;
    /* What cannot be read the chain will tell. */
    if (!audit_read(e, &a))
        return;
    check_published(c, &a);
    if (a.seq <= c->audit_indexed)
        audit_index_each(&a, want, &c->audit_wanted);
}

/* Of rows above that number an earlier version has left some, and nobody reads them. */
static void check_audit_index(struct check *c, struct entry e)
{
    uint64_t seq;

    if (number_of_key(e.key, &seq) && seq > c->audit_indexed && seq <= c->out->audit)
        return;
    check_tally(&c->audit_there, e.key, e.row);
}

static enum err check_audit(struct check *c)
{
    struct fault f = {0};
    struct chain_mark head = {0};
    enum err e = audit_head(c->view, &head);

    c->audit_indexed = /* without its counters faults are told anyway */
        audit_indexed(e == OK && table_is_there(c->view, TABLE_AUDIT_INDEX) ? head.seq : 0);
    e = check_table(c, TABLE_AUDIT, check_audit_row);
    if (e == OK)
        e = check_table(c, TABLE_AUDIT_INDEX, check_audit_index);
    if (e != OK)
        return e;
    check_numbers(c);
    if (!check_tally_eq(&c->audit_wanted, &c->audit_there))
        check_fault(c, "the index of the audit is not what its rows would be found under");
    e = audit_verify(c->view, &f);
    if (e != OK)
        check_fault(c, "%s", f.detail);
    return OK;
}

/* ---- what the store says of itself ---- */

static enum err read_counters(struct view *v)
{
    return counters_find(v, &(struct counters){0});
}

static enum err read_clock(struct view *v)
{
    return clock_mark_find(v, &(struct clock_mark){0});
}

static enum err read_snapshot(struct view *v)
{
    return snapshot_time(v, &(int64_t){0});
}

static enum err read_copied(struct view *v)
{
    struct chain_mark head;
    uint64_t seq;
    enum err e = copied_find(v, &seq);

    if (e == OK)
        e = audit_head(v, &head);
    return e == OK && seq > head.seq ? ERR_CONFLICT : e;
}

static enum err read_schema(struct view *v)
{
    return schema_find(v, &(uint32_t){0}, &(struct fault){0});
}

static enum err read_barred(struct view *v)
{
    return barred_is_marked(v) ? OK : ERR_INTERNAL;
}

static void check_meta(struct check *c, struct entry e)
{
    static const struct {
        const char *key;
        enum err (*read)(struct view *v);
    } known[] = {{"counters", read_counters}, {"clock", read_clock},   {"copied", read_copied},
                 {"snapshot", read_snapshot}, {"schema", read_schema}, {"barred", read_barred}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_eq(e.key, span_str(known[i].key))) {
            if (known[i].read(c->view) != OK)
                check_fault(c, "what the store says of itself cannot be read: %s", known[i].key);
            return;
        }
    check_fault(c, "the store says something of itself that is nothing");
}

enum err check_rest(struct check *c)
{
    static const struct {
        enum table table;
        check_row *fn;
    } plain[] = {{TABLE_META, check_meta},
                 {TABLE_TOKEN, check_token},
                 {TABLE_PERMIT, check_permit},
                 {TABLE_RESPONDER, check_responder}};
    enum err e = check_crls(c);

    for (size_t i = 0; e == OK && i < sizeof plain / sizeof *plain; i++)
        e = check_table(c, plain[i].table, plain[i].fn);
    if (e == OK)
        e = check_requests(c);
    if (e == OK)
        e = check_answers(c);
    return e == OK ? check_audit(c) : e;
}
