/* SPDX-License-Identifier: Apache-2.0 */
/* Does the running role publish what is due, answer what is asked, and leave a current list alone? The test
 * is the ca. */
#include <criterion/criterion.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/wire.h"
#include "shop.h"

static struct shop s;
static int desk = -1;
static pid_t role;
static int64_t (*role_clock)(void); /* NULL: the wall's */

static void role_start(void)
{
    struct crl_role r = {
        .store_dir = s.store_dir, .public_dir = s.public_dir, .port_fd = s.port_fd, .clock = role_clock};
    struct fault f = {0};
    int fds[2];

    r.config.issuers[0] = (struct crl_issuer){.id = "ca", .every_s = DAY, .overlap_s = DAY, .at_s = -1};
    r.config.issuers[1] = (struct crl_issuer){.id = "later", .every_s = DAY, .overlap_s = DAY, .at_s = -1};
    r.config.count = 2;
    cr_assert_eq(wire_pair(fds), OK);
    store_close(s.store); /* LMDB environments do not survive fork */
    role = fork();
    if (role == 0) {
        close(fds[0]);
        r.desk_fd = fds[1];
        _exit(crl_run(&r) == OK ? 0 : 3);
    }
    close(fds[1]);
    desk = fds[0];
    cr_assert_eq(store_open(s.store_dir, STORE_WRITE, 0, &s.store, &f), OK, "%s", f.detail);
}

