/* SPDX-License-Identifier: Apache-2.0 */
/* Does a directory get its name when all that is in it is on the disk, and only then? */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tree.h"

static char dir[64], place[80], draft[PATH_LEN_MAX];
static bool sync_fails, was_there; /* as the draft was synced */
static unsigned syncs;

static bool is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* In the place of the library's. */
int syncfs(int fd)
{
    (void)fd;
    syncs++;
    was_there = is_there(place);
    errno = EIO;
    return sync_fails ? -1 : 0;
}

static void setup(void)
{
    struct fault f = {0};

    snprintf(dir, sizeof dir, "/tmp/chancery-tree-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(place, sizeof place, "%s/place", dir);
    cr_assert_eq(tree_draft(place, draft, &f), OK, "%s", f.detail);
}

static void teardown(void)
{
    tree_remove(dir);
}

TestSuite(tree, .init = setup, .fini = teardown);

Test(tree, is_synced_before_it_has_its_name)
{
    struct fault f = {0};

    cr_assert_eq(tree_place(draft, place, 0700, &f), OK, "%s", f.detail);
    cr_assert_eq(syncs, 1);
    cr_assert_not(was_there);
    cr_assert(is_there(place));
}

Test(tree, that_cannot_be_synced_does_not_get_its_name)
{
    struct fault f = {0};

    sync_fails = true;
    cr_assert_eq(tree_place(draft, place, 0700, &f), ERR_IO);
    cr_assert_not(is_there(place));
}

Test(tree, slashes_behind_a_name_are_no_part_of_it)
{
    char path[96], beside[PATH_LEN_MAX];
    struct fault f = {0};

    snprintf(path, sizeof path, "%s//", place);
    cr_assert_eq(tree_draft(path, beside, &f), OK, "%s", f.detail);
    cr_assert_eq(tree_place(beside, path, 0700, &f), OK, "%s", f.detail);
    cr_assert(is_there(place));
    cr_assert_eq(tree_place(draft, path, 0700, &f), OK, "an empty one is replaced: %s", f.detail);
}

Test(tree, inside_is_told_from_beside)
{
    char path[PATH_LEN_MAX];
    struct fault f = {0};

    cr_assert_eq(mkdir(place, 0700), 0);
    snprintf(path, sizeof path, "%s/in", place);
    cr_expect_eq(tree_check_outside(path, place, &f), ERR_USAGE);
    snprintf(path, sizeof path, "%s/../place/in/", place);
    cr_expect_eq(tree_check_outside(path, place, &f), ERR_USAGE);
    snprintf(path, sizeof path, "%s-beside", place);
    cr_expect_eq(tree_check_outside(path, place, &f), OK, "%s", f.detail);
    f = (struct fault){0};
    snprintf(path, sizeof path, "%s/nowhere/in", dir);
    cr_expect_eq(tree_check_outside(path, place, &f), ERR_IO);
    cr_expect_not_null(strstr(f.detail, "No such file"), "%s", f.detail);
}

static enum err count_links(const struct tree_entry *e, void *arg)
{
    *(unsigned *)arg += S_ISLNK(e->mode);
    return OK;
}

Test(tree, a_link_is_told_and_not_followed)
{
    char path[PATH_LEN_MAX];
    struct fault f = {0};
    unsigned links = 0;

    snprintf(path, sizeof path, "%s/up", dir);
    cr_assert_eq(symlink("..", path), 0);
    cr_assert_eq(tree_each(dir, count_links, &links, &f), OK, "%s", f.detail);
    cr_assert_eq(links, 1);
}
