/* SPDX-License-Identifier: Apache-2.0 */
/* Do the commands about certificates ask what docs/interface.md, 5 says, and show what came back? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cli/exchange.h"

Test(cert, every_filter_becomes_a_parameter)
{
    struct exchange x = {0};

    exchange(&x, BODIES("{\"items\":[],\"next\":null}"),
             WORDS("cert", "list", "--cn", "*.a b", "--san", "s", "--profile", "ucm/x", "--issuer", "rsa-g1",
                   "--status", "held", "--key-type", "ec", "--expires-within", "30d", "--limit", "5",
                   "--after", "c+/="));
    expect_code(&x, 0);
    expect_request(
        x.server, 0,
        "GET /api/v1/certificates?cn=%2A.a%20b&san=s&profile=ucm%2Fx&issuer=rsa-g1&status=held&key_type=ec"
        "&expires_before=2026-03-02T12%3A00%3A00Z&limit=5&after=c%2B%2F%3D HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "SERIAL  STATUS  NOT AFTER  ISSUER  KEY  PROFILE  CN\n");
    finish(&x);
}

Test(cert, pages_are_followed_up_to_the_limit)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES("{\"items\":[{\"serial\":\"1\"},{\"serial\":\"2\"}],\"next\":\"c1\"}",
                    "{\"items\":[{\"serial\":\"3\"}],\"next\":\"c2\"}"),
             WORDS("cert", "list", "--limit", "3", "--output", "csv"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/certificates?limit=3 HTTP/1.1");
    expect_request(x.server, 1, "GET /api/v1/certificates?limit=1&after=c1 HTTP/1.1");
    cr_assert_not_null(strstr(x.typed.out, "\r\n3,,"));
    cr_assert_str_eq(x.typed.err, "more follow: --after c2\n");
    finish(&x);
}

Test(cert, limit_zero_is_all_and_json_one_document)
{
    struct exchange x = {0};
    struct js *v = NULL;

    exchange(&x,
             BODIES("{\"items\":[{\"serial\":\"1\"}],\"next\":\"c1\"}",
                    "{\"items\":[{\"serial\":\"2\"}],\"next\":null}"),
             WORDS("cert", "list", "--limit", "0", "--output", "json"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/certificates?limit=1000 HTTP/1.1");
    cr_assert_str_eq(x.typed.err, "");
    cr_assert_eq(js_parse(span_str(x.typed.out), &v, NULL), OK);
    cr_assert_eq(js_len(js_get(v, "items")), 2);
    cr_assert(js_is_null(js_get(v, "next")));
    js_free(v);
    finish(&x);
}

Test(cert, a_cursor_that_stands_still_ends_the_list)
{
    struct exchange x = {0};

    exchange(&x, BODIES("{\"items\":[],\"next\":\"c1\"}", "{\"items\":[],\"next\":\"c1\"}"),
             WORDS("cert", "list"));
    expect_code(&x, 2);
    finish(&x);
}

Test(cert, a_serial_is_taken_as_openssl_prints_it)
{
    struct exchange x = {0};

    exchange(&x, BODIES(exchange_certificate), WORDS("cert", "show", "0A:FF"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/certificates/0aff HTTP/1.1");
    cr_assert_null(strstr(x.typed.out, "LEAF"));
    cr_assert_not_null(strstr(x.typed.out, "key         rsa 2048\n"));
    finish(&x);
}

Test(cert, export_asks_for_the_form)
{
    static const struct {
        const char *form, *line;
    } rows[] = {{"pem", "GET /api/v1/certificates/0a.pem HTTP/1.1"},
                {"der", "GET /api/v1/certificates/0a.der HTTP/1.1"},
                {"p7b", "GET /api/v1/certificates/0a.p7b HTTP/1.1"},
                {"chain", "GET /api/v1/certificates/0a-chain.pem HTTP/1.1"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct exchange x = {0};

        exchange(&x, BODIES("\x01OCTETS"), WORDS("cert", "export", "0a", "--output", rows[i].form));
        expect_code(&x, 0);
        expect_request(x.server, 0, rows[i].line);
        cr_assert_str_eq(x.typed.out, "\x01OCTETS");
        finish(&x);
    }
}

static void expect_dry_export(const char *path, int code, const char *says)
{
    struct exchange x = {0};

    exchange(&x, BODIES("OCTETS"), WORDS("cert", "export", "0a", "--out", path, "--dry-run"));
    expect_code(&x, code);
    cr_assert_str_eq(x.typed.out, "");
    cr_assert_not_null(strstr(x.typed.err, says), "%s", x.typed.err);
    finish(&x);
}

Test(cert, a_dry_run_of_an_export_leaves_the_file_as_it_is)
{
    char dir[] = "/tmp/cert-out-XXXXXX", path[64];
    struct exchange x = {0};
    struct stat st;
    struct buf there;

    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/leaf.pem", dir);
    expect_dry_export(path, 0, "leaf.pem would be written, 6 octets; nothing was");
    cr_assert_neq(stat(path, &st), 0);
    cr_assert_eq(file_replace(path, span_str("before"), 0644, NULL), OK);
    expect_dry_export(path, 0, "leaf.pem would be written");
    buf_init(&there, 64);
    cr_assert_eq(file_read(path, &there, NULL), OK);
    cr_assert(span_eq(buf_span(&there), span_str("before")));
    buf_free(&there);
    expect_dry_export(dir, 1, "directory");
    expect_dry_export("/nonexistent/leaf.pem", 1, "No such file");
    exchange(&x, BODIES("404 {\"detail\":\"There is no such certificate.\"}"),
             WORDS("cert", "export", "0a", "--out", path, "--dry-run"));
    expect_code(&x, 5);
    finish(&x);
    exchange(&x, BODIES("OCTETS"),
             WORDS("cert", "export", "0a", "--dry-run")); /* what is shown changes nothing */
    expect_code(&x, 0);
    cr_assert_str_eq(x.typed.out, "OCTETS");
    finish(&x);
    unlink(path);
    cr_assert_eq(rmdir(dir), 0, "a draft was left");
}

