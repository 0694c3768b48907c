/* SPDX-License-Identifier: Apache-2.0 */
/* Is a certificate asked for when one is needed, and only then, and does HTTPS start with it? The ca is
 * played here. */
#include "tests/unit/api/stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/wire.h"

static struct stage stage;
static struct buf keys[2];
static struct watch *ca_watch;
static struct timer *limit;
static unsigned asked;
static enum actor given; /* which certificate the played ca gives */
static bool is_refusing; /* or none */

static void in_home(const char *name, char out[static PATH_LEN_MAX])
{
    cr_assert_eq(path_join(out, stage.dir, name, NULL), OK);
}

static void make_keys(void)
{
    char path[PATH_LEN_MAX];

    buf_init(&keys[0], 65536); /* none for RSA: one key is enough */
    buf_init(&keys[1], 65536);
    forge_key_pem(stage.key, &keys[1]);
    stage.role.https_keys = keys;
    in_home("listener", path);
    cr_assert_eq(mkdir(path, 0700), 0);
    strcpy(stage.config.listener_dir, path);
}

static void check_facts(struct rd *r)
{
    struct san sans[SAN_COUNT_MAX];
    struct facts f;
    struct buf spki;

    buf_init(&spki, 65536);
    cr_assert(facts_read(r, &f, sans) && rd_done(r));
    cr_assert(span_eq(f.spki, forge_spki(stage.key, &spki)));
    cr_assert(span_eq(f.cn, span_str("ca.example.com")));
    cr_assert_eq(f.san_count, 2);
    cr_assert(sans[0].kind == SAN_DNS && span_eq(sans[0].value, span_str("a.example.com")));
    cr_assert(sans[1].kind == SAN_IP && sans[1].value.len == 4);
    buf_free(&spki);
}

static void on_question(void *arg)
{
    static const struct findings none;
    static uint8_t buffer[WIRE_MSG_MAX];
    struct buf message;
    struct span m;
    struct rd r;

    (void)arg;
    cr_assert_eq(wire_receive(stage.wire[1], buffer, sizeof buffer, &m), OK);
    r = rd_of(m);
    buf_init(&message, WIRE_MSG_MAX);
    cr_assert_eq(m.data[0], ASK_LISTENER);
    buf_put_u8(&message, rd_u8(&r));
    buf_put_u64(&message, rd_u64(&r));
    buf_put_u8(&message, is_refusing ? ERR_POLICY : OK);
    buf_put_blob(&message, span_str(""));
    findings_write(&message, &none);
    if (!is_refusing) {
        buf_put(&message, stage.serials[given], SERIAL_LEN);
        buf_put_u16(&message, 2);
        buf_put_u8(&message, 0);
        buf_put_blob(&message, buf_span(&stage.certs[given]));
    }
    check_facts(&r);
    asked++;
    cr_assert_eq(wire_send(stage.wire[1], buf_span(&message)), OK);
    buf_free(&message);
}

/* Until HTTPS is served, or 200 ms have shown that it will not be. */
static void on_limit(void *arg)
{
    static unsigned ticks;

    (void)arg;
    if ((stage.api.https != NULL && asked > 0) || ++ticks >= 20)
        loop_stop(stage.api.loop);
}

static void put_on_disk(enum actor a)
{
    char path[PATH_LEN_MAX];
    struct buf pem;

    buf_init(&pem, 65536);
    pem_put(&pem, "CERTIFICATE", buf_span(&stage.certs[a]));
    in_home("listener/ec.pem", path);
    cr_assert_eq(file_replace(path, buf_span(&pem), 0644, NULL), OK);
    buf_free(&pem);
}

