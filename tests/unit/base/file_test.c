/* SPDX-License-Identifier: Apache-2.0 */
/* Is a file whole or untouched, and does reading end? */
#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[PATH_LEN_MAX];
static struct buf b;

static void setup(void)
{
    strcpy(dir, "/tmp/chancery-file-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(path_join(path, dir, "a", NULL), OK);
    buf_init(&b, 1000);
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
    buf_free(&b);
}

TestSuite(file, .init = setup, .fini = teardown, .timeout = 60);

static size_t entries(void)
{
    char command[128];
    FILE *p;
    size_t n = 0;

    snprintf(command, sizeof command, "ls -A %s | wc -l", dir);
    p = popen(command, "r");
    cr_assert_eq(fscanf(p, "%zu", &n), 1);
    pclose(p);
    return n;
}

Test(file, is_replaced_whole_with_its_mode)
{
    struct stat st;

    cr_assert_eq(file_replace(path, span_str("one"), 0600, NULL), OK);
    cr_assert_eq(file_replace(path, span_str("two"), 0644, NULL), OK);
    cr_assert_eq(file_read(path, &b, NULL), OK);
    cr_assert(span_eq(buf_span(&b), span_str("two")));
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0644);
    cr_assert_eq(entries(), 1, "no temporary file stays");
}

Test(file, an_aborted_draft_changes_nothing)
{
    struct file_draft d;

    cr_assert_eq(file_replace(path, span_str("one"), 0644, NULL), OK);
    cr_assert_eq(file_draft_open(&d, path, 0644, NULL), OK);
    cr_assert_eq(file_draft_write(&d, span_str("half"), NULL), OK);
    cr_assert_eq(entries(), 2);
    file_draft_abort(&d);
    cr_assert_eq(entries(), 1);
    cr_assert_eq(file_read(path, &b, NULL), OK);
    cr_assert(span_eq(buf_span(&b), span_str("one")));
}

Test(file, drafts_of_a_killed_process_are_removed_and_nothing_else)
{
    static const char *const stay[] = {"list",           "list.crl",     "list.~abcde",   "list.~abcdefg",
                                       "list.~abc_ef",   "list.~abc.ef", "xlist.~abcdef", "lis.~abcdef",
                                       "list.x.~abcdef", "list~abcdef",  "list.backup~1", ".~abcdef",
                                       "list.~backup~"};
    char list[PATH_LEN_MAX];
    struct file_draft d;

    cr_assert_eq(path_join(list, dir, "list", NULL), OK);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        cr_assert_eq(path_join(path, dir, stay[i], NULL), OK);
        cr_assert_eq(file_replace(path, span_str("x"), 0644, NULL), OK);
    }
    cr_assert_eq(file_draft_open(&d, list, 0644, NULL), OK);
    close(d.fd); /* killed */
    file_drafts_remove(list);
    cr_expect_neq(access(d.temp, F_OK), 0);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        cr_assert_eq(path_join(path, dir, stay[i], NULL), OK);
        cr_expect_eq(unlink(path), 0, "%s", stay[i]);
    }
}

/* What people and editors call a copy of their own. */
Test(file, copies_of_a_persons_own_are_no_drafts)
{
    static const char *const stay[] = {"list.backup", "list.latest", "list.before", "list.261121",
                                       "list.x9QzAb", "list.~1~",    "list~",       "list.bak"};
    char list[PATH_LEN_MAX];

    cr_assert_eq(path_join(list, dir, "list", NULL), OK);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
        cr_assert_eq(path_join(path, dir, stay[i], NULL), OK);
        cr_assert_eq(file_replace(path, span_str("x"), 0644, NULL), OK);
        file_drafts_remove(list);
        cr_expect_eq(unlink(path), 0, "%s", stay[i]);
        cr_expect_eq(file_draft_stem(stay[i]), 0, "%s", stay[i]);
    }
}

Test(file, a_draft_says_whose_it_is)
{
    cr_expect_eq(file_draft_stem("ca.crl.~x9QzAb"), 6);
    cr_expect_eq(file_draft_stem("x.~000000"), 1);
    cr_expect_eq(file_draft_stem(".~000000"), 0);
    cr_expect_eq(file_draft_stem("000000"), 0);
    cr_expect_eq(file_draft_stem(""), 0);
}

Test(file, faults_name_the_path)
{
    struct fault f = {0};

    cr_assert_eq(file_read(path, &b, &f), ERR_NOT_FOUND);
    cr_assert_not_null(strstr(f.detail, path));
    f = (struct fault){0};
    cr_assert_eq(file_replace("/nonexistent/x", span_str("x"), 0644, &f), ERR_IO);
    cr_assert_not_null(strstr(f.detail, "/nonexistent/x"));
}

Test(file, reading_ends_at_the_limit)
{
    cr_assert_eq(file_read("/dev/zero", &b, NULL), ERR_TOO_LARGE);
}

Test(file, a_directory_that_is_none_cannot_be_synced)
{
    struct fault f = {0}, g = {0};
    char want[PATH_LEN_MAX + 32];

    cr_assert_eq(dir_sync(dir, &f), OK);
    cr_assert_eq(file_replace(path, span_str("x"), 0600, NULL), OK);
    cr_assert_eq(file_dir_sync(path, &f), OK);
    cr_assert_eq(dir_sync(path, &f), ERR_IO);
    snprintf(want, sizeof want, "%s: Not a directory", path);
    cr_assert_str_eq(f.detail, want);
    cr_assert_eq(file_dir_sync("/nonexistent/x", &g), ERR_IO);
    cr_assert_str_eq(g.detail, "/nonexistent: No such file or directory");
}

Test(file, a_regular_file_alone_is_opened)
{
    char link[PATH_LEN_MAX], fifo[PATH_LEN_MAX];
    struct stat st;
    int fd = -1;

    cr_assert_eq(file_open(path, &fd, &st, NULL), ERR_NOT_FOUND);
    cr_assert_eq(file_replace(path, span_str("three"), 0600, NULL), OK);
    cr_assert_eq(file_open(path, &fd, &st, NULL), OK);
    cr_assert_eq(st.st_size, 5);
    close(fd);
    cr_assert_eq(path_join(link, dir, "link", NULL), OK);
    cr_assert_eq(symlink("a", link), 0);
    cr_assert_eq(file_open(link, &fd, &st, NULL), ERR_IO);
    cr_assert_eq(path_join(fifo, dir, "fifo", NULL), OK);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    cr_assert_eq(file_open(fifo, &fd, &st, NULL), ERR_IO);
    cr_assert_eq(file_open(dir, &fd, &st, NULL), ERR_IO);
}
