/* SPDX-License-Identifier: Apache-2.0 */
/* idle: see idle.h. */
#include "tests/unit/ca/idle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct idle idle;

void idle_open(void)
{
    strcpy(idle.dir, "/tmp/chancery-ca-idle-XXXXXX");
    cr_assert_not_null(mkdtemp(idle.dir));
    idle.role = (struct ca_role){.store_dir = idle.dir, .board = board_new()};
    idle.ca = (struct ca){.role = &idle.role, .copies.fd = -1};
    cr_assert_eq(store_open(idle.dir, STORE_CREATE, 0, &idle.ca.store, NULL), OK);
}

void idle_close(void)
{
    char command[128];

    store_close(idle.ca.store);
    board_close(idle.role.board);
    snprintf(command, sizeof command, "rm -r %s", idle.dir);
    cr_assert_eq(system(command), 0);
}

struct txn *idle_begin(void)
{
    struct txn *t = NULL;

    cr_assert_eq(txn_begin(idle.ca.store, &t), OK);
    return t;
}

void idle_commit(struct txn *t)
{
    cr_assert_eq(txn_commit(t), OK);
}

struct view *idle_look(void)
{
    struct view *v = NULL;

    cr_assert_eq(view_open(idle.ca.store, &v), OK);
    return v;
}

struct sought {
    const char *code;
    char text[ALARM_DETAIL_MAX];
};

static bool note(const struct alarm_shown *a, void *arg)
{
    struct sought *s = arg;

    cr_assert_str_eq(a->code, s->code);
    strcpy(s->text, a->detail);
    return true;
}

const char *idle_alarm(const char *code)
{
    static struct sought s;

    s = (struct sought){.code = code};
    board_each_alarm(idle.role.board, note, &s);
    return s.text;
}
