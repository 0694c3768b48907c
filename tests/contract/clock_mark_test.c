/* SPDX-License-Identifier: Apache-2.0 */
/* Is what was last made of the clock there for the next life? */
#include <criterion/criterion.h>

#include "tests/contract/fixture.h"

static void put(struct place *p, int64_t at_s, int64_t waited_s)
{
    struct txn *t = begin(p);

    clock_mark_set(t, &(struct clock_mark){at_s, waited_s});
    commit(t);
}

Test(clock_mark, the_last_one_is_found_and_before_the_first_none)
{
    struct place p = place_create();
    struct clock_mark m;
    struct view *v = look(&p);

    cr_expect_eq(clock_mark_find(v, &m), ERR_NOT_FOUND);
    view_close(v);
    put(&p, NOW, 0);
    put(&p, NOW + 3600, 60);
    place_reopen(&p, STORE_WRITE);
    v = look(&p);
    cr_assert_eq(clock_mark_find(v, &m), OK);
    cr_expect_eq(m.at_s, NOW + 3600);
    cr_expect_eq(m.waited_s, 60);
    view_close(v);
    place_remove(&p);
}