static int role_wait(void)
{
    int status = -1;

    waitpid(role, &status, 0);
    role = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void role_stop(void)
{
    close(desk);
    desk = -1;
    cr_assert_eq(role_wait(), 0);
}

static void setup(void)
{
    shop_open_today(&s, "ec-256", "ca");
}

static void teardown(void)
{
    if (role != 0) {
        kill(role, SIGKILL);
        waitpid(role, NULL, 0);
    }
    if (desk >= 0)
        close(desk);
    shop_close(&s);
}

TestSuite(crl_role, .init = setup, .fini = teardown, .timeout = 60);

/* ---- the ca's side of the desk ---- */

struct heard {
    enum desk_kind kind;
    uint64_t number;
    char id[ISSUER_ID_MAX], text[128];
    enum err err;
    struct crl_state state;
    struct crl_part part; /* of its state alone what is in `state` */
};

static bool hear(struct heard *h, int timeout_ms)
{
    struct pollfd p = {.fd = desk, .events = POLLIN};
    uint8_t octets[4096];
    struct span m;
    struct rd r;

    memset(h, 0, sizeof *h);
    if (poll(&p, 1, timeout_ms) == 0)
        return false;
    cr_assert_eq(wire_receive(desk, octets, sizeof octets, &m), OK);
    r = rd_of(m);
    h->kind = rd_u8(&r);
    h->number = rd_u64(&r);
    if (h->kind == DESK_DONE) {
        h->err = rd_u8(&r);
        h->state.number = rd_u64(&r);
        cr_assert(span_to_str(rd_blob(&r), h->text, sizeof h->text));
    } else {
        cr_assert(span_to_str(rd_blob(&r), h->id, sizeof h->id));
    }
    if (h->kind == DESK_RECORD) {
        h->part.shard = rd_u16(&r);
        h->part.is_delta = rd_u8(&r) != 0;
        h->state.number = rd_u64(&r);
        h->state.this_update_s = rd_i64(&r);
        h->state.next_update_s = rd_i64(&r);
        h->state.size = rd_u64(&r);
        h->state.count = rd_u64(&r);
        rd_copy(&r, h->state.sha256, HASH_LEN);
        h->part.changes = rd_u64(&r);
        h->part.shown_s = rd_i64(&r);
        cr_assert(span_to_str(rd_blob(&r), h->text, sizeof h->text));
    }
    cr_assert(rd_done(&r));
    return true;
}

static struct heard expect_heard(enum desk_kind kind)
{
    struct heard h;

    cr_assert(hear(&h, 20000), "nothing came, expected %d", kind);
    cr_assert_eq(h.kind, kind, "%d instead of %d", h.kind, kind);
    return h;
}

static void say(enum desk_kind kind, uint64_t number, enum err err, const uint64_t *crl_number)
{
    struct buf b;

    buf_init(&b, 256);
    buf_put_u8(&b, (uint8_t)kind);
    buf_put_u64(&b, number);
    buf_put_u8(&b, (uint8_t)err);
    if (crl_number != NULL)
        buf_put_u64(&b, *crl_number);
    cr_assert_eq(wire_send(desk, buf_span(&b)), OK);
    buf_free(&b);
}

static void ask_publish(uint64_t number, const char *id, enum desk_cause cause)
{
    struct buf b;

    buf_init(&b, 256);
    buf_put_u8(&b, DESK_PUBLISH);
    buf_put_u64(&b, number);
    buf_put_blob(&b, span_str(id));
    buf_put_u8(&b, (uint8_t)cause);
    cr_assert_eq(wire_send(desk, buf_span(&b)), OK);
    buf_free(&b);
}

static void serve_reserve(void)
{
    struct heard h = expect_heard(DESK_RESERVE);
    uint64_t number = 0;

    cr_assert_str_eq(h.id, "ca");
    cr_assert_eq(shop_reserve(&s, h.id, &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
}

static struct heard serve_record(void)
{
    struct heard h = expect_heard(DESK_RECORD);

    h.part.state = h.state;
    cr_assert_eq(shop_record(&s, h.id, &h.part, h.text), OK);
    say(DESK_RECORDED, h.number, OK, NULL);
    return h;
}

/* One publication from the ca's side; gives what was recorded. */
static struct heard serve_publication(void)
{
    serve_reserve();
    return serve_record();
}

/* The role is idle when it answers at once about an issuer it does not know. */
static void expect_idle(void)
{
    struct heard h;

    ask_publish(777, "nobody", CAUSE_REQUEST);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 777);
    cr_assert_eq(h.err, ERR_NOT_FOUND);
}

/* ---- claims ---- */

Test(crl_role, the_first_start_publishes_and_a_second_leaves_it_alone)
{
    struct heard h;
    struct stat before, after;
    X509_CRL *crl;

    shop_revoke(&s, 3);
    role_start();
    h = serve_publication();
    cr_assert_str_eq(h.text, "start");
    cr_assert_eq(h.state.number, 1);
    cr_assert_eq(h.state.count, 3);
    cr_assert_eq(h.state.next_update_s, h.state.this_update_s + 2 * DAY);
    expect_idle();
    crl = shop_published(&s);
    cr_assert_eq(shop_number(crl), 1);
    X509_CRL_free(crl);
    role_stop();

    stat(s.crl_path, &before);
    role_start();
    expect_idle();
    stat(s.crl_path, &after);
    cr_assert_eq(before.st_ino, after.st_ino);
    role_stop();
}

Test(crl_role, a_missing_or_altered_file_is_made_again_at_start)
{
    FILE *out;

    role_start();
    cr_assert_eq(serve_publication().state.number, 1);
    expect_idle();
    role_stop();

    unlink(s.pem_path);
    role_start();
    cr_assert_eq(serve_publication().state.number, 2);
    expect_idle();
    role_stop();

    out = fopen(s.crl_path, "a");
    fputc('x', out);
    fclose(out);
    role_start();
    cr_assert_eq(serve_publication().state.number, 3);
    expect_idle();
    X509_CRL_free(shop_published(&s));
    role_stop();
}

static void set_published(int64_t this_update_s)
{
    struct crl_part part = {
        .shard = SHARD_ALL,
        .shown_s = this_update_s - DAY,
        .state = {.this_update_s = this_update_s, .next_update_s = this_update_s + 2 * DAY}};

    cr_assert_eq(shop_reserve(&s, "ca", &part.state.number), OK);
    cr_assert_eq(shop_record(&s, "ca", &part, "test"), OK);
}

/* Recorded a day and an hour ago, current for another 23 hours: due. */
Test(crl_role, what_is_due_is_published_and_the_number_rises)
{
    set_published((int64_t)time(NULL) - DAY - 3600);
    role_start();
    cr_assert_eq(serve_publication().state.number, 2);
    expect_idle();
    role_stop();
}

Test(crl_role, a_request_is_answered_with_the_number)
{
    struct heard h;

    role_start();
    serve_publication();
    shop_revoke_one(&s, &(struct revoked){.serial = {1, 2, 3},
                                          .reason = REASON_SUPERSEDED,
                                          .revoked_at_s = (int64_t)time(NULL),
                                          .invalidity_s = NO_TIME,
                                          .not_after_s = (int64_t)time(NULL) + DAY});
    ask_publish(55, "ca", CAUSE_REQUEST);
    h = serve_publication();
    cr_assert_str_eq(h.text, "request");
    cr_assert_eq(h.state.count, 1);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 55);
    cr_assert_eq(h.err, OK);
    cr_assert_eq(h.state.number, 2);
    role_stop();
}

Test(crl_role, requests_before_the_number_share_a_publication_and_later_ones_get_the_next)
{
    struct heard h;
    uint64_t number = 0;

    role_start();
    h = expect_heard(DESK_RESERVE);
    for (uint64_t i = 1; i <= 50; i++)
        ask_publish(i, "ca", CAUSE_REVOCATION);
    cr_assert_eq(shop_reserve(&s, "ca", &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
    h = expect_heard(DESK_RECORD);
    ask_publish(51, "ca", CAUSE_REQUEST);
    h.part.state = h.state;
    cr_assert_eq(shop_record(&s, "ca", &h.part, h.text), OK);
    say(DESK_RECORDED, h.number, OK, NULL);
    for (uint64_t i = 1; i <= 50; i++) {
        h = expect_heard(DESK_DONE);
        cr_assert_eq(h.number, i);
        cr_assert_eq(h.state.number, 1);
    }
    serve_publication();
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 51);
    cr_assert_eq(h.state.number, 2);
    expect_idle();
    role_stop();
}

Test(crl_role, an_issuer_that_is_not_in_the_store_is_said_to_be_missing)
{
    struct heard h;

    role_start();
    serve_publication();
    ask_publish(9, "later", CAUSE_REQUEST);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 9);
    cr_assert_eq(h.err, ERR_NOT_FOUND);
    role_stop();
}

Test(crl_role, a_failure_is_answered_and_the_next_request_works)
{
    struct heard h;

    role_start();
    serve_publication();
    ask_publish(1, "ca", CAUSE_REQUEST);
    h = expect_heard(DESK_RESERVE);
    say(DESK_RESERVED, h.number, ERR_IO, &(uint64_t){0});
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 1);
    cr_assert_eq(h.err, ERR_IO);
    cr_assert_eq(h.state.number, 0);
    ask_publish(2, "ca", CAUSE_REQUEST);
    cr_assert_eq(serve_publication().state.number, 2);
    cr_assert_eq(expect_heard(DESK_DONE).err, OK);
    role_stop();
}

