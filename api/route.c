/* SPDX-License-Identifier: Apache-2.0 */
/* route: the one table of the HTTPS interface: method, path, who may call, how much they may send, handler.
 */
#include <string.h>

#include "api/api.h"

const struct route ROUTES[] = {
    {"GET", "/livez", WHO_LOCAL, 0, livez_get},
    {"GET", "/readyz", WHO_LOCAL, 0, readyz_get},
    {"GET", "/metrics", WHO_LOCAL, 0, metrics_get},
    {"GET", "/api/v1/certificates", WHO_ADMINISTRATOR, 0, certificates_get},
    {"POST", "/api/v1/certificates", WHO_ADMINISTRATOR, CSR_MAX, issue_post},
    {"POST", "/api/v1/preflight", WHO_ADMINISTRATOR, PREFLIGHT_MAX, preflight_post},
    {"GET", "/api/v1/certificates/{}", WHO_ADMINISTRATOR, 0, certificate_get},
    {"PUT", "/api/v1/certificates/{}/revocation", WHO_ADMINISTRATOR, JSON_BODY_MAX, revocation_put},
    {"DELETE", "/api/v1/certificates/{}/revocation", WHO_ADMINISTRATOR, 0, revocation_delete},
    {"GET", "/api/v1/issuers", WHO_ADMINISTRATOR, 0, issuers_get},
    {"GET", "/api/v1/issuers/{}", WHO_ADMINISTRATOR, 0, issuer_get},
    {"GET", "/api/v1/issuers/{}/crl", WHO_ADMINISTRATOR, 0, issuer_crl_get},
    {"POST", "/api/v1/issuers/{}/crl", WHO_ADMINISTRATOR, JSON_BODY_MAX, issuer_crl_post},
    {"GET", "/api/v1/requests", WHO_ADMINISTRATOR, 0, requests_get},
    {"GET", "/api/v1/requests/{}", WHO_ADMINISTRATOR, 0, request_get},
    {"POST", "/api/v1/requests/{}/approval", WHO_ADMINISTRATOR, JSON_BODY_MAX, request_approval_post},
    {"POST", "/api/v1/requests/{}/denial", WHO_ADMINISTRATOR, JSON_BODY_MAX, request_denial_post},
    {"GET", "/api/v1/audit", WHO_ADMINISTRATOR, 0, trail_get},
    {"GET", "/api/v1/audit/head", WHO_ADMINISTRATOR, 0, trail_head_get},
    {"POST", "/api/v1/replay", WHO_ADMINISTRATOR, XML_DOC_MAX, replay_post},
    {"GET", "/api/v1/profiles", WHO_ADMINISTRATOR, 0, profiles_get},
    {"GET", "/api/v1/profiles/{*}", WHO_ADMINISTRATOR, 0, profile_get},
};
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

enum who route_who(const char *path, const struct route *found)
{
    bool in_api = strncmp(path, "/api", 4) == 0 && (path[4] == '/' || path[4] == '\0');

    if (in_api)
        return WHO_ADMINISTRATOR;
    return found == NULL ? WHO_LOCAL : found->who;
}
