/* SPDX-License-Identifier: Apache-2.0 */
/* Does a snapshot hold what a responder needs and nothing else, and is there always a whole one? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/fixture.h"

#define COUNT 60000u /* more than one transaction of the snapshot */

static struct place source, target;
static uint16_t issuer_no;

static void add_issuer(struct txn *t)
{
    struct issuer i = {.id = "rsa-g1", .certificate = span_str("certificate")};
    uint8_t serial[SERIAL_LEN];

    issuer_add(t, &i, &issuer_no);
    serial_of(0, serial);
    issuer_set_responder(t, issuer_no, serial);
    serial_of(1, serial);
    responder_set(t, issuer_no, "dmz1", serial);
}

static void setup(void)
{
    struct txn *t;

    source = place_create();
    target = place_empty();
    t = begin(&source);
    add_issuer(t);
    commit(t);
    add_range(&source, 0, 10);
}

static void teardown(void)
{
    place_remove(&source);
    place_remove(&target);
}

TestSuite(snapshot, .init = setup, .fini = teardown);

static enum err take(const char *host, int64_t now_s)
{
    struct fault f = {0};

    return store_snapshot(source.store, target.dir, host, now_s, &f);
}

static struct view *look_at_snapshot(const char *host, int64_t now_s)
{
    cr_assert_eq(take(host, now_s), OK);
    place_reopen(&target, STORE_COPY);
    return look(&target);
}

static ino_t inode(void)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s/data.mdb", target.dir);
    cr_assert_eq(stat(path, &st), 0);
    return st.st_ino;
}

Test(snapshot, holds_every_status_the_issuer_its_signer_and_the_time)
{
    uint8_t serial[SERIAL_LEN];
    struct store_counts counts;
    struct status status;
    struct issuer i;
    struct cert c;
    struct view *v;
    struct txn *t;
    int64_t at_s;

    add_range(&source, 10, COUNT);
    t = begin(&source);
    serial_of(7, serial);
    cert_revoke(t, serial, REASON_KEY_COMPROMISE, NOW - 5, NO_TIME);
    commit(t);
    v = look_at_snapshot(NULL, NOW);
    cr_assert_eq(snapshot_time(v, &at_s), OK);
    cr_assert_eq(at_s, NOW);
    for (unsigned n = 0; n < COUNT; n++) {
        serial_of(n, serial);
        cr_assert_eq(status_find(v, serial, &status), OK);
        cr_assert_eq(status.state, n == 7 ? CERT_REVOKED : CERT_VALID);
    }
    serial_of(COUNT, serial);
    cr_assert_eq(status_find(v, serial, &status), ERR_NOT_FOUND);
    cr_assert_eq(issuer_find(v, "rsa-g1", &i), OK);
    cr_assert(span_eq(i.certificate, span_str("certificate")));
    serial_of(0, serial);
    cr_assert_arr_eq(i.responder, serial, SERIAL_LEN);
    cr_assert_eq(cert_find(v, i.responder, &c), OK);
    cr_assert_gt(c.der.len, 0);
    cr_assert_eq(store_count(v, &counts), OK);
    cr_assert_eq(counts.certificates, COUNT);
    cr_assert_eq(counts.revoked, 1);
    view_close(v);
}

Test(snapshot, holds_nothing_else_of_a_certificate)
{
    uint8_t serial[SERIAL_LEN];
    struct cert c;
    struct view *v = look_at_snapshot(NULL, NOW);

    serial_of(5, serial);
    cr_assert_neq(cert_find(v, serial, &c), OK);
    view_close(v);
}

Test(snapshot, for_a_host_names_that_hosts_signer)
{
    uint8_t serial[SERIAL_LEN];
    struct issuer i;
    struct cert c;
    struct view *v = look_at_snapshot("dmz1", NOW);

    serial_of(1, serial);
    cr_assert_eq(issuer_find(v, "rsa-g1", &i), OK);
    cr_assert_arr_eq(i.responder, serial, SERIAL_LEN);
    cr_assert_eq(cert_find(v, serial, &c), OK);
    view_close(v);
    cr_assert_eq(take("dmz2", NOW), ERR_NOT_FOUND);
    cr_assert_eq(snapshot_time(v = look(&target), &(int64_t){0}), OK); /* the one before is still there */
    view_close(v);
}

