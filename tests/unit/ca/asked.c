/* SPDX-License-Identifier: Apache-2.0 */
/* asked: see asked.h. */
#include "tests/unit/ca/asked.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/hash.h"
#include "tests/unit/ca/request.h"

const struct question plain;

void asked_begin(struct buf *b, enum ask_kind kind, uint64_t number, const char *principal)
{
    buf_init(b, WIRE_MSG_MAX);
    buf_put_u8(b, (uint8_t)kind);
    buf_put_u64(b, number);
    if (principal != NULL)
        buf_put_blob(b, span_str(principal));
}

void asked_send(struct buf *b)
{
    cr_assert_eq(buf_end(b), OK);
    cr_assert_eq(wire_send(stage.api[0], buf_span(b)), OK);
    buf_free(b);
}

static const char *given(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

/* Of the name that is asked for, unless one is given. Overwritten by the next call. */
static struct span subject_of(const struct question *q)
{
    static uint8_t octets[512];
    struct buf b;
    size_t len;

    if (q->subject != NULL || q->name == NULL)
        return buf_span(q->subject != NULL ? q->subject : &stage.requester);
    buf_init(&b, sizeof octets);
    name_write(&b, "Example UC", q->name);
    len = b.len;
    memcpy(octets, b.data, len);
    buf_free(&b);
    return span_of(octets, len);
}

struct facts facts_asked(const struct question *q)
{
    static struct san sans[1];
    struct span name = span_str(given(q->name, "a.example.com"));

    sans[0] = (struct san){SAN_DNS, name};
    return (struct facts){.csr = span_str(given(q->csr, "a request")),
                          .subject = subject_of(q),
                          .spki = buf_span(&stage.spki),
                          .cn = name,
                          .subject_text = q->subject_text != NULL ? span_str(q->subject_text) : name,
                          .signature_hash = HASH_SHA256,
                          .has_san = true,
                          .sans = sans,
                          .san_count = 1};
}

void send_question(uint64_t number, const struct question *q)
{
    uint8_t key[HASH_LEN] = {q->key}, body[HASH_LEN] = {q->body};
    struct facts f = facts_asked(q);
    struct buf b;

    if (q->is_listener) {
        asked_begin(&b, ASK_LISTENER, number, NULL);
    } else {
        asked_begin(&b, ASK_ISSUE, number, given(q->principal, "uid:0"));
        buf_put_blob(&b, span_str(given(q->profile, "general/server")));
        buf_put_u32(&b, q->days);
        buf_put_u8(&b, q->flags);
        buf_put(&b, key, sizeof key);
        buf_put(&b, body, sizeof body);
    }
    facts_write(&b, &f);
    asked_send(&b);
}

void send_revocation(uint64_t number, const char *principal, const uint8_t serial[static SERIAL_LEN],
                     uint8_t reason, int64_t invalidity_s)
{
    struct buf b;

    asked_begin(&b, ASK_REVOKE, number, principal);
    buf_put(&b, serial, SERIAL_LEN);
    buf_put_u8(&b, reason);
    buf_put_i64(&b, invalidity_s);
    asked_send(&b);
}

void receive(struct reply *out)
{
    struct span s;

    cr_assert_eq(wire_receive(stage.api[0], out->octets, sizeof out->octets, &s), OK);
    out->rest = rd_of(s);
    out->kind = rd_u8(&out->rest);
    out->number = rd_u64(&out->rest);
    out->err = (enum err)rd_u8(&out->rest);
    cr_assert(span_to_str(rd_blob(&out->rest), out->detail, sizeof out->detail));
}

struct outcome outcome_of(const struct reply *r)
{
    static struct findings fs;
    struct outcome out = {.err = r->err};
    struct rd rest = r->rest;

    strcpy(out.detail, r->detail);
    if (r->kind != ASK_DENY) {
        cr_assert(findings_read(&rest, &fs));
        out.findings = fs.count;
        findings_free(&fs);
    }
    if (r->err == ERR_PENDING)
        rd_copy(&rest, out.id, REQUEST_ID_LEN);
    if (r->err == OK && r->kind != ASK_DENY) {
        rd_copy(&rest, out.serial, SERIAL_LEN);
        (void)rd_u16(&rest);
        out.repeated = rd_u8(&rest) != 0;
        cr_assert_gt(rd_blob(&rest).len, 0);
    }
    cr_assert(rd_done(&rest));
    return out;
}

struct outcome receive_outcome(void)
{
    static struct reply r;

    receive(&r);
    return outcome_of(&r);
}

struct outcome issued_of(const struct reply *r)
{
    cr_assert_eq(r->err, OK);
    return outcome_of(r);
}

struct outcome issue_one(void)
{
    static struct reply r;

    send_question(1, &plain);
    receive(&r);
    return issued_of(&r);
}

void assert_refused(const struct reply *r, const char *rule)
{
    static struct findings fs;
    struct rd rest = r->rest;

    cr_assert_eq(r->err, ERR_POLICY);
    cr_assert(findings_read(&rest, &fs));
    cr_assert(rule != NULL ? finding_of(&fs, rule) != NULL : findings_refuse(&fs), "%s", rule);
    findings_free(&fs);
}

enum err change(enum ask_kind kind, const uint8_t serial[static SERIAL_LEN], enum reason reason,
                bool *changed)
{
    static struct reply r;
    struct buf b;

    if (kind == ASK_REVOKE) {
        send_revocation(7, "uid:0", serial, (uint8_t)reason, NO_TIME);
    } else {
        asked_begin(&b, kind, 7, "uid:0");
        buf_put(&b, serial, SERIAL_LEN);
        asked_send(&b);
    }
    receive(&r);
    cr_assert_eq(r.kind, kind);
    if (kind == ASK_REVOKE && r.err == OK)
        *changed = rd_u8(&r.rest) != 0;
    return r.err;
}
