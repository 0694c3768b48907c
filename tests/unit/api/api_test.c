/* SPDX-License-Identifier: Apache-2.0 */
/* Does the interface answer as docs/interface.md says, to everybody who may ask, over TLS and over the
 * control socket, and to nobody else? */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/api/client.h"

TestSuite(api, .init = served_open, .fini = served_close, .timeout = 60);

static const char *token_id(void)
{
    static char hex[2 * TOKEN_ID_LEN + 1];
    uint8_t hash[HASH_LEN];

    secret_hash(stage.secrets[STAGE_TOKEN], hash);
    hex_encode(span_of(hash, TOKEN_ID_LEN), hex);
    return hex;
}

static void sample_path(const struct route *r, char out[static 256])
{
    size_t fixed = strcspn(r->pattern, "{");
    bool takes_rest = r->pattern[fixed] == '{' && r->pattern[fixed + 1] == '*';
    const char *after = r->pattern + fixed;
    const char *part = strstr(r->pattern, "profiles") != NULL  ? "ucm/tomcat"
                       : strstr(r->pattern, "issuers") != NULL ? "ec-g1"
                       : strstr(r->pattern, "tokens") != NULL  ? token_id()
                       : strstr(r->pattern, "requests") != NULL
                           ? strrchr(request_path(STAGE_PENDING, ""), '/') + 1
                           : serial_text(ACTOR_LEAF);

    if (*after != '\0')
        after += takes_rest ? 3 : 2;
    snprintf(out, 256, "%.*s%s%s", (int)fixed, r->pattern, r->pattern[fixed] == '\0' ? "" : part, after);
}

static void walk_routes(void)
{
    static const struct {
        int who;
        unsigned status; /* 0: anything but 401 and 403 */
    } callers[] = {{NOBODY, 401},        {ACTOR_FOREIGN, 401}, {ACTOR_IMPOSTOR, 401},    {ACTOR_EXPIRED, 401},
                   {ACTOR_REVOKED, 401}, {ACTOR_LEAF, 403},    {ACTOR_ADMINISTRATOR, 0}, {LOCAL, 0}};

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char path[256];

        sample_path(&ROUTES[i], path);
        for (size_t k = 0; k < sizeof callers / sizeof *callers; k++) {
            struct fetch_answer a = ask(callers[k].who, ROUTES[i].method, path, span_of(NULL, 0));
            unsigned want = ROUTES[i].is_local ? 0 : callers[k].status;

            CHECK(want == 0 ? a.status != 401 && a.status != 403 && a.status != 404 : a.status == want,
                  "%s %s by %d: %u", ROUTES[i].method, path, callers[k].who, a.status);
            fetch_answer_free(&a);
        }
    }
}

Test(api, every_route_for_every_caller)
{
    with_client(walk_routes);
}

static void try_wrong_paths(void)
{
    refused(NOBODY, "GET", "/api/v1/nothing", "", 401, "unauthenticated");
    refused(LOCAL, "GET", "/api/v1/nothing", "", 404, "not-found");
    refused(LOCAL, "DELETE", "/api/v1/tokens/ab", "", 404, "not-found");
    refused(LOCAL, "POST", "/api/v1/tokens", "{\"role\":\"king\"}", 400, "malformed");
    refused(LOCAL, "POST", "/api/v1/permits", "{\"range\":\"10.1.0.0/8\"}", 400, "malformed");
    refused(NOBODY, "GET", "/nothing", "", 404, "not-found");
    refused(LOCAL, "DELETE", "/api/v1/issuers", "", 405, "method-not-allowed");
    refused(LOCAL, "GET", "/api/v1/issuers?x=1", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/issuers/none", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/ec-root-g1/crl", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/ec-root-g1/crl.der", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/none/crl.der", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/ec-g1.crt", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/none.der", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/.der", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/..%2fec-g1.der", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/issuers/ec-g1.der?x=1", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/profiles/none", "", 404, "not-found");
    refused(LOCAL, "GET", "/api/v1/profiles/chancery/ocsp", "", 404, "not-found");
}

