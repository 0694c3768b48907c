/* SPDX-License-Identifier: Apache-2.0 */
/* Is a host name told from what is none? */
#include <criterion/criterion.h>
#include <string.h>

#include "ca/policy.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

Test(host, kinds)
{
    static const struct {
        const char *text;
        enum host_kind kind;
    } cases[] = {
        {"cucm.example.com", HOST_NAME},
        {"CUCMB1", HOST_NAME},
        {"3com.example", HOST_NAME},
        {"a-b.example", HOST_NAME},
        {"xn--bcher-kva.example", HOST_NAME},
        {L63 ".example", HOST_NAME},
        {L63 "." L63 "." L63 "."
             "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
         HOST_NAME}, /* 253 */
        {L63 "." L63 "." L63 "."
             "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg",
         HOST_BAD},
        {L63 "h.example", HOST_BAD},
        {"", HOST_BAD},
        {".", HOST_BAD},
        {".example.com", HOST_BAD},
        {"example.com.", HOST_BAD},
        {"a..b", HOST_BAD},
        {"-a.example", HOST_BAD},
        {"a-.example", HOST_BAD},
        {"a b", HOST_BAD},
        {"a/b", HOST_BAD},
        {"http://a.example", HOST_BAD},
        {"a.example:443", HOST_BAD},
        {"b\xc3\xbc"
         "cher.example",
         HOST_BAD},
        {"a\nb.example", HOST_BAD},
        {"2001:db8::1", HOST_BAD},
        {"my_host.example.com", HOST_UNDERSCORE},
        {"_sip.example.com", HOST_UNDERSCORE},
        {"my_host..com", HOST_BAD},
        {"192.0.2.1", HOST_ADDRESS},
        {"192.0.2.256", HOST_BAD},
        {"0x7f.1", HOST_BAD},
        {"my_host.1", HOST_BAD},
        {"1.example", HOST_NAME},
        {"a.1b", HOST_NAME},
        {"1001", HOST_NAME}, /* a bare name may be one */
        {"*.192.0", HOST_STAR},
        {"*.example.com", HOST_WILDCARD},
        {"*", HOST_STAR},
        {"*.", HOST_STAR},
        {"*.com", HOST_STAR},
        {"a*.example.com", HOST_STAR},
        {"*a.example.com", HOST_STAR},
        {"*.*.example.com", HOST_STAR},
        {"a.*.example.com", HOST_STAR},
        {"*.my_host.example.com", HOST_STAR},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(host_kind_of(span_str(cases[i].text)), cases[i].kind, "%s", cases[i].text);
    cr_expect_eq(host_kind_of(span_of("a\0b.example", 11)), HOST_BAD);
}

Test(host, relations)
{
    cr_assert(host_eq(span_str("A.Example"), span_str("a.exAMPLE")));
    cr_assert(!host_eq(span_str("a.example"), span_str("b.example")));
    cr_assert(host_is_domain_of(span_str("example.com"), span_str("a.EXAMPLE.com")));
    cr_assert(host_is_domain_of(span_str("example.com"), span_str("b.a.example.com")));
    cr_assert(!host_is_domain_of(span_str("example.com"), span_str("example.com")));
    cr_assert(!host_is_domain_of(span_str("example.com"), span_str("badexample.com")));
    cr_assert(!host_is_domain_of(span_str("a.example.com"), span_str("example.com")));
    cr_assert(!host_is_domain_of((struct span){0}, span_str("example.com")));
    cr_assert(span_eq(host_first_label(span_str("a.b")), span_str("a")));
    cr_assert(span_eq(host_first_label(span_str("a")), span_str("a")));
    cr_assert(host_ends_with(span_str("cucm-ec"), "-EC"));
    cr_assert(!host_ends_with(span_str("-EC"), "-EC"), "nothing is left of the host");
    cr_assert(!host_ends_with(span_str("cucm"), "-EC"));
}
