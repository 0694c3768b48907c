/* SPDX-License-Identifier: Apache-2.0 */
/* Whom does a list answer that is recorded while clients wait for one, and under whose name is it in the
 * audit? The test is the crl role. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/desk.h"
#include "store/inner.h"
#include "tests/unit/ca/idle.h"
#include "tests/unit/ca/played.h"

#define NOW 1800000000

static int api[2], desk[2];
static struct ca *const ca = &idle.ca;
static struct buf spki, subject, certificate;
static uint8_t revocations; /* serials so far */

/* ---- a ca with one issuer ---- */

static void setup(void)
{
    struct txn *t;

    revocations = 0;
    idle_open();
    buf_init(&subject, 4096);
    name_write(&subject, "Example UC", "Issuer");
    played_key(&spki);
    t = idle_begin();
    played_issuer(t, buf_span(&subject), buf_span(&spki), NOW - 86400, NOW + 86400 * 400, &certificate);
    idle_commit(t);
    cr_assert_eq(wire_pair(api), OK);
    cr_assert_eq(wire_pair(desk), OK);
    idle.role.api_fd = api[1];
    idle.role.desk_fd = desk[1];
    idle.role.config = (struct ca_config){.count = 1, .public_url = "http://a"};
    idle.role.config.issuers[0] = (struct ca_issuer){.id = "ec-g1", .issues = KEY_EC};
    cr_assert_eq(issuing_load(ca, &(struct fault){0}), OK);
}

static void teardown(void)
{
    issuing_free(ca);
    idle_close();
    for (int i = 0; i < 2; i++) {
        close(api[i]);
        close(desk[i]);
    }
    buf_free(&spki);
    buf_free(&subject);
    buf_free(&certificate);
}

TestSuite(publish, .init = setup, .fini = teardown);

/* ---- the parts of others ---- */

static void revoke_one(void)
{
    struct cert c = {.serial = {1, ++revocations},
                     .status = {.issuer_no = 1, .not_after_s = NOW + 86400},
                     .key_type = KEY_EC,
                     .key_bits = 256,
                     .requester = "a",
                     .profile = "ucm/tomcat",
                     .der = span_str("certificate")};
    struct txn *t = idle_begin();
    uint64_t number;

    cert_add(t, &c, &number);
    cert_revoke(t, c.serial, REASON_SUPERSEDED, NOW, NO_TIME);
    idle_commit(t);
}

/* Somebody asks, under the number as a name as well. */
static void ask(uint64_t number)
{
    char name[32];
    struct ask *a;
    struct buf b;

    snprintf(name, sizeof name, "uid:%llu", (unsigned long long)number);
    buf_init(&b, 1024);
    buf_put_u8(&b, ASK_PUBLISH);
    buf_put_u64(&b, number);
    buf_put_blob(&b, span_str(name));
    buf_put_blob(&b, span_str("ec-g1"));
    a = ask_read(memcpy(malloc(b.len), b.data, b.len), b.len);
    buf_free(&b);
    cr_assert_not_null(a);
    if (!publish_ask(ca, a))
        ask_settle(ca, a);
}

static enum err refusal; /* of whoever was answered last */

/* Who is answered next, with this list; 0: nobody. */
static uint64_t answered(uint64_t *crl_number)
{
    uint8_t frame[1024];
    struct span s;
    struct rd r;
    uint64_t number;

    if (wire_try_receive(api[0], frame, sizeof frame, &s) != OK)
        return 0;
    r = rd_of(s);
    cr_assert_eq(rd_u8(&r), ASK_PUBLISH);
    number = rd_u64(&r);
    refusal = (enum err)rd_u8(&r);
    rd_blob(&r);
    *crl_number = refusal == OK ? rd_u64(&r) : 0;
    return number;
}

static void expect_answer(uint64_t number, uint64_t crl_number)
{
    uint64_t crl = 0;

    cr_assert_eq(answered(&crl), number);
    cr_assert_eq(refusal, OK);
    cr_assert_eq(crl, crl_number);
}

static void expect_no_answer(void)
{
    cr_assert_eq(answered(&(uint64_t){0}), 0);
}

struct asked {
    uint64_t number, changes;
};

/* What the crl role is asked for next; number 0: nothing. */
static struct asked asked(void)
{
    struct asked out = {0};
    uint8_t frame[1024];
    struct span s;
    struct rd r;

