/* SPDX-License-Identifier: Apache-2.0 */
/* Whom is asked, and what does each answer mean to a script? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/cli/typed.h"

Test(service, statuses_become_the_promised_exit_codes)
{
    static const struct {
        unsigned status;
        int code;
    } rows[] = {{200, 0}, {201, 0}, {204, 0}, {202, 4}, {301, 2}, {400, 1}, {401, 6},
                {403, 6}, {404, 5}, {405, 1}, {406, 1}, {408, 2}, {409, 3}, {413, 1},
                {415, 1}, {422, 3}, {429, 2}, {431, 1}, {500, 2}, {503, 2}, {599, 2}};

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_assert_eq(exit_of_status(rows[i].status), rows[i].code, "%u", rows[i].status);
}

static struct canned *show_one(struct typed *t, unsigned status, const char *type, const char *body)
{
    char *answer = canned_answer(status, type, body);
    struct canned *c =
        typed_against(t, (const char *const[]){answer}, 1, (const char *const[]){"cert", "show", "0a", NULL});

    canned_join(c);
    free(answer);
    return c;
}

static void expect_answer(unsigned status, const char *type, const char *body, int code, const char *said)
{
    struct typed t = {0};

    canned_stop(show_one(&t, status, type, body));
    cr_assert_eq(t.code, code, "%u gave %d: %s", status, t.code, t.err);
    cr_assert_str_eq(t.err, said);
    cr_assert_str_eq(t.out, "");
    typed_free(&t);
}

Test(service, problems_are_one_line_each)
{
    static const char problem[] = "application/problem+json";

    expect_answer(404, problem,
                  "{\"title\":\"T\",\"detail\":\"There is no such certificate.\",\"request_id\":\"r1\"}", 5,
                  "chancery: There is no such certificate.\n");
    expect_answer(403, problem, "{\"title\":\"Forbidden\"}", 6, "chancery: Forbidden\n");
    expect_answer(500, "application/problem+json; charset=utf-8",
                  "{\"detail\":\"It failed.\",\"request_id\":\"r2\"}", 2,
                  "chancery: It failed. (status 500, request r2)\n");
    expect_answer(503, "text/html", "<html>", 2,
                  "chancery: The service cannot do this now; try again later. (status 503)\n");
    expect_answer(400, problem, "{\"detail\":\"a\\u001b[31m\\nb\"}", 1, "chancery: a\\u001b[31m\\u000ab\n");
}

Test(service, where_a_list_goes_on_is_said_by_who_takes_it)
{
    static const char *const commands[][3] = {{"cert", "list"}, {"ocsp", "export", "out"}};
    static const char *const said[] = {"--after 01ab\n", "A row is damaged.\n"};

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        char *answer = canned_answer(500, "application/problem+json",
                                     "{\"detail\":\"A row is damaged.\",\"next\":\"01ab\"}");
        const char *words[] = {commands[i][0], commands[i][1], commands[i][2], NULL};
        struct typed t = {0};

        canned_stop(typed_against(&t, (const char *const[]){answer}, 1, words));
        cr_assert_eq(t.code, 2, "%s", t.err);
        cr_assert_not_null(strstr(t.err, said[i]), "%s", t.err);
        cr_assert_eq(strstr(t.err, "--after") != NULL, i == 0);
        typed_free(&t);
        free(answer);
    }
}

Test(service, findings_of_a_refusal_follow_it)
{
    expect_answer(422, "application/problem+json",
                  "{\"detail\":\"Refused.\",\"findings\":[{\"rule\":\"key.too-large\",\"severity\":"
                  "\"refuse\",\"message\":\"M\",\"fix\":\"F\"}]}",
                  3, "chancery: Refused.\nrefuse  key.too-large  M\n        fix: F\n");
}

Test(service, an_answer_that_is_none_is_a_failure_of_the_service)
{
    expect_answer(200, "application/json", "{", 2,
                  "chancery: the answer to GET /api/v1/certificates/0a is no JSON object\n");
    expect_answer(200, "text/plain", "{}", 2,
                  "chancery: the answer to GET /api/v1/certificates/0a is no JSON object\n");
    expect_answer(200, "application/json", "[]", 2,
                  "chancery: the answer to GET /api/v1/certificates/0a is no JSON object\n");
    expect_answer(200, "application/json", "", 2,
                  "chancery: the answer to GET /api/v1/certificates/0a is empty\n");
}

static void expect_local(const char *const *words, int code, const char *said)
{
    struct typed t = {0};

    typed_run(&t, words);
    cr_assert_eq(t.code, code, "%s", t.err);
    cr_assert(strstr(t.err, said) == t.err, "%s", t.err);
    cr_assert_str_eq(t.out, "");
    typed_free(&t);
}
#define LOCAL(code, said, ...) expect_local((const char *const[]){__VA_ARGS__, NULL}, code, said)

Test(service, nobody_there_is_two)
{
    LOCAL(2, "chancery: /nonexistent/control.sock: No such file or directory\n", "ca", "list", "--home",
          "/nonexistent");
    LOCAL(2, "chancery: https://127.0.0.1:1: Connection refused\n", "ca", "list", "--server",
          "https://127.0.0.1:1", "--cacert", "/dev/null");
    LOCAL(2, "chancery: /nonexistent/control.sock: ", "health", "--home", "/nonexistent");
}

Test(service, an_address_without_sense_is_one)
{
    LOCAL(1, "chancery: --server http://x: an https:// address", "ca", "list", "--server", "http://x",
          "--cacert", "f");
    LOCAL(1, "chancery: --server needs --cacert", "ca", "list", "--server", "https://x");
    LOCAL(1, "chancery: --home and --server exclude", "ca", "list", "--server", "https://x", "--cacert", "f",
          "--home", "h");
    LOCAL(1, "chancery: --cert and --token exclude", "ca", "list", "--server", "https://x", "--cacert", "f",
          "--cert", "c", "--token", "t");
    LOCAL(1, "chancery: --key goes with", "ca", "list", "--server", "https://x", "--cacert", "f", "--key",
          "k");
    LOCAL(1, "chancery: --token goes with", "ca", "list", "--home", "h", "--token", "t");
    LOCAL(1, "chancery: /nonexistent/t: No such file", "ca", "list", "--server", "https://x", "--cacert", "f",
          "--token", "/nonexistent/t");
    LOCAL(1, "chancery: standard input: empty", "ca", "list", "--server", "https://x", "--cacert", "f",
          "--token", "-");
}

Test(service, the_home_is_the_option_then_the_environment_then_run)
{
    char dir[] = "/tmp/home.XXXXXX";
    FILE *file;

    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    LOCAL(1, "chancery: no home: ", "ca", "list");
    cr_assert(system("mkdir run") == 0);
    LOCAL(1, "chancery: no home: ", "ca", "list");
    file = fopen("run/chancery.xml", "w");
    cr_assert_not_null(file);
    fclose(file);
    LOCAL(2, "chancery: run/control.sock: ", "ca", "list");
    LOCAL(2, "chancery: there/control.sock: ", "ca", "list", "--home", "there");
    cr_assert(unlink("run/chancery.xml") == 0 && rmdir("run") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
}
