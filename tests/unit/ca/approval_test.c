/* SPDX-License-Identifier: Apache-2.0 */
/* Does a request wait until a person decides, and is it then issued once, or never? The test plays api,
 * signer and crl. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/port.h"
#include "base/utf8.h"
#include "tests/unit/ca/played.h"

#define PROFILE "general/server"
#define ASKER "login:asker"
#define TWIN "login:twin" /* the asker's other certificate */
#define OTHER "login:other"
#define COLLEAGUE "login:colleague" /* a requester */
#define INSIDE "login:inside"       /* operators, whom a scope limits */
#define OUTSIDE "login:outside"
#define ELSEWHERE "login:elsewhere" /* of another issuer */
#define WEEK_S (7 * 86400)

static char dir[64];
static struct ca_role *role;
static struct buf spki, subject, requester, issuer_certificate;
static int api[2], port[2], desk[2];
static struct played_signer signer;
static pthread_t ca_thread, signer_thread;
static struct store *reader;

/* ---- the other roles ---- */

static void *turn(void *arg)
{
    (void)arg;
    cr_assert_eq(ca_run(role), OK);
    close(api[1]);
    close(port[0]);
    return NULL;
}

/* ---- a store with one issuer, a profile that needs an approval ---- */

static void make_issuer(struct txn *t)
{
    int64_t now_s = clock_now_s();

    played_issuer(t, buf_span(&subject), buf_span(&spki), now_s - 86400, now_s + 86400 * 400,
                  &issuer_certificate);
}

static void with_store(void (*fn)(struct txn *t), enum store_mode mode)
{
    struct store *s;
    struct txn *t;

    cr_assert_eq(store_open(dir, mode, 0, &s, NULL), OK);
    cr_assert_eq(txn_begin(s, &t), OK);
    fn(t);
    cr_assert_eq(txn_commit(t), OK);
    store_close(s);
}

static void need_approval(void)
{
    for (size_t i = 0; i < role->catalogue.count; i++)
        if (strcmp(role->catalogue.profiles[i].id, PROFILE) == 0)
            role->catalogue.profiles[i].needs_approval = true;
    cr_assert(profile_find(&role->catalogue, PROFILE)->needs_approval);
}

static void let_in(const char *name, const char *subject_text, enum access_role login_role)
{
    struct access_config *c = &role->config.access;
    struct access_principal *p = &c->principals[c->principal_count++];

    strcpy(p->name, strchr(name, ':') + 1);
    strcpy(p->authority, "corp");
    strcpy(p->subject, subject_text);
    p->role = login_role;
}

static void limit_last(const char *name)
{
    struct access_config *c = &role->config.access;

    cr_assert(scope_add(&c->principals[c->principal_count - 1].scope.names, name));
}

static void let_all_in(void)
{
    let_in(ASKER, "CN=jana", ACCESS_ADMINISTRATOR);
    let_in(TWIN, "CN=jana", ACCESS_ADMINISTRATOR);
    let_in(OTHER, "CN=petr", ACCESS_ADMINISTRATOR);
    let_in(COLLEAGUE, "CN=eva", ACCESS_REQUESTER);
    let_in(INSIDE, "CN=inside", ACCESS_OPERATOR);
    limit_last("example.com");
    let_in(OUTSIDE, "CN=outside", ACCESS_OPERATOR);
    limit_last("other.example");
    let_in(ELSEWHERE, "CN=elsewhere", ACCESS_OPERATOR);
    cr_assert(scope_add(
        &role->config.access.principals[role->config.access.principal_count - 1].scope.issuers, "rsa-g1"));
}

