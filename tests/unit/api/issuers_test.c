/* SPDX-License-Identifier: Apache-2.0 */
/* Are issuers and profiles shown with what there is to know of them? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/api/client.h"

TestSuite(issuers, .init = served_open, .fini = served_close, .timeout = 60);

static void look_at_the_rest(void)
{
    struct js *o = succeeded("GET", "/api/v1/issuers", span_of(NULL, 0));
    const struct js *issuing = js_at(js_get(o, "items"), 1);
    bool is_configured;
    int64_t number;

    CHECK(js_bool(js_get(issuing, "configured"), &is_configured) && is_configured, "configured");
    CHECK(js_len(js_get(o, "items")) == 2, "two issuers");
    CHECK(js_is_null(js_get(js_at(js_get(o, "items"), 0), "parent")), "a root has no parent");
    CHECK(js_is_null(js_get(js_at(js_get(o, "items"), 0), "crl")), "and here no CRL yet");
    CHECK(strcmp(js_str(js_get(issuing, "issues")), "ec") == 0, "issues");
    CHECK(js_int(js_get(js_get(issuing, "crl"), "number"), &number) && number == 1, "number");
    CHECK(strcmp(js_str(js_get(js_get(issuing, "urls"), "chain")),
                 "http://ca.example.com:8080/ca/ec-g1.p7c") == 0,
          "url");
    js_free(o);
    o = succeeded("GET", "/api/v1/issuers/ec-g1", span_of(NULL, 0));
    CHECK(js_str(js_get(o, "pem")) != NULL && js_str(js_get(o, "chain")) != NULL, "pem, chain");
    js_free(o);
    o = succeeded("POST", "/api/v1/issuers/ec-g1/crl", span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "issuer")), "ec-g1") == 0 && js_int(js_get(o, "number"), &number) &&
              number == 1,
          "crl");
    js_free(o);
    o = succeeded("GET", "/api/v1/profiles", span_of(NULL, 0));
    CHECK(js_len(js_get(o, "items")) > 10, "profiles");
    for (size_t i = 0; i < js_len(js_get(o, "items")); i++)
        CHECK(strncmp(js_str(js_get(js_at(js_get(o, "items"), i), "id")), "chancery/", 9) != 0,
              "no internal one");
    js_free(o);
    o = succeeded("GET", "/api/v1/profiles/ucm%2Ftomcat", span_of(NULL, 0));
    CHECK(strcmp(js_str(js_get(o, "id")), "ucm/tomcat") == 0, "id");
    CHECK(js_len(js_get(js_get(o, "ku"), "required")) == 2, "ku");
    js_free(o);
}

Test(issuers, issuers_and_profiles_are_shown)
{
    with_client(look_at_the_rest);
}
