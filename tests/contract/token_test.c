/* SPDX-License-Identifier: Apache-2.0 */
/* Is a token found by its secret and its id, with its scope, until it is pruned? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/fixture.h"

static struct token make(unsigned n)
{
    struct token k = {.hash = {(uint8_t)n, 1, 2, 3, 4, 5, 6, 7, 8},
                      .role = ACCESS_REQUESTER,
                      .created_by = "uid:0",
                      .created_at_s = NOW,
                      .expires_at_s = NOW + n * DAY};

    cr_assert(scope_add(&k.scope.profiles, "ucm/*") && scope_add(&k.scope.names, ".example.com"));
    return k;
}

static void add_tokens(struct place *p, unsigned from, unsigned to)
{
    struct txn *t = begin(p);

    for (unsigned n = from; n < to; n++) {
        struct token k = make(n);

        token_add(t, &k);
    }
    commit(t);
}

static bool count(const struct token *k, void *arg)
{
    (void)k;
    ++*(unsigned *)arg;
    return true;
}

static unsigned count_all(struct place *p)
{
    struct view *v = look(p);
    unsigned n = 0;

    cr_assert_eq(token_each(v, count, &n), OK);
    view_close(v);
    return n;
}

Test(token, is_found_by_hash_and_id)
{
    struct place p = place_create();
    struct token k = make(2), got;
    struct view *v;

    add_tokens(&p, 1, 4);
    v = look(&p);
    cr_assert_eq(token_find(v, k.hash, &got), OK);
    cr_assert(got.role == ACCESS_REQUESTER && got.expires_at_s == NOW + 2 * DAY);
    cr_assert(got.used_at_s == NO_TIME && got.deleted_at_s == NO_TIME);
    cr_assert(scope_has_profile(&got.scope, "ucm/x") && !scope_has_profile(&got.scope, "cuc/x"));
    cr_assert_str_eq(got.created_by, "uid:0");
    cr_assert_eq(token_find_id(v, k.hash, &got), OK);
    cr_assert_eq(memcmp(got.hash, k.hash, HASH_LEN), 0);
    k.hash[HASH_LEN - 1] = 1;
    cr_assert_eq(token_find(v, k.hash, &got), ERR_NOT_FOUND);
    cr_assert_eq(token_find_id(v, k.hash, &got), OK);
    k.hash[TOKEN_ID_LEN - 1]++;
    cr_assert_eq(token_find_id(v, k.hash, &got), ERR_NOT_FOUND);
    k.hash[0] = 0xff;
    cr_assert_eq(token_find_id(v, k.hash, &got), ERR_NOT_FOUND);
    view_close(v);
    cr_assert_eq(count_all(&p), 3);
    place_remove(&p);
}

Test(token, an_id_is_taken_once)
{
    struct place p = place_create();
    struct token k = make(1);
    struct txn *t;

    add_tokens(&p, 1, 2);
    k.hash[HASH_LEN - 1] = 9;
    t = begin(&p);
    token_add(t, &k);
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    place_remove(&p);
}

Test(token, use_and_deletion_are_remembered)
{
    struct place p = place_create();
    struct token k = make(1), got;
    struct view *v;
    struct txn *t;

    add_tokens(&p, 1, 2);
    t = begin(&p);
    token_use(t, k.hash, NOW + 5);
    token_delete(t, k.hash, NOW + 6);
    commit(t);
    v = look(&p);
    cr_assert_eq(token_find(v, k.hash, &got), OK);
    cr_assert(got.used_at_s == NOW + 5 && got.deleted_at_s == NOW + 6);
    view_close(v);
    t = begin(&p);
    token_delete(t, make(7).hash, NOW);
    cr_assert_eq(txn_commit(t), ERR_NOT_FOUND);
    place_remove(&p);
}

Test(token, those_that_ended_are_pruned)
{
    struct place p = place_create();
    struct token deleted = make(90), got;
    struct view *v;
    struct txn *t;

    add_tokens(&p, 1, 11);
    add_tokens(&p, 90, 91);
    t = begin(&p);
    token_delete(t, deleted.hash, NOW);
    token_prune(t, NOW + 6 * DAY, 2);
    commit(t);
    cr_assert_eq(count_all(&p), 9);
    t = begin(&p);
    token_prune(t, NOW + 6 * DAY, 100);
    commit(t);
    cr_assert_eq(count_all(&p), 5);
    v = look(&p);
    cr_assert_eq(token_find(v, deleted.hash, &got), ERR_NOT_FOUND);
    cr_assert_eq(token_find(v, make(6).hash, &got), OK);
    cr_assert_eq(token_find(v, make(5).hash, &got), ERR_NOT_FOUND);
    view_close(v);
    place_remove(&p);
}

/* make(n), made by make(by). */
static void add_made(struct txn *t, unsigned n, unsigned by)
{
    struct token k = make(n);

    snprintf(k.created_by, sizeof k.created_by, "token:%02x01020304050607", by);
    token_add(t, &k);
}

static bool is_there(struct place *p, unsigned n)
{
    struct view *v = look(p);
    struct token got;
    enum err e = token_find(v, make(n).hash, &got);

    view_close(v);
    cr_assert(e == OK || e == ERR_NOT_FOUND);
    return e == OK;
}

static void prune(struct place *p, int64_t before_s, unsigned most)
{
    struct txn *t = begin(p);

    token_prune(t, before_s, most);
    commit(t);
}

/* Who asked or decided with the made one is who made the maker: found by walking from row to row. */
Test(token, a_maker_stays_as_long_as_what_it_made)
{
    struct place p = place_create();
    struct txn *t;

    add_tokens(&p, 1, 6);
    t = begin(&p);
    add_made(t, 40, 3);
    add_made(t, 9, 40);
    add_made(t, 41, 5);
    add_made(t, 6, 0x77); /* whose maker is gone already */
    token_delete(t, make(40).hash, NOW);
    commit(t);
    prune(&p, NOW + 7 * DAY, 100);
    for (unsigned n = 1; n < 7; n++)
        cr_assert_eq(is_there(&p, n), n == 3 || n == 5, "%u", n);
    cr_assert(is_there(&p, 40) && is_there(&p, 9) && is_there(&p, 41));
    for (unsigned round = 0; round < 3; round++) { /* from the last that was made to the first */
        cr_assert(is_there(&p, 3));
        prune(&p, NOW + 20 * DAY, 100);
    }
    cr_assert_not(is_there(&p, 9) || is_there(&p, 40) || is_there(&p, 3));
    cr_assert(is_there(&p, 5) && is_there(&p, 41));
    place_remove(&p);
}

Test(token, makers_that_stay_keep_no_other_from_being_pruned)
{
    struct place p = place_create();
    struct txn *t;

    add_tokens(&p, 1, 6);
    t = begin(&p);
    for (unsigned n = 1; n < 5; n++)
        add_made(t, 80 + n, n);
    commit(t);
    prune(&p, NOW + 7 * DAY, 2);
    cr_assert_not(is_there(&p, 5), "four before it stay");
    cr_assert_eq(count_all(&p), 8);
    place_remove(&p);
}
