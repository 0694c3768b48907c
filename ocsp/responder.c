/* SPDX-License-Identifier: Apache-2.0 */
/*
 * responder: from a request to an answer in two steps with a signature between them. The first reads the
 * store and writes ResponseData; the second puts the signature around it. Answers under way are slots of a
 * fixed table; a job's number at the port is its slot's index under a count, so an answer that nobody awaits
 * is recognised.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/port.h"
#include "ocsp/inner.h"

#define COMPLAIN_EVERY_S 60
#define SLOT_BITS 16 /* of a job number: the slot's index; the rest counts jobs */

struct slot {
    bool is_awaited;
    uint64_t number;
    char key_id[ISSUER_ID_MAX];
    struct delegate *delegate; /* held */
    struct buf data;           /* ResponseData; its memory is kept for the slot's next job */
    struct ocsp_answer answer; /* what is known before the signature */
    ocsp_done *done;
    void *arg;
    struct slot *next_unsent;
};

struct ocsp {
    struct store *store;
    struct ocsp_config config;
    int port_fd;
    struct served_list served;
    int64_t as_of_s; /* NO_TIME: the store is of now */
    int64_t looked_s, complained_s;
    uint64_t jobs;
    struct slot slots[OCSP_UNDER_WAY_MAX];
    uint16_t idle[OCSP_UNDER_WAY_MAX]; /* a stack of slot indexes */
    size_t idle_count;
    struct slot *unsent_first, **unsent_end; /* written, waiting for room in the port, in order */
    struct buf out;
};

static_assert(OCSP_UNDER_WAY_MAX <= 1u << SLOT_BITS);

/* ---- the slots ---- */

static struct slot *slot_take(struct ocsp *o)
{
    struct slot *s;
    uint16_t index;

    if (o->idle_count == 0)
        return NULL;
    index = o->idle[--o->idle_count];
    s = &o->slots[index];
    s->is_awaited = true;
    s->number = ++o->jobs << SLOT_BITS | index;
    buf_reset(&s->data);
    return s;
}

static void slot_give_back(struct ocsp *o, struct slot *s)
{
    delegate_drop(s->delegate);
    s->delegate = NULL;
    s->is_awaited = false;
    o->idle[o->idle_count++] = (uint16_t)(s - o->slots);
}

static struct slot *slot_of_number(struct ocsp *o, uint64_t number)
{
    size_t index = number & ((1u << SLOT_BITS) - 1);

    if (index >= OCSP_UNDER_WAY_MAX || !o->slots[index].is_awaited || o->slots[index].number != number)
        return NULL;
    return &o->slots[index];
}

static void slots_init(struct ocsp *o)
{
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        buf_init(&o->slots[i].data, RESPONSE_MAX);
        o->idle[i] = (uint16_t)(OCSP_UNDER_WAY_MAX - 1 - i);
    }
    o->idle_count = OCSP_UNDER_WAY_MAX;
    o->unsent_end = &o->unsent_first;
}

/* ---- errors ---- */

static void answer_error(enum ocsp_status status, ocsp_done *done, void *arg)
{
    struct ocsp_answer a = {.status = status, .der = response_error(status)};

    done(&a, arg);
}

/* True at most once a minute: what goes wrong for one request goes wrong for thousands. */
static bool may_complain(struct ocsp *o, int64_t now_s)
{
    if (now_s >= o->complained_s && now_s - o->complained_s < COMPLAIN_EVERY_S)
        return false;
    o->complained_s = now_s;
    return true;
}

/* ---- which issuer answers ---- */

static enum ocsp_status find_issuer(const struct ocsp *o, const struct ocsp_request *r,
                                    const struct served **by, const struct served **out)
{
    *out = NULL;
    for (size_t i = 0; i < r->count; i++) {
        by[i] = served_find(&o->served, &r->ids[i]);
        if (by[i] != NULL && *out != NULL && by[i] != *out)
            return OCSP_UNAUTHORIZED; /* one answer, one signer: see ocsp.h */
        if (by[i] != NULL)
            *out = by[i];
    }
    return *out != NULL ? OCSP_SUCCESSFUL : OCSP_UNAUTHORIZED;
}

/* A store that names other responder certificates is followed within a second; a mistake in it leaves the old
 * ones. */
static void look_again(struct ocsp *o, struct view *v, int64_t now_s)
{
    struct fault f = {0};

    if (now_s == o->looked_s)
        return;
    o->looked_s = now_s;
    if (served_load(v, &o->served, &f) != OK && may_complain(o, now_s))
        log_error("ocsp-issuers", "%s", f.detail);
}

