/* SPDX-License-Identifier: Apache-2.0 */
/* Do `csr sign` and `csr check` send the request, and put what came back where it belongs? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cli/exchange.h"

Test(csr, sign_sends_the_request_and_prints_the_chain)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(exchange_certificate),
             WORDS("csr", "sign", "-", "--profile", "ucm/tomcat", "--days", "90"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/certificates?profile=ucm%2Ftomcat&days=90 HTTP/1.1");
    cr_assert_str_eq(body_of(&x, 0), "REQUEST");
    cr_assert_not_null(strstr(canned_request(x.server, 0), "\r\nContent-Type: application/pkcs10\r\n"));
    cr_assert_not_null(strstr(canned_request(x.server, 0), "\r\nAccept: application/json\r\n"));
    cr_assert_str_eq(x.typed.out, "LEAF\nCA\n");
    cr_assert_str_eq(x.typed.err, "note    csr.hash.weak  SHA-1\n");
    finish(&x);
}

Test(csr, quiet_says_nothing_of_notes)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(exchange_certificate), WORDS("csr", "sign", "-", "--profile", "p", "--quiet"));
    expect_code(&x, 0);
    cr_assert_str_eq(x.typed.err, "");
    finish(&x);
}

Test(csr, out_replaces_a_file_that_others_may_read)
{
    struct exchange x = {.typed.in = "REQUEST"};
    char path[] = "/tmp/out.XXXXXX", content[32] = "";
    struct stat st;
    FILE *file;

    close(mkstemp(path));
    exchange(&x, BODIES(exchange_certificate), WORDS("csr", "sign", "-", "--profile", "p", "--out", path));
    expect_code(&x, 0);
    cr_assert_str_eq(x.typed.out, "");
    file = fopen(path, "r");
    cr_assert_eq(fread(content, 1, sizeof content - 1, file), 8);
    fclose(file);
    cr_assert_str_eq(content, "LEAF\nCA\n");
    cr_assert(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644);
    unlink(path);
    finish(&x);
}

Test(csr, out_that_cannot_be_written_names_the_serial)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(exchange_certificate),
             WORDS("csr", "sign", "-", "--profile", "p", "--out", "/nonexistent/f"));
    expect_code(&x, 1);
    cr_assert_not_null(strstr(x.typed.err, "chancery cert export 0a\n"));
    finish(&x);
}

Test(csr, out_to_a_device_leaves_the_device)
{
    struct exchange x = {.typed.in = "REQUEST"};
    struct stat st;

    exchange(&x, BODIES(exchange_certificate),
             WORDS("csr", "sign", "-", "--profile", "p", "--out", "/dev/null"));
    expect_code(&x, 0);
    cr_assert(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    finish(&x);
}

Test(csr, der_is_fetched_by_serial)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(exchange_certificate, "DER"),
             WORDS("csr", "sign", "-", "--profile", "p", "--output", "der"));
    expect_code(&x, 0);
    expect_request(x.server, 1, "GET /api/v1/certificates/0a.der HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "DER");
    finish(&x);
}

Test(csr, a_serial_of_the_service_that_is_too_long_is_its_fault)
{
    struct exchange x = {.typed.in = "REQUEST"};
    char *issued = NULL;

    cr_assert_gt(asprintf(&issued, "{\"serial\":\"%070000d\",\"pem\":\"LEAF\\n\",\"chain\":\"LEAF\\n\"}", 0),
                 0);
    exchange(&x, BODIES(issued), WORDS("csr", "sign", "-", "--profile", "p", "--output", "der"));
    expect_code(&x, 2);
    cr_assert_not_null(strstr(x.typed.err, "too long"));
    finish(&x);
    free(issued);
}

Test(csr, waiting_for_approval_is_four)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES("202 {\"request\":\"7\"}"), WORDS("csr", "sign", "-", "--profile", "p"));
    expect_code(&x, 4);
    cr_assert_str_eq(x.typed.out, "7\n", "the id is the result");
    cr_assert_str_eq(x.typed.err, "waiting for approval\n");
    finish(&x);
}

/* The id comes from the service: it may be anything. */
Test(csr, waiting_in_another_form_shows_the_answer)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES("202 {\"request\":\"7\"}"),
             WORDS("csr", "sign", "-", "--profile", "p", "--output", "jsonl", "--quiet"));
    expect_code(&x, 4);
    cr_assert_str_eq(x.typed.out, "{\"request\":\"7\"}\n");
    cr_assert_str_eq(x.typed.err, "");
    finish(&x);
    x.typed.in = "REQUEST";
    exchange(&x, BODIES("202 {\"request\":\"\\u001b[31m\"}"), WORDS("csr", "sign", "-", "--profile", "p"));
    expect_code(&x, 4);
    cr_assert_null(strchr(x.typed.out, 0x1b));
    finish(&x);
}

static const char accepted[] = "{\"accepted\":true,\"would_issue\":{\"cn\":\"a\"},\"findings\":[]}";
static const char refused[] = "{\"accepted\":false,\"would_issue\":null,\"findings\":[{\"rule\":\"r\","
                              "\"severity\":\"refuse\",\"message\":\"M\"}]}";

Test(csr, a_dry_run_asks_for_the_verdict_alone)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(accepted), WORDS("csr", "sign", "-", "--profile", "p", "--dry-run"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/preflight?profile=p HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "cn  a\n");
    finish(&x);
    x.typed.in = "REQUEST";
    exchange(&x, BODIES(refused), WORDS("csr", "sign", "-", "--profile", "p", "--dry-run"));
    expect_code(&x, 3);
    cr_assert_str_eq(x.typed.out, "");
    finish(&x);
}

Test(csr, check_prints_verdict_and_findings)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(refused), WORDS("csr", "check", "-", "--profile", "p"));
    expect_code(&x, 3);
    expect_request(x.server, 0, "POST /api/v1/preflight?profile=p HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "REFUSED\nrefuse  r\n        M\n");
    finish(&x);
    x.typed.in = "REQUEST";
    exchange(&x, BODIES(accepted), WORDS("csr", "check", "-", "--profile", "p"));
    expect_code(&x, 0);
    finish(&x);
}

Test(csr, nothing_empty_or_huge_is_sent)
{
    struct typed t = {.in = ""};

    TYPE(&t, "csr", "sign", "-", "--profile", "p", "--home", "/nonexistent");
    cr_assert_eq(t.code, 1);
    cr_assert_str_eq(t.err, "chancery: standard input: empty\n");
    typed_free(&t);
    TYPE(&t, "csr", "sign", "/dev/zero", "--profile", "p", "--home", "/nonexistent");
    cr_assert_eq(t.code, 1);
    cr_assert_str_eq(t.err, "chancery: /dev/zero: larger than 65536 octets\n");
    typed_free(&t);
}