Test(cert, no_binary_goes_to_a_terminal)
{
    struct exchange x = {.typed.is_terminal = true};

    exchange(&x, BODIES("\x01OCTETS"), WORDS("cert", "export", "0a", "--output", "der"));
    expect_code(&x, 1);
    cr_assert_str_eq(x.typed.out, "");
    finish(&x);
}

Test(cert, revoke_puts_reason_and_date)
{
    struct exchange x = {0};

    exchange(&x, BODIES("{\"serial\":\"0a\",\"status\":\"revoked\"}"),
             WORDS("cert", "revoke", "0a", "--reason", "keyCompromise", "--invalidity-date", "2026-01-01"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "PUT /api/v1/certificates/0a/revocation HTTP/1.1");
    cr_assert_str_eq(body_of(&x, 0),
                     "{\"reason\":\"keyCompromise\",\"invalidity_date\":\"2026-01-01T00:00:00Z\"}");
    cr_assert_not_null(strstr(canned_request(x.server, 0), "\r\nContent-Type: application/json\r\n"));
    cr_assert_str_eq(x.typed.out, "serial  0a\nstatus  revoked\n");
    finish(&x);
}

Test(cert, an_answer_without_the_certificate_is_completed)
{
    struct exchange x = {0};

    exchange(&x, BODIES("{\"reason\":\"superseded\"}", "{\"serial\":\"0a\",\"status\":\"revoked\"}"),
             WORDS("cert", "revoke", "0a", "--reason", "superseded"));
    expect_code(&x, 0);
    expect_request(x.server, 1, "GET /api/v1/certificates/0a HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "serial  0a\nstatus  revoked\n");
    finish(&x);
}

Test(cert, a_state_that_forbids_it_is_three)
{
    struct exchange x = {0};

    exchange(&x, BODIES("409 {\"detail\":\"It is revoked for good.\"}"), WORDS("cert", "unhold", "0a"));
    expect_code(&x, 3);
    expect_request(x.server, 0, "DELETE /api/v1/certificates/0a/revocation HTTP/1.1");
    finish(&x);
}

Test(cert, a_dry_run_reads_and_changes_nothing)
{
    struct exchange x = {0};

    exchange(&x, BODIES(exchange_certificate),
             WORDS("cert", "revoke", "0a", "--reason", "superseded", "--dry-run"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/certificates/0a HTTP/1.1");
    cr_assert_str_eq(x.typed.out,
                     "would    revoke\nserial   0a\nsubject  CN=a\nstatus   valid\nreason   superseded\n");
    finish(&x);
}

/* What the certificate is, what a dry run is asked, and what the service would say. */
Test(cert, a_dry_run_refuses_what_the_service_would)
{
    static const char valid[] = "null", held[] = "{\"reason\":\"certificateHold\"}",
                      gone[] = "{\"reason\":\"superseded\"}", refused[] = "It is revoked for another reason.";
    static const struct {
        const char *revocation, *reason; /* reason NULL: unhold */
        int code;
        const char *says;
    } rows[] = {{valid, "superseded", 0, "would    revoke\n"},
                {valid, "certificateHold", 0, "would    revoke\n"},
                {held, "certificateHold", 0, "would    nothing\n"},
                {held, "keyCompromise", 0, "would    revoke\n"},
                {gone, "superseded", 0, "would    nothing\n"},
                {gone, "keyCompromise", 3, refused},
                {gone, "certificateHold", 3, refused},
                {held, NULL, 0, "would    unhold\n"},
                {valid, NULL, 3, "It is not on hold."},
                {gone, NULL, 3, "It is not on hold."}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct exchange x = {0};
        char body[128];

        snprintf(body, sizeof body, "{\"serial\":\"0a\",\"status\":\"s\",\"revocation\":%s}",
                 rows[i].revocation);
        if (rows[i].reason != NULL)
            exchange(&x, BODIES(body),
                     WORDS("cert", "revoke", "0a", "--reason", rows[i].reason, "--dry-run"));
        else
            exchange(&x, BODIES(body), WORDS("cert", "unhold", "0a", "--dry-run"));
        expect_code(&x, rows[i].code);
        expect_request(x.server, 0, "GET /api/v1/certificates/0a HTTP/1.1");
        cr_assert_not_null(strstr(rows[i].code == 0 ? x.typed.out : x.typed.err, rows[i].says),
                           "row %zu: %s%s", i, x.typed.out, x.typed.err);
        cr_assert(rows[i].code == 0 || x.typed.out[0] == '\0', "row %zu", i);
        finish(&x);
    }
}

Test(cert, a_terminal_is_asked_before_revoking)
{
    struct exchange x = {.typed.is_terminal = true, .typed.in = "n\n"};

    exchange(&x, BODIES(exchange_certificate),
             WORDS("cert", "revoke", "0a", "--reason", "superseded", "--no-color"));
    expect_code(&x, 1);
    cr_assert_not_null(strstr(x.typed.err, "CN=a"));
    cr_assert_not_null(strstr(x.typed.err, "nothing was done"));
    finish(&x);
    x.typed = (struct typed){.is_terminal = true, .in = "y\n"};
    exchange(&x, BODIES(exchange_certificate, "{\"serial\":\"0a\"}"),
             WORDS("cert", "revoke", "0a", "--reason", "superseded"));
    expect_code(&x, 0);
    expect_request(x.server, 1, "PUT /api/v1/certificates/0a/revocation HTTP/1.1");
    finish(&x);
    x.typed = (struct typed){.is_terminal = true, .in = "n\n"};
    exchange(&x, BODIES("{\"serial\":\"0a\"}"),
             WORDS("cert", "revoke", "0a", "--reason", "superseded", "--yes"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "PUT /api/v1/certificates/0a/revocation HTTP/1.1");
    finish(&x);
}

Test(cert, a_dry_run_looks_at_the_invalidity_date_as_the_service_would)
{
    static const char valid[] = "null", held[] = "{\"reason\":\"certificateHold\"}",
                      gone[] = "{\"reason\":\"superseded\"}",
                      dated[] = "{\"reason\":\"superseded\",\"invalidity_date\":\"2024-01-02T00:00:00Z\"}",
                      ahead[] = "The invalidity date lies in the future.";
    static const struct {
        const char *revocation, *date;
        int code;
        const char *says;
    } rows[] = {{valid, "2024-01-02", 0, "would    revoke\n"},
                {held, "2024-01-02", 0, "would    revoke\n"},
                {dated, "2024-01-02", 0, "would    nothing\n"},
                {dated, "2024-01-03", 0, "would    nothing\n"},
                {gone, "2024-01-02", 0, "would    nothing\n"},
                {valid, "9999-12-31", 1, ahead},
                {held, "9999-12-31", 1, ahead},
                {dated, "9999-12-31", 0, "would    nothing\n"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct exchange x = {0};
        char body[192];

        snprintf(body, sizeof body, "{\"serial\":\"0a\",\"status\":\"s\",\"revocation\":%s}",
                 rows[i].revocation);
        exchange(&x, BODIES(body),
                 WORDS("cert", "revoke", "0a", "--reason", "superseded", "--invalidity-date", rows[i].date,
                       "--dry-run"));
        expect_code(&x, rows[i].code);
        cr_assert_not_null(strstr(rows[i].code == 0 ? x.typed.out : x.typed.err, rows[i].says),
                           "row %zu: %s%s", i, x.typed.out, x.typed.err);
        finish(&x);
    }
}
