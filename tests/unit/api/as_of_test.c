/* SPDX-License-Identifier: Apache-2.0 */
/* Does an OCSP host remember of when its latest snapshot was, and believe of its file no more than a time? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "api/public.h"
#include "base/clock.h"

static FILE *file;
static int fd;

static void setup(void)
{
    file = tmpfile();
    cr_assert_not_null(file);
    fd = fileno(file);
}

static void teardown(void)
{
    fclose(file);
}

TestSuite(as_of, .init = setup, .fini = teardown);

Test(as_of, what_was_saved_is_loaded)
{
    static const int64_t times[] = {CLOCK_MIN, 0, 1800000000, CLOCK_MAX};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        as_of_save(fd, times[i]);
        cr_assert_eq(as_of_load(fd), times[i]);
    }
}

Test(as_of, an_empty_file_is_none)
{
    cr_assert_eq(as_of_load(fd), NO_TIME);
}

/* Each look at the host's health says it as a text. */
Test(as_of, a_time_that_no_text_can_say_is_none)
{
    static const int64_t times[] = {CLOCK_MIN - 1, CLOCK_MAX + 1, INT64_MAX, NO_TIME};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        as_of_save(fd, times[i]);
        cr_assert_eq(as_of_load(fd), NO_TIME, "%zu", i);
    }
}

Test(as_of, a_file_that_is_cut_off_is_none)
{
    as_of_save(fd, 1800000000);
    cr_assert_eq(ftruncate(fd, 40), 0);
    cr_assert_eq(as_of_load(fd), NO_TIME);
}
