/* SPDX-License-Identifier: Apache-2.0 */
/* office: the role in a process of its own, and the ca's side of its desk. */
#include "office.h"

#include <criterion/criterion.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wire.h"

struct office office = {.desk = -1};

static struct board *written;

static void board_prepare(void)
{
    struct fault f = {0};
    int write_fd, read_fd;

    cr_assert_eq(board_make(&write_fd, &read_fd, &f), OK, "%s", f.detail);
    cr_assert_eq(board_open(write_fd, &written, &f), OK, "%s", f.detail);
    cr_assert_eq(board_open_read(read_fd, &office.board, &f), OK, "%s", f.detail);
    close(write_fd);
    close(read_fd);
}

void office_open(void)
{
    shop_open(&office.shop, "ec-256", "ca");
    office.clock = shop_clock;
    board_prepare();
}

void office_open_today(void)
{
    shop_open_today(&office.shop, "ec-256", "ca");
    board_prepare();
}

void office_close(void)
{
    if (office.role != 0) {
        kill(office.role, SIGKILL);
        waitpid(office.role, NULL, 0);
    }
    if (office.desk >= 0)
        close(office.desk);
    board_close(office.board);
    board_close(written);
    shop_close(&office.shop);
}

void role_start(void)
{
    struct crl_role r = {.store_dir = office.shop.store_dir,
                         .public_dir = office.shop.public_dir,
                         .port_fd = office.shop.port.fd,
                         .clock = office.clock,
                         .board = written};
    struct fault f = {0};
    int fds[2];

    r.config.issuers[0] = (struct crl_issuer){
        .id = "ca", .every_s = DAY, .overlap_s = DAY, .at_s = -1, .delta_s = office.delta_s};
    r.config.issuers[1] = (struct crl_issuer){.id = "later", .every_s = DAY, .overlap_s = DAY, .at_s = -1};
    r.config.count = 2;
    cr_assert_eq(wire_pair(fds), OK);
    store_close(office.shop.store); /* LMDB environments do not survive fork */
    office.role = fork();
    if (office.role == 0) {
        close(fds[0]);
        r.desk_fd = fds[1];
        _exit(crl_run(&r) == OK ? 0 : 3);
    }
    close(fds[1]);
    office.desk = fds[0];
    cr_assert_eq(store_open(office.shop.store_dir, STORE_WRITE, 0, &office.shop.store, &f), OK, "%s",
                 f.detail);
}

int role_wait(void)
{
    int status = -1;

    waitpid(office.role, &status, 0);
    office.role = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void role_stop(void)
{
    close(office.desk);
    office.desk = -1;
    cr_assert_eq(role_wait(), 0);
}

/* ---- the ca's side of the desk ---- */

bool hear(struct heard *h, int timeout_ms)
{
    struct pollfd p = {.fd = office.desk, .events = POLLIN};
    uint8_t octets[4096];
    struct span m;
    struct rd r;

    memset(h, 0, sizeof *h);
    if (poll(&p, 1, timeout_ms) == 0)
        return false;
    cr_assert_eq(wire_receive(office.desk, octets, sizeof octets, &m), OK);
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

struct heard expect_heard(enum desk_kind kind)
{
    struct heard h;

    cr_assert(hear(&h, 20000), "nothing came, expected %d", kind);
    cr_assert_eq(h.kind, kind, "%d instead of %d", h.kind, kind);
    return h;
}

void say(enum desk_kind kind, uint64_t number, enum err err, const uint64_t *crl_number)
{
    struct buf b;

    buf_init(&b, 256);
    buf_put_u8(&b, (uint8_t)kind);
    buf_put_u64(&b, number);
    buf_put_u8(&b, (uint8_t)err);
    if (crl_number != NULL)
        buf_put_u64(&b, *crl_number);
    if (kind == DESK_RESERVED)
        buf_put_blob(&b, span_str(office.public_url != NULL ? office.public_url : "http://ca.example.com"));
    cr_assert_eq(wire_send(office.desk, buf_span(&b)), OK);
    buf_free(&b);
}

void ask_publish(uint64_t number, const char *id, enum desk_cause cause)
{
    ask_publish_of(number, id, cause, UINT64_MAX);
}

void ask_publish_of(uint64_t number, const char *id, enum desk_cause cause, uint64_t changes)
{
    struct buf b;

    buf_init(&b, 256);
    buf_put_u8(&b, DESK_PUBLISH);
    buf_put_u64(&b, number);
    buf_put_blob(&b, span_str(id));
    buf_put_u8(&b, (uint8_t)cause);
    buf_put_u64(&b, changes);
    cr_assert_eq(wire_send(office.desk, buf_span(&b)), OK);
    buf_free(&b);
}

void serve_reserve(void)
{
    struct heard h = expect_heard(DESK_RESERVE);
    uint64_t number = 0;

    cr_assert_str_eq(h.id, "ca");
    cr_assert_eq(shop_reserve(&office.shop, h.id, &number), OK);
    say(DESK_RESERVED, h.number, OK, &number);
}

struct heard serve_record(void)
{
    struct heard h = expect_heard(DESK_RECORD);

    h.part.state = h.state;
    cr_assert_eq(shop_record(&office.shop, h.id, &h.part, h.text), OK);
    say(DESK_RECORDED, h.number, OK, NULL);
    return h;
}

struct heard serve_publication(void)
{
    serve_reserve();
    return serve_record();
}

void expect_idle(void)
{
    struct heard h;

    ask_publish(777, "nobody", CAUSE_REQUEST);
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, 777);
    cr_assert_eq(h.err, ERR_NOT_FOUND);
}

/* ---- its clock ---- */

int unread_in(int fd)
{
    int n = -1;

    cr_assert_eq(ioctl(fd, SIOCOUTQ, &n), 0);
    return n;
}

void role_settle(void)
{
    char path[64], state = '?';

    snprintf(path, sizeof path, "/proc/%d/stat", (int)office.role);
    for (int i = 0; i < 1000000 && (state != 'S' || unread_in(office.desk) > 0); i++) {
        FILE *f = fopen(path, "r");

        cr_assert_not_null(f);
        cr_assert_eq(fscanf(f, "%*d %*s %c", &state), 1);
        fclose(f);
    }
    cr_assert_eq(state, 'S');
}

void clock_jump(int64_t now_s)
{
    role_settle();
    shop_clock_set(now_s);
}

enum err asked(uint64_t number, enum desk_cause cause)
{
    struct heard h;

    ask_publish(number, "ca", (uint8_t)cause);
    if (cause == CAUSE_REQUEST)
        serve_publication();
    h = expect_heard(DESK_DONE);
    cr_assert_eq(h.number, number);
    return h.err;
}