static void setup(void)
{
    struct fault f = {0};

    stage_make(&stage);
    make_keys();
    /* the names that the stage's certificates have */
    strcpy(stage.config.ca.listener_names[0], "a.example.com");
    strcpy(stage.config.ca.listener_names[1], "192.0.2.1");
    given = ACTOR_LEAF;
    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &stage.role.https_fd, &f), OK, "%s", f.detail);
    stage.api.loop = loop_new();
    stage.api.asker = asker_new(stage.api.loop, stage.wire[0], 30000);
    ca_watch = watch_start(stage.api.loop, stage.wire[1], on_question, NULL);
}

static void run(void)
{
    stage.api.listener = listener_new(&stage.api);
    limit = timer_start(stage.api.loop, 10, 10, on_limit, NULL);
    loop_run(stage.api.loop);
}

static void teardown(void)
{
    timer_stop(limit);
    listener_free(stage.api.listener);
    watch_stop(ca_watch);
    asker_free(stage.api.asker);
    http_server_free(stage.api.https);
    loop_free(stage.api.loop);
    stage_free(&stage);
    buf_free(&keys[0]);
    buf_free(&keys[1]);
}

static const struct listener_kind *ec(void)
{
    return listener_kind_at(stage.api.listener, 1);
}

TestSuite(listener, .init = setup, .fini = teardown, .timeout = 60);

Test(listener, the_first_start_asks_writes_and_serves)
{
    char path[PATH_LEN_MAX];
    struct buf pem, der;

    run();
    cr_assert_eq(asked, 1);
    cr_assert_not_null(stage.api.https);
    cr_assert_eq(ec()->not_after_s, STAGE_NOW_S + DAY_S);
    cr_assert(ec()->is_usable && !ec()->is_failed);
    cr_assert_null(listener_kind_at(stage.api.listener, 0), "there is no RSA key");
    buf_init(&pem, 65536);
    buf_init(&der, 65536);
    in_home("listener/ec.pem", path);
    cr_assert_eq(file_read(path, &pem, NULL), OK);
    cr_assert_eq(pem_get(buf_span(&pem), "CERTIFICATE", &der), OK);
    cr_assert(span_eq(buf_span(&der), buf_span(&stage.certs[ACTOR_LEAF])));
    buf_free(&pem);
    buf_free(&der);
}

Test(listener, what_fits_is_kept)
{
    put_on_disk(ACTOR_LEAF);
    run();
    cr_assert_eq(asked, 0);
    cr_assert_not_null(stage.api.https);
}

static void expect_renewed(enum actor on_disk)
{
    put_on_disk(on_disk);
    run();
    cr_assert_eq(asked, 1);
    cr_assert_not_null(stage.api.https);
}

Test(listener, a_revoked_one_is_replaced)
{
    expect_renewed(ACTOR_REVOKED);
}

Test(listener, an_expired_one_is_replaced)
{
    expect_renewed(ACTOR_EXPIRED);
}

Test(listener, one_that_we_did_not_issue_is_replaced)
{
    expect_renewed(ACTOR_FOREIGN);
}

static int64_t late(void)
{
    return STAGE_NOW_S + DAY_S / 2; /* a quarter of its two days is left */
}

Test(listener, in_the_last_third_of_its_life_it_is_replaced_and_used_meanwhile)
{
    stage.api.now_s = late;
    put_on_disk(ACTOR_LEAF);
    stage.api.listener = listener_new(&stage.api);
    cr_assert_not_null(stage.api.https, "it still serves");
    limit = timer_start(stage.api.loop, 10, 10, on_limit, NULL);
    loop_run(stage.api.loop);
    cr_assert_eq(asked, 1);
}

Test(listener, other_names_in_the_configuration_replace_it)
{
    struct stage *s = &stage;

    put_on_disk(ACTOR_LEAF);
    s->api.listener = listener_new(&s->api);
    cr_assert_not_null(s->api.https);
    cr_assert_eq(ec()->not_after_s, STAGE_NOW_S + DAY_S);
    /* one name fewer than the certificate has */
    s->config.ca.listener_name_count = 1;
    watch_stop(ca_watch);
    ca_watch = NULL;
    limit = timer_start(s->api.loop, 50, 50, on_limit, NULL);
    asked = 1; /* so that the limit stops at its first tick */
    loop_run(s->api.loop);
    cr_assert_eq(asker_waiting(s->api.asker), 1, "it has asked");
}

