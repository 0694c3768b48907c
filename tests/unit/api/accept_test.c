/* SPDX-License-Identifier: Apache-2.0 */
/* Does a client get the form of a certificate that its Accept header prefers? */
#include "api/api.h"

#include <criterion/criterion.h>

Test(accept, table)
{
    static const struct {
        const char *accept;
        enum form want;
    } rows[] = {
        {NULL, FORM_CHAIN},
        {"", FORM_CHAIN},
        {"  ", FORM_CHAIN},
        {"*/*", FORM_CHAIN},
        {"application/*", FORM_CHAIN},
        {"application/pem-certificate-chain", FORM_CHAIN},
        {"application/pkix-cert", FORM_DER},
        {"APPLICATION/PKIX-CERT", FORM_DER},
        {"application/x-pem-file", FORM_PEM},
        {"application/x-pem-file; p7b", FORM_P7B_PEM},
        {"application/x-pem-file;p7b;q=0.5", FORM_P7B_PEM},
        {"application/pkcs7-mime", FORM_P7B},
        {"application/pkcs7-mime; smime-type=certs-only", FORM_P7B},
        {"application/json", FORM_JSON},
        {"application/json; charset=utf-8", FORM_JSON},
        {"application/json, */*", FORM_JSON},
        {"*/*, application/json", FORM_JSON},
        {"application/json;q=0.4, application/pkix-cert;q=0.8", FORM_DER},
        {"application/pkix-cert;q=0.8,application/json;q=0.9", FORM_JSON},
        {"application/json;q=0.1, */*;q=0.5", FORM_CHAIN},
        {"*/*, application/pem-certificate-chain;q=0", FORM_DER},
        {"text/html, application/json;q=0.2", FORM_JSON},
        {"application/pkix-cert, application/json", FORM_DER},
        {"application/json, application/pkix-cert", FORM_JSON},
        {"text/html", FORM_NONE},
        {"text/*, image/png", FORM_NONE},
        {"application/json;q=0", FORM_NONE},
        {"application/json;q=0.000", FORM_NONE},
        {"application/json;q=7", FORM_NONE},
        {"application/json;q=x", FORM_NONE},
        {"application/json;q=nan", FORM_NONE},
        {";;;,,,", FORM_NONE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_eq(accept_choose(rows[i].accept), rows[i].want, "Accept: %s",
                     rows[i].accept == NULL ? "(absent)" : rows[i].accept);
}

Test(accept, a_header_of_many_ranges_is_read_as_far_as_it_makes_sense)
{
    struct buf b;

    buf_init(&b, 16384);
    for (int i = 0; i < 1000; i++)
        buf_put_str(&b, "text/html,");
    buf_put_str(&b, "x");
    buf_put_u8(&b, 0);
    cr_assert_eq(accept_choose((const char *)b.data), FORM_NONE);
    buf_free(&b);
}