static void setup(void)
{
    struct fault f = {0};

    buf_init(&subject, 4096);
    buf_init(&requester, 4096);
    played_key(&spki);
    name_write(&subject, "Example UC", "Issuer");
    name_write(&requester, "Example UC", "a.example.com");
    strcpy(dir, "/tmp/chancery-approval-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    with_store(make_issuer, STORE_CREATE);
    role = calloc(1, sizeof *role);
    role->store_dir = dir;
    role->config = (struct ca_config){.count = 1,
                                      .node = 1,
                                      .host = "ca.example.com",
                                      .public_url = "http://ca.example.com",
                                      .responder_s = 14 * 86400,
                                      .listener_s = 90 * 86400};
    role->config.issuers[0] = (struct ca_issuer){.id = "ec-g1", .issues = KEY_EC};
    role->responder_spki[0] = buf_span(&spki);
    cr_assert_eq(catalogue_load("installed", (struct span){0}, &role->catalogue, NULL, &f), OK, "%s",
                 f.detail);
    need_approval();
    let_all_in();
    cr_assert_eq(wire_pair(api), OK);
    cr_assert_eq(wire_pair(port), OK);
    cr_assert_eq(wire_pair(desk), OK);
    role->api_fd = api[1];
    role->port_fd = port[0];
    role->desk_fd = desk[1];
    signer = (struct played_signer){.fd = port[1]};
    pthread_create(&signer_thread, NULL, played_signer_run, &signer);
}

static void start(void)
{
    pthread_create(&ca_thread, NULL, turn, NULL);
}

static void teardown(void)
{
    char command[128];

    close(api[0]);
    pthread_join(ca_thread, NULL);
    pthread_join(signer_thread, NULL);
    store_close(reader);
    catalogue_free(&role->catalogue);
    free(role);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
    buf_free(&spki);
    buf_free(&subject);
    buf_free(&requester);
    buf_free(&issuer_certificate);
}

TestSuite(approval, .init = setup, .fini = teardown, .timeout = 60);

/* ---- asking ---- */

static const struct san sans[] = {{SAN_DNS, {(const uint8_t *)"a.example.com", 13}}};

static struct facts facts_of(const char *csr)
{
    return (struct facts){.csr = span_str(csr),
                          .subject = buf_span(&requester),
                          .spki = buf_span(&spki),
                          .cn = span_str("a.example.com"),
                          .subject_text = span_str("CN=a.example.com"),
                          .signature_hash = HASH_SHA256,
                          .has_san = true,
                          .sans = (struct san *)(uintptr_t)sans,
                          .san_count = 1};
}

struct question {
    const char *asker, *csr;
    uint8_t key, body;
};

static void send_issue(const struct question *q)
{
    uint8_t key[HASH_LEN] = {q->key}, body[HASH_LEN] = {q->body};
    struct facts f = facts_of(q->csr);
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    buf_put_u8(&b, ASK_ISSUE);
    buf_put_u64(&b, 1);
    buf_put_blob(&b, span_str(q->asker));
    buf_put_blob(&b, span_str(PROFILE));
    buf_put_u32(&b, 0);
    buf_put_u8(&b, 0);
    buf_put(&b, key, sizeof key);
    buf_put(&b, body, sizeof body);
    facts_write(&b, &f);
    cr_assert_eq(wire_send(api[0], buf_span(&b)), OK);
    buf_free(&b);
}

static void send_decision(enum ask_kind kind, const char *who, const uint8_t *id, const char *reason)
{
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    buf_put_u8(&b, (uint8_t)kind);
    buf_put_u64(&b, 2);
    buf_put_blob(&b, span_str(who));
    buf_put(&b, id, REQUEST_ID_LEN);
    if (kind == ASK_DENY)
        buf_put_blob(&b, span_str(reason));
    cr_assert_eq(wire_send(api[0], buf_span(&b)), OK);
    buf_free(&b);
}

struct reply {
    enum err err;
    char detail[256];
    bool repeated;
    uint8_t id[REQUEST_ID_LEN], serial[SERIAL_LEN];
    size_t findings;
};

static struct reply receive(void)
{
    static uint8_t octets[WIRE_MSG_MAX];
    static struct findings fs;
    struct reply out = {0};
    struct span s;
    struct rd r;
    uint8_t kind;

    cr_assert_eq(wire_receive(api[0], octets, sizeof octets, &s), OK);
    r = rd_of(s);
    kind = rd_u8(&r);
    (void)rd_u64(&r);
    out.err = (enum err)rd_u8(&r);
    cr_assert(span_to_str(rd_blob(&r), out.detail, sizeof out.detail));
    if (kind != ASK_DENY) {
        cr_assert(findings_read(&r, &fs));
        out.findings = fs.count;
        findings_free(&fs);
    }
    if (out.err == ERR_PENDING)
        rd_copy(&r, out.id, REQUEST_ID_LEN);
    if (out.err == OK && kind != ASK_DENY) {
        rd_copy(&r, out.serial, SERIAL_LEN);
        (void)rd_u16(&r);
        out.repeated = rd_u8(&r) != 0;
        cr_assert_gt(rd_blob(&r).len, 0);
    }
    cr_assert(rd_done(&r));
    return out;
}

static struct reply issue(const char *asker, const char *csr, uint8_t key, uint8_t body)
{
    send_issue(&(struct question){asker, csr, key, body});
    return receive();
}

static struct reply approve(const char *who, const uint8_t *id)
{
    send_decision(ASK_APPROVE, who, id, NULL);
    return receive();
}

static struct reply deny(const char *who, const uint8_t *id, const char *reason)
{
    send_decision(ASK_DENY, who, id, reason);
    return receive();
}

static struct view *look(void)
{
    struct view *v;

    if (reader == NULL)
        cr_assert_eq(store_open(dir, STORE_READ, 0, &reader, NULL), OK);
    cr_assert_eq(view_open(reader, &v), OK);
    return v;
}

/* Spans in it are gone. */
static struct request stored(const uint8_t *id)
{
    struct view *v = look();
    struct request r;

    cr_assert_eq(request_find(v, id, &r), OK);
    view_close(v);
    return r;
}

static bool count_kind(const struct audit_row *r, void *arg)
{
    ((unsigned *)arg)[r->kind]++;
    return true;
}

static void audit_kinds(unsigned kinds[static 32])
{
    struct view *v = look();

    memset(kinds, 0, 32 * sizeof *kinds);
    cr_assert_eq(audit_each(v, 0, count_kind, kinds), OK);
    cr_assert_eq(audit_verify(v, NULL), OK);
    view_close(v);
}

static uint64_t certificates(void)
{
    struct view *v = look();
    struct store_counts c;

    cr_assert_eq(store_count(v, &c), OK);
    view_close(v);
    return c.certificates;
}

static bool same_id(const struct reply *a, const struct reply *b)
{
    return memcmp(a->id, b->id, REQUEST_ID_LEN) == 0;
}

/* ---- claims ---- */

Test(approval, what_needs_one_waits_and_is_issued_when_approved)
{
    struct reply asked, approved;
    struct request r;
    struct cert c;
    struct view *v;
    unsigned kinds[32];
    uint64_t before;

    start();
    asked = issue(ASKER, "csr", 0, 0);
    before = certificates();
    cr_assert_eq(asked.err, ERR_PENDING);
    r = stored(asked.id);
    cr_assert_eq(r.state, REQUEST_PENDING);
    cr_assert_str_eq(r.asker, ASKER);
    cr_assert_eq(r.expires_at_s - r.asked_at_s, WEEK_S);
    approved = approve(OTHER, asked.id);
    cr_assert_eq(approved.err, OK, "%s", approved.detail);
    cr_assert_eq(certificates(), before + 1);
    r = stored(asked.id);
    cr_assert_eq(r.state, REQUEST_APPROVED);
    cr_assert_str_eq(r.decided_by, OTHER);
    cr_assert_arr_eq(r.serial, approved.serial, SERIAL_LEN);
    v = look();
    cr_assert_eq(cert_find(v, approved.serial, &c), OK);
    cr_assert_str_eq(c.requester, ASKER, "who asked, not who approved");
    cr_assert_str_eq(c.profile, PROFILE);
    cr_assert(span_eq(c.csr, span_str("csr")));
    view_close(v);
    audit_kinds(kinds);
    cr_assert(kinds[AUDIT_REQUEST] == 1 && kinds[AUDIT_APPROVE] == 1 && kinds[AUDIT_ISSUE] == 1);
    cr_assert_eq(approve(OTHER, asked.id).err, ERR_CONFLICT, "once");
    cr_assert_eq(deny(OTHER, asked.id, "late").err, ERR_CONFLICT);
    cr_assert_eq(certificates(), before + 1);
}

Test(approval, the_asker_cannot_approve_but_may_take_it_back)
{
    struct reply asked, r;

    start();
    asked = issue(ASKER, "csr", 0, 0);
    r = approve(ASKER, asked.id);
    cr_assert_eq(r.err, ERR_FORBIDDEN);
    cr_assert_not_null(strstr(r.detail, "somebody else"));
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    cr_assert_eq(deny(ASKER, asked.id, "a mistake").err, OK);
    cr_assert_eq(stored(asked.id).state, REQUEST_DENIED);
}

Test(approval, two_certificates_of_one_person_are_two_eyes)
{
    struct reply asked;

    start();
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(approve(TWIN, asked.id).err, ERR_FORBIDDEN);
    cr_assert_eq(approve(OTHER, asked.id).err, OK);
}

Test(approval, a_requester_decides_nothing_but_may_take_back)
{
    struct reply asked, own;

    start();
    asked = issue(ASKER, "csr", 0, 0);
    own = issue(COLLEAGUE, "csr", 0, 0);
    cr_assert_eq(approve(COLLEAGUE, asked.id).err, ERR_FORBIDDEN);
    cr_assert_eq(deny(COLLEAGUE, asked.id, "not mine").err, ERR_FORBIDDEN);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    cr_assert_eq(deny(COLLEAGUE, own.id, "a mistake").err, OK);
    cr_assert_eq(stored(own.id).state, REQUEST_DENIED);
}

Test(approval, what_a_scope_does_not_cover_is_not_there)
{
    struct reply asked, again;
    unsigned kinds[32];

    start();
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(deny(OUTSIDE, asked.id, "not mine").err, ERR_NOT_FOUND);
    cr_assert_eq(approve(OUTSIDE, asked.id).err, ERR_NOT_FOUND);
    cr_assert_eq(deny(ELSEWHERE, asked.id, "not mine").err, ERR_NOT_FOUND);
    cr_assert_eq(approve(ELSEWHERE, asked.id).err, ERR_NOT_FOUND);
    cr_assert_eq(stored(asked.id).state, REQUEST_PENDING);
    audit_kinds(kinds);
    cr_assert_eq(kinds[AUDIT_DENY], 0);
    cr_assert_eq(deny(INSIDE, asked.id, "no").err, OK);
    cr_assert_eq(deny(OUTSIDE, asked.id, "no").err, ERR_NOT_FOUND, "nor what became of it");
    again = issue(ASKER, "again", 0, 0);
    cr_assert_eq(approve(INSIDE, again.id).err, OK);
}

Test(approval, who_is_on_the_machine_may_approve_anything)
{
    struct reply asked;

    start();
    asked = issue("uid:0", "csr", 0, 0);
    cr_assert_eq(approve("uid:0", asked.id).err, OK);
    asked = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(approve("uid:0", asked.id).err, OK);
}

Test(approval, the_same_again_is_the_same_request)
{
    struct reply first, again, other;

    start();
    first = issue(ASKER, "csr", 0, 0);
    again = issue(ASKER, "csr", 0, 0);
    cr_assert(again.err == ERR_PENDING && same_id(&first, &again));
    again = issue(ASKER, "csr", 5, 1);
    cr_assert(again.err == ERR_PENDING && same_id(&first, &again), "under a key too");
    other = issue(OTHER, "csr", 0, 0);
    cr_assert(other.err == ERR_PENDING && !same_id(&first, &other), "of another asker");
    other = issue(ASKER, "another csr", 0, 0);
    cr_assert(other.err == ERR_PENDING && !same_id(&first, &other));
    cr_assert_eq(deny(OTHER, first.id, "no").err, OK);
    again = issue(ASKER, "csr", 0, 0);
    cr_assert(again.err == ERR_PENDING && !same_id(&first, &again), "once decided it is asked anew");
}

Test(approval, an_idempotency_key_leads_from_waiting_to_the_certificate)
{
    struct reply first, again, approved;

    start();
    first = issue(ASKER, "csr", 9, 1);
    again = issue(ASKER, "csr", 9, 1);
    cr_assert(again.err == ERR_PENDING && same_id(&first, &again));
    cr_assert_eq(issue(ASKER, "csr", 9, 2).err, ERR_POLICY, "another body");
    cr_assert_eq(issue(ASKER, "csr", 10, 3).err, ERR_PENDING);
    approved = approve(OTHER, first.id);
    cr_assert_eq(approved.err, OK);
    again = issue(ASKER, "csr", 9, 1);
    cr_assert(again.err == OK && again.repeated);
    cr_assert_arr_eq(again.serial, approved.serial, SERIAL_LEN);
    again = issue(ASKER, "csr", 10, 3);
    cr_assert(again.err == OK && again.repeated, "every key under which it was asked");
    cr_assert_eq(issue(ASKER, "csr", 9, 2).err, ERR_POLICY);
}

Test(approval, an_idempotency_key_leads_to_the_denial)
{
    struct reply first, again;

    start();
    first = issue(ASKER, "csr", 9, 1);
    cr_assert_eq(deny(OTHER, first.id, "not ours").err, OK);
    again = issue(ASKER, "csr", 9, 1);
    cr_assert_eq(again.err, ERR_POLICY);
    cr_assert_not_null(strstr(again.detail, "not ours"));
}

Test(approval, one_turn_decides_once)
{
    enum err errs[4];
    struct reply first;
    uint64_t before;
    int fine = 0;

    send_issue(&(struct question){ASKER, "csr", 0, 0});
    send_issue(&(struct question){ASKER, "csr", 0, 0});
    send_issue(&(struct question){ASKER, "csr", 7, 1});
    send_issue(&(struct question){ASKER, "csr", 7, 1});
    start();
    first = receive();
    for (int i = 0; i < 3; i++) {
        struct reply r = receive();

        cr_assert(r.err == ERR_PENDING && same_id(&r, &first));
    }
    before = certificates();
    for (int i = 0; i < 3; i++)
        send_decision(ASK_APPROVE, OTHER, first.id, NULL);
    send_decision(ASK_DENY, OTHER, first.id, "no");
    for (int i = 0; i < 4; i++) {
        errs[i] = receive().err;
        fine += errs[i] == OK;
        cr_assert(errs[i] == OK || errs[i] == ERR_CONFLICT);
    }
    cr_assert_eq(fine, 1, "whichever is recorded first: a denial need not wait for a signature");
    cr_assert_eq(certificates(), before + (stored(first.id).state == REQUEST_APPROVED));
    cr_assert_neq(stored(first.id).state, REQUEST_PENDING);
}

Test(approval, what_is_not_there_is_not_found)
{
    uint8_t id[REQUEST_ID_LEN] = {1};

    start();
    cr_assert_eq(approve(OTHER, id).err, ERR_NOT_FOUND);
    cr_assert_eq(deny(OTHER, id, "no").err, ERR_NOT_FOUND);
}

/* ---- what was there before ---- */

static const uint8_t old_id[REQUEST_ID_LEN] = {1}, long_id[REQUEST_ID_LEN] = {2},
                     foreign_id[REQUEST_ID_LEN] = {3};
static uint8_t overdue_id[REQUEST_ID_LEN];

static void add_row(struct txn *t, const uint8_t *id, uint32_t days, int64_t expires_at_s, struct span facts)
{
    struct request r = {.profile = PROFILE,
                        .asker = ASKER,
                        .days = days,
                        .facts = facts,
                        .asked_at_s = clock_now_s() - WEEK_S,
                        .expires_at_s = expires_at_s};

    memcpy(r.id, id, REQUEST_ID_LEN);
    memcpy(r.same, id, REQUEST_ID_LEN);
    request_add(t, &r);
}

static void add_rows(struct txn *t)
{
    struct facts f = facts_of("csr");
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &f);
    add_row(t, old_id, 0, clock_now_s() - 1, buf_span(&b));
    add_row(t, long_id, 36500, clock_now_s() + 1000, buf_span(&b));
    add_row(t, foreign_id, 0, clock_now_s() + 1000, span_str("facts of another version"));
    buf_free(&b);
}