    if (wire_try_receive(desk[0], frame, sizeof frame, &s) != OK)
        return out;
    r = rd_of(s);
    cr_assert_eq(rd_u8(&r), DESK_PUBLISH);
    out.number = rd_u64(&r);
    cr_assert(span_eq(rd_blob(&r), span_str("ec-g1")));
    cr_assert_eq(rd_u8(&r), CAUSE_REQUEST);
    out.changes = rd_u64(&r);
    cr_assert(rd_done(&r));
    return out;
}

static void settle(struct desk_note *n)
{
    struct txn *t = idle_begin();
    uint8_t frame[1024];
    struct span s;

    publish_record(ca, t, n, NOW);
    idle_commit(t);
    while (wire_try_receive(desk[0], frame, sizeof frame, &s) == OK)
        ; /* what was asked for and not looked at */
    publish_settle(ca, n);
    cr_assert_eq(wire_receive(desk[0], frame, sizeof frame, &s), OK);
}

/* A run begins; gives its number and what its view holds. */
static struct crl_part begin(void)
{
    struct desk_note n = {.kind = DESK_RESERVE, .number = 1, .issuer_id = "ec-g1"};
    struct crl_part p = {.shard = SHARD_ALL, .shown_s = NO_TIME};
    struct crl_track track;
    struct view *v = NULL;

    settle(&n);
    v = idle_look();
    cr_assert_eq(crl_track_find(v, 1, &track), OK);
    view_close(v);
    p.state = n.part.state;
    p.state.this_update_s = NOW;
    p.state.next_update_s = NOW + 86400;
    p.changes = track.changes;
    return p;
}

static void record(struct crl_part p, const char *cause)
{
    struct desk_note n = {.kind = DESK_RECORD, .number = 2, .issuer_id = "ec-g1", .part = p};

    strcpy(n.text, cause);
    settle(&n);
}

static void done(uint64_t number, uint64_t crl_number)
{
    struct desk_note n = {.kind = DESK_DONE, .number = number, .part.state.number = crl_number};

    publish_settle(ca, &n);
}

static bool keep_actor(const struct audit_row *r, void *arg)
{
    return r->kind != AUDIT_CRL || span_to_str(r->actor, arg, 64);
}

/* Of the newest publication in the audit. */
static const char *actor(void)
{
    static char name[64];
    struct view *v = NULL;

    name[0] = '\0';
    v = idle_look();
    cr_assert_eq(audit_each(v, 1, keep_actor, name), OK);
    view_close(v);
    return name;
}

/* ---- who is answered ---- */

Test(publish, a_run_that_shows_all_there_is_answers_who_came_after_its_begin)
{
    struct crl_part run;
    struct asked first;

    revoke_one();
    run = begin();
    ask(1);
    first = asked();
    cr_assert_eq(first.changes, 1);
    ask(2);
    expect_no_answer();
    record(run, "schedule");
    expect_answer(1, run.state.number);
    expect_answer(2, run.state.number);
    done(first.number, run.state.number);
    expect_no_answer();
    cr_assert_eq(asked().number, 0, "nobody waits");
    ask(3);
    cr_assert_neq(asked().number, 0, "a list that was out before is none");
    expect_no_answer();
}

Test(publish, a_run_that_began_before_a_revocation_answers_nobody_who_may_know_of_it)
{
    struct crl_part early, late;
    struct asked first, second;

    early = begin();
    ask(1);
    first = asked();
    revoke_one();
    ask(2);
    record(early, "schedule");
    expect_answer(1, early.state.number);
    expect_no_answer();
    done(first.number, early.state.number);
    second = asked();
    cr_assert_eq(second.changes, 1);
    late = begin();
    record(late, "request");
    expect_answer(2, late.state.number);
    expect_no_answer();
}

Test(publish, neither_a_delta_nor_a_shard_answers)
{
    struct crl_part run = begin(), delta = run, shard = run;

    delta.is_delta = true;
    shard.shard = 16;
    ask(1);
    record(shard, "schedule");
    expect_no_answer();
    record(run, "schedule"); /* a delta needs one to go with */
    expect_answer(1, run.state.number);
    ask(2);
    delta.state.number = begin().state.number;
    record(delta, "schedule");
    expect_no_answer();
}

/* Its number is answered by the crl role, whatever else was recorded. */
Test(publish, a_failure_is_told_to_those_it_was_asked_for)
{
    struct desk_note n = {.kind = DESK_DONE, .err = ERR_IO};
    uint8_t frame[1024];
    struct span s;
    struct rd r;

    ask(1);
    n.number = asked().number;
    ask(2);
    publish_settle(ca, &n);
    cr_assert_eq(wire_try_receive(api[0], frame, sizeof frame, &s), OK);
    r = rd_of(s);
    rd_u8(&r);
    cr_assert_eq(rd_u64(&r), 1);
    cr_assert_eq(rd_u8(&r), ERR_IO);
    expect_no_answer();
    cr_assert_neq(asked().number, 0);
}

