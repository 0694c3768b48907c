/* SPDX-License-Identifier: Apache-2.0 */
/* Does `ca` show the issuers and their chains? */
#include <criterion/criterion.h>

#include "tests/unit/cli/exchange.h"

Test(ca, list_and_show_and_chain)
{
    struct exchange x = {0};

    exchange(&x, BODIES(exchange_issuers), WORDS("ca", "list"));
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
