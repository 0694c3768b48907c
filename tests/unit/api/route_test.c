/* SPDX-License-Identifier: Apache-2.0 */
/* Does every path lead where the table says, and nothing else anywhere? */
#include "api/api.h"

#include <criterion/criterion.h>
#include <string.h>

static enum err find(const char *method, const char *path, const char **arg, const char **pattern)
{
    static char captured[ROUTE_ARG_MAX], allow[64];
    const struct route *r;
    enum err e = route_find(method, path, &r, captured, allow);

    *arg = e == ERR_METHOD ? allow : captured;
    *pattern = r == NULL ? "" : r->pattern;
    return e;
}

Test(route, table)
{
    static const struct {
        const char *method, *path;
        enum err want;
        const char *arg; /* captured, or the Allow header */
    } rows[] = {
        {"GET", "/livez", OK, ""},
        {"HEAD", "/livez", OK, ""},
        {"POST", "/livez", ERR_METHOD, "GET, HEAD"},
        {"GET", "/livez/", ERR_NOT_FOUND, ""},
        {"GET", "/", ERR_NOT_FOUND, ""},
        {"GET", "", ERR_NOT_FOUND, ""},
        {"OPTIONS", "*", ERR_NOT_FOUND, ""},
        {"GET", "/api/v1/certificates", OK, ""},
        {"POST", "/api/v1/certificates", OK, ""},
        {"DELETE", "/api/v1/certificates", ERR_METHOD, "GET, HEAD, POST"},
        {"GET", "/api/v1/certificates/", ERR_NOT_FOUND, ""},
        {"GET", "/api/v1/certificates/ab.pem", OK, "ab.pem"},
        {"GET", "/api/v1/certificates/ab%2Fcd", OK, "ab/cd"},
        {"GET", "/api/v1/certificates/ab%2", ERR_MALFORMED, ""},
        {"GET", "/api/v1/certificates/ab%00", ERR_MALFORMED, ""},
        {"GET", "/api/v1/certificates/ab/cd", ERR_NOT_FOUND, ""},
        {"PUT", "/api/v1/certificates/ab/revocation", OK, "ab"},
        {"DELETE", "/api/v1/certificates/ab/revocation", OK, "ab"},
        {"GET", "/api/v1/certificates/ab/revocation", ERR_METHOD, "PUT, DELETE"},
        {"PUT", "/api/v1/certificates//revocation", ERR_NOT_FOUND, ""},
        {"GET", "/api/v1/profiles/ucm/tomcat", OK, "ucm/tomcat"},
        {"GET", "/api/v1/profiles/ucm%2Ftomcat", OK, "ucm/tomcat"},
        {"GET", "/api/v1/profiles/", ERR_NOT_FOUND, ""},
        {"GET", "/api/v1/issuers/rsa-g1", OK, "rsa-g1"},
        {"POST", "/api/v1/issuers/rsa-g1/crl", OK, "rsa-g1"},
        {"GET", "/api/v1/requests", OK, ""},
        {"GET", "/api/v1/requests/ab", OK, "ab"},
        {"POST", "/api/v1/requests/ab", ERR_METHOD, "GET, HEAD"},
        {"POST", "/api/v1/requests/ab/approval", OK, "ab"},
        {"DELETE", "/api/v1/requests/ab/approval", ERR_METHOD, "POST"},
        {"POST", "/api/v1/requests/ab/denial", OK, "ab"},
        {"POST", "/api/v1/replay", OK, ""},
        {"GET", "/api/v1/replay", ERR_METHOD, "POST"},
        {"GET", "/api/v1/tokens", OK, ""},
        {"DELETE", "/api/v1/tokens/ab", OK, "ab"},
        {"DELETE", "/api/v1/permits", OK, ""},
        {"PUT", "/api/v1/permits", ERR_METHOD, "GET, HEAD, POST, DELETE"},
        {"GET", "//api/v1/issuers", ERR_NOT_FOUND, ""},
        {"GET", "/API/v1/issuers", ERR_NOT_FOUND, ""},
    };
    const char *arg, *pattern;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(find(rows[i].method, rows[i].path, &arg, &pattern), rows[i].want, "%s %s",
                     rows[i].method, rows[i].path);
        if (rows[i].want == OK || rows[i].want == ERR_METHOD)
            cr_assert_str_eq(arg, rows[i].arg, "%s %s", rows[i].method, rows[i].path);
    }
}

/* ---- who may call: every route, role and scope. What is not written here fails. ---- */

#define V ACCESS_BIT(ACCESS_VIEWER)
#define R ACCESS_BIT(ACCESS_REQUESTER)
#define O ACCESS_BIT(ACCESS_OPERATOR)
#define U ACCESS_BIT(ACCESS_AUDITOR)
#define A ACCESS_BIT(ACCESS_ADMINISTRATOR)
#define ALL (V | R | O | U | A)

