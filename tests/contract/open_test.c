/* SPDX-License-Identifier: Apache-2.0 */
/* Who may open a store, and what does each see of the others? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/fixture.h"

static enum err try_open(const char *dir, enum store_mode mode)
{
    struct store *s = NULL;
    struct fault f = {0};
    enum err err = store_open(dir, mode, 0, &s, &f);

    if (err != OK) {
        cr_assert_eq(f.code, err);
        cr_assert_neq(f.detail[0], '\0');
        cr_assert_null(s);
    }
    store_close(s);
    return err;
}

static bool has(struct view *v, unsigned n)
{
    uint8_t serial[SERIAL_LEN];
    struct status s;
    enum err err;

    serial_of(n, serial);
    err = status_find(v, serial, &s);
    cr_assert(err == OK || err == ERR_NOT_FOUND);
    return err == OK;
}

static uint64_t count(struct view *v)
{
    struct store_counts c;

    return store_count(v, &c) == OK ? c.certificates : UINT64_MAX;
}

Test(open, where_no_store_is_there_is_none)
{
    struct place p = place_empty();

    cr_assert_eq(try_open(p.dir, STORE_READ), ERR_NOT_FOUND);
    cr_assert_eq(try_open(p.dir, STORE_WRITE), ERR_NOT_FOUND);
    cr_assert_eq(try_open("/nonexistent/store", STORE_READ), ERR_NOT_FOUND);
    cr_assert_eq(try_open("/nonexistent/store", STORE_CREATE), ERR_NOT_FOUND);
    cr_assert_eq(try_open(p.dir, STORE_CREATE), OK); /* and nothing of those attempts is in the way */
    cr_assert_eq(try_open(p.dir, STORE_READ), OK);
    cr_assert_eq(try_open(p.dir, STORE_WRITE), OK);
    place_remove(&p);
}

Test(open, creating_over_a_store_is_refused)
{
    struct place p = place_create();

    add_range(&p, 0, 1);
    cr_assert_eq(try_open(p.dir, STORE_CREATE), ERR_EXISTS);
    place_close(&p);
    cr_assert_eq(try_open(p.dir, STORE_CREATE), ERR_EXISTS);
    place_remove(&p);
}

static int open_as_writer(const char *dir, int in, int out)
{
    struct store *s = NULL;

    (void)in, (void)out;
    return (int)store_open(dir, STORE_WRITE, 0, &s, NULL);
}

Test(open, a_second_writer_is_refused_in_another_process_and_in_this_one)
{
    struct place p = place_create();
    int to, from;

    cr_assert_eq(child_end(child(open_as_writer, p.dir, &to, &from)), ERR_CONFLICT);
    cr_assert_eq(try_open(p.dir, STORE_WRITE), ERR_CONFLICT);
    add_range(&p, 0, 1); /* the first one goes on */
    place_close(&p);
    cr_assert_eq(child_end(child(open_as_writer, p.dir, &to, &from)), OK);
    place_remove(&p);
}

Test(open, again_finds_everything)
{
    struct place p = place_create();
    struct view *v;

    add_range(&p, 0, 50);
    for (unsigned i = 0; i < 3; i++) {
        place_reopen(&p, i == 1 ? STORE_READ : STORE_WRITE);
        v = look(&p);
        cr_assert_eq(count(v), 50);
        for (unsigned n = 0; n < 50; n++)
            cr_assert(has(v, n));
        view_close(v);
    }
    place_remove(&p);
}

Test(view, does_not_see_later_commits)
{
    struct place p = place_create();
    struct view *before, *after;

    add_range(&p, 0, 1);
    before = look(&p);
    add_range(&p, 1, 2);
    after = look(&p);
    cr_assert(has(before, 0));
    cr_assert_not(has(before, 1));
    cr_assert_eq(count(before), 1);
    cr_assert(has(after, 1));
    cr_assert_eq(count(after), 2);
    view_close(before);
    before = look(&p); /* a view opened again is a new one */
    cr_assert(has(before, 1));
    view_close(after);
    view_close(before);
    place_remove(&p);
}

Test(txn, sees_its_own_writes_and_nobody_else_does_until_commit)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    struct view *v;

    add(t, 0);
    cr_assert(has(txn_view(t), 0));
    cr_assert_eq(count(txn_view(t)), 1);
    v = look(&p);
    cr_assert_not(has(v, 0));
    cr_assert_eq(count(v), 0);
    view_close(v);
    commit(t);
    v = look(&p);
    cr_assert(has(v, 0));
    view_close(v);
    place_remove(&p);
}

Test(txn, aborted_leaves_nothing)
{
    struct place p = place_create();
    struct txn *t = begin(&p);
    struct view *v;

    add(t, 0);
    txn_abort(t);
    txn_abort(NULL);
    v = look(&p);
    cr_assert_not(has(v, 0));
    cr_assert_eq(count(v), 0);
    view_close(v);
    commit(begin(&p)); /* one with nothing in it is no failure */
    place_remove(&p);
}