/* ---- under whose name ---- */

Test(publish, what_the_schedule_makes_is_the_service_s_whoever_waits)
{
    struct crl_part run = begin(), delta;

    ask(5);
    record(run, "schedule");
    cr_assert_str_eq(actor(), "service");
    ask(6);
    delta = begin();
    delta.is_delta = true;
    record(delta, "schedule");
    cr_assert_str_eq(actor(), "service");
    record(begin(), "revocation");
    cr_assert_str_eq(actor(), "service");
}

Test(publish, what_was_asked_for_is_the_asker_s)
{
    struct crl_part run;

    ask(5);
    ask(6);
    run = begin();
    record(run, "request");
    cr_assert_str_eq(actor(), "uid:5");
}

/* ---- damage ---- */

/* A second issuer, whose rows are whole. */
static void add_issuer(void)
{
    struct issuer i = {.id = "ec-g2", .certificate = buf_span(&certificate)};
    struct txn *t = idle_begin();
    uint16_t no;

    issuer_add(t, &i, &no);
    idle_commit(t);
    idle.role.config.count = 2;
    idle.role.config.issuers[1] = (struct ca_issuer){.id = "ec-g2"};
    issuing_free(ca);
    cr_assert_eq(issuing_load(ca, &(struct fault){0}), OK);
}

/* The first issuer's; "": as it was at first. */
static void set_track(const char *row)
{
    struct key key = key_of_issuer(1);
    struct txn *t = idle_begin();

    key_put_u16(&key, 0);
    key_put_u8(&key, 0);
    if (*row != '\0')
        table_set(t, TABLE_CRL_PART, key_span(&key), span_str(row));
    else
        table_remove(t, TABLE_CRL_PART, key_span(&key));
    idle_commit(t);
}

/* A publication that is asked for; number 0: none. */
struct nudged {
    uint64_t number, changes;
    char id[ISSUER_ID_MAX];
    enum desk_cause cause;
};

static struct nudged take_nudged(void)
{
    struct nudged n = {0};
    uint8_t frame[1024];
    struct span s;
    struct rd r;

    if (wire_try_receive(desk[0], frame, sizeof frame, &s) != OK)
        return n;
    r = rd_of(s);
    cr_assert_eq(rd_u8(&r), DESK_PUBLISH);
    n.number = rd_u64(&r);
    cr_assert(span_to_str(rd_blob(&r), n.id, sizeof n.id));
    n.cause = (enum desk_cause)rd_u8(&r);
    n.changes = rd_u64(&r);
    cr_assert(rd_done(&r));
    return n;
}

static char *next_nudged(char out[static ISSUER_ID_MAX])
{
    return strcpy(out, take_nudged().id);
}

/* Behind one that is under way: what is asked for once that is done. */
static struct nudged nudged_behind(void (*due)(void))
{
    struct nudged first;

    publish_nudge(ca, 1);
    first = take_nudged();
    cr_assert_eq(first.cause, CAUSE_REVOCATION);
    due();
    cr_assert_eq(take_nudged().number, 0);
    done(first.number, 1);
    return take_nudged();
}

static void revoke_more(void)
{
    publish_nudge(ca, 1);
}

static void rename_and_revoke(void)
{
    publish_renamed_deltas(ca, ca->next_desk_number);
    publish_nudge(ca, 1);
}

Test(publish, what_waits_for_another_run_keeps_its_cause)
{
    struct nudged n;

    idle.role.publish_on_revocation = true;
    idle.role.config.issuers[0].has_deltas = true;
    n = nudged_behind(revoke_more);
    cr_assert_eq(n.cause, CAUSE_REVOCATION);
    cr_assert_lt(n.changes, UINT64_MAX);
    done(n.number, 2);
    n = nudged_behind(rename_and_revoke);
    cr_assert_eq(n.cause, CAUSE_CONFIGURATION);
    cr_assert_eq(n.changes, UINT64_MAX, "a list under way may name the old address");
    done(n.number, 3);
    cr_assert_eq(take_nudged().number, 0);
}