Test(snapshot, is_replaced_as_a_whole_while_it_is_read)
{
    uint8_t serial[SERIAL_LEN];
    struct status status;
    struct view *v = look_at_snapshot(NULL, NOW);
    ino_t before = inode();

    add_range(&source, 10, 20);
    cr_assert_eq(take(NULL, NOW + 60), OK);
    cr_assert_neq(inode(), before);
    serial_of(10, serial);
    cr_assert_eq(status_find(v, serial, &status), ERR_NOT_FOUND); /* what was open shows what it showed */
    view_close(v);
    place_reopen(&target, STORE_COPY);
    v = look(&target);
    cr_assert_eq(status_find(v, serial, &status), OK);
    view_close(v);
}

Test(snapshot, leaves_no_draft_behind)
{
    char command[128];

    cr_assert_eq(take(NULL, NOW), OK);
    cr_assert_eq(take("dmz2", NOW), ERR_NOT_FOUND);
    snprintf(command, sizeof command, "test \"$(ls -A %s)\" = data.mdb", target.dir);
    cr_assert_eq(system(command), 0);
}

/* What a run that is killed leaves. */
static void leave_draft(const char *name, const char *file)
{
    char command[512];

    snprintf(command, sizeof command, "mkdir -p %s/%s && touch %s/%s/data.mdb %s/%s/%s", target.dir, name,
             target.dir, name, target.dir, name, file);
    cr_assert_eq(system(command), 0);
}

static bool is_there(const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", target.dir, name);
    return stat(path, &st) == 0;
}

Test(snapshot, drafts_of_killed_runs_go_and_nothing_else)
{
    char path[128];
    int fd;

    leave_draft(".new-aB3dE6", "writer.lock");
    leave_draft(".new-111111", "writer.lock");
    leave_draft(".new-222222", "lock.mdb");
    leave_draft(".new-backups", "writer.lock");
    leave_draft("x.new-333333", "writer.lock");
    snprintf(path, sizeof path, "%s/.new-111111/writer.lock", target.dir);
    fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    cr_assert_eq(take(NULL, NOW), OK);
    cr_expect_not(is_there(".new-aB3dE6"));
    cr_expect(is_there(".new-111111/data.mdb"), "of a run that goes on");
    cr_expect(is_there(".new-222222/data.mdb"), "of one that begins");
    cr_expect(is_there(".new-backups/data.mdb"), "no draft's name");
    cr_expect(is_there("x.new-333333/data.mdb"));
    close(fd);
    cr_assert_eq(take(NULL, NOW), OK);
    cr_expect_not(is_there(".new-111111"));
}

Test(snapshot, never_takes_the_place_of_a_store)
{
    struct fault f = {0};

    cr_assert_eq(store_snapshot(source.store, source.dir, NULL, NOW, &f), ERR_EXISTS);
    cr_assert_eq(store_snapshot(source.store, "/nonexistent/place", NULL, NOW, &f), ERR_NOT_FOUND);
}

Test(snapshot, that_was_cut_off_is_refused)
{
    char path[128];
    struct store *s = NULL;
    struct fault f = {0};
    struct stat st;

    add_range(&source, 10, 2000);
    cr_assert_eq(take(NULL, NOW), OK);
    snprintf(path, sizeof path, "%s/data.mdb", target.dir);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(truncate(path, st.st_size / 2), 0);
    cr_assert_eq(store_open(target.dir, STORE_COPY, 0, &s, &f), ERR_CONFLICT);
    cr_assert_null(s);
}

Test(snapshot, a_store_is_none)
{
    int64_t at_s;
    struct view *v = look(&source);

    cr_assert_eq(snapshot_time(v, &at_s), ERR_NOT_FOUND);
    view_close(v);
}
