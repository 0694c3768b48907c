/* SPDX-License-Identifier: Apache-2.0 */
/* Does each command ask what docs/interface.md, 5 says, and show what came back? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cli/typed.h"

#define BODIES_MAX 4

static const char certificate[] =
    "{\"serial\":\"0a\",\"issuer\":\"rsa-g1\",\"profile\":\"ucm/tomcat\",\"subject\":\"CN=a\",\"cn\":\"a\","
    "\"sans\":[\"a\"],\"status\":\"valid\",\"not_after\":\"2027-01-31T12:00:00Z\",\"key\":{\"type\":\"rsa\","
    "\"bits\":2048},\"revocation\":null,\"pem\":\"LEAF\\n\",\"chain\":\"LEAF\\nCA\\n\",\"findings\":"
    "[{\"rule\":\"csr.hash.weak\",\"severity\":\"note\",\"message\":\"SHA-1\",\"fix\":null}]}";

struct exchange {
    struct typed typed;
    struct canned *server;
    char *answers[BODIES_MAX];
};

/* Answers with these JSON bodies; the status is 200 unless the body starts with one: "404 {…}". */
static void exchange(struct exchange *x, const char *const *bodies, const char *const *words)
{
    size_t n = 0;

    for (; bodies[n] != NULL; n++) {
        unsigned status = 200;
        int skip = 0;

        if (sscanf(bodies[n], "%3u %n", &status, &skip) < 1)
            skip = 0;
        x->answers[n] = canned_answer(status, "application/json", bodies[n] + skip);
    }
    x->server = typed_against(&x->typed, (const char *const *)x->answers, n, words);
}

static void finish(struct exchange *x)
{
    canned_stop(x->server);
    typed_free(&x->typed);
    for (size_t i = 0; i < BODIES_MAX; i++)
        free(x->answers[i]);
    *x = (struct exchange){0};
}
#define BODIES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_code(struct exchange *x, int code)
{
    canned_join(x->server);
    cr_assert_eq(x->typed.code, code, "%d: %s", x->typed.code, x->typed.err);
}

static const char *body_of(const struct exchange *x, size_t i)
{
    const char *end = strstr(canned_request(x->server, i), "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}

/* ---- csr ---- */

Test(csr, sign_sends_the_request_and_prints_the_chain)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(certificate), WORDS("csr", "sign", "-", "--profile", "ucm/tomcat", "--days", "90"));
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

    exchange(&x, BODIES(certificate), WORDS("csr", "sign", "-", "--profile", "p", "--quiet"));
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
    exchange(&x, BODIES(certificate), WORDS("csr", "sign", "-", "--profile", "p", "--out", path));
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

    exchange(&x, BODIES(certificate), WORDS("csr", "sign", "-", "--profile", "p", "--out", "/nonexistent/f"));
    expect_code(&x, 1);
    cr_assert_not_null(strstr(x.typed.err, "chancery cert export 0a\n"));
    finish(&x);
}

