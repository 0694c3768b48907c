/* SPDX-License-Identifier: Apache-2.0 */
/* Does a scope cover what it names and nothing beside it? */
#include "base/access.h"

#include <criterion/criterion.h>
#include <string.h>

static struct scope scope_with_name(const char *name)
{
    struct scope s = {0};

    cr_assert(scope_add(&s.names, name));
    return s;
}

Test(access, role_names_are_read_back)
{
    enum access_role got;

    for (enum access_role r = ACCESS_VIEWER; r < ACCESS_ROLES; r++) {
        cr_assert(access_role_parse(access_role_name(r), &got));
        cr_assert_eq(got, r);
    }
    cr_assert(!access_role_parse("nobody", &got));
    cr_assert(!access_role_parse("Administrator", &got));
    cr_assert(!access_role_parse("", &got));
    cr_assert_eq(ACCESS_ANY & ACCESS_BIT(ACCESS_NOBODY), 0);
}

Test(access, an_empty_scope_covers_all)
{
    struct scope s = {0};

    cr_assert(scope_is_any(&s));
    cr_assert(scope_has_profile(&s, "ucm/tomcat"));
    cr_assert(scope_has_issuer(&s, "rsa-g1"));
    cr_assert(scope_has_name(&s, span_str("anything at all")));
}

Test(access, profiles_by_glob)
{
    static const struct {
        const char *glob, *profile;
        bool covers;
    } rows[] = {
        {"ucm/*", "ucm/tomcat", true},
        {"ucm/*", "cuc/tomcat", false},
        {"ucm/*", "ucm/", true},
        {"*", "a/b", true},
        {"*/tomcat", "ucm/tomcat", true},
        {"*/tomcat", "ucm/tomcat-ECDSA", false},
        {"ucm/tomca?", "ucm/tomcat", true},
        {"ucm/tomcat?", "ucm/tomcat", false},
        {"ucm/tomcat", "ucm/tomcat", true},
        {"ucm/tomcat", "UCM/tomcat", false},
        {"*a*b*c", "xaybzc", true},
        {"*a*b*c", "xaybz", false},
        {"ucm/tomcat", "ucm/tomcat/", false},
        {"**", "", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope s = {0};

        cr_assert(scope_add(&s.profiles, rows[i].glob));
        cr_assert_eq(scope_has_profile(&s, rows[i].profile), rows[i].covers, "%s over %s", rows[i].glob,
                     rows[i].profile);
    }
}

Test(access, names_by_suffix)
{
    static const struct {
        const char *suffix, *name;
        bool covers;
    } rows[] = {
        {"example.com", "example.com", true},
        {"example.com", "a.example.com", true},
        {"example.com", "A.EXAMPLE.com", true},
        {"example.com", "evilexample.com", false},
        {"example.com", "example.com.evil", false},
        {".example.com", "example.com", false},
        {".example.com", "a.example.com", true},
        {".example.com", "*.example.com", true},
        {".example.com", ".example.com", false},
        {"example.com", "user@example.com", true},
        {"example.com", "a.example.com@evil", false},
        {"example.com", "", false},
        {"192.0.2.0/24", "192.0.2.7", true},
        {"192.0.2.0/24", "192.0.3.7", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"2001:db8::/32", "2001:db8::1", true},
        {"2.7", "192.0.2.7", false},
        {"example.com", "192.0.2.7", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope s = scope_with_name(rows[i].suffix);

        cr_assert_eq(scope_has_name(&s, span_str(rows[i].name)), rows[i].covers, "%s over %s", rows[i].suffix,
                     rows[i].name);
    }
}

Test(access, a_name_with_a_nul_is_covered_by_nothing)
{
    struct scope s = scope_with_name("example.com");

    cr_assert(!scope_has_name(&s, span_of("a.evil\0.example.com", 19)));
}

Test(access, lists_have_an_end)
{
    struct scope s = {0};
    char long_item[SCOPE_TEXT_MAX + 1];
    unsigned n = 0;

    memset(long_item, 'a', sizeof long_item);
    long_item[SCOPE_TEXT_MAX] = '\0';
    cr_assert(!scope_add(&s.profiles, long_item));
    cr_assert(!scope_add(&s.profiles, ""));
    cr_assert(!scope_add(&s.profiles, "a b"));
    cr_assert(!scope_add(&s.profiles, "a\nb"));
    while (scope_add(&s.profiles, "ucm/tomcat"))
        n++;
    cr_assert_eq(n, SCOPE_TEXT_MAX / 11);
    cr_assert(!scope_has_profile(&s, "ucm/ipsec"));
}

Test(access, a_scope_is_read_back)
{
    struct scope s = {0}, got;
    struct buf b;
    struct rd r;

    cr_assert(scope_add(&s.profiles, "ucm/*") && scope_add(&s.profiles, "cuc/*"));
    cr_assert(scope_add(&s.names, ".example.com") && scope_add(&s.issuers, "rsa-g1"));
    buf_init(&b, 4096);
    scope_write(&b, &s);
    r = rd_of(buf_span(&b));
    cr_assert(scope_read(&r, &got) && rd_done(&r));
    cr_assert(scope_has_profile(&got, "cuc/x") && !scope_has_profile(&got, "imp/x"));
    cr_assert(!scope_has_issuer(&got, "ec-g1"));
    for (size_t cut = 0; cut < b.len; cut++) {
        r = rd_of(span_of(b.data, cut));
        cr_assert(!scope_read(&r, &got), "cut at %zu", cut);
    }
    buf_free(&b);
}

Test(access, a_list_that_is_no_list_is_refused)
{
    static const struct {
        const char *octets;
        size_t len;
    } rows[] = {{"a", 1}, {"a\0b", 3}, {"\0", 1}, {"a\0\0", 3}, {"a b\0", 4}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope got;
        struct buf b;
        struct rd r;

        buf_init(&b, 64);
        buf_put_blob(&b, span_of(rows[i].octets, rows[i].len));
        buf_put_blob(&b, span_of(NULL, 0));
        buf_put_blob(&b, span_of(NULL, 0));
        r = rd_of(buf_span(&b));
        cr_assert(!scope_read(&r, &got), "row %zu", i);
        buf_free(&b);
    }
}
