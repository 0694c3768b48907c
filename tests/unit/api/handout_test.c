/* SPDX-License-Identifier: Apache-2.0 */
/* Does a role read what the supervisor has written, that alone, and without being able to change it? */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/inner.h"

static int write_fd, read_fd;

static void setup(void)
{
    struct fault f = {0};

    cr_assert_eq(handout_make(&write_fd, &read_fd, &f), OK, "%s", f.detail);
}

static void teardown(void)
{
    close(write_fd);
    close(read_fd);
}

TestSuite(handout, .init = setup, .fini = teardown, .timeout = 60);

static void give(const char *settings, const char *catalogue, bool has_own_uids)
{
    struct handout h = {.home = "/srv/chancery", .has_own_uids = has_own_uids};
    struct fault f = {0};

    buf_init(&h.texts.settings, XML_DOC_MAX);
    buf_init(&h.texts.catalogue, XML_DOC_MAX);
    buf_put_span(&h.texts.settings, span_str(settings));
    buf_put_span(&h.texts.catalogue, span_str(catalogue));
    cr_assert_eq(handout_write(write_fd, &h, &f), OK, "%s", f.detail);
    handout_free(&h);
}

static void expect(const char *settings, const char *catalogue, bool has_own_uids)
{
    struct handout h;
    struct fault f = {0};

    cr_assert_eq(handout_read(read_fd, &h, &f), OK, "%s", f.detail);
    cr_expect_str_eq(h.home, "/srv/chancery");
    cr_expect_eq(h.has_own_uids, has_own_uids);
    cr_expect(span_eq(buf_span(&h.texts.settings), span_str(settings)));
    cr_expect(span_eq(buf_span(&h.texts.catalogue), span_str(catalogue)));
    handout_free(&h);
}

static void expect_none(void)
{
    struct handout h;
    struct fault f = {0};

    cr_expect_eq(handout_read(read_fd, &h, &f), ERR_CONFIG);
    cr_expect_eq(h.texts.settings.len, 0);
}

Test(handout, what_is_written_is_read_each_time)
{
    give("<chancery/>", "<profiles/>", true);
    expect("<chancery/>", "<profiles/>", true);
    expect("<chancery/>", "<profiles/>", true);
}

Test(handout, a_shorter_one_leaves_nothing_of_the_one_before)
{
    give("<chancery><confine level=\"full\"/></chancery>", "<profiles/>", true);
    give("<c/>", "", false);
    expect("<c/>", "", false);
}

Test(handout, one_of_the_greatest_size_passes)
{
    static char text[XML_DOC_MAX + 1];

    memset(text, 'x', XML_DOC_MAX);
    give(text, text, false);
    expect(text, text, false);
}

Test(handout, an_empty_one_is_none)
{
    expect_none();
}

Test(handout, half_of_one_and_one_with_more_behind_it_are_none)
{
    off_t len;

    give("<chancery/>", "<profiles/>", true);
    len = lseek(write_fd, 0, SEEK_END);
    for (off_t cut = len - 1; cut >= 0; cut--) {
        cr_assert_eq(ftruncate(write_fd, cut), 0);
        expect_none();
    }
    give("<chancery/>", "<profiles/>", true);
    cr_assert_eq(pwrite(write_fd, "", 1, len), 1);
    expect_none();
}

Test(handout, who_reads_it_cannot_change_it)
{
    give("<chancery/>", "", false);
    cr_expect_lt(write(read_fd, "x", 1), 0);
    cr_expect_lt(ftruncate(read_fd, 0), 0);
    cr_expect_eq(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, read_fd, 0), MAP_FAILED);
    expect("<chancery/>", "", false);
}