Test(csr, out_to_a_device_leaves_the_device)
{
    struct exchange x = {.typed.in = "REQUEST"};
    struct stat st;

    exchange(&x, BODIES(certificate), WORDS("csr", "sign", "-", "--profile", "p", "--out", "/dev/null"));
    expect_code(&x, 0);
    cr_assert(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    finish(&x);
}

Test(csr, der_is_fetched_by_serial)
{
    struct exchange x = {.typed.in = "REQUEST"};

    exchange(&x, BODIES(certificate, "DER"), WORDS("csr", "sign", "-", "--profile", "p", "--output", "der"));
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

/* ---- cert ---- */

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

    exchange(&x, BODIES(certificate), WORDS("cert", "show", "0A:FF"));
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

    exchange(&x, BODIES(certificate), WORDS("cert", "revoke", "0a", "--reason", "superseded", "--dry-run"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/certificates/0a HTTP/1.1");
    cr_assert_str_eq(x.typed.out,
                     "would    revoke\nserial   0a\nsubject  CN=a\nstatus   valid\nreason   superseded\n");
    finish(&x);
}

Test(cert, a_terminal_is_asked_before_revoking)
{
    struct exchange x = {.typed.is_terminal = true, .typed.in = "n\n"};

    exchange(&x, BODIES(certificate), WORDS("cert", "revoke", "0a", "--reason", "superseded", "--no-color"));
    expect_code(&x, 1);
    cr_assert_not_null(strstr(x.typed.err, "CN=a"));
    cr_assert_not_null(strstr(x.typed.err, "nothing was done"));
    finish(&x);
    x.typed = (struct typed){.is_terminal = true, .in = "y\n"};
    exchange(&x, BODIES(certificate, "{\"serial\":\"0a\"}"),
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

/* ---- crl, ca, profile, health ---- */

static const char issuers[] =
    "{\"items\":[{\"id\":\"rsa-g1\",\"parent\":\"rsa-root-g1\",\"subject\":\"CN=R\",\"key\":{\"type\":"
    "\"rsa\",\"bits\":"
    "3072},\"not_before\":\"A\",\"not_after\":\"B\",\"crl\":{\"number\":7,\"next_update\":\"C\"}},"
    "{\"id\":\"ec-g1\",\"parent\":null,\"crl\":null}]}";

Test(crl, publish_without_an_issuer_publishes_all)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES(issuers, "{\"issuer\":\"rsa-g1\",\"number\":8}", "{\"issuer\":\"ec-g1\",\"number\":1}"),
             WORDS("crl", "publish"));
    expect_code(&x, 0);
    expect_request(x.server, 1, "POST /api/v1/issuers/rsa-g1/crl HTTP/1.1");
    expect_request(x.server, 2, "POST /api/v1/issuers/ec-g1/crl HTTP/1.1");
    cr_assert_not_null(strstr(x.typed.out, "\nrsa-g1  8 "));
    finish(&x);
}

Test(crl, one_that_fails_does_not_stop_the_others)
{
    struct exchange x = {0};

    exchange(&x, BODIES(issuers, "503 {\"detail\":\"No signer.\"}", "{\"issuer\":\"ec-g1\",\"number\":1}"),
             WORDS("crl", "publish", "--output", "jsonl"));
    expect_code(&x, 2);
    cr_assert_str_eq(x.typed.out, "{\"issuer\":\"ec-g1\",\"number\":1}\n");
    finish(&x);
}

Test(crl, one_issuer_is_asked_for_alone)
{
    struct exchange x = {0};

    exchange(&x, BODIES("{\"issuer\":\"rsa-g1\",\"number\":8}"),
             WORDS("crl", "publish", "--issuer", "rsa-g1"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/issuers/rsa-g1/crl HTTP/1.1");
    finish(&x);
    exchange(&x, BODIES("{\"number\":8}"), WORDS("crl", "show", "--issuer", "rsa-g1", "--output", "jsonl"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/issuers/rsa-g1/crl HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "{\"issuer\":\"rsa-g1\",\"number\":8}\n");
    finish(&x);
    exchange(&x, BODIES("404 {\"detail\":\"No such issuer.\"}"), WORDS("crl", "show", "--issuer", "x/../y"));
    expect_code(&x, 5);
    cr_assert_str_eq(x.typed.out, "");
    finish(&x);
}

Test(crl, a_dry_run_publishes_nothing)
{
    struct exchange x = {0};

    exchange(&x, BODIES("{\"id\":\"rsa-g1\",\"crl\":{\"number\":7}}"),
             WORDS("crl", "publish", "--issuer", "rsa-g1", "--dry-run"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/issuers/rsa-g1 HTTP/1.1");
    finish(&x);
}

Test(crl, show_lists_what_is_in_force)
{
    struct exchange x = {0};

    exchange(&x, BODIES(issuers), WORDS("crl", "show"));
    expect_code(&x, 0);
    cr_assert_str_eq(x.typed.out, "ISSUER  NUMBER  THIS UPDATE  NEXT UPDATE  ENTRIES  SIZE  DELTA  URL\n"
                                  "rsa-g1  7       -            C            -        -     -      -\n"
                                  "ec-g1   -       -            -            -        -     -      -\n");
    finish(&x);
}

Test(ca, list_and_show_and_chain)
{
    struct exchange x = {0};

    exchange(&x, BODIES(issuers), WORDS("ca", "list"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/issuers HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "ID      PARENT       KEY       NOT BEFORE  NOT AFTER  NEXT CRL  SUBJECT\n"
                                  "rsa-g1  rsa-root-g1  rsa 3072  A           B          C         CN=R\n"
                                  "ec-g1   -            -         -           -          -         -\n");
    finish(&x);
    exchange(&x, BODIES("{\"id\":\"rsa-g1\",\"pem\":\"P\",\"chain\":\"P\\nR\\n\"}"),
             WORDS("ca", "chain", "rsa-g1"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/issuers/rsa-g1 HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "P\nR\n");
    finish(&x);
    exchange(&x, BODIES("{\"id\":\"rsa-g1\",\"pem\":\"P\\n\",\"chain\":\"P\\nR\\n\"}"),
             WORDS("ca", "show", "rsa-g1", "--output", "pem"));
    expect_code(&x, 0);
    cr_assert_str_eq(x.typed.out, "P\n");
    finish(&x);
}

Test(profile, the_slash_of_its_id_stays)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES("{\"id\":\"ucm/"
                    "tomcat\",\"keys\":[{\"type\":\"rsa\",\"bits\":2048},{\"type\":\"rsa\",\"bits\":3072}],"
                    "\"ku\":{\"required\":[\"digitalSignature\"],\"tolerated\":[]},\"multi_server\":true}"),
             WORDS("profile", "show", "ucm/tomcat"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/profiles/ucm/tomcat HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "id            ucm/tomcat\n"
                                  "keys          rsa 2048\n"
                                  "              rsa 3072\n"
                                  "ku required   digitalSignature\n"
                                  "ku tolerated  -\n"
                                  "multi server  yes\n");
    finish(&x);
}

static void expect_health(const char *body, int code)
{
    struct exchange x = {0};

    exchange(&x, BODIES(body), WORDS("health"));
    expect_code(&x, code);
    expect_request(x.server, 0, "GET /readyz HTTP/1.1");
    finish(&x);
}

Test(health, has_the_exit_codes_of_monitoring)
{
    expect_health("{\"status\":\"ok\",\"checks\":[{\"name\":\"store\",\"status\":\"ok\",\"detail\":\"d\"}]}",
                  0);
    expect_health("{\"status\":\"warning\",\"checks\":[]}", 2);
    expect_health("503 {\"status\":\"critical\",\"checks\":[]}", 4);
    expect_health("503 {\"title\":\"no\"}", 2);
    expect_health("200 {\"title\":\"no\"}", 2);
    expect_health("403 {\"title\":\"no\"}", 6);
    expect_health("{\"status\":\"fine\",\"checks\":[]}", 2);
}

Test(health, each_check_is_a_line)
{
    struct exchange x = {0};

    exchange(
        &x,
        BODIES("503 "
               "{\"status\":\"critical\",\"checks\":[{\"name\":\"store\",\"status\":\"ok\",\"detail\":\"d\"},"
               "{\"name\":\"signer\",\"status\":\"critical\",\"detail\":\"gone\"}]}"),
        WORDS("health"));
    expect_code(&x, 4);
    cr_assert_str_eq(x.typed.out, "NAME    STATUS    DETAIL\nstore   ok        d\nsigner  critical  gone\n");
    finish(&x);
}

/* ---- request ---- */

static const char waiting[] =
    "{\"request\":\"0a1b\",\"status\":\"pending\",\"profile\":\"ucm/CAPF\",\"asker\":\"cert:01\",\"subject\":"
    "\"CN=a\",\"sans\":[],\"asked_at\":\"2026-01-31T12:00:00Z\",\"expires_at\":\"2026-02-07T12:00:00Z\","
    "\"reason\":null,\"serial\":null,\"csr\":\"-----BEGIN\\n\",\"findings\":[{\"rule\":\"r\",\"severity\":"
    "\"warn\","
    "\"message\":\"M\"}]}";

Test(request, list_asks_for_the_status_and_goes_on_to_the_end)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES("{\"items\":[{\"request\":\"02\"}],\"next\":\"c1\"}",
                    "{\"items\":[{\"request\":\"01\"}],\"next\":null}"),
             WORDS("request", "list", "--status", "pending", "--limit", "0", "--output", "jsonl"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/requests?status=pending&limit=1000 HTTP/1.1");
    expect_request(x.server, 1, "GET /api/v1/requests?status=pending&limit=1000&after=c1 HTTP/1.1");
    cr_assert_str_eq(x.typed.out, "{\"request\":\"02\"}\n{\"request\":\"01\"}\n");
    finish(&x);
}

Test(request, show_prints_what_people_decide_by)
{
    struct exchange x = {0};

    exchange(&x, BODIES(waiting), WORDS("request", "show", "0a1b"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/requests/0a1b HTTP/1.1");
    cr_assert_not_null(strstr(x.typed.out, "asker       cert:01\n"), "%s", x.typed.out);
    cr_assert_not_null(strstr(x.typed.out, "warn    r  M\n"), "%s", x.typed.out);
    cr_assert_null(strstr(x.typed.out, "BEGIN"), "the CSR is for programs");
    finish(&x);
}

Test(request, approve_and_deny_post_the_decision)
{
    struct exchange x = {0};

    exchange(&x, BODIES(waiting), WORDS("request", "approve", "0a1b", "--output", "json"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/requests/0a1b/approval HTTP/1.1");
    cr_assert_str_eq(body_of(&x, 0), "");
    finish(&x);
    exchange(&x, BODIES(waiting), WORDS("request", "deny", "0a1b", "--reason", "not \"ours\""));
    expect_code(&x, 0);
    expect_request(x.server, 0, "POST /api/v1/requests/0a1b/denial HTTP/1.1");
    cr_assert_str_eq(body_of(&x, 0), "{\"reason\":\"not \\\"ours\\\"\"}");
    finish(&x);
}

Test(request, a_dry_run_decides_nothing)
{
    struct exchange x = {0};

    exchange(&x, BODIES(waiting), WORDS("request", "approve", "0a1b", "--dry-run"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/requests/0a1b HTTP/1.1");
    finish(&x);
}

Test(request, what_the_service_refuses_has_its_exit_code)
{
    static const struct {
        const char *answer;
        int code;
    } rows[] = {{"403 {\"detail\":\"own\"}", 6},
                {"404 {\"detail\":\"none\"}", 5},
                {"409 {\"detail\":\"done\"}", 3},
                {"422 {\"detail\":\"rules\"}", 3}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct exchange x = {0};

        exchange(&x, BODIES(rows[i].answer), WORDS("request", "approve", "0a1b"));
        expect_code(&x, rows[i].code);
        cr_assert_str_eq(x.typed.out, "");
        finish(&x);
    }
}

Test(request, wrong_use_asks_nobody)
{
    static const char *const wrong[][7] = {{"request", "deny", "0a1b"},
                                           {"request", "show"},
                                           {"request", "list", "--status", "revoked"},
                                           {"request", "list", "--limit", "many"},
                                           {"request", "approve", "0a1b", "--reason", "x"}};

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct typed t = {0};

        typed_run(&t, wrong[i]);
        cr_assert_eq(t.code, 1, "%zu: %s", i, t.err);
        typed_free(&t);
    }
}
