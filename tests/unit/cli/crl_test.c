/* SPDX-License-Identifier: Apache-2.0 */
/* Does `crl` publish for whom it is told, and show what is in force? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/cli/exchange.h"

Test(crl, publish_without_an_issuer_publishes_all)
{
    struct exchange x = {0};

    exchange(&x,
             BODIES(exchange_issuers, "{\"issuer\":\"rsa-g1\",\"number\":8}",
                    "{\"issuer\":\"ec-g1\",\"number\":1}"),
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

    exchange(
        &x,
        BODIES(exchange_issuers, "503 {\"detail\":\"No signer.\"}", "{\"issuer\":\"ec-g1\",\"number\":1}"),
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

    exchange(&x, BODIES(exchange_issuers), WORDS("crl", "show"));
    expect_code(&x, 0);
    cr_assert_str_eq(x.typed.out, "ISSUER  NUMBER  THIS UPDATE  NEXT UPDATE  ENTRIES  SIZE  DELTA  URL\n"
                                  "rsa-g1  7       -            C            -        -     -      -\n"
                                  "ec-g1   -       -            -            -        -     -      -\n");
    finish(&x);
}
