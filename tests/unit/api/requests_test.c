/* SPDX-License-Identifier: Apache-2.0 */
/* Are requests that wait for an approval listed, shown and decided as docs/interface.md says? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/api/client.h"

TestSuite(requests, .init = served_open, .fini = served_close, .timeout = 60);

static void wait_for_approval(void)
{
    struct fetch_answer a;
    struct buf der;
    struct js *o;

    make_request(&der, false);
    a = issue("?profile=ucm/tomcat-ECDSA&days=14", buf_span(&der), "application/pkix-cert", "key");
    CHECK(a.status == 202 && strcmp(a.content_type, "application/json") == 0, "%u %s", a.status,
          a.content_type);
    CHECK(strcmp(a.location, request_path(STAGE_PENDING, "")) == 0, "Location %s", a.location);
    o = json_of(&a);
    CHECK(strcmp(js_str(js_get(o, "request")), strrchr(a.location, '/') + 1) == 0, "request");
    CHECK(strcmp(js_str(js_get(o, "status")), "pending") == 0, "status");
    CHECK(js_str(js_get(o, "expires_at")) != NULL && js_len(js_get(o, "findings")) == 1, "the rest");
    js_free(o);
    fetch_answer_free(&a);
    buf_free(&der);
}

Test(requests, what_needs_an_approval_is_202_and_says_where)
{
    with_client(wait_for_approval);
}

static void expect_listed(const char *query, size_t want)
{
    char path[256];
    struct js *o;

    snprintf(path, sizeof path, "/api/v1/requests%s", query);
    o = succeeded("GET", path, span_of(NULL, 0));
    CHECK(js_len(js_get(o, "items")) == want, "%s: %zu", query, js_len(js_get(o, "items")));
    js_free(o);
}

static void list_requests(void)
{
    static const char *const wrong[] = {"?status=odd", "?limit=0", "?limit=1001",
                                        "?limit=x",    "?after=x", "?color=red"};
    char path[2048] = "/api/v1/requests?limit=2";
    size_t seen = 0;

    expect_listed("", STAGE_REQUESTS);
    expect_listed("?status=pending", 3); /* the overdue one too: the ca has not marked it */
    expect_listed("?status=approved", 1);
    expect_listed("?status=denied", 1);
    expect_listed("?status=expired", 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(path, sizeof path, "/api/v1/requests%s", wrong[i]);
        refused(LOCAL, "GET", path, "", 400, "malformed");
    }
    strcpy(path, "/api/v1/requests?limit=2");
    for (int pages = 0; pages < 10 && path[0] != '\0'; pages++) {
        struct js *o = succeeded("GET", path, span_of(NULL, 0));
        const char *next = js_str(js_get(o, "next"));

        seen += js_len(js_get(o, "items"));
        if (next != NULL)
            snprintf(path, sizeof path, "/api/v1/requests?limit=2&after=%s", next);
        else
            path[0] = '\0';
        js_free(o);
    }
    CHECK(path[0] == '\0' && seen == STAGE_REQUESTS, "%zu seen", seen);
}

Test(requests, requests_are_listed_by_state_and_page)
{
    with_client(list_requests);
}

#define LARGE                                                                                                \
    100 /* requests of a thousand names of 60 characters each: six MiB, more than one page takes             \
         */

static void add_large(void)
{
    static char names[SAN_COUNT_MAX][64];
    static struct san sans[SAN_COUNT_MAX];
    struct facts f = {
        .csr = span_str("a request"), .has_san = true, .sans = sans, .san_count = SAN_COUNT_MAX};
    struct request r = {.profile = "ucm/CAPF",
                        .asker = "cert:01",
                        .asked_at_s = STAGE_NOW_S,
                        .expires_at_s = STAGE_NOW_S + DAY_S};
    struct buf facts;
    struct txn *t;

    for (int i = 0; i < (int)SAN_COUNT_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%044d.large.example", i);
        sans[i] = (struct san){SAN_DNS, span_str(names[i])};
    }
    buf_init(&facts, WIRE_MSG_MAX);
    facts_write(&facts, &f);
    cr_assert_eq(buf_end(&facts), OK);
    r.facts = buf_span(&facts);
    cr_assert_eq(txn_begin(stage.api.store, &t), OK);
    for (uint8_t i = 0; i < LARGE; i++) {
        memset(r.id, 0x80 + i, sizeof r.id);
        memset(r.same, 0x80 + i, sizeof r.same);
        request_add(t, &r);
    }
    cr_assert_eq(txn_commit(t), OK);
    buf_free(&facts);
}

static void list_large(void)
{
    char path[CURSOR_MAX + 64] = "/api/v1/requests?limit=1000";
    size_t seen = 0, pages = 0;

    while (path[0] != '\0' && pages < 10) {
        struct js *o = succeeded("GET", path, span_of(NULL, 0));
        const char *next = js_str(js_get(o, "next"));
        size_t n = js_len(js_get(o, "items"));

        CHECK(n < LARGE, "%zu on one page", n);
        seen += n;
        pages++;
        snprintf(path, sizeof path, next != NULL ? "/api/v1/requests?limit=1000&after=%s" : "%s",
                 next != NULL ? next : "");
        js_free(o);
    }
    CHECK(seen == STAGE_REQUESTS + LARGE && pages == 2, "%zu seen on %zu pages", seen, pages);
}

Test(requests, a_page_of_large_requests_ends_early_and_leads_on)
{
    add_large();
    with_client(list_large);
}