Test(approval, what_has_expired_cannot_be_decided)
{
    with_store(add_rows, STORE_WRITE);
    start();
    cr_assert_eq(approve(OTHER, old_id).err, ERR_CONFLICT);
    cr_assert_eq(deny(OTHER, old_id, "no").err, ERR_CONFLICT);
    cr_assert_eq(stored(old_id).state, REQUEST_PENDING, "until the upkeep comes");
}

Test(approval, the_rules_are_those_of_now)
{
    struct reply r;
    unsigned kinds[32];

    with_store(add_rows, STORE_WRITE);
    start();
    r = approve(OTHER, long_id);
    cr_assert_eq(r.err, ERR_POLICY, "36500 days");
    cr_assert_gt(r.findings, 0);
    cr_assert_eq(stored(long_id).state, REQUEST_PENDING);
    audit_kinds(kinds);
    cr_assert_eq(kinds[AUDIT_REFUSE], 1);
    cr_assert_eq(kinds[AUDIT_APPROVE], 0);
}

Test(approval, facts_that_cannot_be_read_are_refused_and_can_be_denied)
{
    with_store(add_rows, STORE_WRITE);
    start();
    cr_assert_eq(approve(OTHER, foreign_id).err, ERR_CONFLICT);
    cr_assert_eq(deny(INSIDE, foreign_id, "whose is it?").err, ERR_NOT_FOUND);
    cr_assert_eq(deny(OTHER, foreign_id, "ask again").err, OK);
}

