/* SPDX-License-Identifier: Apache-2.0 */
/* Is a range what a person means by it, in both families? */
#include "base/address.h"

#include <criterion/criterion.h>
#include <string.h>

Test(address, ranges)
{
    static const struct {
        const char *range, *address;
        bool has;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::ffff:10.0.0.0/104", "10.1.2.3", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"0.0.0.0/0", "203.0.113.1", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", true},
        {"2001:db8::/32", "2001:db8:1::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1/32", "192.0.2.2", false},
        {"::1", "::1", true},
        {"::1", "127.0.0.1", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address_range r;
        struct address a;

        cr_assert(address_range_parse(rows[i].range, &r), "%s", rows[i].range);
        cr_assert(address_parse(rows[i].address, &a), "%s", rows[i].address);
        cr_assert_eq(address_range_has(&r, &a), rows[i].has, "%s in %s", rows[i].address, rows[i].range);
    }
}

Test(address, what_is_no_range)
{
    static const char *const rows[] = {
        "",
        "/",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/8 ",
        "10.1.0.0/8",
        "10.0.0/8",
        "2001:db8::1/32",
        "::/129",
        "ten",
        "10.0.0.0/8/8",
        "10.0.0.0/+8",
        "10.0.0.0/0x8",
        "::1%lo",
        "10.0.0.0/00",
        "1.2.3.4.5",
        "10.0.0.0/4294967304",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8",
    };
    struct address_range r;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert(!address_range_parse(rows[i], &r), "%s", rows[i]);
}

Test(address, text_has_one_spelling)
{
    static const char *const rows[][2] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"192.0.2.1/32", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::/32", "2001:db8::/32"},
        {"::1/128", "::1"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::/0", "::/0"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[ADDRESS_TEXT_MAX];
        struct address_range r;

        cr_assert(address_range_parse(rows[i][0], &r));
        address_range_text(&r, text);
        cr_assert_str_eq(text, rows[i][1]);
    }
}

Test(address, one_client_of_ipv6_is_a_64)
{
    struct address a, b, c;

    cr_assert(address_parse("2001:db8::1", &a) && address_parse("2001:db8::2:0:0:1", &b));
    a = address_network(&a);
    b = address_network(&b);
    cr_assert_eq(memcmp(&a, &b, sizeof a), 0);
    cr_assert(address_parse("192.0.2.1", &a) && address_parse("192.0.2.2", &c));
    a = address_network(&a);
    c = address_network(&c);
    cr_assert_neq(memcmp(&a, &c, sizeof a), 0);
}
