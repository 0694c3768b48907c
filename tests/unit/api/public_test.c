/* SPDX-License-Identifier: Apache-2.0 */
/* Does the process "ocsp" serve relying parties the page, nothing beside its paths, and nothing twice? */
#include <criterion/criterion.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/api/site.h"

TestSuite(public, .init = site_open, .fini = site_close, .timeout = 60);

Test(public, other_paths_are_404_and_other_methods_405)
{
    static const char *const missing[] = {"/crl/other.crl",
                                          "/crl/ec-g1",
                                          "/crl/",
                                          "/crl/ec-g1.crl/",
                                          "/crl/../secret",
                                          "/crl/..%2fsecret",
                                          "/crl/%2e%2e/secret",
                                          "/ca/ec-g1.crl",
                                          "/ca/ec-g1.pem",
                                          "/secret",
                                          "//crl/ec-g1.crl",
                                          "/ocspx",
                                          "/index.html",
                                          "/api/v1/issuers"};

    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        answers("GET", missing[i], "", "404", "application/problem+json", NULL);
    answers("GET", "/crl/ec%2Dg1.crl", "", "200", NULL, "a CRL, as DER");
    answers("GET", "/ocsp", "", "405", "Allow: POST\r\n", NULL);
    answers("PUT", "/ocsp/MAA", "", "405", "Allow: GET, HEAD\r\n", NULL);
    answers("POST", "/", "", "405", "Allow: GET, HEAD\r\n", NULL);
    answers("DELETE", "/crl/ec-g1.crl", "", "405", "Allow: GET, HEAD\r\n", NULL);
}

Test(public, the_page_names_the_issuer_under_a_strict_policy)
{
    struct buf a = send_request("GET", "/", "", (struct span){0});

    cr_assert(has(&a, " 200 ") && has(&a, "Content-Type: text/html; charset=utf-8\r\n"));
    cr_assert(has(&a, "Content-Security-Policy: default-src 'none'; "));
    cr_assert(has(&a, "&lt;CA"));
    cr_assert(has(&a, "number 1, 0 entries"));
    buf_free(&a);
    answers("HEAD", "/", "", "200", "text/html", "");
}

static void publish_number_2(void)
{
    struct crl_state crl = {
        .number = 2, .this_update_s = time(NULL), .next_update_s = time(NULL) + 600, .count = 7, .size = 9};
    struct fault f = {0};
    struct issuer i;
    struct store *store;
    struct txn *t;
    uint64_t reserved;

    cr_assert_eq(store_open(site.config->store_dir, STORE_WRITE, 0, &store, &f), OK, "%s", f.detail);
    cr_assert_eq(txn_begin(store, &t), OK);
    cr_assert_eq(issuer_find(txn_view(t), "ec-g1", &i), OK);
    crl_state_reserve(t, i.no, &reserved);
    crl_state_publish(t, i.no, &crl);
    cr_assert_eq(txn_commit(t), OK);
    store_close(store);
}

static bool page_says(const char *what)
{
    struct buf a = send_request("GET", "/", "", (struct span){0});
    bool does = has(&a, what);

    buf_free(&a);
    return does;
}

Test(public, the_page_is_told_unmodified_until_it_shows_something_else)
{
    struct buf a = send_request("GET", "/", "", (struct span){0});
    char fields[256];

    none_match(&a, fields, sizeof fields);
    buf_free(&a);
    answers("GET", "/", fields, "304", "Cache-Control: no-cache\r\n", "");
    answers("HEAD", "/", fields, "304", "ETag: ", "");
    answers("GET", "/", "If-None-Match: \"another\"\r\n", "200", "text/html", NULL);
    answers("GET", "/", "If-Match: \"another\"\r\n", "412", "Cache-Control: no-store\r\n", "");
    publish_number_2();
    for (int i = 0; !page_says("number 2, 7 entries"); i++) {
        cr_assert_lt(i, 100, "the page does not follow the store");
        usleep(50000);
    }
    answers("GET", "/", fields, "200", "text/html", NULL);
}

Test(public, a_list_of_signers_that_is_empty_is_told_again_and_again)
{
    answers("GET", "/ca/ocsp.pem", "", "404", "application/problem+json", NULL);
    answers("GET", "/ca/ocsp.pem", "", "404", "application/problem+json", NULL);
}
