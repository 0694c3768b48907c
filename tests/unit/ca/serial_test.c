/* SPDX-License-Identifier: Apache-2.0 */
/* Are serials positive, unpadded, ordered by expiry day and different? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"

Test(serial, holds_node_and_expiry_day)
{
    uint8_t s[SERIAL_LEN];

    serial_new(0x7f, (int64_t)0x1234 * 86400 + 5, s);
    cr_assert_eq(s[0], 0x7f);
    cr_assert_eq(s[1], 0x12);
    cr_assert_eq(s[2], 0x34);
}

Test(serial, the_last_bucket_takes_all_later_days)
{
    uint8_t s[SERIAL_LEN];

    serial_new(1, (int64_t)0x20000 * 86400, s);
    cr_assert_eq(s[1], 0xff);
    cr_assert_eq(s[2], 0xff);
    serial_new(1, -1, s);
    cr_assert_eq(s[1], 0);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, SERIAL_LEN);
}

Test(serial, ten_thousand_do_not_repeat)
{
    static uint8_t all[10000][SERIAL_LEN];

    for (size_t i = 0; i < 10000; i++)
        serial_new(1, 86400, all[i]);
    qsort(all, 10000, SERIAL_LEN, compare);
    for (size_t i = 1; i < 10000; i++)
        cr_assert_neq(memcmp(all[i - 1], all[i], SERIAL_LEN), 0);
}