static void expire(struct txn *t)
{
    struct request r;

    approval_expire(t, clock_now_s());
    cr_assert_eq(request_find(txn_view(t), old_id, &r), OK);
    cr_assert_eq(r.state, REQUEST_EXPIRED);
    cr_assert_str_eq(r.decided_by, "service");
    cr_assert_eq(request_find(txn_view(t), long_id, &r), OK);
    cr_assert_eq(r.state, REQUEST_PENDING);
}

Test(approval, upkeep_marks_what_nobody_decided)
{
    unsigned kinds[32];

    with_store(add_rows, STORE_WRITE);
    with_store(expire, STORE_WRITE);
    audit_kinds(kinds);
    cr_assert_eq(kinds[AUDIT_EXPIRE], 1);
    start();
    cr_assert_eq(approve(OTHER, old_id).err, ERR_CONFLICT);
}

/* Asked more than a week ago, and no upkeep came since. */
static void ask_long_ago(struct txn *t)
{
    struct facts f = facts_of("csr");
    struct ask a = {.kind = ASK_ISSUE, .principal = ASKER, .profile_id = PROFILE, .facts = f};
    struct buf b;

    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &f);
    a.facts_sent = buf_span(&b);
    approval_add(t, &a, clock_now_s() - WEEK_S - 1);
    memcpy(overdue_id, a.request_id, REQUEST_ID_LEN);
    buf_free(&b);
}

