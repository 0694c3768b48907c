/* SPDX-License-Identifier: Apache-2.0 */
/* Are requests signed as Amazon documents it? The expected signatures are of an independent implementation
 * that gives the documented signature for Amazon's own example (GET Object, with a Range we do not send). */
#include "watch/sigv4.h"

#include <criterion/criterion.h>
#include <string.h>

static struct sigv4_headers sign(const char *method, const char *url, const char *type, const uint8_t *sha256)
{
    struct sigv4 s = {.method = method,
                      .url = url,
                      .content_type = type,
                      .region = "us-east-1",
                      .key_id = "AKIAIOSFODNN7EXAMPLE",
                      .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                      .sha256 = sha256,
                      .now_s = 1369353600};
    struct sigv4_headers out;

    sigv4_sign(&s, &out);
    return out;
}

Test(watch_sigv4, a_get_is_signed_over_the_hash_of_nothing)
{
    struct sigv4_headers h = sign("GET", "https://examplebucket.s3.amazonaws.com/test.txt", NULL, NULL);

    cr_assert_str_eq(h.date, "x-amz-date: 20130524T000000Z");
    cr_assert_str_eq(
        h.content, "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_str_eq(h.authorization,
                     "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                     "aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                     "Signature=df548e2ce037944d03f3e68682813b093763996d597cf890ca3d9037fd231eb4");
}

Test(watch_sigv4, a_put_is_signed_over_its_body_and_type_and_an_unusual_port)
{
    uint8_t sha256[32];
    struct sigv4_headers h;

    sha256_of(span_str("abc"), sha256);
    h = sign("PUT", "http://s3.example.com:9000/b/x.crl", "application/pkix-crl", sha256);
    cr_assert_not_null(strstr(h.authorization,
                              "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, "
                              "Signature=bef81753b96b2da6847a8767d701e8eb87869e57d7e364dca73f27463150d519"));
}

Test(watch_sigv4, the_schemes_own_port_is_not_part_of_the_host)
{
    struct sigv4_headers a = sign("GET", "https://examplebucket.s3.amazonaws.com:443/test.txt", NULL, NULL),
                         b = sign("GET", "https://examplebucket.s3.amazonaws.com/test.txt", NULL, NULL);

    cr_assert_str_eq(a.authorization, b.authorization);
}