/* For each number it hears: waits for nothing, looks, tells how many certificates there are. */
static int reader(const char *dir, int in, int out)
{
    struct store *s = NULL;
    struct view *v;
    uint64_t n;

    while (hear(in, &n)) {
        if (s == NULL && store_open(dir, STORE_READ, 0, &s, NULL) != OK)
            return 1;
        if (view_open(s, &v) != OK)
            return 2;
        tell(out, count(v));
        view_close(v);
        if (store_maintain(s) > 1000)
            return 3;
    }
    store_close(s);
    return 0;
}

Test(open, a_reader_in_another_process_sees_each_commit)
{
    struct place p = place_empty();
    int to, from;
    pid_t pid = child(reader, p.dir, &to, &from);
    uint64_t seen;

    cr_assert_eq(store_open(p.dir, STORE_CREATE, 0, &p.store, NULL), OK);
    for (unsigned n = 0; n < 20; n++) {
        add_range(&p, n, n + 1);
        tell(to, n);
        cr_assert(hear(from, &seen));
        cr_assert_eq(seen, n + 1);
    }
    close(to);
    cr_assert_eq(child_end(pid), 0);
    place_remove(&p);
}

Test(open, the_map_grows_from_tiny_while_a_reader_follows)
{
    struct place p = place_empty();
    int to, from;
    pid_t pid = child(reader, p.dir, &to, &from);
    uint64_t seen, number;
    struct view *v;

    cr_assert_eq(store_open(p.dir, STORE_CREATE, 1 << 20, &p.store, NULL), OK);
    for (unsigned n = 0; n < 20000; n += 500) {
        struct txn *t = begin(&p);

        for (unsigned i = n; i < n + 500; i++) {
            struct sample s;

            sample_make(&s, i, 800);
            cert_add(t, &s.cert, &number);
        }
        commit(t);
        tell(to, n);
        cr_assert(hear(from, &seen));
        cr_assert_eq(seen, n + 500);
        cr_assert_leq(store_maintain(p.store), 500);
    }
    close(to);
    cr_assert_eq(child_end(pid), 0);
    place_reopen(&p, STORE_READ);
    v = look(&p);
    for (unsigned n = 0; n < 20000; n++)
        cr_assert(has(v, n));
    view_close(v);
    place_remove(&p);
}

/* Commits one certificate, an audit row and a revocation of the one before at a time; tells each after its
 * commit. */
static int writer(const char *dir, int in, int out)
{
    struct store *s = NULL;
    uint64_t from = 0;

    if (!hear(in, &from) || store_open(dir, STORE_WRITE, 0, &s, NULL) != OK)
        return 1;
    for (unsigned n = (unsigned)from;; n++) {
        uint8_t before[SERIAL_LEN];
        struct txn *t;

        if (txn_begin(s, &t) != OK)
            return 2;
        add(t, n);
        serial_of(n - 1, before);
        if (n > 0)
            cert_revoke(t, before, REASON_SUPERSEDED, NOW, NO_TIME);
        audit_append(t, &(struct audit_row){.at_s = NOW, .kind = AUDIT_ISSUE, .actor = span_str("writer")});
        if (txn_commit(t) != OK)
            return 3;
        tell(out, n);
    }
}

static bool tally(const struct revoked *r, void *arg)
{
    (void)r;
    ++*(uint64_t *)arg;
    return true;
}

/* What was acknowledged is there; what is there is whole: each certificate with its audit row and revocation.
 */
static void check_whole(struct place *p, uint64_t acknowledged)
{
    struct store_counts c;
    uint64_t revoked = 0;
    struct fault f = {0};
    struct view *v = look(p);

    for (unsigned n = 0; n <= acknowledged; n++)
        cr_assert(has(v, n));
    cr_assert_eq(store_count(v, &c), OK);
    cr_assert_geq(c.certificates, acknowledged + 1);
    cr_assert_leq(c.certificates, acknowledged + 2); /* one may have been committed and not told */
    cr_assert_eq(c.audit, c.certificates);
    cr_assert_eq(c.revoked, c.certificates - 1);
    cr_assert_eq(revoked_each(v, 1, tally, &revoked), OK);
    cr_assert_eq(revoked_each(v, 2, tally, &revoked), OK);
    cr_assert_eq(revoked, c.revoked);
    cr_assert_eq(audit_verify(v, &f), OK, "%s", f.detail);
    view_close(v);
}

Test(open, a_killed_writer_loses_nothing_acknowledged)
{
    struct place p = place_create();
    uint64_t last = 0;

    place_close(&p);
    for (unsigned round = 0; round < 8; round++) {
        struct view *v;
        uint64_t from_n;
        int to, from;
        pid_t pid = child(writer, p.dir, &to, &from);

        /* The child has opened nothing yet: it waits to be told where to go on, which is read here. */
        cr_assert_eq(store_open(p.dir, STORE_READ, 0, &p.store, NULL), OK);
        v = look(&p);
        from_n = count(v);
        view_close(v);
        place_close(&p);
        tell(to, from_n);
        for (uint64_t i = 0, most = 20 + rnd(60); i < most; i++)
            cr_assert(hear(from, &last));
        kill(pid, SIGKILL);
        while (hear(from, &last))
            ; /* told before it died */
        cr_assert_eq(child_end(pid), 128 + SIGKILL);
        close(to);
        close(from);
        place_reopen(&p, STORE_WRITE);
        check_whole(&p, last);
        place_close(&p);
    }
    place_remove(&p);
}