Test(approval, the_same_again_is_not_one_that_nobody_can_approve)
{
    struct reply again;
    unsigned kinds[32];

    with_store(ask_long_ago, STORE_WRITE);
    start();
    again = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(again.err, ERR_PENDING);
    cr_assert_neq(memcmp(again.id, overdue_id, REQUEST_ID_LEN), 0);
    cr_assert_eq(stored(overdue_id).state, REQUEST_EXPIRED);
    audit_kinds(kinds);
    cr_assert(kinds[AUDIT_EXPIRE] == 1 && kinds[AUDIT_REQUEST] == 2);
    cr_assert_eq(approve(OTHER, again.id).err, OK);
}

/* ---- texts that are cut ---- */

static bool is_text(struct span s)
{
    for (size_t n; s.len > 0; s = span_of(s.data + n, s.len - n))
        if ((n = utf8_next(s, NULL)) == 0)
            return false;
    return true;
}

static bool note_text(const struct audit_row *r, void *arg)
{
    *(bool *)arg = *(bool *)arg && is_text(r->detail);
    return true;
}

/* The 128th octet is within a character. */
static void ask_long_subject(struct txn *t)
{
    static char subject_text[200];
    struct facts f = facts_of("csr");
    struct ask a = {.kind = ASK_ISSUE, .principal = ASKER, .profile_id = PROFILE};

    memset(subject_text, 'a', 127);
    strcat(subject_text, "\xc3\xa9\xc3\xa9");
    f.subject_text = span_str(subject_text);
    a.facts = f;
    approval_add(t, &a, clock_now_s());
}

