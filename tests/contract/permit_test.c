/* SPDX-License-Identifier: Apache-2.0 */
/* Is each line of the permit list there once, in order, and gone when it is removed? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/contract/fixture.h"

static struct permit make(enum permit_listener l, enum access_role role, const char *range)
{
    struct permit p = {.listener = l, .role = role, .created_by = "uid:0", .created_at_s = NOW};

    cr_assert(address_range_parse(range, &p.range));
    return p;
}

static void put(struct place *p, const struct permit *x)
{
    struct txn *t = begin(p);

    permit_add(t, x);
    commit(t);
}

struct seen {
    char text[512];
};

static bool note(const struct permit *p, void *arg)
{
    struct seen *s = arg;
    char range[ADDRESS_TEXT_MAX];

    address_range_text(&p->range, range);
    strcat(s->text, permit_listener_name(p->listener));
    strcat(s->text, " ");
    strcat(s->text, access_role_name(p->role));
    strcat(s->text, " ");
    strcat(s->text, range);
    strcat(s->text, "\n");
    return true;
}

Test(permit, list_add_remove)
{
    struct place p = place_create();
    struct permit a = make(PERMIT_HTTPS, ACCESS_OPERATOR, "10.0.0.0/8"),
                  b = make(PERMIT_HTTPS, ACCESS_NOBODY, "2001:db8::/32"),
                  c = make(PERMIT_HTTP, ACCESS_NOBODY, "192.0.2.1"), got;
    struct seen seen = {0};
    struct view *v;
    struct txn *t;

    put(&p, &a);
    put(&p, &b);
    put(&p, &c);
    v = look(&p);
    cr_assert_eq(permit_each(v, note, &seen), OK);
    cr_assert_str_eq(seen.text,
                     "http nobody 192.0.2.1\nhttps nobody 2001:db8::/32\nhttps operator 10.0.0.0/8\n");
    cr_assert_eq(permit_find(v, &a, &got), OK);
    cr_assert_str_eq(got.created_by, "uid:0");
    cr_assert_eq(got.created_at_s, NOW);
    view_close(v);
    t = begin(&p);
    permit_add(t, &a);
    cr_assert_eq(txn_commit(t), ERR_CONFLICT);
    t = begin(&p);
    permit_remove(t, &a);
    commit(t);
    v = look(&p);
    cr_assert_eq(permit_find(v, &a, &got), ERR_NOT_FOUND);
    cr_assert_eq(permit_find(v, &b, &got), OK);
    view_close(v);
    t = begin(&p);
    permit_remove(t, &a);
    cr_assert_eq(txn_commit(t), ERR_NOT_FOUND);
    place_remove(&p);
}

Test(permit, listener_names)
{
    enum permit_listener l;

    cr_assert(permit_listener_parse("https", &l) && l == PERMIT_HTTPS);
    cr_assert(permit_listener_parse("http", &l) && l == PERMIT_HTTP);
    cr_assert(!permit_listener_parse("control", &l) && !permit_listener_parse("", &l));
}
