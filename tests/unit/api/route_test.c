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
        {"GET", "/api/v1/tokens", ERR_NOT_FOUND, ""},
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

Test(route, everything_under_api_needs_an_administrator)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        bool in_api = strncmp(ROUTES[i].pattern, "/api/", 5) == 0;

        cr_assert_eq(route_who(ROUTES[i].pattern, &ROUTES[i]), in_api ? WHO_ADMINISTRATOR : WHO_LOCAL, "%s",
                     ROUTES[i].pattern);
        cr_assert_eq(ROUTES[i].who, in_api ? WHO_ADMINISTRATOR : WHO_LOCAL, "%s", ROUTES[i].pattern);
    }
    cr_assert_eq(route_who("/api/v1/nothing", NULL), WHO_ADMINISTRATOR);
    cr_assert_eq(route_who("/api", NULL), WHO_ADMINISTRATOR);
    cr_assert_eq(route_who("/apix", NULL), WHO_LOCAL);
}

Test(route, a_part_too_long_is_malformed)
{
    char path[1024] = "/api/v1/issuers/";
    const char *arg, *pattern;

    memset(path + strlen(path), 'a', ROUTE_ARG_MAX);
    cr_assert_eq(find("GET", path, &arg, &pattern), ERR_MALFORMED);
}
