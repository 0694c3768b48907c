/* SPDX-License-Identifier: Apache-2.0 */
/* Is a secret read from where it is, and refused where others could read it too? */
#include "watch/secret.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void make_dir(void)
{
    strcpy(dir, "/tmp/chancery-secret-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(watch_secret, .init = make_dir, .fini = remove_dir);

static struct secret_ref put(const char *text, size_t len, mode_t mode)
{
    struct secret_ref ref = {0};

    cr_assert_eq(path_join(ref.where, dir, "secret", NULL), OK);
    cr_assert_eq(file_replace(ref.where, span_of(text, len), mode, NULL), OK);
    return ref;
}

Test(watch_secret, a_file_gives_its_one_line)
{
    struct secret_ref ref = put("pass word\n", 10, 0600);
    struct secret s;

    cr_assert_eq(secret_load(&ref, &s, NULL), OK);
    cr_assert_str_eq(s.text, "pass word");
    secret_forget(&s);
    cr_assert_str_eq(s.text, "");
}

Test(watch_secret, what_others_can_read_is_refused_and_not_shown)
{
    static const mode_t modes[] = {0640, 0604, 0660};

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct secret_ref ref = put("hunter2", 7, modes[i]);
        struct fault f = {0};
        struct secret s;

        cr_assert_eq(secret_load(&ref, &s, &f), ERR_KEY);
        cr_assert_null(strstr(f.detail, "hunter2"));
        cr_assert_str_eq(s.text, "");
        cr_assert_eq(secret_file_check(ref.where, NULL), ERR_KEY);
    }
}

Test(watch_secret, what_is_no_line_of_text_is_refused)
{
    char *longer = malloc(SECRET_MAX + 2);
    struct secret_ref ref;
    struct secret s;

    memset(longer, 'x', SECRET_MAX + 2);
    ref = put("", 0, 0600);
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
    ref = put("\n", 1, 0600);
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
    ref = put("a\nAuthorization: b", 18, 0600);
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
    ref = put(longer, SECRET_MAX, 0600);
    cr_assert_eq(secret_load(&ref, &s, NULL), OK);
    ref = put(longer, SECRET_MAX + 1, 0600);
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
    unlink(ref.where);
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
    free(longer);
}

Test(watch_secret, a_credential_is_in_the_directory_that_the_service_was_given)
{
    struct secret_ref ref = {.is_credential = true, .where = "secret"};
    struct secret s;

    put("token", 5, 0640); /* the manager's access list shows as the group's bits */
    unsetenv("CREDENTIALS_DIRECTORY");
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    cr_assert_eq(secret_load(&ref, &s, NULL), OK);
    cr_assert_str_eq(s.text, "token");
    put("token", 5, 0644);
    cr_assert_eq(secret_load(&ref, &s, NULL), ERR_KEY);
}