Test(listener, a_damaged_file_is_replaced)
{
    char path[PATH_LEN_MAX];

    in_home("listener/ec.pem", path);
    cr_assert_eq(file_replace(path, span_str("-----BEGIN CERTIFICATE-----\nnonsense\n"), 0644, NULL), OK);
    run();
    cr_assert_eq(asked, 1);
    cr_assert_not_null(stage.api.https);
}

/* ---- when no other comes ---- */

static bool keep_alarm(const struct alarm_shown *a, void *arg)
{
    size_t len = strlen(arg);

    snprintf((char *)arg + len, 400 - len, "%d %s %s: %.100s;", (int)a->level, a->code, a->subject,
             a->detail);
    return true;
}

static const char *alarms(void)
{
    static char text[400];

    text[0] = '\0';
    board_each_alarm(stage.role.board, keep_alarm, text);
    return text;
}

static void on_answered(void *arg)
{
    (void)arg;
    if (asked > 0 && asker_waiting(stage.api.asker) == 0)
        loop_stop(stage.api.loop);
}

/* One more look at what is there, until the ca has said something to it. */
static void look_again(void)
{
    asked = 0;
    listener_reload(stage.api.listener);
    loop_run(stage.api.loop);
}

static void start_with(enum actor on_disk)
{
    put_on_disk(on_disk);
    stage.config.ca.listener_s = 2 * DAY_S;
    stage.role.board = board_new();
    stage.api.listener = listener_new(&stage.api);
    limit = timer_start(stage.api.loop, 5, 5, on_answered, NULL);
}

Test(listener, one_revoked_without_a_successor_is_told_until_there_is_one)
{
    is_refusing = true;
    start_with(ACTOR_REVOKED);
    cr_assert_str_eq(alarms(), "", "it is asked for first");
    look_again();
    cr_assert(!ec()->is_usable && ec()->is_revoked && ec()->is_failed);
    cr_assert_str_eq(alarms(), "2 certificate.ending listener ec: revoked or on hold;");
    is_refusing = false;
    look_again();
    cr_assert(ec()->is_usable && !ec()->is_failed);
    cr_assert_str_eq(alarms(), "");
    board_close(stage.role.board);
}

static int64_t present_s;

static int64_t present(void)
{
    return present_s;
}

/* The alarm of its last days does not end with it. */
Test(listener, one_that_ends_without_a_successor_is_told_beyond_its_end)
{
    stage.api.now_s = present;
    is_refusing = true;
    present_s = STAGE_NOW_S + DAY_S - 3600;
    start_with(ACTOR_LEAF);
    look_again();
    cr_assert(ec()->is_usable);
    cr_assert(strncmp(alarms(), "1 certificate.ending listener ec: ends ", 39) == 0, "%s", alarms());
    present_s = STAGE_NOW_S + DAY_S + 1;
    look_again();
    cr_assert(!ec()->is_usable && !ec()->is_revoked && ec()->is_failed);
    cr_assert_eq(ec()->not_after_s, STAGE_NOW_S + DAY_S);
    cr_assert(strncmp(alarms(), "2 certificate.ending listener ec: ended ", 40) == 0, "%s", alarms());
    board_close(stage.role.board);
}

Test(listener, one_that_was_never_had_is_no_alarm)
{
    is_refusing = true;
    start_with(ACTOR_FOREIGN);
    look_again();
    cr_assert(!ec()->is_usable && ec()->is_failed);
    cr_assert_eq(ec()->not_after_s, NO_TIME);
    cr_assert_str_eq(alarms(), "");
    cr_assert_null(stage.api.https);
    board_close(stage.role.board);
}