/* A copy that nobody has refreshed for too long says nothing: what it calls good may be revoked. */
static bool is_recent(struct ocsp *o, int64_t now_s)
{
    if (o->as_of_s == NO_TIME || now_s - o->as_of_s <= o->config.age_max_s)
        return true;
    if (may_complain(o, now_s))
        log_error("ocsp-old", "the copy of the store is %lld s old; clients are told to try later",
                  (long long)(now_s - o->as_of_s));
    return false;
}

static bool may_sign(struct ocsp *o, const struct served *s, int64_t now_s)
{
    const struct delegate *d = s->delegate;

    if (d != NULL && d->not_before_s <= now_s && now_s < d->not_after_s)
        return true;
    if (may_complain(o, now_s))
        log_error("ocsp-signer",
                  "issuer %s: its OCSP signer's certificate is %s; clients are told to try later", s->id,
                  d == NULL ? "missing" : "not valid now");
    return false;
}

/* ---- ResponseData ---- */

static enum err read_state(struct view *v, const struct served *by, const struct ocsp_certid *id,
                           struct single *out)
{
    struct status row;
    enum err e;

    *out = (struct single){.certid = id->whole, .state = SINGLE_UNKNOWN};
    if (by == NULL || id->serial.len != SERIAL_LEN)
        return OK;
    e = status_find(v, id->serial.data, &row);
    if (e == ERR_NOT_FOUND)
        return OK;
    if (e != OK)
        return e;
    if (row.issuer_no != by->no) /* another issuer's serial: this one did not issue it */
        return OK;
    out->state = row.state == CERT_VALID ? SINGLE_GOOD : SINGLE_REVOKED;
    out->reason = row.state == CERT_HELD ? REASON_CERTIFICATE_HOLD : row.reason;
    out->revoked_at_s = row.revoked_at_s;
    return OK;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When what the store says was known to be true. */
static int64_t data_time(const struct ocsp *o, int64_t now_s)
{
    return o->as_of_s == NO_TIME ? now_s : earlier(o->as_of_s, now_s);
}

static int64_t next_update(const struct ocsp *o, const struct delegate *d, const struct single *s,
                           int64_t now_s)
{
    int64_t end_s = earlier(data_time(o, now_s) + o->config.validity_s, d->not_after_s);

    return s->state == SINGLE_UNKNOWN ? earlier(now_s + OCSP_UNKNOWN_S, end_s) : end_s;
}

static enum err write_data(struct ocsp *o, struct view *v, const struct ocsp_request *r,
                           const struct served **by, int64_t now_s, struct slot *slot)
{
    struct single singles[OCSP_CERTIDS_MAX];
    struct ocsp_answer *a = &slot->answer;
    const struct delegate *d = slot->delegate;

    *a = (struct ocsp_answer){.has_nonce = r->has_nonce,
                              .count = r->count,
                              .this_update_s = data_time(o, now_s),
                              .next_update_s = d->not_after_s};
    for (size_t i = 0; i < r->count; i++) {
        enum err e = read_state(v, by[i], &r->ids[i], &singles[i]);

        if (e != OK)
            return e;
        singles[i].next_update_s = next_update(o, d, &singles[i], now_s);
        a->next_update_s = earlier(a->next_update_s, singles[i].next_update_s);
        a->has_unknown |= singles[i].state == SINGLE_UNKNOWN;
    }
    response_data_write(&slot->data, &(struct response){.key_hash = d->key_hash,
                                                        .produced_at_s = now_s,
                                                        .this_update_s = a->this_update_s,
                                                        .singles = singles,
                                                        .count = r->count,
                                                        .has_nonce = r->has_nonce,
                                                        .nonce = r->nonce});
    return buf_end(&slot->data);
}

/* ---- the port ---- */

/* OK also when the port is full: the rest waits for ocsp_pump. An answer under way always brings one, because
 * a full port holds jobs. */
static enum err send_unsent(struct ocsp *o)
{
    while (o->unsent_first != NULL) {
        struct slot *s = o->unsent_first;
        enum err e = port_ask(o->port_fd, PORT_OCSP, s->number, s->key_id, buf_span(&s->data));

        if (e == ERR_UNAVAILABLE)
            return OK;
        if (e != OK)
            return e;
        o->unsent_first = s->next_unsent;
        if (o->unsent_first == NULL)
            o->unsent_end = &o->unsent_first;
    }
    return OK;
}

static void send_slot(struct ocsp *o, struct slot *s)
{
    s->next_unsent = NULL;
    *o->unsent_end = s;
    o->unsent_end = &s->next_unsent;
    if (send_unsent(o) != OK)
        log_error("ocsp-port", "the signer does not take requests"); /* ocsp_pump tells that it is gone */
}

static void finish(struct ocsp *o, struct slot *s, const struct port_answer *p)
{
    const struct delegate *d = s->delegate;
    struct ocsp_answer a = s->answer;
    ocsp_done *done = s->done;
    void *arg = s->arg;

    buf_reset(&o->out);
    if (p->err == OK)
        response_write(&o->out, buf_span(&s->data), d->alg, span_of(p->signature, p->signature_len),
                       span_of(d->certificate, d->certificate_len));
    else if (may_complain(o, s->answer.this_update_s))
        log_error("ocsp-refused", "the signer refused for issuer %s: %s", s->key_id, p->reason);
    slot_give_back(o, s);
    if (p->err != OK || buf_end(&o->out) != OK) {
        answer_error(OCSP_INTERNAL_ERROR, done, arg);
        return;
    }
    a.der = buf_span(&o->out);
    done(&a, arg);
}

enum err ocsp_pump(struct ocsp *o)
{
    struct port_answer p;
    enum err e;

