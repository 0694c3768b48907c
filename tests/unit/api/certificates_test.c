/* SPDX-License-Identifier: Apache-2.0 */
/* Are certificates listed and shown in each form, and are revocations read strictly? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/api/client.h"

TestSuite(certificates, .init = served_open, .fini = served_close, .timeout = 60);

static void look_at_lists(void)
{
    struct js *o = succeeded("GET", "/api/v1/certificates?status=valid&profile=ucm/tomcat", span_of(NULL, 0));
    const struct js *item = js_at(js_get(o, "items"), 0);
    static const char *const members[] = {"serial",    "issuer",    "profile",           "subject",
                                          "cn",        "status",    "not_before",        "not_after",
                                          "issued_at", "requester", "fingerprint_sha256"};

    CHECK(js_len(js_get(o, "items")) == 1 && js_is_null(js_get(o, "next")), "one");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        CHECK(js_str(js_get(item, members[i])) != NULL, "%s", members[i]);
    CHECK(strcmp(js_str(js_get(item, "serial")), serial_text(ACTOR_LEAF)) == 0, "serial");
    CHECK(js_len(js_get(item, "sans")) == 2 &&
              strcmp(js_str(js_at(js_get(item, "sans"), 1)), "192.0.2.1") == 0,
          "sans");
    CHECK(strcmp(js_str(js_get(js_get(item, "key"), "type")), "ec") == 0, "key");
    CHECK(js_is_null(js_get(item, "revocation")) && js_get(item, "pem") == NULL, "no more");
    js_free(o);
    o = succeeded("GET", "/api/v1/certificates?cn=&limit=2", span_of(NULL, 0));
    CHECK(js_len(js_get(o, "items")) == 2 && js_str(js_get(o, "next")) != NULL, "a page and a cursor");
    js_free(o);
    refused(LOCAL, "GET", "/api/v1/certificates?limit=0", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?limit=1001", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?status=odd", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?key_type=dsa", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?issuer=none", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?expires_before=soon", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?after=x", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/certificates?color=red", "", 400, "malformed");
}

Test(certificates, certificates_are_listed_by_page)
{
    with_client(look_at_lists);
}

static void walk_pages(void)
{
    char path[2048] = "/api/v1/certificates?limit=2";
    size_t seen = 0;

    for (int pages = 0; pages < 10 && path[0] != '\0'; pages++) {
        struct js *o = succeeded("GET", path, span_of(NULL, 0));
        const char *next = js_str(js_get(o, "next"));
        struct buf b;

        seen += js_len(js_get(o, "items"));
        buf_init(&b, sizeof path);
        if (next != NULL) {
            buf_put_str(&b, "/api/v1/certificates");
            fetch_query(&b, "limit", "2");
            fetch_query(&b, "after", next);
        }
        buf_put_u8(&b, 0);
        strcpy(path, (const char *)b.data);
        buf_free(&b);
        js_free(o);
    }
    CHECK(path[0] == '\0' && seen == ACTORS_STORED, "%zu seen", seen);
}

Test(certificates, pages_follow_each_other_to_the_end)
{
    with_client(walk_pages);
}

static void look_at_one(void)
{
    static const struct {
        const char *ending, *type, *begins;
    } rows[] = {
        {".pem", "application/x-pem-file", "-----BEGIN CERTIFICATE-----\n"},
        {".der", "application/pkix-cert", "\x30"},
        {".p7b", "application/x-pkcs7-certificates", "-----BEGIN PKCS7-----\n"},
        {"-chain.pem", "application/pem-certificate-chain", "-----BEGIN CERTIFICATE-----\n"},
    };
    struct js *o = succeeded("GET", path_of(ACTOR_REVOKED, ""), span_of(NULL, 0));

    CHECK(strcmp(js_str(js_get(o, "status")), "revoked") == 0, "status");
    CHECK(strcmp(js_str(js_get(js_get(o, "revocation"), "reason")), "keyCompromise") == 0, "reason");
    CHECK(js_str(js_get(js_get(o, "revocation"), "invalidity_date")) != NULL, "invalidity");
    CHECK(js_str(js_get(o, "pem")) != NULL && js_str(js_get(o, "chain")) != NULL, "pem, chain");
    CHECK(strlen(js_str(js_get(o, "chain"))) > strlen(js_str(js_get(o, "pem"))), "the chain is longer");
    js_free(o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch_answer a = ask(LOCAL, "GET", path_of(ACTOR_LEAF, rows[i].ending), span_of(NULL, 0));

        CHECK(a.status == 200 && strcmp(a.content_type, rows[i].type) == 0, "%s: %u %s", rows[i].ending,
              a.status, a.content_type);
        CHECK(memcmp(a.body.data, rows[i].begins, strlen(rows[i].begins)) == 0, "%s", rows[i].ending);
        fetch_answer_free(&a);
    }
    refused(LOCAL, "GET", path_of(ACTOR_LEAF, ".exe"), "", 404, "not-found");
    refused(LOCAL, "GET", path_of(ACTOR_FOREIGN, ""), "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/certificates/abc", "", 404, "not-found");
}

Test(certificates, a_certificate_is_shown_in_each_form)
{
    with_client(look_at_one);
}

static void revoke_some(void)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "[]",
                                        "{}",
                                        "{\"reason\":null}",
                                        "{\"reason\":\"odd\"}",
                                        "{\"reason\":\"removeFromCRL\"}",
                                        "{\"reason\":\"superseded\",\"more\":1}",
                                        "{\"reason\":\"superseded\",\"invalidity_date\":5}",
                                        "{\"reason\":\"superseded\",\"invalidity_date\":\"soon\"}",
                                        "{\"reason\":\"superseded\",\"reason\":\"superseded\"}"};
    static const char good[] = "{\"reason\":\"superseded\",\"invalidity_date\":\"2024-01-01T00:00:00Z\"}";
    struct js *o;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(LOCAL, "PUT", path_of(ACTOR_LEAF, "/revocation"), wrong[i], 400, "malformed");
    refused(LOCAL, "PUT", path_of(ACTOR_FOREIGN, "/revocation"), good, 404, "not-found");
    refused(LOCAL, "PUT", "/api/v1/certificates/abc/revocation", good, 404, "not-found");
    refused(LOCAL, "PUT", path_of(ACTOR_REVOKED, "/revocation"), good, 409, "conflict");
    refused(LOCAL, "DELETE", path_of(ACTOR_REVOKED, "/revocation"), "", 409, "conflict");
    o = succeeded("PUT", path_of(ACTOR_LEAF, "/revocation"), span_str(good));
    CHECK(strcmp(js_str(js_get(o, "serial")), serial_text(ACTOR_LEAF)) == 0, "serial");
    js_free(o);
    o = succeeded("PUT", path_of(ACTOR_LEAF, "/revocation"),
                  span_str("{\"reason\":\"unspecified\",\"invalidity_date\":null}"));
    js_free(o);
    o = succeeded("DELETE", path_of(ACTOR_HELD, "/revocation"), span_of(NULL, 0));
    js_free(o);
}

Test(certificates, revocations_are_read_strictly_and_passed_on)
{
    with_client(revoke_some);
}
