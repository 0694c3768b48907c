/* SPDX-License-Identifier: Apache-2.0 */
/* Are names in other scripts written as A-labels, and are A-labels that stand for nothing found? */
#include "base/idn.h"

#include <criterion/criterion.h>
#include <string.h>

Test(idn, names_are_written_as_A_labels)
{
    static const struct {
        const char *name, *ascii; /* NULL: there is none */
    } cases[] = {
        {"b\xc3\xbc"
         "cher.example.com",
         "xn--bcher-kva.example.com"},
        {"faß.example.com", "xn--fa-hia.example.com"}, /* not transitional: not fass */
        {"例え.jp", "xn--r8jz45g.jp"},
        {"a.example.com", "a.example.com"},
        {"b\xc3.example.com", NULL},
        {"♥.example.com", NULL}, /* IDNA 2008 knows no symbols */
        {"", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[IDN_MAX] = "";
        bool ok = idn_to_ascii(span_str(cases[i].name), out);

        cr_expect_eq(ok, cases[i].ascii != NULL, "%s: %s", cases[i].name, out);
        if (ok && cases[i].ascii != NULL)
            cr_expect_str_eq(out, cases[i].ascii);
    }
}

Test(idn, a_name_too_long_has_none)
{
    char name[600] = "", out[IDN_MAX];

    for (unsigned i = 0; i < 64; i++)
        strcat(name, "b\xc3\xbc.");
    strcat(name, "com");
    cr_assert(!idn_to_ascii(span_str(name), out));
}

Test(idn, A_labels_stand_for_a_name)
{
    static const struct {
        const char *label;
        bool valid;
    } cases[] = {
        {"xn--bcher-kva", true}, {"XN--BCHER-KVA", true}, {"example", true},
        {"r3---sn", true},       {"xn--a", false},        {"xn--", false},
        {"xn--zz--zz", false},   {"xn--bcher-kv", false}, {"", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(idn_label_is_valid(span_str(cases[i].label)), cases[i].valid, "%s", cases[i].label);
    cr_assert(!idn_label_is_valid(span_of("xn--\0a", 6)));
}