Test(crl_role, the_end_of_the_desk_is_its_end_even_in_the_middle)
{
    role_start();
    (void)expect_heard(DESK_RESERVE);
    role_stop();
}

Test(crl_role, a_lost_signer_ends_it_as_a_failure)
{
    role_start();
    serve_publication();
    expect_idle();
    kill(s.signer, SIGKILL);
    cr_assert_eq(role_wait(), 3);
}

/* ---- the end ---- */

static int unread_in(int fd)
{
    int n = -1;

    cr_assert_eq(ioctl(fd, SIOCOUTQ, &n), 0);
    return n;
}

/* It hears that the signer is gone while the ca has something to say, and then that the ca is gone too. */
Test(crl_role, an_orderly_end_is_one_in_whatever_order_it_is_heard)
{
    role_start();
    serve_publication();
    expect_idle();
    kill(role, SIGSTOP);
    ask_publish(1, "ca", CAUSE_REQUEST);
    kill(s.signer, SIGKILL);
    kill(role, SIGCONT);
    while (unread_in(desk) > 0)
        cr_assert_eq(waitpid(role, NULL, WNOHANG), 0, "it waits for the ca's end");
    role_stop();
}

/* ---- clocks that jump ---- */

#define YEAR (365 * DAY)

static void clock_setup(void)
{
    shop_open(&s, "ec-256", "ca");
    role_clock = shop_clock;
}

