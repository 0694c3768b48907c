/* SPDX-License-Identifier: Apache-2.0 */
/* Does a GET path give back the request that any client put into it, and nothing else? */
#include "api/public.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static struct buf der;

static void setup(void)
{
    buf_init(&der, OCSP_REQUEST_MAX);
}

static void teardown(void)
{
    buf_free(&der);
}

TestSuite(ocsp_http, .init = setup, .fini = teardown);

static void decodes(const char *path, const void *want, size_t len)
{
    buf_reset(&der);
    cr_assert_eq(ocsp_http_decode(path, &der), OK, "%s", path);
    cr_assert(span_eq(buf_span(&der), span_of(want, len)), "%s", path);
}

Test(ocsp_http, paths_are_decoded_escaped_or_not)
{
    static const uint8_t octets[] = {0x30, 0xff, 0xef, 0xff, 0xff, 0xfb}; /* MP/v///7 */

    decodes("MP/v///7", octets, 6);
    decodes("MP%2Fv%2F%2F%2F7", octets, 6);
    decodes("MP%2fv%2f%2f%2f7", octets, 6);
    decodes("/MP/v///7", octets, 6); /* an address that ended in a slash */
    decodes("MAA+", "0\0>", 3);
    decodes("MAA%2B", "0\0>", 3);
    decodes("MAA=", "0\0", 2);
    decodes("MAA%3D", "0\0", 2);
    decodes("MAA", "0\0", 2); /* without padding */
    decodes("MA==", "0", 1);
    decodes("MA", "0", 1);
}

Test(ocsp_http, what_is_no_base64_gives_nothing)
{
    static const char *const paths[] = {
        "",     "/",      "M",        "MAA==", "M===",  "====",  "MAB=",   "MA-_",
        "MA A", "MA%20A", "MAA=MAA=", "MA%",   "MA%zz", "MA%00", "MAA%0A", "MA\tA"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        decodes(paths[i], "", 0);
}

Test(ocsp_http, the_limit_is_that_of_a_request)
{
    static uint8_t octets[OCSP_REQUEST_MAX + 3], text[3 * sizeof octets], escaped[4 * sizeof text];
    size_t n = 0;

    memset(octets, 0x30, sizeof octets);
    EVP_EncodeBlock(text, octets, OCSP_REQUEST_MAX);
    decodes((char *)text, octets, OCSP_REQUEST_MAX);
    for (size_t i = 0; text[i] != 0; i++)
        n += (size_t)sprintf((char *)escaped + n, "%%%02x", text[i]);
    decodes((char *)escaped, octets, OCSP_REQUEST_MAX);
    EVP_EncodeBlock(text, octets, OCSP_REQUEST_MAX + 3);
    buf_reset(&der);
    cr_assert_eq(ocsp_http_decode((char *)text, &der), ERR_TOO_LARGE);
    memset(escaped, 'M', sizeof escaped - 1);
    cr_assert_eq(ocsp_http_decode((char *)escaped, &der), ERR_TOO_LARGE);
}
