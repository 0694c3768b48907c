/* SPDX-License-Identifier: Apache-2.0 */
/* Does each request come out once, in order, and only from the part that a publication covers? */
#include <criterion/criterion.h>
#include <stdio.h>

#include "crl/inner.h"

Test(crl_queue, requests_of_one_issuer_come_out_in_order)
{
    struct crl_queue q = {0};
    struct crl_request r = {0};
    size_t within;

    for (uint64_t i = 0; i < 100; i++) {
        r.number = i;
        snprintf(r.id, sizeof r.id, "%s", i % 2 == 0 ? "even" : "odd");
        queue_push(&q, &r);
    }
    cr_assert_eq(queue_find(&q, "odd")->number, 1);
    cr_assert_null(queue_find(&q, "none"));
    within = q.len;
    for (uint64_t i = 0; i < 50; i++) {
        cr_assert(queue_take(&q, "odd", &within, &r));
        cr_assert_eq(r.number, 2 * i + 1);
    }
    cr_assert(!queue_take(&q, "odd", &within, &r));
    cr_assert_eq(q.len, 50);
    queue_free(&q);
}

Test(crl_queue, what_a_list_shows_is_taken_wherever_it_stands)
{
    struct crl_queue q = {0};
    struct crl_request r = {.id = "ca"}, other = {.number = 9, .id = "other"};

    for (r.number = 1; r.number <= 3; r.number++) {
        r.changes = 10 - r.number; /* 9, 8, 7 */
        queue_push(&q, &r);
    }
    queue_push(&q, &other);
    cr_assert(!queue_take_shown(&q, "ca", 6, &r));
    cr_assert(queue_take_shown(&q, "ca", 8, &r) && r.number == 2);
    cr_assert(queue_take_shown(&q, "ca", 8, &r) && r.number == 3);
    cr_assert(!queue_take_shown(&q, "ca", 8, &r));
    cr_assert_eq(queue_find(&q, "ca")->number, 1);
    cr_assert_eq(queue_find(&q, "other")->number, 9);
    queue_free(&q);
}

Test(crl_queue, what_came_later_stays)
{
    struct crl_queue q = {0};
    struct crl_request r = {.id = "ca"};
    size_t within = 2;

    for (r.number = 1; r.number <= 3; r.number++)
        queue_push(&q, &r);
    cr_assert(queue_take(&q, "ca", &within, &r) && r.number == 1);
    cr_assert(queue_take(&q, "ca", &within, &r) && r.number == 2);
    cr_assert(!queue_take(&q, "ca", &within, &r));
    cr_assert_eq(queue_find(&q, "ca")->number, 3);
    queue_free(&q);
}