static void mark_overdue(void)
{
    struct txn *t;

    cr_assert_eq(txn_begin(stage.api.store, &t), OK);
    request_decide(t, stage_request(STAGE_OVERDUE).data,
                   &(struct decision){.state = REQUEST_EXPIRED, .by = "service", .at_s = STAGE_NOW_S});
    cr_assert_eq(txn_commit(t), OK);
}

static void look_at_expired(void)
{
    struct js *o = succeeded("GET", request_path(STAGE_OVERDUE, ""), span_of(NULL, 0));

    CHECK(strcmp(js_str(js_get(o, "status")), "expired") == 0, "%s", js_str(js_get(o, "status")));
    CHECK(strcmp(js_str(js_get(o, "decided_by")), "service") == 0, "decided by");
    js_free(o);
    expect_listed("?status=pending", 2);
    expect_listed("?status=expired", 1);
}

/* And not by a clock of its own: the ca may not believe it. */
Test(requests, one_has_expired_when_the_ca_says_so)
{
    mark_overdue();
    with_client(look_at_expired);
}

static void show_requests(void)
{
    static const char *const states[] = {"pending", "approved", "denied", "pending", "pending"};
    struct js *o;

    for (int i = 0; i < STAGE_REQUESTS; i++) {
        o = succeeded("GET", request_path(i, ""), span_of(NULL, 0));
        CHECK(strcmp(js_str(js_get(o, "status")), states[i]) == 0, "%d: %s", i, js_str(js_get(o, "status")));
        CHECK((js_str(js_get(o, "serial")) != NULL) == (i == STAGE_APPROVED), "%d: serial", i);
        CHECK(js_is_null(js_get(o, "csr")) == (i == STAGE_FOREIGN), "%d: csr", i);
        js_free(o);
    }
    o = succeeded("GET", request_path(STAGE_APPROVED, ""), span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "serial")), serial_text(ACTOR_LEAF)) == 0, "serial");
    CHECK(strcmp(js_str(js_get(o, "certificate")), path_of(ACTOR_LEAF, "")) == 0, "certificate");
    CHECK(strcmp(js_str(js_get(o, "decided_by")), "uid:0") == 0, "decided by");
    CHECK(strncmp(js_str(js_get(o, "csr")), "-----BEGIN CERTIFICATE REQUEST-----\n", 36) == 0, "csr");
    CHECK(strcmp(js_str(js_get(js_get(o, "decoded"), "cn")), "CAPF-0a1b2c3d") == 0, "decoded");
    CHECK(js_len(js_get(o, "findings")) == 1, "findings");
    js_free(o);
    o = succeeded("GET", request_path(STAGE_DENIED, ""), span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "reason")), "not ours") == 0, "reason");
    js_free(o);
    refused(LOCAL, "GET", request_path(STAGE_REQUESTS, ""), "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/requests/abc", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/requests/zz000000000000000000000000000000", "", 404, "not-found");
    refused(LOCAL, "GET", request_path(STAGE_PENDING, "?x=1"), "", 400, "malformed");
}

Test(requests, a_request_is_shown_with_what_became_of_it)
{
    with_client(show_requests);
}

static void decide_requests(void)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "[]",
                                        "{}",
                                        "{\"reason\":null}",
                                        "{\"reason\":\"\"}",
                                        "{\"reason\":\"a\\nb\"}",
                                        "{\"reason\":\"a\",\"more\":1}",
                                        "{\"reason\":\"\\u009b\"}"};
    static const char *const empty[] = {"{}", "{}\n", " {\t}", "{ }\r\n"};
    static const char *const full[] = {"{\"x\":1}", "[]", "null", "{", "{}{}", "\n", "x"};
    static const char good[] = "{\"reason\":\"n\xc3\xb6t ours\"}";
    char big[700] = "{\"reason\":\"";
    struct js *o = succeeded("POST", request_path(STAGE_PENDING, "/approval"), span_of(NULL, 0));

    CHECK(strcmp(js_str(js_get(o, "profile")), "ucm/CAPF") == 0, "the request");
    js_free(o);
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        js_free(succeeded("POST", request_path(STAGE_PENDING, "/approval"), span_str(empty[i])));
    js_free(succeeded("POST", request_path(STAGE_PENDING, "/denial"), span_str(good)));
    for (size_t i = 0; i < sizeof full / sizeof *full; i++)
        refused(LOCAL, "POST", request_path(STAGE_PENDING, "/approval"), full[i], 400, "malformed");
    refused(LOCAL, "POST", request_path(STAGE_APPROVED, "/approval"), "", 409, "conflict");
    refused(LOCAL, "POST", request_path(STAGE_APPROVED, "/denial"), good, 409, "conflict");
    refused(LOCAL, "POST", request_path(STAGE_DENIED, "/approval"), "", 403, "forbidden");
    refused(LOCAL, "POST", request_path(STAGE_REQUESTS, "/approval"), "", 404, "not-found");
    refused(LOCAL, "POST", request_path(STAGE_REQUESTS, "/denial"), good, 404, "not-found");
    refused(LOCAL, "POST", "/api/v1/requests/abc/approval", "", 404, "not-found");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(LOCAL, "POST", request_path(STAGE_PENDING, "/denial"), wrong[i], 400, "malformed");
    memset(big + strlen(big), 'a', REQUEST_REASON_MAX);
    strcat(big, "\"}");
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/denial"), big, 400, "malformed");
}

Test(requests, decisions_are_read_strictly_and_passed_on)
{
    with_client(decide_requests);
}