    while ((e = port_take(o->port_fd, &p)) == OK) {
        struct slot *s = slot_of_number(o, p.number);

        if (s == NULL)
            die("the signer answered a job that was not asked");
        finish(o, s, &p);
    }
    return e == ERR_UNAVAILABLE ? send_unsent(o) : e;
}

/* ---- the door ---- */

static enum ocsp_status begin(struct ocsp *o, const struct ocsp_request *r, struct view *v, int64_t now_s,
                              struct slot **out)
{
    const struct served *by[OCSP_CERTIDS_MAX], *issuer;
    enum ocsp_status status;
    struct slot *slot;

    if (!is_recent(o, now_s))
        return OCSP_TRY_LATER;
    look_again(o, v, now_s);
    status = find_issuer(o, r, by, &issuer);
    if (status != OCSP_SUCCESSFUL)
        return status;
    if (!may_sign(o, issuer, now_s))
        return OCSP_TRY_LATER;
    slot = slot_take(o);
    if (slot == NULL)
        return OCSP_TRY_LATER;
    slot->delegate = delegate_hold(issuer->delegate);
    memcpy(slot->key_id, issuer->id, sizeof slot->key_id);
    if (write_data(o, v, r, by, now_s, slot) != OK) {
        slot_give_back(o, slot);
        return OCSP_INTERNAL_ERROR;
    }
    *out = slot;
    return OCSP_SUCCESSFUL;
}

void ocsp_respond(struct ocsp *o, struct span request, int64_t now_s, ocsp_done *done, void *arg)
{
    struct ocsp_request r;
    enum ocsp_status status = ocsp_request_read(request, &r);
    struct slot *slot = NULL;
    struct view *v = NULL;

    if (status == OCSP_SUCCESSFUL && view_open(o->store, &v) != OK)
        status = OCSP_INTERNAL_ERROR;
    if (status == OCSP_SUCCESSFUL)
        status = begin(o, &r, v, now_s, &slot);
    if (v != NULL)
        view_close(v);
    if (status == OCSP_INTERNAL_ERROR && may_complain(o, now_s))
        log_error("ocsp-store", "the store cannot be read");
    if (status != OCSP_SUCCESSFUL) {
        answer_error(status, done, arg);
        return;
    }
    slot->done = done;
    slot->arg = arg;
    send_slot(o, slot);
}

enum err ocsp_open(struct store *s, const struct ocsp_config *c, int port_fd, struct ocsp **out,
                   struct fault *f)
{
    struct ocsp *o = xcalloc(1, sizeof *o);
    struct view *v;
    enum err e = view_open(s, &v);

    *out = NULL;
    o->store = s;
    o->config = *c;
    o->port_fd = port_fd;
    o->as_of_s = o->looked_s = NO_TIME;
    o->complained_s = INT64_MAX; /* a clock never gets there: the first complaint is heard */
    slots_init(o);
    buf_init(&o->out, RESPONSE_MAX);
    if (e == OK) {
        e = served_load(v, &o->served, f);
        view_close(v);
    } else {
        e = fault_set(f, e, "the store cannot be read");
    }
    if (e != OK) {
        ocsp_close(o);
        return e;
    }
    *out = o;
    return OK;
}

void ocsp_follow(struct ocsp *o, struct store *s, int64_t as_of_s)
{
    o->store = s;
    o->as_of_s = as_of_s;
    o->looked_s = NO_TIME; /* its signers may be others */
}

void ocsp_close(struct ocsp *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; i < OCSP_UNDER_WAY_MAX; i++) {
        struct slot *s = &o->slots[i];

        if (s->is_awaited) {
            slot_give_back(o, s);
            answer_error(OCSP_TRY_LATER, s->done, s->arg);
        }
        buf_free(&s->data);
    }
    served_free(&o->served);
    buf_free(&o->out);
    free(o);
}
