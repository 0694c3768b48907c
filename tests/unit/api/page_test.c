/* SPDX-License-Identifier: Apache-2.0 */
/* Is the page well formed, complete, and free of anything that a name could smuggle in? */
#include "api/public.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static struct buf out;

static void setup(void)
{
    buf_init(&out, 1 << 20);
}

static void teardown(void)
{
    buf_free(&out);
}

TestSuite(page, .init = setup, .fini = teardown);

static const char *render_page(const char *name, const char *subject, uint64_t crl_number)
{
    static const uint8_t sha256[32] = {0xab, 0xcd}, sha1[20] = {0x12};
    const struct page_issuer issuers[] = {
        {.id = "rsa-root-g1",
         .parent = "",
         .subject = subject,
         .sha256 = sha256,
         .sha1 = sha1,
         .not_before_s = 1769860800,
         .not_after_s = 1801396800,
         .crl = {.number = crl_number,
                 .count = 3,
                 .size = 700,
                 .this_update_s = 1769860800,
                 .next_update_s = 1769947200}},
        {.id = "rsa-g1", .parent = "rsa-root-g1", .subject = "CN=Issuing", .sha256 = sha256, .sha1 = sha1},
    };
    const struct page p = {
        .name = name, .public_url = "http://ca.example.com:8080", .issuers = issuers, .count = 2};

    page_write(&out, &p);
    cr_assert_eq(buf_end(&out), OK);
    buf_put_u8(&out, 0);
    return (const char *)out.data;
}

static void has(const char *page, const char *text)
{
    cr_assert_not_null(strstr(page, text), "%s", text);
}

Test(page, names_every_issuer_with_all_that_people_need)
{
    const char *page = render_page("Example UC", "CN=Example Root G1, O=Example", 42);

    has(page, "<title>Example UC</title>");
    has(page, "CN=Example Root G1, O=Example");
    has(page, "CN=Issuing");
    has(page, "AB:CD:00");
    has(page, "abcd00");
    has(page, "12:00:00");
    has(page, "href=\"/ca/rsa-root-g1.cer\"");
    has(page, "href=\"/ca/rsa-root-g1.pem\"");
    has(page, "href=\"/ca/rsa-g1.p7c\"");
    has(page, "href=\"/crl/rsa-root-g1.crl\"");
    has(page, "href=\"/crl/rsa-root-g1.pem\"");
    has(page, "number 42, 3 entries");
    has(page, "2026-01-31 12:00:00 UTC");
    has(page, "http://ca.example.com:8080/ocsp");
    has(page, "issued by <a href=\"#rsa-root-g1\">");
    has(page, "not published yet"); /* rsa-g1 */
}

Test(page, a_fingerprint_is_found_as_openssl_prints_it)
{
    static const char colons[] = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13";
    uint8_t octets[20];
    const struct page_issuer issuer = {
        .id = "a", .parent = "", .subject = "CN=A", .sha256 = (uint8_t[32]){0}, .sha1 = octets};
    const char *page;

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    page_write(&out, &(struct page){.name = "A", .public_url = "http://a", .issuers = &issuer, .count = 1});
    cr_assert_eq(buf_end(&out), OK);
    buf_put_u8(&out, 0);
    page = (const char *)out.data;
    has(page, colons);
    has(page, "\"000102030405060708090a0b0c0d0e0f10111213\"");
    cr_assert_null(strstr(page, "<wbr>"));
}

Test(page, a_parent_that_is_not_shown_is_no_link)
{
    const struct page_issuer issuer = {
        .id = "a", .parent = "b", .subject = "CN=A", .sha256 = (uint8_t[32]){0}, .sha1 = (uint8_t[20]){0}};

    page_write(&out, &(struct page){.name = "A", .public_url = "http://a", .issuers = &issuer, .count = 1});
    cr_assert_eq(buf_end(&out), OK);
    buf_put_u8(&out, 0);
    has((const char *)out.data, "issued by b</p>");
}

Test(page, hostile_names_stay_text)
{
    const char *page = render_page("<script>alert(1)</script>\"&'", "CN=</h2><img src=x onerror=y>", 1);

    cr_assert_null(strstr(page, "<script"));
    cr_assert_null(strstr(page, "<img"));
    has(page, "&lt;script&gt;");
    has(page, "&lt;/h2&gt;");
}

Test(page, loads_nothing_from_anywhere)
{
    const char *page = render_page("Example UC", "CN=Example", 1);

    cr_assert_null(strstr(page, "src="));
    cr_assert_null(strstr(page, "url("));
    cr_assert_null(strstr(page, "<link"));
    cr_assert_null(strstr(page, "@import"));
    cr_assert_null(strstr(page, " style="));
}

Test(page, the_policy_admits_this_style_sheet_alone)
{
    const char *page = render_page("Example UC", "CN=Example", 1), *from = strstr(page, "<style>"),
               *to = strstr(page, "</style>");
    char policy[256], want[128];
    uint8_t digest[32], base64[64];

    cr_assert(from != NULL && to != NULL);
    from += strlen("<style>");
    cr_assert(EVP_Digest(from, (size_t)(to - from), digest, NULL, EVP_sha256(), NULL) == 1);
    EVP_EncodeBlock(base64, digest, sizeof digest);
    snprintf(want, sizeof want, "style-src 'sha256-%s';", (const char *)base64);
    has(page_policy(policy, sizeof policy), want);
    has(policy, "default-src 'none'");
    cr_assert_null(strstr(policy, "unsafe"));
}