Test(approval, what_is_cut_for_the_audit_or_an_answer_stays_text)
{
    char reason[200] = "";
    struct reply first, again;
    bool is_fine = true;
    struct view *v;

    with_store(ask_long_subject, STORE_WRITE);
    start();
    memset(reason, 'a', 159);
    strcat(reason, "\xc3\xa9\xc3\xa9");
    first = issue(ASKER, "csr 2", 9, 1);
    cr_assert_eq(deny(OTHER, first.id, reason).err, OK);
    again = issue(ASKER, "csr 2", 9, 1);
    cr_assert_eq(again.err, ERR_POLICY);
    cr_assert(is_text(span_str(again.detail)), "%s", again.detail);
    v = look();
    cr_assert_eq(audit_each(v, 0, note_text, &is_fine), OK);
    view_close(v);
    cr_assert(is_fine);
}

/* A certificate on the key, which is revoked for keyCompromise in the turn of the approval. */
static void add_certificate(struct txn *t)
{
    struct cert c = {.serial = {1, 9},
                     .status = {.issuer_no = 1, .not_after_s = clock_now_s() + 1000},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .profile = PROFILE,
                     .requester = ASKER,
                     .subject = span_str("CN=a.example.com")};
    uint64_t number;

    sha256_of(buf_span(&spki), c.key_hash);
    sha256_of(c.der, c.fingerprint);
    cert_add(t, &c, &number);
}

