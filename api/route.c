/* SPDX-License-Identifier: Apache-2.0 */
/* route: the one table of the HTTPS interface: method, path, which roles may call and how their scope is
 * kept, how much they may send, handler.
 */
#include <string.h>

#include "api/api.h"

#define ANY ACCESS_ANY
#define REQUESTER ACCESS_BIT(ACCESS_REQUESTER)
#define OPERATOR ACCESS_BIT(ACCESS_OPERATOR)
#define AUDITOR ACCESS_BIT(ACCESS_AUDITOR)
#define ADMINISTRATOR ACCESS_BIT(ACCESS_ADMINISTRATOR)

#define OPEN .scope = ROUTE_SCOPE_OPEN
#define FILTERED .scope = ROUTE_SCOPE_FILTERED
#define HIDDEN .scope = ROUTE_SCOPE_HIDDEN
#define ASKED .scope = ROUTE_SCOPE_ASKED
#define WHOLE .scope = ROUTE_SCOPE_WHOLE
#define LOCAL .is_local = true
#define COSTLY .is_costly = true

/* A row without roles or scope lets nobody in. clang-format off: one route a line. */
/* clang-format off */
const struct route ROUTES[] = {
    {"GET", "/livez", ANY, OPEN, LOCAL, .handle = livez_get},
    {"GET", "/readyz", ANY, OPEN, LOCAL, COSTLY, .handle = readyz_get},
    {"GET", "/metrics", ANY, OPEN, LOCAL, .handle = metrics_get},
    {"GET", "/api/v1/certificates", ANY, FILTERED, .handle = certificates_get},
    {"POST", "/api/v1/certificates", REQUESTER | ADMINISTRATOR, ASKED, COSTLY, .body_max = CSR_MAX, .handle = issue_post},
    {"POST", "/api/v1/preflight", REQUESTER | OPERATOR | ADMINISTRATOR, ASKED, COSTLY, .body_max = PREFLIGHT_MAX, .handle = preflight_post},
    {"GET", "/api/v1/certificates/{}", ANY, HIDDEN, .handle = certificate_get},
    {"PUT", "/api/v1/certificates/{}/revocation", OPERATOR | ADMINISTRATOR, ASKED, .body_max = JSON_BODY_MAX, .handle = revocation_put},
    {"DELETE", "/api/v1/certificates/{}/revocation", OPERATOR | ADMINISTRATOR, ASKED, .body_max = JSON_BODY_MAX, .handle = revocation_delete},
    {"GET", "/api/v1/issuers", ANY, OPEN, .handle = issuers_get},
    {"GET", "/api/v1/issuers/{}", ANY, OPEN, .handle = issuer_get},
    {"GET", "/api/v1/issuers/{}/crl", ANY, OPEN, .handle = issuer_crl_get},
    {"GET", "/api/v1/issuers/{}/crl.der", ANY, OPEN, .handle = issuer_crl_der_get},
    {"GET", "/api/v1/issuers/{}/crl.pem", ANY, OPEN, .handle = issuer_crl_pem_get},
    {"POST", "/api/v1/issuers/{}/crl", OPERATOR | ADMINISTRATOR, ASKED, COSTLY, .body_max = JSON_BODY_MAX, .handle = issuer_crl_post},
    {"GET", "/api/v1/requests", ANY, FILTERED, .handle = requests_get},
    {"GET", "/api/v1/requests/{}", ANY, HIDDEN, .handle = request_get},
    {"POST", "/api/v1/requests/{}/approval", OPERATOR | ADMINISTRATOR, ASKED, .body_max = JSON_BODY_MAX, .handle = request_approval_post},
    {"POST", "/api/v1/requests/{}/denial", REQUESTER | OPERATOR | ADMINISTRATOR, ASKED, .body_max = JSON_BODY_MAX, .handle = request_denial_post},
    {"GET", "/api/v1/audit", AUDITOR | ADMINISTRATOR, WHOLE, .handle = trail_get},
    {"GET", "/api/v1/audit/head", AUDITOR | ADMINISTRATOR, WHOLE, .handle = trail_head_get},
    {"POST", "/api/v1/replay", OPERATOR | ADMINISTRATOR, WHOLE, COSTLY, .body_max = XML_DOC_MAX, .handle = replay_post},
    {"GET", "/api/v1/profiles", ANY, FILTERED, .handle = profiles_get},
    {"GET", "/api/v1/profiles/{*}", ANY, HIDDEN, .handle = profile_get},
    {"GET", "/api/v1/tokens", AUDITOR | ADMINISTRATOR, WHOLE, .handle = tokens_get},
    {"POST", "/api/v1/tokens", ADMINISTRATOR, WHOLE, .body_max = TOKEN_BODY_MAX, .handle = tokens_post},
    {"DELETE", "/api/v1/tokens/{}", ADMINISTRATOR, WHOLE, .handle = token_delete_call},
    {"GET", "/api/v1/permits", AUDITOR | ADMINISTRATOR, WHOLE, .handle = permits_get},
    {"POST", "/api/v1/permits", ADMINISTRATOR, WHOLE, .body_max = JSON_BODY_MAX, .handle = permits_post},
    {"DELETE", "/api/v1/permits", ADMINISTRATOR, WHOLE, .handle = permits_delete},
};
/* clang-format on */
const size_t ROUTE_COUNT = sizeof ROUTES / sizeof *ROUTES;

static bool match(const char *pattern, const char *path, struct span *arg)
{
    size_t fixed = strcspn(pattern, "{"), len;
    bool takes_rest;

    *arg = span_of(NULL, 0);
    if (strncmp(pattern, path, fixed) != 0)
        return false;
    pattern += fixed;
    path += fixed;
    if (*pattern == '\0')
        return *path == '\0';
    takes_rest = pattern[1] == '*';
    len = takes_rest ? strlen(path) : strcspn(path, "/");
    *arg = span_of(path, len);
    return len > 0 && strcmp(pattern + (takes_rest ? 3 : 2), path + len) == 0;
}

static void put_method(char allow[static 64], const char *method)
{
    if (allow[0] != '\0')
        strcat(allow, ", ");
    strcat(allow, method);
    if (strcmp(method, "GET") == 0)
        strcat(allow, ", HEAD");
}

enum err route_find(const char *method, const char *path, const struct route **out,
                    char arg[static ROUTE_ARG_MAX], char allow[static 64])
{
    struct span raw;

    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    *out = NULL;
    allow[0] = arg[0] = '\0';
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!match(ROUTES[i].pattern, path, &raw))
            continue;
        put_method(allow, ROUTES[i].method);
        if (strcmp(ROUTES[i].method, method) != 0)
            continue;
        *out = &ROUTES[i];
        return http_unescape(raw, arg, ROUTE_ARG_MAX) ? OK : ERR_MALFORMED;
    }
    return allow[0] != '\0' ? ERR_METHOD : ERR_NOT_FOUND;
}

enum err route_permits(const struct route *r, const struct principal *who, struct fault *f)
{
    if (r == NULL)
        return OK;
    if (r->scope == ROUTE_SCOPE_UNSAID)
        return fault_set(f, ERR_FORBIDDEN, "Nobody may: the table of routes has no scope for this one.");
    if ((r->roles & ACCESS_ANY & ACCESS_BIT(who->role)) == 0)
        return fault_set(f, ERR_FORBIDDEN, "The role %s does not include this.", access_role_name(who->role));
    if (r->scope == ROUTE_SCOPE_WHOLE && !scope_is_any(&who->scope))
        return fault_set(f, ERR_FORBIDDEN, "A login that is limited to some certificates may not do this.");
    return OK;
}
