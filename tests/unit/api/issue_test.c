/* SPDX-License-Identifier: Apache-2.0 */
/* Is a certificate issued in each form, and is what cannot be issued explained, beforehand too? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/api/client.h"

TestSuite(issue, .init = served_open, .fini = served_close, .timeout = 60);

static void issue_each_form(void)
{
    static const struct {
        const char *accept, *type, *begins;
    } rows[] = {
        {"*/*", "application/pem-certificate-chain", "-----BEGIN CERTIFICATE-----\n"},
        {"application/x-pem-file", "application/x-pem-file", "-----BEGIN CERTIFICATE-----\n"},
        {"application/x-pem-file; p7b", "application/x-pem-file", "-----BEGIN PKCS7-----\n"},
        {"application/pkix-cert", "application/pkix-cert", "\x30"},
        {"application/pkcs7-mime", "application/pkcs7-mime; smime-type=certs-only", "\x30"},
        {"application/json", "application/json", "{"},
    };
    struct buf der;

    make_request(&der, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch_answer a = issue("?profile=ucm/tomcat-ECDSA", buf_span(&der), rows[i].accept, "key-1");

        CHECK(a.status == 201, "%s: %u", rows[i].accept, a.status);
        CHECK(strcmp(a.content_type, rows[i].type) == 0, "%s: %s", rows[i].accept, a.content_type);
        CHECK(strcmp(a.location, path_of(ACTOR_LEAF, "")) == 0, "Location %s", a.location);
        CHECK(memcmp(a.body.data, rows[i].begins, strlen(rows[i].begins)) == 0, "%s", rows[i].accept);
        fetch_answer_free(&a);
    }
    buf_free(&der);
}

Test(issue, a_certificate_comes_in_each_form)
{
    with_client(issue_each_form);
}

static void issue_wrongly(void)
{
    static const struct {
        const char *query, *accept, *key;
        unsigned status;
        const char *name;
    } rows[] = {
        {"", "*/*", NULL, 400, "malformed"},
        {"?profile=", "*/*", NULL, 400, "malformed"},
        {"?profile=none", "*/*", NULL, 404, "not-found"},
        {"?profile=chancery/ocsp", "*/*", NULL, 403, "forbidden"},
        {"?profile=chancery/listener", "*/*", NULL, 403, "forbidden"},
        {"?profile=chancery/issuer", "*/*", NULL, 403, "forbidden"},
        {"?profile=ucm/tomcat-ECDSA&x=1", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&profile=ucm/tomcat", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=0", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=-1", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=1e3", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=99999999999", "*/*", NULL, 400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA", "text/html", NULL, 406, "not-acceptable"},
        {"?profile=ucm/tomcat-ECDSA", "*/*",
         "b\xc3\xa4"
         "d",
         400, "malformed"},
        {"?profile=ucm/tomcat-ECDSA&days=13", "*/*", NULL, 422, "policy"},
    };
    struct fetch_answer a;
    struct buf der;

    make_request(&der, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        a = issue(rows[i].query, buf_span(&der), rows[i].accept, rows[i].key);
        CHECK(a.status == rows[i].status, "%s: %u", rows[i].query, a.status);
        expect_problem(&a, rows[i].status, rows[i].name);
        fetch_answer_free(&a);
    }
    a = issue("?profile=ucm/tomcat-ECDSA", span_str("hello"), "*/*", NULL);
    expect_problem(&a, 400, "malformed");
    fetch_answer_free(&a);
    buf_free(&der);
}

Test(issue, what_cannot_be_issued_is_explained)
{
    with_client(issue_wrongly);
}

static void issue_spoilt(void)
{
    struct fetch_answer a;
    struct buf der;
    struct js *o;

    make_request(&der, true);
    a = issue("?profile=ucm/tomcat-ECDSA", buf_span(&der), "*/*", NULL);
    expect_problem(&a, 422, "policy");
    o = json_of(&a);
    CHECK(strcmp(js_str(js_get(js_at(js_get(o, "findings"), 0), "rule")), "csr.signature") == 0, "rule");
    js_free(o);
    fetch_answer_free(&a);
    buf_free(&der);
}

Test(issue, a_request_that_proves_nothing_is_refused_with_its_finding)
{
    with_client(issue_spoilt);
}

static void send_too_much(void)
{
    struct buf body;

    buf_init(&body, 2 * CSR_MAX);
    memset(buf_grow(&body, CSR_MAX + 1), 'A', CSR_MAX + 1);
    buf_put_u8(&body, 0);
    refused(ACTOR_ADMINISTRATOR, "POST", "/api/v1/certificates?profile=ucm/tomcat", (const char *)body.data,
            413, "too-large");
    buf_free(&body);
}

Test(issue, a_body_beyond_the_limit_is_413)
{
    with_client(send_too_much);
}

static void preflight_both(void)
{
    struct buf der;
    struct js *o;
    bool accepted;

    make_request(&der, false);
    o = succeeded("POST", "/api/v1/preflight?profile=ucm/tomcat-ECDSA", buf_span(&der));
    CHECK(js_bool(js_get(o, "accepted"), &accepted) && accepted, "accepted");
    CHECK(strcmp(js_str(js_get(js_get(o, "would_issue"), "issuer")), "ec-g1") == 0, "issuer");
    CHECK(strcmp(js_str(js_get(js_get(o, "request"), "cn")), "a-EC.example.com") == 0, "cn");
    CHECK(js_len(js_get(js_get(o, "would_issue"), "eku")) == 2, "eku");
    js_free(o);
    o = succeeded("POST", "/api/v1/preflight?profile=ucm/tomcat", buf_span(&der));
    CHECK(js_bool(js_get(o, "accepted"), &accepted) && !accepted, "refused");
    CHECK(js_is_null(js_get(o, "would_issue")), "nothing would be issued");
    CHECK(js_len(js_get(o, "findings")) > 0, "findings");
    js_free(o);
    buf_free(&der);
    make_request(&der, true);
    o = succeeded("POST", "/api/v1/preflight?profile=ucm/tomcat-ECDSA", buf_span(&der));
    CHECK(js_bool(js_get(o, "accepted"), &accepted) && !accepted, "refused");
    CHECK(strcmp(js_str(js_get(js_get(o, "request"), "cn")), "a-EC.example.com") == 0,
          "cn is shown all the same");
    js_free(o);
    buf_free(&der);
}

Test(issue, preflight_says_what_would_happen)
{
    with_client(preflight_both);
}
