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

/* ---- a proxy that merges slashes ---- */

static unsigned tries;

static bool is_wanted(void *arg, struct span got)
{
    const struct span *want = arg;

    tries++;
    return span_eq(got, *want);
}

/* Encodes octets that begin as a request does, and merges runs of slashes as proxies do. */
static size_t merge(const uint8_t *octets, size_t len, char *out)
{
    char text[256];
    size_t n = 0;

    EVP_EncodeBlock((uint8_t *)text, octets, (int)len);
    for (size_t i = 0; text[i] != '\0'; i++)
        if (text[i] != '/' || n == 0 || out[n - 1] != '/')
            out[n++] = text[i];
    out[n] = '\0';
    return strlen(text) - n;
}

Test(ocsp_http, slashes_that_a_proxy_merged_are_put_back)
{
    /* "//" once, twice, and three in a row */
    static const uint8_t rows[][12] = {{0x30, 0x0f, 0xff, 1, 2, 3, 0x0f, 0xc1, 4, 5, 6, 7},
                                       {0x30, 0x0f, 0xff, 1, 2, 3, 0x0f, 0xff, 4, 5, 6, 7},
                                       {0x30, 0xff, 0xff, 0xff, 2, 3, 4, 5, 6, 7, 8, 9}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span want = span_of(rows[i], sizeof rows[i]);
        char path[64];
        size_t lost = merge(rows[i], sizeof rows[i], path);

        cr_assert_geq(lost, 1);
        buf_reset(&der);
        cr_assert_eq(ocsp_http_unmerge(path, is_wanted, &want, &der), lost <= 2, "%s", path);
        cr_assert_eq(span_eq(buf_span(&der), want), lost <= 2);
    }
}

Test(ocsp_http, guessing_has_a_bound_and_gives_nothing_when_nothing_is_right)
{
    struct span never = span_str("never");
    char path[64];

    for (size_t n = 0; n < 30; n++) {
        memset(path, '/', sizeof path);
        path[0] = 'M';
        strcpy(path + 1 + n, "AA");
        tries = 0;
        cr_assert_not(ocsp_http_unmerge(path, is_wanted, &never, &der));
        cr_assert_eq(der.len, 0);
        cr_assert_leq(tries, 8 + 36);
    }
    cr_assert_not(ocsp_http_unmerge("%zz", is_wanted, &never, &der));
    memset(path, 'A', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    cr_assert_not(ocsp_http_unmerge(path, is_wanted, &never, &der));
}