/* One that failed is asked for again by the upkeep. */
Test(publish, what_failed_keeps_its_cause)
{
    struct desk_note failed = {.kind = DESK_DONE, .err = ERR_INTERNAL};

    idle.role.config.issuers[0].has_deltas = true;
    publish_moved(ca, 0);
    failed.number = take_nudged().number;
    publish_settle(ca, &failed);
    publish_nudge_due(ca);
    cr_assert_eq(take_nudged().cause, CAUSE_CONFIGURATION);
}

Test(publish, who_asks_for_an_issuer_whose_changes_are_damaged_is_refused)
{
    set_track("bent");
    ask(1);
    cr_assert_eq(answered(&(uint64_t){0}), 1);
    cr_assert_eq(refusal, ERR_INTERNAL);
    cr_assert_str_neq(idle_alarm("crl.track"), "");
    cr_assert_eq(asked().number, 0);
    set_track("");
    ask(2);
    expect_no_answer(); /* it waits for a list */
    cr_assert_neq(asked().number, 0);
    cr_assert_str_eq(idle_alarm("crl.track"), "");
}

Test(publish, an_issuer_whose_changes_are_damaged_holds_up_no_other)
{
    char id[ISSUER_ID_MAX];

    idle.role.publish_on_revocation = true;
    add_issuer();
    set_track("bent");
    publish_begin(ca);
    publish_nudge(ca, 1);
    cr_assert_str_eq(next_nudged(id), "");
    publish_nudge(ca, 2);
    cr_assert_str_eq(next_nudged(id), "ec-g2");
    cr_assert_str_neq(idle_alarm("crl.track"), "");
    set_track("");
    publish_nudge_due(ca);
    cr_assert_str_eq(next_nudged(id), "ec-g1", "what was not asked for is asked for when it can be read");
}

Test(publish, an_issuer_with_shards_starts_with_damaged_changes)
{
    idle.role.config.issuers[0].shards = 4;
    set_track("bent");
    issuing_free(ca);
    cr_assert_eq(issuing_load(ca, &(struct fault){0}), OK);
    cr_assert_str_neq(idle_alarm("crl.track"), "");
}

Test(publish, an_issuer_for_keys_that_are_not_like_its_own_does_not_start)
{
    struct ca_config crossed = idle.role.config;
    struct fault f = {0};

    crossed.issuers[0].issues = KEY_RSA;
    cr_assert(issuing_would_start(ca, &idle.role.config, &f));
    cr_assert(!issuing_would_start(ca, &crossed, &f));
    issuing_free(ca);
    idle.role.config = crossed;
    f = (struct fault){0};
    cr_assert_eq(issuing_load(ca, &f), ERR_CONFIG);
    cr_assert_str_eq(f.detail, "issuer ec-g1 has an EC key and issues=\"rsa\"");
}

/* A service under other addresses than ever. */
static enum err move_house(unsigned n)
{
    snprintf(idle.role.config.public_url, sizeof idle.role.config.public_url, "http://host%u", n);
    return issuing_set_urls(ca, &(struct fault){0});
}

Test(publish, a_ninth_address_is_refused_for_shards_that_certificates_are_issued_to_alone)
{
    struct crl_track track;
    struct view *v;

    idle.role.config.issuers[0].shards = 4;
    for (unsigned n = 1; n <= SHARD_URLS_MAX; n++)
        cr_assert_eq(move_house(n), OK, "%u", n);
    cr_expect_eq(move_house(9), ERR_TOO_LARGE);
    idle.role.config.issuers[0].issues = KEY_NONE;
    cr_expect_eq(move_house(9), OK, "nothing more names them: it was renewed");
    v = idle_look();
    cr_assert_eq(crl_track_find(v, 1, &track), OK);
    cr_expect(crl_shards_used(&track, 4, "http://host8"), "what was named stays");
    cr_expect(!crl_shards_used(&track, 4, "http://host9"));
    view_close(v);
}

Test(publish, an_issuer_whose_row_is_damaged_is_not_said_to_be_missing)
{
    struct key key = key_of_issuer(1);
    struct fault f = {0};
    struct txn *t;

    issuing_free(ca);
    idle.role.config.issuers[0] = (struct ca_issuer){.id = "ec-g9", .issues = KEY_EC};
    cr_assert_eq(issuing_load(ca, &f), ERR_CONFIG);
    cr_assert_not_null(strstr(f.detail, "not in the store"));
    t = idle_begin();
    table_set(t, TABLE_ISSUER, key_span(&key), span_str("bent"));
    idle_commit(t);
    f = (struct fault){0};
    cr_assert_eq(issuing_load(ca, &f), ERR_INTERNAL);
    cr_assert_not_null(strstr(f.detail, "cannot be read"), "%s", f.detail);
}
