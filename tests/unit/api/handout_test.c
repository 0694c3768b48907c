/* SPDX-License-Identifier: Apache-2.0 */
/* Does a role read what the supervisor has written, that alone, and without being able to change it? */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/inner.h"

static struct handout_sheet *sheet;
static int read_fd;

static void setup(void)
{
    struct fault f = {0};

    cr_assert_eq(handout_make(&sheet, &read_fd, &f), OK, "%s", f.detail);
}

static void teardown(void)
{
    handout_close(sheet);
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
    cr_assert_eq(handout_write(sheet, &h, &f), OK, "%s", f.detail);
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

/* As the head of the sheet lies in memory: begun and ended writes, length. */
static uint64_t *head(void)
{
    return (uint64_t *)(void *)sheet;
}

Test(handout, half_of_one_and_one_with_more_behind_it_are_none)
{
    uint64_t len;

    give("<chancery/>", "<profiles/>", true);
    len = head()[1];
    for (uint64_t wrong = 0; wrong < len + 20; wrong++) {
        head()[1] = wrong;
        if (wrong != len)
            expect_none();
    }
    head()[1] = UINT64_MAX;
    expect_none();
    head()[1] = len;
    expect("<chancery/>", "<profiles/>", true);
}

Test(handout, one_that_is_being_written_is_none)
{
    give("<chancery/>", "<profiles/>", true);
    head()[0]++;
    expect_none();
    head()[0]++;
    expect("<chancery/>", "<profiles/>", true);
}

Test(handout, nobody_else_can_change_it)
{
    char path[64];
    int again;

    give("<chancery/>", "", false);
    cr_expect_lt(write(read_fd, "x", 1), 0);
    cr_expect_lt(ftruncate(read_fd, 0), 0);
    cr_expect_eq(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, read_fd, 0), MAP_FAILED);
    cr_expect_lt(fcntl(read_fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", read_fd);
    again = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(again, 0);
    cr_expect_lt(pwrite(again, "x", 1, 0), 0);
    cr_expect_lt(ftruncate(again, 0), 0);
    cr_expect_eq(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
    close(again);
    expect("<chancery/>", "", false);
}