static const struct {
    const char *method, *pattern;
    unsigned whole;   /* roles without a limit that may */
    unsigned limited; /* roles with one that may */
} expected[] = {
    {"GET", "/livez", ALL, ALL},
    {"GET", "/readyz", ALL, ALL},
    {"GET", "/metrics", ALL, ALL},
    {"GET", "/api/v1/certificates", ALL, ALL},
    {"POST", "/api/v1/certificates", R | A, R | A},
    {"POST", "/api/v1/preflight", R | O | A, R | O | A},
    {"GET", "/api/v1/certificates/{}", ALL, ALL},
    {"PUT", "/api/v1/certificates/{}/revocation", O | A, O | A},
    {"DELETE", "/api/v1/certificates/{}/revocation", O | A, O | A},
    {"GET", "/api/v1/issuers", ALL, ALL},
    {"GET", "/api/v1/issuers/{}", ALL, ALL},
    {"GET", "/api/v1/issuers/{}/crl", ALL, ALL},
    {"GET", "/api/v1/issuers/{}/crl.der", ALL, ALL},
    {"GET", "/api/v1/issuers/{}/crl.pem", ALL, ALL},
    {"POST", "/api/v1/issuers/{}/crl", O | A, O | A},
    {"GET", "/api/v1/requests", ALL, ALL},
    {"GET", "/api/v1/requests/{}", ALL, ALL},
    {"POST", "/api/v1/requests/{}/approval", O | A, O | A},
    {"POST", "/api/v1/requests/{}/denial", R | O | A, R | O | A},
    {"GET", "/api/v1/audit", U | A, 0},
    {"GET", "/api/v1/audit/head", U | A, 0},
    {"POST", "/api/v1/replay", O | A, 0},
    {"GET", "/api/v1/profiles", ALL, ALL},
    {"GET", "/api/v1/profiles/{*}", ALL, ALL},
    {"GET", "/api/v1/tokens", U | A, 0},
    {"POST", "/api/v1/tokens", A, 0},
    {"DELETE", "/api/v1/tokens/{}", A, 0},
    {"GET", "/api/v1/permits", U | A, 0},
    {"POST", "/api/v1/permits", A, 0},
    {"DELETE", "/api/v1/permits", A, 0},
};
#define EXPECTED (sizeof expected / sizeof *expected)

static size_t expected_at(const struct route *r)
{
    for (size_t i = 0; i < EXPECTED; i++)
        if (strcmp(expected[i].method, r->method) == 0 && strcmp(expected[i].pattern, r->pattern) == 0)
            return i;
    cr_assert_fail("%s %s: nobody has said who may", r->method, r->pattern);
    return 0;
}

static struct principal somebody(enum access_role role, int which_scope)
{
    struct principal p = {.name = "token:00", .role = role};
    struct scope_list *const lists[] = {NULL, &p.scope.profiles, &p.scope.names, &p.scope.issuers};

    if (lists[which_scope] != NULL)
        cr_assert(scope_add(lists[which_scope], "*"));
    return p;
}

Test(route, every_route_for_every_role_and_scope)
{
    cr_assert_eq(ROUTE_COUNT, EXPECTED);
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        for (enum access_role role = ACCESS_NOBODY; role < ACCESS_ROLES; role++)
            for (int scope = 0; scope < 4; scope++) {
                const struct route *r = &ROUTES[i];
                struct principal p = somebody(role, scope);
                size_t at = expected_at(r);
                unsigned may = scope == 0 ? expected[at].whole : expected[at].limited;
                struct fault f = {0};
                bool want = (may & ALL & ACCESS_BIT(role)) != 0;

                cr_assert_eq(route_permits(r, &p, &f), want ? OK : ERR_FORBIDDEN, "%s %s by %s, scope %d",
                             r->method, r->pattern, access_role_name(role), scope);
                cr_assert(want || f.detail[0] != '\0');
            }
}

Test(route, every_row_says_how_it_keeps_to_a_scope)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *r = &ROUTES[i];
        bool in_api = strncmp(r->pattern, "/api/", 5) == 0;

        cr_assert_neq(r->scope, ROUTE_SCOPE_UNSAID, "%s %s", r->method, r->pattern);
        cr_assert_neq(r->roles & ACCESS_ANY, 0, "%s %s", r->method, r->pattern);
        cr_assert_eq(r->is_local, !in_api, "%s %s", r->method, r->pattern);
        cr_assert(strcmp(r->method, "GET") == 0 || r->scope == ROUTE_SCOPE_ASKED ||
                      r->scope == ROUTE_SCOPE_WHOLE,
                  "%s %s: what changes something is held against the scope by the ca", r->method, r->pattern);
    }
}

Test(route, what_has_something_signed_or_weighed_is_counted)
{
    static const struct {
        const char *method, *path;
        bool is_costly;
    } rows[] = {
        {"POST", "/api/v1/certificates", true},
        {"POST", "/api/v1/preflight", true},
        {"POST", "/api/v1/issuers/x/crl", true},
        {"POST", "/api/v1/replay", true},
        {"GET", "/readyz", true},
        {"GET", "/livez", false},
        {"GET", "/metrics", false},
        {"GET", "/api/v1/certificates", false},
    };
    char arg[ROUTE_ARG_MAX], allow[64];
    const struct route *r;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(route_find(rows[i].method, rows[i].path, &r, arg, allow), OK, "%s", rows[i].path);
        cr_assert_eq(r->is_costly, rows[i].is_costly, "%s", rows[i].path);
    }
}

Test(route, a_row_that_forgot_something_lets_nobody_in)
{
    const struct route forgot_roles = {.method = "GET", .pattern = "/", .scope = ROUTE_SCOPE_OPEN},
                       forgot_scope = {.method = "GET", .pattern = "/", .roles = ACCESS_ANY};
    struct principal p = somebody(ACCESS_ADMINISTRATOR, 0);

    cr_assert_eq(route_permits(&forgot_roles, &p, NULL), ERR_FORBIDDEN);
    cr_assert_eq(route_permits(&forgot_scope, &p, NULL), ERR_FORBIDDEN);
}

Test(route, a_part_too_long_is_malformed)
{
    char path[1024] = "/api/v1/issuers/";
    const char *arg, *pattern;

    memset(path + strlen(path), 'a', ROUTE_ARG_MAX);
    cr_assert_eq(find("GET", path, &arg, &pattern), ERR_MALFORMED);
}
