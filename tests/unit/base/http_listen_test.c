/* SPDX-License-Identifier: Apache-2.0 */
/* Do listening sockets come into being as asked, and leave what is not theirs alone? */
#include "tests/unit/base/host.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/http-listen-XXXXXX";
static char path[128];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/control.sock", dir);
}

static void teardown(void)
{
    unlink(path);
    rmdir(dir);
}

Test(http_listen_tcp, says_why_it_cannot)
{
    struct fault f = {0};
    char where[64];
    int a, b;

    cr_assert_eq(http_listen_tcp("127.0.0.1:0", &a, &f), OK);
    cr_assert_eq(http_bound(a, where, sizeof where), OK);
    cr_assert_eq(strncmp(where, "127.0.0.1:", 10), 0);
    cr_assert_neq(strcmp(where, "127.0.0.1:0"), 0);
    cr_assert_neq(fcntl(a, F_GETFD) & FD_CLOEXEC, 0);
    cr_assert_neq(fcntl(a, F_GETFL) & O_NONBLOCK, 0);
    cr_assert_eq(http_listen_tcp(where, &b, &f), ERR_IO);
    cr_assert_eq(strncmp(f.detail, where, strlen(where)), 0, "%s", f.detail);
    cr_assert_not_null(strstr(f.detail, "Address already in use"));
    cr_assert_eq(http_bound(a, where, 5), ERR_IO);
    close(a);
}

Test(http_listen_tcp, refuses_what_is_no_numeric_address_and_port)
{
    static const char *const wrong[] = {"",
                                        ":",
                                        ":80",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "::1:80",
                                        "[::1]",
                                        "[]:80",
                                        "host:80",
                                        "127.0.0.1:http",
                                        "127.0.0.1:99999999999",
                                        "[127.0.0.1:80"};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fault f = {0};
        int fd;

        cr_assert_eq(http_listen_tcp(wrong[i], &fd, &f), ERR_IO, "%s", wrong[i]);
        cr_assert_eq(fd, -1);
        cr_assert_neq(f.detail[0], '\0');
    }
}

Test(http_listen_tcp, speaks_ipv6)
{
    struct sockaddr_in6 a = {0};
    socklen_t len = sizeof a;
    struct fault f = {0};
    struct answer answer;
    char where[64];
    struct host *h;
    int fd, client;

    if (http_listen_tcp("[::1]:0", &fd, &f) != OK)
        cr_skip_test("no IPv6 here: %s", f.detail);
    cr_assert_eq(http_bound(fd, where, sizeof where), OK);
    cr_assert_eq(strncmp(where, "[::1]:", 6), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    h = host_start_at(fd, NULL, NULL);
    client = socket(AF_INET6, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    client_put(client, "GET /peer HTTP/1.1\r\nHost: a\r\n\r\n");
    answer = client_take(client, true);
    cr_assert_str_eq(answer.body, "::1 1 0 -1");
    answer_free(&answer);
    close(client);
    host_stop(h);
}

Test(http_listen_unix, tells_who_is_at_the_other_end, .init = setup, .fini = teardown)
{
    struct fault f = {0};
    struct answer a;
    struct host *h;
    char expected[64];
    struct stat st;
    int fd, client;

    cr_assert_eq(http_listen_unix(path, 0600, &fd, &f), OK, "%s", f.detail);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
    h = host_start_at(fd, NULL, NULL);
    client = client_open(h);
    client_put(client, "GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n");
    a = client_take(client, true);
    snprintf(expected, sizeof expected, "unix 1 1 %d", (int)getuid());
    cr_assert_str_eq(a.body, expected);
    answer_free(&a);
    close(client);
    host_stop(h);
}

static void expect_groups(size_t extra, const char *expected)
{
    gid_t all[2000];
    struct fault f = {0};
    struct answer a;
    struct host *h;
    int fd, client;

    for (size_t i = 0; i < extra; i++)
        all[i] = (gid_t)(20000 + i);
    cr_assert_eq(setgroups(extra, all), 0);
    cr_assert_eq(http_listen_unix(path, 0600, &fd, &f), OK, "%s", f.detail);
    h = host_start_at(fd, NULL, NULL);
    client = client_open(h);
    for (int i = 0; i < 2; i++) { /* with each request of a connection */
        client_put(client, "GET /groups HTTP/1.1\r\nHost: localhost\r\n\r\n");
        a = client_take(client, true);
        cr_assert_str_eq(a.body, expected);
        answer_free(&a);
    }
    close(client);
    host_stop(h);
    unlink(path);
}

Test(http_listen_unix, tells_every_group_of_who_is_there, .init = setup, .fini = teardown)
{
    if (geteuid() != 0)
        cr_skip_test("only root can be in so many groups");
    cr_assert_eq(setegid(4711), 0);
    expect_groups(0, "1: 4711 to 4711");
    expect_groups(1, "2: 4711 to 20000");
    expect_groups(32, "33: 4711 to 20031");
    expect_groups(33, "34: 4711 to 20032");
    expect_groups(2000, "2001: 4711 to 21999");
}

Test(http_listen_unix, sets_the_mode_whatever_the_umask, .init = setup, .fini = teardown)
{
    struct fault f = {0};
    struct stat st;
    int fd;

    umask(0077);
    cr_assert_eq(http_listen_unix(path, 0660, &fd, &f), OK, "%s", f.detail);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0660);
    close(fd);
}

Test(http_listen_unix, replaces_only_a_socket_nobody_answers_on, .init = setup, .fini = teardown)
{
    struct fault f = {0};
    struct host *h;
    int fd, other;

    cr_assert_eq(http_listen_unix(path, 0600, &fd, &f), OK);
    h = host_start_at(fd, NULL, NULL);
    cr_assert_eq(http_listen_unix(path, 0600, &other, &f), ERR_IO);
    cr_assert_not_null(strstr(f.detail, "another process"), "%s", f.detail);
    host_stop(h);
    cr_assert_eq(access(path, F_OK), 0, "the file is still there, stale");
    f = (struct fault){0};
    cr_assert_eq(http_listen_unix(path, 0600, &fd, &f), OK, "%s", f.detail);
    close(fd);
}

Test(http_listen_unix, leaves_a_plain_file_alone, .init = setup, .fini = teardown)
{
    struct fault f = {0};
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    close(fd);
    cr_assert_eq(http_listen_unix(path, 0600, &fd, &f), ERR_IO);
    cr_assert_eq(fd, -1);
    cr_assert_eq(access(path, F_OK), 0);
}

Test(http_listen_unix, refuses_a_path_too_long)
{
    struct fault f = {0};
    char longer[200];
    int fd;

    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    cr_assert_eq(http_listen_unix(longer, 0600, &fd, &f), ERR_IO);
}
