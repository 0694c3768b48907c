/* SPDX-License-Identifier: Apache-2.0 */
/* Is each row of the audit sent once, over starts and while nobody listens, and are none made up for that
 * were not asked for? The test plays the log service. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/ca/idle.h"

#define NOW 1800000000

static struct sockaddr_un name = {.sun_family = AF_UNIX};
static int service = -1;

static void service_begin(void)
{
    service = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(service, (struct sockaddr *)&name, sizeof name), 0);
}

static void service_end(void)
{
    close(service);
    cr_assert_eq(unlink(name.sun_path), 0);
}

static void setup(void)
{
    idle_open();
    snprintf(name.sun_path, sizeof name.sun_path, "%s/log", idle.dir);
    strcpy(idle.role.config.syslog, name.sun_path);
    service_begin();
    copies_begin(&idle.ca);
}

TestSuite(copies, .init = setup, .fini = idle_close);

static void append(unsigned rows)
{
    struct txn *t = idle_begin();

    while (rows-- > 0)
        audit_append(t, &(struct audit_row){.at_s = NOW, .kind = AUDIT_CRL, .actor = span_str("service")});
    idle_commit(t);
}

/* What has arrived since: how many, and the numbers of the first and the last. */
struct arrived {
    unsigned rows;
    unsigned long long first, last;
};

static struct arrived arrived(void)
{
    struct arrived a = {0};
    char line[1024];
    ssize_t n;

    while ((n = recv(service, line, sizeof line - 1, 0)) > 0) {
        line[n] = '\0';
        cr_assert_not_null(strstr(line, " seq="), "%s", line);
        a.last = strtoull(strstr(line, " seq=") + 5, NULL, 10);
        a.first = a.rows++ == 0 ? a.last : a.first;
    }
    return a;
}

static void assert_arrived(unsigned long long first, unsigned long long last)
{
    struct arrived a = arrived();

    cr_assert_eq(a.rows, last - first + 1, "%u", a.rows);
    cr_assert_eq(a.first, first, "%llu", a.first);
    cr_assert_eq(a.last, last, "%llu", a.last);
}

static void upkeep(void)
{
    struct txn *t = idle_begin();

    copies_mark(&idle.ca, t);
    idle_commit(t);
}

/* With another socket, or "". */
static void restart_with(const char *path)
{
    copies_end(&idle.ca);
    strcpy(idle.role.config.syslog, path);
    idle.ca.sealing.seq = 1000; /* a seal is no sign of how far copies have come */
    copies_begin(&idle.ca);
}

static void restart(void)
{
    restart_with(name.sun_path);
}

Test(copies, rows_of_while_nobody_listened_are_sent_after_a_start)
{
    append(3);
    copies_turn(&idle.ca);
    assert_arrived(1, 3);
    service_end();
    append(2);
    restart();
    service_begin();
    append(1);
    copies_turn(&idle.ca);
    assert_arrived(4, 6);
    restart();
    copies_turn(&idle.ca);
    cr_assert_eq(arrived().rows, 0, "each once");
}

Test(copies, a_crash_repeats_what_was_sent_since_the_upkeep)
{
    append(3);
    copies_turn(&idle.ca);
    upkeep();
    append(2);
    copies_turn(&idle.ca);
    assert_arrived(1, 5);
    close(idle.ca.copies.fd);
    copies_begin(&idle.ca);
    copies_turn(&idle.ca);
    assert_arrived(4, 5);
}

Test(copies, what_was_missed_while_they_were_off_is_not_sent)
{
    append(3);
    copies_turn(&idle.ca);
    assert_arrived(1, 3);
    restart_with("");
    upkeep();
    append(1001);
    restart();
    copies_turn(&idle.ca);
    assert_arrived(1001, 1004);
}

Test(copies, a_mark_beyond_the_end_is_none)
{
    struct txn *t = idle_begin();

    copied_set(t, 2000);
    idle_commit(t);
    append(1001);
    idle.ca.sealing.seq = 1000;
    copies_begin(&idle.ca);
    copies_turn(&idle.ca);
    assert_arrived(1001, 1001);
}
