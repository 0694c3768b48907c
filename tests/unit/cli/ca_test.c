/* SPDX-License-Identifier: Apache-2.0 */
/* Does `ca` show the issuers and their chains? */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/cli/exchange.h"

Test(ca, list_and_show_and_chain)
{
    struct exchange x = {0};

    exchange(&x, BODIES(exchange_issuers), WORDS("ca", "list"));
    expect_code(&x, 0);
    expect_request(x.server, 0, "GET /api/v1/issuers HTTP/1.1");
    cr_assert_str_eq(x.typed.out,
                     "ID      PARENT       KEY       ISSUES  NOT BEFORE  NOT AFTER  NEXT CRL  SUBJECT\n"
                     "rsa-g1  rsa-root-g1  rsa 3072  -       A           B          C         CN=R\n"
                     "ec-g1   -            -         -       -           -          -         -\n");
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

/* GET /api/v1/issuers/ocsp holds a list of certificates: neither one file nor one row. */
Test(ca, the_responders_are_shown_but_not_as_one_certificate_or_row)
{
    static const char signers[] =
        "{\"id\":\"ocsp\",\"signers\":[{\"issuer\":\"rsa-g1\"}],\"chain\":\"P\\n\"}";
    static const char *const forms[] = {"csv", "pem", "der"};
    struct exchange x = {0};

    exchange(&x, BODIES(signers), WORDS("ca", "show", "ocsp", "--output", "json"));
    expect_code(&x, 0);
    cr_assert_not_null(strstr(x.typed.out, "\"signers\""));
    finish(&x);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct typed t = {0};

        TYPE(&t, "ca", "show", "ocsp", "--output", forms[i], "--server", "https://127.0.0.1:1", "--cacert",
             "/dev/null");
        cr_expect_eq(t.code, 1, "%s: %d", forms[i], t.code);
        cr_expect_str_eq(t.out, "", "%s", forms[i]);
        cr_expect_not_null(strstr(t.err, i == 0 ? "no one row" : "no one certificate"), "%s: %s", forms[i],
                           t.err);
        typed_free(&t);
    }
}