static void fetch_files(void)
{
    static const struct {
        const char *path, *type, *begin;
    } rows[] = {{"ec-g1/crl.der", "application/pkix-crl", "crl/ec-g1.crl"},
                {"ec-g1/crl.pem", "application/x-pem-file", "crl/ec-g1.pem"},
                {"ec-g1.pem", "application/x-pem-file", "-----BEGIN CERTIFICATE-----\n"},
                {"ec-g1.p7b", "application/x-pkcs7-certificates", "-----BEGIN PKCS7-----\n"},
                {"ec-g1.der", "application/pkix-cert", "\x30\x82"}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[256];
        struct fetch_answer a;

        snprintf(path, sizeof path, "/api/v1/issuers/%s", rows[i].path);
        a = ask(LOCAL, "GET", path, span_of(NULL, 0));
        CHECK(a.status == 200 && strcmp(a.content_type, rows[i].type) == 0, "%s: %u %s", path, a.status,
              a.content_type);
        CHECK(a.body.len >= strlen(rows[i].begin) &&
                  memcmp(a.body.data, rows[i].begin, strlen(rows[i].begin)) == 0,
              "%s", path);
        fetch_answer_free(&a);
    }
}

Test(api, an_issuer_is_there_as_files)
{
    with_client(fetch_files);
}

static void follow_link(void)
{
    refused(LOCAL, "GET", "/api/v1/issuers/ec-g1/crl.der", "", 500, "internal");
}

Test(api, no_link_is_followed_to_a_crl)
{
    char from[PATH_LEN_MAX], to[PATH_LEN_MAX];

    cr_assert_eq(path_join(to, stage.dir, "public/crl/ec-g1.crl", NULL), OK);
    cr_assert_eq(path_join(from, stage.dir, "key.pem", NULL), OK);
    cr_assert_eq(unlink(to), 0);
    cr_assert_eq(symlink(from, to), 0);
    with_client(follow_link);
}

Test(api, what_is_not_there_is_said_to_be_so)
{
    with_client(try_wrong_paths);
}

static void ask_with_broken_queries(void)
{
    static const char *const wrong[] = {"x=1", "limit=1&limit=1", "limit=%zz", "limit=%00", "limit=10000000"};
    static const char *const lists[] = {"certificates", "requests", "audit"};
    char path[128];

    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            snprintf(path, sizeof path, "/api/v1/%s?%s", lists[k], wrong[i]);
            refused(LOCAL, "GET", path, "", 400, "malformed");
        }
    refused(LOCAL, "DELETE", "/api/v1/permits?range=192.0.2.0/24&x=1", "", 400, "malformed");
    refused(LOCAL, "GET", "/api/v1/permits?x=1", "", 400, "malformed");
    js_free(succeeded("GET", "/api/v1/certificates?cn=&limit=", span_of(NULL, 0)));
}

Test(api, queries_are_read_strictly)
{
    with_client(ask_with_broken_queries);
}

static void send_broken_bodies(void)
{
    static const char *const tokens[] = {"",
                                         "x",
                                         "[]",
                                         "{}",
                                         "{\"role\":1}",
                                         "{\"role\":\"viewer\",\"days\":0}",
                                         "{\"role\":\"viewer\",\"more\":1}",
                                         "{\"role\":\"viewer\",\"names\":\"a\"}",
                                         "{\"role\":\"viewer\",\"role\":\"viewer\"}"};
    static const char *const permits[] = {"",
                                          "x",
                                          "[]",
                                          "{}",
                                          "{\"range\":1}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":\"king\"}",
                                          "{\"range\":\"192.0.2.0/24\",\"listener\":\"ftp\"}",
                                          "{\"range\":null}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":[\"operator\"]}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":7}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":{\"a\":1}}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":false}",
                                          "{\"range\":\"192.0.2.0/24\",\"role\":\"\"}",
                                          "{\"range\":\"192.0.2.0/24\",\"listener\":80}",
                                          "{\"range\":\"192.0.2.0/24\",\"more\":1}"};
    struct fetch_answer a;

    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        refused(LOCAL, "POST", "/api/v1/tokens", tokens[i], 400, "malformed");
    for (size_t i = 0; i < sizeof permits / sizeof *permits; i++)
        refused(LOCAL, "POST", "/api/v1/permits", permits[i], 400, "malformed");
    a = ask(LOCAL, "POST", "/api/v1/permits",
            span_str("{\"range\":\"192.0.2.0/24\",\"listener\":null,\"role\":null}"));
    CHECK(a.status == 201, "null is left out: %u", a.status);
    fetch_answer_free(&a);
}

