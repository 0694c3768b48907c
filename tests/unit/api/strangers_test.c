/* SPDX-License-Identifier: Apache-2.0 */
/* Is it seen that users have no numbers here, and which number stands for all of them? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/inner.h"

static char proc[] = "/tmp/chancery-strangers-XXXXXX";
static struct access_config config;

static void put(const char *name, const char *text)
{
    char path[PATH_LEN_MAX];

    cr_assert_eq(path_join(path, proc, name, NULL), OK);
    cr_assert_eq(file_replace(path, span_str(text), 0644, NULL), OK);
}

static void setup(void)
{
    static const char *const directories[] = {"self", "sys", "sys/kernel"};
    char path[PATH_LEN_MAX];

    cr_assert_not_null(mkdtemp(proc));
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        cr_assert_eq(path_join(path, proc, directories[i], NULL), OK);
        cr_assert_eq(mkdir(path, 0755), 0);
    }
    put("self/uid_map", "         0          0 4294967295\n");
    put("self/gid_map", "         0          0 4294967295\n");
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", proc);
    cr_assert_eq(system(command), 0);
}

TestSuite(strangers, .init = setup, .fini = teardown, .timeout = 60);

/* What was logged meanwhile about the peers of the configuration. */
static const char *warned(struct strangers *s)
{
    static char text[2000];
    FILE *log = tmpfile();
    int saved = dup(STDERR_FILENO);

    cr_assert(log != NULL && saved >= 0 && dup2(fileno(log), STDERR_FILENO) >= 0);
    *s = strangers_read(proc, &config);
    cr_assert(dup2(saved, STDERR_FILENO) >= 0);
    rewind(log);
    text[fread(text, 1, sizeof text - 1, log)] = '\0';
    close(saved);
    fclose(log);
    return text;
}

Test(strangers, where_everybody_has_a_number_there_are_none)
{
    struct strangers s;

    config.peers[0].id = 65534; /* and that one is nobody else's */
    config.peer_count = 1;
    cr_assert_str_eq(warned(&s), "");
    cr_assert(!s.are_there);
}

Test(strangers, whom_the_map_lacks_is_told_by_the_overflow_number)
{
    struct strangers s;

    put("sys/kernel/overflowuid", "60001\n");
    put("sys/kernel/overflowgid", "60002\n");
    put("self/uid_map", "0 0 1\n990 990 1\n");
    cr_assert_str_eq(warned(&s), "");
    cr_assert(s.are_there);
    cr_assert(s.uid == 60001 && s.gid == 60002);
}

Test(strangers, groups_alone_may_be_without_numbers)
{
    struct strangers s;

    put("self/gid_map", "0 100000 65536\n");
    (void)warned(&s);
    cr_assert(s.are_there);
    cr_assert(s.uid == 65534 && s.gid == 65534, "as where systemd hides the files");
}

Test(strangers, a_map_that_cannot_be_read_has_nobody)
{
    char path[PATH_LEN_MAX];
    struct strangers s;

    cr_assert_eq(path_join(path, proc, "self/uid_map", NULL), OK);
    cr_assert_eq(unlink(path), 0);
    (void)warned(&s);
    cr_assert(s.are_there);
}

Test(strangers, a_peer_that_nobody_can_be_is_told)
{
    struct strangers s;
    const char *text;

    put("self/uid_map", "0 0 1\n990 1990 10\n");
    put("self/gid_map", "0 0 1\n990 990 1\n");
    config.peers[0].id = 989;
    config.peers[1].id = 999;
    config.peers[2].id = 1000;
    config.peers[3] = (struct access_peer){.is_group = true, .id = 990};
    config.peers[4] = (struct access_peer){.is_group = true, .id = 999};
    config.peer_count = 5;
    text = warned(&s);
    cr_assert_not_null(strstr(text, "<peer uid=\\\"989\\\">"), "%s", text);
    cr_assert_null(strstr(text, "uid=\\\"999\\\""));
    cr_assert_not_null(strstr(text, "uid=\\\"1000\\\""));
    cr_assert_null(strstr(text, "gid=\\\"990\\\""));
    cr_assert_not_null(strstr(text, "gid=\\\"999\\\""));
}

/* A range of a container may have the number, and then it is still that of all others too. */
Test(strangers, the_number_of_all_strangers_is_no_peer)
{
    struct strangers s;

    put("self/uid_map", "0 100000 65536\n");
    config.peers[0].id = 65534;
    config.peer_count = 1;
    cr_assert_not_null(strstr(warned(&s), "65534"));
}