static void add_waiting(struct txn *t)
{
    struct facts f = facts_of("csr");
    struct buf b;

    add_certificate(t);
    buf_init(&b, WIRE_MSG_MAX);
    facts_write(&b, &f);
    add_row(t, old_id, 0, clock_now_s() + 1000, buf_span(&b));
    buf_free(&b);
}

static void send_compromise(void)
{
    uint8_t serial[SERIAL_LEN] = {1, 9};
    struct buf b;

    buf_init(&b, 1024);
    buf_put_u8(&b, ASK_REVOKE);
    buf_put_u64(&b, 3);
    buf_put_blob(&b, span_str(OTHER));
    buf_put(&b, serial, SERIAL_LEN);
    buf_put_u8(&b, REASON_KEY_COMPROMISE);
    buf_put_i64(&b, NO_TIME);
    cr_assert_eq(wire_send(api[0], buf_span(&b)), OK);
    buf_free(&b);
}

Test(approval, a_key_compromised_in_the_same_turn_leaves_it_waiting)
{
    uint8_t octets[1024];
    struct span revoked;

    with_store(add_waiting, STORE_WRITE);
    send_compromise();
    send_decision(ASK_APPROVE, OTHER, old_id, NULL);
    start();
    cr_assert_eq(wire_receive(api[0], octets, sizeof octets, &revoked), OK);
    cr_assert_eq(receive().err, ERR_POLICY);
    cr_assert_eq(stored(old_id).state, REQUEST_PENDING);
}

static void add_thousand(struct txn *t)
{
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t id[REQUEST_ID_LEN] = {9, (uint8_t)(i >> 8), (uint8_t)i};

        add_row(t, id, 0, clock_now_s() + 1000 + i, span_str("facts"));
    }
}

static void expire_thousand(struct txn *t)
{
    unsigned waiting;

    approval_expire(t, clock_now_s() + 5000);
    cr_assert_eq(request_count(txn_view(t), ASKER, 2000, &waiting), OK);
    cr_assert(waiting > 0 && waiting < 1000, "a slice at a time: %u", waiting);
    for (int i = 0; i < 9; i++)
        approval_expire(t, clock_now_s() + 5000);
    cr_assert_eq(request_count(txn_view(t), ASKER, 2000, &waiting), OK);
    cr_assert_eq(waiting, 0);
}

Test(approval, one_asker_has_no_more_than_a_thousand)
{
    struct reply r;

    with_store(add_thousand, STORE_WRITE);
    start();
    r = issue(ASKER, "csr", 0, 0);
    cr_assert_eq(r.err, ERR_CONFLICT);
    cr_assert_not_null(strstr(r.detail, "1000"));
    cr_assert_eq(issue(OTHER, "csr", 0, 0).err, ERR_PENDING);
}

Test(approval, upkeep_goes_by_slices)
{
    with_store(add_thousand, STORE_WRITE);
    with_store(expire_thousand, STORE_WRITE);
    start();
    cr_assert_eq(issue(ASKER, "csr", 0, 0).err, ERR_PENDING);
}
