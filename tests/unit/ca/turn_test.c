/* SPDX-License-Identifier: Apache-2.0 */
/* Does the only writer answer each question once, after it is stored, and refuse what it must? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/ca/asked.h"

TestSuite(turn, .init = stage_open, .fini = stage_close, .timeout = 60);

Test(turn, what_may_not_be_asked_is_refused_and_the_rest_goes_on)
{
    static const struct {
        uint8_t kind;
        const char *principal;
    } rows[] = {{ASK_REVOKE, "root"}, {ASK_UNHOLD, "uid:65533"}, {0, "uid:0"}, {77, "uid:0"}, {255, "uid:0"}};
    static struct reply r;

    stage_start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;

        asked_begin(&b, (enum ask_kind)rows[i].kind, 40 + i, rows[i].principal);
        buf_put(&b, (const uint8_t[SERIAL_LEN]){1}, SERIAL_LEN);
        if (rows[i].kind == ASK_REVOKE) {
            buf_put_u8(&b, REASON_SUPERSEDED);
            buf_put_i64(&b, NO_TIME);
        }
        asked_send(&b);
        receive(&r);
        cr_assert_eq(r.number, 40 + i);
        cr_assert_eq(r.err, ERR_FORBIDDEN, "row %zu", i);
    }
    (void)issue_one();
}

Test(turn, what_is_answered_is_stored)
{
    struct outcome i;
    struct status s;

    stage_start();
    i = issue_one();
    cr_assert(!i.repeated);
    cr_assert_eq(i.serial[0], 1, "the node");
    cr_assert_eq(stage_status(i.serial, &s), OK);
    cr_assert_eq(s.state, CERT_VALID);
}

Test(turn, two_asks_of_one_turn_under_one_key_get_one_certificate)
{
    static const struct question q = {.key = 9, .body = 1};
    static const struct question other = {.key = 9, .body = 2};
    static struct reply r[4];
    struct outcome first = {0}, again;
    uint64_t before;

    send_question(1, &q);
    send_question(2, &q);
    send_question(3, &other);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r[i]);
        if (r[i].number == 3) {
            cr_assert_eq(r[i].err, ERR_POLICY, "another body");
            continue;
        }
        again = issued_of(&r[i]);
        if (first.serial[0] == 0)
            first = again;
        else
            cr_assert_neq(again.repeated, first.repeated);
        cr_assert_eq(memcmp(again.serial, first.serial, SERIAL_LEN), 0);
    }
    before = stage_certificates();
    send_question(4, &q); /* and later, from the store */
    receive(&r[3]);
    again = issued_of(&r[3]);
    cr_assert(again.repeated);
    cr_assert_eq(memcmp(again.serial, first.serial, SERIAL_LEN), 0);
    cr_assert_eq(stage_certificates(), before);
}

Test(turn, two_refused_asks_of_one_turn_under_one_key_are_both_told_why)
{
    static const struct question q = {.name = "not a host", .key = 9, .body = 1};
    static const struct question other = {.key = 9, .body = 2};
    static struct reply r;

    send_question(1, &q);
    send_question(2, &q);
    send_question(3, &other);
    stage_start();
    for (int i = 0; i < 3; i++) {
        receive(&r);
        if (r.number == 3) {
            (void)issued_of(&r); /* nothing was given under this key yet */
            continue;
        }
        assert_refused(&r, NULL);
    }
}
