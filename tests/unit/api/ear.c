/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/ear.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "base/wire.h"

struct ear ear;
static uint8_t buffer[WIRE_MSG_MAX];

void ear_open(void)
{
    cr_assert_eq(wire_pair(ear.fds), OK);
    ear.api.loop = loop_new();
    ear.api.asker = asker_new(ear.api.loop, ear.fds[0], 30000);
}

void ear_close(void)
{
    asker_free(ear.api.asker);
    loop_free(ear.api.loop);
    close(ear.fds[0]);
    close(ear.fds[1]);
}

struct rd ear_next(enum ask_kind kind)
{
    struct span m;
    struct rd r;

    cr_assert_eq(wire_try_receive(ear.fds[1], buffer, sizeof buffer, &m), OK);
    r = rd_of(m);
    cr_assert_eq(rd_u8(&r), kind);
    (void)rd_u64(&r);
    return r;
}

void ear_expect_silence(void)
{
    struct span m;

    cr_assert_eq(wire_try_receive(ear.fds[1], buffer, sizeof buffer, &m), ERR_UNAVAILABLE);
}