Test(api, bodies_of_tokens_and_permits_are_read_strictly)
{
    with_client(send_broken_bodies);
}

static void ask_a_busy_ca(void)
{
    static const struct {
        const char *method, *path, *body;
    } asked[] = {
        {"POST", "/api/v1/tokens", "{\"role\":\"viewer\"}"},
        {"DELETE", "/api/v1/tokens/0011223344556677", ""},
        {"POST", "/api/v1/permits", "{\"range\":\"192.0.2.0/24\"}"},
        {"DELETE", "/api/v1/permits?range=192.0.2.0/24", ""},
        {"POST", "/api/v1/issuers/ec-g1/crl", ""},
    };

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        refused(LOCAL, asked[i].method, asked[i].path, asked[i].body, 503, "unavailable");
    refused(LOCAL, "PUT", path_of(ACTOR_LEAF, "/revocation"), "{\"reason\":\"superseded\"}", 503,
            "unavailable");
    refused(LOCAL, "DELETE", path_of(ACTOR_HELD, "/revocation"), "", 503, "unavailable");
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/approval"), "", 503, "unavailable");
    refused(LOCAL, "POST", request_path(STAGE_PENDING, "/denial"), "{\"reason\":\"no\"}", 503, "unavailable");
}

Test(api, what_the_ca_has_no_time_for_is_refused)
{
    served_without_ca();
    for (unsigned i = 0; i < ASKER_WAITING_MAX; i++)
        asker_tell(stage.api.asker, ASK_PROBE, span_of(NULL, 0));
    cr_assert_eq(asker_waiting(stage.api.asker), ASKER_WAITING_MAX);
    with_client(ask_a_busy_ca);
}

static void look_at_health(void)
{
    struct js *o = succeeded("GET", "/livez", span_of(NULL, 0));
    struct fetch_answer a;

    CHECK(strcmp(js_str(js_get(o, "status")), "ok") == 0, "alive");
    js_free(o);
    a = ask(NOBODY, "GET", "/readyz",
            span_of(NULL, 0)); /* no CRL of the root, no OCSP signer, no listener certificate */
    CHECK(a.status == 503 && strcmp(a.content_type, "application/json") == 0, "%u", a.status);
    o = json_of(&a);
    CHECK(strcmp(js_str(js_get(o, "status")), "critical") == 0, "critical");
    CHECK(strcmp(js_str(js_get(js_at(js_get(o, "checks"), 0), "name")), "ca") == 0, "the ca first");
    CHECK(strcmp(js_str(js_get(js_at(js_get(o, "checks"), 0), "status")), "ok") == 0, "the ca is well");
    js_free(o);
    fetch_answer_free(&a);
    a = ask(NOBODY, "GET", "/metrics", span_of(NULL, 0));
    buf_put_u8(&a.body, 0);
    CHECK(a.status == 200 && strncmp(a.content_type, "text/plain; version=0.0.4", 25) == 0, "%s",
          a.content_type);
    CHECK(strstr((char *)a.body.data, "\nchancery_crl_number{issuer=\"ec-g1\"} 1\n") != NULL, "%s",
          (char *)a.body.data);
    CHECK(strstr((char *)a.body.data, "\nchancery_certificates 6\n") != NULL, "%s", (char *)a.body.data);
    fetch_answer_free(&a);
}

Test(api, health_is_told_to_anybody_here)
{
    with_client(look_at_health);
}