TestSuite(crl_clock, .init = clock_setup, .fini = teardown, .timeout = 60);

/* Once the role sleeps: what it has begun has the time of before. */
static void clock_jump(int64_t now_s)
{
    char path[64], state = '?';

    snprintf(path, sizeof path, "/proc/%d/stat", (int)role);
    for (int i = 0; i < 1000000 && (state != 'S' || unread_in(desk) > 0); i++) {
        FILE *f = fopen(path, "r");

        cr_assert_not_null(f);
        cr_assert_eq(fscanf(f, "%*d %*s %c", &state), 1);
        fclose(f);
    }
    cr_assert_eq(state, 'S');
    shop_clock_set(now_s);
}

static enum err asked(uint64_t number, enum desk_cause cause)
{
    struct heard h;

    ask_publish(number, "ca", (uint8_t)cause);
    if (cause == CAUSE_REQUEST)
        serve_publication();
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, number);
    return h.err;
}

static ino_t file_there(void)
{
    struct stat st;

    cr_assert_eq(stat(s.crl_path, &st), 0);
    return st.st_ino;
}

/* A list a day old, and one of the day before: the regular state. */
static void published_daily(void)
{
    role_start();
    serve_publication();
    clock_jump(SHOP_NOW + DAY);
    ask_publish(1, "nobody", CAUSE_REQUEST); /* wakes it */
    expect_heard(DESK_DONE);
    cr_assert_eq(serve_publication().state.number, 2);
    expect_idle();
}

Test(crl_clock, a_year_ahead_publishes_nothing_and_set_back_it_goes_on)
{
    ino_t before;

    published_daily();
    before = file_there();
    clock_jump(SHOP_NOW + DAY + YEAR);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REVOCATION), ERR_UNAVAILABLE);
    cr_expect_eq(file_there(), before);
    cr_expect_eq(shop_state(&s).number, 2);
    clock_jump(SHOP_NOW + 2 * DAY);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 3);
    role_stop();
}

Test(crl_clock, a_year_back_publishes_nothing_and_set_right_it_goes_on)
{
    ino_t before;

    published_daily();
    before = file_there();
    clock_jump(SHOP_NOW + DAY - YEAR);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REVOCATION), ERR_UNAVAILABLE);
    cr_expect_eq(file_there(), before);
    role_stop();
    role_start(); /* not at a start either */
    expect_idle();
    cr_expect_eq(file_there(), before);
    clock_jump(SHOP_NOW + 2 * DAY);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 3);
    role_stop();
}

Test(crl_clock, who_publishes_by_hand_says_that_it_is_right)
{
    published_daily();
    clock_jump(SHOP_NOW + DAY + YEAR);
    expect_idle();
    cr_expect_eq(asked(10, CAUSE_REQUEST), OK);
    cr_expect_eq(shop_state(&s).number, 3);
    cr_expect_eq(shop_state(&s).this_update_s, SHOP_NOW + DAY + YEAR);
    clock_jump(SHOP_NOW + 2 * DAY + YEAR);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 4, "and the schedule goes on from there");
    role_stop();
}

/* The machine started with a clock a year ahead, made a list, and was set right. */
Test(crl_clock, a_list_made_ahead_of_time_is_made_anew)
{
    published_daily();
    role_stop();
    shop_clock_set(SHOP_NOW + DAY + YEAR);
    role_start();
    cr_expect_eq(serve_publication().state.number, 3, "a start cannot tell it from a long stop");
    expect_idle();
    clock_jump(SHOP_NOW + DAY + 60);
    ask_publish(11, "nobody", CAUSE_REQUEST);
    expect_heard(DESK_DONE);
    cr_expect_eq(serve_publication().state.number, 4, "higher, whatever the clock says");
    cr_expect_eq(shop_state(&s).this_update_s, SHOP_NOW + DAY + 60);
    role_stop();
}
