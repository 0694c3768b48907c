/* SPDX-License-Identifier: Apache-2.0 */
/* Is a service manager told what it asked for, at each kind of address, and is nothing left for children? */
#include "base/notify.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A manager with an abstract name of this process; its socket. */
static int manager_open(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char name[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int n = snprintf(name, sizeof name, "@chancery-notify-%d", (int)getpid());

    memcpy(a.sun_path, name, (size_t)n);
    a.sun_path[0] = '\0';
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, (socklen_t)(sizeof a.sun_family + (size_t)n)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

Test(notify, tells_and_leaves_nothing_for_children)
{
    int fd = manager_open();
    struct notify n;
    char text[128] = "";

    setenv("WATCHDOG_USEC", "3000000", 1);
    notify_open(&n);
    cr_assert_eq(n.watchdog_ms, 3000);
    cr_assert_null(getenv("NOTIFY_SOCKET"));
    cr_assert_null(getenv("WATCHDOG_USEC"));
    notify_send(&n, "READY=1");
    cr_assert_eq(recv(fd, text, sizeof text - 1, 0), 7);
    cr_assert_str_eq(text, "READY=1");
    notify_reloading(&n);
    cr_assert_gt(recv(fd, text, sizeof text - 1, 0), 0);
    cr_assert_eq(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    close(fd);
    notify_send(&n, "READY=1"); /* nobody hears it: no harm */
    close(n.fd);
}

Test(notify, without_a_manager_nothing_happens)
{
    static const char *const bad[] = {"", "relative", "/", "@", NULL};
    struct notify n;
    char longer[200];

    memset(longer, 'a', sizeof longer - 1);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < 5; i++) {
        setenv("NOTIFY_SOCKET", bad[i] == NULL ? longer : bad[i], 1);
        setenv("WATCHDOG_USEC", "3000000", 1);
        notify_open(&n);
        cr_assert_eq(n.fd, -1);
        cr_assert_eq(n.watchdog_ms, 0);
        notify_send(&n, "READY=1");
    }
}

Test(notify, a_watchdog_is_this_process_and_a_number)
{
    static const struct {
        const char *usec, *pid;
    } none[] = {{"", NULL},  {"-1", NULL},      {"3s", NULL},    {"99999999999999999999", NULL},
                {"999", ""}, {"3000000", "1x"}, {"3000000", "1"}};
    struct notify n;
    char own[32];

    for (size_t i = 0; i <= sizeof none / sizeof none[0]; i++) {
        bool is_good = i == sizeof none / sizeof none[0];
        int fd = manager_open();

        snprintf(own, sizeof own, "%d", (int)getpid());
        setenv("WATCHDOG_USEC", is_good ? "3000000" : none[i].usec, 1);
        if (is_good || none[i].pid != NULL)
            setenv("WATCHDOG_PID", is_good ? own : none[i].pid, 1);
        notify_open(&n);
        cr_assert_eq(n.watchdog_ms, is_good ? 3000 : 0, "%zu", i);
        close(n.fd);
        close(fd);
    }
}
