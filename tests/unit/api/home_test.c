/* SPDX-License-Identifier: Apache-2.0 */
/* Does the supervisor give each role what it writes, and nothing that a role has led it to? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/role.h"

#define FIRST_UID 59900

static char dir[] = "/tmp/chancery-home-XXXXXX";

static void make_file(const char *path, mode_t mode)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

    cr_assert(fd >= 0 && fchmod(fd, mode) == 0 && close(fd) == 0, "%s", path);
}

static void setup(void)
{
    static const char *const names[] = {"store", "public", "public/ca", "public/crl", "listener", "keys"};

    if (geteuid() != 0)
        cr_skip_test("only root gives files away");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_eq(mkdir(names[i], 0700), 0);
    make_file("store/data.mdb", 0600);
    make_file("store/writer.lock", 0644);
    make_file("public/crl/a.crl", 0600);
    make_file("keys/a.key", 0600);
    make_file("chancery.xml", 0600);
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(home, .init = setup, .fini = teardown, .timeout = 60);

static void share(void)
{
    struct fault f = {0};

    cr_assert_eq(home_share(dir, FIRST_UID, &f), OK, "%s", f.detail);
}

static void expect(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    struct stat st;

    cr_assert_eq(lstat(path, &st), 0, "%s", path);
    cr_expect_eq(st.st_uid, uid, "%s: uid %u", path, st.st_uid);
    cr_expect_eq(st.st_gid, gid, "%s: gid %u", path, st.st_gid);
    cr_expect_eq(st.st_mode & 07777, mode, "%s: mode %o", path, st.st_mode);
}

/* As it was made: root's. */
static void expect_untouched(const char *path, mode_t mode)
{
    expect(path, 0, 0, mode);
}

Test(home, each_role_gets_what_it_writes)
{
    struct account ca = role_account(ROLE_CA, FIRST_UID), crl = role_account(ROLE_CRL, FIRST_UID),
                   api = role_account(ROLE_API, FIRST_UID);

    share();
    expect("store", ca.uid, ca.shared_gid, 0750);
    expect("store/data.mdb", ca.uid, ca.shared_gid, 0640);
    expect("store/lock.mdb", ca.uid, ca.shared_gid, 0660); /* made, because no role but ca could */
    expect("store/writer.lock", ca.uid, ca.gid, 0600);
    expect("public/crl", crl.uid, crl.gid, 0755);
    expect("public/crl/a.crl", crl.uid, crl.gid, 0644);
    expect("listener", api.uid, api.gid, 0700);
}

Test(home, what_no_role_writes_stays_with_root)
{
    share();
    expect_untouched("keys", 0700);
    expect_untouched("keys/a.key", 0600);
    expect_untouched("chancery.xml", 0600);
}

Test(home, the_way_is_opened_to_the_shared_group_alone)
{
    gid_t shared = role_account(ROLE_API, FIRST_UID).shared_gid;

    share();
    expect(".", 0, shared, 0710);
    expect("public", 0, shared, 0710);
    expect("public/ca", 0, shared, 0710);
}

Test(home, a_way_that_all_may_go_stays_as_it_is)
{
    cr_assert_eq(chmod("public", 0755), 0);
    share();
    expect_untouched("public", 0755);
}

Test(home, done_twice_it_is_as_done_once)
{
    struct account ca = role_account(ROLE_CA, FIRST_UID);

    share();
    share();
    expect("store/data.mdb", ca.uid, ca.shared_gid, 0640);
}

/* ---- a captured role may have put these there ---- */

Test(home, a_link_is_not_followed)
{
    cr_assert_eq(unlink("store/data.mdb"), 0);
    cr_assert_eq(symlink("../keys/a.key", "store/data.mdb"), 0);
    cr_assert_eq(symlink("../../keys/a.key", "public/crl/b.crl"), 0);
    share();
    expect_untouched("keys/a.key", 0600);
}

Test(home, a_directory_that_is_a_link_is_not_followed)
{
    cr_assert_eq(rmdir("listener"), 0);
    cr_assert_eq(symlink("keys", "listener"), 0);
    cr_assert_eq(rename("public/crl", "moved"), 0);
    cr_assert_eq(symlink("../keys", "public/crl"), 0);
    share();
    expect_untouched("keys", 0700);
    expect_untouched("keys/a.key", 0600);
}

Test(home, a_file_with_a_second_name_is_not_given_away)
{
    cr_assert_eq(link("keys/a.key", "public/crl/b.crl"), 0);
    cr_assert_eq(link("chancery.xml", "store/lock.mdb"), 0);
    share();
    expect_untouched("keys/a.key", 0600);
    expect_untouched("chancery.xml", 0600);
}

Test(home, a_pipe_in_the_place_of_a_file_neither_holds_it_up_nor_is_given_away)
{
    cr_assert_eq(mkfifo("public/crl/b.crl", 0600), 0);
    cr_assert_eq(mkfifo("store/lock.mdb", 0600), 0);
    share();
    expect_untouched("public/crl/b.crl", 0600);
    expect_untouched("store/lock.mdb", 0600);
}

Test(home, a_directory_in_the_place_of_a_file_is_not_given_away)
{
    cr_assert_eq(mkdir("store/lock.mdb", 0700), 0);
    cr_assert_eq(mkdir("public/crl/b.crl", 0700), 0);
    share();
    expect_untouched("store/lock.mdb", 0700);
    expect_untouched("public/crl/b.crl", 0700);
}

/* ---- what is not there ---- */

Test(home, without_a_store_no_lock_is_made)
{
    cr_assert_eq(unlink("store/data.mdb"), 0);
    share();
    cr_expect_lt(access("store/lock.mdb", F_OK), 0);
}

Test(home, a_home_that_is_none_is_an_error)
{
    struct fault f = {0};

    cr_expect_eq(home_share("/nonexistent", FIRST_UID, &f), ERR_IO);
}
