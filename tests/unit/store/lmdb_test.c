/* SPDX-License-Identifier: Apache-2.0 */
/* Does the store do for LMDB what LMDB leaves to its user: failed commits, a full map, ended readers? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/fixture.h"

static uint64_t count(struct place *p)
{
    struct store_counts c;
    struct view *v = look(p);

    cr_assert_eq(store_count(v, &c), OK);
    view_close(v);
    return c.certificates;
}

/* From here on no file may grow: what a full disk does. */
static void disk_full(const char *dir)
{
    struct rlimit limit;
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s/data.mdb", dir);
    cr_assert_eq(stat(path, &st), 0);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = (rlim_t)st.st_size;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void disk_free(void)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(lmdb, nothing_is_acknowledged_after_a_failed_commit)
{
    struct place p = place_create();
    struct txn *t;

    add_range(&p, 0, 10);
    disk_full(p.dir);
    t = begin(&p);
    for (unsigned n = 10; n < 2000; n++)
        add(t, n);
    cr_assert_eq(txn_error(t), OK);
    cr_assert_eq(txn_commit(t), ERR_IO);
    disk_free();
    cr_assert_eq(txn_begin(p.store, &t), ERR_IO); /* though the disk would take it now */
    cr_assert_null(t);
    cr_assert_eq(count(&p), 10);
    place_reopen(&p, STORE_WRITE);
    cr_assert_eq(count(&p), 10);
    add_range(&p, 10, 20);
    cr_assert_eq(count(&p), 20);
    place_remove(&p);
}

/* Some 8 KiB a certificate. */
static enum err add_large(struct place *p, unsigned from, unsigned to)
{
    struct txn *t = begin(p);
    uint64_t number;

    for (unsigned n = from; n < to; n++) {
        struct sample s;

        sample_make(&s, n, 4096);
        cert_add(t, &s.cert, &number);
    }
    return txn_commit(t);
}

Test(lmdb, a_batch_beyond_the_map_is_refused_and_fits_the_next_time)
{
    struct place p = place_create_sized(1 << 20);
    enum err err;

    add_range(&p, 9000, 9001);
    err = add_large(&p, 0, 5000); /* 40 MiB */
    cr_assert_eq(err, ERR_UNAVAILABLE);
    cr_assert_eq(count(&p), 1);
    cr_assert_eq(add_large(&p, 0, 5000), OK);
    cr_assert_eq(count(&p), 5001);
    place_remove(&p);
}

/* How much address space this process may take besides what it has. */
static void space_limit(uint64_t more)
{
    struct rlimit limit;
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");

    cr_assert(statm != NULL && fscanf(statm, "%lu", &pages) == 1);
    fclose(statm);
    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = more == RLIM_INFINITY ? limit.rlim_max : pages * 4096 + more;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

Test(lmdb, a_map_that_cannot_grow_says_so_until_it_can)
{
    struct place p = place_create_sized(40 << 20);

    cr_assert_eq(store_room(p.store), STORE_ROOM_ENOUGH);
    space_limit(24 << 20);
    cr_assert_eq(add_large(&p, 0, 2700), OK); /* more than half: it should double */
    cr_assert_eq(store_room(p.store), STORE_ROOM_LITTLE);
    cr_assert_eq(add_large(&p, 2700, 3200), OK);
    cr_assert_eq(store_room(p.store), STORE_ROOM_NONE);
    cr_assert_eq(add_large(&p, 3200, 3500), OK); /* what was under way */
    space_limit(RLIM_INFINITY);
    cr_assert_eq(store_room(p.store), STORE_ROOM_ENOUGH);
    cr_assert_eq(count(&p), 3500);
    cr_assert_leq(store_maintain(p.store), 500);
    place_remove(&p);
}

Test(lmdb, a_row_beyond_all_measure_is_refused)
{
    static uint8_t octets[3 << 20];
    struct place p = place_create();
    struct cert c = {.der = {octets, sizeof octets}};
    struct txn *t = begin(&p);
    uint64_t number;

    cert_add(t, &c, &number);
    cr_assert_eq(txn_commit(t), ERR_TOO_LARGE);
    add_range(&p, 0, 1);
    place_remove(&p);
}

/* Holds a view until it is killed. */
static int holder(const char *dir, int in, int out)
{
    struct store *s;
    struct view *v;
    uint64_t go;

    if (!hear(in, &go) || store_open(dir, STORE_READ, 0, &s, NULL) != OK || view_open(s, &v) != OK)
        return 1;
    tell(out, 1);
    return hear(in, &go) ? 2 : 0;
}

static uint64_t pages_used(struct place *p, unsigned rounds)
{
    char path[128];
    struct stat st;

    for (unsigned i = 0; i < rounds; i++) {
        struct txn *t = begin(p);
        uint8_t serial[SERIAL_LEN];

        serial_of(0, serial);
        cert_revoke(t, serial, REASON_SUPERSEDED, NOW + i, NO_TIME);
        commit(t);
    }
    snprintf(path, sizeof path, "%s/data.mdb", p->dir);
    cr_assert_eq(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

Test(lmdb, the_view_of_a_killed_process_holds_no_pages_back_after_maintenance)
{
    struct place p = place_empty();
    uint64_t ready, held, freed;
    int to, from;
    pid_t pid = child(holder, p.dir, &to, &from);

    cr_assert_eq(store_open(p.dir, STORE_CREATE, 0, &p.store, NULL), OK);
    add_range(&p, 0, 100);
    tell(to, 1);
    cr_assert(hear(from, &ready));
    kill(pid, SIGKILL);
    cr_assert_eq(child_end(pid), 128 + SIGKILL);
    held = pages_used(&p, 100);
    cr_assert_lt(held, pages_used(&p, 100)); /* a dead reader's snapshot is kept, page by page */
    store_maintain(p.store);
    freed = pages_used(&p, 10);
    cr_assert_eq(pages_used(&p, 200), freed);
    place_remove(&p);
}

Test(lmdb, views_beyond_the_reader_table_are_refused_and_the_rest_go_on)
{
    struct place p = place_create();
    struct view *views[200];
    size_t open = 0;

    while (open < 200 && view_open(p.store, &views[open]) == OK)
        open++;
    cr_assert_eq(open, 126);
    view_close(views[--open]);
    cr_assert_eq(view_open(p.store, &views[open]), OK);
    for (open++; open-- > 0;)
        view_close(views[open]);
    add_range(&p, 0, 1);
    cr_assert_eq(count(&p), 1);
    place_remove(&p);
}

/* A process that opens the store before the map grows, and is told when it has. */
static void see_grow(int (*beside)(const char *dir, int in, int out))
{
    struct place p = place_empty();
    uint64_t ready;
    int to, from;
    pid_t pid = child(beside, p.dir, &to, &from);

    cr_assert_eq(store_open(p.dir, STORE_CREATE, 1 << 20, &p.store, NULL), OK);
    add_range(&p, 9000, 9001);
    tell(to, 1);
    cr_assert(hear(from, &ready));
    cr_assert_eq(add_large(&p, 0, 5000), ERR_UNAVAILABLE);
    cr_assert_eq(add_large(&p, 0, 5000), OK);
    tell(to, 1);
    cr_assert_eq(child_end(pid), 0);
    place_remove(&p);
}

/* Copies the store after the writer has grown it. */
static int copier(const char *dir, int in, int out)
{
    char path[128];
    struct store *s, *copy;
    struct store_counts c;
    struct view *v;
    uint64_t go;

    snprintf(path, sizeof path, "%s/copied", dir);
    if (!hear(in, &go) || store_open(dir, STORE_READ, 0, &s, NULL) != OK || mkdir(path, 0700) != 0)
        return 1;
    tell(out, 1);
    strcat(path, "/data.mdb");
    if (!hear(in, &go) || store_copy(s, path, NULL) != OK)
        return 2;
    store_close(s);
    *strrchr(path, '/') = '\0';
    if (store_open(path, STORE_COPY, 0, &copy, NULL) != OK || view_open(copy, &v) != OK ||
        store_count(v, &c) != OK || c.certificates != 5001)
        return 3;
    view_close(v);
    store_close(copy);
    return 0;
}

Test(lmdb, a_copy_is_made_of_a_store_that_was_grown_meanwhile)
{
    see_grow(copier);
}

/* Opens one view, then a second while the first is open, and again after. */
static int two_views(const char *dir, int in, int out)
{
    struct store *s;
    struct view *first, *second;
    uint64_t go;

    if (!hear(in, &go) || store_open(dir, STORE_READ, 0, &s, NULL) != OK || view_open(s, &first) != OK)
        return 1;
    tell(out, 1);
    if (!hear(in, &go))
        return 2;
    if (view_open(s, &second) != ERR_UNAVAILABLE)
        return 3;
    view_close(first);
    if (view_open(s, &second) != OK)
        return 4;
    view_close(second);
    store_close(s);
    return 0;
}

Test(lmdb, a_second_view_waits_when_the_map_has_grown_past_the_first)
{
    see_grow(two_views);
}
